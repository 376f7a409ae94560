/* A layer is one launch, or two where it is large: each thread folds the rows of its leaf from the layer before and
 * hashes them, blocks climb to their roots, and the block that ends last climbs from these to the tree's root, mixes it
 * into the channel and draws what the next layer folds with. When a layer is a block's, that one block goes on alone to
 * the end. The host waits once, for all of it. */
#include "cuda/fri.cuh"
#include "cuda/channel.cuh"
#include "cuda/debug.cuh"
#include "cuda/fold.cuh"
#include "cuda/grind.cuh"
#include "cuda/tree.cuh"

namespace PR_GPU {

#if defined(PR_CUDA_EMULATED) && !defined(PR_CUDA_DEVICE_TILES)
constexpr unsigned log_block = 4; /* leaves of a block; small, so that small proofs take every path */
#else
constexpr unsigned log_block = 8;
#endif
constexpr unsigned block_leaves = 1 << log_block;
constexpr uint32_t max_layers = 32;

/* Words of the channel's memory. The host writes the first 16 and reads all. */
enum channel_word {
    WORD_DIGEST = 0,
    WORD_ALPHA = 8,
    WORD_BLOCKS = 12, /* of the launch, that have ended */
    WORD_EXCESS = 13, /* not 0: the last layer has a coefficient above its bound */
    WORD_NONCE = 14,  /* of the proof of work: two */
    WORD_PREFIX = 16, /* of the proof of work */
    WORD_ROOTS = 24,
    WORD_LAST = WORD_ROOTS + 8 * max_layers
};
constexpr size_t n_input_words = WORD_PREFIX;

/* 2^20 tries are about 0.1 ms of a large GPU; a wait of the host is 0.01 ms in which it has nothing to do. */
#ifdef PR_CUDA_EMULATED
constexpr uint32_t short_pow_bits = 8; /* so that tests take both ways */
#else
constexpr uint32_t short_pow_bits = 20;
#endif

static size_t channel_words(uint32_t log_degree) { return WORD_LAST + ((size_t)4 << log_degree); }
/* The host has what it sends in front of what it gets. */
size_t fri_mirror_bytes(const pr_device_needs *needs) {
    return (n_input_words + channel_words(needs->log_last_degree)) * sizeof(uint32_t);
}

/* A layer as kernels know it: places in the arena. */
struct layer_place {
    size_t columns[4], nodes;
    uint32_t log_rows, height, stored_height, fold_step;
};
struct fri_view {
    words arena, channel;
    const_words inverse;
    layer_place layers[max_layers];
    size_t last[4];
    uint32_t n_layers, log_last, log_degree, pow_bits;
};

PR_DEVICE secure_column secure_place(const fri_view &v, const size_t columns[4], uint32_t log_rows) {
    secure_column s;
#pragma unroll
    for (int c = 0; c < 4; c++) s.c[c] = sub(v.arena, columns[c], (size_t)1 << log_rows);
    return s;
}
PR_DEVICE secure_column layer_columns(const fri_view &v, uint32_t k) {
    return secure_place(v, v.layers[k].columns, v.layers[k].log_rows);
}
PR_DEVICE tree_place layer_tree(const fri_view &v, uint32_t k) {
    const layer_place &l = v.layers[k];
    return tree_place{sub(v.arena, l.nodes, (size_t)16 << l.stored_height), l.height, l.stored_height};
}

/* ---- folds ---- */

struct fold_source {
    secure_column rows;
    const_words inverse;
    pr_qm31 alpha;
    uint32_t log_rows, step, is_circle;
};

PR_DEVICE fold_source source_of(const fri_view &v, uint32_t k) { /* what layer k, or the last values, fold from */
    const uint32_t from = k - 1, a = WORD_ALPHA;
    const pr_qm31 alpha = {{ld(v.channel, a), ld(v.channel, a + 1), ld(v.channel, a + 2), ld(v.channel, a + 3)}};
    return fold_source{layer_columns(v, from),   v.inverse, alpha, v.layers[from].log_rows,
                       v.layers[from].fold_step, from == 0};
}

/* Of the pair that fold number level joins into its row h. A line is a circle that was folded once. */
PR_DEVICE pr_m31 fold_twiddle(const fold_source &f, unsigned level, size_t h) {
    const unsigned folded = f.is_circle ? 0 : 1;
    return layer_twiddle(f.inverse, f.log_rows + folded, level + folded, h);
}

template <unsigned STEP> PR_DEVICE pr_qm31 folded_row(const fold_source &f, const pr_qm31 *alphas, size_t row) {
    if constexpr (STEP == 0) {
        return ld_secure(f.rows, row);
    } else {
        const pr_qm31 a = folded_row<STEP - 1>(f, alphas, 2 * row), b = folded_row<STEP - 1>(f, alphas, 2 * row + 1);
        return fold_pair(a, b, fold_twiddle(f, STEP - 1, row), alphas[STEP - 1]);
    }
}

/* Any step: rows one after another, each joined with those to its left that are as large a part of the whole. */
PR_DEVICE pr_qm31 folded_many(const fold_source &f, size_t row) {
    pr_qm31 waiting[max_layers] = {}, sum = {};
    for (size_t i = 0; i < (size_t)1 << f.step; i++) {
        const size_t at = (row << f.step) + i;
        pr_qm31 alpha = f.alpha;
        unsigned level = 0;
        sum = ld_secure(f.rows, at);
        for (; i >> level & 1; level++, alpha = pr_qm31_square(alpha))
            sum = fold_pair(waiting[level], sum, fold_twiddle(f, level, at >> (level + 1)), alpha);
        waiting[level] = sum;
    }
    return sum;
}

PR_DEVICE pr_qm31 folded(const fold_source &f, size_t row) {
    const pr_qm31 second = pr_qm31_square(f.alpha), alphas[3] = {f.alpha, second, pr_qm31_square(second)};
    if (f.step == 1) return folded_row<1>(f, alphas, row);
    if (f.step == 2) return folded_row<2>(f, alphas, row);
    return f.step == 3 ? folded_row<3>(f, alphas, row) : folded_many(f, row);
}

/* ---- a layer ---- */

/* A leaf of layer k, one row or four; layer 0's are there, the others' are written. */
PR_DEVICE void make_leaf(uint32_t h[8], const fri_view &v, uint32_t k, uint32_t leaf) {
    const unsigned log_leaf = v.layers[k].log_rows - v.layers[k].height; /* 0 or 2 */
    const secure_column rows = layer_columns(v, k);
    const fold_source source = k ? source_of(v, k) : fold_source{};
    uint32_t m[16] = {};
#pragma unroll 1 /* the code of folds once */
    for (uint32_t r = 0; r < 1u << log_leaf; r++) {
        const size_t row = ((size_t)leaf << log_leaf) + r;
        const pr_qm31 value = k ? folded(source, row) : ld_secure(rows, row);
        if (k) st_secure(rows, row, value);
#pragma unroll
        for (uint32_t i = 0; i < 16; i++) m[i] = i / 4 == r ? value.c[i % 4] : m[i]; /* stays in registers */
    }
    hash_block(h, m, 16u << log_leaf);
}

/* One thread: the root goes into the channel, and alpha comes out. */
PR_DEVICE void take_root(const fri_view &v, uint32_t k, const uint32_t root[8]) {
    uint32_t digest[8];
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) digest[i] = ld(v.channel, WORD_DIGEST + i);
    channel_mix_root(digest, root);
    const pr_qm31 alpha = channel_draw_felt(digest);
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) {
        st(v.channel, WORD_DIGEST + i, digest[i]);
        st(v.channel, WORD_ROOTS + 8 * k + i, root[i]);
    }
