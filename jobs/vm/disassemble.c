#include <stdlib.h>
#include "vm/assemble.h"

static bool has_target(const pr_vm_instruction *i) {
    pr_vm_form form = pr_vm_opcode_form(i->opcode);
    return form == PR_VM_FORM_JUMP || form == PR_VM_FORM_BRANCH;
}

static void write_operands(pr_writer *out, const pr_vm_instruction *i, const char *target_prefix) {
    switch (pr_vm_opcode_form(i->opcode)) {
    case PR_VM_FORM_NONE:
        break;
    case PR_VM_FORM_CONSTANT:
        pr_write_format(out, " r%u, 0x%x", i->rd, i->imm);
        break;
    case PR_VM_FORM_LOAD:
        pr_write_format(out, " r%u, r%u, 0x%x", i->rd, i->rs1, i->imm);
        break;
    case PR_VM_FORM_STORE:
        pr_write_format(out, " r%u, r%u, 0x%x", i->rs2, i->rs1, i->imm);
        break;
    case PR_VM_FORM_BINARY:
        pr_write_format(out, i->immediate ? " r%u, r%u, 0x%x" : " r%u, r%u, r%u", i->rd, i->rs1,
                        i->immediate ? i->imm : i->rs2);
        break;
    case PR_VM_FORM_UNARY:
        pr_write_format(out, " r%u, r%u", i->rd, i->rs1);
        break;
    case PR_VM_FORM_JUMP:
        pr_write_format(out, " %s%u", target_prefix, i->imm);
        break;
    case PR_VM_FORM_BRANCH:
        pr_write_format(out, " r%u, %s%u", i->rs1, target_prefix, i->imm);
        break;
    case PR_VM_FORM_MATMUL:
        pr_write_format(out, " r%u, r%u, r%u, %u, %u, %u", i->rd, i->rs1, i->rs2, pr_vm_dimension(i, 0),
                        pr_vm_dimension(i, 1), pr_vm_dimension(i, 2));
        break;
    }
}

void pr_vm_write_instruction(pr_writer *out, const pr_vm_instruction *i) {
    pr_write_format(out, "%s", pr_vm_opcode_name(i->opcode));
    write_operands(out, i, "");
}

/* [n_instructions]: 1 where some jump leads; NULL: out of memory. */
static uint8_t *find_targets(const pr_vm_program *program) {
    uint8_t *targets = calloc(program->n_instructions + (size_t)1, 1);
    for (uint32_t k = 0; targets && k < program->n_instructions; k++)
        if (has_target(&program->instructions[k])) targets[program->instructions[k].imm] = 1;
    return targets;
}

static void write_data(pr_writer *out, const pr_vm_program *program) {
    enum { WORDS_A_LINE = 8 };
    for (uint32_t k = 0; k < program->n_data; k++) {
        const char *before = k % WORDS_A_LINE ? ", " : k ? "\n        .word " : "        .word ";
        pr_write_format(out, "%s0x%x", before, program->data[k]);
    }
    if (program->n_data) pr_write_format(out, "\n");
}

void pr_vm_disassemble(pr_writer *out, const pr_vm_program *program) {
    uint8_t *targets = find_targets(program);
    if (!targets) {
        out->failed = true;
        return;
    }
    for (uint32_t k = 0; k < program->n_instructions; k++) {
        const pr_vm_instruction *i = &program->instructions[k];
        if (targets[k]) pr_write_format(out, "L%u:\n", k);
        pr_write_format(out, "        %s", pr_vm_opcode_name(i->opcode));
        write_operands(out, i, "L");
        pr_write_format(out, "\n");
    }
    free(targets);
    write_data(out, program);
}
