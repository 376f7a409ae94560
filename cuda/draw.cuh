/* Challenges that the device draws from a channel of its own: the composition coefficient, whose powers constraints are
 * multiplied by, and the out-of-domain point that columns are sampled at. protocol.md sections 4, 8 and 10. */
#ifndef PR_CUDA_DRAW_CUH
#define PR_CUDA_DRAW_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
size_t drawn_bytes(const pr_device_needs *needs); /* of what was drawn, device and host */
/* The root of a tree that was hashed goes into a channel with this digest; n powers of what is drawn then, the last 1.
 */
pr_status draw_powers(device *dev, const pr_hash *digest, const pr_merkle *tree, size_t n, pr_error *err);
span<const pr_qm31> drawn_powers(const device *dev, size_t first, size_t n);

/* The root of the next tree, the point, and, moved as each group wants it, what its columns are weighed with
 * (sample.cu). */
pr_status draw_point(device *dev, const pr_merkle *tree, const pr_sampling *groups, size_t n, uint32_t log_blowup,
                     pr_error *err);
span<const pr_qm31> drawn_factors(const device *dev, size_t group);
constexpr size_t factors_each = 32;
/* To be read once the host has waited. */
pr_status fetch_drawn(device *dev, pr_error *err);
void read_drawn(const device *dev, pr_drawn *out);
} // namespace PR_GPU
#endif
