/* Folds, lifted sums, gathering, row order, grinding and memory operations of every backend. */
#include "fixture.h"
#include "../field/json_field.h"
#include "circle/transform.h"

#define MAX_LOG 15

static pr_twiddles twiddles;

typedef struct secure {
    pr_col cols[4];
} secure;

static secure secure_cols(fixture *f, uint32_t log_rows) {
    secure s;
    for (int k = 0; k < 4; k++) s.cols[k] = fixture_col(f, log_rows);
    return s;
}
static void secure_upload(fixture *f, secure s, const pr_qm31 *v) {
    const size_t n = (size_t)1 << s.cols[0].log_rows;
    pr_m31 *words = malloc(n * sizeof *words);
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++) words[i] = v[i].c[k];
        fixture_upload(f, s.cols[k], words);
    }
    free(words);
}
static void secure_assert(fixture *f, const char *what, secure s, const pr_qm31 *want) {
    const size_t n = (size_t)1 << s.cols[0].log_rows;
    pr_m31 *words = malloc(n * sizeof *words);
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++) words[i] = want[i].c[k];
        fixture_assert_col(f, what, s.cols[0].log_rows, s.cols[k], words);
    }
    free(words);
}
static pr_qm31 *secure_values(uint64_t *state, size_t n) { return (pr_qm31 *)fixture_values(state, 4 * n); }

static void folds_match_reference(void **unused) {
    (void)unused;
    for (const pr_backend *const *b = fixture_backends(); *b; b++)
        for (uint32_t log_n = 1; log_n <= MAX_LOG; log_n++) {
            uint64_t state = fixture_seed() + log_n;
            fixture f;
            fixture_open(&f, *b, 1 + log_n % 3, (size_t)1 << (log_n + 3 < 10 ? 10 : log_n + 3), log_n + 1);
            secure src = secure_cols(&f, log_n), dst = secure_cols(&f, log_n - 1);
            pr_qm31 *v = secure_values(&state, (size_t)1 << log_n), *want = malloc(sizeof *want << log_n);
            pr_qm31 alpha = fixture_qm31(&state);
            secure_upload(&f, src, v);
            assert_int_equal(f.ops->fold_circle(f.dev, dst.cols, src.cols, alpha, NULL), PR_OK);
            pr_fold_circle(want, v, log_n, alpha, &twiddles);
            secure_assert(&f, "fold_circle", dst, want);
            assert_int_equal(f.ops->fold_line(f.dev, dst.cols, src.cols, alpha, NULL), PR_OK);
            pr_fold_line(want, v, log_n, alpha, &twiddles);
            secure_assert(&f, "fold_line", dst, want);
            free(v);
            free(want);
            fixture_close(&f);
        }
}

/* step 0: from the circle; else that many folds of a line. */
static void fold_case(fixture *f, const json_t *c, uint32_t log_n, const json_t *out, unsigned step) {
    pr_qm31 alpha = to_qm31(json_object_get(c, "alpha"));
    size_t n;
    pr_qm31 *v = to_qm31s(json_object_get(c, "values"), &n), *want = to_qm31s(out, &n);
    f->used = 0;
    secure at = secure_cols(f, log_n);
    secure_upload(f, at, v);
    for (unsigned s = 0; s < (step ? step : 1); s++, alpha = pr_qm31_square(alpha)) {
        secure to = secure_cols(f, log_n - 1 - s);
        pr_status status = step ? f->ops->fold_line(f->dev, to.cols, at.cols, alpha, NULL)
                                : f->ops->fold_circle(f->dev, to.cols, at.cols, alpha, NULL);
        assert_int_equal(status, PR_OK);
        at = to;
    }
    secure_assert(f, "folded vector", at, want);
    free(v);
    free(want);
}

