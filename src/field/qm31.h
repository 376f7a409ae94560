/* CM31 = M31[i]/(i^2+1) and QM31 = CM31[u]/(u^2-2-i). protocol.md section 1.
 * Coordinates of a QM31 in order: A.a, A.b, B.a, B.b for A + Bu. */
#ifndef PR_FIELD_QM31_H
#define PR_FIELD_QM31_H
#include "field/m31.h"

typedef struct pr_cm31 {
    pr_m31 a, b;
} pr_cm31;
typedef struct pr_qm31 {
    pr_m31 c[4];
} pr_qm31;

PR_HOST_DEVICE pr_cm31 pr_cm31_add(pr_cm31 x, pr_cm31 y) {
    return (pr_cm31){pr_m31_add(x.a, y.a), pr_m31_add(x.b, y.b)};
}
PR_HOST_DEVICE pr_cm31 pr_cm31_sub(pr_cm31 x, pr_cm31 y) {
    return (pr_cm31){pr_m31_sub(x.a, y.a), pr_m31_sub(x.b, y.b)};
}
PR_HOST_DEVICE pr_cm31 pr_cm31_neg(pr_cm31 x) { return (pr_cm31){pr_m31_neg(x.a), pr_m31_neg(x.b)}; }
PR_HOST_DEVICE pr_cm31 pr_cm31_mul(pr_cm31 x, pr_cm31 y) {
    return (pr_cm31){pr_m31_sub(pr_m31_mul(x.a, y.a), pr_m31_mul(x.b, y.b)),
                     pr_m31_add(pr_m31_mul(x.a, y.b), pr_m31_mul(x.b, y.a))};
}
PR_HOST_DEVICE pr_cm31 pr_cm31_mul_m31(pr_cm31 x, pr_m31 y) {
    return (pr_cm31){pr_m31_mul(x.a, y), pr_m31_mul(x.b, y)};
}
PR_HOST_DEVICE pr_cm31 pr_cm31_conj(pr_cm31 x) { return (pr_cm31){x.a, pr_m31_neg(x.b)}; }
PR_HOST_DEVICE bool pr_cm31_is_zero(pr_cm31 x) { return (x.a | x.b) == 0; }
/* x != 0; 0 gives 0 */
PR_HOST_DEVICE pr_cm31 pr_cm31_inverse(pr_cm31 x) {
    pr_m31 n = pr_m31_inverse(pr_m31_add(pr_m31_square(x.a), pr_m31_square(x.b)));
    return pr_cm31_mul_m31(pr_cm31_conj(x), n);
}
/* (2 + i) x, the square of u */
PR_HOST_DEVICE pr_cm31 pr_cm31_mul_uu(pr_cm31 x) {
    return (pr_cm31){pr_m31_sub(pr_m31_double(x.a), x.b), pr_m31_add(pr_m31_double(x.b), x.a)};
}

#define PR_QM31_ZERO ((pr_qm31){{0, 0, 0, 0}})
#define PR_QM31_ONE ((pr_qm31){{1, 0, 0, 0}})

