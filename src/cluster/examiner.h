/* Threads that check proofs while this rank's child proves. What waits, runs and is not taken yet is bounded together.
 * Results come in the order in which they are found: with one thread, that in which they were given. */
#ifndef PR_CLUSTER_EXAMINER_H
#define PR_CLUSTER_EXAMINER_H
#include "cluster/wire.h"
#include "work/work.h"

typedef struct pr_examiner pr_examiner;

typedef struct pr_examination {
    const pr_work *work; /* this and job must stay until it is taken */
    const pr_manifest_job *job;
    pr_wire_task task;    /* these two are the giver's, and come back as they were */
    uint32_t purpose;     /* what the result is for */
    pr_check_depth depth; /* what is checked */
    pr_record record;     /* owned; comes back too */
    /* what was found */
    bool unable; /* it could not be checked; reason says why */
    pr_check_verdict verdict;
    double verify_ms;
    char reason[512];
} pr_examination;

/* capacity: examinations at a time, in any state. */
PR_MUST_CHECK pr_status pr_examiner_create(pr_examiner **out, unsigned n_threads, unsigned capacity, pr_error *err);
/* Waits for what runs. NULL allowed. */
void pr_examiner_destroy(pr_examiner *e);
/* Takes x's record, and empties it, when it returns true; false: there is no room, or no memory. */
bool pr_examiner_give(pr_examiner *e, pr_examination *x);
/* What was found; the caller clears x->record. */
bool pr_examiner_take(pr_examiner *e, pr_examination *x);
int pr_examiner_fd(const pr_examiner *e); /* readable when there is something to take */
unsigned pr_examiner_room(pr_examiner *e);
bool pr_examiner_is_idle(pr_examiner *e); /* nothing waits, runs or is to be taken */
void pr_examiner_finish(pr_examiner *e);  /* drops what waits and all results, waits for what runs */
#endif
