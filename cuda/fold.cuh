#ifndef PR_CUDA_FOLD_CUH
#define PR_CUDA_FOLD_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* One pair's fold: protocol.md section 12; t the inverse of y or x. */
PR_DEVICE pr_qm31 fold_pair(const pr_qm31 &a, const pr_qm31 &b, pr_m31 t, const pr_qm31 &alpha) {
    return pr_qm31_add(pr_qm31_add(a, b), pr_qm31_mul(alpha, pr_qm31_mul_m31(pr_qm31_sub(a, b), t)));
}

/* Folds of FRI, protocol.md section 12, from the circle or from a line; and dst += lift(src), section 8. */
pr_status fold_circle(device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err);
pr_status fold_line(device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err);
pr_status lift_add(device *dev, const pr_col dst[4], const pr_col src[4], pr_error *err);
} // namespace PR_GPU
#endif
