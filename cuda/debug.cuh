/* A wrong device, on purpose: with PROVERUN_CUDA_FLIP=N in the environment the N-th operation of every device that
 * writes columns leaves one bit of its result wrong. What comes of it has to be found by the verifier. */
#ifndef PR_CUDA_DEBUG_CUH
#define PR_CUDA_DEBUG_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
uint64_t flip_wanted(); /* N; 0: never */
/* Called behind each such operation with a column that it wrote. */
pr_status flip_if_due(device *dev, pr_col col, pr_error *err);
} // namespace PR_GPU
#endif
