/* RELU and MATMUL. */
#include <stdio.h>
#include "vm/parts.h"

/* ---- RELU: 0 where the highest bit is set, else a ---- */

void pr_vm_air_rectifier(pr_vm_parts *p) {
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_L_COLUMNS];
    pr_vm_begin(p, PR_VM_RECTIFIER, "relu", x, PR_VM_L_COLUMNS);
    pr_expr live = x[PR_VM_L_LIVE], sign = x[PR_VM_L_SIGN], keeps = pr_sub(b, p->one, sign);
    pr_vm_boolean(p, "live is 0 or 1", live);
    pr_vm_boolean(p, "sign is 0 or 1", sign);
    pr_vm_blank(p, live, x, PR_VM_L_A_LO, 3); /* and rest, sign */
    const pr_expr zero[2] = {pr_const(b, 0), pr_const(b, 0)};
    const pr_expr a[2] = {x[PR_VM_L_A_LO], pr_add(b, x[PR_VM_L_REST], pr_vm_times(p, 1 << 15, sign))};
    const pr_expr c[2] = {pr_mul(b, keeps, x[PR_VM_L_A_LO]), pr_mul(b, keeps, x[PR_VM_L_REST])};
    /* twice the rest has 16 bits: with a's HI, which has 16 and differs from it by 0 or 2^15, it is below 2^15 */
    pr_vm_range(p, PR_VM_R_RANGE16, live, pr_vm_times(p, 2, x[PR_VM_L_REST]));
    pr_vm_put_function(p, live, pr_vm_times(p, PR_VM_ALU_RELU, live), a, zero, c);
}

/* ---- MATMUL ----
 *
 * A row a step. Rows of one MATMUL follow each other, the first takes it from main, the last puts in the state behind
 * it. */

typedef struct product {
    pr_expr x[PR_VM_X_COLUMNS], before[PR_VM_X_MASKED]; /* this row, the row before */
    pr_expr goes_on;                                    /* 1: with the same MATMUL as the row before */
    pr_expr adds;                                       /* 1: and with the same sum */
} product;

static void add_columns(pr_vm_parts *p, product *r) {
    pr_vm_begin_masked(p, PR_VM_PRODUCT, "matmul", r->x, r->before, PR_VM_X_MASKED, PR_VM_X_COLUMNS);
    pr_air_builder *b = p->b;
    r->goes_on = pr_sub(b, r->x[PR_VM_X_LIVE], r->x[PR_VM_X_FIRST]);
    r->adds = pr_mul(b, r->goes_on, pr_sub(b, p->one, r->before[PR_VM_X_END_K]));
}

/* Which rows are there, and where they end: padding ends nothing, for there k is 0 and so is K. */
static void constrain_ends(pr_vm_parts *p, const product *r) {
    pr_air_builder *b = p->b;
    const pr_expr *x = r->x;
    pr_expr live = x[PR_VM_X_LIVE], dead = pr_sub(b, p->one, live);
    const pr_expr *ends = &x[PR_VM_X_END_K];
    pr_vm_boolean(p, "live is 0 or 1", live);
    pr_vm_boolean(p, "first is 0 or 1", x[PR_VM_X_FIRST]);
    pr_air_constrain(b, "the first row is live", pr_mul(b, dead, x[PR_VM_X_FIRST]));
    pr_expr before = pr_sub(b, r->before[PR_VM_X_LIVE], r->before[PR_VM_X_END_I]);
    pr_air_constrain(b, "other rows follow one that does not end", pr_mul(b, r->goes_on, pr_sub(b, p->one, before)));
    for (int k = 0; k < 3; k++) {
        static const char *const names[][3] = {
            {"end of k is 0 or 1", "k ends at K", NULL},
            {"end of j is 0 or 1", "j ends at N", "j ends with k"},
            {"end of i is 0 or 1", "i ends at M", "i ends with j"},
        };
        static const int places[] = {PR_VM_X_AT, PR_VM_X_J, PR_VM_X_I}, sizes[] = {PR_VM_X_K, PR_VM_X_N, PR_VM_X_M};
        pr_vm_boolean(p, names[k][0], ends[k]);
        pr_expr last = pr_sub(b, x[sizes[k]], p->one);
        pr_air_constrain(b, names[k][1], pr_mul(b, ends[k], pr_sub(b, x[places[k]], last)));
        if (k) pr_air_constrain(b, names[k][2], pr_mul(b, ends[k], pr_sub(b, p->one, ends[k - 1])));
    }
}

