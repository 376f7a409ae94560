/* What commits: transforms, trees and folds without the rest of a proof; and proofs of work. */
#include "app/bench.h"
#include "base/clock.h"
#include "base/random.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Columns of the benchmark and their tree; the first four are FRI's layer 0, too, as a QM31 column. */
typedef struct commitment {
    const pr_backend *ops;
    pr_device *dev;
    size_t n, words;
    pr_col *ext, *values;
    pr_merkle tree;
    uint32_t n_layers;
    pr_fri_layer layers[32];
    pr_hash roots[32];
    pr_col last[4];
} commitment;

static size_t take_words(commitment *c, size_t n) {
    size_t offset = c->words;
    c->words += (n + 63) / 64 * 64;
    return offset;
}

static pr_merkle take_tree(commitment *c, uint32_t height) {
    return (pr_merkle){take_words(c, pr_merkle_words(height)), height, pr_merkle_log_skip(height), false};
}

static void take_columns(commitment *c, pr_col *cols, size_t n, uint32_t log_rows) {
    for (size_t i = 0; i < n; i++) cols[i] = (pr_col){take_words(c, (size_t)1 << log_rows), log_rows};
}

/* Every fold halves; the last values are those of a constant. */
static void take_layers(commitment *c, uint32_t log_ext, uint32_t log_blowup) {
    for (uint32_t log_size = log_ext; log_size > log_blowup; log_size--) {
        pr_fri_layer *layer = &c->layers[c->n_layers++];
        if (layer == c->layers)
            for (size_t i = 0; i < 4; i++) layer->cols[i] = c->ext[i];
        else
            take_columns(c, layer->cols, 4, log_size);
        layer->merkle = take_tree(c, log_size);
        layer->fold_step = 1;
    }
    take_columns(c, c->last, 4, log_blowup);
}

static pr_status lay_out(commitment *c, const bench_options *o, pr_error *err) {
    uint32_t log_rows = (uint32_t)o->log_rows, log_ext = log_rows + (uint32_t)o->log_blowup;
    c->n = o->columns;
    c->ext = malloc(2 * c->n * sizeof *c->ext);
    if (!c->ext) return pr_fail(err, PR_ERR_MEMORY, "no memory for %zu columns", c->n);
    c->values = c->ext + c->n;
    take_columns(c, c->ext, c->n, log_ext);
    for (size_t i = 0; i < c->n; i++) c->values[i] = (pr_col){c->ext[i].offset, log_rows};
    c->tree = take_tree(c, log_ext);
    take_layers(c, log_ext, (uint32_t)o->log_blowup);
    return PR_OK;
}

static pr_status open_device(commitment *c, const bench_options *o, pr_error *err) {
    PR_TRY(bench_open_device(&c->dev, o, (uint32_t)(o->log_rows + o->log_blowup), c->words, err));
    return bench_fill_random(c->ops, c->dev, c->values, c->n, err);
}

static pr_status fold_by_steps(commitment *c, pr_error *err) {
    const pr_qm31 alpha = {{3, 5, 7, 11}};
    for (uint32_t k = 0; k < c->n_layers; k++) {
        const pr_fri_layer *layer = &c->layers[k];
        const pr_col *next = k + 1 < c->n_layers ? c->layers[k + 1].cols : c->last;
        PR_TRY(c->ops->merkle_commit(c->dev, &c->roots[k], &layer->merkle, layer->cols, 4, err));
        PR_TRY((k ? c->ops->fold_line : c->ops->fold_circle)(c->dev, next, layer->cols, alpha, err));
    }
    return PR_OK;
}

/* Random values are of no low degree, which the backend notes, and which is all the same here. */
static pr_status fold_all(commitment *c, pr_error *err) {
    pr_qm31 last;
    pr_fri args = {.n_layers = c->n_layers, .layers = c->layers};
    pr_fri_result result = {.roots = c->roots, .last_layer = &last};
    if (!c->ops->fri) return fold_by_steps(c, err);
    for (size_t i = 0; i < 4; i++) args.last[i] = c->last[i];
    return c->ops->fri(c->dev, &result, &args, err);
}

