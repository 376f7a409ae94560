/* What the files of this module share.
 *
 *   create.c   arrays, dependencies, the order of jobs
 *   jobs.c     a job's phases: queued, ended, failed with all that waits for it
 *   ranks.c    a rank's tasks, and the lists of idle ranks
 *   assign.c   which task next
 *   behind.c   tasks behind the one that a rank is at
 *   events.c   answers of ranks
 *   query.c    what can be asked */
#ifndef PR_SCHEDULE_INTERNAL_H
#define PR_SCHEDULE_INTERNAL_H
#include "schedule/heap.h"
#include "schedule/schedule.h"

#define PR_NONE UINT32_MAX
#define PR_LONGEST_NS 1e17 /* three years: estimates are cut there, and a hundred times as much is still a uint64_t */
enum { PR_MAX_RUNNERS = 2, PR_MAX_PAST = 4, PR_MAX_UNABLE = 3, PR_MAX_BEHIND = PR_SCHEDULE_MOST_BEHIND };

/* An attempt that was given up; its rank may answer all the same. attempt 0: none. */
typedef struct pr_past_attempt {
    uint32_t rank, attempt;
} pr_past_attempt;

typedef struct pr_job_state {
    uint64_t expected_ns, host_bytes, device_bytes, device_host_bytes, time_limit_ns, deadline_ns, ready_ns;
    int32_t priority; /* at least that of what waits for it */
    uint32_t retries, class;
    uint32_t place;     /* in the order */
    uint32_t n_blocked; /* barriers before it that are not open yet */
    pr_schedule_phase phase;
    uint32_t attempt, charged, losses, unable;
    bool cpu_next, excused; /* the next attempt keeps off devices; a backend's failure was forgiven once */
    bool tried_cpu, tried_device;
    bool is_suspect;    /* its rank was told of it, or had it, when an attempt was lost there: nobody is told again */
    uint32_t hinted_to; /* the rank that was told of it while it is queued; PR_NONE: none */
    uint32_t runners[PR_MAX_RUNNERS]; /* ranks that prove it */
    uint32_t prover, proof_attempt;   /* of the proof that counts */
    uint32_t verifier;
    uint32_t avoid_rank, avoid_node;
    uint32_t before, behind; /* neighbours in its prover's list of proofs to be verified */
    uint32_t next_notice, other;
    pr_why why;
    pr_hash proof;
    pr_past_attempt past[PR_MAX_PAST];
} pr_job_state;

typedef struct pr_prove_slot {
    uint32_t job, attempt; /* job PR_NONE: idle */
    bool cpu_only, fallback, speculative, exclusive;
    uint64_t start_ns, expected_ns, host_bytes, device_bytes;
} pr_prove_slot;

typedef struct pr_behind { /* a task that a rank begins when it has answered those before it */
    uint32_t job, attempt;
    uint64_t expected_ns;
} pr_behind;

typedef struct pr_link {
    uint32_t before, behind;
    bool in;
} pr_link;

typedef struct pr_list {
    uint32_t first, last;
} pr_list;

typedef struct pr_rank_info {
    uint32_t node, device;
    bool proves, verifies, one_task;
    bool device_off; /* its backend, a device's or not, has failed too often */
    pr_rank_state state;
    uint32_t faults, device_faults;
    double slowness; /* times what other ranks take for the like, as measured; 1 until it is known */
    uint32_t n_measured;
    pr_prove_slot prove;
    pr_behind behind[PR_MAX_BEHIND];
    uint32_t n_behind;
    bool has_proved; /* its last answer */
    uint32_t verify_job, verify_attempt;
    pr_link idle_prover, idle_verifier, has_proofs, open;
    bool in_plain;                                   /* its list of idle provers: those without a device in use */
    pr_list proofs;                                  /* jobs that it proved and that wait for a verifier */
    uint32_t n_hints, hints[PR_SCHEDULE_MOST_HINTS]; /* queued jobs that it was told of */
    uint8_t notices;
    uint32_t next_notice, n_cancels;
    pr_past_attempt cancels[PR_MAX_BEHIND + 1]; /* rank: the job */
} pr_rank_info;

enum { PR_RANK_DEVICE_OFF = 2, PR_RANK_TOO_FAULTY = 4, PR_RANK_LISTED = 8 };

