#ifndef PR_CUDA_LOGUP_CUH
#define PR_CUDA_LOGUP_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Interaction columns of a component: protocol.md section 9. */
pr_status logup(device *dev, pr_qm31 *claimed_sum, const pr_logup *args, pr_error *err);
} // namespace PR_GPU
#endif
