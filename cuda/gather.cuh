#ifndef PR_CUDA_GATHER_CUH
#define PR_CUDA_GATHER_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Values of columns at some rows, for openings, there when results are fetched; and columns from row order to storage
 * order. */
pr_status gather(device *dev, result_list *results, pr_m31 *out, const pr_col *cols, size_t n,
                 const uint32_t *positions, size_t n_positions, uint32_t log_lifted, pr_error *err);
/* The values of all near openings by one launch, if the tables and the results have room for it. */
pr_status gather_near(device *dev, result_list *results, bool *is_done, const pr_opening *list, size_t n,
                      pr_error *err);
pr_status rows_to_storage(device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err);
} // namespace PR_GPU
#endif
