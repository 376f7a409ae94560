/* Who leads: proposals, and the way to the next view. */
#include "consensus/internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- proposals ---- */

/* (view, attempt) of a node's proposals for a job only rise; the last one may be said again as it was. */
static bool may_propose(const pr_consensus *c, const pr_own *own, const pr_subject *s) {
    if (!own->proposed || c->view > own->proposed_view) return true;
    if (c->view < own->proposed_view || s->attempt < own->proposed_subject.attempt) return false;
    return s->attempt > own->proposed_subject.attempt || pr_subject_equal(&own->proposed_subject, s);
}

static bool is_wanted(const pr_consensus *c, const pr_round *round) {
    return (round->ever_proposed && !round->withheld) || !c->config.admits ||
           c->config.admits(c->config.admits_context, &round->subject);
}

bool pr_lead_hands_out(const pr_consensus *c, const pr_subject *subject) {
    return c->leader == c->self && c->config.admits && c->config.admits(c->config.admits_context, subject);
}

void pr_lead_propose(pr_consensus *c, pr_entry *entry) {
    pr_round *round = entry->known->round;
    pr_own *own = &entry->known->own;
    if (c->leader != c->self || round->proposed || !may_propose(c, own, &round->subject) || !is_wanted(c, round))
        return;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size;
    pr_message m = {.kind = PR_MESSAGE_PROPOSE, .view = c->view, .subject = round->subject};
    memcpy(m.announcement, round->announcement, PR_SIGNATURE_BYTES);
    if (!pr_machine_sign(c, bytes, &size, &m) || !pr_round_propose(c, round, bytes, size)) return;
    own->proposed = true;
    own->proposed_view = c->view;
    own->proposed_subject = round->subject;
    pr_machine_broadcast(c, bytes, size);
}

/* ---- the view ---- */

static void tell_view(pr_consensus *c, const pr_kept *certificate) {
    pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_VIEW,
                                              .view = c->view,
                                              .validator = c->leader,
                                              .data = certificate ? certificate->data : NULL,
                                              .size = certificate ? certificate->size : 0});
}

void pr_lead_update(pr_consensus *c) {
    uint32_t leader = pr_registry_leader(&c->registry, c->view);
    if (leader == c->leader) return;
    c->leader = leader;
    pr_machine_count(c, PR_COUNT_VIEW_CHANGE, PR_VIEW_LEADER_REMOVED);
    tell_view(c, NULL);
}

/* To the new leader. A round's timer would do it, but whoever announces higher and higher attempts sets that anew. */
static void announce_again(pr_consensus *c) {
    for (uint32_t i = 0; i < c->n_entries && c->started; i++)
        if (c->entries[i].known && c->entries[i].known->own.pending) pr_vote_announce(c, &c->entries[i]);
}

void pr_lead_advance(pr_consensus *c, uint64_t view, pr_kept certificate) {
    pr_kept_clear(&c->view_certificate);
    c->view_certificate = certificate;
    c->view = view;
    c->leader = pr_registry_leader(&c->registry, view);
    pr_machine_persist(c, PR_CONSENSUS_RECORD_VIEW, certificate.data, certificate.size);
    pr_machine_count(c, PR_COUNT_VIEW_CHANGE, PR_VIEW_TIMEOUT);
    tell_view(c, &certificate);
    pr_machine_broadcast(c, certificate.data, certificate.size);
    for (uint32_t i = 0; i < c->n_open; i++) pr_round_begin_view(c, &c->entries[c->open[i]]);
    announce_again(c);
    c->dirty = true;
}

static uint64_t stake_for(const pr_consensus *c, uint64_t view, pr_validator_set *signers) {
    uint64_t stake = 0;
    for (uint32_t i = 0; i < c->registry.n; i++) {
        if (c->peers[i].wanted_view != view || !pr_registry_is_active(&c->registry, i)) continue;
        pr_set_add(signers, i);
        stake += c->registry.validators[i].stake;
    }
    return stake;
}

