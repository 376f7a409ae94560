/* Crashes: a node is cut off after every single record and comes back from what it had written. */
#include "net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void same_state(const pr_consensus *a, const pr_consensus *b) {
    assert_int_equal(pr_consensus_view(a), pr_consensus_view(b));
    assert_int_equal(pr_consensus_leader(a), pr_consensus_leader(b));
    const pr_registry *ra = pr_consensus_registry(a), *rb = pr_consensus_registry(b);
    assert_int_equal(ra->n, rb->n);
    assert_int_equal(ra->active_stake, rb->active_stake);
    for (uint32_t i = 0; i < ra->n; i++) assert_int_equal(ra->validators[i].removal, rb->validators[i].removal);
    for (char k = '0'; k <= '9'; k++) {
        char id[] = "job-0";
        size_t na, nb;
        id[4] = k;
        pr_hash job = pr_job_name(id);
        assert_int_equal(pr_consensus_outcome(a, &job), pr_consensus_outcome(b, &job));
        const uint8_t *ca = pr_consensus_certificate(a, &job, &na), *cb = pr_consensus_certificate(b, &job, &nb);
        assert_int_equal(na, nb);
        if (na) assert_memory_equal(ca, cb, na);
    }
    assert_int_equal(pr_consensus_open_rounds(a), pr_consensus_open_rounds(b));
    assert_int_equal(pr_consensus_pending_votes(a), pr_consensus_pending_votes(b));
}

/* Everything there is: an approval, a rejection with a removal, a view change, an open round with votes. */
static net *eventful(void) {
    net *w = net_create(5, NULL, 4);
    net_start(w);
    pr_subject good = net_subject("job-1", 1, 3, true, 7), bad = net_subject("job-2", 1, 4, false, 8),
               late = net_subject("job-3", 1, 2, true, 9), open = net_subject("job-4", 1, 1, true, 10);
    net_announce(w, &good);
    net_announce(w, &bad);
    net_run(w);
    w->nodes[0].silent = w->nodes[0].deaf = true;
    net_announce(w, &late);
    net_run(w);
    net_expire_views(w);
    net_expire_views(w);
    net_expire_rounds(w);
    net_expire_rounds(w);
    assert_int_equal(pr_consensus_view(w->nodes[1].c), 1);
    assert_int_equal(net_outcome(w, 1, &late), PR_ROUND_APPROVED);
    w->nodes[2].deaf = w->nodes[2].silent = true;
    net_announce(w, &open);
    net_run(w);
    assert_int_equal(pr_consensus_open_rounds(w->nodes[3].c), 1);
    return w;
}

static void state_comes_back(void **state) {
    (void)state;
    net *w = eventful();
    for (uint32_t i = 0; i < 5; i++) {
        pr_consensus *before = w->nodes[i].c;
        w->nodes[i].c = NULL; /* so that net_restart keeps what is compared with */
        net_restart(w, i);
        same_state(before, w->nodes[i].c);
        pr_consensus_destroy(before);
    }
    net_destroy(w);
}

/* Every vote a node has ever put on record, for one (job, attempt, view) at most one. */
static void check_votes(const net_node *node) {
    for (size_t i = 0; i < node->n_records; i++) {
        pr_message a, b;
        const net_bytes *x = &node->records[i];
        if (x->data[0] != PR_CONSENSUS_RECORD_MESSAGE || pr_message_decode(&a, x->data + 1, x->size - 1, NULL) != PR_OK)
            continue;
        for (size_t k = 0; k < i; k++) {
            const net_bytes *y = &node->records[k];
            if (y->data[0] != PR_CONSENSUS_RECORD_MESSAGE ||
                pr_message_decode(&b, y->data + 1, y->size - 1, NULL) != PR_OK)
                continue;
            if (pr_messages_contradict(&a, x->data + 1, x->size - 1, &b, y->data + 1, y->size - 1))
                fail_msg("records %zu and %zu contradict each other (kind %d)", k, i, (int)a.kind);
        }
    }
}

