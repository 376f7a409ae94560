#include "cuda/derive.cuh"
#include "cuda/program.cuh"

namespace PR_GPU {

/* A constraint's value is a column's. */
template <unsigned ROWS> struct row_columns {
    const program_range &range;
    span<const pr_col> out;
    const program_rows<ROWS> &rows;

    PR_DEVICE_METHOD void add(uint32_t constraint, bool, const row_values<ROWS> &values) {
        const pr_col col = ld(out, constraint);
        st_column(column(range.arena, col), (1u << col.log_rows) - 1, rows, values);
    }
    PR_DEVICE_METHOD void close(uint32_t) {} /* of batches: there are none */
};

/* A thread writes columns of its rows; what it needs of them again is in its slots. */
template <unsigned ROWS, bool SPILLS>
__global__ void __launch_bounds__(128) derive_kernel(program_range range, program_code code, span<const pr_col> out) {
    const words slots = program_slots<SPILLS>(range);
    program_rows<ROWS> rows = begin_rows<ROWS>(range);
    row_columns<ROWS> columns = {range, out, rows};
    run_program<ROWS, false>(range, code, slots, &rows, &columns);
}

typedef void (*derive_launcher)(program_range, program_code, span<const pr_col>);
static derive_launcher kernel_of(const program_shape &shape) {
    return shape.spills ? derive_kernel<2, true> : shape.rows == 2 ? derive_kernel<2, false> : derive_kernel<4, false>;
}

static pr_status launch_derive(device *dev, program_range range, const program_code &code, const program_shape &shape,
                               span<const pr_col> out, size_t n_out, pr_error *err) {
    const derive_launcher kernel = kernel_of(shape);
    const auto launch = [&](const program_range &part) {
        count_moved(dev, shape.rows_read(part.n_rows) * code.n_loads + part.n_rows * n_out);
        return check(PR_LAUNCH(kernel, shape.blocks(part.n_rows), shape.threads, shape.shared_bytes(), dev->stream,
                               part, code, out),
                     "deriving columns", err);
    };
    return launch_parts(kernel, shape, range, launch, err);
}

pr_status derive(device *dev, const pr_derive *args, pr_error *err) {
    const pr_program *p = args->program;
    const program_tables t = program_tables_of(p, args->inputs, nullptr, nullptr, args->log_rows, 0);
    const program_shape shape = program_shape_of(dev, p->n_slots, (size_t)1 << args->log_rows, 4);
    window in(dev);
    table_writer w(dev);
    program_code code = {};
    PR_TRY(w.begin(program_table_bytes(t) + table_size<pr_col>(p->n_constraints), err));
    PR_TRY(put_program(&code, dev, &w, &in, t, 0, args->log_rows, err));
    const span<const pr_col> out = w.put(args->out, p->n_constraints);
    PR_TRY(w.send(err));
    return launch_derive(dev, program_range_of(dev, t, shape, 0, args->log_rows), code, shape, out, p->n_constraints,
                         err);
}

} // namespace PR_GPU
