#include "job/estimate.h"

pr_costs pr_costs_built_in(pr_isa isa) {
    static const pr_costs costs[PR_ISA_COUNT] = {
        [PR_ISA_SCALAR] = {84, 3200, 100, 8e6, 1, {8, 300, 100, 80, 1e5}},
        [PR_ISA_AVX2] = {15.5, 500, 15, 4e6, 1, {3.5, 120, 40, 30, 6e4}},
        [PR_ISA_AVX512] = {12.4, 150, 8, 3e6, 1, {2.6, 90, 24, 19, 4e4}},
    };
    return costs[isa];
}

double pr_costs_time_ns(const pr_costs *costs, const pr_job_size *size, const pr_config *config, unsigned n_threads) {
    double blowup = (double)(1u << config->log_blowup) / 2;
    double rows = (double)(UINT64_C(1) << size->log_rows), grind = (double)(UINT64_C(1) << config->pow_bits);
    double cells = (double)size->cells * costs->cell_ns * blowup, shared = cells + rows * costs->row_ns * blowup;
    return (shared + grind * costs->grind_ns) / (1 + (n_threads - 1) * costs->parallel) + costs->attempt_ns;
}

pr_job_size pr_job_size_of_layout(const pr_layout *layout) {
    pr_job_size size = {.log_rows = layout->log_max_rows};
    for (uint32_t t = 0; t + 1 < layout->n_trees; t++) { /* the last is the composition */
        const pr_layout_tree *tree = &layout->trees[t];
        size.n_trees += tree->n_columns != 0;
        size.n_columns += tree->n_columns;
        for (uint32_t c = 0; c < tree->n_columns; c++)
            size.cells += (UINT64_C(1) << tree->columns[c].log_ext) >> layout->statement->config.log_blowup;
        if (t == 0) size.n_values = size.cells;
    }
    return size;
}

uint64_t pr_job_instance_bytes(const pr_job_type *type, const pr_params *params, const pr_layout *layout) {
    pr_job_size said, is = pr_job_size_of_layout(layout);
    if (!type->size || type->size(&said, params, NULL) != PR_OK || said.cells == 0) return 0;
    return (uint64_t)((double)said.instance_bytes * (double)is.cells / (double)said.cells);
}

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Bytes that live at once at the peak, following prove/design.c: extended columns and their trees to the end; beside
 * them first what lookups read, not extended, then accumulators of the composition, and the layers of FRI, which are
 * larger. */
static uint64_t arena_of(const pr_job_size *size, const pr_config *config) {
    enum { COMPOSITION_COLUMNS = 8, FRI_WORDS = 10 };
    uint64_t lifted = UINT64_C(1) << (size->log_rows + config->log_blowup);
    uint64_t beside = larger(size->n_looked_up, (COMPOSITION_COLUMNS + FRI_WORDS) * lifted);
    uint64_t words = (size->cells << config->log_blowup) + beside;
    return 4 * (words + (size->n_trees + UINT64_C(1)) * lifted);
}

static uint64_t columns_of(const pr_job_size *size) {
    return size->n_columns ? size->n_columns : size->cells >> size->log_rows;
}

/* Of the largest tree. Where components are of one size they have most columns in one; else trace and interaction have
 * about as many. */
static uint64_t widest_of(const pr_job_size *size) {
    return larger(size->cells >> size->log_rows, size->n_columns * 3 / 5);
}

/* Of the backend: twiddles, of each thread, and what does not grow with the proof. */
static uint64_t workspace_of(const pr_job_size *size, const pr_config *config, unsigned n_threads) {
    enum { FIXED = 2200000, THREAD = 98304, THREAD_COLUMN = 2200 };
    return FIXED + n_threads * (THREAD + THREAD_COLUMN * widest_of(size)) +
           (UINT64_C(4) << (size->log_rows + config->log_blowup));
}

/* Hashes of a query's paths: through the trees, and of each layer of FRI from all values that are folded together. */
static uint64_t path_hashes_of(const pr_job_size *size, const pr_config *config) {
    pr_layout_fri layers[32];
    uint32_t log_lifted = size->log_rows + config->log_blowup;
    uint64_t n = (size->n_trees + UINT64_C(1)) * log_lifted;
    for (uint32_t k = pr_layout_schedule_fri(layers, log_lifted, config); k-- > 0;)
        n += (uint64_t)layers[k].log_size << layers[k].fold_step;
    return n;
}

/* On the host in any case: the openings, where they are gathered and in the proof, and the instance. */
static uint64_t host_of(const pr_job_size *size, const pr_config *config) {
    enum { HASH = 2 * 32, COLUMN = 2 * 4 };
    uint64_t query = HASH * path_hashes_of(size, config) + COLUMN * columns_of(size);
    return config->n_queries * query + size->instance_bytes;
}

/* On the host, where the columns are on a device and hide nothing: with the lists of columns, and some to spare; and
 * pinned, what copies go through: at most the whole trace, and tables. Constants measured against plans, as those
 * above. */
static uint64_t beside_device(const pr_job_size *size, const pr_config *config) {
    enum { FIXED = 262144, COLUMN = 400, PINNED = 2 << 20, PINNED_COLUMN = 600 };
    uint64_t bytes = host_of(size, config) + COLUMN * columns_of(size);
    uint64_t pinned = PINNED + PINNED_COLUMN * columns_of(size) + 4 * (size->cells - size->n_values);
    return FIXED + bytes + bytes / 4 + pinned;
}

static uint64_t with_margin(uint64_t bytes) { return bytes + bytes / 32; } /* the constants err by two hundredths */

pr_estimate pr_estimate_size(const pr_job_size *size, const pr_config *profile, const pr_costs *costs,
                             unsigned n_threads) {
    pr_config chosen = *profile;
    const pr_config *config = &chosen;
    if (size->log_blowup) chosen.log_blowup = size->log_blowup;
    uint64_t computing = arena_of(size, config) + workspace_of(size, config, n_threads);
    double ns = pr_costs_time_ns(costs, size, config, n_threads);
    pr_proof_shape shape = pr_proof_shape_of_size(size, config);
    return (pr_estimate){.known = true,
                         .cells = size->cells,
                         .host_bytes = with_margin(computing + host_of(size, config)),
                         .device_bytes = with_margin(computing + 4 * size->n_values), /* which stay, for the next one */
                         .device_host_bytes = beside_device(size, config),
                         .proof = pr_proof_cost_of(&shape, &costs->verify),
                         .expected_ns = ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18};
}

pr_status pr_estimate_job(pr_estimate *out, const pr_job_type *type, const pr_params *params, const pr_config *config,
                          const pr_costs *costs, unsigned n_threads, uint64_t *effort, pr_error *err) {
    size_t index;
    pr_error ignored = {0};
    pr_job_size size = {.log_rows = 4, .n_trees = 1, .cells = 16};
    PR_TRY(pr_params_check(type, params, &index, err));
    bool known = type->size && type->size(&size, params, &ignored) == PR_OK;
    if (!known) size = (pr_job_size){.log_rows = 4, .n_trees = 1, .cells = 16};
    pr_job_size tried;
    if (known && effort && type->try_size && type->try_size(&tried, params, effort, &ignored) == PR_OK) size = tried;
    *out = pr_estimate_size(&size, config, costs, n_threads);
    out->known = known;
    return PR_OK;
}
