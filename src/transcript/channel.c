#include "transcript/channel.h"
#include <string.h>

static inline void store_le(uint8_t *p, uint32_t v) {
    for (int k = 0; k < 4; k++) p[k] = (uint8_t)(v >> (8 * k));
}

static inline uint32_t load_le(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void hash_words(pr_blake2s *state, const uint32_t *words, size_t n) {
    for (size_t k = 0; k < n; k++) {
        uint8_t bytes[4];
        store_le(bytes, words[k]);
        pr_blake2s_update(state, bytes, sizeof bytes);
    }
}

static void tell(const pr_channel *ch, pr_channel_op op, const uint32_t *data, size_t n) {
    if (ch->listener) ch->listener(ch->listener_context, ch, op, data, n);
}

static void mix_words(pr_channel *ch, const uint32_t *words, size_t n) {
    pr_blake2s state;
    pr_blake2s_init(&state);
    pr_blake2s_update(&state, ch->digest.bytes, sizeof ch->digest.bytes);
    hash_words(&state, words, n);
    ch->digest = pr_blake2s_final(&state);
    ch->n_draws = 0;
}

static void draw_words(pr_channel *ch, uint32_t out[8]) {
    uint8_t in[37] = {0};
    memcpy(in, ch->digest.bytes, 32);
    store_le(in + 32, ch->n_draws++);
    pr_hash h = pr_blake2s_hash(in, sizeof in);
    for (int k = 0; k < 8; k++) out[k] = load_le(h.bytes + 4 * k);
}

/* Two elements; a draw with a word >= 2p is thrown away, so that p does not favour small values. */
static void draw_two(pr_channel *ch, pr_qm31 out[2]) {
    uint32_t words[8];
    bool good;
    do {
        draw_words(ch, words);
        good = true;
        for (int k = 0; k < 8; k++) good = good && words[k] < 2 * PR_P;
    } while (!good);
    for (int k = 0; k < 8; k++) out[k / 4].c[k % 4] = pr_m31_reduce_once(words[k]);
}

void pr_channel_init(pr_channel *ch) { *ch = (pr_channel){0}; }

void pr_channel_mix_u32s(pr_channel *ch, const uint32_t *words, size_t n) {
    mix_words(ch, words, n);
    tell(ch, PR_CHANNEL_MIX_U32S, words, n);
}

void pr_channel_mix_u64(pr_channel *ch, uint64_t v) {
    uint32_t words[2] = {(uint32_t)v, (uint32_t)(v >> 32)};
    mix_words(ch, words, 2);
    tell(ch, PR_CHANNEL_MIX_U64, words, 1);
}

void pr_channel_mix_felts(pr_channel *ch, const pr_qm31 *felts, size_t n) {
    const uint32_t *words = n ? felts->c : NULL;
    mix_words(ch, words, 4 * n);
    tell(ch, PR_CHANNEL_MIX_FELTS, words, n);
}

void pr_channel_mix_root(pr_channel *ch, const pr_hash *root) {
    uint32_t words[8];
    for (int k = 0; k < 8; k++) words[k] = load_le(root->bytes + 4 * k);
    mix_words(ch, words, 8);
    tell(ch, PR_CHANNEL_MIX_ROOT, words, 1);
}

void pr_channel_draw_u32s(pr_channel *ch, uint32_t out[8]) {
    draw_words(ch, out);
    tell(ch, PR_CHANNEL_DRAW_U32S, out, 8);
}

pr_qm31 pr_channel_draw_secure_felt(pr_channel *ch) {
    pr_qm31 two[2];
    draw_two(ch, two);
    tell(ch, PR_CHANNEL_DRAW_SECURE_FELT, two[0].c, 1);
    return two[0];
}

void pr_channel_draw_secure_felts(pr_channel *ch, pr_qm31 *out, size_t n) {
    for (size_t k = 0; k < n; k += 2) {
        pr_qm31 two[2];
        draw_two(ch, two);
        out[k] = two[0];
        if (k + 1 < n) out[k + 1] = two[1];
    }
    tell(ch, PR_CHANNEL_DRAW_SECURE_FELTS, n ? out->c : NULL, n);
}

pr_hash pr_channel_pow_prefix(const pr_channel *ch, uint32_t bits) {
    uint8_t in[52] = {0};
    store_le(in, 0x12345678);
    memcpy(in + 16, ch->digest.bytes, 32);
    store_le(in + 48, bits);
    return pr_blake2s_hash(in, sizeof in);
}

bool pr_pow_check(const pr_hash *prefix, uint32_t bits, uint64_t nonce) {
    uint8_t in[40];
    memcpy(in, prefix->bytes, 32);
    store_le(in + 32, (uint32_t)nonce);
    store_le(in + 36, (uint32_t)(nonce >> 32));
    pr_hash h = pr_blake2s_hash(in, sizeof in);
    uint64_t low = load_le(h.bytes) | (uint64_t)load_le(h.bytes + 4) << 32;
    if (bits > 32) return false; /* protocol.md section 4 allows no more */
    return (low & (((uint64_t)1 << bits) - 1)) == 0;
}

/* Insertion keeps the positions sorted; there are tens of them, seldom hundreds. */
static size_t insert_distinct(uint32_t *sorted, size_t count, uint32_t v) {
    size_t at = count;
    while (at > 0 && sorted[at - 1] > v) at--;
    if (at > 0 && sorted[at - 1] == v) return count;
    memmove(sorted + at + 1, sorted + at, (count - at) * sizeof *sorted);
    sorted[at] = v;
    return count + 1;
}

size_t pr_channel_draw_queries(pr_channel *ch, uint32_t *out, size_t n_queries, unsigned log_size) {
    uint32_t mask = log_size >= 32 ? ~0u : (1u << log_size) - 1;
    size_t count = 0;
    for (size_t drawn = 0; drawn < n_queries;) {
        uint32_t words[8];
        pr_channel_draw_u32s(ch, words);
        for (int k = 0; k < 8 && drawn < n_queries; k++, drawn++) count = insert_distinct(out, count, words[k] & mask);
    }
    return count;
}
