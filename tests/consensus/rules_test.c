/* Rules that other tests see only through what they make possible: who leads, who is told what, what stands. */
#include "net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool is_on_its_way(const net *w, uint32_t to, int kind) {
    for (size_t k = w->head; k < w->tail; k++) {
        const net_packet *p = &w->queue[k % NET_QUEUE];
        if (p->to == to && pr_message_peek(p->bytes.data, p->bytes.size) == kind) return true;
    }
    return false;
}

static void announced(const net *w, pr_message *out, const pr_subject *s) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    *out = (pr_message){.kind = PR_MESSAGE_ANNOUNCE, .subject = *s};
    net_sign(w, bytes, out, s->prover);
}

static void the_leader_alone_proposes(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = i != 1;
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message first, m = {.kind = PR_MESSAGE_PROPOSE, .subject = s};
    announced(w, &first, &s);
    memcpy(m.announcement, first.signature, PR_SIGNATURE_BYTES);
    net_deliver(w, 1, 2, bytes, net_sign(w, bytes, &m, 2));
    assert_int_equal(w->nodes[1].refused[PR_REFUSED_NOT_LEADER], 1);
    assert_int_equal(w->nodes[1].votes, 0);
    net_deliver(w, 1, 0, bytes, net_sign(w, bytes, &m, 0));
    assert_int_equal(w->nodes[1].votes, 1);
    net_destroy(w);
}

static void propose(net *w, uint32_t to, const pr_subject *s) { /* by the first leader, validator 0 */
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message first, m = {.kind = PR_MESSAGE_PROPOSE, .subject = *s};
    announced(w, &first, s);
    memcpy(m.announcement, first.signature, PR_SIGNATURE_BYTES);
    pr_consensus_receive(w->nodes[to].c, 0, bytes, net_sign(w, bytes, &m, 0));
}

static void of_one_view_only_higher_attempts_supersede(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = i != 1;
    pr_subject second = net_subject("job-1", 2, 3, true, 7), third = net_subject("job-1", 3, 2, true, 7);
    pr_subject first = net_subject("job-1", 1, 2, true, 7), other = net_subject("job-1", 3, 3, true, 7);
    propose(w, 1, &second);
    propose(w, 1, &first);
    assert_int_equal(w->nodes[1].refused[PR_REFUSED_STALE], 1);
    propose(w, 1, &third);
    net_run(w); /* the vote is on the third */
    assert_int_equal(pr_consensus_last_attempt(w->nodes[1].c, &third.job), 3);
    assert_int_equal(w->nodes[1].frauds, 0);
    propose(w, 1, &other);
    assert_int_equal(w->nodes[1].frauds, 1);
    assert_false(pr_registry_is_active(pr_consensus_registry(w->nodes[1].c), 0));
    net_destroy(w);
}

/* Provers are deterministic, so two may have the same proof; a liar may have announced it for the attempt of another.
 */
static void a_leader_proposes_one_prover_for_an_attempt(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
    w->nodes[0].blind = true;
    pr_subject first = net_subject("job-1", 1, 3, true, 7), second = net_subject("job-1", 1, 2, true, 7);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m;
    announced(w, &m, &first);
    pr_consensus_receive(w->nodes[0].c, 3, bytes, pr_message_encode(bytes, &m));
    assert_true(is_on_its_way(w, 1, PR_MESSAGE_PROPOSE));
    net_run(w);
    for (uint32_t k = 0; k <= w->retries; k++) net_expire_rounds(w);
    assert_int_equal(net_outcome(w, 0, &first), PR_ROUND_TIMEOUT);
    announced(w, &m, &second);
    pr_consensus_receive(w->nodes[0].c, 2, bytes, pr_message_encode(bytes, &m));
    assert_int_equal(pr_consensus_open_rounds(w->nodes[0].c), 1);
    assert_false(is_on_its_way(w, 1, PR_MESSAGE_PROPOSE));
    net_destroy(w);
}

/* Whoever is not of the committee never asks for a proof. When the leader overtakes it again and again, that must not
 * make it wait for ever. */
static void an_outsider_does_not_wait_for_ever(void **state) {
    (void)state;
    net *w = net_create(7, NULL, 1);
    net_start(w);
    pr_subject s = net_subject("job-1", 1, 0, true, 7);
    pr_committee committee;
    pr_validator_set nobody = {{0}};
    pr_draw draw = {&w->terms.seed, &s.job, 7, 0, 1};
    pr_committee_draw(&committee, pr_consensus_registry(w->nodes[1].c), &draw, &nobody);
    uint32_t i = pr_committee_has(&committee, 1) ? 2 : 1;
    for (; s.attempt <= 2; s.attempt++) {
        assert_false(is_on_its_way(w, 3, PR_MESSAGE_VIEW_CHANGE));
        propose(w, i, &s);
        pr_consensus_expire(w->nodes[i].c, 0);
    }
    assert_true(is_on_its_way(w, 3, PR_MESSAGE_VIEW_CHANGE));
    net_destroy(w);
}

