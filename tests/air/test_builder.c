/* What the builder makes of expressions, and every refusal of its own. */
#include "support.h"
#include <stdio.h>

static pr_air_builder *begin(uint32_t log_rows) {
    pr_air_builder *b = pr_air_builder_create("test");
    assert_non_null(b);
    (void)pr_air_component_begin(b, "c", log_rows);
    return b;
}

static void expect_refusal(pr_air_builder *b, pr_status status, const char *fragment) {
    pr_air *air = NULL;
    pr_error err = {0};
    support_expect_error(pr_air_build(&air, b, &err), status, &err, fragment);
    assert_null(air);
}

static bool same(pr_expr x, pr_expr y) { return x.node == y.node; }

/* ---- expressions ---- */

static void equal_expressions_are_one_node(void **state) {
    (void)state;
    pr_air_builder *b = begin(4);
    pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0);
    pr_expr product = pr_mul(b, x, y), sum = pr_add(b, x, y), difference = pr_sub(b, x, y);
    assert_true(same(pr_mul(b, x, y), product));
    assert_true(same(pr_mul(b, y, x), product));
    assert_true(same(pr_add(b, y, x), sum));
    assert_false(same(pr_sub(b, y, x), difference));
    assert_true(same(pr_neg(b, pr_sub(b, y, x)), difference));
    assert_true(same(pr_const(b, -1), pr_const(b, PR_P - 1)));
    pr_air_constrain(b, "first", pr_mul(b, pr_add(b, x, y), x));
    pr_air_constrain(b, "second", pr_mul(b, x, pr_add(b, y, x)));
    pr_air *air = support_build(b);
    assert_int_equal(air->components[0].constraints[0].node, air->components[0].constraints[1].node);
    assert_int_equal(air->components[0].n_nodes, 4); /* x, y, x + y, and its product with x: nothing unused is left */
    pr_air_destroy(air);
}

static void constants_are_folded(void **state) {
    (void)state;
    pr_air_builder *b = begin(4);
    pr_expr x = pr_air_add_column(b, 0), zero = pr_const(b, 0), one = pr_const(b, 1);
    assert_true(same(pr_add(b, pr_const(b, 2), pr_const(b, 3)), pr_const(b, 5)));
    assert_true(same(pr_sub(b, pr_const(b, 2), pr_const(b, 3)), pr_const(b, -1)));
    assert_true(same(pr_mul(b, pr_const(b, 1 << 30), pr_const(b, 4)), pr_const(b, 2)));
    assert_true(same(pr_neg(b, pr_const(b, 7)), pr_const(b, -7)));
    assert_true(same(pr_add(b, x, zero), x));
    assert_true(same(pr_add(b, zero, x), x));
    assert_true(same(pr_sub(b, x, zero), x));
    assert_true(same(pr_sub(b, x, x), zero));
    assert_true(same(pr_sub(b, zero, x), pr_neg(b, x)));
    assert_true(same(pr_mul(b, x, one), x));
    assert_true(same(pr_mul(b, zero, x), zero));
    assert_true(same(pr_mul(b, x, pr_const(b, -1)), pr_neg(b, x)));
    assert_true(same(pr_neg(b, pr_neg(b, x)), x));
    assert_true(same(pr_sub(b, x, pr_neg(b, x)), pr_add(b, x, x)));
    assert_true(same(pr_const(b, INT64_MIN), pr_const(b, -2))); /* 2^63 = 2 mod p */
    pr_air_builder_destroy(b);
}

/* The compiler evaluates arguments in any order; here both orders are written out. The AIR must be one and the same. */
static pr_air *in_order(bool is_reversed) {
    pr_air_builder *b = pr_air_builder_create("order");
    uint32_t r = pr_air_add_relation(b, "r", 1);
    (void)pr_air_add_preprocessed(b, "p", 4, NULL);
    (void)pr_air_component_begin(b, "c", 4);
    pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0), left, right, p;
    if (is_reversed) {
        right = pr_sub(b, pr_mul(b, y, y), pr_const(b, 5));
        p = pr_air_use_preprocessed(b, "p");
        left = pr_add(b, pr_const(b, 3), x);
    } else {
        left = pr_add(b, pr_const(b, 3), x);
        p = pr_air_use_preprocessed(b, "p");
        right = pr_sub(b, pr_mul(b, y, y), pr_const(b, 5));
    }
    pr_air_constrain(b, "product", pr_mul(b, left, right));
    pr_air_constrain(b, "sum", pr_add(b, p, right));
    pr_air_lookup_add(b, r, pr_neg(b, left), &p, 1, -1);
    return support_build(b);
}

static void the_order_of_evaluation_does_not_matter(void **state) {
    (void)state;
    pr_air *one = in_order(false), *other = in_order(true);
    const pr_air_component *c = &one->components[0], *d = &other->components[0];
    assert_int_equal(c->n_nodes, d->n_nodes);
    assert_memory_equal(c->nodes, d->nodes, c->n_nodes * sizeof *c->nodes);
    assert_int_equal(c->constraints[0].node, d->constraints[0].node);
    assert_int_equal(c->lookups[0].multiplicity, d->lookups[0].multiplicity);
    pr_hash h = pr_air_digest(one), i = pr_air_digest(other);
    assert_memory_equal(h.bytes, i.bytes, sizeof h.bytes);
    pr_air_destroy(one);
    pr_air_destroy(other);
}

