/* The AIR of the VM: its main component, and how the others are put together. */
#include <stdio.h>
#include "vm/parts.h"

void pr_vm_begin(pr_vm_parts *p, pr_vm_component component, const char *name, pr_expr *columns, uint32_t n) {
    pr_air_component_begin(p->b, name, p->statement->log_rows[component]);
    for (uint32_t k = 0; k < n; k++) columns[k] = pr_air_add_column(p->b, 0);
    p->one = pr_const(p->b, 1);
}

void pr_vm_begin_masked(pr_vm_parts *p, pr_vm_component component, const char *name, pr_expr *columns, pr_expr *before,
                        uint32_t n_masked, uint32_t n) {
    static const int32_t offsets[2] = {-1, 0};
    pr_vm_begin(p, component, name, NULL, 0);
    for (uint32_t k = 0; k < n_masked; k++) {
        pr_expr pair[2];
        pr_air_add_column_mask(p->b, pair, offsets, 2);
        before[k] = pair[0], columns[k] = pair[1];
    }
    for (uint32_t k = n_masked; k < n; k++) columns[k] = pr_air_add_column(p->b, 0);
}

void pr_vm_boolean(pr_vm_parts *p, const char *name, pr_expr x) {
    pr_air_constrain(p->b, name, pr_mul(p->b, x, pr_sub(p->b, x, p->one)));
}

void pr_vm_blank(pr_vm_parts *p, pr_expr live, const pr_expr *columns, uint32_t first, uint32_t n) {
    pr_expr dead = pr_sub(p->b, p->one, live);
    for (uint32_t k = first; k < first + n; k++) {
        char name[48];
        snprintf(name, sizeof name, "padding: column %u is zero", k);
        pr_air_constrain(p->b, name, pr_mul(p->b, dead, columns[k]));
    }
}

void pr_vm_put(pr_vm_parts *p, pr_vm_relation relation, pr_expr times, const pr_expr *values, uint32_t n) {
    pr_air_lookup_add(p->b, p->relations[relation], pr_neg(p->b, times), values, n, -1);
}

void pr_vm_take(pr_vm_parts *p, pr_vm_relation relation, pr_expr times, const pr_expr *values, uint32_t n) {
    pr_air_lookup_add(p->b, p->relations[relation], times, values, n, -1);
}

void pr_vm_range(pr_vm_parts *p, pr_vm_relation relation, pr_expr live, pr_expr value) {
    pr_vm_take(p, relation, live, &value, 1);
}

pr_expr pr_vm_times(pr_vm_parts *p, int64_t factor, pr_expr x) { return pr_mul(p->b, pr_const(p->b, factor), x); }

pr_expr pr_vm_from_bytes(pr_vm_parts *p, pr_expr low, pr_expr high) {
    return pr_add(p->b, low, pr_vm_times(p, 256, high));
}

/* ---- main ---- */

/* base + which * (value - base) */
static pr_expr replace(pr_air_builder *b, pr_expr base, pr_expr which, pr_expr value) {
    return pr_mul(b, which, pr_sub(b, value, base));
}

static pr_expr flag(const pr_expr *x, pr_vm_flag which) { return x[PR_VM_M_FLAGS + which]; }

static pr_expr uses_memory(pr_air_builder *b, const pr_expr *x) {
    pr_expr reads = pr_add(b, flag(x, PR_VM_F_LOAD), flag(x, PR_VM_F_RET));
    return pr_add(b, reads, pr_add(b, flag(x, PR_VM_F_STORE), flag(x, PR_VM_F_CALL)));
}

/* 1 where the function's result is looked up. */
static pr_expr calls(pr_air_builder *b, const pr_expr *x) { return pr_sub(b, flag(x, PR_VM_F_ALU), x[PR_VM_M_TRAP]); }

