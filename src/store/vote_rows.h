/* Rows about the consensus of a run: what its records (consensus/consensus.h) say, a column a field, and where their
 * bytes lie in /signed, for whoever checks the signatures. They are of one run: merged files have none. */
#ifndef PR_STORE_VOTE_ROWS_H
#define PR_STORE_VOTE_ROWS_H
#include "store/record.h"

#define PR_RECORD_MAX_SIGNED ((size_t)1 << 26)

typedef struct pr_validator_row {
    char id[24]; /* index in the order of registration, from 0 */
    char public_key[65];
    uint64_t stake, registered_ns;
    uint32_t removal; /* pr_removal */
    uint64_t removed_ns;
    uint32_t sessions_away;
    uint64_t away_sets; /* pr_validator.away */
} pr_validator_row;

typedef struct pr_vote_row {
    char id[128]; /* of the job; the hex digits of its name where no row says which job that is */
    uint32_t attempt;
    uint64_t view;
    uint32_t signer, prover;
    uint32_t verdict, reason; /* pr_vote_verdict, pr_vote_reason */
    char statement_digest[65], proof_hash[65];
    uint32_t attestation, attestation_verified;
    uint64_t time_ns, offset, length;
} pr_vote_row;

typedef struct pr_certificate_row {
    char id[128];
    uint32_t attempt;
    uint64_t view;
    uint32_t prover, n_validators, n_votes, n_absent, n_removed;
    char statement_digest[65], proof_hash[65];
    uint64_t time_ns, offset, length;
} pr_certificate_row;

typedef struct pr_view_row {
    char id[24]; /* the view */
    char reason[24];
    uint32_t leader, n_validators, n_removed, n_signers;
    uint64_t time_ns, offset, length;
} pr_view_row;

typedef struct pr_evidence_row {
    char id[128];
    uint32_t kind, offender; /* kind: pr_evidence_kind */
    uint32_t attempt;
    char proof_hash[65];
    uint64_t time_ns, offset, length;
} pr_evidence_row;

typedef struct pr_round_row { /* a round that ended */
    char id[128];
    uint32_t attempt, outcome; /* pr_round_outcome */
    uint64_t view;
    uint32_t prover;
    char statement_digest[65], proof_hash[65];
    uint64_t announced_ns, decided_ns; /* as rank 0 wrote it down; announced_ns 0: not known */
} pr_round_row;

typedef struct pr_batch_row {
    char id[65]; /* the root */
    uint64_t leaves;
    uint32_t n_validators, n_removed, n_signers;
    uint64_t time_ns, offset, length;
} pr_batch_row;

extern const pr_row_spec pr_validator_row_spec, pr_vote_row_spec, pr_certificate_row_spec, pr_view_row_spec,
    pr_evidence_row_spec, pr_round_row_spec, pr_batch_row_spec;

typedef enum pr_vote_table {
    PR_VOTES_VALIDATORS,
    PR_VOTES_VOTES,
    PR_VOTES_CERTIFICATES,
    PR_VOTES_VIEWS,
    PR_VOTES_EVIDENCE,
    PR_VOTES_ROUNDS, /* /consensus */
    PR_VOTES_BATCHES,
    PR_VOTES_TABLES
} pr_vote_table;
#endif
