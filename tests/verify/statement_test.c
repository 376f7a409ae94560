/* A golden proof is a proof of its own statement only: digest, parameters, constraints, sizes of everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../proof/golden.h"
#include "verify/verify.h"

/* The recorded bytes as a proof of what the case's statement has become; how that is refused. */
static bool is_accepted(const golden *g, pr_verdict *verdict) {
    pr_verifier *verifier;
    pr_proof proof;
    pr_error err = {0};
    *verdict = PR_REJECTED_SHAPE;
    if (pr_verifier_create(&verifier, &g->c.statement, &err) != PR_OK) {
        assert_string_not_equal(err.text, "");
        return false;
    }
    pr_decode_code code = pr_proof_decode(&proof, pr_verifier_layout(verifier), g->binary.data, g->binary.size);
    if (code == PR_DECODE_OK) assert_int_equal(pr_verifier_run(verifier, &proof, verdict, NULL), PR_OK);
    pr_proof_clear(&proof);
    pr_verifier_destroy(verifier);
    return *verdict == PR_ACCEPTED;
}

static void expect_not_accepted(const golden *g, const char *what) {
    pr_verdict verdict;
    if (is_accepted(g, &verdict)) fail_msg("%s: accepted with another %s", g->c.name, what);
}

static bool mixes_digest(const pr_statement *st) {
    bool found = false;
    for (uint32_t k = 0; k < st->n_steps; k++) found |= st->steps[k].kind == PR_STEP_STATEMENT_DIGEST;
    return found;
}

static void check_digest(golden *g) {
    if (!mixes_digest(&g->c.statement)) return; /* a foreign transcript may bind its statement in another way */
    for (size_t k = 0; k < 32; k += 5) {
        g->c.statement.digest[k] ^= 0x40;
        expect_not_accepted(g, "digest");
        g->c.statement.digest[k] ^= 0x40;
    }
}

static void other_digests_are_refused(void **state) {
    (void)state;
    golden_for_each(check_digest);
}

static void vary(golden *g, uint32_t *number, const char *what) {
    for (int d = -2; d <= 2; d++) {
        if (d == 0 || (d < 0 && *number < (uint32_t)-d)) continue;
        *number += (uint32_t)d;
        expect_not_accepted(g, what);
        *number -= (uint32_t)d;
    }
}

static void check_config(golden *g) {
    pr_config *c = &g->c.statement.config;
    vary(g, &c->pow_bits, "pow_bits");
    vary(g, &c->log_blowup, "log_blowup_factor");
    vary(g, &c->n_queries, "n_queries");
    vary(g, &c->log_last_layer_degree_bound, "log_last_layer_degree_bound");
    vary(g, &c->fold_step, "fold_step");
    int32_t lifting = c->lifting_log_size;
    for (c->lifting_log_size = -1; c->lifting_log_size < 14; c->lifting_log_size++)
        if (c->lifting_log_size != lifting) expect_not_accepted(g, "lifting_log_size");
    c->lifting_log_size = lifting;
    for (uint32_t k = 0; k < g->c.statement.n_steps; k++)
        if (g->c.statement.steps[k].kind == PR_STEP_GRIND && g->c.statement.steps[k].bits >= 8)
            vary(g, &g->c.statement.steps[k].bits, "grinding");
}

static void other_parameters_are_refused(void **state) {
    (void)state;
    golden_for_each(check_config);
}

/* Every addition becomes a subtraction, every constant another one. */
static void check_constraints(golden *g) {
    for (uint32_t c = 0; c < g->c.air->n_components; c++) {
        pr_air_component *component = &g->c.air->components[c];
        size_t n_refused = 0, n_tried = 0;
        for (uint32_t i = 0; i < component->n_nodes; i++) {
            pr_node node = component->nodes[i];
            pr_verdict verdict;
            if (node.op == PR_NODE_ADD) component->nodes[i].op = PR_NODE_SUB;
            if (node.op == PR_NODE_CONST) component->nodes[i].a = node.a ^ 1;
            if (node.op == PR_NODE_MUL) component->nodes[i].op = PR_NODE_ADD;
            if (memcmp(&node, &component->nodes[i], sizeof node) != 0) {
                n_tried++;
                n_refused += !is_accepted(g, &verdict);
            }
            component->nodes[i] = node;
        }
        /* A node that no constraint reads, or a term that is zero anyway, may remain. */
        if (n_tried && n_refused == 0) fail_msg("%s: component %u accepts other constraints", g->c.name, c);
    }
}

static void other_constraints_are_refused(void **state) {
    (void)state;
    golden_for_each(check_constraints);
}

static void swapped_columns_are_refused(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "plonk_l6");
    pr_m31 *values = g.c.air->preprocessed[0].values;
    g.c.air->preprocessed[0].values = g.c.air->preprocessed[1].values;
    g.c.air->preprocessed[1].values = values;
    expect_not_accepted(&g, "order of preprocessed columns");
    golden_clear(&g);
    golden_init(&g, "mixed_sizes_4_6_8");
    pr_air_component component = g.c.air->components[0];
    g.c.air->components[0] = g.c.air->components[1];
    g.c.air->components[1] = component;
    expect_not_accepted(&g, "order of components");
    g.c.air->components[1] = g.c.air->components[0];
    g.c.air->components[0] = component;
    golden_clear(&g);
}

static void public_terms_are_bound(void **state) {
    (void)state;
    golden g;
    pr_verdict verdict;
    golden_init(&g, "state_machine_l6");
    pr_public_term *terms = g.c.statement.public_terms;
    assert_true(is_accepted(&g, &verdict));
    for (uint32_t k = 0; k < g.c.statement.n_public_terms; k++) {
        vary(&g, &terms[k].multiplicity, "multiplicity");
        for (uint32_t i = 0; i < terms[k].n_values; i++) vary(&g, &terms[k].values[i], "public value");
    }
    g.c.statement.n_public_terms--;
    expect_not_accepted(&g, "number of public terms");
    g.c.statement.n_public_terms++;
    golden_clear(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_digests_are_refused),     cmocka_unit_test(other_parameters_are_refused),
        cmocka_unit_test(other_constraints_are_refused), cmocka_unit_test(swapped_columns_are_refused),
        cmocka_unit_test(public_terms_are_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
