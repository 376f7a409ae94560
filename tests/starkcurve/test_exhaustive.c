/* The module's own sources over a field of 103 elements and a curve of 89 points (tiny_constants.h): all pairs of
 * elements, of points and of scalars, compared with plain integers. */
#include "starkcurve/curve.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#ifndef PR_STARKCURVE_TINY
#error "compile with PR_STARKCURVE_TINY"
#endif
/* Factors of some steps; all of them with PROVERUN_TEST_LONG in the environment. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 29 };
#else
enum { STRIDE = 7 };
#endif
static unsigned stride(void) { return getenv("PROVERUN_TEST_LONG") ? 1 : STRIDE; }

enum { P = 103, N = 89, BETA = 29, GX = 0, GY = 21 };

static pr_felt felt(unsigned v) { return pr_felt_from_u64(v); }
static unsigned value(pr_felt a) {
    uint8_t bytes[32];
    pr_felt_to_bytes(bytes, a);
    return bytes[31] + 256u * bytes[30];
}
static pr_scalar scalar(unsigned v) { return pr_scalar_from_u64(v); }

/* felt_sqrt.c knows the real prime alone. */
bool pr_felt_sqrt_public(pr_felt *root, pr_felt a) {
    for (unsigned v = 0; v < P; v += 2)
        if (pr_felt_equal(pr_felt_square(felt(v)), a)) return *root = felt(v), true;
    return false;
}

static void test_field(void **state) {
    (void)state;
    for (unsigned a = 0; a < P; a++) {
        assert_int_equal(value(felt(a)), a);
        assert_int_equal(value(felt(a + 5 * P)), a);
        assert_int_equal(value(pr_felt_mul(felt(a), pr_felt_inverse(felt(a)))), a ? 1 : 0);
        assert_int_equal(value(pr_felt_mul(felt(a), pr_felt_inverse_public(felt(a)))), a ? 1 : 0);
        assert_int_equal(pr_felt_is_odd(felt(a)), a % 2);
        for (unsigned b = 0; b < P; b++) {
            assert_int_equal(value(pr_felt_add(felt(a), felt(b))), (a + b) % P);
            assert_int_equal(value(pr_felt_sub(felt(a), felt(b))), (a + P - b) % P);
            assert_int_equal(value(pr_felt_mul(felt(a), felt(b))), a * b % P);
            assert_int_equal(pr_felt_equal(felt(a), felt(b)), a == b);
        }
    }
}

static void test_scalars(void **state) {
    (void)state;
    for (unsigned a = 0; a < N; a++) {
        assert_int_equal(pr_scalar_is_high(scalar(a)), a > (N - 1) / 2);
        assert_true(pr_scalar_equal(pr_scalar_inverse(scalar(a)), pr_scalar_inverse_public(scalar(a))));
        for (unsigned b = 0; b < N; b++) {
            assert_true(pr_scalar_equal(pr_scalar_mul(scalar(a), scalar(b)), scalar(a * b % N)));
            assert_true(pr_scalar_equal(pr_scalar_add(scalar(a), scalar(b)), scalar((a + b) % N)));
            assert_true(pr_scalar_equal(pr_scalar_sub(scalar(a), scalar(b)), scalar((a + N - b) % N)));
        }
    }
}

/* k G for all k, from the affine formulas in plain integers; k = 0 is infinity, written as (P, P). */
static unsigned table[N][2];

static unsigned inverse(unsigned a) {
    unsigned r = 1;
    while (a * r % P != 1) r++;
    return r;
}

static void make_table(void) {
    unsigned x = GX, y = GY;
    table[0][0] = table[0][1] = P;
    for (unsigned k = 1; k < N; k++) {
        table[k][0] = x, table[k][1] = y;
        unsigned slope = x == GX ? (3 * x * x + 1) * inverse(2 * y % P) : (GY + P - y) * inverse((GX + P - x) % P);
        if (x == GX && y != GY) break;
        slope %= P;
        unsigned next = (slope * slope + 2 * P - x - GX) % P;
        y = (slope * ((x + P - next) % P) + P - y) % P;
        x = next;
    }
}

static int setup(void **state) {
    (void)state;
    make_table();
    return 0;
}

