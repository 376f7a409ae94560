#include "air/kernel.h"
#include "base/error.h"
#include "field/lane_qm31.h"

/* ---- lookups ---- */

static const pr_m31 *operand(const pr_m31 *cells, uint32_t index) { return cells + (size_t)index * PR_AIR_BLOCK; }

/* sum of the powers times the values, less z */
static lane_qm31 denominator_of(const pr_air_relation_sum *s, const pr_m31 *cells, const pr_insn *insn, uint32_t at) {
    lane_qm31 d;
    for (int k = 0; k < 4; k++) d.c[k] = lane_set1(pr_m31_neg(s->z[k]));
    for (uint32_t v = 0; v < insn->dst; v++) {
        const pr_insn *arg = &insn[1 + v / 3];
        lane value = lane_load(operand(cells, v % 3 == 0 ? arg->dst : v % 3 == 1 ? arg->a : arg->b) + at);
        for (int k = 0; k < 4; k++)
            d.c[k] = lane_add(d.c[k], lane_mul_broadcast(value, lane_set1(2 * s->powers[v][k])));
    }
    return d;
}

/* n / d + m / e = (n e + m d) / (d e) */
static void add_lookup(pr_air_relation_sum *s, const pr_m31 *cells, const pr_insn *insn, uint32_t n) {
    for (uint32_t at = 0; at < n; at += LANE_WIDTH) {
        pr_m31 *numerator = s->numerator[0] + at, *denominator = s->denominator[0] + at;
        lane_qm31_factor e = lane_qm31_factor_of(denominator_of(s, cells, insn, at));
        lane_qm31 d = lane_qm31_load(denominator, PR_AIR_BLOCK);
        lane_qm31 m_d = lane_qm31_mul_lane(d, lane_load(operand(cells, insn->b) + at));
        lane_qm31 n_e = lane_qm31_mul_factor(lane_qm31_load(numerator, PR_AIR_BLOCK), e);
        lane_qm31_store(numerator, PR_AIR_BLOCK, lane_qm31_add(n_e, m_d));
        lane_qm31_store(denominator, PR_AIR_BLOCK, lane_qm31_mul_factor(d, e));
    }
}

/* ---- the program ---- */

#define EACH(expression)                                                                                               \
    for (uint32_t i = 0; i < n; i += LANE_WIDTH) lane_store(dst + i, expression);                                      \
    break
#define A lane_load(a + i)
#define B lane_load(b + i)
#define C lane_load(c + i)

static void compute(pr_m31 *cells, const pr_program *p, const pr_insn *insn, uint32_t n) {
    pr_m31 *dst = cells + (size_t)insn->dst * PR_AIR_BLOCK;
    bool has_constant = insn->op >= PR_OP_CONST && insn->op <= PR_OP_MUL_CONST;
    const pr_m31 *a = insn->op == PR_OP_CONST ? cells : operand(cells, insn->a);
    const pr_m31 *b = has_constant ? cells : operand(cells, insn->b);
    const pr_m31 *c = operand(cells, insn->op >= PR_OP_ADD_ADD ? insn[1].a : 0);
    lane constant = lane_set1(has_constant ? p->constants[insn->op == PR_OP_CONST ? insn->a : insn->b] : 0);
    switch (insn->op) {
    case PR_OP_ADD:
        EACH(lane_add(A, B));
    case PR_OP_SUB:
        EACH(lane_sub(A, B));
    case PR_OP_MUL:
        EACH(lane_mul(A, B));
    case PR_OP_NEG:
        EACH(lane_neg(A));
    case PR_OP_CONST:
        EACH(constant);
    case PR_OP_ADD_CONST:
        EACH(lane_add(A, constant));
    case PR_OP_SUB_CONST:
        EACH(lane_sub(A, constant));
    case PR_OP_CONST_SUB:
        EACH(lane_sub(constant, A));
    case PR_OP_MUL_CONST:
        EACH(lane_mul(A, constant));
    case PR_OP_SQUARE:
        EACH(lane_square(A));
    case PR_OP_ADD_ADD:
        EACH(lane_add(lane_add(A, B), C));
    case PR_OP_SUB_SUB:
        EACH(lane_sub(lane_sub(A, B), C));
    case PR_OP_MUL_ADD:
        EACH(lane_add(lane_mul(A, B), C));
    case PR_OP_MUL_SUB:
        EACH(lane_sub(lane_mul(A, B), C));
    default:
        PR_ASSERT(insn->op == PR_OP_SUB_MUL);
        EACH(lane_sub(C, lane_mul(A, B)));
    }
}

/* A value that is not zero leaves a bit behind. */
static void note_failures(pr_m31 *failed, const pr_m31 *values, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) failed[i] |= values[i];
}

void PR_LANE_NAME(pr_air_check_block)(pr_m31 *failed, pr_air_relation_sum *sums, pr_m31 *cells,
                                      const pr_program *program, uint32_t n) {
    const pr_insn *insn = program->insns, *end = insn + program->n_insns;
    for (; insn < end; insn += pr_insn_length(insn)) {
        if (insn->op == PR_OP_CONSTRAINT)
            note_failures(failed, operand(cells, insn->a), n);
        else if (insn->op != PR_OP_LOOKUP && insn->op != PR_OP_BATCH_END)
            compute(cells, program, insn, n);
        else if (insn->op == PR_OP_LOOKUP && sums)
            add_lookup(&sums[insn->a], cells, insn, n);
    }
}
