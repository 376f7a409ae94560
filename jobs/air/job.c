#include "air/job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "air/check.h"
#include "air/public.h"
#include "gadgets/input_file.h"

struct pr_job_instance {
    pr_case c;
    pr_air_binding binding;
    pr_air_check_mode mode;
    bool has_public_data_only;
    pr_air_check **check; /* of the trace that is being filled: an instance is const then */
};

static void clear(pr_job_instance *job) {
    if (job->check) pr_air_check_destroy(*job->check);
    free(job->check);
    pr_case_clear(&job->c);
}

/* Whatever is wrong with a case is this job's input. */
static pr_status as_input(pr_status status, pr_error *err) {
    if (status != PR_ERR_USAGE && status != PR_ERR_IO && status != PR_ERR_MALFORMED) return status;
    if (err) err->status = PR_ERR_INPUT;
    return PR_ERR_INPUT;
}

/* ---- parameters ---- */

/* The index of the value among those that the type's rules allow. */
static uint32_t choice(const pr_params *params, const char *name, const char *const *choices) {
    const char *text = pr_params_get(&pr_job_air, params, name);
    uint32_t k = 0;
    while (strcmp(choices[k], text) != 0) k++;
    return k;
}

static pr_air_check_mode check_mode(const pr_params *params) {
    static const char *const modes[] = {"off", "sampled", "full"};
    return (pr_air_check_mode)choice(params, "check", modes);
}

static pr_air_binding binding_of(const pr_params *params) {
    static const char *const bindings[] = {"own", "case"};
    return (pr_air_binding)choice(params, "statement", bindings);
}

/* ---- cases ---- */

static pr_status open_case(pr_case *out, const pr_params *params, pr_case_depth depth, pr_error *err) {
    char *path = pr_input_file_path(params->base_dir, pr_params_get(&pr_job_air, params, "case"));
    if (!path) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job");
    pr_status status = as_input(pr_case_open(out, path, depth, err), err);
    free(path);
    return status;
}

/* What a statement of this type needs beyond a case that can be read. */
static pr_status check_case(const pr_job_instance *job, pr_error *err) {
    const pr_air *air = job->c.air;
    for (uint32_t k = 0; k < air->n_preprocessed; k++)
        if (!air->preprocessed[k].values)
            return pr_fail(err, PR_ERR_INPUT, "%s: preprocessed column '%s' has no values: nobody could verify it",
                           job->c.path, air->preprocessed[k].id);
    if (job->binding == PR_AIR_BINDING_OWN && job->c.statement.has_foreign_transcript)
        return pr_fail(err, PR_ERR_INPUT,
                       "%s: $.transcript: the case brings a transcript of its own, which the parameter `statement: "
                       "case` keeps; `statement: own` would drop it",
                       job->c.path);
    return PR_OK;
}

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    job->mode = check_mode(params);
    job->binding = binding_of(params);
    PR_TRY(open_case(&job->c, params, PR_CASE_ALL, err));
    if (!pr_case_has_trace(&job->c))
        return pr_fail(err, PR_ERR_INPUT, "%s: the case has no trace to prove", job->c.path);
    job->check = calloc(1, sizeof *job->check);
    if (!job->check) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job");
    return check_case(job, err);
}

static pr_status open_public(pr_job_instance *job, const pr_params *params, const void *data, size_t size,
                             pr_error *err) {
    pr_air_public public;
    job->binding = binding_of(params);
    PR_TRY(pr_air_public_read(&public, data, size, err));
    if (public.binding != job->binding)
        return pr_fail(err, PR_ERR_MALFORMED, "the parameter `statement` is not that of the public data");
    if (public.text) return pr_case_parse(&job->c, public.text, public.text_size, "public data", err);
    PR_TRY(open_case(&job->c, params, PR_CASE_STATEMENT, err));
    pr_hash digest = pr_air_digest(job->c.air);
    char texts[2][65];
    pr_hex_encode(texts[0], digest.bytes, sizeof digest.bytes);
    pr_hex_encode(texts[1], public.air.bytes, sizeof public.air.bytes);
    if (strcmp(texts[0], texts[1]) == 0) return PR_OK;
    return pr_fail(err, PR_ERR_INPUT, "%s: its AIR has the digest %s, the statement is about %s", job->c.path, texts[0],
                   texts[1]);
}

