/* The fields of rows about the consensus. */
#include "store/row_macros.h"
#include "store/vote_rows.h"

#define PR_PLACE(type_, what_)                                                                                         \
    PR_ROW(type_, U64, time_ns, "when rank 0 wrote it down, ns since 1970 UTC"),                                       \
        PR_ROW(type_, U64, offset, "first byte of " what_ " in /signed"),                                              \
        PR_ROW(type_, U64, length, "its bytes in /signed")
#define PR_SUBJECT_ID "job id; the hex digits of its name where no row says which job that is"

static const pr_field validator_fields[] = {
    PR_ROW(pr_validator_row, TEXT, id, "index in the order of registration, from 0"),
    PR_ROW(pr_validator_row, TEXT, public_key, "public key, 64 hex digits"),
    PR_ROW(pr_validator_row, U64, stake, "its stake, as registered"),
    PR_ROW(pr_validator_row, U64, registered_ns, "when it was registered, ns since 1970 UTC"),
    PR_ROW(pr_validator_row, REMOVAL, removal, "for which fraud it was removed; none: it was not"),
    PR_ROW(pr_validator_row, U64, removed_ns, "when it was removed, ns since 1970 UTC; 0: it was not"),
    PR_ROW(pr_validator_row, U32, sessions_away, "sessions of the run in which it was absent"),
    PR_ROW(pr_validator_row, U64, away_sets, "bit k: it is in set k of those absent from a session"),
};
PR_SPEC(pr_validator_row_spec, pr_validator_row, validator_fields);

static const pr_field vote_fields[] = {
    PR_ROW(pr_vote_row, TEXT, id, PR_SUBJECT_ID),
    PR_ROW(pr_vote_row, U32, attempt, "number of the attempt, from 1, over all sessions"),
    PR_ROW(pr_vote_row, U64, view, "view in which the vote was given"),
    PR_ROW(pr_vote_row, U32, signer, "row of /validators"),
    PR_ROW(pr_vote_row, U32, prover, "row of /validators: who made the proof"),
    PR_ROW(pr_vote_row, VERDICT, verdict, "approve or reject"),
    PR_ROW(pr_vote_row, VOTE_REASON, reason, "why it was rejected"),
    PR_ROW(pr_vote_row, TEXT, statement_digest, "digest bound by the proof's transcript"),
    PR_ROW(pr_vote_row, TEXT, proof_hash, "Blake2s of the proof's canonical encoding"),
    PR_ROW(pr_vote_row, ATTESTATION, attestation, "what vouches for the signer's machine"),
    PR_ROW(pr_vote_row, FLAG, attestation_verified, "whether the signer says that it has checked that itself"),
    PR_PLACE(pr_vote_row, "the signed vote"),
};
PR_SPEC(pr_vote_row_spec, pr_vote_row, vote_fields);

static const pr_field certificate_fields[] = {
    PR_ROW(pr_certificate_row, TEXT, id, PR_SUBJECT_ID),
    PR_ROW(pr_certificate_row, U32, attempt, "number of the attempt, from 1, over all sessions"),
    PR_ROW(pr_certificate_row, U64, view, "view of the round"),
    PR_ROW(pr_certificate_row, U32, prover, "row of /validators: who made the proof"),
    PR_ROW(pr_certificate_row, U32, n_validators, "validators registered then"),
    PR_ROW(pr_certificate_row, U32, n_votes, "votes to approve that it holds"),
    PR_ROW(pr_certificate_row, U32, n_absent, "members of the committee that were absent from the round"),
    PR_ROW(pr_certificate_row, U32, n_removed, "validators that were removed, or away, then"),
    PR_ROW(pr_certificate_row, TEXT, statement_digest, "digest bound by the proof's transcript"),
    PR_ROW(pr_certificate_row, TEXT, proof_hash, "Blake2s of the proof's canonical encoding"),
    PR_PLACE(pr_certificate_row, "the certificate"),
};
PR_SPEC(pr_certificate_row_spec, pr_certificate_row, certificate_fields);

static const pr_field view_fields[] = {
    PR_ROW(pr_view_row, TEXT, id, "the view that began"),
    PR_ROW(pr_view_row, TEXT, reason, "why it began: timeout, of those who waited for the leader before"),
    PR_ROW(pr_view_row, U32, leader, "row of /validators: who leads from then on"),
    PR_ROW(pr_view_row, U32, n_validators, "validators registered then"),
    PR_ROW(pr_view_row, U32, n_removed, "validators that were removed, or away, then"),
    PR_ROW(pr_view_row, U32, n_signers, "validators that asked for the view"),
    PR_PLACE(pr_view_row, "the view certificate"),
};
PR_SPEC(pr_view_row_spec, pr_view_row, view_fields);

static const pr_field evidence_fields[] = {
    PR_ROW(pr_evidence_row, TEXT, id, PR_SUBJECT_ID),
    PR_ROW(pr_evidence_row, EVIDENCE, kind, "what it shows"),
    PR_ROW(pr_evidence_row, U32, offender, "row of /validators: who is removed for it"),
    PR_ROW(pr_evidence_row, U32, attempt, "number of the attempt that it is about"),
    PR_ROW(pr_evidence_row, TEXT, proof_hash, "hash of the proof that it is about"),
    PR_PLACE(pr_evidence_row, "the evidence"),
};
PR_SPEC(pr_evidence_row_spec, pr_evidence_row, evidence_fields);

static const pr_field round_fields[] = {
    PR_ROW(pr_round_row, TEXT, id, PR_SUBJECT_ID),
    PR_ROW(pr_round_row, U32, attempt, "number of the attempt, from 1, over all sessions"),
    PR_ROW(pr_round_row, ROUND_OUTCOME, outcome, "how the round ended"),
    PR_ROW(pr_round_row, U64, view, "view in which it ended"),
    PR_ROW(pr_round_row, U32, prover, "row of /validators: who made the proof"),
    PR_ROW(pr_round_row, TEXT, statement_digest, "digest bound by the proof's transcript"),
    PR_ROW(pr_round_row, TEXT, proof_hash, "Blake2s of the proof's canonical encoding"),
    PR_ROW(pr_round_row, U64, announced_ns, "when rank 0 heard of the proof, ns since 1970 UTC; 0: not on record"),
    PR_ROW(pr_round_row, U64, decided_ns, "when rank 0 wrote the outcome down, ns since 1970 UTC"),
};
PR_SPEC(pr_round_row_spec, pr_round_row, round_fields);

static const pr_field batch_fields[] = {
    PR_ROW(pr_batch_row, TEXT, id, "Merkle root over the outcomes of the run"),
    PR_ROW(pr_batch_row, U64, leaves, "jobs under it"),
    PR_ROW(pr_batch_row, U32, n_validators, "validators registered then"),
    PR_ROW(pr_batch_row, U32, n_removed, "validators that were removed, or away, then"),
    PR_ROW(pr_batch_row, U32, n_signers, "validators that signed the root"),
    PR_PLACE(pr_batch_row, "the batch certificate"),
};
PR_SPEC(pr_batch_row_spec, pr_batch_row, batch_fields);
