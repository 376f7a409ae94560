/* Places of the columns and sizes of the trace of file_hash, shared by its AIR and its trace. */
#ifndef PR_JOBS_FILE_HASH_LAYOUT_H
#define PR_JOBS_FILE_HASH_LAYOUT_H
#include "air/air.h"
#include "poseidon2/poseidon2.h"

enum {
    PR_FILE_HASH_BYTES_PER_ELEMENT = 3,
    PR_FILE_HASH_MIN_LOG_ROWS = 4,
    /* Columns: [0, 8) the block, [8, 24) fifth powers of the last round, then each S-box's square and fifth power, of
     * the last round the squares alone. */
    PR_FILE_HASH_BLOCK = 0,
    PR_FILE_HASH_LAST_POWERS = PR_POSEIDON2_RATE,
    PR_FILE_HASH_PAIRS = PR_FILE_HASH_LAST_POWERS + PR_POSEIDON2_WIDTH,
    PR_FILE_HASH_LAST_SQUARES = PR_FILE_HASH_PAIRS + 2 * PR_POSEIDON2_LAST_ROUND,
    PR_FILE_HASH_COLUMNS = PR_FILE_HASH_LAST_SQUARES + PR_POSEIDON2_WIDTH
};

static inline uint32_t pr_file_hash_square_column(uint32_t sbox) {
    return sbox < PR_POSEIDON2_LAST_ROUND ? PR_FILE_HASH_PAIRS + 2 * sbox
                                          : PR_FILE_HASH_LAST_SQUARES + sbox - PR_POSEIDON2_LAST_ROUND;
}
static inline uint32_t pr_file_hash_power_column(uint32_t sbox) {
    return sbox < PR_POSEIDON2_LAST_ROUND ? PR_FILE_HASH_PAIRS + 2 * sbox + 1
                                          : PR_FILE_HASH_LAST_POWERS + sbox - PR_POSEIDON2_LAST_ROUND;
}

/* What is public about a job of this type. */
typedef struct pr_file_hash_public {
    uint64_t length; /* bytes */
    pr_m31 digest[PR_POSEIDON2_RATE];
} pr_file_hash_public;

/* Longest file whose blocks and seam row fit 2^PR_AIR_MAX_LOG_ROWS rows: below p, so its length is one element. */
uint64_t pr_file_hash_max_length(void);
uint64_t pr_file_hash_elements(uint64_t length); /* the length itself and the packed bytes */
uint32_t pr_file_hash_blocks(uint64_t length);
/* Elements of the last block, 1 .. 8: the others keep what the permutation before left there. */
uint32_t pr_file_hash_last_block(uint64_t length);
/* At least one row is left behind the blocks: the seam (README.md). */
uint32_t pr_file_hash_log_rows(uint64_t length);

PR_MUST_CHECK pr_status pr_file_hash_air(pr_air **out, const pr_file_hash_public *statement, pr_error *err);

/* The sponge's walk over a file. states: the 16 elements that each block's permutation is given, then those of the
 * first row behind the blocks (zeros, and the capacity the last block left): blocks + 1 in all. */
typedef struct pr_file_hash_walk {
    uint32_t n_blocks;
    pr_m31 (*states)[PR_POSEIDON2_WIDTH]; /* [n_blocks + 1], owned */
    pr_m31 digest[PR_POSEIDON2_RATE];
} pr_file_hash_walk;

/* length at most the maximum. */
PR_MUST_CHECK pr_status pr_file_hash_walk_init(pr_file_hash_walk *walk, const uint8_t *data, uint64_t length,
                                               pr_error *err);
void pr_file_hash_walk_clear(pr_file_hash_walk *walk);
#endif
