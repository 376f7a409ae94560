#include "poseidon2_merkle/kernel.h"
#include <string.h>
#include "gadgets/poseidon2_kernel.h"
#include "poseidon2_merkle/layout.h"

void PR_LANE_NAME(pr_poseidon2_merkle_hash)(pr_m31 *digests, const pr_m31 (*inputs)[16], size_t n) {
    static const pr_poseidon2_sink nowhere;
    pr_poseidon2_states state;
    size_t n_whole = (n + 15) / 16 * 16;
    for (int k = 0; k < 16; k++) {
        for (size_t i = 0; i < n; i++) state[k][i] = inputs[i][k];
        memset(state[k] + n, 0, (n_whole - n) * sizeof(pr_m31));
    }
    permute_rows(state, n_whole, &nowhere);
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++)
            digests[8 * i + (size_t)k] = pr_m31_add(state[k][i], inputs[i][k]);
}

static pr_poseidon2_sink sink_of(pr_m31 *const *columns, size_t first) {
    pr_poseidon2_sink sink = {{NULL}, {NULL}};
    for (uint32_t s = 0; s < PR_POSEIDON2_LAST_ROUND; s++) {
        sink.squares[s] = columns[PR_POSEIDON2_MERKLE_PAIRS_AT + 2 * s] + first;
        sink.powers[s] = columns[PR_POSEIDON2_MERKLE_PAIRS_AT + 2 * s + 1] + first;
    }
    for (uint32_t k = 0; k < PR_POSEIDON2_WIDTH; k++)
        sink.squares[PR_POSEIDON2_LAST_ROUND + k] = columns[PR_POSEIDON2_MERKLE_LAST_AT + k] + first;
    return sink;
}

void PR_LANE_NAME(pr_poseidon2_merkle_fill)(pr_m31 *const *columns, size_t first, size_t n,
                                            const pr_m31 *const *inputs) {
    pr_poseidon2_states state;
    pr_poseidon2_sink sink = sink_of(columns, first);
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 16; k++) state[k][i] = inputs[i][k];
    for (int k = 0; k < 16; k++)
        memcpy(columns[PR_POSEIDON2_MERKLE_INPUT_AT + k] + first, state[k], n * sizeof(pr_m31));
    permute_rows(state, n, &sink);
    for (int k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++) {
        const pr_m31 *input = columns[PR_POSEIDON2_MERKLE_INPUT_AT + k] + first;
        pr_m31 *digest = columns[PR_POSEIDON2_MERKLE_DIGEST_AT + k] + first;
        for (size_t i = 0; i < n; i += LANE_WIDTH)
            lane_store(digest + i, lane_add(lane_load(state[k] + i), lane_load(input + i)));
    }
}
