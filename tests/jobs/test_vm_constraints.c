/* Every constraint is needed: for each there is a row that breaks it and no other. Most are found by changing one or
 * two cells of an honest row, of a padding row too; the rest are written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "poseidon2/poseidon2.h"
#include "vm_case.h"

/* All instructions, operands of many sizes, jumps both ways. */
static const char everything[] =
    "LOADIMM r1, 0x87654321\nLOADIMM r2, 0x10203\nLOADIMM r3, 5\nLOADIMM r4, 0xffffffff\n"
    "ADD r5, r1, r4\nADD r5, r2, r3\nADD r5, r2, 0xfffd\nSUB r5, r2, r1\nSUB r5, r1, r2\nSUB r5, r3, 6\n"
    "MUL r5, r1, r4\nMUL r5, r2, r2\nDIV r5, r1, r2\nDIV r5, r4, r3\nMOD r5, r1, r2\nMOD r5, r4, 0x10000\n"
    "AND r5, r1, r2\nOR r5, r1, r2\nXOR r5, r1, r4\nNOT r5, r2\nSHL r5, r1, 7\nSHR r5, r1, 0x2a\nSHL r5, r2, 16\n"
    "EQ r5, r1, r1\nEQ r5, r1, 0x97654321\nEQ r5, r1, r2\nLT r5, r1, r2\nLT r5, r2, r1\nGT r5, r1, r2\nGT r5, r2, r1\n"
    "STORE r1, r3, 7\nLOAD r6, r3, 7\nLOAD r6, r4, 3\nSTORE r2, r1\nCALL f\nJZ r9, on\nNOP\non: JNZ r9, on\n"
    "JZ r1, on\nJNZ r1, over\nNOP\nover: JMP out\nf: LOADIMM r7, DATA\nLOAD r8, r7\nLOAD r8, r7, 1\nRET\n"
    "out: LOADIMM r7, OUTPUT\nLOADIMM r8, 2\nSTORE r8, r7\nSTORE r1, r7, 1\nNOP\nHALT\n.word 0, 0x70001\n";

/* RELU and MATMUL: addresses that carry, and that go around. */
static const char tensors[] =
    "LOADIMM r1, 0xfffe\nLOADIMM r2, 0xfffffffd\nLOADIMM r3, 77\nSTORE r2, r1\nSTORE r1, r1, 1\nSTORE r2, r2\nSTORE "
    "r1, r2, 4\n"
    "NOP\nNOP\nNOP\nRELU r4, r2\nRELU r5, r1\nMATMUL r3, r1, r2, 2, 2, 2\nMATMUL r2, r3, r1, 1, 3, 1\nCALL f\nHALT\nf: "
    "RET\n";

/* HASH, likewise; RELU and MATMUL only so that components have their numbers. */
static const char hashes[] =
    "LOADIMM r1, 0xfffe\nLOADIMM r2, 0xfffffffd\nLOADIMM r3, 0x1fff9\nSTORE r2, r1\nSTORE r1, r1, 1\nSTORE r2, "
    "r2\nSTORE r1, "
    "r2, 4\nHASH r3, r1, 9\nHASH r2, r2, 4\nHASH r1, r2, 2\nHASH r2, r1, 0\nNOP\nNOP\nNOP\nCALL f\nHALT\nf: RET\n"
    "RELU r1, r1\nMATMUL r1, r1, r1, 1, 1, 1\nHALT\n";

typedef struct search {
    const pr_air *air;
    traces *t;
    uint32_t component, row;
    pr_m31 *values; /* of the nodes */
    bool *needed;   /* [n_constraints] of the component */
    uint32_t lie;   /* of an S-box; UINT32_MAX: none */
    uint32_t n_missing;
} search;

static pr_m31 *cell(search *s, uint32_t column) { return &s->t->columns[s->component][column][s->row]; }

static const pr_air_component *component_of(const search *s) { return &s->air->components[s->component]; }

