#include "air/program.h"
#include "air/internal.h"

void pr_program_clear(pr_program *program) {
    free(program->inputs);
    free(program->constants);
    free(program->insns);
    *program = (pr_program){0};
}

static void write_operand(pr_writer *out, const pr_program *p, uint32_t operand) {
    if (operand < p->n_slots) {
        pr_write_format(out, "s%u", operand);
        return;
    }
    const pr_input *in = &p->inputs[operand - p->n_slots];
    if (in->is_preprocessed)
        pr_write_format(out, "pre%u", in->column);
    else
        pr_write_format(out, "col%u[%d]", in->column, in->offset);
}

/* Each letter of the pattern: a, b, c an operand; K, k the constant numbered by b, a; the rest stands for itself. */
static void write_pattern(pr_writer *out, const pr_program *p, const pr_insn *insn, const char *pattern) {
    pr_write_format(out, "s%u = ", insn->dst);
    for (; *pattern; pattern++) switch (*pattern) {
        case 'a':
            write_operand(out, p, insn->a);
            break;
        case 'b':
            write_operand(out, p, insn->b);
            break;
        case 'c':
            write_operand(out, p, insn[1].a);
            break;
        case 'K':
            pr_write_format(out, "%u", p->constants[insn->b]);
            break;
        case 'k':
            pr_write_format(out, "%u", p->constants[insn->a]);
            break;
        default:
            pr_write_format(out, "%c", *pattern);
        }
}

static void write_lookup(pr_writer *out, const pr_program *p, const pr_insn *insn) {
    pr_write_format(out, "lookup relation %u: ", insn->a);
    write_operand(out, p, insn->b);
    pr_write_format(out, " / (");
    for (uint32_t k = 0; k < insn->dst; k++) {
        const pr_insn *arg = &insn[1 + k / 3];
        if (k) pr_write_format(out, ", ");
        write_operand(out, p, k % 3 == 0 ? arg->dst : k % 3 == 1 ? arg->a : arg->b);
    }
    pr_write_format(out, ")");
}

static const char *const patterns[PR_OP_COUNT] = {
    [PR_OP_ADD] = "a + b",         [PR_OP_SUB] = "a - b",
    [PR_OP_MUL] = "a * b",         [PR_OP_NEG] = "-a",
    [PR_OP_CONST] = "k",           [PR_OP_ADD_CONST] = "a + K",
    [PR_OP_SUB_CONST] = "a - K",   [PR_OP_CONST_SUB] = "K - a",
    [PR_OP_MUL_CONST] = "a * K",   [PR_OP_SQUARE] = "a * a",
    [PR_OP_ADD_ADD] = "a + b + c", [PR_OP_SUB_SUB] = "a - b - c",
    [PR_OP_MUL_ADD] = "a * b + c", [PR_OP_MUL_SUB] = "a * b - c",
    [PR_OP_SUB_MUL] = "c - a * b",
};

void pr_program_disassemble(pr_writer *out, const pr_program *program) {
    for (uint32_t i = 0; i < program->n_insns; i += pr_insn_length(&program->insns[i])) {
        const pr_insn *insn = &program->insns[i];
        pr_write_format(out, "%5u  ", i);
        if (insn->op == PR_OP_CONSTRAINT) {
            pr_write_format(out, "constraint %u: ", insn->b);
            write_operand(out, program, insn->a);
        } else if (insn->op == PR_OP_LOOKUP) {
            write_lookup(out, program, insn);
        } else if (insn->op == PR_OP_BATCH_END) {
            pr_write_format(out, "batch %u ends: constraint %u", insn->a, program->n_constraints + insn->a);
        } else {
            write_pattern(out, program, insn, patterns[insn->op]);
        }
        pr_write_format(out, "\n");
    }
}
