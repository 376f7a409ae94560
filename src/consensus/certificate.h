/* Certificates: what an auditor needs to believe an approval, with the validators' public keys and stakes, the run's
 * seed and the committee's size, and nothing else.
 *
 *   u8 version = 1 | u8 kind = 16 | run 32 | u64 view | u32 n_validators | subject 104
 *   | u32 n_removed | u32 index each, ascending                      (excluded for proven fraud)
 *   | u32 n_absent  | each, ascending: u32 index, u32 n, n x (u32 signer ascending, signature 64)
 *   | u32 n_votes   | each, by ascending signer: u32 signer, attestation, signature 64
 *
 * It holds when
 *   - every validator it calls removed is one the auditor knows as removed (from evidence that it has checked);
 *   - every absence is signed by more than 2/3 of the stake of the n_validators first that are not removed, and the
 *     absent ones have less than 1/3 of that stake together;
 *   - with removed and absent excluded, the committee drawn for the job has votes to approve, from members and rightly
 *     signed, of strictly more than 2/3 of its stake.
 * A certificate that holds goes on to hold when more is found out about anybody later. */
#ifndef PR_CONSENSUS_CERTIFICATE_H
#define PR_CONSENSUS_CERTIFICATE_H
#include "consensus/committee.h"
#include "consensus/message.h"

/* What is fixed for a run. */
typedef struct pr_consensus_terms {
    pr_hash run;             /* the run's id, as a digest */
    pr_hash seed;            /* of committees: nobody's choice, e.g. a hash over every rank's random contribution */
    uint32_t committee_size; /* 0: nobody votes */
} pr_consensus_terms;

typedef struct pr_certificate {
    pr_hash run;
    uint64_t view;
    uint32_t n_validators;
    pr_subject subject;
    uint32_t n_removed, n_absent, n_votes; /* how many of each it names */
    uint64_t approving, committee;         /* stake; filled by check, 0 after decode */
} pr_certificate;

/* Its shape and its head, no signature checked. */
PR_MUST_CHECK pr_status pr_certificate_decode(pr_certificate *out, const uint8_t *data, size_t size, pr_error *err);
/* Everything above. PR_ERR_MALFORMED: no certificate; PR_ERR_REFUSED: one that does not hold, and why. registry has
 * every validator of the run, with those marked removed whose evidence holds. */
PR_MUST_CHECK pr_status pr_certificate_check(pr_certificate *out, const uint8_t *data, size_t size,
                                             const pr_consensus_terms *terms, const pr_registry *registry,
                                             const pr_crypto *crypto, pr_error *err);

/* Writing one, in the order of the fields above. */
typedef struct pr_certificate_head {
    pr_hash run;
    uint64_t view;
    uint32_t n_validators;
    const pr_subject *subject;
} pr_certificate_head;
void pr_certificate_write_head(pr_writer *w, const pr_certificate_head *head);
void pr_certificate_write_vote(pr_writer *w, const pr_message *vote);
#endif
