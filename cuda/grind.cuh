#ifndef PR_CUDA_GRIND_CUH
#define PR_CUDA_GRIND_CUH
#include "cuda/device.cuh"

namespace PR_GPU {
/* Proof of work: protocol.md section 4. Once a device, before the others. */
pr_status open_grinding(device *dev, pr_error *err);
pr_status grind(device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err);
/* Begins it without a word from the host, on a prefix in device memory; best, there too, holds UINT64_MAX, and arrives
 * at host. A grind() of as many bits takes it up, if dev->grinding.prefix, which
 * the caller sets when it knows it, is the same. */
pr_status grind_ahead(device *dev, const_words prefix, uint64_t *best, uint64_t *host, uint32_t bits, pr_error *err);
} // namespace PR_GPU
#endif
