#ifndef PR_CUDA_FOLD_CUH
#define PR_CUDA_FOLD_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Folds of FRI, protocol.md section 12, from the circle or from a line; and dst += lift(src), section 8. */
pr_status fold_circle(device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err);
pr_status fold_line(device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err);
pr_status lift_add(device *dev, const pr_col dst[4], const pr_col src[4], pr_error *err);
} // namespace PR_GPU
#endif
