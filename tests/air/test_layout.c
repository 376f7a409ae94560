/* Shapes of statements worked out by hand, and every refusal that needs the parameters. */
#include "support.h"
#include <stdio.h>

static void layout_of(pr_layout *layout, const pr_statement *st) {
    pr_error err = {0};
    if (pr_layout_init(layout, st, &err) != PR_OK) fail_msg("%s", err.text);
}

static void expect_refusal(const pr_statement *st, const char *fragment) {
    pr_error err = {0};
    pr_layout layout;
    support_expect_error(pr_layout_init(&layout, st, &err), PR_ERR_REFUSED, &err, fragment);
    assert_null(layout.trees[1].columns); /* nothing is left to clear */
}

static void expect_tree(const pr_layout_tree *tree, pr_tree_kind kind, uint32_t n_columns, uint32_t height,
                        uint32_t n_samples) {
    assert_int_equal(tree->kind, kind);
    assert_int_equal(tree->n_columns, n_columns);
    assert_int_equal(tree->height, height);
    assert_int_equal(tree->n_samples, n_samples);
}

static void expect_fri(const pr_layout *layout, const pr_layout_fri *fri, uint32_t n) {
    assert_int_equal(layout->n_fri_layers, n);
    for (uint32_t k = 0; k < n; k++) {
        assert_int_equal(layout->fri[k].log_size, fri[k].log_size);
        assert_int_equal(layout->fri[k].fold_step, fri[k].fold_step);
        assert_int_equal(layout->fri[k].packed, fri[k].packed);
    }
}

