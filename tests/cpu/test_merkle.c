/* Trees of every backend: the vectors, and random shapes against hashes of one message at a time. */
#include "fixture.h"
#include "../field/json_field.h"

#define MAX_COLS 40

/* The columns of a tree, as the host knows them. */
typedef struct forest {
    pr_m31 *values[MAX_COLS];
    pr_col cols[MAX_COLS];
    size_t n;
    pr_merkle tree;
} forest;

static pr_m31 lifted(const forest *t, size_t col, uint32_t row) {
    return t->values[col][pr_slot_lift(t->cols[col].log_rows, pr_merkle_log_rows(&t->tree), row)];
}

static pr_hash reference_leaf(const forest *t, uint32_t leaf) {
    pr_m31 words[16 + MAX_COLS];
    size_t n = 0;
    if (t->tree.packed)
        for (uint32_t r = 0; r < 4; r++)
            for (size_t c = 0; c < 4; c++) words[n++] = t->values[c][4 * leaf + r];
    else
        for (; n < t->n; n++) words[n] = lifted(t, n, leaf);
    return pr_blake2s_hash(words, 4 * n);
}

/* All nodes: [1 << level | index]; the caller frees. */
static pr_hash *reference_tree(const forest *t) {
    const size_t leaves = (size_t)1 << t->tree.height;
    pr_hash *nodes = malloc(2 * leaves * sizeof *nodes);
    for (size_t i = 0; i < leaves; i++) nodes[leaves + i] = reference_leaf(t, (uint32_t)i);
    for (size_t i = leaves; i-- > 1;) nodes[i] = pr_blake2s_pair(&nodes[2 * i], &nodes[2 * i + 1]);
    return nodes;
}

static void assert_hash(const pr_hash *got, const pr_hash *want) { assert_memory_equal(got->bytes, want->bytes, 32); }

static void place(fixture *f, forest *t, uint32_t height, bool packed) {
    const uint32_t skip = pr_merkle_log_skip(height);
    f->used = 0;
    for (size_t i = 0; i < t->n; i++) {
        t->cols[i] = fixture_col(f, t->cols[i].log_rows);
        fixture_upload(f, t->cols[i], t->values[i]);
    }
    t->tree = (pr_merkle){.offset = f->used, .height = height, .log_skip = skip, .packed = packed};
    f->used += pr_merkle_words(height);
    assert_true(f->used <= f->words);
}

static void clear(forest *t) {
    for (size_t i = 0; i < t->n; i++) free(t->values[i]);
}

/* The witness of positions as the definition has it: siblings that are not known. */
static size_t reference_witness(pr_hash *out, const pr_hash *nodes, uint32_t height, const uint32_t *positions,
                                size_t n) {
    const size_t leaves = (size_t)1 << height;
    bool *known = calloc(2 * leaves, 1);
    size_t n_out = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t node = leaves + positions[i]; node > 0; node /= 2) known[node] = true;
    for (size_t first = leaves; first > 1; first /= 2)
        for (size_t node = first; node < 2 * first; node++)
            if (!known[node] && known[node ^ 1]) out[n_out++] = nodes[node];
    free(known);
    return n_out;
}

static void check_open(fixture *f, const forest *t, const pr_hash *nodes, uint64_t *state) {
    const uint32_t leaves = 1u << t->tree.height;
    const uint32_t one_in = 1u << (fixture_random(state) % (t->tree.height + 1));
    uint32_t positions[4096];
    pr_hash want[4096], got[4096];
    size_t n = 0, n_got = 0;
    for (uint32_t i = 0; i < leaves; i++)
        if (fixture_random(state) % one_in == 0) positions[n++] = i;
    size_t n_want = reference_witness(want, nodes, t->tree.height, positions, n);
    assert_int_equal(f->ops->merkle_open(f->dev, got, &n_got, n_want, &t->tree, t->cols, t->n, positions, n, NULL),
                     PR_OK);
    assert_int_equal(n_got, n_want);
    for (size_t i = 0; i < n_want; i++) assert_hash(&got[i], &want[i]);
}

static void check_tree(fixture *f, forest *t, uint32_t height, bool packed, uint64_t *state) {
    pr_hash root;
    place(f, t, height, packed);
    pr_hash *nodes = reference_tree(t);
    assert_int_equal(f->ops->merkle_commit(f->dev, &root, &t->tree, t->cols, t->n, NULL), PR_OK);
    assert_hash(&root, &nodes[1]);
    check_open(f, t, nodes, state);
    free(nodes);
}

static void random_columns(forest *t, size_t n, uint32_t max_log, uint64_t *state) {
    uint32_t log_rows = 1;
    t->n = n;
    for (size_t i = 0; i < n; i++) { /* ascending, most of the largest size */
        if (log_rows < max_log && fixture_random(state) % 3 == 0) log_rows++;
        if (i > n / 2) log_rows = max_log;
        t->cols[i].log_rows = log_rows;
        t->values[i] = fixture_values(state, (size_t)1 << log_rows);
    }
}

