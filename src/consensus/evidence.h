/* Evidence against a validator: its own signatures, and where need be the verifier run again. Never an opinion.
 *
 *   u8 version = 1 | u8 kind = 18 | u8 evidence kind | u32 offender | u32 length, signed message | [u32 length,
 * another]
 *
 *   EQUIVOCATION   two messages of one kind (ANNOUNCE, PROPOSE or VOTE) by the offender for one (run, view, job,
 * attempt) that say different things (the first in the order of their bytes comes first) WRONG_VOTE     a vote; the
 * verifier says the opposite about the proof that it names INVALID_PROOF  an announcement; the verifier rejects the
 * proof that it names
 *
 * The last two hold only for who runs the verifier on the proof's bytes. */
#ifndef PR_CONSENSUS_EVIDENCE_H
#define PR_CONSENSUS_EVIDENCE_H
#include "consensus/message.h"

typedef enum pr_evidence_kind {
    PR_EVIDENCE_EQUIVOCATION = 1,
    PR_EVIDENCE_WRONG_VOTE,
    PR_EVIDENCE_INVALID_PROOF,
    PR_EVIDENCE_KINDS
} pr_evidence_kind;
const char *pr_evidence_kind_name(pr_evidence_kind kind); /* "equivocation", "wrong_vote", "invalid_proof" */
#define PR_EVIDENCE_MAX_BYTES (7u + 2u * (4u + PR_MESSAGE_MAX_BYTES))

typedef struct pr_evidence {
    pr_evidence_kind kind;
    uint32_t offender;
    const uint8_t *first, *second; /* in the bytes decoded; second is NULL but for EQUIVOCATION */
    size_t first_size, second_size;
    pr_subject subject; /* of the first message: which proof to run the verifier on */
    pr_removal removal; /* the reason that follows from the kind */
} pr_evidence;

/* How a proof stands with the verifier, which is deterministic. */
typedef enum pr_proof_verdict {
    PR_PROOF_UNKNOWN, /* not run (yet), or it could not be run */
    PR_PROOF_VALID,
    PR_PROOF_INVALID
} pr_proof_verdict;

typedef enum pr_evidence_answer {
    PR_EVIDENCE_HOLDS,
    PR_EVIDENCE_NEEDS_VERIFIER, /* the signatures are right; run the verifier on subject, and ask again */
    PR_EVIDENCE_FAILS
} pr_evidence_answer;

/* second: NULL but for EQUIVOCATION. */
void pr_evidence_write(pr_writer *w, pr_evidence_kind kind, uint32_t offender, const uint8_t *first, size_t first_size,
                       const uint8_t *second, size_t second_size);
/* The shape; out borrows from data. */
PR_MUST_CHECK pr_status pr_evidence_decode(pr_evidence *out, const uint8_t *data, size_t size, pr_error *err);
/* A negative answer is PR_OK with FAILS, and err says why. verdict: of the verifier on the subject's proof. */
PR_MUST_CHECK pr_status pr_evidence_check(pr_evidence *out, pr_evidence_answer *answer, const uint8_t *data,
                                          size_t size, const pr_hash *run, const pr_registry *registry,
                                          const pr_crypto *crypto, pr_proof_verdict verdict, pr_error *err);
/* The verdict that makes this evidence hold, once its signatures are right. EQUIVOCATION: any. */
bool pr_evidence_agrees(const pr_evidence *e, pr_proof_verdict verdict);
/* Two signed messages cannot both come from an honest node; a and b are encoded and well-formed. */
bool pr_messages_contradict(const pr_message *a, const uint8_t *a_bytes, size_t a_size, const pr_message *b,
                            const uint8_t *b_bytes, size_t b_size);
#endif
