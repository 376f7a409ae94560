/* QM31 over lanes (field/lane.h), and sums of products that stay in 64 bits.
 *
 * A block keeps a QM31 column as four coordinate runs: coordinate c of row i is q[c * stride + i]. Sums of products are
 * kept as lane_acc, four to a vector of rows: acc[4 * (i / LANE_WIDTH) + c]. A folded sum is below 2^31 + 2^33, and
 * four products are at most 4 (p-1)^2 = 2^64 - 2^35 + 16: so after a fold four more products always fit. */
#ifndef PR_FIELD_LANE_QM31_H
#define PR_FIELD_LANE_QM31_H
#include "field/lane.h"
#include "field/qm31.h"

typedef struct lane_qm31 {
    lane c[4];
} lane_qm31;

static inline lane_qm31 lane_qm31_load(const uint32_t *q, size_t stride) {
    return (lane_qm31){{lane_load(q), lane_load(q + stride), lane_load(q + 2 * stride), lane_load(q + 3 * stride)}};
}
static inline void lane_qm31_store(uint32_t *q, size_t stride, lane_qm31 v) {
    for (int c = 0; c < 4; c++) lane_store(q + (size_t)c * stride, v.c[c]);
}
static inline lane_qm31 lane_qm31_set1(pr_qm31 v) {
    return (lane_qm31){{lane_set1(v.c[0]), lane_set1(v.c[1]), lane_set1(v.c[2]), lane_set1(v.c[3])}};
}
static inline lane_qm31 lane_qm31_add(lane_qm31 x, lane_qm31 y) {
    return (lane_qm31){
        {lane_add(x.c[0], y.c[0]), lane_add(x.c[1], y.c[1]), lane_add(x.c[2], y.c[2]), lane_add(x.c[3], y.c[3])}};
}
static inline lane_qm31 lane_qm31_sub(lane_qm31 x, lane_qm31 y) {
    return (lane_qm31){
        {lane_sub(x.c[0], y.c[0]), lane_sub(x.c[1], y.c[1]), lane_sub(x.c[2], y.c[2]), lane_sub(x.c[3], y.c[3])}};
}
static inline lane_qm31 lane_qm31_mul_lane(lane_qm31 x, lane y) {
    lane y2 = lane_add32(y, y);
    return (lane_qm31){{lane_mul_doubled(x.c[0], y2), lane_mul_doubled(x.c[1], y2), lane_mul_doubled(x.c[2], y2),
                        lane_mul_doubled(x.c[3], y2)}};
}

static inline lane lane_dot2(lane a0, lane b0, lane a1, lane b1) {
    return lane_acc_reduce(lane_acc_mul_add(lane_acc_mul_add(lane_acc_zero(), a0, b0), a1, b1));
}
static inline lane lane_dot4(const lane *a, lane b0, lane b1, lane b2, lane b3) {
    lane_acc s = lane_acc_mul_add(lane_acc_mul_add(lane_acc_zero(), a[0], b0), a[1], b1);
    return lane_acc_reduce(lane_acc_mul_add(lane_acc_mul_add(s, a[2], b2), a[3], b3));
}

/* Multiplication by y as a 4 x 4 matrix of base elements, of which nine differ. */
typedef struct lane_qm31_factor {
    lane y[4], n1, n3, s, t, nt; /* -y1, -y3, 2 y2 - y3, 2 y3 + y2, -t */
} lane_qm31_factor;

static inline lane_qm31_factor lane_qm31_factor_of(lane_qm31 y) {
    lane s = lane_sub(lane_add(y.c[2], y.c[2]), y.c[3]), t = lane_add(lane_add(y.c[3], y.c[3]), y.c[2]);
    return (lane_qm31_factor){{y.c[0], y.c[1], y.c[2], y.c[3]}, lane_neg(y.c[1]), lane_neg(y.c[3]), s, t, lane_neg(t)};
}
static inline lane_qm31 lane_qm31_mul_factor(lane_qm31 x, lane_qm31_factor f) {
    return (lane_qm31){{lane_dot4(x.c, f.y[0], f.n1, f.s, f.nt), lane_dot4(x.c, f.y[1], f.y[0], f.t, f.s),
                        lane_dot4(x.c, f.y[2], f.n3, f.y[0], f.n1), lane_dot4(x.c, f.y[3], f.y[2], f.y[1], f.y[0])}};
}
static inline lane_qm31 lane_qm31_mul(lane_qm31 x, lane_qm31 y) {
    return lane_qm31_mul_factor(x, lane_qm31_factor_of(y));
}

/* acc += sum over k < n <= 4 of values[k][row] * coeffs[k], for `rows` rows (a multiple of LANE_WIDTH). */
static inline void lane_accumulate_n(lane_acc *acc, const uint32_t *const *values, const pr_qm31 *coeffs, int n,
                                     size_t rows) {
    for (size_t i = 0; i < rows; i += LANE_WIDTH, acc += 4) {
        lane v[4];
        for (int k = 0; k < n; k++) v[k] = lane_load(values[k] + i);
        for (int c = 0; c < 4; c++) {
            lane_acc s = lane_acc_fold(acc[c]);
            for (int k = 0; k < n; k++) s = lane_acc_mul_add(s, v[k], lane_set1(coeffs[k].c[c]));
            acc[c] = s;
        }
    }
}
static inline void lane_accumulate(lane_acc *acc, const uint32_t *const *values, const pr_qm31 *coeffs, size_t n,
                                   size_t rows) {
    switch (n) {
    case 1:
        lane_accumulate_n(acc, values, coeffs, 1, rows);
        break;
    case 2:
        lane_accumulate_n(acc, values, coeffs, 2, rows);
        break;
    case 3:
        lane_accumulate_n(acc, values, coeffs, 3, rows);
        break;
    case 4:
        lane_accumulate_n(acc, values, coeffs, 4, rows);
        break;
    default:
        break;
    }
}
static inline void lane_accumulate_zero(lane_acc *acc, size_t rows) {
    for (size_t i = 0; i < rows / LANE_WIDTH * 4; i++) acc[i] = lane_acc_zero();
}
#endif
