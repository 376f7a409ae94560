#include "file_hash/trace.h"
#include "file_hash/kernel.h"

/* States of the rows at the places first .. first + n - 1, one element after the other. Rows behind the first one that
 * follows the blocks start from zeros: the row before them leaves nothing. */
static void gather(pr_file_hash_rows *rows, pr_job_order order, uint32_t log_rows, const pr_file_hash_walk *walk,
                   size_t first, size_t n) {
    static const pr_m31 zeros[16];
    for (size_t i = 0; i < n; i++) {
        uint32_t row = pr_job_row(order, log_rows, (uint32_t)(first + i));
        const pr_m31 *state = row <= walk->n_blocks ? walk->states[row] : zeros;
        for (int k = 0; k < 16; k++) rows->state[k][i] = state[k];
        rows->live[i] = row < walk->n_blocks;
    }
}

void pr_file_hash_fill(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows, const pr_file_hash_walk *walk,
                       unsigned n_threads) {
    size_t n_rows = (size_t)1 << log_rows;
    size_t block = n_rows < PR_POSEIDON2_ROWS ? n_rows : PR_POSEIDON2_ROWS;
    pr_file_hash_kernel *kernel = PR_JOB_KERNEL(pr_file_hash_block);
#pragma omp parallel for schedule(static) num_threads(pr_job_threads(n_threads))
    for (size_t first = 0; first < n_rows; first += block) {
        pr_file_hash_rows rows;
        gather(&rows, order, log_rows, walk, first, block);
        kernel(columns, first, block, &rows);
    }
}
