/* Mistakes that consensus code is known for, each with the test that would have found it. */
#include "net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Four nodes of which 1, 2 and 3 are puppets: their machines are mute, the test signs for them. Node 0 leads and is the
 * one that is looked at; the prover is 3, so the committee is 0, 1, 2 and its quorum all three. */
static net *stage(pr_subject *s, bool valid) {
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
    *s = net_subject("job-1", 1, 3, valid, 7);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = *s};
    size_t size = net_sign(w, bytes, &m, 3);
    net_deliver(w, 0, 3, bytes, size);
    assert_int_equal(pr_consensus_open_rounds(w->nodes[0].c), valid); /* one vote of three is enough to reject */
    return w;
}

static void deliver_vote(net *w, const pr_message *vote, uint32_t as) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = *vote;
    size_t size = net_sign(w, bytes, &m, as);
    net_deliver(w, 0, as, bytes, size);
}

static uint64_t pending(const net *w) { return pr_consensus_pending_votes(w->nodes[0].c); }

static void trap_vote_accepted_without_checking_the_signature(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    for (uint32_t voter = 1; voter < 3; voter++) {
        pr_message vote = net_vote(w, &s, voter, PR_VOTE_APPROVE);
        net_sign(w, bytes, &vote, 3); /* signed by another, then said to be the voter's */
        vote.signer = voter;
        size_t size = pr_message_encode(bytes, &vote);
        net_deliver(w, 0, voter, bytes, size);
    }
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_SIGNATURE], 2);
    assert_int_equal(pending(w), 1); /* its own */
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_OPEN);
    for (uint32_t voter = 1; voter < 3; voter++) {
        pr_message vote = net_vote(w, &s, voter, PR_VOTE_APPROVE);
        deliver_vote(w, &vote, voter);
    }
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_APPROVED);
    net_destroy(w);
}

static void trap_double_vote_counted(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    pr_message vote = net_vote(w, &s, 1, PR_VOTE_APPROVE);
    for (int k = 0; k < 5; k++) deliver_vote(w, &vote, 1);
    assert_int_equal(w->nodes[0].votes, 2);
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_OPEN);
    assert_int_equal(w->nodes[0].removed, 0); /* the same once more is no equivocation */
    net_destroy(w);
}

static void trap_equivocation_without_effect(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    w->nodes[0].blind = true; /* so nothing but the two signatures can tell */
    pr_message first = net_vote(w, &s, 1, PR_VOTE_APPROVE), second = net_vote(w, &s, 1, PR_VOTE_REJECT);
    deliver_vote(w, &first, 1);
    deliver_vote(w, &second, 1);
    assert_int_equal(pr_consensus_registry(w->nodes[0].c)->validators[1].removal, PR_REMOVAL_EQUIVOCATION);
    assert_int_equal(w->nodes[0].frauds, 1);
    net_destroy(w);
}

/* Stakes appear, or change, in the midst of a round. */
static void trap_stake_counted_at_two_times(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    uint8_t key[32];
    pr_error err = {0};
    net_key(key, 9);
    assert_int_equal(pr_consensus_register(w->nodes[0].c, key, 1000, &err), PR_ERR_REFUSED);
    assert_int_equal(pr_consensus_register(w->nodes[0].c, w->nodes[1].key, 1000, &err), PR_ERR_REFUSED);
    pr_message vote = net_vote(w, &s, 1, PR_VOTE_APPROVE);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    net_sign(w, bytes, &vote, 1);
    vote.n_validators = 5; /* counted among others than the ones known here */
    net_node voter = {0};
    net_key(voter.key, 1);
    pr_crypto crypto = net_crypto(&voter);
    assert_true(pr_message_sign(&vote, &crypto));
    size_t size = pr_message_encode(bytes, &vote);
    net_deliver(w, 0, 1, bytes, size);
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_VALIDATOR], 1);
    assert_int_equal(pr_consensus_registry(w->nodes[0].c)->active_stake, 4);
    net_destroy(w);
}

static void trap_two_thirds_by_floating_point_or_at_least(void **state) {
    (void)state;
    for (uint64_t whole = 1; whole < 400; whole++)
        for (uint64_t part = 0; part <= whole; part++) {
            uint64_t third = whole / 3, rest = whole % 3; /* part > 2 third + 2 rest / 3, without a product */
            uint64_t least = 2 * third + (2 * rest) / 3 + 1;
            assert_int_equal(pr_quorum_reached(part, whole), part >= least);
            assert_int_equal(pr_quorum_impossible(whole - part, whole), part < least);
        }
    uint64_t whole = UINT64_MAX / 3 / 3 * 3; /* where a double cannot tell neighbours apart */
    assert_false(pr_quorum_reached(whole / 3 * 2, whole));
    assert_true(pr_quorum_reached(whole / 3 * 2 + 1, whole));
    pr_subject s; /* exactly two thirds approve: no */
    net *w = stage(&s, true);
    pr_message vote = net_vote(w, &s, 1, PR_VOTE_APPROVE);
    deliver_vote(w, &vote, 1);
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_OPEN);
    net_destroy(w);
}

