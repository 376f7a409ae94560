/* Merkle trees: protocol.md section 5. */
#ifndef PR_CUDA_MERKLE_CUH
#define PR_CUDA_MERKLE_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
pr_status merkle_commit(device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols, size_t n, pr_error *err);
/* The hashes are there when results are fetched. */
pr_status merkle_open(device *dev, result_list *results, pr_hash *out, size_t *n_out, size_t capacity,
                      const pr_merkle *tree, const pr_col *cols, size_t n, const uint32_t *positions,
                      size_t n_positions, pr_error *err);
/* The hashes of all near openings by one launch, if the tables and the results have room for it. */
pr_status open_near(device *dev, result_list *results, bool *is_done, pr_opening *list, size_t n, pr_error *err);
} // namespace PR_GPU
#endif
