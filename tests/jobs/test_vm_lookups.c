/* Every lookup is needed: for each that takes from a relation there is a trace in which every constraint holds and
 * every other lookup finds what it takes, tables counted anew. What puts in is needed by every honest trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "field/m31.h"
#include "vm_case.h"

/* Main's rows are the instructions in order. */
static const char program[] =
    "LOADIMM r14, 0x30005\nLOADIMM r15, 0x20007\nADD r6, r14, r15\nNOP\nLOADIMM r7, 0x10100\nSTORE r7, r7\n"
    "LOADIMM r8, 0x82038405\nSTORE r8, r7, 1\nLOADIMM r8, 9\nSTORE r8, r7, 2\nLOADIMM r8, 8\nSTORE r8, r7, 3\n"
    "LOADIMM r8, 0x1020304\nSTORE r8, r7, 4\nLOADIMM r9, 0x40000\nLOADIMM r10, 0x10101\nLOADIMM r11, 0x10103\n"
    "MATMUL r9, r10, r11, 1, 2, 1\nLOADIMM r10, 0x50000\nLOADIMM r11, 0x60000\nMATMUL r9, r10, r11, 1, 3, 1\n"
    "LOADIMM r12, 0x70000\nHASH r12, r7, 0\nADD r12, r12, 16\nHASH r12, r7, 1\nADD r12, r12, 16\nHASH r12, r7, 2\n"
    "ADD r12, r12, 16\nHASH r12, r7, 3\nADD r12, r12, 16\nHASH r12, r7, 4\nADD r12, r12, 16\nHASH r12, r7, 5\n"
    "RELU r13, r7\nAND r13, r7, r8\nDIV r13, r7, r8\nSHL r13, r7, 3\nEQ r13, r7, r8\nHALT\nNOP\nHALT";
enum { ROW_ADD = 2, ROW_NOP = 3 };

static bool is_in_table(uint32_t relation, const pr_m31 *v) {
    switch (relation) {
    case PR_VM_R_RANGE16:
        return v[0] < 1 << 16;
    case PR_VM_R_RANGE10:
        return v[0] < 1 << 10;
    case PR_VM_R_PAIR:
        return v[0] < 256 && v[1] < 256;
    case PR_VM_R_AND:
        return v[0] < 256 && v[1] < 256 && v[2] == (v[0] & v[1]);
    case PR_VM_R_POWER:
        return v[0] < 32 && (uint64_t)v[1] + 65536 * (uint64_t)v[2] == UINT64_C(1) << v[0];
    default:
        return false;
    }
}

static vm_case honest;
static needs known;
static traces forged;

static uint32_t in_use(uint32_t component) { return vm_case_rows_in_use(&honest, component); }

static pr_m31 *cell(uint32_t component, uint32_t row, uint32_t column) {
    return &forged.columns[component][column][row];
}

static void add(uint32_t component, uint32_t row, uint32_t column, int64_t amount) {
    pr_m31 *at = cell(component, row, column);
    *at = pr_m31_add(*at, (pr_m31)((amount % (int64_t)PR_P + PR_P) % PR_P));
}

/* The row with a value in a column. */
static uint32_t find_row(uint32_t component, uint32_t column, pr_m31 value) {
    for (uint32_t r = 0; r < in_use(component); r++)
        if (honest.t.columns[component][column][r] == value) return r;
    fail_msg("component %u, column %u: no %u", component, column, value);
    return 0;
}

/* What was forged has one culprit, a lookup of that component; everything is honest afterwards. */
static void one_lookup_notices(uint32_t component, const char *what) {
    culprits found = find_culprits_but_tables(honest.air, &honest.t, &forged, is_in_table);
    for (uint32_t k = 0; k < found.n && k < MAX_CULPRITS && found.n != 1; k++)
        print_message("%s, %s %u\n", honest.air->components[found.items[k].component].name,
                      found.items[k].is_lookup ? "lookup" : "constraint", found.items[k].index);
    if (found.n != 1 || !found.items[0].is_lookup || found.items[0].component != component)
        fail_msg("%s: %u culprits", what, found.n);
    needs_note(&known, &found);
    traces_destroy(&forged);
    forged = traces_copy(&honest.t);
}

