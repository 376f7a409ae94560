/* Working memory of the operations that run programs, sample and divide. */
#include "cpu/workspace.h"

size_t pr_cpu_thread_bytes_program(const pr_device_needs *needs) {
    return ((size_t)needs->max_slots + needs->max_inputs + 32) * PR_CPU_PROGRAM_BLOCK * sizeof(pr_m31);
}
size_t pr_cpu_thread_bytes_sample(const pr_device_needs *needs) {
    (void)needs;
    return 0;
}
size_t pr_cpu_thread_bytes_quotients(const pr_device_needs *needs) {
    (void)needs;
    return 0;
}
size_t pr_cpu_shared_bytes_logup(const pr_device_needs *needs) {
    return needs->n_lookup_components ? (size_t)12 * sizeof(pr_m31) << needs->max_lookup_log_rows : 0;
}
size_t pr_cpu_shared_bytes_sample(const pr_device_needs *needs) {
    return (size_t)4 * sizeof(pr_m31) << needs->max_sample_log_rows;
}
size_t pr_cpu_shared_bytes_quotients(const pr_device_needs *needs) {
    (void)needs;
    return 0;
}