/* ---- degrees ---- */

static void degree_four_is_refused_by_name(void **state) {
    (void)state;
    pr_air_builder *b = begin(4);
    pr_expr x = pr_air_add_column(b, 0), square = pr_mul(b, x, x);
    pr_air_constrain(b, "cube", pr_mul(b, x, square));
    pr_air_constrain(b, "fourth power", pr_mul(b, square, square));
    expect_refusal(b, PR_ERR_REFUSED,
                   "AIR test: component c, constraint 'fourth power': degree 4 is above 3; add a column");
    b = begin(4);
    x = pr_air_add_column(b, 0);
    pr_expr power = x;
    for (uint32_t k = 0; k < 100; k++) power = pr_mul(b, power, power); /* saturates, does not wrap */
    pr_air_constrain(b, NULL, power);
    expect_refusal(b, PR_ERR_REFUSED, "constraint 'constraint 0': degree 1000000 is above 3");
}

/* ---- lookups ---- */

static void batches_are_chosen(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("batches");
    uint32_t r = pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "c", 4);
    pr_expr x = pr_air_add_column(b, 0), square = pr_mul(b, x, x), one = pr_const(b, 1);
    for (uint32_t k = 0; k < 5; k++) pr_air_lookup_add(b, r, one, &x, 1, -1); /* two and two and one */
    pr_air_lookup_add(b, r, one, &square, 1, -1);                             /* 1 + 2 factors: not beside another */
    pr_air_lookup_add(b, r, one, &x, 1, -1);
    pr_air_lookup_add(b, r, pr_mul(b, x, square), &one, 1, -1); /* numerator 3 + 1 beside another: alone */
    static const uint32_t batches[8] = {0, 0, 1, 1, 2, 3, 4, 5};
    pr_air *air = support_build(b);
    assert_int_equal(air->components[0].n_batches, 6);
    for (uint32_t k = 0; k < 8; k++) assert_int_equal(air->components[0].lookups[k].batch, batches[k]);
    pr_air_destroy(air);
}

static void lookups_that_do_not_fit(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("lookups");
    uint32_t r = pr_air_add_relation(b, "pairs", 2);
    (void)pr_air_component_begin(b, "c", 4);
    pr_expr x[3] = {pr_air_add_column(b, 0), pr_air_add_column(b, 0), pr_air_add_column(b, 0)};
    pr_air_lookup_add(b, r, x[0], x, 3, -1);
    expect_refusal(b, PR_ERR_REFUSED, "component c, lookup 0: 3 values for relation 0");

    b = pr_air_builder_create("lookups");
    r = pr_air_add_relation(b, "pairs", 2);
    (void)pr_air_component_begin(b, "c", 4);
    x[0] = pr_air_add_column(b, 0);
    pr_air_lookup_add(b, r, x[0], x, 1, -1);
    expect_refusal(b, PR_ERR_REFUSED, "component c, lookup 0: 1 values for relation 0");

    b = begin(4);
    x[0] = pr_air_add_column(b, 0);
    pr_air_lookup_add(b, 0, x[0], x, 1, -1);
    expect_refusal(b, PR_ERR_REFUSED, "component c, lookup 0: 1 values for relation 0");

    b = pr_air_builder_create("lookups");
    r = pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "c", 4);
    x[0] = pr_air_add_column(b, 0);
    pr_air_lookup_add(b, r, x[0], x, 1, 1);
    expect_refusal(b, PR_ERR_REFUSED, "component c, lookup 0: batch 1 leaves batch 0 empty");

    b = pr_air_builder_create("lookups");
    r = pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "c", 4);
    x[0] = pr_air_add_column(b, 0);
    for (uint32_t k = 0; k < 3; k++) pr_air_lookup_add(b, r, x[0], x, 1, 0);
    expect_refusal(b, PR_ERR_REFUSED, "component 'c', lookup batch 0 has degree 4, more than 3: put fewer lookups");

    b = pr_air_builder_create("lookups");
    (void)pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "c", 4);
    (void)pr_air_add_column(b, 0);
    expect_refusal(b, PR_ERR_REFUSED, "the AIR has relations but no component has a lookup");
}

/* ---- columns and components ---- */

static void three_offsets_only_in_the_largest(void **state) {
    (void)state;
    static const int32_t offsets[3] = {-1, 0, 1};
    for (uint32_t log_rows = 3; log_rows <= 5; log_rows++) {
        pr_expr x[3];
        pr_air_builder *b = begin(log_rows);
        pr_air_add_column_mask(b, x, offsets, 3);
        (void)pr_air_component_begin(b, "other", 4);
        (void)pr_air_add_column(b, 0);
        if (log_rows < 4)
            expect_refusal(b, PR_ERR_REFUSED,
                           "component 'c', column 0: more than two mask offsets in a component that is not of the "
                           "largest size; split the column");
        else
            pr_air_destroy(support_build(b));
    }
}