static void evaluate(search *s, uint32_t row) {
    const pr_air_component *c = component_of(s);
    uint32_t mask = (1u << c->log_size) - 1;
    pr_m31 *v = s->values;
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        const pr_node *n = &c->nodes[i];
        switch ((pr_node_op)n->op) {
        case PR_NODE_COL:
            v[i] = s->t->columns[s->component][n->a][(row + (uint32_t)c->columns[n->a].offsets[n->b]) & mask];
            break;
        case PR_NODE_PRE:
            v[i] = s->air->preprocessed[n->a].values[row];
            break;
        case PR_NODE_CONST:
            v[i] = n->a;
            break;
        case PR_NODE_ADD:
            v[i] = pr_m31_add(v[n->a], v[n->b]);
            break;
        case PR_NODE_SUB:
            v[i] = pr_m31_sub(v[n->a], v[n->b]);
            break;
        case PR_NODE_MUL:
            v[i] = pr_m31_mul(v[n->a], v[n->b]);
            break;
        case PR_NODE_NEG:
            v[i] = pr_m31_neg(v[n->a]);
            break;
        }
    }
}

/* The S-boxes of the row follow from its state, but for the lie: number 2 s adds 1 to the square of S-box s, 2 s + 1 to
 * its fifth power. */
static pr_m31 write_sbox(search *s, uint32_t number, pr_m31 x) {
    bool is_last = number >= PR_POSEIDON2_LAST_ROUND;
    uint32_t in_last = number - PR_POSEIDON2_LAST_ROUND;
    pr_m31 square = pr_m31_add(pr_m31_square(x), s->lie == 2 * number);
    pr_m31 power = pr_m31_add(pr_m31_mul(pr_m31_square(square), x), s->lie == 2 * number + 1);
    *cell(s, is_last ? PR_VM_H_LAST_SQUARES + in_last : PR_VM_H_PAIRS + 2 * number) = square;
    *cell(s, is_last ? PR_VM_H_POWERS + in_last : PR_VM_H_PAIRS + 2 * number + 1) = power;
    return power;
}

static uint32_t write_full_rounds(search *s, pr_m31 state[16], const pr_m31 constants[4][16], uint32_t number) {
    for (int round = 0; round < 4; round++) {
        for (int k = 0; k < 16; k++) state[k] = write_sbox(s, number++, pr_m31_add(state[k], constants[round][k]));
        pr_poseidon2_external_matrix(state);
    }
    return number;
}

static void write_sboxes(search *s) {
    pr_m31 state[16];
    for (uint32_t k = 0; k < 16; k++) state[k] = *cell(s, k < 8 ? PR_VM_H_BLOCK + k : PR_VM_H_CAPACITY + k - 8);
    pr_poseidon2_external_matrix(state);
    uint32_t number = write_full_rounds(s, state, pr_poseidon2_external_initial, 0);
    for (int round = 0; round < 14; round++) {
        state[0] = write_sbox(s, number++, pr_m31_add(state[0], pr_poseidon2_internal[round]));
        pr_poseidon2_internal_matrix(state);
    }
    write_full_rounds(s, state, pr_poseidon2_external_final, number);
}

/* Which constraints fail in the row or in the one after it, which may read it: the only one, or UINT32_MAX. */
static uint32_t sole_failure(search *s) {
    const pr_air_component *c = component_of(s);
    uint32_t mask = (1u << c->log_size) - 1, found = UINT32_MAX;
    bool is_read_again = s->component == PR_VM_WORDS || s->component == PR_VM_PRODUCT || s->component == PR_VM_SPONGE;
    if (s->component == PR_VM_SPONGE) write_sboxes(s);
    for (uint32_t r = 0; r <= is_read_again; r++) {
        evaluate(s, (s->row + r) & mask);
        for (uint32_t k = 0; k < c->n_constraints; k++) {
            if (!s->values[c->constraints[k].node] || k == found) continue;
            if (found != UINT32_MAX) return UINT32_MAX;
            found = k;
        }
    }
    return found;
}

static void note(search *s) {
    uint32_t k = sole_failure(s);
    if (k == UINT32_MAX || s->needed[k]) return;
    s->needed[k] = true;
    s->n_missing--;
}

enum { CHANGES = 6 };
static pr_m31 changed(pr_m31 v, int change) {
    const pr_m31 to[CHANGES] = {pr_m31_add(v, 1), v ? 0 : PR_P - 1, 1, 2, pr_m31_add(v, 65536), pr_m31_sub(v, 65536)};
    return to[change];
}

static void change_one(search *s, void (*then)(search *, uint32_t), uint32_t first) {
    uint32_t n = s->component == PR_VM_SPONGE ? PR_VM_H_PLAIN : component_of(s)->n_columns;
    for (uint32_t k = first; k < n && s->n_missing; k++) {
        pr_m31 kept = *cell(s, k);
        for (int change = 0; change < CHANGES; change++) {
            *cell(s, k) = changed(kept, change);
            then(s, k + 1);
        }
        *cell(s, k) = kept;
    }
}

