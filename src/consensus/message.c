#include "consensus/message.h"
#include <string.h>

const char *pr_message_kind_name(pr_message_kind kind) {
    switch (kind) {
    case PR_MESSAGE_ANNOUNCE:
        return "announce";
    case PR_MESSAGE_PROPOSE:
        return "propose";
    case PR_MESSAGE_VOTE:
        return "vote";
    case PR_MESSAGE_ABSENCE:
        return "absence";
    case PR_MESSAGE_VIEW_CHANGE:
        return "view_change";
    case PR_MESSAGE_STATUS:
        return "status";
    case PR_MESSAGE_BATCH:
        return "batch";
    case PR_MESSAGE_CERTIFICATE:
        return "certificate";
    case PR_MESSAGE_VIEW_CERTIFICATE:
        return "view_certificate";
    case PR_MESSAGE_EVIDENCE:
        return "evidence";
    case PR_MESSAGE_BATCH_CERTIFICATE:
        return "batch_certificate";
    default:
        return "unknown";
    }
}

const char *pr_vote_reason_name(pr_vote_reason reason) {
    static const char *const names[PR_VOTE_REASONS] = {"none", "malformed", "invalid", "statement"};
    return (unsigned)reason < PR_VOTE_REASONS ? names[reason] : "unknown";
}

const char *pr_attestation_kind_name(pr_attestation_kind kind) {
    static const char *const names[PR_ATTESTATION_KINDS] = {"none", "tpm", "sev_snp", "tdx", "gpu"};
    return (unsigned)kind < PR_ATTESTATION_KINDS ? names[kind] : "unknown";
}

bool pr_subject_equal(const pr_subject *a, const pr_subject *b) {
    return a->attempt == b->attempt && a->prover == b->prover && pr_hash_equal(&a->job, &b->job) &&
           pr_hash_equal(&a->statement, &b->statement) && pr_hash_equal(&a->proof_hash, &b->proof_hash);
}

int pr_message_peek(const uint8_t *data, size_t size) {
    return size >= 2 && data[0] == PR_CONSENSUS_VERSION ? data[1] : 0;
}

/* ---- pieces ---- */

void pr_subject_write(pr_writer *w, const pr_subject *s) {
    pr_write_bytes(w, s->job.bytes, 32);
    pr_write_u32(w, s->attempt);
    pr_write_u32(w, s->prover);
    pr_write_bytes(w, s->statement.bytes, 32);
    pr_write_bytes(w, s->proof_hash.bytes, 32);
}

void pr_subject_read(pr_reader *r, pr_subject *s) {
    pr_read_bytes(r, s->job.bytes, 32);
    s->attempt = pr_read_u32(r);
    s->prover = pr_read_u32(r);
    pr_read_bytes(r, s->statement.bytes, 32);
    pr_read_bytes(r, s->proof_hash.bytes, 32);
}

void pr_attestation_write(pr_writer *w, const pr_attestation *a) {
    pr_write_u8(w, (uint8_t)a->kind);
    pr_write_u8(w, a->verified);
    pr_write_u16(w, a->size);
    pr_write_bytes(w, a->bytes, a->size);
}

bool pr_attestation_read(pr_reader *r, pr_attestation *a) {
    uint8_t kind = pr_read_u8(r), verified = pr_read_u8(r);
    a->size = pr_read_u16(r);
    if (r->failed || kind >= PR_ATTESTATION_KINDS || verified > 1 || a->size > PR_ATTESTATION_MAX_BYTES) return false;
    if (kind == PR_ATTESTATION_NONE && (verified || a->size)) return false;
    a->kind = (pr_attestation_kind)kind;
    a->verified = verified;
    pr_read_bytes(r, a->bytes, a->size);
    return !r->failed;
}

/* ---- encoding ---- */

static bool has_subject(pr_message_kind kind) {
    return kind == PR_MESSAGE_ANNOUNCE || kind == PR_MESSAGE_PROPOSE || kind == PR_MESSAGE_VOTE ||
           kind == PR_MESSAGE_ABSENCE;
}

static void write_body(pr_writer *w, const pr_message *m) {
    if (has_subject(m->kind)) pr_subject_write(w, &m->subject);
    switch (m->kind) {
    case PR_MESSAGE_PROPOSE:
        pr_write_bytes(w, m->announcement, PR_SIGNATURE_BYTES);
        break;
    case PR_MESSAGE_VOTE:
        pr_write_u8(w, (uint8_t)m->verdict);
        pr_write_u8(w, (uint8_t)m->reason);
        pr_attestation_write(w, &m->attestation);
        break;
    case PR_MESSAGE_ABSENCE:
        pr_write_u32(w, m->absent);
        break;
    case PR_MESSAGE_STATUS:
        pr_write_bytes(w, m->subject.job.bytes, 32);
        pr_write_u32(w, m->removed_mark);
        break;
    case PR_MESSAGE_BATCH:
        pr_write_bytes(w, m->root.bytes, 32);
        pr_write_u64(w, m->n_leaves);
        break;
    default:
        break;
    }
}

size_t pr_message_encode(uint8_t out[PR_MESSAGE_MAX_BYTES], const pr_message *m) {
    pr_writer w = {.data = out, .capacity = PR_MESSAGE_MAX_BYTES}; /* the longest message fits, so it never grows */
    pr_write_u8(&w, PR_CONSENSUS_VERSION);
    pr_write_u8(&w, (uint8_t)m->kind);
    pr_write_bytes(&w, m->run.bytes, 32);
    pr_write_u64(&w, m->view);
    pr_write_u32(&w, m->n_validators);
    pr_write_u32(&w, m->signer);
    write_body(&w, m);
    pr_write_bytes(&w, m->signature, PR_SIGNATURE_BYTES);
    PR_ASSERT(!w.failed && w.data == out);
    return w.size;
}

