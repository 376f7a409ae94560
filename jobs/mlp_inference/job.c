#include "mlp_inference/job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gadgets/input_file.h"
#include "gadgets/numbers.h"
#include "mlp_inference/layout.h"

static const pr_job_type *const type = &pr_job_mlp_inference;

struct pr_job_instance {
    pr_mlp_public statement;
    pr_hash model, images; /* digests */
    bool is_public;        /* made for verification: there is no trace to fill */
    pr_air *air;
};

static void clear(pr_job_instance *job) {
    pr_air_destroy(job->air);
    pr_mlp_model_clear(&job->statement.model);
    free(job->statement.images);
    free(job->statement.labels);
    free(job->statement.logits);
}

static pr_status allocate_images(pr_mlp_public *p, uint32_t n_images, pr_error *err) {
    p->n_images = n_images;
    p->width = p->model.layers[0].n_inputs;
    p->classes = pr_mlp_model_classes(&p->model);
    p->images = calloc((size_t)n_images * p->width, sizeof *p->images);
    p->labels = calloc(n_images, sizeof *p->labels);
    p->logits = calloc((size_t)n_images * p->classes, sizeof *p->logits);
    if (p->images && p->labels && p->logits) return PR_OK;
    return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u images", n_images);
}

static pr_status build(pr_job_instance *job, pr_error *err) {
    const pr_mlp_public *p = &job->statement;
    PR_TRY(pr_mlp_model_digest(&job->model, &p->model, err));
    job->images = pr_mlp_images_digest(p->images, p->n_images, p->width);
    return pr_mlp_air(&job->air, p, err);
}

/* ---- from files ---- */

typedef pr_status load_some(pr_mlp_model *m, const char *path, pr_error *err);

static pr_status load_model(pr_mlp_model *m, load_some *f, const pr_params *params, pr_error *err) {
    char *path = pr_input_file_path(params->base_dir, pr_params_get(type, params, "model"));
    if (!path) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a path");
    pr_status status = f(m, path, err);
    free(path);
    return status;
}

static pr_status load_images(pr_mlp_public *p, const pr_params *params, pr_error *err) {
    uint32_t first = (uint32_t)pr_params_get_uint(type, params, "first");
    PR_TRY(allocate_images(p, (uint32_t)pr_params_get_uint(type, params, "count"), err));
    char *path = pr_input_file_path(params->base_dir, pr_params_get(type, params, "images"));
    if (!path) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a path");
    pr_status status =
        pr_mlp_images_load(p->images, p->labels, path, first, p->n_images, p->width, p->model.input_max, err);
    free(path);
    return status;
}

/* A list in the manifest; the caller frees it. */
static pr_status read_list(uint32_t **numbers, size_t *n, const pr_params *params, const char *name, pr_error *err) {
    const char *list = pr_params_get(type, params, name);
    return pr_input_file_error(pr_numbers_parse(numbers, n, PR_NUMBER_BYTE, list, strlen(list), name, err), err);
}

static pr_status copy_images(pr_mlp_public *p, const uint32_t *inputs, size_t n, pr_error *err) {
    if (n != (size_t)p->n_images * p->width)
        return pr_fail(err, PR_ERR_INPUT, "input: %zu numbers, and there must be %u for each of %u labels", n, p->width,
                       p->n_images);
    for (size_t k = 0; k < n; k++) {
        if (inputs[k] > p->model.input_max)
            return pr_fail(err, PR_ERR_INPUT, "input: number %zu of image %zu is %u; allowed: 0 to %u", k % p->width,
                           k / p->width, inputs[k], p->model.input_max);
        p->images[k] = (uint8_t)inputs[k];
    }
    return PR_OK;
}

static pr_status take_labels(pr_mlp_public *p, const uint32_t *labels, size_t n, pr_error *err) {
    if (n < 1 || n > PR_MLP_MAX_IMAGES)
        return pr_fail(err, PR_ERR_INPUT, "labels: %zu numbers; allowed: 1 to %u", n, PR_MLP_MAX_IMAGES);
    PR_TRY(allocate_images(p, (uint32_t)n, err));
    for (size_t k = 0; k < n; k++) p->labels[k] = (uint8_t)labels[k];
    return PR_OK;
}

