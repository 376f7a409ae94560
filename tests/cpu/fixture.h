/* A device of each backend in turn, columns that are handed out one after another, and random contents. */
#ifndef TESTS_CPU_FIXTURE_H
#define TESTS_CPU_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "backend/merkle.h"
#include "../backends.h"

typedef struct fixture {
    const pr_backend *ops;
    pr_device *dev;
    size_t words, used;
} fixture;

/* Every backend that may run here, of the processor or, compiled with FIXTURE_CUDA, of CUDA; of these the one that
 * PROVERUN_TEST_BACKEND names, if it is set: then it must be there. NULL ends the list. */
static inline const pr_backend *const *fixture_backends(void) {
    static const pr_backend *list[5];
#ifdef FIXTURE_CUDA
    const pr_backend *all[] = {PR_TEST_CUDA_BACKENDS};
#else
    const pr_backend *all[] = {PR_TEST_CPU_BACKENDS};
#endif
    const char *only = getenv("PROVERUN_TEST_BACKEND");
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->available() && (!only || !strcmp(only, all[i]->name))) list[n++] = all[i];
    list[n] = NULL;
    if (only && !n) fail_msg("PROVERUN_TEST_BACKEND: no backend '%s' here", only);
    return list;
}

static inline void fixture_open_needs(fixture *f, const pr_backend *ops, pr_device_needs needs) {
    pr_error err = {0};
    *f = (fixture){.ops = ops, .words = needs.arena_bytes / 4};
    if (ops->device_create(&f->dev, &needs, &err) != PR_OK) fail_msg("%s: %s", ops->name, err.text);
#ifdef FIXTURE_CUDA
    pr_cuda_emu_watch(ops == &pr_backend_cuda_emu); /* what blocks side by side may do */
#endif
}
static inline void fixture_open(fixture *f, const pr_backend *ops, unsigned n_threads, size_t words,
                                uint32_t max_log_rows) {
    fixture_open_needs(
        f, ops, (pr_device_needs){.n_threads = n_threads, .arena_bytes = words * 4, .max_log_rows = max_log_rows});
}
static inline void fixture_close(fixture *f) { f->ops->device_destroy(f->dev); }

/* Columns lie 16 words apart at least. */
static inline pr_col fixture_col(fixture *f, uint32_t log_rows) {
    pr_col col = {f->used, log_rows};
    f->used += (((size_t)1 << log_rows) + 31) / 16 * 16;
    assert_true(f->used <= f->words);
    return col;
}

static inline uint64_t fixture_random(uint64_t *state) { /* splitmix64 */
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
/* From PROVERUN_TEST_SEED, or else fixed; printed once. */
static inline uint64_t fixture_seed(void) {
    static uint64_t seed;
    if (!seed) {
        const char *text = getenv("PROVERUN_TEST_SEED");
        seed = text ? strtoull(text, NULL, 0) : 20240607;
        if (!seed) seed = 1;
        print_message("PROVERUN_TEST_SEED=%llu\n", (unsigned long long)seed);
    }
    return seed;
}
/* n elements; one in eight of them an edge: 0, 1 or p - 1. */
static inline pr_m31 *fixture_values(uint64_t *state, size_t n) {
    static const pr_m31 edges[4] = {0, 1, PR_P - 1, PR_P - 1};
    pr_m31 *v = malloc((n ? n : 1) * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < n; i++) {
        uint64_t r = fixture_random(state);
        v[i] = r >> 61 ? (pr_m31)(r % PR_P) : edges[r & 3];
    }
    return v;
}
static inline pr_qm31 fixture_qm31(uint64_t *state) {
    pr_qm31 r;
    for (int k = 0; k < 4; k++) r.c[k] = (pr_m31)(fixture_random(state) % PR_P);
    return r;
}
static inline void fixture_upload(fixture *f, pr_col col, const pr_m31 *values) {
    assert_int_equal(f->ops->upload(f->dev, col, values, NULL), PR_OK);
    assert_int_equal(f->ops->synchronize(f->dev, NULL), PR_OK); /* values are the caller's again */
}
/* The column's contents; the caller frees. */
static inline pr_m31 *fixture_download(fixture *f, pr_col col) {
    pr_m31 *v = malloc(sizeof *v << col.log_rows);
    assert_non_null(v);
    assert_int_equal(f->ops->download(f->dev, v, col, NULL), PR_OK);
    return v;
}
static inline void fixture_assert_equal(const fixture *f, const char *what, size_t which, const pr_m31 *got,
                                        const pr_m31 *want, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (got[i] != want[i])
            fail_msg("%s: %s %zu: word %zu of %zu is %u, not %u", f->ops->name, what, which, i, n, got[i], want[i]);
}
static inline void fixture_assert_col(fixture *f, const char *what, size_t which, pr_col col, const pr_m31 *want) {
    pr_m31 *got = fixture_download(f, col);
    fixture_assert_equal(f, what, which, got, want, (size_t)1 << col.log_rows);
    free(got);
}
#endif