#pragma unroll
    for (uint32_t c = 0; c < 4; c++) st(v.channel, WORD_ALPHA + c, alpha.c[c]);
}

/* Whether all other blocks have ended what they do before this; then their writes are seen. */
PR_DEVICE bool is_last_block(const words &channel) {
    PR_SHARED(uint32_t, last, 1);
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) st(last, 0, (uint32_t)(atomic_add(channel, WORD_BLOCKS, 1u) + 1 == gridDim.x));
    __syncthreads();
    const bool is_last = ld(last, 0) != 0;
    if (is_last) __threadfence();
    return is_last;
}

/* Blocks have climbed to the nodes of a level, one each. If a block can climb from them all, the last one does. */
PR_DEVICE void finish_layer(const fri_view &v, uint32_t k, uint32_t level) {
    if (level > log_block + 1 || !is_last_block(v.channel)) return;
    const tree_place t = layer_tree(v, k);
    uint32_t h[8];
    if (threadIdx.x < 1u << (level - 1)) hash_stored_pair(h, t, level, threadIdx.x);
    climb<log_block>(t, level - 1, 0, level - 1, h);
    if (threadIdx.x != 0) return;
    st(v.channel, WORD_BLOCKS, 0u);
    take_root(v, k, h);
}

__global__ void __launch_bounds__(block_leaves, 3) fri_layer_kernel(fri_view v, uint32_t k) {
    const tree_place t = layer_tree(v, k);
    uint32_t h[8];
    make_leaf(h, v, k, blockIdx.x * block_leaves + threadIdx.x);
    climb<log_block>(t, t.height, blockIdx.x, log_block, h);
    finish_layer(v, k, t.height - log_block);
}

