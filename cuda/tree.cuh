/* Nodes of a Merkle tree, protocol.md section 5, and how a block of threads climbs from nodes to their common root. */
#ifndef PR_CUDA_TREE_CUH
#define PR_CUDA_TREE_CUH
#include "cuda/device.cuh"
#include "cuda/hash.cuh"

namespace PR_GPU {

struct tree_place {
    words nodes; /* [2 << stored height][8] */
    uint32_t height, stored_height;
};

inline tree_place place_of(const device *dev, const pr_merkle *tree) {
    const uint32_t stored = pr_merkle_stored_height(tree);
    return tree_place{view_of(dev->memory + tree->offset, (size_t)16 << stored), tree->height, stored};
}

/* Words that nodes of levels first .. last take, where they are stored: what is written by climbing from last to first.
 */
inline size_t node_words(uint32_t stored_height, uint32_t first, uint32_t last) {
    const uint32_t end = last < stored_height ? last : stored_height;
    return end < first ? 0 : 8 * (((size_t)2 << end) - ((size_t)1 << first));
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
/* The parent of nodes 2i and 2i + 1 of a stored level. */
PR_DEVICE void hash_stored_pair(uint32_t h[8], const tree_place &t, uint32_t level, uint32_t i) {
    uint32_t m[16];
    ld_node(m, t, level, 2 * i);
    ld_node(m + 8, t, level, 2 * i + 1);
    hash_block(h, m, 64);
}

/* From 2^left nodes, one a thread i in h, to their parents, in the lower threads. Word k of node i is word (k << LOG) +
 * i of the block's shared memory. */
template <unsigned LOG> PR_DEVICE void climb_level(const words &nodes, unsigned left, uint32_t i, uint32_t h[8]) {
#pragma unroll
    for (uint32_t k = 0; k < 8; k++)
        if (i < 1u << left) st(nodes, (k << LOG) + i, h[k]);
    __syncthreads();
    if (i < 1u << (left - 1)) {
        uint32_t m[16];
#pragma unroll
        for (uint32_t k = 0; k < 8; k++) {
            m[k] = ld(nodes, (k << LOG) + 2 * i);
            m[8 + k] = ld(nodes, (k << LOG) + 2 * i + 1);
        }
        hash_block(h, m, 64);
    }
    __syncthreads();
}

/* The block has 2^log_count nodes of a level, at most 2^LOG, one a thread, in h: climbs until one is left, in thread 0,
 * storing what is to be. */
template <unsigned LOG>
PR_DEVICE void climb(const tree_place &t, uint32_t level, uint32_t block, unsigned log_count, uint32_t h[8]) {
    PR_SHARED(uint32_t, nodes, 8 << LOG);
    const uint32_t i = threadIdx.x;
    for (unsigned left = log_count;; left--, level--) {
        if (i < 1u << left && level <= t.stored_height) st_node(t, level, (block << left) + i, h);
        if (left == 0) return;
        climb_level<LOG>(nodes, left, i, h);
    }
}

} // namespace PR_GPU
#endif
