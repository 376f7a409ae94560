/* Interpolation is a tensor of butterflies, so the value at a point is the sum over slots i of f_i W_i with
 *      W_i = 2^-m product over k of (1 + m_k t) or (1 - m_k t),  t the inverse twiddle of layer k, block i >> (k + 1),
 * plus where bit k of i is 0; m_0 = y, m_1 = x, m_2 = pi(x), ... A thread finds the weights of eight neighbouring rows
 * once, and uses them for all columns. */
#include "cuda/sample.cuh"
#include "cuda/draw.cuh"
#include "cuda/window.cuh"

namespace PR_GPU {

constexpr unsigned log_run = 3, run = 1 << log_run; /* rows of a thread */
constexpr unsigned max_layers = 32;

struct sample_view {
    words arena;
    span<const pr_col> columns;
    span<const pr_qm31> factors; /* [log_rows]: m_k */
    twiddle_tables twiddles;
    span<uint64_t> sums;                              /* [n_columns][4] */
    uint32_t n_columns, log_rows, log_domain, unused; /* a launch is told from another by its bytes: none is padding */
};

PR_DEVICE pr_qm31 weight_step(const sample_view &v, const pr_qm31 &w, unsigned k, size_t block) {
    return pr_qm31_mul_m31(pr_qm31_mul(w, ld(v.factors, k)), layer_twiddle(v.twiddles.inverse, v.log_domain, k, block));
}

/* Weights of rows first .. first + n - 1, n = 2^log_n <= 8, first a multiple: the layers of their high bits, then
 * those of their own. */
PR_DEVICE void find_weights(pr_qm31 w[run], const sample_view &v, size_t first, unsigned log_n) {
    w[0] = pr_qm31_from_m31(1u << (PR_P_BITS - v.log_rows));
    for (unsigned k = log_n; k < v.log_rows; k++) {
        const size_t bits = first >> k;
        const pr_qm31 step = weight_step(v, w[0], k, bits >> 1);
        w[0] = bits & 1 ? pr_qm31_sub(w[0], step) : pr_qm31_add(w[0], step);
    }
#pragma unroll
    for (unsigned left = log_run; left-- > 0;) {
        if (left >= log_n) continue;
#pragma unroll
        for (unsigned h = run; h-- > 0;) {
            if (h >= 1u << (log_n - 1 - left)) continue;
            const pr_qm31 step = weight_step(v, w[h], left, (first >> (left + 1)) + h), old = w[h];
            w[2 * h] = pr_qm31_add(old, step);
            w[2 * h + 1] = pr_qm31_sub(old, step);
        }
    }
}

PR_DEVICE pr_qm31 weighted_sum(const words &col, size_t first, const pr_qm31 w[run], unsigned n) {
    product_sum sum = {{0, 0, 0, 0}};
    if (n == run) {
        const const_words from = read_only(col);
        const word4 low = ld4(from, first), high = ld4(from, first + 4);
        const uint32_t f[run] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
        for (unsigned h = 0; h < run; h++) {
            if (h % 3 == 0) fold(sum);
            add_product(sum, f[h], w[h]);
        }
    } else {
#pragma unroll
        for (unsigned h = 0; h < run / 2; h++) {
            if (h >= n) continue;
            fold(sum);
            add_product(sum, ld(col, first + h), w[h]);
        }
    }
    return reduce(sum);
}

/* Adds a warp's values to the sums of a column. Each of the first two exchanges leaves a thread half of the
 * coordinates, of twice as many threads; the other three add what is left of one. */
PR_DEVICE void add_values(const span<uint64_t> &sums, size_t k, const pr_qm31 &value) {
    constexpr uint32_t all = 0xffffffffu;
    const bool upper = threadIdx.x & 16, odd = threadIdx.x & 8;
    const uint32_t low = (upper ? value.c[2] : value.c[0]) + __shfl_xor_sync(all, upper ? value.c[0] : value.c[2], 16);
    const uint32_t high = (upper ? value.c[3] : value.c[1]) + __shfl_xor_sync(all, upper ? value.c[1] : value.c[3], 16);
    uint64_t sum = (uint64_t)(odd ? high : low) + __shfl_xor_sync(all, odd ? low : high, 8);
    for (int bit = 4; bit; bit >>= 1) sum += __shfl_xor_sync(all, sum, bit);
    if (threadIdx.x % 8 == 0) atomic_add(sums, 4 * k + threadIdx.x % 32 / 8, sum);
}

/* Whole warps: threads without rows add nothing. */
__global__ void __launch_bounds__(block_threads) sample_kernel(sample_view v) {
    const unsigned log_n = v.log_rows < log_run ? v.log_rows : log_run;
    const size_t first = thread_number() << log_n;
    const bool mine = first < (size_t)1 << v.log_rows;
    pr_qm31 w[run];
    if (mine) find_weights(w, v, first, log_n);
    uint32_t k = blockIdx.x % v.n_columns; /* blocks are at other columns, or all would add to one place at a time */
    for (uint32_t left = v.n_columns; left > 0; left--) {
        add_values(v.sums, k,
                   mine ? weighted_sum(column(v.arena, ld(v.columns, k)), first, w, 1u << log_n) : zero_qm31());
        k = k + 1 < v.n_columns ? k + 1 : 0;
    }
}

constexpr size_t most_columns = result_bytes / (4 * sizeof(uint64_t)); /* a launch */

/* As many columns from cols[0] on as a launch has results and, if they are far, the window has room for. */
static size_t count_columns(const device *dev, const pr_col *cols, size_t n, uint32_t log_rows) {
    const size_t fit = is_far(dev, cols[0]) ? dev->window_words / room_of(log_rows) : n;
    PR_ASSERT(fit > 0);
    const size_t most = fit < most_columns ? fit : most_columns;
    return n < most ? n : most;
}

/* Of far columns the rows that are read come into the window. */
static pr_status put_columns(sample_view *v, device *dev, table_writer *w, const pr_col *cols, size_t n,
                             pr_error *err) {
    window in(dev);
    pr_col *places;
    v->columns = w->take(&places, n);
    for (size_t i = 0; i < n; i++) {
        PR_ASSERT(cols[i].log_rows == v->log_domain);
        places[i] = cols[i];
        if (!is_far(dev, cols[i])) continue;
        places[i] = in.take(v->log_rows);
        PR_TRY(in.bring(places[i], far_column(dev, cols[i]), err));
    }
    return PR_OK;
}

/* Into sums; the columns' table has been put, and is sent here. */
static pr_status launch_samples(device *dev, sample_view v, table_writer *w, size_t n, pr_error *err) {
    PR_TRY(w->send(err));
    v.arena = arena(dev);
    v.twiddles = dev->twiddles;
    v.n_columns = (uint32_t)n;
    const size_t threads = ((size_t)1 << v.log_rows) >> (v.log_rows < log_run ? v.log_rows : log_run);
    const unsigned blocks = (unsigned)((threads + block_threads - 1) / block_threads);
    count_moved(dev, n * (((size_t)1 << v.log_rows) + 8 + 8 * ((threads + 31) / 32)));
    PR_CUDA_TRY(queue_set(dev->stream, v.sums.p, 0, 4 * n * sizeof(uint64_t)), "clearing sums");
    return check(PR_LAUNCH(sample_kernel, blocks,
                           threads < block_threads ? 32 * (unsigned)((threads + 31) / 32) : block_threads, 0,
                           dev->stream, v),
                 "samples", err);
}

static sample_view view_of_columns(const device *dev, const pr_col *cols, uint32_t log_blowup) {
    sample_view v = {};
    v.log_domain = cols[0].log_rows;
    v.log_rows = v.log_domain - log_blowup;
    PR_ASSERT(v.log_domain > log_blowup && v.log_domain <= dev->max_log_rows);
    return v;
}
/* Sample number i, of sums that were fetched. */
static pr_qm31 fetched_sample(const device *dev, size_t i) {
    const uint64_t *sums = (const uint64_t *)(const void *)dev->results.host + 4 * i;
    return pr_qm31{{pr_m31_reduce(sums[0]), pr_m31_reduce(sums[1]), pr_m31_reduce(sums[2]), pr_m31_reduce(sums[3])}};
}

static pr_status sample_some(device *dev, pr_qm31 *out, size_t out_step, const pr_col *cols, size_t n,
                             uint32_t log_blowup, const pr_secure_point *point, pr_error *err) {
    sample_view v = view_of_columns(dev, cols, log_blowup);
    pr_qm31 factors[max_layers] = {};
    table_writer w(dev);
    factors[0] = point->y;
    factors[1] = point->x;
    for (unsigned k = 2; k < v.log_rows; k++) factors[k] = pr_double_x_secure(factors[k - 1]);
    PR_TRY(w.begin(table_size<pr_col>(n) + table_size<pr_qm31>(max_layers), err));
    PR_TRY(put_columns(&v, dev, &w, cols, n, err));
    v.factors = w.put(factors, (size_t)max_layers);
    v.sums = result_sums(dev, 4 * n);
    PR_TRY(launch_samples(dev, v, &w, n, err));
    PR_TRY(fetch_results(dev, 4 * n * sizeof(uint64_t), err));
    for (size_t i = 0; i < n; i++) out[i * out_step] = fetched_sample(dev, i);
    return PR_OK;
}

pr_status sample(device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,
                 const pr_secure_point *points, size_t n_points, pr_error *err) {
    for (size_t first = 0, count; first < n; first += count) {
        count = count_columns(dev, cols + first, n - first, cols[0].log_rows - log_blowup);
        for (size_t p = 0; p < n_points; p++)
            PR_TRY(sample_some(dev, out + first * n_points + p, n_points, cols + first, count, log_blowup, &points[p],
                               err));
    }
    return PR_OK;
}

/* ---- at a point that the device drew ---- */

/* Columns whose sums lie on the device, until so many wait that there is no room for more. */
class waiting_samples {
    struct {
        pr_qm31 *out;
        size_t n;
    } items_[64];
    size_t n_ = 0;

