/* This node's own part in a round: its proof, its vote, whom it misses. Each signed statement is persisted before it is
 * sent, and what was signed before binds. */
#include "consensus/internal.h"
#include <string.h>

/* ---- votes ---- */

/* (view, attempt) of a node's votes on a job only rise, so it cannot have signed another one for the same. */
static bool may_vote(const pr_consensus *c, const pr_own *own, uint32_t attempt) {
    if (!own->voted || c->view > own->voted_view) return true;
    return c->view == own->voted_view && attempt > own->voted_attempt;
}

static bool is_locked_out(const pr_own *own, const pr_subject *subject) {
    return own->locked && !pr_hash_equal(&own->lock, &subject->proof_hash);
}

static void lock(pr_own *own, const pr_subject *subject) {
    own->locked = true;
    own->lock = subject->proof_hash;
}

/* The vote of this view and attempt that was signed before a crash, or before another round took its place. */
static void repeat_vote(pr_consensus *c, pr_entry *entry) {
    pr_message vote;
    const pr_kept *bytes = &entry->known->own.vote;
    if (!bytes->data || pr_message_decode(&vote, bytes->data, bytes->size, NULL) != PR_OK || vote.view != c->view ||
        !pr_subject_equal(&vote.subject, &entry->known->round->subject))
        return;
    if (pr_round_hold_vote(entry, &vote, bytes->data, bytes->size)) pr_machine_broadcast(c, bytes->data, bytes->size);
}

void pr_vote_cast(pr_consensus *c, pr_entry *entry) {
    pr_own *own = &entry->known->own;
    pr_round *round = entry->known->round;
    if (!may_vote(c, own, round->subject.attempt)) {
        repeat_vote(c, entry);
        return;
    }
    bool valid = pr_known_verdict(entry->known, &round->subject) == PR_PROOF_VALID;
    if (valid && is_locked_out(own, &round->subject)) {
        if (!round->locked_out) pr_machine_refuse(c, PR_REFUSED_LOCKED);
        round->locked_out = true;
        return;
    }
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size;
    pr_message vote = {.kind = PR_MESSAGE_VOTE,
                       .view = c->view,
                       .subject = round->subject,
                       .verdict = valid ? PR_VOTE_APPROVE : PR_VOTE_REJECT,
                       .reason = valid ? PR_VOTE_REASON_NONE : entry->known->reason,
                       .attestation = c->attestation};
    if (!pr_machine_sign(c, bytes, &size, &vote) || !pr_kept_set(&own->vote, bytes, size)) return;
    own->voted = true;
    own->voted_view = c->view;
    own->voted_attempt = round->subject.attempt;
    if (valid) lock(own, &round->subject);
    pr_machine_persist(c, PR_CONSENSUS_RECORD_MESSAGE, bytes, size);
    pr_round_hold_vote(entry, &vote, bytes, size);
    pr_machine_count(c, PR_COUNT_VOTE, c->self);
    pr_machine_broadcast(c, bytes, size);
}

void pr_consensus_verified(pr_consensus *c, const pr_subject *subject, pr_proof_verdict verdict,
                           pr_vote_reason reason) {
    pr_entry *entry = pr_machine_find(c, &subject->job);
    pr_known *known = entry ? pr_machine_know(c, entry) : NULL;
    if (!known) return;
    pr_round *round = known->round && pr_subject_equal(&known->round->subject, subject) ? known->round : NULL;
    if (round) {
        round->asked = false;
        round->unable = round->withheld = verdict == PR_PROOF_UNKNOWN;
        round->dirty = true;
    }
    if (verdict != PR_PROOF_UNKNOWN) {
        known->judged = verdict;
        known->judged_statement = subject->statement;
        known->judged_proof = subject->proof_hash;
        known->reason = reason > PR_VOTE_REASON_NONE && reason < PR_VOTE_REASONS ? reason : PR_VOTE_REASON_INVALID;
        pr_accuse_resolve(c, known);
    } else {
        pr_accuse_forget(c, subject);
    }
    pr_machine_settle(c);
}

/* ---- absences ---- */

static bool has_named(const pr_consensus *c, const pr_round *round, uint32_t absent) {
    for (const pr_absence *a = round->absences; a; a = a->next)
        if (a->absent == absent) return pr_set_has(&a->signers, c->self);
    return false;
}

