#include "gadgets/file_digest.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gadgets/input_file.h"
#include "rows.h"

struct pr_job_instance {
    const pr_digest_kind *kind;
    char *path; /* as given */
    pr_digest_public statement;
    pr_digest_shape shape;
    pr_digest_walk walk; /* empty in an instance made for verification */
    pr_air *air;
};

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

void pr_digest_destroy(pr_job_instance *job) {
    if (!job) return;
    pr_air_destroy(job->air);
    free(job->walk.messages);
    free(job->walk.chain);
    free(job->path);
    free(job);
}

static pr_job_instance *allocate(const pr_digest_kind *kind, const pr_params *params) {
    const char *path = params ? pr_params_get(kind->type, params, "path") : NULL;
    pr_job_instance *job = calloc(1, sizeof *job);
    if (job && !(job->path = strdup(path ? path : ""))) {
        free(job);
        return NULL;
    }
    if (job) job->kind = kind;
    return job;
}

static pr_status walk_through(pr_job_instance *job, const uint8_t *data, uint64_t length, pr_error *err) {
    const pr_digest_kind *kind = job->kind;
    pr_digest_walk *walk = &job->walk;
    walk->length = length;
    walk->n_blocks = kind->n_blocks(length);
    walk->messages = calloc(walk->n_blocks, sizeof *walk->messages);
    walk->chain = calloc((size_t)walk->n_blocks + 1, sizeof *walk->chain);
    if (!walk->messages || !walk->chain)
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for a file of %llu bytes", (unsigned long long)length);
    kind->cut(walk->messages, data, length);
    memcpy(walk->chain[0], kind->initial, sizeof *walk->chain);
    for (uint32_t k = 0; k < walk->n_blocks; k++) {
        memcpy(walk->chain[k + 1], walk->chain[k], sizeof *walk->chain);
        kind->compress(walk->chain[k + 1], walk->messages[k], walk, k);
    }
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

static pr_status load(pr_job_instance *job, const char *base_dir, pr_error *err) {
    const pr_digest_kind *kind = job->kind;
    uint8_t *data = NULL;
    size_t size = 0;
    PR_TRY(pr_input_file_read(&data, &size, base_dir, job->path, kind->max_length, kind->type->name, err));
    pr_status status = walk_through(job, data, size, err);
    free(data);
    if (status != PR_OK) return status;
    job->statement.length = size;
    write_digest(job->statement.digest, job->walk.chain[job->walk.n_blocks], kind->big_endian);
    return build(job, err);
}

static pr_status finish(pr_job_instance **out, pr_job_instance *job, pr_status status) {
    if (status == PR_OK)
        *out = job;
    else
        pr_digest_destroy(job);
    return status;
}

pr_status pr_digest_create(pr_job_instance **out, const pr_digest_kind *kind, const pr_params *params, pr_error *err) {
    pr_job_instance *job = allocate(kind, params);
    if (!job) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job");
    return finish(out, job, load(job, params->base_dir, err));
}

pr_status pr_digest_create_public(pr_job_instance **out, const pr_digest_kind *kind, const pr_params *params,
                                  const void *public_data, size_t size, pr_error *err) {
    pr_digest_public statement;
    pr_reader r;
    pr_reader_init(&r, public_data, size);
    statement.length = pr_read_u64(&r);
    pr_read_bytes(&r, statement.digest, sizeof statement.digest);
    if (!pr_reader_done(&r) || statement.length > kind->max_length)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: public data (%zu bytes) is not a length and a digest",
                       kind->type->name, size);
    pr_job_instance *job = allocate(kind, params);
    if (!job) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job");
    job->statement = statement;
    return finish(out, job, build(job, err));
}

/* ---- what is public ---- */

const pr_air *pr_digest_air(const pr_job_instance *job) { return job->air; }

void pr_digest_write_public(const pr_job_instance *job, pr_writer *out) {
    pr_write_u64(out, job->statement.length);
    pr_write_bytes(out, job->statement.digest, sizeof job->statement.digest);
}

size_t pr_digest_outputs(const pr_job_instance *job, pr_output *out, size_t capacity_of_out) {
    pr_output all[3] = {{.name = "digest"}, {.name = "length"}, {.name = "file"}};
    pr_hex_encode(all[0].value, job->statement.digest, sizeof job->statement.digest);
    snprintf(all[1].value, sizeof all[1].value, "%llu", (unsigned long long)job->statement.length);
    snprintf(all[2].value, sizeof all[2].value, "%.159s", pr_input_file_name(job->path));
    size_t n = sizeof all / sizeof *all;
    for (size_t k = 0; k < n && k < capacity_of_out; k++) out[k] = all[k];
    return n;
}

