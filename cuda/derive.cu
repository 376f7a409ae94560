#include "cuda/derive.cuh"
#include "cuda/program.cuh"

namespace PR_GPU {

/* A thread writes columns of its rows; what it needs of them again is in its slots. */
template <bool SPILLS>
__global__ void __launch_bounds__(128) derive_kernel(program_view program, span<const pr_col> out) {
    const words slots = program_slots<SPILLS>(program);
    program_rows rows = begin_rows(program);
    pr_insn insn = {};
    for (uint32_t pc = 0; (pc = run_program(program, slots, &rows, pc, &insn)) < program.n_insns; pc++) {
        const row_values value = ld_operand(program, slots, insn.a, rows);
        const words to = column(program.arena, ld(out, insn.b));
        PR_EACH_ROW if (row_number(r) < program.n_rows) st(to, rows.slot[r], value.v[r]);
    }
}

static pr_status launch_derive(device *dev, program_view v, span<const pr_col> out, const pr_program *p,
                               pr_error *err) {
    const program_shape shape = program_shape_of(dev, p);
    const size_t end = v.n_rows, n_loads = program_loads(p);
    PR_CUDA_TRY(PR_ALLOW_SHARED(derive_kernel<false>, shape.shared_bytes), "shared memory for a program's slots");
    for (; v.first < end; v.first += v.n_rows) {
        const size_t left = end - v.first;
        v.n_rows = (uint32_t)(left < shape.most_rows ? left : shape.most_rows);
        const unsigned blocks = program_blocks(v.n_rows, shape.threads);
        const size_t asked = (size_t)blocks * shape.threads * rows_each; /* threads without a row read, too */
        count_moved(dev, asked * n_loads + (size_t)v.n_rows * p->n_constraints);
        PR_CUDA_TRY(shape.spills ? PR_LAUNCH(derive_kernel<true>, blocks, shape.threads, 0, dev->stream, v, out)
                                 : PR_LAUNCH(derive_kernel<false>, blocks, shape.threads, shape.shared_bytes,
                                             dev->stream, v, out),
                    "deriving columns");
    }
    return PR_OK;
}

pr_status derive(device *dev, const pr_derive *args, pr_error *err) {
    const pr_program *p = args->program;
    const program_tables t = program_tables_of(p, args->inputs, nullptr, nullptr, args->log_rows, 0);
    window in(dev);
    table_writer w(dev);
    program_view v;
    PR_TRY(w.begin(program_table_bytes(t) + table_size<pr_col>(p->n_constraints), err));
    PR_TRY(put_program(&v, dev, &w, &in, t, 0, args->log_rows, err));
    const span<const pr_col> out = w.put(args->out, p->n_constraints);
    PR_TRY(w.send(err));
    return launch_derive(dev, v, out, p, err);
}

} // namespace PR_GPU
