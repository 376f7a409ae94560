#include "cuda/gather.cuh"
#include "cuda/window.cuh"

namespace PR_GPU {

__global__ void __launch_bounds__(block_threads)
    gather_kernel(words arena, span<const pr_col> columns, const_words positions, words out, uint32_t n,
                  uint32_t n_positions, uint32_t log_lifted) {
    for (size_t i = thread_number(); i < (size_t)n * n_positions; i += thread_count()) {
        const pr_col col = ld(columns, i / n_positions);
        const uint32_t slot = ld(positions, i % n_positions);
        const uint32_t at = col.log_rows == log_lifted ? slot : pr_slot_lift(col.log_rows, log_lifted, slot);
        st(out, i, ld(column(arena, col), at));
    }
}

static pr_status gather_some(device *dev, result_list *results, pr_m31 *out, const pr_col *cols, size_t n,
                             const uint32_t *positions, size_t n_positions, uint32_t log_lifted, pr_error *err) {
    table_writer w(dev);
    PR_TRY(w.begin(table_size<pr_col>(n) + table_size<uint32_t>(n_positions), err));
    const span<const pr_col> columns = w.put(cols, n);
    const const_words places = w.put(positions, n_positions);
    PR_TRY(w.send(err));
    const words all = arena(dev);
    words to;
    PR_TRY(results->take(&to, out, n * n_positions, err));
    count_moved(dev, 2 * n * n_positions);
    PR_CUDA_TRY(PR_LAUNCH(gather_kernel, blocks_for(n * n_positions), block_threads, 0, dev->stream, all, columns,
                          places, to, (uint32_t)n, (uint32_t)n_positions, log_lifted),
                "gathering");
    return PR_OK;
}

/* Far columns are the host's to read. */
static pr_status gather_far(const device *dev, pr_m31 *out, const pr_col *cols, size_t n, const uint32_t *positions,
                            size_t n_positions, uint32_t log_lifted, pr_error *err) {
    PR_CUDA_TRY(cudaStreamSynchronize(dev->stream), "waiting for far columns");
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
        for (size_t k = 0; k < n_positions; k += piece)
            PR_TRY(gather_some(dev, results, out + i * n_positions + k, cols + i, count, positions + k,
                               n_positions - k < piece ? n_positions - k : piece, log_lifted, err));
    }
    return PR_OK;
}

/* Slots are written side by side; rows are read wherever they lie. */
__global__ void __launch_bounds__(block_threads) rows_kernel(words dst, words src, uint32_t log_rows) {
    for (size_t i = thread_number(); i < (size_t)1 << log_rows; i += thread_count())
        st(dst, i, ld(src, row_of_slot(log_rows, (uint32_t)i)));
}

pr_status rows_to_storage(device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    for (size_t i = 0; i < n; i++) {
        const words to = column(dev, dst[i]), from = column(dev, src[i]);
        count_moved(dev, (size_t)2 << src[i].log_rows);
        PR_CUDA_TRY(PR_LAUNCH(rows_kernel, blocks_for((size_t)1 << src[i].log_rows), block_threads, 0, dev->stream, to,
                              from, src[i].log_rows),
                    "row order");
    }
    return PR_OK;
}

} // namespace PR_GPU
