#include "net.h"
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- signatures ---- */

static void mac(uint8_t signature[64], const uint8_t key[32], const pr_hash *digest) {
    pr_blake2s state;
    for (int half = 0; half < 2; half++) {
        uint8_t which = (uint8_t)half;
        pr_blake2s_init_domain(&state, "test signature");
        pr_blake2s_update(&state, &which, 1);
        pr_blake2s_update(&state, key, 32);
        pr_blake2s_update(&state, digest->bytes, 32);
        pr_hash h = pr_blake2s_final(&state);
        memcpy(signature + 32 * half, h.bytes, 32);
    }
}

static bool sign(void *context, uint8_t signature[64], const pr_hash *digest) {
    mac(signature, ((net_node *)context)->key, digest);
    return true;
}

static bool verify(void *context, const uint8_t key[32], const pr_hash *digest, const uint8_t signature[64]) {
    uint8_t right[64];
    (void)context;
    mac(right, key, digest);
    return memcmp(right, signature, 64) == 0;
}

pr_crypto net_crypto(net_node *node) { return (pr_crypto){node, sign, verify}; }

void net_key(uint8_t key[PR_PUBLIC_KEY_BYTES], uint32_t index) {
    memset(key, 0, PR_PUBLIC_KEY_BYTES);
    key[0] = (uint8_t)(index + 1);
    key[31] = 0xa5;
}

/* ---- bytes ---- */

static net_bytes copy(const uint8_t *data, size_t size) {
    net_bytes b = {malloc(size ? size : 1), size};
    assert_non_null(b.data);
    if (size) memcpy(b.data, data, size);
    return b;
}

static void push(net *w, uint32_t from, uint32_t to, const uint8_t *data, size_t size) {
    assert_true(w->tail - w->head < NET_QUEUE);
    w->queue[w->tail++ % NET_QUEUE] = (net_packet){from, to, copy(data, size)};
}

/* ---- what a machine does ---- */

static bool is_recorded(const net_node *node, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < node->n_records; i++)
        if (node->records[i].size == size + 1 && memcmp(node->records[i].data + 1, data, size) == 0) return true;
    return false;
}

/* Votes, proposals, announcements and evidence may leave only once they are on record. */
static void check_order(net_node *node, const uint8_t *data, size_t size) {
    int kind = pr_message_peek(data, size);
    bool binding = kind == PR_MESSAGE_ANNOUNCE || kind == PR_MESSAGE_PROPOSE || kind == PR_MESSAGE_VOTE ||
                   kind == PR_MESSAGE_ABSENCE || kind == PR_MESSAGE_EVIDENCE || kind == PR_MESSAGE_CERTIFICATE;
    if (binding && !is_recorded(node, data, size)) node->out_of_order = true;
}

static void count(net_node *node, const pr_consensus_action *a) {
    switch (a->metric) {
    case PR_COUNT_VOTE:
        node->votes++;
        break;
    case PR_COUNT_ROUND:
        node->n_outcomes[a->label]++;
        break;
    case PR_COUNT_FRAUD:
        node->frauds++;
        break;
    case PR_COUNT_REMOVED:
        node->removed++;
        break;
    case PR_COUNT_VIEW_CHANGE:
        node->view_changes[a->label]++;
        break;
    case PR_COUNT_REFUSED:
        node->refused[a->label]++;
        break;
    default:
        break;
    }
}

static void act(void *context, const pr_consensus_action *a) {
    net_node *node = context;
    net *w = node->net;
    switch (a->kind) {
    case PR_CONSENSUS_PERSIST:
        assert_true(node->n_records < NET_RECORDS);
        node->records[node->n_records++] = copy(a->data, a->size);
        break;
    case PR_CONSENSUS_SEND:
        check_order(node, a->data, a->size);
        if (!node->silent) push(w, node->index, a->to, a->data, a->size);
        break;
    case PR_CONSENSUS_BROADCAST:
        check_order(node, a->data, a->size);
        for (uint32_t i = 0; i < w->n && !node->silent; i++)
            if (i != node->index) push(w, node->index, i, a->data, a->size);
        break;
    case PR_CONSENSUS_START_TIMER:
        node->timer_on[a->timer] = true;
        break;
    case PR_CONSENSUS_CANCEL_TIMER:
        node->timer_on[a->timer] = false;
        break;
    case PR_CONSENSUS_VERIFY:
        node->wanted[node->n_wanted++ % 256] = a->subject;
        break;
    case PR_CONSENSUS_OUTCOME:
        node->outcome = a->outcome;
        break;
    case PR_CONSENSUS_METRIC:
        count(node, a);
        break;
    case PR_CONSENSUS_BATCH:
        free(node->batch.data);
        node->batch = copy(a->data, a->size);
        break;
    default:
        break;
    }
}

