/* How honest rounds go, and what becomes of the silent and the liars. */
#include "net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void assert_all(const net *w, const pr_subject *s, pr_round_outcome outcome) {
    for (uint32_t i = 0; i < w->n; i++)
        if (net_outcome(w, i, s) != outcome)
            fail_msg("node %u: %s, not %s", i, pr_round_outcome_name(net_outcome(w, i, s)),
                     pr_round_outcome_name(outcome));
}

/* An auditor with keys, stakes and seed accepts the certificate of every node that has one. */
static void audit(const net *w, const pr_subject *s) {
    for (uint32_t i = 0; i < w->n; i++) {
        size_t size;
        const uint8_t *bytes = pr_consensus_certificate(w->nodes[i].c, &s->job, &size);
        if (!bytes) continue;
        net_node any = {0};
        pr_crypto crypto = net_crypto(&any);
        pr_registry registry;
        pr_certificate certificate;
        pr_error err = {0};
        net_registry(w, i, &registry);
        if (pr_certificate_check(&certificate, bytes, size, &w->terms, &registry, &crypto, &err) != PR_OK)
            fail_msg("node %u: %s", i, err.text);
        assert_true(pr_subject_equal(&certificate.subject, s));
        pr_registry_clear(&registry);
    }
}

static void honest_proof_is_approved(void **state) {
    (void)state;
    for (uint32_t n = 2; n <= 10; n++)
        for (uint32_t prover = 0; prover < n; prover++) {
            net *w = net_create(n, NULL, 5);
            net_start(w);
            pr_subject s = net_subject("job-1", 1, prover, true, 7);
            net_announce(w, &s);
            net_run(w);
            assert_all(w, &s, PR_ROUND_APPROVED);
            audit(w, &s);
            assert_int_equal(pr_consensus_open_rounds(w->nodes[0].c), 0);
            assert_int_equal(w->nodes[0].removed, 0);
            assert_false(w->nodes[0].timer_on[0]);
            net_destroy(w);
        }
}

static void invalid_proof_is_rejected_and_its_prover_removed(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    pr_subject bad = net_subject("job-1", 1, 2, false, 7), good = net_subject("job-1", 2, 1, true, 8);
    net_announce(w, &bad);
    net_run(w);
    for (uint32_t i = 0; i < 4; i++) {
        const pr_registry *r = pr_consensus_registry(w->nodes[i].c);
        assert_int_equal(r->validators[2].removal, PR_REMOVAL_INVALID_PROOF);
        assert_int_equal(r->n_active, 3);
    }
    assert_int_equal(net_outcome(w, 0, &bad), PR_ROUND_REJECTED);
    net_announce(w, &good); /* another rank's proof of the same job */
    net_run(w);
    assert_all(w, &good, PR_ROUND_APPROVED);
    audit(w, &good);
    net_destroy(w);
}

static void alone_it_is_self_verified(void **state) {
    (void)state;
    net *w = net_create(1, NULL, 3);
    net_start(w);
    pr_subject s = net_subject("job-1", 1, 0, true, 7);
    net_announce(w, &s);
    net_run(w);
    assert_all(w, &s, PR_ROUND_SELF_VERIFIED);
    net_destroy(w);
}

static void without_a_committee_it_is_unvoted(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 0);
    net_start(w);
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    net_announce(w, &s);
    net_run(w);
    assert_all(w, &s, PR_ROUND_UNVOTED);
    net_destroy(w);
}

/* f silent validators of 3f + 1, whoever they are, stop nothing: a silent leader is replaced, a silent member named. */
static void f_silent_stop_nothing(void **state) {
    (void)state;
    for (uint32_t f = 1; f <= 3; f++)
        for (uint32_t first = 0; first < 3 * f + 1; first++) {
            net *w = net_create(3 * f + 1, NULL, 16);
            net_start(w);
            for (uint32_t k = 0; k < f; k++) w->nodes[(first + k) % w->n].silent = true;
            uint32_t prover = (first + f) % w->n;
            pr_subject s = net_subject("job-1", 1, prover, true, 7);
            net_announce(w, &s);
            net_run(w);
            for (int round = 0; round < 12 && net_outcome(w, prover, &s) == PR_ROUND_OPEN; round++) {
                net_expire_views(w);
                if (round % 2) net_expire_rounds(w);
            }
            assert_int_equal(net_outcome(w, prover, &s), PR_ROUND_APPROVED);
            audit(w, &s);
            assert_int_equal(w->nodes[prover].removed, 0); /* silence is no fraud */
            net_destroy(w);
        }
}

