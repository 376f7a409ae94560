#include "air/evaluate.h"
#include "air/internal.h"

static uint32_t longest_lookup(const pr_program *p) {
    uint32_t longest = 0;
    for (uint32_t i = 0; i < p->n_insns; i += pr_insn_length(&p->insns[i]))
        if (p->insns[i].op == PR_OP_LOOKUP) longest = pr_air_max_u32(longest, p->insns[i].dst);
    return longest;
}

pr_status pr_evaluation_init(pr_evaluation *e, const pr_program *program, pr_error *err) {
    *e = (pr_evaluation){.program = program};
    e->cells = pr_air_calloc((size_t)program->n_slots + program->n_inputs, sizeof *e->cells);
    e->constraints = pr_air_calloc(program->n_constraints, sizeof *e->constraints);
    e->values = pr_air_calloc(longest_lookup(program), sizeof *e->values);
    if (!e->cells || !e->constraints || !e->values) {
        pr_evaluation_clear(e);
        return pr_air_no_memory(err, "the evaluation of a program");
    }
    e->inputs = e->cells + program->n_slots;
    return PR_OK;
}

void pr_evaluation_clear(pr_evaluation *e) {
    free(e->cells);
    free(e->constraints);
    free(e->values);
    *e = (pr_evaluation){0};
}

static void run_lookup(pr_evaluation *e, const pr_insn *insn) {
    for (uint32_t v = 0; v < insn->dst; v++) {
        const pr_insn *arg = &insn[1 + v / 3];
        e->values[v] = e->cells[v % 3 == 0 ? arg->dst : v % 3 == 1 ? arg->a : arg->b];
    }
    if (e->visit) e->visit(e->context, insn->a, e->cells[insn->b], e->values, insn->dst);
}

static pr_m31 compute(const pr_evaluation *e, const pr_insn *insn) {
    const pr_m31 *x = e->cells, *constants = e->program->constants;
    switch (insn->op) {
    case PR_OP_ADD:
        return pr_m31_add(x[insn->a], x[insn->b]);
    case PR_OP_SUB:
        return pr_m31_sub(x[insn->a], x[insn->b]);
    case PR_OP_MUL:
        return pr_m31_mul(x[insn->a], x[insn->b]);
    case PR_OP_NEG:
        return pr_m31_neg(x[insn->a]);
    case PR_OP_CONST:
        return constants[insn->a];
    case PR_OP_ADD_CONST:
        return pr_m31_add(x[insn->a], constants[insn->b]);
    case PR_OP_SUB_CONST:
        return pr_m31_sub(x[insn->a], constants[insn->b]);
    case PR_OP_CONST_SUB:
        return pr_m31_sub(constants[insn->b], x[insn->a]);
    case PR_OP_MUL_CONST:
        return pr_m31_mul(x[insn->a], constants[insn->b]);
    case PR_OP_SQUARE:
        return pr_m31_square(x[insn->a]);
    case PR_OP_ADD_ADD:
        return pr_m31_add(pr_m31_add(x[insn->a], x[insn->b]), x[insn[1].a]);
    case PR_OP_SUB_SUB:
        return pr_m31_sub(pr_m31_sub(x[insn->a], x[insn->b]), x[insn[1].a]);
    case PR_OP_MUL_ADD:
        return pr_m31_add(pr_m31_mul(x[insn->a], x[insn->b]), x[insn[1].a]);
    case PR_OP_MUL_SUB:
        return pr_m31_sub(pr_m31_mul(x[insn->a], x[insn->b]), x[insn[1].a]);
    default:
        PR_ASSERT(insn->op == PR_OP_SUB_MUL);
        return pr_m31_sub(x[insn[1].a], pr_m31_mul(x[insn->a], x[insn->b]));
    }
}

void pr_evaluation_run(pr_evaluation *e) {
    const pr_insn *insn = e->program->insns, *end = insn + e->program->n_insns;
    for (; insn < end; insn += pr_insn_length(insn)) {
        if (insn->op == PR_OP_CONSTRAINT)
            e->constraints[insn->b] = e->cells[insn->a];
        else if (insn->op == PR_OP_LOOKUP)
            run_lookup(e, insn);
        else if (insn->op != PR_OP_BATCH_END)
            e->cells[insn->dst] = compute(e, insn);
    }
}
