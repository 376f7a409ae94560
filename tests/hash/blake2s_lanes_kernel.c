/* Hashes LANE_WIDTH messages of one length with the lanes, for blake2s_lanes_test.c. */
#include "field/lane.h"
#include "hash/blake2s_lanes.h"
#include "blake2s_lanes_test.h"
#include <string.h>

const unsigned PR_LANE_NAME(test_hash_lanes_width) = LANE_WIDTH;

/* Words 16 * block .. of every message, zero behind the end. */
static void load_block(lane m[16], const uint8_t *const *messages, size_t length, size_t block) {
    for (size_t word = 0; word < 16; word++) {
        uint32_t words[LANE_WIDTH] = {0};
        for (size_t j = 0; j < LANE_WIDTH; j++)
            for (size_t k = 0; k < 4; k++) {
                size_t at = 64 * block + 4 * word + k;
                if (at < length) words[j] |= (uint32_t)messages[j][at] << (8 * k);
            }
        m[word] = lane_load(words);
    }
}

static void store(pr_hash *out, const lane h[8]) {
    for (size_t word = 0; word < 8; word++) {
        uint32_t words[LANE_WIDTH];
        lane_store(words, h[word]);
        for (size_t j = 0; j < LANE_WIDTH; j++)
            for (size_t k = 0; k < 4; k++) out[j].bytes[4 * word + k] = (uint8_t)(words[j] >> (8 * k));
    }
}

void PR_LANE_NAME(test_hash_lanes)(pr_hash *out, const uint8_t *const *messages, size_t length) {
    lane h[8], m[16];
    pr_blake2s_lanes_init(h);
    size_t blocks = length == 0 ? 1 : (length + 63) / 64;
    for (size_t block = 0; block < blocks; block++) {
        bool last = block + 1 == blocks;
        load_block(m, messages, length, block);
        pr_blake2s_lanes_compress(h, m, last ? length : 64 * (block + 1), last ? PR_BLAKE2S_LAST : PR_BLAKE2S_MORE);
    }
    store(out, h);
}

const unsigned PR_LANE_NAME(test_hash_abreast_width) = PR_BLAKE2S_ABREAST * LANE_WIDTH;

void PR_LANE_NAME(test_hash_abreast)(pr_hash *out, const uint8_t *const *messages, size_t length) {
    lane h[PR_BLAKE2S_ABREAST][8], m[PR_BLAKE2S_ABREAST][16];
    size_t blocks = length == 0 ? 1 : (length + 63) / 64;
    for (size_t i = 0; i < PR_BLAKE2S_ABREAST; i++) pr_blake2s_lanes_init(h[i]);
    for (size_t block = 0; block < blocks; block++) {
        bool last = block + 1 == blocks;
        for (size_t i = 0; i < PR_BLAKE2S_ABREAST; i++) load_block(m[i], messages + i * LANE_WIDTH, length, block);
        pr_blake2s_lanes_compress_abreast(h, (const lane(*)[16])m, last ? length : 64 * (block + 1),
                                          last ? PR_BLAKE2S_LAST : PR_BLAKE2S_MORE);
    }
    for (size_t i = 0; i < PR_BLAKE2S_ABREAST; i++) store(out + i * LANE_WIDTH, h[i]);
}
