/* The tree, the columns and the sizes of the trace of poseidon2_merkle, shared by its AIR and its trace. */
#ifndef PR_JOBS_POSEIDON2_MERKLE_LAYOUT_H
#define PR_JOBS_POSEIDON2_MERKLE_LAYOUT_H
#include "air/air.h"
#include "poseidon2/poseidon2.h"

enum {
    PR_POSEIDON2_MERKLE_DIGEST = 8, /* elements */
    PR_POSEIDON2_MERKLE_LEAF = 16,  /* values of a leaf: what a compression takes */
    PR_POSEIDON2_MERKLE_MIN_LOG_ROWS = 4,
    PR_POSEIDON2_MERKLE_DOMAIN = 0x6d726b6c, /* "mrkl", beside the number of values */
};
/* A compression in a row: columns of its input; of its digest, the first half of the permutation plus that of the
 * input; then each S-box's square and fifth power, of the last round the squares alone. */
enum {
    PR_POSEIDON2_MERKLE_INPUT_AT = 0,
    PR_POSEIDON2_MERKLE_DIGEST_AT = PR_POSEIDON2_WIDTH,
    PR_POSEIDON2_MERKLE_PAIRS_AT = PR_POSEIDON2_MERKLE_DIGEST_AT + PR_POSEIDON2_RATE,
    PR_POSEIDON2_MERKLE_LAST_AT = PR_POSEIDON2_MERKLE_PAIRS_AT + 2 * PR_POSEIDON2_LAST_ROUND,
    PR_POSEIDON2_MERKLE_COLUMNS = PR_POSEIDON2_MERKLE_LAST_AT + PR_POSEIDON2_WIDTH
};
#define PR_POSEIDON2_MERKLE_MAX_VALUES (UINT32_C(8) << PR_AIR_MAX_LOG_ROWS)

/* What is public about a job of this type. */
typedef struct pr_poseidon2_merkle_public {
    uint32_t n_values; /* from 1 on */
    pr_m31 root[PR_POSEIDON2_MERKLE_DIGEST];
} pr_poseidon2_merkle_public;

uint32_t pr_poseidon2_merkle_leaves(uint32_t n_values);
uint32_t pr_poseidon2_merkle_log_rows(uint32_t n_values); /* a row for each node at least */
/* What the root is compressed from, beside node 1. */
void pr_poseidon2_merkle_length_block(pr_m31 out[PR_POSEIDON2_MERKLE_DIGEST], uint32_t n_values);

PR_MUST_CHECK pr_status pr_poseidon2_merkle_air(pr_air **out, const pr_poseidon2_merkle_public *statement,
                                                pr_error *err);

/* Inputs of the compressions of all nodes, README.md's numbers. Node i takes inputs[i], which for i < n_leaves are the
 * digests of nodes 2 i and 2 i + 1: that of node i stands at element 8 i of the whole, but for node 0, the root. */
typedef struct pr_poseidon2_merkle_tree {
    uint32_t n_leaves;
    pr_m31 (*inputs)[PR_POSEIDON2_MERKLE_LEAF]; /* [2 n_leaves], owned */
    pr_m31 root[PR_POSEIDON2_MERKLE_DIGEST];
} pr_poseidon2_merkle_tree;

/* values: [n], n from 1 to PR_POSEIDON2_MERKLE_MAX_VALUES. Works on all of the process's processors. */
PR_MUST_CHECK pr_status pr_poseidon2_merkle_tree_init(pr_poseidon2_merkle_tree *tree, const pr_m31 *values, uint32_t n,
                                                      pr_error *err);
void pr_poseidon2_merkle_tree_clear(pr_poseidon2_merkle_tree *tree);
#endif
