/* The channel of protocol.md section 4 as one thread of a kernel drives it; its digest is 8 words that the caller
 * keeps. Every draw here is the first behind a mix, so no counter of draws is kept. */
#ifndef PR_CUDA_CHANNEL_CUH
#define PR_CUDA_CHANNEL_CUH
#include "cuda/hash.cuh"

namespace PR_GPU {

PR_DEVICE void channel_mix_root(uint32_t digest[8], const uint32_t root[8]) {
    uint32_t m[16];
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) m[k] = digest[k], m[8 + k] = root[k];
    hash_block(digest, m, 64);
}

PR_DEVICE pr_qm31 channel_draw_felt(const uint32_t digest[8]) {
    uint32_t h[8];
    for (uint32_t n_draws = 0;; n_draws++) {
        uint32_t m[16] = {};
        bool good = true;
#pragma unroll
        for (uint32_t k = 0; k < 8; k++) m[k] = digest[k];
        m[8] = n_draws;
        hash_block(h, m, 37); /* the last byte is 0 */
#pragma unroll
        for (uint32_t k = 0; k < 8; k++) good &= h[k] < 2 * PR_P;
        if (good) break;
    }
    return pr_qm31{
        {pr_m31_reduce_once(h[0]), pr_m31_reduce_once(h[1]), pr_m31_reduce_once(h[2]), pr_m31_reduce_once(h[3])}};
}

/* Elements as n words. */
PR_DEVICE void channel_mix_words(uint32_t digest[8], const const_words &list, uint32_t n) {
    uint32_t h[8];
    pr_blake2s_lanes_init(h);
    for (uint32_t first = 0; first < 8 + n; first += 16) {
        const uint32_t left = 8 + n - first;
        uint32_t m[16];
#pragma unroll
        for (uint32_t k = 0; k < 16; k++) {
            const uint32_t at = first + k;
            m[k] = k >= left ? 0 : at < 8 ? digest[k & 7] : ld(list, at - 8);
        }
        pr_blake2s_lanes_compress(h, m, 4 * (uint64_t)(left <= 16 ? 8 + n : first + 16),
                                  left <= 16 ? PR_BLAKE2S_LAST : PR_BLAKE2S_MORE);
    }
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) digest[k] = h[k];
}

PR_DEVICE void channel_pow_prefix(uint32_t prefix[8], const uint32_t digest[8], uint32_t bits) {
    uint32_t m[16] = {0x12345678};
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) m[4 + k] = digest[k];
    m[12] = bits;
    hash_block(prefix, m, 52);
}

} // namespace PR_GPU
#endif