static void trap_stake_overflows(void **state) {
    (void)state;
    pr_registry registry;
    pr_error err = {0};
    uint8_t key[32];
    pr_registry_init(&registry);
    net_key(key, 0);
    assert_int_equal(pr_registry_add(&registry, key, 0, &err), PR_ERR_REFUSED);
    assert_int_equal(pr_registry_add(&registry, key, PR_STAKE_MAX + 1, &err), PR_ERR_REFUSED);
    assert_int_equal(pr_registry_add(&registry, key, PR_STAKE_MAX - 1, &err), PR_OK);
    net_key(key, 1);
    assert_int_equal(pr_registry_add(&registry, key, 2, &err), PR_ERR_REFUSED);
    assert_int_equal(pr_registry_add(&registry, key, 1, &err), PR_OK);
    assert_true(pr_quorum_reached(registry.stake, registry.stake));
    pr_registry_clear(&registry);
}

static void trap_prover_votes_for_itself(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    pr_message vote = net_vote(w, &s, 3, PR_VOTE_APPROVE);
    deliver_vote(w, &vote, 3);
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_MALFORMED], 1);
    assert_int_equal(pending(w), 1);
    pr_committee committee;
    pr_validator_set none = {{0}};
    for (uint32_t prover = 0; prover < 4; prover++) {
        pr_draw draw = {&w->terms.seed, &s.job, 4, prover, 4};
        pr_committee_draw(&committee, pr_consensus_registry(w->nodes[0].c), &draw, &none);
        assert_int_equal(committee.n, 3);
        assert_false(pr_committee_has(&committee, prover));
    }
    net_destroy(w);
}

/* Rejecting what the others approve is fraud only if the verifier says so. */
static void trap_minority_punished_for_its_opinion(void **state) {
    (void)state;
    const uint64_t stakes[7] = {1, 1, 1, 1, 1, 1, 1};
    net *w = net_create(7, stakes, 6);
    net_start(w);
    for (uint32_t i = 1; i < 7; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
    w->nodes[0].blind = true;
    pr_subject s = net_subject("job-1", 1, 6, true, 7);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = s};
    size_t size = net_sign(w, bytes, &m, 6);
    net_deliver(w, 0, 6, bytes, size);
    pr_message minority = net_vote(w, &s, 1, PR_VOTE_REJECT);
    deliver_vote(w, &minority, 1);
    for (uint32_t i = 2; i < 6; i++) {
        pr_message vote = net_vote(w, &s, i, PR_VOTE_APPROVE);
        deliver_vote(w, &vote, i);
    }
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_OPEN); /* 4 of 6 */
    assert_int_equal(w->nodes[0].removed, 0);
    w->nodes[0].blind = false;
    net_expire_rounds(w); /* it asks its verifier again; that contradicts the vote */
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_APPROVED);
    assert_int_equal(pr_consensus_registry(w->nodes[0].c)->validators[1].removal, PR_REMOVAL_WRONG_VOTE);
    net_destroy(w);
}

/* The minority may be right: two approve an invalid proof, and whoever runs the verifier removes the two. */
static void trap_majority_believed_against_the_verifier(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, false);
    for (uint32_t i = 1; i < 3; i++) {
        pr_message lie = net_vote(w, &s, i, PR_VOTE_APPROVE);
        deliver_vote(w, &lie, i);
    }
    const pr_registry *r = pr_consensus_registry(w->nodes[0].c);
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_REJECTED);
    assert_int_equal(r->validators[0].removal, PR_REMOVAL_NONE);
    assert_int_equal(r->validators[1].removal, PR_REMOVAL_WRONG_VOTE);
    assert_int_equal(r->validators[2].removal, PR_REMOVAL_WRONG_VOTE);
    assert_int_equal(r->validators[3].removal, PR_REMOVAL_INVALID_PROOF);
    net_destroy(w);
}

