#include "mlp_inference/model.h"
#include <stdlib.h>
#include <string.h>

void pr_mlp_model_clear(pr_mlp_model *m) {
    for (uint32_t k = 0; k < PR_MLP_MAX_LAYERS; k++) {
        free(m->layers[k].weights);
        free(m->layers[k].biases);
    }
    *m = (pr_mlp_model){0};
}

pr_status pr_mlp_layer_allocate(pr_mlp_layer *layer, pr_error *err) {
    layer->weights = calloc((size_t)layer->n_outputs * layer->n_inputs + 1, sizeof *layer->weights);
    layer->biases = calloc((size_t)layer->n_outputs + 1, sizeof *layer->biases);
    if (layer->weights && layer->biases) return PR_OK;
    return pr_fail(err, PR_ERR_MEMORY, "out of memory for a model");
}

uint32_t pr_mlp_model_units(const pr_mlp_model *m) {
    uint32_t n = 0;
    for (uint32_t k = 0; k + 1 < m->n_layers; k++) n += m->layers[k].n_outputs;
    return n;
}

/* ---- bounds ---- */

static pr_status check_shape(const pr_mlp_model *m, uint32_t k, pr_error *err) {
    const pr_mlp_layer *layer = &m->layers[k];
    if (layer->n_inputs < 1 || layer->n_inputs > PR_MLP_MAX_INPUTS || layer->n_outputs < 1 ||
        layer->n_outputs > PR_MLP_MAX_OUTPUTS)
        return pr_fail(err, PR_ERR_INPUT, "layer %u: %u inputs and %u outputs; allowed: 1 to %d and 1 to %d", k,
                       layer->n_inputs, layer->n_outputs, PR_MLP_MAX_INPUTS, PR_MLP_MAX_OUTPUTS);
    if (k > 0 && layer->n_inputs != m->layers[k - 1].n_outputs)
        return pr_fail(err, PR_ERR_INPUT, "layer %u: %u inputs, but the layer before has %u outputs", k,
                       layer->n_inputs, m->layers[k - 1].n_outputs);
    bool is_last = k + 1 == m->n_layers;
    if (is_last && (layer->multiplier || layer->shift))
        return pr_fail(err, PR_ERR_INPUT, "layer %u: the last layer is not rescaled", k);
    if (!is_last &&
        (layer->multiplier < 1 || layer->multiplier >= 1u << 16 || layer->shift < 1 || layer->shift > PR_MLP_MAX_SHIFT))
        return pr_fail(err, PR_ERR_INPUT, "layer %u: multiplier %u, shift %u; allowed: 1 to 65535, 1 to %d", k,
                       layer->multiplier, layer->shift, PR_MLP_MAX_SHIFT);
    return PR_OK;
}

/* The largest sum of an output over all inputs up to max, and the largest magnitude. */
static void find_bounds(int64_t *largest, int64_t *magnitude, const pr_mlp_layer *layer, uint32_t output,
                        uint32_t max) {
    int64_t up = layer->biases[output], down = up;
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        int64_t w = layer->weights[(size_t)output * layer->n_inputs + i];
        *(w > 0 ? &up : &down) += w * max;
    }
    *largest = up;
    *magnitude = up > -down ? up : -down;
}

static pr_status check_bounds(const pr_mlp_model *m, uint32_t k, uint32_t max, pr_error *err) {
    const pr_mlp_layer *layer = &m->layers[k];
    bool is_last = k + 1 == m->n_layers;
    int64_t limit = is_last ? PR_MLP_MAX_LOGIT : (int64_t)1 << PR_MLP_LOG_MAX_SUM;
    for (uint32_t j = 0; j < layer->n_outputs; j++) {
        int64_t largest, magnitude;
        find_bounds(&largest, &magnitude, layer, j, max);
        if (magnitude >= limit)
            return pr_fail(err, PR_ERR_INPUT, "layer %u, output %u: a sum of %lld is possible; it must be below %lld",
                           k, j, (long long)magnitude, (long long)limit);
        if (is_last || largest <= 0) continue;
        int64_t half = (int64_t)1 << (layer->shift - 1);
        if ((largest * layer->multiplier + half) >> layer->shift > 255)
            return pr_fail(err, PR_ERR_INPUT, "layer %u, output %u: more than 255 is possible behind the rescaling", k,
                           j);
    }
    return PR_OK;
}

pr_status pr_mlp_model_check(const pr_mlp_model *m, pr_error *err) {
    if (m->n_layers < 1 || m->n_layers > PR_MLP_MAX_LAYERS)
        return pr_fail(err, PR_ERR_INPUT, "%u layers; allowed: 1 to %d", m->n_layers, PR_MLP_MAX_LAYERS);
    if (m->input_max < 1 || m->input_max > 255)
        return pr_fail(err, PR_ERR_INPUT, "input_max %u; allowed: 1 to 255", m->input_max);
    for (uint32_t k = 0; k < m->n_layers; k++) {
        PR_TRY(check_shape(m, k, err));
        PR_TRY(check_bounds(m, k, k ? 255 : m->input_max, err));
    }
    return PR_OK;
}

/* ---- canonical bytes ---- */

