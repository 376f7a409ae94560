#include "job/estimate.h"

/* Nanoseconds of one thread. A cell is extended, hashed, and read by constraints and quotients; a row stands for the
 * composition, quotients and FRI; an attempt has reading, mapping and compressing. */
static const struct cost {
    double cell_ns, row_ns, grind_ns, attempt_ns;
} costs[PR_ISA_COUNT] = {
    [PR_ISA_SCALAR] = {84, 3200, 100, 8e6},
    [PR_ISA_AVX2] = {15.5, 500, 15, 4e6},
    [PR_ISA_AVX512] = {12.4, 150, 8, 3e6},
};

static double time_of(const pr_job_size *size, const pr_config *config, pr_isa isa, unsigned n_threads) {
    const struct cost *c = &costs[isa];
    double blowup = (double)(1u << config->log_blowup) / 2; /* constants are for a blow-up of 2 */
    double rows = (double)(UINT64_C(1) << size->log_rows), grind = (double)(UINT64_C(1) << config->pow_bits);
    double shared = (double)size->cells * c->cell_ns * blowup + rows * c->row_ns * blowup + grind * c->grind_ns;
    return shared / n_threads + c->attempt_ns;
}

/* Bytes that live at once at the peak, following prove/design.c: extended columns and their trees to the end; then
 * either the accumulators of the composition or the layers of FRI, which are larger. */
static uint64_t arena_of(const pr_job_size *size, const pr_config *config) {
    enum { COMPOSITION_COLUMNS = 8, FRI_WORDS = 10 };
    uint64_t lifted = UINT64_C(1) << (size->log_rows + config->log_blowup);
    uint64_t words = (size->cells << config->log_blowup) + (COMPOSITION_COLUMNS + FRI_WORDS) * lifted;
    return 4 * (words + (size->n_trees + UINT64_C(1)) * lifted);
}

static uint64_t columns_of(const pr_job_size *size) { return size->cells >> size->log_rows; }

/* Of the backend: twiddles, of each thread, and what does not grow with the proof. */
static uint64_t workspace_of(const pr_job_size *size, const pr_config *config, unsigned n_threads) {
    enum { FIXED = 2200000, THREAD = 98304, THREAD_COLUMN = 2200 };
    return FIXED + n_threads * (THREAD + THREAD_COLUMN * columns_of(size)) +
           (UINT64_C(4) << (size->log_rows + config->log_blowup));
}

/* On the host in any case: the openings and the instance. Constants measured against plans, as those above. */
static uint64_t host_of(const pr_job_size *size, const pr_config *config) {
    enum { QUERY_LEVEL = 512, QUERY_COLUMN = 8 };
    uint64_t query = QUERY_LEVEL * (size->log_rows + config->log_blowup) + QUERY_COLUMN * columns_of(size);
    return config->n_queries * query + size->instance_bytes;
}

/* On the host, where the columns are on a device and hide nothing: with the lists of columns, the
 * paths through FRI's layers, and some to spare. */
static uint64_t beside_device(const pr_job_size *size, const pr_config *config) {
    enum { FIXED = 262144, COLUMN = 400, QUERY_LEVEL_SQUARED = 16 };
    uint64_t log_lifted = size->log_rows + config->log_blowup, paths = log_lifted * log_lifted * config->n_queries;
    uint64_t bytes = host_of(size, config) + COLUMN * columns_of(size) + QUERY_LEVEL_SQUARED * paths;
    return FIXED + bytes + bytes / 4;
}

static uint64_t with_margin(uint64_t bytes) { return bytes + bytes / 32; } /* the constants err by two hundredths */

pr_estimate pr_estimate_size(const pr_job_size *size, const pr_config *config, pr_isa isa, unsigned n_threads) {
    uint64_t computing = arena_of(size, config) + workspace_of(size, config, n_threads);
    double ns = time_of(size, config, isa, n_threads);
    return (pr_estimate){.known = true,
                         .cells = size->cells,
                         .host_bytes = with_margin(computing + host_of(size, config)),
                         .device_bytes = with_margin(computing),
                         .device_host_bytes = beside_device(size, config),
                         .expected_ns = ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18};
}

pr_status pr_estimate_job(pr_estimate *out, const pr_job_type *type, const pr_params *params, const pr_config *config,
                          pr_isa isa, unsigned n_threads, pr_error *err) {
    size_t index;
    pr_error ignored = {0};
    pr_job_size size = {.log_rows = 4, .n_trees = 1, .cells = 16};
    PR_TRY(pr_params_check(type, params, &index, err));
    bool known = type->size && type->size(&size, params, &ignored) == PR_OK;
    if (!known) size = (pr_job_size){.log_rows = 4, .n_trees = 1, .cells = 16};
    *out = pr_estimate_size(&size, config, isa, n_threads);
    out->known = known;
    return PR_OK;
}