  public:
    size_t n_columns = 0;
    bool is_full() const { return n_ == sizeof items_ / sizeof *items_ || n_columns == most_columns; }
    void add(pr_qm31 *out, size_t n) { items_[n_++] = {out, n}, n_columns += n; }
    pr_status fetch(device *dev, pr_error *err) {
        size_t at = 0;
        PR_TRY(fetch_results(dev, 4 * n_columns * sizeof(uint64_t), err));
        for (size_t k = 0; k < n_; k++)
            for (size_t i = 0; i < items_[k].n; i++) items_[k].out[i] = fetched_sample(dev, at++);
        n_ = n_columns = 0;
        return PR_OK;
    }
};

/* Columns of a group from one on, as many as there is room for: their number comes back. */
static pr_status sample_drawn(device *dev, waiting_samples *waiting, size_t *n, const pr_sampling *g, size_t group,
                              size_t first, uint32_t log_blowup, pr_error *err) {
    const size_t room = most_columns - waiting->n_columns;
    sample_view v = view_of_columns(dev, g->cols, log_blowup);
    table_writer w(dev);
    *n = g->n - first < room ? g->n - first : room;
    PR_TRY(w.begin(table_size<pr_col>(*n), err));
    PR_TRY(put_columns(&v, dev, &w, g->cols + first, *n, err));
    v.factors = drawn_factors(dev, group);
    v.sums = view_of(result_sums(dev, 4 * most_columns).p + 4 * waiting->n_columns, 4 * *n);
    waiting->add(g->out + first, *n);
    return launch_samples(dev, v, &w, *n, err);
}

pr_status draw_samples(device *dev, pr_drawn *drawn, const pr_merkle *tree, uint32_t log_blowup,
                       const pr_sampling *groups, size_t n, pr_error *err) {
    waiting_samples waiting;
    PR_TRY(draw_point(dev, tree, groups, n, log_blowup, err));
    for (size_t g = 0; g < n; g++) {
        for (size_t first = 0, count; first < groups[g].n; first += count) {
            if (waiting.is_full()) PR_TRY(waiting.fetch(dev, err));
            PR_TRY(sample_drawn(dev, &waiting, &count, &groups[g], g, first, log_blowup, err));
        }
    }
    PR_TRY(fetch_drawn(dev, err));
    PR_TRY(waiting.fetch(dev, err));
    read_drawn(dev, drawn);
    return PR_OK;
}

} // namespace PR_GPU
