/* The rows of the components. What cannot be satisfied (a record that is false) gives a row that breaks the constraint
 * against it and no other: the tests rely on that. */
#include "field/m31.h"
#include "vm/trace.h"

static void put(pr_m31 *out, int column, pr_m31 value) { out[column * PR_VM_BLOCK] = value; }

static void put_word(pr_m31 *out, int column, uint32_t word) {
    put(out, column, word & 0xffff);
    put(out, column + 1, word >> 16);
}

static void put_bytes(pr_m31 *out, int column, uint32_t word) {
    for (int k = 0; k < 4; k++) put(out, column + k, word >> 8 * k & 0xff);
}

/* Time since an access, less 1. */
static void put_age(pr_m31 *out, int column, uint32_t now, uint32_t touched) {
    put_word(out, column, now - touched - 1);
}

void pr_vm_row_main(pr_m31 *out, const pr_vm_trace *trace, const pr_vm_step *step) {
    const pr_vm_line *line = &trace->machine.lines[step->pc];
    uint32_t now = PR_VM_TICKS * step->number;
    put(out, PR_VM_M_LIVE, 1);
    put(out, PR_VM_M_TIME, now);
    put(out, PR_VM_M_NEXT, step->next);
    const pr_m31 *values = trace->line_values[step->pc];
    for (int k = 0; k < PR_VM_LINE_VALUES; k++) put(out, PR_VM_M_PC + k, values[k]);
    for (uint32_t k = 0; k < trace->n_extra; k++) put(out, PR_VM_M_COLUMNS + (int)k, values[PR_VM_LINE_VALUES + k]);
    put(out, PR_VM_M_TRAP, step->trap);
    put_word(out, PR_VM_M_A, step->a);
    put_word(out, PR_VM_M_S, step->s);
    put_word(out, PR_VM_M_B, pr_vm_line_has(line, PR_VM_F_IMMEDIATE) ? line->imm : step->s);
    put_word(out, PR_VM_M_C, step->c);
    put_word(out, PR_VM_M_M, step->m);
    put_word(out, PR_VM_M_ADDRESS, pr_vm_line_has(line, PR_VM_F_RET) ? step->a : step->c);
    put_word(out, PR_VM_M_OLD, step->old);
    put_word(out, PR_VM_M_WRITTEN, step->written);
    put_age(out, PR_VM_M_A_AGE, now, step->a_touched);
    put_age(out, PR_VM_M_S_AGE, now + 1, step->s_touched);
    put_age(out, PR_VM_M_D_AGE, now + 2, step->d_touched);
}

void pr_vm_row_memory(pr_m31 *out, const pr_vm_access *access) {
    put(out, PR_VM_Y_LIVE, 1);
    put(out, PR_VM_Y_TIME, access->timestamp);
    put(out, PR_VM_Y_WRITES, access->write);
    put_word(out, PR_VM_Y_ADDRESS, access->address);
    put_word(out, PR_VM_Y_VALUE, access->value);
    put_word(out, PR_VM_Y_OLD, access->old);
    put_age(out, PR_VM_Y_AGE, access->timestamp, access->touched);
}

/* Whether an address is one of n words from base on. */
static bool is_in(uint32_t address, uint32_t base, uint32_t n) { return address - base < n; }

void pr_vm_row_words(pr_m31 *out, const pr_vm_trace *trace, size_t index) {
    const pr_vm_word *word = &trace->machine.memory.words[index];
    uint32_t least = index ? word[-1].address + 1 : 0;
    put(out, PR_VM_W_LIVE, 1);
    put_word(out, PR_VM_W_ADDRESS, word->address);
    put_word(out, PR_VM_W_FIRST, word->first);
    put_word(out, PR_VM_W_LAST, word->value);
    put(out, PR_VM_W_TIME, word->touched);
    bool is_input =
        is_in(word->address, PR_VM_DATA, trace->n_data) || is_in(word->address, PR_VM_INPUT, trace->n_inputs + 1);
    put(out, PR_VM_W_IS_INPUT, is_input);
    put(out, PR_VM_W_IS_OUTPUT, is_in(word->address, PR_VM_OUTPUT, trace->n_outputs + 1));
    put_word(out, PR_VM_W_STEP, word->address - least);
    put(out, PR_VM_W_BORROW, index && (word->address & 0xffff) < (word[-1].address & 0xffff) + 1);
}

void pr_vm_row_registers(pr_m31 *out, const pr_vm_trace *trace, size_t index) {
    put_word(out, PR_VM_G_LAST, trace->machine.registers[index]);
    put(out, PR_VM_G_TIME, trace->machine.touched[index]);
}

