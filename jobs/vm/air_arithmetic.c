/* The functions of the ALU. Each component puts in tuples (function, a, b, c), one for each row that is live. */
#include "vm/parts.h"

/* Adds the flags' constraints; the flags' sum, which is 1 on live rows. */
static pr_expr live_of_flags(pr_vm_parts *p, const char *const *names, const pr_expr *flags, int n) {
    pr_expr live = flags[0];
    for (int k = 1; k < n; k++) live = pr_add(p->b, live, flags[k]);
    for (int k = 0; k < n; k++) pr_vm_boolean(p, names[k], flags[k]);
    pr_vm_boolean(p, "one function a row", live);
    return live;
}

/* A linear form of the flags: the function's number. */
static pr_expr function_of(pr_vm_parts *p, pr_vm_alu first, const pr_expr *flags, int n) {
    pr_expr function = pr_vm_times(p, first, flags[0]);
    for (int k = 1; k < n; k++) function = pr_add(p->b, function, pr_vm_times(p, (int64_t)first + k, flags[k]));
    return function;
}

void pr_vm_put_function(pr_vm_parts *p, pr_expr live, pr_expr function, const pr_expr a[2], const pr_expr b[2],
                        const pr_expr c[2]) {
    const pr_expr tuple[] = {function, a[0], a[1], b[0], b[1], c[0], c[1]};
    pr_vm_put(p, PR_VM_R_ALU, live, tuple, 7);
}

/* ---- ADD, SUB, LT, GT ----
 *
 * sum = a + b with a carry out of each half, or a - b (SUB, LT), b - a (GT) with a borrow into each. */

/* u * a + v * b - sum - in = -sign * 65536 * out, where sign is -1 for a sum and 1 for a difference */
static void constrain_half(pr_vm_parts *p, const char *name, const pr_expr *x, int half, pr_expr sign, pr_expr in) {
    pr_air_builder *b = p->b;
    pr_expr sum = pr_add(b, x[PR_VM_A_ADD], x[PR_VM_A_SUB]);
    pr_expr u = pr_sub(b, pr_add(b, sum, x[PR_VM_A_LT]), x[PR_VM_A_GT]);
    pr_expr v = pr_sub(b, pr_add(b, x[PR_VM_A_ADD], x[PR_VM_A_GT]), pr_add(b, x[PR_VM_A_SUB], x[PR_VM_A_LT]));
    pr_expr left = pr_add(b, pr_mul(b, u, x[PR_VM_A_A + half]), pr_mul(b, v, x[PR_VM_A_B + half]));
    pr_expr out = pr_mul(b, sign, pr_vm_times(p, 65536, x[PR_VM_A_CARRY + half]));
    pr_air_constrain(b, name, pr_add(b, pr_sub(b, pr_sub(b, left, x[PR_VM_A_SUM + half]), in), out));
}

void pr_vm_air_addition(pr_vm_parts *p) {
    static const char *const names[] = {"add is 0 or 1", "sub is 0 or 1", "lt is 0 or 1", "gt is 0 or 1"};
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_A_COLUMNS];
    pr_vm_begin(p, PR_VM_ADDITION, "addition", x, PR_VM_A_COLUMNS);
    pr_expr live = live_of_flags(p, names, &x[PR_VM_A_ADD], 4);
    pr_vm_blank(p, live, x, PR_VM_A_A, 4); /* and b */
    pr_vm_blank(p, live, x, PR_VM_A_CARRY, 2);
    pr_vm_boolean(p, "carry of the low half is 0 or 1", x[PR_VM_A_CARRY]);
    pr_vm_boolean(p, "carry of the high half is 0 or 1", x[PR_VM_A_CARRY + 1]);
    pr_expr sign = pr_sub(b, live, pr_vm_times(p, 2, x[PR_VM_A_ADD]));
    constrain_half(p, "low half", x, 0, sign, pr_const(b, 0));
    constrain_half(p, "high half", x, 1, sign, pr_mul(b, sign, x[PR_VM_A_CARRY]));
    pr_expr compares = pr_add(b, x[PR_VM_A_LT], x[PR_VM_A_GT]), low = x[PR_VM_A_SUM], high = x[PR_VM_A_SUM + 1];
    const pr_expr c[2] = {pr_add(b, low, pr_mul(b, compares, pr_sub(b, x[PR_VM_A_CARRY + 1], low))),
                          pr_sub(b, high, pr_mul(b, compares, high))};
    pr_vm_range(p, PR_VM_R_RANGE16, live, low);
    pr_vm_range(p, PR_VM_R_RANGE16, live, high);
    pr_vm_put_function(p, live, function_of(p, PR_VM_ALU_ADD, &x[PR_VM_A_ADD], 4), &x[PR_VM_A_A], &x[PR_VM_A_B], c);
}

