/* Prefix sums in row order of columns in storage order: the running total that ends a component's interaction columns.
 */
#ifndef PR_CUDA_SCAN_CUH
#define PR_CUDA_SCAN_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
constexpr unsigned scan_part_bits = 14; /* of the words that scan_starts has for each coordinate */
size_t scan_words();
/* In place, in each coordinate: the inclusive prefix sum of (value - total / rows); totals: [4], not reduced. */
pr_status prefix_rows(device *dev, const pr_col cols[4], span<uint64_t> totals, pr_error *err);
} // namespace PR_GPU
#endif
