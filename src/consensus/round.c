/* Rounds: opening, what they hold, counting, closing. */
#include "consensus/internal.h"
#include <stdlib.h>
#include <string.h>

#define PR_ROUND_VIEWS 4u /* with all its retries in this many, a round has waited long enough */

/* ---- opening and closing ---- */

static void clear_view(const pr_consensus *c, pr_round *round) {
    for (uint32_t i = 0; i < c->registry.n; i++) pr_kept_clear(&round->votes[i].bytes);
    while (round->absences) {
        pr_absence *next = round->absences->next;
        free(round->absences);
        round->absences = next;
    }
    pr_kept_clear(&round->proposal);
    round->absent = (pr_validator_set){{0}};
    round->has_absent = round->proposed = round->waited = round->overtook = false;
    round->overtakings = 0;
    if (!round->withheld) round->timeouts = 0; /* what nobody can get must end, however often the view changes */
}

/* A view may bring what the last one did not, but not for ever: who keeps others waiting makes the view change, so it
 * would keep this round, its place and the next view change going as well. */
static bool is_over_time(const pr_consensus *c, const pr_round *round) {
    return round->timeouts > c->config.retries || round->age > PR_ROUND_VIEWS * ((uint64_t)c->config.retries + 1);
}

static void start_timer(pr_consensus *c, const pr_entry *entry) {
    pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_START_TIMER,
                                              .timer = pr_timer_of(c, entry),
                                              .ms = c->config.round_timeout_ms});
}

static bool is_own(const pr_consensus *c, const pr_subject *subject) { return subject->prover == c->self; }

/* Own proofs have places of their own. Shared ones were taken by own proofs, and then this node could not vote on what
 * was proposed; the others could not go on to its proof before that had its vote. */
static bool has_room(const pr_consensus *c, const pr_entry *entry, const pr_subject *subject) {
    const pr_round *old = entry->known->round;
    bool own = is_own(c, subject), has_its_place = old && is_own(c, &old->subject) == own;
    return has_its_place || (own ? c->n_open_own : c->n_open - c->n_open_own) < c->config.max_open_rounds;
}

pr_round *pr_round_open(pr_consensus *c, pr_entry *entry, const pr_subject *subject,
                        const uint8_t announcement[PR_SIGNATURE_BYTES]) {
    PR_ASSERT(entry->known && !entry->known->round);
    pr_round *round = has_room(c, entry, subject) ? calloc(1, sizeof *round) : NULL;
    if (round) round->votes = calloc(c->registry.n, sizeof *round->votes);
    if (!round || !round->votes) {
        free(round);
        pr_machine_refuse(c, PR_REFUSED_FULL);
        return NULL;
    }
    round->subject = *subject;
    memcpy(round->announcement, announcement, PR_SIGNATURE_BYTES);
    round->dirty = c->dirty = true;
    entry->known->round = round;
    entry->outcome = PR_ROUND_OPEN;
    c->open[c->n_open++] = (uint32_t)(entry - c->entries);
    c->n_open_own += is_own(c, subject);
    start_timer(c, entry);
    return round;
}

void pr_round_drop(pr_consensus *c, pr_entry *entry) {
    pr_round *round = entry->known->round;
    if (!round) return;
    for (uint32_t i = 0; i < c->n_open; i++)
        if (&c->entries[c->open[i]] == entry) c->open[i] = c->open[c->n_open - 1];
    c->n_open--;
    c->n_open_own -= is_own(c, &round->subject);
    clear_view(c, round);
    free(round->votes);
    free(round);
    entry->known->round = NULL;
    pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_CANCEL_TIMER, .timer = pr_timer_of(c, entry)});
}

/* How long a job has waited, and that it is overtaken, stays known: else a liar that overtakes itself again and again
 * would keep everybody patient for ever, those as well who are not of the committee and never asked for the proof. */
