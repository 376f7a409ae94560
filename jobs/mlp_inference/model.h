/* A quantised network: layers of int8 weights and int32 biases; behind each but the last, ReLU and a rescaling to
 * bytes.
 *
 *   a = bias + sum of weight * input;  u = max(a, 0);  h = floor((u * multiplier + 2^(shift - 1)) / 2^shift)
 *
 * The outputs of the last layer are the logits. The class is the place of the largest one, the first of equals.
 * pr_mlp_model_check proves from the weights alone that for every input within input_max, h is a byte and no number
 * comes near p: what holds in the field then holds for integers. */
#ifndef PR_JOBS_MLP_INFERENCE_MODEL_H
#define PR_JOBS_MLP_INFERENCE_MODEL_H
#include "air/air.h"
#include "base/bytes.h"

enum {
    PR_MLP_MAX_LAYERS = 4,
    PR_MLP_MAX_INPUTS = 1024,
    PR_MLP_MAX_OUTPUTS = 256,
    PR_MLP_LOG_MAX_SUM = 24, /* |a| of a hidden layer is below 2^24 */
    PR_MLP_MAX_LOGIT = 1 << 30,
    PR_MLP_MAX_SHIFT = 16
};

typedef struct pr_mlp_layer {
    uint32_t n_inputs, n_outputs, multiplier, shift; /* multiplier and shift of the last layer: 0 */
    int8_t *weights;                                 /* [n_outputs][n_inputs], owned */
    int32_t *biases;                                 /* [n_outputs], owned */
} pr_mlp_layer;

typedef struct pr_mlp_model {
    uint32_t input_max, n_layers;
    pr_mlp_layer layers[PR_MLP_MAX_LAYERS];
} pr_mlp_model;

/* The same rescaling with a shift of 16 bits: multiplier * 2^(16 - shift), and half of 2^16 added. */
static inline uint32_t pr_mlp_multiplier(const pr_mlp_layer *layer) {
    return layer->multiplier << (PR_MLP_MAX_SHIFT - layer->shift);
}
#define PR_MLP_HALF (1u << (PR_MLP_MAX_SHIFT - 1))

/* What a hidden unit computes. |a| = low + 2^16 high; u * pr_mlp_multiplier + PR_MLP_HALF = 2^16 h + rest. */
typedef struct pr_mlp_unit {
    int32_t sum;                     /* a */
    uint32_t low, high, rest, value; /* value: h */
} pr_mlp_unit;

void pr_mlp_model_clear(pr_mlp_model *m);
/* Memory for a layer's weights and biases; n_inputs and n_outputs are set. */
PR_MUST_CHECK pr_status pr_mlp_layer_allocate(pr_mlp_layer *layer, pr_error *err);
/* PR_ERR_INPUT: sizes that do not fit together, or a sum that may be too large; says which. */
PR_MUST_CHECK pr_status pr_mlp_model_check(const pr_mlp_model *m, pr_error *err);
uint32_t pr_mlp_model_units(const pr_mlp_model *m); /* hidden */
static inline uint32_t pr_mlp_model_classes(const pr_mlp_model *m) { return m->layers[m->n_layers - 1].n_outputs; }

/* Canonical bytes (README.md) and their digest. */
void pr_mlp_model_write(pr_writer *out, const pr_mlp_model *m);
/* PR_ERR_MALFORMED; what was read is checked. m is cleared on failure. */
PR_MUST_CHECK pr_status pr_mlp_model_read(pr_mlp_model *m, pr_reader *r, pr_error *err);
PR_MUST_CHECK pr_status pr_mlp_model_digest(pr_hash *out, const pr_mlp_model *m, pr_error *err);

/* Digest of images, [n][width]. */
pr_hash pr_mlp_images_digest(const uint8_t *images, uint32_t n, uint32_t width);

/* From an HDF5 file (README.md). PR_ERR_INPUT. m is cleared on failure. */
PR_MUST_CHECK pr_status pr_mlp_model_load(pr_mlp_model *m, const char *path, pr_error *err);
/* Its layers' numbers of inputs and outputs alone, unchecked against each other: weights and biases are not read. m
 * owns nothing. */
PR_MUST_CHECK pr_status pr_mlp_model_load_sizes(pr_mlp_model *m, const char *path, pr_error *err);
/* Rows first .. first + n - 1 of /images, [n][width], and of /labels, [n]; all within input_max. */
PR_MUST_CHECK pr_status pr_mlp_images_load(uint8_t *images, uint8_t *labels, const char *path, uint32_t first,
                                           uint32_t n, uint32_t width, uint32_t input_max, pr_error *err);

/* One image through the network. units: [pr_mlp_model_units], layer by layer; logits: [classes]. */
void pr_mlp_model_run(const pr_mlp_model *m, pr_mlp_unit *units, int32_t *logits, const uint8_t *image);
uint32_t pr_mlp_class(const int32_t *logits, uint32_t n);
#endif
