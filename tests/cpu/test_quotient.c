/* quotients of every backend: golden vectors, and random groups against the definition. */
#include "circle/transform.h"
#include "fixture.h"
#include "../field/json_field.h"

#define MAX_GROUPS 8
#define MAX_COLS 64

static pr_twiddles twiddles;

typedef struct group_case {
    pr_secure_point point;
    size_t n, cols[MAX_COLS]; /* indices of columns */
    pr_qm31 coeffs[MAX_COLS], a, b;
} group_case;

typedef struct quotient_case {
    unsigned log_lifted, log_blowup;
    size_t n_cols, n_groups;
    pr_m31 *cols[MAX_COLS];
    uint32_t log_rows[MAX_COLS];
    group_case groups[MAX_GROUPS];
    pr_m31 *want[4];
} quotient_case;

static pr_cm31 denominator(pr_secure_point q, pr_point p) {
    pr_cm31 x = pr_cm31_sub(pr_qm31_re(q.x), (pr_cm31){p.x, 0}), y = pr_cm31_sub(pr_qm31_re(q.y), (pr_cm31){p.y, 0});
    return pr_cm31_sub(pr_cm31_mul(x, pr_qm31_im(q.y)), pr_cm31_mul(y, pr_qm31_im(q.x)));
}

static pr_qm31 quotient_at(const quotient_case *c, uint32_t slot) {
    pr_point p = pr_domain_point(c->log_lifted, slot);
    pr_qm31 sum = PR_QM31_ZERO;
    for (size_t k = 0; k < c->n_groups; k++) {
        const group_case *g = &c->groups[k];
        pr_qm31 num = pr_qm31_neg(pr_qm31_add(pr_qm31_mul_m31(g->a, p.y), g->b));
        for (size_t i = 0; i < g->n; i++) {
            pr_m31 f = c->cols[g->cols[i]][pr_slot_lift(c->log_rows[g->cols[i]], c->log_lifted, slot)];
            num = pr_qm31_add(num, pr_qm31_mul_m31(g->coeffs[i], f));
        }
        sum = pr_qm31_add(sum, pr_qm31_mul_cm31(num, pr_cm31_inverse(denominator(g->point, p))));
    }
    return sum;
}

static void find_wanted(quotient_case *c) {
    unsigned m = c->log_lifted - c->log_blowup;
    for (int k = 0; k < 4; k++) c->want[k] = calloc((size_t)1 << c->log_lifted, sizeof(pr_m31));
    for (uint32_t slot = 0; slot < 1u << m; slot++) {
        pr_qm31 q = quotient_at(c, slot);
        for (int k = 0; k < 4; k++) c->want[k][slot] = q.c[k];
    }
    for (int k = 0; k < 4; k++) {
        pr_transform_interpolate(c->want[k], m, c->log_blowup, &twiddles);
        pr_transform_evaluate(c->want[k], c->log_lifted, 0, &twiddles);
    }
}

static void clear_case(quotient_case *c) {
    for (size_t k = 0; k < c->n_cols; k++) free(c->cols[k]);
    for (int k = 0; k < 4; k++) free(c->want[k]);
}

static void check_backend(const quotient_case *c, const pr_backend *ops, unsigned n_threads) {
    fixture f;
    pr_col cols[MAX_COLS], of_group[MAX_GROUPS][MAX_COLS], dst[4];
    pr_quotient_group groups[MAX_GROUPS];
    fixture_open(&f, ops, n_threads, (c->n_cols + 4) * (((size_t)1 << c->log_lifted) + 32), c->log_lifted);
    for (size_t k = 0; k < c->n_cols; k++) fixture_upload(&f, cols[k] = fixture_col(&f, c->log_rows[k]), c->cols[k]);
    for (int k = 0; k < 4; k++) dst[k] = fixture_col(&f, c->log_lifted);
    for (size_t k = 0; k < c->n_groups; k++) {
        const group_case *g = &c->groups[k];
        groups[k] = (pr_quotient_group){g->point, g->n, of_group[k], g->coeffs, g->a, g->b};
        for (size_t i = 0; i < g->n; i++) of_group[k][i] = cols[g->cols[i]];
    }
    assert_int_equal(ops->quotients(f.dev, dst, c->log_blowup, groups, c->n_groups, NULL), PR_OK);
    for (size_t k = 0; k < 4; k++) fixture_assert_col(&f, "quotient coordinate", k, dst[k], c->want[k]);
    for (size_t k = 0; k < c->n_cols; k++) fixture_assert_col(&f, "column", k, cols[k], c->cols[k]);
    fixture_close(&f);
}

static void check_everywhere(const quotient_case *c) {
    for (const pr_backend *const *ops = fixture_backends(); *ops; ops++)
        for (unsigned n_threads = 1; n_threads <= 3; n_threads += 2) check_backend(c, *ops, n_threads);
}

