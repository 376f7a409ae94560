/* sample of every backend against interpolation and evaluation of coefficients. */
#include "circle/transform.h"
#include "fixture.h"

#define MAX_COLS 300
#define MAX_POINTS 4

static pr_twiddles twiddles;

static pr_secure_point random_point(uint64_t *state) {
    pr_secure_point p;
    assert_true(pr_secure_point_from_t(&p, fixture_qm31(state)));
    return p;
}

/* Columns of 2^m rows, extended by b logs; only the prefix that sample may read is given, other rows are noise. */
static void check(uint64_t *state, unsigned m, unsigned b, size_t n, size_t n_points, unsigned n_threads) {
    static pr_m31 *values[MAX_COLS];
    static pr_qm31 want[MAX_COLS * MAX_POINTS], got[MAX_COLS * MAX_POINTS];
    pr_secure_point points[MAX_POINTS];
    for (size_t p = 0; p < n_points; p++) points[p] = random_point(state);
    pr_m31 *coeffs = malloc(sizeof *coeffs << m);
    for (size_t k = 0; k < n; k++) {
        values[k] = fixture_values(state, (size_t)1 << (m + b));
        memcpy(coeffs, values[k], sizeof *coeffs << m);
        pr_transform_interpolate(coeffs, m, b, &twiddles);
        for (size_t p = 0; p < n_points; p++) want[k * n_points + p] = pr_circle_evaluate_secure(coeffs, m, points[p]);
    }
    for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) {
        fixture f;
        pr_col cols[MAX_COLS];
        fixture_open(&f, *ops, n_threads, n * (((size_t)1 << (m + b)) + 32), m + b);
        for (size_t k = 0; k < n; k++) fixture_upload(&f, cols[k] = fixture_col(&f, m + b), values[k]);
        assert_int_equal((*ops)->sample(f.dev, got, cols, n, b, points, n_points, NULL), PR_OK);
        fixture_assert_equal(&f, "sampled values of log rows", m, got[0].c, want[0].c, 4 * n * n_points);
        fixture_close(&f);
    }
    for (size_t k = 0; k < n; k++) free(values[k]);
    free(coeffs);
}

static void test_sizes(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed();
    for (unsigned m = 1; m <= 12; m++)
        for (unsigned b = 1; b <= 4; b++) check(&state, m, b, 1 + (m + b) % 6, 1 + (m * b) % 4, 1 + m % 3);
}

static void test_many_columns(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed();
    check(&state, 3, 1, MAX_COLS, 2, 2);
    check(&state, 10, 1, 257, 1, 2);
}

/* A constant column has its constant for value everywhere. */
static void test_constant(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed();
    for (const pr_backend *const *ops = fixture_backends(); *ops; ops++)
        for (unsigned m = 1; m <= 11; m++) {
            fixture f;
            pr_qm31 got, want = pr_qm31_from_m31(PR_P - 1);
            pr_secure_point point = random_point(&state);
            fixture_open(&f, *ops, 1, ((size_t)2 << m) + 32, m + 1);
            pr_col col = fixture_col(&f, m + 1);
            pr_m31 *values = malloc(sizeof *values * 2 << m);
            for (size_t i = 0; i < (size_t)2 << m; i++) values[i] = PR_P - 1;
            fixture_upload(&f, col, values);
            assert_int_equal((*ops)->sample(f.dev, &got, &col, 1, 1, &point, 1, NULL), PR_OK);
            fixture_assert_equal(&f, "constant", m, got.c, want.c, 4);
            free(values);
            fixture_close(&f);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes), cmocka_unit_test(test_many_columns),
                                       cmocka_unit_test(test_constant)};
    if (pr_twiddles_init(&twiddles, 16, NULL) != PR_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pr_twiddles_clear(&twiddles);
    return failed;
}
