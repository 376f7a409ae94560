/* The constraints of poseidon2_merkle. README.md tells them in words and tables. */
#include <stdio.h>
#include <stdlib.h>
#include "gadgets/poseidon2_air.h"
#include "poseidon2_merkle/layout.h"

enum { NODE = 0 /* the relation: a node's number, its digest */ };

/* The compression of a row while it is written down. */
typedef struct compression {
    pr_air_builder *b;
    uint32_t sbox; /* the next one's number */
    pr_expr input[PR_POSEIDON2_MERKLE_LEAF], digest[PR_POSEIDON2_MERKLE_DIGEST];
} compression;

static void constrain(pr_air_builder *b, const char *what, int index, pr_expr zero) {
    char name[64];
    snprintf(name, sizeof name, "%s %d", what, index);
    pr_air_constrain(b, name, zero);
}

/* The fifth power of x, by way of its square, each a column. In the last round the power is left as an expression of
 * degree 3, for nothing follows but the digest. */
static pr_expr sbox(void *context, pr_expr x) {
    compression *c = context;
    pr_air_builder *b = c->b;
    uint32_t number = c->sbox++;
    pr_expr square = pr_air_add_column(b, 0), product = pr_mul(b, pr_mul(b, square, square), x);
    constrain(b, "square of S-box", (int)number, pr_sub(b, square, pr_mul(b, x, x)));
    if (number >= PR_POSEIDON2_LAST_ROUND) return product;
    pr_expr power = pr_air_add_column(b, 0);
    constrain(b, "fifth power of S-box", (int)number, pr_sub(b, power, product));
    return power;
}

/* digest = the first half of the permutation of the input, plus that of the input. */
static compression add_compression(pr_air_builder *b) {
    compression c = {.b = b};
    pr_expr state[16];
    for (int k = 0; k < PR_POSEIDON2_MERKLE_LEAF; k++) state[k] = c.input[k] = pr_air_add_column(b, 0);
    for (int k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++) c.digest[k] = pr_air_add_column(b, 0);
    pr_poseidon2_air_permute(b, state, sbox, &c);
    pr_poseidon2_air_external_matrix(b, state, state, 0, PR_POSEIDON2_MERKLE_DIGEST);
    for (int k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++)
        constrain(b, "digest", k, pr_sub(b, pr_add(b, state[k], c.input[k]), c.digest[k]));
    return c;
}

/* ---- preprocessed columns ---- */

typedef pr_m31 cell_of(uint32_t row, uint32_t n_leaves);
static pr_m31 number(uint32_t row, uint32_t n_leaves) { return (void)n_leaves, row; }
static pr_m31 live(uint32_t row, uint32_t n_leaves) { return row < 2 * n_leaves; }
static pr_m31 first(uint32_t row, uint32_t n_leaves) { return (void)n_leaves, row == 0; }
static pr_m31 last(uint32_t row, uint32_t n_leaves) { return row == 2 * n_leaves - 1; }
static pr_m31 inner(uint32_t row, uint32_t n_leaves) { return row > 0 && row < n_leaves; }

static const struct {
    const char *id;
    cell_of *cell;
} preprocessed[] = {{"row", number}, {"live", live}, {"first", first}, {"last", last}, {"inner", inner}};

static pr_status add_preprocessed(pr_air_builder *b, const pr_poseidon2_merkle_public *statement, pr_error *err) {
    uint32_t log_rows = pr_poseidon2_merkle_log_rows(statement->n_values);
    uint32_t n_leaves = pr_poseidon2_merkle_leaves(statement->n_values);
    pr_m31 *rows = malloc(sizeof *rows << log_rows);
    if (!rows) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the selectors of poseidon2_merkle");
    for (size_t k = 0; k < sizeof preprocessed / sizeof *preprocessed; k++) {
        if (preprocessed[k].cell == last && statement->n_values % PR_POSEIDON2_MERKLE_LEAF == 0) continue; /* unused */
        for (uint32_t r = 0; r < 1u << log_rows; r++) rows[r] = preprocessed[k].cell(r, n_leaves);
        pr_air_add_preprocessed(b, preprocessed[k].id, log_rows, rows);
    }
    free(rows);
    return PR_OK;
}