/* ---- decoding ---- */

static bool read_vote(pr_reader *r, pr_message *m) {
    uint8_t verdict = pr_read_u8(r), reason = pr_read_u8(r);
    m->verdict = (pr_vote_verdict)verdict;
    m->reason = (pr_vote_reason)reason;
    if (verdict != PR_VOTE_APPROVE && verdict != PR_VOTE_REJECT) return false;
    if (reason >= PR_VOTE_REASONS || (verdict == PR_VOTE_APPROVE) != (reason == PR_VOTE_REASON_NONE)) return false;
    return pr_attestation_read(r, &m->attestation);
}

static bool read_body(pr_reader *r, pr_message *m) {
    if (has_subject(m->kind)) pr_subject_read(r, &m->subject);
    switch (m->kind) {
    case PR_MESSAGE_PROPOSE:
        pr_read_bytes(r, m->announcement, PR_SIGNATURE_BYTES);
        return true;
    case PR_MESSAGE_VOTE:
        return read_vote(r, m) && m->signer != m->subject.prover;
    case PR_MESSAGE_ABSENCE:
        m->absent = pr_read_u32(r);
        return m->absent < m->n_validators;
    case PR_MESSAGE_STATUS:
        pr_read_bytes(r, m->subject.job.bytes, 32);
        m->removed_mark = pr_read_u32(r);
        return true;
    case PR_MESSAGE_BATCH:
        pr_read_bytes(r, m->root.bytes, 32);
        m->n_leaves = pr_read_u64(r);
        return m->view == 0 && m->n_leaves > 0;
    default:
        return true;
    }
}

/* Who may sign, and in what context: an announcement belongs to the run, whatever the view. */
static bool header_is_good(const pr_message *m) {
    if (m->n_validators > PR_VALIDATORS_MAX) return false;
    if (m->kind != PR_MESSAGE_ANNOUNCE) {
        if (m->signer >= m->n_validators) return false;
        return !has_subject(m->kind) || m->subject.prover < m->n_validators;
    }
    return m->view == 0 && m->n_validators == 0 && m->signer == m->subject.prover && m->signer < PR_VALIDATORS_MAX;
}

pr_status pr_message_decode(pr_message *m, const uint8_t *data, size_t size, pr_error *err) {
    int kind = pr_message_peek(data, size);
    if (kind < PR_MESSAGE_ANNOUNCE || kind >= PR_MESSAGE_SIGNED_END)
        return pr_fail(err, PR_ERR_MALFORMED, "message of %zu bytes: kind %d, but signed messages have 1 to %d", size,
                       kind, PR_MESSAGE_SIGNED_END - 1);
    *m = (pr_message){.kind = (pr_message_kind)kind};
    pr_reader r;
    pr_reader_init(&r, data + 2, size - 2);
    pr_read_bytes(&r, m->run.bytes, 32);
    m->view = pr_read_u64(&r);
    m->n_validators = pr_read_u32(&r);
    m->signer = pr_read_u32(&r);
    bool good = read_body(&r, m);
    pr_read_bytes(&r, m->signature, PR_SIGNATURE_BYTES);
    if (!good || !header_is_good(m) || !pr_reader_done(&r))
        return pr_fail(err, PR_ERR_MALFORMED,
                       "%s message of %zu bytes: a field is out of its range or the length wrong",
                       pr_message_kind_name(m->kind), size);
    return PR_OK;
}

/* ---- signatures ---- */

pr_hash pr_message_digest(const uint8_t *data, size_t size) {
    PR_ASSERT(size >= PR_MESSAGE_HEADER_BYTES + PR_SIGNATURE_BYTES);
    char domain[48] = "proverun consensus 1 ";
    strncat(domain, pr_message_kind_name((pr_message_kind)data[1]), sizeof domain - strlen(domain) - 1);
    pr_blake2s state;
    pr_blake2s_init_domain(&state, domain);
    pr_blake2s_update(&state, data, size - PR_SIGNATURE_BYTES);
    return pr_blake2s_final(&state);
}

bool pr_message_sign(pr_message *m, const pr_crypto *crypto) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size = pr_message_encode(bytes, m);
    pr_hash digest = pr_message_digest(bytes, size);
    return crypto->sign(crypto->context, m->signature, &digest);
}

bool pr_message_verify(const uint8_t *data, size_t size, const pr_message *m, const pr_registry *registry,
                       const pr_crypto *crypto) {
    if (m->signer >= registry->n) return false;
    pr_hash digest = pr_message_digest(data, size);
    return crypto->verify(crypto->context, registry->validators[m->signer].public_key, &digest, m->signature);
}

bool pr_message_verify_fields(const pr_message *m, const pr_registry *registry, const pr_crypto *crypto) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size = pr_message_encode(bytes, m);
    return pr_message_verify(bytes, size, m, registry, crypto);
}

void pr_message_announcement_of(pr_message *out, const pr_message *proposal) {
    *out = (pr_message){.kind = PR_MESSAGE_ANNOUNCE,
                        .run = proposal->run,
                        .signer = proposal->subject.prover,
                        .subject = proposal->subject};
    memcpy(out->signature, proposal->announcement, PR_SIGNATURE_BYTES);
}
