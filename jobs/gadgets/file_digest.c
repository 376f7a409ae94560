#include "gadgets/file_digest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rows.h"

/* ---- shape ---- */

/* The largest power of two that fits, and another for the rest, unless one component of twice the size does as well. */
void pr_digest_cover(pr_digest_part *part, uint64_t n_rows) {
    uint32_t log = PR_DIGEST_MIN_LOG_ROWS, rest = PR_DIGEST_MIN_LOG_ROWS;
    while (UINT64_C(2) << log <= n_rows) log++;
    part->n_components = 1;
    part->log_rows[0] = log;
    if (n_rows <= UINT64_C(1) << log) return;
    while (UINT64_C(1) << rest < n_rows - (UINT64_C(1) << log)) rest++;
    if (rest == log) {
        part->log_rows[0] = log + 1;
        return;
    }
    part->n_components = 2;
    part->log_rows[1] = rest;
}

static uint64_t capacity(const pr_digest_part *part) {
    uint64_t n = 0;
    for (uint32_t k = 0; k < part->n_components; k++) n += UINT64_C(1) << part->log_rows[k];
    return n;
}

pr_status pr_digest_add_selector(pr_air_builder *b, const char *id, uint32_t log_rows, uint32_t first, uint32_t end,
                                 pr_error *err) {
    pr_m31 *rows = calloc((size_t)1 << log_rows, sizeof *rows);
    if (!rows) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a selector");
    for (uint32_t k = first; k < end; k++) rows[k] = 1;
    pr_air_add_preprocessed(b, id, log_rows, rows);
    free(rows);
    return PR_OK;
}

pr_status pr_digest_add_selectors(pr_air_builder *b, const pr_digest_shape *shape, pr_error *err) {
    uint32_t log_rows = shape->log_blocks, last = shape->n_blocks - 1, n_rows = 1u << log_rows;
    PR_TRY(pr_digest_add_selector(b, "goes_on", log_rows, 0, last, err));
    PR_TRY(pr_digest_add_selector(b, "final", log_rows, last, last + 1, err));
    return pr_digest_add_selector(b, "seam", log_rows, n_rows - 1, n_rows, err);
}

/* ---- creation ---- */

void pr_digest_clear(pr_job_instance *job) {
    pr_air_destroy(job->air);
    free(job->walk.messages);
    free(job->walk.inner);
}

static void init(pr_job_instance *job, const pr_digest_kind *kind, const pr_params *params) {
    job->kind = kind;
    job->label = pr_bytes_label_of(kind->type, params);
}

/* chain: [PR_DIGEST_CHAIN] behind the last block. */
static pr_status walk_through(pr_job_instance *job, uint32_t *chain, const uint8_t *data, uint64_t length,
                              pr_error *err) {
    const pr_digest_kind *kind = job->kind;
    pr_digest_walk *walk = &job->walk;
    walk->length = length;
    walk->n_blocks = kind->n_blocks(length);
    walk->messages = calloc(walk->n_blocks, sizeof *walk->messages);
    walk->inner = calloc((size_t)walk->n_blocks * kind->n_inner, sizeof *walk->inner);
    if (!walk->messages || !walk->inner)
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for a file of %llu bytes", (unsigned long long)length);
    kind->cut(walk->messages, data, length);
    memcpy(chain, kind->initial, PR_DIGEST_CHAIN * sizeof *chain);
    for (uint32_t k = 0; k < walk->n_blocks; k++)
        kind->compress(chain, walk->inner + (size_t)k * kind->n_inner, walk->messages[k], walk, k);
    return PR_OK;
}

static void write_digest(uint8_t *out, const uint32_t *chain, bool big_endian) {
    for (unsigned k = 0; k < PR_DIGEST_BYTES; k++) {
        unsigned shift = 8 * (big_endian ? 3 - k % 4 : k % 4);
        out[k] = (uint8_t)(chain[k / 4] >> shift);
    }
}

static pr_status build(pr_job_instance *job, pr_error *err) {
    job->kind->shape(&job->shape, job->kind->n_blocks(job->statement.length));
    return job->kind->air(&job->air, &job->statement, err);
}

