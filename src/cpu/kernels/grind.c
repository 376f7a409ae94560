/* Proof of work, protocol.md section 4: a nonce a lane. */
#include <stdatomic.h>
#include <string.h>

#include "cpu/ops.h"
#include "field/lane.h"
#include "hash/blake2s_lanes.h"

#define LOW_NONCES ((uint64_t)1 << 20) /* nonces of one high word */
#define CHUNK ((uint64_t)512)          /* nonces that a thread tries before it looks whether one was found */
#define AT_ONCE (PR_BLAKE2S_ABREAST * LANE_WIDTH)

/* Nonces in the protocol's order are numbers: high word number / LOW_NONCES, low word the rest. */
typedef struct search {
    lane prefix[8];
    uint32_t mask;                      /* of the bits that must be zero */
    _Atomic uint64_t next, first_found; /* of the chunks, of the nonces so far */
} search;

/* The smallest in [first, first + CHUNK) that leaves the masked bits zero, or UINT64_MAX. */
static uint64_t try_chunk(const search *s, const lane begun[16], uint64_t first) {
    uint32_t words[AT_ONCE];
    lane m[PR_BLAKE2S_ABREAST][16], found[PR_BLAKE2S_ABREAST];
    const uint32_t low = (uint32_t)(first % LOW_NONCES);
    for (uint32_t k = 0; k < AT_ONCE; k++) words[k] = low + k;
    for (uint32_t j = 0; j < PR_BLAKE2S_ABREAST; j++) {
        memcpy(m[j], s->prefix, sizeof s->prefix);
        m[j][8] = lane_load(words + j * LANE_WIDTH);
        m[j][9] = lane_set1((uint32_t)(first / LOW_NONCES));
    }
    for (uint64_t at = first; at < first + CHUNK; at += AT_ONCE) {
        pr_blake2s_lanes_nonce_words(found, begun, (const lane(*)[16])m);
        for (uint32_t j = 0; j < PR_BLAKE2S_ABREAST; j++) {
            lane_store(words + j * LANE_WIDTH, found[j]);
            m[j][8] = lane_add32(m[j][8], lane_set1(AT_ONCE));
        }
        for (uint32_t k = 0; k < AT_ONCE; k++)
            if ((words[k] & s->mask) == 0) return at + k;
    }
    return UINT64_MAX;
}

/* Chunks in turn until one behind the first find: that no smaller one is left, for any number of threads. */
static void try_chunks(search *s) {
    lane begun[16];
    pr_blake2s_lanes_nonce_begin(begun, s->prefix);
    for (;;) {
        const uint64_t first = atomic_fetch_add(&s->next, CHUNK);
        uint64_t found_before = atomic_load(&s->first_found);
        if (first >= found_before) return;
        const uint64_t found = try_chunk(s, begun, first);
        while (found < found_before && !atomic_compare_exchange_weak(&s->first_found, &found_before, found)) {
        }
    }
}

pr_status PR_LANE_NAME(pr_cpu_grind)(pr_device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits,
                                     pr_error *err) {
    const uint64_t n_nonces = LOW_NONCES << 32;
    PR_ASSERT(bits <= 32);
    uint32_t words[8];
    memcpy(words, prefix->bytes, sizeof words);
    search s = {.mask = bits == 32 ? UINT32_MAX : (1u << bits) - 1, .first_found = n_nonces};
    for (int k = 0; k < 8; k++) s.prefix[k] = lane_set1(words[k]);
#pragma omp parallel num_threads(pr_cpu_threads_for(dev, ((size_t)1 << bits) / CHUNK))
    try_chunks(&s);
    if (s.first_found == n_nonces) return pr_fail(err, PR_ERR_BACKEND, "no nonce of %u bits", bits);
    *nonce = s.first_found / LOW_NONCES << 32 | s.first_found % LOW_NONCES;
    return PR_OK;
}
