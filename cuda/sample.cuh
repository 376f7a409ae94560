#ifndef PR_CUDA_SAMPLE_CUH
#define PR_CUDA_SAMPLE_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Values of columns at secure points: protocol.md section 10. */
pr_status sample(device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,
                 const pr_secure_point *points, size_t n_points, pr_error *err);
/* At the point that the device draws behind the tree's root (draw.cu), groups one after another; one wait of the host,
 * where the results have room. */
pr_status draw_samples(device *dev, pr_drawn *drawn, const pr_merkle *tree, uint32_t log_blowup,
                       const pr_sampling *groups, size_t n, pr_error *err);
} // namespace PR_GPU
#endif
