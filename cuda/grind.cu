/* Nonces in the protocol's order are numbers i: high word i >> 20, low word the other bits. A launch tries a range of
 * them and keeps the smallest that serves; ranges follow each other until one does. */
#include "cuda/grind.cuh"
#include "cuda/hash.cuh"
#include "cuda/select.cuh"

namespace PR_GPU {

constexpr unsigned low_bits = 20;
#ifdef PR_CUDA_EMULATED
constexpr unsigned log_more = 1; /* of the tries that are to be expected, a launch makes so many times more */
#else
constexpr unsigned log_more = 5; /* nearly always one launch: threads stop at what was found */
#endif

PR_DEVICE uint64_t nonce_of(uint64_t i) { return i >> low_bits << 32 | (i & ((1u << low_bits) - 1)); }

/* All threads go upwards together, so hardly one tries what lies behind the first that serves; they look for it every
 * fourth time, for all ask one place of the memory. */
__global__ void __launch_bounds__(block_threads)
    grind_kernel(const_words prefix, uint64_t first, uint64_t n, uint32_t mask, span<uint64_t> best) {
    uint32_t m[16] = {};
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) m[k] = ld(prefix, k);
    uint32_t n_tried = 0;
    for (uint64_t k = thread_number(); k < n; k += thread_count()) {
        if (n_tried++ % 4 == 0 && first + k >= ld_fresh(best, 0)) break;
        const uint64_t nonce = nonce_of(first + k);
        uint32_t h[8];
        m[8] = (uint32_t)nonce, m[9] = (uint32_t)(nonce >> 32);
        hash_block(h, m, 40);
        if ((h[0] & mask) == 0) atomic_min(best, 0, first + k);
    }
}

/* All at once: where some began later, those before them would look for what lies behind theirs. */
pr_status open_grinding(device *dev, pr_error *err) {
    return find_resident_blocks(&dev->resident_blocks, reinterpret_cast<const void *>(grind_kernel), err);
}

static uint64_t tries_of(uint32_t bits) { return (uint64_t)1 << ((bits < 8 ? 8 : bits) + log_more); }

static pr_status try_range(device *dev, const_words prefix, uint64_t first, uint32_t bits, span<uint64_t> best,
                           pr_error *err) {
    const uint32_t mask = bits == 32 ? UINT32_MAX : (1u << bits) - 1;
    const uint64_t n = tries_of(bits);
    const unsigned blocks = blocks_for(n), most = dev->resident_blocks;
    count_moved(dev, 2 * (size_t)(n >> bits)); /* nonces that serve, about */
    PR_CUDA_TRY(PR_LAUNCH(grind_kernel, blocks < most ? blocks : most, block_threads, 0, dev->stream, prefix, first, n,
                          mask, best),
                "proof of work");
    return PR_OK;
}

pr_status grind_ahead(device *dev, const_words prefix, uint64_t *best, uint64_t *host, uint32_t bits, pr_error *err) {
    PR_TRY(try_range(dev, prefix, 0, bits, view_of(best, 1), err));
    PR_CUDA_TRY(queue_copy(dev->stream, host, best, sizeof *host, cudaMemcpyDeviceToHost), "fetching a nonce");
    dev->grinding.is_running = true;
    dev->grinding.bits = bits;
    dev->grinding.found = host;
    return PR_OK;
}

/* What was found ahead, if it was the same that is asked for; then *first is the next range. */
static pr_status take_ahead(device *dev, uint64_t *found, uint64_t *first, const pr_hash *prefix, uint32_t bits,
                            pr_error *err) {
    grinding *g = &dev->grinding;
    if (!g->is_running) return PR_OK;
    g->is_running = false;
    if (g->bits != bits || std::memcmp(&g->prefix, prefix, sizeof *prefix) != 0) return PR_OK;
    if (!dev->stream.is_idle) PR_TRY(wait_for_work(dev->stream, "proof of work", err));
    *found = *g->found;
    *first = tries_of(bits);
    return PR_OK;
}

static pr_status try_next(device *dev, uint64_t *found, const_words prefix, uint64_t first, uint32_t bits,
                          pr_error *err) {
    const span<uint64_t> best = result_sums(dev, 1);
    count_moved(dev, 2);
    PR_CUDA_TRY(queue_set(dev->stream, best.p, 0xff, sizeof *found), "clearing a result");
    PR_TRY(try_range(dev, prefix, first, bits, best, err));
    PR_TRY(fetch_results(dev, sizeof *found, err));
    std::memcpy(found, dev->results.host, sizeof *found);
    return PR_OK;
}

/* How many ranges there are differs from proof to proof: they are no part of the list. */
static pr_status try_on(device *dev, uint64_t *found, const pr_hash *prefix, uint64_t first, uint32_t bits,
                        pr_error *err) {
    const uint64_t end = (uint64_t)1 << (32 + low_bits);
    table_writer w(dev);
    uint32_t *host;
    PR_TRY(w.begin(table_size<uint32_t>(8), err));
    const const_words table = w.take(&host, 8);
    std::memcpy(host, prefix->bytes, sizeof *prefix);
    PR_TRY(w.send(err));
    PR_TRY(send_work(dev->stream, err));
    const bool was_listing = dev->stream.is_listing;
    pr_status status = PR_OK;
    dev->stream.is_listing = false;
    for (; status == PR_OK && first < end && *found == UINT64_MAX; first += tries_of(bits))
        status = try_next(dev, found, table, first, bits, err);
    dev->stream.is_listing = was_listing;
    return status;
}

pr_status grind(device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err) {
    uint64_t found = UINT64_MAX, first = 0;
    PR_ASSERT(bits <= 32);
    PR_TRY(take_ahead(dev, &found, &first, prefix, bits, err));
    if (found == UINT64_MAX) PR_TRY(try_on(dev, &found, prefix, first, bits, err));
    if (found == UINT64_MAX) return pr_fail(err, PR_ERR_BACKEND, "no nonce of %u bits", bits);
    *nonce = found >> low_bits << 32 | (found & ((1u << low_bits) - 1));
    return PR_OK;
}

} // namespace PR_GPU
