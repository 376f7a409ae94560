/* A column of 2^n words is transformed in passes, each over some layers: the first over layers 0 .. LOG_TILE - 1, on
 * runs that lie together; the others over a few layers more, on tiles that have a row of 2^LOG_WIDTH words in each of
 * the runs that meet. A block of threads takes a tile of two columns, which share twiddles and places: 16 words of each
 * a thread in registers, four layers at a time (radix 16), and an exchange through shared memory before the next four.
 * The last pass of an interpolation is the first of an evaluation, so an extension of 2^20 words takes three passes
 * over memory: read n, write n; read n, write 2n; read 2n, write 2n. The first layers of an extension only copy
 * coefficients, for they meet zeros: so each of its parts, the runs of 2^n words, is an evaluation of the same
 * coefficients. */
#include "cuda/transform.cuh"

namespace PR_GPU {

#if defined(PR_CUDA_EMULATED) && !defined(PR_CUDA_DEVICE_TILES)
/* Smaller, so that columns of a few thousand words take every path. */
constexpr unsigned log_tile = 9, log_width = 1;
#else
constexpr unsigned log_tile = 12, log_width = 4;
#endif
constexpr unsigned log_radix = 4, radix = 1 << log_radix;
constexpr unsigned columns_each = 2; /* of a block */

struct column_pair {
    pr_col dst, src;
};

/* Layers first_layer .. first_layer + n_layers - 1 of columns of 2^n words. A tile has 2^width words in each of its
 * 2^n_layers rows; when first_layer is 0, width is too, and a tile is one run. */
struct pass {
    uint32_t n, first_layer, n_layers, width;
    uint32_t inverse_domain, forward_domain; /* log sizes */
    uint32_t steps, n_parts;                 /* of a pass forward: written 2^n words apart */
    uint32_t scale;                          /* 2^(32 - n), for 2^-n after the inverse; or 0 */
    uint32_t from_dst;                       /* reads what a pass before it wrote */
    uint32_t log_gap;                        /* in shared memory a word is left out after every 2^log_gap */
};

/* A thread's words of the block's columns. */
struct tile_words {
    uint32_t v[columns_each][radix];
};
/* The columns of a block; at the end of a batch, one. */
struct block_columns {
    words dst[columns_each], src[columns_each];
    bool has[columns_each];
};
#define PR_EACH_COLUMN _Pragma("unroll") for (unsigned c = 0; c < columns_each; c++)
#define PR_EACH_WORD _Pragma("unroll") for (uint32_t r = 0; r < radix; r++)

/* Bits window .. window + 3 of a tile's words are those of a thread's registers; they are neighbours in the column too,
 * from bit apart on. */
struct thread_place {
    unsigned window, apart;
    uint32_t first; /* where register 0 lies in the column */
};
PR_DEVICE uint32_t first_word(unsigned window) {
    return threadIdx.x >> window << (window + log_radix) | (threadIdx.x & ((1u << window) - 1));
}
PR_DEVICE uint32_t base_of(const pass &p, uint32_t tile) {
    const uint32_t low_bits = p.first_layer - p.width, low = tile & ((1u << low_bits) - 1), high = tile >> low_bits;
    return (low << p.width) + (high << (p.first_layer + p.n_layers));
}
PR_DEVICE thread_place place_at(const pass &p, unsigned window) {
    const uint32_t word = first_word(window);
    const uint32_t first = base_of(p, blockIdx.x) + (word >> p.width << p.first_layer) + (word & ((1u << p.width) - 1));
    return thread_place{window, p.first_layer + window - p.width, first};
}

/* Words of a tile in shared memory: those of a thread at equal distances, spread over the banks by gaps (log_gap_of).
 */
struct shared_place {
    uint32_t first, step;
};
PR_DEVICE uint32_t with_gaps(const pass &p, uint32_t word) { return word + (word >> p.log_gap); }
PR_DEVICE shared_place shared_at(const pass &p, unsigned window) {
    return shared_place{with_gaps(p, first_word(window)), with_gaps(p, 1u << window)};
}
constexpr uint32_t shared_words = (1 << log_tile) + (1 << (log_tile - log_radix)); /* of a column */

PR_DEVICE void exchange(tile_words &t, const pass &p, const words &shared, unsigned from, unsigned to) {
    const shared_place a = shared_at(p, from), b = shared_at(p, to);
    __syncthreads();
    PR_EACH_COLUMN PR_EACH_WORD st(shared, c * shared_words + a.first + r * a.step, t.v[c][r]);
    __syncthreads();
    PR_EACH_COLUMN PR_EACH_WORD t.v[c][r] = ld(shared, c * shared_words + b.first + r * b.step);
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

/* Twiddles of the circle layer of eight pairs, from the two fours at a word: of each y, -y, -x, x. */
PR_DEVICE void ld_circle(uint32_t t[radix / 2], const const_words &table, size_t at) {
    uint32_t xy[4];
    ld_run<4>(xy, table, at);
#pragma unroll
    for (unsigned i = 0; i < 2; i++) {
        t[4 * i] = xy[2 * i + 1], t[4 * i + 1] = 0 - xy[2 * i + 1];
        t[4 * i + 2] = 0 - xy[2 * i], t[4 * i + 3] = xy[2 * i];
    }
}

template <bool IS_INVERSE> PR_DEVICE void butterfly(uint32_t &u, uint32_t &w, uint32_t doubled_twiddle) {
    if (IS_INVERSE) {
        const uint32_t difference = u - w; /* signed */
        u = pr_m31_add(u, w);
        w = mul_twiddle(difference, doubled_twiddle);
    } else {
        const pr_m31 product = mul_twiddle(w, doubled_twiddle);
        w = pr_m31_sub(u, product);
        u = pr_m31_add(u, product);
    }
}

/* The layer of register bit Q, whose twiddles begin at a word; those of the layer below at twice as many. */
template <bool IS_INVERSE, unsigned Q>
PR_DEVICE void layer(tile_words &tile, const const_words &table, size_t at, bool is_circle) {
    constexpr unsigned n = radix / 2 >> Q;
    uint32_t t[n];
    if (Q == 0 && is_circle)
        ld_circle(t, table, at / 2);
    else
        ld_run<n>(t, table, at >> Q);
#pragma unroll
    for (unsigned j = 0; j < n; j++)
#pragma unroll
        for (unsigned i = 0; i < 1u << Q; i++) {
            const unsigned r = j << (Q + 1) | i;
            PR_EACH_COLUMN butterfly<IS_INVERSE>(tile.v[c][r], tile.v[c][r | 1u << Q], t[j]);
        }
}

/* The layers of a window's bits, of those from a bit on. slot: of register 0 in the whole domain. */
template <bool IS_INVERSE>
PR_DEVICE void window_layers(tile_words &t, const const_words &table, unsigned domain, const thread_place &at,
                             unsigned from, uint32_t slot) {
    const unsigned w = at.window;
    const size_t first = ((size_t)1 << (domain - at.apart - 1)) + (slot >> (at.apart + 1));
    const bool is_circle = at.apart == 0;
    if (IS_INVERSE) {
        if (w >= from) layer<true, 0>(t, table, first, is_circle);
        if (w + 1 >= from) layer<true, 1>(t, table, first, false);
        if (w + 2 >= from) layer<true, 2>(t, table, first, false);
        layer<true, 3>(t, table, first, false);
    } else {
        layer<false, 3>(t, table, first, false);
        if (w + 2 >= from) layer<false, 2>(t, table, first, false);
        if (w + 1 >= from) layer<false, 1>(t, table, first, false);
        if (w >= from) layer<false, 0>(t, table, first, is_circle);
    }
}

/* Bits of a tile that have layers are first .. last - 1, at least four; windows never reach beyond last. */
struct tile_bits {
    unsigned first, last;
};
PR_DEVICE unsigned window_at(const tile_bits &b, unsigned bit) {
    return bit + log_radix < b.last ? bit : b.last - log_radix;
}

/* Windows begin at every fourth bit from the first on, and take the layers from there. */
PR_DEVICE void inverse_layers(tile_words &t, const pass &p, const const_words &table, const tile_bits &b,
                              const words &shared) {
    for (unsigned at = b.first; at < b.last; at += log_radix) {
        const thread_place place = place_at(p, window_at(b, at));
        if (at != b.first) exchange(t, p, shared, window_at(b, at - log_radix), place.window);
        window_layers<true>(t, table, p.inverse_domain, place, at, place.first);
    }
}

/* part: the slot that this evaluation begins at. */
PR_DEVICE void forward_layers(tile_words &t, const pass &p, const const_words &table, const tile_bits &b,
                              const words &shared, uint32_t part) {
    const unsigned top = b.first + (b.last - b.first - 1) / log_radix * log_radix;
    for (unsigned at = top + log_radix; at > b.first;) {
        at -= log_radix;
        const thread_place place = place_at(p, window_at(b, at));
        if (at != top) exchange(t, p, shared, window_at(b, at + log_radix), place.window);
        window_layers<false>(t, table, p.forward_domain, place, at, part + place.first);
    }
}

PR_DEVICE void load_tile(tile_words &t, const block_columns &b, const thread_place &at) {
    PR_EACH_COLUMN {
        PR_EACH_WORD t.v[c][r] = 0;
        if (!b.has[c]) continue;
        if (at.apart == 0)
            ld_run<radix>(t.v[c], read_only(b.src[c]), at.first);
        else
            PR_EACH_WORD t.v[c][r] = ld(b.src[c], at.first + (r << at.apart));
    }
}

/* part: the word that this evaluation begins at. */
PR_DEVICE void store_tile(const block_columns &b, const tile_words &t, const thread_place &at, size_t part) {
    PR_EACH_COLUMN {
        if (!b.has[c]) continue;
        const uint32_t *v = t.v[c];
        if (at.apart == 0) {
#pragma unroll
            for (uint32_t r = 0; r < radix; r += 4)
                st4(b.dst[c], part + at.first + r, word4{v[r], v[r + 1], v[r + 2], v[r + 3]});
        } else {
            PR_EACH_WORD st(b.dst[c], part + at.first + (r << at.apart), v[r]);
        }
    }
}

/* v 2^-n, from 2^(32 - n): the upper n bits of 31 change places with the others. */
PR_DEVICE pr_m31 divided(pr_m31 v, uint32_t scale) {
    const uint64_t product = (uint64_t)v * scale;
    return (uint32_t)(product >> 32) + ((uint32_t)product >> 1);
}

PR_DEVICE block_columns columns_of(const pass &p, const words &arena, const span<const column_pair> &columns,
                                   uint32_t n_columns) {
    block_columns b = {};
    PR_EACH_COLUMN {
        const uint32_t i = columns_each * blockIdx.y + c;
        b.has[c] = i < n_columns;
        const column_pair pair = ld(columns, b.has[c] ? i : 0);
        b.dst[c] = column(arena, pair.dst), b.src[c] = p.from_dst ? b.dst[c] : column(arena, pair.src);
    }
    return b;
}

PR_DEVICE void interpolate(tile_words &t, const pass &p, const const_words &table, const tile_bits &bits,
                           const words &shared) {
    inverse_layers(t, p, table, bits, shared);
    if (p.scale) PR_EACH_COLUMN PR_EACH_WORD t.v[c][r] = divided(t.v[c][r], p.scale);
}

/* Kinds of passes; kernels of their own, for evaluating several parts takes twice the registers. */
enum pass_kind { ONLY_INVERSE, ONLY_FORWARD, IN_PARTS };
static pass_kind kind_of(const pass &p) {
    return !(p.steps & FORWARD) ? ONLY_INVERSE : p.steps & INVERSE || p.n_parts > 1 ? IN_PARTS : ONLY_FORWARD;
}

/* One tile of columns_each columns a block; those of the batch are the grid's second dimension. */
template <pass_kind KIND>
__global__ void __launch_bounds__(1 << (log_tile - log_radix))
    transform_kernel(pass p, words arena, span<const column_pair> columns, twiddle_tables twiddles,
                     uint32_t n_columns) {
    PR_SHARED(uint32_t, shared, columns_each * shared_words);
    const block_columns b = columns_of(p, arena, columns, n_columns);
    const tile_bits bits = {p.width, p.width + p.n_layers};
    const thread_place low = place_at(p, window_at(bits, bits.first)), high = place_at(p, window_at(bits, bits.last));
    tile_words t;
    if (KIND == ONLY_INVERSE) {
        load_tile(t, b, low);
        interpolate(t, p, twiddles.inverse, bits, shared);
        store_tile(b, t, high, 0);
    } else if (KIND == ONLY_FORWARD) {
        load_tile(t, b, high);
        forward_layers(t, p, twiddles.line, bits, shared, 0);
        store_tile(b, t, low, 0);
    } else {
        load_tile(t, b, p.steps & INVERSE ? low : high);
        if (p.steps & INVERSE) interpolate(t, p, twiddles.inverse, bits, shared);
        for (uint32_t part = p.n_parts; part-- > 0;) {
            tile_words values = t;
            forward_layers(values, p, twiddles.line, bits, shared, part << p.n);
            store_tile(b, values, low, (size_t)part << p.n);
        }
    }
}

/* Columns of fewer than sixteen words: one thread each, a layer after the other. */
template <bool IS_INVERSE, unsigned N>
PR_DEVICE void small_layer(uint32_t v[1 << N], const const_words &table, unsigned domain, unsigned k, uint32_t slot) {
#pragma unroll
    for (uint32_t r = 0; r < 1u << N; r++)
        if (!(r >> k & 1))
            butterfly<IS_INVERSE>(v[r], v[r | 1u << k],
                                  double_twiddle(layer_twiddle(table, domain, k, (slot + r) >> (k + 1))));
}
template <unsigned N>
PR_DEVICE void transform_small(const pass &p, const words &dst, const words &src, const twiddle_tables &twiddles) {
    uint32_t v[1 << N], w[1 << N];
#pragma unroll
    for (uint32_t r = 0; r < 1u << N; r++) v[r] = ld(src, r);
#pragma unroll
    for (int k = 0; k < (int)N; k++)
        if (p.steps & INVERSE) small_layer<true, N>(v, twiddles.inverse, p.inverse_domain, (unsigned)k, 0);
#pragma unroll
    for (uint32_t r = 0; r < 1u << N; r++)
        if (p.scale) v[r] = divided(v[r], p.scale);
    for (uint32_t part = 0; part < p.n_parts; part++) {
#pragma unroll
        for (uint32_t r = 0; r < 1u << N; r++) w[r] = v[r];
#pragma unroll
        for (int k = (int)N; k-- > 0;)
            if (p.steps & FORWARD) small_layer<false, N>(w, twiddles.line, p.forward_domain, (unsigned)k, part << N);
#pragma unroll
        for (uint32_t r = 0; r < 1u << N; r++) st(dst, (part << N) + r, w[r]);
    }
}
template <unsigned N>
__global__ void __launch_bounds__(block_threads)
    small_kernel(pass p, words arena, span<const column_pair> columns, twiddle_tables twiddles, uint32_t n_columns) {
    for (size_t i = thread_number(); i < n_columns; i += thread_count()) {
        const column_pair pair = ld(columns, i);
        transform_small<N>(p, column(arena, pair.dst), column(arena, pair.src), twiddles);
    }
}

/* ---- passes of a batch of one size ---- */

struct batch {
    device *dev;
    span<const column_pair> columns;
    size_t n_columns;
};

template <pass_kind KIND> static cudaError_t launch_kernel(const batch &b, const pass &p, uint32_t n_words_log) {
    const unsigned log_words = p.n_layers + p.width;
    const unsigned threads = 1u << (log_words - log_radix);
    const dim3 grid(1u << (n_words_log - log_words), (unsigned)((b.n_columns + columns_each - 1) / columns_each));
    const words all = arena(b.dev);
    return PR_LAUNCH(transform_kernel<KIND>, grid, threads, 0, b.dev->stream, p, all, b.columns, b.dev->twiddles,
                     (uint32_t)b.n_columns);
}
static pr_status launch_pass(const batch &b, const pass &p, uint32_t n_words_log, pr_error *err) {
    const pass_kind kind = kind_of(p);
    count_moved(b.dev, b.n_columns * ((size_t)1 << n_words_log) * (1 + (p.steps & FORWARD ? p.n_parts : 1)));
    return check(kind == ONLY_INVERSE   ? launch_kernel<ONLY_INVERSE>(b, p, n_words_log)
                 : kind == ONLY_FORWARD ? launch_kernel<ONLY_FORWARD>(b, p, n_words_log)
                                        : launch_kernel<IN_PARTS>(b, p, n_words_log),
                 "transform", err);
}

/* 2^-n as divided() takes it. */
static uint32_t scale_of(uint32_t n) { return n > 0 ? 1u << (32 - n) : 0; }

template <unsigned N> static cudaError_t launch_small_kernel(const batch &b, const pass &p) {
    const words all = arena(b.dev);
    return PR_LAUNCH(small_kernel<N>, blocks_for(b.n_columns), block_threads, 0, b.dev->stream, p, all, b.columns,
                     b.dev->twiddles, (uint32_t)b.n_columns);
}
static pr_status launch_small(const batch &b, unsigned steps, uint32_t n, uint32_t inverse_domain,
                              uint32_t forward_domain, pr_error *err) {
    pass p = {};
    p.n = n;
    p.steps = steps;
    p.inverse_domain = inverse_domain, p.forward_domain = forward_domain;
    p.n_parts = steps & FORWARD ? 1u << (forward_domain - n) : 1;
    p.scale = steps & INVERSE ? scale_of(n) : 0;
    count_moved(b.dev, b.n_columns * ((size_t)1 << n) * (1 + p.n_parts));
    const cudaError_t error = n == 0   ? launch_small_kernel<0>(b, p)
                              : n == 1 ? launch_small_kernel<1>(b, p)
                              : n == 2 ? launch_small_kernel<2>(b, p)
                                       : launch_small_kernel<3>(b, p);
    return check(error, "small transforms", err);
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

/* Gaps after every sixteen words leave the words of a thread at equal distances if its window begins at bit 0 or beyond
 * bit 3. Tiles of small columns have windows in between, and no gaps. */
static uint32_t log_gap_of(const pass &p) {
    const bool has_gaps = p.width >= log_radix || (p.width == 0 && p.n_layers >= 2 * log_radix);
    return has_gaps ? log_radix : 31;
}

static pass make_pass(const pass_list &list, uint32_t k, uint32_t n) {
    pass p = {};
    p.n = n;
    p.first_layer = list.first[k];
    p.n_layers = list.first[k + 1] - p.first_layer;
    p.width = k == 0 ? 0 : (p.first_layer < log_tile - p.n_layers ? p.first_layer : log_tile - p.n_layers);
    p.log_gap = log_gap_of(p);
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
        if (k == last) p.scale = scale_of(n);
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
