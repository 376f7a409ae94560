/* Sixteen rows, one form an instruction set. */
#ifndef PR_JOBS_SHA256_KERNEL_H
#define PR_JOBS_SHA256_KERNEL_H
#include "sha256/layout.h"

typedef void pr_sha256_rows_kernel(const pr_digest_rows *rows);
pr_sha256_rows_kernel pr_sha256_rows_scalar, pr_sha256_rows_avx2, pr_sha256_rows_avx512;
#endif
