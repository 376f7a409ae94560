/* Proof of work, protocol.md section 4: a nonce a lane. */
#include <string.h>

#include "cpu/ops.h"
#include "field/lane.h"
#include "hash/blake2s_lanes.h"

#define LOW_NONCES ((uint64_t)1 << 20) /* nonces of one high word */
#define CHUNK ((uint64_t)512)          /* nonces that a thread tries before it looks whether one was found */
#define NONE UINT64_MAX

#define AT_ONCE (PR_BLAKE2S_ABREAST * LANE_WIDTH)

/* First word of the hash behind each of AT_ONCE nonces. */
static void first_words(uint32_t out[AT_ONCE], const uint32_t prefix[8], uint32_t high, uint32_t first_low,
                        lane counted) {
    lane h[PR_BLAKE2S_ABREAST][8], m[PR_BLAKE2S_ABREAST][16];
    for (uint32_t j = 0; j < PR_BLAKE2S_ABREAST; j++) {
        for (int k = 0; k < 8; k++) m[j][k] = lane_set1(prefix[k]);
        m[j][8] = lane_add32(counted, lane_set1(first_low + j * LANE_WIDTH));
        m[j][9] = lane_set1(high);
        for (int k = 10; k < 16; k++) m[j][k] = lane_set1(0);
        pr_blake2s_lanes_init(h[j]);
    }
    pr_blake2s_lanes_compress_abreast(h, m, 40, PR_BLAKE2S_LAST);
    for (uint32_t j = 0; j < PR_BLAKE2S_ABREAST; j++) lane_store(out + j * LANE_WIDTH, h[j][0]);
}

/* The smallest low word in [first, first + CHUNK) that leaves the masked bits zero, or NONE. */
static uint64_t try_chunk(const uint32_t prefix[8], uint32_t high, uint64_t first, uint32_t mask) {
    uint32_t words[AT_ONCE];
    for (uint32_t k = 0; k < LANE_WIDTH; k++) words[k] = k;
    const lane counted = lane_load(words);
    for (uint64_t low = first; low < first + CHUNK; low += AT_ONCE) {
        first_words(words, prefix, high, (uint32_t)low, counted);
        for (uint32_t k = 0; k < AT_ONCE; k++)
            if ((words[k] & mask) == 0) return low + k;
    }
    return NONE;
}

/* Every thread takes a chunk of the next few, and the smallest find among these wins: the same for any number. */
static uint64_t try_high(pr_device *dev, const uint32_t prefix[8], uint32_t high, uint32_t mask) {
    const uint64_t n = dev->n_threads;
    for (uint64_t first = 0; first < LOW_NONCES; first += n * CHUNK) {
        uint64_t found = NONE;
#pragma omp parallel for num_threads((int)n) schedule(static, 1) reduction(min : found) if (n > 1)
        for (uint64_t t = 0; t < n; t++) {
            uint64_t from = first + t * CHUNK;
            uint64_t low = from < LOW_NONCES ? try_chunk(prefix, high, from, mask) : NONE;
            if (low < found) found = low;
        }
        if (found != NONE) return found;
    }
    return NONE;
}

pr_status PR_LANE_NAME(pr_cpu_grind)(pr_device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits,
                                     pr_error *err) {
    PR_ASSERT(bits <= 32);
    uint32_t words[8];
    memcpy(words, prefix->bytes, sizeof words);
    const uint32_t mask = bits == 32 ? UINT32_MAX : (1u << bits) - 1;
    for (uint64_t high = 0; high <= UINT32_MAX; high++) {
        uint64_t low = try_high(dev, words, (uint32_t)high, mask);
        if (low != NONE) {
            *nonce = high << 32 | low;
            return PR_OK;
        }
    }
    return pr_fail(err, PR_ERR_BACKEND, "no nonce of %u bits", bits);
}