static void constrain_halves(pr_vm_parts *p, const char *name, pr_expr low, pr_expr high) {
    char text[64];
    snprintf(text, sizeof text, "%s, low half", name);
    pr_air_constrain(p->b, text, low);
    snprintf(text, sizeof text, "%s, high half", name);
    pr_air_constrain(p->b, text, high);
}

/* A constraint on each half of a word: which * (x[word] - x[other]) */
static void constrain_equal(pr_vm_parts *p, const char *name, pr_expr which, const pr_expr *x, uint32_t word,
                            uint32_t other) {
    pr_air_builder *b = p->b;
    constrain_halves(p, name, pr_mul(b, which, pr_sub(b, x[word], x[other])),
                     pr_mul(b, which, pr_sub(b, x[word + 1], x[other + 1])));
}

static void constrain_operands(pr_vm_parts *p, const pr_expr *x) {
    pr_air_builder *b = p->b;
    pr_expr immediate = flag(x, PR_VM_F_IMMEDIATE), trap = x[PR_VM_M_TRAP], half[2];
    for (int k = 0; k < 2; k++) {
        pr_expr second = pr_add(b, x[PR_VM_M_S + k], replace(b, x[PR_VM_M_S + k], immediate, x[PR_VM_M_IMM_LO + k]));
        half[k] = pr_sub(b, x[PR_VM_M_B + k], second);
    }
    constrain_halves(p, "b is the register or the number", half[0], half[1]);
    pr_vm_boolean(p, "trap is 0 or 1", trap);
    pr_air_constrain(b, "only a division traps", pr_mul(b, trap, pr_sub(b, p->one, flag(x, PR_VM_F_DIVIDE))));
    constrain_halves(p, "a trap divides by zero", pr_mul(b, trap, x[PR_VM_M_B]), pr_mul(b, trap, x[PR_VM_M_B + 1]));
    pr_expr idle = pr_sub(b, p->one, calls(b, x));
    constrain_halves(p, "without a function c is zero", pr_mul(b, idle, x[PR_VM_M_C]),
                     pr_mul(b, idle, x[PR_VM_M_C + 1]));
}

static void constrain_memory(pr_vm_parts *p, const pr_expr *x) {
    pr_air_builder *b = p->b;
    pr_expr call = flag(x, PR_VM_F_CALL), ret = flag(x, PR_VM_F_RET), half[2];
    for (int k = 0; k < 2; k++) {
        pr_expr c = x[PR_VM_M_C + k], address = pr_add(b, c, replace(b, c, ret, x[PR_VM_M_A + k]));
        half[k] = pr_sub(b, x[PR_VM_M_ADDRESS + k], address);
    }
    constrain_halves(p, "the address is c, of RET a", half[0], half[1]);
    constrain_equal(p, "STORE writes s", flag(x, PR_VM_F_STORE), x, PR_VM_M_M, PR_VM_M_S);
    pr_expr following = pr_add(b, x[PR_VM_M_PC], p->one);
    constrain_halves(p, "CALL writes the next address", pr_mul(b, call, pr_sub(b, x[PR_VM_M_M], following)),
                     pr_mul(b, call, x[PR_VM_M_M + 1]));
    pr_air_constrain(b, "RET reads an address", pr_mul(b, ret, x[PR_VM_M_M + 1]));
    pr_expr idle = pr_sub(b, p->one, uses_memory(b, x));
    constrain_halves(p, "without memory m is zero", pr_mul(b, idle, x[PR_VM_M_M]), pr_mul(b, idle, x[PR_VM_M_M + 1]));
}

