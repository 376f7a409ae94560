/* Blake2s on the device, a message a thread: the compression function of hash/blake2s_lanes.h, one word wide. */
#ifndef PR_CUDA_HASH_CUH
#define PR_CUDA_HASH_CUH
#include "cuda/common.cuh"

namespace PR_GPU {

#define LANE_WIDTH 1
typedef uint32_t lane;
PR_HOST_DEVICE lane lane_set1(uint32_t v) { return v; }
PR_HOST_DEVICE lane lane_add32(lane a, lane b) { return a + b; }
PR_HOST_DEVICE lane lane_xor(lane a, lane b) { return a ^ b; }
#define lane_keep_in_memory(x) ((void)(x))
#ifdef __CUDA_ARCH__
#define lane_rotr(x, n) __funnelshift_r(x, x, n)
#else
#define lane_rotr(x, n) ((uint32_t)(((x) >> (n)) | ((x) << (32 - (n)))))
#endif
#include "hash/blake2s_lanes.h"

/* The hash of a message of one block, 16 words of which bytes count. */
PR_DEVICE void hash_block(uint32_t h[8], const uint32_t m[16], uint32_t bytes) {
    pr_blake2s_lanes_init(h);
    pr_blake2s_lanes_compress(h, m, bytes, PR_BLAKE2S_LAST);
}

} // namespace PR_GPU
#endif
