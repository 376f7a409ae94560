/* Lowered programs against direct evaluation of the nodes, on random graphs; and what the programs look like. */
#include "../base/seed.h"
#include "air/evaluate.h"
#include "support.h"

static pr_program lower(const pr_air *air, pr_program_kind kind) {
    pr_program p;
    pr_error err = {0};
    if (pr_program_lower(&p, &air->components[0], kind, &err) != PR_OK) fail_msg("%s", err.text);
    return p;
}

/* ---- direct evaluation ---- */

/* The value of every cell that a row reads: any function of (kind, column, offset index) will do. */
static pr_m31 cell(uint32_t seed, bool is_preprocessed, uint32_t column, uint32_t offset_index) {
    pr_prng g = {seed ^ (uint64_t)is_preprocessed << 60 ^ (uint64_t)column << 34 ^ (uint64_t)offset_index << 32};
    uint32_t v = (uint32_t)pr_prng_next(&g);
    return v % 5 == 0 ? v % 3 : v % PR_P; /* zeros and ones more often */
}

static void evaluate_nodes(pr_m31 *out, const pr_air_component *c, uint32_t seed) {
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        const pr_node *n = &c->nodes[i];
        switch ((pr_node_op)n->op) {
        case PR_NODE_COL:
            out[i] = cell(seed, false, n->a, n->b);
            break;
        case PR_NODE_PRE:
            out[i] = cell(seed, true, n->a, 0);
            break;
        case PR_NODE_CONST:
            out[i] = n->a;
            break;
        case PR_NODE_ADD:
            out[i] = pr_m31_add(out[n->a], out[n->b]);
            break;
        case PR_NODE_SUB:
            out[i] = pr_m31_sub(out[n->a], out[n->b]);
            break;
        case PR_NODE_MUL:
            out[i] = pr_m31_mul(out[n->a], out[n->b]);
            break;
        case PR_NODE_NEG:
            out[i] = pr_m31_neg(out[n->a]);
            break;
        }
    }
}

/* ---- the same by program ---- */

typedef struct expected_lookups {
    const pr_air_component *c;
    const pr_m31 *values; /* of nodes */
    uint32_t order[64];   /* lookups by batch, then by number */
    uint32_t n_seen;
} expected_lookups;

static void order_lookups(expected_lookups *e) {
    uint32_t n = 0;
    for (uint32_t batch = 0; batch < e->c->n_batches; batch++)
        for (uint32_t k = 0; k < e->c->n_lookups; k++)
            if (e->c->lookups[k].batch == batch) e->order[n++] = k;
}

static void compare_lookup(void *context, uint32_t relation, pr_m31 multiplicity, const pr_m31 *values,
                           uint32_t n_values) {
    expected_lookups *e = context;
    assert_true(e->n_seen < e->c->n_lookups);
    const pr_air_lookup *l = &e->c->lookups[e->order[e->n_seen++]];
    assert_int_equal(relation, l->relation);
    assert_int_equal(multiplicity, e->values[l->multiplicity]);
    assert_int_equal(n_values, l->n_values);
    for (uint32_t v = 0; v < n_values; v++) assert_int_equal(values[v], e->values[l->values[v]]);
}

static void compare_program(const pr_air *air, pr_program_kind kind, const pr_m31 *values, uint32_t seed) {
    const pr_air_component *c = &air->components[0];
    pr_program p = lower(air, kind);
    pr_evaluation e;
    expected_lookups expected = {.c = c, .values = values};
    order_lookups(&expected);
    assert_int_equal(pr_evaluation_init(&e, &p, NULL), PR_OK);
    e.visit = compare_lookup;
    e.context = &expected;
    for (uint32_t k = 0; k < p.n_inputs; k++) {
        const pr_input *in = &p.inputs[k];
        e.inputs[k] = cell(seed, in->is_preprocessed, in->column, in->offset_index);
        if (!in->is_preprocessed) assert_int_equal(in->offset, c->columns[in->column].offsets[in->offset_index]);
    }
    pr_evaluation_run(&e);
    assert_int_equal(expected.n_seen, c->n_lookups);
    for (uint32_t k = 0; kind == PR_PROGRAM_FULL && k < c->n_constraints; k++)
        assert_int_equal(e.constraints[k], values[c->constraints[k].node]);
    pr_evaluation_clear(&e);
    pr_program_clear(&p);
}

