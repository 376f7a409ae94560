/* Field elements, points and hashes from the JSON of tests/vectors, and comparisons with them. A wrong shape fails the
 * test. Include after cmocka.h. */
#ifndef TEST_JSON_FIELD_H
#define TEST_JSON_FIELD_H
#include "base/bytes.h"
#include "field/qm31.h"
#include "hash/blake2s.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static inline json_t *test_load(const char *name) {
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/primitives/%s", PR_TEST_VECTORS, name);
    json_t *root = json_load_file(path, 0, &error);
    if (!root) print_error("%s:%d: %s\n", path, error.line, error.text);
    return root;
}

static inline json_t *get(const json_t *object, const char *key) {
    json_t *value = json_object_get(object, key);
    if (!value) fail_msg("no key %s", key);
    return value;
}

static inline size_t get_size(const json_t *object, const char *key) {
    return (size_t)json_integer_value(get(object, key));
}

/* A list that must not be empty, so that a loop over it tests something. */
static inline json_t *get_cases(const json_t *object, const char *key) {
    json_t *cases = get(object, key);
    assert_true(json_array_size(cases) > 0);
    return cases;
}

static inline pr_m31 to_m31(const json_t *v) {
    assert_true(json_is_integer(v));
    return (pr_m31)json_integer_value(v);
}
static inline pr_cm31 to_cm31(const json_t *v) {
    assert_int_equal(json_array_size(v), 2);
    return (pr_cm31){to_m31(json_array_get(v, 0)), to_m31(json_array_get(v, 1))};
}
static inline pr_qm31 to_qm31(const json_t *v) {
    assert_int_equal(json_array_size(v), 4);
    pr_qm31 x;
    for (size_t k = 0; k < 4; k++) x.c[k] = to_m31(json_array_get(v, k));
    return x;
}
static inline pr_hash to_hash(const json_t *text) {
    pr_hash h = {{0}};
    assert_true(json_is_string(text) && pr_hex_decode(h.bytes, sizeof h.bytes, json_string_value(text)));
    return h;
}
static inline uint64_t to_u64(const json_t *v) { /* a number or a decimal string */
    return json_is_string(v) ? strtoull(json_string_value(v), NULL, 10) : (uint64_t)json_integer_value(v);
}

/* Heap arrays: the caller frees. */
static inline pr_m31 *to_m31s(const json_t *list, size_t *n) {
    *n = json_array_size(list);
    pr_m31 *out = malloc((*n + 1) * sizeof *out);
    for (size_t k = 0; k < *n; k++) out[k] = to_m31(json_array_get(list, k));
    return out;
}
static inline pr_qm31 *to_qm31s(const json_t *list, size_t *n) {
    *n = json_array_size(list);
    pr_qm31 *out = malloc((*n + 1) * sizeof *out);
    for (size_t k = 0; k < *n; k++) out[k] = to_qm31(json_array_get(list, k));
    return out;
}

static inline void expect_m31(pr_m31 got, const json_t *want) { assert_int_equal(got, to_m31(want)); }
static inline void expect_cm31(pr_cm31 got, const json_t *want) {
    pr_cm31 w = to_cm31(want);
    assert_memory_equal(&got, &w, sizeof w);
}
static inline void expect_qm31(pr_qm31 got, const json_t *want) {
    pr_qm31 w = to_qm31(want);
    assert_memory_equal(&got, &w, sizeof w);
}
static inline void expect_hash(const pr_hash *got, const json_t *want) {
    pr_hash w = to_hash(want);
    assert_memory_equal(got, &w, sizeof w);
}
static inline void expect_m31s(const pr_m31 *got, size_t n, const json_t *want) {
    assert_int_equal(json_array_size(want), n);
    for (size_t k = 0; k < n; k++) expect_m31(got[k], json_array_get(want, k));
}
static inline void expect_qm31s(const pr_qm31 *got, size_t n, const json_t *want) {
    assert_int_equal(json_array_size(want), n);
    for (size_t k = 0; k < n; k++) expect_qm31(got[k], json_array_get(want, k));
}
#endif
