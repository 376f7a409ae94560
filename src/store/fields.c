/* The rows' fields as data: names, kinds, places, what they mean. */
#include "store/row_macros.h"

#define F(kind_, name_, help_) PR_ROW(pr_job_row, kind_, name_, help_)
static const pr_field job_fields[] = {
    F(TEXT, id, "job id of the manifest, with the sweep's number"),
    F(TEXT, type, "job type"),
    F(U32, type_version, "version of the job type's statement"),
    F(STATE, state, "how far the job came"),
    F(OUTCOME, outcome,
      "approved: another rank verified the proof from its bytes; merged: approved in a file merged into "
      "this one; self_verified: only the prover did; refused, skipped: never begun"),
    F(TEXT, reason, "why it failed or was rejected; empty otherwise"),
    F(I32, prover_rank, "rank of the accepted or last attempt; -1: none"),
    F(I32, verifier_rank, "rank that verified the bytes; -1: none"),
    F(TEXT, prover_host, "host of the prover"),
    F(TEXT, backend, "what computed the proof"),
    F(TEXT, device, "PCI bus id of the GPU; empty: none"),
    F(FLAG, gpu_used, "whether a GPU computed the proof"),
    F(U32, cpu_fallbacks, "times a GPU failed and the CPU took over"),
    F(U32, threads, "threads of the prover"),
    F(U32, attempts, "attempts made, over all sessions"),
    F(U32, retries, "the manifest's: further attempts allowed"),
    F(U32, child_restarts, "times the prover's process was started again for this job"),
    F(U32, session, "row of /sessions in which the job ended, from 1"),
    F(U32, manifest, "which manifest it is of: 0 is the root's; others only in merged files"),
    F(I32, priority, "the manifest's; higher first"),
    F(TEXT, after, "jobs that this one comes after, with commas between them; cut to fit"),
    F(TEXT, profile, "security profile"),
    F(F64, conjectured_bits, "security by the up-to-capacity conjecture, bits"),
    F(F64, proven_bits, "security proven, unique decoding, bits"),
    F(F64, field_bits, "least of the field terms, bits"),
    F(FLAG, insecure, "less than 96 bits: insecure parameters"),
    F(U32, pow_bits, "proof-of-work bits"),
    F(U32, log_blowup, "log2 of the blow-up"),
    F(U32, n_queries, "FRI queries"),
    F(U32, log_last_layer_degree_bound, "log2 of the last FRI layer's coefficients"),
    F(U32, fold_step, "FRI folds a layer"),
    F(I32, lifting_log_size, "log2 of the lifted tree height; -1: none"),
    F(U32, interaction_pow_bits, "proof-of-work bits before lookups"),
    F(U32, log_rows, "log2 of the rows of the largest component"),
    F(U32, n_columns, "trace columns of all components"),
    F(U32, n_constraints, "constraints of all components, with those of lookups"),
    F(TEXT, content_hash, "Blake2s of type, version, configuration and parameters"),
    F(TEXT, air_digest, "digest of the AIR"),
    F(TEXT, statement_digest, "digest bound by the proof's transcript"),
    F(TEXT, proof_hash, "Blake2s of the proof's canonical encoding"),
    F(TEXT, commitment, "Blake2s of proof hash, id, statement digest, manifest digest"),
    F(TEXT, encrypted_to, "public key that outputs, public data and proof are encrypted to; empty: not encrypted"),
    F(U64, public_bytes, "public data of the statement as stored, bytes"),
    F(U64, proof_bytes, "proof, canonical binary encoding, bytes"),
    F(U64, proof_json_bytes, "proof as stwo's JSON text, bytes"),
    F(U64, proof_compressed_bytes, "proof as stored, bytes"),
    F(FLAG, flagged_large, "more than 256 KiB compressed: not fit for on-chain submission"),
    F(U64, peak_rss_bytes,
      "peak resident memory of the prover in this job, without what it kept of the one before, bytes"),
    F(U64, predicted_bytes, "memory predicted on the host, the prover's plan and what the job holds beside it, bytes"),
    F(U64, predicted_device_bytes, "memory that the plan predicted on the GPU, bytes"),
    F(F64, expected_ms, "time of the prover that the estimate predicted, ms"),
    F(F64, queue_ms, "from when the job could begin to when it was first handed out, ms"),
    F(F64, prove_ms, "time of the prover, ms"),
    F(F64, self_verify_ms, "time of the prover's own verification, ms"),
    F(F64, verify_ms, "time of the other rank's verification, ms"),
    F(F64, trace_ms, "stage: trace, ms"),
    F(F64, extend_ms, "stage: interpolation and extension, ms"),
    F(F64, merkle_ms, "stage: Merkle trees, ms"),
    F(F64, lookups_ms, "stage: lookups, ms"),
    F(F64, composition_ms, "stage: composition, ms"),
    F(F64, samples_ms, "stage: out-of-domain samples, ms"),
    F(F64, quotients_ms, "stage: quotients, ms"),
    F(F64, fri_ms, "stage: FRI, ms"),
    F(F64, grind_ms, "stage: proof of work, ms"),
    F(F64, open_ms, "stage: openings, ms"),
    F(U64, time_limit_ns, "the manifest's, of one attempt, ns; 0: none"),
    F(U64, deadline_ns, "the manifest's, ns since 1970 UTC; 0: none"),
    F(U64, started_ns, "start of the last attempt, ns since 1970 UTC"),
    F(U64, finished_ns, "end of the last attempt, ns since 1970 UTC"),
    F(TEXT, started_at, "the same, ISO 8601"),
    F(TEXT, finished_at, "the same, ISO 8601"),
};
#undef F
PR_SPEC(pr_job_row_spec, pr_job_row, job_fields);