static void name_one(pr_consensus *c, pr_entry *entry, uint32_t absent) {
    pr_own *own = &entry->known->own;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size;
    pr_message m = {
        .kind = PR_MESSAGE_ABSENCE, .view = c->view, .subject = entry->known->round->subject, .absent = absent};
    if (!pr_machine_sign(c, bytes, &size, &m)) return;
    if (pr_round_hold_absence(c, entry, &m)) {
        lock(own, &m.subject);
        pr_machine_persist(c, PR_CONSENSUS_RECORD_MESSAGE, bytes, size);
    } else if (!has_named(c, entry->known->round, absent)) {
        return; /* no memory: what is not on record is not said */
    }
    pr_machine_broadcast(c, bytes, size);
}

static bool is_missed(const pr_consensus *c, const pr_round *round, const pr_committee *committee, uint32_t i) {
    if (i == c->self || round->votes[i].bytes.data) return false;
    return pr_committee_has(committee, i) || pr_set_has(&round->absent, i); /* said again, for whoever missed it */
}

/* To say who is missing helps this proof to a certificate. So it binds like an approval, and as with one, the verifier
 * is run first: a proof that nobody can get must bind nobody. */
void pr_vote_name_absent(pr_consensus *c, pr_entry *entry, const pr_committee *committee, pr_naming naming) {
    pr_round *round = entry->known->round;
    pr_proof_verdict verdict = pr_known_verdict(entry->known, &round->subject);
    if (!pr_machine_is_active(c) || is_locked_out(&entry->known->own, &round->subject)) return;
    for (uint32_t i = 0; i < c->registry.n; i++) {
        if (!is_missed(c, round, committee, i)) continue;
        if (verdict == PR_PROOF_UNKNOWN) pr_round_ask(c, round, &round->subject);
        if (verdict == PR_PROOF_VALID && (naming == PR_NAME_ALL || !has_named(c, round, i))) name_one(c, entry, i);
    }
}

/* ---- one's own proof ---- */

void pr_vote_announce(pr_consensus *c, pr_entry *entry) {
    pr_known *known = entry->known;
    if (!known->own.pending || !pr_machine_is_active(c)) return;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m;
    size_t size = pr_machine_announcement(c, bytes, &m, &known->own.subject, known->own.announcement);
    if (!known->round) (void)pr_round_open(c, entry, &known->own.subject, known->own.announcement);
    pr_machine_broadcast(c, bytes, size);
}

static pr_status check_announcement(const pr_consensus *c, const pr_entry *entry, const pr_subject *subject,
                                    pr_error *err) {
    if (!entry) return pr_fail(err, PR_ERR_REFUSED, "announcement of a job that was not added");
    if (!pr_machine_is_active(c) || subject->prover != c->self)
        return pr_fail(err, PR_ERR_REFUSED, "announcement by validator %u, but this node is %u and %s", subject->prover,
                       c->self, pr_machine_is_active(c) ? "active" : "not active");
    if (entry->outcome == PR_ROUND_APPROVED) return pr_fail(err, PR_ERR_REFUSED, "the job is approved already");
    if (entry->known && entry->known->own.announced && subject->attempt <= entry->known->own.announced_attempt)
        return pr_fail(err, PR_ERR_REFUSED, "attempt %u was announced: the next one must be above it",
                       entry->known->own.announced_attempt);
    return PR_OK;
}

pr_status pr_consensus_announce(pr_consensus *c, const pr_subject *subject, pr_error *err) {
    pr_entry *entry = pr_machine_find(c, &subject->job);
    PR_TRY(check_announcement(c, entry, subject, err));
    pr_known *known = pr_machine_know(c, entry);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size;
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = *subject};
    if (!known) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job");
    if (!pr_machine_sign(c, bytes, &size, &m)) return pr_fail(err, PR_ERR_REFUSED, "the announcement cannot be signed");
    known->own.announced = known->own.pending = true;
    known->own.announced_attempt = subject->attempt;
    known->own.subject = *subject;
    memcpy(known->own.announcement, m.signature, PR_SIGNATURE_BYTES);
    pr_machine_persist(c, PR_CONSENSUS_RECORD_MESSAGE, bytes, size);
    pr_machine_broadcast(c, bytes, size);
    pr_receive_announcement(c, PR_NO_VALIDATOR, &m, bytes, size);
    pr_machine_settle(c);
    return PR_OK;
}

/* ---- status ---- */

void pr_vote_send_status(pr_consensus *c, uint32_t to, const pr_hash *job) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_kept kept = {bytes, 0};
    pr_message m = {
        .kind = PR_MESSAGE_STATUS, .view = c->view, .removed_mark = pr_registry_mark_convicted(&c->registry)};
    if (job) m.subject.job = *job;
    if (!pr_machine_sign(c, bytes, &kept.size, &m)) return;
    if (to == PR_NO_VALIDATOR)
        pr_machine_broadcast(c, bytes, kept.size);
    else
        pr_machine_send(c, to, &kept);
}