/* From the nodes of a level. */
__global__ void __launch_bounds__(block_leaves) fri_levels_kernel(fri_view v, uint32_t k, uint32_t level) {
    const tree_place t = layer_tree(v, k);
    uint32_t h[8];
    hash_stored_pair(h, t, level, blockIdx.x * block_leaves + threadIdx.x);
    climb<log_block>(t, level - 1, blockIdx.x, log_block, h);
    finish_layer(v, k, level - 1 - log_block);
}

/* ---- the end, by one block ---- */

/* As pr_line_interpolate, in place; the scale is left out. */
PR_DEVICE void interpolate_last(const fri_view &v, const secure_column &last) {
    for (unsigned k = 0; k < v.log_last; k++) {
        __syncthreads();
        for (size_t p = threadIdx.x; p < (size_t)1 << (v.log_last - 1); p += blockDim.x) {
            const size_t distance = (size_t)1 << k, h = p >> k, i = (h << (k + 1)) + (p & (distance - 1));
            const pr_qm31 a = ld_secure(last, i), b = ld_secure(last, i + distance);
            const pr_m31 t = line_entry(v.inverse, v.log_last + 1 - k, h);
            st_secure(last, i, pr_qm31_add(a, b));
            st_secure(last, i + distance, pr_qm31_mul_m31(pr_qm31_sub(a, b), t));
        }
    }
    __syncthreads();
}

/* Coefficients below the bound, bit-reversed, as the proof has them; one above it that is not 0 is told. */
PR_DEVICE void keep_coefficients(const fri_view &v, const secure_column &last, const words &kept) {
    const pr_m31 scale = v.log_last ? (pr_m31)1 << (PR_P_BITS - v.log_last) : 1;
    for (size_t i = threadIdx.x; i < (size_t)1 << v.log_last; i += blockDim.x) {
        const pr_qm31 value = pr_qm31_mul_m31(ld_secure(last, i), scale);
        if (i >> v.log_degree) {
            if (!pr_qm31_is_zero(value)) st(v.channel, WORD_EXCESS, 1u);
            continue;
        }
        const size_t at = 4 * (size_t)reverse_bits((uint32_t)i, v.log_degree);
#pragma unroll
        for (uint32_t c = 0; c < 4; c++) st(kept, at + c, value.c[c]);
    }
    __syncthreads();
}

PR_DEVICE void end_channel(const fri_view &v, const words &kept) {
    uint32_t digest[8], prefix[8];
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) digest[i] = ld(v.channel, WORD_DIGEST + i);
    channel_mix_words(digest, read_only(kept), 4u << v.log_degree);
    channel_pow_prefix(prefix, digest, v.pow_bits);
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) {
        st(v.channel, WORD_DIGEST + i, digest[i]);
        st(v.channel, WORD_PREFIX + i, prefix[i]);
    }
}