/* ---- rows out of nowhere, of functions that nobody calls ---- */

#define M(value) ((int64_t)PR_P + (value)) /* below 0 */
typedef struct forged_row {
    uint32_t component;
    struct {
        uint32_t column;
        int64_t value;
    } cells[8];
} forged_row;

static const forged_row forged_rows[] = {
    {PR_VM_ADDITION, {{PR_VM_A_ADD, 1}, {PR_VM_A_A, 65535}, {PR_VM_A_B, 1}, {PR_VM_A_SUM, 65536}}},
    {PR_VM_ADDITION, {{PR_VM_A_ADD, 1}, {PR_VM_A_A + 1, 65535}, {PR_VM_A_B + 1, 1}, {PR_VM_A_SUM + 1, 65536}}},
    {PR_VM_BITWISE, {{PR_VM_B_AND, 1}, {PR_VM_B_A, 256}}},
    {PR_VM_BITWISE, {{PR_VM_B_AND, 1}, {PR_VM_B_A + 1, 256}}},
    {PR_VM_BITWISE, {{PR_VM_B_AND, 1}, {PR_VM_B_A + 2, 256}}},
    {PR_VM_BITWISE, {{PR_VM_B_AND, 1}, {PR_VM_B_A + 3, 256}}},
    {PR_VM_MULTIPLICATION, {{PR_VM_P_LIVE, 1}, {PR_VM_P_A, 256}}},
    {PR_VM_MULTIPLICATION, {{PR_VM_P_LIVE, 1}, {PR_VM_P_A + 2, 256}}},
    {PR_VM_MULTIPLICATION, {{PR_VM_P_LIVE, 1}, {PR_VM_P_B, 256}}},
    {PR_VM_MULTIPLICATION, {{PR_VM_P_LIVE, 1}, {PR_VM_P_B + 2, 256}}},
    {PR_VM_MULTIPLICATION, {{PR_VM_P_LIVE, 1}, {PR_VM_P_CARRY, 1}, {PR_VM_P_C, M(-65536)}, {PR_VM_P_C + 1, 1}}},
    {PR_VM_MULTIPLICATION, {{PR_VM_P_LIVE, 1}, {PR_VM_P_CARRY + 1, 1}, {PR_VM_P_C + 1, M(-65536)}}},
    {PR_VM_MULTIPLICATION, /* 2^16 * 2^15 = 1 */
     {{PR_VM_P_LIVE, 1}, {PR_VM_P_A, 1}, {PR_VM_P_B, 1}, {PR_VM_P_CARRY, 32768}, {PR_VM_P_C + 1, 32768}}},
    {PR_VM_MULTIPLICATION, {{PR_VM_P_LIVE, 1}, {PR_VM_P_A, 1}, {PR_VM_P_B + 2, 1}, {PR_VM_P_CARRY + 1, 32768}}},
    {PR_VM_DIVISION, {{PR_VM_D_DIV, 1}, {PR_VM_D_B, 256}, {PR_VM_D_LACK, 255}}},
    {PR_VM_DIVISION,
     {{PR_VM_D_DIV, 1}, {PR_VM_D_B + 2, 256}, {PR_VM_D_LACK, 65535}, {PR_VM_D_LACK + 1, 255}, {PR_VM_D_BORROW, 1}}},
    {PR_VM_DIVISION, {{PR_VM_D_DIV, 1}, {PR_VM_D_B, 1}, {PR_VM_D_QUOTIENT, 256}, {PR_VM_D_A, 256}}},
    {PR_VM_DIVISION, {{PR_VM_D_DIV, 1}, {PR_VM_D_B, 1}, {PR_VM_D_QUOTIENT + 2, 256}, {PR_VM_D_A + 1, 256}}},
    {PR_VM_DIVISION,
     {{PR_VM_D_DIV, 1},
      {PR_VM_D_A, 65536},
      {PR_VM_D_B, 1},
      {PR_VM_D_B + 2, 2},
      {PR_VM_D_REST, 65536},
      {PR_VM_D_BORROW, 1},
      {PR_VM_D_LACK + 1, 1}}},
    {PR_VM_DIVISION,
     {{PR_VM_D_DIV, 1}, {PR_VM_D_A + 1, M(-1)}, {PR_VM_D_B, 1}, {PR_VM_D_REST + 1, M(-1)}, {PR_VM_D_LACK + 1, 1}}},
    {PR_VM_DIVISION,
     {{PR_VM_D_DIV, 1}, {PR_VM_D_B, 1}, {PR_VM_D_B + 2, 1}, {PR_VM_D_BORROW, 1}, {PR_VM_D_LACK, 65536}}},
    {PR_VM_DIVISION,
     {{PR_VM_D_DIV, 1}, {PR_VM_D_A + 1, 1}, {PR_VM_D_B, 1}, {PR_VM_D_REST + 1, 1}, {PR_VM_D_LACK + 1, M(-1)}}},
    {PR_VM_DIVISION,
     {{PR_VM_D_DIV, 1}, {PR_VM_D_B, 1}, {PR_VM_D_CARRY, 1024}, {PR_VM_D_A, M(-67108864)}, {PR_VM_D_A + 1, 1024}}},
    {PR_VM_SHIFT, {{PR_VM_S_SHL, 1}, {PR_VM_S_POWER, 1}}},
    {PR_VM_RECTIFIER, {{PR_VM_L_LIVE, 1}, {PR_VM_L_REST, 32768}}},
    {PR_VM_PRODUCT, {{PR_VM_X_LIVE, 1}, {PR_VM_X_FIRST, 1}}},
    {PR_VM_SPONGE, {{PR_VM_H_LIVE, 1}, {PR_VM_H_FIRST, 1}, {PR_VM_H_LAST, 1}}},
};

