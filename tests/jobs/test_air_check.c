/* The check of a trace, for each size of a component and each instruction set: an honest trace passes, and of a changed
 * cell the constraint and the row are named, or the relation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "air/builder.h"
#include "air/check.h"
#include "support.h"

enum { COLUMNS = 6, TUPLE = 4 };

/* Twice the same rows, in another order: x, y, before (x of the row before), and what follows from them. The tuples of
 * one component are those of the other. Operations of all kinds, in programs of all lengths. */
static void add_component(pr_air_builder *b, const char *name, uint32_t log_size, int64_t sign) {
    static const int32_t offsets[2] = {-1, 0};
    pr_expr c[COLUMNS], mask[2], tuple[TUPLE];
    pr_air_component_begin(b, name, log_size);
    pr_air_add_column_mask(b, mask, offsets, 2);
    c[0] = mask[1];
    for (int k = 1; k < COLUMNS; k++) c[k] = pr_air_add_column(b, 0);
    pr_air_constrain(b, "before", pr_sub(b, c[2], mask[0]));
    pr_air_constrain(b, "square", pr_sub(b, c[3], pr_add(b, pr_mul(b, c[0], c[0]), pr_const(b, 5))));
    pr_expr product = pr_mul(b, c[1], c[2]), sum = pr_add(b, pr_add(b, c[0], c[1]), c[2]);
    pr_air_constrain(b, "product", pr_sub(b, c[4], pr_sub(b, product, pr_neg(b, c[3]))));
    pr_air_constrain(b, "sum",
                     pr_sub(b, c[5], pr_sub(b, pr_mul(b, sum, pr_const(b, 7)), pr_sub(b, pr_const(b, 3), c[4]))));
    tuple[0] = c[0], tuple[1] = c[1], tuple[2] = pr_const(b, 9), tuple[3] = pr_sub(b, c[1], c[0]);
    pr_air_lookup_add(b, 0, pr_const(b, sign), tuple, TUPLE, -1);
    pr_air_lookup_add(b, 1, pr_mul(b, pr_const(b, sign), c[1]), tuple, 1, -1);
}

static pr_air *make_air(uint32_t log_size) {
    pr_air *air = NULL;
    pr_error err = {0};
    pr_air_builder *b = pr_air_builder_create("checked");
    assert_non_null(b);
    pr_air_add_relation(b, "four", TUPLE);
    pr_air_add_relation(b, "one", 1);
    add_component(b, "left", log_size, 1);
    add_component(b, "right", log_size, -1);
    if (pr_air_build(&air, b, &err) != PR_OK) fail_msg("%s", err.text);
    return air;
}

static void fill(pr_m31 *const *c, uint32_t n_rows) {
    for (uint32_t r = 0; r < n_rows; r++) {
        c[2][r] = c[0][(r + n_rows - 1) % n_rows];
        c[3][r] = pr_m31_add(pr_m31_square(c[0][r]), 5);
        c[4][r] = pr_m31_add(pr_m31_mul(c[1][r], c[2][r]), c[3][r]);
        pr_m31 sum = pr_m31_add(pr_m31_add(c[0][r], c[1][r]), c[2][r]);
        c[5][r] = pr_m31_sub(pr_m31_mul(sum, 7), pr_m31_sub(3, c[4][r]));
    }
}

static void fill_both(rows *left, rows *right, uint64_t *random) {
    uint32_t n_rows = 1u << left->log_rows;
    for (uint32_t r = 0; r < n_rows; r++) {
        left->columns[0][r] = right->columns[0][n_rows - 1 - r] = random_m31(random);
        left->columns[1][r] = right->columns[1][n_rows - 1 - r] = random_m31(random);
    }
    fill(left->columns, n_rows);
    fill(right->columns, n_rows);
}

static pr_status check(const pr_statement *st, const rows *left, const rows *right, pr_error *err) {
    pr_air_check *c = NULL;
    assert_int_equal(pr_air_check_create(&c, st, PR_AIR_CHECK_FULL, err), PR_OK);
    pr_status status = pr_air_check_component(c, 0, left->columns, 2, err);
    if (status == PR_OK) status = pr_air_check_component(c, 1, right->columns, 3, err);
    if (status == PR_OK) status = pr_air_check_relations(c, err);
    pr_air_check_destroy(c);
    return status;
}

/* What of column k is named first: a constraint that reads it, in the row or the next. */
static void change_one(const pr_statement *st, rows *left, const rows *right, uint32_t k, uint32_t row) {
    static const char *const names[COLUMNS] = {"before", "product", "before", "square", "product", "sum"};
    uint32_t n_rows = 1u << left->log_rows, next = (row + 1) % n_rows;
    pr_m31 kept = left->columns[k][row];
    char here[32], below[32];
    pr_error err = {0};
    left->columns[k][row] = pr_m31_add(kept, 1);
    assert_int_equal(check(st, left, right, &err), PR_ERR_INPUT);
    snprintf(here, sizeof here, ", row %u: ", row);
    snprintf(below, sizeof below, ", row %u: ", next);
    if (!strstr(err.text, "component 'left'") || (!strstr(err.text, here) && !strstr(err.text, below)))
        fail_msg("column %u, row %u of %u: %s", k, row, n_rows, err.text);
    if (k && !strstr(err.text, names[k])) fail_msg("column %u: %s", k, err.text);
    left->columns[k][row] = kept;
}

static void every_size(void **state) {
    (void)state;
    uint64_t random = test_seed();
    for (uint32_t log_size = 1; log_size <= 9; log_size++) {
        pr_air *air = make_air(log_size);
        pr_statement st = {.air = air};
        rows left = rows_create(COLUMNS, log_size), right = rows_create(COLUMNS, log_size);
        pr_error err = {0};
        fill_both(&left, &right, &random);
        if (check(&st, &left, &right, &err) != PR_OK) fail_msg("2^%u rows: %s", log_size, err.text);
        for (uint32_t k = 0; k < COLUMNS; k++)
            change_one(&st, &left, &right, k, (uint32_t)next_random(&random) & ((1u << log_size) - 1));
        /* all constraints hold, and one tuple differs */
        uint32_t row = (uint32_t)next_random(&random) & ((1u << log_size) - 1);
        left.columns[1][row] = pr_m31_add(left.columns[1][row], 1);
        fill(left.columns, 1u << log_size);
        assert_int_equal(check(&st, &left, &right, &err), PR_ERR_INPUT);
        if (!strstr(err.text, "relation 'four' is out of balance")) fail_msg("%s", err.text);
        rows_destroy(&left);
        rows_destroy(&right);
        pr_air_destroy(air);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_size)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