static void trap_unknown_jobs_fill_memory(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    size_t before = pr_consensus_memory_bytes(w->nodes[0].c), records = w->nodes[0].n_records;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    for (uint32_t k = 0; k < 2000; k++) {
        pr_message m = net_vote(w, &s, 1, PR_VOTE_APPROVE);
        m.subject.job = pr_blake2s_hash(&k, sizeof k);
        if (k % 4 == 1) m.kind = PR_MESSAGE_ABSENCE;
        if (k % 4 == 2) m.kind = PR_MESSAGE_PROPOSE;
        if (k % 4 == 3) m.kind = PR_MESSAGE_ANNOUNCE, m.subject.prover = 1;
        size_t size = net_sign(w, bytes, &m, 1);
        net_deliver(w, 0, 1, bytes, size);
    }
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_UNKNOWN_JOB], 2000);
    assert_int_equal(pr_consensus_memory_bytes(w->nodes[0].c), before);
    assert_int_equal(w->nodes[0].n_records, records);
    net_destroy(w);
}

/* Known jobs, but rounds, attempts and views that nobody proposed. */
static void trap_unknown_rounds_fill_memory(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    size_t before = pr_consensus_memory_bytes(w->nodes[0].c), records = w->nodes[0].n_records;
    for (uint32_t k = 0; k < 300; k++) {
        pr_subject other = net_subject(k % 2 ? "job-1" : "job-2", k + 2, 3, true, (uint8_t)k);
        pr_message m = net_vote(w, &other, 1, PR_VOTE_APPROVE);
        if (k % 3 == 2) m.view = k;
        deliver_vote(w, &m, 1);
    }
    assert_int_equal(pr_consensus_memory_bytes(w->nodes[0].c), before);
    assert_int_equal(w->nodes[0].n_records, records);
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_UNKNOWN_ROUND] + w->nodes[0].refused[PR_REFUSED_OTHER_VIEW], 300);
    net_destroy(w);
}

static void trap_open_rounds_without_bound(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    w->max_open = 8;
    net_start(w);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
    for (int k = 0; k < 10; k++) {
        char job[] = "job-0";
        job[4] = (char)('0' + k);
        pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = net_subject(job, 1, 3, true, 7)};
        size_t size = net_sign(w, bytes, &m, 3);
        net_deliver(w, 0, 3, bytes, size);
    }
    assert_int_equal(pr_consensus_open_rounds(w->nodes[0].c), 8);
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_FULL], 2);
    net_destroy(w);
}

static void trap_removed_validator_registers_again(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    pr_message first = net_vote(w, &s, 1, PR_VOTE_APPROVE), second = net_vote(w, &s, 1, PR_VOTE_REJECT);
    deliver_vote(w, &first, 1);
    deliver_vote(w, &second, 1);
    for (int k = 0; k < 4; k++) net_expire_rounds(w); /* the round ends */
    assert_int_equal(pr_consensus_open_rounds(w->nodes[0].c), 0);
    pr_error err = {0};
    assert_int_equal(pr_consensus_register(w->nodes[0].c, w->nodes[1].key, 1, &err), PR_ERR_REFUSED);
    assert_non_null(strstr(err.text, "removed"));
    net_restart(w, 0); /* nor after a restart */
    assert_int_equal(pr_consensus_register(w->nodes[0].c, w->nodes[1].key, 1, &err), PR_ERR_REFUSED);
    assert_non_null(strstr(err.text, "removed"));
    assert_int_equal(pr_consensus_registry(w->nodes[0].c)->n_active, 3);
    pr_subject next = net_subject("job-2", 1, 3, true, 8); /* and it is heard no more */
    pr_message vote = net_vote(w, &next, 1, PR_VOTE_APPROVE);
    uint64_t before = w->nodes[0].refused[PR_REFUSED_VALIDATOR];
    deliver_vote(w, &vote, 1);
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_VALIDATOR], before + 1);
    net_destroy(w);
}

/* The request reached nobody; the certificate reached one. Asking again and answering must mend both. */
static void trap_view_change_that_nobody_receives(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    pr_subject s = net_subject("job-1", 1, 2, true, 7);
    w->nodes[0].silent = w->nodes[0].deaf = true;
    net_announce(w, &s);
    net_run(w);
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].deaf = true;
    net_expire_views(w);
    net_expire_views(w);
    for (uint32_t i = 1; i < 4; i++) assert_int_equal(pr_consensus_view(w->nodes[i].c), 0);
    w->nodes[1].deaf = false; /* it gathers the requests; its certificate is lost on the others */
    net_expire_views(w);
    assert_int_equal(pr_consensus_view(w->nodes[1].c), 1);
    assert_int_equal(pr_consensus_view(w->nodes[2].c), 0);
    w->nodes[2].deaf = w->nodes[3].deaf = false;
    net_expire_views(w);
    for (uint32_t i = 1; i < 4; i++) assert_int_equal(pr_consensus_view(w->nodes[i].c), 1);
    net_expire_rounds(w);
    net_expire_rounds(w);
    for (uint32_t i = 1; i < 4; i++) assert_int_equal(net_outcome(w, i, &s), PR_ROUND_APPROVED);
    net_destroy(w);
}