/* Two nodes that know of different offenders, one each, tell each other. */
static void evidence_is_exchanged(void **state) {
    (void)state;
    net *w = net_create(7, NULL, 6);
    net_start(w);
    for (uint32_t i = 0; i < 7; i++) w->nodes[i].silent = true;
    for (uint32_t i = 1; i < 3; i++) { /* node 1 hears how 5 contradicts itself, node 2 how 6 does */
        pr_subject a = net_subject("job-1", 1, 4 + i, true, 1), b = net_subject("job-1", 1, 4 + i, true, 2);
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        pr_message m;
        announced(w, &m, &a);
        net_deliver(w, i, 4 + i, bytes, pr_message_encode(bytes, &m));
        announced(w, &m, &b);
        net_deliver(w, i, 4 + i, bytes, pr_message_encode(bytes, &m));
        assert_int_equal(w->nodes[i].frauds, 1);
    }
    w->nodes[1].silent = w->nodes[2].silent = false;
    const pr_subject other = net_subject("job-2", 1, 5, true, 1);
    pr_consensus_ask(w->nodes[1].c, &other.job);
    pr_consensus_ask(w->nodes[2].c, &other.job);
    net_run(w);
    for (uint32_t i = 1; i < 3; i++) assert_int_equal(pr_consensus_registry(w->nodes[i].c)->n_active, 5);
    net_destroy(w);
}

/* A liar that announces higher attempts sets the timer anew by which a prover announces again. */
static void a_new_leader_is_told_of_proofs(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    w->nodes[0].silent = w->nodes[0].deaf = true;
    pr_subject s = net_subject("job-1", 1, 3, true, 7), higher = net_subject("job-1", 9, 2, true, 8);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m;
    net_announce(w, &s);
    announced(w, &m, &higher);
    net_deliver(w, 3, 2, bytes, pr_message_encode(bytes, &m));
    for (uint32_t i = 1; i < 4; i++) pr_consensus_suspect_leader(w->nodes[i].c);
    while (pr_consensus_view(w->nodes[3].c) == 0) { /* until the prover is in the new view, no further */
        assert_true(w->head < w->tail);
        net_step(w);
    }
    assert_true(is_on_its_way(w, 1, PR_MESSAGE_ANNOUNCE));
    net_destroy(w);
}

/* ---- who was away ---- */

static bool may_leave_out(const pr_registry *r, const char *out, uint32_t *offender) {
    pr_validator_set set = {{0}};
    for (uint32_t i = 0; i < 5; i++)
        if (out[i] == 'x') pr_set_add(&set, i);
    return pr_registry_may_leave_out(r, offender, 5, &set);
}

/* Set 1: validators 1 and 2; set 2: 2 and 3. Validator 4 was removed. */
static void the_away_are_left_out_by_sessions(void **state) {
    (void)state;
    pr_registry r;
    uint32_t who;
    pr_registry_init(&r);
    for (uint32_t i = 0; i < 5; i++) {
        uint8_t key[PR_PUBLIC_KEY_BYTES];
        net_key(key, i);
        assert_int_equal(pr_registry_add(&r, key, 1, NULL), PR_OK);
    }
    pr_registry_remove(&r, 4, PR_REMOVAL_AWAY);
    r.validators[4].away = 4; /* now */
    r.validators[1].away = 2;
    r.validators[2].away = 6;
    r.validators[3].away = 4;
    assert_true(may_leave_out(&r, ".....", &who));
    assert_true(may_leave_out(&r, ".xx..", &who));
    assert_true(may_leave_out(&r, "..xxx", &who));
    const char *const no_session[] = {".x...", "..x..", ".xxx.", "..xx.", ".xxxx", "....x"};
    for (size_t k = 0; k < 6; k++) {
        assert_false(may_leave_out(&r, no_session[k], &who));
        assert_int_equal(who, PR_NO_VALIDATOR);
    }
    assert_false(may_leave_out(&r, "xxx..", &who));
    assert_int_equal(who, 0);
    pr_registry_remove(&r, 4, PR_REMOVAL_WRONG_VOTE); /* evidence is above absence */
    assert_int_equal(r.validators[4].removal, PR_REMOVAL_WRONG_VOTE);
    assert_int_equal(r.active_stake, 4);
    assert_true(may_leave_out(&r, "....x", &who));
    assert_true(may_leave_out(&r, ".xx.x", &who));
    pr_registry_clear(&r);
}