pr_status pr_digest_load(pr_job_instance *job, const pr_digest_kind *kind, const pr_params *params, pr_error *err) {
    uint8_t *data = NULL;
    size_t size = 0;
    uint32_t chain[PR_DIGEST_CHAIN];
    init(job, kind, params);
    PR_TRY(pr_bytes_from_params(&data, &size, kind->type, params, kind->max_length, err));
    pr_status status = walk_through(job, chain, data, size, err);
    free(data);
    if (status != PR_OK) return status;
    job->statement.length = size;
    write_digest(job->statement.digest, chain, kind->big_endian);
    return build(job, err);
}

pr_status pr_digest_load_public(pr_job_instance *job, const pr_digest_kind *kind, const pr_params *params,
                                const void *public_data, size_t size, pr_error *err) {
    pr_reader r;
    init(job, kind, params);
    pr_reader_init(&r, public_data, size);
    job->statement.length = pr_read_u64(&r);
    pr_read_bytes(&r, job->statement.digest, sizeof job->statement.digest);
    if (!pr_reader_done(&r) || job->statement.length > kind->max_length)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: public data (%zu bytes) is not a length and a digest",
                       kind->type->name, size);
    return build(job, err);
}

/* ---- what is public ---- */

const pr_air *pr_digest_air(const pr_job_instance *job) { return job->air; }

void pr_digest_write_public(const pr_job_instance *job, pr_writer *out) {
    pr_write_u64(out, job->statement.length);
    pr_write_bytes(out, job->statement.digest, sizeof job->statement.digest);
}

size_t pr_digest_outputs(const pr_job_instance *job, pr_output *out, size_t n_out) {
    char digest[2 * PR_DIGEST_BYTES + 1];
    pr_hex_encode(digest, job->statement.digest, sizeof job->statement.digest);
    return pr_bytes_outputs(out, n_out, digest, job->statement.length, &job->label);
}

/* ---- trace ---- */

/* Lane i: the part's row `row`, of a block or behind them. */
static void set_lane(pr_digest_rows *rows, const pr_digest_part *part, unsigned i, uint64_t row) {
    uint32_t n_blocks = rows->walk->n_blocks;
    rows->is_live[i] = row < part->n_rows;
    rows->block[i] = (uint32_t)(row % n_blocks);
    rows->step[i] = (uint32_t)(row / n_blocks);
    rows->multiplicity[i] = rows->is_live[i] ? 1 : row == part->n_rows ? part->zero_uses : 0;
}

static void fill_part(const pr_job_instance *job, uint32_t index, uint32_t which, pr_m31 *const *columns,
                      pr_job_order order, int n_threads) {
    const pr_digest_part *part = &job->shape.parts[index];
    const unsigned log_rows = part->log_rows[which];
    const uint64_t first = which ? UINT64_C(1) << part->log_rows[0] : 0;
#pragma omp parallel for schedule(static) num_threads(n_threads)
    for (uint32_t place = 0; place < 1u << log_rows; place += PR_DIGEST_LANES) {
        uint32_t cells[PR_DIGEST_MAX_COLUMNS][PR_DIGEST_LANES] __attribute__((aligned(64)));
        pr_digest_rows rows = {.part = index, .n_lanes = PR_DIGEST_LANES, .walk = &job->walk, .cells = cells};
        for (unsigned i = 0; i < PR_DIGEST_LANES; i++)
            set_lane(&rows, part, i, first + pr_job_row(order, log_rows, place + i));
        job->kind->rows(&rows);
        for (uint32_t k = 0; k < part->n_columns; k++) memcpy(columns[k] + place, cells[k], sizeof cells[k]);
    }
}

/* ---- multiplicities ---- */

/* Which table column k of a component of tables counts; n columns and rows of that component. */
typedef struct table_set {
    uint32_t n, n_rows, tables[PR_DIGEST_TABLES];
} table_set;

