/* What the files of the voter share. voter: life, messages. voter_actions: what the state machine wants, in order.
 * voter_proofs: bytes to verify, and to hold for others. */
#ifndef PR_CLUSTER_VOTER_INTERNAL_H
#define PR_CLUSTER_VOTER_INTERNAL_H
#include "cluster/ballot_keys.h"
#include "cluster/examiner.h"
#include "cluster/voter.h"
#include "cluster/voter_hooks.h"

#define PR_VOTER_MAX_OPEN 4096u /* rounds */
#define PR_VOTER_MAX_HELD 64u   /* proofs of this rank's for others to fetch; the oldest goes first */
#define PR_VOTER_MAX_HELD_BYTES ((uint64_t)256 << 20)
#define PR_VOTER_SIGN_NS ((uint64_t)500 * 1000000u)
#define PR_VOTER_PATIENCE_NS ((uint64_t)200 * 1000000u) /* for a record that nothing waits for */
#define PR_VOTER_MAX_FETCHES 4u                         /* at a time */
#define PR_VOTER_FETCH_TRIES 3u
#define PR_VOTER_FETCH_NS ((uint64_t)5 * 1000000000u)

typedef struct pr_voter_act { /* something that waits for the disk */
    struct pr_voter_act *next;
    uint64_t after; /* number of the record that must be durable first */
    bool sends;     /* a message: to a rank, or to all with to < 0; else an event */
    int to;
    pr_voter_event event;
    size_t size;
    uint8_t data[];
} pr_voter_act;

typedef struct pr_voter_timer {
    uint64_t id, due_ns;
} pr_voter_timer;

typedef enum pr_ask_state { PR_ASK_WAITS, PR_ASK_FETCHES, PR_ASK_IS_EXAMINED } pr_ask_state;
typedef struct pr_voter_ask { /* of the state machine's: is this proof valid? */
    pr_subject subject;
    uint32_t job;
    pr_ask_state state;
    unsigned tries;
    uint64_t asked_ns, sent_ns;
} pr_voter_ask;

typedef struct pr_held {
    uint32_t job, attempt;
    pr_record record; /* owned; empty: free */
} pr_held;

typedef struct pr_job_place {
    pr_hash name;
    uint32_t job;
} pr_job_place;

struct pr_voter {
    pr_voter_options o;
    uint32_t run;
    pr_ballot_keys *keys;
    pr_consensus *consensus;
    pr_votelog *log;
    char log_path[1100];
    uint64_t n_restored; /* records that were there */
    pr_examiner *examiner;
    int32_t *ranks; /* [n_validators] */
    uint32_t n_validators;
    pr_job_place *places; /* [manifest->n_jobs] by name */
    pr_voter_act *first, **last;
    uint64_t appended;   /* number of the last record given to the log */
    uint64_t waiting_ns; /* since when there are records that the log was not asked to write; 0: none */
    pr_voter_event *events;
    size_t first_event, n_events, event_room;
    pr_voter_timer *timers;
    size_t n_timers, timer_room;
    pr_voter_ask *asks;
    size_t n_asks, ask_room;
    pr_held held[PR_VOTER_MAX_HELD];
    unsigned next_held;
    bool restoring, out_of_memory;
    bool may_have_spooled; /* own proofs: in this session, or one before */
    bool closing, batched; /* the outcomes are to be signed; a quorum has */
    uint64_t signed_ns;
};

/* voter.c */
uint32_t pr_voter_job_of(const pr_voter *v, const pr_hash *name); /* or PR_SCHEDULE_NO_JOB */
uint32_t pr_voter_validator_of(const pr_voter *v, unsigned rank); /* or PR_NO_VALIDATOR */

void pr_voter_sign_again(pr_voter *v);

/* voter_actions.c */
void pr_voter_act_on(void *voter, const pr_consensus_action *action); /* the sink */
void pr_voter_tell(pr_voter *v, const pr_voter_event *e);             /* takes e->data */
PR_MUST_CHECK pr_status pr_voter_release(pr_voter *v, bool *busy, pr_error *err);
void pr_voter_expire_due(pr_voter *v, bool *busy);
void pr_voter_drop_acts(pr_voter *v);

/* voter_proofs.c */
void pr_voter_ask_for(pr_voter *v, const pr_subject *subject);
PR_MUST_CHECK pr_status pr_voter_on_fetch(pr_voter *v, unsigned from, const pr_wire_fetch *m, pr_error *err);
void pr_voter_on_proof(pr_voter *v, unsigned from, pr_wire_proof *m);
PR_MUST_CHECK pr_status pr_voter_work(pr_voter *v, bool *busy, pr_error *err);
void pr_voter_drop_proofs(pr_voter *v);

/* voter_spool.c: own proofs on the disk, while they are not decided */
PR_MUST_CHECK pr_status pr_voter_spool_put(const pr_voter *v, const pr_wire_task *task, const pr_record *record,
                                           pr_error *err);
bool pr_voter_spool_get(const pr_voter *v, uint32_t job, uint32_t attempt, pr_record *record);
void pr_voter_spool_drop(const pr_voter *v, uint32_t job, uint32_t attempt);
void pr_voter_spool_clear(const pr_voter *v); /* all of this rank's: every job has ended */
#endif