/* One who has nothing open, and sees nothing wrong, goes along with more than a third: else two of four that cannot do
 * without a new leader would be alone. */
static void a_third_takes_a_node_along(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    w->nodes[0].silent = w->nodes[0].deaf = true;
    pr_consensus_suspect_leader(w->nodes[1].c);
    net_run(w);
    assert_int_equal(pr_consensus_view(w->nodes[3].c), 0); /* a quarter may lie */
    pr_consensus_suspect_leader(w->nodes[2].c);
    net_run(w);
    for (uint32_t i = 1; i < 4; i++) assert_int_equal(pr_consensus_view(w->nodes[i].c), 1);
    net_destroy(w);
}

static void the_leader_tells_of_an_approval(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].silent = true;
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m;
    announced(w, &m, &s);
    net_deliver(w, 0, 3, bytes, pr_message_encode(bytes, &m));
    for (uint32_t i = 1; i < 3; i++) {
        m = net_vote(w, &s, i, PR_VOTE_APPROVE);
        pr_consensus_receive(w->nodes[0].c, i, bytes, net_sign(w, bytes, &m, i));
    }
    assert_int_equal(net_outcome(w, 0, &s), PR_ROUND_APPROVED);
    for (uint32_t i = 1; i < 4; i++) assert_true(is_on_its_way(w, i, PR_MESSAGE_CERTIFICATE));
    net_run(w);
    for (uint32_t i = 1; i < 4; i++) assert_int_equal(net_outcome(w, i, &s), PR_ROUND_APPROVED);
    net_destroy(w);
}

static void who_asks_from_an_old_view_is_shown_the_new_one(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    w->nodes[3].deaf = w->nodes[3].silent = true;
    for (uint32_t i = 1; i < 3; i++) pr_consensus_suspect_leader(w->nodes[i].c);
    net_run(w);
    assert_int_equal(pr_consensus_view(w->nodes[1].c), 1);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_STATUS};
    pr_consensus_receive(w->nodes[1].c, 3, bytes, net_sign(w, bytes, &m, 3));
    assert_true(is_on_its_way(w, 3, PR_MESSAGE_VIEW_CERTIFICATE));
    w->nodes[3].deaf = false;
    net_run(w);
    assert_int_equal(pr_consensus_view(w->nodes[3].c), 1);
    net_destroy(w);
}

static size_t certificate_by(const net *w, uint8_t out[4096], const pr_subject *s, const uint32_t *voters, uint32_t n) {
    pr_writer x;
    pr_writer_init(&x);
    pr_certificate_write_head(&x, &(pr_certificate_head){w->terms.run, 0, w->n, s});
    pr_write_u32(&x, 0);
    pr_write_u32(&x, 0);
    pr_write_u32(&x, n);
    for (uint32_t k = 0; k < n; k++) {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        pr_message vote = net_vote(w, s, voters[k], PR_VOTE_APPROVE);
        net_sign(w, bytes, &vote, voters[k]);
        pr_certificate_write_vote(&x, &vote);
    }
    assert_true(!x.failed && x.size <= 4096);
    memcpy(out, x.data, x.size);
    size_t size = x.size;
    pr_writer_clear(&x);
    return size;
}

/* More liars than may be have signed for another proof as well: what was approved first stands. */
static void an_approval_stands(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    pr_subject first = net_subject("job-1", 1, 3, true, 7), second = net_subject("job-1", 2, 3, true, 8);
    const uint32_t voters[3] = {0, 1, 2};
    uint8_t bytes[4096];
    net_deliver(w, 0, 1, bytes, certificate_by(w, bytes, &first, voters, 3));
    assert_int_equal(net_outcome(w, 0, &first), PR_ROUND_APPROVED);
    net_deliver(w, 0, 1, bytes, certificate_by(w, bytes, &second, voters, 3));
    assert_int_equal(w->nodes[0].refused[PR_REFUSED_CONFLICT], 1);
    pr_certificate kept;
    size_t size;
    const uint8_t *data = pr_consensus_certificate(w->nodes[0].c, &first.job, &size);
    assert_int_equal(pr_certificate_decode(&kept, data, size, NULL), PR_OK);
    assert_true(pr_subject_equal(&kept.subject, &first));
    net_destroy(w);
}