/* Each input once, each operand within range, batches closed in order. */
static void check_shape(const pr_air *air, pr_program_kind kind) {
    const pr_air_component *c = &air->components[0];
    pr_program p = lower(air, kind);
    uint32_t batches = 0, constraints = 0, at = 0;
    for (uint32_t k = 0; k < p.n_inputs; k++)
        for (uint32_t i = 0; i < k; i++) assert_memory_not_equal(&p.inputs[i], &p.inputs[k], sizeof *p.inputs);
    for (; at < p.n_insns; at += pr_insn_length(&p.insns[at])) {
        const pr_insn *insn = &p.insns[at];
        assert_true(insn->op < PR_OP_COUNT && insn->op != PR_OP_ARG);
        if (insn->op == PR_OP_CONSTRAINT) assert_int_equal(insn->b, constraints++);
        if (insn->op == PR_OP_BATCH_END) assert_int_equal(insn->a, batches++);
        if (insn->op < PR_OP_ARG) assert_true(insn->dst < p.n_slots);
        for (uint32_t k = 1; k < pr_insn_length(insn); k++) assert_int_equal(insn[k].op, PR_OP_ARG);
    }
    assert_int_equal(at, p.n_insns);
    assert_int_equal(batches, c->n_batches);
    assert_int_equal(constraints, kind == PR_PROGRAM_FULL ? c->n_constraints : 0);
    assert_int_equal(p.n_constraints, c->n_constraints);
    assert_int_equal(p.n_batches, c->n_batches);
    pr_program_clear(&p);
}

static void random_graphs(void **state) {
    (void)state;
    pr_prng g = test_seed();
    for (uint32_t round = 0; round < 400; round++) {
        uint32_t n_nodes = 1 + pr_prng_below(&g, round < 200 ? 12 : 300), seed = (uint32_t)pr_prng_next(&g);
        pr_air *air = support_random(&g, 1 + pr_prng_below(&g, 5), n_nodes, pr_prng_below(&g, 9), pr_prng_below(&g, 7));
        pr_m31 *values = calloc(n_nodes, sizeof *values);
        evaluate_nodes(values, &air->components[0], seed);
        compare_program(air, PR_PROGRAM_FULL, values, seed);
        compare_program(air, PR_PROGRAM_LOOKUPS, values, seed);
        check_shape(air, PR_PROGRAM_FULL);
        check_shape(air, PR_PROGRAM_LOOKUPS);
        free(values);
        pr_air_destroy(air);
    }
}

/* ---- what programs look like ---- */

/* The text of a component with columns a, b, c, d (inputs), whose only constraint is what expression gives. */
static void expect_text(pr_expr (*expression)(pr_air_builder *b, const pr_expr *x), const char *text) {
    pr_air_builder *b = pr_air_builder_create("text");
    pr_expr x[4];
    (void)pr_air_component_begin(b, "text", 4);
    for (uint32_t k = 0; k < 4; k++) x[k] = pr_air_add_column(b, k == 3 ? -1 : 0);
    pr_air_constrain(b, NULL, expression(b, x));
    pr_air *air = support_build(b);
    pr_program p = lower(air, PR_PROGRAM_FULL);
    pr_writer w;
    pr_writer_init(&w);
    pr_program_disassemble(&w, &p);
    pr_write_u8(&w, 0);
    assert_string_equal((const char *)w.data, text);
    pr_writer_clear(&w);
    pr_program_clear(&p);
    pr_air_destroy(air);
}

#define EXPRESSION(name, value)                                                                                        \
    static pr_expr name(pr_air_builder *b, const pr_expr *x) { return (void)b, (void)x, (value); }
