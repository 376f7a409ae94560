/* Rows of sha256, sixteen blocks side by side. */
#include "field/lane.h"
#include "gadgets/words_rows.h"

#include "sha256/describe.h"
#include "sha256/kernel.h"

static void load(given *out, const uint32_t *words, unsigned n, unsigned n_lanes) {
    for (unsigned k = 0; k < n; k++)
        for (unsigned i = 0; i < PR_DIGEST_LANES; i++) out[k][i] = i < n_lanes ? words[(size_t)i * n + k] : 0;
}

static scribe begin(pr_digest_sink *sink, bool wanted, unsigned n_lanes) {
    return (scribe){.strip = wanted ? sink->strip : NULL, .counts = wanted ? sink->counts : NULL, .n_lanes = n_lanes};
}

/* words: 16 of the message; puts the other 48. */
static void schedule(pr_digest_sink *sink, given words[64], uint32_t n_blocks, uint32_t first, unsigned n_lanes) {
    for (unsigned k = 0; k < PR_SHA256_SCHEDULE_ROWS; k++) {
        uint64_t row = (uint64_t)k * n_blocks + first;
        bool wanted = pr_digest_sink_wants(sink, PR_SHA256_PART_SCHEDULE, row);
        scribe s = begin(sink, wanted, n_lanes);
        sha256_schedule_io io;
        given *in = words + PR_SHA256_STEP * k;
        sha256_schedule(&s, &io, (in[0] & 0) + 1, in);
        for (unsigned i = 16; i < 16 + PR_SHA256_STEP; i++) in[i] = io.words[i].lo | io.words[i].hi << 16;
        if (wanted) pr_digest_sink_take(sink, PR_SHA256_PART_SCHEDULE, row, n_lanes);
    }
}

/* Puts the states behind each eight rounds. */
static void rounds(pr_digest_sink *sink, given (*states)[8], const given *chain, const given *words, uint32_t n_blocks,
                   uint32_t first, unsigned n_lanes) {
    for (unsigned k = 0; k < PR_SHA256_ROUND_ROWS; k++) {
        uint64_t row = (uint64_t)k * n_blocks + first;
        bool wanted = pr_digest_sink_wants(sink, PR_SHA256_PART_ROUNDS, row);
        scribe s = begin(sink, wanted, n_lanes);
        sha256_rounds_io io;
        given lo[PR_SHA256_STEP], hi[PR_SHA256_STEP];
        for (unsigned i = 0; i < PR_SHA256_STEP; i++) {
            uint32_t constant = pr_sha256_k[PR_SHA256_STEP * k + i];
            lo[i] = (words[PR_SHA256_STEP * k + i] & 0xffff) + (constant & 0xffff);
            hi[i] = (words[PR_SHA256_STEP * k + i] >> 16) + (constant >> 16);
        }
        sha256_rounds(&s, &io, (lo[0] & 0) + 1, k ? states[k - 1] : chain, lo, hi);
        for (unsigned i = 0; i < 8; i++) states[k][i] = io.out[i].lo | io.out[i].hi << 16;
        if (wanted) pr_digest_sink_take(sink, PR_SHA256_PART_ROUNDS, row, n_lanes);
    }
}

/* Where the file ends within a half, the half's upper byte is looked up as one. */
static void count_end(pr_digest_sink *sink, const pr_digest_walk *walk, uint32_t first, unsigned n_lanes) {
    uint64_t last = walk->length / PR_DIGEST_BLOCK;
    if (!sink->counts || walk->length % 2 == 0 || last < first || last >= first + n_lanes) return;
    unsigned at = (unsigned)(walk->length % PR_DIGEST_BLOCK);
    uint32_t word = walk->messages[last][at / 4];
    sink->counts[PR_BYTE_XOR][word >> (at % 4 < 2 ? 24 : 8) & 255]++;
}

void PR_LANE_NAME(pr_sha256_rows)(pr_digest_sink *sink, const pr_digest_walk *walk, uint32_t first, unsigned n_lanes) {
    given chain[8], words[64], states[PR_SHA256_ROUND_ROWS][8];
    load(chain, walk->chain[first], 8, n_lanes);
    load(words, walk->messages[first], 16, n_lanes);
    schedule(sink, words, walk->n_blocks, first, n_lanes);
    rounds(sink, states, chain, words, walk->n_blocks, first, n_lanes);
    if (!pr_digest_sink_wants(sink, PR_SHA256_PART_COMPRESSION, first)) return;
    scribe s = begin(sink, true, n_lanes);
    sha256_compression_io io;
    word_halves starts[8];
    for (unsigned k = 0; k < 8; k++) starts[k] = halves_of_given(&s, chain[k]);
    sha256_compression(&s, &io, starts, words, states);
    pr_digest_sink_take(sink, PR_SHA256_PART_COMPRESSION, first, n_lanes);
    count_end(sink, walk, first, n_lanes);
}

void PR_LANE_NAME(pr_sha256_zero_row)(pr_digest_sink *sink, uint32_t part) {
    static const given zeros[64], states[PR_SHA256_ROUND_ROWS][8];
    scribe s = begin(sink, true, 1);
    s.strip = NULL;
    if (part == PR_SHA256_PART_ROUNDS) {
        sha256_rounds_io io;
        sha256_rounds(&s, &io, zeros[0], zeros, zeros, zeros);
    } else if (part == PR_SHA256_PART_SCHEDULE) {
        sha256_schedule_io io;
        sha256_schedule(&s, &io, zeros[0], zeros);
    } else {
        sha256_compression_io io;
        word_halves chain[8];
        for (unsigned k = 0; k < 8; k++) chain[k] = halves_of_given(&s, zeros[0]);
        sha256_compression(&s, &io, chain, zeros, states);
    }
}
