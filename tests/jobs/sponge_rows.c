#include "sponge_rows.h"
#include <string.h>
#include "poseidon2/poseidon2.h"

/* Columns as README.md of the job type lists them. */
static uint32_t square_column(uint32_t sbox) { return sbox < 126 ? 24 + 2 * sbox : 276 + sbox - 126; }
static uint32_t power_column(uint32_t sbox) { return sbox < 126 ? 25 + 2 * sbox : 8 + sbox - 126; }

typedef struct writer {
    rows *t;
    uint32_t row, sbox;
    bool live;
    lie told;
} writer;

static pr_m31 write_sbox(writer *w, pr_m31 x) {
    bool here = w->told.row == w->row && w->told.index == w->sbox;
    bool blank = w->sbox >= 126 && !w->live && !(here && w->told.kind == LIE_ALIVE);
    pr_m31 square = blank ? 0 : pr_m31_square(x);
    if (here && w->told.kind == LIE_SQUARE) square = pr_m31_add(square, 1);
    pr_m31 power = pr_m31_mul(pr_m31_square(square), x);
    if (here && w->told.kind == LIE_POWER) power = pr_m31_add(power, 1);
    w->t->columns[square_column(w->sbox)][w->row] = square;
    w->t->columns[power_column(w->sbox)][w->row] = power;
    w->sbox++;
    return power;
}

static void full_rounds(writer *w, pr_m31 state[16], const pr_m31 constants[4][16]) {
    for (int round = 0; round < 4; round++) {
        for (int k = 0; k < 16; k++) state[k] = write_sbox(w, pr_m31_add(state[k], constants[round][k]));
        pr_poseidon2_external_matrix(state);
    }
}

static void write_row(writer *w, pr_m31 state[16]) {
    for (int k = 0; k < 8; k++) w->t->columns[k][w->row] = state[k];
    pr_poseidon2_external_matrix(state);
    full_rounds(w, state, pr_poseidon2_external_initial);
    for (int round = 0; round < 14; round++) {
        state[0] = write_sbox(w, pr_m31_add(state[0], pr_poseidon2_internal[round]));
        pr_poseidon2_internal_matrix(state);
    }
    full_rounds(w, state, pr_poseidon2_external_final);
}

/* One row; returns with state as the permutation leaves it. */
static void next_row(rows *t, pr_m31 state[16], uint32_t row, bool live, lie told) {
    writer w = {.t = t, .row = row, .live = live, .told = told};
    if (told.kind == LIE_ELEMENT && told.row == row) state[told.index] = pr_m31_add(state[told.index], 1);
    write_row(&w, state);
}

rows sponge_rows(pr_m31 digest[8], const pr_m31 *elements, size_t n, uint32_t log_rows, lie told) {
    rows t = rows_create(292, log_rows);
    uint32_t n_rows = 1u << log_rows, n_blocks = (uint32_t)((n + 7) / 8);
    pr_m31 state[16] = {0};
    /* Two rounds through the rows: what the seam row leaves is what row 0 starts from. */
    for (uint32_t step = 0; step < 2 * n_rows; step++) {
        uint32_t row = step % n_rows;
        for (size_t k = 8 * (size_t)row; k < n && k < 8 * (size_t)row + 8; k++) state[k % 8] = elements[k];
        if (row >= n_blocks) memset(state, 0, 8 * sizeof *state);
        next_row(&t, state, row, row < n_blocks, told);
        if (row == n_blocks - 1) memcpy(digest, state, 8 * sizeof *digest);
    }
    return t;
}
