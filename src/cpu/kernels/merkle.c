/* Merkle trees, protocol.md section 5. Hashes are computed LANE_WIDTH at a time and kept word by word: word k of node i
 * of a level under construction is nodes[k * stride + i]. A thread takes a subtree of 2^LOG_SUBTREE leaves, whose
 * hashes stay in its memory: it reads sixteen columns at a time, all rows of the subtree, then climbs. Only the levels
 * that the tree stores leave it, node by node. */
#include <string.h>

#include "backend/merkle.h"
#include "cpu/ops.h"
#include "cpu/workspace.h"
#include "field/lane.h"
#include "hash/blake2s_lanes.h"

typedef struct leaves {
    pr_device *dev;
    const pr_merkle *tree;
    const pr_col *cols;
    size_t n;
} leaves;

/* Up to sixteen columns: a block of each leaf's message. */
typedef struct message_block {
    const uint32_t *cols[16];
    unsigned log_ratio[16]; /* how far each is lifted */
    unsigned n;
    bool is_lifted; /* any of them */
} message_block;

/* log_rows: what the columns are lifted to. */
static message_block columns_from(const leaves *l, size_t first, uint32_t log_rows) {
    message_block b = {.n = (unsigned)(l->n - first < 16 ? l->n - first : 16)};
    for (unsigned k = 0; k < b.n; k++) {
        pr_col col = l->cols[first + k];
        PR_ASSERT(col.log_rows >= 1 && col.log_rows <= log_rows);
        b.cols[k] = pr_cpu_col(l->dev, col);
        b.log_ratio[k] = log_rows - col.log_rows;
        b.is_lifted |= b.log_ratio[k] != 0;
    }
    return b;
}

/* How many lanes of hashes are made at once where count are left. */
static inline size_t lanes_at_once(size_t count) {
    return count < PR_BLAKE2S_ABREAST * LANE_WIDTH ? 1 : PR_BLAKE2S_ABREAST;
}

/* n lanes, as many as lanes_at_once says. */
static inline void compress(lane (*h)[8], lane (*m)[16], size_t n, uint64_t total, uint32_t last) {
    if (n == PR_BLAKE2S_ABREAST)
        pr_blake2s_lanes_compress_abreast(h, (const lane(*)[16])m, total, last);
    else
        pr_blake2s_lanes_compress(h[0], m[0], total, last);
}

static inline void load_nodes(lane h[8], const uint32_t *nodes, size_t stride) {
    for (size_t k = 0; k < 8; k++) h[k] = lane_load(nodes + k * stride);
}
static inline void store_nodes(uint32_t *nodes, size_t stride, const lane h[8]) {
    for (size_t k = 0; k < 8; k++) lane_store(nodes + k * stride, h[k]);
}

/* Of whole messages, one block each. */
static inline void hash_messages(uint32_t *nodes, size_t stride, lane (*m)[16], size_t n) {
    lane h[PR_BLAKE2S_ABREAST][8];
    for (size_t j = 0; j < n; j++) pr_blake2s_lanes_init(h[j]);
    compress(h, m, n, 64, PR_BLAKE2S_LAST);
    for (size_t j = 0; j < n; j++) store_nodes(nodes + j * LANE_WIDTH, stride, h[j]);
}

static inline void read_message(lane m[16], const message_block *b, size_t row) {
    if (b->n == 16 && !b->is_lifted) {
        for (unsigned k = 0; k < 16; k++) m[k] = lane_load(b->cols[k] + row);
        return;
    }
    for (unsigned k = 0; k < b->n; k++) m[k] = lane_load_lifted(b->cols[k], b->log_ratio[k], row);
    for (unsigned k = b->n; k < 16; k++) m[k] = lane_set1(0);
}

/* Asks for the cache lines that begin with the rows whose hashes are made at once. */
static inline void fetch_message(const message_block *b, size_t row) {
    if (b->is_lifted || row % 16 != 0) return;
    for (unsigned k = 0; k < b->n; k++)
        for (size_t i = 0; i < PR_BLAKE2S_ABREAST * LANE_WIDTH; i += 16) __builtin_prefetch(b->cols[k] + row + i, 0, 3);
}

/* How many times the leaves of a run of count may be halved before fewer than a lane's width are left, or a pair. */
static uint32_t log_most_merged(size_t count) {
    uint32_t n = 0;
    while (count >> n > (LANE_WIDTH > 2 ? LANE_WIDTH : 2)) n++;
    return n;
}

/* By how much leaves may be merged in block c and those before it: the columns there have so many rows fewer. */
static uint32_t log_merged(const leaves *l, size_t c, uint32_t merged) {
    for (size_t k = c; k < c + 16 && k < l->n; k++) {
        const uint32_t lifted = pr_merkle_log_rows(l->tree) - l->cols[k].log_rows;
        if (lifted < merged) merged = lifted;
    }
    return merged;
}

