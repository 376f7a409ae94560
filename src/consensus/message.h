/* Signed messages: one canonical encoding each, which is also what is signed.
 *
 *   u8 version = 1 | u8 kind | run 32 | u64 view | u32 n_validators | u32 signer | body by kind | signature 64
 *
 * Little-endian, no padding. Signed is D("proverun consensus 1 <kind>", every byte before the signature), so a
 * signature serves for one kind, run, view and signer alone. Decoding is strict: exact length, every field in its
 * range, so two different encodings never mean the same. Bodies:
 *
 *   subject     job 32 | u32 attempt | u32 prover | statement 32 | proof_hash 32
 *   ANNOUNCE    subject                       by the prover: "this is my proof"; view and n_validators are 0
 *   PROPOSE     subject | signature 64 of the prover's ANNOUNCE                     by the leader of the view
 *   VOTE        subject | u8 verdict | u8 reason | u8 attestation kind | u8 verified | u16 length | evidence bytes
 *   ABSENCE     subject | u32 absent          "of this member of the committee I have no vote, though it had time"
 *   VIEW_CHANGE nothing                       "I want view" (the view wanted is the message's view)
 *   STATUS      job 32 | u32 removed          "I am in view, lack an outcome of job, and know these removed":
 *                                             who knows more answers
 *   BATCH       root 32 | u64 leaves          "these are the outcomes of the run"; view is 0
 */
#ifndef PR_CONSENSUS_MESSAGE_H
#define PR_CONSENSUS_MESSAGE_H
#include "base/bytes.h"
#include "consensus/registry.h"

#define PR_CONSENSUS_VERSION 1
#define PR_ATTESTATION_MAX_BYTES 2048u
#define PR_MESSAGE_HEADER_BYTES 50u
#define PR_SUBJECT_BYTES 104u
#define PR_MESSAGE_MAX_BYTES (PR_MESSAGE_HEADER_BYTES + PR_SUBJECT_BYTES + 6 + PR_ATTESTATION_MAX_BYTES + 64)

typedef enum pr_message_kind {
    PR_MESSAGE_ANNOUNCE = 1,
    PR_MESSAGE_PROPOSE,
    PR_MESSAGE_VOTE,
    PR_MESSAGE_ABSENCE,
    PR_MESSAGE_VIEW_CHANGE,
    PR_MESSAGE_STATUS,
    PR_MESSAGE_BATCH,
    PR_MESSAGE_SIGNED_END,       /* below: signed by one validator. From here on: containers of signed things */
    PR_MESSAGE_CERTIFICATE = 16, /* certificate.h */
    PR_MESSAGE_VIEW_CERTIFICATE, /* view.h */
    PR_MESSAGE_EVIDENCE,         /* evidence.h */
    PR_MESSAGE_BATCH_CERTIFICATE /* batch.h */
} pr_message_kind;

/* What a round is about: one proof of one attempt at one job. */
typedef struct pr_subject {
    pr_hash job; /* pr_job_name */
    uint32_t attempt;
    uint32_t prover; /* registration index */
    pr_hash statement, proof_hash;
} pr_subject;
bool pr_subject_equal(const pr_subject *a, const pr_subject *b);

typedef enum pr_vote_verdict { PR_VOTE_APPROVE = 1, PR_VOTE_REJECT } pr_vote_verdict;
/* Why a proof is rejected: only what every run of the verifier on the same bytes finds again. */
typedef enum pr_vote_reason {
    PR_VOTE_REASON_NONE, /* with APPROVE, and only there */
    PR_VOTE_REASON_MALFORMED,
    PR_VOTE_REASON_INVALID,
    PR_VOTE_REASON_STATEMENT, /* a proof of another statement than this job's */
    PR_VOTE_REASONS
} pr_vote_reason;
const char *pr_vote_reason_name(pr_vote_reason reason);

typedef enum pr_attestation_kind {
    PR_ATTESTATION_NONE, /* size 0, not verified */
    PR_ATTESTATION_TPM,
    PR_ATTESTATION_SEV_SNP,
    PR_ATTESTATION_TDX,
    PR_ATTESTATION_GPU,
    PR_ATTESTATION_KINDS
} pr_attestation_kind;
const char *pr_attestation_kind_name(pr_attestation_kind kind); /* "none", "tpm", "sev_snp", "tdx", "gpu" */

/* What vouches for the machine behind a vote. */
typedef struct pr_attestation {
    pr_attestation_kind kind;
    bool verified; /* the voter says it has checked the evidence itself */
    uint16_t size;
    uint8_t bytes[PR_ATTESTATION_MAX_BYTES]; /* [size] */
} pr_attestation;

typedef struct pr_message {
    pr_message_kind kind;
    pr_hash run;
    uint64_t view;
    uint32_t n_validators, signer;
    pr_subject subject;                       /* ANNOUNCE, PROPOSE, VOTE, ABSENCE; STATUS: its job */
    uint8_t announcement[PR_SIGNATURE_BYTES]; /* PROPOSE */
    pr_vote_verdict verdict;                  /* VOTE */
    pr_vote_reason reason;                    /* VOTE */
    uint32_t absent;                          /* ABSENCE */
    uint32_t removed_mark;                    /* STATUS: pr_registry_mark_convicted */
    pr_hash root;                             /* BATCH */
    uint64_t n_leaves;                        /* BATCH */
    uint8_t signature[PR_SIGNATURE_BYTES];
    pr_attestation attestation; /* VOTE */
} pr_message;

const char *pr_message_kind_name(pr_message_kind kind); /* "announce", ... ; "unknown" */
/* The kind that these bytes claim to be; 0 when they are too short or of another version. */
int pr_message_peek(const uint8_t *data, size_t size);

/* Writes the canonical bytes with the signature as it stands in m; returns how many. m must be well-formed. */
size_t pr_message_encode(uint8_t out[PR_MESSAGE_MAX_BYTES], const pr_message *m);
/* PR_ERR_MALFORMED unless data is exactly one well-formed signed message. m is undefined then. */
PR_MUST_CHECK pr_status pr_message_decode(pr_message *m, const uint8_t *data, size_t size, pr_error *err);
/* What is signed, from encoded bytes of a signed kind. */
pr_hash pr_message_digest(const uint8_t *data, size_t size);
/* Fills m->signature. False: the table could not sign. */
bool pr_message_sign(pr_message *m, const pr_crypto *crypto);
/* The signature in encoded bytes is the signer's. Removed validators' signatures are still theirs. */
bool pr_message_verify(const uint8_t *data, size_t size, const pr_message *m, const pr_registry *registry,
                       const pr_crypto *crypto);
/* The same for a message whose bytes are not at hand. */
bool pr_message_verify_fields(const pr_message *m, const pr_registry *registry, const pr_crypto *crypto);
/* The prover's announcement that a proposal carries. */
void pr_message_announcement_of(pr_message *out, const pr_message *proposal);

/* Pieces that certificates have in common with messages. */
void pr_subject_write(pr_writer *w, const pr_subject *s);
void pr_subject_read(pr_reader *r, pr_subject *s);
void pr_attestation_write(pr_writer *w, const pr_attestation *a);
bool pr_attestation_read(pr_reader *r, pr_attestation *a); /* false: out of its range */
#endif
