/* The hash function itself (RFC 7693), and what gadgets/file_digest.h wants to know of it. */
#include <string.h>
#include "blake2s/job.h"
#include "blake2s/kernel.h"
#include "rows.h"

const uint32_t pr_blake2s_iv[PR_DIGEST_CHAIN] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
const uint32_t pr_blake2s_start[PR_DIGEST_CHAIN] = {
    0x6a09e667 ^ 0x01010020, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
const uint8_t pr_blake2s_order[PR_BLAKE2S_ROUNDS][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint32_t n_blocks(uint64_t length) {
    return length ? (uint32_t)((length + PR_DIGEST_BLOCK - 1) / PR_DIGEST_BLOCK) : 1;
}

uint32_t pr_blake2s_word_12(uint64_t length, uint32_t blocks, uint32_t block) {
    uint64_t counter = block + 1 == blocks ? length : (uint64_t)(block + 1) * PR_DIGEST_BLOCK;
    return pr_blake2s_iv[4] ^ (uint32_t)counter;
}

uint32_t pr_blake2s_word_14(uint32_t blocks, uint32_t block) {
    return block + 1 == blocks ? ~pr_blake2s_iv[6] : pr_blake2s_iv[6];
}

static void cut(uint32_t (*messages)[PR_DIGEST_MESSAGE], const uint8_t *data, uint64_t length) {
    for (uint64_t i = 0; i < length; i++)
        messages[i / PR_DIGEST_BLOCK][i % PR_DIGEST_BLOCK / 4] |= (uint32_t)data[i] << 8 * (i % 4);
}

static uint32_t rotated(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

static void mix(uint32_t *v, int a, int b, int c, int d, uint32_t x, uint32_t y) {
    v[a] += v[b] + x, v[d] = rotated(v[d] ^ v[a], 16);
    v[c] += v[d], v[b] = rotated(v[b] ^ v[c], 12);
    v[a] += v[b] + y, v[d] = rotated(v[d] ^ v[a], 8);
    v[c] += v[d], v[b] = rotated(v[b] ^ v[c], 7);
}

static void compress(uint32_t *chain, uint32_t *inner, const uint32_t *message, const pr_digest_walk *walk,
                     uint32_t block) {
    uint32_t v[16];
    for (int k = 0; k < 8; k++) v[k] = chain[k], v[k + 8] = pr_blake2s_iv[k];
    v[12] = pr_blake2s_word_12(walk->length, walk->n_blocks, block);
    v[14] = pr_blake2s_word_14(walk->n_blocks, block);
    memcpy(inner, v, sizeof v);
    for (int round = 0; round < PR_BLAKE2S_ROUNDS; round++) {
        const uint8_t *at = pr_blake2s_order[round];
        for (int k = 0; k < 4; k++) mix(v, k, k + 4, k + 8, k + 12, message[at[2 * k]], message[at[2 * k + 1]]);
        for (int k = 0; k < 4; k++)
            mix(v, k, 4 + (k + 1) % 4, 8 + (k + 2) % 4, 12 + (k + 3) % 4, message[at[8 + 2 * k]],
                message[at[9 + 2 * k]]);
        memcpy(inner + 16 * (round + 1), v, sizeof v);
    }
    for (int k = 0; k < 8; k++) chain[k] ^= v[k] ^ v[k + 8];
}

static void shape(pr_digest_shape *out, uint32_t blocks) {
    uint32_t log_blocks = pr_digest_log_blocks(blocks), padding = (1u << log_blocks) - blocks;
    *out = (pr_digest_shape){.n_blocks = blocks, .log_blocks = log_blocks, .n_parts = 2};
    pr_digest_part *round = &out->parts[PR_BLAKE2S_PART_ROUND];
    round->n_columns = PR_BLAKE2S_ROUND_COLUMNS;
    round->n_lookups = PR_BLAKE2S_ROUND_LOOKUPS;
    round->n_rows = (uint64_t)PR_BLAKE2S_ROUNDS * blocks;
    round->zero_uses = PR_BLAKE2S_ROUNDS * padding;
    pr_digest_cover(round, round->n_rows + (padding > 0));
    out->parts[PR_BLAKE2S_PART_COMPRESSION] = (pr_digest_part){.n_columns = PR_BLAKE2S_COMPRESSION_COLUMNS,
                                                               .n_lookups = PR_BLAKE2S_COMPRESSION_LOOKUPS,
                                                               .n_rows = blocks,
                                                               .n_components = 1,
                                                               .log_rows = {log_blocks}};
}

void pr_blake2s_rows(const pr_digest_rows *rows) { PR_JOB_KERNEL(pr_blake2s_rows)(rows); }

/* Where the file ends within a half, that half is looked up once more as a byte. */
static void count_end(uint32_t **counts, const pr_digest_walk *walk) {
    unsigned used = (unsigned)(walk->length % PR_DIGEST_BLOCK);
    if (!counts[PR_BYTE_XOR] || used % 2 == 0) return;
    uint32_t word = walk->messages[walk->n_blocks - 1][used / 4];
    counts[PR_BYTE_XOR][word >> (used / 2 % 2 ? 16 : 0) & 0xffff]++;
}

static const pr_byte_op ops[] = {PR_BYTE_XOR, PR_BYTE_XOR_4, PR_BYTE_XOR_7, PR_BYTE_PAIR};

const pr_digest_kind pr_blake2s_kind = {
    .type = &pr_job_blake2s,
    .ops = ops,
    .n_ops = sizeof ops / sizeof *ops,
    .n_selectors = 5,
    .max_length = (uint64_t)PR_DIGEST_BLOCK << PR_DIGEST_MAX_LOG_BLOCKS,
    .n_blocks = n_blocks,
    .shape = shape,
    .cut = cut,
    .initial = pr_blake2s_start,
    .n_inner = PR_BLAKE2S_INNER,
    .compress = compress,
    .air = pr_blake2s_air,
    .rows = pr_blake2s_rows,
    .count_end = count_end,
};
