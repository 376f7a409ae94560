/* The tree of preprocessed columns, which a prover makes once for all runs of one AIR: that it is not made again, that
 * proofs are the bytes of a fresh prover's, and that no other table is taken for the one that is there. Every golden
 * case is proven twice by one prover in test_identity.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "../backends.h"
#include "casefile/casefile.h"
#include "prove/prove.h"

static const pr_backend *const backends[] = {PR_TEST_BACKENDS};

/* A column that no constraint reads, so that its values may be any. */
#define CASE PR_TEST_VECTORS "/cases/mixed_sizes_8_5_unused_l6.json"

typedef struct table {
    pr_case c;
    pr_layout layout;
    pr_hash digest;
    pr_writer proof; /* a fresh prover's */
} table;

/* ---- a backend that counts ---- */

static const pr_backend *inner;
static size_t n_extended, n_trees, failing_tree;

static pr_status count_columns(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    n_extended += n;
    return inner->extend(dev, dst, src, n, err);
}
static pr_status count_trees(pr_device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols, size_t n,
                             pr_error *err) {
    if (++n_trees == failing_tree) return pr_fail(err, PR_ERR_BACKEND, "a tree that a test made fail");
    return inner->merkle_commit(dev, root, tree, cols, n, err);
}

/* What a run did beside the preprocessed tree, if it made none, is the least. */
typedef struct work {
    size_t n_extended, n_trees;
} work;

static void prove(pr_prover *p, const table *t, pr_writer *out, work *done) {
    const pr_trace_source source = {.context = (void *)(uintptr_t)&t->c, .fill = pr_case_fill_trace};
    pr_proof proof = {0};
    pr_error err = {0};
    n_extended = n_trees = 0;
    if (pr_prover_run(p, &proof, &source, NULL, NULL, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    *done = (work){n_extended, n_trees};
    pr_writer_init(out);
    assert_int_equal(pr_proof_encode(out, &proof, &t->layout), PR_OK);
    pr_proof_clear(&proof);
}

static void expect_proof(pr_prover *p, const table *t, work want) {
    pr_writer out;
    work done;
    prove(p, t, &out, &done);
    assert_int_equal(done.n_extended, want.n_extended);
    assert_int_equal(done.n_trees, want.n_trees);
    assert_int_equal(out.size, t->proof.size);
    assert_memory_equal(out.data, t->proof.data, out.size);
    pr_writer_clear(&out);
}

static pr_prover *create(const pr_backend *backend, const table *t, bool keeps) {
    const pr_prover_options options = {.backend = backend, .n_threads = 1, .air_digest = keeps ? &t->digest : NULL};
    pr_prover *p = NULL;
    pr_error err = {0};
    if (pr_prover_create(&p, &t->layout, &options, &err) != PR_OK) fail_msg("%s", err.text);
    return p;
}

/* The case, with another value in its column where it is told so; *all: what a run does that keeps nothing. */
static void open_table(table *t, const pr_backend *backend, bool is_other, work *all) {
    pr_error err = {0};
    if (pr_case_load(&t->c, CASE, &err) != PR_OK || pr_layout_init(&t->layout, &t->c.statement, &err) != PR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(t->c.air->n_preprocessed, 1);
    if (is_other) t->c.air->preprocessed[0].values[5] ^= 1;
    t->digest = pr_air_digest(t->c.air);
    pr_prover *p = create(backend, t, false);
    prove(p, t, &t->proof, all);
    expect_proof(p, t, *all); /* again, for nobody told the AIR's digest */
    pr_prover_destroy(p);
}

static void close_table(table *t) {
    pr_writer_clear(&t->proof);
    pr_layout_clear(&t->layout);
    pr_case_clear(&t->c);
}

static void check_tables(const pr_backend *backend, const table *one, const table *other, work all) {
    const work without = {all.n_extended - 1, all.n_trees - 1};
    pr_prover *p = create(backend, one, true);
    expect_proof(p, one, all);
    expect_proof(p, one, without);
    pr_prover_set_layout(p, &one->layout, &one->digest);
    expect_proof(p, one, without);
    pr_prover_set_layout(p, &other->layout, &other->digest);
    expect_proof(p, other, all);
    expect_proof(p, other, without);
    pr_prover_set_layout(p, &one->layout, &one->digest); /* of the last one only */
    expect_proof(p, one, all);
    pr_prover_destroy(p);
}

/* A run that fails at any tree; what the next one finds is as good as new. */
static void check_failures(const pr_backend *backend, const table *t, work all) {
    const pr_trace_source source = {.context = (void *)(uintptr_t)&t->c, .fill = pr_case_fill_trace};
    const work without = {all.n_extended - 1, all.n_trees - 1};
    for (failing_tree = 1; failing_tree <= all.n_trees; failing_tree++) {
        pr_proof proof = {0};
        pr_error err = {0};
        pr_prover *p = create(backend, t, true);
        const size_t failed = failing_tree;
        n_trees = 0;
        assert_int_equal(pr_prover_run(p, &proof, &source, NULL, NULL, NULL, &err), PR_ERR_BACKEND);
        failing_tree = 0;
        expect_proof(p, t, failed == 1 ? all : without);
        failing_tree = failed;
        pr_prover_destroy(p);
    }
    failing_tree = 0;
}

static void check_backend(const pr_backend *backend) {
    pr_backend counting = *backend;
    table one, other;
    work all, all_other;
    inner = backend;
    counting.extend = count_columns;
    counting.merkle_commit = count_trees;
    open_table(&one, &counting, false, &all);
    open_table(&other, &counting, true, &all_other);
    assert_int_equal(all.n_extended, all_other.n_extended);
    assert_int_not_equal(memcmp(one.proof.data, other.proof.data, one.proof.size), 0);
    check_tables(&counting, &one, &other, all);
    check_failures(&counting, &one, all);
    close_table(&one);
    close_table(&other);
}

static void test_backends(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (backends[i]->available()) check_backend(backends[i]);
}

/* What lookups read of preprocessed columns stays as well: the plan counts it. */
static void test_plan(void **state) {
    (void)state;
    pr_case c;
    pr_layout layout;
    pr_plan kept, made;
    pr_error err = {0};
    if (pr_case_load(&c, PR_TEST_VECTORS "/cases/xor4_l9.json", &err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(pr_layout_init(&layout, &c.statement, &err), PR_OK);
    const pr_hash digest = pr_air_digest(c.air);
    pr_prover_options options = {.backend = pr_cpu_best(), .n_threads = 1};
    assert_int_equal(pr_prover_plan(&made, &layout, &options, &err), PR_OK);
    options.air_digest = &digest;
    assert_int_equal(pr_prover_plan(&kept, &layout, &options, &err), PR_OK);
    size_t bytes = 0;
    for (uint32_t i = 0; i < c.air->n_preprocessed; i++) bytes += sizeof(pr_m31) << c.air->preprocessed[i].log_size;
    assert_int_equal(kept.phase_bytes[PR_STAGE_LOOKUPS], made.phase_bytes[PR_STAGE_LOOKUPS]);
    assert_in_range(kept.phase_bytes[PR_STAGE_FRI] - made.phase_bytes[PR_STAGE_FRI], bytes, bytes + 4096);
    assert_true(kept.arena_bytes >= made.arena_bytes && kept.total_bytes >= kept.phase_bytes[PR_STAGE_FRI]);
    pr_layout_clear(&layout);
    pr_case_clear(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_backends), cmocka_unit_test(test_plan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
