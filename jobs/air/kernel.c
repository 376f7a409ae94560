#include "air/kernel.h"
#include "base/error.h"
#include "field/lane.h"

/* ---- QM31, a coordinate a lane: (c0 + c1 i) + (c2 + c3 i) u, u^2 = 2 + i ---- */

typedef struct quad {
    lane c[4];
} quad;

static quad quad_load(pr_m31 (*from)[PR_AIR_BLOCK], uint32_t at) {
    quad q;
    for (int k = 0; k < 4; k++) q.c[k] = lane_load(from[k] + at);
    return q;
}
static void quad_store(pr_m31 (*to)[PR_AIR_BLOCK], uint32_t at, quad q) {
    for (int k = 0; k < 4; k++) lane_store(to[k] + at, q.c[k]);
}
static quad quad_add(quad x, quad y) {
    for (int k = 0; k < 4; k++) x.c[k] = lane_add(x.c[k], y.c[k]);
    return x;
}
static quad quad_scaled(quad x, lane factor) {
    lane twice = lane_add32(factor, factor);
    for (int k = 0; k < 4; k++) x.c[k] = lane_mul_doubled(x.c[k], twice);
    return x;
}

/* *re + *im i += (a + b i)(c + d i) */
static void complex_mul_add(lane *re, lane *im, lane a, lane b, lane c, lane d) {
    *re = lane_add(*re, lane_sub(lane_mul(a, c), lane_mul(b, d)));
    *im = lane_add(*im, lane_add(lane_mul(a, d), lane_mul(b, c)));
}

static quad quad_mul(quad x, quad y) {
    quad out;
    lane re = lane_set1(0), im = re;
    for (int k = 0; k < 4; k++) out.c[k] = re;
    complex_mul_add(&out.c[0], &out.c[1], x.c[0], x.c[1], y.c[0], y.c[1]);
    complex_mul_add(&re, &im, x.c[2], x.c[3], y.c[2], y.c[3]);
    out.c[0] = lane_add(out.c[0], lane_sub(lane_add(re, re), im));
    out.c[1] = lane_add(out.c[1], lane_add(lane_add(im, im), re));
    complex_mul_add(&out.c[2], &out.c[3], x.c[0], x.c[1], y.c[2], y.c[3]);
    complex_mul_add(&out.c[2], &out.c[3], x.c[2], x.c[3], y.c[0], y.c[1]);
    return out;
}

/* ---- lookups ---- */

static const pr_m31 *operand(const pr_m31 *cells, uint32_t index) { return cells + (size_t)index * PR_AIR_BLOCK; }

/* sum of the powers times the values, less z */
static quad denominator_of(const pr_air_relation_sum *s, const pr_m31 *cells, const pr_insn *insn, uint32_t at) {
    quad d;
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
        quad e = denominator_of(s, cells, insn, at);
        quad numerator = quad_load(s->numerator, at), d = quad_load(s->denominator, at);
        lane m = lane_load(operand(cells, insn->b) + at);
        quad_store(s->numerator, at, quad_add(quad_mul(numerator, e), quad_scaled(d, m)));
        quad_store(s->denominator, at, quad_mul(d, e));
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
