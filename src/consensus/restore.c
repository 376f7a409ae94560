/* State out of one's own records, in the order in which they were written. No action comes out of it, and what was
 * checked when it was recorded is not checked again. */
#include "consensus/internal.h"
#include <string.h>

int pr_consensus_record_kind(const uint8_t *record, size_t size) {
    return size > 0 && record[0] > 0 && record[0] < PR_CONSENSUS_RECORDS ? record[0] : 0;
}

/* ---- one's own words: they bind ---- */

static void remember_own(pr_own *own, const pr_message *m, const uint8_t *data, size_t size) {
    bool approves = m->kind == PR_MESSAGE_VOTE && m->verdict == PR_VOTE_APPROVE;
    if (m->kind == PR_MESSAGE_ANNOUNCE) {
        own->announced = own->pending = true;
        own->announced_attempt = m->subject.attempt;
        own->subject = m->subject;
        memcpy(own->announcement, m->signature, PR_SIGNATURE_BYTES);
    } else if (m->kind == PR_MESSAGE_PROPOSE) {
        own->proposed = true;
        own->proposed_view = m->view;
        own->proposed_subject = m->subject;
    } else if (m->kind == PR_MESSAGE_VOTE) {
        own->voted = true;
        own->voted_view = m->view;
        own->voted_attempt = m->subject.attempt;
        (void)pr_kept_set(&own->vote, data, size);
    }
    if (approves || m->kind == PR_MESSAGE_ABSENCE) {
        own->locked = true;
        own->lock = m->subject.proof_hash;
    }
}

/* ---- rounds as they stood ---- */

static pr_round *round_for(pr_consensus *c, pr_entry *entry, const pr_message *m, const uint8_t *announcement) {
    pr_round *round = entry->known->round;
    if (round && pr_subject_equal(&round->subject, &m->subject)) return round;
    pr_round_drop(c, entry);
    if (m->kind == PR_MESSAGE_PROPOSE) pr_round_make_room(c, entry, &m->subject);
    return pr_round_open(c, entry, &m->subject, announcement);
}

static void put_message(pr_consensus *c, pr_entry *entry, const pr_message *m, const uint8_t *data, size_t size) {
    pr_round *round = entry->known->round;
    if (m->kind == PR_MESSAGE_ANNOUNCE && entry->outcome != PR_ROUND_APPROVED) {
        bool busy = round && (round->proposed || m->subject.attempt <= round->subject.attempt); /* it had to wait */
        if (!busy) (void)round_for(c, entry, m, m->signature);
    } else if (m->kind == PR_MESSAGE_PROPOSE && m->view == c->view && entry->outcome != PR_ROUND_APPROVED) {
        round = round_for(c, entry, m, m->announcement);
        if (round) round->proposed = round->ever_proposed = pr_kept_set(&round->proposal, data, size);
    } else if (m->view == c->view && round && pr_subject_equal(&round->subject, &m->subject)) {
        if (m->kind == PR_MESSAGE_VOTE) (void)pr_round_hold_vote(entry, m, data, size);
        if (m->kind == PR_MESSAGE_ABSENCE) (void)pr_round_hold_absence(c, entry, m);
    }
}

static bool restore_message(pr_consensus *c, const uint8_t *data, size_t size) {
    pr_message m;
    if (pr_message_decode(&m, data, size, NULL) != PR_OK || m.signer >= c->registry.n) return false;
    pr_entry *entry = pr_machine_find(c, &m.subject.job);
    if (!entry) return true; /* of a job that is no more */
    if (!pr_machine_know(c, entry)) return false;
    if (m.signer == c->self) remember_own(&entry->known->own, &m, data, size);
    put_message(c, entry, &m, data, size);
    return true;
}

/* ---- the other records ---- */

static bool restore_validator(pr_consensus *c, const uint8_t *data, size_t size) {
    pr_reader r;
    uint8_t key[PR_PUBLIC_KEY_BYTES];
    pr_reader_init(&r, data, size);
    pr_read_bytes(&r, key, sizeof key);
    uint64_t stake = pr_read_u64(&r);
    return pr_reader_done(&r) && pr_consensus_register(c, key, stake, NULL) == PR_OK;
}

static bool restore_view(pr_consensus *c, const uint8_t *data, size_t size) {
    uint64_t view;
    pr_kept kept = {0};
    if (pr_view_certificate_check(&view, data, size, NULL, NULL, NULL, NULL) != PR_OK || view <= c->view ||
        !pr_kept_set(&kept, data, size))
        return false;
    pr_lead_advance(c, view, kept);
    return true;
}

static bool restore_evidence(pr_consensus *c, const uint8_t *data, size_t size) {
    pr_evidence e;
    if (pr_evidence_decode(&e, data, size, NULL) != PR_OK || e.offender >= c->registry.n) return false;
    pr_accuse_apply(c, &e, data, size);
    return true;
}

static bool restore_certificate(pr_consensus *c, const uint8_t *data, size_t size) {
    pr_certificate head;
    if (pr_certificate_decode(&head, data, size, NULL) != PR_OK) return false;
    pr_entry *entry = pr_machine_find(c, &head.subject.job);
    if (!entry) return true;
    pr_kept kept = {0};
    if (!pr_machine_know(c, entry) || !pr_kept_set(&kept, data, size)) return false;
    pr_round_approve(c, entry, &head.subject, head.view, kept);
    return true;
}

static bool restore_outcome(pr_consensus *c, const uint8_t *data, size_t size) {
    pr_reader r;
    pr_subject subject;
    pr_reader_init(&r, data, size);
    pr_subject_read(&r, &subject);
    uint64_t view = pr_read_u64(&r);
    uint8_t outcome = pr_read_u8(&r);
    if (!pr_reader_done(&r) || outcome == PR_ROUND_OPEN || outcome >= PR_ROUND_OUTCOMES) return false;
    pr_entry *entry = pr_machine_find(c, &subject.job);
    if (!entry || entry->outcome == PR_ROUND_APPROVED) return true;
    if (!pr_machine_know(c, entry)) return false;
    pr_round_end(c, entry, &subject, view, (pr_round_outcome)outcome);
    return true;
}

pr_status pr_consensus_restore(pr_consensus *c, const uint8_t *record, size_t size, pr_error *err) {
    PR_ASSERT(!c->started);
    int kind = pr_consensus_record_kind(record, size);
    const uint8_t *data = record + 1;
    bool good = false;
    c->restoring = true;
    switch (kind) {
    case PR_CONSENSUS_RECORD_VALIDATOR:
        good = restore_validator(c, data, size - 1);
        break;
    case PR_CONSENSUS_RECORD_MESSAGE:
        good = restore_message(c, data, size - 1);
        break;
    case PR_CONSENSUS_RECORD_VIEW:
        good = restore_view(c, data, size - 1);
        break;
    case PR_CONSENSUS_RECORD_CERTIFICATE:
        good = restore_certificate(c, data, size - 1);
        break;
    case PR_CONSENSUS_RECORD_EVIDENCE:
        good = restore_evidence(c, data, size - 1);
        break;
    case PR_CONSENSUS_RECORD_OUTCOME:
        good = restore_outcome(c, data, size - 1);
        break;
    case PR_CONSENSUS_RECORD_AWAY:
        good = size == 1 + PR_AWAY_BYTES;
        break;
    default:
        break;
    }
    c->restoring = false;
    if (good) return PR_OK;
    return pr_fail(err, PR_ERR_MALFORMED, "consensus record of kind %d, %zu bytes: does not decode or fit", kind, size);
}
