/* A block of threads hashes a leaf each, reading columns side by side, and climbs from them through shared memory to
 * their common root; only levels that the tree stores are written. Above, blocks climb from stored nodes in the same
 * way. */
#include "cuda/merkle.cuh"
#include "cuda/hash.cuh"

namespace PR_GPU {

constexpr unsigned log_block_leaves = 8, block_leaves = 1 << log_block_leaves;

struct leaf_source {
    words arena;
    span<const pr_col> columns;
    uint32_t n_columns, log_rows; /* rows that columns are lifted to */
    uint32_t packed;
};
struct tree_place {
    words nodes; /* [2 << stored height][8] */
    uint32_t height, stored_height;
};

static tree_place place_of(const device *dev, const pr_merkle *tree) {
    const uint32_t stored = pr_merkle_stored_height(tree);
    return tree_place{view_of(dev->memory + tree->offset, (size_t)16 << stored), tree->height, stored};
}

PR_DEVICE void hash_plain_leaf(uint32_t h[8], const leaf_source &l, uint32_t leaf) {
    pr_blake2s_lanes_init(h);
    for (uint32_t first = 0; first < l.n_columns; first += 16) {
        const uint32_t left = l.n_columns - first;
        uint32_t m[16];
#pragma unroll
        for (uint32_t k = 0; k < 16; k++) {
            m[k] = 0;
            if (k >= left) continue;
            const pr_col col = ld(l.columns, first + k);
            const uint32_t slot = col.log_rows == l.log_rows ? leaf : pr_slot_lift(col.log_rows, l.log_rows, leaf);
            m[k] = ld(column(l.arena, col), slot);
        }
        const bool last = left <= 16;
        pr_blake2s_lanes_compress(h, m, 4 * (uint64_t)(last ? l.n_columns : first + 16),
                                  last ? PR_BLAKE2S_LAST : PR_BLAKE2S_MORE);
    }
}

PR_DEVICE void hash_packed_leaf(uint32_t h[8], const leaf_source &l, uint32_t leaf) {
    uint32_t m[16];
#pragma unroll
    for (uint32_t c = 0; c < 4; c++) {
        const word4 w = ld4(read_only(column(l.arena, ld(l.columns, c))), 4 * (size_t)leaf);
        m[c] = w.x, m[4 + c] = w.y, m[8 + c] = w.z, m[12 + c] = w.w;
    }
    hash_block(h, m, 64);
}

PR_DEVICE void hash_leaf(uint32_t h[8], const leaf_source &l, uint32_t leaf) {
    if (l.packed)
        hash_packed_leaf(h, l, leaf);
    else
        hash_plain_leaf(h, l, leaf);
}

PR_DEVICE void st_node(const tree_place &t, uint32_t level, uint32_t index, const uint32_t h[8]) {
    const size_t at = 8 * (((size_t)1 << level) + index);
    st4(t.nodes, at, word4{h[0], h[1], h[2], h[3]});
    st4(t.nodes, at + 4, word4{h[4], h[5], h[6], h[7]});
}
PR_DEVICE void ld_node(uint32_t h[8], const tree_place &t, uint32_t level, uint32_t index) {
    const size_t at = 8 * (((size_t)1 << level) + index);
    const const_words nodes = read_only(t.nodes);
    const word4 a = ld4(nodes, at), b = ld4(nodes, at + 4);
    h[0] = a.x, h[1] = a.y, h[2] = a.z, h[3] = a.w, h[4] = b.x, h[5] = b.y, h[6] = b.z, h[7] = b.w;
}

/* Word k of the block's node i is word k * block_leaves + i. Parent of nodes 2i and 2i + 1. */
PR_DEVICE void hash_pair(uint32_t h[8], const words &nodes, uint32_t i) {
    uint32_t m[16];
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) {
        m[k] = ld(nodes, k * block_leaves + 2 * i);
        m[8 + k] = ld(nodes, k * block_leaves + 2 * i + 1);
    }
    hash_block(h, m, 64);
}

/* The block has 2^log_count nodes of a level, one a thread, in h: climbs until one is left, storing what is to be. */
PR_DEVICE void climb(const tree_place &t, uint32_t level, uint32_t block, unsigned log_count, uint32_t h[8]) {
    PR_SHARED(uint32_t, nodes, 8 * block_leaves);
    const uint32_t i = threadIdx.x;
    for (unsigned left = log_count;; left--, level--) {
        const bool mine = i < 1u << left;
        if (mine && level <= t.stored_height) st_node(t, level, (block << left) + i, h);
        if (left == 0) return;
#pragma unroll
        for (uint32_t k = 0; k < 8; k++)
            if (mine) st(nodes, k * block_leaves + i, h[k]);
        __syncthreads();
        if (i < 1u << (left - 1)) hash_pair(h, nodes, i);
        __syncthreads();
    }
}

__global__ void __launch_bounds__(block_leaves) leaves_kernel(leaf_source l, tree_place t, uint32_t log_count) {
    uint32_t h[8];
    hash_leaf(h, l, blockIdx.x * blockDim.x + threadIdx.x);
    climb(t, t.height, blockIdx.x, log_count, h);
}

/* From nodes of a level that is stored. */
__global__ void __launch_bounds__(block_leaves) levels_kernel(tree_place t, uint32_t level, uint32_t log_count) {
    uint32_t h[8], m[16];
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    ld_node(m, t, level, 2 * i);
    ld_node(m + 8, t, level, 2 * i + 1);
    hash_block(h, m, 64);
    climb(t, level - 1, blockIdx.x, log_count, h);
}