typedef struct pr_node_info {
    uint64_t budget, limit, used, device_bytes; /* device_bytes: of its largest device */
    uint32_t n_running, n_provers;              /* proofs that run; ranks that may prove, silent ones too */
    bool exclusive;                             /* what runs is alone */
    pr_list idle[2];                            /* ranks with a device in use; others */
} pr_node_info;

typedef struct pr_device_info {
    uint64_t budget, used;
} pr_device_info;

/* A distinct range of `after`: the jobs in it, and those that wait for it. */
typedef struct pr_barrier {
    uint32_t first, count, n_open;
    bool failed;
    size_t waiters; /* index into pr_schedule.waiters */
    uint32_t n_waiters;
} pr_barrier;

/* How far the estimates of a class are from what is measured. */
typedef struct pr_class {
    double factor;
    uint32_t n;
    double left_ns; /* expected work of its jobs that has no proof yet */
} pr_class;

struct pr_schedule {
    pr_schedule_options options;
    uint32_t n_jobs, n_classes, n_ranks, n_nodes, n_devices, n_barriers;
    pr_job_state *jobs;
    pr_class *classes;
    pr_rank_info *ranks;
    pr_node_info *nodes;
    pr_device_info *devices;
    pr_barrier *barriers;
    uint32_t *waiters;                /* [sum of n_waiters] */
    uint32_t *member_first, *members; /* [n_jobs + 1], barriers that a job belongs to */
    uint32_t *order;                  /* [n_jobs] place -> job */
    uint32_t *work;                   /* [n_jobs] room for jobs that fail with another */

    pr_fit_tree queue;      /* by place: host bytes, expected ns */
    pr_top_tree free_nodes; /* nodes with an idle prover: free bytes + 1 */
    pr_time_heap timers;    /* jobs: end of the backoff, or of keeping off a rank */
    pr_time_heap deadlines; /* jobs not yet proving: the latest start */
    pr_time_heap slow;      /* ranks: when what they prove has become slow */
    pr_time_heap late;      /* ranks: when what is behind it may be taken back */

    pr_list idle_verifiers, provers_with_proofs;
    pr_list open;                    /* ranks that may be given something behind what they are at */
    uint32_t n_verifiers, n_provers; /* that may verify, prove: silent ones too; provers of proving ranks that are up */
    double speed;                    /* of n_provers together: sum of 1 / slowness */
    uint64_t max_limit, top_limit;   /* of nodes with a prover now; of nodes with one at all */
    uint32_t kept_node, kept_for;    /* a node that is kept free for a job */

    uint64_t now, begin_ns, close_ns; /* nothing is begun that would end after close */
    bool any_speed;                   /* slow ranks may take what others should: nobody else is at work */
    bool draining, tell_drain, quiet; /* quiet: next has nothing to give since the last event */
    size_t n_phase[PR_JOB_PHASES];
    uint32_t n_busy;                    /* tasks that ranks have */
    uint32_t first_notice, last_notice; /* jobs */
    uint32_t first_rank_notice, last_rank_notice;
    uint64_t steps;
};

/* jobs.c */
void pr_job_set_phase(pr_schedule *s, uint32_t j, pr_schedule_phase phase);
void pr_job_queue(pr_schedule *s, uint32_t j);          /* any phase that is not the end: into the queue */
void pr_job_unqueue(pr_schedule *s, uint32_t j);        /* out of queue and timers */
void pr_job_cancel_runners(pr_schedule *s, uint32_t j); /* ranks that still prove it are told to stop */
void pr_job_done(pr_schedule *s, uint32_t j);
void pr_job_fail(pr_schedule *s, uint32_t j); /* and what waits for it, with notices */
void pr_job_end_unasked(pr_schedule *s, uint32_t j, pr_why why, uint32_t other);  /* fail, with a notice */
void pr_job_forget(pr_schedule *s, uint32_t j, uint32_t rank, uint32_t attempt);  /* into the past */
bool pr_job_recalls(pr_schedule *s, uint32_t j, uint32_t rank, uint32_t attempt); /* and forgets it now */
uint64_t pr_job_estimate(const pr_schedule *s, uint32_t j);                       /* on a rank like most */
uint64_t pr_job_estimate_on(const pr_schedule *s, uint32_t j, uint32_t rank);     /* as fast as this one was so far */
bool pr_job_misses_deadline(const pr_schedule *s, uint32_t j);
bool pr_job_has_proof(const pr_schedule *s, uint32_t j);
bool pr_job_has_ended(const pr_schedule *s, uint32_t j);
void pr_job_watch_deadline(pr_schedule *s, uint32_t j);
/* After an attempt is lost and none runs: again, or the end. */
pr_fate pr_job_retry(pr_schedule *s, uint32_t j, uint32_t rank, pr_failure failure);
/* The least host bytes with which it can run on some rank: on a device if it may. */
uint64_t pr_job_least_bytes(const pr_job_state *job);
bool pr_job_has_runner(const pr_job_state *job);

