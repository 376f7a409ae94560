/* Poseidon2 on many rows at once, writing every S-box's square and fifth power into its columns. */
#include "file_hash/kernel.h"
#include <string.h>
#include "field/lane.h"
#include "file_hash/layout.h"

/* pr_poseidon2_m4, the same sums */
static inline void matrix4(lane *x) {
    lane a = lane_add(x[0], x[1]), c = lane_add(x[2], x[3]), sum = lane_add(a, c);
    lane s1 = lane_add(sum, x[1]), s3 = lane_add(sum, x[3]);
    lane y1 = lane_add(s1, lane_add(x[2], x[2])), y3 = lane_add(s3, lane_add(x[0], x[0]));
    x[0] = lane_add(s1, a), x[1] = y1, x[2] = lane_add(s3, c), x[3] = y3;
}

static void external_matrix(pr_file_hash_rows *rows, size_t n) {
    for (size_t i = 0; i < n; i += LANE_WIDTH) {
        lane x[16];
        for (int k = 0; k < 16; k++) x[k] = lane_load(rows->state[k] + i);
        for (int group = 0; group < 16; group += 4) matrix4(x + group);
        for (int k = 0; k < 4; k++) {
            lane sum = lane_add(lane_add(x[k], x[k + 4]), lane_add(x[k + 8], x[k + 12]));
            for (int j = k; j < 16; j += 4) lane_store(rows->state[j] + i, lane_add(x[j], sum));
        }
    }
}

static void internal_matrix(pr_file_hash_rows *rows, size_t n) {
    for (size_t i = 0; i < n; i += LANE_WIDTH) {
        lane first = lane_load(rows->state[0] + i), sum = first;
        for (int k = 1; k < 16; k++) sum = lane_add(sum, lane_load(rows->state[k] + i));
        lane_store(rows->state[0] + i, lane_sub(sum, lane_add(first, first)));
        for (int k = 1; k < 16; k++) {
            lane factor = lane_set1(1u << pr_poseidon2_internal_shifts[k - 1]);
            lane_store(rows->state[k] + i, lane_add(sum, lane_mul(lane_load(rows->state[k] + i), factor)));
        }
    }
}

static void sbox(pr_m31 *const *columns, size_t first, size_t n, pr_m31 *state, pr_m31 constant, uint32_t number) {
    pr_m31 *square = columns[pr_file_hash_square_column(number)] + first;
    pr_m31 *power = columns[pr_file_hash_power_column(number)] + first;
    for (size_t i = 0; i < n; i += LANE_WIDTH) {
        lane x = lane_add(lane_load(state + i), lane_set1(constant)), x2 = lane_square(x);
        lane x5 = lane_mul(lane_square(x2), x);
        lane_store(square + i, x2);
        lane_store(power + i, x5);
        lane_store(state + i, x5);
    }
}

static uint32_t full_round(pr_m31 *const *columns, size_t first, size_t n, pr_file_hash_rows *rows,
                           const pr_m31 constants[16], uint32_t number) {
    for (int k = 0; k < 16; k++, number++) sbox(columns, first, n, rows->state[k], constants[k], number);
    external_matrix(rows, n);
    return number;
}

/* Behind the blocks the last round's squares and powers are zero. */
static void blank_last_round(pr_m31 *const *columns, size_t first, size_t n, const pr_m31 *live) {
    for (size_t i = 0; i < n; i++)
        for (uint32_t s = PR_FILE_HASH_LAST_ROUND; !live[i] && s < PR_FILE_HASH_SBOXES; s++)
            columns[pr_file_hash_square_column(s)][first + i] = columns[pr_file_hash_power_column(s)][first + i] = 0;
}

void PR_LANE_NAME(pr_file_hash_block)(pr_m31 *const *columns, size_t first, size_t n, pr_file_hash_rows *rows) {
    for (int k = 0; k < PR_POSEIDON2_RATE; k++)
        memcpy(columns[PR_FILE_HASH_BLOCK + k] + first, rows->state[k], n * sizeof(pr_m31));
    uint32_t number = 0;
    external_matrix(rows, n);
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++)
        number = full_round(columns, first, n, rows, pr_poseidon2_external_initial[round], number);
    for (int round = 0; round < PR_POSEIDON2_PARTIAL_ROUNDS; round++, number++) {
        sbox(columns, first, n, rows->state[0], pr_poseidon2_internal[round], number);
        internal_matrix(rows, n);
    }
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++)
        number = full_round(columns, first, n, rows, pr_poseidon2_external_final[round], number);
    blank_last_round(columns, first, n, rows->live);
}
