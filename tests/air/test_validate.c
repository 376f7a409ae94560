/* Every refusal of an AIR, one by one: a valid AIR, one thing broken, the words that must come back. */
#include "support.h"
#include <stdio.h>

static char *name_of(const char *text) {
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

static void drop(char **text) {
    free(*text);
    *text = NULL;
}

#define BIG (&air->components[0])
#define SMALL (&air->components[1])

static void no_name(pr_air *air) { drop(&air->name); }
static void no_id(pr_air *air) { drop(&air->preprocessed[1].id); }
static void same_ids(pr_air *air) {
    drop(&air->preprocessed[1].id);
    air->preprocessed[1].id = name_of("p");
}
static void preprocessed_of_one_row(pr_air *air) { air->preprocessed[0].log_size = 0; }
static void preprocessed_too_large(pr_air *air) { air->preprocessed[0].log_size = 25; }
static void preprocessed_not_reduced(pr_air *air) { air->preprocessed[0].values[7] = PR_P; }
static void no_relation_name(pr_air *air) { drop(&air->relations[0].name); }
static void empty_relation(pr_air *air) { air->relations[0].size = 0; }
static void no_component_name(pr_air *air) { drop(&SMALL->name); }
static void one_row(pr_air *air) { SMALL->log_size = 0; }
static void too_many_rows(pr_air *air) { BIG->log_size = 25; }
static void no_columns(pr_air *air) { SMALL->n_columns = 0; }
static void no_offsets(pr_air *air) { BIG->columns[1].n_offsets = 0; }
static void five_offsets(pr_air *air) { BIG->columns[1].n_offsets = 5; }
static void three_offsets_in_small(pr_air *air) { SMALL->columns[0] = (pr_air_column){3, {0, 1, 2, 0}}; }
static void same_offsets(pr_air *air) { BIG->columns[1] = (pr_air_column){2, {31, -1, 0, 0}}; }
static void unknown_op(pr_air *air) { BIG->nodes[0].op = 7; }
static void no_such_column(pr_air *air) { BIG->nodes[0].a = 2; }
static void no_such_offset(pr_air *air) { BIG->nodes[0].b = 1; }
static void no_such_preprocessed(pr_air *air) {
    for (uint32_t i = 0; i < BIG->n_nodes; i++)
        if (BIG->nodes[i].op == PR_NODE_PRE) BIG->nodes[i].a = 2;
}
static void preprocessed_of_other_size(pr_air *air) {
    for (uint32_t i = 0; i < BIG->n_nodes; i++)
        if (BIG->nodes[i].op == PR_NODE_PRE) BIG->nodes[i].a = 1;
}
static void constant_not_reduced(pr_air *air) { BIG->nodes[0] = (pr_node){PR_NODE_CONST, PR_P, 0}; }
static void forward_left(pr_air *air) { BIG->nodes[1] = (pr_node){PR_NODE_ADD, 1, 0}; }
static void forward_right(pr_air *air) { BIG->nodes[1] = (pr_node){PR_NODE_MUL, 0, 2}; }
static void forward_neg(pr_air *air) { BIG->nodes[1] = (pr_node){PR_NODE_NEG, 1, 0}; }
static void constraint_of_nothing(pr_air *air) { BIG->constraints[0].node = BIG->n_nodes; }

/* x^2 becomes (x^2)^2 where the constraint's last node multiplies */
static void degree_four(pr_air *air) {
    uint32_t square = 0;
    for (uint32_t i = 0; i < BIG->n_nodes; i++)
        if (BIG->nodes[i].op == PR_NODE_MUL && !square) square = i;
    BIG->nodes[BIG->constraints[0].node] = (pr_node){PR_NODE_MUL, square, square};
}
static void unnamed_degree_four(pr_air *air) {
    degree_four(air);
    drop(&BIG->constraints[0].name);
}
static void lookup_of_no_relation(pr_air *air) { BIG->lookups[0].relation = 1; }
static void too_many_values(pr_air *air) { air->relations[0].size = 1; }
static void no_values(pr_air *air) { BIG->lookups[0].n_values = 0; }
static void no_multiplicity(pr_air *air) { BIG->lookups[0].multiplicity = BIG->n_nodes; }
static void no_value_node(pr_air *air) { BIG->lookups[0].values[1] = BIG->n_nodes; }
static void batch_out_of_range(pr_air *air) { BIG->lookups[0].batch = 1; }
static void more_batches_than_lookups(pr_air *air) { BIG->n_batches = 2; }
static void unused_batch(pr_air *air) { SMALL->n_batches = 2; }

/* Two lookups with values of degree 2: denominator 4, constraint 5. */
static void batch_degree(pr_air *air) {
    uint32_t last = SMALL->n_nodes - 1;
    SMALL->nodes[last] = (pr_node){PR_NODE_MUL, 0, 0};
    for (uint32_t k = 0; k < 2; k++) SMALL->lookups[k].values[0] = last;
}
static void no_lookups(pr_air *air) {
    for (uint32_t c = 0; c < 2; c++) {
        for (uint32_t k = 0; k < air->components[c].n_lookups; k++) free(air->components[c].lookups[k].values);
        air->components[c].n_lookups = air->components[c].n_batches = 0;
    }
}

typedef struct breakage {
    const char *name;
    void (*apply)(pr_air *air);
    const char *fragment;
} breakage;
#define BREAK(function, fragment)                                                                                      \
    { #function, function, fragment }

static const breakage breakages[] = {
    BREAK(no_name, "the AIR has no name"),
    BREAK(no_id, "preprocessed column 1 has no id"),
    BREAK(same_ids, "two preprocessed columns have the id 'p'"),
    BREAK(preprocessed_of_one_row, "preprocessed column 'p': log_size 0 is out of range (1 to 24)"),
    BREAK(preprocessed_too_large, "preprocessed column 'p': log_size 25 is out of range"),
    BREAK(preprocessed_not_reduced, "preprocessed column 'p': value 2147483647 in row 7 is not below p"),
    BREAK(no_relation_name, "relation 0 has no name"),
    BREAK(empty_relation, "relation 'pairs': size 0"),
    BREAK(no_component_name, "component 1 has no name"),
    BREAK(one_row, "component 'small': log_size 0 is out of range"),
    BREAK(too_many_rows, "component 'big': log_size 25 is out of range"),
    BREAK(no_columns, "component 'small' has no trace column"),
    BREAK(no_offsets, "component 'big', column 1: 0 mask offsets"),
    BREAK(five_offsets, "component 'big', column 1: 5 mask offsets"),
    BREAK(three_offsets_in_small,
          "component 'small', column 0: more than two mask offsets in a component that is not of "
          "the largest size; split the column"),
    BREAK(same_offsets, "component 'big', column 1: mask offsets 31 and -1 are the same row modulo 2^5"),
    BREAK(unknown_op, "component 'big', node 0: unknown operation 7"),
    BREAK(no_such_column, "component 'big', node 0: column 2 does not exist (there are 2)"),
    BREAK(no_such_offset, "component 'big', node 0: column 0 has no mask offset number 1"),
    BREAK(no_such_preprocessed, "preprocessed column 2 does not exist"),
    BREAK(preprocessed_of_other_size, "preprocessed column 'q' has log_size 4, the component 5"),
    BREAK(constant_not_reduced, "component 'big', node 0: constant 2147483647 is not below p"),
    BREAK(forward_left, "component 'big', node 1: its operands 1 and 0 must be earlier nodes"),
    BREAK(forward_right, "component 'big', node 1: its operands 0 and 2 must be earlier nodes"),
    BREAK(forward_neg, "component 'big', node 1: its operand 1 must be an earlier node"),
    BREAK(constraint_of_nothing, "component 'big', constraint 0: node"),
    BREAK(degree_four, "component 'big', constraint 0 'square' has degree 4, more than 3: add a column"),
    BREAK(unnamed_degree_four, "component 'big', constraint 0 has degree 4"),
    BREAK(lookup_of_no_relation, "component 'big', lookup 0: relation 1 does not exist (there are 1)"),
    BREAK(too_many_values, "component 'big', lookup 0: 2 values, relation 'pairs' takes 1 to 1"),
    BREAK(no_values, "component 'big', lookup 0: 0 values"),
    BREAK(no_multiplicity, "component 'big', lookup 0: multiplicity node"),
    BREAK(no_value_node, "component 'big', lookup 0: value node"),
    BREAK(batch_out_of_range, "component 'big', lookup 0: batch 1, but there are 1"),
    BREAK(more_batches_than_lookups, "component 'big': 2 batches for 1 lookups"),
    BREAK(unused_batch, "component 'small': batch 1 has no lookup"),
    BREAK(batch_degree, "component 'small', lookup batch 0 has degree 5, more than 3: put fewer lookups into it"),
    BREAK(no_lookups, "the AIR has relations but no component has a lookup"),
};

static void every_breakage_is_named(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof breakages / sizeof *breakages; k++) {
        pr_error err = {0};
        pr_air *air = support_pairs();
        assert_int_equal(pr_air_validate(air, &err), PR_OK);
        breakages[k].apply(air);
        print_message("%s\n", breakages[k].name);
        support_expect_error(pr_air_validate(air, &err), PR_ERR_REFUSED, &err, breakages[k].fragment);
        pr_air_destroy(air);
    }
}

static void an_air_has_components(void **state) {
    (void)state;
    pr_error err = {0};
    char name[] = "empty";
    pr_air air = {.name = name};
    support_expect_error(pr_air_validate(&air, &err), PR_ERR_REFUSED, &err, "the AIR has no component");
}

static void three_offsets_in_the_largest(void **state) {
    (void)state;
    pr_air *air = support_pairs();
    BIG->columns[1] = (pr_air_column){3, {-1, 0, 1, 0}};
    assert_int_equal(pr_air_validate(air, NULL), PR_OK);
    pr_air_destroy(air);
}

/* Degree 3 with three linear factors, and a batch of exactly 3, are the most that is allowed. */
static void the_largest_degrees(void **state) {
    (void)state;
    pr_air *air = support_cube(5);
    assert_int_equal(pr_air_validate(air, NULL), PR_OK);
    pr_air_destroy(air);
    air = support_pairs();
    assert_int_equal(SMALL->n_batches, 1);
    SMALL->lookups[1].multiplicity = SMALL->lookups[0].multiplicity; /* (1 + 1) of num * den, 1 + 2 of S * den */
    assert_int_equal(pr_air_validate(air, NULL), PR_OK);
    pr_air_destroy(air);
}

/* 128 lookups on 2^24 rows are 2^31 fractions: more than can be counted mod p. One fewer is fine. */
static void too_many_fractions(void **state) {
    (void)state;
    pr_error err = {0};
    pr_air_builder *b = pr_air_builder_create("many");
    uint32_t relation = pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "wide", 24);
    pr_expr x = pr_air_add_column(b, 0);
    for (uint32_t k = 0; k < 128; k++) pr_air_lookup_add(b, relation, pr_const(b, 1), &x, 1, -1);
    pr_air *air = NULL;
    support_expect_error(pr_air_build(&air, b, &err), PR_ERR_REFUSED, &err, "2147483648 lookups over all rows");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_breakage_is_named),      cmocka_unit_test(an_air_has_components),
        cmocka_unit_test(three_offsets_in_the_largest), cmocka_unit_test(the_largest_degrees),
        cmocka_unit_test(too_many_fractions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