/* ---- trace ---- */

bool pr_digest_sink_wants(const pr_digest_sink *sink, uint32_t part, uint64_t row) {
    return sink->counts || (part == sink->part && row < sink->end && row + PR_DIGEST_LANES > sink->first);
}

void pr_digest_sink_take(pr_digest_sink *sink, uint32_t part, uint64_t row, unsigned n_lanes) {
    if (sink->counts || part != sink->part) return;
    uint64_t first = row > sink->first ? row : sink->first;
    uint64_t end = row + n_lanes < sink->end ? row + n_lanes : sink->end;
    for (uint32_t k = 0; first < end && k < sink->n_columns; k++)
        memcpy(sink->columns[k] + (first - sink->first), sink->strip[k] + (first - row),
               (size_t)(end - first) * sizeof(pr_m31));
}

static void each_group(const pr_job_instance *job, pr_digest_sink *sink, uint32_t first) {
    uint32_t left = job->walk.n_blocks - first;
    job->kind->rows(sink, &job->walk, first, left < PR_DIGEST_LANES ? left : PR_DIGEST_LANES);
}

static void clear_columns(const pr_digest_sink *sink, const pr_digest_part *part) {
    uint64_t first = part->n_rows > sink->first ? part->n_rows : sink->first;
    for (uint32_t k = 0; first < sink->end && k < sink->n_columns; k++)
        memset(sink->columns[k] + (first - sink->first), 0, (size_t)(sink->end - first) * sizeof(pr_m31));
    if (part->zero_uses && part->n_rows >= sink->first && part->n_rows < sink->end)
        sink->columns[0][part->n_rows - sink->first] = part->zero_uses;
}

static pr_status fill_part(const pr_job_instance *job, uint32_t index, uint32_t which, pr_m31 *const *columns,
                           int n_threads, pr_error *err) {
    const pr_digest_part *part = &job->shape.parts[index];
    uint64_t first = which ? UINT64_C(1) << part->log_rows[0] : 0;
    pr_digest_sink *sinks = aligned_alloc(64, (size_t)n_threads * sizeof *sinks);
    if (!sinks) return pr_fail(err, PR_ERR_MEMORY, "out of memory for rows");
    for (int k = 0; k < n_threads; k++) {
        sinks[k].part = index, sinks[k].n_columns = part->n_columns, sinks[k].columns = columns;
        sinks[k].counts = NULL;
        sinks[k].first = first, sinks[k].end = first + (UINT64_C(1) << part->log_rows[which]);
    }
    clear_columns(&sinks[0], part);
#pragma omp parallel for schedule(static) num_threads(n_threads)
    for (uint32_t block = 0; block < job->walk.n_blocks; block += PR_DIGEST_LANES)
        each_group(job, &sinks[omp_get_thread_num()], block);
    free(sinks);
    return PR_OK;
}

/* ---- multiplicities ---- */

typedef struct counter {
    pr_digest_sink sink;
    uint32_t *counts[PR_DIGEST_TABLES];
} counter;

/* Which table column k of a component of tables counts; n_columns and rows of that component. */
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

static void counter_clear(counter *c) {
    for (uint32_t k = 0; c && k < PR_DIGEST_TABLES; k++) free(c->counts[k]);
    free(c);
}

static bool allocate_set(counter *c, table_set set) {
    bool full = true;
    for (uint32_t k = 0; k < set.n; k++)
        full &= (c->counts[set.tables[k]] = calloc(set.n_rows, sizeof *c->counts[0])) != NULL;
    return full;
}

static counter *counter_create(const pr_digest_kind *kind) {
    counter *c = aligned_alloc(64, sizeof *c);
    if (!c) return NULL;
    memset(c, 0, sizeof *c);
    c->sink.counts = c->counts;
    if (allocate_set(c, byte_set(kind)) && allocate_set(c, split_set(kind))) return c;
    counter_clear(c);
    return NULL;
}

static void add_counts(pr_m31 *const *columns, const counter *c, const table_set *set, uint32_t times) {
    for (uint32_t k = 0; k < set->n; k++)
        for (uint32_t row = 0; row < set->n_rows; row++) columns[k][row] += times * c->counts[set->tables[k]][row];
}