static leaf_source put_columns(device *dev, table_writer *w, const pr_merkle *tree, const pr_col *cols, size_t n) {
    for (size_t i = 0; i < n; i++) PR_ASSERT(cols[i].log_rows >= 1 && cols[i].log_rows <= pr_merkle_log_rows(tree));
    return leaf_source{arena(dev), w->put(cols, n), (uint32_t)n, pr_merkle_log_rows(tree), tree->packed};
}

static pr_status hash_tree(device *dev, const leaf_source &l, const tree_place &t, pr_error *err) {
    const unsigned log_count = t.height < log_block_leaves ? t.height : log_block_leaves;
    uint32_t level = t.height - log_count; /* of the blocks' roots */
    PR_CUDA_TRY(PR_LAUNCH(leaves_kernel, 1u << level, 1u << log_count, 0, dev->stream, l, t, log_count), "leaves");
    while (level > 0) {
        const unsigned climbed = level - 1 < log_block_leaves ? level - 1 : log_block_leaves;
        const uint32_t roots = level - 1 - climbed;
        PR_CUDA_TRY(PR_LAUNCH(levels_kernel, 1u << roots, 1u << climbed, 0, dev->stream, t, level, climbed),
                    "inner levels");
        level = roots;
    }
    return PR_OK;
}

pr_status merkle_commit(device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols, size_t n,
                        pr_error *err) {
    table_writer w(dev);
    if (n == 0) {
        *root = pr_blake2s_hash("", 0);
        return PR_OK;
    }
    PR_ASSERT(!tree->packed || n == 4);
    PR_TRY(w.begin(table_size<pr_col>(n), err));
    const leaf_source l = put_columns(dev, &w, tree, cols, n);
    PR_TRY(w.send(err));
    PR_TRY(hash_tree(dev, l, place_of(dev, tree), err));
    PR_CUDA_TRY(cudaMemcpyAsync(dev->results.host, dev->memory + pr_merkle_node_offset(tree, 0, 0), sizeof *root,
                                cudaMemcpyDeviceToHost, dev->stream),
                "fetching a root");
    PR_CUDA_TRY(cudaStreamSynchronize(dev->stream), "hashing a tree");
    std::memcpy(root, dev->results.host, sizeof *root);
    return PR_OK;
}

/* ---- openings ---- */

struct node_name {
    uint32_t level, index;
};
constexpr unsigned max_skipped_leaves = 16;

/* A node a block: read where it is stored, else hashed from its leaves, at most sixteen. */
__global__ void __launch_bounds__(max_skipped_leaves)
    open_kernel(leaf_source l, tree_place t, span<const node_name> names, words out) {
    PR_SHARED(uint32_t, nodes, 8 * block_leaves);
    const node_name name = ld(names, blockIdx.x);
    const uint32_t i = threadIdx.x;
    const unsigned climbed = t.height - name.level;
    uint32_t h[8];
    if (name.level <= t.stored_height) {
        if (i == 0) ld_node(h, t, name.level, name.index);
    } else {
        if (i < 1u << climbed) hash_leaf(h, l, (name.index << climbed) + i);
        for (unsigned left = climbed; left > 0; left--) {
#pragma unroll
            for (uint32_t k = 0; k < 8; k++)
                if (i < 1u << left) st(nodes, k * block_leaves + i, h[k]);
            __syncthreads();
            if (i < 1u << (left - 1)) hash_pair(h, nodes, i);
            __syncthreads();
        }
    }
#pragma unroll
    for (uint32_t k = 0; k < 8; k++)
        if (i == 0) st(out, 8 * (size_t)blockIdx.x + k, h[k]);
}

constexpr size_t most_opened = 4096; /* a launch */

/* The next nodes of the witness; n_out: how many there were, 0 at the end. */
static pr_status open_some(device *dev, pr_hash *out, size_t *n_out, size_t capacity, const pr_merkle *tree,
                           const pr_col *cols, size_t n, pr_merkle_witness *witness, pr_error *err) {
    table_writer w(dev);
    node_name *names;
    size_t n_names = 0;
    PR_TRY(w.begin(table_size<pr_col>(n) + table_size<node_name>(most_opened), err));
    const leaf_source l = put_columns(dev, &w, tree, cols, n);
    const span<const node_name> list = w.take(&names, most_opened);
    while (n_names < most_opened && pr_merkle_witness_next(witness))
        names[n_names++] = node_name{witness->level, witness->index};
    *n_out = n_names;
    if (!n_names) return PR_OK;
    PR_ASSERT(n_names <= capacity);
    PR_TRY(w.send(err));
    const tree_place place = place_of(dev, tree);
    const words to = result_words(dev, 8 * n_names);
    PR_CUDA_TRY(PR_LAUNCH(open_kernel, (unsigned)n_names, max_skipped_leaves, 0, dev->stream, l, place, list, to),
                "openings");
    PR_TRY(fetch_results(dev, n_names * sizeof *out, err));
    std::memcpy(out, dev->results.host, n_names * sizeof *out);
    return PR_OK;
}

pr_status merkle_open(device *dev, pr_hash *out, size_t *n_out, size_t capacity, const pr_merkle *tree,
                      const pr_col *cols, size_t n, const uint32_t *positions, size_t n_positions, pr_error *err) {
    pr_merkle_witness witness;
    *n_out = 0;
    if (n == 0) return PR_OK;
    PR_ASSERT(tree->log_skip <= 4);
    pr_merkle_witness_init(&witness, tree->height, positions, n_positions);
    for (size_t more = 1; more; *n_out += more)
        PR_TRY(open_some(dev, out + *n_out, &more, capacity - *n_out, tree, cols, n, &witness, err));
    return PR_OK;
}

} // namespace PR_GPU
