/* Inner loop of the trace, one form an instruction set. */
#ifndef PR_JOBS_FILE_HASH_KERNEL_H
#define PR_JOBS_FILE_HASH_KERNEL_H
#include "field/m31.h"

/* Rows worked on together: their states stay in the first cache level. */
#define PR_FILE_HASH_ROWS 256

typedef struct pr_file_hash_rows {
    pr_m31 state[16][PR_FILE_HASH_ROWS]; /* in: what each row's permutation is given; used up */
    pr_m31 live[PR_FILE_HASH_ROWS];      /* 1 or 0 */
} pr_file_hash_rows;

/* All columns of the places first .. first + n - 1; n: a multiple of 16, at most PR_FILE_HASH_ROWS. */
typedef void pr_file_hash_kernel(pr_m31 *const *columns, size_t first, size_t n, pr_file_hash_rows *rows);
pr_file_hash_kernel pr_file_hash_block_scalar, pr_file_hash_block_avx2, pr_file_hash_block_avx512;
#endif
