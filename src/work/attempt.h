/* One attempt at one job, from its inputs to its record, by a prover that may be kept for the next job. */
#ifndef PR_WORK_ATTEMPT_H
#define PR_WORK_ATTEMPT_H
#include "job/job.h"
#include "work/work.h"

/* What attempts have in common. Zeros: nothing is kept yet. One thread uses it, the one that opened the prover. */
typedef struct pr_attempts {
    pr_prover *prover; /* NULL: none */
    const pr_backend *backend;
    pr_job *job; /* the last one: the prover borrows its layout; owned */
    /* NULL: nobody is asked before memory is taken (prove/prove.h). */
    pr_status (*admit)(void *context, const pr_plan *plan, pr_error *err);
    void *admit_context;
    uint64_t waited_ns;      /* by admit, for this attempt: it is no time of proving */
    bool repeats;            /* more of a kind may follow: what is preprocessed stays with the prover */
    const atomic_bool *stop; /* ends the attempt at its next step, PR_ERR_INTERRUPTED; NULL: nothing does */
} pr_attempts;

/* As pr_work_prove_watched, whose work it does; the prover stays, for a job of the same AIR and configuration. */
PR_MUST_CHECK pr_status pr_attempt_make(pr_record *record, pr_attempts *kept, const pr_work *work,
                                        const pr_manifest_job *job, const pr_work_watch *watch, pr_error *err);
/* Gives the prover's memory back. */
void pr_attempts_clear(pr_attempts *kept);
bool pr_config_equal(const pr_config *a, const pr_config *b);
#endif
