/* The hash function itself (FIPS 180-4), and what gadgets/file_digest.h wants to know of it. */
#include <string.h>
#include "rows.h"
#include "sha256/job.h"
#include "sha256/kernel.h"

const uint32_t pr_sha256_start[PR_DIGEST_CHAIN] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
const uint32_t pr_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* One byte 0x80 and the length in bits follow the file. */
static uint32_t n_blocks(uint64_t length) { return (uint32_t)((length + 8) / PR_DIGEST_BLOCK + 1); }

static void put_byte(uint32_t (*messages)[PR_DIGEST_MESSAGE], uint64_t at, uint8_t byte) {
    messages[at / PR_DIGEST_BLOCK][at % PR_DIGEST_BLOCK / 4] |= (uint32_t)byte << (24 - 8 * (at % 4));
}

static void cut(uint32_t (*messages)[PR_DIGEST_MESSAGE], const uint8_t *data, uint64_t length) {
    uint64_t end = (uint64_t)n_blocks(length) * PR_DIGEST_BLOCK;
    for (uint64_t i = 0; i < length; i++) put_byte(messages, i, data[i]);
    put_byte(messages, length, 0x80);
    for (unsigned k = 0; k < 8; k++) put_byte(messages, end - 1 - k, (uint8_t)(8 * length >> 8 * k));
}

static uint32_t turned(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

static void compress(uint32_t *chain, uint32_t *inner, const uint32_t *message, const pr_digest_walk *walk,
                     uint32_t block) {
    uint32_t *w = inner, *states = inner + PR_SHA256_INNER_STATES, v[8];
    (void)walk, (void)block;
    for (int t = 0; t < 16; t++) w[t] = message[t];
    for (int t = 16; t < 64; t++) {
        uint32_t x = w[t - 15], y = w[t - 2];
        w[t] =
            w[t - 16] + w[t - 7] + (turned(x, 7) ^ turned(x, 18) ^ x >> 3) + (turned(y, 17) ^ turned(y, 19) ^ y >> 10);
    }
    for (int k = 0; k < 8; k++) v[k] = chain[k];
    for (int t = 0; t < 64; t++) {
        if (t % PR_SHA256_STEP == 0) memcpy(states + 8 * (t / PR_SHA256_STEP), v, sizeof v);
        uint32_t a = v[0], e = v[4];
        uint32_t t1 =
            v[7] + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + pr_sha256_k[t] + w[t];
        uint32_t t2 = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        for (int k = 7; k > 0; k--) v[k] = v[k - 1];
        v[4] += t1, v[0] = t1 + t2;
    }
    memcpy(states + 8 * PR_SHA256_ROUND_ROWS, v, sizeof v);
    for (int k = 0; k < 8; k++) chain[k] += v[k];
}

static void set_function(pr_digest_part *part, uint32_t rows_a_block, uint32_t blocks, uint32_t padding) {
    part->n_rows = (uint64_t)rows_a_block * blocks;
    part->zero_uses = rows_a_block * padding;
    pr_digest_cover(part, part->n_rows + (padding > 0));
}

static void shape(pr_digest_shape *out, uint32_t blocks) {
    uint32_t log_blocks = pr_digest_log_blocks(blocks), padding = (1u << log_blocks) - blocks;
    *out = (pr_digest_shape){.n_blocks = blocks, .log_blocks = log_blocks, .n_parts = 3};
    out->parts[PR_SHA256_PART_ROUNDS] =
        (pr_digest_part){.n_columns = PR_SHA256_ROUNDS_COLUMNS, .n_lookups = PR_SHA256_ROUNDS_LOOKUPS};
    out->parts[PR_SHA256_PART_SCHEDULE] =
        (pr_digest_part){.n_columns = PR_SHA256_SCHEDULE_COLUMNS, .n_lookups = PR_SHA256_SCHEDULE_LOOKUPS};
    out->parts[PR_SHA256_PART_COMPRESSION] = (pr_digest_part){.n_columns = PR_SHA256_COMPRESSION_COLUMNS,
                                                              .n_lookups = PR_SHA256_COMPRESSION_LOOKUPS,
                                                              .n_rows = blocks,
                                                              .n_components = 1,
                                                              .log_rows = {log_blocks}};
    set_function(&out->parts[PR_SHA256_PART_ROUNDS], PR_SHA256_ROUND_ROWS, blocks, padding);
    set_function(&out->parts[PR_SHA256_PART_SCHEDULE], PR_SHA256_SCHEDULE_ROWS, blocks, padding);
}

void pr_sha256_rows(const pr_digest_rows *rows) { PR_JOB_KERNEL(pr_sha256_rows)(rows); }

/* Where the file ends within a half, the half's upper byte is looked up as one. */
static void count_end(uint32_t **counts, const pr_digest_walk *walk) {
    if (!counts[PR_BYTE_XOR] || walk->length % 2 == 0) return;
    unsigned at = (unsigned)(walk->length % PR_DIGEST_BLOCK);
    uint32_t word = walk->messages[walk->length / PR_DIGEST_BLOCK][at / 4];
    counts[PR_BYTE_XOR][word >> (at % 4 < 2 ? 24 : 8) & 255]++;
}

static const pr_byte_op ops[] = {PR_BYTE_XOR, PR_BYTE_XOR_AND, PR_BYTE_AND, PR_BYTE_AND_NOT, PR_BYTE_PAIR};
static const pr_split splits[] = {PR_SPLIT_2312, PR_SPLIT_1232, PR_SPLIT_2141, PR_SPLIT_1115};

const pr_digest_kind pr_sha256_kind = {
    .type = &pr_job_sha256,
    .ops = ops,
    .n_ops = sizeof ops / sizeof *ops,
    .splits = splits,
    .n_splits = sizeof splits / sizeof *splits,
    .n_selectors = 4,
    .max_length = ((uint64_t)PR_DIGEST_BLOCK << PR_DIGEST_MAX_LOG_BLOCKS) - 9,
    .n_blocks = n_blocks,
    .shape = shape,
    .cut = cut,
    .initial = pr_sha256_start,
    .n_inner = PR_SHA256_INNER,
    .compress = compress,
    .big_endian = true,
    .air = pr_sha256_air,
    .rows = pr_sha256_rows,
    .count_end = count_end,
};
