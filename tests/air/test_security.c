/* Security figures: worked out by hand, docs/security.md's table, and what the profiles promise. */
#include "air/profile.h"
#include "air/security.h"
#include "support.h"
#include <math.h>
#include <stdio.h>

static const double log_field = 123.99999999731277; /* 4 * log2(2^31 - 1) */

static void expect(double bits, double expected) {
    if (fabs(bits - expected) > 1e-6) fail_msg("%.9f, not %.9f", bits, expected);
}

static void layout_of(pr_layout *layout, const pr_statement *st) {
    pr_error err = {0};
    if (pr_layout_init(layout, st, &err) != PR_OK) fail_msg("%s", err.text);
}

/* 2^5 rows, blow-up 2, two columns of one sample and eight of the composition: Q = 10, N = 1, folds of 2^6, 2^5 .. 2^2.
 */
static void without_lookups(void **state) {
    (void)state;
    pr_air *air = support_cube(5);
    pr_config config = support_config();
    pr_statement st;
    pr_layout l;
    pr_security_term t[PR_TERM_COUNT];
    support_statement(&st, air, &config);
    layout_of(&l, &st);
    pr_security_terms(t, &l);
    expect(t[PR_TERM_QUERIES_CONJECTURED].bits, 1 * 5 + 4);
    expect(t[PR_TERM_QUERIES_UNIQUE].bits, 5 * log2(4.0 / 3) + 4);
    expect(t[PR_TERM_COMMIT_UNIQUE].bits, log_field - 6 - log2(9 + 1 + 0.5 + 0.25 + 0.125 + 0.0625));
    expect(t[PR_TERM_CONSTRAINT_BATCHING].bits, log_field);
    expect(t[PR_TERM_OUT_OF_DOMAIN].bits, log_field - 5 - log2(3));
    expect(t[PR_TERM_QUOTIENT_BATCHING].bits, log_field - log2(9));
    expect(t[PR_TERM_LIST_DECODING].bits, 6.499109502473477); /* an independent script's, m = 4050 */
    assert_false(t[PR_TERM_LOOKUPS].applies);
    expect(l.security.conjectured_bits, 9);
    expect(l.security.reported_bits, 9);
    expect(l.security.field_bits, log_field - 5 - log2(3));
    expect(l.security.proven_bits, 5 * log2(4.0 / 3) + 4);
    expect(l.security.commit_bits, t[PR_TERM_COMMIT_UNIQUE].bits);
    assert_true(l.security.insecure);
    pr_layout_clear(&l);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

static double lookup_bits(const pr_statement *st) {
    pr_layout l;
    pr_security_term t[PR_TERM_COUNT];
    layout_of(&l, st);
    pr_security_terms(t, &l);
    assert_true(t[PR_TERM_LOOKUPS].applies);
    pr_layout_clear(&l);
    return t[PR_TERM_LOOKUPS].bits;
}

/* Samples: 2 preprocessed, 5 of the trace (one column of two), 8 interaction columns of two, 8 of the composition: 31,
 * and 9 columns of two samples: Q = 40. N = 2 + 2 batches. Fractions: 1 * 2^5 + 2 * 2^4 of degree 1. */
static void with_lookups(void **state) {
    (void)state;
    pr_air *air = support_pairs();
    pr_config config = support_config();
    pr_statement st;
    pr_layout l;
    pr_security_term t[PR_TERM_COUNT];
    config.lifting_log_size = 6;
    support_statement(&st, air, &config);
    layout_of(&l, &st);
    pr_security_terms(t, &l);
    expect(t[PR_TERM_COMMIT_UNIQUE].bits, log_field - 6 - log2(39 + 1.9375));
    expect(t[PR_TERM_CONSTRAINT_BATCHING].bits, log_field - log2(3));
    expect(t[PR_TERM_QUOTIENT_BATCHING].bits, log_field - log2(39));
    expect(t[PR_TERM_LOOKUPS].bits, log_field - log2(2 * 64));
    expect(pr_security_lookup_bits(air), log_field - log2(2 * 64));
    expect(l.security.field_bits, log_field - 7);
    expect(l.security.list_bits, 6.499109502473477);
    pr_layout_clear(&l);
    assert_int_equal(pr_statement_add_public_term(&st, 0, 1, (const pr_m31[]){1, 2}, 2, NULL), PR_OK);
    expect(lookup_bits(&st), log_field - log2(2 * 65));
    pr_statement_clear(&st);
    air->relations[0].size = 7; /* denominators of degree 6 in alpha */
    config.interaction_pow_bits = 9;
    support_statement(&st, air, &config);
    expect(lookup_bits(&st), log_field - log2(2 * 6 * 64) + 9);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

/* Work that is done after the challenges of the relations does not protect them. */
static void a_misplaced_grind_adds_nothing(void **state) {
    (void)state;
    static const pr_step_kind before[] = {
        PR_STEP_CONFIG,         PR_STEP_COMMIT_PREPROCESSED, PR_STEP_COMMIT_TRACE,      PR_STEP_GRIND,
        PR_STEP_DRAW_RELATIONS, PR_STEP_CLAIMED_SUMS,        PR_STEP_COMMIT_INTERACTION};
    pr_air *air = support_pairs();
    pr_config config = support_config();
    pr_statement st;
    pr_step steps[7] = {{0}};
    config.lifting_log_size = 6;
    support_statement(&st, air, &config);
    for (uint32_t k = 0; k < 7; k++)
        steps[k] = (pr_step){.kind = before[k], .bits = before[k] == PR_STEP_GRIND ? 9 : 0};
    assert_int_equal(pr_statement_set_transcript(&st, steps, 7, NULL), PR_OK);
    expect(lookup_bits(&st), log_field - 7 + 9);
    pr_step grind = steps[3];
    steps[3] = steps[4];
    steps[4] = grind;
    assert_int_equal(pr_statement_set_transcript(&st, steps, 7, NULL), PR_OK);
    expect(lookup_bits(&st), log_field - 7);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

/* ---- profiles ---- */

static pr_air *wide(uint32_t log_rows) {
    pr_air_builder *b = pr_air_builder_create("wide");
    pr_expr x[100];
    (void)pr_air_component_begin(b, "wide", log_rows);
    for (uint32_t k = 0; k < 100; k++) x[k] = pr_air_add_column(b, 0);
    for (uint32_t k = 2; k < 100; k++) {
        pr_expr sum = pr_add(b, pr_mul(b, x[k - 2], x[k - 2]), pr_mul(b, x[k - 1], x[k - 1]));
        pr_air_constrain(b, NULL, pr_sub(b, x[k], sum));
    }
    return support_build(b);
}

static pr_security security_of(const char *profile, const pr_air *air) {
    pr_config config;
    pr_statement st;
    pr_layout l;
    pr_error err = {0};
    if (pr_profile_config(&config, profile, &err) || pr_profile_fit(&config, air, &err)) fail_msg("%s", err.text);
    support_statement(&st, air, &config);
    layout_of(&l, &st);
    pr_security s = l.security;
    pr_layout_clear(&l);
    pr_statement_clear(&st);
    return s;
}

static void expect_tenth(double bits, double expected) {
    if (fabs(bits - expected) > 0.05) fail_msg("%.2f, not %.1f", bits, expected);
}

static void the_table_of_the_page(void **state) {
    (void)state;
    static const struct {
        const char *profile;
        uint32_t log_rows;
        double reported, proven, commit, field, list;
    } rows[] = {
        {"fast", 10, 12.0, 7.3, 106.2, 112.4, 8.0},
        {"fast", 20, 12.0, 7.3, 96.2, 102.4, 8.0},
        {"standard", 10, 96.0, 51.5, 106.2, 112.4, 56.7},
        {"standard", 16, 96.0, 51.5, 100.2, 106.4, 54.4},
        {"standard", 20, 96.0, 51.5, 96.2, 102.4, 52.0},
        {"standard", 24, 96.0, 51.5, 92.2, 98.4, 47.9},
        {"conservative", 10, 112.4, 96.4, 106.2, 112.4, 79.6},
        {"conservative", 16, 106.4, 96.4, 100.2, 106.4, 70.1},
        {"conservative", 20, 102.4, 96.2, 96.2, 102.4, 62.1},
        {"conservative", 24, 98.4, 92.2, 92.2, 98.4, 54.1},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        pr_air *air = wide(rows[k].log_rows);
        pr_security s = security_of(rows[k].profile, air);
        print_message("%-12s 2^%u: reported %.1f, proven %.1f, commit %.1f, field %.1f, list %.1f\n", rows[k].profile,
                      rows[k].log_rows, s.reported_bits, s.proven_bits, s.commit_bits, s.field_bits, s.list_bits);
        expect_tenth(s.reported_bits, rows[k].reported);
        expect_tenth(s.proven_bits, rows[k].proven);
        expect_tenth(s.commit_bits, rows[k].commit);
        expect_tenth(s.field_bits, rows[k].field);
        expect_tenth(s.list_bits, rows[k].list);
        assert_int_equal(s.insecure, s.reported_bits < 96);
        pr_air_destroy(air);
    }
}

static void what_the_profiles_promise(void **state) {
    (void)state;
    for (uint32_t log_rows = 1; log_rows <= 24; log_rows++) {
        pr_air *air = wide(log_rows);
        pr_security fast = security_of("fast", air), standard = security_of("standard", air);
        pr_security conservative = security_of("conservative", air);
        assert_true(fast.insecure);
        assert_true(standard.conjectured_bits >= 96 && standard.field_bits >= 96 && standard.reported_bits >= 96);
        assert_false(standard.insecure);
        if (log_rows <= 20) assert_true(conservative.proven_bits >= 96);
        assert_false(conservative.insecure);
        pr_air_destroy(air);
    }
    assert_string_equal(PR_DEFAULT_PROFILE, "standard");
}

/* 127 lookups on 2^24 rows: 2^31 * 127 / 128 fractions leave 92 bits, so five are ground. */
static void many_lookups_are_ground_for(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("many");
    uint32_t r = pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "many", 24);
    pr_expr x = pr_air_add_column(b, 0);
    for (uint32_t k = 0; k < 127; k++) pr_air_lookup_add(b, r, pr_const(b, 1), &x, 1, -1);
    pr_air *air = support_build(b), *few = support_pairs();
    pr_config config;
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    assert_int_equal(pr_profile_fit(&config, air, NULL), PR_OK);
    assert_int_equal(config.interaction_pow_bits, 5);
    assert_false(security_of("standard", air).insecure);
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    assert_int_equal(pr_profile_fit(&config, few, NULL), PR_OK);
    assert_int_equal(config.interaction_pow_bits, 0);
    assert_int_equal(config.lifting_log_size, 6);
    pr_air_destroy(air);
    pr_air_destroy(few);
}

/* Two rows: the last layer's degree bound and the fold step give way; what the bits rest on does not. */
static void tiny_traces_fit(void **state) {
    (void)state;
    pr_air *air = support_cube(1);
    pr_config config, fitted;
    assert_int_equal(pr_profile_config(&config, "conservative", NULL), PR_OK);
    fitted = config;
    assert_int_equal(pr_profile_fit(&fitted, air, NULL), PR_OK);
    assert_int_equal(fitted.log_last_layer_degree_bound, 0);
    assert_int_equal(fitted.fold_step, 1);
    assert_int_equal(fitted.lifting_log_size, -1);
    assert_int_equal(fitted.n_queries, config.n_queries);
    assert_int_equal(fitted.pow_bits, config.pow_bits);
    assert_int_equal(fitted.log_blowup, config.log_blowup);
    pr_air_destroy(air);
}

static void unknown_profiles(void **state) {
    (void)state;
    pr_config config;
    pr_error err = {0};
    support_expect_error(pr_profile_config(&config, "safest", &err), PR_ERR_USAGE, &err,
                         "no profile 'safest'; allowed: fast, standard, conservative");
}

static void the_report_for_people(void **state) {
    (void)state;
    pr_air *cube = support_cube(5), *pairs = support_pairs();
    pr_config config = support_config();
    pr_statement st;
    pr_layout l;
    pr_writer w;
    pr_writer_init(&w);
    support_statement(&st, cube, &config);
    layout_of(&l, &st);
    pr_security_write(&w, &l);
    pr_write_u8(&w, 0);
    assert_non_null(strstr((const char *)w.data, "9.0 bits reported (conjectured, field terms included): insecure "
                                                 "parameters; 6.1 bits proven in unique decoding\n"));
    assert_non_null(strstr((const char *)w.data, "conjectured    9.0  queries, up-to-capacity conjecture: b * "));
    assert_null(strstr((const char *)w.data, "lookups"));
    pr_layout_clear(&l);
    pr_statement_clear(&st);
    pr_writer_clear(&w);
    pr_writer_init(&w);
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    assert_int_equal(pr_profile_fit(&config, pairs, NULL), PR_OK);
    support_statement(&st, pairs, &config);
    layout_of(&l, &st);
    pr_security_write(&w, &l);
    pr_write_u8(&w, 0);
    assert_null(strstr((const char *)w.data, "insecure"));
    assert_non_null(strstr((const char *)w.data, "field        117.0  lookups: log2 |F| - "));
    pr_layout_clear(&l);
    pr_statement_clear(&st);
    pr_writer_clear(&w);
    pr_air_destroy(cube);
    pr_air_destroy(pairs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_lookups),
        cmocka_unit_test(with_lookups),
        cmocka_unit_test(a_misplaced_grind_adds_nothing),
        cmocka_unit_test(the_table_of_the_page),
        cmocka_unit_test(what_the_profiles_promise),
        cmocka_unit_test(many_lookups_are_ground_for),
        cmocka_unit_test(tiny_traces_fit),
        cmocka_unit_test(unknown_profiles),
        cmocka_unit_test(the_report_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
