#include "poseidon2/poseidon2.h"
#include <string.h>

void pr_poseidon2_external_matrix(pr_m31 state[16]) {
    pr_m31 sums[4] = {0};
    for (int group = 0; group < 16; group += 4) {
        pr_poseidon2_m4(state + group);
        for (int k = 0; k < 4; k++) sums[k] = pr_m31_add(sums[k], state[group + k]);
    }
    for (int k = 0; k < 16; k++) state[k] = pr_m31_add(state[k], sums[k % 4]);
}

void pr_poseidon2_internal_matrix(pr_m31 state[16]) {
    uint64_t total = 0;
    for (int k = 1; k < 16; k++) total += state[k];
    const pr_m31 sum = pr_m31_reduce(total + state[0]); /* the element that the round before it waits for comes last */
    state[0] = pr_m31_sub(sum, pr_m31_double(state[0]));
    for (int k = 1; k < 16; k++) {
        const uint64_t v = sum + ((uint64_t)state[k] << pr_poseidon2_internal_shifts[k - 1]); /* < 2^31 + 2^47 */
        state[k] = pr_m31_reduce_once((uint32_t)(v & PR_P) + (uint32_t)(v >> PR_P_BITS));
    }
}

static void full_rounds(pr_m31 state[16], const pr_m31 constants[4][16]) {
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++) {
        for (int k = 0; k < 16; k++) state[k] = pr_poseidon2_sbox(pr_m31_add(state[k], constants[round][k]));
        pr_poseidon2_external_matrix(state);
    }
}

void pr_poseidon2_permute(pr_m31 state[16]) {
    pr_poseidon2_external_matrix(state);
    full_rounds(state, pr_poseidon2_external_initial);
    for (int round = 0; round < PR_POSEIDON2_PARTIAL_ROUNDS; round++) {
        state[0] = pr_poseidon2_sbox(pr_m31_add(state[0], pr_poseidon2_internal[round]));
        pr_poseidon2_internal_matrix(state);
    }
    full_rounds(state, pr_poseidon2_external_final);
}

void pr_poseidon2_sponge(pr_m31 out[8], const pr_m31 *in, size_t n) {
    pr_m31 state[16] = {0};
    for (size_t at = 0; at < n; at += PR_POSEIDON2_RATE) {
        size_t take = n - at < PR_POSEIDON2_RATE ? n - at : PR_POSEIDON2_RATE;
        memcpy(state, in + at, take * sizeof *state);
        pr_poseidon2_permute(state);
    }
    memcpy(out, state, PR_POSEIDON2_RATE * sizeof *out);
}