/* From one state for 2^log_from leaves to one for 2^log_to of them, n states: each pair of neighbours again and again,
 * as columns are lifted. */
static void spread_states(uint32_t *nodes, size_t stride, size_t n, uint32_t log_from, uint32_t log_to) {
    if (log_from == log_to) return;
    for (size_t k = 0; k < 8; k++)
        for (size_t i = n; i-- > 0;)
            nodes[k * stride + i] = nodes[k * stride + pr_slot_lift(log_to, log_from, (uint32_t)i)];
}

/* Leaves first .. first + count - 1 of columns that are read one word a leaf. Columns come by size, so the leaves that
 * read the same rows of the columns so far share one state until a larger column parts them: what small columns cost
 * follows their own rows. */
static void hash_plain_leaves(uint32_t *nodes, size_t stride, const leaves *l, size_t first, size_t count) {
    uint32_t before = log_merged(l, 0, log_most_merged(count)), merged = before;
    for (size_t c = 0; c < l->n; c += 16, before = merged) {
        merged = log_merged(l, c, before);
        const message_block b = columns_from(l, c, pr_merkle_log_rows(l->tree) - merged);
        const bool last = c + 16 >= l->n;
        /* What is hashed after this block: memory is slow to notice that sixteen columns move on. */
        const message_block next = columns_from(l, last ? 0 : c + 16, pr_merkle_log_rows(l->tree));
        const size_t next_first = first + (last ? count : 0);
        const uint64_t total = 4 * (last ? l->n : c + 16);
        if (c) spread_states(nodes, stride, count >> merged, before, merged);
        for (size_t i = 0, n; i < count >> merged; i += n * LANE_WIDTH) {
            lane h[PR_BLAKE2S_ABREAST][8], m[PR_BLAKE2S_ABREAST][16];
            n = lanes_at_once((count >> merged) - i);
            for (size_t j = 0; j < n; j++) {
                if (c == 0)
                    pr_blake2s_lanes_init(h[j]);
                else
                    load_nodes(h[j], nodes + i + j * LANE_WIDTH, stride);
                read_message(m[j], &b, (first >> merged) + i + j * LANE_WIDTH);
            }
            fetch_message(&next, next_first + i);
            compress(h, m, n, total, last ? PR_BLAKE2S_LAST : PR_BLAKE2S_MORE);
            for (size_t j = 0; j < n; j++) store_nodes(nodes + i + j * LANE_WIDTH, stride, h[j]);
        }
    }
    spread_states(nodes, stride, count, merged, 0);
}

/* Four rows of four columns a leaf: row by row, each row's four words. */
static inline void read_packed_message(lane m[16], const leaves *l, size_t leaf) {
    for (size_t c = 0; c < 4; c++) {
        const uint32_t *p = pr_cpu_col(l->dev, l->cols[c]) + 4 * leaf;
        lane e0, e1, o0, o1;
        lane_deinterleave(&e0, &o0, lane_load(p), lane_load(p + LANE_WIDTH));
        lane_deinterleave(&e1, &o1, lane_load(p + 2 * LANE_WIDTH), lane_load(p + 3 * LANE_WIDTH));
#if LANE_WIDTH == 1
        m[c] = e0, m[4 + c] = o0, m[8 + c] = e1, m[12 + c] = o1;
#else
        lane_deinterleave(&m[c], &m[8 + c], e0, e1);
        lane_deinterleave(&m[4 + c], &m[12 + c], o0, o1);
#endif
    }
}

static void hash_packed_leaves(uint32_t *nodes, size_t stride, const leaves *l, size_t first, size_t count) {
    for (size_t i = 0, n; i < count; i += n * LANE_WIDTH) {
        lane m[PR_BLAKE2S_ABREAST][16];
        n = lanes_at_once(count - i);
        for (size_t j = 0; j < n; j++) read_packed_message(m[j], l, first + i + j * LANE_WIDTH);
        hash_messages(nodes + i, stride, m, n);
    }
}

static void hash_leaves(uint32_t *nodes, size_t stride, const leaves *l, size_t first, size_t count) {
    if (l->tree->packed)
        hash_packed_leaves(nodes, stride, l, first, count);
    else
        hash_plain_leaves(nodes, stride, l, first, count);
}

