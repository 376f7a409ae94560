/* The seed of committees, which no rank may choose: every rank draws a lot and seals it (a digest) in HELLO; rank 0
 * sends a digest of all seals with the manifest, and only then the lots are opened, in READY. The roster shows all
 * lots, and each rank checks them against the seals. So rank 0, which sees the lots first, has fixed its own before it
 * saw any. A lot that is not opened counts as zeros: by falling silent a rank can choose between two seeds, by nothing
 * else. */
#ifndef PR_CLUSTER_LOTS_H
#define PR_CLUSTER_LOTS_H
#include "hash/blake2s.h"

pr_hash pr_lot_seal(const pr_hash *lot); /* D("proverun lot 1", lot) */
/* D("proverun lots 1", all seals by rank). seals: [n * 32] */
pr_hash pr_lots_seal(const uint8_t *seals, uint32_t n);
/* D("proverun seed 1", run's name, all lots by rank). lots: [n * 32] */
pr_hash pr_lots_draw(const pr_hash *run, const uint8_t *lots, uint32_t n);
/* The lots that are opened are those that were sealed, and the seals those that sealed_lots is of. */
bool pr_lots_are_right(const pr_hash *sealed_lots, const uint8_t *seals, const uint8_t *lots, uint32_t n);
#endif
