/* Poseidon2 on many rows at once, writing every S-box's square and fifth power into its columns. */
#include "file_hash/kernel.h"
#include <string.h>
#include "file_hash/layout.h"
#include "gadgets/poseidon2_kernel.h"

static pr_poseidon2_sink sink_of(pr_m31 *const *columns, size_t first) {
    pr_poseidon2_sink sink;
    for (uint32_t s = 0; s < PR_POSEIDON2_SBOXES; s++) {
        sink.squares[s] = place_of(columns, pr_file_hash_square_column(s), first);
        sink.powers[s] = place_of(columns, pr_file_hash_power_column(s), first);
    }
    return sink;
}

/* Behind the blocks the last round's squares and powers are zero. */
static void blank_last_round(const pr_poseidon2_sink *sink, size_t n, const pr_m31 *live) {
    for (size_t i = 0; i < n; i++)
        for (uint32_t s = PR_POSEIDON2_LAST_ROUND; !live[i] && s < PR_POSEIDON2_SBOXES; s++) {
            if (sink->squares[s]) sink->squares[s][i] = 0;
            sink->powers[s][i] = 0;
        }
}

void PR_LANE_NAME(pr_file_hash_block)(pr_m31 *const *columns, size_t first, size_t n, pr_file_hash_rows *rows) {
    pr_poseidon2_sink sink = sink_of(columns, first);
    for (int k = 0; k < PR_POSEIDON2_RATE; k++)
        memcpy(columns[PR_FILE_HASH_BLOCK + k] + first, rows->state[k], n * sizeof(pr_m31));
    permute_rows(rows->state, n, &sink);
    blank_last_round(&sink, n, rows->live);
}
