#ifndef PR_CUDA_COMPOSE_CUH
#define PR_CUDA_COMPOSE_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Components' shares of the composition polynomial: protocol.md section 8. Those that stand together and add up in the
 * same columns are one launch. */
pr_status compose(device *dev, const pr_compose *list, size_t n, pr_error *err);
} // namespace PR_GPU
#endif
