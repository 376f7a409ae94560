/* Arithmetic and lookups of a program over one block, an instruction a loop. Compiled once per instruction set. */
#include "field/lane_qm31.h"
#include "cpu/kernels/program.h"

#define RUN PR_LANE_NAME(pr_cpu_block_run)

static void run_binary(pr_op op, uint32_t *dst, const uint32_t *a, const uint32_t *b, size_t rows) {
#define EACH(e)                                                                                                        \
    for (size_t i = 0; i < rows; i += LANE_WIDTH) {                                                                    \
        lane x = lane_load(a + i), y = lane_load(b + i);                                                               \
        lane_store(dst + i, e);                                                                                        \
    }                                                                                                                  \
    break
    switch (op) {
    case PR_OP_ADD:
        EACH(lane_add(x, y));
    case PR_OP_SUB:
        EACH(lane_sub(x, y));
    case PR_OP_MUL:
        EACH(lane_mul(x, y));
    default:
        break;
    }
#undef EACH
}

static void run_unary(pr_op op, uint32_t *dst, const uint32_t *a, pr_m31 constant, size_t rows) {
    const lane y = lane_set1(constant), y2 = lane_set1(2 * constant);
#define EACH(e)                                                                                                        \
    for (size_t i = 0; i < rows; i += LANE_WIDTH) {                                                                    \
        lane x = lane_load(a + i);                                                                                     \
        lane_store(dst + i, e);                                                                                        \
    }                                                                                                                  \
    break
    switch (op) {
    case PR_OP_NEG:
        EACH(lane_neg(x));
    case PR_OP_SQUARE:
        EACH(lane_square(x));
    case PR_OP_ADD_CONST:
        EACH(lane_add(x, y));
    case PR_OP_SUB_CONST:
        EACH(lane_sub(x, y));
    case PR_OP_CONST_SUB:
        EACH(lane_sub(y, x));
    case PR_OP_MUL_CONST:
        EACH(lane_mul_doubled(x, y2));
    default:
        break;
    }
#undef EACH
}

static void run_ternary(pr_op op, uint32_t *dst, const uint32_t *a, const uint32_t *b, const uint32_t *c, size_t rows) {
#define EACH(e)                                                                                                        \
    for (size_t i = 0; i < rows; i += LANE_WIDTH) {                                                                    \
        lane x = lane_load(a + i), y = lane_load(b + i), w = lane_load(c + i);                                         \
        lane_store(dst + i, e);                                                                                        \
    }                                                                                                                  \
    break
    switch (op) {
    case PR_OP_ADD_ADD:
        EACH(lane_add(lane_add(x, y), w));
    case PR_OP_SUB_SUB:
        EACH(lane_sub(lane_sub(x, y), w));
    case PR_OP_MUL_ADD:
        EACH(lane_add(lane_mul(x, y), w));
    case PR_OP_MUL_SUB:
        EACH(lane_sub(lane_mul(x, y), w));
    case PR_OP_SUB_MUL:
        EACH(lane_sub(w, lane_mul(x, y)));
    default:
        break;
    }
#undef EACH
}

static void fill(uint32_t *dst, pr_m31 constant, size_t rows) {
    for (size_t i = 0; i < rows; i += LANE_WIDTH) lane_store(dst + i, lane_set1(constant));
}

static void find_powers(pr_cpu_block *b, uint32_t relation, uint32_t n) {
    if (b->relation != relation) b->n_powers = 0;
    b->relation = relation;
    for (; b->n_powers < n; b->n_powers++)
        b->powers[b->n_powers] =
            b->n_powers == 0 ? PR_QM31_ONE : pr_qm31_mul(b->powers[b->n_powers - 1], b->args->alpha[relation]);
}

/* v0 + alpha v1 + alpha^2 v2 + ... - z on the rows i .. i + LANE_WIDTH - 1 */
static inline lane_qm31 combine(const uint32_t *const *values, const pr_qm31 *powers, uint32_t n, lane_qm31 z,
                                size_t i) {
    lane_acc s[4] = {lane_acc_zero(), lane_acc_zero(), lane_acc_zero(), lane_acc_zero()};
    for (uint32_t k = 1; k < n; k++) {
        lane v = lane_load(values[k] + i);
        for (int c = 0; c < 4; c++) {
            if (k % 4 == 1) s[c] = lane_acc_fold(s[c]);
            s[c] = lane_acc_mul_add(s[c], v, lane_set1(powers[k].c[c]));
        }
    }
    lane_qm31 d = {{lane_add(lane_acc_reduce(s[0]), lane_load(values[0] + i)), lane_acc_reduce(s[1]),
                    lane_acc_reduce(s[2]), lane_acc_reduce(s[3])}};
    return lane_qm31_sub(d, z);
}

static void lookup_first(pr_cpu_block *b, const uint32_t *multiplicity, lane_qm31 z, uint32_t n) {
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane_qm31_store(b->den + i, PR_CPU_BLOCK, combine(b->values, b->powers, n, z, i));
        lane_store(b->num + i, lane_load(multiplicity + i));
    }
}

