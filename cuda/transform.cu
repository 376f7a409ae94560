/* A column of 2^n words is transformed in passes, each over some layers: the first over layers 0 .. LOG_TILE - 1, on
 * runs that lie together; the others over a few layers more, on tiles that have a row of 2^LOG_WIDTH words in each of
 * the runs that meet. A block of threads takes a tile: 16 words a thread in registers, four layers at a time (radix
 * 16), and an exchange through shared memory before the next four. The last pass of an interpolation is the first of
 * an evaluation, so an extension of 2^20 words takes three passes over memory: read n, write n; read n, write 2n;
 * read 2n, write 2n. The first layers of an extension only copy coefficients, for they meet zeros: so each of its
 * parts, the runs of 2^n words, is an evaluation of the same coefficients. */
#include "cuda/transform.cuh"

namespace PR_GPU {

#if defined(PR_CUDA_EMULATED) && !defined(PR_CUDA_DEVICE_TILES)
/* Smaller, so that columns of a few thousand words take every path. */
constexpr unsigned log_tile = 8, log_width = 1;
#else
constexpr unsigned log_tile = 12, log_width = 4;
#endif
constexpr unsigned log_radix = 4, radix = 1 << log_radix;

struct column_pair {
    pr_col dst, src;
};

/* Layers first_layer .. first_layer + n_layers - 1 of columns of 2^n words. A tile has 2^width words in each of its
 * 2^n_layers rows; when first_layer is 0, width is too, and a tile is one run. */
struct pass {
    uint32_t n, first_layer, n_layers, width;
    uint32_t inverse_domain, forward_domain; /* log sizes */
    uint32_t steps, n_parts;                 /* of a pass forward: written 2^n words apart */
    uint32_t scale;                          /* after the inverse: 2^-n, or 1 */
    uint32_t from_dst;                       /* reads what a pass before it wrote */
};

PR_DEVICE uint32_t padded(uint32_t i) { return i + (i >> 5); } /* spreads strides over the banks */

/* Bits window .. window + 3 of a tile's words are those of a thread's registers; they are neighbours in the column too,
 * from bit apart on. */
struct thread_place {
    unsigned window, apart;
    uint32_t first; /* where register 0 lies in the column */
};
PR_DEVICE uint32_t word_of(unsigned window, uint32_t r) {
    return threadIdx.x >> window << (window + log_radix) | r << window | (threadIdx.x & ((1u << window) - 1));
}
PR_DEVICE uint32_t base_of(const pass &p, uint32_t tile) {
    const uint32_t low_bits = p.first_layer - p.width, low = tile & ((1u << low_bits) - 1), high = tile >> low_bits;
    return (low << p.width) + (high << (p.first_layer + p.n_layers));
}
PR_DEVICE thread_place place_at(const pass &p, unsigned window) {
    const uint32_t word = word_of(window, 0);
    const uint32_t first = base_of(p, blockIdx.x) + (word >> p.width << p.first_layer) + (word & ((1u << p.width) - 1));
    return thread_place{window, p.first_layer + window - p.width, first};
}

PR_DEVICE void exchange(uint32_t v[radix], const words &shared, unsigned from, unsigned to) {
    __syncthreads();
#pragma unroll
    for (uint32_t r = 0; r < radix; r++) st(shared, padded(word_of(from, r)), v[r]);
    __syncthreads();
#pragma unroll
    for (uint32_t r = 0; r < radix; r++) v[r] = ld(shared, padded(word_of(to, r)));
}

/* N words that lie together, the first at a multiple of N. */
template <unsigned N> PR_DEVICE void ld_run(uint32_t t[N], const const_words &from, size_t at) {
    if constexpr (N >= 4) {
#pragma unroll
        for (unsigned j = 0; j < N; j += 4) {
            const word4 w = ld4(from, at + j);
            t[j] = w.x, t[j + 1] = w.y, t[j + 2] = w.z, t[j + 3] = w.w;
        }
    } else {
#pragma unroll
        for (unsigned j = 0; j < N; j++) t[j] = ld(from, at + j);
    }
}

/* Twiddles of the circle layer of eight pairs, the first a multiple of eight: in fours y, -y, -x, x. Domains of 2^4
 * and more. */
PR_DEVICE void ld_circle(uint32_t t[radix / 2], const const_words &table, unsigned domain, uint32_t slot) {
    uint32_t xy[4];
    ld_run<4>(xy, table, ((size_t)1 << (domain - 2)) + slot / 4);
#pragma unroll
    for (unsigned i = 0; i < 2; i++) {
        t[4 * i] = xy[2 * i + 1], t[4 * i + 1] = PR_P - xy[2 * i + 1];
        t[4 * i + 2] = PR_P - xy[2 * i], t[4 * i + 3] = xy[2 * i];
    }
}

template <bool IS_INVERSE> PR_DEVICE void butterfly(uint32_t &u, uint32_t &w, pr_m31 t) {
    if (IS_INVERSE) {
        const pr_m31 difference = pr_m31_sub(u, w);
        u = pr_m31_add(u, w);
        w = pr_m31_mul(difference, t);
    } else {
        const pr_m31 product = pr_m31_mul(w, t);
        w = pr_m31_sub(u, product);
        u = pr_m31_add(u, product);
    }
}

/* The layer of register bit Q. slot: of register 0 in the whole domain. */
template <bool IS_INVERSE, unsigned Q>
PR_DEVICE void layer(uint32_t v[radix], const const_words &table, unsigned domain, unsigned apart, uint32_t slot) {
    constexpr unsigned n = radix / 2 >> Q;
    const unsigned k = apart + Q;
    uint32_t t[n];
    if (Q == 0 && k == 0)
        ld_circle(t, table, domain, slot);
    else
        ld_run<n>(t, table, ((size_t)1 << (domain - k - 1)) + (slot >> (k + 1)));
#pragma unroll
    for (unsigned j = 0; j < n; j++)
#pragma unroll
        for (unsigned i = 0; i < 1u << Q; i++) {
            const unsigned r = j << (Q + 1) | i;
            butterfly<IS_INVERSE>(v[r], v[r | 1u << Q], t[j]);
        }
}

/* The layers of a window's bits from .. to - 1. */
PR_DEVICE void window_inverse(uint32_t v[radix], const const_words &table, unsigned domain, const thread_place &at,
                              unsigned from, unsigned to) {
    const unsigned w = at.window;
    if (w >= from && w < to) layer<true, 0>(v, table, domain, at.apart, at.first);
    if (w + 1 >= from && w + 1 < to) layer<true, 1>(v, table, domain, at.apart, at.first);
    if (w + 2 >= from && w + 2 < to) layer<true, 2>(v, table, domain, at.apart, at.first);
    if (w + 3 >= from && w + 3 < to) layer<true, 3>(v, table, domain, at.apart, at.first);
}
PR_DEVICE void window_forward(uint32_t v[radix], const const_words &table, unsigned domain, const thread_place &at,
                              unsigned from, unsigned to, uint32_t slot) {
    const unsigned w = at.window;
    if (w + 3 >= from && w + 3 < to) layer<false, 3>(v, table, domain, at.apart, slot);
    if (w + 2 >= from && w + 2 < to) layer<false, 2>(v, table, domain, at.apart, slot);
    if (w + 1 >= from && w + 1 < to) layer<false, 1>(v, table, domain, at.apart, slot);
    if (w >= from && w < to) layer<false, 0>(v, table, domain, at.apart, slot);
}

/* Bits of a tile that have layers are first .. last - 1, at least four; windows never reach beyond last. */
struct tile_bits {
    unsigned first, last;
};
PR_DEVICE unsigned window_at(const tile_bits &b, unsigned bit) {
    return bit + log_radix < b.last ? bit : b.last - log_radix;
}

PR_DEVICE void inverse_layers(uint32_t v[radix], const pass &p, const const_words &table, const tile_bits &b,
                              const words &shared) {
    for (unsigned at = b.first; at < b.last; at += log_radix) {
        const thread_place place = place_at(p, window_at(b, at));
        if (at != b.first) exchange(v, shared, window_at(b, at - log_radix), place.window);
        window_inverse(v, table, p.inverse_domain, place, at, b.last);
    }
}

/* part: the slot that this evaluation begins at. */
PR_DEVICE void forward_layers(uint32_t v[radix], const pass &p, const const_words &table, const tile_bits &b,
                              const words &shared, uint32_t part) {
    for (unsigned end = b.last, before = window_at(b, b.last); end > b.first;) {
        const unsigned at = end - b.first > log_radix ? end - log_radix : b.first;
        const thread_place place = place_at(p, window_at(b, at));
        if (end != b.last) exchange(v, shared, before, place.window);
        window_forward(v, table, p.forward_domain, place, at, end, part + place.first);
        before = place.window;
        end = at;
    }
}

PR_DEVICE void load_tile(uint32_t v[radix], const words &src, const thread_place &at) {
    if (at.apart == 0) {
        ld_run<radix>(v, read_only(src), at.first);
        return;
    }
#pragma unroll
    for (uint32_t r = 0; r < radix; r++) v[r] = ld(src, at.first + (r << at.apart));
}

PR_DEVICE void store_tile(const words &dst, const uint32_t v[radix], const thread_place &at) {
    if (at.apart == 0) {
#pragma unroll
        for (uint32_t r = 0; r < radix; r += 4) st4(dst, at.first + r, word4{v[r], v[r + 1], v[r + 2], v[r + 3]});
        return;
    }
#pragma unroll
    for (uint32_t r = 0; r < radix; r++) st(dst, at.first + (r << at.apart), v[r]);
}

/* One tile a block; the columns of the batch are the grid's second dimension. */
__global__ void __launch_bounds__(1 << (log_tile - log_radix))
    transform_kernel(pass p, words arena, span<const column_pair> columns, twiddle_tables twiddles) {
    PR_SHARED(uint32_t, shared, (1 << log_tile) + (1 << (log_tile - 5)));
    const column_pair pair = ld(columns, blockIdx.y);
    const words dst = column(arena, pair.dst), src = p.from_dst ? dst : column(arena, pair.src);
    const tile_bits bits = {p.width, p.width + p.n_layers};
    const thread_place low = place_at(p, window_at(bits, bits.first)), high = place_at(p, window_at(bits, bits.last));
    uint32_t v[radix];
    load_tile(v, src, p.steps & INVERSE ? low : high);
    if (p.steps & INVERSE) {
        inverse_layers(v, p, twiddles.inverse, bits, shared);
#pragma unroll
        for (uint32_t r = 0; r < radix; r++) v[r] = pr_m31_mul(v[r], p.scale);
        if (!(p.steps & FORWARD)) store_tile(dst, v, high);
    }
    for (uint32_t part = p.n_parts; p.steps & FORWARD && part-- > 0;) {
        uint32_t w[radix];
#pragma unroll
        for (uint32_t r = 0; r < radix; r++) w[r] = v[r];
        forward_layers(w, p, twiddles.line, bits, shared, part << p.n);
        store_tile(sub(dst, (size_t)part << p.n, (size_t)1 << p.n), w, low);
    }
}

/* Columns of fewer than sixteen words: one thread each, a layer after the other. */
__global__ void __launch_bounds__(block_threads)
    small_kernel(pass p, words arena, span<const column_pair> columns, twiddle_tables twiddles, uint32_t n_columns) {
    const uint32_t size = 1u << p.n;
    for (size_t i = thread_number(); i < n_columns; i += thread_count()) {
        const column_pair pair = ld(columns, i);
        const words dst = column(arena, pair.dst), src = column(arena, pair.src);
        uint32_t v[radix / 2] = {0}, w[radix / 2];
        for (uint32_t r = 0; r < size; r++) v[r] = ld(src, r);
        for (unsigned k = 0; p.steps & INVERSE && k < p.n; k++)
            for (uint32_t r = 0; r < size; r++)
                if (!(r >> k & 1))
                    butterfly<true>(v[r], v[r | 1u << k],
                                    layer_twiddle(twiddles.inverse, p.inverse_domain, k, r >> (k + 1)));
        for (uint32_t r = 0; r < size; r++) v[r] = pr_m31_mul(v[r], p.scale);
        for (uint32_t part = 0; part < p.n_parts; part++) {
            for (uint32_t r = 0; r < size; r++) w[r] = v[r];
            for (unsigned k = p.n; p.steps & FORWARD && k-- > 0;)
                for (uint32_t r = 0; r < size; r++)
                    if (!(r >> k & 1))
                        butterfly<false>(
                            w[r], w[r | 1u << k],
                            layer_twiddle(twiddles.line, p.forward_domain, k, ((part << p.n) + r) >> (k + 1)));
            for (uint32_t r = 0; r < size; r++) st(dst, (part << p.n) + r, w[r]);
        }
    }
}

/* ---- passes of a batch of one size ---- */

struct batch {
    device *dev;
    span<const column_pair> columns;
    size_t n_columns;
};

static pr_status launch_pass(const batch &b, const pass &p, uint32_t n_words_log, pr_error *err) {
    const unsigned log_words = p.n_layers + p.width;
    const unsigned threads = 1u << (log_words - log_radix);
    const dim3 grid(1u << (n_words_log - log_words), (unsigned)b.n_columns);
    const words all = arena(b.dev);
    count_moved(b.dev, b.n_columns * ((size_t)1 << n_words_log) * (1 + (p.steps & FORWARD ? p.n_parts : 1)));
    PR_CUDA_TRY(PR_LAUNCH(transform_kernel, grid, threads, 0, b.dev->stream, p, all, b.columns, b.dev->twiddles),
                "transform");
    return PR_OK;
}

static pr_status launch_small(const batch &b, unsigned steps, uint32_t n, uint32_t inverse_domain,
                              uint32_t forward_domain, pr_error *err) {
    pass p = {};
    p.n = n;
    p.steps = steps;
    p.inverse_domain = inverse_domain, p.forward_domain = forward_domain;
    p.n_parts = steps & FORWARD ? 1u << (forward_domain - n) : 1;
    p.scale = steps & INVERSE && n > 0 ? 1u << (PR_P_BITS - n) : 1;
    const words all = arena(b.dev);
    count_moved(b.dev, b.n_columns * ((size_t)1 << n) * (1 + p.n_parts));
    PR_CUDA_TRY(PR_LAUNCH(small_kernel, blocks_for(b.n_columns), block_threads, 0, b.dev->stream, p, all, b.columns,
                          b.dev->twiddles, (uint32_t)b.n_columns),
                "small transforms");
    return PR_OK;
}

/* Where passes begin: layer 0, then log_tile (sooner, where that would leave fewer than four), then as few as will do,
 * of equal sizes. */
struct pass_list {
    uint32_t first[8], n; /* first[n] is the end */
};
static pass_list list_passes(uint32_t n) {
    pass_list list = {{0}, 1};
    uint32_t at = n <= log_tile ? n : n < log_tile + log_radix ? n - log_radix : log_tile;
    const uint32_t most = log_tile - log_width, left = n - at, count = (left + most - 1) / most;
    for (uint32_t k = 0; k < count; k++) {
        list.first[list.n++] = at;
        at += (n - at + (count - k) - 1) / (count - k);
    }
    list.first[list.n] = n;
    return list;
}

static pass make_pass(const pass_list &list, uint32_t k, uint32_t n) {
    pass p = {};
    p.n = n;
    p.first_layer = list.first[k];
    p.n_layers = list.first[k + 1] - p.first_layer;
    p.width = k == 0 ? 0 : (p.first_layer < log_tile - p.n_layers ? p.first_layer : log_tile - p.n_layers);
    p.scale = 1;
    return p;
}

static pr_status run_batch(const batch &b, unsigned steps, uint32_t n, uint32_t log_parts, uint32_t log_dst,
                           pr_error *err) {
    const pass_list list = list_passes(n);
    const uint32_t last = list.n - 1;
    PR_ASSERT(n + log_parts <= b.dev->max_log_rows && log_dst <= b.dev->max_log_rows);
    if (n < log_radix) return launch_small(b, steps, n, n + log_parts, log_dst, err);
    for (uint32_t k = 0; steps & INVERSE && k < list.n; k++) {
        pass p = make_pass(list, k, n);
        p.steps = k == last ? steps : (unsigned)INVERSE;
        p.inverse_domain = n + log_parts;
        p.forward_domain = log_dst;
        p.n_parts = 1u << (log_dst - n);
        p.from_dst = k > 0;
        if (k == last) p.scale = 1u << (PR_P_BITS - n);
        PR_TRY(launch_pass(b, p, n, err));
    }
    for (uint32_t k = list.n; steps & FORWARD && k-- > 0;) {
        const bool is_first = k == last; /* reads the coefficients, writes every part */
        if (is_first && steps & INVERSE) continue;
        pass p = make_pass(list, k, n);
        p.steps = FORWARD;
        p.forward_domain = log_dst;
        p.n_parts = is_first ? 1u << (log_dst - n) : 1;
        p.from_dst = !is_first;
        if (!is_first) p.n = log_dst; /* tiles of all parts alike */
        PR_TRY(launch_pass(b, p, is_first ? n : log_dst, err));
    }
    return PR_OK;
}

static bool same_sizes(const pr_col *dst, const pr_col *src, size_t i, size_t k) {
    return dst[i].log_rows == dst[k].log_rows && src[i].log_rows == src[k].log_rows;
}

constexpr size_t most_columns = 4096; /* a launch */

pr_status transform(device *dev, unsigned steps, const pr_col *dst, const pr_col *src, size_t n, unsigned log_parts,
                    pr_error *err) {
    for (size_t first = 0, end; first < n; first = end) {
        column_pair *pairs;
        table_writer w(dev);
        for (end = first; end < n && end - first < most_columns && same_sizes(dst, src, first, end);) end++;
        PR_TRY(w.begin(table_size<column_pair>(end - first), err));
        const span<const column_pair> all = w.take(&pairs, end - first);
        for (size_t i = first; i < end; i++) pairs[i - first] = column_pair{dst[i], src[i]};
        PR_TRY(w.send(err));
        PR_TRY(
            run_batch(batch{dev, all, end - first}, steps, src[first].log_rows, log_parts, dst[first].log_rows, err));
    }
    return PR_OK;
}

} // namespace PR_GPU