pr_round *pr_round_replace(pr_consensus *c, pr_entry *entry, const pr_subject *subject,
                           const uint8_t announcement[PR_SIGNATURE_BYTES]) {
    const pr_round *old = entry->known->round;
    bool waited = old && old->waited, overtook = old && (old->proposed || old->overtook);
    uint32_t overtakings = old ? old->overtakings + old->proposed : 0;
    if (!has_room(c, entry, subject)) {
        pr_machine_refuse(c, PR_REFUSED_FULL);
        return NULL;
    }
    pr_round_drop(c, entry);
    pr_round *round = pr_round_open(c, entry, subject, announcement);
    if (!round) return NULL;
    round->waited = waited;
    round->overtook = overtook;
    round->overtakings = overtakings;
    return round;
}

/* When every place is taken, a round gives its up that nobody has proposed, that is not on this node's own proof, and
 * that this node would not propose: for what is proposed, and at the leader for what its scheduler has handed out. Else
 * one liar that announces every job would leave no room for the run. */
void pr_round_make_room(pr_consensus *c, const pr_entry *entry, const pr_subject *subject) {
    for (uint32_t i = 0; !is_own(c, subject) && !has_room(c, entry, subject) && i < c->n_open; i++) {
        pr_entry *other = &c->entries[c->open[i]];
        const pr_subject *held = &other->known->round->subject;
        if (!other->known->round->ever_proposed && !is_own(c, held) && (c->restoring || !pr_lead_hands_out(c, held)))
            pr_round_drop(c, other);
    }
}

/* ---- what is put on record ---- */

/* What nobody has proposed is not: else whoever announces higher and higher attempts at a job would make the others'
 * journals grow for ever. After a crash its prover says it again. */
void pr_round_record(pr_consensus *c, const pr_round *round, const uint8_t *data, size_t size) {
    if (round->proposed) pr_machine_persist(c, PR_CONSENSUS_RECORD_MESSAGE, data, size);
}

static void record_announcement(pr_consensus *c, const pr_round *round) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m;
    size_t size = pr_machine_announcement(c, bytes, &m, &round->subject, round->announcement);
    pr_round_record(c, round, bytes, size);
}

bool pr_round_propose(pr_consensus *c, pr_round *round, const uint8_t *data, size_t size) {
    bool is_new =
        !round->ever_proposed && !is_own(c, &round->subject); /* own ones are on record since they were made */
    if (!pr_kept_set(&round->proposal, data, size)) return false;
    round->proposed = round->ever_proposed = round->dirty = true;
    if (is_new) record_announcement(c, round);
    pr_round_record(c, round, data, size);
    for (uint32_t i = 0; i < c->registry.n; i++) { /* those that came before it */
        const pr_kept *vote = &round->votes[i].bytes;
        if (vote->data) pr_round_record(c, round, vote->data, vote->size);
    }
    return true;
}

void pr_round_begin_view(pr_consensus *c, pr_entry *entry) {
    clear_view(c, entry->known->round);
    entry->known->round->dirty = true;
    entry->known->round->age++;
    start_timer(c, entry);
}

static void record_outcome(pr_consensus *c, const pr_subject *subject, uint64_t view, pr_round_outcome outcome) {
    uint8_t bytes[PR_SUBJECT_BYTES + 9];
    pr_writer w = {.data = bytes, .capacity = sizeof bytes};
    pr_subject_write(&w, subject);
    pr_write_u64(&w, view);
    pr_write_u8(&w, (uint8_t)outcome);
    pr_machine_persist(c, PR_CONSENSUS_RECORD_OUTCOME, bytes, w.size);
}

