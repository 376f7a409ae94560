/* Points: the secret and the public ways to compute the same agree, and the group's laws hold. */
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_point(const pr_curve_point *p, const pr_curve_point *q) {
    assert_true(pr_curve_point_equal(p, q));
    assert_true(pr_curve_point_equal(q, p));
}

static void test_order(void **state) {
    (void)state;
    pr_affine g = pr_curve_generator(), a;
    pr_curve_point one = pr_curve_point_from_affine(&g), zero = pr_curve_point_infinity(),
                   opposite = pr_curve_point_neg(&one);
    assert_true(pr_affine_is_on_curve(&g));
    pr_scalar last = pr_scalar_neg(pr_scalar_from_u64(1));
    pr_curve_point p = pr_curve_point_mul_generator(last);
    assert_point(&p, &opposite);
    p = pr_curve_point_add(&p, &one);
    assert_true(pr_curve_point_is_infinity(&p));
    assert_point(&p, &zero);
    assert_false(pr_curve_point_equal(&p, &one));
    assert_false(pr_curve_point_equal(&one, &opposite));
    assert_false(pr_curve_point_to_affine(&a, &p));
    p = pr_curve_point_mul_generator(pr_scalar_from_u64(0));
    assert_true(pr_curve_point_is_infinity(&p));
    p = pr_curve_point_mul(&g, pr_scalar_from_u64(0));
    assert_true(pr_curve_point_is_infinity(&p));
}

/* k P in all five ways. */
static void test_products(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    pr_comb *comb = malloc(sizeof *comb);
    for (int i = 0; i < TEST_ROUNDS(60); i++) {
        pr_affine base = i ? test_affine(&prng) : pr_curve_generator();
        pr_comb_init(comb, &base);
        for (int j = 0; j < 10; j++) {
            pr_scalar k = test_scalar(&prng);
            pr_curve_point product = pr_curve_point_mul(&base, k), other = pr_comb_mul(comb, k);
            assert_point(&product, &other);
            pr_jacobian fast = pr_jacobian_mul_public(&base, k);
            other = pr_curve_point_from_jacobian_public(&fast);
            assert_point(&product, &other);
            fast = pr_jacobian_mul_comb_public(comb, k);
            other = pr_curve_point_from_jacobian_public(&fast);
            assert_point(&product, &other);
            if (i) continue;
            other = pr_curve_point_mul_generator(k);
            assert_point(&product, &other);
        }
    }
    free(comb);
}

/* (j + k) P = j P + k P, and ((j k) P) = j (k P) */
static void test_linear(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    for (int i = 0; i < TEST_ROUNDS(200); i++) {
        pr_affine base = test_affine(&prng), inner;
        pr_scalar j = test_scalar(&prng), k = test_scalar(&prng);
        pr_curve_point pj = pr_curve_point_mul(&base, j), pk = pr_curve_point_mul(&base, k),
                       sum = pr_curve_point_add(&pj, &pk);
        pr_curve_point direct = pr_curve_point_mul(&base, pr_scalar_add(j, k));
        assert_point(&sum, &direct);
        if (!pr_curve_point_to_affine(&inner, &pk)) continue;
        assert_true(pr_affine_is_on_curve(&inner));
        sum = pr_curve_point_mul(&inner, j);
        direct = pr_curve_point_mul(&base, pr_scalar_mul(j, k));
        assert_point(&sum, &direct);
    }
}

static void test_refused_points(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    uint8_t bytes[64], changed[64];
    pr_affine a = test_affine(&prng), b = a;
    pr_affine_to_bytes(bytes, &a);
    assert_true(pr_affine_from_bytes(&b, bytes));
    assert_memory_equal(&a, &b, sizeof a);
    for (int bit = 0; bit < 512; bit++) {
        memcpy(changed, bytes, 64);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(pr_affine_from_bytes(&b, changed));
    }
    memset(bytes, 0, 64); /* no code for infinity */
    assert_false(pr_affine_from_bytes(&b, bytes));
    assert_memory_equal(&a, &b, sizeof a);
}

/* About half of all x belong to no point. */
static void test_from_x(void **state) {
    (void)state;
    int found = 0;
    for (uint64_t x = 0; x < 400; x++) {
        pr_affine a;
        if (!pr_affine_from_x_public(&a, pr_felt_from_u64(x))) continue;
        found++;
        assert_true(pr_affine_is_on_curve(&a));
        assert_false(pr_felt_is_odd(a.y));
    }
    assert_in_range(found, 150, 250);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_products),
                                       cmocka_unit_test(test_linear), cmocka_unit_test(test_refused_points),
                                       cmocka_unit_test(test_from_x)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