/* Rows of zeros behind those of the blocks. */
static pr_status add_zero_rows(const pr_job_instance *job, pr_m31 *const *columns, const table_set *set,
                               pr_error *err) {
    for (uint32_t p = 0; p < job->shape.n_parts; p++) {
        const pr_digest_part *part = &job->shape.parts[p];
        counter *one = counter_create(job->kind);
        if (!one) return pr_fail(err, PR_ERR_MEMORY, "out of memory for multiplicities");
        job->kind->zero_row(&one->sink, p);
        add_counts(columns, one, set, (uint32_t)(capacity(part) - part->n_rows));
        counter_clear(one);
    }
    return PR_OK;
}

/* Lookups in all are fewer than p (the builder sees to it), so counts are field elements. */
static pr_status fill_tables(const pr_job_instance *job, pr_m31 *const *columns, table_set set, int n_threads,
                             pr_error *err) {
    bool failed = false;
    for (uint32_t k = 0; k < set.n; k++) memset(columns[k], 0, set.n_rows * sizeof(pr_m31));
#pragma omp parallel num_threads(n_threads)
    {
        counter *c = counter_create(job->kind);
        if (!c) {
#pragma omp atomic write
            failed = true;
        }
#pragma omp for schedule(static)
        for (uint32_t block = 0; block < job->walk.n_blocks; block += PR_DIGEST_LANES)
            if (c) each_group(job, &c->sink, block);
#pragma omp critical
        if (c) add_counts(columns, c, &set, 1);
        counter_clear(c);
    }
    if (failed) return pr_fail(err, PR_ERR_MEMORY, "out of memory for multiplicities");
    return add_zero_rows(job, columns, &set, err);
}

pr_status pr_digest_trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                          pr_error *err) {
    int threads = pr_job_threads(n_threads);
    uint32_t which = component;
    if (!job->walk.chain) return pr_fail(err, PR_ERR_INTERNAL, "%s: no trace without the file", job->kind->type->name);
    for (uint32_t part = 0; part < job->shape.n_parts; part++) {
        if (which < job->shape.parts[part].n_components) return fill_part(job, part, which, columns, threads, err);
        which -= job->shape.parts[part].n_components;
    }
    return fill_tables(job, columns, which ? split_set(job->kind) : byte_set(job->kind), threads, err);
}

/* ---- size ---- */

/* A secure column for each two lookups: four of the field. */
static uint64_t interaction_columns(uint64_t n_lookups) { return (n_lookups + 1) / 2 * 4; }

pr_status pr_digest_size(pr_job_size *out, const pr_digest_kind *kind, const pr_params *params, pr_error *err) {
    uint64_t length;
    pr_digest_shape shape;
    PR_TRY(pr_input_file_length(&length, params->base_dir, pr_params_get(kind->type, params, "path"), kind->max_length,
                                kind->type->name, err));
    kind->shape(&shape, kind->n_blocks(length));
    uint64_t preprocessed = (uint64_t)kind->n_selectors << shape.log_blocks;
    preprocessed += (uint64_t)pr_byte_tables_preprocessed(kind->ops, kind->n_ops) << PR_BYTE_LOG_ROWS;
    preprocessed += (uint64_t)kind->n_splits * PR_SPLIT_PARTS << PR_SPLIT_LOG_ROWS;
    *out = (pr_job_size){.log_rows = PR_BYTE_LOG_ROWS, .n_trees = 3, .cells = preprocessed};
    out->cells += (kind->n_ops + interaction_columns(kind->n_ops)) << PR_BYTE_LOG_ROWS;
    out->cells += (kind->n_splits + interaction_columns(kind->n_splits)) << PR_SPLIT_LOG_ROWS;
    for (uint32_t p = 0; p < shape.n_parts; p++) {
        const pr_digest_part *part = &shape.parts[p];
        out->cells += capacity(part) * (part->n_columns + interaction_columns(part->n_lookups));
        if (part->log_rows[0] > out->log_rows) out->log_rows = part->log_rows[0];
    }
    /* blocks and chain, the file while it is cut, preprocessed values */
    out->instance_bytes = (uint64_t)shape.n_blocks * (PR_DIGEST_BLOCK + PR_DIGEST_BYTES) + length + 4 * preprocessed;
    return PR_OK;
}