/* ---- life ---- */

static pr_hash name_of(uint32_t job) {
    char id[] = "job-0";
    id[4] = (char)('0' + job);
    return pr_job_name(id);
}

static void make_node(net *w, uint32_t i) {
    net_node *node = &w->nodes[i];
    pr_consensus_config config = {.terms = w->terms,
                                  .round_timeout_ms = 1000,
                                  .view_timeout_ms = 1000,
                                  .retries = w->retries,
                                  .max_open_rounds = w->max_open,
                                  .admits = w->admits};
    pr_crypto crypto = net_crypto(node);
    memcpy(config.public_key, node->key, 32);
    assert_int_equal(pr_consensus_create(&node->c, &config, &crypto, (pr_consensus_sink){node, act}, NULL), PR_OK);
    for (uint32_t j = 0; j < 10; j++) {
        pr_hash job = name_of(j);
        assert_int_equal(pr_consensus_add_job(node->c, &job, NULL), PR_OK);
    }
}

net *net_create(uint32_t n, const uint64_t *stakes, uint32_t committee_size) {
    net *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->queue = calloc(NET_QUEUE, sizeof *w->queue);
    assert_non_null(w->queue);
    w->n = n;
    w->retries = 3;
    w->max_open = 8;
    w->terms = (pr_consensus_terms){pr_blake2s_hash("run", 3), pr_blake2s_hash("seed", 4), committee_size};
    for (uint32_t i = 0; i < n; i++) {
        w->nodes[i].net = w;
        w->nodes[i].index = i;
        net_key(w->nodes[i].key, i);
    }
    for (uint32_t i = 0; i < n; i++) {
        make_node(w, i);
        for (uint32_t k = 0; k < n; k++)
            assert_int_equal(pr_consensus_register(w->nodes[i].c, w->nodes[k].key, stakes ? stakes[k] : 1, NULL),
                             PR_OK);
    }
    return w;
}

void net_start(net *w) {
    for (uint32_t i = 0; i < w->n; i++) pr_consensus_start(w->nodes[i].c);
}

void net_restart(net *w, uint32_t i) {
    net_node *node = &w->nodes[i];
    pr_consensus_destroy(node->c);
    memset(node->timer_on, 0, sizeof node->timer_on);
    node->n_wanted = 0;
    size_t n = node->n_records;
    make_node(w, i);
    for (size_t k = 0; k < n; k++) {
        pr_error err = {0};
        if (pr_consensus_restore(node->c, node->records[k].data, node->records[k].size, &err) != PR_OK)
            fail_msg("record %zu of %zu: %s", k, n, err.text);
    }
    assert_int_equal(node->n_records, n);
    pr_consensus_start(node->c);
}

void net_destroy(net *w) {
    for (uint32_t i = 0; i < w->n; i++) {
        assert_false(w->nodes[i].out_of_order);
        pr_consensus_destroy(w->nodes[i].c);
        for (size_t k = 0; k < w->nodes[i].n_records; k++) free(w->nodes[i].records[k].data);
        free(w->nodes[i].batch.data);
    }
    while (w->head < w->tail) free(w->queue[w->head++ % NET_QUEUE].bytes.data);
    free(w->queue);
    free(w);
}

/* ---- driving ---- */

pr_subject net_subject(const char *job, uint32_t attempt, uint32_t prover, bool valid, uint8_t salt) {
    pr_subject s = {.job = pr_job_name(job), .attempt = attempt, .prover = prover};
    s.statement = pr_blake2s_hash(job, strlen(job));
    s.proof_hash = pr_blake2s_hash(&salt, 1);
    s.proof_hash.bytes[0] = valid;
    return s;
}