static void constrain_result(pr_vm_parts *p, const pr_expr *x) {
    pr_air_builder *b = p->b;
    pr_expr result = pr_sub(b, flag(x, PR_VM_F_RESULT), x[PR_VM_M_TRAP]), half[2];
    for (int k = 0; k < 2; k++) {
        pr_expr old = x[PR_VM_M_OLD + k], change = replace(b, old, result, x[PR_VM_M_C + k]);
        change = pr_add(b, change, replace(b, old, flag(x, PR_VM_F_LOAD), x[PR_VM_M_M + k]));
        change = pr_add(b, change, replace(b, old, flag(x, PR_VM_F_CONSTANT), x[PR_VM_M_B + k]));
        half[k] = pr_sub(b, x[PR_VM_M_WRITTEN + k], pr_add(b, old, change));
    }
    constrain_halves(p, "what rd becomes", half[0], half[1]);
}

static void constrain_next(pr_vm_parts *p, const pr_expr *x) {
    pr_air_builder *b = p->b;
    pr_expr following = pr_add(b, x[PR_VM_M_PC], x[PR_VM_M_LIVE]);
    pr_expr equal = x[PR_VM_M_C], unequal = pr_sub(b, p->one, equal);
    pr_expr jumps = pr_add(b, pr_mul(b, flag(x, PR_VM_F_JZ), equal), pr_mul(b, flag(x, PR_VM_F_JNZ), unequal));
    jumps = pr_add(b, jumps, flag(x, PR_VM_F_JUMP));
    pr_expr next = pr_add(b, following, replace(b, following, jumps, x[PR_VM_M_TARGET]));
    next = pr_add(b, next, replace(b, following, flag(x, PR_VM_F_RET), x[PR_VM_M_M]));
    pr_expr halted = pr_const(b, PR_VM_END_PC + PR_VM_HALTED);
    next = pr_add(b, next, replace(b, following, flag(x, PR_VM_F_HALT), halted));
    pr_expr trapped = pr_const(b, PR_VM_END_PC + PR_VM_DIVISION_BY_ZERO);
    next = pr_add(b, next, replace(b, following, x[PR_VM_M_TRAP], trapped));
    pr_air_constrain(b, "the next pc", pr_sub(b, x[PR_VM_M_NEXT], next));
}

/* One access to a register: out with what it was at the access before, in with what it is now. */
static void look_up_register(pr_vm_parts *p, const pr_expr *x, uint32_t number, uint32_t before, uint32_t after,
                             uint32_t age, int64_t tick) {
    pr_air_builder *b = p->b;
    pr_expr now = pr_add(b, x[PR_VM_M_TIME], pr_const(b, tick));
    pr_expr past = pr_add(b, x[age], pr_add(b, pr_vm_times(p, 65536, x[age + 1]), p->one));
    const pr_expr out[] = {x[number], x[before], x[before + 1], pr_sub(b, now, past)};
    const pr_expr in[] = {x[number], x[after], x[after + 1], now};
    pr_vm_take(p, PR_VM_R_REGISTER, x[PR_VM_M_LIVE], out, 4);
    pr_vm_put(p, PR_VM_R_REGISTER, x[PR_VM_M_LIVE], in, 4);
}

static void look_up_ages(pr_vm_parts *p, const pr_expr *x) {
    pr_expr live = x[PR_VM_M_LIVE];
    pr_vm_range(p, PR_VM_R_RANGE16, live, x[PR_VM_M_A_AGE]);
    pr_vm_range(p, PR_VM_R_RANGE16, live, x[PR_VM_M_S_AGE]);
    pr_vm_range(p, PR_VM_R_RANGE16, live, x[PR_VM_M_D_AGE]);
    const pr_expr two[] = {x[PR_VM_M_A_AGE + 1], x[PR_VM_M_S_AGE + 1]};
    const pr_expr last[] = {x[PR_VM_M_D_AGE + 1], pr_const(p->b, 0)};
    pr_vm_take(p, PR_VM_R_PAIR, live, two, 2);
    pr_vm_take(p, PR_VM_R_PAIR, live, last, 2);
}

