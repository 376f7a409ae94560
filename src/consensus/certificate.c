#include "consensus/certificate.h"
#include <string.h>

void pr_certificate_write_head(pr_writer *w, const pr_certificate_head *head) {
    pr_write_u8(w, PR_CONSENSUS_VERSION);
    pr_write_u8(w, PR_MESSAGE_CERTIFICATE);
    pr_write_bytes(w, head->run.bytes, 32);
    pr_write_u64(w, head->view);
    pr_write_u32(w, head->n_validators);
    pr_subject_write(w, head->subject);
}

void pr_certificate_write_vote(pr_writer *w, const pr_message *vote) {
    pr_write_u32(w, vote->signer);
    pr_attestation_write(w, &vote->attestation);
    pr_write_bytes(w, vote->signature, PR_SIGNATURE_BYTES);
}

/* One pass over the bytes decodes and, with an auditor, checks. */
typedef struct walk {
    pr_reader r;
    pr_certificate *out;
    const pr_consensus_terms *terms; /* NULL: decode alone */
    const pr_registry *registry;
    const pr_crypto *crypto;
    pr_validator_set removed, excluded;
    pr_error *err;
} walk;

static pr_status malformed(walk *k, const char *what) {
    return pr_fail(k->err, PR_ERR_MALFORMED, "certificate: %s out of range, out of order or cut short", what);
}

/* Indices must ascend, so that a list has one encoding and nobody is in it twice. */
static bool read_index(walk *k, uint32_t *index, int64_t *last) {
    *index = pr_read_u32(&k->r);
    if (k->r.failed || (int64_t)*index <= *last || *index >= k->out->n_validators) return false;
    *last = *index;
    return true;
}

static bool read_count(walk *k, uint32_t *n) {
    *n = pr_read_u32(&k->r);
    return !k->r.failed && *n <= k->out->n_validators;
}

static pr_status walk_head(walk *k) {
    pr_certificate *c = k->out;
    if (pr_read_u8(&k->r) != PR_CONSENSUS_VERSION || pr_read_u8(&k->r) != PR_MESSAGE_CERTIFICATE)
        return malformed(k, "version or kind");
    pr_read_bytes(&k->r, c->run.bytes, 32);
    c->view = pr_read_u64(&k->r);
    c->n_validators = pr_read_u32(&k->r);
    pr_subject_read(&k->r, &c->subject);
    if (k->r.failed || c->n_validators > PR_VALIDATORS_MAX || c->subject.prover >= c->n_validators)
        return malformed(k, "head");
    if (!k->terms) return PR_OK;
    if (!pr_hash_equal(&c->run, &k->terms->run)) return pr_fail(k->err, PR_ERR_REFUSED, "certificate: of another run");
    if (c->n_validators > k->registry->n)
        return pr_fail(k->err, PR_ERR_REFUSED, "certificate: of %u validators, %u are known", c->n_validators,
                       k->registry->n);
    return PR_OK;
}

static pr_status walk_removed(walk *k) {
    if (!read_count(k, &k->out->n_removed)) return malformed(k, "removed validators");
    int64_t last = -1;
    for (uint32_t i = 0, index; i < k->out->n_removed; i++) {
        if (!read_index(k, &index, &last)) return malformed(k, "removed validators");
        pr_set_add(&k->removed, index);
    }
    k->excluded = k->removed;
    uint32_t offender;
    if (!k->terms || pr_registry_may_leave_out(k->registry, &offender, k->out->n_validators, &k->removed)) return PR_OK;
    if (offender == PR_NO_VALIDATOR)
        return pr_fail(k->err, PR_ERR_REFUSED, "certificate: those it excludes were away in no one session");
    return pr_fail(k->err, PR_ERR_REFUSED, "certificate: no evidence against validator %u, which it excludes",
                   offender);
}

static void message_of(const walk *k, pr_message *m, pr_message_kind kind, uint32_t signer) {
    *m = (pr_message){.kind = kind,
                      .run = k->out->run,
                      .view = k->out->view,
                      .n_validators = k->out->n_validators,
                      .signer = signer,
                      .subject = k->out->subject};
}

/* Stake of the rightly signed absences of one validator. */
static pr_status walk_absence(walk *k, uint32_t absent, uint64_t *stake) {
    uint32_t n, signer;
    int64_t last = -1;
    if (!read_count(k, &n)) return malformed(k, "absences");
    for (uint32_t i = 0; i < n; i++) {
        pr_message m;
        if (!read_index(k, &signer, &last)) return malformed(k, "absences");
        message_of(k, &m, PR_MESSAGE_ABSENCE, signer);
        m.absent = absent;
        pr_read_bytes(&k->r, m.signature, PR_SIGNATURE_BYTES);
        if (k->r.failed) return malformed(k, "absences");
        if (!k->terms) continue;
        if (!pr_message_verify_fields(&m, k->registry, k->crypto))
            return pr_fail(k->err, PR_ERR_REFUSED, "certificate: wrong signature of validator %u on an absence",
                           signer);
        if (!pr_set_has(&k->removed, signer)) *stake += k->registry->validators[signer].stake;
    }
    return PR_OK;
}

