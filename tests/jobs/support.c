#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "circle/circle.h"

rows rows_create(uint32_t n_columns, uint32_t log_rows) {
    rows t = {n_columns, log_rows, calloc(n_columns, sizeof *t.columns)};
    assert_non_null(t.columns);
    for (uint32_t k = 0; k < n_columns; k++) {
        t.columns[k] = malloc(sizeof(pr_m31) << log_rows);
        assert_non_null(t.columns[k]);
        memset(t.columns[k], 0xff, sizeof(pr_m31) << log_rows); /* no field element: an unwritten cell shows */
    }
    return t;
}

void rows_destroy(rows *t) {
    for (uint32_t k = 0; k < t->n_columns; k++) free(t->columns[k]);
    free(t->columns);
    *t = (rows){0};
}

static pr_m31 node_value(const pr_m31 *v, const pr_node *node, const pr_air *air, const rows *t, uint32_t row) {
    uint32_t mask = (1u << t->log_rows) - 1;
    switch ((pr_node_op)node->op) {
    case PR_NODE_COL:
        return t->columns[node->a][(row + (uint32_t)air->components[0].columns[node->a].offsets[node->b]) & mask];
    case PR_NODE_PRE:
        return air->preprocessed[node->a].values[row];
    case PR_NODE_CONST:
        return node->a;
    case PR_NODE_ADD:
        return pr_m31_add(v[node->a], v[node->b]);
    case PR_NODE_SUB:
        return pr_m31_sub(v[node->a], v[node->b]);
    case PR_NODE_MUL:
        return pr_m31_mul(v[node->a], v[node->b]);
    case PR_NODE_NEG:
        return pr_m31_neg(v[node->a]);
    }
    fail_msg("unknown node %u", node->op);
    return 0;
}

void evaluate_row(pr_m31 *out, const pr_air *air, const rows *t, uint32_t row) {
    const pr_air_component *c = &air->components[0];
    assert_int_equal(c->n_columns, t->n_columns);
    assert_int_equal(c->log_size, t->log_rows);
    pr_m31 *v = malloc(c->n_nodes * sizeof *v);
    assert_non_null(v);
    for (uint32_t i = 0; i < c->n_nodes; i++) v[i] = node_value(v, &c->nodes[i], air, t, row);
    for (uint32_t i = 0; i < c->n_constraints; i++) out[i] = v[c->constraints[i].node];
    free(v);
}

uint32_t count_failures_in_row(const pr_air *air, const rows *t, uint32_t row, uint32_t *first) {
    uint32_t n = air->components[0].n_constraints, failures = 0;
    pr_m31 *values = malloc(n * sizeof *values);
    assert_non_null(values);
    evaluate_row(values, air, t, row);
    for (uint32_t i = 0; i < n; i++)
        if (values[i] != 0 && failures++ == 0) *first = i;
    free(values);
    return failures;
}

uint32_t count_failures(const pr_air *air, const rows *t, uint32_t *row, uint32_t *first) {
    uint32_t failures = 0;
    for (uint32_t r = 0; r < 1u << t->log_rows; r++) {
        uint32_t index = 0, n = count_failures_in_row(air, t, r, &index);
        if (n && !failures) *row = r, *first = index;
        failures += n;
    }
    return failures;
}

rows trace_in_rows(const pr_job_type *type, const pr_job_instance *job, unsigned n_threads) {
    const pr_air_component *c = &type->air(job)->components[0];
    rows t = rows_create(c->n_columns, c->log_size);
    assert_int_equal(type->trace(job, 0, t.columns, PR_JOB_ROW_ORDER, n_threads, NULL), PR_OK);
    return t;
}

rows trace_from_storage(const pr_job_type *type, const pr_job_instance *job, unsigned n_threads) {
    const pr_air_component *c = &type->air(job)->components[0];
    rows stored = rows_create(c->n_columns, c->log_size), t = rows_create(c->n_columns, c->log_size);
    assert_int_equal(type->trace(job, 0, stored.columns, PR_JOB_STORAGE_ORDER, n_threads, NULL), PR_OK);
    for (uint32_t k = 0; k < t.n_columns; k++)
        for (uint32_t r = 0; r < 1u << t.log_rows; r++)
            t.columns[k][r] = stored.columns[k][pr_slot_of_row(t.log_rows, r)];
    rows_destroy(&stored);
    return t;
}

void assert_rows_equal(const rows *x, const rows *y) {
    assert_int_equal(x->n_columns, y->n_columns);
    assert_int_equal(x->log_rows, y->log_rows);
    for (uint32_t k = 0; k < x->n_columns; k++)
        for (uint32_t r = 0; r < 1u << x->log_rows; r++)
            if (x->columns[k][r] != y->columns[k][r])
                fail_msg("column %u row %u: %u and %u", k, r, x->columns[k][r], y->columns[k][r]);
}

uint64_t test_seed(void) {
    const char *wish = getenv("PROVERUN_TEST_SEED");
    uint64_t seed = wish ? strtoull(wish, NULL, 0) : (uint64_t)time(NULL);
    print_message("PROVERUN_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* splitmix64 */
uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

pr_m31 random_m31(uint64_t *state) { return (pr_m31)(next_random(state) % PR_P); }

uint8_t *random_bytes(size_t size, uint64_t *state) {
    uint8_t *data = malloc(size + 1);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)next_random(state);
    return data;
}

pr_writer public_of(const pr_job_type *type, const pr_job_instance *job) {
    pr_writer w;
    pr_writer_init(&w);
    type->write_public(job, &w);
    assert_false(w.failed);
    return w;
}

void assert_public(const pr_job_type *type, const pr_job_instance *job, const void *expected, size_t size) {
    pr_writer w = public_of(type, job);
    assert_int_equal(w.size, size);
    assert_memory_equal(w.data, expected, size);
    pr_writer_clear(&w);
}

pr_job_instance *claim_public(const pr_job_type *type, pr_writer *data) {
    pr_job_instance *job = NULL;
    pr_error err = {0};
    if (pr_instance_create_public(&job, type, NULL, data->data, data->size, &err) != PR_OK) fail_msg("%s", err.text);
    pr_writer_clear(data);
    return job;
}

pr_job_instance *claim_digest(const pr_job_type *type, uint64_t length, const uint8_t digest[32]) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u64(&w, length);
    pr_write_bytes(&w, digest, 32);
    return claim_public(type, &w);
}

pr_job_instance *remake_from_public(const pr_job_type *type, const pr_job_instance *job) {
    pr_writer w = public_of(type, job);
    pr_job_instance *again = NULL;
    pr_error err = {0};
    if (pr_instance_create_public(&again, type, NULL, w.data, w.size, &err) != PR_OK) fail_msg("%s", err.text);
    assert_public(type, again, w.data, w.size);
    pr_hash x = pr_air_digest(type->air(job)), y = pr_air_digest(type->air(again));
    assert_true(pr_hash_equal(&x, &y));
    pr_writer_clear(&w);
    return again;
}