static void trap_fraud_counted_but_without_effect(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    w->nodes[1].deaf = w->nodes[2].deaf = w->nodes[3].deaf = false;
    pr_message lie = net_vote(w, &s, 1, PR_VOTE_REJECT);
    deliver_vote(w, &lie, 1);
    for (uint32_t i = 0; i < 4; i++) { /* everybody heard the evidence, ran the verifier, and removed it */
        assert_int_equal(pr_consensus_registry(w->nodes[i].c)->validators[1].removal, PR_REMOVAL_WRONG_VOTE);
        assert_int_equal(w->nodes[i].frauds, 1);
        assert_int_equal(w->nodes[i].removed, 1);
    }
    pr_message vote = net_vote(w, &s, 2, PR_VOTE_APPROVE); /* the quorum is of those who are left */
    deliver_vote(w, &vote, 2);
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_APPROVED);
    pr_subject next = net_subject("job-2", 1, 3, true, 8);
    pr_committee committee;
    pr_validator_set removed = {{0}};
    pr_registry_add_removed(pr_consensus_registry(w->nodes[0].c), &removed);
    pr_draw draw = {&w->terms.seed, &next.job, 4, 3, 3};
    pr_committee_draw(&committee, pr_consensus_registry(w->nodes[0].c), &draw, &removed);
    assert_false(pr_committee_has(&committee, 1));
    net_destroy(w);
}

static void trap_round_open_for_ever(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true); /* nobody else says a word */
    for (uint32_t k = 0; k <= w->retries; k++) {
        assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_OPEN);
        net_expire_rounds(w);
    }
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_TIMEOUT);
    assert_int_equal(pr_consensus_open_rounds(w->nodes[0].c), 0);
    assert_int_equal(w->nodes[0].removed, 0);
    for (uint64_t t = 0; t < NET_TIMERS; t++) assert_false(w->nodes[0].timer_on[t]);
    net_destroy(w);
}

/* A proof that nobody would propose makes the others leave one leader after the other, before a round's time in one
 * view is over. */
static bool admits_nothing(void *context, const pr_subject *subject) {
    (void)context, (void)subject;
    return false;
}

static void trap_round_open_as_long_as_views_change(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    w->admits = admits_nothing;
    for (uint32_t i = 0; i < 4; i++) net_restart(w, i);
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    net_announce(w, &s);
    net_run(w);
    for (uint32_t k = 0; k <= 4 * (w->retries + 1); k++) {
        assert_int_equal(pr_consensus_open_rounds(w->nodes[0].c), 1);
        for (uint32_t i = 0; i < 4; i++) pr_consensus_suspect_leader(w->nodes[i].c);
        net_run(w);
    }
    for (uint32_t i = 0; i < 4; i++) assert_int_equal(net_outcome(w, i, &s), PR_ROUND_TIMEOUT);
    net_destroy(w);
}

static void trap_replay_from_another_run_view_or_job(void **state) {
    (void)state;
    pr_subject s;
    net *w = stage(&s, true);
    net_node voter = {0};
    net_key(voter.key, 1);
    pr_crypto crypto = net_crypto(&voter);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message vote = net_vote(w, &s, 1, PR_VOTE_APPROVE);
    vote.run = pr_blake2s_hash("another run", 11);
    assert_true(pr_message_sign(&vote, &crypto));
    net_deliver(w, 0, 1, bytes, pr_message_encode(bytes, &vote));
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_OTHER_RUN], 1);
    vote.run = w->terms.run; /* put into this run: the signature is for the other */
    net_deliver(w, 0, 1, bytes, pr_message_encode(bytes, &vote));
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_SIGNATURE], 1);
    vote.view = 1;
    deliver_vote(w, &vote, 1);
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_OTHER_VIEW], 1);
    vote.view = 0;
    vote.subject.job = pr_job_name("job-2");
    deliver_vote(w, &vote, 1);
    vote = net_vote(w, &s, 1, PR_VOTE_APPROVE);
    vote.subject.statement.bytes[0] ^= 1;
    deliver_vote(w, &vote, 1);
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_UNKNOWN_ROUND], 2);
    assert_int_equal(pending(w), 1);
    net_destroy(w);
}