/* f liars that reject whatever comes are named by their own votes, and the proof is approved without them. */
static void f_liars_are_named(void **state) {
    (void)state;
    for (uint32_t f = 1; f <= 3; f++) {
        net *w = net_create(3 * f + 1, NULL, 16);
        net_start(w);
        pr_subject s = net_subject("job-1", 1, 0, true, 7);
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        for (uint32_t k = 1; k <= f; k++) w->nodes[k].silent = true; /* their own machines would tell the truth */
        net_announce(w, &s);
        net_run(w);
        for (uint32_t k = 1; k <= f; k++) {
            pr_message lie = net_vote(w, &s, k, PR_VOTE_REJECT);
            size_t size = net_sign(w, bytes, &lie, k);
            for (uint32_t to = f + 1; to < w->n; to++) net_deliver(w, to, k, bytes, size);
        }
        net_expire_rounds(w); /* the prover votes on nothing, so it has not run the verifier: now it will, if asked */
        for (uint32_t i = f + 1; i < w->n; i++) {
            assert_int_equal(net_outcome(w, i, &s), PR_ROUND_APPROVED);
            for (uint32_t k = 1; k <= f; k++)
                assert_int_equal(pr_consensus_registry(w->nodes[i].c)->validators[k].removal, PR_REMOVAL_WRONG_VOTE);
        }
        audit(w, &s);
        net_destroy(w);
    }
}

static void a_view_change_carries_an_open_round_on(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    w->nodes[0].silent = w->nodes[0].deaf = true;
    pr_subject s = net_subject("job-1", 1, 2, true, 7);
    net_announce(w, &s);
    net_run(w);
    net_expire_views(w);
    assert_int_equal(pr_consensus_view(w->nodes[1].c), 0); /* one timeout may be a round that has just begun */
    net_expire_views(w);
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(pr_consensus_view(w->nodes[i].c), 1);
        assert_int_equal(pr_consensus_leader(w->nodes[i].c), 1);
        assert_int_equal(w->nodes[i].view_changes[PR_VIEW_TIMEOUT], 1);
        assert_int_equal(w->nodes[i].view_changes[PR_VIEW_LEADER_REMOVED], 0);
    }
    net_expire_rounds(w);
    net_expire_rounds(w);
    for (uint32_t i = 1; i < 4; i++) assert_int_equal(net_outcome(w, i, &s), PR_ROUND_APPROVED);
    w->nodes[0].silent = w->nodes[0].deaf = false; /* the old leader comes back, and follows */
    pr_subject next = net_subject("job-2", 1, 0, true, 9);
    net_announce(w, &next);
    net_run(w);
    net_expire_rounds(w);
    net_expire_rounds(w);
    assert_int_equal(pr_consensus_view(w->nodes[0].c), 1);
    assert_all(w, &next, PR_ROUND_APPROVED);
    net_destroy(w);
}

/* Then the next one leads at once, in the same view: nobody has to ask for another. */
static void a_removed_leader_is_followed_within_its_view(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    w->nodes[2].silent = true; /* so that the round stays open */
    net_announce(w, &s);
    net_run(w);
    pr_message lie = net_vote(w, &s, 0, PR_VOTE_REJECT); /* it has approved */
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    net_deliver(w, 1, 0, bytes, net_sign(w, bytes, &lie, 0));
    w->nodes[2].silent = false;
    net_run(w);
    net_expire_rounds(w);
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(pr_consensus_view(w->nodes[i].c), 0);
        assert_int_equal(pr_consensus_leader(w->nodes[i].c), 1);
        assert_int_equal(w->nodes[i].view_changes[PR_VIEW_LEADER_REMOVED], 1);
        assert_int_equal(w->nodes[i].view_changes[PR_VIEW_TIMEOUT], 0);
        assert_int_equal(net_outcome(w, i, &s), PR_ROUND_APPROVED);
    }
    assert_string_equal(pr_view_reason_name(PR_VIEW_LEADER_REMOVED), "leader_removed");
    audit(w, &s);
    net_destroy(w);
}