/* The end of a round on subject, persisted before it is told. */
void pr_round_end(pr_consensus *c, pr_entry *entry, const pr_subject *of, uint64_t view, pr_round_outcome outcome) {
    pr_known *known = entry->known;
    pr_subject subject = *of; /* it may live in the round */
    record_outcome(c, &subject, view, outcome);
    entry->outcome = outcome;
    known->decided = subject;
    known->as = outcome;
    known->decided_view = view;
    pr_round_drop(c, entry);
    if (outcome == PR_ROUND_REJECTED && pr_hash_equal(&known->own.lock, &subject.proof_hash)) known->own.locked = false;
    bool retry = outcome == PR_ROUND_REJECTED || outcome == PR_ROUND_TIMEOUT;
    if (!retry || pr_subject_equal(&subject, &known->own.subject)) known->own.pending = false;
    pr_machine_count(c, PR_COUNT_ROUND, outcome);
    pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_OUTCOME,
                                              .subject = subject,
                                              .view = view,
                                              .outcome = outcome,
                                              .data = known->certificate.data,
                                              .size = known->certificate.size});
    if (known->own.pending) pr_vote_announce(c, entry);
}

void pr_round_close(pr_consensus *c, pr_entry *entry, pr_round_outcome outcome) {
    pr_round_end(c, entry, &entry->known->round->subject, c->view, outcome);
}

void pr_round_approve(pr_consensus *c, pr_entry *entry, const pr_subject *subject, uint64_t view, pr_kept certificate) {
    pr_kept_clear(&entry->known->certificate);
    entry->known->certificate = certificate;
    pr_machine_persist(c, PR_CONSENSUS_RECORD_CERTIFICATE, certificate.data, certificate.size);
    pr_round_end(c, entry, subject, view, PR_ROUND_APPROVED);
    if (c->leader == c->self) pr_machine_broadcast(c, certificate.data, certificate.size);
}

/* ---- what a round holds ---- */

bool pr_round_hold_vote(pr_entry *entry, const pr_message *vote, const uint8_t *data, size_t size) {
    pr_round *round = entry->known->round;
    pr_held_vote *held = &round->votes[vote->signer];
    if (held->bytes.data || !pr_kept_set(&held->bytes, data, size)) return false;
    held->verdict = vote->verdict;
    round->dirty = true;
    return true;
}

static pr_absence *find_absence(pr_consensus *c, pr_round *round, uint32_t absent) {
    for (pr_absence *a = round->absences; a; a = a->next)
        if (a->absent == absent) return a;
    pr_absence *a = calloc(1, sizeof *a + (size_t)c->registry.n * PR_SIGNATURE_BYTES);
    if (!a) return NULL;
    a->absent = absent;
    a->next = round->absences;
    return round->absences = a;
}

bool pr_round_hold_absence(pr_consensus *c, pr_entry *entry, const pr_message *m) {
    pr_absence *a = find_absence(c, entry->known->round, m->absent);
    if (!a || pr_set_has(&a->signers, m->signer)) return false;
    pr_set_add(&a->signers, m->signer);
    memcpy(a->signatures[m->signer], m->signature, PR_SIGNATURE_BYTES);
    entry->known->round->dirty = true;
    return true;
}

/* ---- counting ---- */

void pr_round_committee(const pr_consensus *c, pr_committee *out, const pr_subject *subject,
                        const pr_validator_set *absent) {
    pr_validator_set excluded = {{0}};
    if (absent) excluded = *absent;
    pr_registry_add_removed(&c->registry, &excluded);
    pr_draw draw = {&c->config.terms.seed, &subject->job, c->registry.n, subject->prover,
                    c->config.terms.committee_size};
    pr_committee_draw(out, &c->registry, &draw, &excluded);
}

static bool is_established(const pr_consensus *c, const pr_absence *a) {
    uint64_t stake = 0;
    for (uint32_t i = 0; i < c->registry.n; i++)
        if (pr_set_has(&a->signers, i) && pr_registry_is_active(&c->registry, i))
            stake += c->registry.validators[i].stake;
    return pr_quorum_reached(stake, c->registry.active_stake);
}

/* Less than a third of the stake may be absent: then those who are left hold more than what may be faulty. */
static void establish_absences(const pr_consensus *c, pr_round *round) {
    uint64_t stake = 0;
    round->absent = (pr_validator_set){{0}};
    round->has_absent = false;
    for (const pr_absence *a = round->absences; a; a = a->next) {
        uint64_t more = c->registry.validators[a->absent].stake;
        if (!pr_registry_is_active(&c->registry, a->absent) || !is_established(c, a)) continue;
        if (3 * (stake + more) >= c->registry.active_stake) continue;
        stake += more;
        round->has_absent = true;
        pr_set_add(&round->absent, a->absent);
    }
}

