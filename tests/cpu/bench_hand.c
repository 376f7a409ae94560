/* What somebody would write by hand for wide Fibonacci's share of the composition polynomial, to measure the
 * interpreter by: the same sums, no program. Compiled once per instruction set. */
#include "bench_hand.h"
#include "field/lane_qm31.h"

static inline void add_products(lane_acc s[4], lane v, const pr_qm31 *power) {
    for (int c = 0; c < 4; c++) s[c] = lane_acc_mul_add(s[c], v, lane_set1(power->c[c]));
}

static void hand_rows(uint32_t *const out[4], const uint32_t *const *cols, size_t n_cols, const pr_qm31 *powers,
                      size_t i, pr_m31 inverse) {
    lane_acc s[4] = {lane_acc_zero(), lane_acc_zero(), lane_acc_zero(), lane_acc_zero()};
    lane a = lane_square(lane_load(cols[0] + i)), b = lane_square(lane_load(cols[1] + i));
    for (size_t k = 2; k < n_cols; k++) {
        lane x = lane_load(cols[k] + i);
        if (k % 4 == 2)
            for (int c = 0; c < 4; c++) s[c] = lane_acc_fold(s[c]);
        add_products(s, lane_sub(lane_sub(x, a), b), &powers[k - 2]);
        a = b;
        b = lane_square(x);
    }
    for (int c = 0; c < 4; c++) lane_store(out[c] + i, lane_mul_doubled(lane_acc_reduce(s[c]), lane_set1(2 * inverse)));
}

void PR_LANE_NAME(bench_hand)(uint32_t *const out[4], const uint32_t *const *cols, size_t n_cols, const pr_qm31 *powers,
                              size_t rows, const pr_m31 inverse[2], int n_threads) {
#pragma omp parallel for num_threads(n_threads) schedule(static)
    for (size_t i = 0; i < rows; i += LANE_WIDTH) hand_rows(out, cols, n_cols, powers, i, inverse[i >= rows / 2]);
}
