/* Openings of trees, protocol.md sections 5 and 13. */
#include "verify/internal.h"

#include <string.h>

void pr_verify_hash_many(pr_hash *out, const void *messages, size_t bytes, size_t n) {
    static void (*const kernels[])(pr_hash *, const void *, size_t, size_t) = {PR_VERIFY_KERNELS};
    size_t best = pr_cpu_isa(), built = sizeof kernels / sizeof *kernels - 1;
    size_t filled = n > 8 ? PR_ISA_AVX512 : n > 1 ? PR_ISA_AVX2 : PR_ISA_SCALAR; /* wider lanes would be empty */
    if (best > built) best = built;
    kernels[best < filled ? best : filled](out, messages, bytes, n);
}

pr_verdict pr_verify_root(pr_verify_run *r, size_t n, uint32_t height, const pr_hash_list *witness, const pr_hash *root,
                          pr_verdict bad_witness, pr_verdict bad_root, const char *what, size_t index) {
    uint32_t *nodes = r->nodes;
    size_t used = 0;
    for (uint32_t level = height; level > 0; level--) {
        size_t parents = 0;
        for (size_t i = 0; i < n; i++, parents++) {
            bool is_right = nodes[i] & 1, has_sibling = !is_right && i + 1 < n && nodes[i + 1] == nodes[i] + 1;
            pr_hash *pair = (pr_hash *)(r->messages + 64 * parents);
            pair[is_right] = r->hashes[i];
            nodes[parents] = nodes[i] >> 1;
            if (has_sibling) {
                pair[1] = r->hashes[++i];
            } else {
                if (used == witness->n)
                    return PR_REJECT(r, bad_witness, "%s %zu: hash witness too short, level %u", what, index, level);
                pair[!is_right] = witness->hashes[used++];
            }
        }
        pr_verify_hash_many(r->hashes, r->messages, 64, parents);
        n = parents;
    }
    if (used != witness->n)
        return PR_REJECT(r, bad_witness, "%s %zu: %zu hashes of the witness are not used", what, index,
                         witness->n - used);
    if (!pr_hash_equal(&r->hashes[0], root)) return PR_REJECT(r, bad_root, "%s %zu: another root", what, index);
    return PR_ACCEPTED;
}

/* Leaf of each query: its values in the tree's sorted order. */
static void hash_leaves(pr_verify_run *r, uint32_t t) {
    const pr_layout_tree *tree = &r->layout->trees[t];
    uint32_t n = r->proof->n_queries;
    pr_m31 *words = (pr_m31 *)r->messages;
    for (uint32_t s = 0; s < tree->n_columns; s++) {
        const pr_m31 *column = r->proof->queried_values[t] + (size_t)tree->sorted[s] * n;
        for (size_t q = 0; q < n; q++) words[q * tree->n_columns + s] = column[q];
    }
    pr_verify_hash_many(r->hashes, words, tree->n_columns * sizeof *words, n);
}

/* Positions of ascending queries rise but for their lowest bit: each belongs behind or just before the last one, or is
 * one of the last two. Then its leaf must be the same. */
static pr_verdict place_leaves(pr_verify_run *r, size_t *n_leaves, uint32_t t) {
    uint32_t *nodes = r->nodes, height = r->layout->trees[t].height;
    size_t n = 0;
    for (size_t q = 0; q < r->proof->n_queries; q++) {
        uint32_t at = pr_slot_in_tree(height, r->layout->log_lifted, r->queries[q]);
        pr_hash leaf = r->hashes[q];
        size_t same = n > 0 && nodes[n - 1] == at ? n - 1 : n > 1 && nodes[n - 2] == at ? n - 2 : n;
        if (same < n) {
            if (!pr_hash_equal(&r->hashes[same], &leaf))
                return PR_REJECT(r, PR_REJECTED_POSITION_VALUES, "tree %u: two values at position %u", t, at);
            continue;
        }
        size_t place = n > 0 && nodes[n - 1] > at ? n - 1 : n;
        nodes[n] = nodes[place];
        r->hashes[n] = r->hashes[place];
        nodes[place] = at;
        r->hashes[place] = leaf;
        n++;
    }
    *n_leaves = n;
    return PR_ACCEPTED;
}

pr_verdict pr_verify_openings(pr_verify_run *r) {
    for (uint32_t t = 0; t < r->layout->n_trees; t++) {
        const pr_layout_tree *tree = &r->layout->trees[t];
        size_t n = 0;
        if (tree->n_columns == 0) continue; /* its root and its empty witness are checked already */
        hash_leaves(r, t);
        PR_VERIFY_TRY(place_leaves(r, &n, t));
        PR_VERIFY_TRY(pr_verify_root(r, n, tree->height, &r->proof->decommitments[t], &r->proof->commitments[t],
                                     PR_REJECTED_TREE_WITNESS, PR_REJECTED_TREE_ROOT, "tree", t));
    }
    return PR_ACCEPTED;
}
