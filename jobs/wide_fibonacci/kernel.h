/* Inner loop of the trace, one form an instruction set. */
#ifndef PR_JOBS_WIDE_FIBONACCI_KERNEL_H
#define PR_JOBS_WIDE_FIBONACCI_KERNEL_H
#include "field/m31.h"

/* A block's two running arrays and the columns' pages it writes stay in the first cache level. */
#define PR_WIDE_FIBONACCI_BLOCK 1024u

/* Columns 2 .. n_columns - 1 of the places first .. first + n - 1, from columns 0 and 1 of the same places.
 * n: a multiple of 16, at most the block. */
typedef void pr_wide_fibonacci_kernel(pr_m31 *const *columns, uint32_t n_columns, size_t first, size_t n);
pr_wide_fibonacci_kernel pr_wide_fibonacci_block_scalar, pr_wide_fibonacci_block_avx2, pr_wide_fibonacci_block_avx512;
#endif
