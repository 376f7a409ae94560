/* Points in a time that depends on them, for public values: Jacobian coordinates, a = 1. Formulas: D. Bernstein,
 * T. Lange, Explicit-Formulas Database, short Weierstrass, Jacobian (dbl-2007-bl, add-2007-bl and madd as by Cohen,
 * Miyaji, Ono, ASIACRYPT 1998), with their exceptions taken apart. */
#include "starkcurve/curve.h"

static const pr_jacobian infinity = {{{{0}}}, {{{0}}}, {{{0}}}};

static bool is_infinity(const pr_jacobian *p) { return pr_felt_is_zero(p->z); }

pr_jacobian pr_jacobian_neg_public(const pr_jacobian *p) { return (pr_jacobian){p->x, pr_felt_neg(p->y), p->z}; }

/* No point but infinity has order 2, so that 2 Y Z = 0 for infinity alone. */
pr_jacobian pr_jacobian_double_public(const pr_jacobian *p) {
    pr_felt xx = pr_felt_square(p->x), yy = pr_felt_square(p->y), zz = pr_felt_square(p->z);
    pr_felt s = pr_felt_double(pr_felt_double(pr_felt_mul(p->x, yy)));
    pr_felt m = pr_felt_add(pr_felt_add(pr_felt_double(xx), xx), pr_felt_square(zz));
    pr_felt x = pr_felt_sub(pr_felt_square(m), pr_felt_double(s));
    pr_felt y4 = pr_felt_double(pr_felt_double(pr_felt_double(pr_felt_square(yy))));
    return (pr_jacobian){x, pr_felt_sub(pr_felt_mul(m, pr_felt_sub(s, x)), y4),
                         pr_felt_double(pr_felt_mul(p->y, p->z))};
}

/* From x1, y1 and x2, y2 over the common denominators z^2, z^3, which are those of both points. */
static pr_jacobian add_over_common(pr_felt x1, pr_felt y1, pr_felt x2, pr_felt y2, pr_felt z, const pr_jacobian *same) {
    pr_felt h = pr_felt_sub(x2, x1), r = pr_felt_sub(y2, y1);
    if (pr_felt_is_zero(h)) return pr_felt_is_zero(r) ? pr_jacobian_double_public(same) : infinity;
    pr_felt hh = pr_felt_square(h), hhh = pr_felt_mul(h, hh), v = pr_felt_mul(x1, hh);
    pr_felt x = pr_felt_sub(pr_felt_sub(pr_felt_square(r), hhh), pr_felt_double(v));
    pr_felt y = pr_felt_sub(pr_felt_mul(r, pr_felt_sub(v, x)), pr_felt_mul(y1, hhh));
    return (pr_jacobian){x, y, pr_felt_mul(z, h)};
}

pr_jacobian pr_jacobian_add_affine_public(const pr_jacobian *p, const pr_affine *q) {
    if (is_infinity(p)) return (pr_jacobian){q->x, q->y, PR_FELT_ONE};
    pr_felt zz = pr_felt_square(p->z);
    return add_over_common(p->x, p->y, pr_felt_mul(q->x, zz), pr_felt_mul(q->y, pr_felt_mul(zz, p->z)), p->z, p);
}

pr_jacobian pr_jacobian_add_public(const pr_jacobian *p, const pr_jacobian *q) {
    if (is_infinity(p)) return *q;
    if (is_infinity(q)) return *p;
    pr_felt zz1 = pr_felt_square(p->z), zz2 = pr_felt_square(q->z);
    return add_over_common(pr_felt_mul(p->x, zz2), pr_felt_mul(p->y, pr_felt_mul(zz2, q->z)), pr_felt_mul(q->x, zz1),
                           pr_felt_mul(q->y, pr_felt_mul(zz1, p->z)), pr_felt_mul(p->z, q->z), p);
}

/* Digits 0 or odd in -15 .. 15, among five neighbours at most one that is not 0. Returns how many. */
enum { WIDTH = 5, ODD_MULTIPLES = 1 << (WIDTH - 2), MAX_DIGITS = 254 };
static int non_adjacent_form(int8_t digit[MAX_DIGITS], pr_u256 k) {
    int n = 0;
    for (; !pr_u256_is_zero_mask(&k); n++) {
        int d = 0;
        if (k.limb[0] & 1) {
            d = (int)(k.limb[0] & 31);
            if (d >= 16) d -= 32;
            pr_u256 size = {{(uint64_t)(d < 0 ? -d : d), 0, 0, 0}};
            (void)(d < 0 ? pr_u256_add(&k, &k, &size) : pr_u256_sub(&k, &k, &size));
        }
        digit[n] = (int8_t)d;
        for (int i = 0; i < 4; i++) k.limb[i] = k.limb[i] >> 1 | (i < 3 ? k.limb[i + 1] << 63 : 0);
    }
    return n;
}

pr_jacobian pr_jacobian_mul_public(const pr_affine *base, pr_scalar k) {
    int8_t digit[MAX_DIGITS];
    pr_jacobian odd[ODD_MULTIPLES], r = infinity;
    odd[0] = (pr_jacobian){base->x, base->y, PR_FELT_ONE};
    pr_jacobian twice = pr_jacobian_double_public(&odd[0]);
    for (int j = 1; j < ODD_MULTIPLES; j++) odd[j] = pr_jacobian_add_public(&odd[j - 1], &twice);
    for (int i = non_adjacent_form(digit, k.value) - 1; i >= 0; i--) {
        r = pr_jacobian_double_public(&r);
        if (!digit[i]) continue;
        pr_jacobian term = odd[(digit[i] < 0 ? -digit[i] : digit[i]) / 2];
        if (digit[i] < 0) term = pr_jacobian_neg_public(&term);
        r = pr_jacobian_add_public(&r, &term);
    }
    return r;
}

/* The digits of pr_comb_mul (curve.c), without hiding them. */
pr_jacobian pr_jacobian_mul_comb_public(const pr_comb *comb, pr_scalar k) {
    pr_u256 value = k.value;
    bool is_even = !(value.limb[0] & 1);
    if (is_even) (void)pr_u256_sub(&value, &PR_ORDER_MODULUS.m, &k.value);
    pr_jacobian r = infinity;
    for (int i = 0; i < PR_COMB_ROWS; i++) { /* the digits of (value + 2^252 - 1) / 2: one place up, and a 1 on top */
        int bits = (int)pr_u256_bits(&value, PR_COMB_BITS * i + 1, PR_COMB_BITS) |
                   (i == PR_COMB_ROWS - 1 ? PR_COMB_COLUMNS : 0);
        int d = 2 * bits - (2 * PR_COMB_COLUMNS - 1);
        pr_affine term = comb->multiple[i][(d < 0 ? -d : d) / 2];
        if ((d < 0) != is_even) term.y = pr_felt_neg(term.y);
        r = pr_jacobian_add_affine_public(&r, &term);
    }
    return r;
}

bool pr_jacobian_has_x_public(const pr_jacobian *p, pr_felt x) {
    return !is_infinity(p) && pr_felt_equal(pr_felt_mul(x, pr_felt_square(p->z)), p->x);
}

pr_curve_point pr_curve_point_from_jacobian_public(const pr_jacobian *p) {
    if (is_infinity(p)) return pr_curve_point_infinity();
    return (pr_curve_point){pr_felt_mul(p->x, p->z), p->y, pr_felt_mul(pr_felt_square(p->z), p->z)};
}
