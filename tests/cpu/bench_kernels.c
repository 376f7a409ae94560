/* Times of transforms, trees and folds, one JSON line each: bench_cpu_kernels [threads [backend]]. Not a test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/merkle.h"
#include "base/clock.h"
#include "cpu/cpu_backend.h"

enum { N_COLS = 8, REPEATS = 7 };

typedef struct bench {
    const pr_backend *ops;
    pr_device *dev;
    unsigned n_threads;
    pr_col src[N_COLS], dst[N_COLS];
    pr_merkle tree;
} bench;

static void check(pr_status status, const char *what) {
    if (status == PR_OK) return;
    fprintf(stderr, "%s: %s\n", what, pr_status_name(status));
    exit(1);
}

/* Columns of log_n rows, each followed elsewhere by room for its extension by one log, and a tree over these. */
static void open_device(bench *b, uint32_t log_n) {
    const size_t rows = (size_t)1 << log_n;
    pr_device_needs needs = {.n_threads = b->n_threads, .max_log_rows = log_n + 1};
    needs.arena_bytes = 4 * (3 * rows * N_COLS + pr_merkle_words(log_n + 1));
    check(b->ops->device_create(&b->dev, &needs, NULL), "device_create");
    for (size_t i = 0; i < N_COLS; i++) {
        b->src[i] = (pr_col){i * rows, log_n};
        b->dst[i] = (pr_col){(N_COLS + 2 * i) * rows, log_n + 1};
    }
    b->tree = (pr_merkle){.offset = 3 * N_COLS * rows, .height = log_n + 1, .log_skip = pr_merkle_log_skip(log_n + 1)};
    pr_m31 *v = malloc(rows * sizeof *v);
    if (!v) exit(1);
    for (size_t i = 0; i < rows; i++) v[i] = (pr_m31)(i * 2654435761u % PR_P);
    for (size_t i = 0; i < N_COLS; i++) check(b->ops->upload(b->dev, b->src[i], v, NULL), "upload");
    free(v);
}

static void run_extend(bench *b) { check(b->ops->extend(b->dev, b->dst, b->src, N_COLS, NULL), "extend"); }
static void run_interpolate(bench *b) { check(b->ops->interpolate(b->dev, b->dst, N_COLS, 0, NULL), "interpolate"); }
static void run_commit(bench *b) {
    pr_hash root;
    check(b->ops->merkle_commit(b->dev, &root, &b->tree, b->dst, N_COLS, NULL), "merkle_commit");
}
static void run_packed(bench *b) {
    pr_hash root;
    pr_merkle tree = b->tree;
    tree.height -= 2, tree.packed = true, tree.log_skip = pr_merkle_log_skip(tree.height);
    check(b->ops->merkle_commit(b->dev, &root, &tree, b->dst, 4, NULL), "merkle_commit");
}
static void run_fold(bench *b) {
    pr_qm31 alpha = {{1, 2, 3, 4}};
    check(b->ops->fold_circle(b->dev, b->src, b->dst, alpha, NULL), "fold_circle");
}
static void run_rows(bench *b) {
    pr_col dst[N_COLS];
    for (size_t i = 0; i < N_COLS; i++) dst[i] = (pr_col){b->dst[i].offset, b->src[i].log_rows};
    check(b->ops->rows_to_storage(b->dev, dst, b->src, N_COLS, NULL), "rows_to_storage");
}

/* Best of some runs, ns for one of n units. */
static void report(bench *b, const char *what, uint32_t log_n, void (*run)(bench *), double units, const char *unit) {
    uint64_t best = UINT64_MAX;
    for (int r = 0; r < REPEATS; r++) {
        uint64_t start = pr_clock_monotonic_ns();
        run(b);
        uint64_t taken = pr_clock_monotonic_ns() - start;
        if (taken < best) best = taken;
    }
    printf("{\"backend\": \"%s\", \"threads\": %u, \"op\": \"%s\", \"log_rows\": %u, \"ns_per_%s\": %.2f}\n",
           b->ops->name, b->n_threads, what, log_n, unit, (double)best / units);
    fflush(stdout);
}

static void run_backend(const pr_backend *ops, unsigned n_threads) {
    static const uint32_t sizes[] = {12, 16, 18, 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bench b = {.ops = ops, .n_threads = n_threads};
        const uint32_t log_n = sizes[i];
        const double leaves = (double)((size_t)2 << log_n);
        open_device(&b, log_n);
        report(&b, "rows_to_storage", log_n, run_rows, N_COLS, "column");
        report(&b, "extend", log_n, run_extend, N_COLS, "column");
        report(&b, "interpolate", log_n + 1, run_interpolate, N_COLS, "column");
        report(&b, "merkle_commit", log_n + 1, run_commit, 2 * leaves - 1, "compression");
        report(&b, "merkle_packed", log_n + 1, run_packed, leaves / 2 - 1, "compression");
        report(&b, "fold_circle", log_n + 1, run_fold, leaves / 2, "row");
        ops->device_destroy(b.dev);
    }
}

int main(int argc, char **argv) {
    const pr_backend *all[] = {&pr_backend_scalar, &pr_backend_avx2, &pr_backend_avx512};
    const unsigned n_threads = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->available() && (argc < 3 || strcmp(argv[2], all[i]->name) == 0)) run_backend(all[i], n_threads);
    return 0;
}
