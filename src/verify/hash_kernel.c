/* BLAKE2s of many messages of one length, LANE_WIDTH at a time; compiled once per instruction set. */
#include "field/lane.h"
#include "hash/blake2s_lanes.h"
#include "verify/internal.h"

#include <string.h>

#define STAGES (LANE_WIDTH == 16 ? 4 : LANE_WIDTH == 8 ? 3 : 0)

/* Words w of messages j stand at j * n_rows + w and go to w * LANE_WIDTH + j, or back: each stage is a perfect shuffle
 * of all n_rows * LANE_WIDTH words. */
static inline void shuffle(lane *rows, int n_rows, int stages) {
    for (int s = 0; s < stages; s++) {
        lane next[16];
        for (int i = 0; i < n_rows / 2; i++)
            lane_interleave(&next[2 * i], &next[2 * i + 1], rows[i], rows[i + n_rows / 2]);
        for (int i = 0; i < n_rows; i++) rows[i] = next[i];
    }
}

static inline void hash_group(pr_hash *out, const unsigned char *messages, size_t bytes, size_t n) {
    lane h[8], m[16];
    uint32_t words[16 * LANE_WIDTH] = {0};
    pr_blake2s_lanes_init(h);
    for (size_t at = 0; at < bytes || at == 0; at += 64) {
        size_t left = bytes - at < 64 ? bytes - at : 64;
        bool last = bytes - at <= 64;
        if (left < 64) memset(words, 0, sizeof words);
        for (size_t j = 0; j < n; j++) memcpy(words + 16 * j, messages + j * bytes + at, left);
        for (int k = 0; k < 16; k++) m[k] = lane_load(words + k * LANE_WIDTH);
        shuffle(m, 16, STAGES);
        pr_blake2s_lanes_compress(h, m, at + left, last ? PR_BLAKE2S_LAST : PR_BLAKE2S_MORE);
    }
    shuffle(h, 8, 3);
    for (int k = 0; k < 8; k++) lane_store(words + k * LANE_WIDTH, h[k]);
    memcpy(out, words, n * sizeof *out);
}

void PR_LANE_NAME(pr_verify_hash_many)(pr_hash *out, const void *messages, size_t bytes, size_t n) {
    const unsigned char *at = messages;
    for (size_t i = 0; i < n; i += LANE_WIDTH)
        hash_group(out + i, at + i * bytes, bytes, n - i < LANE_WIDTH ? n - i : LANE_WIDTH);
}
