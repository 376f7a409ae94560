/* Memory and registers: each access takes out what the access before put in, at an earlier time. */
#include "vm/parts.h"

void pr_vm_air_memory(pr_vm_parts *p) {
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_Y_COLUMNS];
    pr_vm_begin(p, PR_VM_MEMORY, "memory", x, PR_VM_Y_COLUMNS);
    pr_expr live = x[PR_VM_Y_LIVE];
    const pr_expr *address = &x[PR_VM_Y_ADDRESS], *value = &x[PR_VM_Y_VALUE], *old = &x[PR_VM_Y_OLD];
    pr_vm_boolean(p, "live is 0 or 1", live);
    pr_vm_blank(p, live, x, PR_VM_Y_TIME, PR_VM_Y_OLD - PR_VM_Y_TIME);
    pr_vm_blank(p, live, x, PR_VM_Y_AGE, 2);
    pr_expr reads = pr_sub(b, p->one, x[PR_VM_Y_WRITES]);
    pr_air_constrain(b, "a read changes nothing, low half", pr_mul(b, reads, pr_sub(b, value[0], old[0])));
    pr_air_constrain(b, "a read changes nothing, high half", pr_mul(b, reads, pr_sub(b, value[1], old[1])));
    const pr_expr *age = &x[PR_VM_Y_AGE];
    pr_expr past = pr_add(b, age[0], pr_add(b, pr_vm_times(p, 65536, age[1]), p->one));
    const pr_expr access[] = {x[PR_VM_Y_TIME], x[PR_VM_Y_WRITES], address[0], address[1], value[0], value[1]};
    const pr_expr out[] = {address[0], address[1], old[0], old[1], pr_sub(b, x[PR_VM_Y_TIME], past)};
    const pr_expr in[] = {address[0], address[1], value[0], value[1], x[PR_VM_Y_TIME]};
    const pr_expr high[] = {age[1], pr_const(b, 0)};
    pr_vm_take(p, PR_VM_R_ACCESS, live, access, 6);
    pr_vm_take(p, PR_VM_R_MEMORY, live, out, 5);
    pr_vm_put(p, PR_VM_R_MEMORY, live, in, 5);
    pr_vm_range(p, PR_VM_R_RANGE16, live, age[0]);
    pr_vm_take(p, PR_VM_R_PAIR, live, high, 2);
}

/* Addresses ascend: no word starts twice. */
static void constrain_order(pr_vm_parts *p, const pr_expr *x, pr_expr live_before, const pr_expr before[2]) {
    pr_air_builder *b = p->b;
    pr_expr follows = pr_sub(b, p->one, pr_air_use_preprocessed(b, "words first")), live = x[PR_VM_W_LIVE];
    pr_expr borrow = x[PR_VM_W_BORROW];
    pr_vm_boolean(p, "borrow is 0 or 1", borrow);
    pr_air_constrain(b, "words stand together", pr_mul(b, pr_mul(b, follows, live), pr_sub(b, p->one, live_before)));
    pr_expr least = pr_mul(b, follows, pr_add(b, before[0], p->one));
    pr_expr low = pr_add(b, pr_sub(b, x[PR_VM_W_ADDRESS], least), pr_vm_times(p, 65536, borrow));
    pr_air_constrain(b, "addresses ascend, low half", pr_mul(b, live, pr_sub(b, low, x[PR_VM_W_STEP])));
    pr_expr high = pr_sub(b, pr_sub(b, x[PR_VM_W_ADDRESS + 1], pr_mul(b, follows, before[1])), borrow);
    pr_air_constrain(b, "addresses ascend, high half", pr_mul(b, live, pr_sub(b, high, x[PR_VM_W_STEP + 1])));
}

static void look_up_words(pr_vm_parts *p, const pr_expr *x) {
    pr_air_builder *b = p->b;
    pr_expr live = x[PR_VM_W_LIVE], zero = pr_const(b, 0);
    const pr_expr *address = &x[PR_VM_W_ADDRESS], *first = &x[PR_VM_W_FIRST], *last = &x[PR_VM_W_LAST];
    const pr_expr starts[] = {address[0], address[1], first[0], first[1], zero};
    const pr_expr ends[] = {address[0], address[1], last[0], last[1], x[PR_VM_W_TIME]};
    const pr_expr input[] = {zero, address[0], address[1], first[0], first[1]};
    const pr_expr output[] = {p->one, address[0], address[1], last[0], last[1]};
    pr_vm_put(p, PR_VM_R_MEMORY, live, starts, 5);
    pr_vm_take(p, PR_VM_R_MEMORY, live, ends, 5);
    pr_vm_take(p, PR_VM_R_PUBLIC, x[PR_VM_W_IS_INPUT], input, 5);
    pr_vm_put(p, PR_VM_R_PUBLIC, x[PR_VM_W_IS_OUTPUT], output, 5);
    for (int k = 0; k < 2; k++) pr_vm_range(p, PR_VM_R_RANGE16, live, address[k]);
    for (int k = 0; k < 2; k++) pr_vm_range(p, PR_VM_R_RANGE16, live, x[PR_VM_W_STEP + k]);
}

void pr_vm_air_words(pr_vm_parts *p) {
    static const int32_t offsets[2] = {-1, 0};
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_W_COLUMNS], live[2], low[2], high[2];
    pr_vm_begin(p, PR_VM_WORDS, "words", NULL, 0);
    pr_air_add_column_mask(b, live, offsets, 2);
    pr_air_add_column_mask(b, low, offsets, 2);
    pr_air_add_column_mask(b, high, offsets, 2);
    x[PR_VM_W_LIVE] = live[1], x[PR_VM_W_ADDRESS] = low[1], x[PR_VM_W_ADDRESS + 1] = high[1];
    for (int k = PR_VM_W_FIRST; k < PR_VM_W_COLUMNS; k++) x[k] = pr_air_add_column(b, 0);
    pr_vm_boolean(p, "live is 0 or 1", live[1]);
    pr_vm_boolean(p, "is input is 0 or 1", x[PR_VM_W_IS_INPUT]);
    pr_vm_boolean(p, "is output is 0 or 1", x[PR_VM_W_IS_OUTPUT]);
    pr_vm_blank(p, live[1], x, PR_VM_W_ADDRESS, 2);
    pr_vm_blank(p, live[1], x, PR_VM_W_LAST, PR_VM_W_COLUMNS - PR_VM_W_LAST);
    pr_expr unset = pr_sub(b, p->one, x[PR_VM_W_IS_INPUT]);
    pr_air_constrain(b, "other words start as zero, low half", pr_mul(b, unset, x[PR_VM_W_FIRST]));
    pr_air_constrain(b, "other words start as zero, high half", pr_mul(b, unset, x[PR_VM_W_FIRST + 1]));
    const pr_expr before[2] = {low[0], high[0]};
    constrain_order(p, x, live[0], before);
    look_up_words(p, x);
}

void pr_vm_air_registers(pr_vm_parts *p) {
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_G_COLUMNS];
    pr_vm_begin(p, PR_VM_REGISTER_FILE, "registers", x, PR_VM_G_COLUMNS);
    pr_expr number = pr_air_use_preprocessed(b, "register"), zero = pr_const(b, 0);
    const pr_expr starts[] = {number, zero, zero, zero};
    const pr_expr ends[] = {number, x[PR_VM_G_LAST], x[PR_VM_G_LAST + 1], x[PR_VM_G_TIME]};
    pr_vm_put(p, PR_VM_R_REGISTER, p->one, starts, 4);
    pr_vm_take(p, PR_VM_R_REGISTER, p->one, ends, 4);
}