static pr_status load_lists(pr_mlp_public *p, const pr_params *params, pr_error *err) {
    uint32_t *labels = NULL, *inputs = NULL;
    size_t n_labels = 0, n_inputs = 0;
    pr_status status = read_list(&labels, &n_labels, params, "labels", err);
    if (status == PR_OK) status = read_list(&inputs, &n_inputs, params, "input", err);
    if (status == PR_OK) status = take_labels(p, labels, n_labels, err);
    if (status == PR_OK) status = copy_images(p, inputs, n_inputs, err);
    free(labels);
    free(inputs);
    return status;
}

static pr_mlp_unit *allocate_units(const pr_mlp_model *m) {
    return calloc((size_t)pr_mlp_model_units(m) + 1, sizeof(pr_mlp_unit));
}

static pr_status infer(pr_mlp_public *p, pr_error *err) {
    pr_mlp_unit *units = allocate_units(&p->model);
    if (!units) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a network");
    for (uint32_t i = 0; i < p->n_images; i++)
        pr_mlp_model_run(&p->model, units, p->logits + (size_t)i * p->classes, p->images + (size_t)i * p->width);
    free(units);
    return PR_OK;
}

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    PR_TRY(load_model(&job->statement.model, pr_mlp_model_load, params, err));
    bool is_inline = pr_params_get(type, params, "input") != NULL;
    PR_TRY(is_inline ? load_lists(&job->statement, params, err) : load_images(&job->statement, params, err));
    PR_TRY(infer(&job->statement, err));
    return build(job, err);
}

/* ---- what is public ---- */

static void write_public(const pr_job_instance *job, pr_writer *out) {
    const pr_mlp_public *p = &job->statement;
    pr_mlp_model_write(out, &p->model);
    pr_write_u32(out, p->n_images);
    pr_write_bytes(out, p->images, (size_t)p->n_images * p->width);
    pr_write_bytes(out, p->labels, p->n_images);
    for (size_t k = 0; k < (size_t)p->n_images * p->classes; k++) pr_write_u32(out, (uint32_t)p->logits[k]);
}

static pr_status malformed(pr_error *err, const char *what) {
    return pr_fail(err, PR_ERR_MALFORMED, "mlp_inference: public data: %s", what);
}

/* Logits beyond what the model can give are refused: such a number and one that differs by p are one element. */
static pr_status read_public(pr_mlp_public *p, const void *data, size_t size, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, data, size);
    PR_TRY(pr_mlp_model_read(&p->model, &r, err));
    uint32_t n_images = pr_read_u32(&r);
    if (r.failed || n_images < 1 || n_images > PR_MLP_MAX_IMAGES) return malformed(err, "no number of images");
    PR_TRY(allocate_images(p, n_images, err));
    pr_read_bytes(&r, p->images, (size_t)n_images * p->width);
    pr_read_bytes(&r, p->labels, n_images);
    for (size_t k = 0; k < (size_t)n_images * p->classes; k++) p->logits[k] = (int32_t)pr_read_u32(&r);
    if (!pr_reader_done(&r)) return malformed(err, "cut off, or more than a statement");
    for (size_t k = 0; k < (size_t)n_images * p->width; k++)
        if (p->images[k] > p->model.input_max) return malformed(err, "an input is above input_max");
    for (size_t k = 0; k < (size_t)n_images * p->classes; k++)
        if (p->logits[k] <= -PR_MLP_MAX_LOGIT || p->logits[k] >= PR_MLP_MAX_LOGIT)
            return malformed(err, "a logit is 2^30 or more");
    return PR_OK;
}

static pr_status load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err) {
    (void)params;
    job->is_public = true;
    PR_TRY(read_public(&job->statement, public_data, size, err));
    return build(job, err);
}

