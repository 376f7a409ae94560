#include "rows.h"
#include "wide_fibonacci/job.h"
#include "wide_fibonacci/kernel.h"

static void begin_rows(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows, pr_m31 seed, size_t first,
                       size_t n) {
    for (size_t i = first; i < first + n; i++) {
        columns[0][i] = 1;
        columns[1][i] = pr_m31_add(seed, pr_job_row(order, log_rows, (uint32_t)i));
    }
}

void pr_wide_fibonacci_fill(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows, uint32_t n_columns,
                            uint64_t seed, unsigned n_threads) {
    size_t n_rows = (size_t)1 << log_rows;
    size_t block = n_rows < PR_WIDE_FIBONACCI_BLOCK ? n_rows : PR_WIDE_FIBONACCI_BLOCK;
    pr_m31 start = pr_m31_reduce(seed);
    pr_wide_fibonacci_kernel *kernel = PR_JOB_KERNEL(pr_wide_fibonacci_block);
#pragma omp parallel for schedule(static) num_threads(pr_job_threads(n_threads))
    for (size_t first = 0; first < n_rows; first += block) {
        begin_rows(columns, order, log_rows, start, first, block);
        if (columns[2]) kernel(columns, n_columns, first, block); /* else they are derived */
    }
}
