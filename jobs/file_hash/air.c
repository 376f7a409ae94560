/* The constraints of file_hash. README.md tells them in words and tables. */
#include <stdio.h>
#include <stdlib.h>
#include "air/builder.h"
#include "file_hash/layout.h"

/* Expressions of one row while its permutation is written down. */
typedef struct permutation {
    pr_air_builder *b;
    uint32_t sbox; /* the next one's number */
    pr_expr live;  /* 1 on rows that hold a block, 0 behind them */
    pr_expr state[16];
    pr_expr last_powers[16],
        last_powers_before[16]; /* fifth powers of the last round, in this row and the one before */
} permutation;

static pr_expr times(pr_air_builder *b, uint32_t factor, pr_expr x) { return pr_mul(b, pr_const(b, factor), x); }

/* pr_poseidon2_m4, the same sums */
static void matrix4(pr_air_builder *b, pr_expr *x) {
    pr_expr a = pr_add(b, x[0], x[1]), c = pr_add(b, x[2], x[3]), sum = pr_add(b, a, c);
    pr_expr s1 = pr_add(b, sum, x[1]), s3 = pr_add(b, sum, x[3]);
    pr_expr y1 = pr_add(b, s1, pr_add(b, x[2], x[2])), y3 = pr_add(b, s3, pr_add(b, x[0], x[0]));
    x[0] = pr_add(b, s1, a), x[1] = y1, x[2] = pr_add(b, s3, c), x[3] = y3;
}

/* Elements first .. end - 1 of out = external matrix times in; the others are not written down. */
static void external_matrix(pr_air_builder *b, pr_expr out[16], const pr_expr in[16], int first, int end) {
    pr_expr x[16];
    for (int k = 0; k < 16; k++) x[k] = in[k];
    for (int group = 0; group < 16; group += 4) matrix4(b, x + group);
    for (int k = 0; k < 4; k++) {
        pr_expr sum = pr_add(b, pr_add(b, x[k], x[k + 4]), pr_add(b, x[k + 8], x[k + 12]));
        for (int i = k; i < 16; i += 4)
            if (i >= first && i < end) out[i] = pr_add(b, x[i], sum);
    }
}

static void internal_matrix(pr_air_builder *b, pr_expr state[16]) {
    pr_expr sum = state[0];
    for (int k = 1; k < 16; k++) sum = pr_add(b, sum, state[k]);
    state[0] = pr_sub(b, sum, pr_add(b, state[0], state[0]));
    for (int k = 1; k < 16; k++)
        state[k] = pr_add(b, sum, times(b, 1u << pr_poseidon2_internal_shifts[k - 1], state[k]));
}

/* The fifth power of x, by way of its square, each a column. In the last round both are zero behind the blocks. */
static pr_expr sbox(permutation *p, pr_expr x) {
    pr_air_builder *b = p->b;
    bool last = p->sbox >= PR_FILE_HASH_LAST_ROUND;
    pr_expr square = pr_air_add_column(b, 0);
    pr_expr power = last ? p->last_powers[p->sbox - PR_FILE_HASH_LAST_ROUND] : pr_air_add_column(b, 0);
    pr_expr product = pr_mul(b, x, x);
    char name[64];
    snprintf(name, sizeof name, "S-box %u: square", p->sbox);
    pr_air_constrain(b, name, pr_sub(b, square, last ? pr_mul(b, p->live, product) : product));
    snprintf(name, sizeof name, "S-box %u: fifth power", p->sbox);
    pr_air_constrain(b, name, pr_sub(b, power, pr_mul(b, pr_mul(b, square, square), x)));
    p->sbox++;
    return power;
}

/* Ends with the S-boxes: what the matrix makes of them is left to the caller. */
static void full_round(permutation *p, const pr_m31 constants[16]) {
    for (int k = 0; k < 16; k++) p->state[k] = sbox(p, pr_add(p->b, p->state[k], pr_const(p->b, constants[k])));
}

static void permute_to_last_sboxes(permutation *p) {
    external_matrix(p->b, p->state, p->state, 0, 16);
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++) {
        full_round(p, pr_poseidon2_external_initial[round]);
        external_matrix(p->b, p->state, p->state, 0, 16);
    }
    for (int round = 0; round < PR_POSEIDON2_PARTIAL_ROUNDS; round++) {
        p->state[0] = sbox(p, pr_add(p->b, p->state[0], pr_const(p->b, pr_poseidon2_internal[round])));
        internal_matrix(p->b, p->state);
    }
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++) {
        if (round > 0) external_matrix(p->b, p->state, p->state, 0, 16);
        full_round(p, pr_poseidon2_external_final[round]);
    }
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
    external_matrix(b, before, p->last_powers_before, kept, 16);
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
    external_matrix(b, out, p->last_powers, 0, PR_POSEIDON2_RATE);
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
    permute_to_last_sboxes(&p);
    constrain_digest(&p, statement);
    return pr_air_build(out, b, err);
}
