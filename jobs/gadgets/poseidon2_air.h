/* Poseidon2 as expressions of one row. Matrices and constants are linear and take no columns; what an S-box takes is
 * the caller's to say. */
#ifndef PR_JOBS_GADGETS_POSEIDON2_AIR_H
#define PR_JOBS_GADGETS_POSEIDON2_AIR_H
#include "air/builder.h"

/* The fifth power of x: an expression of degree 1, but in the last round. Called in the order of computation. */
typedef pr_expr pr_poseidon2_air_sbox(void *context, pr_expr x);

/* state: of degree 1. From what the permutation is given to the S-boxes of its last round; the external matrix that
 * follows is left to the caller. */
void pr_poseidon2_air_permute(pr_air_builder *b, pr_expr state[16], pr_poseidon2_air_sbox *sbox, void *context);
/* Elements first .. end - 1 of out = external matrix times in; the others are not written down. out may be in. */
void pr_poseidon2_air_external_matrix(pr_air_builder *b, pr_expr out[16], const pr_expr in[16], int first, int end);
#endif