static void write_row(uint32_t component, const forged_row *r) {
    for (size_t k = 0; k < 8 && r->cells[k].value; k++)
        add(component, in_use(component), r->cells[k].column, r->cells[k].value);
}

static void functions(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof forged_rows / sizeof *forged_rows; k++) {
        write_row(forged_rows[k].component, &forged_rows[k]);
        char name[32];
        snprintf(name, sizeof name, "row %zu", k);
        one_lookup_notices(forged_rows[k].component, name);
    }
    static const forged_row shifts[] = {{PR_VM_SHIFT, {{PR_VM_S_SHL, 1}, {PR_VM_S_POWER, 1}, {PR_VM_S_ABOVE, 65536}}},
                                        {PR_VM_SHIFT, {{PR_VM_S_SHL, 1}, {PR_VM_S_POWER, 1}, {PR_VM_S_PLACES, 32}}}};
    static const forged_row product = {PR_VM_MULTIPLICATION, {{PR_VM_P_LIVE, 1}, {PR_VM_P_B, 1}}};
    for (int k = 0; k < 2; k++) {
        write_row(PR_VM_SHIFT, &shifts[k]);
        write_row(PR_VM_MULTIPLICATION, &product);
        one_lookup_notices(PR_VM_SHIFT, "shift");
    }
}

/* ---- main, registers ---- */

/* A step that nothing leads to, with r0 as it was. */
static void a_step_from_nowhere(void **state) {
    (void)state;
    uint32_t r = in_use(PR_VM_MAIN), last = *cell(PR_VM_REGISTER_FILE, 0, PR_VM_G_TIME), now = last + 10;
    for (uint32_t k = 0; k < PR_VM_LINE_VALUES; k++)
        *cell(PR_VM_MAIN, r, PR_VM_M_PC + k) = *cell(PR_VM_MAIN, ROW_NOP, PR_VM_M_PC + k);
    const int64_t cells[][2] = {{PR_VM_M_LIVE, 1},  {PR_VM_M_TIME, now}, {PR_VM_M_NEXT, ROW_NOP + 1},
                                {PR_VM_M_A_AGE, 9}, {PR_VM_M_S_AGE, 0},  {PR_VM_M_D_AGE, 0}};
    for (size_t k = 0; k < 6; k++) add(PR_VM_MAIN, r, (uint32_t)cells[k][0], cells[k][1]);
    add(PR_VM_REGISTER_FILE, 0, PR_VM_G_TIME, 12);
    add(PR_VM_PROGRAM, ROW_NOP, 0, 1);
    one_lookup_notices(PR_VM_MAIN, "state");
}