static pr_kept certify(const pr_consensus *c, uint64_t view, const pr_validator_set *signers) {
    pr_kept none = {0};
    uint8_t(*signatures)[PR_SIGNATURE_BYTES] = calloc(c->registry.n, sizeof *signatures);
    if (!signatures) return none;
    for (uint32_t i = 0; i < c->registry.n; i++) memcpy(signatures[i], c->peers[i].view_signature, PR_SIGNATURE_BYTES);
    pr_writer w;
    pr_writer_init(&w);
    pr_view_certificate_write(&w, &c->config.terms.run, view, &c->registry, signers,
                              (const uint8_t(*)[PR_SIGNATURE_BYTES])signatures);
    free(signatures);
    return pr_kept_take(&w);
}

/* More than a third of the stake wants to go further than this node has asked for: one of them is honest, so go along,
 * no further than the least of them. 0: they do not. */
static uint64_t view_to_join(const pr_consensus *c) {
    uint64_t beyond = c->target > c->view ? c->target : c->view, least = 0, stake = 0;
    for (uint32_t i = 0; i < c->registry.n; i++) {
        uint64_t wanted = c->peers[i].wanted_view;
        if (wanted <= beyond || !pr_registry_is_active(&c->registry, i)) continue;
        stake += c->registry.validators[i].stake;
        if (least == 0 || wanted < least) least = wanted;
    }
    return 3 * stake > c->registry.active_stake ? least : 0;
}

void pr_lead_consider(pr_consensus *c, uint64_t view) {
    pr_validator_set signers = {{0}};
    if (view > c->view && pr_quorum_reached(stake_for(c, view, &signers), c->registry.active_stake)) {
        pr_kept certificate = certify(c, view, &signers);
        if (certificate.data) pr_lead_advance(c, view, certificate);
        return;
    }
    uint64_t join = view_to_join(c);
    if (join) pr_lead_ask(c, join);
}

/* Not persisted: a node may ask for as many views as it likes. */
void pr_lead_ask(pr_consensus *c, uint64_t view) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size;
    pr_message m = {.kind = PR_MESSAGE_VIEW_CHANGE, .view = view};
    if (!pr_machine_sign(c, bytes, &size, &m)) return;
    c->target = view;
    c->peers[c->self].wanted_view = view;
    memcpy(c->peers[c->self].view_signature, m.signature, PR_SIGNATURE_BYTES);
    pr_machine_broadcast(c, bytes, size);
    pr_lead_consider(c, view);
}

void pr_lead_leave(pr_consensus *c) { pr_lead_ask(c, c->target > c->view ? c->target : c->view + 1); }

void pr_consensus_suspect_leader(pr_consensus *c) {
    if (c->leader != c->self) pr_lead_leave(c);
    pr_machine_settle(c);
}

/* ---- the view's timer ---- */

void pr_lead_watch(pr_consensus *c) {
    bool wanted = c->n_open > 0;
    if (wanted == c->view_timer) return;
    c->view_timer = wanted;
    if (wanted)
        pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_START_TIMER,
                                                  .timer = PR_VIEW_TIMER,
                                                  .ms = c->config.view_timeout_ms});
    else
        pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_CANCEL_TIMER, .timer = PR_VIEW_TIMER});
}

/* What the leader has not proposed, or though the proof cannot be had, or in the place of what it had proposed: it may
 * do so again and again, before some of the others alone, and then no vote of theirs meets one of the rest. And a
 * leader itself knows what it would propose but for a higher attempt that it has proposed in this view: the others may
 * be too few to go on without it. */
static bool lies_idle(const pr_consensus *c, const pr_known *known) {
    const pr_round *round = known->round;
    if (c->leader != c->self) return !round->proposed || round->withheld || round->overtook;
    return !round->proposed && is_wanted(c, round) && !may_propose(c, &known->own, &round->subject);
}

/* Some round does so since the timer ran out last time. */
static bool has_waited(pr_consensus *c) {
    bool waited = false;
    for (uint32_t i = 0; i < c->n_open; i++) {
        const pr_known *known = c->entries[c->open[i]].known;
        waited |= known->round->waited && lies_idle(c, known);
        known->round->waited = true;
    }
    return waited;
}

void pr_lead_expire(pr_consensus *c) {
    c->view_timer = false; /* settle starts it again where it is needed */
    if (has_waited(c)) pr_lead_leave(c);
}