EXPRESSION(just_column, x[2])
EXPRESSION(just_constant, pr_const(b, 7))
EXPRESSION(sum, pr_add(b, x[0], x[3]))
EXPRESSION(sum3, pr_add(b, pr_add(b, x[0], x[1]), x[2]))
EXPRESSION(difference3, pr_sub(b, pr_sub(b, x[0], x[1]), x[2]))
EXPRESSION(minus_sum, pr_sub(b, x[0], pr_add(b, x[1], x[2])))
EXPRESSION(mul_add, pr_add(b, x[2], pr_mul(b, x[0], x[1])))
EXPRESSION(mul_sub, pr_sub(b, pr_mul(b, x[0], x[1]), x[2]))
EXPRESSION(sub_mul, pr_sub(b, x[2], pr_mul(b, x[0], x[1])))
EXPRESSION(negative, pr_neg(b, x[0]))
EXPRESSION(times_two, pr_mul(b, pr_const(b, 2), x[0]))
EXPRESSION(two_minus, pr_sub(b, pr_const(b, 2), x[0]))
EXPRESSION(minus_two, pr_sub(b, x[0], pr_const(b, 2)))
EXPRESSION(plus_two, pr_add(b, pr_const(b, 2), x[0]))
EXPRESSION(square, pr_mul(b, x[1], x[1]))
EXPRESSION(product_plus_one, pr_add(b, pr_mul(b, x[0], x[1]), pr_const(b, 1)))
/* the product has two users: it is computed once, and neither takes it in */
EXPRESSION(shared_product, pr_sub(b, pr_mul(b, pr_mul(b, x[0], x[1]), x[3]), pr_add(b, pr_mul(b, x[0], x[1]), x[2])))
EXPRESSION(folded, pr_add(b, x[0], pr_mul(b, pr_const(b, 3), pr_sub(b, pr_const(b, 1), pr_const(b, 1)))))

static void operations(void **state) {
    (void)state;
    expect_text(just_column, "    0  constraint 0: col2[0]\n");
    expect_text(just_constant, "    0  s0 = 7\n    1  constraint 0: s0\n");
    expect_text(sum, "    0  s0 = col0[0] + col3[-1]\n    1  constraint 0: s0\n");
    expect_text(sum3, "    0  s0 = col0[0] + col1[0] + col2[0]\n    2  constraint 0: s0\n");
    expect_text(difference3, "    0  s0 = col0[0] - col1[0] - col2[0]\n    2  constraint 0: s0\n");
    expect_text(minus_sum, "    0  s0 = col0[0] - col1[0] - col2[0]\n    2  constraint 0: s0\n");
    expect_text(mul_add, "    0  s0 = col0[0] * col1[0] + col2[0]\n    2  constraint 0: s0\n");
    expect_text(mul_sub, "    0  s0 = col0[0] * col1[0] - col2[0]\n    2  constraint 0: s0\n");
    expect_text(sub_mul, "    0  s0 = col2[0] - col0[0] * col1[0]\n    2  constraint 0: s0\n");
    expect_text(negative, "    0  s0 = -col0[0]\n    1  constraint 0: s0\n");
    expect_text(times_two, "    0  s0 = col0[0] * 2\n    1  constraint 0: s0\n");
    expect_text(two_minus, "    0  s0 = 2 - col0[0]\n    1  constraint 0: s0\n");
    expect_text(minus_two, "    0  s0 = col0[0] - 2\n    1  constraint 0: s0\n");
    expect_text(plus_two, "    0  s0 = col0[0] + 2\n    1  constraint 0: s0\n");
    expect_text(square, "    0  s0 = col1[0] * col1[0]\n    1  constraint 0: s0\n");
    expect_text(product_plus_one, "    0  s0 = col0[0] * col1[0]\n    1  s0 = s0 + 1\n    2  constraint 0: s0\n");
    expect_text(folded, "    0  constraint 0: col0[0]\n");
    expect_text(shared_product, "    0  s0 = col0[0] * col1[0]\n"
                                "    1  s1 = col2[0] + s0\n"
                                "    2  s1 = col3[-1] * s0 - s1\n"
                                "    4  constraint 0: s1\n");
}

/* ---- derived columns ---- */