static table_set byte_set(const pr_digest_kind *kind) {
    table_set set = {.n = kind->n_ops, .n_rows = PR_BYTE_ROWS};
    for (uint32_t k = 0; k < set.n; k++) set.tables[k] = kind->ops[k];
    return set;
}

static table_set split_set(const pr_digest_kind *kind) {
    table_set set = {.n = kind->n_splits, .n_rows = PR_SPLIT_ROWS};
    for (uint32_t k = 0; k < set.n; k++) set.tables[k] = PR_BYTE_OPS + (uint32_t)kind->splits[k];
    return set;
}

static void counts_clear(uint32_t **counts) {
    for (uint32_t k = 0; k < PR_DIGEST_TABLES; k++) free(counts[k]);
}

/* counts: [PR_DIGEST_TABLES], those of the set zero, the others NULL. To be cleared on failure, too. */
static bool counts_init(uint32_t **counts, const table_set *set) {
    bool full = true;
    for (uint32_t k = 0; k < PR_DIGEST_TABLES; k++) counts[k] = NULL;
    for (uint32_t k = 0; k < set->n; k++)
        full &= (counts[set->tables[k]] = calloc(set->n_rows, sizeof *counts[0])) != NULL;
    return full;
}

static void add_counts(uint32_t *const *sums, uint32_t *const *counts, const table_set *set, uint32_t times) {
    for (uint32_t k = 0; k < set->n; k++) {
        uint32_t *sum = sums[set->tables[k]];
        const uint32_t *more = counts[set->tables[k]];
        for (uint32_t row = 0; row < set->n_rows; row++) sum[row] += times * more[row];
    }
}

/* What the rows of blocks look up, of all parts: the thread's share of them. */
static void count_share(const pr_job_instance *job, uint32_t **counts) {
    for (uint32_t index = 0; index < job->shape.n_parts; index++) {
        const pr_digest_part *part = &job->shape.parts[index];
#pragma omp for schedule(static) nowait
        for (uint64_t row = 0; row < part->n_rows; row += PR_DIGEST_LANES) {
            uint64_t left = part->n_rows - row;
            pr_digest_rows rows = {.part = index, .walk = &job->walk, .counts = counts};
            rows.n_lanes = left < PR_DIGEST_LANES ? (unsigned)left : PR_DIGEST_LANES;
            for (unsigned i = 0; i < PR_DIGEST_LANES; i++) set_lane(&rows, part, i, row + i);
            job->kind->rows(&rows);
        }
    }
}

static bool count_blocks(const pr_job_instance *job, uint32_t **sums, const table_set *set, int n_threads) {
    bool failed = false;
#pragma omp parallel num_threads(n_threads) reduction(|| : failed)
    {
        uint32_t *counts[PR_DIGEST_TABLES];
        failed = !counts_init(counts, set);
        if (failed) counts_clear(counts);
        count_share(job, failed ? NULL : counts);
#pragma omp critical
        if (!failed) add_counts(sums, counts, set, 1);
        if (!failed) counts_clear(counts);
    }
    if (!failed) job->kind->count_end(sums, &job->walk);
    return !failed;
}

/* Rows of zeros behind those of the blocks. */
static bool count_zeros(const pr_job_instance *job, uint32_t **sums, const table_set *set) {
    bool full = true;
    for (uint32_t p = 0; full && p < job->shape.n_parts; p++) {
        const pr_digest_part *part = &job->shape.parts[p];
        uint32_t *counts[PR_DIGEST_TABLES];
        full = counts_init(counts, set);
        if (full) {
            job->kind->rows(&(pr_digest_rows){.part = p, .n_lanes = 1, .walk = &job->walk, .counts = counts});
            add_counts(sums, counts, set, (uint32_t)(capacity(part) - part->n_rows));
        }
        counts_clear(counts);
    }
    return full;
}

