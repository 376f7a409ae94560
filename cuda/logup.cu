/* Fractions and running totals over batches, row by row; their sum over all rows; then the last column's prefix sum
 * in row order (scan.cu), without a word of it passing through the host. A row of blocks for each component. */
#include "cuda/logup.cuh"
#include "cuda/program.cuh"
#include "cuda/scan.cuh"

namespace PR_GPU {

struct logup_component {
    program_code code;
    span<const pr_col> out; /* [4 * n_batches] */
};
struct logup_view {
    program_range range;
    span<const logup_component> components;
    span<uint64_t> sums; /* [n_components][4] */
};

/* One inversion for a thread's rows, by running products: denominators are not zero but with the probability that a
 * random element is. */
template <unsigned ROWS> PR_DEVICE void invert_denominators(pr_qm31 out[ROWS], const program_rows<ROWS> &rows) {
    out[0] = rows.den[0];
#pragma unroll
    for (unsigned r = 1; r < ROWS; r++) out[r] = pr_qm31_mul(out[r - 1], rows.den[r]);
    pr_qm31 inverse = pr_qm31_inverse(out[ROWS - 1]);
#pragma unroll
    for (unsigned r = ROWS - 1; r > 0; r--) {
        out[r] = pr_qm31_mul(inverse, out[r - 1]);
        inverse = pr_qm31_mul(inverse, rows.den[r]);
    }
    out[0] = inverse;
}

template <unsigned ROWS> struct row_totals {
    const logup_view &v;
    const logup_component &component;
    const program_rows<ROWS> &rows;
    pr_qm31 totals[ROWS];

    PR_DEVICE_METHOD void add(uint32_t, bool, const row_values<ROWS> &) {} /* of constraints: there are none */
    PR_DEVICE_METHOD void close(uint32_t batch) {
        pr_qm31 inverse[ROWS];
        invert_denominators<ROWS>(inverse, rows);
        PR_EACH_ROW totals[r] = pr_qm31_add(totals[r], pr_qm31_mul(rows.num[r], inverse[r]));
#pragma unroll
        for (uint32_t c = 0; c < 4; c++) {
            const pr_col col = ld(component.out, 4 * batch + c);
            row_values<ROWS> values;
            PR_EACH_ROW values.v[r] = totals[r].c[c];
            st_column(column(v.range.arena, col), (1u << col.log_rows) - 1, rows, values);
        }
    }
};

/* Whole warps: threads without a row add nothing. */
template <unsigned ROWS, bool SPILLS> __global__ void __launch_bounds__(128) logup_kernel(logup_view v) {
    const words slots = program_slots<SPILLS>(v.range);
    const logup_component component = ld(v.components, blockIdx.y);
    program_rows<ROWS> rows = begin_rows<ROWS>(v.range);
    row_totals<ROWS> totals = {v, component, rows, {}};
    run_program<ROWS, true>(v.range, component.code, slots, &rows, &totals);
#pragma unroll
    for (unsigned c = 0; c < 4; c++) {
        uint64_t sum = 0;
        PR_EACH_ROW sum += rows.is_active[r] ? totals.totals[r].c[c] : 0;
        for (int bit = 16; bit; bit >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, bit);
        if (threadIdx.x % 32 == 0)
            atomic_add(v.sums, (size_t)4 * blockIdx.y + c, sum); /* at most 2^24 values of 31 bits */
    }
}

/* ---- on the host ---- */

typedef void (*logup_launcher)(logup_view);
static logup_launcher kernel_of(const program_shape &shape) {
    return shape.spills ? logup_kernel<2, true> : shape.rows == 2 ? logup_kernel<2, false> : logup_kernel<4, false>;
}

/* n_loads, n_out: of a row in all components; a spilling one is alone. */
static pr_status launch_logup(device *dev, logup_view v, const program_shape &shape, size_t n_components,
                              size_t n_loads, size_t n_out, pr_error *err) {
    const logup_launcher kernel = kernel_of(shape);
    const auto launch = [&](const program_range &part) {
        const dim3 grid(shape.blocks(part.n_rows), (unsigned)n_components);
        v.range = part;
        count_moved(dev, shape.rows_read(part.n_rows) * n_loads + part.n_rows * n_out +
                             (size_t)grid.x * shape.threads / 32 * 8 * n_components);
        return check(PR_LAUNCH(kernel, grid, shape.threads, shape.shared_bytes(), dev->stream, v), "fractions", err);
    };
    return launch_parts(kernel, shape, v.range, launch, err);
}

static program_tables tables_of(const pr_logup *args) {
    return program_tables_of(args->program, args->inputs, args->z, args->alpha, args->log_rows, 0);
}
static size_t n_out_of(const pr_logup *args) { return 4 * (size_t)args->program->n_batches; }
static size_t table_bytes(const pr_logup *args) {
    return program_table_bytes(tables_of(args)) + table_size<pr_col>(n_out_of(args)) + table_size<logup_component>(1) +
           table_size<words>(4);
}
static const pr_col *last_batch(const pr_logup *args) { return &args->out[n_out_of(args) - 4]; }
static bool is_far_component(const device *dev, const pr_logup *args) {
    return are_far(dev, args->out, n_out_of(args)) || are_far(dev, args->inputs, args->program->n_inputs);
}

/* What is launched together: list[0 .. n), of one size; their sums from the place-th of all on. */
struct logup_group {
    const pr_logup *list;
    size_t n, place, table_bytes;
    uint32_t n_slots;
};

/* Far columns are written in the window, and sent back. */
static void place_out(pr_col *places, const device *dev, window *in, const pr_logup *args, uint32_t log_rows) {
    for (size_t k = 0; k < n_out_of(args); k++)
        places[k] = is_far(dev, args->out[k]) ? in->take(log_rows) : args->out[k];
}
static pr_status send_out(const pr_col *places, const device *dev, window *in, const pr_logup *args, size_t first,
                          pr_error *err) {
    for (size_t k = 0; k < n_out_of(args); k++)
        if (is_far(dev, args->out[k])) PR_TRY(in->send_back(far_column(dev, args->out[k]) + first, places[k], err));
    return PR_OK;
}

/* As scan.cu takes them. */
static void put_columns(words out[4], const device *dev, const pr_col cols[4]) {
    for (int c = 0; c < 4; c++) out[c] = column(dev, cols[c]);
}

static span<uint64_t> sums_of(const device *dev, const logup_group &group) {
    return view_of(result_sums(dev, 4 * (group.place + group.n)).p + 4 * group.place, 4 * group.n);
}

/* Rows first .. first + 2^log_rows - 1; last: as scan.cu takes the last batches. */
static pr_status logup_rows(device *dev, span<const words> *last, const logup_group &group, size_t first,
                            uint32_t log_rows, pr_error *err) {
    const program_shape shape = program_shape_of(dev, group.n_slots, (size_t)1 << log_rows, 4);
    const pr_logup *const list = group.list;
    logup_component *components;
    words *columns;
    pr_col *places = nullptr;
    size_t n_loads = 0, n_out = 0;
    logup_view v = {};
    window in(dev);
    table_writer w(dev);
    PR_TRY(w.begin(group.table_bytes, err));
    v.components = w.take(&components, group.n);
    *last = w.take(&columns, 4 * group.n);
    for (size_t k = 0; k < group.n; k++) {
        components[k] = logup_component{};
        PR_TRY(put_program(&components[k].code, dev, &w, &in, tables_of(&list[k]), first, log_rows, err));
        components[k].out = w.take(&places, n_out_of(&list[k]));
        place_out(places, dev, &in, &list[k], log_rows);
        if (!are_far(dev, last_batch(&list[k]), 4)) put_columns(&columns[4 * k], dev, last_batch(&list[k]));
        n_loads += components[k].code.n_loads, n_out += n_out_of(&list[k]);
    }
    PR_TRY(w.send(err));
    v.range = program_range_of(dev, tables_of(list), shape, first, log_rows);
    v.sums = sums_of(dev, group);
    PR_TRY(launch_logup(dev, v, shape, group.n, n_loads, n_out, err));
    return group.n == 1 ? send_out(places, dev, &in, list, first, err) : PR_OK;
}

/* The last batch's totals become prefix sums, whole columns in the window if they are far. */
static pr_status prefix_far(device *dev, const logup_group &group, pr_error *err) {
    const pr_col *last = last_batch(group.list);
    window in(dev);
    table_writer w(dev);
    pr_col cols[4];
    words *columns;
    for (int c = 0; c < 4; c++) {
        cols[c] = in.take(last[c].log_rows);
        PR_TRY(in.bring(cols[c], far_column(dev, last[c]), err));
    }
    PR_TRY(w.begin(table_size<words>(4), err));
    const span<const words> list = w.take(&columns, 4);
    put_columns(columns, dev, cols);
    PR_TRY(w.send(err));
    PR_TRY(prefix_rows(dev, list, 1, last->log_rows, sums_of(dev, group), err));
    for (int c = 0; c < 4; c++) PR_TRY(in.send_back(far_column(dev, last[c]), cols[c], err));
    return PR_OK;
}

static pr_status logup_group_rows(device *dev, const logup_group &group, pr_error *err) {
    const pr_logup *args = group.list;
    const size_t n_pieces = program_pieces(args->program) + n_out_of(args);
    const uint32_t n = args->log_rows, log_rows = block_log_rows(dev, is_far_component(dev, args), n_pieces, n);
    span<const words> last = {};
    PR_ASSERT(n >= 1 && args->program->n_batches >= 1);
    for (size_t first = 0; first < (size_t)1 << n; first += (size_t)1 << log_rows)
        PR_TRY(logup_rows(dev, &last, group, first, log_rows, err));
    if (are_far(dev, last_batch(args), 4)) return prefix_far(dev, group, err);
    return prefix_rows(dev, last, group.n, n, sums_of(dev, group), err);
}

/* Whether next may join: as of constraints (compose.cu); and where the scans' working memory has room for it. */
static bool joins(const device *dev, const logup_group *group, const pr_logup *next) {
    const pr_logup *head = group->list;
    const size_t n_rows = (size_t)1 << head->log_rows;
    const program_shape shape = program_shape_of(dev, group->n_slots, n_rows, 4);
    return next->log_rows == head->log_rows && !is_far_component(dev, next) && !is_far_component(dev, head) &&
           !shape.spills && group->table_bytes + table_bytes(next) <= dev->tables.bytes &&
           group->n < prefix_capacity(dev, head->log_rows) &&
           program_shape_of(dev, next->program->n_slots, n_rows, 4) == shape;
}

static void join(logup_group *group, const pr_logup *next) {
    group->n++;
    group->table_bytes += table_bytes(next);
    if (next->program->n_slots > group->n_slots) group->n_slots = next->program->n_slots;
}

/* At most as many as there is room for in the results. */
static pr_status logup_some(device *dev, const pr_logup *list, size_t n, pr_error *err) {
    const size_t bytes = 4 * n * sizeof(uint64_t);
    count_moved(dev, 8 * n);
    PR_CUDA_TRY(queue_set(dev->stream, result_sums(dev, 4 * n).p, 0, bytes), "clearing sums");
    for (size_t first = 0; first < n;) {
        logup_group group = {list + first, 0, first, 0, 0};
        do join(&group, &list[first++]);
        while (first < n && joins(dev, &group, &list[first]));
        PR_TRY(logup_group_rows(dev, group, err));
    }
    PR_TRY(fetch_results(dev, bytes, err));
    const uint64_t *sums = (const uint64_t *)(const void *)dev->results.host;
    for (size_t k = 0; k < 4 * n; k++) list[k / 4].claimed_sum->c[k % 4] = pr_m31_reduce(sums[k]);
    return PR_OK;
}

pr_status logup(device *dev, const pr_logup *list, size_t n, pr_error *err) {
    const size_t most = result_bytes / (4 * sizeof(uint64_t));
    for (size_t first = 0; first < n; first += most)
        PR_TRY(logup_some(dev, list + first, n - first < most ? n - first : most, err));
    return PR_OK;
}

} // namespace PR_GPU
