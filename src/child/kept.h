/* The memory that a prover child keeps from one job to the next, so that its pages need not be found and cleared again:
 * that of its last proof, on the processor. Rank 0 counts it as free from the answer on, and may hand it to another
 * rank of the node. So it is kept for a moment only, in which the next job comes if there is one, and only where there
 * is much more; a proof's memory never lies beside that of the one before. One thread uses it. */
#ifndef PR_CHILD_KEPT_H
#define PR_CHILD_KEPT_H
#include "base/arena.h"

#define PR_CHILD_KEPT_MS 100                      /* without a job it is given back */
#define PR_CHILD_KEPT_SHARE 4                     /* of what can be had, it may be one in so many */
#define PR_CHILD_KEPT_ALWAYS ((uint64_t)16 << 20) /* so little is kept without a look at that */

/* Begins as zeros. */
typedef struct pr_child_kept {
    pr_arena_keep memory;      /* for pr_work */
    uint64_t before;           /* bytes kept from the last job, until the prover of this one is there; then 0 */
    uint64_t early_peak_bytes; /* of this job's until then, without those */
} pr_child_kept;

/* A job begins: the peak of memory counts from here. */
void pr_child_kept_begin(pr_child_kept *k);
/* Its prover is there, and what it has no need of was given back. Again: no effect. */
void pr_child_kept_prove(pr_child_kept *k);
/* The job's peak, when peak_bytes was reached since: memory that is only kept does not count. */
uint64_t pr_child_kept_peak(const pr_child_kept *k, uint64_t peak_bytes);
/* It has ended, and nobody was told yet. may_stay: not after a confidential job, nor after a failure, which what is
 * kept may be to blame for. root: "" for the real /proc and /sys/fs/cgroup, a folder that holds such trees in tests. */
void pr_child_kept_end(pr_child_kept *k, bool may_stay, const char *root);
void pr_child_kept_clear(pr_child_kept *k);
#endif