/* Lookups in all are fewer than p (the builder sees to it), so counts are field elements. */
static pr_status fill_tables(const pr_job_instance *job, pr_m31 *const *columns, const table_set *set,
                             pr_job_order order, int n_threads, pr_error *err) {
    unsigned log_rows = set->n_rows == PR_BYTE_ROWS ? PR_BYTE_LOG_ROWS : PR_SPLIT_LOG_ROWS;
    uint32_t *sums[PR_DIGEST_TABLES];
    bool full = counts_init(sums, set) && count_blocks(job, sums, set, n_threads) && count_zeros(job, sums, set);
    for (uint32_t place = 0; full && place < set->n_rows; place++) {
        uint32_t row = pr_job_row(order, log_rows, place);
        for (uint32_t k = 0; k < set->n; k++) columns[k][place] = sums[set->tables[k]][row];
    }
    counts_clear(sums);
    return full ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for multiplicities");
}

pr_status pr_digest_trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                          unsigned n_threads, pr_error *err) {
    int threads = pr_job_threads(n_threads);
    uint32_t which = component;
    if (!job->walk.messages)
        return pr_fail(err, PR_ERR_INTERNAL, "%s: no trace without the file", job->kind->type->name);
    for (uint32_t part = 0; part < job->shape.n_parts; part++) {
        uint32_t n = job->shape.parts[part].n_components;
        if (which < n) return fill_part(job, part, which, columns, order, threads), PR_OK;
        which -= n;
    }
    const table_set set = which ? split_set(job->kind) : byte_set(job->kind);
    return fill_tables(job, columns, &set, order, threads, err);
}

/* ---- size ---- */

/* A secure column for each two lookups: four of the field. */
static uint64_t interaction_columns(uint64_t n_lookups) { return (n_lookups + 1) / 2 * 4; }

static void add_columns(pr_job_size *size, uint64_t n_columns, uint64_t rows) {
    size->n_columns += n_columns;
    size->cells += n_columns * rows;
}

static void add_preprocessed(pr_job_size *size, const pr_digest_kind *kind, const pr_digest_shape *shape) {
    add_columns(size, kind->n_selectors, UINT64_C(1) << shape->log_blocks);
    add_columns(size, pr_byte_tables_preprocessed(kind->ops, kind->n_ops), UINT64_C(1) << PR_BYTE_LOG_ROWS);
    add_columns(size, (uint64_t)kind->n_splits * PR_SPLIT_PARTS, UINT64_C(1) << PR_SPLIT_LOG_ROWS);
    size->n_values = size->n_looked_up = size->cells;
}

static void add_parts(pr_job_size *size, const pr_digest_shape *shape) {
    for (uint32_t p = 0; p < shape->n_parts; p++) {
        const pr_digest_part *part = &shape->parts[p];
        uint64_t n_columns = part->n_columns + interaction_columns(part->n_lookups);
        size->n_columns += (part->n_components - UINT64_C(1)) * n_columns;
        add_columns(size, n_columns, capacity(part));
        size->n_looked_up += part->n_columns * capacity(part);
        if (part->log_rows[0] > size->log_rows) size->log_rows = part->log_rows[0];
    }
}

pr_status pr_digest_size(pr_job_size *out, const pr_digest_kind *kind, const pr_params *params, pr_error *err) {
    uint64_t length;
    pr_digest_shape shape;
    PR_TRY(pr_bytes_length(&length, kind->type, params, kind->max_length, err));
    kind->shape(&shape, kind->n_blocks(length));
    *out = (pr_job_size){.log_rows = PR_BYTE_LOG_ROWS, .n_trees = 3};
    add_preprocessed(out, kind, &shape);
    add_columns(out, kind->n_ops + interaction_columns(kind->n_ops), UINT64_C(1) << PR_BYTE_LOG_ROWS);
    add_columns(out, kind->n_splits + interaction_columns(kind->n_splits), UINT64_C(1) << PR_SPLIT_LOG_ROWS);
    add_parts(out, &shape);
    /* blocks, chain and words in between, the file while it is cut, preprocessed values */
    out->instance_bytes = (uint64_t)shape.n_blocks * (PR_DIGEST_BLOCK + 4 * kind->n_inner);
    out->instance_bytes += length + 4 * out->n_values;
    return PR_OK;
}