static void note_one(search *s, uint32_t column) {
    (void)column;
    note(s);
}
static void note_two(search *s, uint32_t column) { change_one(s, note_one, column); }

enum { BEFORE = 1000, HALF = 393224 };
typedef struct forged {
    uint32_t component;
    const char *against;
    struct {
        uint32_t column, value;
    } cells[10]; /* of a row of zeros; BEFORE + column: of the row before it, of zeros too */
} forged;

/* A flag of main. */
#define F(flag) PR_VM_M_FLAGS + PR_VM_F_##flag
static const forged forged_rows[] = {
    {PR_VM_MAIN,
     "trap is 0 or 1",
     {{PR_VM_M_LIVE, 1}, {F(DIVIDE), 1}, {F(ALU), 1}, {PR_VM_M_TRAP, 2}, {PR_VM_M_NEXT, 131073}}},
    {PR_VM_MAIN, "only a division traps", {{PR_VM_M_LIVE, 1}, {F(ALU), 1}, {PR_VM_M_TRAP, 1}, {PR_VM_M_NEXT, 65537}}},
    {PR_VM_MAIN,
     "a trap divides by zero, low half",
     {{PR_VM_M_LIVE, 1},
      {F(DIVIDE), 1},
      {F(ALU), 1},
      {PR_VM_M_TRAP, 1},
      {PR_VM_M_NEXT, 65537},
      {PR_VM_M_S, 1},
      {PR_VM_M_B, 1}}},
    {PR_VM_MAIN,
     "a trap divides by zero, high half",
     {{PR_VM_M_LIVE, 1},
      {F(DIVIDE), 1},
      {F(ALU), 1},
      {PR_VM_M_TRAP, 1},
      {PR_VM_M_NEXT, 65537},
      {PR_VM_M_S + 1, 1},
      {PR_VM_M_B + 1, 1}}},
    {PR_VM_WORDS,
     "words stand together",
     {{PR_VM_W_LIVE, 1}, {PR_VM_W_STEP, 65535}, {PR_VM_W_STEP + 1, PR_P - 1}, {PR_VM_W_BORROW, 1}}},
    {PR_VM_ADDITION, /* 0 + 0 = 2^32 - 65536 with a carry of -1 */
     "carry of the low half is 0 or 1",
     {{PR_VM_A_ADD, 1}, {PR_VM_A_SUM, 65536}, {PR_VM_A_SUM + 1, PR_P - 1}, {PR_VM_A_CARRY, PR_P - 1}}},
    {PR_VM_ADDITION,
     "carry of the high half is 0 or 1",
     {{PR_VM_A_ADD, 1}, {PR_VM_A_SUM + 1, 65536}, {PR_VM_A_CARRY + 1, PR_P - 1}}},
    {PR_VM_DIVISION, /* 5 = 2^16 * 2^16 + 5 modulo 2^32 */
     "the product has 32 bits",
     {{PR_VM_D_DIV, 1},
      {PR_VM_D_A, 5},
      {PR_VM_D_B + 2, 1},
      {PR_VM_D_QUOTIENT + 2, 1},
      {PR_VM_D_REST, 5},
      {PR_VM_D_LACK, 65530},
      {PR_VM_D_BORROW, 1}}},
    {PR_VM_DIVISION, /* 0 = 0 * 1 + 0 with a borrow of 2 */
     "borrow is 0 or 1",
     {{PR_VM_D_DIV, 1}, {PR_VM_D_B, 1}, {PR_VM_D_LACK, 131072}, {PR_VM_D_LACK + 1, PR_P - 2}, {PR_VM_D_BORROW, 2}}},
    {PR_VM_MULTIPLICATION,
     "padding: column 11 is zero",
     {{PR_VM_P_CARRY, 1}, {PR_VM_P_C, PR_P - 65536}, {PR_VM_P_C + 1, 1}}},
    {PR_VM_DIVISION, "one function a row", {{PR_VM_D_MOD, 1}, {PR_VM_D_LACK, PR_P - 2}, {PR_VM_D_DIV, 1}}},
    {PR_VM_DIVISION, "padding: column 5 is zero", {{PR_VM_D_B + 1, 1}, {PR_VM_D_LACK, 256}}},
    {PR_VM_DIVISION, "padding: column 7 is zero", {{PR_VM_D_B + 3, 1}, {PR_VM_D_LACK + 1, 256}}},
    {PR_VM_DIVISION, "padding: column 12 is zero", {{PR_VM_D_REST, 1}, {PR_VM_D_A, 1}, {PR_VM_D_LACK, PR_P - 1}}},
    {PR_VM_DIVISION,
     "padding: column 13 is zero",
     {{PR_VM_D_REST + 1, 1}, {PR_VM_D_A + 1, 1}, {PR_VM_D_LACK + 1, PR_P - 1}}},
    {PR_VM_DIVISION, "padding: column 16 is zero", {{PR_VM_D_CARRY, 1}, {PR_VM_D_A, PR_P - 65536}, {PR_VM_D_A + 1, 1}}},
    {PR_VM_DIVISION,
     "padding: column 17 is zero",
     {{PR_VM_D_BORROW, 1}, {PR_VM_D_LACK, 65536}, {PR_VM_D_LACK + 1, PR_P - 1}}},
    {PR_VM_WORDS,
     "borrow is 0 or 1",
     {{PR_VM_W_LIVE, 1}, {PR_VM_W_BORROW, 2}, {PR_VM_W_STEP, 131071}, {PR_VM_W_STEP + 1, PR_P - 2}}},
    {PR_VM_PRODUCT,
     "padding: column 29 is zero",
     {{PR_VM_X_CARRY, 1}, {PR_VM_X_SUM, PR_P - 65536}, {PR_VM_X_SUM + 1, 1}}},
    {PR_VM_PRODUCT,
     "live is 0 or 1",
     {{PR_VM_X_LIVE, 2},
      {PR_VM_X_AT, 2},
      {PR_VM_X_LOW, 2},
      {BEFORE + PR_VM_X_LIVE, 1},
      {BEFORE + PR_VM_X_FIRST, 1},
      {BEFORE + PR_VM_X_TIME, PR_P - 4}}},
    {PR_VM_PRODUCT,
     "first is 0 or 1",
     {{PR_VM_X_LIVE, 1},
      {PR_VM_X_FIRST, 2},
      {PR_VM_X_TIME, 4},
      {PR_VM_X_AT, PR_P - 1},
      {PR_VM_X_LOW, PR_P - 1},
      {BEFORE + PR_VM_X_LIVE, 1},
      {BEFORE + PR_VM_X_FIRST, 1}}},
    {PR_VM_PRODUCT,
     "the first row is live",
     {{PR_VM_X_FIRST, 1},
      {PR_VM_X_AT, PR_P - 1},
      {PR_VM_X_LOW, PR_P - 1},
      {BEFORE + PR_VM_X_LIVE, 1},
      {BEFORE + PR_VM_X_FIRST, 1},
      {BEFORE + PR_VM_X_TIME, PR_P - 4}}},
    {PR_VM_PRODUCT,
     "other rows follow one that does not end",
     {{PR_VM_X_LIVE, 1}, {PR_VM_X_TIME, 4}, {PR_VM_X_AT, 1}, {PR_VM_X_LOW, 1}}},
    {PR_VM_PRODUCT, "end of k is 0 or 1", {{PR_VM_X_LIVE, 1}, {PR_VM_X_FIRST, 1}, {PR_VM_X_K, 1}, {PR_VM_X_END_K, 2}}},
    {PR_VM_PRODUCT, "k ends at K", {{PR_VM_X_LIVE, 1}, {PR_VM_X_FIRST, 1}, {PR_VM_X_END_K, 1}}},
    {PR_VM_PRODUCT,
     "j ends at N",
     {{PR_VM_X_LIVE, 1}, {PR_VM_X_FIRST, 1}, {PR_VM_X_K, 1}, {PR_VM_X_END_K, 1}, {PR_VM_X_END_J, 1}}},
    {PR_VM_PRODUCT,
     "i ends at M",
     {{PR_VM_X_LIVE, 1},
      {PR_VM_X_FIRST, 1},
      {PR_VM_X_K, 1},
      {PR_VM_X_N, 1},
      {PR_VM_X_END_K, 1},
      {PR_VM_X_END_J, 1},
      {PR_VM_X_END_I, 1}}},
    {PR_VM_SPONGE,
     "first is 0 or 1",
     {{PR_VM_H_LIVE, 1},
      {PR_VM_H_FIRST, 2},
      {PR_VM_H_TIME, 16},
      {PR_VM_H_ADDRESS, 4},
      {PR_VM_H_LEFT, 1},
      {PR_VM_H_LAST, 1},
      {PR_VM_H_PRESENT, 1},
      {BEFORE + PR_VM_H_LIVE, 1},
      {BEFORE + PR_VM_H_LEFT, 5}}},
    {PR_VM_SPONGE,
     "other blocks follow one that is not the last",
     {{PR_VM_H_LIVE, 1},
      {PR_VM_H_TIME, 16},
      {PR_VM_H_ADDRESS, 4},
      {PR_VM_H_LEFT, PR_P - 4},
      {PR_VM_H_PRESENT, 1},
      {PR_VM_H_PRESENT + 1, 1},
      {PR_VM_H_PRESENT + 2, 1},
      {PR_VM_H_PRESENT + 3, 1}}},
    {PR_VM_SPONGE,
     "word 0 is there or not",
     {{PR_VM_H_LIVE, 1}, {PR_VM_H_FIRST, 1}, {PR_VM_H_LEFT, 2}, {PR_VM_H_LAST, 1}, {PR_VM_H_PRESENT, 2}}},
    {PR_VM_SPONGE,
     "a block that goes on has a word",
     {{PR_VM_H_LIVE, 1},
      {PR_VM_H_TIME, 16},
      {PR_VM_H_ADDRESS, 4},
      {PR_VM_H_LAST, 1},
      {BEFORE + PR_VM_H_LIVE, 1},
      {BEFORE + PR_VM_H_LEFT, 4}}},
    {PR_VM_DIGEST, /* inverses of half of what words of 0 lack */
     "live is 0 or 1",
     {{PR_VM_Z_LIVE, 2},
      {PR_VM_Z_INVERSE, HALF},
      {PR_VM_Z_INVERSE + 1, HALF},
      {PR_VM_Z_INVERSE + 2, HALF},
      {PR_VM_Z_INVERSE + 3, HALF},
      {PR_VM_Z_INVERSE + 4, HALF},
      {PR_VM_Z_INVERSE + 5, HALF},
      {PR_VM_Z_INVERSE + 6, HALF},
      {PR_VM_Z_INVERSE + 7, HALF}}},
};

