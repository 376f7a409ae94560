#ifndef PR_CUDA_DERIVE_CUH
#define PR_CUDA_DERIVE_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
pr_status derive(device *dev, const pr_derive *args, pr_error *err);
}
#endif
