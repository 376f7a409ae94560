/* A bad device, on purpose. With PROVERUN_CUDA_FLIP=N in the environment the N-th operation of every device that writes
 * columns leaves one bit of its result wrong: what comes of it has to be found by the verifier. With
 * PROVERUN_CUDA_LOSE=N it is an error, as of a device that has fallen off its bus. */
#ifndef PR_CUDA_DEBUG_CUH
#define PR_CUDA_DEBUG_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
void open_debug(device *dev);
/* Called behind each such operation with a column that it wrote. */
pr_status harm_if_due(device *dev, pr_col col, pr_error *err);
} // namespace PR_GPU
#endif
