#ifndef PR_CUDA_QUOTIENTS_CUH
#define PR_CUDA_QUOTIENTS_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* protocol.md section 11. */
pr_status quotients(device *dev, const pr_col dst[4], uint32_t log_blowup, const pr_quotient_group *groups, size_t n,
                    pr_error *err);
/* Bytes of its tables. */
size_t quotient_table_bytes(const pr_device_needs *needs);
} // namespace PR_GPU
#endif
