#include "vm_programs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "support.h"
#include "vm/assemble.h"

pr_vm_program vm_assemble(const char *text) {
    pr_vm_program program;
    pr_error err = {0};
    if (pr_vm_assemble(&program, text, strlen(text), "test", &err) != PR_OK) fail_msg("%s", err.text);
    return program;
}

uint32_t vm_random_word(uint64_t *random) {
    static const uint32_t edges[] = {0,          1,          2,          31,         32,         33,
                                     0xff,       0x100,      0xffff,     0x10000,    0x10001,    0x7ffeffff,
                                     0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0x7fff0000};
    uint64_t r = next_random(random);
    if (r % 3 == 0) return edges[r / 3 % (sizeof edges / sizeof *edges)];
    return (uint32_t)(r >> 32) >> (r % 4 == 0 ? r / 4 % 32 : 0);
}

static pr_vm_instruction random_instruction(uint64_t *random, uint32_t at, uint32_t n) {
    uint64_t r = next_random(random);
    pr_vm_instruction i = {.opcode = (uint8_t)(r % PR_VM_OPCODES)};
    uint8_t rd = r >> 8 & 7, rs1 = r >> 16 & 7, rs2 = r >> 24 & 7; /* few registers: values travel */
    /* mostly forwards, or few programs end */
    uint32_t target = r >> 60 ? at + 1 + (uint32_t)(r >> 32) % 6 : (uint32_t)(r >> 32) % n;
    if (target >= n) target = n - 1;
    switch (pr_vm_opcode_form(i.opcode)) {
    case PR_VM_FORM_NONE:
        if (i.opcode == PR_VM_HALT && r >> 62) i.opcode = PR_VM_NOP;
        break;
    case PR_VM_FORM_CONSTANT:
        i.rd = rd, i.imm = vm_random_word(random);
        break;
    case PR_VM_FORM_LOAD:
        i.rd = rd, i.rs1 = rs1, i.imm = vm_random_word(random) & 3;
        break;
    case PR_VM_FORM_STORE:
        i.rs2 = rs2, i.rs1 = rs1, i.imm = vm_random_word(random) & 3;
        break;
    case PR_VM_FORM_BINARY:
        i.rd = rd, i.rs1 = rs1, i.immediate = r >> 40 & 1;
        if (i.opcode == PR_VM_HASH) i.immediate = true; /* of few words, or few programs end */
        if (i.immediate) i.imm = i.opcode == PR_VM_HASH ? (uint32_t)(r >> 41) % 14 : vm_random_word(random);
        if (!i.immediate) i.rs2 = rs2;
        break;
    case PR_VM_FORM_UNARY:
        i.rd = rd, i.rs1 = rs1;
        break;
    case PR_VM_FORM_JUMP:
        i.imm = target;
        break;
    case PR_VM_FORM_BRANCH:
        i.rs1 = rs1, i.imm = target;
        break;
    case PR_VM_FORM_MATMUL:
        i.rd = rd, i.rs1 = rs1, i.rs2 = rs2;
        for (unsigned k = 0; k < PR_VM_DIMENSIONS; k++) pr_vm_set_dimension(&i, k, 1 + (r >> 32 >> 8 * k) % 4);
        break;
    }
    return i;
}

pr_vm_program vm_random_program(uint64_t *random, uint32_t n) {
    pr_vm_program p = {.n_instructions = n, .n_data = (uint32_t)next_random(random) % 4};
    p.instructions = calloc(n, sizeof *p.instructions);
    p.data = calloc(p.n_data + 1, sizeof *p.data);
    assert_true(p.instructions && p.data);
    for (uint32_t k = 0; k + 1 < n; k++) p.instructions[k] = random_instruction(random, k, n);
    for (uint32_t k = 0; k < p.n_data; k++) p.data[k] = vm_random_word(random);
    p.instructions[n - 1] = (pr_vm_instruction){.opcode = PR_VM_HALT};
    assert_int_equal(pr_vm_program_check(&p, NULL), PR_OK);
    return p;
}

pr_vm_program vm_random_ending_program(uint64_t *random, uint32_t max_steps) {
    for (;;) {
        pr_vm_program p = vm_random_program(random, 8 + (uint32_t)next_random(random) % 60);
        pr_vm_machine m;
        assert_int_equal(pr_vm_machine_init(&m, &p, NULL, 0, NULL), PR_OK);
        pr_status status = pr_vm_machine_run(&m, max_steps, NULL);
        pr_vm_machine_clear(&m);
        if (status == PR_OK) return p;
        pr_vm_program_clear(&p);
    }
}

pr_vm_machine vm_run(const pr_vm_program *program, const uint32_t *inputs, size_t n, bool records) {
    pr_vm_machine m;
    pr_error err = {0};
    if (pr_vm_machine_init(&m, program, inputs, n, &err) != PR_OK) fail_msg("%s", err.text);
    m.records = records;
    if (pr_vm_machine_run(&m, PR_VM_MAX_STEPS, &err) != PR_OK) fail_msg("%s", err.text);
    return m;
}