static void steps(void **state) {
    (void)state;
    add(PR_VM_MAIN, ROW_NOP, PR_VM_M_IMM_LO, 1);
    one_lookup_notices(PR_VM_MAIN, "line");
    add(PR_VM_MAIN, ROW_ADD, PR_VM_M_OLD, 1);
    one_lookup_notices(PR_VM_MAIN, "rd before");
    add(PR_VM_REGISTER_FILE, 14, PR_VM_G_LAST, 1);
    one_lookup_notices(PR_VM_REGISTER_FILE, "registers");
    static const forged_row results[] = {/* c, as the component has it not; a and b, as the registers have them not */
                                         {PR_VM_MAIN, {{0, 0}}},
                                         {PR_VM_MAIN, {{PR_VM_M_A, 1}}},
                                         {PR_VM_MAIN, {{PR_VM_M_S, 1}, {PR_VM_M_B, 1}}}};
    static const uint32_t operands[] = {0, PR_VM_A_A, PR_VM_A_B};
    for (uint32_t lie = 0; lie < 3; lie++) {
        for (size_t k = 0; k < 8 && results[lie].cells[k].value; k++)
            add(PR_VM_MAIN, ROW_ADD, results[lie].cells[k].column, 1);
        add(PR_VM_MAIN, ROW_ADD, PR_VM_M_C, 1);
        add(PR_VM_MAIN, ROW_ADD, PR_VM_M_ADDRESS, 1);
        add(PR_VM_MAIN, ROW_ADD, PR_VM_M_WRITTEN, 1);
        add(PR_VM_REGISTER_FILE, 6, PR_VM_G_LAST, 1);
        if (lie) add(PR_VM_REGISTER_FILE, 13 + lie, PR_VM_G_LAST, 1);
        if (lie) add(PR_VM_ADDITION, 0, operands[lie], 1);
        if (lie) add(PR_VM_ADDITION, 0, PR_VM_A_SUM, 1);
        one_lookup_notices(PR_VM_MAIN, "result or operand");
    }
}

/* The same time told in other halves. */
static void ages(void **state) {
    (void)state;
    static const struct {
        uint32_t component, column;
    } all[] = {{PR_VM_MAIN, PR_VM_M_A_AGE},
               {PR_VM_MAIN, PR_VM_M_S_AGE},
               {PR_VM_MAIN, PR_VM_M_D_AGE},
               {PR_VM_MEMORY, PR_VM_Y_AGE}};
    for (int k = 0; k < 4; k++) {
        uint32_t c = all[k].component, r = 0;
        while (*cell(c, r, all[k].column) == 0) r++;
        add(c, r, all[k].column, -65536);
        add(c, r, all[k].column + 1, 1);
        one_lookup_notices(c, "low part of an age");
        add(c, r, all[k].column, -1);
        add(c, r, all[k].column + 1, 32768);
        one_lookup_notices(c, "high part of an age");
    }
}

/* ---- memory, words ---- */