static void columns_that_do_not_fit(void **state) {
    (void)state;
    static const int32_t offsets[5] = {0, 1, 2, 3, 4};
    pr_expr x[5];
    pr_air_builder *b = begin(4);
    pr_air_add_column_mask(b, x, offsets, 5);
    expect_refusal(b, PR_ERR_REFUSED, "component c, column 0: 5 mask offsets; allowed: 1 to 4");
    b = begin(4);
    (void)pr_air_add_column(b, 0);
    pr_air_add_column_mask(b, x, offsets, 0);
    expect_refusal(b, PR_ERR_REFUSED, "component c, column 1: 0 mask offsets; allowed: 1 to 4");
    b = begin(4);
    pr_air_add_column_mask(b, x, (const int32_t[]){1, 17}, 2);
    expect_refusal(b, PR_ERR_REFUSED, "component 'c', column 0: mask offsets 1 and 17 are the same row modulo 2^4");
    b = begin(4);
    expect_refusal(b, PR_ERR_REFUSED, "component 'c' has no trace column");
    b = begin(25);
    (void)pr_air_add_column(b, 0);
    expect_refusal(b, PR_ERR_REFUSED, "component 'c': log_size 25 is out of range (1 to 24)");
}

static void preprocessed_columns_that_do_not_fit(void **state) {
    (void)state;
    pr_air_builder *b = begin(4);
    (void)pr_air_add_column(b, 0);
    (void)pr_air_use_preprocessed(b, "nowhere");
    expect_refusal(b, PR_ERR_REFUSED, "component c: no preprocessed column 'nowhere'");
    b = pr_air_builder_create("large");
    (void)pr_air_add_preprocessed(b, "p", 25, NULL);
    expect_refusal(b, PR_ERR_REFUSED, "preprocessed column 'p': 2^25 rows; at most 2^24");
    b = begin(4);
    (void)pr_air_add_column(b, 0);
    (void)pr_air_add_preprocessed(b, "p", 3, NULL);
    pr_air_constrain(b, "p", pr_air_use_preprocessed(b, "p"));
    expect_refusal(b, PR_ERR_REFUSED, "preprocessed column 'p' has log_size 3, the component 4");
    b = begin(4);
    (void)pr_air_add_column(b, 0);
    (void)pr_air_add_preprocessed(b, "p", 3, NULL);
    (void)pr_air_add_preprocessed(b, "p", 4, NULL);
    expect_refusal(b, PR_ERR_REFUSED, "two preprocessed columns have the id 'p'");
}

/* ---- errors ---- */

/* Whatever follows the first error is ignored: no second message, nothing freed twice. */
static void errors_are_sticky(void **state) {
    (void)state;
    pr_air_builder *b = begin(4);
    pr_expr x = pr_air_add_column(b, 0);
    (void)pr_air_use_preprocessed(b, "first");
    pr_air_constrain(b, "later", pr_mul(b, pr_mul(b, x, x), pr_mul(b, x, x)));
    (void)pr_air_add_preprocessed(b, "p", 25, NULL);
    (void)pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "d", 4);
    x = pr_air_add_column(b, 0);
    pr_air_lookup_add(b, 0, x, &x, 1, -1);
    pr_air_constrain(b, NULL, pr_neg(b, pr_add(b, x, pr_const(b, 1))));
    expect_refusal(b, PR_ERR_REFUSED, "AIR test: component c: no preprocessed column 'first'");
}

static void misuse_is_an_error_not_a_crash(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("none");
    (void)pr_air_add_column(b, 0);
    expect_refusal(b, PR_ERR_INTERNAL, "AIR none: no component is open");
    b = begin(4);
    (void)pr_air_add_column(b, 0);
    pr_expr last = pr_air_add_column(b, 0);
    (void)pr_air_component_begin(b, "d", 4);
    pr_expr x = pr_air_add_column(b, 0);
    pr_air_constrain(b, "mixed", pr_sub(b, x, last));
    expect_refusal(b, PR_ERR_INTERNAL, "component d: an expression of another component");
    b = begin(4);
    (void)pr_air_add_column(b, 0);
    pr_air_declare_derived(b, 2);
    expect_refusal(b, PR_ERR_INTERNAL, "component c: 1 columns; derived from column 2 on");
    b = pr_air_builder_create("empty");
    expect_refusal(b, PR_ERR_REFUSED, "the AIR has no component");
    pr_air_builder_destroy(NULL);
    pr_air_builder_destroy(begin(4)); /* given up half-way */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_expressions_are_one_node),
        cmocka_unit_test(constants_are_folded),
        cmocka_unit_test(the_order_of_evaluation_does_not_matter),
        cmocka_unit_test(degree_four_is_refused_by_name),
        cmocka_unit_test(batches_are_chosen),
        cmocka_unit_test(lookups_that_do_not_fit),
        cmocka_unit_test(three_offsets_only_in_the_largest),
        cmocka_unit_test(columns_that_do_not_fit),
        cmocka_unit_test(preprocessed_columns_that_do_not_fit),
        cmocka_unit_test(errors_are_sticky),
        cmocka_unit_test(misuse_is_an_error_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