static pr_status load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err) {
    PR_TRY(open_public(job, params, public_data, size, err));
    return check_case(job, err);
}

/* ---- the statement ---- */

static const pr_air *air_of(const pr_job_instance *job) { return job->c.air; }

static const pr_statement *foreign(const pr_job_instance *job) {
    return job->binding == PR_AIR_BINDING_CASE ? &job->c.statement : NULL;
}

static void write_public(const pr_job_instance *job, pr_writer *out) {
    pr_air_public_write(out, &job->c, job->binding);
}

static pr_status public_terms(const pr_job_instance *job, pr_statement *st, pr_error *err) {
    for (uint32_t k = 0; k < job->c.statement.n_public_terms; k++) {
        const pr_public_term *t = &job->c.statement.public_terms[k];
        PR_TRY(pr_statement_add_public_term(st, t->relation, t->multiplicity, t->values, t->n_values, err));
    }
    return PR_OK;
}

/* "state -1 (4, 0)", as many as fit a line of the results. */
static void print_terms(char *out, size_t size, const pr_case *c) {
    size_t at = 0;
    for (uint32_t k = 0; k < c->statement.n_public_terms && at + 1 < size; k++) {
        const pr_public_term *t = &c->statement.public_terms[k];
        bool negative = t->multiplicity > PR_P / 2;
        at += (size_t)snprintf(out + at, size - at, "%s%s %s%u (", k ? "; " : "", c->air->relations[t->relation].name,
                               negative ? "-" : "", negative ? PR_P - t->multiplicity : t->multiplicity);
        for (uint32_t v = 0; v < t->n_values && at + 1 < size; v++)
            at += (size_t)snprintf(out + at, size - at, "%s%u", v ? ", " : "", t->values[v]);
        if (at + 1 < size) at += (size_t)snprintf(out + at, size - at, ")");
    }
}

static size_t outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    pr_output all[4] = {{.name = "air"}, {.name = "components"}, {.name = "public_terms"}, {.name = "terms"}};
    pr_hash digest = pr_air_digest(job->c.air);
    pr_hex_encode(all[0].value, digest.bytes, sizeof digest.bytes);
    snprintf(all[1].value, sizeof all[1].value, "%u", job->c.air->n_components);
    snprintf(all[2].value, sizeof all[2].value, "%u", job->c.statement.n_public_terms);
    print_terms(all[3].value, sizeof all[3].value, &job->c);
    size_t n = sizeof all / sizeof *all;
    for (size_t k = 0; k < n && k < capacity; k++) out[k] = all[k];
    return n;
}

/* ---- the trace ---- */

/* Fills, and checks what it filled while it is at hand; components come in order. */
static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    (void)order;
    if (!job->check) return pr_fail(err, PR_ERR_INTERNAL, "air: no trace without the case");
    PR_TRY(as_input(pr_case_fill_trace((void *)(uintptr_t)&job->c, component, columns, n_threads, err), err));
    if (job->mode == PR_AIR_CHECK_OFF) return PR_OK;
    if (component == 0) {
        pr_air_check_destroy(*job->check);
        *job->check = NULL;
        PR_TRY(pr_air_check_create(job->check, &job->c.statement, job->mode, err));
    }
    PR_TRY(pr_air_check_component(*job->check, component, columns, n_threads, err));
    return component + 1 == job->c.air->n_components ? pr_air_check_relations(*job->check, err) : PR_OK;
}

