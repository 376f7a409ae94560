/* Sizes of the tree, and the digests of its nodes. */
#include <stdlib.h>
#include <string.h>
#include "poseidon2_merkle/kernel.h"
#include "poseidon2_merkle/layout.h"
#include "rows.h"

uint32_t pr_poseidon2_merkle_leaves(uint32_t n_values) {
    return n_values / PR_POSEIDON2_MERKLE_LEAF + (n_values % PR_POSEIDON2_MERKLE_LEAF != 0);
}

uint32_t pr_poseidon2_merkle_log_rows(uint32_t n_values) {
    uint32_t log_rows = PR_POSEIDON2_MERKLE_MIN_LOG_ROWS;
    while (UINT32_C(1) << log_rows < 2 * pr_poseidon2_merkle_leaves(n_values)) log_rows++;
    return log_rows;
}

void pr_poseidon2_merkle_length_block(pr_m31 out[PR_POSEIDON2_MERKLE_DIGEST], uint32_t n_values) {
    memset(out, 0, PR_POSEIDON2_MERKLE_DIGEST * sizeof *out);
    out[0] = n_values;
    out[1] = PR_POSEIDON2_MERKLE_DOMAIN;
}

/* Digests of the nodes first .. end - 1, whose children, if they have any, are numbered end or higher: no node's input
 * is written while another's digest is. */
static void hash_generation(pr_poseidon2_merkle_tree *tree, size_t first, size_t end) {
    pr_poseidon2_merkle_hash_kernel *kernel = PR_JOB_KERNEL(pr_poseidon2_merkle_hash);
    pr_m31 *digests = (pr_m31 *)tree->inputs;
#pragma omp parallel for schedule(static) num_threads(pr_job_threads(0)) if (end - first > PR_POSEIDON2_ROWS)
    for (size_t k = first; k < end; k += PR_POSEIDON2_ROWS) {
        size_t n = end - k < PR_POSEIDON2_ROWS ? end - k : PR_POSEIDON2_ROWS;
        kernel(digests + PR_POSEIDON2_MERKLE_DIGEST * k, (const pr_m31(*)[16])(tree->inputs + k), n);
    }
}

pr_status pr_poseidon2_merkle_tree_init(pr_poseidon2_merkle_tree *tree, const pr_m31 *values, uint32_t n,
                                        pr_error *err) {
    uint32_t n_leaves = pr_poseidon2_merkle_leaves(n);
    pr_m31(*inputs)[PR_POSEIDON2_MERKLE_LEAF] = calloc(2 * (size_t)n_leaves, sizeof *inputs);
    if (!inputs) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a tree of %u values", n);
    *tree = (pr_poseidon2_merkle_tree){.n_leaves = n_leaves, .inputs = inputs};
    memcpy(inputs[n_leaves], values, n * sizeof *values);
    for (size_t end = 2 * (size_t)n_leaves, first; end > 1; end = first)
        hash_generation(tree, first = (end + 1) / 2, end);
    pr_poseidon2_merkle_length_block(inputs[0], n);
    PR_JOB_KERNEL(pr_poseidon2_merkle_hash)(tree->root, (const pr_m31(*)[16])inputs, 1);
    return PR_OK;
}

void pr_poseidon2_merkle_tree_clear(pr_poseidon2_merkle_tree *tree) {
    free(tree->inputs);
    *tree = (pr_poseidon2_merkle_tree){0};
}
