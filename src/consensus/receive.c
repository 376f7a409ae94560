/* What others send: one function a kind. The cheap questions come first, the signature before anything is kept. */
#include "consensus/internal.h"
#include <string.h>

static bool is_signed(pr_consensus *c, const pr_message *m, const uint8_t *data, size_t size) {
    bool good = pr_message_verify(data, size, m, &c->registry, &c->crypto);
    if (!good) pr_machine_refuse(c, PR_REFUSED_SIGNATURE);
    return good;
}

static pr_entry *entry_of(pr_consensus *c, const pr_message *m) {
    pr_entry *entry = pr_machine_find(c, &m->subject.job);
    if (!entry) pr_machine_refuse(c, PR_REFUSED_UNKNOWN_JOB);
    return entry;
}

/* Who is in an older view is shown the way to ours; who is in a newer one is asked for it. */
static bool same_view(pr_consensus *c, uint32_t from, const pr_message *m) {
    if (m->view == c->view) return true;
    pr_machine_refuse(c, PR_REFUSED_OTHER_VIEW);
    if (m->view < c->view)
        pr_machine_send(c, from, &c->view_certificate);
    else
        pr_vote_send_status(c, from, NULL);
    return false;
}

/* ---- announcements ---- */

/* Also while another round of the job is open: else what is said again of this one would take its place. */
static bool is_over(const pr_known *known, const pr_subject *subject) {
    return known->as != PR_ROUND_OPEN && pr_subject_equal(&known->decided, subject);
}

static void contradict_announcement(pr_consensus *c, const pr_round *round, const pr_message *m, const uint8_t *data,
                                    size_t size) {
    pr_message first;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t first_size = pr_machine_announcement(c, bytes, &first, &round->subject, round->announcement);
    if (pr_messages_contradict(&first, bytes, first_size, m, data, size))
        pr_accuse(c, PR_EVIDENCE_EQUIVOCATION, m->signer, bytes, first_size, data, size);
    else
        pr_machine_refuse(c, PR_REFUSED_STALE);
}

/* Nor does this leader carry on what was proposed in an earlier view and cannot be had. */
static bool is_given_up(const pr_consensus *c, const pr_round *round, const pr_subject *to) {
    return round->withheld && !round->proposed && !pr_lead_hands_out(c, &round->subject) && pr_lead_hands_out(c, to);
}

static void end_unvoted(pr_consensus *c, pr_entry *entry, const pr_message *m) {
    if (entry->outcome != PR_ROUND_OPEN) return;
    if (pr_round_open(c, entry, &m->subject, m->signature)) pr_round_close(c, entry, PR_ROUND_UNVOTED);
}

/* This leader's scheduler does not know it (any more): the round gives way to what the scheduler has handed out. One
 * that nobody has proposed does so whatever the attempts, else a liar that announces a high attempt would keep the job
 * from everybody; one that was proposed, in a session that was interrupted or by a prover that was lost, to higher
 * ones. */
static bool gives_way(const pr_consensus *c, const pr_round *round, const pr_subject *to) {
    const pr_consensus_config *f = &c->config;
    if (c->leader != c->self || !f->admits || (round->ever_proposed && to->attempt <= round->subject.attempt))
        return false;
    return !f->admits(f->admits_context, &round->subject) && f->admits(f->admits_context, to);
}

void pr_receive_announcement(pr_consensus *c, uint32_t from, const pr_message *m, const uint8_t *data, size_t size) {
    pr_entry *entry = entry_of(c, m);
    pr_known *known = entry ? pr_machine_know(c, entry) : NULL;
    if (!known) return;
    if (entry->outcome == PR_ROUND_APPROVED) {
        pr_machine_send(c, from, &known->certificate);
        return;
    }
    if (c->config.terms.committee_size == 0) {
        end_unvoted(c, entry, m);
        return;
    }
    const pr_round *round = known->round;
    if (round && pr_subject_equal(&round->subject, &m->subject)) return;
    bool handed_out = pr_lead_hands_out(c, &m->subject);
    bool stands = round && (round->proposed || m->subject.attempt <= round->subject.attempt ||
                            (!handed_out && pr_lead_hands_out(c, &round->subject)));
    if (stands && !gives_way(c, round, &m->subject) && !is_given_up(c, round, &m->subject)) {
        contradict_announcement(c, round, m, data, size);
        return;
    }
    if (is_over(known, &m->subject)) {
        pr_machine_refuse(c, PR_REFUSED_STALE);
        return;
    }
    if (handed_out) pr_round_make_room(c, entry, &m->subject);
    (void)pr_round_replace(c, entry, &m->subject, m->signature);
}