/* After each record the machine stops, what it was about to send is lost, it comes back and goes on. Another attempt at
 * the job, by another prover, comes in between; at the end nothing contradicts, and the job is approved. */
static void crash_after_every_record(void **state) {
    (void)state;
    size_t n_points = 1;
    for (size_t cut = 0; cut < n_points; cut++)
        for (uint32_t victim = 0; victim < 4; victim++) {
            net *w = net_create(4, NULL, 3);
            net_start(w);
            size_t base = w->nodes[victim].n_records;
            pr_subject s = net_subject("job-1", 1, 3, true, 7), next = net_subject("job-1", 2, 2, true, 7);
            net_announce(w, &s);
            net_run(w);
            net_node *node = &w->nodes[victim];
            if (node->n_records - base > n_points) n_points = node->n_records - base;
            while (node->n_records > base + cut) free(node->records[--node->n_records].data);
            net_restart(w, victim);
            net_run(w);
            for (int k = 0; k < 5; k++) net_expire_rounds(w);
            if (net_outcome(w, 2, &s) != PR_ROUND_APPROVED) net_announce(w, &next);
            net_run(w);
            for (int k = 0; k < 3; k++) net_expire_rounds(w);
            for (uint32_t i = 0; i < 4; i++) {
                check_votes(&w->nodes[i]);
                assert_int_equal(pr_consensus_registry(w->nodes[i].c)->n_active, 4);
            }
            assert_int_equal(net_outcome(w, 2, &s), PR_ROUND_APPROVED);
            net_destroy(w);
        }
    assert_true(n_points > 3);
}

/* Its own proof, announced while another one of the job was in its round, takes no round's place after a crash either.
 */
static void an_own_proof_waits_for_the_round_before_it(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    w->nodes[2].silent = w->nodes[2].deaf = true;
    pr_subject first = net_subject("job-1", 1, 3, true, 7), own = net_subject("job-1", 2, 1, true, 7);
    net_announce(w, &first);
    net_run(w);
    net_announce(w, &own);
    net_run(w);
    assert_int_equal(pr_consensus_pending_votes(w->nodes[1].c), 2);
    net_restart(w, 1);
    assert_int_equal(pr_consensus_pending_votes(w->nodes[1].c), 2);
    net_run(w);
    net_expire_rounds(w);
    net_expire_rounds(w);
    assert_int_equal(net_outcome(w, 1, &first), PR_ROUND_APPROVED);
    net_destroy(w);
}

/* The verifier said "valid" before the crash and something else after it (another build, a broken machine): the vote
 * on record stands. */
static void the_vote_on_record_stands(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 1; i < 3; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    net_announce(w, &s);
    net_run(w);
    size_t before = w->nodes[0].n_records;
    net_restart(w, 0);
    pr_consensus_verified(w->nodes[0].c, &s, PR_PROOF_INVALID, PR_VOTE_REASON_INVALID);
    net_run(w);
    for (size_t k = before; k < w->nodes[0].n_records; k++) {
        pr_message m;
        const net_bytes *r = &w->nodes[0].records[k];
        if (r->data[0] == PR_CONSENSUS_RECORD_MESSAGE && pr_message_decode(&m, r->data + 1, r->size - 1, NULL) == PR_OK)
            assert_int_not_equal(m.kind, PR_MESSAGE_VOTE);
    }
    check_votes(&w->nodes[0]);
    net_destroy(w);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    net *w = net_create(2, NULL, 1);
    uint8_t record[8] = {0};
    for (uint32_t kind = 0; kind < 256; kind++) {
        pr_error err = {0};
        record[0] = (uint8_t)kind;
        assert_int_equal(pr_consensus_restore(w->nodes[0].c, record, sizeof record, &err), PR_ERR_MALFORMED);
    }
    assert_int_equal(pr_consensus_restore(w->nodes[0].c, record, 0, NULL), PR_ERR_MALFORMED);
    net_destroy(w);
}

static void ignore(void *context, const pr_consensus_action *action) {
    (void)context;
    (void)action;
}

/* All are killed in the midst of a round, with every message lost: it goes on at once, before any timer. Nor is a
 * number that was announced given again. */