/* A proof of which nobody can get the bytes must not keep the job from being proved by another. */
static void trap_withheld_proof_locks_the_job(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].blind = true;
    pr_subject withheld = net_subject("job-1", 1, 3, true, 7), good = net_subject("job-1", 2, 2, true, 8);
    net_announce(w, &withheld);
    net_run(w);
    for (int k = 0; k < 5; k++) net_expire_rounds(w);
    assert_int_equal(net_outcome(w, 0, &withheld), PR_ROUND_TIMEOUT);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].blind = false;
    net_announce(w, &good);
    net_run(w);
    for (uint32_t i = 0; i < 4; i++) assert_int_equal(net_outcome(w, i, &good), PR_ROUND_APPROVED);
    net_destroy(w);
}

/* A leader and a prover who lie together bring another proof under the attempt that was voted on: to vote on that too
 * would be the honest validator's equivocation. */
static void trap_leader_makes_a_validator_equivocate(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = i != 1;
    pr_subject subjects[2] = {net_subject("job-1", 1, 3, false, 7), net_subject("job-1", 1, 3, true, 8)};
    for (int k = 0; k < 2; k++) {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        pr_message announced = {.kind = PR_MESSAGE_ANNOUNCE, .subject = subjects[k]};
        pr_message proposal = {.kind = PR_MESSAGE_PROPOSE, .subject = subjects[k]};
        net_sign(w, bytes, &announced, 3);
        memcpy(proposal.announcement, announced.signature, PR_SIGNATURE_BYTES);
        net_deliver(w, 1, 0, bytes, net_sign(w, bytes, &proposal, 0));
    }
    size_t votes = 0;
    for (size_t k = 0; k < w->nodes[1].n_records; k++) {
        const net_bytes *r = &w->nodes[1].records[k];
        votes += r->data[0] == PR_CONSENSUS_RECORD_MESSAGE && r->data[2] == PR_MESSAGE_VOTE;
    }
    assert_int_equal(votes, 1);
    net_destroy(w);
}

/* Two valid proofs of one job must not both be approved, whoever leads. */
static void trap_two_proofs_of_a_job_approved(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    w->nodes[2].silent = true; /* so attempt 1 has the votes of 0 and 1 alone */
    pr_subject first = net_subject("job-1", 1, 3, true, 7), second = net_subject("job-1", 2, 3, true, 8);
    w->nodes[2].deaf = w->nodes[3].deaf = true;
    net_announce(w, &first);
    net_run(w);
    for (uint32_t k = 0; k <= w->retries; k++) net_expire_rounds(w);
    assert_int_equal(net_outcome(w, 0, &first), PR_ROUND_TIMEOUT);
    net_announce(w, &second);
    net_run(w);
    for (uint32_t k = 0; k <= w->retries; k++) net_expire_rounds(w);
    for (uint32_t i = 0; i < 4; i++) assert_int_not_equal(net_outcome(w, i, &second), PR_ROUND_APPROVED);
    assert_true(w->nodes[0].refused[PR_REFUSED_LOCKED] > 0);
    net_destroy(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trap_vote_accepted_without_checking_the_signature),
        cmocka_unit_test(trap_double_vote_counted),
        cmocka_unit_test(trap_equivocation_without_effect),
        cmocka_unit_test(trap_stake_counted_at_two_times),
        cmocka_unit_test(trap_two_thirds_by_floating_point_or_at_least),
        cmocka_unit_test(trap_stake_overflows),
        cmocka_unit_test(trap_prover_votes_for_itself),
        cmocka_unit_test(trap_minority_punished_for_its_opinion),
        cmocka_unit_test(trap_majority_believed_against_the_verifier),
        cmocka_unit_test(trap_unknown_jobs_fill_memory),
        cmocka_unit_test(trap_unknown_rounds_fill_memory),
        cmocka_unit_test(trap_open_rounds_without_bound),
        cmocka_unit_test(trap_removed_validator_registers_again),
        cmocka_unit_test(trap_view_change_that_nobody_receives),
        cmocka_unit_test(trap_fraud_counted_but_without_effect),
        cmocka_unit_test(trap_round_open_for_ever),
        cmocka_unit_test(trap_round_open_as_long_as_views_change),
        cmocka_unit_test(trap_replay_from_another_run_view_or_job),
        cmocka_unit_test(trap_withheld_proof_locks_the_job),
        cmocka_unit_test(trap_leader_makes_a_validator_equivocate),
        cmocka_unit_test(trap_two_proofs_of_a_job_approved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
