/* Extension, interpolation and evaluation of every backend against circle/transform.h. */
#include "fixture.h"

#include "circle/transform.h"

#define MAX_LOG 15
#define N_COLS 3

static pr_twiddles twiddles;

/* n_cols columns of log_n, extended by blowup logs; in_place: dst begins where src does. */
static void check_extend(fixture *f, unsigned log_n, unsigned blowup, size_t n_cols, bool in_place, uint64_t *state) {
    pr_col src[N_COLS], dst[N_COLS];
    pr_m31 *values[N_COLS];
    f->used = 0;
    for (size_t i = 0; i < n_cols; i++) {
        dst[i] = fixture_col(f, log_n + blowup);
        src[i] = in_place ? (pr_col){dst[i].offset, log_n} : fixture_col(f, log_n);
        values[i] = fixture_values(state, (size_t)1 << log_n);
        fixture_upload(f, src[i], values[i]);
    }
    assert_int_equal(f->ops->extend(f->dev, dst, src, n_cols, NULL), PR_OK);
    for (size_t i = 0; i < n_cols; i++) {
        pr_m31 *want = malloc(sizeof *want << (log_n + blowup));
        pr_transform_extend(want, values[i], log_n, log_n + blowup, &twiddles);
        fixture_assert_col(f, "extend", log_n, dst[i], want);
        if (!in_place) fixture_assert_col(f, "source of extend", log_n, src[i], values[i]);
        free(want);
        free(values[i]);
    }
}

static void check_interpolate(fixture *f, unsigned log_n, unsigned log_parts, size_t n_cols, uint64_t *state) {
    pr_col cols[N_COLS];
    pr_m31 *values[N_COLS];
    f->used = 0;
    for (size_t i = 0; i < n_cols; i++) {
        cols[i] = fixture_col(f, log_n);
        values[i] = fixture_values(state, (size_t)1 << log_n);
        fixture_upload(f, cols[i], values[i]);
    }
    assert_int_equal(f->ops->interpolate(f->dev, cols, n_cols, log_parts, NULL), PR_OK);
    for (size_t i = 0; i < n_cols; i++) {
        pr_transform_interpolate(values[i], log_n, log_parts, &twiddles);
        fixture_assert_col(f, "interpolate", log_n, cols[i], values[i]);
        free(values[i]);
    }
}

static void check_evaluate(fixture *f, unsigned log_n, unsigned blowup, size_t n_cols, bool in_place, uint64_t *state) {
    pr_col src[N_COLS], dst[N_COLS];
    pr_m31 *coeffs[N_COLS];
    f->used = 0;
    for (size_t i = 0; i < n_cols; i++) {
        dst[i] = fixture_col(f, log_n + blowup);
        src[i] = in_place ? (pr_col){dst[i].offset, log_n} : fixture_col(f, log_n);
        coeffs[i] = fixture_values(state, (size_t)1 << log_n);
        fixture_upload(f, src[i], coeffs[i]);
    }
    assert_int_equal(f->ops->evaluate(f->dev, dst, src, n_cols, NULL), PR_OK);
    for (size_t i = 0; i < n_cols; i++) {
        pr_m31 *want = calloc((size_t)1 << (log_n + blowup), sizeof *want);
        memcpy(want, coeffs[i], sizeof *want << log_n);
        if (log_n + blowup > 0) pr_transform_evaluate(want, log_n + blowup, 0, &twiddles);
        fixture_assert_col(f, "evaluate", log_n, dst[i], want);
        free(want);
        free(coeffs[i]);
    }
}

static void for_sizes(fixture *f) {
    uint64_t state = fixture_seed();
    for (unsigned log_n = 0; log_n <= MAX_LOG; log_n++)
        for (unsigned b = 0; b <= 2 && log_n + b <= MAX_LOG; b++) {
            size_t n_cols = 1 + (log_n + b) % N_COLS;
            check_extend(f, log_n, b, n_cols, false, &state);
            check_extend(f, log_n, b, n_cols, true, &state);
            check_evaluate(f, log_n, b, n_cols, false, &state);
            check_evaluate(f, log_n, b, n_cols, true, &state);
            check_interpolate(f, log_n, b, n_cols, &state);
        }
}

