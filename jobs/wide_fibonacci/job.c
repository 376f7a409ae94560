#include "wide_fibonacci/job.h"

enum { MIN_LOG_ROWS = 4, MAX_LOG_ROWS = 24, MIN_COLUMNS = 3, MAX_COLUMNS = 1024 };

struct pr_job_instance {
    uint32_t log_rows, columns, seed;
    pr_air *air;
};

static void clear(pr_job_instance *job) { pr_air_destroy(job->air); }

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    const pr_job_type *type = &pr_job_wide_fibonacci;
    job->log_rows = (uint32_t)pr_params_get_uint(type, params, "log_rows");
    job->columns = (uint32_t)pr_params_get_uint(type, params, "columns");
    job->seed = (uint32_t)pr_params_get_uint(type, params, "seed");
    return pr_wide_fibonacci_air(&job->air, job->log_rows, job->columns, err);
}

static pr_status load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err) {
    (void)params;
    pr_reader r;
    pr_reader_init(&r, public_data, size);
    job->log_rows = pr_read_u32(&r);
    job->columns = pr_read_u32(&r);
    job->seed = pr_read_u32(&r);
    if (!pr_reader_done(&r) || job->log_rows < MIN_LOG_ROWS || job->log_rows > MAX_LOG_ROWS ||
        job->columns < MIN_COLUMNS || job->columns > MAX_COLUMNS || job->seed >= PR_P)
        return pr_fail(err, PR_ERR_MALFORMED, "wide_fibonacci: public data (%zu bytes) is not three words in range",
                       size);
    return pr_wide_fibonacci_air(&job->air, job->log_rows, job->columns, err);
}

static const pr_air *air_of(const pr_job_instance *job) { return job->air; }

static void write_public(const pr_job_instance *job, pr_writer *out) {
    pr_write_u32(out, job->log_rows);
    pr_write_u32(out, job->columns);
    pr_write_u32(out, job->seed);
}

static size_t outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    (void)job, (void)out, (void)capacity;
    return 0;
}

static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    (void)err;
    PR_ASSERT(component == 0);
    pr_wide_fibonacci_fill(columns, order, job->log_rows, job->columns, job->seed, n_threads);
    return PR_OK;
}

static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    (void)err;
    uint32_t log_rows = (uint32_t)pr_params_get_uint(&pr_job_wide_fibonacci, params, "log_rows");
    uint64_t columns = pr_params_get_uint(&pr_job_wide_fibonacci, params, "columns");
    *out = (pr_job_size){.log_rows = log_rows, .n_trees = 1, .cells = columns << log_rows};
    return PR_OK;
}

static const pr_param_spec params_spec[] = {
    {"log_rows", PR_PARAM_UINT, true, NULL, MIN_LOG_ROWS, MAX_LOG_ROWS, "log2 of the number of rows"},
    {"columns", PR_PARAM_UINT, false, "100", MIN_COLUMNS, MAX_COLUMNS, "cells in a row"},
    {"seed", PR_PARAM_UINT, false, "7", 0, PR_P - 1, "row i begins with 1, seed + i"},
};

static const pr_param example[] = {{"log_rows", "10"}, {"columns", "100"}, {"seed", "7"}};

const pr_job_type pr_job_wide_fibonacci = {
    .name = "wide_fibonacci",
    .version = 1,
    .summary = "There are 2^log_rows rows of `columns` field elements in which every cell from the third on is the sum "
               "of the squares of the two before it.",
    PR_JOB_TABLE(params, params_spec),
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
