/* Sizes, packing and the sponge's walk over a file. */
#include <stdlib.h>
#include <string.h>
#include "file_hash/layout.h"

uint64_t pr_file_hash_elements(uint64_t length) {
    return 1 + length / PR_FILE_HASH_BYTES_PER_ELEMENT + (length % PR_FILE_HASH_BYTES_PER_ELEMENT != 0);
}

uint32_t pr_file_hash_blocks(uint64_t length) {
    return (uint32_t)((pr_file_hash_elements(length) + PR_POSEIDON2_RATE - 1) / PR_POSEIDON2_RATE);
}

uint32_t pr_file_hash_last_block(uint64_t length) {
    return (uint32_t)((pr_file_hash_elements(length) - 1) % PR_POSEIDON2_RATE) + 1;
}

uint32_t pr_file_hash_log_rows(uint64_t length) {
    uint32_t log_rows = PR_FILE_HASH_MIN_LOG_ROWS;
    while ((UINT64_C(1) << log_rows) <= pr_file_hash_blocks(length)) log_rows++;
    return log_rows;
}

uint64_t pr_file_hash_max_length(void) {
    uint64_t blocks = (UINT64_C(1) << PR_AIR_MAX_LOG_ROWS) - 1;
    return (blocks * PR_POSEIDON2_RATE - 1) * PR_FILE_HASH_BYTES_PER_ELEMENT;
}

/* Element k of a file: its length, then three bytes each, little-endian; the last may be fewer. */
static pr_m31 element(const uint8_t *data, uint64_t length, uint64_t k) {
    if (k == 0) return (pr_m31)length;
    uint64_t at = (k - 1) * PR_FILE_HASH_BYTES_PER_ELEMENT;
    pr_m31 v = 0;
    for (unsigned i = 0; i < PR_FILE_HASH_BYTES_PER_ELEMENT && at + i < length; i++) v |= (pr_m31)data[at + i] << 8 * i;
    return v;
}

pr_status pr_file_hash_walk_init(pr_file_hash_walk *walk, const uint8_t *data, uint64_t length, pr_error *err) {
    uint32_t n_blocks = pr_file_hash_blocks(length);
    pr_m31(*states)[PR_POSEIDON2_WIDTH] = calloc((size_t)n_blocks + 1, sizeof *states);
    if (!states)
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for a file of %llu bytes", (unsigned long long)length);
    uint64_t n_elements = pr_file_hash_elements(length);
    pr_m31 state[PR_POSEIDON2_WIDTH] = {0};
    for (uint32_t block = 0; block < n_blocks; block++) {
        uint64_t first = (uint64_t)block * PR_POSEIDON2_RATE;
        for (uint64_t k = first; k < first + PR_POSEIDON2_RATE && k < n_elements; k++)
            state[k - first] = element(data, length, k);
        memcpy(states[block], state, sizeof state);
        pr_poseidon2_permute(state);
    }
    memcpy(states[n_blocks] + PR_POSEIDON2_RATE, state + PR_POSEIDON2_RATE,
           sizeof state - PR_POSEIDON2_RATE * sizeof *state);
    *walk = (pr_file_hash_walk){.n_blocks = n_blocks, .states = states};
    memcpy(walk->digest, state, sizeof walk->digest);
    return PR_OK;
}

void pr_file_hash_walk_clear(pr_file_hash_walk *walk) {
    free(walk->states);
    *walk = (pr_file_hash_walk){0};
}