/* ---- AND, OR, XOR: or = a + b - and, xor = a + b - 2 and, with no carry between the places ---- */

void pr_vm_air_bitwise(pr_vm_parts *p) {
    static const char *const names[] = {"and is 0 or 1", "or is 0 or 1", "xor is 0 or 1"};
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_B_COLUMNS], u[2], v[2], both[2], c[2];
    pr_vm_begin(p, PR_VM_BITWISE, "bitwise", x, PR_VM_B_COLUMNS);
    pr_expr live = live_of_flags(p, names, &x[PR_VM_B_AND], 3);
    pr_vm_blank(p, live, x, PR_VM_B_A, 12); /* all bytes */
    pr_expr adds = pr_add(b, x[PR_VM_B_OR], x[PR_VM_B_XOR]);
    pr_expr ands = pr_sub(b, pr_sub(b, x[PR_VM_B_AND], x[PR_VM_B_OR]), pr_vm_times(p, 2, x[PR_VM_B_XOR]));
    for (int k = 0; k < 2; k++) {
        u[k] = pr_vm_from_bytes(p, x[PR_VM_B_A + 2 * k], x[PR_VM_B_A + 2 * k + 1]);
        v[k] = pr_vm_from_bytes(p, x[PR_VM_B_B + 2 * k], x[PR_VM_B_B + 2 * k + 1]);
        both[k] = pr_vm_from_bytes(p, x[PR_VM_B_BOTH + 2 * k], x[PR_VM_B_BOTH + 2 * k + 1]);
        c[k] = pr_add(b, pr_mul(b, adds, pr_add(b, u[k], v[k])), pr_mul(b, ands, both[k]));
    }
    for (int k = 0; k < 4; k++) {
        const pr_expr bytes[] = {x[PR_VM_B_A + k], x[PR_VM_B_B + k], x[PR_VM_B_BOTH + k]};
        pr_vm_take(p, PR_VM_R_AND, live, bytes, 3);
    }
    pr_vm_put_function(p, live, function_of(p, PR_VM_ALU_AND, &x[PR_VM_B_AND], 3), u, v, c);
}

/* ---- products of four bytes by four ---- */

/* Sum of x[i] * y[j] with i + j = place: at most four terms below 2^16. */
static pr_expr place_of_product(pr_air_builder *b, const pr_expr *x, const pr_expr *y, int place) {
    int i = place > 3 ? place - 3 : 0;
    pr_expr sum = pr_mul(b, x[i], y[place - i]);
    for (i++; i <= 3 && i <= place; i++) sum = pr_add(b, sum, pr_mul(b, x[i], y[place - i]));
    return sum;
}

pr_expr pr_vm_half_of_product(pr_vm_parts *p, const pr_expr *x, const pr_expr *y, int half) {
    pr_expr low = place_of_product(p->b, x, y, 2 * half);
    return half == 3 ? low : pr_vm_from_bytes(p, low, place_of_product(p->b, x, y, 2 * half + 1));
}

void pr_vm_look_up_bytes(pr_vm_parts *p, pr_expr live, const pr_expr *bytes) {
    pr_vm_take(p, PR_VM_R_PAIR, live, bytes, 2);
    pr_vm_take(p, PR_VM_R_PAIR, live, bytes + 2, 2);
}

void pr_vm_halves_of_bytes(pr_vm_parts *p, pr_expr out[2], const pr_expr *bytes) {
    for (int k = 0; k < 2; k++) out[k] = pr_vm_from_bytes(p, bytes[2 * k], bytes[2 * k + 1]);
}

/* ---- MUL ---- */

