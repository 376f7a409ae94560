#include "backend/merkle.h"

void pr_merkle_witness_init(pr_merkle_witness *w, uint32_t height, const uint32_t *positions, size_t n) {
    *w = (pr_merkle_witness){.level = height, .height = height, .positions = positions, .n = n};
}

bool pr_merkle_witness_next(pr_merkle_witness *w) {
    for (; w->level > 0; w->level--, w->at = 0) {
        const uint32_t shift = w->height - w->level;
        while (w->at < w->n) {
            /* Known nodes of this level are the distinct positions >> shift; siblings stand side by side. */
            uint32_t node = w->positions[w->at] >> shift, parent = node >> 1;
            bool both = false;
            for (; w->at < w->n && w->positions[w->at] >> shift >> 1 == parent; w->at++)
                both |= w->positions[w->at] >> shift != node;
            if (!both) {
                w->index = node ^ 1;
                return true;
            }
        }
    }
    return false;
}
