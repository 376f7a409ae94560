#include "poseidon2_merkle/trace.h"
#include "poseidon2_merkle/kernel.h"

/* Row i has the compression of node i; behind the tree, of zeros. */
static void find_inputs(const pr_m31 **inputs, pr_job_order order, uint32_t log_rows,
                        const pr_poseidon2_merkle_tree *tree, size_t first, size_t n) {
    static const pr_m31 zeros[PR_POSEIDON2_MERKLE_LEAF];
    for (size_t i = 0; i < n; i++) {
        uint32_t row = pr_job_row(order, log_rows, (uint32_t)(first + i));
        inputs[i] = row < 2 * tree->n_leaves ? tree->inputs[row] : zeros;
    }
}

static void fill_inputs(pr_m31 *const *columns, size_t first, size_t n, const pr_m31 *const *inputs) {
    for (size_t k = 0; k < PR_POSEIDON2_MERKLE_LEAF; k++)
        for (size_t i = 0; i < n; i++) columns[PR_POSEIDON2_MERKLE_INPUT_AT + k][first + i] = inputs[i][k];
}

static void fill_places(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows,
                        const pr_poseidon2_merkle_tree *tree, size_t first, size_t n) {
    const pr_m31 *inputs[PR_POSEIDON2_ROWS];
    find_inputs(inputs, order, log_rows, tree, first, n);
    if (columns[PR_POSEIDON2_MERKLE_DIGEST_AT])
        PR_JOB_KERNEL(pr_poseidon2_merkle_fill)(columns, first, n, inputs);
    else
        fill_inputs(columns, first, n, inputs);
}

void pr_poseidon2_merkle_fill(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows,
                              const pr_poseidon2_merkle_tree *tree, unsigned n_threads) {
    size_t n_rows = (size_t)1 << log_rows;
    size_t block = n_rows < PR_POSEIDON2_ROWS ? n_rows : PR_POSEIDON2_ROWS;
#pragma omp parallel for schedule(static) num_threads(pr_job_threads(n_threads))
    for (size_t first = 0; first < n_rows; first += block) fill_places(columns, order, log_rows, tree, first, block);
}