static void memory_and_words(void **state) {
    (void)state;
    uint32_t last = in_use(PR_VM_WORDS) - 1, store = find_row(PR_VM_MEMORY, PR_VM_Y_WRITES, 1), word = 0;
    while (*cell(PR_VM_WORDS, word, PR_VM_W_TIME) == 0 || *cell(PR_VM_WORDS, word, PR_VM_W_IS_OUTPUT)) word++;
    add(PR_VM_MEMORY, store, PR_VM_Y_OLD, 1);
    one_lookup_notices(PR_VM_MEMORY, "memory before");
    uint32_t r = in_use(PR_VM_MEMORY); /* an access that nobody asks for: a read, later */
    for (uint32_t k = 0; k < 2; k++) {
        *cell(PR_VM_MEMORY, r, PR_VM_Y_ADDRESS + k) = *cell(PR_VM_WORDS, word, PR_VM_W_ADDRESS + k);
        *cell(PR_VM_MEMORY, r, PR_VM_Y_VALUE + k) = *cell(PR_VM_WORDS, word, PR_VM_W_LAST + k);
        *cell(PR_VM_MEMORY, r, PR_VM_Y_OLD + k) = *cell(PR_VM_WORDS, word, PR_VM_W_LAST + k);
    }
    *cell(PR_VM_MEMORY, r, PR_VM_Y_LIVE) = 1;
    *cell(PR_VM_MEMORY, r, PR_VM_Y_TIME) = *cell(PR_VM_WORDS, word, PR_VM_W_TIME) + 7;
    *cell(PR_VM_MEMORY, r, PR_VM_Y_AGE) = 6;
    add(PR_VM_WORDS, word, PR_VM_W_TIME, 7);
    one_lookup_notices(PR_VM_MEMORY, "access");
    add(PR_VM_WORDS, word, PR_VM_W_LAST, 1);
    one_lookup_notices(PR_VM_WORDS, "memory at the end");
    add(PR_VM_WORDS, word, PR_VM_W_IS_INPUT, 1);
    one_lookup_notices(PR_VM_WORDS, "public");
    int64_t low = *cell(PR_VM_WORDS, last, PR_VM_W_ADDRESS), high = *cell(PR_VM_WORDS, last, PR_VM_W_ADDRESS + 1);
    const struct {
        int64_t low, high, step_low, step_high, borrow;
    } words[] = {{65536, high, 65536 - low - 1, 0, 0},
                 {low + 1, 65536, 0, 65536 - high, 0},
                 {low + 1, high + 2, 65536, 1, 1},
                 {low + 1, high - 1, 0, -1, 0}};
    for (int k = 0; k < 4; k++) { /* another word, never touched */
        add(PR_VM_WORDS, last + 1, PR_VM_W_LIVE, 1);
        add(PR_VM_WORDS, last + 1, PR_VM_W_ADDRESS, words[k].low);
        add(PR_VM_WORDS, last + 1, PR_VM_W_ADDRESS + 1, words[k].high);
        add(PR_VM_WORDS, last + 1, PR_VM_W_STEP, words[k].step_low);
        add(PR_VM_WORDS, last + 1, PR_VM_W_STEP + 1, words[k].step_high);
        add(PR_VM_WORDS, last + 1, PR_VM_W_BORROW, words[k].borrow);
        one_lookup_notices(PR_VM_WORDS, "range of an address");
    }
}

/* ---- MATMUL: row 0 multiplies 0x82038405 and 8, row 1 adds 9 times 0x1020304 ---- */

typedef struct change {
    uint32_t row, column;
    int64_t amount;
} change;

static void products(void **state) {
    (void)state;
    static const change all[][4] = {
        {{0, PR_VM_X_X, 256}, {0, PR_VM_X_X + 1, -1}},
        {{0, PR_VM_X_X + 2, 256}, {0, PR_VM_X_X + 3, -1}},
        {{1, PR_VM_X_Y, 256}, {1, PR_VM_X_Y + 1, -1}},
        {{1, PR_VM_X_Y + 2, 256}, {1, PR_VM_X_Y + 3, -1}},
        {{0, PR_VM_X_SUM, 65536}, {0, PR_VM_X_CARRY, -1}, {0, PR_VM_X_SUM + 1, -1}, {1, PR_VM_X_CARRY, 1}},
        {{0, PR_VM_X_SUM + 1, 65536}, {0, PR_VM_X_CARRY + 1, -1}, {1, PR_VM_X_CARRY + 1, 1}},
        {{0, PR_VM_X_CARRY, 32768}, {0, PR_VM_X_SUM, -1}, {0, PR_VM_X_SUM + 1, 32768}, {1, PR_VM_X_CARRY, -32768}},
        {{0, PR_VM_X_CARRY + 1, 32768}, {0, PR_VM_X_SUM + 1, -1}, {1, PR_VM_X_CARRY + 1, -32768}},
        {{0, PR_VM_X_ABOVE + 2, 300}, {0, PR_VM_X_LOW + 2, -300 * 65536}},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        for (size_t i = 0; i < 4 && all[k][i].amount; i++)
            add(PR_VM_PRODUCT, all[k][i].row, all[k][i].column, all[k][i].amount);
        one_lookup_notices(PR_VM_PRODUCT, "product");
    }
}