/* What the row before leaves, as often as the row goes on with it, and the words of a first block. */
static void write_capacity(search *s) {
    pr_m31 left[16], goes_on = pr_m31_sub(*cell(s, PR_VM_H_LIVE), *cell(s, PR_VM_H_FIRST));
    for (uint32_t k = 0; k < 16; k++) left[k] = cell(s, PR_VM_H_POWERS + k)[-1];
    pr_poseidon2_external_matrix(left);
    for (uint32_t k = 0; k < 8; k++) *cell(s, PR_VM_H_CAPACITY + k) = pr_m31_mul(goes_on, left[8 + k]);
    pr_m31 *count = cell(s, PR_VM_H_CAPACITY);
    *count = pr_m31_add(*count, pr_m31_mul(*cell(s, PR_VM_H_FIRST), *cell(s, PR_VM_H_LEFT)));
}

/* Words stand together: what breaks another constraint of theirs goes right behind the last one, to the same address.
 */
static void write_row(search *s, const forged *f, uint32_t padding) {
    bool follows = f->component == PR_VM_WORDS && strcmp(f->against, "words stand together") != 0;
    s->row = padding + !follows;
    for (size_t i = 0; i < 10 && (i == 0 || f->cells[i].value); i++) {
        uint32_t column = f->cells[i].column;
        cell(s, column % BEFORE)[-(int)(column / BEFORE)] = f->cells[i].value;
    }
    if (f->component == PR_VM_SPONGE) write_capacity(s);
    for (uint32_t k = PR_VM_W_ADDRESS; follows && k < PR_VM_W_ADDRESS + 2; k++) *cell(s, k) = cell(s, k)[-1];
}

