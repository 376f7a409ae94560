/* The operations of backend.h on the host. Those that only move words are compiled once; the others once per
 * instruction set, with its name behind theirs. */
#ifndef PR_CPU_OPS_H
#define PR_CPU_OPS_H
#include "cpu/device.h"

pr_status pr_cpu_synchronize(pr_device *dev, pr_error *err);
pr_status pr_cpu_upload(pr_device *dev, pr_col dst, const pr_m31 *src, pr_error *err);
pr_status pr_cpu_download(pr_device *dev, pr_m31 *dst, pr_col src, pr_error *err);
pr_status pr_cpu_zero(pr_device *dev, const pr_col *cols, size_t n, pr_error *err);
pr_status pr_cpu_map_write(pr_device *dev, pr_m31 **host, const pr_col *cols, size_t n, pr_error *err);
pr_status pr_cpu_unmap_write(pr_device *dev, pr_m31 *const *host, const pr_col *cols, size_t n, pr_error *err);
pr_status pr_cpu_rows_to_storage(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err);
pr_status pr_cpu_gather(pr_device *dev, pr_m31 *out, const pr_col *cols, size_t n, const uint32_t *positions,
                        size_t n_positions, uint32_t log_lifted, pr_error *err);

#define PR_CPU_DECLARE(isa)                                                                                            \
    pr_status pr_cpu_extend_##isa(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err);      \
    pr_status pr_cpu_interpolate_##isa(pr_device *dev, const pr_col *cols, size_t n, uint32_t log_parts,               \
                                       pr_error *err);                                                                 \
    pr_status pr_cpu_evaluate_##isa(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err);    \
    pr_status pr_cpu_halve_##isa(pr_device *dev, const pr_col dst[8], const pr_col src[4], pr_error *err);             \
    pr_status pr_cpu_merkle_commit_##isa(pr_device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols,     \
                                         size_t n, pr_error *err);                                                     \
    pr_status pr_cpu_merkle_open_##isa(pr_device *dev, pr_hash *out, size_t *n_out, size_t capacity,                   \
                                       const pr_merkle *tree, const pr_col *cols, size_t n, const uint32_t *positions, \
                                       size_t n_positions, pr_error *err);                                             \
    pr_status pr_cpu_logup_##isa(pr_device *dev, const pr_logup *list, size_t n, pr_error *err);                       \
    pr_status pr_cpu_compose_##isa(pr_device *dev, const pr_compose *list, size_t n, pr_error *err);                   \
    pr_status pr_cpu_lift_add_##isa(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_error *err);          \
    pr_status pr_cpu_sample_##isa(pr_device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,     \
                                  const pr_secure_point *points, size_t n_points, pr_error *err);                      \
    pr_status pr_cpu_quotients_##isa(pr_device *dev, const pr_col dst[4], uint32_t log_blowup,                         \
                                     const pr_quotient_group *groups, size_t n, pr_error *err);                        \
    pr_status pr_cpu_fold_circle_##isa(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha,        \
                                       pr_error *err);                                                                 \
    pr_status pr_cpu_fold_line_##isa(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha,          \
                                     pr_error *err);                                                                   \
    pr_status pr_cpu_grind_##isa(pr_device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err);

PR_CPU_DECLARE(scalar)
PR_CPU_DECLARE(avx2)
PR_CPU_DECLARE(avx512)
#endif
