#include "hash/blake2s.h"
#include <string.h>

static const uint32_t iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static inline uint32_t load_le(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void store_le(uint8_t *p, uint32_t v) {
    for (int k = 0; k < 4; k++) p[k] = (uint8_t)(v >> (8 * k));
}

static inline uint32_t rotr(uint32_t v, int n) { return v >> n | v << (32 - n); }

#define MIX(a, b, c, d, x, y)                                                                                          \
    do {                                                                                                               \
        a += b + (x), d = rotr(d ^ a, 16);                                                                             \
        c += d, b = rotr(b ^ c, 12);                                                                                   \
        a += b + (y), d = rotr(d ^ a, 8);                                                                              \
        c += d, b = rotr(b ^ c, 7);                                                                                    \
    } while (0)

/* One round with the message words in the order of the ten permutations of RFC 7693, section 2.7. Literal indices, so
 * that the sixteen words of state stay in registers. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                                    \
    do {                                                                                                               \
        MIX(v[0], v[4], v[8], v[12], m[s0], m[s1]);                                                                    \
        MIX(v[1], v[5], v[9], v[13], m[s2], m[s3]);                                                                    \
        MIX(v[2], v[6], v[10], v[14], m[s4], m[s5]);                                                                   \
        MIX(v[3], v[7], v[11], v[15], m[s6], m[s7]);                                                                   \
        MIX(v[0], v[5], v[10], v[15], m[s8], m[s9]);                                                                   \
        MIX(v[1], v[6], v[11], v[12], m[s10], m[s11]);                                                                 \
        MIX(v[2], v[7], v[8], v[13], m[s12], m[s13]);                                                                  \
        MIX(v[3], v[4], v[9], v[14], m[s14], m[s15]);                                                                  \
    } while (0)

static void compress(uint32_t h[8], const uint8_t block[64], uint64_t total, uint32_t last) {
    uint32_t v[16], m[16];
    for (int k = 0; k < 16; k++) m[k] = load_le(block + 4 * k);
    for (int k = 0; k < 8; k++) v[k] = h[k], v[k + 8] = iv[k];
    v[12] ^= (uint32_t)total;
    v[13] ^= (uint32_t)(total >> 32);
    v[14] ^= last;
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    for (int k = 0; k < 8; k++) h[k] ^= v[k] ^ v[k + 8];
}

void pr_blake2s_init(pr_blake2s *state) {
    *state = (pr_blake2s){0};
    memcpy(state->h, iv, sizeof iv);
    state->h[0] ^= 0x01010020; /* 32 bytes out, no key, fanout and depth 1 */
}

void pr_blake2s_update(pr_blake2s *state, const void *data, size_t n) {
    const uint8_t *in = data;
    while (n) {
        /* A full block waits until more comes: the last one is compressed differently. */
        if (state->fill == 64) {
            state->total += 64;
            compress(state->h, state->block, state->total, 0);
            state->fill = 0;
        }
        size_t take = 64 - state->fill < n ? 64 - state->fill : n;
        memcpy(state->block + state->fill, in, take);
        state->fill += take;
        in += take;
        n -= take;
    }
}

pr_hash pr_blake2s_final(pr_blake2s *state) {
    memset(state->block + state->fill, 0, 64 - state->fill);
    state->total += state->fill;
    compress(state->h, state->block, state->total, ~0u);
    pr_hash out;
    for (int k = 0; k < 8; k++) store_le(out.bytes + 4 * k, state->h[k]);
    return out;
}

pr_hash pr_blake2s_hash(const void *data, size_t n) {
    pr_blake2s state;
    pr_blake2s_init(&state);
    pr_blake2s_update(&state, data, n);
    return pr_blake2s_final(&state);
}

pr_hash pr_blake2s_pair(const pr_hash *left, const pr_hash *right) {
    uint8_t both[64];
    memcpy(both, left->bytes, 32);
    memcpy(both + 32, right->bytes, 32);
    return pr_blake2s_hash(both, sizeof both);
}

void pr_blake2s_init_domain(pr_blake2s *state, const char *domain) {
    uint8_t length[8];
    size_t n = strlen(domain);
    for (int k = 0; k < 8; k++) length[k] = (uint8_t)((uint64_t)n >> (8 * k));
    pr_blake2s_init(state);
    pr_blake2s_update(state, length, sizeof length);
    pr_blake2s_update(state, domain, n);
}
