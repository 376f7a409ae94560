/* The lowered constraints on one row of QM31 samples, and the out-of-domain check. protocol.md sections 8 to 10. */
#include "verify/internal.h"

typedef struct row {
    const pr_verify_run *run;
    const pr_verify_component *component;
    const pr_program *program;
    uint32_t index, first_constraint;
    pr_qm31 numerator, denominator; /* of the batch so far */
    bool in_batch;
    pr_qm31 total;
} row;

static pr_qm31 operand(const row *e, uint32_t k) {
    uint32_t n_slots = e->program->n_slots;
    return k < n_slots ? e->run->slots[k] : e->run->samples[e->component->inputs[k - n_slots]];
}

/* Constraint i of N has the power N - 1 - i. */
static void add_constraint(row *e, uint32_t k, pr_qm31 value) {
    pr_qm31 power = e->run->powers[e->run->layout->n_constraints - 1 - (e->first_constraint + k)];
    e->total = pr_qm31_add(e->total, pr_qm31_mul(power, value));
}

/* args: the words behind the LOOKUP, three operands each. Returns how many they are. */
static uint32_t add_lookup(row *e, const pr_insn *lookup) {
    const pr_insn *args = lookup + 1;
    uint32_t n = lookup->dst;
    pr_qm31 alpha = e->run->relation_alpha[lookup->a], d = PR_QM31_ZERO, m = operand(e, lookup->b);
    for (uint32_t i = n; i-- > 0;) {
        const pr_insn *word = &args[i / 3];
        uint32_t k = i % 3 == 0 ? word->dst : i % 3 == 1 ? word->a : word->b;
        d = pr_qm31_add(pr_qm31_mul(d, alpha), operand(e, k));
    }
    d = pr_qm31_sub(d, e->run->relation_z[lookup->a]);
    e->numerator = e->in_batch ? pr_qm31_add(pr_qm31_mul(e->numerator, d), pr_qm31_mul(m, e->denominator)) : m;
    e->denominator = e->in_batch ? pr_qm31_mul(e->denominator, d) : d;
    e->in_batch = true;
    return (n + 2) / 3;
}

/* Interaction column of a batch at its which-th sample, each of n samples. */
static pr_qm31 batch_value(const row *e, uint32_t batch, uint32_t n, uint32_t which) {
    const pr_qm31 *at = e->run->samples + e->component->interaction_first + 4 * batch + which;
    pr_qm31 coordinates[4] = {at[0], at[n], at[2 * n], at[3 * n]};
    return pr_qm31_combine(coordinates);
}

static void end_batch(row *e, uint32_t batch) {
    bool is_last = batch + 1 == e->program->n_batches;
    pr_qm31 before = batch ? batch_value(e, batch - 1, 1, 0) : PR_QM31_ZERO;
    pr_qm31 step = pr_qm31_sub(batch_value(e, batch, is_last ? 2 : 1, is_last ? 1 : 0), before);
    if (is_last) { /* samples at rows -1 and 0 */
        uint32_t log_rows = e->run->layout->statement->air->components[e->index].log_size;
        pr_m31 per_row = pr_m31_inverse(pr_m31_pow(2, log_rows));
        pr_qm31 shift = pr_qm31_mul_m31(e->run->proof->claimed_sums[e->index], per_row);
        step = pr_qm31_add(pr_qm31_sub(step, batch_value(e, batch, 2, 0)), shift);
    }
    add_constraint(e, e->program->n_constraints + batch, pr_qm31_sub(pr_qm31_mul(step, e->denominator), e->numerator));
    e->in_batch = false;
}

