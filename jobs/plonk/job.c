#include "plonk/job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gadgets/input_file.h"
#include "gadgets/number_source.h"
#include "plonk/air.h"

static const pr_job_type *const type = &pr_job_plonk;
enum { MAX_BYTES = 1 << 24 };

struct pr_job_instance {
    pr_plonk_circuit circuit;
    pr_m31 *wires; /* values; NULL in an instance made for verification */
    pr_air *air;
};

static void clear(pr_job_instance *job) {
    pr_air_destroy(job->air);
    pr_plonk_circuit_clear(&job->circuit);
    free(job->wires);
}

/* A text file, 0-terminated; the caller frees it. */
static pr_status read_text(char **out, const pr_params *params, const char *path, pr_error *err) {
    uint8_t *text = NULL;
    size_t size = 0;
    PR_TRY(pr_input_file_read(&text, &size, params->base_dir, path, MAX_BYTES, "plonk", err));
    *out = (char *)text;
    if (strlen(*out) == size) return PR_OK;
    free(text);
    return pr_fail(err, PR_ERR_INPUT, "%s: no text: it has a byte of zero", path);
}

/* text: what named values are borrowed from; the caller frees it. */
static pr_status load_values(pr_plonk_values *out, char **text, const pr_params *params, pr_error *err) {
    static const pr_number_limits limits = {PR_NUMBER_M31, 0, PR_PLONK_MAX_ROWS};
    const char *file = pr_params_get(type, params, "values_file"), *data = pr_params_get(type, params, "data");
    if (data) {
        *out = (pr_plonk_values){.source = data};
        return pr_numbers_from_params(&out->ordered, &out->n, type, params, &limits, err);
    }
    if (!file) return pr_plonk_values_parse(out, pr_params_get(type, params, "values"), "values", err);
    PR_TRY(read_text(text, params, file, err));
    return pr_plonk_values_parse(out, *text, file, err);
}

static pr_status load_circuit(pr_job_instance *job, const pr_params *params, pr_plonk_values *values, pr_error *err) {
    const char *path = pr_params_get(type, params, "circuit");
    char *text = NULL;
    PR_TRY(read_text(&text, params, path, err));
    pr_status status = pr_plonk_circuit_parse(&job->circuit, &job->wires, text, path, values, err);
    free(text);
    return status == PR_OK ? pr_plonk_air(&job->air, &job->circuit, err) : status;
}

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    pr_plonk_values values = {0};
    char *text = NULL;
    pr_status status = load_values(&values, &text, params, err);
    if (status == PR_OK) status = load_circuit(job, params, &values, err);
    pr_plonk_values_clear(&values);
    free(text);
    return status;
}

static pr_status load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err) {
    (void)params;
    PR_TRY(pr_plonk_circuit_read(&job->circuit, public_data, size, err));
    return pr_plonk_air(&job->air, &job->circuit, err);
}

static const pr_air *air_of(const pr_job_instance *job) { return job->air; }

static void write_public(const pr_job_instance *job, pr_writer *out) { pr_plonk_circuit_write(out, &job->circuit); }

/* Inputs provide their wires as often as they are read; outputs read theirs. Wires that nobody reads need no term. */
static pr_status public_terms(const pr_job_instance *job, pr_statement *st, pr_error *err) {
    const pr_plonk_circuit *c = &job->circuit;
    uint32_t *uses = pr_plonk_circuit_uses(c);
    pr_status status = uses ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for a circuit");
    for (uint32_t k = 0; status == PR_OK && k < c->n_inputs; k++) {
        const pr_m31 tuple[2] = {c->inputs[k].wire, c->inputs[k].value};
        if (uses[tuple[0]])
            status = pr_statement_add_public_term(st, PR_PLONK_WIRE, pr_m31_neg(uses[tuple[0]]), tuple, 2, err);
    }
    for (uint32_t k = 0; status == PR_OK && k < c->n_outputs; k++) {
        const pr_m31 tuple[2] = {c->outputs[k].wire, c->outputs[k].value};
        status = pr_statement_add_public_term(st, PR_PLONK_WIRE, 1, tuple, 2, err);
    }
    free(uses);
    return status;
}