/* Four columns of log_n + 1 on the beginning of the domain of log_n + blowup. */
static void check_halve(fixture *f, unsigned log_n, unsigned blowup, uint64_t *state) {
    pr_col src[4], dst[8];
    pr_m31 *values[4];
    f->used = 0;
    for (size_t i = 0; i < 8; i++) dst[i] = fixture_col(f, log_n + blowup);
    for (size_t i = 0; i < 4; i++) {
        src[i] = fixture_col(f, log_n + 1);
        values[i] = fixture_values(state, (size_t)2 << log_n);
        fixture_upload(f, src[i], values[i]);
    }
    assert_int_equal(f->ops->halve(f->dev, dst, src, NULL), PR_OK);
    for (size_t i = 0; i < 8; i++) {
        pr_m31 *want = calloc((size_t)1 << (log_n + blowup), sizeof *want);
        if (i < 4) {
            fixture_assert_col(f, "source of halves", log_n, src[i], values[i]);
            pr_transform_interpolate(values[i], log_n + 1, blowup - 1, &twiddles);
        }
        memcpy(want, values[i % 4] + (i / 4 << log_n), sizeof *want << log_n);
        pr_transform_evaluate(want, log_n + blowup, 0, &twiddles);
        fixture_assert_col(f, "half", i, dst[i], want);
        free(want);
    }
    for (size_t i = 0; i < 4; i++) free(values[i]);
}

static void halves_match_reference(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed();
    for (const pr_backend *const *b = fixture_backends(); *b; b++)
        for (unsigned threads = 1; (*b)->halve && threads <= 9; threads += 4) { /* 9: threads share each column */
            fixture f;
            fixture_open(&f, *b, threads, (size_t)13 << MAX_LOG, MAX_LOG);
            for (unsigned log_n = 1; log_n < MAX_LOG; log_n++)
                for (unsigned blowup = 1; blowup <= 3 && log_n + blowup <= MAX_LOG; blowup++)
                    check_halve(&f, log_n, blowup, &state);
            fixture_close(&f);
        }
}

static void transforms_match_reference(void **unused) {
    (void)unused;
    for (const pr_backend *const *b = fixture_backends(); *b; b++)
        for (unsigned threads = 1; threads <= 3; threads += 2) {
            fixture f;
            fixture_open(&f, *b, threads, (size_t)N_COLS << (MAX_LOG + 1), MAX_LOG);
            for_sizes(&f);
            fixture_close(&f);
        }
}

/* Extending by many logs: parts of a few words each. */
static void far_extension_matches(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed();
    for (const pr_backend *const *b = fixture_backends(); *b; b++) {
        fixture f;
        fixture_open(&f, *b, 1, (size_t)1 << 13, 12);
        for (unsigned log_n = 0; log_n <= 8; log_n++) check_extend(&f, log_n, 12 - log_n, 1, true, &state);
        fixture_close(&f);
    }
}

/* Values at the ends of their range, where lazy reduction would go wrong. */
static void ends_match(void **unused) {
    (void)unused;
    enum { LOG_N = 11 };
    uint64_t state = fixture_seed();
    for (const pr_backend *const *b = fixture_backends(); *b; b++) {
        fixture f;
        fixture_open(&f, *b, 1, (size_t)1 << (LOG_N + 1), LOG_N + 1);
        for (int mixed = 0; mixed < 2; mixed++) {
            pr_m31 values[1 << LOG_N], want[2 << LOG_N];
            const pr_col dst = {0, LOG_N + 1}, src = {0, LOG_N};
            for (size_t i = 0; i < 1 << LOG_N; i++)
                values[i] = mixed && fixture_random(&state) % 2 ? 0 : (pr_m31)(PR_P - 1);
            fixture_upload(&f, src, values);
            assert_int_equal(f.ops->extend(f.dev, &dst, &src, 1, NULL), PR_OK);
            pr_transform_extend(want, values, LOG_N, LOG_N + 1, &twiddles);
            fixture_assert_col(&f, "extend", LOG_N, dst, want);
        }
        fixture_close(&f);
    }
}

static int setup(void **unused) {
    (void)unused;
    return pr_twiddles_init(&twiddles, MAX_LOG + 1, NULL) == PR_OK ? 0 : -1;
}
static int teardown(void **unused) {
    (void)unused;
    pr_twiddles_clear(&twiddles);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(transforms_match_reference),
                                       cmocka_unit_test(far_extension_matches),
                                       cmocka_unit_test(halves_match_reference), cmocka_unit_test(ends_match)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
