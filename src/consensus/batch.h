/* The outcomes of a whole run under one root, and the quorum's signatures on it.
 *
 *   leaf  = D("proverun batch leaf 1", job 32 | statement 32 | proof_hash 32 | u8 outcome)
 *   node  = D("proverun batch node 1", left 32 | right 32); the last of an odd level goes up as it is
 *   root  = D("proverun batch root 1", u64 leaves | top 32)
 *
 * Leaves are sorted by job, strictly ascending, so a job has one place. Inclusion proof:
 *   u8 version = 1 | u64 leaves | u64 index | job 32 | statement 32 | proof_hash 32 | u8 outcome | u8 depth | 32 each
 * with a sibling for every level on which there is one, from below. A batch certificate:
 *   u8 version = 1 | u8 kind = 19 | run 32 | u32 n_validators | root 32 | u64 leaves | signatures.h's list over BATCH
 */
#ifndef PR_CONSENSUS_BATCH_H
#define PR_CONSENSUS_BATCH_H
#include "consensus/outcome.h"
#include "consensus/signatures.h"

typedef struct pr_batch_leaf {
    pr_hash job, statement, proof_hash; /* proof_hash zero where the job has none */
    pr_round_outcome outcome;
} pr_batch_leaf;

/* leaves: [n], n > 0. PR_ERR_USAGE when they are not sorted, PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_batch_root(pr_hash *root, const pr_batch_leaf *leaves, size_t n, pr_error *err);
/* Writes the inclusion proof of leaves[index]. */
PR_MUST_CHECK pr_status pr_batch_prove(pr_writer *w, const pr_batch_leaf *leaves, size_t n, size_t index,
                                       pr_error *err);
/* The leaf that the proof shows to be under root. PR_ERR_MALFORMED; PR_ERR_REFUSED: under another root. */
PR_MUST_CHECK pr_status pr_batch_check(pr_batch_leaf *leaf, const uint8_t *proof, size_t size, const pr_hash *root,
                                       pr_error *err);

/* signatures: [registry->n][64] of BATCH messages with this root. */
void pr_batch_certificate_write(pr_writer *w, const pr_hash *run, const pr_hash *root, uint64_t n_leaves,
                                const pr_registry *registry, const pr_validator_set *signers,
                                const uint8_t (*signatures)[PR_SIGNATURE_BYTES]);
/* registry NULL: the shape alone. PR_ERR_MALFORMED or PR_ERR_REFUSED, and why. */
PR_MUST_CHECK pr_status pr_batch_certificate_check(pr_hash *root, uint64_t *n_leaves, const uint8_t *data, size_t size,
                                                   const pr_hash *run, const pr_registry *registry,
                                                   const pr_crypto *crypto, pr_error *err);
#endif