void pr_vm_row_addition(pr_m31 *out, const pr_vm_call *call) {
    bool adds = call->alu == PR_VM_ALU_ADD, compares = call->alu == PR_VM_ALU_LT || call->alu == PR_VM_ALU_GT;
    uint32_t u = call->alu == PR_VM_ALU_GT ? call->b : call->a, v = call->alu == PR_VM_ALU_GT ? call->a : call->b;
    uint32_t low_u = u & 0xffff, low_v = v & 0xffff;
    put(out, PR_VM_A_ADD + call->alu - PR_VM_ALU_ADD, 1);
    put_word(out, PR_VM_A_A, call->a);
    put_word(out, PR_VM_A_B, call->b);
    put_word(out, PR_VM_A_SUM, compares ? u - v : call->c);
    put(out, PR_VM_A_CARRY, adds ? (low_u + low_v) >> 16 : low_u < low_v);
    put(out, PR_VM_A_CARRY + 1, compares ? call->c : adds ? (uint32_t)(((uint64_t)u + v) >> 32) : u < v);
}

void pr_vm_row_bitwise(pr_m31 *out, const pr_vm_call *call) {
    put(out, PR_VM_B_AND + call->alu - PR_VM_ALU_AND, 1);
    put_bytes(out, PR_VM_B_A, call->a);
    put_bytes(out, PR_VM_B_B, call->b);
    put_bytes(out, PR_VM_B_BOTH, call->a & call->b);
}

/* The part of x * y, in bytes, that counts 2^(16 half). */
static uint32_t half_of_product(uint32_t x, uint32_t y, unsigned half) {
    uint32_t sum = 0;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < 4; j++)
            if ((i + j) / 2 == half) sum += ((x >> 8 * i & 0xff) * (y >> 8 * j & 0xff)) << 8 * ((i + j) % 2);
    return sum;
}

void pr_vm_row_multiplication(pr_m31 *out, const pr_vm_call *call) {
    uint32_t low = half_of_product(call->a, call->b, 0), carry = low >> 16;
    put(out, PR_VM_P_LIVE, 1);
    put_bytes(out, PR_VM_P_A, call->a);
    put_bytes(out, PR_VM_P_B, call->b);
    put_word(out, PR_VM_P_C, call->c);
    put(out, PR_VM_P_CARRY, carry);
    put(out, PR_VM_P_CARRY + 1, (half_of_product(call->a, call->b, 1) + carry) >> 16);
}

void pr_vm_row_division(pr_m31 *out, const pr_vm_call *call) {
    bool divides = call->alu == PR_VM_ALU_DIV;
    uint32_t quotient = divides ? call->c : call->a / call->b;
    uint32_t rest = divides ? call->a % call->b : call->c, lack = call->b - rest - 1;
    put(out, divides ? PR_VM_D_DIV : PR_VM_D_MOD, 1);
    put_word(out, PR_VM_D_A, call->a);
    put_bytes(out, PR_VM_D_B, call->b);
    put_bytes(out, PR_VM_D_QUOTIENT, quotient);
    put_word(out, PR_VM_D_REST, rest);
    put_word(out, PR_VM_D_LACK, lack);
    put(out, PR_VM_D_CARRY, (half_of_product(quotient, call->b, 0) + (rest & 0xffff)) >> 16);
    put(out, PR_VM_D_BORROW, (call->b & 0xffff) < (rest & 0xffff) + 1);
}

void pr_vm_row_shift(pr_m31 *out, const pr_vm_call *call) {
    uint32_t places = call->b % 32;
    put(out, call->alu == PR_VM_ALU_SHL ? PR_VM_S_SHL : PR_VM_S_SHR, 1);
    put_word(out, PR_VM_S_A, call->a);
    put(out, PR_VM_S_PLACES, places);
    put(out, PR_VM_S_ABOVE, (call->b & 0xffff) / 32);
    put(out, PR_VM_S_B_HI, call->b >> 16);
    put_word(out, PR_VM_S_POWER, UINT32_C(1) << places);
    put_word(out, PR_VM_S_C, call->c);
}

/* The inverse of x - y, 0 where there is none. */
static pr_m31 inverse_of_difference(uint32_t x, uint32_t y) { return x == y ? 0 : pr_m31_inverse(pr_m31_sub(x, y)); }

void pr_vm_row_equality(pr_m31 *out, const pr_vm_call *call) {
    uint32_t low_a = call->a & 0xffff, low_b = call->b & 0xffff;
    put(out, PR_VM_E_LIVE, 1);
    put_word(out, PR_VM_E_A, call->a);
    put_word(out, PR_VM_E_B, call->b);
    put(out, PR_VM_E_EQUAL, call->c);
    put(out, PR_VM_E_INVERSE, inverse_of_difference(low_a, low_b));
    if (low_a == low_b) put(out, PR_VM_E_INVERSE + 1, inverse_of_difference(call->a >> 16, call->b >> 16));
}

void pr_vm_row_rectifier(pr_m31 *out, const pr_vm_call *call) {
    put(out, PR_VM_L_LIVE, 1);
    put(out, PR_VM_L_A_LO, call->a & 0xffff);
    put(out, PR_VM_L_REST, call->a >> 16 & 0x7fff);
    put(out, PR_VM_L_SIGN, call->a >> 31);
}

/* The address of the word number place behind a base. */
static void put_address(pr_m31 *out, int which, uint32_t base, uint32_t place) {
    uint32_t low = (base & 0xffff) + place, above = low >> 16;
    put(out, PR_VM_X_LOW + which, low & 0xffff);
    put(out, PR_VM_X_ABOVE + which, above);
    put(out, PR_VM_X_AROUND + which, ((base >> 16) + above) >> 16);
}