static void look_up_line(pr_vm_parts *p, const pr_expr *x) {
    pr_expr line[PR_VM_MOST_LINE_VALUES];
    for (uint32_t k = 0; k < PR_VM_LINE_VALUES; k++) line[k] = x[PR_VM_M_PC + k];
    for (uint32_t k = 0; k < p->n_extra; k++) line[PR_VM_LINE_VALUES + k] = x[PR_VM_M_COLUMNS + k];
    pr_vm_take(p, PR_VM_R_LINE, x[PR_VM_M_LIVE], line, PR_VM_LINE_VALUES + p->n_extra);
}

/* Instructions of several steps: their component takes over, and puts in the state behind them. 1 where the row's own
 * next state is put in. */
static pr_expr look_up_blocks(pr_vm_parts *p, const pr_expr *x) {
    const pr_expr block[] = {x[PR_VM_M_TIME],   x[PR_VM_M_NEXT],   x[PR_VM_M_A],     x[PR_VM_M_A + 1],
                             x[PR_VM_M_B],      x[PR_VM_M_B + 1],  x[PR_VM_M_OLD],   x[PR_VM_M_OLD + 1],
                             x[PR_VM_M_IMM_LO], x[PR_VM_M_IMM_HI], x[PR_VM_M_TARGET]};
    pr_expr goes_on = x[PR_VM_M_LIVE];
    for (uint32_t k = 0; k < p->n_extra; k++) {
        goes_on = pr_sub(p->b, goes_on, x[PR_VM_M_COLUMNS + k]);
        bool hashes = p->extra[k] == PR_VM_F_HASH;
        pr_vm_put(p, hashes ? PR_VM_R_HASH : PR_VM_R_MATMUL, x[PR_VM_M_COLUMNS + k], block, hashes ? 8 : 11);
    }
    return goes_on;
}

static void look_up_step(pr_vm_parts *p, const pr_expr *x) {
    pr_air_builder *b = p->b;
    pr_expr live = x[PR_VM_M_LIVE], goes_on = look_up_blocks(p, x);
    const pr_expr from[] = {x[PR_VM_M_TIME], x[PR_VM_M_PC]};
    const pr_expr to[] = {pr_add(b, x[PR_VM_M_TIME], pr_const(b, PR_VM_TICKS)), x[PR_VM_M_NEXT]};
    const pr_expr function[] = {x[PR_VM_M_ALU],   x[PR_VM_M_A], x[PR_VM_M_A + 1], x[PR_VM_M_B],
                                x[PR_VM_M_B + 1], x[PR_VM_M_C], x[PR_VM_M_C + 1]};
    const pr_expr access[] = {x[PR_VM_M_TIME],    pr_add(b, flag(x, PR_VM_F_STORE), flag(x, PR_VM_F_CALL)),
                              x[PR_VM_M_ADDRESS], x[PR_VM_M_ADDRESS + 1],
                              x[PR_VM_M_M],       x[PR_VM_M_M + 1]};
    pr_vm_take(p, PR_VM_R_STATE, live, from, 2);
    pr_vm_put(p, PR_VM_R_STATE, goes_on, to, 2);
    look_up_line(p, x);
    pr_vm_take(p, PR_VM_R_ALU, calls(b, x), function, 7);
    pr_vm_put(p, PR_VM_R_ACCESS, uses_memory(b, x), access, 6);
}

