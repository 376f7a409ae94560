/* Many validators' signatures on one and the same message, as view and batch certificates have them:
 *   u32 n_removed | u32 index each, ascending | u32 n | each, by ascending signer: u32 signer, signature 64
 * Enough of them is strictly more than 2/3 of the stake of the validators that are not removed. */
#ifndef PR_CONSENSUS_SIGNATURES_H
#define PR_CONSENSUS_SIGNATURES_H
#include "consensus/message.h"

/* signatures: [registry->n][64], those of the set's members count. The removed ones are the registry's. */
void pr_signatures_write(pr_writer *w, const pr_registry *registry, const pr_validator_set *signers,
                         const uint8_t (*signatures)[PR_SIGNATURE_BYTES]);
/* Reads to the reader's end. message: what each of them signed, but for signer and signature, which are overwritten.
 * registry NULL: the shape alone. PR_ERR_MALFORMED, or PR_ERR_REFUSED with what is wrong. */
PR_MUST_CHECK pr_status pr_signatures_check(pr_reader *r, pr_message *message, const pr_registry *registry,
                                            const pr_crypto *crypto, pr_error *err);
#endif