static void make_random(quotient_case *c, uint64_t *state, unsigned log_lifted, unsigned log_blowup) {
    *c = (quotient_case){log_lifted, log_blowup, .n_cols = 1 + fixture_random(state) % 24,
                         .n_groups = 1 + fixture_random(state) % 3};
    for (size_t k = 0; k < c->n_cols; k++) {
        unsigned smaller = (unsigned)(fixture_random(state) % (log_lifted - log_blowup));
        c->log_rows[k] = fixture_random(state) & 1 ? log_lifted : log_lifted - smaller;
        c->cols[k] = fixture_values(state, (size_t)1 << c->log_rows[k]);
    }
    for (size_t k = 0; k < c->n_groups; k++) {
        group_case *g = &c->groups[k];
        assert_true(pr_secure_point_from_t(&g->point, fixture_qm31(state)));
        g->n = fixture_random(state) % 12;
        for (size_t i = 0; i < g->n; i++) {
            g->cols[i] = fixture_random(state) % c->n_cols;
            g->coeffs[i] = fixture_qm31(state);
        }
        g->a = fixture_qm31(state);
        g->b = fixture_qm31(state);
    }
}

static void test_random(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed();
    for (unsigned m = 1; m <= 13; m++)
        for (unsigned b = 1; b <= (m < 8 ? 4u : 1u); b++)
            for (int repeat = 0; repeat < (m < 8 ? 4 : 1); repeat++) {
                quotient_case c;
                make_random(&c, &state, m + b, b);
                find_wanted(&c);
                check_everywhere(&c);
                clear_case(&c);
            }
}

/* ---- golden vectors ---- */

static group_case *group_of(quotient_case *c, pr_secure_point point) {
    for (size_t k = 0; k < c->n_groups; k++) {
        group_case *g = &c->groups[k];
        if (pr_qm31_equal(g->point.x, point.x) && pr_qm31_equal(g->point.y, point.y)) return g;
    }
    assert_true(c->n_groups < MAX_GROUPS);
    c->groups[c->n_groups].point = point;
    return &c->groups[c->n_groups++];
}

/* One sample: coefficient k, value v: k (c f - (a y + b)). */
static void add_entry(quotient_case *c, size_t col, const json_t *entry) {
    const json_t *at = json_object_get(entry, "point");
    pr_secure_point q = {to_qm31(json_object_get(at, "x")), to_qm31(json_object_get(at, "y"))};
    pr_qm31 v = to_qm31(json_object_get(entry, "value")), k = to_qm31(json_object_get(entry, "coeff"));
    pr_qm31 a = pr_qm31_sub(pr_qm31_conj(v), v), factor = pr_qm31_sub(pr_qm31_conj(q.y), q.y);
    pr_qm31 b = pr_qm31_sub(pr_qm31_mul(v, factor), pr_qm31_mul(a, q.y));
    group_case *g = group_of(c, q);
    assert_true(g->n < MAX_COLS);
    g->cols[g->n] = col;
    g->coeffs[g->n++] = pr_qm31_mul(k, factor);
    g->a = pr_qm31_add(g->a, pr_qm31_mul(k, a));
    g->b = pr_qm31_add(g->b, pr_qm31_mul(k, b));
}

static void read_column(quotient_case *c, const json_t *j) {
    const json_t *values = json_object_get(j, "values"), *v;
    size_t i, col = c->n_cols++;
    assert_true(col < MAX_COLS);
    c->log_rows[col] = (uint32_t)json_integer_value(json_object_get(j, "log_size"));
    c->cols[col] = malloc(sizeof(pr_m31) << c->log_rows[col]);
    assert_int_equal(json_array_size(values), (size_t)1 << c->log_rows[col]);
    json_array_foreach(values, i, v) c->cols[col][i] = (pr_m31)json_integer_value(v);
    json_array_foreach(json_object_get(j, "with_randomness"), i, v) add_entry(c, col, v);
}

static void read_golden(quotient_case *c, const json_t *j) {
    const json_t *trees = json_object_get(j, "trees"), *quotient = json_object_get(j, "quotient"), *tree, *column;
    size_t t, k;
    *c = (quotient_case){.log_lifted = (unsigned)json_integer_value(json_object_get(j, "lifting_log_size")),
                         .log_blowup = (unsigned)json_integer_value(json_object_get(j, "log_blowup_factor"))};
    json_array_foreach(trees, t, tree) json_array_foreach(tree, k, column) read_column(c, column);
    assert_int_equal(json_array_size(quotient), (size_t)1 << c->log_lifted);
    for (int i = 0; i < 4; i++) c->want[i] = malloc(sizeof(pr_m31) << c->log_lifted);
    json_array_foreach(quotient, k, column) {
        pr_qm31 q = to_qm31(column);
        for (int i = 0; i < 4; i++) c->want[i][k] = q.c[i];
    }
}

static void test_golden(void **unused) {
    (void)unused;
    json_t *root = json_load_file(PR_TEST_VECTORS "/primitives/quotients.json", 0, NULL), *item;
    size_t i;
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "cases")), 10);
    json_array_foreach(json_object_get(root, "cases"), i, item) {
        quotient_case c;
        read_golden(&c, item);
        check_everywhere(&c);
        clear_case(&c);
    }
    json_decref(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_random)};
    if (pr_twiddles_init(&twiddles, 17, NULL) != PR_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pr_twiddles_clear(&twiddles);
    return failed;
}
