#include "backend/merkle.h"

#include <string.h>

/* Lists the siblings of one level that are not known; known becomes the parents. Returns the number of parents. */
static size_t climb(pr_merkle_node *out, size_t capacity, size_t *n_out, uint32_t level, uint32_t *known, size_t n) {
    size_t n_parents = 0;
    for (size_t i = 0; i < n; n_parents++) {
        bool both = i + 1 < n && known[i + 1] == (known[i] ^ 1);
        if (!both) {
            PR_ASSERT(*n_out < capacity);
            out[(*n_out)++] = (pr_merkle_node){level, known[i] ^ 1};
        }
        known[n_parents] = known[i] >> 1;
        i += both ? 2 : 1;
    }
    return n_parents;
}

size_t pr_merkle_witness(pr_merkle_node *out, size_t capacity, uint32_t height, const uint32_t *positions,
                         size_t n_positions, uint32_t *known) {
    size_t n_out = 0, n = n_positions;
    memcpy(known, positions, n * sizeof *known);
    for (uint32_t level = height; level > 0; level--) n = climb(out, capacity, &n_out, level, known, n);
    return n_out;
}
