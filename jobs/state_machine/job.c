#include "state_machine/job.h"
#include <stdio.h>
#include "state_machine/air.h"

static const pr_job_type *const type = &pr_job_state_machine;

struct pr_job_instance {
    pr_state_machine_public statement;
    bool has_trace; /* false in an instance made for verification: its final state is a claim */
    pr_air *air;
};

static void clear(pr_job_instance *job) { pr_air_destroy(job->air); }

static pr_status build(pr_job_instance *job, const pr_state_machine_public *statement, bool has_trace, pr_error *err) {
    job->statement = *statement;
    job->has_trace = has_trace;
    return pr_state_machine_air(&job->air, statement, err);
}

static bool has_steps(const pr_state_machine_public *s) { return s->n_steps[0] || s->n_steps[1]; }

static pr_state_machine_public read_params(const pr_params *params) {
    static const char *const initial[PR_STATE_MACHINE_AXES] = {"x", "y"};
    static const char *const n_steps[PR_STATE_MACHINE_AXES] = {"x_steps", "y_steps"};
    pr_state_machine_public s;
    for (int axis = 0; axis < PR_STATE_MACHINE_AXES; axis++) {
        s.initial[axis] = (pr_m31)pr_params_get_uint(type, params, initial[axis]);
        s.n_steps[axis] = (uint32_t)pr_params_get_uint(type, params, n_steps[axis]);
        s.final[axis] = pr_m31_add(s.initial[axis], s.n_steps[axis]);
    }
    return s;
}

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    pr_state_machine_public s = read_params(params);
    if (!has_steps(&s))
        return pr_fail(err, PR_ERR_USAGE, "state_machine: no steps; allowed: x_steps, y_steps or both above 0");
    return build(job, &s, true, err);
}

static void read_elements(pr_reader *r, uint32_t out[PR_STATE_MACHINE_AXES]) {
    for (int axis = 0; axis < PR_STATE_MACHINE_AXES; axis++) out[axis] = pr_read_u32(r);
}

static pr_status load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err) {
    (void)params;
    pr_state_machine_public s;
    pr_reader r;
    pr_reader_init(&r, public_data, size);
    read_elements(&r, s.initial);
    read_elements(&r, s.n_steps);
    read_elements(&r, s.final);
    bool good = pr_reader_done(&r) && has_steps(&s);
    for (int axis = 0; axis < PR_STATE_MACHINE_AXES; axis++)
        good = good && s.initial[axis] < PR_P && s.final[axis] < PR_P && s.n_steps[axis] <= PR_STATE_MACHINE_MAX_STEPS;
    if (!good)
        return pr_fail(err, PR_ERR_MALFORMED, "state_machine: public data (%zu bytes) is not two states and steps",
                       size);
    return build(job, &s, false, err);
}

static const pr_air *air_of(const pr_job_instance *job) { return job->air; }

static void write_elements(pr_writer *out, const uint32_t x[PR_STATE_MACHINE_AXES]) {
    for (int axis = 0; axis < PR_STATE_MACHINE_AXES; axis++) pr_write_u32(out, x[axis]);
}

static void write_public(const pr_job_instance *job, pr_writer *out) {
    write_elements(out, job->statement.initial);
    write_elements(out, job->statement.n_steps);
    write_elements(out, job->statement.final);
}

/* Somebody gives the state before the first step, and takes the one after the last. */
static pr_status public_terms(const pr_job_instance *job, pr_statement *st, pr_error *err) {
    const pr_state_machine_public *s = &job->statement;
    const pr_m31 begin[1 + PR_STATE_MACHINE_AXES] = {0, s->initial[0], s->initial[1]};
    const pr_m31 end[1 + PR_STATE_MACHINE_AXES] = {s->n_steps[0] + s->n_steps[1], s->final[0], s->final[1]};
    PR_TRY(
        pr_statement_add_public_term(st, PR_STATE_MACHINE_STATE, pr_m31_neg(1), begin, 1 + PR_STATE_MACHINE_AXES, err));
    return pr_statement_add_public_term(st, PR_STATE_MACHINE_STATE, 1, end, 1 + PR_STATE_MACHINE_AXES, err);
}

static size_t outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    pr_output all[PR_STATE_MACHINE_AXES] = {{.name = "x"}, {.name = "y"}};
    for (size_t k = 0; k < PR_STATE_MACHINE_AXES; k++) {
        snprintf(all[k].value, sizeof all[k].value, "%u", job->statement.final[k]);
        if (k < capacity) out[k] = all[k];
    }
    return PR_STATE_MACHINE_AXES;
}

/* Row r: the state before step r of the component's axis; zeros behind the steps. */
static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    const pr_state_machine_public *s = &job->statement;
    (void)order, (void)n_threads; /* two cells a step */
    PR_ASSERT(component < PR_STATE_MACHINE_AXES);
    if (!job->has_trace) return pr_fail(err, PR_ERR_INTERNAL, "state_machine: no trace of a claim");
    uint32_t n_steps = s->n_steps[component], n_rows = UINT32_C(1) << pr_state_machine_log_rows(n_steps);
    pr_m31 x = component ? s->final[0] : s->initial[0], y = s->initial[1];
    for (uint32_t r = 0; r < n_rows; r++) {
        columns[0][r] = r < n_steps ? x : 0;
        columns[1][r] = r < n_steps ? y : 0;
        if (component)
            y = pr_m31_add(y, 1);
        else
            x = pr_m31_add(x, 1);
    }
    return PR_OK;
}

static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    enum { SECURE = 4 };
    (void)err;
    pr_state_machine_public s = read_params(params);
    *out = (pr_job_size){.n_trees = 3};
    for (int axis = 0; axis < PR_STATE_MACHINE_AXES; axis++) {
        uint32_t log_rows = pr_state_machine_log_rows(s.n_steps[axis]);
        if (log_rows > out->log_rows) out->log_rows = log_rows;
        out->n_columns += PR_STATE_MACHINE_COLUMNS + PR_STATE_MACHINE_PREPROCESSED + SECURE;
        out->cells += (uint64_t)(PR_STATE_MACHINE_COLUMNS + PR_STATE_MACHINE_PREPROCESSED + SECURE) << log_rows;
        out->n_values += (uint64_t)PR_STATE_MACHINE_PREPROCESSED << log_rows;
        out->instance_bytes += (PR_STATE_MACHINE_PREPROCESSED * sizeof(pr_m31)) << log_rows;
    }
    return PR_OK;
}

static const pr_param_spec params_spec[] = {
    {"x", PR_PARAM_UINT, false, "0", 0, PR_P - 1, "first coordinate of the initial state"},
    {"y", PR_PARAM_UINT, false, "0", 0, PR_P - 1, "second coordinate of the initial state"},
    {"x_steps", PR_PARAM_UINT, false, "0", 0, PR_STATE_MACHINE_MAX_STEPS, "steps along the first coordinate"},
    {"y_steps", PR_PARAM_UINT, false, "0", 0, PR_STATE_MACHINE_MAX_STEPS, "steps along the second, behind them"},
};

static const pr_param example[] = {{"x", "5"}, {"y", "9"}, {"x_steps", "20"}, {"y_steps", "7"}};

const pr_job_type pr_job_state_machine = {
    .name = "state_machine",
    .version = 1,
    .summary = "A state of two coordinates that starts at the initial one and takes `x_steps` steps along the first "
               "coordinate and then `y_steps` along the second ends at (`x`, `y`).",
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
    .size = size_of,
    .public_terms = public_terms,
};
