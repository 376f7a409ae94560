#include "support.h"
#include <stdio.h>

pr_air *support_build(pr_air_builder *b) {
    pr_air *air = NULL;
    pr_error err = {0};
    assert_non_null(b);
    if (pr_air_build(&air, b, &err) != PR_OK) fail_msg("%s", err.text);
    return air;
}

pr_air *support_cube(uint32_t log_rows) {
    pr_air_builder *b = pr_air_builder_create("power");
    (void)pr_air_component_begin(b, "power", log_rows);
    pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0);
    pr_air_constrain(b, "cube", pr_sub(b, y, pr_mul(b, x, pr_mul(b, x, x))));
    return support_build(b);
}

pr_air *support_pairs(void) {
    static const int32_t offsets[2] = {-1, 0};
    pr_m31 p[32], q[16];
    for (uint32_t k = 0; k < 32; k++) p[k] = k;
    for (uint32_t k = 0; k < 16; k++) q[k] = 3;
    pr_air_builder *b = pr_air_builder_create("pairs");
    (void)pr_air_add_preprocessed(b, "p", 5, p);
    (void)pr_air_add_preprocessed(b, "q", 4, q);
    uint32_t pairs = pr_air_add_relation(b, "pairs", 2);
    (void)pr_air_component_begin(b, "big", 5);
    pr_expr x = pr_air_add_column(b, 0), y[2], pre = pr_air_use_preprocessed(b, "p");
    pr_air_add_column_mask(b, y, offsets, 2);
    pr_air_constrain(b, "square", pr_sub(b, y[1], pr_mul(b, x, x)));
    pr_air_constrain(b, "gate", pr_mul(b, pre, pr_mul(b, x, pr_sub(b, y[0], y[0]))));
    pr_air_lookup_add(b, pairs, pr_const(b, 1), (pr_expr[]){x, pre}, 2, -1);
    (void)pr_air_component_begin(b, "small", 4);
    pr_expr z = pr_air_add_column(b, 0), m = pr_air_add_column(b, 0);
    pr_expr three = pr_air_use_preprocessed(b, "q");
    pr_air_lookup_add(b, pairs, pr_neg(b, m), (pr_expr[]){z, three}, 2, -1);
    pr_air_lookup_add(b, pairs, pr_const(b, 0), (pr_expr[]){z, z}, 2, -1);
    return support_build(b);
}

pr_config support_config(void) {
    return (pr_config){.pow_bits = 4, .log_blowup = 1, .n_queries = 5, .fold_step = 1, .lifting_log_size = -1};
}

void support_statement(pr_statement *st, const pr_air *air, const pr_config *config) {
    pr_error err = {0};
    if (pr_statement_init(st, air, config, &err) != PR_OK) fail_msg("%s", err.text);
}

static pr_node random_node(pr_prng *g, uint32_t i, const pr_air_component *c) {
    uint32_t column = pr_prng_below(g, c->n_columns), kind = pr_prng_below(g, 16);
    if (i == 0 || kind < 3) return (pr_node){PR_NODE_COL, column, pr_prng_below(g, c->columns[column].n_offsets)};
    if (kind == 3) return (pr_node){PR_NODE_PRE, pr_prng_below(g, 2), 0};
    /* small constants often: 0, 1 and p - 1 are where rewriting happens */
    if (kind == 4) return (pr_node){PR_NODE_CONST, pr_prng_below(g, 4), 0};
    if (kind == 5) return (pr_node){PR_NODE_CONST, PR_P - 1 - pr_prng_below(g, 2), 0};
    /* mostly recent operands, so that values die young and can fuse */
    uint32_t reach = pr_prng_below(g, 4) ? (i < 6 ? i : 6) : i;
    uint32_t a = i - 1 - pr_prng_below(g, reach), b = i - 1 - pr_prng_below(g, reach);
    if (kind == 6) return (pr_node){PR_NODE_NEG, a, 0};
    return (pr_node){kind < 10 ? PR_NODE_ADD : kind < 13 ? PR_NODE_SUB : PR_NODE_MUL, a, b};
}

static void add_random_lookups(pr_prng *g, pr_air *air) {
    pr_air_component *c = &air->components[0];
    for (uint32_t k = 0; k < c->n_lookups; k++) {
        pr_air_lookup *l = &c->lookups[k];
        l->relation = pr_prng_below(g, air->n_relations);
        l->multiplicity = pr_prng_below(g, c->n_nodes);
        l->n_values = 1 + pr_prng_below(g, air->relations[l->relation].size);
        l->values = calloc(l->n_values, sizeof *l->values);
        for (uint32_t v = 0; v < l->n_values; v++) l->values[v] = pr_prng_below(g, c->n_nodes);
        l->batch = k < c->n_batches ? c->n_batches - 1 - k : pr_prng_below(g, c->n_batches);
    }
}

pr_air *support_random(pr_prng *g, uint32_t n_columns, uint32_t n_nodes, uint32_t n_constraints, uint32_t n_lookups) {
    pr_air *air = calloc(1, sizeof *air);
    pr_air_component *c = calloc(1, sizeof *c);
    *air = (pr_air){.name = strdup("random"), .n_relations = 2, .n_components = 1, .components = c};
    air->relations = calloc(2, sizeof *air->relations);
    air->relations[0] = (pr_air_relation){strdup("one"), 1};
    air->relations[1] = (pr_air_relation){strdup("seven"), 7};
    *c = (pr_air_component){.name = strdup("random"),
                            .log_size = 4,
                            .n_columns = n_columns,
                            .n_nodes = n_nodes,
                            .n_constraints = n_constraints,
                            .n_lookups = n_lookups,
                            .n_batches = (n_lookups + 1) / 2};
    c->columns = calloc(n_columns, sizeof *c->columns);
    for (uint32_t k = 0; k < n_columns; k++)
        c->columns[k] = (pr_air_column){1 + pr_prng_below(g, 2), {(int32_t)pr_prng_below(g, 3) - 1, 5}};
    c->nodes = calloc(n_nodes, sizeof *c->nodes);
    for (uint32_t i = 0; i < n_nodes; i++) c->nodes[i] = random_node(g, i, c);
    c->constraints = calloc(n_constraints + 1, sizeof *c->constraints);
    for (uint32_t k = 0; k < n_constraints; k++) c->constraints[k].node = pr_prng_below(g, n_nodes);
    c->lookups = calloc(n_lookups + 1, sizeof *c->lookups);
    add_random_lookups(g, air);
    return air;
}

void support_expect_error(pr_status status, pr_status expected, const pr_error *err, const char *fragment) {
    if (status != expected)
        fail_msg("status %s (%s), not %s; wanted '%s'", pr_status_name(status), err->text, pr_status_name(expected),
                 fragment);
    if (!strstr(err->text, fragment)) fail_msg("'%s' lacks '%s'", err->text, fragment);
}
