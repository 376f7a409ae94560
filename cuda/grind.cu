/* Nonces in the protocol's order are numbers i: high word i >> 20, low word the other bits. A launch tries a range of
 * them and keeps the smallest that serves; ranges follow each other until one does. */
#include "cuda/grind.cuh"
#include "cuda/hash.cuh"

namespace PR_GPU {

constexpr unsigned low_bits = 20;
struct grind_prefix {
    uint32_t words[8];
};

PR_DEVICE uint64_t nonce_of(uint64_t i) { return i >> low_bits << 32 | (i & ((1u << low_bits) - 1)); }

__global__ void __launch_bounds__(block_threads)
    grind_kernel(grind_prefix prefix, uint64_t first, uint64_t n, uint32_t mask, span<uint64_t> best) {
    for (uint64_t k = thread_number(); k < n; k += thread_count()) {
        const uint64_t nonce = nonce_of(first + k);
        const uint32_t m[16] = {prefix.words[0], prefix.words[1],        prefix.words[2], prefix.words[3],
                                prefix.words[4], prefix.words[5],        prefix.words[6], prefix.words[7],
                                (uint32_t)nonce, (uint32_t)(nonce >> 32)};
        uint32_t h[8];
        hash_block(h, m, 40);
        if ((h[0] & mask) == 0) atomic_min(best, 0, first + k);
    }
}

pr_status grind(device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err) {
    grind_prefix p;
    const uint32_t mask = bits == 32 ? UINT32_MAX : (1u << bits) - 1;
    const uint64_t n = (uint64_t)1 << (bits < 8 ? 9 : bits > 22 ? 23 : bits + 1), end = (uint64_t)1 << (32 + low_bits);
    const span<uint64_t> best = result_sums(dev, 1);
    PR_ASSERT(bits <= 32);
    std::memcpy(p.words, prefix->bytes, sizeof p.words);
    for (uint64_t first = 0; first < end; first += n) {
        uint64_t found;
        PR_CUDA_TRY(cudaMemsetAsync(best.p, 0xff, sizeof found, dev->stream), "clearing a result");
        PR_CUDA_TRY(PR_LAUNCH(grind_kernel, blocks_for(n), block_threads, 0, dev->stream, p, first, n, mask, best),
                    "proof of work");
        PR_TRY(fetch_results(dev, sizeof found, err));
        std::memcpy(&found, dev->results.host, sizeof found);
        if (found == UINT64_MAX) continue;
        *nonce = found >> low_bits << 32 | (found & ((1u << low_bits) - 1));
        return PR_OK;
    }
    return pr_fail(err, PR_ERR_BACKEND, "no nonce of %u bits", bits);
}

} // namespace PR_GPU