void net_announce(net *w, const pr_subject *subject) {
    pr_error err = {0};
    if (pr_consensus_announce(w->nodes[subject->prover].c, subject, &err) != PR_OK) fail_msg("%s", err.text);
}

static void answer(net_node *node) {
    pr_subject s = node->wanted[--node->n_wanted];
    if (node->blind)
        pr_consensus_verified(node->c, &s, PR_PROOF_UNKNOWN, PR_VOTE_REASON_NONE);
    else if (s.proof_hash.bytes[0] == 1)
        pr_consensus_verified(node->c, &s, PR_PROOF_VALID, PR_VOTE_REASON_NONE);
    else
        pr_consensus_verified(node->c, &s, PR_PROOF_INVALID, PR_VOTE_REASON_INVALID);
}

void net_step(net *w) {
    net_packet p = w->queue[w->head++ % NET_QUEUE];
    if (!w->nodes[p.to].deaf) pr_consensus_receive(w->nodes[p.to].c, p.from, p.bytes.data, p.bytes.size);
    free(p.bytes.data);
}

void net_run(net *w) {
    for (bool busy = true; busy;) {
        busy = w->head < w->tail;
        if (busy) net_step(w);
        for (uint32_t i = 0; i < w->n; i++) {
            busy |= w->nodes[i].n_wanted > 0;
            while (w->nodes[i].n_wanted > 0) answer(&w->nodes[i]);
        }
    }
}

static void expire(net *w, uint64_t first, uint64_t end) {
    bool due[NET_MAX][NET_TIMERS];
    for (uint32_t i = 0; i < w->n; i++) memcpy(due[i], w->nodes[i].timer_on, sizeof due[i]);
    for (uint32_t i = 0; i < w->n; i++)
        for (uint64_t t = first; t < end; t++) {
            if (!due[i][t] || !w->nodes[i].timer_on[t]) continue;
            w->nodes[i].timer_on[t] = false;
            pr_consensus_expire(w->nodes[i].c, t);
        }
    net_run(w);
}

void net_expire_views(net *w) { expire(w, 0, 1); }
void net_expire_rounds(net *w) { expire(w, 1, NET_TIMERS); }

size_t net_sign(const net *w, uint8_t out[PR_MESSAGE_MAX_BYTES], pr_message *m, uint32_t as) {
    net_node node = {0};
    net_key(node.key, as);
    pr_crypto crypto = net_crypto(&node);
    m->run = w->terms.run;
    m->signer = as;
    m->n_validators = m->kind == PR_MESSAGE_ANNOUNCE ? 0 : w->n;
    assert_true(pr_message_sign(m, &crypto));
    return pr_message_encode(out, m);
}

pr_message net_vote(const net *w, const pr_subject *subject, uint32_t voter, pr_vote_verdict verdict) {
    return (pr_message){.kind = PR_MESSAGE_VOTE,
                        .run = w->terms.run,
                        .n_validators = w->n,
                        .signer = voter,
                        .subject = *subject,
                        .verdict = verdict,
                        .reason = verdict == PR_VOTE_APPROVE ? PR_VOTE_REASON_NONE : PR_VOTE_REASON_INVALID};
}

void net_deliver(net *w, uint32_t to, uint32_t from, const uint8_t *data, size_t size) {
    pr_consensus_receive(w->nodes[to].c, from, data, size);
    net_run(w);
}

pr_round_outcome net_outcome(const net *w, uint32_t node, const pr_subject *subject) {
    return pr_consensus_outcome(w->nodes[node].c, &subject->job);
}

void net_registry(const net *w, uint32_t i, pr_registry *out) {
    const pr_registry *known = pr_consensus_registry(w->nodes[i].c);
    pr_registry_init(out);
    for (uint32_t k = 0; k < known->n; k++) {
        assert_int_equal(pr_registry_add(out, known->validators[k].public_key, known->validators[k].stake, NULL),
                         PR_OK);
        if (known->validators[k].removal) pr_registry_remove(out, k, known->validators[k].removal);
    }
}
