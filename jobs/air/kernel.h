/* Inner loop of the check of a trace, one form an instruction set: a component's program on a block of rows. */
#ifndef PR_JOBS_AIR_KERNEL_H
#define PR_JOBS_AIR_KERNEL_H
#include "air/program.h"

#define PR_AIR_BLOCK 64u /* rows, at most */

/* A relation's challenges, and its sum of fractions, one for each place in a block. */
typedef struct pr_air_relation_sum {
    pr_m31 z[4];
    const pr_m31 (*powers)[4]; /* of alpha */
    pr_m31 numerator[4][PR_AIR_BLOCK], denominator[4][PR_AIR_BLOCK];
} pr_air_relation_sum;

/* cells: [n_slots + n_inputs][PR_AIR_BLOCK], inputs filled. n: rows, a multiple of 16, and of fewer for the scalar
 * form. failed: [n], the caller zeroes
 * it; what is not zero afterwards is a row that violates a constraint. sums: [n_relations]; NULL: lookups are passed
 * over. */
typedef void pr_air_kernel(pr_m31 *failed, pr_air_relation_sum *sums, pr_m31 *cells, const pr_program *program,
                           uint32_t n);
pr_air_kernel pr_air_check_block_scalar, pr_air_check_block_avx2, pr_air_check_block_avx512;
#endif