/* ---- proposals ---- */

/* Whether the prover signed it: checked here, or when this very signature came with the round. */
static bool is_announced(pr_consensus *c, const pr_round *round, const pr_message *m) {
    pr_message announcement;
    if (round && pr_subject_equal(&round->subject, &m->subject) &&
        memcmp(round->announcement, m->announcement, PR_SIGNATURE_BYTES) == 0)
        return true;
    pr_message_announcement_of(&announcement, m);
    bool good = pr_message_verify_fields(&announcement, &c->registry, &c->crypto);
    if (!good) pr_machine_refuse(c, PR_REFUSED_SIGNATURE);
    return good;
}

/* Two announcements of one prover for one attempt: the second comes inside a proposal. */
static void compare_announcements(pr_consensus *c, const pr_round *round, const pr_message *proposal) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message second;
    if (round->subject.prover != proposal->subject.prover || round->subject.attempt != proposal->subject.attempt)
        return;
    pr_message_announcement_of(&second, proposal);
    size_t size = pr_message_encode(bytes, &second);
    contradict_announcement(c, round, &second, bytes, size);
}

/* A round that timed out in an earlier view may be proposed again in this one; what was rejected may not. */
static bool may_begin(const pr_consensus *c, const pr_known *known, const pr_subject *subject) {
    return !is_over(known, subject) || (known->as == PR_ROUND_TIMEOUT && c->view > known->decided_view);
}

/* Makes room for what is proposed. False: it is refused, or the round is there already. */
static bool begin_proposed(pr_consensus *c, pr_entry *entry, const pr_message *m, const uint8_t *data, size_t size) {
    pr_known *known = entry->known;
    pr_round *round = known->round;
    if (round && !pr_subject_equal(&round->subject, &m->subject)) compare_announcements(c, round, m);
    if (round && round->proposed) {
        if (pr_subject_equal(&round->subject, &m->subject)) return false;
        if (m->subject.attempt == round->subject.attempt) {
            const pr_kept *first = &round->proposal;
            pr_accuse(c, PR_EVIDENCE_EQUIVOCATION, m->signer, first->data, first->size, data, size);
            return false;
        }
        if (m->subject.attempt < round->subject.attempt) {
            pr_machine_refuse(c, PR_REFUSED_STALE);
            return false;
        }
    }
    if (round && pr_subject_equal(&round->subject, &m->subject)) return true;
    if (!may_begin(c, known, &m->subject)) {
        pr_machine_refuse(c, PR_REFUSED_STALE);
        return false;
    }
    if (round && round->proposed && round->overtakings >= PR_ROUND_OVERTAKINGS) { /* each is put on record */
        pr_machine_refuse(c, PR_REFUSED_FULL);
        return false;
    }
    pr_round_make_room(c, entry, &m->subject);
    return pr_round_replace(c, entry, &m->subject, m->announcement) != NULL;
}

static void receive_proposal(pr_consensus *c, uint32_t from, const pr_message *m, const uint8_t *data, size_t size) {
    pr_entry *entry = entry_of(c, m);
    if (!entry || !same_view(c, from, m)) return;
    if (m->signer != c->leader) {
        pr_machine_refuse(c, PR_REFUSED_NOT_LEADER);
        pr_vote_send_status(c, from, NULL);
        return;
    }
    pr_known *known = pr_machine_know(c, entry);
    if (!known) return;
    if (entry->outcome == PR_ROUND_APPROVED || c->config.terms.committee_size == 0) {
        pr_machine_send(c, from, &known->certificate);
        return;
    }
    if (!is_announced(c, known->round, m) || !begin_proposed(c, entry, m, data, size)) return;
    (void)pr_round_propose(c, known->round, data, size); /* else as if it had been lost */
}

/* ---- votes ---- */

/* After an approval that our own verifier confirms, a vote that says otherwise is still a lie. */
static void receive_late_vote(pr_consensus *c, const pr_known *known, const pr_message *m, const uint8_t *data,
                              size_t size) {
    pr_proof_verdict verdict = pr_known_verdict(known, &m->subject);
    if (verdict != PR_PROOF_UNKNOWN && (m->verdict == PR_VOTE_APPROVE) != (verdict == PR_PROOF_VALID))
        pr_accuse(c, PR_EVIDENCE_WRONG_VOTE, m->signer, data, size, NULL, 0);
}

