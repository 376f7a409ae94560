/* A block of threads hashes a leaf each, reading columns side by side, and climbs from them through shared memory to
 * their common root; only levels that the tree stores are written. Above, blocks climb from stored nodes in the same
 * way. */
#include "cuda/merkle.cuh"
#include "cuda/tree.cuh"
#include "cuda/window.cuh"

namespace PR_GPU {

constexpr unsigned log_block_leaves = 8, block_leaves = 1 << log_block_leaves;
constexpr unsigned log_max_skipped = 4;

struct leaf_source {
    words arena;
    span<const pr_col> columns;
    span<const uint32_t> merged;  /* list_merged() */
    uint32_t n_columns, log_rows; /* rows that columns are lifted to */
    uint32_t packed, first;       /* the number of the leaf that they begin at */
};

/* The block of a leaf's message that begins with column first; columns are lifted to 2^log_rows. */
PR_DEVICE void compress_columns(uint32_t h[8], const leaf_source &l, uint32_t first, uint32_t log_rows, uint32_t leaf) {
    const uint32_t left = l.n_columns - first;
    const bool last = left <= 16;
    uint32_t m[16];
#pragma unroll
    for (uint32_t k = 0; k < 16; k++) {
        m[k] = 0;
        if (k >= left) continue;
        const pr_col col = ld(l.columns, first + k);
        m[k] = ld(column(l.arena, col), pr_slot_lift(col.log_rows, log_rows, leaf));
    }
    pr_blake2s_lanes_compress(h, m, 4 * (uint64_t)(last ? l.n_columns : first + 16),
                              last ? PR_BLAKE2S_LAST : PR_BLAKE2S_MORE);
}

PR_DEVICE void hash_plain_leaf(uint32_t h[8], const leaf_source &l, uint32_t leaf) {
    pr_blake2s_lanes_init(h);
    for (uint32_t first = 0; first < l.n_columns; first += 16) compress_columns(h, l, first, l.log_rows, leaf);
}

/* From the states of 2^log_from threads to those of 2^log_to, as columns are lifted. */
PR_DEVICE void spread_states(uint32_t h[8], const words &states, uint32_t log_from, uint32_t log_to) {
    const uint32_t i = threadIdx.x;
    if (log_from == log_to) return;
#pragma unroll
    for (uint32_t k = 0; k < 8; k++)
        if (i < 1u << log_from) st(states, (k << log_block_leaves) + i, h[k]);
    __syncthreads();
#pragma unroll
    for (uint32_t k = 0; k < 8; k++)
        if (i < 1u << log_to) h[k] = ld(states, (k << log_block_leaves) + pr_slot_lift(log_from, log_to, i));
    __syncthreads();
}

/* The block's leaves. Columns come by size, so those that read the same rows of the columns so far share one state, in
 * the lower threads, until a larger column parts them. */
PR_DEVICE void hash_plain_leaves(uint32_t h[8], const leaf_source &l, uint32_t log_count) {
    PR_SHARED(uint32_t, states, 8 << log_block_leaves);
    uint32_t states_log = log_count - ld(l.merged, 0);
    pr_blake2s_lanes_init(h);
    for (uint32_t first = 0; first < l.n_columns; first += 16) {
        const uint32_t merged = ld(l.merged, first / 16), before = states_log;
        states_log = log_count - merged;
        spread_states(h, states, before, states_log);
        if (threadIdx.x < 1u << states_log)
            compress_columns(h, l, first, l.log_rows - merged, (blockIdx.x << states_log) + threadIdx.x);
    }
    spread_states(h, states, states_log, log_count);
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

__global__ void __launch_bounds__(block_leaves) leaves_kernel(leaf_source l, tree_place t, uint32_t log_count) {
    uint32_t h[8];
    if (l.packed)
        hash_packed_leaf(h, l, blockIdx.x * blockDim.x + threadIdx.x);
    else
        hash_plain_leaves(h, l, log_count);
    climb<log_block_leaves>(t, t.height, (l.first >> log_count) + blockIdx.x, log_count, h);
}

/* From nodes of a level that is stored. */
__global__ void __launch_bounds__(block_leaves) levels_kernel(tree_place t, uint32_t level, uint32_t log_count) {
    uint32_t h[8];
    hash_stored_pair(h, t, level, blockIdx.x * blockDim.x + threadIdx.x);
    climb<log_block_leaves>(t, level - 1, blockIdx.x, log_count, h);
}

/* Words that a leaf reads. */
static size_t leaf_words(const pr_merkle *tree, size_t n_columns) { return tree->packed ? 16 : n_columns; }

static leaf_source put_columns(device *dev, table_writer *w, const pr_merkle *tree, const pr_col *cols, size_t n) {
    for (size_t i = 0; i < n; i++) PR_ASSERT(cols[i].log_rows >= 1 && cols[i].log_rows <= pr_merkle_log_rows(tree));
    return leaf_source{arena(dev), w->put(cols, n), {}, (uint32_t)n, pr_merkle_log_rows(tree), tree->packed, 0};
}

/* Of each sixteen columns: by how much the leaves of a block may share what is hashed up to them, at most by most, for
 * columns there have so many rows fewer. Returns the words that 2^log_rows leaves read. */
static size_t list_merged(uint32_t *merged, const pr_col *cols, size_t n, uint32_t log_rows, uint32_t most) {
    size_t n_words = 0;
    for (size_t first = 0; first < n; first += 16) {
        const size_t end = first + 16 < n ? first + 16 : n;
        for (size_t k = first; k < end; k++)
            if (log_rows - cols[k].log_rows < most) most = log_rows - cols[k].log_rows;
        merged[first / 16] = most;
        n_words += (end - first) << (log_rows - most);
    }
    return n_words;
}

/* The leaves of 2^log_rows rows, of far columns by way of the window, and what a block of threads climbs above them. */
static pr_status hash_leaves(device *dev, const pr_merkle *tree, const pr_col *cols, size_t n, size_t first,
                             uint32_t log_rows, unsigned log_count, pr_error *err) {
    const uint32_t log_lifted = pr_merkle_log_rows(tree), log_leaves = log_rows - (log_lifted - tree->height);
    const size_t n_blocks = (n + 15) / 16;
    window in(dev);
    table_writer w(dev);
    pr_col *places;
    uint32_t *merged;
    leaf_source l = {};
    PR_TRY(w.begin(table_size<pr_col>(n) + table_size<uint32_t>(n_blocks), err));
    l.columns = w.take(&places, n);
    l.merged = w.take(&merged, n_blocks);
    for (size_t i = 0; i < n; i++) {
        PR_ASSERT(cols[i].log_rows >= 1 && cols[i].log_rows <= log_lifted);
        PR_TRY(in.lifted_piece(&places[i], cols[i], log_lifted, first, log_rows, err));
    }
    const size_t n_words = list_merged(merged, places, n, log_rows, log_count ? log_count - 1 : 0);
    count_moved(dev, tree->packed ? (size_t)16 << log_leaves : n_words);
    PR_TRY(w.send(err));
    l.arena = arena(dev);
    l.n_columns = (uint32_t)n, l.log_rows = log_rows, l.packed = tree->packed, l.first = (uint32_t)first;
    const tree_place t = place_of(dev, tree);
    PR_CUDA_TRY(PR_LAUNCH(leaves_kernel, 1u << (log_leaves - log_count), 1u << log_count, 0, dev->stream, l, t,
                          (uint32_t)log_count),
                "leaves");
    return PR_OK;
}

static pr_status hash_tree(device *dev, const pr_merkle *tree, const pr_col *cols, size_t n, pr_error *err) {
    const tree_place t = place_of(dev, tree);
    const bool far = are_far(dev, cols, n);
    const uint32_t log_all = pr_merkle_log_rows(tree), log_rows = block_log_rows(dev, far, n, log_all);
    const unsigned log_leaves = t.height < log_rows ? t.height : log_rows;
    const unsigned log_count = log_leaves < log_block_leaves ? log_leaves : log_block_leaves;
    uint32_t level = t.height - log_count; /* of the blocks' roots */
    PR_ASSERT(level <= t.stored_height && !(far && tree->packed));
    count_moved(dev, node_words(t.stored_height, level, t.height));
    for (size_t first = 0; first < (size_t)1 << log_all; first += (size_t)1 << log_rows)
        PR_TRY(hash_leaves(dev, tree, cols, n, first, log_rows, log_count, err));
    while (level > 0) {
        const unsigned climbed = level - 1 < log_block_leaves ? level - 1 : log_block_leaves;
        const uint32_t roots = level - 1 - climbed;
        count_moved(dev, ((size_t)8 << level) + node_words(t.stored_height, roots, level - 1));
        PR_CUDA_TRY(PR_LAUNCH(levels_kernel, 1u << roots, 1u << climbed, 0, dev->stream, t, level, climbed),
                    "inner levels");
        level = roots;
    }
    return PR_OK;
}

pr_status merkle_commit(device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols, size_t n,
                        pr_error *err) {
    PR_ASSERT(n || root);
    if (n == 0) {
        *root = pr_blake2s_hash("", 0);
        return PR_OK;
    }
    PR_ASSERT(!tree->packed || n == 4);
    PR_TRY(hash_tree(dev, tree, cols, n, err));
    if (!root) return PR_OK;
    PR_CUDA_TRY(queue_copy(dev->stream, dev->results.host, dev->memory + pr_merkle_node_offset(tree, 0, 0),
                           sizeof *root, cudaMemcpyDeviceToHost),
                "fetching a root");
    PR_TRY(wait_for_work(dev->stream, "hashing a tree", err));
    std::memcpy(root, dev->results.host, sizeof *root);
    return PR_OK;
}

/* ---- openings ---- */

struct node_name {
    uint32_t level, index;
};

/* A node a block: read where it is stored, else hashed from its leaves, at most sixteen. out: where its hash goes. */
PR_DEVICE void open_node(const leaf_source &l, const tree_place &t, const node_name &name, const words &out,
                         size_t at) {
    PR_SHARED(uint32_t, nodes, 8 << log_max_skipped);
    const uint32_t i = threadIdx.x;
    const unsigned climbed = t.height - name.level;
    uint32_t h[8];
    if (name.level <= t.stored_height) {
        if (i == 0) ld_node(h, t, name.level, name.index);
    } else {
        if (i < 1u << climbed) hash_leaf(h, l, (name.index << climbed) + i);
        for (unsigned left = climbed; left > 0; left--) climb_level<log_max_skipped>(nodes, left, i, h);
    }
#pragma unroll
    for (uint32_t k = 0; k < 8; k++)
        if (i == 0) st(out, at + k, h[k]);
}

/* A tree that nodes are opened of; and such a node. */
struct open_group {
    leaf_source leaves;
    tree_place tree;
};
struct group_node {
    uint32_t group, result; /* the word it goes to */
    node_name name;
};

__global__ void __launch_bounds__(1 << log_max_skipped)
    open_kernel(span<const open_group> groups, span<const group_node> nodes, words out) {
    const group_node node = ld(nodes, blockIdx.x);
    const open_group g = ld(groups, node.group);
    open_node(g.leaves, g.tree, node.name, out, node.result);
}

static pr_status launch_open(device *dev, const span<const open_group> &groups, const span<const group_node> &nodes,
                             size_t n_nodes, const words &out, pr_error *err) {
    return check(PR_LAUNCH(open_kernel, (unsigned)n_nodes, 1 << log_max_skipped, 0, dev->stream, groups, nodes, out),
                 "openings", err);
}

static size_t node_reads(const tree_place &t, const pr_merkle *tree, size_t n_columns, node_name name) {
    return name.level <= t.stored_height ? 8 : leaf_words(tree, n_columns) << (t.height - name.level);
}

constexpr size_t most_opened =
    result_bytes / sizeof(pr_hash) < 4096 ? result_bytes / sizeof(pr_hash) : 4096; /* a launch */

/* A node below the stored ones, of far columns: by the host, for there are few and their rows are here. */
static pr_hash hash_far_node(const device *dev, const pr_merkle *tree, const pr_col *cols, size_t n, uint32_t level,
                             uint32_t index) {
    if (level < tree->height) {
        const pr_hash left = hash_far_node(dev, tree, cols, n, level + 1, 2 * index),
                      right = hash_far_node(dev, tree, cols, n, level + 1, 2 * index + 1);
        return pr_blake2s_pair(&left, &right);
    }
    pr_blake2s state;
    pr_blake2s_init(&state);
    for (size_t i = 0; i < n; i++) {
        const uint32_t v = far_column(dev, cols[i])[pr_slot_lift(cols[i].log_rows, tree->height, index)];
        const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
        pr_blake2s_update(&state, bytes, sizeof bytes);
    }
    return pr_blake2s_final(&state);
}

/* Nodes of the witness that the device finds, and those that the host does, which are behind the stored level. */
struct opened_nodes {
    group_node *nodes;
    size_t n, n_on_device, capacity, most; /* on the device at a time */
    bool far;
};

static void list_nodes(opened_nodes *o, pr_hash *out, const device *dev, const pr_merkle *tree, const pr_col *cols,
                       size_t n, pr_merkle_witness *witness) {
    while (o->n_on_device < o->most && pr_merkle_witness_next(witness)) {
        PR_ASSERT(o->n < o->capacity);
        if (o->far && witness->level > pr_merkle_stored_height(tree))
            out[o->n] = hash_far_node(dev, tree, cols, n, witness->level, witness->index);
        else
            o->nodes[o->n_on_device++] = group_node{0, 0, node_name{witness->level, witness->index}};
        o->n++;
    }
}

/* The next nodes of the witness; n_out: how many there were, 0 at the end. A witness goes from the leaves upwards, so
 * the host's nodes come before the device's. */
static pr_status open_some(device *dev, result_list *results, pr_hash *out, size_t *n_out, size_t capacity,
                           const pr_merkle *tree, const pr_col *cols, size_t n, pr_merkle_witness *witness,
                           pr_error *err) {
    table_writer w(dev);
    open_group *group;
    const size_t most = capacity < most_opened ? capacity + 1 : most_opened; /* one too many is noticed */
    opened_nodes o = {nullptr, 0, 0, capacity, most, are_far(dev, cols, n)};
    const size_t n_columns = o.far ? 0 : n;
    PR_TRY(w.begin(table_size<open_group>(1) + table_size<pr_col>(n_columns) + table_size<group_node>(most), err));
    const span<const open_group> groups = w.take(&group, 1);
    *group = open_group{put_columns(dev, &w, tree, cols, n_columns), place_of(dev, tree)};
    const span<const group_node> nodes = w.take(&o.nodes, most);
    list_nodes(&o, out, dev, tree, cols, n, witness);
    *n_out = o.n;
    if (!o.n_on_device) return PR_OK;
    w.keep<group_node>(most, o.n_on_device);
    uint32_t result;
    PR_TRY(results->take(&result, out + o.n - o.n_on_device, 8 * o.n_on_device, err));
    for (group_node *node = o.nodes; node < o.nodes + o.n_on_device; node++, result += 8) {
        node->result = result;
        count_moved(dev, 8 + node_reads(group->tree, tree, n_columns, node->name));
    }
    PR_TRY(w.send(err));
    return launch_open(dev, groups, nodes, o.n_on_device, results->all(), err);
}

pr_status merkle_open(device *dev, result_list *results, pr_hash *out, size_t *n_out, size_t capacity,
                      const pr_merkle *tree, const pr_col *cols, size_t n, const uint32_t *positions,
                      size_t n_positions, pr_error *err) {
    pr_merkle_witness witness;
    *n_out = 0;
    if (n == 0) return PR_OK;
    PR_ASSERT(tree->log_skip <= log_max_skipped);
    if (is_far(dev, cols[0])) PR_TRY(wait_for_work(dev->stream, "waiting for far columns", err));
    pr_merkle_witness_init(&witness, tree->height, positions, n_positions);
    for (size_t more = 1; more; *n_out += more)
        PR_TRY(open_some(dev, results, out + *n_out, &more, capacity - *n_out, tree, cols, n, &witness, err));
    return PR_OK;
}

/* ---- of several trees ---- */

static bool has_hashes(const device *dev, const pr_opening *o) { return o->n && !is_far(dev, o->sorted[0]); }

static size_t count_hashes(const pr_opening *o) {
    pr_merkle_witness witness;
    size_t n = 0;
    pr_merkle_witness_init(&witness, o->tree->height, o->leaves, o->n_leaves);
    while (pr_merkle_witness_next(&witness)) n++;
    PR_ASSERT(n <= o->max_hashes && o->tree->log_skip <= log_max_skipped);
    return n;
}

static group_node *put_nodes(group_node *at, device *dev, const tree_place &tree, const pr_opening *o, uint32_t group,
                             uint32_t result) {
    pr_merkle_witness witness;
    pr_merkle_witness_init(&witness, o->tree->height, o->leaves, o->n_leaves);
    for (; pr_merkle_witness_next(&witness); result += 8) {
        *at = group_node{group, result, node_name{witness.level, witness.index}};
        count_moved(dev, 8 + node_reads(tree, o->tree, o->n, at++->name));
    }
    return at;
}

pr_status open_near(device *dev, result_list *results, bool *is_done, pr_opening *list, size_t n, pr_error *err) {
    size_t n_groups = 0, n_nodes = 0, bytes = 0;
    table_writer w(dev);
    open_group *group;
    group_node *node;
    for (pr_opening *o = list; o < list + n; o++) {
        o->n_hashes = 0;
        if (!has_hashes(dev, o)) continue;
        o->n_hashes = count_hashes(o);
        n_groups++, n_nodes += o->n_hashes, bytes += table_size<pr_col>(o->n);
    }
    bytes += table_size<open_group>(n_groups) + table_size<group_node>(n_nodes);
    PR_TRY(results->reserve(is_done, n_groups, 8 * n_nodes, err));
    *is_done &= bytes <= dev->tables.bytes;
    if (!*is_done || !n_nodes) return PR_OK;
    PR_TRY(w.begin(bytes, err));
    const span<const open_group> groups = w.take(&group, n_groups);
    const span<const group_node> nodes = w.take(&node, n_nodes);
    uint32_t k = 0;
    for (pr_opening *o = list; o < list + n; o++) {
        if (!has_hashes(dev, o)) continue;
        uint32_t result;
        PR_TRY(results->take(&result, o->hashes, 8 * o->n_hashes, err));
        group[k] = open_group{put_columns(dev, &w, o->tree, o->sorted, o->n), place_of(dev, o->tree)};
        node = put_nodes(node, dev, group[k].tree, o, k, result);
        k++;
    }
    PR_TRY(w.send(err));
    return launch_open(dev, groups, nodes, n_nodes, results->all(), err);
}

} // namespace PR_GPU