/* (num, den) becomes (num * d + m * den, den * d) for one more fraction m / d */
static void lookup_second(pr_cpu_block *b, const uint32_t *multiplicity, lane_qm31 z, uint32_t n) {
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane_qm31 d = combine(b->values, b->powers, n, z, i), den = lane_qm31_load(b->den + i, PR_CPU_BLOCK);
        lane m = lane_load(multiplicity + i), num = lane_load(b->num + i);
        lane_qm31 sum;
        for (int c = 0; c < 4; c++) sum.c[c] = lane_dot2(num, d.c[c], m, den.c[c]);
        lane_qm31_store(b->num + i, PR_CPU_BLOCK, sum);
        lane_qm31_store(b->den + i, PR_CPU_BLOCK, lane_qm31_mul(den, d));
    }
}

static void lookup_further(pr_cpu_block *b, const uint32_t *multiplicity, lane_qm31 z, uint32_t n) {
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane_qm31_factor d = lane_qm31_factor_of(combine(b->values, b->powers, n, z, i));
        lane_qm31 den = lane_qm31_load(b->den + i, PR_CPU_BLOCK);
        lane_qm31 num = lane_qm31_load(b->num + i, PR_CPU_BLOCK);
        lane_qm31 more = lane_qm31_mul_lane(den, lane_load(multiplicity + i));
        lane_qm31_store(b->num + i, PR_CPU_BLOCK, lane_qm31_add(lane_qm31_mul_factor(num, d), more));
        lane_qm31_store(b->den + i, PR_CPU_BLOCK, lane_qm31_mul_factor(den, d));
    }
}

/* Returns the number of ARG words it used. */
static uint32_t run_lookup(pr_cpu_block *b, const pr_insn *insn) {
    uint32_t n = insn->dst;
    for (uint32_t k = 0; k < n; k++) {
        const pr_insn *arg = insn + 1 + k / 3;
        b->values[k] = b->operands[k % 3 == 0 ? arg->dst : k % 3 == 1 ? arg->a : arg->b];
    }
    find_powers(b, insn->a, n);
    lane_qm31 z = lane_qm31_set1(b->args->z[insn->a]);
    const uint32_t *multiplicity = b->operands[insn->b];
    if (b->n_fractions == 0)
        lookup_first(b, multiplicity, z, n);
    else if (b->n_fractions == 1)
        lookup_second(b, multiplicity, z, n);
    else
        lookup_further(b, multiplicity, z, n);
    b->n_fractions++;
    return (n + 2) / 3;
}

/* Memory is slow to notice that a block moves on in a hundred columns at once: ask for some lines at every instruction.
 */
static inline void fetch_next(pr_cpu_block *b) {
    uint32_t end = b->fetch_end - b->fetch_at < b->fetch_step ? b->fetch_end : b->fetch_at + b->fetch_step;
    const pr_program *program = b->args->program;
    for (uint32_t at = b->fetch_at; at < end; at++) {
        uint32_t k = at / PR_CPU_BLOCK_LINES;
        if (program->inputs[k].offset == 0)
            __builtin_prefetch(b->operands[program->n_slots + k] + PR_CPU_BLOCK + at % PR_CPU_BLOCK_LINES * 16, 0, 2);
    }
    b->fetch_at = end;
}

uint32_t RUN(pr_cpu_block *b, uint32_t pc) {
    const pr_program *program = b->args->program;
    const uint32_t *const *operands = b->operands;
    const pr_m31 *constants = program->constants;
    size_t rows = b->n_padded;
    for (; pc < program->n_insns; pc++) {
        const pr_insn *insn = &program->insns[pc];
        fetch_next(b);
        uint32_t *dst = b->slots + insn->dst * PR_CPU_BLOCK;
        switch (insn->op) {
        case PR_OP_ADD:
        case PR_OP_SUB:
        case PR_OP_MUL:
            run_binary((pr_op)insn->op, dst, operands[insn->a], operands[insn->b], rows);
            break;
        case PR_OP_NEG:
        case PR_OP_SQUARE:
            run_unary((pr_op)insn->op, dst, operands[insn->a], 0, rows);
            break;
        case PR_OP_ADD_CONST:
        case PR_OP_SUB_CONST:
        case PR_OP_CONST_SUB:
        case PR_OP_MUL_CONST:
            run_unary((pr_op)insn->op, dst, operands[insn->a], constants[insn->b], rows);
            break;
        case PR_OP_CONST:
            fill(dst, constants[insn->a], rows);
            break;
        case PR_OP_ADD_ADD:
        case PR_OP_SUB_SUB:
        case PR_OP_MUL_ADD:
        case PR_OP_MUL_SUB:
        case PR_OP_SUB_MUL:
            run_ternary((pr_op)insn->op, dst, operands[insn->a], operands[insn->b], operands[insn[1].a], rows);
            pc++;
            break;
        case PR_OP_LOOKUP:
            pc += run_lookup(b, insn);
            break;
        case PR_OP_ARG:
            break;
        case PR_OP_CONSTRAINT:
        case PR_OP_BATCH_END:
            return pc;
        }
    }
    return pc;
}