void pr_vm_row_product(pr_m31 *out, const pr_vm_trace *trace, size_t index) {
    const pr_vm_product *product = &trace->machine.products[index];
    const pr_vm_matmul *x = &trace->machine.matmuls[product->matmul];
    uint32_t step = (uint32_t)index - x->first, word = step / x->inner, k = step % x->inner;
    uint32_t i = word / x->columns, j = word % x->columns, before = k ? product[-1].sum : 0;
    bool end_k = k == x->inner - 1u, end_j = end_k && j == x->columns - 1u;
    const pr_m31 head[] = {1, x->timestamp + PR_VM_TICKS * step, x->next};
    const pr_m31 places[] = {x->rows, x->inner, x->columns, i, j, k, end_k, end_j, end_j && i == x->rows - 1u};
    for (int c = 0; c < 3; c++) put(out, PR_VM_X_LIVE + c, head[c]);
    for (int c = 0; c < 9; c++) put(out, PR_VM_X_M + c, places[c]);
    put_word(out, PR_VM_X_A, x->a);
    put_word(out, PR_VM_X_B, x->b);
    put_word(out, PR_VM_X_D, x->d);
    put_word(out, PR_VM_X_SUM, product->sum);
    put(out, PR_VM_X_FIRST, step == 0);
    put_bytes(out, PR_VM_X_X, product->x);
    put_bytes(out, PR_VM_X_Y, product->y);
    uint32_t carry = (half_of_product(product->x, product->y, 0) + (before & 0xffff)) >> 16;
    put(out, PR_VM_X_CARRY, carry);
    put(out, PR_VM_X_CARRY + 1, (half_of_product(product->x, product->y, 1) + (before >> 16) + carry) >> 16);
    put_address(out, 0, x->a, i * x->inner + k);
    put_address(out, 1, x->b, k * x->columns + j);
    put_address(out, 2, x->d, i * x->columns + j);
    if (!end_k) put(out, PR_VM_X_AROUND + 2, 0); /* where nothing is written */
}

/* Carries of base + place into HI and out of it. */
static void put_carries(pr_m31 *out, int above_at, int around_at, uint32_t base, uint32_t place) {
    uint32_t above = ((base & 0xffff) + place) >> 16;
    put(out, above_at, above);
    put(out, around_at, ((base >> 16) + above) >> 16);
}

void pr_vm_row_sponge(pr_m31 *out, const pr_vm_trace *trace, size_t index) {
    const pr_vm_block *block = &trace->machine.blocks[index];
    const pr_vm_hash *x = &trace->machine.hashes[block->hash];
    uint32_t k = (uint32_t)index - x->first, address = x->a + 4 * k, left = x->n - 4 * k;
    bool is_last = left <= 4;
    put(out, PR_VM_H_LIVE, 1);
    put(out, PR_VM_H_TIME, x->timestamp + 4 * PR_VM_TICKS * k);
    put(out, PR_VM_H_NEXT, x->next);
    put_word(out, PR_VM_H_D, x->d);
    put_word(out, PR_VM_H_ADDRESS, address);
    put(out, PR_VM_H_LEFT, left);
    put(out, PR_VM_H_LAST, is_last);
    if (!is_last) put_carries(out, PR_VM_H_ABOVE_NEXT, PR_VM_H_AROUND_NEXT, address, 4);
    put(out, PR_VM_H_FIRST, k == 0);
    if (k == 0) put(out, PR_VM_H_N_HI, x->n >> 16);
    for (uint32_t i = 0; i < 4 && i < left; i++) {
        put(out, PR_VM_H_PRESENT + (int)i, 1);
        put_word(out, PR_VM_H_BLOCK + 2 * (int)i, block->words[i]);
        if (i) put_carries(out, PR_VM_H_ABOVE + (int)i - 1, PR_VM_H_AROUND + (int)i - 1, address, i);
    }
    for (int i = 0; i < 8; i++) put(out, PR_VM_H_CAPACITY + i, block->capacity[i]);
}

void pr_vm_row_digest(pr_m31 *out, const pr_vm_trace *trace, size_t index) {
    const pr_vm_hash *x = &trace->machine.hashes[index];
    put(out, PR_VM_Z_LIVE, 1);
    put(out, PR_VM_Z_TIME, x->timestamp + 4 * PR_VM_TICKS * pr_vm_hash_blocks(x->n));
    put(out, PR_VM_Z_NEXT, x->next);
    put_word(out, PR_VM_Z_D, x->d);
    for (int i = 0; i < 8; i++) {
        uint32_t word = x->digest[i], lack = 0x7fff + 0xffff - (word >> 16) - (word & 0xffff);
        put_word(out, PR_VM_Z_WORDS + 2 * i, word);
        put(out, PR_VM_Z_INVERSE + i, lack ? pr_m31_inverse(lack % PR_P) : 0);
        if (i) put_carries(out, PR_VM_Z_ABOVE + i - 1, PR_VM_Z_AROUND + i - 1, x->d, (uint32_t)i);
    }
}