/* A node that missed everything gets the evidence, the view and the certificate by asking. */
static void who_missed_everything_catches_up(void **state) {
    (void)state;
    net *w = net_create(7, NULL, 6);
    net_start(w);
    w->nodes[6].deaf = w->nodes[6].silent = true;
    pr_subject bad = net_subject("job-1", 1, 2, false, 7), good = net_subject("job-1", 2, 1, true, 8);
    net_announce(w, &bad);
    net_run(w);
    net_expire_rounds(w);
    net_announce(w, &good);
    net_run(w);
    net_expire_rounds(w);
    net_expire_rounds(w);
    assert_int_equal(net_outcome(w, 0, &good), PR_ROUND_APPROVED);
    w->nodes[6].deaf = w->nodes[6].silent = false;
    pr_subject own = net_subject("job-1", 3, 6, true, 9); /* it does not know that the job is done */
    net_announce(w, &own);
    net_run(w);
    net_expire_rounds(w);
    net_expire_rounds(w);
    assert_int_equal(net_outcome(w, 6, &good), PR_ROUND_APPROVED);
    assert_int_equal(pr_consensus_registry(w->nodes[6].c)->validators[2].removal, PR_REMOVAL_INVALID_PROOF);
    net_destroy(w);
}

static void stakes_decide_not_heads(void **state) {
    (void)state;
    const uint64_t stakes[4] = {1, 1, 10, 1}; /* the committee without the prover: 12, and 10 is more than two thirds */
    net *w = net_create(4, stakes, 3);
    net_start(w);
    w->nodes[0].deaf = w->nodes[1].deaf = true;
    pr_subject s = net_subject("job-1", 1, 0, true, 7);
    net_announce(w, &s);
    net_run(w);
    assert_int_equal(net_outcome(w, 2, &s), PR_ROUND_APPROVED);
    net_destroy(w);
}

static bool admits_first(void *context, const pr_subject *subject) {
    (void)context;
    return subject->attempt == 1;
}

/* An announcement of an attempt that nobody handed out, above the one that was, keeps the job from nobody. */
static void what_nobody_handed_out_gives_way(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    w->admits = admits_first;
    for (uint32_t i = 0; i < 4; i++) net_restart(w, i);
    pr_subject good = net_subject("job-1", 1, 2, true, 7), high = net_subject("job-1", UINT32_MAX, 3, true, 8);
    net_announce(w, &high);
    net_run(w);
    net_announce(w, &good);
    net_run(w);
    assert_all(w, &good, PR_ROUND_APPROVED);
    net_destroy(w);
}

/* One that announces everything, though nobody gave it anything, leaves room for what was handed out. */
static void who_announces_everything_leaves_room(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    w->admits = admits_first;
    w->max_open = 2;
    for (uint32_t i = 0; i < 4; i++) net_restart(w, i);
    for (int k = 0; k < 5; k++) {
        char job[] = "job-0";
        job[4] = (char)('0' + k);
        pr_subject high = net_subject(job, 2, 3, true, 8);
        net_announce(w, &high);
        net_run(w);
    }
    assert_int_equal(pr_consensus_open_rounds(w->nodes[0].c), 2);
    pr_subject good = net_subject("job-7", 1, 2, true, 7);
    net_announce(w, &good);
    net_run(w);
    net_expire_rounds(w); /* the one itself has no room left, and is named absent */
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(net_outcome(w, i, &good), PR_ROUND_APPROVED);
    net_destroy(w);
}

