#include "poseidon2_merkle/job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gadgets/number_source.h"
#include "poseidon2_merkle/layout.h"
#include "poseidon2_merkle/trace.h"

static const pr_job_type *const type = &pr_job_poseidon2_merkle;
static const pr_number_limits limits = {PR_NUMBER_M31, UINT64_C(1) << 32, PR_POSEIDON2_MERKLE_MAX_VALUES};

struct pr_job_instance {
    pr_poseidon2_merkle_public statement;
    pr_poseidon2_merkle_tree tree; /* empty in an instance made for verification */
    pr_air *air;
};

static void clear(pr_job_instance *job) {
    pr_air_destroy(job->air);
    pr_poseidon2_merkle_tree_clear(&job->tree);
}

static pr_status build(pr_job_instance *job, const pr_m31 *values, size_t n, pr_error *err) {
    if (n == 0 || n > PR_POSEIDON2_MERKLE_MAX_VALUES)
        return pr_fail(err, PR_ERR_INPUT, "poseidon2_merkle: %zu values; allowed: 1 to %u", n,
                       PR_POSEIDON2_MERKLE_MAX_VALUES);
    job->statement.n_values = (uint32_t)n;
    PR_TRY(pr_poseidon2_merkle_tree_init(&job->tree, values, (uint32_t)n, err));
    memcpy(job->statement.root, job->tree.root, sizeof job->statement.root);
    return pr_poseidon2_merkle_air(&job->air, &job->statement, err);
}

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    pr_m31 *values;
    size_t n;
    PR_TRY(pr_numbers_from_params(&values, &n, type, params, &limits, err));
    pr_status status = build(job, values, n, err);
    free(values);
    return status;
}

static bool read_public(pr_poseidon2_merkle_public *out, const void *data, size_t size) {
    pr_reader r;
    pr_reader_init(&r, data, size);
    uint64_t n = pr_read_u64(&r);
    bool reduced = true;
    for (int k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++) reduced &= (out->root[k] = pr_read_u32(&r)) < PR_P;
    out->n_values = (uint32_t)n;
    return pr_reader_done(&r) && reduced && n >= 1 && n <= PR_POSEIDON2_MERKLE_MAX_VALUES;
}

static pr_status load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err) {
    (void)params;
    if (!read_public(&job->statement, public_data, size))
        return pr_fail(err, PR_ERR_MALFORMED, "poseidon2_merkle: public data (%zu bytes) is not a count and a root",
                       size);
    return pr_poseidon2_merkle_air(&job->air, &job->statement, err);
}

static const pr_air *air_of(const pr_job_instance *job) { return job->air; }

static void write_public(const pr_job_instance *job, pr_writer *out) {
    pr_write_u64(out, job->statement.n_values);
    for (int k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++) pr_write_u32(out, job->statement.root[k]);
}

/* The root in eight hex digits an element, as numbers are written. */
static size_t outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    pr_output all[2] = {{.name = "root"}, {.name = "values"}};
    for (size_t k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++)
        snprintf(all[0].value + 8 * k, sizeof all[0].value - 8 * k, "%08x", job->statement.root[k]);
    snprintf(all[1].value, sizeof all[1].value, "%u", job->statement.n_values);
    size_t n = sizeof all / sizeof *all;
    for (size_t k = 0; k < n && k < capacity; k++) out[k] = all[k];
    return n;
}

static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    PR_ASSERT(component == 0);
    if (!job->tree.inputs) return pr_fail(err, PR_ERR_INTERNAL, "poseidon2_merkle: no trace without the values");
    pr_poseidon2_merkle_fill(columns, order, pr_poseidon2_merkle_log_rows(job->statement.n_values), &job->tree,
                             n_threads);
    return PR_OK;
}

static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    enum { SELECTORS = 5, SECURE = 2 * 4 };
    uint64_t n = 0;
    PR_TRY(pr_numbers_count(&n, type, params, &limits, err));
    if (n > PR_POSEIDON2_MERKLE_MAX_VALUES) n = PR_POSEIDON2_MERKLE_MAX_VALUES; /* of a list: the job will fail */
    uint32_t log_rows = pr_poseidon2_merkle_log_rows((uint32_t)n);
    uint64_t rows = UINT64_C(1) << log_rows;
    *out = (pr_job_size){.log_rows = log_rows, .n_trees = 3};
    out->cells = (PR_POSEIDON2_MERKLE_COLUMNS + SELECTORS + SECURE) * rows;
    out->n_values = SELECTORS * rows;
    out->instance_bytes = rows * PR_POSEIDON2_MERKLE_LEAF * sizeof(pr_m31) + SELECTORS * sizeof(pr_m31) * rows;
    return PR_OK;
}

static const pr_param_spec params_spec[] = {
    PR_NUMBERS_PARAM_INPUT,   PR_NUMBERS_PARAM_INPUT_FILE, PR_NUMBERS_PARAM_DATA,
    PR_NUMBERS_PARAM_DATASET, PR_NUMBERS_PARAM_COLUMN,
};

static const pr_param_rule rules[] = {
    {PR_RULE_ONE_OF, {"input", "input_file", "data"}},
    PR_NUMBERS_RULES_DATA,
};

static const pr_param example[] = {{"input", "3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3 2 3 8 4"}};

const pr_job_type pr_job_poseidon2_merkle = {
    .name = "poseidon2_merkle",
    .version = 1,
    .summary = "As many field elements are known as `values` says, and `root` is their Merkle root under Poseidon2.",
    PR_JOB_TABLE(params, params_spec),
    PR_JOB_TABLE(rules, rules),
    PR_JOB_TABLE(example, example),
    .instance_bytes = sizeof(pr_job_instance),
    .load = load,
    .clear = clear,
    .air = air_of,
    .write_public = write_public,
    .outputs = outputs,
    .load_public = load_public,
    .trace = trace,
    .fills_storage = true,
    .size = size_of,
};
