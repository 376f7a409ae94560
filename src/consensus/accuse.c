/* Evidence: against whom this node has some, and what others send. Removal follows from evidence alone. */
#include "consensus/internal.h"

void pr_accuse_apply(pr_consensus *c, const pr_evidence *e, const uint8_t *data, size_t size) {
    if (pr_registry_is_convicted(&c->registry, e->offender)) return;
    pr_peer *peer = &c->peers[e->offender];
    if (!pr_kept_set(&peer->evidence, data, size)) return; /* it will be found again */
    pr_machine_persist(c, PR_CONSENSUS_RECORD_EVIDENCE, data, size);
    pr_registry_remove(&c->registry, e->offender, e->removal);
    pr_kept_clear(&peer->accusation);
    pr_machine_count(c, PR_COUNT_FRAUD, e->kind);
    pr_machine_count(c, PR_COUNT_REMOVED, e->removal);
    pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_REMOVED,
                                              .validator = e->offender,
                                              .removal = e->removal,
                                              .data = peer->evidence.data,
                                              .size = peer->evidence.size});
    for (uint32_t i = 0; i < c->n_open; i++) c->entries[c->open[i]].known->round->dirty = true;
    c->dirty = true;
    if (c->started) pr_lead_update(c);
}

/* Own evidence is checked like anybody's, but for the verifier that we have just heard. */
void pr_accuse(pr_consensus *c, pr_evidence_kind kind, uint32_t offender, const uint8_t *first, size_t first_size,
               const uint8_t *second, size_t second_size) {
    pr_evidence e;
    pr_writer w;
    pr_writer_init(&w);
    pr_evidence_write(&w, kind, offender, first, first_size, second, second_size);
    if (!w.failed && pr_evidence_decode(&e, w.data, w.size, NULL) == PR_OK &&
        pr_registry_is_active(&c->registry, offender)) {
        pr_accuse_apply(c, &e, w.data, w.size);
        pr_machine_broadcast(c, w.data, w.size);
    }
    pr_writer_clear(&w);
}

void pr_accuse_prover(pr_consensus *c, const pr_subject *subject, const uint8_t announcement[PR_SIGNATURE_BYTES]) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m;
    size_t size = pr_machine_announcement(c, bytes, &m, subject, announcement);
    pr_accuse(c, PR_EVIDENCE_INVALID_PROOF, subject->prover, bytes, size, NULL, 0);
}

static pr_known *known_of(pr_consensus *c, const pr_subject *subject) {
    pr_entry *entry = pr_machine_find(c, &subject->job);
    return entry ? pr_machine_know(c, entry) : NULL;
}

/* Rightly signed, but who is right only the verifier knows: one accusation a validator waits for it. */
static void wait_for_verifier(pr_consensus *c, const pr_evidence *e, const uint8_t *data, size_t size) {
    pr_known *known = known_of(c, &e->subject);
    if (!known || c->peers[e->offender].accusation.data) return;
    if (!pr_kept_set(&c->peers[e->offender].accusation, data, size)) return;
    bool same = known->round && pr_subject_equal(&known->round->subject, &e->subject);
    if (same) known->round->unable = false;
    pr_round_ask(c, same ? known->round : NULL, &e->subject);
}

void pr_accuse_take(pr_consensus *c, const uint8_t *data, size_t size) {
    pr_evidence e;
    if (pr_evidence_decode(&e, data, size, NULL) != PR_OK) {
        pr_machine_refuse(c, PR_REFUSED_MALFORMED);
        return;
    }
    if (pr_registry_is_convicted(&c->registry, e.offender)) return; /* known already */
    pr_known *known = known_of(c, &e.subject);
    if (!known && !pr_machine_find(c, &e.subject.job)) {
        pr_machine_refuse(c, PR_REFUSED_UNKNOWN_JOB);
        return;
    }
    pr_evidence_answer answer = PR_EVIDENCE_FAILS;
    pr_proof_verdict verdict = known ? pr_known_verdict(known, &e.subject) : PR_PROOF_UNKNOWN;
    pr_status status =
        pr_evidence_check(&e, &answer, data, size, &c->config.terms.run, &c->registry, &c->crypto, verdict, NULL);
    if (status != PR_OK || answer == PR_EVIDENCE_FAILS)
        pr_machine_refuse(c, PR_REFUSED_EVIDENCE);
    else if (answer == PR_EVIDENCE_NEEDS_VERIFIER)
        wait_for_verifier(c, &e, data, size);
    else
        pr_accuse_apply(c, &e, data, size);
}

/* subject could not be verified: whoever has the same evidence may come again. */
void pr_accuse_forget(pr_consensus *c, const pr_subject *subject) {
    for (uint32_t i = 0; i < c->registry.n; i++) {
        pr_kept *waiting = &c->peers[i].accusation;
        pr_evidence e;
        if (waiting->data && pr_evidence_decode(&e, waiting->data, waiting->size, NULL) == PR_OK &&
            pr_subject_equal(&e.subject, subject))
            pr_kept_clear(waiting);
    }
}

void pr_accuse_resolve(pr_consensus *c, const pr_known *known) {
    for (uint32_t i = 0; i < c->registry.n; i++) {
        pr_kept waiting = c->peers[i].accusation;
        pr_evidence e;
        if (!waiting.data || pr_evidence_decode(&e, waiting.data, waiting.size, NULL) != PR_OK) continue;
        pr_proof_verdict verdict = pr_known_verdict(known, &e.subject);
        if (verdict == PR_PROOF_UNKNOWN) continue;
        c->peers[i].accusation = (pr_kept){0}; /* ours to free */
        if (pr_evidence_agrees(&e, verdict))
            pr_accuse_apply(c, &e, waiting.data, waiting.size);
        else
            pr_machine_refuse(c, PR_REFUSED_EVIDENCE);
        pr_kept_clear(&waiting);
    }
}