/* Layers first .. n_layers - 1, none of more leaves than the block has threads, and the last values. */
__global__ void __launch_bounds__(block_leaves, 1) fri_tail_kernel(fri_view v, uint32_t first) {
    for (uint32_t k = first; k < v.n_layers; k++) {
        const tree_place t = layer_tree(v, k);
        uint32_t h[8];
        if (threadIdx.x < 1u << t.height) make_leaf(h, v, k, threadIdx.x);
        climb<log_block>(t, t.height, 0, t.height, h);
        if (threadIdx.x == 0) take_root(v, k, h);
        __syncthreads();
    }
    const secure_column last = secure_place(v, v.last, v.log_last);
    const words kept = sub(v.channel, WORD_LAST, (size_t)4 << v.log_degree);
    const fold_source source = source_of(v, v.n_layers);
    for (size_t i = threadIdx.x; i < (size_t)1 << v.log_last; i += blockDim.x) st_secure(last, i, folded(source, i));
    interpolate_last(v, last);
    keep_coefficients(v, last, kept);
    if (threadIdx.x == 0) end_channel(v, kept);
}

/* ---- the host ---- */

static layer_place place_of_layer(const pr_fri_layer *l) {
    layer_place p = {};
    for (int c = 0; c < 4; c++) p.columns[c] = l->cols[c].offset;
    p.nodes = l->merkle.offset;
    p.log_rows = l->cols[0].log_rows, p.height = l->merkle.height;
    p.stored_height = pr_merkle_stored_height(&l->merkle), p.fold_step = l->fold_step;
    PR_ASSERT(l->fold_step >= 1 && pr_merkle_log_rows(&l->merkle) == p.log_rows);
    return p;
}

static fri_view view_of_fri(const device *dev, const pr_fri *args) {
    const pr_fri_layer *before = &args->layers[args->n_layers - 1];
    fri_view v = {};
    PR_ASSERT(args->n_layers >= 1 && args->n_layers <= max_layers && args->log_last_degree <= args->last[0].log_rows);
    PR_ASSERT(args->layers[0].cols[0].log_rows <= dev->max_log_rows);
    PR_ASSERT(before->cols[0].log_rows == args->last[0].log_rows + before->fold_step);
    v.arena = arena(dev);
    v.channel = view_of((uint32_t *)(void *)dev->fri.device, channel_words(args->log_last_degree));
    v.inverse = dev->twiddles.inverse;
    for (uint32_t k = 0; k < args->n_layers; k++) v.layers[k] = place_of_layer(&args->layers[k]);
    for (int c = 0; c < 4; c++) v.last[c] = args->last[c].offset;
    v.n_layers = args->n_layers, v.log_last = args->last[0].log_rows;
    v.log_degree = args->log_last_degree, v.pow_bits = args->pow_bits;
    return v;
}

/* Words that go through memory, for pr_meter: of a layer's rows, with what they are folded with; of its tree, below and
 * above the nodes that blocks climb to; of the channel at a root. */
static size_t row_words(const fri_view &v, uint32_t k) {
    const layer_place &l = v.layers[k];
    if (k == 0) return (size_t)4 << l.log_rows;
    return ((size_t)4 << v.layers[k - 1].log_rows) + ((size_t)4 << l.log_rows) + ((size_t)4 << l.height);
}
constexpr size_t root_words = 28;
static void count_top(device *dev, uint32_t stored_height, uint32_t level) { /* the last of 2^level blocks */
    count_moved(dev,
                ((size_t)1 << level) + 1 + ((size_t)8 << level) + node_words(stored_height, 0, level - 1) + root_words);
}
static void count_tail(device *dev, const fri_view &v, uint32_t first) {
    size_t n_words = 4 * block_leaves + ((size_t)4 << v.layers[v.n_layers - 1].log_rows);
    for (uint32_t k = first; k < v.n_layers; k++)
        n_words += row_words(v, k) + root_words + node_words(v.layers[k].stored_height, 0, v.layers[k].height);
    n_words += ((size_t)8 << v.log_last) * (v.log_last + 1); /* written, interpolated, read */
    count_moved(dev, n_words + ((size_t)8 << v.log_degree) + 24);
}

static pr_status launch_layer(device *dev, const fri_view &v, uint32_t k, pr_error *err) {
    uint32_t level = v.layers[k].height - log_block; /* of the blocks' roots */
    const uint32_t stored = v.layers[k].stored_height;
    count_moved(dev, row_words(v, k) + node_words(stored, level, v.layers[k].height));
    PR_CUDA_TRY(PR_LAUNCH(fri_layer_kernel, 1u << level, block_leaves, 0, dev->stream, v, k), "a layer of FRI");
    while (level > log_block + 1) {
        const uint32_t roots = level - 1 - log_block;
        count_moved(dev, ((size_t)8 << level) + node_words(stored, roots, level - 1));
        PR_CUDA_TRY(PR_LAUNCH(fri_levels_kernel, 1u << roots, block_leaves, 0, dev->stream, v, k, level),
                    "a layer of FRI");
        level = roots;
    }
    count_top(dev, stored, level);
    return PR_OK;
}

