/* What of others' words a node puts on record: of rounds that the leader has proposed, and of a few of those. */
#include "net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Four nodes, of which 2 is looked at; the test speaks for the others. */
static net *stage(void) {
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = i != 2;
    return w;
}

static void tell(net *w, pr_message *m, uint32_t as) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size = net_sign(w, bytes, m, as);
    net_deliver(w, 2, as, bytes, size);
}

static pr_message announce(net *w, const pr_subject *s) {
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = *s};
    tell(w, &m, s->prover);
    return m;
}

static void propose(net *w, const pr_subject *s, uint64_t view, uint32_t leader) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message announced = {.kind = PR_MESSAGE_ANNOUNCE, .subject = *s};
    pr_message m = {.kind = PR_MESSAGE_PROPOSE, .view = view, .subject = *s};
    net_sign(w, bytes, &announced, s->prover);
    memcpy(m.announcement, announced.signature, PR_SIGNATURE_BYTES);
    tell(w, &m, leader);
}

static size_t count_records(const net_node *node, pr_message_kind kind) {
    size_t n = 0;
    for (size_t k = 0; k < node->n_records; k++) {
        const net_bytes *r = &node->records[k];
        n += r->data[0] == PR_CONSENSUS_RECORD_MESSAGE && pr_message_peek(r->data + 1, r->size - 1) == (int)kind;
    }
    return n;
}

static void who_announces_ever_higher_attempts_fills_no_journal(void **state) {
    (void)state;
    net *w = stage();
    net_node *node = &w->nodes[2];
    size_t before = node->n_records;
    for (uint32_t k = 0; k < 2000; k++) {
        uint32_t attempt = k < 1000 ? k : UINT32_MAX - 1999 + k;
        pr_subject s = net_subject("job-1", attempt, 3, true, (uint8_t)k);
        announce(w, &s);
        pr_message vote = net_vote(w, &s, 1, PR_VOTE_APPROVE);
        tell(w, &vote, 1);
        pr_message absence = {.kind = PR_MESSAGE_ABSENCE, .subject = s, .absent = 0};
        tell(w, &absence, 3);
    }
    assert_int_equal(node->votes, 2000);
    assert_int_equal(node->n_records, before);
    assert_int_equal(pr_consensus_open_rounds(node->c), 1); /* with the highest number that there is */
    pr_subject honest = net_subject("job-1", 1, 1, true, 7);
    propose(w, &honest, 0, 0);
    pr_message vote = net_vote(w, &honest, 0, PR_VOTE_APPROVE), other = net_vote(w, &honest, 3, PR_VOTE_APPROVE);
    tell(w, &vote, 0);
    tell(w, &other, 3);
    assert_int_equal(net_outcome(w, 2, &honest), PR_ROUND_APPROVED);
    assert_int_equal(pr_consensus_last_attempt(node->c, &honest.job), 1);
    net_destroy(w);
}

/* A round's life up to its proposal goes on record with that: a crash loses nothing of a round that was proposed. */
static void what_came_before_a_proposal_is_recorded_with_it(void **state) {
    (void)state;
    net *w = stage();
    net_node *node = &w->nodes[2];
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    announce(w, &s);
    pr_message early = net_vote(w, &s, 1, PR_VOTE_APPROVE);
    tell(w, &early, 1);
    assert_int_equal(count_records(node, PR_MESSAGE_ANNOUNCE) + count_records(node, PR_MESSAGE_VOTE), 0);
    propose(w, &s, 0, 0);
    propose(w, &s, 0, 0); /* the same once more adds nothing */
    assert_int_equal(count_records(node, PR_MESSAGE_ANNOUNCE), 1);
    assert_int_equal(count_records(node, PR_MESSAGE_PROPOSE), 1);
    assert_int_equal(count_records(node, PR_MESSAGE_VOTE), 2); /* and its own */
    assert_int_equal(pr_consensus_pending_votes(node->c), 2);
    net_restart(w, 2);
    assert_int_equal(pr_consensus_pending_votes(node->c), 2);
    pr_message vote = net_vote(w, &s, 0, PR_VOTE_APPROVE);
    tell(w, &vote, 0);
    assert_int_equal(net_outcome(w, 2, &s), PR_ROUND_APPROVED);
    net_destroy(w);
}