static void try_forged(search *s, uint32_t padding) {
    for (size_t k = 0; k < sizeof forged_rows / sizeof *forged_rows; k++) {
        const forged *f = &forged_rows[k];
        if (f->component != s->component) continue;
        write_row(s, f, padding);
        uint32_t found = sole_failure(s);
        if (found == UINT32_MAX) fail_msg("%s: not broken alone", f->against);
        assert_string_equal(component_of(s)->constraints[found].name, f->against);
        note(s);
        for (uint32_t i = 0; i < component_of(s)->n_columns; i++) *cell(s, i) = 0;
        if (s->component == PR_VM_SPONGE) write_sboxes(s);
        for (size_t i = 0; i < 10; i++)
            if (f->cells[i].column >= BEFORE) cell(s, f->cells[i].column % BEFORE)[-1] = 0;
    }
}

/* A live of 2 in the first word's row, nothing else there nor in the row behind it. */
static void try_first_word(search *s) {
    uint32_t n = component_of(s)->n_columns;
    pr_m31 kept[2][PR_VM_W_COLUMNS];
    if (s->component != PR_VM_WORDS) return;
    for (s->row = 0; s->row < 2; s->row++)
        for (uint32_t k = 0; k < n; k++) kept[s->row][k] = *cell(s, k), *cell(s, k) = 0;
    s->row = 0;
    *cell(s, PR_VM_W_LIVE) = 2;
    note(s);
    for (; s->row < 2; s->row++)
        for (uint32_t k = 0; k < n; k++) *cell(s, k) = kept[s->row][k];
}