/* A carry of 2^16 more, in the address of x or of y, reads the word two before: 2^32 = 2. */
static void another_address(void **state) {
    (void)state;
    for (uint32_t which = 0; which < 2; which++) {
        pr_m31 then = *cell(PR_VM_PRODUCT, 2, PR_VM_X_TIME) + which,
               now = *cell(PR_VM_PRODUCT, 4, PR_VM_X_TIME) + which;
        uint32_t access = find_row(PR_VM_MEMORY, PR_VM_Y_TIME, now);
        add(PR_VM_PRODUCT, 4, PR_VM_X_ABOVE + which, 65536);
        add(PR_VM_PRODUCT, 4, PR_VM_X_AROUND + which, 1);
        add(PR_VM_PRODUCT, 4, PR_VM_X_LOW + which, -2);
        add(PR_VM_MEMORY, access, PR_VM_Y_ADDRESS, -2);
        *cell(PR_VM_MEMORY, access, PR_VM_Y_AGE) = now - then - 1;
        *cell(PR_VM_MEMORY, access, PR_VM_Y_AGE + 1) = 0;
        *cell(PR_VM_WORDS, find_row(PR_VM_WORDS, PR_VM_W_TIME, then), PR_VM_W_TIME) = now;
        *cell(PR_VM_WORDS, find_row(PR_VM_WORDS, PR_VM_W_TIME, now), PR_VM_W_TIME) = 0;
        one_lookup_notices(PR_VM_PRODUCT, which ? "address of y" : "address of x");
    }
}

/* ---- HASH ---- */

static uint32_t row_of_word(uint32_t component, uint32_t address_at, uint32_t low, uint32_t high) {
    for (uint32_t r = in_use(component); r-- > 0;)
        if (*cell(component, r, address_at) == low && *cell(component, r, address_at + 1) == high) return r;
    fail_msg("no word %u, %u", low, high);
    return 0;
}

/* Word k of a digest in other halves, wherever it is. */
static void split_otherwise(uint32_t hash, uint32_t k, int64_t low, int64_t high) {
    uint32_t at = (uint32_t)honest.trace.machine.hashes[hash].d + k, halves = PR_VM_Z_WORDS + 2 * k;
    uint32_t access = row_of_word(PR_VM_MEMORY, PR_VM_Y_ADDRESS, at & 0xffff, at >> 16);
    uint32_t word = row_of_word(PR_VM_WORDS, PR_VM_W_ADDRESS, at & 0xffff, at >> 16);
    for (uint32_t half = 0; half < 2; half++) {
        add(PR_VM_DIGEST, hash, halves + half, half ? high : low);
        add(PR_VM_MEMORY, access, PR_VM_Y_VALUE + half, half ? high : low);
        add(PR_VM_WORDS, word, PR_VM_W_LAST + half, half ? high : low);
    }
    pr_m31 sum = pr_m31_add(*cell(PR_VM_DIGEST, hash, halves), *cell(PR_VM_DIGEST, hash, halves + 1));
    *cell(PR_VM_DIGEST, hash, PR_VM_Z_INVERSE + k) = pr_m31_inverse(pr_m31_sub(0x7fff + 0xffff, sum));
}