static void fold_vectors_hold(void **unused) {
    (void)unused;
    json_t *file = json_load_file(PR_TEST_VECTORS "/primitives/fri.json", 0, NULL);
    assert_non_null(file);
    for (const pr_backend *const *b = fixture_backends(); *b; b++) {
        fixture f;
        size_t i;
        json_t *c;
        fixture_open(&f, *b, 1, (size_t)1 << 16, 14);
        json_array_foreach(json_object_get(file, "fold_circle"), i, c) fold_case(
            &f, c, (uint32_t)json_integer_value(json_object_get(c, "log_size")), json_object_get(c, "out"), 0);
        json_array_foreach(json_object_get(file, "fold_line"), i, c) for (unsigned step = 1; step <= 3; step++) {
            char key[16];
            snprintf(key, sizeof key, "fold_step_%u", step);
            if (json_object_get(c, key))
                fold_case(&f, c, (uint32_t)json_integer_value(json_object_get(c, "log_size")), json_object_get(c, key),
                          step);
        }
        fixture_close(&f);
    }
    json_decref(file);
}

static void lifted_sums_match(void **unused) {
    (void)unused;
    for (const pr_backend *const *b = fixture_backends(); *b; b++)
        for (uint32_t log_dst = 1; log_dst <= 14; log_dst++)
            for (uint32_t log_src = log_dst > 6 ? log_dst - 6 : 1; log_src <= log_dst; log_src++) {
                uint64_t state = fixture_seed() + log_dst;
                fixture f;
                fixture_open(&f, *b, 1 + log_src % 2, (size_t)1 << 18, 2);
                secure dst = secure_cols(&f, log_dst), src = secure_cols(&f, log_src);
                pr_qm31 *d = secure_values(&state, (size_t)1 << log_dst),
                        *s = secure_values(&state, (size_t)1 << log_src);
                secure_upload(&f, dst, d);
                secure_upload(&f, src, s);
                assert_int_equal(f.ops->lift_add(f.dev, dst.cols, src.cols, NULL), PR_OK);
                for (uint32_t i = 0; i < 1u << log_dst; i++)
                    d[i] = pr_qm31_add(d[i], s[pr_slot_lift(log_src, log_dst, i)]);
                secure_assert(&f, "lift_add", dst, d);
                free(d);
                free(s);
                fixture_close(&f);
            }
}

static void rows_find_their_slots(void **unused) {
    (void)unused;
    for (const pr_backend *const *b = fixture_backends(); *b; b++)
        for (uint32_t log_n = 0; log_n <= 17; log_n++) {
            uint64_t state = fixture_seed() + log_n;
            const size_t n = (size_t)1 << log_n, n_cols = 1 + log_n % 3;
            fixture f;
            fixture_open(&f, *b, 1 + log_n % 2, 8 * n + 256, 2);
            pr_col src[3], dst[3];
            pr_m31 *v[3], *want = malloc(n * sizeof *want);
            for (size_t k = 0; k < n_cols; k++) {
                src[k] = fixture_col(&f, log_n);
                dst[k] = fixture_col(&f, log_n);
                v[k] = fixture_values(&state, n);
                fixture_upload(&f, src[k], v[k]);
            }
            assert_int_equal(f.ops->rows_to_storage(f.dev, dst, src, n_cols, NULL), PR_OK);
            for (size_t k = 0; k < n_cols; k++) {
                for (uint32_t r = 0; r < n; r++) want[pr_slot_of_row(log_n, r)] = v[k][r];
                fixture_assert_col(&f, "rows_to_storage", log_n, dst[k], want);
                free(v[k]);
            }
            free(want);
            fixture_close(&f);
        }
}