/* A leader that proposes proofs of its own, which nobody can get, each time before anybody's patience ends. */
static void who_leads_with_withheld_proofs_is_left(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    w->admits = admits_first;
    for (uint32_t i = 0; i < 4; i++) net_restart(w, i);
    w->nodes[0].silent = w->nodes[0].deaf = true;
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].blind = true;
    for (uint32_t k = 0; k < 3; k++) {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        pr_subject subject = net_subject("job-1", 2 + k, 0, true, (uint8_t)k);
        pr_message announced = {.kind = PR_MESSAGE_ANNOUNCE, .subject = subject};
        pr_message proposal = {.kind = PR_MESSAGE_PROPOSE, .subject = subject};
        net_sign(w, bytes, &announced, 0);
        memcpy(proposal.announcement, announced.signature, PR_SIGNATURE_BYTES);
        for (uint32_t i = 1; i < 4; i++) net_deliver(w, i, 0, bytes, net_sign(w, bytes, &proposal, 0));
        if (k < 2) net_expire_views(w);
    }
    for (uint32_t i = 1; i < 4; i++) assert_int_equal(pr_consensus_view(w->nodes[i].c), 1);
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].blind = false;
    pr_subject good = net_subject("job-1", 1, 2, true, 7);
    net_announce(w, &good);
    net_run(w);
    net_expire_rounds(w); /* whoever led is named absent */
    for (uint32_t i = 1; i < 4; i++) assert_int_equal(net_outcome(w, i, &good), PR_ROUND_APPROVED);
    net_destroy(w);
}

/* A proof that nobody can get has its time once, not once in every view. */
static void a_new_view_gives_no_time_to_a_withheld_proof(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].blind = true;
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    net_announce(w, &s);
    net_run(w);
    for (uint32_t k = 0; k < w->retries; k++) net_expire_rounds(w);
    for (uint32_t i = 1; i < 4; i++) pr_consensus_suspect_leader(w->nodes[i].c);
    net_run(w);
    assert_int_equal(pr_consensus_view(w->nodes[1].c), 1);
    assert_int_equal(net_outcome(w, 1, &s), PR_ROUND_OPEN);
    net_expire_rounds(w);
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(net_outcome(w, i, &s), PR_ROUND_TIMEOUT);
    net_destroy(w);
}

/* Nor does the next leader bring a rejected proof up again. */
static void what_was_rejected_is_not_proposed_again(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    pr_subject s = net_subject("job-1", 1, 3, false, 7);
    net_announce(w, &s);
    net_run(w);
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(net_outcome(w, i, &s), PR_ROUND_REJECTED);
    for (uint32_t i = 1; i < 3; i++) pr_consensus_suspect_leader(w->nodes[i].c);
    net_run(w);
    assert_int_equal(pr_consensus_view(w->nodes[2].c), 1);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message announced = {.kind = PR_MESSAGE_ANNOUNCE, .subject = s};
    pr_message proposal = {.kind = PR_MESSAGE_PROPOSE, .view = 1, .subject = s};
    net_sign(w, bytes, &announced, 3);
    memcpy(proposal.announcement, announced.signature, PR_SIGNATURE_BYTES);
    uint64_t refused = w->nodes[2].refused[PR_REFUSED_STALE], rejected = w->nodes[2].n_outcomes[PR_ROUND_REJECTED];
    net_deliver(w, 2, 1, bytes, net_sign(w, bytes, &proposal, 1));
    assert_int_equal(w->nodes[2].refused[PR_REFUSED_STALE], refused + 1);
    assert_int_equal(w->nodes[2].n_outcomes[PR_ROUND_REJECTED], rejected);
    net_destroy(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_proof_is_approved),
        cmocka_unit_test(invalid_proof_is_rejected_and_its_prover_removed),
        cmocka_unit_test(alone_it_is_self_verified),
        cmocka_unit_test(without_a_committee_it_is_unvoted),
        cmocka_unit_test(f_silent_stop_nothing),
        cmocka_unit_test(f_liars_are_named),
        cmocka_unit_test(a_view_change_carries_an_open_round_on),
        cmocka_unit_test(a_removed_leader_is_followed_within_its_view),
        cmocka_unit_test(who_missed_everything_catches_up),
        cmocka_unit_test(stakes_decide_not_heads),
        cmocka_unit_test(what_nobody_handed_out_gives_way),
        cmocka_unit_test(who_announces_everything_leaves_room),
        cmocka_unit_test(who_leads_with_withheld_proofs_is_left),
        cmocka_unit_test(a_new_view_gives_no_time_to_a_withheld_proof),
        cmocka_unit_test(what_was_rejected_is_not_proposed_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
