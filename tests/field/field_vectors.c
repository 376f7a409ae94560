/* Known answers of M31, CM31 and QM31: tests/vectors/primitives/field.json. */
#include "field/qm31.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "json_field.h"

static json_t *root;

static int setup(void **state) {
    (void)state;
    root = test_load("field.json");
    return root ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    json_decref(root);
    return 0;
}

static void test_m31(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "m31"), k, c) {
        pr_m31 a = to_m31(get(c, "a")), b = to_m31(get(c, "b"));
        expect_m31(pr_m31_add(a, b), get(c, "add"));
        expect_m31(pr_m31_sub(a, b), get(c, "sub"));
        expect_m31(pr_m31_mul(a, b), get(c, "mul"));
        expect_m31(pr_m31_neg(a), get(c, "neg_a"));
        expect_m31(pr_m31_square(a), get(c, "square_a"));
        if (!json_is_null(get(c, "inverse_a"))) expect_m31(pr_m31_inverse(a), get(c, "inverse_a"));
    }
}

static void test_cm31(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "cm31"), k, c) {
        pr_cm31 a = to_cm31(get(c, "a")), b = to_cm31(get(c, "b"));
        expect_cm31(pr_cm31_add(a, b), get(c, "add"));
        expect_cm31(pr_cm31_sub(a, b), get(c, "sub"));
        expect_cm31(pr_cm31_mul(a, b), get(c, "mul"));
        expect_cm31(pr_cm31_neg(a), get(c, "neg_a"));
        expect_cm31(pr_cm31_mul(a, a), get(c, "square_a"));
        expect_cm31(pr_cm31_conj(a), get(c, "conj_a"));
        expect_cm31(pr_cm31_mul_m31(a, b.a), get(c, "mul_a_m31_b0"));
        if (!json_is_null(get(c, "inverse_a"))) expect_cm31(pr_cm31_inverse(a), get(c, "inverse_a"));
    }
}

static void test_qm31(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "qm31"), k, c) {
        pr_qm31 a = to_qm31(get(c, "a")), b = to_qm31(get(c, "b"));
        expect_qm31(pr_qm31_add(a, b), get(c, "add"));
        expect_qm31(pr_qm31_sub(a, b), get(c, "sub"));
        expect_qm31(pr_qm31_mul(a, b), get(c, "mul"));
        expect_qm31(pr_qm31_neg(a), get(c, "neg_a"));
        expect_qm31(pr_qm31_square(a), get(c, "square_a"));
        expect_qm31(pr_qm31_conj(a), get(c, "conj_a"));
        expect_qm31(pr_qm31_mul_m31(a, b.c[1]), get(c, "mul_a_m31_b1"));
        expect_qm31(pr_qm31_mul_cm31(a, pr_qm31_im(b)), get(c, "mul_a_cm31_b23"));
        if (!json_is_null(get(c, "inverse_a"))) expect_qm31(pr_qm31_inverse(a), get(c, "inverse_a"));
    }
}

/* Exponents of more than 64 bits are not for our power functions; most cases are shorter. */
static bool short_exponent(const json_t *c, uint64_t *e) {
    const char *text = json_string_value(get(c, "exp"));
    *e = strtoull(text, NULL, 10);
    return strlen(text) <= 19;
}

static void test_powers(void **state) {
    (void)state;
    size_t k, seen = 0;
    uint64_t e;
    json_t *c;
    json_array_foreach(get_cases(root, "pow_m31"), k, c) if (short_exponent(c, &e)) seen++,
        expect_m31(pr_m31_pow(to_m31(get(c, "a")), e), get(c, "pow"));
    json_array_foreach(get_cases(root, "pow_qm31"), k, c) if (short_exponent(c, &e)) seen++,
        expect_qm31(pr_qm31_pow(to_qm31(get(c, "a")), e), get(c, "pow"));
    assert_true(seen >= 12);
}

/* text := text / 2 (decimal digits); the remainder. */
static unsigned halve(char *text) {
    unsigned rest = 0;
    for (char *c = text; *c; c++) {
        unsigned digit = 10 * rest + (unsigned)(*c - '0');
        *c = (char)('0' + digit / 2);
        rest = digit % 2;
    }
    return rest;
}

/* No code of ours raises a CM31 to a power; repeated products do, for exponents of any length. */
static void test_cm31_products(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "pow_cm31"), k, c) {
        char exponent[64];
        pr_cm31 square = to_cm31(get(c, "a")), power = {1, 0};
        assert_true(strlen(json_string_value(get(c, "exp"))) < sizeof exponent);
        strcpy(exponent, json_string_value(get(c, "exp")));
        for (int bit = 0; bit < 128; bit++, square = pr_cm31_mul(square, square))
            if (halve(exponent)) power = pr_cm31_mul(power, square);
        expect_cm31(power, get(c, "pow"));
    }
}

static void test_conversions(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "from_i32"), k, c)
        expect_m31(pr_m31_from_i64(json_integer_value(get(c, "v"))), get(c, "m31"));
    json_array_foreach(get_cases(root, "from_u32"), k, c)
        expect_m31(pr_m31_reduce((uint64_t)json_integer_value(get(c, "v"))), get(c, "m31"));
    json_array_foreach(get_cases(root, "partial_reduce"), k, c)
        expect_m31(pr_m31_reduce_once((uint32_t)json_integer_value(get(c, "v"))), get(c, "m31"));
    json_array_foreach(get_cases(root, "reduce_u64"), k, c)
        expect_m31(pr_m31_reduce(to_u64(get(c, "v"))), get(c, "v_mod_p"));
    json_array_foreach(get_cases(root, "from_partial_evals"), k, c) {
        size_t n;
        pr_qm31 *evals = to_qm31s(get(c, "evals"), &n);
        assert_int_equal(n, 4);
        expect_qm31(pr_qm31_combine(evals), get(c, "out"));
        free(evals);
    }
}

static void test_batch_inverse(void **state) {
    (void)state;
    size_t k, n;
    json_t *c, *all = get(root, "batch_inverse");
    json_array_foreach(get_cases(all, "m31"), k, c) {
        pr_m31 *in = to_m31s(get(c, "in"), &n), *out = malloc((n + 1) * sizeof *out);
        pr_m31_batch_inverse(out, in, n);
        expect_m31s(out, n, get(c, "out"));
        free(in);
        free(out);
    }
    json_array_foreach(get_cases(all, "cm31"), k, c) {
        json_t *list = get(c, "in");
        pr_cm31 in[64], out[64];
        n = json_array_size(list);
        assert_true(n <= 64);
        for (size_t i = 0; i < n; i++) in[i] = to_cm31(json_array_get(list, i));
        pr_cm31_batch_inverse(out, in, n);
        for (size_t i = 0; i < n; i++) expect_cm31(out[i], json_array_get(get(c, "out"), i));
    }
    json_array_foreach(get_cases(all, "qm31"), k, c) {
        pr_qm31 *in = to_qm31s(get(c, "in"), &n), *out = malloc((n + 1) * sizeof *out);
        pr_qm31_batch_inverse(out, in, n);
        expect_qm31s(out, n, get(c, "out"));
        free(in);
        free(out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_m31),           cmocka_unit_test(test_cm31),
                                       cmocka_unit_test(test_qm31),          cmocka_unit_test(test_powers),
                                       cmocka_unit_test(test_cm31_products), cmocka_unit_test(test_conversions),
                                       cmocka_unit_test(test_batch_inverse)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
