#include "cuda/compose.cuh"
#include "cuda/program.cuh"

namespace PR_GPU {

struct compose_view {
    program_view program;
    span<const pr_col> interaction;     /* [4 * n_batches] */
    span<const program_input> previous; /* [4]: of the last batch, a row before */
    span<const pr_qm31> powers;         /* [n_constraints + n_batches] */
    span<const pr_qm31> shift;          /* one */
    secure_column out;
    uint32_t n_constraints, n_batches;
    uint64_t accumulate; /* 0 or 1; no gap, as queue.cuh asks */
    pr_m31 inverse[2];   /* of the vanishing polynomial, which takes two values on these rows, one on each half */
};

PR_DEVICE pr_qm31 ld_interaction(const compose_view &v, uint32_t batch, uint32_t slot) {
    pr_qm31 r;
#pragma unroll
    for (uint32_t c = 0; c < 4; c++) r.c[c] = ld_slot(v.program.arena, ld(v.interaction, 4 * batch + c), slot);
    return r;
}
PR_DEVICE pr_qm31 ld_previous(const compose_view &v, uint32_t slot) {
    pr_qm31 r;
#pragma unroll
    for (uint32_t c = 0; c < 4; c++) r.c[c] = ld_moved(v.program, ld(v.previous, c), slot);
    return r;
}

/* (difference of running totals) * den - num: protocol.md section 9. */
PR_DEVICE pr_qm31 batch_value(const compose_view &v, const program_rows &rows, unsigned r, uint32_t batch) {
    const uint32_t slot = rows.slot[r];
    pr_qm31 step = ld_interaction(v, batch, slot);
    if (batch + 1 == v.n_batches) step = pr_qm31_add(pr_qm31_sub(step, ld_previous(v, slot)), ld(v.shift, 0));
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

template <bool SPILLS> __global__ void __launch_bounds__(128) compose_kernel(compose_view v) {
    const words slots = program_slots<SPILLS>(v.program);
    program_rows rows = begin_rows(v.program);
    row_sums sums = {};
    sum_rows(&sums, v, slots, &rows);
    PR_EACH_ROW {
        if (row_number(r) >= v.program.n_rows) continue;
        const uint32_t slot = rows.slot[r];
        const pr_qm31 all = pr_qm31_add(reduce(sums.constraints[r]), sums.batches[r]);
        const pr_qm31 sum = pr_qm31_mul_m31(all, v.inverse[slot >> v.program.log_rows]);
        st_secure(v.out, slot, v.accumulate ? pr_qm31_add(ld_secure(v.out, slot), sum) : sum);
    }
}

static pr_status launch_compose(device *dev, compose_view v, const program_shape &shape, size_t n_loads,
                                pr_error *err) {
    const size_t end = v.program.first + (size_t)v.program.n_rows;
    while (v.program.first < end) {
        const size_t left = end - v.program.first;
        v.program.n_rows = (uint32_t)(left < shape.most_rows ? left : shape.most_rows);
        const unsigned blocks = program_blocks(v.program.n_rows, shape.threads);
        const size_t asked = (size_t)blocks * shape.threads * rows_each; /* threads without a row read, too */
        count_moved(dev,
                    asked * (n_loads + 8 * (size_t)v.n_batches) + v.program.n_rows * (v.accumulate ? (size_t)8 : 4));
        PR_CUDA_TRY(shape.spills
                        ? PR_LAUNCH(compose_kernel<true>, blocks, shape.threads, 0, dev->stream, v)
                        : PR_LAUNCH(compose_kernel<false>, blocks, shape.threads, shape.shared_bytes, dev->stream, v),
                    "constraints");
        v.program.first += v.program.n_rows;
    }
    return PR_OK;
}

/* Columns that the rows read, beside the program's inputs. */
static pr_status put_interaction(compose_view *v, table_writer *w, window *in, const program_tables &t,
                                 const pr_compose *args, size_t first, uint32_t log_rows, pr_error *err) {
    const uint32_t n = 4 * args->program->n_batches;
    pr_col *columns;
    program_input *previous;
    v->interaction = w->take(&columns, n);
    v->previous = w->take(&previous, 4);
    for (uint32_t k = 0; k < n; k++) PR_TRY(in->piece(&columns[k], args->interaction[k], first, log_rows, err));
    for (uint32_t k = 0; n && k < 4; k++)
        PR_TRY(moved_input(&previous[k], in, t, args->interaction[n - 4 + k], -1, first, log_rows, err));
    return PR_OK;
}

static pr_status compose_rows(device *dev, compose_view v, const program_tables &t, const pr_compose *args,
                              size_t first, uint32_t log_rows, pr_error *err) {
    const pr_program *p = args->program;
    const size_t n_powers = (size_t)p->n_constraints + p->n_batches;
    window in(dev);
    table_writer w(dev);
    PR_TRY(w.begin(program_table_bytes(t) + table_size<pr_col>(4 * (size_t)p->n_batches) +
                       table_size<program_input>(4) + table_size<pr_qm31>(n_powers) + table_size<pr_qm31>(1),
                   err));
    PR_TRY(put_program(&v.program, dev, &w, &in, t, first, log_rows, err));
    PR_TRY(put_interaction(&v, &w, &in, t, args, first, log_rows, err));
    v.powers = w.put(args->powers, n_powers);
    v.shift = w.put(&args->shift, 1);
    PR_TRY(w.send(err));
    return launch_compose(dev, v, program_shape_of(dev, p), program_loads(p), err);
}

pr_status compose(device *dev, const pr_compose *args, pr_error *err) {
    const pr_program *p = args->program;
    const uint32_t n = args->log_rows;
    const program_tables t = program_tables_of(p, args->inputs, args->z, args->alpha, n, 1);
    const bool far =
        are_far(dev, args->inputs, p->n_inputs) || are_far(dev, args->interaction, 4 * (size_t)p->n_batches);
    const size_t n_pieces = program_pieces(p) + 4 * (size_t)p->n_batches + 8;
    const uint32_t log_rows = block_log_rows(dev, far, n_pieces, n + 1);
    compose_view v = {};
    PR_ASSERT(n >= 1 && args->log_blowup >= 1 && n + args->log_blowup < PR_CIRCLE_LOG_ORDER);
    v.out = secure(dev, args->out);
    v.n_constraints = p->n_constraints, v.n_batches = p->n_batches, v.accumulate = args->accumulate;
    for (uint32_t half = 0; half < 2; half++)
        v.inverse[half] = pr_m31_inverse(pr_vanishing(pr_domain_point(n + args->log_blowup, half << n).x, n));
    PR_CUDA_TRY(PR_ALLOW_SHARED(compose_kernel<false>, program_shape_of(dev, p).shared_bytes),
                "shared memory for a program's slots");
    for (size_t first = 0; first < (size_t)2 << n; first += (size_t)1 << log_rows)
        PR_TRY(compose_rows(dev, v, t, args, first, log_rows, err));
    return PR_OK;
}

} // namespace PR_GPU
