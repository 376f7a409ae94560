/* Sixteen rows, one form an instruction set. */
#ifndef PR_JOBS_BLAKE2S_KERNEL_H
#define PR_JOBS_BLAKE2S_KERNEL_H
#include "blake2s/layout.h"

typedef void pr_blake2s_rows_kernel(const pr_digest_rows *rows);
pr_blake2s_rows_kernel pr_blake2s_rows_scalar, pr_blake2s_rows_avx2, pr_blake2s_rows_avx512;
#endif