static void run_program(row *e) {
    const pr_program *p = e->program;
    pr_qm31 *slots = e->run->slots;
    for (uint32_t i = 0; i < p->n_insns; i++) {
        const pr_insn *in = &p->insns[i];
#define A operand(e, in->a)
#define B operand(e, in->b)
#define C operand(e, p->insns[++i].a)
#define K(n) pr_qm31_from_m31(p->constants[n])
        switch ((pr_op)in->op) {
        case PR_OP_ADD:
            slots[in->dst] = pr_qm31_add(A, B);
            break;
        case PR_OP_SUB:
            slots[in->dst] = pr_qm31_sub(A, B);
            break;
        case PR_OP_MUL:
            slots[in->dst] = pr_qm31_mul(A, B);
            break;
        case PR_OP_NEG:
            slots[in->dst] = pr_qm31_neg(A);
            break;
        case PR_OP_CONST:
            slots[in->dst] = K(in->a);
            break;
        case PR_OP_ADD_CONST:
            slots[in->dst] = pr_qm31_add(A, K(in->b));
            break;
        case PR_OP_SUB_CONST:
            slots[in->dst] = pr_qm31_sub(A, K(in->b));
            break;
        case PR_OP_CONST_SUB:
            slots[in->dst] = pr_qm31_sub(K(in->b), A);
            break;
        case PR_OP_MUL_CONST:
            slots[in->dst] = pr_qm31_mul_m31(A, p->constants[in->b]);
            break;
        case PR_OP_SQUARE:
            slots[in->dst] = pr_qm31_square(A);
            break;
        case PR_OP_ADD_ADD:
            slots[in->dst] = pr_qm31_add(pr_qm31_add(A, B), C);
            break;
        case PR_OP_SUB_SUB:
            slots[in->dst] = pr_qm31_sub(pr_qm31_sub(A, B), C);
            break;
        case PR_OP_MUL_ADD:
            slots[in->dst] = pr_qm31_add(pr_qm31_mul(A, B), C);
            break;
        case PR_OP_MUL_SUB:
            slots[in->dst] = pr_qm31_sub(pr_qm31_mul(A, B), C);
            break;
        case PR_OP_SUB_MUL:
            slots[in->dst] = pr_qm31_sub(C, pr_qm31_mul(A, B));
            break;
        case PR_OP_CONSTRAINT:
            add_constraint(e, in->b, A);
            break;
        case PR_OP_LOOKUP:
            i += add_lookup(e, in);
            break;
        case PR_OP_BATCH_END:
            end_batch(e, in->a);
            break;
        case PR_OP_ARG: /* taken with the instruction before */
        case PR_OP_COUNT:
            break;
        }
    }
}

pr_qm31 pr_verify_constraints(const pr_verify_run *r) {
    row e = {.run = r, .total = PR_QM31_ZERO};
    for (uint32_t c = 0; c < r->layout->statement->air->n_components; c++) {
        e.index = c;
        e.component = &r->v->components[c];
        e.program = &e.component->program;
        e.first_constraint = r->layout->constraint_first[c];
        run_program(&e);
    }
    return e.total;
}

/* The composition polynomial at the point, from its two halves, against the constraints over the vanishing value. */
pr_verdict pr_verify_composition(pr_verify_run *r) {
    const pr_layout *layout = r->layout;
    r->composition_coefficient = pr_channel_draw_secure_felt(&r->channel);
    pr_channel_mix_root(&r->channel, &r->proof->commitments[layout->n_trees - 1]);
    if (!pr_secure_point_from_t(&r->point, pr_channel_draw_secure_felt(&r->channel)))
        return PR_REJECT(r, PR_REJECTED_OOD_POINT, "the parameter drawn names no point");
    pr_channel_mix_felts(&r->channel, r->samples, r->v->n_samples);

    pr_qm31 vanishing = pr_vanishing_secure(r->point.x, layout->log_base);
    if (pr_qm31_is_zero(vanishing))
        return PR_REJECT(r, PR_REJECTED_OOD_POINT, "the point drawn lies on the trace domain");
    r->powers[0] = PR_QM31_ONE;
    for (uint32_t k = 1; k < layout->n_constraints; k++)
        r->powers[k] = pr_qm31_mul(r->powers[k - 1], r->composition_coefficient);
    const pr_qm31 *halves = r->proof->samples[layout->n_trees - 1];
    pr_qm31 left = pr_qm31_combine(halves), right = pr_qm31_combine(halves + 4);
    pr_qm31 composition = pr_qm31_add(left, pr_qm31_mul(vanishing, right));
    if (!pr_qm31_equal(pr_qm31_mul(composition, vanishing), pr_verify_constraints(r)))
        return PR_REJECT(r, PR_REJECTED_OOD_CHECK, "the composition polynomial does not match the constraints");
    return PR_ACCEPTED;
}