/* Columns 0 and 1 are given; 2 follows from 4 and the selector, 3 from column 0 a row before and 2, 4 from column 1. */
static pr_air *derived_columns(void) {
    static const int32_t before[] = {-1, 0};
    pr_air_builder *b = pr_air_builder_create("derived");
    pr_expr x[2], z[3];
    (void)pr_air_add_preprocessed(b, "selector", 4, NULL);
    (void)pr_air_component_begin(b, "derived", 4);
    pr_air_add_column_mask(b, x, before, 2);
    pr_expr y = pr_air_add_column(b, 0), selector = pr_air_use_preprocessed(b, "selector");
    for (int k = 0; k < 3; k++) z[k] = pr_air_add_column(b, 0);
    pr_air_constrain(b, "no column", pr_mul(b, x[1], y));
    pr_air_constrain(b, "column 2", pr_sub(b, z[0], pr_mul(b, z[2], selector)));
    pr_air_constrain(b, "column 3", pr_sub(b, pr_add(b, x[0], z[0]), z[1]));
    pr_air_constrain(b, "column 4", pr_sub(b, z[2], pr_mul(b, y, y)));
    pr_air_constrain(b, "column 4 again", pr_sub(b, z[2], x[1]));
    pr_air_declare_derived(b, 2);
    return support_build(b);
}

static void derived_columns_follow_from_given_ones(void **state) {
    (void)state;
    pr_air *air = derived_columns();
    pr_program p = lower(air, PR_PROGRAM_DERIVE);
    pr_writer w;
    pr_writer_init(&w);
    pr_program_disassemble(&w, &p);
    pr_write_u8(&w, 0);
    assert_string_equal((const char *)w.data, "    0  s0 = col1[0] * col1[0]\n"
                                              "    1  s1 = pre0 * s0\n"
                                              "    2  s2 = s1 + col0[-1]\n"
                                              "    3  constraint 0: s1\n"
                                              "    4  constraint 1: s2\n"
                                              "    5  constraint 2: s0\n");
    assert_int_equal(p.n_constraints, 3);
    assert_int_equal(p.n_batches, 0);
    assert_int_equal(pr_air_count_derived(air), 3);
    pr_writer_clear(&w);
    pr_program_clear(&p);
    pr_air_destroy(air);
}

static void expect_not_derived(pr_air_builder *b, const char *fragment) {
    pr_program p;
    pr_error err = {0};
    pr_air_declare_derived(b, 1);
    pr_air *air = support_build(b);
    support_expect_error(pr_program_lower(&p, &air->components[0], PR_PROGRAM_DERIVE, &err), PR_ERR_INTERNAL, &err,
                         fragment);
    pr_air_destroy(air);
}

static pr_air_builder *begin_three(pr_expr x[3]) {
    pr_air_builder *b = pr_air_builder_create("three");
    (void)pr_air_component_begin(b, "three", 4);
    for (int k = 0; k < 3; k++) x[k] = pr_air_add_column(b, 0);
    return b;
}

static void columns_that_do_not_follow_are_refused(void **state) {
    (void)state;
    static const int32_t before[] = {-1, 0};
    pr_expr x[3], masked[2];
    pr_air_builder *b = begin_three(x);
    pr_air_constrain(b, "column 1", pr_sub(b, x[1], x[0]));
    pr_air_constrain(b, "column 2, times 2", pr_sub(b, pr_add(b, x[2], x[2]), x[0]));
    expect_not_derived(b, "component 'three': column 2 is said to follow from others; by what?");
    b = begin_three(x);
    pr_air_constrain(b, "column 1", pr_sub(b, x[1], pr_mul(b, x[2], x[0])));
    pr_air_constrain(b, "column 2", pr_sub(b, x[2], pr_mul(b, x[1], x[0])));
    expect_not_derived(b, "column 2 follows from itself");
    b = begin_three(x);
    pr_air_add_column_mask(b, masked, before, 2);
    pr_air_constrain(b, "column 1", pr_sub(b, x[1], x[0]));
    pr_air_constrain(b, "column 2", pr_sub(b, x[2], pr_mul(b, masked[0], x[0])));
    pr_air_constrain(b, "column 3", pr_sub(b, masked[1], x[0]));
    expect_not_derived(b, "column 3 follows from itself, or is read in another row");
}