static void receive_vote(pr_consensus *c, uint32_t from, const pr_message *m, const uint8_t *data, size_t size) {
    pr_entry *entry = entry_of(c, m);
    if (!entry || !same_view(c, from, m)) return;
    pr_known *known = entry->known;
    if (known && !known->round && is_over(known, &m->subject)) {
        receive_late_vote(c, known, m, data, size);
        return;
    }
    if (!known || !known->round) {
        pr_machine_refuse(c, PR_REFUSED_UNKNOWN_ROUND);
        return;
    }
    const pr_kept *held = &known->round->votes[m->signer].bytes;
    pr_message first;
    if (held->data && pr_message_decode(&first, held->data, held->size, NULL) == PR_OK &&
        pr_messages_contradict(&first, held->data, held->size, m, data, size)) {
        pr_accuse(c, PR_EVIDENCE_EQUIVOCATION, m->signer, held->data, held->size, data, size);
        return;
    }
    if (!pr_subject_equal(&known->round->subject, &m->subject)) {
        pr_machine_refuse(c, PR_REFUSED_UNKNOWN_ROUND);
        return;
    }
    if (!pr_round_hold_vote(entry, m, data, size)) return;
    pr_round_record(c, known->round, data, size);
    pr_machine_count(c, PR_COUNT_VOTE, m->signer);
}

/* ---- absences ---- */

static void receive_absence(pr_consensus *c, uint32_t from, const pr_message *m, const uint8_t *data, size_t size) {
    pr_entry *entry = entry_of(c, m);
    if (!entry || !same_view(c, from, m)) return;
    pr_known *known = entry->known;
    if (!known || !known->round || !pr_subject_equal(&known->round->subject, &m->subject)) {
        pr_machine_refuse(c, PR_REFUSED_UNKNOWN_ROUND);
        return;
    }
    pr_committee committee;
    pr_round_committee(c, &committee, &m->subject, &known->round->absent);
    if (!pr_committee_has(&committee, m->absent)) return; /* nobody waits for it here */
    if (pr_round_hold_absence(c, entry, m)) pr_round_record(c, known->round, data, size);
}

/* ---- views ---- */

static void receive_view_change(pr_consensus *c, uint32_t from, const pr_message *m) {
    if (m->view <= c->view) {
        pr_machine_send(c, from, &c->view_certificate);
        return;
    }
    pr_peer *peer = &c->peers[m->signer];
    if (m->view <= peer->wanted_view) return;
    peer->wanted_view = m->view;
    memcpy(peer->view_signature, m->signature, PR_SIGNATURE_BYTES);
    pr_lead_consider(c, m->view);
}

static void receive_view_certificate(pr_consensus *c, uint32_t from, const uint8_t *data, size_t size) {
    uint64_t view = 0;
    pr_kept kept = {0};
    pr_status status = pr_view_certificate_check(&view, data, size, NULL, NULL, NULL, NULL);
    if (status == PR_OK && view <= c->view) return;
    if (status == PR_OK)
        status = pr_view_certificate_check(&view, data, size, &c->config.terms.run, &c->registry, &c->crypto, NULL);
    if (status == PR_OK && pr_kept_set(&kept, data, size)) {
        pr_lead_advance(c, view, kept);
        return;
    }
    pr_machine_refuse(c, status == PR_ERR_MALFORMED ? PR_REFUSED_MALFORMED : PR_REFUSED_CERTIFICATE);
    if (status == PR_ERR_REFUSED) pr_vote_send_status(c, from, NULL); /* for the evidence we may lack */
}

static void receive_status(pr_consensus *c, uint32_t from, const pr_message *m) {
    if (m->view < c->view) pr_machine_send(c, from, &c->view_certificate);
    if (m->view > c->view) pr_vote_send_status(c, from, NULL);
    if (m->removed_mark != pr_registry_mark_convicted(&c->registry))
        for (uint32_t i = 0; i < c->registry.n; i++) pr_machine_send(c, from, &c->peers[i].evidence);
    const pr_entry *entry = pr_machine_find(c, &m->subject.job);
    if (entry && entry->known) pr_machine_send(c, from, &entry->known->certificate);
}