typedef struct tally {
    uint64_t approve, reject; /* stake */
} tally;

static tally count(const pr_consensus *c, const pr_round *round, const pr_committee *committee) {
    tally t = {0, 0};
    for (uint32_t k = 0; k < committee->n; k++) {
        const pr_held_vote *held = &round->votes[committee->members[k]];
        if (!held->bytes.data) continue;
        uint64_t stake = c->registry.validators[committee->members[k]].stake;
        *(held->verdict == PR_VOTE_APPROVE ? &t.approve : &t.reject) += stake;
    }
    return t;
}

pr_proof_verdict pr_known_verdict(const pr_known *known, const pr_subject *subject) {
    bool same = pr_hash_equal(&known->judged_statement, &subject->statement) &&
                pr_hash_equal(&known->judged_proof, &subject->proof_hash);
    return same ? known->judged : PR_PROOF_UNKNOWN;
}

void pr_round_ask(pr_consensus *c, pr_round *round, const pr_subject *subject) {
    if (round && (round->asked || round->unable)) return;
    if (round) round->asked = true;
    pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_VERIFY, .subject = *subject});
}

/* Votes that our own run of the verifier contradicts. True: somebody was removed, so count anew. */
static bool accuse_liars(pr_consensus *c, pr_entry *entry, pr_proof_verdict verdict) {
    const pr_round *round = entry->known->round;
    uint32_t before = c->registry.n_active;
    for (uint32_t i = 0; i < c->registry.n; i++) {
        const pr_held_vote *held = &round->votes[i];
        if (!held->bytes.data || !pr_registry_is_active(&c->registry, i)) continue;
        if ((held->verdict == PR_VOTE_APPROVE) == (verdict == PR_PROOF_VALID)) continue;
        pr_accuse(c, PR_EVIDENCE_WRONG_VOTE, i, held->bytes.data, held->bytes.size, NULL, 0);
    }
    return c->registry.n_active != before;
}

static bool votes_differ(const pr_consensus *c, const pr_round *round) {
    bool seen[3] = {false};
    for (uint32_t i = 0; i < c->registry.n; i++)
        if (round->votes[i].bytes.data && pr_registry_is_active(&c->registry, i)) seen[round->votes[i].verdict] = true;
    return seen[PR_VOTE_APPROVE] && seen[PR_VOTE_REJECT];
}

static bool try_approve(pr_consensus *c, pr_entry *entry, const pr_committee *committee,
                        const pr_validator_set *absent) {
    pr_round *round = entry->known->round;
    if (!pr_quorum_reached(count(c, round, committee).approve, committee->stake)) return false;
    pr_kept certificate = pr_round_certify(c, round, committee, absent);
    if (!certificate.data) return false;
    pr_round_approve(c, entry, &round->subject, c->view, certificate);
    return true;
}

/* Also without the absences, which others may not have heard of. */
static bool try_approve_whole(pr_consensus *c, pr_entry *entry) {
    pr_committee whole;
    const pr_round *round = entry->known->round;
    if (!round->has_absent) return false;
    pr_round_committee(c, &whole, &round->subject, NULL);
    return try_approve(c, entry, &whole, NULL);
}

/* Approval has become impossible, by what everybody has said. Whoever has run the verifier goes by that, so lies only
 * count for those who could not run it: they need as many to reject as to approve. */
static bool try_reject(pr_consensus *c, pr_entry *entry, const pr_committee *committee, pr_proof_verdict verdict) {
    pr_round *round = entry->known->round;
    uint64_t reject = count(c, round, committee).reject;
    if (committee->n == 0 || !pr_quorum_impossible(reject, committee->stake)) return false;
    if (verdict == PR_PROOF_UNKNOWN) {
        if (!round->unable) pr_round_ask(c, round, &round->subject);
        if (!round->unable || !pr_quorum_reached(reject, committee->stake)) return false;
    }
    if (verdict == PR_PROOF_VALID) return false; /* its liars were removed: this cannot last */
    if (verdict == PR_PROOF_INVALID) pr_accuse_prover(c, &round->subject, round->announcement);
    pr_round_close(c, entry, PR_ROUND_REJECTED);
    return true;
}