/* The messages of a lane of parents. */
static inline void read_children(lane m[16], const uint32_t *children, size_t stride) {
    for (size_t k = 0; k < 8; k++) {
        const uint32_t *p = children + k * stride;
#if LANE_WIDTH == 1
        m[k] = p[0], m[8 + k] = p[1];
#else
        lane_deinterleave(&m[k], &m[8 + k], lane_load(p), lane_load(p + LANE_WIDTH));
#endif
    }
}

/* count parents in place of their children. */
static void hash_parents(uint32_t *nodes, size_t stride, size_t count) {
    for (size_t i = 0, n; i < count; i += n * LANE_WIDTH) {
        lane m[PR_BLAKE2S_ABREAST][16];
        n = lanes_at_once(count - i);
        for (size_t j = 0; j < n; j++) read_children(m[j], nodes + 2 * (i + j * LANE_WIDTH), stride);
        hash_messages(nodes + i, stride, m, n);
    }
}

static void write_level(const leaves *l, uint32_t level, size_t first, const uint32_t *nodes, size_t stride,
                        size_t count) {
    uint32_t *out = l->dev->base + pr_merkle_node_offset(l->tree, level, first);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 8; k++) out[8 * i + k] = nodes[k * stride + i];
}

/* Words from one run of hashes to the next: room for the partial lanes of small levels, and for large ones a distance
 * that spreads the eight runs over the cache's sets. */
static size_t stride_of(unsigned log_leaves) {
    size_t count = (size_t)1 << log_leaves;
    return count < 2 * LANE_WIDTH ? 2 * LANE_WIDTH : count + PR_CPU_HASH_SPREAD;
}

/* The subtree number index of 2^log_leaves leaves (whole lanes, or all there are). */
static void hash_subtree(const leaves *l, size_t index, unsigned log_leaves, uint32_t *nodes) {
    const size_t stride = stride_of(log_leaves);
    hash_leaves(nodes, stride, l, index << log_leaves, (size_t)1 << log_leaves);
    for (unsigned k = 0;; k++) {
        const uint32_t level = l->tree->height - k;
        const size_t count = (size_t)1 << (log_leaves - k);
        if (level <= pr_merkle_stored_height(l->tree))
            write_level(l, level, index << (log_leaves - k), nodes, stride, count);
        if (k == log_leaves) return;
        hash_parents(nodes, stride, count / 2);
    }
}

/* LANE_WIDTH parents (fewer at the top) from stored children, which are their messages as they lie. */
static void hash_stored_parents(const leaves *l, uint32_t level, size_t first) {
    const size_t left = ((size_t)1 << level) - first, count = left < LANE_WIDTH ? left : LANE_WIDTH;
    const uint32_t *children = l->dev->base + pr_merkle_node_offset(l->tree, level + 1, 2 * first);
    uint32_t words[16][LANE_WIDTH] = {0}, nodes[8][LANE_WIDTH];
    lane m[PR_BLAKE2S_ABREAST][16];
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 16; k++) words[k][i] = children[16 * i + k];
    for (size_t k = 0; k < 16; k++) m[0][k] = lane_load(words[k]);
    hash_messages(nodes[0], LANE_WIDTH, m, 1);
    write_level(l, level, first, nodes[0], LANE_WIDTH, count);
}

static pr_hash hash_of(const uint32_t *words, size_t stride) {
    pr_hash r;
    for (size_t k = 0; k < 8; k++) memcpy(r.bytes + 4 * k, words + k * stride, 4);
    return r;
}

/* Threads share the subtrees, then level by level what is above them. Called by each thread. */
static void build(const leaves *l, unsigned log_leaves) {
    const uint32_t top = l->tree->height - log_leaves;
    uint32_t *nodes = pr_cpu_thread_memory(l->dev, (unsigned)omp_get_thread_num());
#pragma omp for schedule(static)
    for (size_t i = 0; i < (size_t)1 << top; i++) hash_subtree(l, i, log_leaves, nodes);
    for (uint32_t level = top; level-- > 0;) {
#pragma omp for schedule(static)
        for (size_t i = 0; i < (size_t)1 << level; i += LANE_WIDTH) hash_stored_parents(l, level, i);
    }
}

pr_status PR_LANE_NAME(pr_cpu_merkle_commit)(pr_device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols,
                                             size_t n, pr_error *err) {
    (void)err;
    if (n == 0) {
        *root = pr_blake2s_hash("", 0);
        return PR_OK;
    }
    PR_ASSERT(!tree->packed || n == 4);
    const leaves l = {dev, tree, cols, n};
    const unsigned log_leaves = tree->height < PR_CPU_LOG_SUBTREE ? tree->height : PR_CPU_LOG_SUBTREE;
    const int threads = pr_cpu_threads_for(dev, (size_t)1 << (tree->height - log_leaves));
#pragma omp parallel num_threads(threads) if (threads > 1)
    build(&l, log_leaves);
    *root = hash_of(dev->base + pr_merkle_node_offset(tree, 0, 0), 1);
    return PR_OK;
}