/* ---- certificates ---- */

static void take_certificate(pr_consensus *c, pr_entry *entry, const pr_certificate *head, const uint8_t *data,
                             size_t size) {
    pr_known *known = pr_machine_know(c, entry);
    pr_kept kept = {0};
    if (!known) return;
    if (pr_known_verdict(known, &head->subject) == PR_PROOF_INVALID)
        pr_machine_refuse(c, PR_REFUSED_CONFLICT);
    else if (pr_kept_set(&kept, data, size))
        pr_round_approve(c, entry, &head->subject, head->view, kept);
}

static void receive_certificate(pr_consensus *c, uint32_t from, const uint8_t *data, size_t size) {
    pr_certificate head;
    if (pr_certificate_decode(&head, data, size, NULL) != PR_OK) {
        pr_machine_refuse(c, PR_REFUSED_MALFORMED);
        return;
    }
    pr_entry *entry = pr_machine_find(c, &head.subject.job);
    if (!entry) {
        pr_machine_refuse(c, PR_REFUSED_UNKNOWN_JOB);
        return;
    }
    bool approved = entry->outcome == PR_ROUND_APPROVED;
    if (approved && pr_hash_equal(&entry->known->decided.proof_hash, &head.subject.proof_hash)) return;
    pr_status status = pr_certificate_check(&head, data, size, &c->config.terms, &c->registry, &c->crypto, NULL);
    if (status == PR_OK && approved) {
        pr_machine_refuse(c, PR_REFUSED_CONFLICT);
    } else if (status == PR_OK) {
        take_certificate(c, entry, &head, data, size);
    } else {
        pr_machine_refuse(c, PR_REFUSED_CERTIFICATE);
        pr_vote_send_status(c, from, NULL);
    }
}

/* ---- all of them ---- */

static void receive_signed(pr_consensus *c, uint32_t from, const uint8_t *data, size_t size) {
    pr_message m;
    if (pr_message_decode(&m, data, size, NULL) != PR_OK) {
        pr_machine_refuse(c, PR_REFUSED_MALFORMED);
        return;
    }
    if (!pr_hash_equal(&m.run, &c->config.terms.run)) {
        pr_machine_refuse(c, PR_REFUSED_OTHER_RUN);
        return;
    }
    bool counted = m.kind == PR_MESSAGE_ANNOUNCE || m.n_validators == c->registry.n;
    if (m.signer == c->self) return; /* an echo; what we have said we know */
    if (!counted || !pr_registry_is_active(&c->registry, m.signer)) {
        pr_machine_refuse(c, PR_REFUSED_VALIDATOR);
        return;
    }
    bool keeps = m.kind != PR_MESSAGE_STATUS && m.kind != PR_MESSAGE_VIEW_CHANGE && m.kind != PR_MESSAGE_BATCH;
    if (keeps && !entry_of(c, &m)) return;
    if (!is_signed(c, &m, data, size)) return;
    switch (m.kind) {
    case PR_MESSAGE_ANNOUNCE:
        pr_receive_announcement(c, from, &m, data, size);
        break;
    case PR_MESSAGE_PROPOSE:
        receive_proposal(c, from, &m, data, size);
        break;
    case PR_MESSAGE_VOTE:
        receive_vote(c, from, &m, data, size);
        break;
    case PR_MESSAGE_ABSENCE:
        receive_absence(c, from, &m, data, size);
        break;
    case PR_MESSAGE_VIEW_CHANGE:
        receive_view_change(c, from, &m);
        break;
    case PR_MESSAGE_STATUS:
        receive_status(c, from, &m);
        break;
    case PR_MESSAGE_BATCH:
        pr_receive_batch(c, &m);
        break;
    default:
        break;
    }
}

void pr_consensus_receive(pr_consensus *c, uint32_t from, const uint8_t *data, size_t size) {
    switch (pr_message_peek(data, size)) {
    case PR_MESSAGE_CERTIFICATE:
        receive_certificate(c, from, data, size);
        break;
    case PR_MESSAGE_VIEW_CERTIFICATE:
        receive_view_certificate(c, from, data, size);
        break;
    case PR_MESSAGE_EVIDENCE:
        pr_accuse_take(c, data, size);
        break;
    default:
        receive_signed(c, from, data, size);
        break;
    }
    pr_machine_settle(c);
}
