/* The checker: what it finds in broken traces, and how it says so. */
#include "air/checker.h"
#include "support.h"
#include <stdio.h>

/* A trace for an AIR of at most two components of at most three columns and 2^5 rows. */
typedef struct small_trace {
    pr_m31 cells[2][3][32];
    pr_m31 *columns[2][3];
    pr_m31 *const *components[2];
} small_trace;

static void trace_init(small_trace *t) {
    memset(t->cells, 0, sizeof t->cells);
    for (int c = 0; c < 2; c++) {
        for (int k = 0; k < 3; k++) t->columns[c][k] = t->cells[c][k];
        t->components[c] = t->columns[c];
    }
}

/* The report of a check and its text; the text is the caller's. */
static pr_check_report check(const pr_statement *st, const small_trace *t, char **text) {
    pr_check_report report;
    pr_writer w;
    pr_error err = {0};
    pr_writer_init(&w);
    if (pr_check_trace(&report, &w, st, t->components, &err) != PR_OK) fail_msg("%s", err.text);
    pr_write_u8(&w, 0);
    *text = strdup((const char *)w.data);
    pr_writer_clear(&w);
    pr_check_report silent;
    assert_int_equal(pr_check_trace(&silent, NULL, st, t->components, &err), PR_OK);
    assert_int_equal(silent.n_failures, report.n_failures); /* the text changes nothing */
    assert_int_equal(silent.n_unbalanced, report.n_unbalanced);
    assert_int_equal(silent.ok, report.ok);
    return report;
}

/* support_pairs: big looks up (x, p) = (x, row) once each row; small takes (z, 3) m times. */
typedef struct pairs {
    pr_air *air;
    pr_statement st;
    small_trace t;
} pairs;

/* x = 0 but in row 3, where it is 9; p is the row. All rows but 3 are consumed by public terms. */
static void pairs_init(pairs *p) {
    pr_config config = support_config();
    p->air = support_pairs();
    support_statement(&p->st, p->air, &config);
    trace_init(&p->t);
    p->t.cells[0][0][3] = 9;
    p->t.cells[0][1][3] = 81;
    for (pr_m31 r = 0; r < 32; r++)
        if (r != 3)
            assert_int_equal(pr_statement_add_public_term(&p->st, 0, PR_P - 1, (const pr_m31[]){0, r}, 2, NULL), PR_OK);
    p->t.cells[1][0][5] = 9; /* z, m */
    p->t.cells[1][1][5] = 1;
}

static void pairs_clear(pairs *p) {
    pr_statement_clear(&p->st);
    pr_air_destroy(p->air);
}

static void a_good_trace(void **state) {
    (void)state;
    pairs p;
    char *text;
    pairs_init(&p);
    pr_check_report r = check(&p.st, &p.t, &text);
    assert_string_equal(text, "");
    assert_true(r.ok);
    assert_false(r.constraint_failed);
    assert_int_equal(r.n_rows, 32 + 16);
    assert_int_equal(r.n_constraints, 2);
    assert_int_equal(r.n_failures, 0);
    assert_int_equal(r.n_unbalanced, 0);
    free(text);
    pairs_clear(&p);
}

static void the_first_failure_is_named(void **state) {
    (void)state;
    pairs p;
    char *text;
    pairs_init(&p);
    p.t.cells[0][1][7] = 5;
    p.t.cells[0][1][4] = 2;
    pr_check_report r = check(&p.st, &p.t, &text);
    assert_string_equal(text, "component big, constraint 0 (square), row 4: value 2, not 0\n"
                              "  column 0 at offset 0: 0\n"
                              "  column 1 at offset 0: 2\n");
    assert_false(r.ok);
    assert_true(r.constraint_failed);
    assert_int_equal(r.component, 0);
    assert_int_equal(r.constraint, 0);
    assert_int_equal(r.row, 4);
    assert_int_equal(r.n_failures, 2);
    free(text);
    pairs_clear(&p);
}

