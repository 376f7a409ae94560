/* Statements at the edges of what may be proven, on every backend at hand: traces of two, four and eight rows, more
 * sample points than one would expect, more queries than positions. The proofs are the scalar backend's, byte for byte,
 * and verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "air/builder.h"
#include "../backends.h"
#include "prove/prove.h"
#include "verify/verify.h"

static const pr_backend *const backends[] = {PR_TEST_BACKENDS};

static const pr_config parameters = {.log_blowup = 1, .n_queries = 3, .fold_step = 1, .lifting_log_size = -1};

/* Every column of every row: 5. */
static pr_status fill_fives(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                            pr_error *err) {
    const pr_air_component *c = &((const pr_air *)context)->components[component];
    (void)n_threads;
    (void)err;
    for (uint32_t k = 0; k < c->n_columns; k++)
        for (size_t r = 0; r < (size_t)1 << c->log_size; r++) columns[k][r] = 5;
    return PR_OK;
}

static void prove_with(pr_writer *out, const pr_backend *backend, const pr_layout *layout) {
    pr_prover_options options = {.backend = backend, .n_threads = 2};
    pr_trace_source source = {.context = (void *)(uintptr_t)layout->statement->air, .fill = fill_fives};
    pr_prover *prover = NULL;
    pr_proof proof = {0};
    pr_error err = {0};
    if (pr_prover_create(&prover, layout, &options, &err) != PR_OK ||
        pr_prover_run(prover, &proof, &source, NULL, NULL, NULL, &err) != PR_OK)
        fail_msg("%s: %s", backend->name, err.text);
    assert_int_equal(pr_proof_encode(out, &proof, layout), PR_OK);
    pr_proof_clear(&proof);
    pr_prover_destroy(prover);
}

static void expect_accepted(const pr_writer *encoded, const pr_statement *st) {
    pr_verifier *v = NULL;
    pr_proof proof;
    pr_verdict verdict = PR_REJECTED_SHAPE;
    assert_int_equal(pr_verifier_create(&v, st, NULL), PR_OK);
    assert_int_equal(pr_proof_decode(&proof, pr_verifier_layout(v), encoded->data, encoded->size), PR_DECODE_OK);
    assert_int_equal(pr_verifier_run(v, &proof, &verdict, NULL), PR_OK);
    assert_int_equal(verdict, PR_ACCEPTED);
    pr_proof_clear(&proof);
    pr_verifier_destroy(v);
}

/* Takes the builder. */
static void prove_everywhere(pr_air_builder *b, const pr_config *config) {
    pr_air *air = NULL;
    pr_statement st;
    pr_layout layout;
    pr_writer expected;
    assert_int_equal(pr_air_build(&air, b, NULL), PR_OK);
    assert_int_equal(pr_statement_init(&st, air, config, NULL), PR_OK);
    assert_int_equal(pr_layout_init(&layout, &st, NULL), PR_OK);
    pr_writer_init(&expected);
    prove_with(&expected, &pr_backend_scalar, &layout);
    expect_accepted(&expected, &st);
    for (size_t k = 1; k < sizeof backends / sizeof *backends; k++) {
        pr_writer found;
        if (!backends[k]->available()) continue;
        pr_writer_init(&found);
        prove_with(&found, backends[k], &layout);
        assert_int_equal(found.size, expected.size);
        assert_memory_equal(found.data, expected.data, expected.size);
        pr_writer_clear(&found);
    }
    pr_writer_clear(&expected);
    pr_layout_clear(&layout);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

/* Columns shorter than a unit of the arena, the composition's halves among them. */
static void test_tiny_traces(void **state) {
    (void)state;
    for (uint32_t log_rows = 1; log_rows <= 4; log_rows++) {
        pr_air_builder *b = pr_air_builder_create("tiny");
        pr_expr mask[2];
        uint32_t relation = pr_air_add_relation(b, "r", 1);
        pr_air_component_begin(b, "tiny", log_rows);
        pr_air_add_column_mask(b, mask, (const int32_t[]){0, 1}, 2);
        pr_air_constrain(b, "constant", pr_sub(b, mask[1], mask[0]));
        pr_air_lookup_add(b, relation, pr_const(b, 1), mask, 1, 0);
        pr_air_lookup_add(b, relation, pr_const(b, -1), mask + 1, 1, 1);
        prove_everywhere(b, &parameters);
    }
}

/* Every column at an offset of its own: as many sample points as columns. */
static void test_many_sample_points(void **state) {
    (void)state;
    pr_air_builder *b = pr_air_builder_create("offsets");
    pr_air_component_begin(b, "offsets", 5);
    pr_expr first = pr_air_add_column(b, 0), last = first;
    for (int32_t k = 1; k < 4200; k++) last = pr_air_add_column(b, k);
    pr_air_constrain(b, "equal", pr_sub(b, first, last));
    prove_everywhere(b, &parameters);
}

/* More queries than there are positions, groups as large as the domain. */
static void test_queries_beyond_positions(void **state) {
    (void)state;
    pr_config config = parameters;
    config.n_queries = 1000;
    config.fold_step = 6;
    pr_air_builder *b = pr_air_builder_create("few");
    pr_air_component_begin(b, "few", 6);
    pr_expr x = pr_air_add_column(b, 0);
    pr_air_constrain(b, "five", pr_sub(b, x, pr_const(b, 5)));
    prove_everywhere(b, &config);
}

/* What a plan asks for openings is bounded by the domain, not by queries times group size. */
static void test_plan_of_large_groups(void **state) {
    (void)state;
    pr_config config = parameters;
    pr_prover_options options = {.backend = &pr_backend_scalar, .n_threads = 1};
    pr_air *air = NULL;
    pr_statement st;
    pr_layout layout;
    pr_plan plan;
    config.n_queries = 65536;
    config.fold_step = 10;
    pr_air_builder *b = pr_air_builder_create("groups");
    pr_air_component_begin(b, "groups", 10);
    pr_air_add_column(b, 0);
    assert_int_equal(pr_air_build(&air, b, NULL), PR_OK);
    assert_int_equal(pr_statement_init(&st, air, &config, NULL), PR_OK);
    assert_int_equal(pr_layout_init(&layout, &st, NULL), PR_OK);
    assert_int_equal(pr_prover_plan(&plan, &layout, &options, NULL), PR_OK);
    assert_true(plan.host_bytes < 16u << 20);
    pr_layout_clear(&layout);
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tiny_traces), cmocka_unit_test(test_many_sample_points),
                                       cmocka_unit_test(test_queries_beyond_positions),
                                       cmocka_unit_test(test_plan_of_large_groups)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
