/* Inner loop of the trace, one form an instruction set. */
#ifndef PR_JOBS_FILE_HASH_KERNEL_H
#define PR_JOBS_FILE_HASH_KERNEL_H
#include "gadgets/poseidon2_rows.h"

typedef struct pr_file_hash_rows {
    pr_poseidon2_states state;      /* in: what each row's permutation is given; used up */
    pr_m31 live[PR_POSEIDON2_ROWS]; /* 1 or 0 */
} pr_file_hash_rows;

/* All columns that are not NULL of the places first .. first + n - 1; n: a multiple of 16, at most PR_POSEIDON2_ROWS.
 */
typedef void pr_file_hash_kernel(pr_m31 *const *columns, size_t first, size_t n, pr_file_hash_rows *rows);
pr_file_hash_kernel pr_file_hash_block_scalar, pr_file_hash_block_avx2, pr_file_hash_block_avx512;
#endif