/* ---- the tree ---- */

/* Row 0 has node 0, which is the root: the compression of the length block and the digest of node 1. */
static void constrain_root(const compression *c, const pr_poseidon2_merkle_public *statement) {
    pr_air_builder *b = c->b;
    pr_expr is_first = pr_air_use_preprocessed(b, "first");
    pr_m31 length[PR_POSEIDON2_MERKLE_DIGEST];
    pr_poseidon2_merkle_length_block(length, statement->n_values);
    for (int k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++) {
        constrain(b, "length block", k, pr_mul(b, is_first, pr_sub(b, c->input[k], pr_const(b, length[k]))));
        constrain(b, "root", k, pr_mul(b, is_first, pr_sub(b, c->digest[k], pr_const(b, statement->root[k]))));
    }
}

/* The last leaf is the last node: behind the values it has zeros. */
static void constrain_padding(const compression *c, uint32_t n_values) {
    pr_air_builder *b = c->b;
    pr_expr is_behind = pr_sub(b, pr_const(b, 1), pr_air_use_preprocessed(b, "live"));
    for (int k = 0; k < PR_POSEIDON2_MERKLE_LEAF; k++)
        constrain(b, "zero behind the tree", k, pr_mul(b, is_behind, c->input[k]));
    for (int k = (int)(n_values % PR_POSEIDON2_MERKLE_LEAF); k && k < PR_POSEIDON2_MERKLE_LEAF; k++)
        constrain(b, "zero behind the values", k, pr_mul(b, pr_air_use_preprocessed(b, "last"), c->input[k]));
}

static void look_up(pr_air_builder *b, pr_expr multiplicity, pr_expr node, const pr_expr *digest) {
    pr_expr tuple[1 + PR_POSEIDON2_MERKLE_DIGEST] = {node};
    for (int k = 0; k < PR_POSEIDON2_MERKLE_DIGEST; k++) tuple[1 + k] = digest[k];
    pr_air_lookup_add(b, NODE, multiplicity, tuple, 1 + PR_POSEIDON2_MERKLE_DIGEST, -1);
}

/* Row i takes the digests of nodes 2 i and 2 i + 1, row 0 that of node 1 alone, and gives that of node i. */
static void link_nodes(const compression *c) {
    pr_air_builder *b = c->b;
    pr_expr row = pr_air_use_preprocessed(b, "row"), twice = pr_add(b, row, row);
    pr_expr is_first = pr_air_use_preprocessed(b, "first"), is_inner = pr_air_use_preprocessed(b, "inner");
    look_up(b, is_inner, twice, c->input);
    look_up(b, pr_add(b, is_inner, is_first), pr_add(b, twice, pr_const(b, 1)), c->input + PR_POSEIDON2_MERKLE_DIGEST);
    look_up(b, pr_sub(b, is_first, pr_air_use_preprocessed(b, "live")), row, c->digest);
}

pr_status pr_poseidon2_merkle_air(pr_air **out, const pr_poseidon2_merkle_public *statement, pr_error *err) {
    pr_air_builder *b = pr_air_builder_create("poseidon2_merkle");
    if (!b) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of poseidon2_merkle");
    pr_status status = add_preprocessed(b, statement, err);
    if (status != PR_OK) {
        pr_air_builder_destroy(b);
        return status;
    }
    pr_air_add_relation(b, "node", 1 + PR_POSEIDON2_MERKLE_DIGEST);
    pr_air_component_begin(b, "tree", pr_poseidon2_merkle_log_rows(statement->n_values));
    compression c = add_compression(b);
    pr_air_declare_derived(b, PR_POSEIDON2_MERKLE_DIGEST_AT);
    constrain_root(&c, statement);
    constrain_padding(&c, statement->n_values);
    link_nodes(&c);
    return pr_air_build(out, b, err);
}