void pr_vm_air_main(pr_vm_parts *p) {
    pr_expr x[PR_VM_M_MOST_COLUMNS];
    pr_vm_begin(p, PR_VM_MAIN, "main", x, PR_VM_M_COLUMNS + p->n_extra);
    pr_expr live = x[PR_VM_M_LIVE];
    pr_vm_boolean(p, "live is 0 or 1", live);
    pr_vm_blank(p, live, x, PR_VM_M_TIME, 1);
    pr_vm_blank(p, live, x, PR_VM_M_PC, PR_VM_LINE_VALUES);
    pr_vm_blank(p, live, x, PR_VM_M_A, 4); /* and s */
    pr_vm_blank(p, live, x, PR_VM_M_OLD, 2);
    pr_vm_blank(p, live, x, PR_VM_M_A_AGE, 6 + p->n_extra); /* all ages, and extra flags */
    constrain_operands(p, x);
    constrain_memory(p, x);
    constrain_result(p, x);
    constrain_next(p, x);
    look_up_step(p, x);
    look_up_register(p, x, PR_VM_M_RS1, PR_VM_M_A, PR_VM_M_A, PR_VM_M_A_AGE, 0);
    look_up_register(p, x, PR_VM_M_RS2, PR_VM_M_S, PR_VM_M_S, PR_VM_M_S_AGE, 1);
    look_up_register(p, x, PR_VM_M_RD, PR_VM_M_OLD, PR_VM_M_WRITTEN, PR_VM_M_D_AGE, 2);
    look_up_ages(p, x);
}

/* ---- all of it ---- */

static void add_relations(pr_vm_parts *p) {
    static const struct {
        const char *name;
        uint32_t size;
    } relations[PR_VM_RELATIONS] = {
        [PR_VM_R_STATE] = {"state", 2},       [PR_VM_R_LINE] = {"line", PR_VM_LINE_VALUES},
        [PR_VM_R_REGISTER] = {"register", 4}, [PR_VM_R_ALU] = {"alu", 7},
        [PR_VM_R_ACCESS] = {"access", 6},     [PR_VM_R_MEMORY] = {"memory", 5},
        [PR_VM_R_PUBLIC] = {"public", 5},     [PR_VM_R_RANGE16] = {"range16", 1},
        [PR_VM_R_RANGE10] = {"range10", 1},   [PR_VM_R_PAIR] = {"pair", 2},
        [PR_VM_R_AND] = {"and", 3},           [PR_VM_R_POWER] = {"power", 3},
        [PR_VM_R_MATMUL] = {"matmul", 11},    [PR_VM_R_HASH] = {"hash", 8},
        [PR_VM_R_DIGEST] = {"digest", 12},
    };
    for (int k = 0; k < PR_VM_RELATIONS; k++) {
        if (k == PR_VM_R_MATMUL && !pr_vm_has(p->statement, PR_VM_PRODUCT)) continue;
        if (k >= PR_VM_R_HASH && !pr_vm_has(p->statement, PR_VM_SPONGE)) continue;
        uint32_t extra = k == PR_VM_R_LINE ? p->n_extra : 0;
        p->relations[k] = pr_air_add_relation(p->b, relations[k].name, relations[k].size + extra);
    }
}

pr_status pr_vm_air(pr_air **out, const pr_vm_public *statement, pr_error *err) {
    pr_vm_parts p = {.b = pr_air_builder_create("vm"), .statement = statement};
    if (!p.b) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of vm");
    p.n_extra = pr_vm_extra_flags(p.extra, &statement->program);
    pr_status status = pr_vm_add_tables(&p, err);
    if (status != PR_OK) {
        pr_air_builder_destroy(p.b);
        return status;
    }
    add_relations(&p);
    pr_vm_air_main(&p);
    pr_vm_air_memory(&p);
    pr_vm_air_words(&p);
    pr_vm_air_registers(&p);
    pr_vm_air_program(&p);
    pr_vm_air_addition(&p);
    pr_vm_air_bitwise(&p);
    pr_vm_air_multiplication(&p);
    pr_vm_air_division(&p);
    pr_vm_air_shift(&p);
    pr_vm_air_equality(&p);
    pr_vm_air_tables(&p);
    if (pr_vm_has(statement, PR_VM_RECTIFIER)) pr_vm_air_rectifier(&p);
    if (pr_vm_has(statement, PR_VM_PRODUCT)) pr_vm_air_product(&p);
    if (pr_vm_has(statement, PR_VM_SPONGE)) {
        pr_vm_air_sponge(&p);
        pr_vm_air_digest(&p);
    }
    return pr_air_build(out, p.b, err);
}
