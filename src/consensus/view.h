/* View certificates: more than 2/3 of the stake wants the view.
 *   u8 version = 1 | u8 kind = 17 | run 32 | u64 view | u32 n_validators | signatures.h's list over VIEW_CHANGE */
#ifndef PR_CONSENSUS_VIEW_H
#define PR_CONSENSUS_VIEW_H
#include "consensus/signatures.h"

void pr_view_certificate_write(pr_writer *w, const pr_hash *run, uint64_t view, const pr_registry *registry,
                               const pr_validator_set *signers, const uint8_t (*signatures)[PR_SIGNATURE_BYTES]);
/* registry NULL: the shape alone. PR_ERR_MALFORMED or PR_ERR_REFUSED, and why. */
PR_MUST_CHECK pr_status pr_view_certificate_check(uint64_t *view, const uint8_t *data, size_t size, const pr_hash *run,
                                                  const pr_registry *registry, const pr_crypto *crypto, pr_error *err);
/* Who leads when the view begins: pr_leader_of_view among those that the certificate does not leave out. Of one that
 * has passed the check; PR_NO_VALIDATOR when it leaves out everybody. */
uint32_t pr_view_certificate_leader(const uint8_t *data, size_t size);
#endif
