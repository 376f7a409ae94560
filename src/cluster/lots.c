#include "cluster/lots.h"
#include <string.h>

static pr_hash digest(const char *domain, const pr_hash *first, const uint8_t *rest, uint32_t n) {
    pr_blake2s state;
    pr_blake2s_init_domain(&state, domain);
    if (first) pr_blake2s_update(&state, first->bytes, sizeof first->bytes);
    pr_blake2s_update(&state, rest, (size_t)n * sizeof(pr_hash));
    return pr_blake2s_final(&state);
}

pr_hash pr_lot_seal(const pr_hash *lot) { return digest("proverun lot 1", NULL, lot->bytes, 1); }

pr_hash pr_lots_seal(const uint8_t *seals, uint32_t n) { return digest("proverun lots 1", NULL, seals, n); }

pr_hash pr_lots_draw(const pr_hash *run, const uint8_t *lots, uint32_t n) {
    return digest("proverun seed 1", run, lots, n);
}

bool pr_lots_are_right(const pr_hash *sealed_lots, const uint8_t *seals, const uint8_t *lots, uint32_t n) {
    static const pr_hash zeros;
    pr_hash all = pr_lots_seal(seals, n);
    if (!pr_hash_equal(&all, sealed_lots)) return false;
    for (uint32_t i = 0; i < n; i++) {
        pr_hash lot;
        memcpy(lot.bytes, lots + (size_t)i * sizeof lot, sizeof lot);
        pr_hash seal = pr_lot_seal(&lot);
        if (!pr_hash_equal(&lot, &zeros) && memcmp(seal.bytes, seals + (size_t)i * sizeof seal, sizeof seal) != 0)
            return false;
    }
    return true;
}