void pr_vm_air_multiplication(pr_vm_parts *p) {
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_P_COLUMNS], u[2], v[2];
    pr_vm_begin(p, PR_VM_MULTIPLICATION, "multiplication", x, PR_VM_P_COLUMNS);
    pr_expr live = x[PR_VM_P_LIVE], *carry = &x[PR_VM_P_CARRY], *c = &x[PR_VM_P_C];
    pr_vm_boolean(p, "live is 0 or 1", live);
    pr_vm_blank(p, live, x, PR_VM_P_A, 8); /* and b */
    pr_vm_blank(p, live, x, PR_VM_P_CARRY, 2);
    pr_expr low = pr_vm_half_of_product(p, &x[PR_VM_P_A], &x[PR_VM_P_B], 0);
    pr_expr high = pr_vm_half_of_product(p, &x[PR_VM_P_A], &x[PR_VM_P_B], 1);
    pr_air_constrain(b, "low half", pr_sub(b, low, pr_add(b, c[0], pr_vm_times(p, 65536, carry[0]))));
    pr_air_constrain(b, "high half",
                     pr_sub(b, pr_add(b, high, carry[0]), pr_add(b, c[1], pr_vm_times(p, 65536, carry[1]))));
    pr_vm_halves_of_bytes(p, u, &x[PR_VM_P_A]);
    pr_vm_halves_of_bytes(p, v, &x[PR_VM_P_B]);
    pr_vm_put_function(p, live, pr_vm_times(p, PR_VM_ALU_MUL, live), u, v, c);
    pr_vm_look_up_bytes(p, live, &x[PR_VM_P_A]);
    pr_vm_look_up_bytes(p, live, &x[PR_VM_P_B]);
    for (int k = 0; k < 2; k++) pr_vm_range(p, PR_VM_R_RANGE16, live, c[k]);
    for (int k = 0; k < 2; k++) pr_vm_range(p, PR_VM_R_RANGE10, live, carry[k]);
}

/* ---- DIV, MOD: a = quotient * b + rest, and rest < b; b = 0 satisfies neither ---- */

static void constrain_division(pr_vm_parts *p, const pr_expr *x, pr_expr live, const pr_expr v[2]) {
    pr_air_builder *b = p->b;
    const pr_expr *quotient = &x[PR_VM_D_QUOTIENT], *divisor = &x[PR_VM_D_B], *rest = &x[PR_VM_D_REST];
    pr_expr carry = x[PR_VM_D_CARRY], borrow = x[PR_VM_D_BORROW], part[4];
    for (int k = 0; k < 4; k++) part[k] = pr_vm_half_of_product(p, quotient, divisor, k);
    pr_expr low = pr_add(b, x[PR_VM_D_A], pr_vm_times(p, 65536, carry));
    pr_air_constrain(b, "a is the product and the rest, low half", pr_sub(b, pr_add(b, part[0], rest[0]), low));
    pr_expr high = pr_add(b, pr_add(b, part[1], carry), rest[1]);
    pr_air_constrain(b, "a is the product and the rest, high half", pr_sub(b, high, x[PR_VM_D_A + 1]));
    pr_air_constrain(b, "the product has 32 bits", pr_add(b, part[2], part[3]));
    pr_vm_boolean(p, "borrow is 0 or 1", borrow);
    pr_expr least = pr_sub(b, pr_sub(b, v[0], rest[0]), live);
    low = pr_sub(b, pr_add(b, least, pr_vm_times(p, 65536, borrow)), x[PR_VM_D_LACK]);
    pr_air_constrain(b, "the rest is below b, low half", low);
    high = pr_sub(b, pr_sub(b, pr_sub(b, v[1], rest[1]), borrow), x[PR_VM_D_LACK + 1]);
    pr_air_constrain(b, "the rest is below b, high half", high);
}

