/* wide_fibonacci: 1 << log_rows independent rows, each a sequence in which every cell is the sum of the squares of the
 * two before it. The yardstick of the benchmarks: its AIR is that of stwo's own example, so its proofs are too. */
#ifndef PR_JOBS_WIDE_FIBONACCI_JOB_H
#define PR_JOBS_WIDE_FIBONACCI_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_wide_fibonacci;

/* The AIR alone, for benchmarks and cases. columns >= 3. The caller destroys it. */
PR_MUST_CHECK pr_status pr_wide_fibonacci_air(pr_air **out, uint32_t log_rows, uint32_t columns, pr_error *err);

/* Row i: 1, seed + i, then each cell from the two before it; columns[k] has 1 << log_rows words. n_threads 0: all of
 * the process's processors. */
void pr_wide_fibonacci_fill(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows, uint32_t n_columns,
                            uint64_t seed, unsigned n_threads);
#endif