static const pr_air *air_of(const pr_job_instance *job) { return job->air; }

static char letter(uint32_t k) { return (char)(k < 10 ? '0' + k : k < 36 ? 'a' + k - 10 : '?'); }

static size_t outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    const pr_mlp_public *p = &job->statement;
    pr_output all[6] = {{.name = "model"},   {.name = "images"}, {.name = "count"},
                        {.name = "classes"}, {.name = "labels"}, {.name = "correct"}};
    uint32_t correct = 0;
    pr_hex_encode(all[0].value, job->model.bytes, sizeof job->model.bytes);
    pr_hex_encode(all[1].value, job->images.bytes, sizeof job->images.bytes);
    for (uint32_t i = 0; i < p->n_images; i++) {
        uint32_t class = pr_mlp_class(p->logits + (size_t)i * p->classes, p->classes);
        correct += class == p->labels[i];
        all[3].value[i] = letter(class);
        all[4].value[i] = letter(p->labels[i]);
    }
    snprintf(all[2].value, sizeof all[2].value, "%u", p->n_images);
    snprintf(all[5].value, sizeof all[5].value, "%u", correct);
    size_t n = sizeof all / sizeof *all;
    for (size_t k = 0; k < n && k < capacity; k++) out[k] = all[k];
    return n;
}

/* ---- trace ---- */

static void fill_row(pr_m31 *const *columns, uint32_t row, const pr_mlp_unit *units, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        pr_m31 *const *unit = columns + (size_t)PR_MLP_UNIT_COLUMNS * k;
        unit[PR_MLP_SIGN][row] = units[k].sum > 0;
        unit[PR_MLP_LOW][row] = units[k].low;
        unit[PR_MLP_HIGH][row] = units[k].high;
        unit[PR_MLP_REST][row] = units[k].rest;
        unit[PR_MLP_VALUE][row] = units[k].value;
    }
}

static void count_row(pr_m31 *counts, uint32_t component, const pr_mlp_unit *units, uint32_t n) {
    bool is_16 = component == PR_MLP_RANGE_16;
    for (uint32_t k = 0; k < n; k++) {
        counts[is_16 ? units[k].low : units[k].high]++;
        counts[is_16 ? units[k].rest : units[k].value]++;
    }
}

/* Rows behind the images are those of an image of zeros. */
static void fill(const pr_mlp_public *p, uint32_t component, pr_m31 *const *columns, pr_mlp_unit *units) {
    static const uint8_t dark[PR_MLP_MAX_INPUTS];
    int32_t logits[PR_MLP_MAX_OUTPUTS];
    uint32_t n = pr_mlp_model_units(&p->model);
    for (uint32_t row = 0; row < 1u << pr_mlp_log_rows(p->n_images); row++) {
        pr_mlp_model_run(&p->model, units, logits, row < p->n_images ? p->images + (size_t)row * p->width : dark);
        if (component == PR_MLP_IMAGES)
            fill_row(columns, row, units, n);
        else
            count_row(columns[0], component, units, n);
    }
}

static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    (void)order, (void)n_threads; /* a few thousand products an image */
    if (job->is_public) return pr_fail(err, PR_ERR_INTERNAL, "mlp_inference: no trace without the files");
    pr_mlp_unit *units = allocate_units(&job->statement.model);
    if (!units) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a network");
    if (component != PR_MLP_IMAGES)
        memset(columns[0], 0, sizeof(pr_m31) << (component == PR_MLP_RANGE_16 ? PR_MLP_LOG_RANGE : PR_MLP_LOG_BYTES));
    fill(&job->statement, component, columns, units);
    free(units);
    return PR_OK;
}

/* ---- size ---- */

