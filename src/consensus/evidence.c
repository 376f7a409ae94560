#include "consensus/evidence.h"
#include <string.h>

/* ---- encoding ---- */

static void write_message(pr_writer *w, const uint8_t *data, size_t size) {
    pr_write_u32(w, (uint32_t)size);
    pr_write_bytes(w, data, size);
}

static int compare_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

void pr_evidence_write(pr_writer *w, pr_evidence_kind kind, uint32_t offender, const uint8_t *first, size_t first_size,
                       const uint8_t *second, size_t second_size) {
    bool swap = second && compare_bytes(first, first_size, second, second_size) > 0;
    pr_write_u8(w, PR_CONSENSUS_VERSION);
    pr_write_u8(w, PR_MESSAGE_EVIDENCE);
    pr_write_u8(w, (uint8_t)kind);
    pr_write_u32(w, offender);
    if (swap) write_message(w, second, second_size);
    write_message(w, first, first_size);
    if (second && !swap) write_message(w, second, second_size);
}

static const uint8_t *read_message(pr_reader *r, size_t *size) {
    *size = pr_read_u32(r);
    if (r->failed || *size > PR_MESSAGE_MAX_BYTES) {
        r->failed = true;
        return NULL;
    }
    return pr_read_borrow(r, *size);
}

static pr_removal removal_of(pr_evidence_kind kind) {
    switch (kind) {
    case PR_EVIDENCE_EQUIVOCATION:
        return PR_REMOVAL_EQUIVOCATION;
    case PR_EVIDENCE_WRONG_VOTE:
        return PR_REMOVAL_WRONG_VOTE;
    default:
        return PR_REMOVAL_INVALID_PROOF;
    }
}

/* ---- what contradicts what ---- */

bool pr_messages_contradict(const pr_message *a, const uint8_t *a_bytes, size_t a_size, const pr_message *b,
                            const uint8_t *b_bytes, size_t b_size) {
    if (a->kind != b->kind || a->signer != b->signer || a->view != b->view || !pr_hash_equal(&a->run, &b->run))
        return false;
    if (a->kind != PR_MESSAGE_ANNOUNCE && a->kind != PR_MESSAGE_PROPOSE && a->kind != PR_MESSAGE_VOTE) return false;
    if (a->subject.attempt != b->subject.attempt || !pr_hash_equal(&a->subject.job, &b->subject.job)) return false;
    if (a->kind == PR_MESSAGE_PROPOSE) /* the prover's signature in it may differ: that is not the leader's doing; and a
                                          session with more validators has the round proposed anew among all */
        return !pr_subject_equal(&a->subject, &b->subject);
    return a_size != b_size || memcmp(a_bytes, b_bytes, a_size - PR_SIGNATURE_BYTES) != 0;
}

bool pr_evidence_agrees(const pr_evidence *e, pr_proof_verdict verdict) {
    if (e->kind == PR_EVIDENCE_EQUIVOCATION) return true;
    if (e->kind == PR_EVIDENCE_INVALID_PROOF) return verdict == PR_PROOF_INVALID;
    pr_message vote;
    if (pr_message_decode(&vote, e->first, e->first_size, NULL) != PR_OK) return false;
    return verdict == (vote.verdict == PR_VOTE_APPROVE ? PR_PROOF_INVALID : PR_PROOF_VALID);
}

/* ---- decoding ---- */

static bool kind_fits(const pr_evidence *e, const pr_message *first) {
    if (first->signer != e->offender) return false;
    if (e->kind == PR_EVIDENCE_WRONG_VOTE) return first->kind == PR_MESSAGE_VOTE;
    if (e->kind == PR_EVIDENCE_INVALID_PROOF) return first->kind == PR_MESSAGE_ANNOUNCE;
    pr_message second;
    return compare_bytes(e->first, e->first_size, e->second, e->second_size) < 0 &&
           pr_message_decode(&second, e->second, e->second_size, NULL) == PR_OK &&
           pr_messages_contradict(first, e->first, e->first_size, &second, e->second, e->second_size);
}

pr_status pr_evidence_decode(pr_evidence *out, const uint8_t *data, size_t size, pr_error *err) {
    *out = (pr_evidence){0};
    pr_message first;
    pr_reader r;
    if (pr_message_peek(data, size) != PR_MESSAGE_EVIDENCE)
        return pr_fail(err, PR_ERR_MALFORMED, "evidence: wrong version or kind");
    pr_reader_init(&r, data + 2, size - 2);
    uint8_t kind = pr_read_u8(&r);
    out->kind = (pr_evidence_kind)kind;
    out->offender = pr_read_u32(&r);
    out->first = read_message(&r, &out->first_size);
    if (kind == PR_EVIDENCE_EQUIVOCATION) out->second = read_message(&r, &out->second_size);
    if (kind == 0 || kind >= PR_EVIDENCE_KINDS || !pr_reader_done(&r) ||
        pr_message_decode(&first, out->first, out->first_size, NULL) != PR_OK || !kind_fits(out, &first))
        return pr_fail(err, PR_ERR_MALFORMED, "evidence: what it holds is malformed or contradicts nothing");
    out->subject = first.subject;
    out->removal = removal_of(out->kind);
    return PR_OK;
}

static bool is_signed(const uint8_t *data, size_t size, const pr_hash *run, const pr_registry *registry,
                      const pr_crypto *crypto) {
    pr_message m;
    return pr_message_decode(&m, data, size, NULL) == PR_OK && pr_hash_equal(&m.run, run) &&
           pr_message_verify(data, size, &m, registry, crypto);
}

pr_status pr_evidence_check(pr_evidence *out, pr_evidence_answer *answer, const uint8_t *data, size_t size,
                            const pr_hash *run, const pr_registry *registry, const pr_crypto *crypto,
                            pr_proof_verdict verdict, pr_error *err) {
    PR_TRY(pr_evidence_decode(out, data, size, err));
    *answer = PR_EVIDENCE_FAILS;
    if (!is_signed(out->first, out->first_size, run, registry, crypto) ||
        (out->second && !is_signed(out->second, out->second_size, run, registry, crypto))) {
        (void)pr_fail(err, PR_ERR_REFUSED, "evidence: a signature is not validator %u's, or of another run",
                      out->offender);
        return PR_OK;
    }
    if (pr_evidence_agrees(out, verdict)) {
        *answer = PR_EVIDENCE_HOLDS;
    } else if (verdict == PR_PROOF_UNKNOWN) {
        *answer = PR_EVIDENCE_NEEDS_VERIFIER;
    } else {
        (void)pr_fail(err, PR_ERR_REFUSED, "evidence: the verifier does not contradict validator %u", out->offender);
    }
    return PR_OK;
}

const char *pr_evidence_kind_name(pr_evidence_kind kind) {
    static const char *const names[PR_EVIDENCE_KINDS] = {"unknown", "equivocation", "wrong_vote", "invalid_proof"};
    return (unsigned)kind < PR_EVIDENCE_KINDS ? names[kind] : "unknown";
}
