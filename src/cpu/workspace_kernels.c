/* Working memory of the operations that sample and divide; programs': kernels/program_block.c. */
#include "cpu/kernels/logup.h"
#include "cpu/kernels/quotient.h"
#include "cpu/kernels/sample.h"
#include "cpu/workspace.h"

size_t pr_cpu_thread_bytes_sample(const pr_device_needs *needs) {
    (void)needs;
    return PR_CPU_SAMPLE_THREAD_BYTES;
}

size_t pr_cpu_thread_bytes_quotients(const pr_device_needs *needs) {
    (void)needs;
    return PR_CPU_QUOTIENT_THREAD_BYTES;
}

size_t pr_cpu_shared_bytes_logup(const pr_device_needs *needs) {
    return needs->n_lookup_components ? (size_t)4 * sizeof(pr_m31) << PR_CPU_SCAN_PART_BITS : 0;
}

size_t pr_cpu_shared_bytes_sample(const pr_device_needs *needs) {
    (void)needs;
    return 0;
}

size_t pr_cpu_shared_bytes_quotients(const pr_device_needs *needs) {
    (void)needs;
    return PR_CPU_QUOTIENT_SHARED_BYTES;
}
