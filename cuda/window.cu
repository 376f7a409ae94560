#include "cuda/window.cuh"
#include "cuda/gather.cuh"
#include "cuda/transform.cuh"

namespace PR_GPU {

bool are_far(const device *dev, const pr_col *cols, size_t n) {
    const bool far = n && is_far(dev, cols[0]);
    for (size_t i = 1; i < n; i++) PR_ASSERT(is_far(dev, cols[i]) == far);
    return far;
}

pr_col window::take(uint32_t log_rows) {
    const pr_col col = {dev_->near_words + used_, log_rows};
    PR_ASSERT(has_room(room_of(log_rows)));
    used_ += room_of(log_rows);
    return col;
}

pr_status window::bring(pr_col to, const uint32_t *from, pr_error *err) {
    return check(queue_copy(dev_->stream, dev_->memory + to.offset, from, sizeof(uint32_t) << to.log_rows,
                            cudaMemcpyHostToDevice),
                 "bringing columns to the device", err);
}

pr_status window::send_back(uint32_t *to, pr_col from, pr_error *err) {
    return check(queue_copy(dev_->stream, to, dev_->memory + from.offset, sizeof(uint32_t) << from.log_rows,
                            cudaMemcpyDeviceToHost),
                 "sending columns back to the host", err);
}

pr_status window::piece(pr_col *out, pr_col col, size_t first, uint32_t log_rows, pr_error *err) {
    if (!is_far(dev_, col)) {
        *out = col;
        return PR_OK;
    }
    for (size_t i = 0; i < n_pieces_; i++) {
        const window_piece *p = &dev_->pieces[i];
        if (p->column != col.offset || p->first != first) continue;
        *out = p->place;
        return PR_OK;
    }
    PR_ASSERT(n_pieces_ < dev_->max_pieces && first + ((size_t)1 << log_rows) <= (size_t)1 << col.log_rows);
    *out = take(log_rows);
    dev_->pieces[n_pieces_++] = window_piece{col.offset, first, *out};
    return bring(*out, far_column(dev_, col) + first, err);
}

/* A lift repeats pairs of rows: slot s reads 2 floor(s / 2^(d+1)) + s mod 2, d the difference of the log sizes. So an
 * aligned block reads an aligned block, of two rows at least. */
pr_status window::lifted_piece(pr_col *out, pr_col col, uint32_t log_lifted, size_t first, uint32_t log_rows,
                               pr_error *err) {
    const uint32_t d = log_lifted - col.log_rows;
    return piece(out, col, first >> (d + 1) << 1, log_rows > d ? log_rows - d : 1, err);
}

uint32_t block_log_rows(const device *dev, bool far, size_t n_pieces, uint32_t log_all) {
    if (!far) return log_all;
    uint32_t log_rows = log_all;
    while (log_rows && n_pieces * room_of(log_rows) > dev->window_words) log_rows--;
    PR_ASSERT(log_rows >= (log_all < log_least_rows ? log_all : log_least_rows));
    return log_rows;
}

size_t max_pieces(const pr_device_needs *needs) {
    const size_t rows = 2 * (size_t)needs->max_inputs + 8 * (size_t)needs->max_batches + 8;
    return rows > needs->n_columns ? rows : needs->n_columns;
}

size_t min_window_words(const pr_device_needs *needs) {
    const size_t block = max_pieces(needs) * room_of(log_least_rows), column = room_of(needs->max_log_rows);
    const size_t totals = needs->n_lookup_components ? 4 * room_of(needs->max_lookup_log_rows) : 0;
    const size_t most = block > column ? block : column;
    return most > totals ? most : totals;
}

constexpr size_t most_columns = 64; /* at a time */

/* The columns of a group, at most most_columns, as they are and in the window. */
struct column_group {
    pr_col dst[most_columns], src[most_columns];
    size_t n;
};

static pr_status send_group(window *w, device *dev, const pr_col *dst, const column_group &g, pr_error *err) {
    for (size_t i = 0; i < g.n; i++)
        if (is_far(dev, dst[i])) PR_TRY(w->send_back(far_column(dev, dst[i]), g.dst[i], err));
    return PR_OK;
}

/* In the window a source begins where its target does. */
pr_status transform_through_window(device *dev, unsigned steps, const pr_col *dst, const pr_col *src, size_t n,
                                   unsigned log_parts, pr_error *err) {
    for (size_t first = 0; first < n;) {
        window w(dev);
        column_group g;
        for (g.n = 0; g.n < most_columns && first + g.n < n && w.has_room(room_of(dst[first + g.n].log_rows)); g.n++) {
            const pr_col from = src[first + g.n];
            g.dst[g.n] = w.take(dst[first + g.n].log_rows);
            g.src[g.n] = is_far(dev, from) ? pr_col{g.dst[g.n].offset, from.log_rows} : from;
            if (is_far(dev, from)) PR_TRY(w.bring(g.src[g.n], far_column(dev, from), err));
        }
        PR_ASSERT(g.n > 0);
        PR_TRY(transform(dev, steps, g.dst, g.src, g.n, log_parts, err));
        PR_TRY(send_group(&w, dev, dst + first, g, err));
        first += g.n;
    }
    return PR_OK;
}

pr_status rows_through_window(device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    for (size_t first = 0; first < n;) {
        window w(dev);
        column_group g;
        for (g.n = 0; g.n < most_columns && first + g.n < n && w.has_room(2 * room_of(dst[first + g.n].log_rows));
             g.n++) {
            g.dst[g.n] = w.take(dst[first + g.n].log_rows);
            g.src[g.n] = w.take(src[first + g.n].log_rows);
            PR_TRY(w.bring(g.src[g.n], far_column(dev, src[first + g.n]), err));
        }
        PR_ASSERT(g.n > 0);
        PR_TRY(rows_to_storage(dev, g.dst, g.src, g.n, err));
        PR_TRY(send_group(&w, dev, dst + first, g, err));
        first += g.n;
    }
    return PR_OK;
}

} // namespace PR_GPU
