#include "cuda/gather.cuh"
#include "cuda/window.cuh"

namespace PR_GPU {

/* Values of one tree's columns at some rows. */
struct gather_group {
    uint32_t first_column, n_values, first_position, n_positions, log_lifted, first_result;
};

__global__ void __launch_bounds__(block_threads)
    gather_kernel(words arena, span<const gather_group> groups, span<const pr_col> columns, const_words positions,
                  words out) {
    const gather_group g = ld(groups, blockIdx.y);
    for (size_t i = thread_number(); i < g.n_values; i += thread_count()) {
        const pr_col col = ld(columns, g.first_column + i / g.n_positions);
        const uint32_t slot = ld(positions, g.first_position + i % g.n_positions);
        st(out, g.first_result + i, ld(column(arena, col), pr_slot_lift(col.log_rows, g.log_lifted, slot)));
    }
}

struct gather_sizes {
    size_t n, columns, positions, values, most_values;
};
static bool has_values(const device *dev, const pr_opening *o) {
    return o->n && o->n_positions && !is_far(dev, o->cols[0]);
}
static gather_sizes sizes_of(const device *dev, const pr_opening *list, size_t n) {
    gather_sizes s = {};
    for (const pr_opening *o = list; o < list + n; o++) {
        if (!has_values(dev, o)) continue;
        const size_t values = o->n * o->n_positions;
        s.n++, s.columns += o->n, s.positions += o->n_positions, s.values += values;
        if (values > s.most_values) s.most_values = values;
    }
    return s;
}
static size_t tables_of(const gather_sizes &s) {
    return table_size<gather_group>(s.n) + table_size<pr_col>(s.columns) + table_size<uint32_t>(s.positions);
}

/* By one launch. Of several, the results have room for all. */
static pr_status gather_groups(device *dev, result_list *results, const pr_opening *list, size_t n,
                               const gather_sizes &s, pr_error *err) {
    table_writer w(dev);
    gather_group *group;
    pr_col *column;
    uint32_t *position, first_column = 0, first_position = 0;
    PR_TRY(w.begin(tables_of(s), err));
    const span<const gather_group> groups = w.take(&group, s.n);
    const span<const pr_col> columns = w.take(&column, s.columns);
    const const_words positions = w.take(&position, s.positions);
    for (const pr_opening *o = list; o < list + n; o++) {
        if (!has_values(dev, o)) continue;
        uint32_t first;
        const uint32_t n_values = (uint32_t)(o->n * o->n_positions), n_positions = (uint32_t)o->n_positions;
        PR_TRY(results->take(&first, o->values, n_values, err));
        *group++ = gather_group{first_column, n_values, first_position, n_positions, o->log_lifted, first};
        std::memcpy(column + first_column, o->cols, o->n * sizeof *column);
        std::memcpy(position + first_position, o->positions, n_positions * sizeof *position);
        first_column += (uint32_t)o->n, first_position += n_positions;
    }
    PR_TRY(w.send(err));
    count_moved(dev, 2 * s.values);
    const dim3 grid(blocks_for(s.most_values), (unsigned)s.n);
    const words all = arena(dev);
    return check(
        PR_LAUNCH(gather_kernel, grid, block_threads, 0, dev->stream, all, groups, columns, positions, results->all()),
        "gathering", err);
}

pr_status gather_near(device *dev, result_list *results, bool *is_done, const pr_opening *list, size_t n,
                      pr_error *err) {
    const gather_sizes s = sizes_of(dev, list, n);
    PR_TRY(results->reserve(is_done, s.n, s.values, err));
    *is_done &= tables_of(s) <= dev->tables.bytes;
    return *is_done && s.n ? gather_groups(dev, results, list, n, s, err) : PR_OK;
}

/* Far columns are the host's to read. */
static pr_status gather_far(device *dev, pr_m31 *out, const pr_col *cols, size_t n, const uint32_t *positions,
                            size_t n_positions, uint32_t log_lifted, pr_error *err) {
    PR_TRY(wait_for_work(dev->stream, "waiting for far columns", err));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n_positions; k++)
            out[i * n_positions + k] =
                far_column(dev, cols[i])[pr_slot_lift(cols[i].log_rows, log_lifted, positions[k])];
    return PR_OK;
}

/* As many columns at a time as the results have room for; and, for very many positions, one column in pieces. */
pr_status gather(device *dev, result_list *results, pr_m31 *out, const pr_col *cols, size_t n,
                 const uint32_t *positions, size_t n_positions, uint32_t log_lifted, pr_error *err) {
    if (are_far(dev, cols, n)) return gather_far(dev, out, cols, n, positions, n_positions, log_lifted, err);
    const size_t room = result_bytes / sizeof(uint32_t), piece = n_positions < room ? n_positions : room;
    for (size_t i = 0, count; piece && i < n; i += count) {
        count = piece < n_positions ? 1 : room / piece < n - i ? room / piece : n - i;
        for (size_t k = 0; k < n_positions; k += piece) {
            pr_opening some = {};
            some.n = count, some.cols = cols + i, some.log_lifted = log_lifted;
            some.n_positions = n_positions - k < piece ? n_positions - k : piece, some.positions = positions + k;
            some.values = out + i * n_positions + k;
            PR_TRY(gather_groups(dev, results, &some, 1, sizes_of(dev, &some, 1), err));
        }
    }
    return PR_OK;
}

/* Slots are written side by side; rows are read wherever they lie. A column's blocks are the grid's first dimension. */
__global__ void __launch_bounds__(block_threads)
    rows_kernel(words arena, span<const pr_col> dst, span<const pr_col> src, uint32_t log_rows) {
    const words to = column(arena, ld(dst, blockIdx.y)), from = column(arena, ld(src, blockIdx.y));
    for (size_t i = thread_number(); i < (size_t)1 << log_rows; i += thread_count())
        st(to, i, ld(from, row_of_slot(log_rows, (uint32_t)i)));
}

constexpr size_t most_columns = 4096; /* a launch */

pr_status rows_to_storage(device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    for (size_t first = 0, count; first < n; first += count) {
        const uint32_t log_rows = src[first].log_rows;
        table_writer w(dev);
        count = n - first < most_columns ? n - first : most_columns;
        PR_TRY(w.begin(2 * table_size<pr_col>(count), err));
        const span<const pr_col> to = w.put(dst + first, count), from = w.put(src + first, count);
        PR_TRY(w.send(err));
        count_moved(dev, count * ((size_t)2 << log_rows));
        const dim3 grid(blocks_for((size_t)1 << log_rows), (unsigned)count);
        PR_CUDA_TRY(PR_LAUNCH(rows_kernel, grid, block_threads, 0, dev->stream, arena(dev), to, from, log_rows),
                    "row order");
    }
    return PR_OK;
}

} // namespace PR_GPU