static void digests(void **state) {
    (void)state;
    static const struct {
        uint32_t least_low, least_high;
        int64_t low, high;
    } splits[] = {{0, 1, 65536, -1}, {1, 0, -1, 32768}, {32768, 0, -32768, 1 << 30}};
    for (uint32_t k = 0; k < 8; k++)
        for (int i = 0; i < 3; i++) {
            uint32_t hash = 0, word;
            do {
                assert_true(hash < in_use(PR_VM_DIGEST));
                word = honest.trace.machine.hashes[hash++].digest[k];
            } while ((word & 0xffff) < splits[i].least_low || word >> 16 < splits[i].least_high);
            split_otherwise(hash - 1, k, splits[i].low, splits[i].high);
            one_lookup_notices(PR_VM_DIGEST, "digest");
        }
    uint32_t r = in_use(PR_VM_DIGEST); /* of nothing */
    add(PR_VM_DIGEST, r, PR_VM_Z_LIVE, 1);
    for (uint32_t k = 0; k < 8; k++) *cell(PR_VM_DIGEST, r, PR_VM_Z_INVERSE + k) = pr_m31_inverse(0x7fff + 0xffff);
    one_lookup_notices(PR_VM_DIGEST, "digest of nothing");
}

/* HASH of 2^31 words told as one of 1: the only tuple that nobody puts in is the HI that is no byte. */
static void more_words_than_p(void **state) {
    (void)state;
    pr_vm_program p = vm_assemble("LOADIMM r3, 1\nHASH r1, r2, r3\nHALT");
    pr_vm_machine m = vm_run(&p, NULL, 0, true);
    p.instructions[0].imm = m.lines[0].imm = m.registers[3] = 0x80000000;
    m.steps[0].written = m.steps[1].s = 0x80000000;
    vm_case c = vm_case_take(&p, &m, NULL, 0);
    uint32_t sponge = 0;
    while (strcmp(c.air->components[sponge].name, "hash") != 0) sponge++;
    assert_int_equal(c.t.columns[sponge][PR_VM_H_N_HI][0], 0);
    c.t.columns[sponge][PR_VM_H_N_HI][0] = 0x8000;
    c.t.columns[PR_VM_BYTES][PR_VM_BYTES_PAIR][0]--;
    pr_check_report report = vm_case_check(&c);
    assert_int_equal(report.n_failures, 0);
    assert_int_equal(report.n_unbalanced, 1);
    vm_case_clear(&c);
    for (uint32_t k = 0; k < honest.air->components[PR_VM_SPONGE].n_lookups; k++)
        if (honest.air->components[PR_VM_SPONGE].lookups[k].relation == PR_VM_R_PAIR)
            known.lookups[PR_VM_SPONGE][k] = true;
}

static bool always_puts(const pr_air_component *c, uint32_t lookup) {
    const pr_node *times = &c->nodes[c->lookups[lookup].multiplicity];
    return times->op == PR_NODE_CONST && times->a > PR_P / 2;
}

static void none_is_missing(void **state) {
    (void)state;
    uint32_t missing = 0;
    for (uint32_t c = 0; c < honest.air->n_components; c++)
        for (uint32_t k = 0; k < honest.air->components[c].n_lookups; k++)
            if (!known.lookups[c][k] && !always_puts(&honest.air->components[c], k) && ++missing)
                print_message("not known to be needed: %s, lookup %u\n", honest.air->components[c].name, k);
    assert_int_equal(missing, 0);
}

static int set_up(void **state) {
    (void)state;
    honest = vm_case_of_text(program, NULL, 0);
    vm_case_assert_holds(&honest);
    assert_int_equal(honest.air->n_components, PR_VM_COMPONENTS);
    known = needs_create(honest.air, &honest.t);
    forged = traces_copy(&honest.t);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    needs_destroy(&known);
    traces_destroy(&forged);
    vm_case_clear(&honest);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions),
        cmocka_unit_test(a_step_from_nowhere),
        cmocka_unit_test(steps),
        cmocka_unit_test(ages),
        cmocka_unit_test(memory_and_words),
        cmocka_unit_test(products),
        cmocka_unit_test(another_address),
        cmocka_unit_test(digests),
        cmocka_unit_test(more_words_than_p),
        cmocka_unit_test(none_is_missing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