/* What a row takes over from the row before. k, j and i count up to their ends, which are met only where they are:
 * beyond them they would count on to p. */
static void constrain_steps(pr_vm_parts *p, const product *r) {
    pr_air_builder *b = p->b;
    const pr_expr *x = r->x, *before = r->before;
    for (int k = PR_VM_X_NEXT; k <= PR_VM_X_N; k++) {
        char name[32];
        snprintf(name, sizeof name, "column %d stays", k);
        pr_air_constrain(b, name, pr_mul(b, r->goes_on, pr_sub(b, x[k], before[k])));
    }
    pr_expr then = pr_add(b, before[PR_VM_X_TIME], pr_const(b, PR_VM_TICKS));
    pr_air_constrain(b, "time goes on", pr_mul(b, r->goes_on, pr_sub(b, x[PR_VM_X_TIME], then)));
    pr_expr at = pr_mul(b, r->adds, pr_add(b, before[PR_VM_X_AT], p->one));
    pr_air_constrain(b, "k counts", pr_sub(b, x[PR_VM_X_AT], at));
    pr_expr same_row = pr_mul(b, r->goes_on, pr_sub(b, p->one, before[PR_VM_X_END_J]));
    pr_expr j = pr_mul(b, same_row, pr_add(b, before[PR_VM_X_J], before[PR_VM_X_END_K]));
    pr_air_constrain(b, "j counts", pr_sub(b, x[PR_VM_X_J], j));
    pr_expr i = pr_mul(b, r->goes_on, pr_add(b, before[PR_VM_X_I], before[PR_VM_X_END_J]));
    pr_air_constrain(b, "i counts", pr_sub(b, x[PR_VM_X_I], i));
}

/* sum = sum before + x * y modulo 2^32 */
static void constrain_sum(pr_vm_parts *p, const product *r) {
    pr_air_builder *b = p->b;
    const pr_expr *x = r->x, *carry = &r->x[PR_VM_X_CARRY];
    for (int half = 0; half < 2; half++) {
        pr_expr all = pr_vm_half_of_product(p, &x[PR_VM_X_X], &x[PR_VM_X_Y], half);
        all = pr_add(b, all, pr_mul(b, r->adds, r->before[PR_VM_X_SUM + half]));
        if (half) all = pr_add(b, all, carry[0]);
        pr_expr result = pr_add(b, x[PR_VM_X_SUM + half], pr_vm_times(p, 65536, carry[half]));
        pr_air_constrain(b, half ? "sum, high half" : "sum, low half", pr_sub(b, all, result));
    }
}

/* An address, LO and HI, of the word number row * width + column of a matrix: below 2^20, so what it carries into HI is
 * a byte. LO has 16 bits, for no other word is in memory. */
static void constrain_address(pr_vm_parts *p, const product *r, int which, pr_expr out[2]) {
    static const char *const names[][2] = {
        {"address of x, low half", "address of x goes around 0 or 1 times"},
        {"address of y, low half", "address of y goes around 0 or 1 times"},
        {"address of the sum, low half", "address of the sum goes around 0 or 1 times"}};
    static const struct {
        int base, row, width, column;
    } all[] = {{PR_VM_X_A, PR_VM_X_I, PR_VM_X_K, PR_VM_X_AT},
               {PR_VM_X_B, PR_VM_X_AT, PR_VM_X_N, PR_VM_X_J},
               {PR_VM_X_D, PR_VM_X_I, PR_VM_X_N, PR_VM_X_J}};
    pr_air_builder *b = p->b;
    const pr_expr *x = r->x;
    pr_expr above = x[PR_VM_X_ABOVE + which], around = x[PR_VM_X_AROUND + which];
    pr_expr place = pr_add(b, pr_mul(b, x[all[which].row], x[all[which].width]), x[all[which].column]);
    out[0] = x[PR_VM_X_LOW + which];
    pr_expr low = pr_add(b, out[0], pr_vm_times(p, 65536, above));
    pr_air_constrain(b, names[which][0], pr_sub(b, low, pr_add(b, x[all[which].base], place)));
    pr_vm_boolean(p, names[which][1], around);
    out[1] = pr_sub(b, pr_add(b, x[all[which].base + 1], above), pr_vm_times(p, 65536, around));
}