static void lookup_text(void **state) {
    (void)state;
    pr_air *air = support_pairs();
    pr_program p;
    pr_writer w;
    pr_writer_init(&w);
    assert_int_equal(pr_program_lower(&p, &air->components[1], PR_PROGRAM_LOOKUPS, NULL), PR_OK);
    pr_program_disassemble(&w, &p);
    pr_write_u8(&w, 0);
    assert_string_equal((const char *)w.data, "    0  s0 = -col1[0]\n"
                                              "    1  lookup relation 0: s0 / (col0[0], pre1)\n"
                                              "    3  s0 = 0\n"
                                              "    4  lookup relation 0: s0 / (col0[0], col0[0])\n"
                                              "    6  batch 0 ends: constraint 0\n");
    pr_writer_clear(&w);
    pr_program_clear(&p);
    pr_air_destroy(air);
}

/* A sum of n products in a chain needs two slots however long it is. */
static void slots_are_reused(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("chain");
    (void)pr_air_component_begin(b, "chain", 4);
    pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0), v = x;
    for (int32_t k = 0; k < 1000; k++) v = pr_add(b, v, pr_mul(b, pr_add(b, x, pr_const(b, k + 2)), y));
    pr_air_constrain(b, "sum", v);
    pr_air *air = support_build(b);
    pr_program p = lower(air, PR_PROGRAM_FULL);
    assert_true(p.n_slots <= 2);
    assert_int_equal(p.n_inputs, 2);
    assert_int_equal(p.n_constants, 1000);
    pr_program_clear(&p);
    pr_air_destroy(air);
}

/* The yardstick: every constraint is c - a^2 - b^2 in two instructions, four values alive for a run. */
static void wide_fibonacci(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("wide");
    (void)pr_air_component_begin(b, "wide", 4);
    pr_expr x[100];
    for (uint32_t k = 0; k < 100; k++) x[k] = pr_air_add_column(b, 0);
    for (uint32_t k = 2; k < 100; k++)
        pr_air_constrain(b, NULL,
                         pr_sub(b, x[k], pr_add(b, pr_mul(b, x[k - 2], x[k - 2]), pr_mul(b, x[k - 1], x[k - 1]))));
    pr_air *air = support_build(b);
    pr_program p = lower(air, PR_PROGRAM_FULL);
    print_message("wide_fibonacci: %u instruction words, %u slots\n", p.n_insns, p.n_slots);
    assert_true(p.n_slots <= 6);
    assert_int_equal(p.n_inputs, 100);
    pr_program_clear(&p);
    pr_air_destroy(air);
}

static void dead_nodes_are_dropped(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("dead");
    (void)pr_air_component_begin(b, "dead", 4);
    pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0);
    (void)pr_mul(b, pr_mul(b, y, y), pr_const(b, 5));
    pr_air_constrain(b, NULL, x);
    pr_air *air = support_build(b);
    pr_program p = lower(air, PR_PROGRAM_FULL);
    assert_int_equal(p.n_inputs, 1);
    assert_int_equal(p.n_insns, 1);
    assert_int_equal(p.n_constants, 0);
    pr_program_clear(&p);
    p = lower(air, PR_PROGRAM_LOOKUPS);
    assert_int_equal(p.n_insns, 0);
    assert_int_equal(p.n_inputs, 0);
    pr_program_clear(&p);
    pr_air_destroy(air);
}

/* ---- sizes ---- */

static void a_hundred_thousand_nodes(void **state) {
    (void)state;
    pr_prng g = test_seed();
    pr_air *air = support_random(&g, 3000, 100000, 3000, 60);
    uint64_t start = pr_clock_process_ns(); /* what others do meanwhile does not count */
    pr_program p = lower(air, PR_PROGRAM_FULL);
    double ms = (double)(pr_clock_process_ns() - start) / 1e6;
    print_message("100000 nodes: %u words, %u slots, %.1f ms of processor time\n", p.n_insns, p.n_slots, ms);
    assert_true(ms < 5000); /* generous for sanitizers; quadratic work would take minutes */
    pr_program_clear(&p);
    pr_air_destroy(air);
}

