#ifndef PR_CUDA_GRIND_CUH
#define PR_CUDA_GRIND_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Proof of work: protocol.md section 4. */
pr_status grind(device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err);
} // namespace PR_GPU
#endif
