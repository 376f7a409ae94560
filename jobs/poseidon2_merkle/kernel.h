/* Many compressions at once, one form an instruction set. */
#ifndef PR_JOBS_POSEIDON2_MERKLE_KERNEL_H
#define PR_JOBS_POSEIDON2_MERKLE_KERNEL_H
#include "gadgets/poseidon2_rows.h"

/* digests: [n][8] words; inputs: [n]; n at most PR_POSEIDON2_ROWS. */
typedef void pr_poseidon2_merkle_hash_kernel(pr_m31 *digests, const pr_m31 (*inputs)[16], size_t n);
pr_poseidon2_merkle_hash_kernel pr_poseidon2_merkle_hash_scalar, pr_poseidon2_merkle_hash_avx2,
    pr_poseidon2_merkle_hash_avx512;

/* All columns at the places first .. first + n - 1. inputs: [n], of 16 words each; n: a multiple of 16, at most
 * PR_POSEIDON2_ROWS. */
typedef void pr_poseidon2_merkle_fill_kernel(pr_m31 *const *columns, size_t first, size_t n,
                                             const pr_m31 *const *inputs);
pr_poseidon2_merkle_fill_kernel pr_poseidon2_merkle_fill_scalar, pr_poseidon2_merkle_fill_avx2,
    pr_poseidon2_merkle_fill_avx512;
#endif