/* 60,000 differences deep: nothing recurses. */
static void a_deep_graph(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("deep");
    (void)pr_air_component_begin(b, "deep", 4);
    pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0), v = x;
    for (int32_t k = 0; k < 60000; k++) v = pr_sub(b, pr_add(b, y, pr_const(b, k + 2)), v);
    pr_air_constrain(b, NULL, v);
    pr_air *air = support_build(b);
    pr_program p = lower(air, PR_PROGRAM_FULL);
    assert_true(p.n_slots <= 2);
    pr_program_clear(&p);
    pr_air_destroy(air);
}

static void expect_too_much(pr_air *air, const char *fragment) {
    pr_program p;
    pr_error err = {0};
    support_expect_error(pr_program_lower(&p, &air->components[0], PR_PROGRAM_FULL, &err), PR_ERR_REFUSED, &err,
                         fragment);
    pr_air_destroy(air);
}

static void sixteen_bits_are_not_exceeded(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("inputs");
    (void)pr_air_component_begin(b, "inputs", 4);
    for (uint32_t k = 0; k < 65537; k++) pr_air_constrain(b, "zero", pr_air_add_column(b, 0));
    expect_too_much(support_build(b), "component 'inputs': 65537 intermediate values and column reads");

    b = pr_air_builder_create("constraints");
    (void)pr_air_component_begin(b, "constraints", 4);
    pr_expr x = pr_air_add_column(b, 0);
    for (uint32_t k = 0; k < 65537; k++) pr_air_constrain(b, "zero", x);
    expect_too_much(support_build(b), "component 'constraints': 65537 constraints, more than the 65536");

    b = pr_air_builder_create("constants");
    (void)pr_air_component_begin(b, "constants", 4);
    pr_expr v = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0);
    for (int64_t k = 0; k < 65537; k++) v = pr_add(b, v, pr_mul(b, y, pr_const(b, k + 2)));
    pr_air_constrain(b, "zero", v);
    expect_too_much(support_build(b), "component 'constants': 65537 constants");

    b = pr_air_builder_create("batches");
    uint32_t r = pr_air_add_relation(b, "r", 1);
    (void)pr_air_component_begin(b, "batches", 4);
    x = pr_air_add_column(b, 0);
    for (int32_t k = 0; k < 65537; k++) pr_air_lookup_add(b, r, x, &x, 1, k);
    expect_too_much(support_build(b), "component 'batches': 65537 lookup batches");
}

/* Exactly 2^16 operands still fit: the last index is 65535. */
static void the_largest_program(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("full");
    (void)pr_air_component_begin(b, "full", 4);
    for (uint32_t k = 0; k < 65536; k++) pr_air_constrain(b, "zero", pr_air_add_column(b, 0));
    pr_air *air = support_build(b);
    pr_program p = lower(air, PR_PROGRAM_FULL);
    assert_int_equal(p.n_inputs, 65536);
    assert_int_equal(p.n_slots, 0);
    assert_int_equal(p.insns[65535].a, 65535);
    assert_int_equal(p.insns[65535].b, 65535);
    pr_program_clear(&p);
    pr_air_destroy(air);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs),
        cmocka_unit_test(operations),
        cmocka_unit_test(lookup_text),
        cmocka_unit_test(derived_columns_follow_from_given_ones),
        cmocka_unit_test(columns_that_do_not_follow_are_refused),
        cmocka_unit_test(slots_are_reused),
        cmocka_unit_test(wide_fibonacci),
        cmocka_unit_test(dead_nodes_are_dropped),
        cmocka_unit_test(a_hundred_thousand_nodes),
        cmocka_unit_test(a_deep_graph),
        cmocka_unit_test(sixteen_bits_are_not_exceeded),
        cmocka_unit_test(the_largest_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
