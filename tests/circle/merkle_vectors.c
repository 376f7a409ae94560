/* Trees of columns of several sizes, as protocol.md section 5 defines them, from scalar hashes and pr_slot_lift:
 * roots, layers and openings of primitives/merkle.json. */
#include "base/bytes.h"
#include "circle/circle.h"
#include "hash/blake2s.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "../field/json_field.h"

enum { MOST_COLUMNS = 64 };

typedef struct column {
    pr_m31 *values; /* owned */
    unsigned log_size;
} column;

static json_t *root;

static int setup(void **state) {
    (void)state;
    root = test_load("merkle.json");
    return root ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    json_decref(root);
    return 0;
}

/* Values of a case: given, by the formula of the file's description, or those of the first case of this name. */
static size_t load_columns(column *columns, const json_t *c) {
    const json_t *sizes = get(c, "column_log_sizes"), *values = get(c, "columns");
    for (size_t k = 0; json_is_null(values) && k < json_array_size(get(root, "cases")); k++) {
        const json_t *other = json_array_get(get(root, "cases"), k);
        if (strcmp(json_string_value(get(other, "name")), json_string_value(get(c, "name"))) == 0)
            values = get(other, "columns");
    }
    size_t n = json_array_size(sizes), size;
    assert_true(n <= MOST_COLUMNS);
    for (size_t j = 0; j < n; j++) {
        columns[j].log_size = (unsigned)json_integer_value(json_array_get(sizes, j));
        size = (size_t)1 << columns[j].log_size;
        if (!json_is_null(values)) {
            columns[j].values = to_m31s(json_array_get(values, j), &size);
            assert_int_equal(size, (size_t)1 << columns[j].log_size);
            continue;
        }
        columns[j].values = malloc(size * sizeof *columns[j].values);
        for (uint64_t i = 0; i < size; i++) columns[j].values[i] = pr_m31_reduce(i * i + 1000 * j + 1);
    }
    return n;
}

/* Sorted by size, ascending, stable. */
static void sort_columns(column *columns, size_t n) {
    for (size_t i = 1; i < n; i++) {
        column c = columns[i];
        size_t at = i;
        for (; at > 0 && columns[at - 1].log_size > c.log_size; at--) columns[at] = columns[at - 1];
        columns[at] = c;
    }
}

static pr_hash leaf(const column *columns, size_t n, unsigned height, unsigned log_rows, uint32_t k) {
    pr_writer w;
    pr_writer_init(&w);
    for (uint32_t row = k << log_rows; row < (k + 1) << log_rows; row++)
        for (size_t j = 0; j < n; j++) {
            unsigned m = columns[j].log_size;
            pr_write_u32(&w, columns[j].values[m == 0 ? 0 : pr_slot_lift(m, height + log_rows, row)]);
        }
    pr_hash h = pr_blake2s_hash(w.data, w.size);
    pr_writer_clear(&w);
    return h;
}

/* tree[1] is the root, tree[2k] and tree[2k + 1] the children of tree[k]. */
static void check_opening(const pr_hash *tree, unsigned height, const json_t *opening) {
    bool *known = calloc((size_t)2 << height, sizeof *known);
    size_t k, witness = 0;
    json_t *position;
    json_array_foreach(get(opening, "positions"), k, position)
        known[((size_t)1 << height) + (size_t)json_integer_value(position)] = true;
    for (size_t first = (size_t)1 << height; first > 1; first /= 2)
        for (size_t node = first; node < 2 * first; node += 2) {
            if (!known[node] && !known[node + 1]) continue;
            if (known[node] != known[node + 1])
                expect_hash(tree + node + known[node], json_array_get(get(opening, "hash_witness"), witness++));
            known[node / 2] = true;
        }
    assert_int_equal(witness, json_array_size(get(opening, "hash_witness")));
    free(known);
}

static void check_layers(const pr_hash *tree, unsigned height, const json_t *c) {
    size_t level, k;
    json_t *layer, *hash;
    json_array_foreach(get(c, "layers"), level, layer) {
        if (json_is_null(layer)) continue;
        json_array_foreach(layer, k, hash) expect_hash(tree + ((size_t)1 << level) + k, hash);
    }
    pr_blake2s all;
    pr_blake2s_init(&all);
    pr_blake2s_update(&all, tree + ((size_t)1 << height), sizeof *tree << height);
    pr_hash digest = pr_blake2s_final(&all);
    expect_hash(&digest, get(c, "last_layer_blake2s"));
    expect_hash(tree + 1, get(c, "root"));
}

static void check_case(const json_t *c) {
    column columns[MOST_COLUMNS];
    size_t n = load_columns(columns, c), k;
    unsigned log_rows = (unsigned)get_size(c, "log_rows_per_leaf");
    unsigned height = n == 0 ? 0 : (unsigned)get_size(c, "lifting_log_size"); /* an empty tree is one leaf */
    assert_int_equal(get_size(c, "n_layers"), height + 1);
    sort_columns(columns, n);
    pr_hash *tree = malloc(sizeof *tree << (height + 1));
    for (uint32_t i = 0; i < 1u << height; i++) tree[((size_t)1 << height) + i] = leaf(columns, n, height, log_rows, i);
    for (size_t node = ((size_t)1 << height) - 1; node > 0; node--)
        tree[node] = pr_blake2s_pair(tree + 2 * node, tree + 2 * node + 1);
    check_layers(tree, height, c);
    json_t *opening;
    json_array_foreach(get(c, "decommitments"), k, opening) check_opening(tree, height, opening);
    for (size_t j = 0; j < n; j++) free(columns[j].values);
    free(tree);
}

static void test_cases(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "cases"), k, c) check_case(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
