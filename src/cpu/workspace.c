#include "cpu/workspace.h"

static size_t largest(const size_t *bytes, size_t n) {
    size_t r = 0;
    for (size_t i = 0; i < n; i++) r = bytes[i] > r ? bytes[i] : r;
    return r;
}

size_t pr_cpu_thread_bytes(const pr_device_needs *needs) {
    size_t bytes[] = {pr_cpu_thread_bytes_transform(needs), pr_cpu_thread_bytes_merkle(needs),
                      pr_cpu_thread_bytes_program(needs), pr_cpu_thread_bytes_sample(needs),
                      pr_cpu_thread_bytes_quotients(needs)};
    return (largest(bytes, sizeof bytes / sizeof *bytes) + 4095) & ~(size_t)4095;
}

size_t pr_cpu_shared_bytes(const pr_device_needs *needs) {
    size_t bytes[] = {pr_cpu_shared_bytes_logup(needs), pr_cpu_shared_bytes_sample(needs),
                      pr_cpu_shared_bytes_quotients(needs)};
    return (largest(bytes, sizeof bytes / sizeof *bytes) + 4095) & ~(size_t)4095;
}

/* Two tiles of the pass over the top layers: 32 words of each block of 2^12, kernels/transform.c. */
size_t pr_cpu_thread_bytes_transform(const pr_device_needs *needs) {
    uint32_t log_blocks = needs->max_log_rows > 12 ? needs->max_log_rows - 12 : 0;
    return (size_t)2 * 32 * sizeof(pr_m31) << log_blocks;
}

/* The hashes of one level of a subtree. */
size_t pr_cpu_thread_bytes_merkle(const pr_device_needs *needs) {
    (void)needs;
    return (sizeof(pr_hash) << PR_CPU_LOG_SUBTREE) + PR_CPU_HASH_SPREAD * sizeof(pr_hash);
}
