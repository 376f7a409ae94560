#include "vm/line.h"

#define BIT(flag) (1u << PR_VM_F_##flag)

static const struct {
    uint8_t alu;
    uint16_t flags;
} opcodes[PR_VM_OPCODES] = {
    [PR_VM_NOP] = {PR_VM_ALU_NONE, 0},
    [PR_VM_HALT] = {PR_VM_ALU_NONE, BIT(HALT)},
    [PR_VM_LOADIMM] = {PR_VM_ALU_NONE, BIT(IMMEDIATE) | BIT(CONSTANT)},
    [PR_VM_LOAD] = {PR_VM_ALU_ADD, BIT(IMMEDIATE) | BIT(LOAD)},
    [PR_VM_STORE] = {PR_VM_ALU_ADD, BIT(IMMEDIATE) | BIT(STORE)},
    [PR_VM_ADD] = {PR_VM_ALU_ADD, BIT(RESULT)},
    [PR_VM_SUB] = {PR_VM_ALU_SUB, BIT(RESULT)},
    [PR_VM_MUL] = {PR_VM_ALU_MUL, BIT(RESULT)},
    [PR_VM_DIV] = {PR_VM_ALU_DIV, BIT(RESULT) | BIT(DIVIDE)},
    [PR_VM_MOD] = {PR_VM_ALU_MOD, BIT(RESULT) | BIT(DIVIDE)},
    [PR_VM_AND] = {PR_VM_ALU_AND, BIT(RESULT)},
    [PR_VM_OR] = {PR_VM_ALU_OR, BIT(RESULT)},
    [PR_VM_XOR] = {PR_VM_ALU_XOR, BIT(RESULT)},
    [PR_VM_NOT] = {PR_VM_ALU_XOR, BIT(IMMEDIATE) | BIT(RESULT)},
    [PR_VM_SHL] = {PR_VM_ALU_SHL, BIT(RESULT)},
    [PR_VM_SHR] = {PR_VM_ALU_SHR, BIT(RESULT)},
    [PR_VM_EQ] = {PR_VM_ALU_EQ, BIT(RESULT)},
    [PR_VM_LT] = {PR_VM_ALU_LT, BIT(RESULT)},
    [PR_VM_GT] = {PR_VM_ALU_GT, BIT(RESULT)},
    [PR_VM_JMP] = {PR_VM_ALU_NONE, BIT(JUMP)},
    [PR_VM_JZ] = {PR_VM_ALU_EQ, BIT(IMMEDIATE) | BIT(JZ)},
    [PR_VM_JNZ] = {PR_VM_ALU_EQ, BIT(IMMEDIATE) | BIT(JNZ)},
    [PR_VM_CALL] = {PR_VM_ALU_ADD, BIT(IMMEDIATE) | BIT(RESULT) | BIT(CALL) | BIT(JUMP)},
    [PR_VM_RET] = {PR_VM_ALU_ADD, BIT(IMMEDIATE) | BIT(RESULT) | BIT(RET)},
    [PR_VM_RELU] = {PR_VM_ALU_RELU, BIT(IMMEDIATE) | BIT(RESULT)},
    [PR_VM_MATMUL] = {PR_VM_ALU_NONE, BIT(MATMUL)},
    [PR_VM_HASH] = {PR_VM_ALU_NONE, BIT(HASH)},
};

static pr_vm_line stack_line(pr_vm_line line, uint32_t step) {
    line.rs1 = line.rd = PR_VM_STACK;
    line.imm = step;
    return line;
}

uint64_t pr_vm_line_steps(const pr_vm_line *line, uint32_t b) {
    if (pr_vm_line_has(line, PR_VM_F_MATMUL)) return (line->imm & 0xffff) * (line->imm >> 16) * line->target;
    return pr_vm_line_has(line, PR_VM_F_HASH) ? 4 * (uint64_t)pr_vm_hash_blocks(b) + 2 : 1;
}

pr_vm_line pr_vm_line_of(const pr_vm_instruction *i) {
    pr_vm_form form = pr_vm_opcode_form(i->opcode);
    bool has_target = form == PR_VM_FORM_JUMP || form == PR_VM_FORM_BRANCH;
    pr_vm_line line = {.rs1 = i->rs1,
                       .rs2 = i->rs2,
                       .rd = i->rd,
                       .alu = opcodes[i->opcode].alu,
                       .flags = opcodes[i->opcode].flags,
                       .target = has_target ? (uint16_t)i->imm : 0,
                       .imm = has_target ? 0 : i->imm};
    if (i->immediate) line.flags |= BIT(IMMEDIATE);
    if (line.alu != PR_VM_ALU_NONE) line.flags |= BIT(ALU);
    if (i->opcode == PR_VM_NOT) line.imm = UINT32_MAX;
    if (i->opcode == PR_VM_MATMUL) {
        line.imm = pr_vm_dimension(i, 0) | pr_vm_dimension(i, 1) << 16;
        line.target = (uint16_t)pr_vm_dimension(i, 2);
    }
    if (i->opcode == PR_VM_CALL) return stack_line(line, UINT32_MAX);
    if (i->opcode == PR_VM_RET) return stack_line(line, 1);
    return line;
}

uint32_t pr_vm_alu_run(pr_vm_alu alu, uint32_t a, uint32_t b) {
    switch (alu) {
    case PR_VM_ALU_ADD:
        return a + b;
    case PR_VM_ALU_SUB:
        return a - b;
    case PR_VM_ALU_LT:
        return a < b;
    case PR_VM_ALU_GT:
        return a > b;
    case PR_VM_ALU_AND:
        return a & b;
    case PR_VM_ALU_OR:
        return a | b;
    case PR_VM_ALU_XOR:
        return a ^ b;
    case PR_VM_ALU_MUL:
        return a * b;
    case PR_VM_ALU_DIV:
        return a / b;
    case PR_VM_ALU_MOD:
        return a % b;
    case PR_VM_ALU_SHL:
        return a << (b & 31);
    case PR_VM_ALU_SHR:
        return a >> (b & 31);
    case PR_VM_ALU_EQ:
        return a == b;
    case PR_VM_ALU_RELU:
        return a >> 31 ? 0 : a;
    case PR_VM_ALU_NONE:
    case PR_VM_ALUS:
        break;
    }
    return 0;
}
