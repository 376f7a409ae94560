/* A rank's part in the consensus of a run (consensus/consensus.h): its key, what it has signed, the proofs it verifies
 * for others and holds for them. What the state machine wants done is done here, in order: nothing leaves before the
 * records ahead of it are on this rank's disk.
 *
 *   own proof -> verified here from its bytes -> announced -> proposed by the leader
 *   VERIFY    -> bytes fetched from the prover (rank 0 when the prover is silent) -> verified -> vote
 *
 * Nothing blocks; one thread, that of the transport. */
#ifndef PR_CLUSTER_VOTER_H
#define PR_CLUSTER_VOTER_H
#include "cluster/cluster.h"
#include "cluster/transport.h"
#include "cluster/votelog.h"
#include "consensus/consensus.h"
#include "manifest/manifest.h"
#include "work/work.h"
#include <poll.h>

#define PR_VOTER_MAX_FDS 2

typedef struct pr_voter pr_voter;

typedef enum pr_voter_event_kind {
    PR_VOTER_RECORD,  /* data: a record of the consensus, as it went to this rank's disk */
    PR_VOTER_OUTCOME, /* subject, job, outcome, view */
    PR_VOTER_REMOVED, /* validator, rank, removal */
    PR_VOTER_VIEW,    /* view; validator and rank of the leader */
    PR_VOTER_COUNT,   /* metric, label */
    PR_VOTER_VOTED,   /* ns: from the request to verify to this rank's verdict */
    PR_VOTER_BATCH    /* hash: the root; data: the batch certificate */
} pr_voter_event_kind;

typedef struct pr_voter_event {
    pr_voter_event_kind kind;
    uint32_t job; /* of the manifest, or PR_SCHEDULE_NO_JOB */
    pr_subject subject;
    pr_round_outcome outcome;
    uint64_t view, ns;
    uint32_t validator;
    int32_t rank; /* of that validator; -1: not in this session */
    pr_removal removal;
    pr_consensus_metric metric;
    uint32_t label;
    pr_hash hash;
    uint8_t *data; /* owned */
    size_t size;
} pr_voter_event;

/* What rank 0's run knows and its voter asks for; all NULL on other ranks. */
typedef struct pr_voter_friend {
    /* The record of a proof that counts, borrowed; NULL: none. */
    const pr_record *(*find)(void *context, uint32_t job, const pr_hash *proof_hash);
    /* Whether rank 0, as the leader, proposes what was announced: that attempt was given to that rank. */
    bool (*admits)(void *context, uint32_t job, uint32_t attempt, unsigned rank);
    void *context;
} pr_voter_friend;

typedef struct pr_voter_options {
    pr_transport *t;
    const struct pr_secret_key *key; /* of this rank; outlives the voter */
    const pr_work *work;             /* for verification; outlives it too */
    const pr_manifest *manifest;
    const char *run_id;                 /* outlives it */
    const pr_wire_roster *given;        /* validators, terms; the caller's again after create */
    const struct pr_voter_hooks *hooks; /* of tests; NULL */
    bool keeps_events;                  /* for pr_voter_take: rank 0 */
    pr_voter_friend friend;
} pr_voter_options;

/* Joins the consensus of the run: restores what this rank has signed before, registers the others. PR_ERR_IO. */
PR_MUST_CHECK pr_status pr_voter_create(pr_voter **out, const pr_voter_options *options, pr_error *err);
void pr_voter_destroy(pr_voter *v); /* NULL allowed */

/* A message of another rank's: VOTE, FETCH or PROOF; takes what a PROOF holds. */
PR_MUST_CHECK pr_status pr_voter_handle(pr_voter *v, unsigned from, pr_wire *message, pr_error *err);
/* This rank's child has proved: the record is copied, verified, announced. */
PR_MUST_CHECK pr_status pr_voter_proved(pr_voter *v, const pr_wire_task *task, const pr_record *record, pr_error *err);
/* Timers, verifications, what waited for the disk. PR_ERR_IO: the record of votes cannot be written: the rank must end.
 */
PR_MUST_CHECK pr_status pr_voter_tick(pr_voter *v, bool *busy, pr_error *err);
/* Nothing was heard of rank 0 for long. */
void pr_voter_suspect_leader(pr_voter *v);
/* Another find and admits from now on. */
void pr_voter_befriend(pr_voter *v, const pr_voter_friend *friend);
/* All jobs have ended: signs the outcomes of the run, again and again until a quorum has; asks for those it has missed.
 */
void pr_voter_sign_batch(pr_voter *v);
size_t pr_voter_fds(const pr_voter *v, struct pollfd fds[PR_VOTER_MAX_FDS]);
bool pr_voter_is_verifying(pr_voter *v);

/* The records that this rank had on its disk when it joined, from the first-th (from 0) on, in order. PR_ERR_IO. */
PR_MUST_CHECK pr_status pr_voter_recall(const pr_voter *v, uint64_t first,
                                        void (*visit)(void *context, const uint8_t *record, size_t size), void *context,
                                        pr_error *err);

/* The next event; the caller frees e->data. */
bool pr_voter_take(pr_voter *v, pr_voter_event *e);
const pr_consensus *pr_voter_consensus(const pr_voter *v);
pr_votelog_stats pr_voter_log_stats(const pr_voter *v);       /* of what this rank has on record */
int32_t pr_voter_rank(const pr_voter *v, uint32_t validator); /* -1: none */
#endif
