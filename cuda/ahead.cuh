/* Columns of the next proof: pinned memory that a thread of the host's fills, and their copy in a stream of its own,
 * while kernels of this proof run. */
#ifndef PR_CUDA_AHEAD_CUH
#define PR_CUDA_AHEAD_CUH
#include "cuda/device.cuh"

namespace PR_GPU {

pr_status open_ahead(device *dev, const pr_device_needs *needs, pr_error *err);
void close_ahead(device *dev); /* before dev->stream is destroyed */
/* As the contract says. */
pr_status map_ahead(device *dev, pr_m31 **host, const pr_col *cols, size_t n, pr_error *err);
pr_status copy_ahead(device *dev, const pr_col *cols, pr_m31 *const *host, size_t n, pr_error *err);
pr_status join_ahead(device *dev, pr_error *err);
pr_status copy_columns(device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err);

} // namespace PR_GPU
#endif