void pr_mlp_model_write(pr_writer *out, const pr_mlp_model *m) {
    pr_write_u32(out, m->input_max);
    pr_write_u32(out, m->n_layers);
    for (uint32_t k = 0; k < m->n_layers; k++) {
        const pr_mlp_layer *layer = &m->layers[k];
        pr_write_u32(out, layer->n_inputs);
        pr_write_u32(out, layer->n_outputs);
        pr_write_u32(out, layer->multiplier);
        pr_write_u32(out, layer->shift);
        pr_write_bytes(out, layer->weights, (size_t)layer->n_outputs * layer->n_inputs);
        for (uint32_t j = 0; j < layer->n_outputs; j++) pr_write_u32(out, (uint32_t)layer->biases[j]);
    }
}

static pr_status read_layer(pr_mlp_layer *layer, pr_reader *r, pr_error *err) {
    layer->n_inputs = pr_read_u32(r);
    layer->n_outputs = pr_read_u32(r);
    layer->multiplier = pr_read_u32(r);
    layer->shift = pr_read_u32(r);
    if (r->failed || layer->n_inputs > PR_MLP_MAX_INPUTS || layer->n_outputs > PR_MLP_MAX_OUTPUTS)
        return pr_fail(err, PR_ERR_MALFORMED, "mlp_inference: the model's layers are too large or cut off");
    PR_TRY(pr_mlp_layer_allocate(layer, err));
    pr_read_bytes(r, layer->weights, (size_t)layer->n_outputs * layer->n_inputs);
    for (uint32_t j = 0; j < layer->n_outputs; j++) layer->biases[j] = (int32_t)pr_read_u32(r);
    return PR_OK;
}

static pr_status read_model(pr_mlp_model *m, pr_reader *r, pr_error *err) {
    pr_error cause = {0};
    m->input_max = pr_read_u32(r);
    m->n_layers = pr_read_u32(r);
    if (r->failed || m->n_layers > PR_MLP_MAX_LAYERS)
        return pr_fail(err, PR_ERR_MALFORMED, "mlp_inference: the model has too many layers or is cut off");
    for (uint32_t k = 0; k < m->n_layers; k++) PR_TRY(read_layer(&m->layers[k], r, err));
    if (r->failed) return pr_fail(err, PR_ERR_MALFORMED, "mlp_inference: the model is cut off");
    if (pr_mlp_model_check(m, &cause) == PR_OK) return PR_OK;
    return pr_fail(err, PR_ERR_MALFORMED, "mlp_inference: the model is refused: %s", cause.text);
}

pr_status pr_mlp_model_read(pr_mlp_model *m, pr_reader *r, pr_error *err) {
    *m = (pr_mlp_model){0};
    pr_status status = read_model(m, r, err);
    if (status != PR_OK) pr_mlp_model_clear(m);
    return status;
}

pr_status pr_mlp_model_digest(pr_hash *out, const pr_mlp_model *m, pr_error *err) {
    pr_writer w;
    pr_blake2s h;
    pr_writer_init(&w);
    pr_mlp_model_write(&w, m);
    pr_blake2s_init_domain(&h, "proverun mlp model v1");
    if (!w.failed) pr_blake2s_update(&h, w.data, w.size);
    *out = pr_blake2s_final(&h);
    pr_status status = w.failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for a model") : PR_OK;
    pr_writer_clear(&w);
    return status;
}

pr_hash pr_mlp_images_digest(const uint8_t *images, uint32_t n, uint32_t width) {
    const uint32_t shape[2] = {n, width};
    uint8_t bytes[8];
    pr_blake2s h;
    for (int k = 0; k < 8; k++) bytes[k] = (uint8_t)(shape[k / 4] >> 8 * (k % 4));
    pr_blake2s_init_domain(&h, "proverun mlp images v1");
    pr_blake2s_update(&h, bytes, sizeof bytes);
    pr_blake2s_update(&h, images, (size_t)n * width);
    return pr_blake2s_final(&h);
}

/* ---- inference ---- */

static pr_mlp_unit run_unit(const pr_mlp_layer *layer, int32_t sum) {
    uint32_t magnitude = (uint32_t)(sum < 0 ? -sum : sum);
    uint64_t scaled = (sum > 0 ? magnitude : 0) * (uint64_t)pr_mlp_multiplier(layer) + PR_MLP_HALF;
    return (pr_mlp_unit){.sum = sum,
                         .low = magnitude & 0xffff,
                         .high = magnitude >> 16,
                         .rest = (uint32_t)(scaled & 0xffff),
                         .value = (uint32_t)(scaled >> PR_MLP_MAX_SHIFT)};
}

void pr_mlp_model_run(const pr_mlp_model *m, pr_mlp_unit *units, int32_t *logits, const uint8_t *image) {
    uint8_t inputs[PR_MLP_MAX_INPUTS];
    memcpy(inputs, image, m->layers[0].n_inputs);
    for (uint32_t k = 0; k < m->n_layers; k++) {
        const pr_mlp_layer *layer = &m->layers[k];
        bool is_last = k + 1 == m->n_layers;
        for (uint32_t j = 0; j < layer->n_outputs; j++) {
            int32_t sum = layer->biases[j];
            for (uint32_t i = 0; i < layer->n_inputs; i++)
                sum += layer->weights[(size_t)j * layer->n_inputs + i] * (int32_t)inputs[i];
            if (is_last)
                logits[j] = sum;
            else
                units[j] = run_unit(layer, sum);
        }
        for (uint32_t j = 0; !is_last && j < layer->n_outputs; j++) inputs[j] = (uint8_t)units[j].value;
        if (!is_last) units += layer->n_outputs;
    }
}

uint32_t pr_mlp_class(const int32_t *logits, uint32_t n) {
    uint32_t best = 0;
    for (uint32_t k = 1; k < n; k++)
        if (logits[k] > logits[best]) best = k;
    return best;
}
