#include "file_hash/job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "file_hash/layout.h"
#include "file_hash/trace.h"
#include "gadgets/byte_source.h"

struct pr_job_instance {
    pr_bytes_label label;
    pr_file_hash_public statement;
    pr_file_hash_walk walk; /* empty in an instance made for verification */
    pr_air *air;
};

static void clear(pr_job_instance *job) {
    pr_air_destroy(job->air);
    pr_file_hash_walk_clear(&job->walk);
}

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    uint8_t *data = NULL;
    size_t size = 0;
    job->label = pr_bytes_label_of(&pr_job_file_hash, params);
    PR_TRY(pr_bytes_from_params(&data, &size, &pr_job_file_hash, params, pr_file_hash_max_length(), err));
    pr_status status = pr_file_hash_walk_init(&job->walk, data, size, err);
    free(data);
    if (status != PR_OK) return status;
    job->statement.length = size;
    memcpy(job->statement.digest, job->walk.digest, sizeof job->statement.digest);
    return pr_file_hash_air(&job->air, &job->statement, err);
}

static bool read_public(pr_file_hash_public *out, const void *data, size_t size) {
    pr_reader r;
    pr_reader_init(&r, data, size);
    out->length = pr_read_u64(&r);
    bool reduced = true;
    for (int k = 0; k < PR_POSEIDON2_RATE; k++) reduced &= (out->digest[k] = pr_read_u32(&r)) < PR_P;
    return pr_reader_done(&r) && reduced && out->length <= pr_file_hash_max_length();
}

static pr_status load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err) {
    job->label = pr_bytes_label_of(&pr_job_file_hash, params);
    if (!read_public(&job->statement, public_data, size))
        return pr_fail(err, PR_ERR_MALFORMED, "file_hash: public data (%zu bytes) is not a length and a digest", size);
    return pr_file_hash_air(&job->air, &job->statement, err);
}

static const pr_air *air_of(const pr_job_instance *job) { return job->air; }

static void write_public(const pr_job_instance *job, pr_writer *out) {
    pr_write_u64(out, job->statement.length);
    for (int k = 0; k < PR_POSEIDON2_RATE; k++) pr_write_u32(out, job->statement.digest[k]);
}

/* Eight hex digits an element, the first element first, as numbers are written. */
static void print_digest(char *out, size_t size, const pr_m31 *digest) {
    for (size_t k = 0; k < PR_POSEIDON2_RATE; k++) snprintf(out + 8 * k, size - 8 * k, "%08x", digest[k]);
}

static size_t outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    char digest[8 * PR_POSEIDON2_RATE + 1];
    print_digest(digest, sizeof digest, job->statement.digest);
    return pr_bytes_outputs(out, capacity, digest, job->statement.length, &job->label);
}

static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    PR_ASSERT(component == 0);
    if (!job->walk.states) return pr_fail(err, PR_ERR_INTERNAL, "file_hash: no trace without the file");
    pr_file_hash_fill(columns, order, pr_file_hash_log_rows(job->statement.length), &job->walk, n_threads);
    return PR_OK;
}

static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    enum { SELECTORS = 3 };
    uint64_t length;
    PR_TRY(pr_bytes_length(&length, &pr_job_file_hash, params, pr_file_hash_max_length(), err));
    uint32_t log_rows = pr_file_hash_log_rows(length);
    uint64_t rows = UINT64_C(1) << log_rows;
    *out = (pr_job_size){.log_rows = log_rows, .n_trees = 2, .cells = (PR_FILE_HASH_COLUMNS + SELECTORS) * rows};
    out->n_values = SELECTORS * rows;
    /* the sponge's states and, while they are made, the file; the selectors' values */
    out->instance_bytes = length + (pr_file_hash_blocks(length) + UINT64_C(1)) * PR_POSEIDON2_WIDTH * sizeof(pr_m31) +
                          SELECTORS * 4 * rows;
    return PR_OK;
}

static const pr_param_spec params_spec[] = {
    PR_BYTES_PARAMS,
};

static const pr_param_rule rules[] = {PR_BYTES_RULES};

static const pr_param example[] = {{"path", "/usr/share/common-licenses/BSD"}};

const pr_job_type pr_job_file_hash = {
    .name = "file_hash",
    .version = 1,
    .summary = "Field elements are known whose first is `length`, which are as many as a file of `length` bytes gives, "
               "and whose Poseidon2 sponge digest is `digest`.",
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
