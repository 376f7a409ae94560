#include "cuda/compose.cuh"
#include "cuda/program.cuh"

namespace PR_GPU {

struct compose_view {
    program_view program;
    span<const pr_col> interaction; /* [4 * n_batches] */
    span<const pr_qm31> powers;     /* [n_constraints + n_batches] */
    pr_qm31 shift;
    secure_column out;
    uint32_t n_constraints, n_batches, accumulate;
    pr_m31 inverse[2]; /* of the vanishing polynomial, which takes two values on these rows, one on each half */
};

PR_DEVICE pr_qm31 ld_interaction(const compose_view &v, uint32_t batch, uint32_t slot) {
    pr_qm31 r;
#pragma unroll
    for (uint32_t c = 0; c < 4; c++) r.c[c] = ld(column(v.program.arena, ld(v.interaction, 4 * batch + c)), slot);
    return r;
}

/* (difference of running totals) * den - num: protocol.md section 9. */
PR_DEVICE pr_qm31 batch_value(const compose_view &v, const program_rows &rows, unsigned r, uint32_t batch) {
    const uint32_t slot = rows.slot[r];
    pr_qm31 step = ld_interaction(v, batch, slot);
    if (batch + 1 == v.n_batches) {
        const uint32_t before = moved_slot(v.program.log_rows, 1, slot, -1);
        step = pr_qm31_add(pr_qm31_sub(step, ld_interaction(v, batch, before)), v.shift);
    }
    if (batch) step = pr_qm31_sub(step, ld_interaction(v, batch - 1, slot));
    return pr_qm31_sub(pr_qm31_mul(step, rows.den[r]), rows.num[r]);
}

/* Sums over constraints and batches of power * value. */
struct row_sums {
    product_sum constraints[rows_each];
    pr_qm31 batches[rows_each];
};

PR_DEVICE void sum_rows(row_sums *sums, const compose_view &v, const words &slots, program_rows *rows) {
    pr_insn insn = {};
    for (uint32_t pc = 0; (pc = run_program(v.program, slots, rows, pc, &insn)) < v.program.n_insns; pc++) {
        if (insn.op == PR_OP_CONSTRAINT) {
            const row_values value = ld_operand(v.program, slots, insn.a, *rows);
            const pr_qm31 power = ld(v.powers, insn.b);
            PR_EACH_ROW {
                fold(sums->constraints[r]);
                add_product(sums->constraints[r], value.v[r], power);
            }
        } else {
            const pr_qm31 power = ld(v.powers, v.n_constraints + insn.a);
            PR_EACH_ROW sums->batches[r] =
                pr_qm31_add(sums->batches[r], pr_qm31_mul(power, batch_value(v, *rows, r, insn.a)));
            rows->n_fractions = 0;
        }
    }
}

__global__ void __launch_bounds__(128) compose_kernel(compose_view v) {
    PR_SHARED_DYNAMIC(uint32_t, slots, v.program.n_slots * rows_each * blockDim.x);
    const size_t n_rows = (size_t)2 << v.program.log_rows;
    program_rows rows = begin_rows(n_rows);
    row_sums sums = {};
    sum_rows(&sums, v, slots, &rows);
    PR_EACH_ROW {
        const size_t i = row_number(r);
        if (i >= n_rows) continue;
        const pr_qm31 all = pr_qm31_add(reduce(sums.constraints[r]), sums.batches[r]);
        const pr_qm31 sum = pr_qm31_mul_m31(all, v.inverse[i >= n_rows / 2]);
        st_secure(v.out, i, v.accumulate ? pr_qm31_add(ld_secure(v.out, i), sum) : sum);
    }
}

pr_status compose(device *dev, const pr_compose *args, pr_error *err) {
    const pr_program *p = args->program;
    const uint32_t n = args->log_rows;
    const program_tables tables = program_tables_of(p, args->inputs, args->z, args->alpha);
    const size_t n_powers = (size_t)p->n_constraints + p->n_batches, n_interaction = 4 * (size_t)p->n_batches;
    const unsigned threads = program_threads(p);
    table_writer w(dev);
    PR_ASSERT(n >= 1 && args->log_blowup >= 1 && n + args->log_blowup < PR_CIRCLE_LOG_ORDER);
    if (!threads)
        return pr_fail(err, PR_ERR_BACKEND, "a component's program needs %u slots: too many for this backend",
                       p->n_slots);
    PR_TRY(
        w.begin(program_table_bytes(tables) + table_size<pr_col>(n_interaction) + table_size<pr_qm31>(n_powers), err));
    compose_view v = {};
    v.program = put_program(dev, &w, tables, n, 1);
    v.interaction = w.put(args->interaction, n_interaction);
    v.powers = w.put(args->powers, n_powers);
    v.shift = args->shift;
    v.out = secure(dev, args->out);
    v.n_constraints = p->n_constraints, v.n_batches = p->n_batches, v.accumulate = args->accumulate;
    for (uint32_t half = 0; half < 2; half++)
        v.inverse[half] = pr_m31_inverse(pr_vanishing(pr_domain_point(n + args->log_blowup, half << n).x, n));
    PR_TRY(w.send(err));
    const size_t shared = program_shared_bytes(p, threads), rows = (size_t)2 << n;
    PR_CUDA_TRY(PR_ALLOW_SHARED(compose_kernel, shared), "shared memory for a program's slots");
    PR_CUDA_TRY(PR_LAUNCH(compose_kernel, program_blocks(rows, threads), threads, shared, dev->stream, v),
                "constraints");
    return PR_OK;
}

} // namespace PR_GPU