static void plain(void **state) {
    (void)state;
    pr_air *air = support_cube(5);
    pr_config config = support_config();
    pr_statement st;
    pr_layout l;
    support_statement(&st, air, &config);
    layout_of(&l, &st);
    assert_int_equal(l.n_trees, 3);
    expect_tree(&l.trees[0], PR_TREE_PREPROCESSED, 0, 0, 0);
    expect_tree(&l.trees[1], PR_TREE_TRACE, 2, 6, 2);
    expect_tree(&l.trees[2], PR_TREE_COMPOSITION, 8, 6, 8);
    assert_int_equal(l.log_max_rows, 5);
    assert_int_equal(l.log_lifted, 6);
    assert_int_equal(l.log_base, 5);
    assert_int_equal(l.n_constraints, 1);
    assert_int_equal(l.log_last_domain, 1);
    expect_fri(&l, (pr_layout_fri[]){{6, 1, 0}, {5, 1, 0}, {4, 1, 0}, {3, 1, 0}, {2, 1, 0}}, 5);
    assert_false(l.grinds_interaction);
    assert_null(l.trees[2].component_first);
    pr_layout_clear(&l);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

static void lookups_and_lifting(void **state) {
    (void)state;
    pr_air *air = support_pairs();
    pr_config config = support_config();
    config.log_blowup = 2;
    config.lifting_log_size = 9;
    config.interaction_pow_bits = 7;
    pr_statement st;
    pr_layout l;
    support_statement(&st, air, &config);
    layout_of(&l, &st);
    assert_int_equal(l.n_trees, 4);
    expect_tree(&l.trees[0], PR_TREE_PREPROCESSED, 2, 9, 2);
    expect_tree(&l.trees[1], PR_TREE_TRACE, 4, 9, 5);
    expect_tree(&l.trees[2], PR_TREE_INTERACTION, 8, 9, 16); /* each column is its component's last: two samples */
    expect_tree(&l.trees[3], PR_TREE_COMPOSITION, 8, 9, 8);
    const uint32_t log_ext[4] = {7, 7, 6, 6}, sorted[4] = {2, 3, 0, 1};
    for (uint32_t k = 0; k < 4; k++) {
        assert_int_equal(l.trees[1].columns[k].log_ext, log_ext[k]);
        assert_int_equal(l.trees[1].sorted[k], sorted[k]);
    }
    assert_int_equal(l.trees[1].columns[1].n_offsets, 2);
    assert_int_equal(l.trees[1].columns[1].offsets[0], -1);
    assert_int_equal(l.trees[2].columns[0].offsets[0], -1);
    assert_int_equal(l.trees[2].columns[0].offsets[1], 0);
    assert_memory_equal(l.trees[1].component_first, ((uint32_t[]){0, 2, 4}), 12);
    assert_memory_equal(l.trees[2].component_first, ((uint32_t[]){0, 4, 8}), 12);
    assert_memory_equal(l.constraint_first, ((uint32_t[]){0, 3, 4}), 12);
    assert_int_equal(l.n_constraints, 4);
    assert_int_equal(l.log_lifted, 9);
    assert_int_equal(l.log_base, 7);
    assert_true(l.grinds_interaction);
    assert_int_equal(l.interaction_pow_bits, 7);
    pr_layout_clear(&l);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

/* Batches before the last have one sample, a preprocessed column that nobody reads none. */
static void batches_and_unread_columns(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("batches");
    (void)pr_air_add_preprocessed(b, "unread", 7, NULL);
    uint32_t r = pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "c", 4);
    pr_expr x = pr_air_add_column(b, 0);
    for (uint32_t k = 0; k < 3; k++) pr_air_lookup_add(b, r, pr_const(b, 1), &x, 1, (int32_t)k);
    pr_air *air = support_build(b);
    pr_config config = support_config();
    pr_statement st;
    pr_layout l;
    support_statement(&st, air, &config);
    layout_of(&l, &st);
    expect_tree(&l.trees[0], PR_TREE_PREPROCESSED, 1, 8, 0); /* higher than L: tree 0 does not count */
    expect_tree(&l.trees[2], PR_TREE_INTERACTION, 12, 5, 16);
    assert_int_equal(l.trees[2].columns[7].n_offsets, 1);
    assert_int_equal(l.trees[2].columns[7].offsets[0], 0);
    assert_int_equal(l.trees[2].columns[8].n_offsets, 2);
    assert_int_equal(l.log_lifted, 5);
    pr_layout_clear(&l);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

static void fri_schedules(void **state) {
    (void)state;
    static const struct {
        uint32_t log_rows, blowup, last, step, n;
        pr_layout_fri fri[4];
    } cases[] = {
        {8, 1, 2, 3, 2, {{9, 3, true}, {6, 3, true}}},
        {7, 1, 0, 2, 4, {{8, 2, true}, {6, 2, true}, {4, 2, true}, {2, 1, false}}},
        {9, 1, 0, 3, 3, {{10, 3, true}, {7, 3, true}, {4, 3, true}}},
        {6, 2, 1, 4, 2, {{8, 4, true}, {4, 1, false}}},
        {4, 3, 1, 3, 1, {{7, 3, true}}}, /* the first fold ends on the last layer */
        {1, 1, 0, 1, 1, {{2, 1, false}}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        pr_air *air = support_cube(cases[k].log_rows);
        pr_config config = support_config();
        config.log_blowup = cases[k].blowup;
        config.log_last_layer_degree_bound = cases[k].last;
        config.fold_step = cases[k].step;
        pr_statement st;
        pr_layout l;
        support_statement(&st, air, &config);
        layout_of(&l, &st);
        print_message("schedule %zu\n", k);
        expect_fri(&l, cases[k].fri, cases[k].n);
        uint32_t left = l.log_lifted;
        for (uint32_t i = 0; i < l.n_fri_layers; i++) {
            assert_int_equal(l.fri[i].log_size, left);
            left -= l.fri[i].fold_step;
        }
        assert_int_equal(left, l.log_last_domain);
        pr_layout_clear(&l);
        pr_statement_clear(&st);
        pr_air_destroy(air);
    }
}

/* Largest rows, blow-up and lifting at once: nothing overflows its table. */
static void the_largest_sizes(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("large");
    (void)pr_air_add_preprocessed(b, "p", 3, NULL);
    (void)pr_air_component_begin(b, "c", 24);
    pr_air_constrain(b, NULL, pr_air_add_column(b, 0));
    pr_air *air = support_build(b);
    pr_config config = support_config();
    config.log_blowup = 4;
    config.lifting_log_size = 30;
    pr_statement st;
    pr_layout l;
    support_statement(&st, air, &config);
    layout_of(&l, &st);
    assert_int_equal(l.log_lifted, 30);
    assert_int_equal(l.log_base, 26);
    assert_int_equal(l.n_fri_layers, 26);
    pr_layout_clear(&l);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

static void every_parameter_out_of_range(void **state) {
    (void)state;
    static const struct {
        pr_config config; /* pow, blow-up, queries, last, step, lifting, interaction pow */
        const char *fragment;
    } cases[] = {
        {{4, 0, 5, 0, 1, -1, 0}, "log_blowup_factor 0 is out of range: 1 to 4"},
        {{4, 5, 5, 0, 1, -1, 0}, "log_blowup_factor 5 is out of range: 1 to 4 (blow-up 2 to 16)"},
        {{4, 1, 0, 0, 1, -1, 0}, "n_queries 0: a proof needs at least one query"},
        {{4, 1, 65537, 0, 1, -1, 0}, "n_queries 65537 is out of range"},
        {{33, 1, 5, 0, 1, -1, 0}, "pow_bits 33 is out of range: 0 to 32"},
        {{4, 1, 5, 0, 1, -1, 33}, "interaction_pow_bits 33 is out of range: 0 to 32"},
        {{4, 1, 5, 0, 0, -1, 0}, "fold_step 0: every FRI layer folds at least once"},
        {{4, 1, 5, 11, 1, -1, 0}, "log_last_layer_degree_bound 11 is out of range: 0 to 10"},
        {{4, 1, 5, 0, 1, 0, 0}, "lifting_log_size 0 reads like none"},
        {{4, 1, 5, 0, 1, 31, 0}, "lifting_log_size 31 is out of range"},
        {{4, 1, 5, 0, 1, -2, 0}, "lifting_log_size -2 is out of range"},
        {{4, 1, 5, 0, 1, 6, 0}, "lifting_log_size 6 is set, but there is no preprocessed column"},
        {{4, 1, 5, 0, 6, -1, 0}, "fold_step 6 is too large"},
        {{4, 1, 5, 0, 7, -1, 0}, "fold_step 7 is too large"},
        {{4, 1, 5, 0, UINT32_MAX, -1, 0}, "fold_step 4294967295 is too large"},
        {{4, 1, 5, 5, 1, -1, 0}, "fold_step 1 is too large: the first fold takes log size 6 below the last layer's"},
    };
    pr_air *air = support_cube(5);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        pr_statement st;
        support_statement(&st, air, &cases[k].config);
        print_message("%s\n", cases[k].fragment);
        expect_refusal(&st, cases[k].fragment);
        pr_statement_clear(&st);
    }
    pr_air_destroy(air);
}

/* b: relation in a small component only; with_column: a preprocessed column that makes lifting possible. */
static pr_air *uneven(bool with_column) {
    pr_air_builder *b = pr_air_builder_create("uneven");
    if (with_column) (void)pr_air_add_preprocessed(b, "one", 3, NULL);
    uint32_t r = pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "large", 6);
    (void)pr_air_add_column(b, 0);
    (void)pr_air_component_begin(b, "small", 4);
    pr_expr x = pr_air_add_column(b, 0);
    pr_air_lookup_add(b, r, pr_const(b, 0), &x, 1, -1);
    return support_build(b);
}

static void trees_of_different_heights(void **state) {
    (void)state;
    pr_config config = support_config();
    pr_error err = {0};
    int32_t lifting = 0;
    pr_air *air = uneven(true);
    pr_statement st;
    pr_layout l;
    support_statement(&st, air, &config);
    expect_refusal(&st, "trees of heights 5 and 7 without lifting_log_size: set it");
    assert_int_equal(pr_statement_choose_lifting(&lifting, air, 1, &err), PR_OK);
    assert_int_equal(lifting, 7);
    st.config.lifting_log_size = lifting;
    layout_of(&l, &st);
    for (uint32_t t = 0; t < 4; t++) assert_int_equal(l.trees[t].height, 7);
    pr_layout_clear(&l);
    st.config.lifting_log_size = 6;
    expect_refusal(&st, "lifting_log_size 6 is below the largest column's extended log size 7");
    pr_statement_clear(&st);
    pr_air_destroy(air);

    air = uneven(false);
    support_expect_error(pr_statement_choose_lifting(&lifting, air, 1, &err), PR_ERR_REFUSED, &err,
                         "add one (a constant column will do)");
    pr_air_destroy(air);
}

static void lifting_is_chosen(void **state) {
    (void)state;
    int32_t lifting = 0;
    pr_air *air = support_cube(5);
    assert_int_equal(pr_statement_choose_lifting(&lifting, air, 3, NULL), PR_OK);
    assert_int_equal(lifting, -1); /* no preprocessed column, all trees of one height */
    pr_air_destroy(air);
    air = support_pairs();
    assert_int_equal(pr_statement_choose_lifting(&lifting, air, 3, NULL), PR_OK);
    assert_int_equal(lifting, 8);
    air->preprocessed[0].log_size = 10; /* the preprocessed tree counts */
    assert_int_equal(pr_statement_choose_lifting(&lifting, air, 3, NULL), PR_OK);
    assert_int_equal(lifting, 13);
    air->preprocessed[0].log_size = 5;
    pr_air_destroy(air);
}

/* Soundness: a third sample is only bound to the rows where the column is as large as the lifted domain. */
static void three_offsets_below_the_lifted_size(void **state) {
    (void)state;
    static const int32_t offsets[3] = {-1, 0, 1};
    pr_air_builder *b = pr_air_builder_create("rows");
    pr_expr x[3];
    (void)pr_air_add_preprocessed(b, "one", 3, NULL);
    (void)pr_air_component_begin(b, "rows", 5);
    pr_air_add_column_mask(b, x, offsets, 3);
    pr_air_constrain(b, "sum", pr_sub(b, x[2], pr_add(b, x[1], x[0])));
    pr_air *air = support_build(b);
    pr_config config = support_config();
    pr_statement st;
    pr_layout l;
    config.lifting_log_size = 6;
    support_statement(&st, air, &config);
    layout_of(&l, &st);
    pr_layout_clear(&l);
    st.config.lifting_log_size = 7;
    expect_refusal(&st,
                   "trace column 0 has more than two mask offsets and extended log size 6, below the lifted size 7");
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

static void every_public_term_out_of_range(void **state) {
    (void)state;
    static const struct {
        uint32_t relation, multiplicity, n_values;
        pr_m31 values[3];
        const char *fragment;
    } cases[] = {
        {1, 1, 2, {1, 2}, "public term 0: relation 1 does not exist (there are 1)"},
        {0, 1, 3, {1, 2, 3}, "public term 0: 3 values, relation 'pairs' takes 1 to 2"},
        {0, 1, 0, {0}, "public term 0: 0 values"},
        {0, PR_P, 2, {1, 2}, "public term 0: multiplicity 2147483647 is not below p"},
        {0, 1, 2, {1, PR_P}, "public term 0: value 2147483647 is not below p"},
    };
    pr_config config = support_config();
    pr_air *air = support_pairs(), *cube = support_cube(5);
    pr_statement st;
    config.lifting_log_size = 6;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        support_statement(&st, air, &config);
        assert_int_equal(pr_statement_add_public_term(&st, cases[k].relation, cases[k].multiplicity, cases[k].values,
                                                      cases[k].n_values, NULL),
                         PR_OK);
        expect_refusal(&st, cases[k].fragment);
        pr_statement_clear(&st);
    }
    config.lifting_log_size = -1;
    support_statement(&st, cube, &config);
    assert_int_equal(pr_statement_add_public_term(&st, 0, 1, cases[0].values, 1, NULL), PR_OK);
    expect_refusal(&st, "there are public terms, but AIR 'power' has no relations");
    pr_statement_clear(&st);
    pr_air_destroy(air);
    pr_air_destroy(cube);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(lookups_and_lifting),
        cmocka_unit_test(batches_and_unread_columns),
        cmocka_unit_test(fri_schedules),
        cmocka_unit_test(the_largest_sizes),
        cmocka_unit_test(every_parameter_out_of_range),
        cmocka_unit_test(trees_of_different_heights),
        cmocka_unit_test(lifting_is_chosen),
        cmocka_unit_test(three_offsets_below_the_lifted_size),
        cmocka_unit_test(every_public_term_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
