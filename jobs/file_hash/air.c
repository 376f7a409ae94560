/* The constraints of file_hash. README.md tells them in words and tables. */
#include <stdio.h>
#include <stdlib.h>
#include "file_hash/layout.h"
#include "gadgets/poseidon2_air.h"

/* Expressions of one row while its permutation is written down. */
typedef struct permutation {
    pr_air_builder *b;
    uint32_t sbox; /* the next one's number */
    pr_expr live;  /* 1 on rows that hold a block, 0 behind them */
    pr_expr state[16];
    pr_expr last_powers[16],
        last_powers_before[16]; /* fifth powers of the last round, in this row and the one before */
} permutation;

/* The fifth power of x, by way of its square, each a column. In the last round both are zero behind the blocks. */
static pr_expr sbox(void *context, pr_expr x) {
    permutation *p = context;
    pr_air_builder *b = p->b;
    bool last = p->sbox >= PR_POSEIDON2_LAST_ROUND;
    pr_expr square = pr_air_add_column(b, 0);
    pr_expr power = last ? p->last_powers[p->sbox - PR_POSEIDON2_LAST_ROUND] : pr_air_add_column(b, 0);
    pr_expr product = pr_mul(b, x, x);
    char name[64];
    snprintf(name, sizeof name, "S-box %u: square", p->sbox);
    pr_air_constrain(b, name, pr_sub(b, square, last ? pr_mul(b, p->live, product) : product));
    snprintf(name, sizeof name, "S-box %u: fifth power", p->sbox);
    pr_air_constrain(b, name, pr_sub(b, power, pr_mul(b, pr_mul(b, square, square), x)));
    p->sbox++;
    return power;
}

/* Preprocessed columns in row order; each marks rows with 1. */
static pr_status add_selectors(pr_air_builder *b, uint32_t log_rows, uint32_t n_blocks, pr_error *err) {
    size_t n_rows = (size_t)1 << log_rows;
    pr_m31 *rows = calloc(n_rows, sizeof *rows);
    if (!rows) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the selectors of file_hash");
    rows[0] = 1;
    pr_air_add_preprocessed(b, "first", log_rows, rows);
    rows[0] = 0, rows[n_blocks - 1] = 1;
    pr_air_add_preprocessed(b, "final", log_rows, rows);
    for (uint32_t k = 0; k < n_blocks; k++) rows[k] = 1;
    pr_air_add_preprocessed(b, "live", log_rows, rows);
    free(rows);
    return PR_OK;
}

/* Block columns, and the last round's fifth powers, which the next row reads as well. */
static void add_boundary_columns(permutation *p) {
    static const int32_t offsets[2] = {-1, 0};
    for (int k = 0; k < PR_POSEIDON2_RATE; k++) p->state[k] = pr_air_add_column(p->b, 0);
    for (int k = 0; k < 16; k++) {
        pr_expr pair[2];
        pr_air_add_column_mask(p->b, pair, offsets, 2);
        p->last_powers_before[k] = pair[0], p->last_powers[k] = pair[1];
    }
}

static void constrain_input(permutation *p, const pr_file_hash_public *statement) {
    pr_air_builder *b = p->b;
    pr_expr first = pr_air_use_preprocessed(b, "first"), final = pr_air_use_preprocessed(b, "final");
    pr_expr length = pr_const(b, (int64_t)statement->length);
    pr_air_constrain(b, "first element is the length", pr_mul(b, first, pr_sub(b, p->state[0], length)));
    int kept = (int)pr_file_hash_last_block(statement->length);
    pr_expr before[16];
    pr_poseidon2_air_external_matrix(b, before, p->last_powers_before, kept, 16);
    for (int k = kept; k < PR_POSEIDON2_RATE; k++) {
        char name[64];
        snprintf(name, sizeof name, "last block keeps element %d", k);
        pr_air_constrain(b, name, pr_mul(b, final, pr_sub(b, p->state[k], before[k])));
    }
    for (int k = PR_POSEIDON2_RATE; k < 16; k++) p->state[k] = before[k];
}

static void constrain_digest(permutation *p, const pr_file_hash_public *statement) {
    pr_air_builder *b = p->b;
    pr_expr final = pr_air_use_preprocessed(b, "final"), out[16];
    pr_poseidon2_air_external_matrix(b, out, p->last_powers, 0, PR_POSEIDON2_RATE);
    for (int k = 0; k < PR_POSEIDON2_RATE; k++) {
        char name[64];
        snprintf(name, sizeof name, "digest element %d", k);
        pr_air_constrain(b, name, pr_mul(b, final, pr_sub(b, out[k], pr_const(b, statement->digest[k]))));
    }
}

pr_status pr_file_hash_air(pr_air **out, const pr_file_hash_public *statement, pr_error *err) {
    uint32_t log_rows = pr_file_hash_log_rows(statement->length);
    pr_air_builder *b = pr_air_builder_create("file_hash");
    if (!b) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of file_hash");
    pr_status status = add_selectors(b, log_rows, pr_file_hash_blocks(statement->length), err);
    if (status != PR_OK) {
        pr_air_builder_destroy(b);
        return status;
    }
    pr_air_component_begin(b, "sponge", log_rows);
    permutation p = {.b = b};
    add_boundary_columns(&p);
    p.live = pr_air_use_preprocessed(b, "live");
    constrain_input(&p, statement);
    pr_poseidon2_air_permute(b, p.state, sbox, &p);
    constrain_digest(&p, statement);
    pr_air_declare_derived(b, PR_FILE_HASH_PAIRS);
    return pr_air_build(out, b, err);
}