/* Lies about S-boxes, in a row behind the blocks. */
static void try_sboxes(search *s, uint32_t padding) {
    s->row = padding + 1;
    for (s->lie = 0; s->component == PR_VM_SPONGE && s->lie < 2 * PR_POSEIDON2_SBOXES; s->lie++) note(s);
    s->lie = UINT32_MAX;
    if (s->component == PR_VM_SPONGE) write_sboxes(s);
}

static void try_rows(search *s, uint32_t padding, void (*then)(search *, uint32_t)) {
    for (s->row = padding; s->n_missing; s->row--) {
        change_one(s, then, 0);
        if (s->component == PR_VM_SPONGE) write_sboxes(s);
        if (s->row == 0) break;
    }
}

static uint32_t missing_of(const vm_case *c, uint32_t component) {
    search s = {.air = c->air, .t = (traces *)&c->t, .component = component, .lie = UINT32_MAX};
    const pr_air_component *k = component_of(&s);
    s.n_missing = k->n_constraints;
    s.needed = calloc(k->n_constraints + 1, sizeof *s.needed);
    s.values = calloc(k->n_nodes, sizeof *s.values);
    assert_true(s.needed && s.values);
    uint32_t padding = vm_case_rows_in_use(c, s.component);
    assert_true(padding + 2 < 1u << k->log_size);
    try_forged(&s, padding);
    try_first_word(&s);
    try_sboxes(&s, padding);
    try_rows(&s, padding, note_one);
    try_rows(&s, padding, note_two);
    for (uint32_t i = 0; i < k->n_constraints; i++)
        if (!s.needed[i]) print_message("nothing breaks it alone: %s, %s\n", k->name, k->constraints[i].name);
    free(s.needed);
    free(s.values);
    return s.n_missing;
}

/* Of the components whose bits are set. */
static void need_each_constraint(const char *text, uint32_t which) {
    vm_case c = vm_case_of_text(text, NULL, 0);
    vm_case_assert_holds(&c);
    uint32_t missing = 0;
    for (uint32_t k = 0; k < c.air->n_components; k++)
        if (c.air->components[k].n_constraints && which >> k & 1) missing += missing_of(&c, k);
    assert_int_equal(missing, 0);
    vm_case_clear(&c);
}

static void each_constraint_is_needed(void **state) {
    (void)state;
    need_each_constraint(everything, UINT32_MAX);
    need_each_constraint(hashes, 1 << PR_VM_MAIN | 1 << PR_VM_SPONGE | 1 << PR_VM_DIGEST);
    need_each_constraint(tensors, 1 << PR_VM_MAIN | 1 << PR_VM_RECTIFIER | 1 << PR_VM_PRODUCT);
}

/* Any other value in any cell is noticed, by a constraint or by a relation, padding included. Only equality has cells
 * of the prover's choice: the inverses where there is nothing to invert. */
static void each_column_is_noticed(void **state) {
    (void)state;
    uint64_t random = test_seed();
    const char *const texts[] = {"LOADIMM r1, 0x50003\nEQ r2, r1, 0x60004\nEQ r2, r1, 0x60005\nADD r3, r1, r1\nHALT",
                                 tensors, hashes};
    for (int k = 0; k < 3; k++) {
        vm_case c = vm_case_of_text(texts[k], NULL, 0);
        uint32_t n_busy[PR_VM_COMPONENTS];
        for (uint32_t i = 0; i < c.air->n_components; i++) n_busy[i] = 1u << c.air->components[i].log_size;
        assert_every_column_is_noticed(c.air, &c.t, &random, 4, n_busy);
        vm_case_clear(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_constraint_is_needed),
                                       cmocka_unit_test(each_column_is_noticed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