/* Row before all: an earlier row of a later constraint comes first; offsets wrap around; preprocessed values show. */
static void rows_come_first_and_offsets_wrap(void **state) {
    (void)state;
    static const int32_t offsets[2] = {-1, 0};
    static const pr_m31 values[4] = {1, 0, 0, 0};
    pr_air_builder *b = pr_air_builder_create("counter");
    (void)pr_air_add_preprocessed(b, "is_first", 2, values);
    (void)pr_air_component_begin(b, "counter", 2);
    pr_expr x[2], first = pr_air_use_preprocessed(b, "is_first");
    pr_air_add_column_mask(b, x, offsets, 2);
    pr_expr step = pr_sub(b, pr_sub(b, x[1], x[0]), pr_const(b, 1));
    pr_air_constrain(b, "step", pr_mul(b, pr_sub(b, pr_const(b, 1), first), step));
    pr_air_constrain(b, "start", pr_mul(b, first, pr_sub(b, x[1], pr_add(b, x[0], pr_const(b, 7)))));
    pr_air *air = support_build(b);
    pr_config config = support_config();
    pr_statement st;
    small_trace t;
    char *text;
    support_statement(&st, air, &config);
    trace_init(&t);
    for (pr_m31 r = 0; r < 4; r++) t.cells[0][0][r] = 10 + r + (r == 2); /* 10, 11, 13, 13 */
    pr_check_report r = check(&st, &t, &text);
    assert_string_equal(text, "component counter, constraint 1 (start), row 0: value 2147483637, not 0\n"
                              "  column 0 at offset -1: 13\n"
                              "  column 0 at offset 0: 10\n"
                              "  preprocessed 'is_first': 1\n");
    assert_int_equal(r.constraint, 1);
    assert_int_equal(r.row, 0);
    assert_int_equal(r.n_failures, 3); /* start in row 0, step in rows 2 and 3 */
    free(text);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

static void unbalanced_tuples_name_who_touches_them(void **state) {
    (void)state;
    pairs p;
    char *text;
    pairs_init(&p);
    p.t.cells[1][1][5] = 0;
    p.t.cells[1][0][6] = 8;
    p.t.cells[1][1][6] = 2;
    pr_check_report r = check(&p.st, &p.t, &text);
    assert_string_equal(text, "relation pairs: (9, 3) net multiplicity +1, produced and not consumed\n"
                              "  +1 from component big, row 3\n"
                              "relation pairs: (8, 3) net multiplicity -2, consumed and not produced\n"
                              "  -2 from component small, row 6\n");
    assert_false(r.ok);
    assert_false(r.constraint_failed);
    assert_int_equal(r.n_unbalanced, 2);
    free(text);
    pairs_clear(&p);
}

static void public_terms_take_part(void **state) {
    (void)state;
    pairs p;
    char *text;
    pairs_init(&p);
    assert_int_equal(pr_statement_add_public_term(&p.st, 0, 5, (const pr_m31[]){0, 0}, 2, NULL), PR_OK);
    pr_check_report r = check(&p.st, &p.t, &text);
    assert_string_equal(text, "relation pairs: (0, 0) net multiplicity +5, produced and not consumed\n"
                              "  +1 from component big, row 0\n"
                              "  -1 from public term 0\n"
                              "  +5 from public term 31\n");
    assert_int_equal(r.n_unbalanced, 1);
    free(text);
    p.st.public_terms[31].relation = 1;
    pr_check_report report;
    pr_error err = {0};
    support_expect_error(pr_check_trace(&report, NULL, &p.st, p.t.components, &err), PR_ERR_REFUSED, &err,
                         "public term 31 fits no relation");
    pairs_clear(&p);
}

/* Twenty tuples are listed, six touches each; the rest is counted. */
static void long_lists_are_cut(void **state) {
    (void)state;
    pairs p;
    char *text;
    pairs_init(&p);
    p.st.n_public_terms = 0;                                               /* nobody takes the 31 tuples (0, r) */
    for (uint32_t r = 0; r < 16; r++) p.t.cells[1][1][r] = r == 5 ? 1 : 2; /* (0, 3), 15 times 2 */
    pr_check_report r = check(&p.st, &p.t, &text);
    p.st.n_public_terms = 31;
    assert_int_equal(r.n_unbalanced, 32);
    assert_non_null(strstr(text, "... and 12 more tuples that do not cancel\n"));
    free(text);
    for (uint32_t row = 0; row < 16; row++) p.t.cells[1][1][row] = row == 5 ? 2 : 1;
    for (uint32_t row = 0; row < 16; row++) p.t.cells[1][0][row] = 9;
    r = check(&p.st, &p.t, &text);
    assert_int_equal(r.n_unbalanced, 1);
    assert_string_equal(text, "relation pairs: (9, 3) net multiplicity -16, consumed and not produced\n"
                              "  +1 from component big, row 3\n"
                              "  -1 from component small, row 0\n"
                              "  -1 from component small, row 1\n"
                              "  -1 from component small, row 2\n"
                              "  -1 from component small, row 3\n"
                              "  -1 from component small, row 4\n"
                              "  and 11 more\n");
    free(text);
    pairs_clear(&p);
}

/* A tuple shorter than its relation means the one padded with zeros; a width that nothing uses costs no memory. */
static void wide_relations_cost_nothing(void **state) {
    (void)state;
    pairs p;
    char *text;
    pairs_init(&p);
    p.air->relations[0].size = INT32_MAX;
    assert_true(check(&p.st, &p.t, &text).ok);
    free(text);
    p.t.cells[1][1][5] = 2;
    assert_int_equal(check(&p.st, &p.t, &text).n_unbalanced, 1);
    assert_non_null(strstr(text, "relation pairs: (9, 3) net multiplicity -1, consumed and not produced\n"));
    free(text);
    pairs_clear(&p);
}

/* Relations are balanced one by one: what one has too many does not make up for what another lacks. */
static void relations_are_counted_apart(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("two");
    uint32_t r[2] = {pr_air_add_relation(b, "first", 1), pr_air_add_relation(b, "second", 3)};
    (void)pr_air_component_begin(b, "c", 1);
    pr_expr x = pr_air_add_column(b, 0), zero = pr_const(b, 0), one = pr_const(b, 1);
    pr_air_lookup_add(b, r[0], one, &x, 1, -1);
    pr_air_lookup_add(b, r[1], pr_const(b, -1), (pr_expr[]){x, zero, zero}, 3, -1);
    pr_air *air = support_build(b);
    pr_config config = support_config();
    pr_statement st;
    small_trace t;
    char *text;
    support_statement(&st, air, &config);
    trace_init(&t);
    t.cells[0][0][1] = 4;
    pr_check_report report = check(&st, &t, &text);
    assert_int_equal(report.n_unbalanced, 4);
    assert_non_null(strstr(text, "relation first: (4) net multiplicity +1, produced and not consumed\n"));
    assert_non_null(strstr(text, "relation second: (4, 0, 0) net multiplicity -1, consumed and not produced\n"));
    free(text);
    /* a shorter public tuple stands for itself with zeros behind */
    const pr_m31 v[2] = {0, 4};
    for (uint32_t k = 0; k < 2; k++) {
        assert_int_equal(pr_statement_add_public_term(&st, 0, PR_P - 1, &v[k], 1, NULL), PR_OK);
        assert_int_equal(pr_statement_add_public_term(&st, 1, 1, &v[k], 1, NULL), PR_OK);
    }
    report = check(&st, &t, &text);
    assert_true(report.ok);
    assert_string_equal(text, "");
    free(text);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

static void unknown_preprocessed_values(void **state) {
    (void)state;
    pairs p;
    pr_check_report report;
    pr_error err = {0};
    pairs_init(&p);
    free(p.air->preprocessed[1].values);
    p.air->preprocessed[1].values = NULL;
    support_expect_error(pr_check_trace(&report, NULL, &p.st, p.t.components, &err), PR_ERR_REFUSED, &err,
                         "preprocessed column 'q' has no values");
    pairs_clear(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_trace),
        cmocka_unit_test(the_first_failure_is_named),
        cmocka_unit_test(rows_come_first_and_offsets_wrap),
        cmocka_unit_test(unbalanced_tuples_name_who_touches_them),
        cmocka_unit_test(public_terms_take_part),
        cmocka_unit_test(long_lists_are_cut),
        cmocka_unit_test(relations_are_counted_apart),
        cmocka_unit_test(wide_relations_cost_nothing),
        cmocka_unit_test(unknown_preprocessed_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