/* Of the file, or of the list. */
static pr_status count_images(uint32_t *out, const pr_params *params, pr_error *err) {
    const char *file = pr_params_get(type, params, "images");
    uint64_t ignored;
    *out = (uint32_t)pr_params_get_uint(type, params, "count");
    if (file) return pr_input_file_length(&ignored, params->base_dir, file, UINT64_MAX, "mlp_inference", err);
    uint32_t *labels = NULL;
    size_t n = 0;
    PR_TRY(read_list(&labels, &n, params, "labels", err));
    free(labels);
    *out = n < PR_MLP_MAX_IMAGES ? (uint32_t)n : PR_MLP_MAX_IMAGES;
    return PR_OK;
}

/* Of the model's sizes. A hidden unit has four lookups in two secure columns; of a weight the AIR has a product and a
 * sum. */
static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    enum { MAX_BYTES = 1 << 24, TABLE_COLUMNS = 6, CELLS_A_UNIT = PR_MLP_UNIT_COLUMNS + 2 * 4 };
    const uint64_t table_rows = (UINT64_C(1) << PR_MLP_LOG_RANGE) + (UINT64_C(1) << PR_MLP_LOG_BYTES);
    pr_mlp_model m;
    uint64_t bytes, n_weights = 0;
    uint32_t n_images;
    PR_TRY(pr_input_file_length(&bytes, params->base_dir, pr_params_get(type, params, "model"), MAX_BYTES,
                                "mlp_inference", err));
    PR_TRY(load_model(&m, pr_mlp_model_load_sizes, params, err));
    PR_TRY(count_images(&n_images, params, err));
    for (uint32_t k = 0; k < m.n_layers; k++) n_weights += (uint64_t)m.layers[k].n_inputs * m.layers[k].n_outputs;
    const uint64_t shown = m.layers[0].n_inputs + pr_mlp_model_classes(&m) + UINT64_C(1);
    const uint64_t columns = shown + (uint64_t)CELLS_A_UNIT * pr_mlp_model_units(&m);
    const uint32_t log_rows = pr_mlp_log_rows(n_images);
    *out = (pr_job_size){.log_rows = PR_MLP_LOG_RANGE, .n_trees = 3};
    out->cells = TABLE_COLUMNS * table_rows + (columns << log_rows);
    out->n_columns = columns + 2 * TABLE_COLUMNS;
    out->n_values = table_rows + (shown << log_rows);
    out->n_looked_up = 2 * table_rows + (4 * (uint64_t)pr_mlp_model_units(&m) << log_rows);
    out->instance_bytes = n_weights * (1 + 2 * sizeof(pr_node)) + 5 * (shown << log_rows) + 4 * out->n_values;
    return PR_OK;
}

static const pr_param_spec params_spec[] = {
    {"model", PR_PARAM_PATH, true, NULL, 0, 0, "HDF5 file of the network"},
    {"images", PR_PARAM_PATH, false, NULL, 0, 0, "HDF5 file of the images and their labels"},
    {"first", PR_PARAM_UINT, false, "0", 0, UINT32_MAX - PR_MLP_MAX_IMAGES, "first image of the file"},
    {"count", PR_PARAM_UINT, false, "60", 1, PR_MLP_MAX_IMAGES, "images of the batch"},
    {"input", PR_PARAM_TEXT, false, NULL, 0, 0, "instead of images: their inputs, numbers between commas or spaces"},
    {"labels", PR_PARAM_TEXT, false, NULL, 0, 0, "of the images in input: a class each"},
};

static const pr_param_rule rules[] = {
    {PR_RULE_ONE_OF, {"images", "input"}}, {PR_RULE_NEEDS, {"input", "labels"}}, {PR_RULE_NEEDS, {"labels", "input"}},
    {PR_RULE_NEEDS, {"first", "images"}},  {PR_RULE_NEEDS, {"count", "images"}},
};

static const pr_param example[] = {{"model", "model.h5"}, {"images", "digits.h5"}, {"first", "0"}, {"count", "60"}};

const pr_job_type pr_job_mlp_inference = {
    .name = "mlp_inference",
    .version = 1,
    .summary = "The network with digest `model` gives, for the `count` images with digest `images`, the logits of the "
               "statement, whose largest are `classes`.",
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
};
