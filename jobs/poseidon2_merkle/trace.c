#include "poseidon2_merkle/trace.h"
#include "poseidon2_merkle/kernel.h"

/* Row r compresses nodes 2 r and 2 r + 1; behind the tree, zeros. */
static void fill_places(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows,
                        const pr_poseidon2_merkle_tree *tree, size_t first, size_t n) {
    static const pr_m31 zeros[PR_POSEIDON2_MERKLE_LEAF];
    pr_poseidon2_merkle_fill_kernel *kernel = PR_JOB_KERNEL(pr_poseidon2_merkle_fill);
    const pr_m31 *inputs[PR_POSEIDON2_MERKLE_SLOTS][PR_POSEIDON2_ROWS];
    for (size_t i = 0; i < n; i++) {
        uint32_t row = pr_job_row(order, log_rows, (uint32_t)(first + i));
        for (size_t s = 0; s < PR_POSEIDON2_MERKLE_SLOTS; s++)
            inputs[s][i] = row < tree->n_leaves ? tree->inputs[2 * (size_t)row + s] : zeros;
    }
    for (size_t s = 0; s < PR_POSEIDON2_MERKLE_SLOTS; s++)
        kernel(columns + s * PR_POSEIDON2_MERKLE_SLOT_COLUMNS, first, n, inputs[s]);
}

void pr_poseidon2_merkle_fill(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows,
                              const pr_poseidon2_merkle_tree *tree, unsigned n_threads) {
    size_t n_rows = (size_t)1 << log_rows;
    size_t block = n_rows < PR_POSEIDON2_ROWS ? n_rows : PR_POSEIDON2_ROWS;
#pragma omp parallel for schedule(static) num_threads(pr_job_threads(n_threads))
    for (size_t first = 0; first < n_rows; first += block) fill_places(columns, order, log_rows, tree, first, block);
}
