#ifndef PR_CUDA_TWIDDLES_CUH
#define PR_CUDA_TWIDDLES_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Fills both tables of domain.cuh for all domains up to the device's largest. */
pr_status twiddles_fill(device *dev, uint32_t *line, uint32_t *inverse, pr_error *err);
} // namespace PR_GPU
#endif
