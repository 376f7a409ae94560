/* Poseidon2 on many rows at once: included by a kernel, which is compiled once for each instruction set. */
#ifndef PR_JOBS_GADGETS_POSEIDON2_KERNEL_H
#define PR_JOBS_GADGETS_POSEIDON2_KERNEL_H
#include <stddef.h>
#include "field/lane.h"
#include "gadgets/poseidon2_rows.h"

/* For a sink: derived columns are NULL. */
static inline pr_m31 *place_of(pr_m31 *const *columns, uint32_t column, size_t first) {
    return columns[column] ? columns[column] + first : NULL;
}

/* pr_poseidon2_m4, the same sums */
static inline void matrix4(lane *x) {
    lane a = lane_add(x[0], x[1]), c = lane_add(x[2], x[3]), sum = lane_add(a, c);
    lane s1 = lane_add(sum, x[1]), s3 = lane_add(sum, x[3]);
    lane y1 = lane_add(s1, lane_add(x[2], x[2])), y3 = lane_add(s3, lane_add(x[0], x[0]));
    x[0] = lane_add(s1, a), x[1] = y1, x[2] = lane_add(s3, c), x[3] = y3;
}

static void external_matrix(pr_poseidon2_states state, size_t n) {
    for (size_t i = 0; i < n; i += LANE_WIDTH) {
        lane x[16];
        for (int k = 0; k < 16; k++) x[k] = lane_load(state[k] + i);
        for (int group = 0; group < 16; group += 4) matrix4(x + group);
        for (int k = 0; k < 4; k++) {
            lane sum = lane_add(lane_add(x[k], x[k + 4]), lane_add(x[k + 8], x[k + 12]));
            for (int j = k; j < 16; j += 4) lane_store(state[j] + i, lane_add(x[j], sum));
        }
    }
}

static void internal_matrix(pr_poseidon2_states state, size_t n) {
    for (size_t i = 0; i < n; i += LANE_WIDTH) {
        lane first = lane_load(state[0] + i), sum = first;
        for (int k = 1; k < 16; k++) sum = lane_add(sum, lane_load(state[k] + i));
        lane_store(state[0] + i, lane_sub(sum, lane_add(first, first)));
        for (int k = 1; k < 16; k++) {
            lane factor = lane_set1(1u << pr_poseidon2_internal_shifts[k - 1]);
            lane_store(state[k] + i, lane_add(sum, lane_mul(lane_load(state[k] + i), factor)));
        }
    }
}

static void sbox(pr_m31 *state, size_t n, pr_m31 constant, pr_m31 *square, pr_m31 *power) {
    for (size_t i = 0; i < n; i += LANE_WIDTH) {
        lane x = lane_add(lane_load(state + i), lane_set1(constant)), x2 = lane_square(x);
        lane x5 = lane_mul(lane_square(x2), x);
        if (square) lane_store(square + i, x2);
        if (power) lane_store(power + i, x5);
        lane_store(state + i, x5);
    }
}

static uint32_t full_round(pr_poseidon2_states state, size_t n, const pr_m31 constants[16],
                           const pr_poseidon2_sink *sink, uint32_t number) {
    for (int k = 0; k < 16; k++, number++) sbox(state[k], n, constants[k], sink->squares[number], sink->powers[number]);
    external_matrix(state, n);
    return number;
}

/* n: a multiple of 16, at most PR_POSEIDON2_ROWS. */
static void permute_rows(pr_poseidon2_states state, size_t n, const pr_poseidon2_sink *sink) {
    uint32_t number = 0;
    external_matrix(state, n);
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++)
        number = full_round(state, n, pr_poseidon2_external_initial[round], sink, number);
    for (int round = 0; round < PR_POSEIDON2_PARTIAL_ROUNDS; round++, number++) {
        sbox(state[0], n, pr_poseidon2_internal[round], sink->squares[number], sink->powers[number]);
        internal_matrix(state, n);
    }
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++)
        number = full_round(state, n, pr_poseidon2_external_final[round], sink, number);
}

#endif
