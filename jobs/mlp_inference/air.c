/* The constraints of mlp_inference. README.md tells them in words and tables. */
#include <stdio.h>
#include <stdlib.h>
#include "air/builder.h"
#include "mlp_inference/layout.h"

typedef struct network {
    pr_air_builder *b;
    uint32_t range_16, range_8; /* relations */
} network;

static pr_expr times(pr_air_builder *b, int64_t factor, pr_expr x) { return pr_mul(b, pr_const(b, factor), x); }

/* ---- preprocessed columns ---- */

typedef pr_m31 cell_of(const pr_mlp_public *statement, uint32_t image, uint32_t k);

static pr_m31 pixel_of(const pr_mlp_public *statement, uint32_t image, uint32_t k) {
    return statement->images[(size_t)image * statement->width + k];
}
static pr_m31 logit_of(const pr_mlp_public *statement, uint32_t image, uint32_t k) {
    return pr_m31_from_i64(statement->logits[(size_t)image * statement->classes + k]);
}
static pr_m31 live_of(const pr_mlp_public *statement, uint32_t image, uint32_t k) {
    (void)statement, (void)image, (void)k;
    return 1;
}

/* rows: [1 << log_rows] of zeros behind the images. */
static void add_columns(pr_air_builder *b, const char *name, uint32_t n, const pr_mlp_public *statement, pr_m31 *rows,
                        cell_of *cell) {
    for (uint32_t k = 0; k < n; k++) {
        char id[32];
        snprintf(id, sizeof id, "%s_%u", name, k);
        for (uint32_t i = 0; i < statement->n_images; i++) rows[i] = cell(statement, i, k);
        pr_air_add_preprocessed(b, id, pr_mlp_log_rows(statement->n_images), rows);
    }
}

static pr_status add_preprocessed(pr_air_builder *b, const pr_mlp_public *statement, pr_error *err) {
    pr_m31 *rows = calloc((size_t)1 << pr_mlp_log_rows(statement->n_images), sizeof *rows);
    pr_m31 *range = malloc(sizeof *range << PR_MLP_LOG_RANGE);
    bool full = rows && range;
    if (full) {
        add_columns(b, "pixel", statement->width, statement, rows, pixel_of);
        add_columns(b, "logit", statement->classes, statement, rows, logit_of);
        add_columns(b, "live", 1, statement, rows, live_of);
        for (uint32_t k = 0; k < 1u << PR_MLP_LOG_RANGE; k++) range[k] = k;
        pr_air_add_preprocessed(b, "range_16", PR_MLP_LOG_RANGE, range);
        pr_air_add_preprocessed(b, "range_8", PR_MLP_LOG_BYTES, range);
    }
    free(rows);
    free(range);
    return full ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for the columns of mlp_inference");
}

/* ---- the network ---- */

static void constrain(pr_air_builder *b, uint32_t layer, uint32_t output, const char *what, pr_expr zero) {
    char name[64];
    snprintf(name, sizeof name, "layer %u, output %u: %s", layer, output, what);
    pr_air_constrain(b, name, zero);
}

static pr_expr sum_of(pr_air_builder *b, const pr_mlp_layer *layer, uint32_t output, const pr_expr *inputs) {
    pr_expr sum = pr_const(b, layer->biases[output]);
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        int64_t w = layer->weights[(size_t)output * layer->n_inputs + i];
        if (w) sum = pr_add(b, sum, times(b, w, inputs[i]));
    }
    return sum;
}

static void look_up(const network *net, uint32_t relation, pr_expr x) {
    pr_air_lookup_add(net->b, relation, pr_const(net->b, 1), &x, 1, -1);
}

