/* Known answers of twiddles, transforms, evaluations and folds: primitives/twiddles_fft.json and fri.json. */
#include "base/bytes.h"
#include "circle/transform.h"
#include "hash/blake2s.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "../field/json_field.h"

enum { MOST_LOG = 18 };

static json_t *fft, *fri;
static pr_twiddles shared; /* larger than every case: smaller domains are served too */

static int setup(void **state) {
    (void)state;
    fft = test_load("twiddles_fft.json");
    fri = test_load("fri.json");
    return fft && fri && pr_twiddles_init(&shared, MOST_LOG, NULL) == PR_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    pr_twiddles_clear(&shared);
    json_decref(fft);
    json_decref(fri);
    return 0;
}

static pr_secure_point point(size_t k) {
    const json_t *p = json_array_get(get(fft, "points"), k);
    return (pr_secure_point){to_qm31(get(p, "x")), to_qm31(get(p, "y"))};
}

static void expect_digest(const pr_m31 *values, size_t n, const json_t *want) {
    pr_writer w;
    pr_writer_init(&w);
    for (size_t k = 0; k < n; k++) pr_write_u32(&w, values[k]);
    pr_hash got = pr_blake2s_hash(w.data, w.size);
    pr_writer_clear(&w);
    char hex[65];
    pr_hex_encode(hex, got.bytes, 32);
    assert_string_equal(hex, json_string_value(want));
}

static void check_twiddles(const json_t *c, unsigned n) {
    pr_twiddles tw;
    assert_int_equal(pr_twiddles_init(&tw, n, NULL), PR_OK);
    if (json_object_get(c, "twiddles")) {
        expect_m31s(tw.line, (size_t)1 << (n - 1), get(c, "twiddles"));
        expect_m31s(tw.line_inverse, (size_t)1 << (n - 1), get(c, "itwiddles"));
    } else {
        expect_digest(tw.line, (size_t)1 << (n - 1), get(c, "twiddles_blake2s"));
        expect_digest(tw.line_inverse, (size_t)1 << (n - 1), get(c, "itwiddles_blake2s"));
    }
    for (uint32_t h = 0; h < 1u << (n - 1) && h < 64; h++) {
        assert_int_equal(pr_twiddles_circle(&tw, n, h), pr_domain_point(n, 2 * h).y);
        assert_int_equal(pr_twiddles_circle_inverse(&shared, n, h), pr_m31_inverse(pr_domain_point(n, 2 * h).y));
    }
    pr_twiddles_clear(&tw);
}

static void test_cases(void **state) {
    (void)state;
    size_t index, size;
    json_t *c;
    json_array_foreach(get_cases(fft, "cases"), index, c) {
        unsigned n = (unsigned)get_size(c, "log_size");
        check_twiddles(c, n);
        pr_m31 *values = to_m31s(get(c, "evals"), &size), *wide = malloc(4 * size * sizeof *wide);
        for (unsigned b = 0; b <= 2; b++) {
            const char *const keys[] = {"evals", "extended_1", "extended_2"};
            pr_transform_extend(wide, values, n, n + b, &shared);
            expect_m31s(wide, size << b, get(c, keys[b]));
        }
        pr_transform_interpolate(values, n, 0, &shared);
        expect_m31s(values, size, get(c, "coeffs"));
        for (size_t k = 0; k < 3; k++)
            expect_qm31(pr_circle_evaluate_secure(values, n, point(k)), json_array_get(get(c, "at_points"), k));
        pr_qm31 left = pr_circle_evaluate_secure(values, n - 1, point(0));
        pr_qm31 right = pr_circle_evaluate_secure(values + size / 2, n - 1, point(0));
        expect_qm31(left, get(c, "split_left_at_point_0"));
        expect_qm31(right, get(c, "split_right_at_point_0"));
        pr_transform_evaluate(values, n, 0, &shared);
        expect_m31s(values, size, get(c, "evals"));
        free(values);
        free(wide);
    }
}

