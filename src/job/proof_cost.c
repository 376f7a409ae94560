#include "job/proof_cost.h"
#include <math.h>

enum {
    HASH = sizeof(pr_hash),
    SECURE = sizeof(pr_qm31),
    BLOCK_VALUES = 16 /* of the field, in a block that is hashed */
};

/* ---- shapes ---- */

/* Header, roots, nonces, claimed sums, samples, last layer. */
static uint64_t unopened_bytes(const pr_proof_shape *s, const pr_config *config, uint64_t n_components,
                               uint64_t n_samples) {
    uint64_t header = 4 * (3 + (uint64_t)s->n_trees + 2 * (uint64_t)s->n_fri_layers), nonces = 16;
    uint64_t secure = n_components + n_samples + (UINT64_C(1) << config->log_last_layer_degree_bound);
    return header + nonces + HASH * (uint64_t)(s->n_trees + s->n_fri_layers) + SECURE * secure;
}

static uint64_t root_steps(uint64_t n_columns, uint32_t height, uint64_t n_values, uint32_t log_blowup) {
    if (n_columns == 0) return 0;
    uint64_t blocks = (n_columns + BLOCK_VALUES - 1) / BLOCK_VALUES + 1; /* of a leaf, and of a node above it */
    return (blocks << height) + (n_values << log_blowup);
}

pr_proof_shape pr_proof_shape_of_layout(const pr_layout *layout) {
    const pr_statement *st = layout->statement;
    const pr_layout_tree *fixed = &layout->trees[0];
    pr_proof_shape s = {.log_lifted = layout->log_lifted,
                        .n_queries = st->config.n_queries,
                        .n_trees = layout->n_trees,
                        .n_fri_layers = layout->n_fri_layers};
    uint64_t n_samples = 0;
    for (uint32_t t = 0; t < layout->n_trees; t++) {
        s.heights[t] = layout->trees[t].height;
        s.n_columns += layout->trees[t].n_columns;
        n_samples += layout->trees[t].n_samples;
    }
    for (uint32_t k = 0; k < layout->n_fri_layers; k++) s.fri[k] = layout->fri[k];
    for (uint32_t c = 0; c < st->air->n_components; c++) s.n_nodes += st->air->components[c].n_nodes;
    for (uint32_t k = 0; k < st->air->n_preprocessed; k++)
        s.n_values += UINT64_C(1) << st->air->preprocessed[k].log_size;
    s.unopened_bytes = unopened_bytes(&s, &st->config, st->air->n_components, n_samples);
    s.root_steps = root_steps(fixed->n_columns, fixed->height, s.n_values, st->config.log_blowup);
    return s;
}

pr_proof_shape pr_proof_shape_of_size(const pr_job_size *size, const pr_config *config) {
    enum { COMPOSITION = 8, NODES_A_COLUMN = 3 };
    uint64_t n_columns = size->n_columns ? size->n_columns : size->cells >> size->log_rows;
    pr_proof_shape s = {.log_lifted = size->log_rows + config->log_blowup,
                        .n_queries = config->n_queries,
                        .n_trees = size->n_trees == 3 ? 4 : 3,
                        .n_columns = n_columns + COMPOSITION,
                        .n_nodes = NODES_A_COLUMN * n_columns,
                        .n_values = size->n_values};
    for (uint32_t t = 0; t <= size->n_trees; t++) s.heights[t] = s.log_lifted;
    s.n_fri_layers = pr_layout_schedule_fri(s.fri, s.log_lifted, config);
    s.unopened_bytes = unopened_bytes(&s, config, 1, s.n_columns + n_columns / 16);
    s.root_steps = root_steps(1, s.log_lifted, s.n_values, config->log_blowup);
    if (s.n_values == 0) s.root_steps = 0;
    return s;
}

/* ---- what they weigh ---- */

typedef struct means {
    double hit[33];      /* nodes of a level of 2^k that are on a path */
    double siblings[33]; /* of all levels of up to 2^k nodes: hashes of an opening */
} means;

static means means_of(uint32_t n_queries) {
    means m = {.hit = {1}};
    for (int k = 1; k <= 32; k++) {
        double n = ldexp(1, k), missed = exp(n_queries * log1p(-1 / n));
        double both = k == 1 ? 0 : exp(n_queries * log1p(-2 / n));
        m.hit[k] = n * (1 - missed);
        m.siblings[k] = m.siblings[k - 1] + n * (missed - both);
    }
    return m;
}

/* A layer opens whole groups, of which the verifier has a value a query; hashes lie above the groups. */
static double fri_bytes(const pr_layout_fri *layer, const means *m) {
    uint32_t log_groups = layer->log_size - layer->fold_step;
    return SECURE * (ldexp(m->hit[log_groups], (int)layer->fold_step) - m->hit[layer->log_size]) +
           HASH * m->siblings[log_groups];
}

static double mean_bytes(const pr_proof_shape *s) {
    means m = means_of(s->n_queries);
    double bytes = (double)s->unopened_bytes + sizeof(pr_m31) * (double)s->n_columns * m.hit[s->log_lifted];
    for (uint32_t t = 0; t < s->n_trees; t++) bytes += HASH * m.siblings[s->heights[t]];
    for (uint32_t k = 0; k < s->n_fri_layers; k++) bytes += fri_bytes(&s->fri[k], &m);
    return bytes;
}

pr_proof_cost pr_proof_cost_of(const pr_proof_shape *s, const pr_verify_costs *c) {
    double bytes = mean_bytes(s);
    double verify = c->attempt_ns + c->byte_ns * bytes + c->node_ns * (double)(s->n_nodes + s->n_columns) +
                    c->value_ns * (double)s->n_values;
    return (pr_proof_cost){.bytes = (uint64_t)bytes,
                           .verify_ns = (uint64_t)verify,
                           .root_ns = (uint64_t)(c->root_ns * (double)s->root_steps)};
}