static void an_open_round_goes_on_without_a_timer(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    pr_subject s = net_subject("job-1", 3, 1, true, 7);
    net_announce(w, &s);
    while (w->head < w->tail) free(w->queue[w->head++ % NET_QUEUE].bytes.data); /* nobody hears of it */
    for (uint32_t i = 0; i < 4; i++) net_restart(w, i);
    assert_int_equal(pr_consensus_last_attempt(w->nodes[1].c, &s.job), 3);
    net_run(w);
    for (uint32_t i = 0; i < 4; i++) assert_int_equal(net_outcome(w, i, &s), PR_ROUND_APPROVED);
    assert_int_equal(pr_consensus_last_attempt(w->nodes[0].c, &s.job), 3);
    net_destroy(w);
}

/* The machine of a node once more, from its records, in a session with one validator more. */
static pr_consensus *among_more(net_node *node, const pr_hash *job, pr_consensus_sink sink) {
    pr_consensus *fresh = NULL;
    uint8_t key[PR_PUBLIC_KEY_BYTES];
    pr_consensus_config config = {.terms = node->net->terms,
                                  .round_timeout_ms = 1000,
                                  .view_timeout_ms = 400,
                                  .retries = 2,
                                  .max_open_rounds = 8};
    memcpy(config.public_key, node->key, sizeof config.public_key);
    const pr_crypto crypto = net_crypto(node);
    net_key(key, 9);
    assert_int_equal(pr_consensus_create(&fresh, &config, &crypto, sink, NULL), PR_OK);
    assert_int_equal(pr_consensus_add_job(fresh, job, NULL), PR_OK);
    for (size_t r = 0; r < node->n_records; r++)
        assert_int_equal(pr_consensus_restore(fresh, node->records[r].data, node->records[r].size, NULL), PR_OK);
    assert_int_equal(pr_consensus_open_rounds(fresh), 1);
    assert_int_equal(pr_consensus_register(fresh, key, 1, NULL), PR_OK);
    assert_int_equal(pr_consensus_open_rounds(fresh), 0);
    pr_consensus_start(fresh);
    return fresh;
}

/* The round that was open when the session before was killed is begun anew among all. */
static void an_open_round_begins_anew_with_more_validators(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    pr_subject s = net_subject("job-1", 1, 1, true, 7);
    net_announce(w, &s);
    net_node *node = &w->nodes[1];
    pr_consensus *fresh = among_more(node, &s.job, (pr_consensus_sink){NULL, ignore});
    assert_int_equal(pr_consensus_open_rounds(fresh), 1); /* its own proof, announced again */
    assert_int_equal(pr_consensus_register(fresh, node->key, 1, NULL), PR_ERR_REFUSED);
    pr_consensus_destroy(fresh);
    net_destroy(w);
}

typedef struct statement {
    pr_message m;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size;
} statement;

static void take_proposal(statement *out, const uint8_t *record, size_t size) {
    if (size - 1 > sizeof out->bytes || pr_message_peek(record + 1, size - 1) != PR_MESSAGE_PROPOSE) return;
    out->size = size - 1;
    memcpy(out->bytes, record + 1, out->size);
    assert_int_equal(pr_message_decode(&out->m, out->bytes, out->size, NULL), PR_OK);
}

static void keep_proposal(void *context, const pr_consensus_action *action) {
    if (action->kind == PR_CONSENSUS_PERSIST) take_proposal(context, action->data, action->size);
}

