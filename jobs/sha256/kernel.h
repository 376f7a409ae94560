/* Rows of sixteen blocks, one form an instruction set. */
#ifndef PR_JOBS_SHA256_KERNEL_H
#define PR_JOBS_SHA256_KERNEL_H
#include "sha256/layout.h"

/* All rows of blocks first .. first + n_lanes - 1; n_lanes at most PR_DIGEST_LANES. */
typedef void pr_sha256_rows_kernel(pr_digest_sink *sink, const pr_digest_walk *walk, uint32_t first, unsigned n_lanes);
pr_sha256_rows_kernel pr_sha256_rows_scalar, pr_sha256_rows_avx2, pr_sha256_rows_avx512;
/* What one row of zeros looks up. */
typedef void pr_sha256_zero_kernel(pr_digest_sink *sink, uint32_t part);
pr_sha256_zero_kernel pr_sha256_zero_row_scalar, pr_sha256_zero_row_avx2, pr_sha256_zero_row_avx512;
#endif
