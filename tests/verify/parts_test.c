/* Parts of the verifier alone: hashing kernels, points, openings of trees of another height than L. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../proof/golden.h"
#include "verify/internal.h"

typedef void hash_many(pr_hash *out, const void *messages, size_t bytes, size_t n);

static void check_kernel(hash_many *kernel, pr_prng *random) {
    static uint8_t messages[40 * 420];
    pr_hash out[41];
    for (size_t i = 0; i < sizeof messages; i++) messages[i] = (uint8_t)pr_prng_next(random);
    for (size_t bytes = 0; bytes <= 420; bytes += bytes < 140 ? 4 : 20)
        for (size_t n = 0; n <= 40; n += n < 18 ? 1 : 11) {
            memset(out, 0xaa, sizeof out);
            kernel(out, messages, bytes, n);
            for (size_t i = 0; i < n; i++) {
                pr_hash expected = pr_blake2s_hash(messages + i * bytes, bytes);
                assert_memory_equal(&out[i], &expected, sizeof expected);
            }
            assert_int_equal(out[n].bytes[0], 0xaa);
        }
    uint8_t tree[64 * 32];
    memcpy(tree, messages, sizeof tree);
    kernel((pr_hash *)tree, tree, 64, 32); /* in place */
    for (size_t i = 0; i < 32; i++) {
        pr_hash expected = pr_blake2s_hash(messages + 64 * i, 64);
        assert_memory_equal(tree + 32 * i, &expected, sizeof expected);
    }
}

static void kernels_hash_alike(void **state) {
    (void)state;
    static hash_many *const kernels[] = {PR_VERIFY_KERNELS};
    pr_prng random = golden_seed("kernels");
    for (size_t isa = 0; isa < sizeof kernels / sizeof *kernels; isa++)
        if (pr_cpu_has((pr_isa)isa)) check_kernel(kernels[isa], &random);
    check_kernel(pr_verify_hash_many, &random);
}

static void windows_give_the_points(void **state) {
    (void)state;
    golden g;
    pr_verifier *v;
    pr_prng random = golden_seed("points");
    golden_init(&g, "cube_l5");
    assert_int_equal(pr_verifier_create(&v, &g.c.statement, NULL), PR_OK);
    for (int k = 0; k < 2000; k++) {
        uint32_t index = k < 31 ? 1u << k : pr_index(pr_prng_next(&random));
        pr_point expected = pr_point_from_index(index), got = pr_verify_point(v, index);
        assert_int_equal(got.x, expected.x);
        assert_int_equal(got.y, expected.y);
    }
    pr_verifier_destroy(v);
    golden_clear(&g);
}

/* ---- a tree of one column, opened at mapped positions ---- */

#define MAX_LOG 8

typedef struct small_tree {
    uint32_t height;
    pr_m31 values[1 << MAX_LOG];
    pr_hash nodes[2 << MAX_LOG]; /* [1]: root */
} small_tree;

static void fill_tree(small_tree *tree, uint32_t height, pr_prng *random) {
    size_t n = (size_t)1 << height;
    tree->height = height;
    for (size_t i = 0; i < n; i++) {
        tree->values[i] = pr_prng_below(random, PR_P);
        tree->nodes[n + i] = pr_blake2s_hash(&tree->values[i], sizeof(pr_m31));
    }
    for (size_t i = n; i-- > 1;) tree->nodes[i] = pr_blake2s_pair(&tree->nodes[2 * i], &tree->nodes[2 * i + 1]);
}

static size_t witness_of(pr_hash *out, const small_tree *tree, const bool *opened) {
    bool known[2 << MAX_LOG] = {false};
    size_t n = 0, leaves = (size_t)1 << tree->height;
    memcpy(known + leaves, opened, leaves);
    for (size_t first = leaves; first > 1; first /= 2)
        for (size_t i = first; i < 2 * first; i += 2) {
            known[i / 2] = known[i] || known[i + 1];
            if (known[i] != known[i + 1]) out[n++] = tree->nodes[known[i] ? i + 1 : i];
        }
    return n;
}

/* Queries of L bits: each second, each third, ... and the values the tree has for them. */
static void check_opening(const small_tree *tree, uint32_t lifted, pr_prng *random) {
    enum { MOST = 1 << MAX_LOG };
    static uint32_t queries[MOST], nodes[MOST];
    static pr_m31 values[MOST];
    static pr_hash hashes[MOST], witness[2 * MOST];
    static unsigned char messages[64 * MOST];
    bool opened[MOST] = {false};
    uint32_t n = 0, dense = 1 + pr_prng_below(random, 6), height = tree->height, sorted[1] = {0};
    for (uint32_t q = 0; q >> lifted == 0; q++) {
        if (pr_prng_below(random, dense) || n == MOST) continue;
        uint32_t at = lifted >= height ? ((q >> (lifted - height + 1)) << 1) + (q & 1)
                                       : ((q >> 1) << (height - lifted + 1)) + (q & 1);
        queries[n] = q;
        opened[at] = true;
        values[n++] = tree->values[at];
    }
    if (n == 0) return;
    pr_layout_column column = {.log_ext = height};
    pr_layout layout = {.n_trees = 1, .log_lifted = lifted};
    layout.trees[0] = (pr_layout_tree){.n_columns = 1, .height = height, .columns = &column, .sorted = sorted};
    pr_proof proof = {.n_trees = 1, .n_queries = n, .queried_values = {values}};
    proof.commitments[0] = tree->nodes[1];
    proof.decommitments[0] = (pr_hash_list){witness_of(witness, tree, opened), witness};
    pr_error detail = {0};
    pr_verify_run r = {.layout = &layout,
                       .proof = &proof,
                       .detail = &detail,
                       .queries = queries,
                       .nodes = nodes,
                       .hashes = hashes,
                       .messages = messages};
    assert_int_equal(pr_verify_openings(&r), PR_ACCEPTED);
    uint32_t changed = pr_prng_below(random, n);
    values[changed] ^= 1;
    pr_verdict verdict = pr_verify_openings(&r);
    values[changed] ^= 1;
    assert_true(verdict == PR_REJECTED_POSITION_VALUES || verdict == PR_REJECTED_TREE_ROOT);
    proof.decommitments[0].n++;
    assert_int_equal(pr_verify_openings(&r), PR_REJECTED_TREE_WITNESS);
}

static void trees_of_all_heights_open(void **state) {
    (void)state;
    static small_tree tree;
    pr_prng random = golden_seed("openings");
    for (uint32_t height = 1; height <= MAX_LOG; height++) {
        fill_tree(&tree, height, &random);
        for (uint32_t lifted = 1; lifted <= MAX_LOG; lifted++)
            for (int k = 0; k < 8; k++) check_opening(&tree, lifted, &random);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_hash_alike),
        cmocka_unit_test(windows_give_the_points),
        cmocka_unit_test(trees_of_all_heights_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