static void gather_lifts(void **unused) {
    (void)unused;
    static const uint32_t positions[] = {5, 5, 0, 1023, 512, 77, 78, 5};
    enum { N = sizeof positions / sizeof *positions };
    for (const pr_backend *const *b = fixture_backends(); *b; b++) {
        uint64_t state = fixture_seed();
        fixture f;
        fixture_open(&f, *b, 2, (size_t)1 << 13, 2);
        pr_col cols[10];
        pr_m31 *v[10], out[10 * N];
        for (uint32_t k = 0; k < 10; k++) {
            cols[k] = fixture_col(&f, k + 1);
            v[k] = fixture_values(&state, (size_t)2 << k);
            fixture_upload(&f, cols[k], v[k]);
        }
        assert_int_equal(f.ops->gather(f.dev, out, cols, 10, positions, N, 10, NULL), PR_OK);
        for (uint32_t k = 0; k < 10; k++) {
            for (size_t i = 0; i < N; i++)
                assert_int_equal(out[k * N + i], v[k][pr_slot_lift(k + 1, 10, positions[i])]);
            free(v[k]);
        }
        fixture_close(&f);
    }
}

static void memory_is_written(void **unused) {
    (void)unused;
    for (const pr_backend *const *b = fixture_backends(); *b; b++) {
        uint64_t state = fixture_seed();
        fixture f;
        fixture_open(&f, *b, 1, (size_t)1 << 12, 2);
        pr_col cols[3] = {fixture_col(&f, 9), fixture_col(&f, 0), fixture_col(&f, 10)};
        pr_m31 *host[3], *v = fixture_values(&state, 1024), zeros[1024] = {0};
        assert_int_equal(f.ops->map_write(f.dev, host, cols, 3, NULL), PR_OK);
        for (int k = 0; k < 3; k++) memcpy(host[k], v, sizeof(pr_m31) << cols[k].log_rows);
        assert_int_equal(f.ops->unmap_write(f.dev, host, cols, 3, NULL), PR_OK);
        for (int k = 0; k < 3; k++) fixture_assert_col(&f, "mapped", 0, cols[k], v);
        assert_int_equal(f.ops->zero(f.dev, cols, 2, NULL), PR_OK);
        assert_int_equal(f.ops->synchronize(f.dev, NULL), PR_OK);
        for (int k = 0; k < 2; k++) fixture_assert_col(&f, "zeroed", 0, cols[k], zeros);
        fixture_assert_col(&f, "left alone", 0, cols[2], v);
        free(v);
        fixture_close(&f);
    }
}

/* The long ones only where asked for: they take 2^22 hashes. */
static void grinding_finds_the_first(void **unused) {
    (void)unused;
    json_t *file = json_load_file(PR_TEST_VECTORS "/primitives/channel.json", 0, NULL);
    assert_non_null(file);
    const json_t *cases = json_object_get(file, "pow");
    const json_int_t most = getenv("PROVERUN_TEST_LONG") ? 32 : 16;
    for (const pr_backend *const *b = fixture_backends(); *b; b++)
        for (unsigned threads = 1; threads <= 3; threads++) {
            fixture f;
            fixture_open(&f, *b, threads, 1024, 2);
            for (size_t i = 0; i < json_array_size(cases); i++) {
                const json_t *c = json_array_get(cases, i);
                json_int_t bits = json_integer_value(json_object_get(c, "pow_bits"));
                if (bits > most) continue;
                const json_t *nonce = json_object_get(c, "nonce");
                uint64_t want = json_is_string(nonce) ? strtoull(json_string_value(nonce), NULL, 10)
                                                      : (uint64_t)json_integer_value(nonce);
                uint64_t got = 0;
                pr_hash prefix;
                assert_true(pr_hex_decode(prefix.bytes, 32, json_string_value(json_object_get(c, "prefixed_digest"))));
                assert_int_equal(f.ops->grind(f.dev, &got, &prefix, (uint32_t)bits, NULL), PR_OK);
                assert_true(got == want);
            }
            fixture_close(&f);
        }
    json_decref(file);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(folds_match_reference),
                                       cmocka_unit_test(fold_vectors_hold),
                                       cmocka_unit_test(lifted_sums_match),
                                       cmocka_unit_test(rows_find_their_slots),
                                       cmocka_unit_test(gather_lifts),
                                       cmocka_unit_test(memory_is_written),
                                       cmocka_unit_test(grinding_finds_the_first)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