/* As many as fit a line of the results. */
static void print_values(char *out, size_t size, const pr_plonk_pin *pins, uint32_t n) {
    size_t at = 0;
    for (uint32_t k = 0; k < n && at + 16 < size; k++)
        at += (size_t)snprintf(out + at, size - at, "%s%u", k ? " " : "", pins[k].value);
}

static size_t outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    pr_output all[3] = {{.name = "circuit"}, {.name = "gates"}, {.name = "outputs"}};
    pr_writer w;
    pr_blake2s h;
    pr_writer_init(&w);
    pr_plonk_circuit_write(&w, &job->circuit);
    pr_blake2s_init_domain(&h, "proverun plonk statement v1");
    pr_blake2s_update(&h, w.data, w.size);
    pr_hash digest = pr_blake2s_final(&h);
    pr_writer_clear(&w);
    pr_hex_encode(all[0].value, digest.bytes, sizeof digest.bytes);
    snprintf(all[1].value, sizeof all[1].value, "%u", job->circuit.n_rows);
    print_values(all[2].value, sizeof all[2].value, job->circuit.outputs, job->circuit.n_outputs);
    size_t n = sizeof all / sizeof *all;
    for (size_t k = 0; k < n && k < capacity; k++) out[k] = all[k];
    return n;
}

static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    const pr_plonk_circuit *c = &job->circuit;
    (void)order, (void)n_threads; /* three cells a gate */
    PR_ASSERT(component == 0);
    if (!job->wires) return pr_fail(err, PR_ERR_INTERNAL, "plonk: no trace without the circuit's inputs");
    for (uint32_t row = 0; row < 1u << pr_plonk_log_rows(c->n_rows); row++) {
        pr_plonk_row r = row < c->n_rows ? c->rows[row] : (pr_plonk_row){.kind = PR_PLONK_KINDS};
        bool reads = r.kind < PR_PLONK_SECRET, defines = r.kind < PR_PLONK_KINDS && r.kind != PR_PLONK_EQUAL;
        columns[0][row] = reads ? job->wires[r.a] : 0;
        columns[1][row] = reads ? job->wires[r.b] : 0;
        columns[2][row] = defines ? job->wires[r.c] : 0;
    }
    return PR_OK;
}

/* A gate takes a line of ten bytes at least. */
static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    enum { BYTES_A_GATE = 10, SECURE = 2 * 4 };
    uint64_t bytes;
    PR_TRY(pr_input_file_length(&bytes, params->base_dir, pr_params_get(type, params, "circuit"), MAX_BYTES, "plonk",
                                err));
    uint64_t gates = bytes / BYTES_A_GATE < PR_PLONK_MAX_ROWS ? bytes / BYTES_A_GATE : PR_PLONK_MAX_ROWS;
    *out = (pr_job_size){.log_rows = pr_plonk_log_rows((uint32_t)gates), .n_trees = 3};
    out->cells = (uint64_t)(PR_PLONK_COLUMNS + PR_PLONK_PREPROCESSED + SECURE) << out->log_rows;
    out->n_values = (uint64_t)PR_PLONK_PREPROCESSED << out->log_rows;
    out->instance_bytes = 16 * bytes;
    return PR_OK;
}

static const pr_param_spec params_spec[] = {
    {"circuit", PR_PARAM_PATH, true, NULL, 0, 0, "text of the circuit"},
    {"values", PR_PARAM_TEXT, false, "", 0, 0, "values of its inputs: \"x=3 y=5\""},
    {"values_file", PR_PARAM_PATH, false, NULL, 0, 0, "a text file of the same instead"},
    {"data", PR_PARAM_PATH, false, NULL, 0, 0, "an HDF5 file instead: values in the order of the inputs"},
    PR_NUMBERS_PARAM_DATASET,
    PR_NUMBERS_PARAM_COLUMN,
};

static const pr_param_rule rules[] = {
    {PR_RULE_AT_MOST_ONE, {"values", "values_file", "data"}},
    PR_NUMBERS_RULES_DATA,
};

static const pr_param example[] = {{"circuit", "cubic.txt"}, {"values", "x=3 y=35"}};

const pr_job_type pr_job_plonk = {
    .name = "plonk",
    .version = 1,
    .summary =
        "Values of the wires of a circuit are known that satisfy its gates and equalities, with the public inputs "
        "and outputs of the statement.",
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
};