/* ReLU and rescaling of a sum a. The sign says whether a counts: (2 sign - 1) a is no less than 0 and below 2^24. */
static pr_expr hidden_unit(const network *net, const pr_mlp_layer *layer, uint32_t number, uint32_t output,
                           pr_expr sum) {
    pr_air_builder *b = net->b;
    pr_expr cells[PR_MLP_UNIT_COLUMNS], one = pr_const(b, 1);
    for (uint32_t k = 0; k < PR_MLP_UNIT_COLUMNS; k++) cells[k] = pr_air_add_column(b, 0);
    pr_expr sign = cells[PR_MLP_SIGN];
    pr_expr magnitude = pr_add(b, cells[PR_MLP_LOW], times(b, 1 << 16, cells[PR_MLP_HIGH]));
    constrain(b, number, output, "sign is 0 or 1", pr_mul(b, sign, pr_sub(b, sign, one)));
    pr_expr signed_sum = pr_mul(b, pr_sub(b, pr_add(b, sign, sign), one), sum);
    constrain(b, number, output, "magnitude", pr_sub(b, magnitude, signed_sum));
    pr_expr scaled = pr_mul(b, times(b, pr_mlp_multiplier(layer), sign), magnitude);
    pr_expr result = pr_add(b, times(b, 1 << 16, cells[PR_MLP_VALUE]), cells[PR_MLP_REST]);
    constrain(b, number, output, "rescaling", pr_sub(b, pr_add(b, scaled, pr_const(b, PR_MLP_HALF)), result));
    look_up(net, net->range_16, cells[PR_MLP_LOW]);
    look_up(net, net->range_16, cells[PR_MLP_REST]);
    look_up(net, net->range_8, cells[PR_MLP_HIGH]);
    look_up(net, net->range_8, cells[PR_MLP_VALUE]);
    return cells[PR_MLP_VALUE];
}

static pr_expr use(pr_air_builder *b, const char *name, uint32_t k) {
    char id[32];
    snprintf(id, sizeof id, "%s_%u", name, k);
    return pr_air_use_preprocessed(b, id);
}

static void add_images(const network *net, const pr_mlp_public *statement) {
    const pr_mlp_model *m = &statement->model;
    pr_air_builder *b = net->b;
    pr_expr inputs[PR_MLP_MAX_INPUTS], outputs[PR_MLP_MAX_OUTPUTS];
    pr_air_component_begin(b, "images", pr_mlp_log_rows(statement->n_images));
    pr_expr live = use(b, "live", 0);
    for (uint32_t i = 0; i < statement->width; i++) inputs[i] = use(b, "pixel", i);
    for (uint32_t k = 0; k < m->n_layers; k++) {
        const pr_mlp_layer *layer = &m->layers[k];
        for (uint32_t j = 0; j < layer->n_outputs; j++) {
            pr_expr sum = sum_of(b, layer, j, inputs);
            if (k + 1 < m->n_layers)
                outputs[j] = hidden_unit(net, layer, k, j, sum);
            else
                constrain(b, k, j, "logit", pr_mul(b, live, pr_sub(b, sum, use(b, "logit", j))));
        }
        for (uint32_t j = 0; k + 1 < m->n_layers && j < layer->n_outputs; j++) inputs[j] = outputs[j];
    }
}

static void add_range(pr_air_builder *b, const char *id, uint32_t log_rows, uint32_t relation) {
    pr_air_component_begin(b, id, log_rows);
    pr_expr multiplicity = pr_neg(b, pr_air_add_column(b, 0)), value = pr_air_use_preprocessed(b, id);
    pr_air_lookup_add(b, relation, multiplicity, &value, 1, -1);
}

pr_status pr_mlp_air(pr_air **out, const pr_mlp_public *statement, pr_error *err) {
    pr_air_builder *b = pr_air_builder_create("mlp_inference");
    if (!b) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of mlp_inference");
    pr_status status = add_preprocessed(b, statement, err);
    if (status != PR_OK) {
        pr_air_builder_destroy(b);
        return status;
    }
    network net = {.b = b};
    net.range_16 = pr_air_add_relation(b, "range_16", 1);
    net.range_8 = pr_air_add_relation(b, "range_8", 1);
    add_images(&net, statement);
    add_range(b, "range_16", PR_MLP_LOG_RANGE, net.range_16);
    add_range(b, "range_8", PR_MLP_LOG_BYTES, net.range_8);
    return pr_air_build(out, b, err);
}
