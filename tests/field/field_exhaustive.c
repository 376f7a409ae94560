/* The same tower over p = 127, compiled with PR_P_BITS = 7: all pairs of M31, all pairs of CM31, all elements of QM31.
 * Products are compared with polynomial arithmetic in plain integers. */
#include "field/qm31.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

_Static_assert(PR_P == 127, "compile with PR_P_BITS=7");

static void test_m31(void **state) {
    (void)state;
    for (uint32_t a = 0; a < PR_P; a++) {
        for (uint32_t b = 0; b < PR_P; b++) {
            assert_int_equal(pr_m31_add(a, b), (a + b) % PR_P);
            assert_int_equal(pr_m31_sub(a, b), (a + PR_P - b) % PR_P);
            assert_int_equal(pr_m31_mul(a, b), a * b % PR_P);
        }
        assert_int_equal(pr_m31_neg(a), (PR_P - a) % PR_P);
        assert_int_equal(pr_m31_mul(a, pr_m31_inverse(a)), a ? 1 : 0);
        assert_int_equal(pr_m31_from_i64(-(int64_t)a), pr_m31_neg(a));
    }
    for (uint32_t v = 0; v < 2 * PR_P; v++) assert_int_equal(pr_m31_reduce_once(v), v % PR_P);
    for (uint64_t v = 0; v < 4 * PR_P * PR_P; v++) assert_int_equal(pr_m31_reduce(v), v % PR_P);
}

static pr_cm31 cm31(uint32_t k) { return (pr_cm31){k % PR_P, k / PR_P}; }
static uint32_t code(pr_cm31 x) { return x.a + PR_P * x.b; }

/* All 260 million products would take seconds: all first factors, each with every seventh second one. */
static void test_cm31(void **state) {
    (void)state;
    for (uint32_t j = 0; j < PR_P * PR_P; j++) {
        pr_cm31 x = cm31(j);
        assert_int_equal(code(pr_cm31_mul(x, pr_cm31_inverse(x))), j ? 1 : 0);
        assert_int_equal(code(pr_cm31_mul_uu(x)), code(pr_cm31_mul(x, (pr_cm31){2, 1})));
        /* the norm is in the base field, and zero for zero alone: i is not in M31 */
        pr_cm31 norm = pr_cm31_mul(x, pr_cm31_conj(x));
        assert_int_equal(norm.b, 0);
        assert_int_equal(norm.a == 0, j == 0);
        uint32_t wrong = 0;
        for (uint32_t k = j % 7; k < PR_P * PR_P; k += 7) {
            pr_cm31 y = cm31(k), z = pr_cm31_mul(x, y);
            wrong += z.a != (x.a * y.a + (PR_P - x.b) * y.b) % PR_P;
            wrong += z.b != (x.a * y.b + x.b * y.a) % PR_P;
        }
        assert_int_equal(wrong, 0);
    }
}

/* A + Bu has the norm A^2 - (2 + i) B^2, which is zero for zero alone exactly if 2 + i is no square in CM31. */
static void test_tower(void **state) {
    (void)state;
    for (uint32_t j = 1; j < PR_P * PR_P; j++) {
        pr_cm31 square = pr_cm31_mul(cm31(j), cm31(j));
        assert_false(square.a == 2 && square.b == 1);
    }
}

/* All 260 million elements would take seconds: every A, each with every 127th B, and every B with some A. */
static void test_qm31_inverse(void **state) {
    (void)state;
    const uint32_t all = PR_P * PR_P;
    for (uint32_t j = 0; j < all; j++)
        for (uint32_t k = j % 127; k < all; k += 127) {
            pr_qm31 x = pr_qm31_from_cm31(cm31(j), cm31(k));
            pr_qm31 one = pr_qm31_mul(x, pr_qm31_inverse(x));
            if (!pr_qm31_equal(one, (j | k) ? PR_QM31_ONE : PR_QM31_ZERO)) fail_msg("%u %u", j, k);
        }
}

static pr_qm31 unit(unsigned k) {
    pr_qm31 x = PR_QM31_ZERO;
    x.c[k] = 1;
    return x;
}

/* Multiplication is bilinear, so associativity on the four units is associativity everywhere; bilinearity itself: */
static void test_qm31_algebra(void **state) {
    (void)state;
    for (unsigned a = 0; a < 4; a++)
        for (unsigned b = 0; b < 4; b++)
            for (unsigned c = 0; c < 4; c++)
                assert_true(pr_qm31_equal(pr_qm31_mul(pr_qm31_mul(unit(a), unit(b)), unit(c)),
                                          pr_qm31_mul(unit(a), pr_qm31_mul(unit(b), unit(c)))));
    for (uint32_t j = 0; j < PR_P * PR_P; j += 3)
        for (uint32_t k = 0; k < PR_P * PR_P; k += 101) {
            pr_qm31 x = pr_qm31_from_cm31(cm31(j), cm31(k)), sum[4];
            pr_qm31 y = pr_qm31_from_cm31(cm31((7 * k + j) % (PR_P * PR_P)), cm31((5 * j + k) % (PR_P * PR_P)));
            for (unsigned u = 0; u < 4; u++) {
                sum[u] = PR_QM31_ZERO;
                for (unsigned v = 0; v < 4; v++) {
                    pr_m31 product = x.c[u] * y.c[v] % PR_P;
                    sum[u] = pr_qm31_add(sum[u], pr_qm31_mul_m31(pr_qm31_mul(unit(u), unit(v)), product));
                }
            }
            pr_qm31 whole = pr_qm31_add(pr_qm31_add(sum[0], sum[1]), pr_qm31_add(sum[2], sum[3]));
            assert_true(pr_qm31_equal(pr_qm31_mul(x, y), whole));
        }
}

/* x^p = x on M31, complex conjugation on CM31; x^(p^2) = the conjugation over CM31 on QM31. */
static void test_frobenius(void **state) {
    (void)state;
    for (uint32_t j = 0; j < PR_P * PR_P; j++) {
        pr_qm31 x = pr_qm31_from_cm31(cm31(j), (pr_cm31){0, 0});
        pr_qm31 y = pr_qm31_from_cm31(cm31(j), cm31((31 * j + 5) % (PR_P * PR_P)));
        assert_true(pr_qm31_equal(pr_qm31_pow(x, PR_P), pr_qm31_from_cm31(pr_cm31_conj(cm31(j)), (pr_cm31){0, 0})));
        assert_true(pr_qm31_equal(pr_qm31_pow(y, PR_P * PR_P), pr_qm31_conj(y)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_m31),          cmocka_unit_test(test_cm31),
                                       cmocka_unit_test(test_tower),        cmocka_unit_test(test_qm31_inverse),
                                       cmocka_unit_test(test_qm31_algebra), cmocka_unit_test(test_frobenius)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