static void look_up_access(pr_vm_parts *p, const product *r, pr_expr times, int tick, const pr_expr address[2],
                           const pr_expr word[2]) {
    pr_expr time = pr_add(p->b, r->x[PR_VM_X_TIME], pr_const(p->b, tick));
    const pr_expr access[] = {time, pr_const(p->b, tick == 2), address[0], address[1], word[0], word[1]};
    pr_vm_put(p, PR_VM_R_ACCESS, times, access, 6);
}

static void look_up_product(pr_vm_parts *p, const product *r) {
    pr_air_builder *b = p->b;
    const pr_expr *x = r->x;
    pr_expr live = x[PR_VM_X_LIVE], words[3][2] = {[2] = {x[PR_VM_X_SUM], x[PR_VM_X_SUM + 1]}};
    pr_vm_halves_of_bytes(p, words[0], &x[PR_VM_X_X]);
    pr_vm_halves_of_bytes(p, words[1], &x[PR_VM_X_Y]);
    for (int k = 0; k < 3; k++) {
        pr_expr address[2];
        constrain_address(p, r, k, address);
        look_up_access(p, r, k < 2 ? live : x[PR_VM_X_END_K], k, address, words[k]);
    }
    const pr_expr state[] = {pr_add(b, x[PR_VM_X_TIME], pr_const(b, PR_VM_TICKS)), x[PR_VM_X_NEXT]};
    pr_vm_take(p, PR_VM_R_MATMUL, x[PR_VM_X_FIRST], &x[PR_VM_X_TIME], 11);
    pr_vm_put(p, PR_VM_R_STATE, x[PR_VM_X_END_I], state, 2);
    pr_vm_look_up_bytes(p, live, &x[PR_VM_X_X]);
    pr_vm_look_up_bytes(p, live, &x[PR_VM_X_Y]);
    const pr_expr last[] = {x[PR_VM_X_ABOVE + 2], pr_const(b, 0)};
    pr_vm_take(p, PR_VM_R_PAIR, live, &x[PR_VM_X_ABOVE], 2);
    pr_vm_take(p, PR_VM_R_PAIR, live, last, 2);
    for (int k = 0; k < 2; k++) pr_vm_range(p, PR_VM_R_RANGE16, live, x[PR_VM_X_SUM + k]);
    for (int k = 0; k < 2; k++) pr_vm_range(p, PR_VM_R_RANGE10, live, x[PR_VM_X_CARRY + k]);
}

void pr_vm_air_product(pr_vm_parts *p) {
    product r;
    add_columns(p, &r);
    pr_expr live = r.x[PR_VM_X_LIVE];
    pr_vm_blank(p, live, r.x, PR_VM_X_TIME, PR_VM_X_I - PR_VM_X_TIME);
    pr_vm_blank(p, live, r.x, PR_VM_X_X, PR_VM_X_LOW - PR_VM_X_X); /* and y, carry */
    pr_vm_blank(p, live, r.x, PR_VM_X_ABOVE, 5);                   /* and around */
    pr_vm_blank(p, r.x[PR_VM_X_END_K], r.x, PR_VM_X_AROUND + 2, 1);
    constrain_ends(p, &r);
    constrain_steps(p, &r);
    constrain_sum(p, &r);
    look_up_product(p, &r);
}