static void take_part(pr_consensus *c, pr_entry *entry, const pr_committee *committee, pr_proof_verdict verdict) {
    pr_round *round = entry->known->round;
    if (!round->proposed || !pr_machine_is_active(c) || !pr_committee_has(committee, c->self)) return;
    if (round->votes[c->self].bytes.data) return;
    if (verdict == PR_PROOF_UNKNOWN)
        pr_round_ask(c, round, &round->subject);
    else
        pr_vote_cast(c, entry);
}

/* A good proof that was proposed and has no quorum: the leader may have proposed another one to those who are missed, a
 * higher attempt, so that they do not vote on this one in its view. */
static void time_out(pr_consensus *c, pr_entry *entry) {
    const pr_round *round = entry->known->round;
    bool good = round->proposed && pr_known_verdict(entry->known, &round->subject) == PR_PROOF_VALID;
    pr_round_close(c, entry, PR_ROUND_TIMEOUT);
    if (good && c->leader != c->self) pr_lead_leave(c);
}

void pr_round_settle(pr_consensus *c, pr_entry *entry) {
    pr_round *round = entry->known->round;
    pr_subject subject = round->subject;
    if (!round->ever_proposed && !pr_registry_is_active(&c->registry, subject.prover)) {
        pr_round_drop(c, entry);
        return;
    }
    if (c->registry.n_active == 1 && subject.prover == c->self && pr_machine_is_active(c)) {
        pr_round_close(c, entry, PR_ROUND_SELF_VERIFIED);
        return;
    }
    pr_committee committee;
    pr_proof_verdict verdict = pr_known_verdict(entry->known, &subject);
    pr_lead_propose(c, entry);
    establish_absences(c, round);
    pr_round_committee(c, &committee, &subject, &round->absent);
    take_part(c, entry, &committee, verdict);
    if (round->proposed && round->timeouts > 0) pr_vote_name_absent(c, entry, &committee, PR_NAME_NEW);
    if (verdict == PR_PROOF_UNKNOWN && votes_differ(c, round)) pr_round_ask(c, round, &subject);
    if (verdict != PR_PROOF_UNKNOWN && accuse_liars(c, entry, verdict)) {
        round->dirty = c->dirty = true;
        return;
    }
    if (try_approve_whole(c, entry) || try_approve(c, entry, &committee, &round->absent)) return;
    if (try_reject(c, entry, &committee, verdict)) return;
    if (is_over_time(c, round)) time_out(c, entry);
}

/* ---- time ---- */

void pr_round_say_again(pr_consensus *c, pr_entry *entry) {
    pr_round *round = entry->known->round;
    if (!round->proposed) pr_vote_announce(c, entry);
    pr_machine_broadcast(c, round->proposal.data, round->proposal.size);
    if (!pr_machine_is_active(c)) return;
    const pr_kept *own = &round->votes[c->self].bytes;
    pr_machine_broadcast(c, own->data, own->size);
}

void pr_round_expire(pr_consensus *c, pr_entry *entry) {
    pr_round *round = entry->known ? entry->known->round : NULL;
    if (!round) return;
    round->timeouts++;
    round->age++;
    if (is_over_time(c, round)) {
        time_out(c, entry);
        return;
    }
    pr_committee committee;
    pr_round_committee(c, &committee, &round->subject, &round->absent);
    start_timer(c, entry);
    round->unable = false; /* the bytes may have come in the meantime */
    round->dirty = true;
    pr_vote_send_status(c, PR_NO_VALIDATOR, &entry->job);
    pr_round_say_again(c, entry);
    if (round->proposed) pr_vote_name_absent(c, entry, &committee, PR_NAME_ALL);
}
