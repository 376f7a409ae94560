#ifndef PR_CUDA_LOGUP_CUH
#define PR_CUDA_LOGUP_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Interaction columns of components: protocol.md section 9. Those of one size that stand together share their launches;
 * the host waits once. */
pr_status logup(device *dev, const pr_logup *list, size_t n, pr_error *err);
} // namespace PR_GPU
#endif
