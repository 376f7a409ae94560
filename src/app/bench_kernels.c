/* Single operations of a backend, and the field. */
#include "app/bench.h"
#include "base/clock.h"
#include "base/random.h"
#include "field/qm31.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

pr_status bench_open_device(pr_device **dev, const bench_options *o, uint32_t log_domain, size_t words, pr_error *err) {
    pr_device_needs needs = {.n_threads = o->threads ? (unsigned)o->threads : pr_cpu_count(),
                             .arena_bytes = 4 * words,
                             .max_log_rows = log_domain,
                             .max_columns = (uint32_t)o->columns,
                             .max_sample_log_rows = log_domain - 1};
    return o->backend->device_create(dev, &needs, err);
}

pr_status bench_fill_random(const pr_backend *ops, pr_device *dev, const pr_col *cols, size_t n, pr_error *err) {
    size_t rows = (size_t)1 << cols[0].log_rows;
    pr_m31 *values = malloc(rows * sizeof *values);
    pr_prng prng = {7};
    pr_status status = values ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "no memory for the input of the benchmark");
    for (size_t c = 0; status == PR_OK && c < n; c++) {
        for (size_t i = 0; i < rows; i++) values[i] = pr_prng_below(&prng, PR_P);
        status = ops->upload(dev, cols[c], values, err);
        if (status == PR_OK) status = ops->synchronize(dev, err); /* values are written again */
    }
    free(values);
    return status;
}

static pr_status time_extend(const bench_options *o, pr_device *dev, const pr_col *ext, const pr_col *values,
                             pr_error *err) {
    for (uint64_t k = 0; k < o->repeat; k++) {
        uint64_t start = pr_clock_monotonic_ns();
        PR_TRY(o->backend->extend(dev, ext, values, o->columns, err));
        double ms = (double)(pr_clock_monotonic_ns() - start) / 1e6;
        printf("{\"bench\":\"fft\",\"backend\":\"%s\",\"log_rows\":%" PRIu64 ",\"columns\":%" PRIu64
               ",\"total_ms\":%.3f,\"ms_per_column\":%.4f}\n",
               o->backend->name, o->log_rows, o->columns, ms, ms / (double)o->columns);
    }
    return PR_OK;
}

pr_status bench_fft(const bench_options *o, pr_error *err) {
    uint32_t log_ext = (uint32_t)(o->log_rows + o->log_blowup);
    pr_col *ext = malloc(2 * o->columns * sizeof *ext), *values = ext + o->columns;
    pr_device *dev = NULL;
    if (!ext) return pr_fail(err, PR_ERR_MEMORY, "no memory");
    for (size_t c = 0; c < o->columns; c++) {
        ext[c] = (pr_col){c << log_ext, log_ext};
        values[c] = (pr_col){c << log_ext, (uint32_t)o->log_rows};
    }
    pr_status status = bench_open_device(&dev, o, log_ext, o->columns << log_ext, err);
    if (status == PR_OK) status = bench_fill_random(o->backend, dev, values, o->columns, err);
    if (status == PR_OK) status = time_extend(o, dev, ext, values, err);
    if (dev) o->backend->device_destroy(dev);
    free(ext);
    return status;
}

static pr_status time_merkle(const bench_options *o, pr_device *dev, const pr_merkle *tree, const pr_col *cols,
                             pr_error *err) {
    double compressions = (double)((size_t)1 << o->log_rows) * ((double)((o->columns + 15) / 16) + 1);
    for (uint64_t k = 0; k < o->repeat; k++) {
        pr_hash root;
        uint64_t start = pr_clock_monotonic_ns();
        PR_TRY(o->backend->merkle_commit(dev, &root, tree, cols, o->columns, err));
        double ns = (double)(pr_clock_monotonic_ns() - start);
        printf("{\"bench\":\"merkle\",\"backend\":\"%s\",\"log_rows\":%" PRIu64 ",\"columns\":%" PRIu64
               ",\"total_ms\":%.3f,\"ns_per_compression\":%.2f}\n",
               o->backend->name, o->log_rows, o->columns, ns / 1e6, ns / compressions);
    }
    return PR_OK;
}

pr_status bench_merkle(const bench_options *o, pr_error *err) {
    uint32_t height = (uint32_t)o->log_rows;
    pr_col *cols = malloc(o->columns * sizeof *cols);
    pr_merkle tree = {o->columns << height, height, pr_merkle_log_skip(height), false};
    pr_device *dev = NULL;
    if (!cols) return pr_fail(err, PR_ERR_MEMORY, "no memory");
    for (size_t c = 0; c < o->columns; c++) cols[c] = (pr_col){c << height, height};
    pr_status status = bench_open_device(&dev, o, height, tree.offset + pr_merkle_words(height), err);
    if (status == PR_OK) status = bench_fill_random(o->backend, dev, cols, o->columns, err);
    if (status == PR_OK) status = time_merkle(o, dev, &tree, cols, err);
    if (dev) o->backend->device_destroy(dev);
    free(cols);
    return status;
}

pr_status bench_field(const bench_options *o, pr_error *err) {
    enum { STEPS = 20000000 };
    for (uint64_t k = 0; k < o->repeat; k++) {
        pr_m31 a = 3;
        pr_qm31 q = {{1, 2, 3, 4}}, r = {{5, 6, 7, 8}};
        uint64_t start = pr_clock_monotonic_ns();
        for (int i = 0; i < STEPS; i++) a = pr_m31_mul(a, a + 1u < PR_P ? a + 1u : 2);
        uint64_t middle = pr_clock_monotonic_ns();
        for (int i = 0; i < STEPS; i++) q = pr_qm31_mul(q, r);
        uint64_t end = pr_clock_monotonic_ns();
        printf("{\"bench\":\"field\",\"dependent\":true,\"m31_mul_ns\":%.3f,\"qm31_mul_ns\":%.3f,\"check\":%u}\n",
               (double)(middle - start) / STEPS, (double)(end - middle) / STEPS, a ^ q.c[0]);
        PR_TRY(bench_felt252(err));
        PR_TRY(bench_ecdsa(err));
    }
    return PR_OK;
}
