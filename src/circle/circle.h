/* Points of the circle x^2 + y^2 = 1 over M31 and QM31, indices, canonic domains and storage order. protocol.md
 * section 2. */
#ifndef PR_CIRCLE_CIRCLE_H
#define PR_CIRCLE_CIRCLE_H
#include "base/error.h"
#include "field/qm31.h"

typedef struct pr_point {
    pr_m31 x, y;
} pr_point;
typedef struct pr_secure_point {
    pr_qm31 x, y;
} pr_secure_point;

/* The group has p + 1 = 2^PR_P_BITS points. A quarter of a turn, index 2^(PR_P_BITS - 2), is (0, -1) from either
 * generator: the circle twiddles in fours depend on that. */
#define PR_CIRCLE_LOG_ORDER PR_P_BITS
#if PR_P_BITS == 31
#define PR_CIRCLE_GENERATOR ((pr_point){2, 1268011823})
#elif PR_P_BITS == 7
#define PR_CIRCLE_GENERATOR ((pr_point){2, 88})
#else
#error "no circle generator for this PR_P_BITS"
#endif
PR_HOST_DEVICE uint32_t pr_index(uint64_t k) { return (uint32_t)(k & PR_P); }

pr_point pr_point_from_index(uint32_t index); /* index * generator */
pr_point pr_point_add(pr_point p, pr_point q);
PR_HOST_DEVICE pr_point pr_point_negate(pr_point p) { return (pr_point){p.x, pr_m31_neg(p.y)}; }
PR_HOST_DEVICE pr_m31 pr_double_x(pr_m31 x) { return pr_m31_sub(pr_m31_double(pr_m31_square(x)), 1); }

pr_secure_point pr_secure_point_add(pr_secure_point p, pr_secure_point q);
pr_secure_point pr_secure_point_add_point(pr_secure_point p, pr_point q);
pr_secure_point pr_secure_point_double(pr_secure_point p, unsigned times);
/* (1-t^2)/(1+t^2), 2t/(1+t^2); false when 1+t^2 = 0 */
bool pr_secure_point_from_t(pr_secure_point *out, pr_qm31 t);
PR_HOST_DEVICE pr_qm31 pr_double_x_secure(pr_qm31 x) {
    pr_qm31 s = pr_qm31_square(x);
    return pr_qm31_sub(pr_qm31_add(s, s), PR_QM31_ONE);
}
/* Vanishing polynomial of the canonic coset of log size n (>= 1) at x: pi applied n - 1 times. */
pr_qm31 pr_vanishing_secure(pr_qm31 x, unsigned n);
pr_m31 pr_vanishing(pr_m31 x, unsigned n);

PR_HOST_DEVICE uint32_t pr_bitrev(uint32_t v, unsigned bits) {
    v = (v & 0x55555555) << 1 | (v >> 1 & 0x55555555);
    v = (v & 0x33333333) << 2 | (v >> 2 & 0x33333333);
    v = (v & 0x0f0f0f0f) << 4 | (v >> 4 & 0x0f0f0f0f);
    v = (v & 0x00ff00ff) << 8 | (v >> 8 & 0x00ff00ff);
    v = v << 16 | v >> 16;
    return bits ? v >> (32 - bits) : 0;
}
/* index of the point in natural position j / storage slot s of the canonic domain of log size n >= 1 */
uint32_t pr_domain_index(unsigned n, uint32_t natural);
PR_HOST_DEVICE uint32_t pr_domain_index_of_slot(unsigned n, uint32_t slot) {
    return pr_domain_index(n, pr_bitrev(slot, n));
}
pr_point pr_domain_point(unsigned n, uint32_t slot);
PR_HOST_DEVICE uint32_t pr_coset_step_index(unsigned n) { return pr_index((uint64_t)1 << (PR_CIRCLE_LOG_ORDER - n)); }

/* storage slot of trace row r, 2^n rows */
PR_HOST_DEVICE uint32_t pr_slot_of_row(unsigned n, uint32_t r) {
    return n == 0 ? 0 : pr_bitrev(r & 1 ? (1u << n) - (r + 1) / 2 : r / 2, n);
}
/* Slot that lies offset trace rows from slot, on a domain of log size n + s of a trace of log size n.
 * s >= 1: protocol.md section 2. s = 0: through the rows. */
uint32_t pr_slot_shift(unsigned n, unsigned s, uint32_t slot, int64_t offset);
/* slot of a column of log size m for slot i of the larger log size l >= m (lifting), l - m < 32 */
PR_HOST_DEVICE uint32_t pr_slot_lift(unsigned m, unsigned l, uint32_t i) { return (i >> (l - m) & ~1u) | (i & 1); }
/* Slot of a tree of log size height >= 1 that is opened for query slot i of log size l: protocol.md section 13. Only
 * the preprocessed tree may have another height than l, lower or higher. */
PR_HOST_DEVICE uint32_t pr_slot_in_tree(unsigned height, unsigned l, uint32_t i) {
    if (l >= height) return pr_slot_lift(height, l, i);
    return (uint32_t)(((uint64_t)i >> 1) << (height - l + 1)) + (i & 1);
}
#endif
