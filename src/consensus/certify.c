/* A certificate out of the votes and absences that a round holds. */
#include "consensus/internal.h"

static void write_indices(pr_writer *w, const pr_validator_set *set, uint32_t n) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) count += pr_set_has(set, i);
    pr_write_u32(w, count);
    for (uint32_t i = 0; i < n; i++)
        if (pr_set_has(set, i)) pr_write_u32(w, i);
}

static const pr_absence *absence_of(const pr_round *round, uint32_t absent) {
    const pr_absence *a = round->absences;
    while (a->absent != absent) a = a->next;
    return a;
}

static void write_absences(pr_writer *w, const pr_consensus *c, const pr_round *round, const pr_validator_set *absent) {
    uint32_t count = 0, n = c->registry.n;
    for (uint32_t i = 0; absent && i < n; i++) count += pr_set_has(absent, i);
    pr_write_u32(w, count);
    for (uint32_t i = 0; count > 0 && i < n; i++) {
        if (!pr_set_has(absent, i)) continue;
        const pr_absence *a = absence_of(round, i);
        uint32_t signers = 0;
        for (uint32_t k = 0; k < n; k++) signers += pr_set_has(&a->signers, k);
        pr_write_u32(w, i);
        pr_write_u32(w, signers);
        for (uint32_t k = 0; k < n; k++) {
            if (!pr_set_has(&a->signers, k)) continue;
            pr_write_u32(w, k);
            pr_write_bytes(w, a->signatures[k], PR_SIGNATURE_BYTES);
        }
    }
}

static bool approves(const pr_round *round, const pr_committee *committee, uint32_t i) {
    const pr_held_vote *held = &round->votes[i];
    return held->bytes.data && held->verdict == PR_VOTE_APPROVE && pr_committee_has(committee, i);
}

static void write_votes(pr_writer *w, const pr_consensus *c, const pr_round *round, const pr_committee *committee) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->registry.n; i++) count += approves(round, committee, i);
    pr_write_u32(w, count);
    for (uint32_t i = 0; i < c->registry.n; i++) {
        if (!approves(round, committee, i)) continue;
        pr_message vote;
        const pr_kept *bytes = &round->votes[i].bytes;
        pr_status status = pr_message_decode(&vote, bytes->data, bytes->size, NULL);
        PR_ASSERT(status == PR_OK); /* it was decoded when it came in */
        pr_certificate_write_vote(w, &vote);
    }
}

pr_kept pr_round_certify(const pr_consensus *c, const pr_round *round, const pr_committee *committee,
                         const pr_validator_set *absent) {
    pr_validator_set removed = {{0}};
    pr_registry_add_removed(&c->registry, &removed);
    pr_writer w;
    pr_writer_init(&w);
    pr_certificate_write_head(&w, &(pr_certificate_head){c->config.terms.run, c->view, c->registry.n, &round->subject});
    write_indices(&w, &removed, c->registry.n);
    write_absences(&w, c, round, absent);
    write_votes(&w, c, round, committee);
    return pr_kept_take(&w);
}