static pr_status audit(const net *w, const uint8_t *data, size_t size) {
    net_node any = {0};
    pr_crypto crypto = net_crypto(&any);
    pr_registry registry;
    pr_certificate certificate;
    net_registry(w, 0, &registry);
    pr_status status = pr_certificate_check(&certificate, data, size, &w->terms, &registry, &crypto, NULL);
    pr_registry_clear(&registry);
    return status;
}

/* Votes count by the committee, each once. */
static void a_certificate_has_each_member_once_and_nobody_else(void **state) {
    (void)state;
    net *w = net_create(7, NULL, 3);
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    pr_committee committee;
    pr_validator_set nobody = {{0}};
    pr_draw draw = {&w->terms.seed, &s.job, 7, 3, 3};
    pr_committee_draw(&committee, pr_consensus_registry(w->nodes[0].c), &draw, &nobody);
    uint32_t members[3], others[3], n_members = 0, n_others = 0, all[6], n = 0;
    for (uint32_t i = 0; i < 7; i++) {
        if (i == 3) continue;
        all[n++] = i;
        if (pr_committee_has(&committee, i))
            members[n_members++] = i;
        else
            others[n_others++] = i;
    }
    uint8_t bytes[4096];
    assert_int_equal(audit(w, bytes, certificate_by(w, bytes, &s, members, 3)), PR_OK);
    assert_int_equal(audit(w, bytes, certificate_by(w, bytes, &s, members, 2)), PR_ERR_REFUSED);
    assert_int_equal(audit(w, bytes, certificate_by(w, bytes, &s, others, 3)), PR_ERR_REFUSED);
    assert_int_equal(audit(w, bytes, certificate_by(w, bytes, &s, all, 6)), PR_ERR_REFUSED);
    const uint32_t twice[3] = {members[0], members[0], members[1]};
    assert_int_equal(audit(w, bytes, certificate_by(w, bytes, &s, twice, 3)), PR_ERR_MALFORMED);
    net_destroy(w);
}

/* What a validator has approved binds it after a crash, too. */
static void an_approval_binds_after_a_crash(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    w->nodes[1].silent = w->nodes[1].deaf = true; /* so attempt 1 has the votes of 0 and 2 alone */
    pr_subject first = net_subject("job-1", 1, 3, true, 7), second = net_subject("job-1", 2, 3, true, 8);
    net_announce(w, &first);
    net_run(w);
    for (uint32_t i = 0; i < 3; i++) net_restart(w, i);
    net_run(w);
    w->nodes[1].silent = w->nodes[1].deaf = false;
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].blind = true;
    for (uint32_t k = 0; k <= w->retries; k++) net_expire_rounds(w);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].blind = false;
    net_announce(w, &second);
    net_run(w);
    assert_true(w->nodes[0].refused[PR_REFUSED_LOCKED] > 0);
    for (uint32_t i = 0; i < 4; i++) assert_int_not_equal(net_outcome(w, i, &second), PR_ROUND_APPROVED);
    net_destroy(w);
}

/* A prover whose places are all taken, by its own proof, votes on what is proposed none the less: when its stake is
 * needed, nobody could go on to its proof before. */
