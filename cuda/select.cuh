/* Which device a process proves on. Placement leaves it one, CUDA_VISIBLE_DEVICES, and its bus id, PROVERUN_GPU, by
 * which it is looked up: whatever number CUDA gives it, it is the one that was meant, or an error. A slice (MIG) has no
 * bus id of its own; it is the one device that is visible. */
#ifndef PR_CUDA_SELECT_CUH
#define PR_CUDA_SELECT_CUH
#include "cuda/common.cuh"

namespace PR_GPU {
/* Why there is no driver or no device, as far as is seen without a call of either: the supervisor of a rank asks,
 * before it starts its child, and must have no context of CUDA. nullptr: there may be one. */
const char *why_no_device();
/* Makes the device the calling thread's. The first call of the runtime, which loads the driver. */
pr_status select_device(pr_error *err);
/* Blocks of block_threads of a kernel that it runs at a time. */
pr_status find_resident_blocks(unsigned *out, const void *kernel, pr_error *err);
} // namespace PR_GPU
#endif
