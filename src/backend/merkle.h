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

/* Walks the nodes whose hashes open some leaves, in the order a decommitment lists them: from the leaves up, left to
 * right; of each level the siblings of known nodes that are not known themselves. Needs no memory of its own.
 *
 *   pr_merkle_witness w;
 *   pr_merkle_witness_init(&w, tree->height, positions, n);
 *   while (pr_merkle_witness_next(&w)) use(w.level, w.index);
 */
typedef struct pr_merkle_witness {
    uint32_t level, index; /* of the node at hand: level 0 is the root, level height the leaves */
    uint32_t height;
    const uint32_t *positions; /* borrowed: leaves, sorted, distinct */
    size_t n, at;
} pr_merkle_witness;

void pr_merkle_witness_init(pr_merkle_witness *w, uint32_t height, const uint32_t *positions, size_t n);
/* false when there is none left. */
bool pr_merkle_witness_next(pr_merkle_witness *w);
#endif