static void assert_multiple(const pr_curve_point *p, unsigned k) {
    pr_affine a;
    bool finite = pr_curve_point_to_affine(&a, p);
    if (finite != (k != 0)) fail_msg("%u G", k);
    if (finite && (value(a.x) != table[k][0] || value(a.y) != table[k][1])) fail_msg("%u G", k);
}

static pr_affine multiple(unsigned k) { return (pr_affine){felt(table[k][0]), felt(table[k][1])}; }

/* k G with a Z of its own for each of several; infinity as (0 : z : 0) */
static pr_curve_point homogeneous(unsigned k, unsigned z) {
    pr_felt f = felt(z);
    if (!k) return (pr_curve_point){PR_FELT_ZERO, f, PR_FELT_ZERO};
    return (pr_curve_point){pr_felt_mul(felt(table[k][0]), f), pr_felt_mul(felt(table[k][1]), f), f};
}
static pr_jacobian jacobian(unsigned k, unsigned z) {
    pr_felt f = felt(z), ff = pr_felt_square(f);
    if (!k) return (pr_jacobian){f, f, PR_FELT_ZERO};
    return (pr_jacobian){pr_felt_mul(felt(table[k][0]), ff), pr_felt_mul(felt(table[k][1]), pr_felt_mul(ff, f)), f};
}

static void test_table(void **state) {
    (void)state;
    unsigned points = 1;
    for (unsigned x = 0; x < P; x++)
        for (unsigned y = 0; y < P; y++) {
            pr_affine a = {felt(x), felt(y)};
            assert_int_equal(pr_affine_is_on_curve(&a), y * y % P == (x * x * x + x + BETA) % P);
            points += pr_affine_is_on_curve(&a);
        }
    assert_int_equal(points, N);
    for (unsigned k = 1; k < N; k++) {
        pr_affine a = multiple(k);
        assert_true(pr_affine_is_on_curve(&a));
    }
}

static void test_sums(void **state) {
    (void)state;
    for (unsigned j = 0; j < N; j += 1 + stride() / 10)
        for (unsigned k = 0; k < N; k++)
            for (unsigned z = 1; z < P; z += 51) {
                pr_curve_point p = homogeneous(j, z), q = homogeneous(k, P - 2 * z % P),
                               sum = pr_curve_point_add(&p, &q);
                assert_multiple(&sum, (j + k) % N);
                assert_int_equal(pr_curve_point_equal(&p, &q), j == k);
                pr_jacobian s = jacobian(j, z), t = jacobian(k, 3 * z % P), r = pr_jacobian_add_public(&s, &t);
                sum = pr_curve_point_from_jacobian_public(&r);
                assert_multiple(&sum, (j + k) % N);
                if (!k) continue;
                pr_affine a = multiple(k);
                r = pr_jacobian_add_affine_public(&s, &a);
                sum = pr_curve_point_from_jacobian_public(&r);
                assert_multiple(&sum, (j + k) % N);
                assert_int_equal(pr_jacobian_has_x_public(&s, a.x), j == k || j == N - k);
            }
}

static void test_products(void **state) {
    (void)state;
    pr_comb *comb = malloc(sizeof *comb);
    for (unsigned j = 1; j < N; j += j < 4 ? 1 : stride()) {
        pr_affine base = multiple(j);
        pr_comb_init(comb, &base);
        for (unsigned k = 0; k < N; k++) {
            pr_curve_point p = pr_curve_point_mul(&base, scalar(k));
            assert_multiple(&p, j * k % N);
            p = pr_comb_mul(comb, scalar(k));
            assert_multiple(&p, j * k % N);
            pr_jacobian fast = pr_jacobian_mul_public(&base, scalar(k));
            p = pr_curve_point_from_jacobian_public(&fast);
            assert_multiple(&p, j * k % N);
            fast = pr_jacobian_mul_comb_public(comb, scalar(k));
            p = pr_curve_point_from_jacobian_public(&fast);
            assert_multiple(&p, j * k % N);
        }
    }
    free(comb);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_field), cmocka_unit_test(test_scalars),
                                       cmocka_unit_test(test_table), cmocka_unit_test(test_sums),
                                       cmocka_unit_test(test_products)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