static pr_status launch_fri(device *dev, const fri_view &v, const pr_fri *args, pr_error *err) {
    const size_t input = n_input_words * sizeof(uint32_t), bytes = channel_words(v.log_degree) * sizeof(uint32_t);
    uint32_t k = 0;
    PR_CUDA_TRY(queue_copy(dev->stream, dev->fri.device, dev->fri.host, input, cudaMemcpyHostToDevice),
                "sending the channel");
    for (; k < v.n_layers && v.layers[k].height > log_block; k++) {
        PR_TRY(launch_layer(dev, v, k, err));
        PR_TRY(harm_if_due(dev, args->layers[k].cols[0], err));
    }
    count_tail(dev, v, k);
    PR_CUDA_TRY(PR_LAUNCH(fri_tail_kernel, 1, block_leaves, 0, dev->stream, v, k), "the last layers of FRI");
    return check(queue_copy(dev->stream, dev->fri.host + input, dev->fri.device, bytes, cudaMemcpyDeviceToHost),
                 "fetching the channel", err);
}

static void read_result(pr_fri_result *result, device *dev, const pr_fri *args) {
    const uint32_t *got = (const uint32_t *)(const void *)dev->fri.host + n_input_words;
    std::memcpy(result->digest.bytes, got + WORD_DIGEST, sizeof result->digest);
    std::memcpy(result->roots, got + WORD_ROOTS, args->n_layers * sizeof *result->roots);
    std::memcpy(result->last_layer, got + WORD_LAST, sizeof(pr_qm31) << args->log_last_degree);
    std::memcpy(dev->grinding.prefix.bytes, got + WORD_PREFIX, sizeof dev->grinding.prefix);
    result->exceeds_degree = got[WORD_EXCESS] != 0;
}

/* The proof of work begins behind it; grind() comes for it. The nonce goes where the input was. */
static pr_status begin_grinding(device *dev, const fri_view &v, pr_error *err) {
    uint32_t *channel = (uint32_t *)(void *)dev->fri.device, *host = (uint32_t *)(void *)dev->fri.host;
    const const_words prefix = read_only(view_of(channel + WORD_PREFIX, 8));
    return grind_ahead(dev, prefix, (uint64_t *)(void *)(channel + WORD_NONCE), (uint64_t *)(void *)(host + WORD_NONCE),
                       v.pow_bits, err);
}

/* A short proof of work is waited for with the rest, a long one goes on behind what the host waits for. */
static pr_status finish_fri(device *dev, const fri_view &v, pr_error *err) {
    const bool is_short = v.pow_bits <= short_pow_bits;
    if (!is_short) {
        PR_TRY(send_work(dev->stream, err));
        PR_CUDA_TRY(cudaEventRecord(dev->fri_end, dev->stream.handle), "recording an event");
    }
    PR_TRY(begin_grinding(dev, v, err));
    if (is_short) return wait_for_work(dev->stream, "the commit phase of FRI", err);
    PR_TRY(send_work(dev->stream, err));
    return check(cudaEventSynchronize(dev->fri_end), "the commit phase of FRI", err);
}

pr_status fri(device *dev, pr_fri_result *result, const pr_fri *args, pr_error *err) {
    const fri_view v = view_of_fri(dev, args);
    PR_ASSERT((n_input_words + channel_words(v.log_degree)) * sizeof(uint32_t) <= dev->fri.bytes);
    uint32_t input[n_input_words] = {};
    std::memcpy(input + WORD_DIGEST, args->digest.bytes, sizeof args->digest);
    std::memset(input + WORD_NONCE, 0xff, sizeof(uint64_t));
    std::memcpy(dev->fri.host, input, sizeof input);
    PR_TRY(launch_fri(dev, v, args, err));
    PR_TRY(finish_fri(dev, v, err));
    read_result(result, dev, args);
    return PR_OK;
}

} // namespace PR_GPU
