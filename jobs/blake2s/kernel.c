/* Rows of blake2s, sixteen blocks side by side. */
#include "field/lane.h"
#include "gadgets/words_rows.h"

#include "blake2s/describe.h"
#include "blake2s/kernel.h"

static void load(given *out, const uint32_t *words, unsigned n, unsigned stride, unsigned n_lanes) {
    for (unsigned k = 0; k < n; k++)
        for (unsigned i = 0; i < PR_DIGEST_LANES; i++) out[k][i] = i < n_lanes ? words[(size_t)i * stride + k] : 0;
}

static void state_before(given state[16], const given *chain, const pr_digest_walk *walk, uint32_t first,
                         unsigned n_lanes) {
    for (unsigned k = 0; k < 8; k++) state[k] = chain[k], state[k + 8] = chain[0] * 0 + pr_blake2s_iv[k];
    for (unsigned i = 0; i < n_lanes; i++) {
        state[12][i] = pr_blake2s_word_12(walk->length, walk->n_blocks, first + i);
        state[14][i] = pr_blake2s_word_14(walk->n_blocks, first + i);
    }
}

static scribe begin(pr_digest_sink *sink, bool wanted, unsigned n_lanes) {
    return (scribe){.strip = wanted ? sink->strip : NULL, .counts = wanted ? sink->counts : NULL, .n_lanes = n_lanes};
}

/* Round by round; puts the states behind each. */
static void rounds(pr_digest_sink *sink, given (*states)[16], const given *before, const given *message,
                   const pr_digest_walk *walk, uint32_t first, unsigned n_lanes) {
    for (unsigned round = 0; round < PR_BLAKE2S_ROUNDS; round++) {
        uint64_t row = (uint64_t)round * walk->n_blocks + first;
        bool wanted = pr_digest_sink_wants(sink, PR_BLAKE2S_PART_ROUND, row);
        scribe s = begin(sink, wanted, n_lanes);
        blake2s_round_io io;
        given ordered[16], one = before[0] * 0 + 1;
        for (unsigned k = 0; k < 16; k++) ordered[k] = message[pr_blake2s_order[round][k]];
        blake2s_round(&s, &io, one, round ? states[round - 1] : before, ordered);
        for (unsigned k = 0; k < 16; k++) states[round][k] = io.out[k].lo | io.out[k].hi << 16;
        if (wanted) pr_digest_sink_take(sink, PR_BLAKE2S_PART_ROUND, row, n_lanes);
    }
}

/* Where the file ends within a half, that half is looked up once more as a byte. */
static void count_end(pr_digest_sink *sink, const pr_digest_walk *walk) {
    unsigned used = (unsigned)(walk->length % PR_DIGEST_BLOCK);
    if (!sink->counts || used % 2 == 0) return;
    uint32_t word = walk->messages[walk->n_blocks - 1][used / 4];
    sink->counts[PR_BYTE_XOR][word >> (used / 2 % 2 ? 16 : 0) & 0xffff]++;
}

void PR_LANE_NAME(pr_blake2s_rows)(pr_digest_sink *sink, const pr_digest_walk *walk, uint32_t first, unsigned n_lanes) {
    given chain[8], message[16], before[16], states[PR_BLAKE2S_ROUNDS][16];
    load(chain, walk->chain[first], 8, 8, n_lanes);
    load(message, walk->messages[first], 16, 16, n_lanes);
    state_before(before, chain, walk, first, n_lanes);
    rounds(sink, states, before, message, walk, first, n_lanes);
    if (!pr_digest_sink_wants(sink, PR_BLAKE2S_PART_COMPRESSION, first)) return;
    scribe s = begin(sink, true, n_lanes);
    blake2s_compression_io io;
    word_bytes starts[8];
    for (unsigned k = 0; k < 8; k++) starts[k] = bytes_of_given(&s, chain[k]);
    blake2s_compression(&s, &io, starts, message, states);
    pr_digest_sink_take(sink, PR_BLAKE2S_PART_COMPRESSION, first, n_lanes);
    if (first + n_lanes == walk->n_blocks) count_end(sink, walk);
}

void PR_LANE_NAME(pr_blake2s_zero_row)(pr_digest_sink *sink, uint32_t part) {
    static const given zeros[PR_BLAKE2S_ROUNDS][16];
    scribe s = begin(sink, true, 1);
    s.strip = NULL;
    if (part == PR_BLAKE2S_PART_ROUND) {
        blake2s_round_io io;
        blake2s_round(&s, &io, zeros[0][0], zeros[0], zeros[0]);
    } else {
        blake2s_compression_io io;
        word_bytes chain[8];
        for (unsigned k = 0; k < 8; k++) chain[k] = bytes_of_given(&s, zeros[0][0]);
        blake2s_compression(&s, &io, chain, zeros[0], zeros);
    }
}