/* lists over ranks, by the place of a link in them */
typedef enum pr_list_kind { PR_LIST_PROVER, PR_LIST_VERIFIER, PR_LIST_PROOFS, PR_LIST_OPEN } pr_list_kind;
void pr_list_append(pr_schedule *s, pr_list *list, pr_list_kind kind, uint32_t rank);
void pr_list_remove(pr_schedule *s, pr_list *list, pr_list_kind kind, uint32_t rank);

/* ranks.c */
void pr_rank_refresh(pr_schedule *s, uint32_t r); /* its lists, and its node's place in free_nodes */
void pr_node_refresh(pr_schedule *s, uint32_t n);
bool pr_rank_is_live(const pr_rank_info *rank);         /* up, silent or drained */
bool pr_rank_may_prove(const pr_rank_info *rank);       /* now or when it speaks again */
void pr_rank_count(pr_schedule *s, uint32_t r, int by); /* into n_provers, n_verifiers, nodes */
void pr_rank_give_proof(pr_schedule *s, uint32_t r, uint32_t j, bool speculative, bool exclusive, pr_task *task);
void pr_rank_end_proof(pr_schedule *s, uint32_t r); /* its slot is empty, memory free, the job's runner gone */
void pr_rank_give_verification(pr_schedule *s, uint32_t r, uint32_t j, pr_task *task);
void pr_rank_end_verification(pr_schedule *s, uint32_t r);
bool pr_rank_uses_device(const pr_schedule *s, const pr_rank_info *rank, const pr_job_state *job);
void pr_rank_learn(pr_schedule *s, uint32_t r, double slowness); /* measured now, with one job */
void pr_rank_watch(pr_schedule *s, uint32_t r);                  /* sets or clears when its proof is slow */
void pr_rank_notice(pr_schedule *s, uint32_t r, uint8_t what);
void pr_rank_cancel(pr_schedule *s, uint32_t r, uint32_t j, uint32_t attempt); /* a notice */
void pr_rank_fault(pr_schedule *s, uint32_t r);
void pr_rank_device_fault(pr_schedule *s, uint32_t r);
/* Proofs that wait for a verifier. */
void pr_proof_push(pr_schedule *s, uint32_t j);
void pr_proof_remove(pr_schedule *s, uint32_t j);
void pr_schedule_find_max_limit(pr_schedule *s);

/* hints.c */
void pr_hint_forget(pr_schedule *s, uint32_t j);  /* the job is queued no more */
void pr_hint_release(pr_schedule *s, uint32_t r); /* all that the rank was told of */
/* An attempt at j was lost on the rank, perhaps by what it had begun beside it. */
void pr_hint_suspect(pr_schedule *s, uint32_t r, uint32_t j);
/* A rank that is at work will come to the job, which has no deadline. */
bool pr_hint_holds(const pr_schedule *s, const pr_job_state *job);

/* behind.c */
uint32_t pr_behind_find(const pr_schedule *s, uint32_t r, uint32_t j, uint32_t attempt); /* its index, or PR_NONE */
void pr_behind_end(pr_schedule *s, uint32_t r, uint32_t k);                              /* the rank has it no more */
void pr_behind_take_back(pr_schedule *s, uint32_t r);                                    /* all, into the queue */
void pr_behind_look(pr_schedule *s); /* takes back what waits behind something that takes too long */
/* The first one is at hand now, if there is one; host, device: the memory that it and those behind it need. */
bool pr_behind_promote(pr_schedule *s, uint32_t r, uint64_t *host, uint64_t *device);
bool pr_behind_is_open(const pr_schedule *s, const pr_rank_info *rank);
bool pr_behind_suits(const pr_schedule *s, uint32_t r, uint32_t j); /* the rank is open */
void pr_behind_give(pr_schedule *s, uint32_t r, uint32_t j, pr_task *task);

/* assign.c */
void pr_schedule_advance(pr_schedule *s, uint64_t now);
void pr_schedule_set_close(pr_schedule *s);
#endif