void pr_vm_air_division(pr_vm_parts *p) {
    static const char *const names[] = {"div is 0 or 1", "mod is 0 or 1"};
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_D_COLUMNS], v[2], q[2], c[2];
    pr_vm_begin(p, PR_VM_DIVISION, "division", x, PR_VM_D_COLUMNS);
    pr_expr live = live_of_flags(p, names, &x[PR_VM_D_DIV], 2);
    pr_vm_blank(p, live, x, PR_VM_D_B, 10);    /* and quotient, rest */
    pr_vm_blank(p, live, x, PR_VM_D_CARRY, 2); /* and borrow */
    pr_vm_halves_of_bytes(p, v, &x[PR_VM_D_B]);
    pr_vm_halves_of_bytes(p, q, &x[PR_VM_D_QUOTIENT]);
    constrain_division(p, x, live, v);
    pr_vm_look_up_bytes(p, live, &x[PR_VM_D_B]);
    pr_vm_look_up_bytes(p, live, &x[PR_VM_D_QUOTIENT]);
    for (int k = 0; k < 2; k++) pr_vm_range(p, PR_VM_R_RANGE16, live, x[PR_VM_D_REST + k]);
    for (int k = 0; k < 2; k++) pr_vm_range(p, PR_VM_R_RANGE16, live, x[PR_VM_D_LACK + k]);
    pr_vm_range(p, PR_VM_R_RANGE10, live, x[PR_VM_D_CARRY]);
    for (int k = 0; k < 2; k++)
        c[k] = pr_add(b, pr_mul(b, x[PR_VM_D_DIV], q[k]), pr_mul(b, x[PR_VM_D_MOD], x[PR_VM_D_REST + k]));
    pr_vm_put_function(p, live, function_of(p, PR_VM_ALU_DIV, &x[PR_VM_D_DIV], 2), &x[PR_VM_D_A], v, c);
}

/* ---- SHL, SHR: a product with a power of two, and a quotient ---- */

void pr_vm_air_shift(pr_vm_parts *p) {
    static const char *const names[] = {"shl is 0 or 1", "shr is 0 or 1"};
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_S_COLUMNS];
    pr_vm_begin(p, PR_VM_SHIFT, "shift", x, PR_VM_S_COLUMNS);
    pr_expr live = live_of_flags(p, names, &x[PR_VM_S_SHL], 2);
    pr_vm_blank(p, live, x, PR_VM_S_A, PR_VM_S_COLUMNS - PR_VM_S_A);
    pr_expr places = x[PR_VM_S_PLACES], *power = &x[PR_VM_S_POWER];
    const pr_expr v[2] = {pr_add(b, places, pr_vm_times(p, 32, x[PR_VM_S_ABOVE])), x[PR_VM_S_B_HI]};
    const pr_expr table[] = {places, power[0], power[1]};
    pr_vm_range(p, PR_VM_R_RANGE16, live, x[PR_VM_S_ABOVE]);
    pr_vm_take(p, PR_VM_R_POWER, live, table, 3);
    pr_vm_put_function(p, live, function_of(p, PR_VM_ALU_SHL, &x[PR_VM_S_SHL], 2), &x[PR_VM_S_A], v, &x[PR_VM_S_C]);
    const pr_expr *a = &x[PR_VM_S_A], *c = &x[PR_VM_S_C];
    const pr_expr work[] = {
        function_of(p, PR_VM_ALU_MUL, &x[PR_VM_S_SHL], 2), a[0], a[1], power[0], power[1], c[0], c[1]};
    pr_vm_take(p, PR_VM_R_ALU, live, work, 7);
}

/* ---- EQ. A difference of words, seen as one element, can be zero where the words differ: each half has its own. ----
 */

void pr_vm_air_equality(pr_vm_parts *p) {
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_E_COLUMNS];
    pr_vm_begin(p, PR_VM_EQUALITY, "equality", x, PR_VM_E_COLUMNS);
    pr_expr live = x[PR_VM_E_LIVE], equal = x[PR_VM_E_EQUAL], *inverse = &x[PR_VM_E_INVERSE];
    pr_expr low = pr_sub(b, x[PR_VM_E_A], x[PR_VM_E_B]), high = pr_sub(b, x[PR_VM_E_A + 1], x[PR_VM_E_B + 1]);
    pr_vm_boolean(p, "live is 0 or 1", live);
    pr_vm_blank(p, live, x, PR_VM_E_A, 4); /* and b */
    pr_vm_blank(p, live, x, PR_VM_E_INVERSE, 2);
    pr_air_constrain(b, "equal words are equal, low half", pr_mul(b, equal, low));
    pr_air_constrain(b, "equal words are equal, high half", pr_mul(b, equal, high));
    pr_expr differs = pr_add(b, pr_mul(b, low, inverse[0]), pr_mul(b, high, inverse[1]));
    pr_air_constrain(b, "other words differ", pr_sub(b, differs, pr_sub(b, live, equal)));
    const pr_expr c[2] = {equal, pr_const(b, 0)};
    pr_vm_put_function(p, live, pr_vm_times(p, PR_VM_ALU_EQ, live), &x[PR_VM_E_A], &x[PR_VM_E_B], c);
}
