#include "circle/circle.h"

pr_point pr_point_add(pr_point p, pr_point q) {
    return (pr_point){pr_m31_sub(pr_m31_mul(p.x, q.x), pr_m31_mul(p.y, q.y)),
                      pr_m31_add(pr_m31_mul(p.x, q.y), pr_m31_mul(p.y, q.x))};
}

pr_point pr_point_from_index(uint32_t index) {
    pr_point sum = {1, 0}, power = PR_CIRCLE_GENERATOR;
    for (; index; index >>= 1, power = pr_point_add(power, power))
        if (index & 1) sum = pr_point_add(sum, power);
    return sum;
}

pr_secure_point pr_secure_point_add(pr_secure_point p, pr_secure_point q) {
    return (pr_secure_point){pr_qm31_sub(pr_qm31_mul(p.x, q.x), pr_qm31_mul(p.y, q.y)),
                             pr_qm31_add(pr_qm31_mul(p.x, q.y), pr_qm31_mul(p.y, q.x))};
}

pr_secure_point pr_secure_point_add_point(pr_secure_point p, pr_point q) {
    return (pr_secure_point){pr_qm31_sub(pr_qm31_mul_m31(p.x, q.x), pr_qm31_mul_m31(p.y, q.y)),
                             pr_qm31_add(pr_qm31_mul_m31(p.x, q.y), pr_qm31_mul_m31(p.y, q.x))};
}

pr_secure_point pr_secure_point_double(pr_secure_point p, unsigned times) {
    while (times--) p = pr_secure_point_add(p, p);
    return p;
}

bool pr_secure_point_from_t(pr_secure_point *out, pr_qm31 t) {
    pr_qm31 square = pr_qm31_square(t), sum = pr_qm31_add(PR_QM31_ONE, square);
    if (pr_qm31_is_zero(sum)) return false;
    pr_qm31 inverse = pr_qm31_inverse(sum);
    out->x = pr_qm31_mul(pr_qm31_sub(PR_QM31_ONE, square), inverse);
    out->y = pr_qm31_mul(pr_qm31_add(t, t), inverse);
    return true;
}

pr_qm31 pr_vanishing_secure(pr_qm31 x, unsigned n) {
    for (unsigned k = 1; k < n; k++) x = pr_double_x_secure(x);
    return x;
}

pr_m31 pr_vanishing(pr_m31 x, unsigned n) {
    for (unsigned k = 1; k < n; k++) x = pr_double_x(x);
    return x;
}

uint32_t pr_domain_index(unsigned n, uint32_t natural) {
    PR_ASSERT(n >= 1 && n < PR_CIRCLE_LOG_ORDER);
    uint32_t half = 1u << (n - 1);
    uint64_t first = (uint64_t)1 << (PR_CIRCLE_LOG_ORDER - 1 - n), step = (uint64_t)1 << (PR_CIRCLE_LOG_ORDER + 1 - n);
    if (natural < half) return pr_index(first + natural * step);
    return pr_index(0 - (first + (natural - half) * step));
}

pr_point pr_domain_point(unsigned n, uint32_t slot) { return pr_point_from_index(pr_domain_index_of_slot(n, slot)); }

static uint32_t row_of_slot(unsigned n, uint32_t slot) {
    uint32_t natural = pr_bitrev(slot, n), half = 1u << (n - 1);
    return natural < half ? 2 * natural : 2 * ((1u << n) - natural) - 1;
}

uint32_t pr_slot_shift(unsigned n, unsigned s, uint32_t slot, int64_t offset) {
    if (s == 0) {
        uint32_t mask = (1u << n) - 1;
        return n == 0 ? 0 : pr_slot_of_row(n, (row_of_slot(n, slot) + (uint32_t)(uint64_t)offset) & mask);
    }
    unsigned e = n + s;
    uint32_t half = 1u << (e - 1), natural = pr_bitrev(slot, e), part = natural & half;
    uint32_t move = (uint32_t)((uint64_t)offset << (s - 1));
    uint32_t moved = part ? natural - move : natural + move;
    return pr_bitrev(part | (moved & (half - 1)), e);
}
