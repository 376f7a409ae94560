#ifndef PR_CUDA_COMPOSE_CUH
#define PR_CUDA_COMPOSE_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* A component's share of the composition polynomial: protocol.md section 8. */
pr_status compose(device *dev, const pr_compose *args, pr_error *err);
} // namespace PR_GPU
#endif