static const pr_field param_fields[] = {
    PR_ROW(pr_param_row, TEXT, id, "job id"),
    PR_ROW(pr_param_row, TEXT, name, "parameter"),
    PR_ROW(pr_param_row, TEXT, value, "value as in the manifest"),
};
PR_SPEC(pr_param_row_spec, pr_param_row, param_fields);

static const pr_field output_fields[] = {
    PR_ROW(pr_output_row, TEXT, id, "job id"),
    PR_ROW(pr_output_row, TEXT, name, "public output"),
    PR_ROW(pr_output_row, TEXT, value, "its value, proven"),
};
PR_SPEC(pr_output_row_spec, pr_output_row, output_fields);

static const pr_field proof_fields[] = {
    PR_ROW(pr_proof_row, TEXT, id, "job id; the last row of an id counts"),
    PR_ROW(pr_proof_row, U64, offset, "first byte in /proofs/data"),
    PR_ROW(pr_proof_row, U64, length, "bytes in /proofs/data"),
    PR_ROW(pr_proof_row, TEXT, codec, "zstd: one zstd frame around the canonical encoding; sealed: that, encrypted"),
    PR_ROW(pr_proof_row, TEXT, hash, "Blake2s of the canonical encoding"),
};
PR_SPEC(pr_proof_row_spec, pr_proof_row, proof_fields);

static const pr_field public_fields[] = {
    PR_ROW(pr_public_row, TEXT, id, "job id; the last row of an id counts"),
    PR_ROW(pr_public_row, U64, offset, "first byte in /public_data/data"),
    PR_ROW(pr_public_row, U64, length, "bytes in /public_data/data"),
};
PR_SPEC(pr_public_row_spec, pr_public_row, public_fields);

