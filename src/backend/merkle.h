/* What every backend's trees share: where a node lies and which nodes a decommitment lists. protocol.md section 5. */
#ifndef PR_BACKEND_MERKLE_H
#define PR_BACKEND_MERKLE_H
#include "backend/backend.h"

/* Lowest level that is stored: nodes of levels 0 .. this one lie in the arena. */
static inline uint32_t pr_merkle_stored_height(const pr_merkle *tree) { return tree->height - tree->log_skip; }
/* Word offset in the device arena of a node of a stored level. */
static inline size_t pr_merkle_node_offset(const pr_merkle *tree, uint32_t level, size_t index) {
    return tree->offset + 8 * (((size_t)1 << level) + index);
}
/* log2 of the rows that columns are lifted to: packed leaves hold four rows each. */
static inline uint32_t pr_merkle_log_rows(const pr_merkle *tree) { return tree->height + (tree->packed ? 2 : 0); }

/* One hash of a decommitment: node index of level (level 0 is the root, level height the leaves). */
typedef struct pr_merkle_node {
    uint32_t level, index;
} pr_merkle_node;

/* The nodes whose hashes open positions (leaves, sorted, distinct), in the order a decommitment lists them: from the
 * leaves up, left to right. known is working memory for n_positions indices. Returns their number; at most
 * n_positions * height, asserted to fit capacity. */
size_t pr_merkle_witness(pr_merkle_node *out, size_t capacity, uint32_t height, const uint32_t *positions,
                         size_t n_positions, uint32_t *known);
#endif
