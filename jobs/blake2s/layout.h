/* Sizes and constants of blake2s, shared by its AIR and its trace. */
#ifndef PR_JOBS_BLAKE2S_LAYOUT_H
#define PR_JOBS_BLAKE2S_LAYOUT_H
#include "gadgets/file_digest.h"

enum {
    PR_BLAKE2S_ROUNDS = 10,
    PR_BLAKE2S_INNER = 16 * (PR_BLAKE2S_ROUNDS + 1), /* words: the state before and behind each round */
    PR_BLAKE2S_PART_ROUND = 0,
    PR_BLAKE2S_PART_COMPRESSION = 1,
    PR_BLAKE2S_ROUND_COLUMNS = 1 + 48 + 32 + 8 * 40,
    PR_BLAKE2S_ROUND_LOOKUPS = 8 * 16 + 1,
    PR_BLAKE2S_COMPRESSION_COLUMNS = 32 + 32 + 9 * 32 + 64 + 2 * 32,
    PR_BLAKE2S_COMPRESSION_LOOKUPS = 32 + 64 + 10 /* and one where the file ends within a half */
};

extern const pr_digest_kind pr_blake2s_kind;
extern const uint32_t pr_blake2s_iv[PR_DIGEST_CHAIN];    /* RFC 7693, section 2.6 */
extern const uint32_t pr_blake2s_start[PR_DIGEST_CHAIN]; /* the same with the parameters of an unkeyed 32-byte digest */
extern const uint8_t pr_blake2s_order[PR_BLAKE2S_ROUNDS][16]; /* section 2.7 */

/* The counter and the last block's flag in words 12 and 14 of the state before round 1. */
uint32_t pr_blake2s_word_12(uint64_t length, uint32_t n_blocks, uint32_t block);
uint32_t pr_blake2s_word_14(uint32_t n_blocks, uint32_t block);

PR_MUST_CHECK pr_status pr_blake2s_air(pr_air **out, const pr_digest_public *statement, pr_error *err);
void pr_blake2s_rows(const pr_digest_rows *rows);
#endif
