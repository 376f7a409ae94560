/* The laws of the field on random and extreme elements; sizes of batches. The seed is printed. */
#include "field/qm31.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "../base/seed.h"

static pr_prng prng;

/* Every fourth word is from the edge of the range, where carries and reductions happen. */
static pr_m31 any(void) {
    static const pr_m31 edge[] = {0, 1, 2, PR_P - 1, PR_P - 2, PR_P / 2, PR_P / 2 + 1, 1u << 16};
    return pr_prng_below(&prng, 4) ? pr_prng_below(&prng, PR_P) : edge[pr_prng_below(&prng, 8)];
}
static pr_qm31 any4(void) { return (pr_qm31){{any(), any(), any(), any()}}; }

static void test_m31_against_division(void **state) {
    (void)state;
    for (int k = 0; k < 200000; k++) {
        pr_m31 a = any(), b = any();
        assert_int_equal(pr_m31_mul(a, b), (uint64_t)a * b % PR_P);
        assert_int_equal(pr_m31_add(a, b), ((uint64_t)a + b) % PR_P);
        assert_int_equal(pr_m31_sub(a, b), ((uint64_t)a + PR_P - b) % PR_P);
        uint64_t v = pr_prng_next(&prng) | (k % 3 ? 0 : UINT64_MAX << 20);
        assert_int_equal(pr_m31_reduce(v), v % PR_P);
        int64_t s = (int64_t)v;
        assert_int_equal(pr_m31_from_i64(s), (pr_m31)((s % (int64_t)PR_P + (int64_t)PR_P) % (int64_t)PR_P));
    }
    assert_int_equal(pr_m31_reduce(UINT64_MAX), UINT64_MAX % PR_P);
    assert_int_equal(pr_m31_inverse(0), 0);
}

static void test_qm31_laws(void **state) {
    (void)state;
    for (int k = 0; k < 20000; k++) {
        pr_qm31 a = any4(), b = any4(), c = any4();
        assert_true(pr_qm31_equal(pr_qm31_mul(a, b), pr_qm31_mul(b, a)));
        assert_true(pr_qm31_equal(pr_qm31_mul(pr_qm31_mul(a, b), c), pr_qm31_mul(a, pr_qm31_mul(b, c))));
        assert_true(
            pr_qm31_equal(pr_qm31_mul(a, pr_qm31_add(b, c)), pr_qm31_add(pr_qm31_mul(a, b), pr_qm31_mul(a, c))));
        assert_true(pr_qm31_equal(pr_qm31_conj(pr_qm31_mul(a, b)), pr_qm31_mul(pr_qm31_conj(a), pr_qm31_conj(b))));
        assert_true(pr_qm31_equal(pr_qm31_sub(pr_qm31_add(a, b), b), a));
        if (!pr_qm31_is_zero(a)) assert_true(pr_qm31_equal(pr_qm31_mul(a, pr_qm31_inverse(a)), PR_QM31_ONE));
    }
    pr_qm31 u = {{0, 0, 1, 0}}, i = {{0, 1, 0, 0}};
    assert_true(pr_qm31_equal(pr_qm31_square(u), (pr_qm31){{2, 1, 0, 0}}));
    assert_true(pr_qm31_equal(pr_qm31_square(i), pr_qm31_from_m31(PR_P - 1)));
}

static void test_batches(void **state) {
    (void)state;
    for (size_t n = 0; n < 70; n++) {
        pr_m31 in[70] = {0}, out[70];
        pr_qm31 in4[70] = {{{0}}}, out4[70];
        for (size_t k = 0; k < n; k++) {
            do in[k] = any();
            while (in[k] == 0);
            do in4[k] = any4();
            while (pr_qm31_is_zero(in4[k]));
        }
        pr_m31_batch_inverse(out, in, n);
        pr_qm31_batch_inverse(out4, in4, n);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(out[k], pr_m31_inverse(in[k]));
            assert_true(pr_qm31_equal(out4[k], pr_qm31_inverse(in4[k])));
        }
    }
}

int main(void) {
    prng = test_seed();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_m31_against_division), cmocka_unit_test(test_qm31_laws),
                                       cmocka_unit_test(test_batches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
