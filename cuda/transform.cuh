/* Interpolation, evaluation and extension of batches of columns: protocol.md section 3. */
#ifndef PR_CUDA_TRANSFORM_CUH
#define PR_CUDA_TRANSFORM_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
enum transform_steps { INVERSE = 1, FORWARD = 2 };
/* INVERSE: values on the first 2^src.log_rows rows of the domain log_parts larger, to coefficients in dst. FORWARD:
 * coefficients to values on the canonic domain of dst. Both: an extension. dst may begin where src does. */
pr_status transform(device *dev, unsigned steps, const pr_col *dst, const pr_col *src, size_t n, unsigned log_parts,
                    pr_error *err);
} // namespace PR_GPU
#endif