static void climb(net *w, uint64_t view, uint32_t leader) {
    for (uint32_t k = 1; k <= 100; k++) {
        pr_subject s = net_subject("job-1", k == 100 ? UINT32_MAX : 1000 * (uint32_t)view + k, 3, true, (uint8_t)k);
        propose(w, &s, view, leader);
    }
}

/* An honest leader has no such need before the view changes: what overtakes another proposal makes it change. */
static void a_leader_overtakes_its_proposals_a_few_times_in_a_view(void **state) {
    (void)state;
    net *w = stage();
    net_node *node = &w->nodes[2];
    node->blind = true; /* it finds no proof good, so that none binds it */
    climb(w, 0, 0);
    assert_int_equal(count_records(node, PR_MESSAGE_PROPOSE), 9);
    assert_int_equal(count_records(node, PR_MESSAGE_ANNOUNCE), 9);
    assert_int_equal(node->refused[PR_REFUSED_FULL], 91);
    for (uint32_t i = 0; i < 4; i++) {
        pr_message m = {.kind = PR_MESSAGE_VIEW_CHANGE, .view = 1};
        if (i != 2) tell(w, &m, i);
    }
    assert_int_equal(pr_consensus_view(node->c), 1);
    climb(w, 1, 1);
    assert_int_equal(count_records(node, PR_MESSAGE_PROPOSE), 18);
    net_destroy(w);
}

/* The leader, or whoever repeats its words, proposes again what has timed out in this view: that is over, also while
 * another round of the job is open. */
static void what_is_over_takes_no_rounds_place(void **state) {
    (void)state;
    net *w = stage();
    net_node *node = &w->nodes[2];
    node->blind = true;
    pr_subject first = net_subject("job-1", 5, 3, true, 7), next = net_subject("job-1", 1, 1, true, 8);
    propose(w, &first, 0, 0);
    for (uint32_t k = 0; k <= w->retries; k++) net_expire_rounds(w);
    assert_int_equal(net_outcome(w, 2, &first), PR_ROUND_TIMEOUT);
    announce(w, &next);
    assert_int_equal(pr_consensus_open_rounds(node->c), 1);
    size_t before = node->n_records;
    propose(w, &first, 0, 0);
    announce(w, &first);
    assert_int_equal(node->refused[PR_REFUSED_STALE], 2);
    assert_int_equal(node->n_records, before);
    propose(w, &next, 0, 0); /* which is lower, but nothing higher is proposed any more */
    assert_int_equal(node->n_records, before + 2);
    net_destroy(w);
}

static bool admits_low(void *context, const pr_subject *subject) {
    (void)context;
    return subject->attempt < 10;
}

/* What the leader has handed out and proposed stands against a higher number that it has not. */
static void a_leader_leaves_its_proposal_for_no_number_that_it_has_not_given(void **state) {
    (void)state;
    net *w = stage();
    w->admits = admits_low;
    for (uint32_t i = 0; i < 4; i++) net_restart(w, i);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = i != 0;
    pr_subject given = net_subject("job-1", 2, 2, true, 7), high = net_subject("job-1", 12, 3, true, 7);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = given};
    net_deliver(w, 0, 2, bytes, net_sign(w, bytes, &m, 2));
    m.subject = high;
    net_deliver(w, 0, 3, bytes, net_sign(w, bytes, &m, 3));
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_STALE], 1);
    for (uint32_t voter = 1; voter < 4; voter += 2) {
        m = net_vote(w, &given, voter, PR_VOTE_APPROVE);
        net_deliver(w, 0, voter, bytes, net_sign(w, bytes, &m, voter));
    }
    assert_int_equal(net_outcome(w, 0, &given), PR_ROUND_APPROVED);
    net_destroy(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_announces_ever_higher_attempts_fills_no_journal),
        cmocka_unit_test(what_came_before_a_proposal_is_recorded_with_it),
        cmocka_unit_test(a_leader_overtakes_its_proposals_a_few_times_in_a_view),
        cmocka_unit_test(what_is_over_takes_no_rounds_place),
        cmocka_unit_test(a_leader_leaves_its_proposal_for_no_number_that_it_has_not_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
