/* The backends that run CUDA C++: the same .cu files twice. "cuda" runs on a GPU; "cuda-emu" runs on the processor,
 * slowly, with every access checked (emu/emu.h): for tests, never chosen by itself. Threads of a process may each drive
 * devices of their own; those of cuda-emu take turns, and a fault of one is a fault of all, as in a context of CUDA. */
#ifndef PR_CUDA_CUDA_BACKEND_H
#define PR_CUDA_CUDA_BACKEND_H
#include "backend/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const pr_backend pr_backend_cuda_emu;
#ifdef PR_HAVE_CUDA
extern const pr_backend pr_backend_cuda;
/* Whether there is a GPU that it would use: a line about it, or about why not. Loads the driver where one may be. */
bool pr_cuda_describe(char *out, size_t size);
/* Of that GPU's memory, what nobody holds; 0: unknown. For tests of leaks. */
size_t pr_cuda_free_bytes(void);
#endif

/* What kernels of cuda-emu did since the process started; what waits in queues is run first. Each access of a thread
 * counts, whether or not a cache of a real device would serve it. */
typedef struct pr_cuda_counts {
    uint64_t launches, read_bytes, written_bytes; /* of columns, trees and scratch */
    uint64_t table_bytes;                         /* twiddles, programs, lists of columns */
    uint64_t to_device_bytes, to_host_bytes, synchronizations;
    uint64_t graph_launches;                /* of work captured before; its kernels count as launches too */
    uint64_t peak_bytes, peak_pinned_bytes; /* of device memory; of pinned memory of the host */
} pr_cuda_counts;
pr_cuda_counts pr_cuda_emu_counts(void);
size_t pr_cuda_emu_held_graphs(void);

/* For tests of what happens when a device fails. Each counts from now on; 0: never. */
typedef struct pr_cuda_faults {
    uint64_t fail_allocation, fail_launch; /* the so manieth */
    uint64_t limit_bytes;                  /* of device memory */
} pr_cuda_faults;
void pr_cuda_emu_inject(const pr_cuda_faults *faults);
/* Whether to hold who reads and writes what of device memory within a launch against what blocks side by side allow
 * (emu/order.h), which takes a multiple of the memory and of the time; until pr_cuda_emu_reset. */
void pr_cuda_emu_watch(bool watches);
/* Devices that the emulation pretends to have, for tests of the choice among them; n 0: one, as ever. */
void pr_cuda_emu_make_devices(const char *const *bus_ids, const char *const *uuids, size_t n);
/* The one that the device made last by this thread selected, -1 none; n_calls: of functions that would load the driver.
 */
int pr_cuda_emu_selected_device(unsigned *n_calls);
void pr_cuda_emu_reset(void);        /* as a process of its own would find the device */
size_t pr_cuda_emu_held_bytes(void); /* device and pinned memory that is allocated now */

#ifdef __cplusplus
}
#endif
#endif