static void an_own_proof_takes_no_place(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    w->max_open = 1;
    for (uint32_t i = 0; i < 4; i++) net_restart(w, i);
    for (uint32_t i = 0; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = i != 1;
    pr_subject own = net_subject("job-1", 1, 1, true, 7), proposed = net_subject("job-2", 1, 3, true, 7);
    pr_subject next = net_subject("job-3", 1, 3, true, 7);
    net_announce(w, &own);
    propose(w, 1, &proposed);
    net_run(w);
    assert_int_equal(w->nodes[1].votes, 1);
    assert_int_equal(pr_consensus_open_rounds(w->nodes[1].c), 2);
    propose(w, 1, &next);
    assert_int_equal(w->nodes[1].refused[PR_REFUSED_FULL], 1);
    pr_subject other = net_subject("job-1", 2, 3, true, 7); /* which would need a place that is taken */
    propose(w, 1, &other);
    assert_int_equal(w->nodes[1].refused[PR_REFUSED_FULL], 2);
    pr_consensus_expire(w->nodes[1].c, 2); /* so its own proof is still there, and said again */
    assert_true(is_on_its_way(w, 2, PR_MESSAGE_ANNOUNCE));
    net_destroy(w);
}

static bool admits_low(void *context, const pr_subject *subject) {
    (void)context;
    return subject->attempt < 10;
}

/* Attempts at a job rise within a view. A leader that has carried on a higher one than its scheduler hands out next
 * cannot propose that, and asks for another view itself: without its stake the others may be too few. */
static void a_leader_goes_on_that_may_not_propose(void **state) {
    (void)state;
    const uint32_t attempts[3] = {2, 2, 12}; /* the last is none that it would propose */
    for (int k = 0; k < 3; k++) {
        net *w = net_create(4, NULL, 3);
        w->admits = admits_low;
        for (uint32_t i = 0; i < 4; i++) net_restart(w, i);
        for (uint32_t i = 1; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
        w->nodes[0].blind = true;
        pr_subject high = net_subject("job-1", 9, 3, true, 7), given = net_subject("job-1", attempts[k], 2, true, 8);
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        pr_message m;
        announced(w, &m, &high);
        if (k > 0) net_deliver(w, 0, 3, bytes, pr_message_encode(bytes, &m));
        for (uint32_t n = 0; n <= w->retries; n++) net_expire_rounds(w);
        announced(w, &m, &given);
        net_deliver(w, 0, 2, bytes, pr_message_encode(bytes, &m));
        pr_subject higher = net_subject("job-1", 30, 1, true, 9); /* a liar's, in the place of it */
        announced(w, &m, &higher);
        if (k == 1) net_deliver(w, 0, 1, bytes, pr_message_encode(bytes, &m));
        for (int n = 0; n < 2; n++) pr_consensus_expire(w->nodes[0].c, 0);
        assert_int_equal(is_on_its_way(w, 1, PR_MESSAGE_VIEW_CHANGE), k == 1);
        net_destroy(w);
    }
}

/* A leader that has something proposed, and before it has ended something else, may do so before half of the others
 * alone. And of one that has proposed what cannot be had nothing is to be expected. */
static void a_leader_that_keeps_a_job_busy_is_left(void **state) {
    (void)state;
    for (uint32_t k = 0; k < 3; k++) {
        const uint32_t last = k == 1 ? 2 : 1;
        net *w = net_create(4, NULL, 3);
        net_start(w);
        for (uint32_t i = 0; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = i != 1;
        w->nodes[1].blind = k == 2;
        for (uint32_t attempt = 1; attempt <= last; attempt++) {
            pr_subject s = net_subject("job-1", attempt, 3, true, 7);
            propose(w, 1, &s);
            net_run(w);
        }
        assert_int_equal(w->nodes[1].votes, k == 2 ? 0 : last);
        w->nodes[1].silent = false;
        for (int n = 0; n < 2; n++) pr_consensus_expire(w->nodes[1].c, 0);
        assert_int_equal(is_on_its_way(w, 2, PR_MESSAGE_VIEW_CHANGE), k > 0);
        net_destroy(w);
    }
}

/* Who has found a proof good, and sees it time out, tries the next leader; who has not, does not. */
static void a_good_proof_without_a_quorum_changes_the_view(void **state) {
    (void)state;
    for (int blind = 0; blind < 2; blind++) {
        net *w = net_create(4, NULL, 3);
        net_start(w);
        for (uint32_t i = 0; i < 4; i++) w->nodes[i].deaf = i != 1;
        w->nodes[1].blind = blind;
        pr_subject s = net_subject("job-1", 1, 3, true, 7);
        propose(w, 1, &s);
        net_run(w);
        for (uint32_t k = 0; k <= w->retries; k++) pr_consensus_expire(w->nodes[1].c, 2);
        assert_int_equal(net_outcome(w, 1, &s), PR_ROUND_TIMEOUT);
        assert_int_equal(is_on_its_way(w, 2, PR_MESSAGE_VIEW_CHANGE), !blind);
        net_destroy(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leader_alone_proposes),
        cmocka_unit_test(of_one_view_only_higher_attempts_supersede),
        cmocka_unit_test(a_leader_proposes_one_prover_for_an_attempt),
        cmocka_unit_test(evidence_is_exchanged),
        cmocka_unit_test(a_new_leader_is_told_of_proofs),
        cmocka_unit_test(an_outsider_does_not_wait_for_ever),
        cmocka_unit_test(the_away_are_left_out_by_sessions),
        cmocka_unit_test(a_third_takes_a_node_along),
        cmocka_unit_test(the_leader_tells_of_an_approval),
        cmocka_unit_test(who_asks_from_an_old_view_is_shown_the_new_one),
        cmocka_unit_test(an_approval_stands),
        cmocka_unit_test(a_certificate_has_each_member_once_and_nobody_else),
        cmocka_unit_test(an_approval_binds_after_a_crash),
        cmocka_unit_test(an_own_proof_takes_no_place),
        cmocka_unit_test(a_leader_goes_on_that_may_not_propose),
        cmocka_unit_test(a_leader_that_keeps_a_job_busy_is_left),
        cmocka_unit_test(a_good_proof_without_a_quorum_changes_the_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