static void trees_match_reference(void **unused) {
    (void)unused;
    static const size_t counts[] = {1, 3, 4, 15, 16, 17, 31, 32, 33, 40};
    for (const pr_backend *const *b = fixture_backends(); *b; b++)
        for (unsigned threads = 1; threads <= 3; threads += 2) {
            uint64_t state = fixture_seed();
            fixture f;
            fixture_open(&f, *b, threads, (size_t)1 << 19, 12);
            for (uint32_t height = 1; height <= 12; height++)
                for (size_t k = height % 2; k<sizeof counts / sizeof *counts; k += height> 7 ? 4 : 2) {
                    forest t;
                    random_columns(&t, counts[k], height - (height > 2 && k % 3 == 0), &state);
                    check_tree(&f, &t, height, false, &state);
                    clear(&t);
                }
            fixture_close(&f);
        }
}

static void packed_trees_match_reference(void **unused) {
    (void)unused;
    for (const pr_backend *const *b = fixture_backends(); *b; b++) {
        uint64_t state = fixture_seed();
        fixture f;
        fixture_open(&f, *b, 2, (size_t)1 << 18, 14);
        for (uint32_t log_rows = 2; log_rows <= 14; log_rows++) {
            forest t = {.n = 4};
            for (size_t i = 0; i < 4; i++) {
                t.cols[i].log_rows = log_rows;
                t.values[i] = fixture_values(&state, (size_t)1 << log_rows);
            }
            check_tree(&f, &t, log_rows - 2, true, &state);
            clear(&t);
        }
        fixture_close(&f);
    }
}

static uint32_t get_u32(const json_t *object, const char *key) {
    return (uint32_t)json_integer_value(json_object_get(object, key));
}

/* The columns of a case in the leaf's order: sorted by size, stable. previous has those of its name; those of some
 * cases follow a formula. */
static void columns_from_json(forest *t, const json_t *c, const json_t *previous) {
    const json_t *sizes = json_object_get(c, "column_log_sizes"), *columns = json_object_get(c, "columns");
    if (json_is_null(columns)) columns = json_object_get(previous, "columns");
    bool by_formula = strstr(json_string_value(json_object_get(c, "name")), "by formula") != NULL;
    *t = (forest){0};
    for (uint32_t size = 1; size < 16; size++)
        for (size_t j = 0; j < json_array_size(sizes); j++) {
            if (json_integer_value(json_array_get(sizes, j)) != size) continue;
            pr_m31 *v = malloc(sizeof *v << size);
            const json_t *column = json_array_get(columns, j);
            for (uint64_t i = 0; i < 1u << size; i++)
                v[i] = by_formula ? pr_m31_reduce(i * i + 1000 * j + 1)
                                  : (pr_m31)json_integer_value(json_array_get(column, i));
            t->cols[t->n].log_rows = size;
            t->values[t->n++] = v;
        }
}

static void check_openings(fixture *f, const forest *t, const json_t *decommitments) {
    size_t k;
    json_t *d;
    json_array_foreach(decommitments, k, d) {
        const json_t *from = json_object_get(d, "positions"), *witness = json_object_get(d, "hash_witness");
        uint32_t positions[64];
        size_t n = 0, n_got = 0;
        for (size_t i = 0; i < json_array_size(from); i++) {
            uint32_t p = (uint32_t)json_integer_value(json_array_get(from, i));
            if (n == 0 || positions[n - 1] != p) positions[n++] = p;
        }
        pr_hash got[256];
        assert_int_equal(f->ops->merkle_open(f->dev, got, &n_got, 256, &t->tree, t->cols, t->n, positions, n, NULL),
                         PR_OK);
        assert_int_equal(n_got, json_array_size(witness));
        for (size_t i = 0; i < n_got; i++) {
            pr_hash want = to_hash(json_array_get(witness, i));
            assert_hash(&got[i], &want);
        }
    }
}

static void check_case(const pr_backend *ops, const json_t *c, const json_t *previous) {
    fixture f;
    forest t;
    pr_hash root, want = to_hash(json_object_get(c, "root"));
    fixture_open(&f, ops, 1, (size_t)1 << 17, 12);
    columns_from_json(&t, c, previous);
    place(&f, &t, t.n ? get_u32(c, "lifting_log_size") : 0, get_u32(c, "log_rows_per_leaf") != 0);
    assert_int_equal(ops->merkle_commit(f.dev, &root, &t.tree, t.cols, t.n, NULL), PR_OK);
    assert_hash(&root, &want);
    check_openings(&f, &t, json_object_get(c, "decommitments"));
    clear(&t);
    fixture_close(&f);
}

static void vectors_hold(void **unused) {
    (void)unused;
    json_t *file = json_load_file(PR_TEST_VECTORS "/primitives/merkle.json", 0, NULL);
    assert_non_null(file);
    const json_t *cases = json_object_get(file, "cases");
    assert_true(json_array_size(cases) > 10);
    for (const pr_backend *const *b = fixture_backends(); *b; b++) {
        const json_t *with_columns = NULL;
        for (size_t i = 0; i < json_array_size(cases); i++) {
            const json_t *c = json_array_get(cases, i);
            if (json_is_array(json_object_get(c, "columns"))) with_columns = c;
            check_case(*b, c, with_columns);
        }
    }
    json_decref(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(trees_match_reference),
                                       cmocka_unit_test(packed_trees_match_reference), cmocka_unit_test(vectors_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