static const pr_field session_fields[] = {
    PR_ROW(pr_session_row, TEXT, id, "number of the session, from 1"),
    PR_ROW(pr_session_row, U32, ranks, "ranks"),
    PR_ROW(pr_session_row, U32, threads, "threads of a prover on rank 0's host"),
    PR_ROW(pr_session_row, U32, jobs, "jobs of the manifest"),
    PR_ROW(pr_session_row, U32, done_before, "jobs that earlier sessions had done"),
    PR_ROW(pr_session_row, TEXT, started_at, "ISO 8601"),
    PR_ROW(pr_session_row, TEXT, finished_at, "ISO 8601; empty: it never came to its end"),
    PR_ROW(pr_session_row, TEXT, status, "running, complete, incomplete or interrupted"),
    PR_ROW(pr_session_row, TEXT, hosts, "distinct hosts"),
    PR_ROW(pr_session_row, TEXT, command_line, "as given"),
};
PR_SPEC(pr_session_row_spec, pr_session_row, session_fields);

static const pr_field attempt_fields[] = {
    PR_ROW(pr_attempt_row, TEXT, id, "job id"),
    PR_ROW(pr_attempt_row, U32, attempt, "number of the attempt, from 1, over all sessions"),
    PR_ROW(pr_attempt_row, ATTEMPT_END, end, "how it ended"),
    PR_ROW(pr_attempt_row, I32, rank, "rank that made it"),
    PR_ROW(pr_attempt_row, TEXT, host, "its host"),
    PR_ROW(pr_attempt_row, TEXT, backend, "what computed"),
    PR_ROW(pr_attempt_row, TEXT, stage, "the prover's stage that was heard of last"),
    PR_ROW(pr_attempt_row, U64, started_ns, "when it was handed out, ns since 1970 UTC"),
    PR_ROW(pr_attempt_row, U64, finished_ns, "when its end was noticed, ns since 1970 UTC"),
    PR_ROW(pr_attempt_row, TEXT, reason, "what went wrong; empty otherwise"),
};
PR_SPEC(pr_attempt_row_spec, pr_attempt_row, attempt_fields);

static const pr_field event_fields[] = {
    PR_ROW(pr_event_row, TEXT, id, "job id; empty: none"),
    PR_ROW(pr_event_row, U64, time_ns, "ns since 1970 UTC"),
    PR_ROW(pr_event_row, TEXT, time_at, "the same, ISO 8601"),
    PR_ROW(pr_event_row, EVENT, kind, "what happened"),
    PR_ROW(pr_event_row, I32, rank, "rank that it happened to; -1: none"),
    PR_ROW(pr_event_row, TEXT, text, "in words"),
};
PR_SPEC(pr_event_row_spec, pr_event_row, event_fields);

static const pr_field sample_fields[] = {
    PR_ROW(pr_sample_row, TEXT, id, "series, as Prometheus writes it"),
    PR_ROW(pr_sample_row, U64, time_ns, "ns since 1970 UTC"),
    PR_ROW(pr_sample_row, F64, value, "its value; the unit is in the series' name"),
};
PR_SPEC(pr_sample_row_spec, pr_sample_row, sample_fields);

static const pr_field assignment_fields[] = {
    PR_ROW(pr_assignment_row, TEXT, id, "job id"),
    PR_ROW(pr_assignment_row, U32, attempt, "number of the attempt, from 1"),
    PR_ROW(pr_assignment_row, ASSIGNED, what, "to prove or to verify"),
    PR_ROW(pr_assignment_row, I32, rank, "to which rank"),
};
PR_SPEC(pr_assignment_row_spec, pr_assignment_row, assignment_fields);

static const pr_field rank_fields[] = {
    PR_ROW(pr_rank_row, TEXT, id, "job at hand; empty: none"),
    PR_ROW(pr_rank_row, I32, rank, "rank"),
    PR_ROW(pr_rank_row, RANK_STATE, state, "what it does"),
    PR_ROW(pr_rank_row, TEXT, host, "its host"),
    PR_ROW(pr_rank_row, TEXT, stage, "stage of the prover"),
    PR_ROW(pr_rank_row, F64, progress, "of the stage, 0 to 1"),
    PR_ROW(pr_rank_row, U64, heard_ns, "its last message, ns since 1970 UTC"),
};
PR_SPEC(pr_rank_row_spec, pr_rank_row, rank_fields);
