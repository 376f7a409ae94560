#ifndef PR_CUDA_SAMPLE_CUH
#define PR_CUDA_SAMPLE_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Values of columns at secure points: protocol.md section 10. */
pr_status sample(device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,
                 const pr_secure_point *points, size_t n_points, pr_error *err);
} // namespace PR_GPU
#endif
