#include "vm/kernel.h"
#include <string.h>
#include "gadgets/poseidon2_kernel.h"
#include "vm/layout.h"

static pr_poseidon2_sink sink_of(pr_m31 *const *columns, size_t first) {
    pr_poseidon2_sink sink;
    for (uint32_t s = 0; s < PR_POSEIDON2_LAST_ROUND; s++) {
        sink.squares[s] = place_of(columns, PR_VM_H_PAIRS + 2 * s, first);
        sink.powers[s] = place_of(columns, PR_VM_H_PAIRS + 2 * s + 1, first);
    }
    for (uint32_t k = 0; k < PR_POSEIDON2_WIDTH; k++) {
        sink.squares[PR_POSEIDON2_LAST_ROUND + k] = place_of(columns, PR_VM_H_LAST_SQUARES + k, first);
        sink.powers[PR_POSEIDON2_LAST_ROUND + k] = columns[PR_VM_H_POWERS + k] + first;
    }
    return sink;
}

void PR_LANE_NAME(pr_vm_sponge)(pr_m31 *const *columns, size_t first, size_t n) {
    pr_poseidon2_states state;
    pr_poseidon2_sink sink = sink_of(columns, first);
    for (int k = 0; k < PR_POSEIDON2_WIDTH; k++) {
        int column = k < PR_POSEIDON2_RATE ? PR_VM_H_BLOCK + k : PR_VM_H_CAPACITY + k - PR_POSEIDON2_RATE;
        memcpy(state[k], columns[column] + first, n * sizeof(pr_m31));
    }
    permute_rows(state, n, &sink);
}