PR_HOST_DEVICE pr_cm31 pr_qm31_re(pr_qm31 x) { return (pr_cm31){x.c[0], x.c[1]}; }
PR_HOST_DEVICE pr_cm31 pr_qm31_im(pr_qm31 x) { return (pr_cm31){x.c[2], x.c[3]}; }
PR_HOST_DEVICE pr_qm31 pr_qm31_from_cm31(pr_cm31 re, pr_cm31 im) { return (pr_qm31){{re.a, re.b, im.a, im.b}}; }
PR_HOST_DEVICE pr_qm31 pr_qm31_from_m31(pr_m31 v) { return (pr_qm31){{v, 0, 0, 0}}; }
PR_HOST_DEVICE pr_qm31 pr_qm31_add(pr_qm31 x, pr_qm31 y) {
    return (pr_qm31){{pr_m31_add(x.c[0], y.c[0]), pr_m31_add(x.c[1], y.c[1]), pr_m31_add(x.c[2], y.c[2]),
                      pr_m31_add(x.c[3], y.c[3])}};
}
PR_HOST_DEVICE pr_qm31 pr_qm31_sub(pr_qm31 x, pr_qm31 y) {
    return (pr_qm31){{pr_m31_sub(x.c[0], y.c[0]), pr_m31_sub(x.c[1], y.c[1]), pr_m31_sub(x.c[2], y.c[2]),
                      pr_m31_sub(x.c[3], y.c[3])}};
}
PR_HOST_DEVICE pr_qm31 pr_qm31_neg(pr_qm31 x) { return pr_qm31_sub(PR_QM31_ZERO, x); }
PR_HOST_DEVICE pr_qm31 pr_qm31_mul(pr_qm31 x, pr_qm31 y) {
    pr_cm31 a = pr_qm31_re(x), b = pr_qm31_im(x), c = pr_qm31_re(y), d = pr_qm31_im(y);
    return pr_qm31_from_cm31(pr_cm31_add(pr_cm31_mul(a, c), pr_cm31_mul_uu(pr_cm31_mul(b, d))),
                             pr_cm31_add(pr_cm31_mul(a, d), pr_cm31_mul(b, c)));
}
PR_HOST_DEVICE pr_qm31 pr_qm31_mul_cm31(pr_qm31 x, pr_cm31 y) {
    return pr_qm31_from_cm31(pr_cm31_mul(pr_qm31_re(x), y), pr_cm31_mul(pr_qm31_im(x), y));
}
PR_HOST_DEVICE pr_qm31 pr_qm31_mul_m31(pr_qm31 x, pr_m31 y) {
    return (pr_qm31){{pr_m31_mul(x.c[0], y), pr_m31_mul(x.c[1], y), pr_m31_mul(x.c[2], y), pr_m31_mul(x.c[3], y)}};
}
PR_HOST_DEVICE pr_qm31 pr_qm31_square(pr_qm31 x) { return pr_qm31_mul(x, x); }
/* conjugation over CM31: A + Bu -> A - Bu */
PR_HOST_DEVICE pr_qm31 pr_qm31_conj(pr_qm31 x) { return pr_qm31_from_cm31(pr_qm31_re(x), pr_cm31_neg(pr_qm31_im(x))); }
PR_HOST_DEVICE bool pr_qm31_equal(pr_qm31 x, pr_qm31 y) {
    return ((x.c[0] ^ y.c[0]) | (x.c[1] ^ y.c[1]) | (x.c[2] ^ y.c[2]) | (x.c[3] ^ y.c[3])) == 0;
}
PR_HOST_DEVICE bool pr_qm31_is_zero(pr_qm31 x) { return (x.c[0] | x.c[1] | x.c[2] | x.c[3]) == 0; }
/* x != 0; 0 gives 0 */
PR_HOST_DEVICE pr_qm31 pr_qm31_inverse(pr_qm31 x) {
    pr_cm31 a = pr_qm31_re(x), b = pr_qm31_im(x);
    pr_cm31 n = pr_cm31_inverse(pr_cm31_sub(pr_cm31_mul(a, a), pr_cm31_mul_uu(pr_cm31_mul(b, b))));
    return pr_qm31_from_cm31(pr_cm31_mul(a, n), pr_cm31_neg(pr_cm31_mul(b, n)));
}
PR_HOST_DEVICE pr_qm31 pr_qm31_pow(pr_qm31 x, uint64_t e) {
    pr_qm31 r = PR_QM31_ONE;
    for (; e; e >>= 1, x = pr_qm31_square(x))
        if (e & 1) r = pr_qm31_mul(r, x);
    return r;
}
/* m0 + m1*i + m2*u + m3*iu, four secure values of base columns read as one secure column */
PR_HOST_DEVICE pr_qm31 pr_qm31_combine(const pr_qm31 m[4]) {
    static const pr_qm31 unit[4] = {{{1, 0, 0, 0}}, {{0, 1, 0, 0}}, {{0, 0, 1, 0}}, {{0, 0, 0, 1}}};
    pr_qm31 r = m[0];
    for (int k = 1; k < 4; k++) r = pr_qm31_add(r, pr_qm31_mul(m[k], unit[k]));
    return r;
}
void pr_cm31_batch_inverse(pr_cm31 *out, const pr_cm31 *in, size_t n);
void pr_qm31_batch_inverse(pr_qm31 *out, const pr_qm31 *in, size_t n);
#endif
