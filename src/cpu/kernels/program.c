/* The composition polynomial's share of one component (protocol.md sections 8 and 9), a block of rows at a time.
 * Compiled once per instruction set. */
#include "field/lane_qm31.h"
#include "cpu/kernels/program.h"
#include "cpu/ops.h"

static size_t constraint_run(pr_cpu_block *b, const pr_compose *args, uint32_t pc) {
    const pr_program *program = args->program;
    const uint32_t *values[4];
    pr_qm31 powers[4];
    size_t n = 0;
    for (; n < 4 && pc + n < program->n_insns && program->insns[pc + n].op == PR_OP_CONSTRAINT; n++) {
        values[n] = b->operands[program->insns[pc + n].a];
        powers[n] = args->powers[program->insns[pc + n].b];
    }
    lane_accumulate((lane_acc *)b->sums, values, powers, n, b->n_padded);
    return n;
}

static void view_secure(const uint32_t *out[4], uint32_t *copy, const pr_cpu_block *b, const pr_col cols[4]) {
    for (int c = 0; c < 4; c++)
        out[c] = pr_cpu_block_view(copy + (size_t)c * PR_CPU_BLOCK, b, b->args->base + cols[c].offset);
}

static inline lane_qm31 load_secure(const uint32_t *const q[4], size_t i) {
    return (lane_qm31){{lane_load(q[0] + i), lane_load(q[1] + i), lane_load(q[2] + i), lane_load(q[3] + i)}};
}

/* difference of running totals, into spare[0]: S_k - S_(k-1), and for the last batch T - T[-1] - S_(k-1) + shift */
static void find_step(pr_cpu_block *b, const pr_compose *args, uint32_t batch) {
    const uint32_t *current[4], *before[4];
    bool is_last = batch + 1 == args->program->n_batches;
    uint32_t *step = b->spare[0], *moved = b->spare[3];
    lane_qm31 shift = lane_qm31_set1(args->shift);
    view_secure(current, b->spare[1], b, &args->interaction[4 * batch]);
    if (batch) view_secure(before, b->spare[2], b, &args->interaction[4 * (batch - 1)]);
    for (size_t c = 0; is_last && c < 4; c++)
        pr_cpu_block_shift(moved + c * PR_CPU_BLOCK, b, b->args->base + args->interaction[4 * batch + c].offset, -1);
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane_qm31 d = load_secure(current, i);
        if (is_last) d = lane_qm31_add(lane_qm31_sub(d, lane_qm31_load(moved + i, PR_CPU_BLOCK)), shift);
        if (batch) d = lane_qm31_sub(d, load_secure(before, i));
        lane_qm31_store(step + i, PR_CPU_BLOCK, d);
    }
}

static void batch_end(pr_cpu_block *b, const pr_compose *args, uint32_t batch) {
    static const pr_qm31 unit[4] = {{{1, 0, 0, 0}}, {{0, 1, 0, 0}}, {{0, 0, 1, 0}}, {{0, 0, 0, 1}}};
    uint32_t *value = b->spare[0];
    find_step(b, args, batch);
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane_qm31 v = lane_qm31_mul(lane_qm31_load(value + i, PR_CPU_BLOCK), lane_qm31_load(b->den + i, PR_CPU_BLOCK));
        if (b->n_fractions == 1)
            v.c[0] = lane_sub(v.c[0], lane_load(b->num + i));
        else
            v = lane_qm31_sub(v, lane_qm31_load(b->num + i, PR_CPU_BLOCK));
        lane_qm31_store(value + i, PR_CPU_BLOCK, v);
    }
    const uint32_t *values[4];
    pr_qm31 powers[4];
    for (size_t c = 0; c < 4; c++) {
        values[c] = value + c * PR_CPU_BLOCK;
        powers[c] = pr_qm31_mul(unit[c], args->powers[args->program->n_constraints + batch]);
    }
    lane_accumulate((lane_acc *)b->sums, values, powers, 4, b->n_padded);
    b->n_fractions = 0;
}

static void store_coordinate(const pr_cpu_block *b, uint32_t *out, size_t c, pr_m31 inverse, bool accumulate) {
    const lane_acc *sums = (const lane_acc *)b->sums + c;
    lane factor = lane_set1(2 * inverse);
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH, sums += 4) {
        lane v = lane_mul_doubled(lane_acc_reduce(*sums), factor);
        lane_store(out + i, accumulate ? lane_add(lane_load(out + i), v) : v);
    }
}

static void compose_end(pr_cpu_block *b, pr_device *dev, const pr_compose *args, pr_m31 inverse) {
    for (size_t c = 0; c < 4; c++) {
        uint32_t *column = pr_cpu_col(dev, args->out[c]) + b->first, *out = column;
        if (b->n_rows < b->n_padded) {
            out = b->spare[0];
            for (uint32_t i = 0; i < b->n_padded; i++) out[i] = i < b->n_rows ? column[i] : 0;
        }
        store_coordinate(b, out, c, inverse, args->accumulate);
        for (uint32_t i = 0; out != column && i < b->n_rows; i++) column[i] = out[i];
    }
}

static void compose_block(pr_cpu_block *b, pr_device *dev, const pr_compose *args, uint32_t first, uint32_t n_rows,
                          pr_m31 inverse) {
    const pr_program *program = args->program;
    pr_cpu_block_begin(b, first, n_rows, LANE_WIDTH);
    lane_accumulate_zero((lane_acc *)b->sums, b->n_padded);
    for (uint32_t pc = 0; (pc = PR_LANE_NAME(pr_cpu_block_run)(b, pc)) < program->n_insns;) {
        if (program->insns[pc].op == PR_OP_CONSTRAINT) {
            pc += (uint32_t)constraint_run(b, args, pc);
        } else {
            batch_end(b, args, program->insns[pc].a);
            pc++;
        }
    }
    compose_end(b, dev, args, inverse);
}

/* On these rows the vanishing polynomial takes two values, one on each half. */
static void compose_component(pr_device *dev, const pr_compose *args) {
    uint32_t n = args->log_rows, half = 1u << n, n_rows = half < PR_CPU_BLOCK ? half : (uint32_t)PR_CPU_BLOCK;
    PR_ASSERT(n >= 1 && args->log_blowup >= 1 && n + args->log_blowup < PR_CIRCLE_LOG_ORDER);
    pr_m31 inverse[2];
    for (uint32_t k = 0; k < 2; k++)
        inverse[k] = pr_m31_inverse(pr_vanishing(pr_domain_point(n + args->log_blowup, k * half).x, n));
    const pr_cpu_program_args program = {args->program, n, 1, dev->base, args->inputs, args->z, args->alpha};
    uint32_t n_blocks = 2 * (half / n_rows);
#pragma omp parallel num_threads(pr_cpu_threads_for(dev, n_blocks))
    {
        pr_cpu_block block;
        pr_cpu_block_init(&block, dev, (unsigned)omp_get_thread_num(), &program);
#pragma omp for schedule(static)
        for (uint32_t k = 0; k < n_blocks; k++)
            compose_block(&block, dev, args, k * n_rows, n_rows, inverse[k >= n_blocks / 2]);
    }
}

pr_status PR_LANE_NAME(pr_cpu_compose)(pr_device *dev, const pr_compose *list, size_t n, pr_error *err) {
    (void)err;
    for (size_t k = 0; k < n; k++) compose_component(dev, &list[k]);
    return PR_OK;
}