static pr_status walk_absent(walk *k) {
    if (!read_count(k, &k->out->n_absent)) return malformed(k, "absent validators");
    uint64_t whole = k->terms ? pr_registry_stake_without(k->registry, k->out->n_validators, &k->removed) : 0;
    uint64_t absent_stake = 0;
    int64_t last = -1;
    for (uint32_t i = 0, index; i < k->out->n_absent; i++) {
        uint64_t stake = 0;
        if (!read_index(k, &index, &last) || pr_set_has(&k->removed, index)) return malformed(k, "absent validators");
        PR_TRY(walk_absence(k, index, &stake));
        pr_set_add(&k->excluded, index);
        if (!k->terms) continue;
        absent_stake += k->registry->validators[index].stake;
        if (!pr_quorum_reached(stake, whole) || 3 * absent_stake >= whole)
            return pr_fail(k->err, PR_ERR_REFUSED,
                           "certificate: absence of validator %u: signed by stake %llu of %llu, absent are %llu", index,
                           (unsigned long long)stake, (unsigned long long)whole, (unsigned long long)absent_stake);
    }
    return PR_OK;
}

static pr_status check_vote(walk *k, const pr_message *vote, const pr_committee *committee) {
    if (!pr_committee_has(committee, vote->signer))
        return pr_fail(k->err, PR_ERR_REFUSED, "certificate: validator %u is not of the committee", vote->signer);
    if (!pr_message_verify_fields(vote, k->registry, k->crypto))
        return pr_fail(k->err, PR_ERR_REFUSED, "certificate: wrong signature of validator %u on its vote",
                       vote->signer);
    k->out->approving += k->registry->validators[vote->signer].stake;
    return PR_OK;
}

static pr_status walk_votes(walk *k, const pr_committee *committee) {
    if (!read_count(k, &k->out->n_votes)) return malformed(k, "votes");
    int64_t last = -1;
    for (uint32_t i = 0, signer; i < k->out->n_votes; i++) {
        pr_message vote;
        if (!read_index(k, &signer, &last)) return malformed(k, "votes");
        message_of(k, &vote, PR_MESSAGE_VOTE, signer);
        vote.verdict = PR_VOTE_APPROVE;
        if (!pr_attestation_read(&k->r, &vote.attestation)) return malformed(k, "attestation");
        pr_read_bytes(&k->r, vote.signature, PR_SIGNATURE_BYTES);
        if (k->r.failed) return malformed(k, "votes");
        if (committee) PR_TRY(check_vote(k, &vote, committee));
    }
    return pr_reader_done(&k->r) ? PR_OK : malformed(k, "end");
}

static pr_status walk_quorum(walk *k) {
    pr_committee committee;
    const pr_certificate *c = k->out;
    pr_draw draw = {&k->terms->seed, &c->subject.job, c->n_validators, c->subject.prover, k->terms->committee_size};
    pr_committee_draw(&committee, k->registry, &draw, &k->excluded);
    k->out->committee = committee.stake;
    PR_TRY(walk_votes(k, &committee));
    if (pr_quorum_reached(c->approving, c->committee)) return PR_OK;
    return pr_fail(k->err, PR_ERR_REFUSED, "certificate: stake %llu of %llu approves, more than two thirds are needed",
                   (unsigned long long)c->approving, (unsigned long long)c->committee);
}

static pr_status walk_all(walk *k, const uint8_t *data, size_t size) {
    *k->out = (pr_certificate){0};
    pr_reader_init(&k->r, data, size);
    PR_TRY(walk_head(k));
    PR_TRY(walk_removed(k));
    PR_TRY(walk_absent(k));
    return k->terms ? walk_quorum(k) : walk_votes(k, NULL);
}

pr_status pr_certificate_decode(pr_certificate *out, const uint8_t *data, size_t size, pr_error *err) {
    walk k = {.out = out, .err = err};
    return walk_all(&k, data, size);
}

pr_status pr_certificate_check(pr_certificate *out, const uint8_t *data, size_t size, const pr_consensus_terms *terms,
                               const pr_registry *registry, const pr_crypto *crypto, pr_error *err) {
    walk k = {.out = out, .terms = terms, .registry = registry, .crypto = crypto, .err = err};
    return walk_all(&k, data, size);
}
