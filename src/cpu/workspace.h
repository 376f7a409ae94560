/* Working memory of each operation: the device maps the largest of each kind. Bytes; needs->n_threads is already the
 * true number of threads. */
#ifndef PR_CPU_WORKSPACE_H
#define PR_CPU_WORKSPACE_H
#include "backend/backend.h"

#define PR_CPU_PROGRAM_BLOCK 512 /* rows that the interpreter runs an instruction over */
#define PR_CPU_LOG_SUBTREE 10    /* log2 of the leaves that a thread hashes up to their root */
#define PR_CPU_HASH_SPREAD 16    /* words more than a run's length from one run of hash words to the next */

/* Of one thread. */
size_t pr_cpu_thread_bytes_transform(const pr_device_needs *needs);
size_t pr_cpu_thread_bytes_merkle(const pr_device_needs *needs);
size_t pr_cpu_thread_bytes_program(const pr_device_needs *needs);
size_t pr_cpu_thread_bytes_sample(const pr_device_needs *needs);
size_t pr_cpu_thread_bytes_quotients(const pr_device_needs *needs);
/* Shared by all threads. */
size_t pr_cpu_shared_bytes_logup(const pr_device_needs *needs);
size_t pr_cpu_shared_bytes_sample(const pr_device_needs *needs);
size_t pr_cpu_shared_bytes_quotients(const pr_device_needs *needs);

size_t pr_cpu_thread_bytes(const pr_device_needs *needs);
size_t pr_cpu_shared_bytes(const pr_device_needs *needs);
#endif
