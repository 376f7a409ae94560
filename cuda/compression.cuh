/* Poseidon2 compressions, one a row of a trace: poseidon2/poseidon2.h. */
#ifndef PR_CUDA_COMPRESSION_CUH
#define PR_CUDA_COMPRESSION_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* cols: [PR_POSEIDON2_ROW_COLUMNS] of one size, near. Reads the inputs, writes all others. */
pr_status fill_compressions(device *dev, const pr_col *cols, pr_error *err);
} // namespace PR_GPU
#endif