static void test_formula(void **state) {
    (void)state;
    size_t index;
    json_t *c;
    json_array_foreach(get_cases(fft, "formula"), index, c) {
        unsigned n = (unsigned)get_size(c, "log_size");
        size_t size = (size_t)1 << n;
        check_twiddles(c, n);
        pr_m31 *values = malloc(4 * size * sizeof *values);
        for (size_t b = 1; b <= 2; b++) {
            for (uint64_t s = 0; s < size; s++) values[s] = pr_m31_reduce(7 * s * s + 3 * s + 11);
            pr_transform_extend(values, values, n, n + (unsigned)b, &shared); /* in place */
            expect_digest(values, size << b, get(c, b == 1 ? "extended_1_blake2s" : "extended_2_blake2s"));
        }
        for (uint64_t s = 0; s < size; s++) values[s] = pr_m31_reduce(7 * s * s + 3 * s + 11);
        pr_transform_interpolate(values, n, 0, &shared);
        expect_digest(values, size, get(c, "coeffs_blake2s"));
        expect_m31s(values, 4, get(c, "coeffs_head"));
        expect_qm31(pr_circle_evaluate_secure(values, n, point(0)), get(c, "at_point_0"));
        free(values);
    }
}

static void test_subdomain(void **state) {
    (void)state;
    size_t index, size, whole_size;
    json_t *c;
    json_array_foreach(get_cases(fft, "subdomain"), index, c) {
        unsigned n = (unsigned)get_size(c, "log_size"), parts = (unsigned)get_size(c, "log_parts");
        pr_m31 *values = to_m31s(get(c, "evals"), &size), *whole = to_m31s(get(c, "evals_on_whole"), &whole_size);
        assert_int_equal(whole_size, size << parts);
        pr_transform_interpolate(values, n, parts, &shared);
        expect_m31s(values, size, get(c, "coeffs"));
        expect_qm31(pr_circle_evaluate_secure(values, n, point(0)), get(c, "at_point_0"));
        pr_transform_evaluate(values, n, parts, &shared);
        expect_m31s(values, size, get(c, "evals"));
        assert_memory_equal(whole, values, size * sizeof *values);
        free(values);
        free(whole);
    }
}

static void test_folds(void **state) {
    (void)state;
    size_t index, size;
    json_t *c;
    json_array_foreach(get_cases(fri, "fold_circle"), index, c) {
        pr_qm31 *values = to_qm31s(get(c, "values"), &size);
        pr_fold_circle(values, values, (unsigned)get_size(c, "log_size"), to_qm31(get(c, "alpha")), &shared);
        expect_qm31s(values, size / 2, get(c, "out"));
        free(values);
    }
    json_array_foreach(get_cases(fri, "fold_line"), index, c) {
        pr_qm31 *values = to_qm31s(get(c, "values"), &size), alpha = to_qm31(get(c, "alpha"));
        unsigned n = (unsigned)get_size(c, "log_size");
        for (unsigned step = 1; step <= 3 && step <= n; step++, alpha = pr_qm31_square(alpha)) {
            char key[16];
            snprintf(key, sizeof key, "fold_step_%u", step);
            pr_fold_line(values, values, n - step + 1, alpha, &shared);
            if (json_object_get(c, key)) expect_qm31s(values, size >> step, get(c, key));
        }
        free(values);
    }
}

static void test_line_poly(void **state) {
    (void)state;
    size_t index, size, k;
    json_t *c, *p;
    json_array_foreach(get_cases(fri, "line_poly"), index, c) {
        unsigned n = (unsigned)get_size(c, "log_size");
        pr_qm31 *values = to_qm31s(get(c, "values"), &size), *coeffs = to_qm31s(get(c, "values"), &size);
        pr_line_interpolate(coeffs, n, &shared);
        expect_qm31s(coeffs, size, get(c, "coeffs_ordered"));
        json_array_foreach(get_cases(c, "at_points"), k, p)
            expect_qm31(pr_line_evaluate_secure(coeffs, n, to_qm31(get(p, "x"))), get(p, "value"));
        pr_qm31 *stored = to_qm31s(get(c, "coeffs_stored"), &size);
        for (uint32_t slot = 0; slot < size; slot++) {
            pr_qm31 natural = pr_line_evaluate(coeffs, n, pr_line_x(n, slot));
            assert_true(pr_qm31_equal(natural, values[slot]));
            assert_true(pr_qm31_equal(pr_line_evaluate_stored(stored, n, pr_line_x(n, slot)), values[slot]));
        }
        free(stored);
        free(values);
        free(coeffs);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_formula),
                                       cmocka_unit_test(test_subdomain), cmocka_unit_test(test_folds),
                                       cmocka_unit_test(test_line_poly)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
