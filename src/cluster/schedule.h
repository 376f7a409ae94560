/* Who does what next: jobs, ranks, attempts. Pure data, no MPI, no clock, no I/O.
 *
 *   queued -> proving -> proven -> verifying -> ended
 *     ^-------- attempt failed, attempts left ---'
 *
 * Jobs of higher priority come first, then manifest order. A rank has one task at a time. A job that failed goes to
 * another rank, where there is one that proves. Verifying the proof of another rank goes before a new job, so that
 * proofs do not pile up. */
#ifndef PR_CLUSTER_SCHEDULE_H
#define PR_CLUSTER_SCHEDULE_H
#include "manifest/manifest.h"

/* The names of the module schedule/, which takes this one's place, must not be mixed up with these at link time. */
#define pr_schedule_create pr_cluster_schedule_create
#define pr_schedule_destroy pr_cluster_schedule_destroy
#define pr_schedule_drain pr_cluster_schedule_drain
#define pr_schedule_next pr_cluster_schedule_next
#define pr_schedule_proved pr_cluster_schedule_proved
#define pr_schedule_verified pr_cluster_schedule_verified
#define pr_schedule_end pr_cluster_schedule_end
#define pr_schedule_retry pr_cluster_schedule_retry
#define pr_schedule_prover pr_cluster_schedule_prover
#define pr_schedule_attempts pr_cluster_schedule_attempts
#define pr_schedule_is_over pr_cluster_schedule_is_over
#define pr_schedule_n_ended pr_cluster_schedule_n_ended
#define pr_schedule_n_running pr_cluster_schedule_n_running
#define pr_schedule_n_queued pr_cluster_schedule_n_queued

typedef struct pr_schedule pr_schedule;

typedef enum pr_task_kind { PR_TASK_NONE, PR_TASK_PROVE, PR_TASK_VERIFY } pr_task_kind;
typedef struct pr_task {
    pr_task_kind kind;
    uint32_t job, attempt; /* attempt from 1 */
} pr_task;

/* done[n_jobs]: jobs that need nothing; NULL: none. */
PR_MUST_CHECK pr_status pr_schedule_create(pr_schedule **out, const pr_manifest_job *jobs, size_t n_jobs,
                                           const bool *done, unsigned n_ranks, pr_error *err);
void pr_schedule_destroy(pr_schedule *s);
/* From now on nothing new is proven; what was proven is still verified. */
void pr_schedule_drain(pr_schedule *s);
/* A task for an idle rank, which it then has. PR_TASK_NONE: nothing for it now (or it is busy). prove false: only
 * verification is wanted. */
pr_task pr_schedule_next(pr_schedule *s, unsigned rank, bool prove);
/* Answers. False: not what this rank was given; to be ignored. */
bool pr_schedule_proved(pr_schedule *s, unsigned rank, uint32_t job, uint32_t attempt);
bool pr_schedule_verified(pr_schedule *s, unsigned rank, uint32_t job, uint32_t attempt);
/* After an answer, what becomes of the job. */
void pr_schedule_end(pr_schedule *s, uint32_t job);
/* True: it is queued again (and left for a resume when draining). False: no attempts left, the caller ends it. */
bool pr_schedule_retry(pr_schedule *s, uint32_t job);
unsigned pr_schedule_prover(const pr_schedule *s, uint32_t job); /* rank of the last attempt */
uint32_t pr_schedule_attempts(const pr_schedule *s, uint32_t job);
bool pr_schedule_is_over(const pr_schedule *s); /* nothing runs, and nothing is left to hand out */
size_t pr_schedule_n_ended(const pr_schedule *s);
size_t pr_schedule_n_running(const pr_schedule *s); /* proving, proven or verifying */
size_t pr_schedule_n_queued(const pr_schedule *s);
#endif
