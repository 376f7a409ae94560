/* The commit phase of FRI with the channel in device memory: protocol.md sections 4, 5 and 12. */
#ifndef PR_CUDA_FRI_CUH
#define PR_CUDA_FRI_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
size_t fri_mirror_bytes(const pr_device_needs *needs); /* of the channel and what goes back, device and host */
pr_status fri(device *dev, pr_fri_result *result, const pr_fri *args, pr_error *err);
} // namespace PR_GPU
#endif