static double ms_between(uint64_t start_ns, uint64_t end_ns) { return (double)(end_ns - start_ns) / 1e6; }

static pr_status commit_once(commitment *c, const bench_options *o, pr_error *err) {
    pr_hash root;
    bench_counts counts;
    bench_counts_open(&counts, c->ops);
    uint64_t start = pr_clock_monotonic_ns();
    bench_counts_stage(&counts, PR_STAGE_EXTEND);
    PR_TRY(c->ops->extend(c->dev, c->ext, c->values, c->n, err));
    PR_TRY(c->ops->synchronize(c->dev, err));
    uint64_t extended = pr_clock_monotonic_ns();
    bench_counts_stage(&counts, PR_STAGE_MERKLE);
    PR_TRY(c->ops->merkle_commit(c->dev, &root, &c->tree, c->ext, c->n, err));
    uint64_t hashed = pr_clock_monotonic_ns();
    bench_counts_stage(&counts, PR_STAGE_FRI);
    PR_TRY(fold_all(c, err));
    PR_TRY(c->ops->synchronize(c->dev, err));
    uint64_t end = pr_clock_monotonic_ns();
    bench_counts_end(&counts);
    printf("{\"bench\":\"commit\",\"backend\":\"%s\",\"log_rows\":%" PRIu64 ",\"columns\":%" PRIu64
           ",\"log_blowup\":%" PRIu64 ",\"extend_ms\":%.3f,\"merkle_ms\":%.3f,\"fri_ms\":%.3f,\"total_ms\":%.3f",
           c->ops->name, o->log_rows, o->columns, o->log_blowup, ms_between(start, extended),
           ms_between(extended, hashed), ms_between(hashed, end), ms_between(start, end));
    bench_counts_print(&counts);
    printf("}\n");
    return PR_OK;
}

pr_status bench_commit(const bench_options *o, pr_error *err) {
    commitment c = {.ops = o->backend};
    if (o->columns < 4) return pr_fail(err, PR_ERR_USAGE, "--columns %" PRIu64 ": FRI folds four of them", o->columns);
    pr_status status = lay_out(&c, o, err);
    if (status == PR_OK) status = open_device(&c, o, err);
    for (uint64_t k = 0; status == PR_OK && k < o->repeat; k++) status = commit_once(&c, o, err);
    if (c.dev) c.ops->device_destroy(c.dev);
    free(c.ext);
    return status;
}

/* ---- proofs of work ---- */

static pr_status time_grinding(const bench_options *o, pr_device *dev, pr_error *err) {
    pr_prng prng = {7};
    double sum_ms = 0;
    for (uint64_t k = 0; k < o->repeat; k++) {
        pr_hash prefix;
        uint64_t nonce, start;
        for (size_t i = 0; i < sizeof prefix.bytes; i++) prefix.bytes[i] = (uint8_t)pr_prng_below(&prng, 256);
        start = pr_clock_monotonic_ns();
        PR_TRY(o->backend->grind(dev, &nonce, &prefix, (uint32_t)o->pow_bits, err));
        double ms = (double)(pr_clock_monotonic_ns() - start) / 1e6, tries;
        tries = (double)((nonce >> 32 << 20) + (nonce & 0xfffff) + 1);
        sum_ms += ms;
        printf("{\"bench\":\"grind\",\"backend\":\"%s\",\"pow_bits\":%" PRIu64
               ",\"total_ms\":%.3f,\"tries\":%.0f,\"mean_ms\":%.3f}\n",
               o->backend->name, o->pow_bits, ms, tries, sum_ms / (double)(k + 1));
    }
    return PR_OK;
}

pr_status bench_grind(const bench_options *o, pr_error *err) {
    pr_device *dev = NULL;
    PR_TRY(bench_open_device(&dev, o, 5, 1024, err)); /* nothing lies there */
    pr_status status = time_grinding(o, dev, err);
    o->backend->device_destroy(dev);
    return status;
}