/* Columns of one component at a time. */
static pr_status diagnose_component(const pr_job_instance *job, pr_air_check *check, uint32_t component,
                                    unsigned n_threads, pr_error *err) {
    const pr_air_component *c = &job->c.air->components[component];
    size_t rows = (size_t)1 << c->log_size;
    pr_m31 *cells = malloc(c->n_columns * rows * sizeof *cells), **columns = malloc(c->n_columns * sizeof *columns);
    pr_status status = PR_ERR_MEMORY;
    if (cells && columns) {
        for (uint32_t k = 0; k < c->n_columns; k++) columns[k] = cells + k * rows;
        status = as_input(pr_case_fill_trace((void *)(uintptr_t)&job->c, component, columns, n_threads, err), err);
        if (status == PR_OK) status = pr_air_check_component(check, component, columns, n_threads, err);
    }
    free(cells);
    free(columns);
    return status;
}

static pr_status diagnose(const pr_job_instance *job, unsigned n_threads, pr_error *err) {
    pr_air_check *check = NULL;
    PR_TRY(pr_air_check_create(&check, &job->c.statement, PR_AIR_CHECK_FULL, err));
    pr_status status = PR_OK;
    for (uint32_t k = 0; status == PR_OK && k < job->c.air->n_components; k++)
        status = diagnose_component(job, check, k, n_threads, err);
    if (status == PR_OK) status = pr_air_check_relations(check, err);
    pr_air_check_destroy(check);
    return status;
}

/* ---- size ---- */

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static void size_of_air(pr_job_size *out, const pr_air *air) {
    bool has_interaction = false;
    for (uint32_t k = 0; k < air->n_preprocessed; k++) {
        out->cells += UINT64_C(1) << air->preprocessed[k].log_size;
        out->log_rows = larger(out->log_rows, air->preprocessed[k].log_size);
    }
    out->n_columns = air->n_preprocessed;
    out->n_values = out->cells;
    out->instance_bytes = out->cells * sizeof(pr_m31);
    for (uint32_t k = 0; k < air->n_components; k++) {
        const pr_air_component *c = &air->components[k];
        out->n_columns += UINT64_C(4) * c->n_batches + c->n_columns;
        out->cells += (UINT64_C(4) * c->n_batches + c->n_columns) << c->log_size;
        out->instance_bytes += sizeof(pr_node) * c->n_nodes + sizeof(pr_air_column) * c->n_columns;
        out->log_rows = larger(out->log_rows, c->log_size);
        has_interaction |= c->n_batches != 0;
    }
    out->n_trees = (air->n_preprocessed != 0) + 1u + has_interaction;
}

/* Reads the case's text, not its numbers. */
static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    pr_case c;
    PR_TRY(open_case(&c, params, PR_CASE_SHAPE, err));
    *out = (pr_job_size){0};
    size_of_air(out, c.air);
    if (binding_of(params) == PR_AIR_BINDING_CASE) out->log_blowup = c.statement.config.log_blowup;
    pr_case_clear(&c);
    return PR_OK;
}

static const pr_param_spec params_spec[] = {
    {"case", PR_PARAM_PATH, true, NULL, 0, 0, "case file: AIR, public terms and trace"},
    {"check", PR_PARAM_TEXT, false, "sampled", 0, 0,
     "of the trace before it is proven: full (every row, every relation), sampled (256 rows a component) or off"},
    {"statement", PR_PARAM_TEXT, false, "own", 0, 0,
     "own: the profile's parameters and this program's digest; case: parameters, digest and transcript of the case"},
};

static const pr_param_rule rules[] = {
    {PR_RULE_CHOICE, {"check", "off", "sampled", "full"}},
    {PR_RULE_CHOICE, {"statement", "own", "case"}},
};

static const pr_param example[] = {{"case", "two_sizes.json"}, {"check", "full"}};

const pr_job_type pr_job_air = {
    .name = "air",
    .version = 1,
    .summary = "A trace is known that satisfies the constraints of the AIR and balances its relations with the public "
               "terms of the statement.",
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
    .size = size_of,
    .public_terms = public_terms,
    .foreign = foreign,
    .diagnose = diagnose,
};