/* ---- openings ---- */

#define LOG_GROUP 4 /* pr_merkle_log_skip's most: the subtrees that are not stored */
#define BLOCKS_WORTH_A_THREAD 64
#define MOST_GROUPS ((size_t)1 << (PR_CPU_LOG_SUBTREE - LOG_GROUP)) /* whose hashes fit a thread's memory */

/* Of the subtrees below the stored levels, those in which leaves are opened: some that follow each other. */
typedef struct groups {
    uint32_t index[MOST_GROUPS];
    size_t n;
} groups;

/* The distinct groups of sorted positions, the first `skipped` of them left out; returns how many there are. */
static size_t list_groups(groups *g, const pr_merkle *tree, const uint32_t *positions, size_t n_positions,
                          size_t skipped, size_t most) {
    size_t n = 0;
    g->n = 0;
    for (size_t i = 0; i < n_positions; i++) {
        const uint32_t group = positions[i] >> tree->log_skip;
        if (i && positions[i - 1] >> tree->log_skip == group) continue;
        if (n >= skipped && g->n < most) g->index[g->n++] = group;
        n++;
    }
    return n;
}

/* Hashes each group once, level by level, and takes of every level what the witness lists there. */
static void open_groups(pr_hash *out, const leaves *l, const groups *g, pr_merkle_witness *w, uint32_t *nodes) {
    const uint32_t stored = pr_merkle_stored_height(l->tree);
    const size_t stride = stride_of(PR_CPU_LOG_SUBTREE);
    for (size_t k = 0; k < g->n; k++)
        hash_leaves(nodes + (k << l->tree->log_skip), stride, l, (size_t)g->index[k] << l->tree->log_skip,
                    (size_t)1 << l->tree->log_skip);
    bool more = pr_merkle_witness_next(w);
    for (uint32_t level = l->tree->height; level > stored; level--) {
        const uint32_t log_nodes = level - stored;
        for (size_t k = 0; more && w->level == level; more = pr_merkle_witness_next(w), out++) {
            const uint32_t group = w->index >> log_nodes;
            while (k < g->n && g->index[k] < group) k++;
            if (k < g->n && g->index[k] == group)
                *out = hash_of(nodes + (k << log_nodes) + (w->index & ((1u << log_nodes) - 1)), stride);
        }
        hash_parents(nodes, stride, g->n << (log_nodes - 1));
    }
}

/* Threads share the groups; each finds by the same walk where its hashes go. */
static void open_below(pr_hash *out, const leaves *l, const uint32_t *positions, size_t n_positions) {
    groups g;
    PR_ASSERT(l->tree->log_skip <= LOG_GROUP);
    const size_t n = list_groups(&g, l->tree, positions, n_positions, 0, 0);
    const size_t blocks = n * ((l->n + 15) / 16); /* of messages, LANE_WIDTH or so at a time */
    const int threads = pr_cpu_threads_for(l->dev, blocks / BLOCKS_WORTH_A_THREAD);
    size_t share = (n + (size_t)threads - 1) / (size_t)threads;
    if (share > MOST_GROUPS) share = MOST_GROUPS;
#pragma omp parallel for num_threads(threads) schedule(static) private(g) if (threads > 1)
    for (size_t first = 0; first < n; first += share) {
        pr_merkle_witness w;
        list_groups(&g, l->tree, positions, n_positions, first, share);
        pr_merkle_witness_init(&w, l->tree->height, positions, n_positions);
        open_groups(out, l, &g, &w, pr_cpu_thread_memory(l->dev, (unsigned)omp_get_thread_num()));
    }
}

pr_status PR_LANE_NAME(pr_cpu_merkle_open)(pr_device *dev, pr_hash *out, size_t *n_out, size_t capacity,
                                           const pr_merkle *tree, const pr_col *cols, size_t n,
                                           const uint32_t *positions, size_t n_positions, pr_error *err) {
    (void)err;
    const leaves l = {dev, tree, cols, n};
    pr_merkle_witness w;
    *n_out = 0;
    if (n == 0) return PR_OK;
    pr_merkle_witness_init(&w, tree->height, positions, n_positions);
    while (pr_merkle_witness_next(&w)) {
        PR_ASSERT(*n_out < capacity);
        pr_hash *one = &out[(*n_out)++];
        if (w.level <= pr_merkle_stored_height(tree))
            *one = hash_of(dev->base + pr_merkle_node_offset(tree, w.level, w.index), 1);
    }
    open_below(out, &l, positions, n_positions);
    return PR_OK;
}