/* Whoever leads in both sessions says the same twice, in one view: to somebody who has both that is no evidence. */
static void a_leader_may_propose_again_among_more_validators(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = s};
    size_t size = net_sign(w, bytes, &m, 3);
    net_deliver(w, 0, 3, bytes, size);
    statement first = {.size = 0}, second = {.size = 0};
    for (size_t k = 0; k < w->nodes[0].n_records; k++)
        take_proposal(&first, w->nodes[0].records[k].data, w->nodes[0].records[k].size);
    pr_consensus *fresh = among_more(&w->nodes[0], &s.job, (pr_consensus_sink){&second, keep_proposal});
    pr_consensus_receive(fresh, 3, bytes, size);
    assert_int_equal(first.m.n_validators, 4);
    assert_int_equal(second.m.n_validators, 5);
    assert_int_equal(first.m.view, second.m.view);
    pr_evidence e;
    pr_writer x;
    pr_writer_init(&x);
    pr_evidence_write(&x, PR_EVIDENCE_EQUIVOCATION, 0, first.bytes, first.size, second.bytes, second.size);
    assert_int_equal(pr_evidence_decode(&e, x.data, x.size, NULL), PR_ERR_MALFORMED);
    pr_writer_clear(&x);
    pr_consensus_destroy(fresh);
    net_destroy(w);
}

/* Evidence is above being away, so that who comes back in a later session is still removed. */
static void who_is_away_can_be_convicted(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    pr_consensus_set_away(w->nodes[0].c, 3, 2);
    net_start(w);
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
    pr_writer x;
    uint8_t bytes[2][PR_MESSAGE_MAX_BYTES];
    size_t size[2];
    for (int k = 0; k < 2; k++) {
        pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = net_subject("job-1", 1, 3, true, (uint8_t)k)};
        size[k] = net_sign(w, bytes[k], &m, 3);
    }
    pr_writer_init(&x);
    pr_evidence_write(&x, PR_EVIDENCE_EQUIVOCATION, 3, bytes[0], size[0], bytes[1], size[1]);
    net_deliver(w, 0, 1, x.data, x.size);
    pr_writer_clear(&x);
    assert_true(pr_registry_is_convicted(pr_consensus_registry(w->nodes[0].c), 3));
    assert_int_equal(pr_consensus_registry(w->nodes[0].c)->active_stake, 3);
    net_restart(w, 0);
    assert_int_equal(pr_consensus_registry(w->nodes[0].c)->validators[3].removal, PR_REMOVAL_EQUIVOCATION);
    net_destroy(w);
}

/* A broken machine found a proof valid, the others reject it with a quorum: what it has said of that proof does not
 * keep it from the next one. */
static void a_rejection_frees_who_had_approved(void **state) {
    (void)state;
    const uint64_t stakes[4] = {1, 4, 4, 1};
    net *w = net_create(4, stakes, 3);
    net_start(w);
    for (uint32_t i = 1; i < 4; i++) w->nodes[i].silent = w->nodes[i].deaf = true;
    pr_subject first = net_subject("job-1", 1, 3, true, 7), second = net_subject("job-1", 2, 3, true, 8);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = first};
    net_deliver(w, 0, 3, bytes, net_sign(w, bytes, &m, 3));
    assert_int_equal(w->nodes[0].votes, 1);
    w->nodes[0].blind = true; /* from now on it cannot tell */
    net_restart(w, 0);
    for (uint32_t i = 1; i < 3; i++) {
        m = net_vote(w, &first, i, PR_VOTE_REJECT);
        net_deliver(w, 0, i, bytes, net_sign(w, bytes, &m, i));
    }
    assert_int_equal(net_outcome(w, 0, &first), PR_ROUND_REJECTED);
    w->nodes[0].blind = false;
    m = (pr_message){.kind = PR_MESSAGE_ANNOUNCE, .subject = second};
    uint64_t votes = w->nodes[0].votes;
    net_deliver(w, 0, 3, bytes, net_sign(w, bytes, &m, 3));
    assert_int_equal(w->nodes[0].votes, votes + 1);
    net_destroy(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_comes_back),
        cmocka_unit_test(crash_after_every_record),
        cmocka_unit_test(an_own_proof_waits_for_the_round_before_it),
        cmocka_unit_test(the_vote_on_record_stands),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(an_open_round_goes_on_without_a_timer),
        cmocka_unit_test(an_open_round_begins_anew_with_more_validators),
        cmocka_unit_test(a_leader_may_propose_again_among_more_validators),
        cmocka_unit_test(who_is_away_can_be_convicted),
        cmocka_unit_test(a_rejection_frees_who_had_approved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
