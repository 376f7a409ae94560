/* Prefix sums in row order of columns in storage order: the running total that ends a component's interaction columns.
 */
#ifndef PR_CUDA_SCAN_CUH
#define PR_CUDA_SCAN_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
constexpr unsigned scan_part_bits = 14; /* of the words that scan_starts has for each coordinate */
size_t scan_words();
/* How many there is working memory for at a time. */
size_t prefix_capacity(const device *dev, uint32_t log_rows);
/* In place: the inclusive prefix sums of (value - total / rows). columns: [n][4] coordinates of one size, a table;
 * totals: [n][4], not reduced. */
pr_status prefix_rows(device *dev, span<const words> columns, size_t n, uint32_t log_rows, span<uint64_t> totals,
                      pr_error *err);
} // namespace PR_GPU
#endif
