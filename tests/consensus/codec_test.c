/* Every decoder: what was encoded comes back, nothing else decodes, and a signature covers each byte before it.
 * PR_TEST_SEED=N replays one seed. */
#include "net.h"
#include "base/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static pr_prng g;
static pr_registry registry;
static pr_crypto crypto;
static net_node anybody;

static uint32_t below(uint32_t n) { return pr_prng_below(&g, n); }

static void fill(void *out, size_t n) {
    for (size_t i = 0; i < n; i++) ((uint8_t *)out)[i] = (uint8_t)pr_prng_next(&g);
}

static int setup(void **state) {
    (void)state;
    const char *seed = getenv("PR_TEST_SEED");
    g.state = seed ? strtoull(seed, NULL, 10) : 20261129;
    print_message("seed %llu\n", (unsigned long long)g.state);
    pr_registry_init(&registry);
    for (uint32_t i = 0; i < 9; i++) {
        uint8_t key[32];
        net_key(key, i);
        assert_int_equal(pr_registry_add(&registry, key, i + 1, NULL), PR_OK);
    }
    crypto = net_crypto(&anybody);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    pr_registry_clear(&registry);
    return 0;
}

/* A well-formed message of a random kind, signed by its signer. */
static pr_message random_message(pr_message_kind kind) {
    pr_message m = {.kind = kind};
    fill(&m.run, 32);
    fill(&m.subject.job, 32);
    if (kind != PR_MESSAGE_ANNOUNCE) m.n_validators = 9;
    if (kind != PR_MESSAGE_ANNOUNCE && kind != PR_MESSAGE_BATCH) m.view = pr_prng_next(&g);
    m.signer = below(9);
    if (kind <= PR_MESSAGE_ABSENCE) {
        m.subject.attempt = (uint32_t)pr_prng_next(&g);
        m.subject.prover = kind == PR_MESSAGE_ANNOUNCE ? m.signer : (m.signer + 1 + below(8)) % 9;
        fill(&m.subject.statement, 64);
    }
    if (kind == PR_MESSAGE_VIEW_CHANGE || kind == PR_MESSAGE_BATCH) m.subject.job = (pr_hash){{0}};
    if (kind == PR_MESSAGE_PROPOSE) fill(m.announcement, 64);
    if (kind == PR_MESSAGE_VOTE) {
        m.verdict = below(2) ? PR_VOTE_APPROVE : PR_VOTE_REJECT;
        m.reason = m.verdict == PR_VOTE_APPROVE ? PR_VOTE_REASON_NONE : (pr_vote_reason)(1 + below(3));
        m.attestation.kind = (pr_attestation_kind)below(PR_ATTESTATION_KINDS);
        if (m.attestation.kind != PR_ATTESTATION_NONE) {
            m.attestation.size = (uint16_t)(below(2) ? PR_ATTESTATION_MAX_BYTES : below(40));
            m.attestation.verified = below(2);
            fill(m.attestation.bytes, m.attestation.size);
        }
    }
    if (kind == PR_MESSAGE_ABSENCE) m.absent = below(9);
    if (kind == PR_MESSAGE_STATUS) m.removed_mark = below(1u << 30);
    if (kind == PR_MESSAGE_BATCH) {
        fill(&m.root, 32);
        m.n_leaves = 1 + below(1000);
    }
    net_key(anybody.key, m.signer);
    assert_true(pr_message_sign(&m, &crypto));
    return m;
}

static pr_message_kind random_kind(void) { return (pr_message_kind)(1 + below(PR_MESSAGE_SIGNED_END - 1)); }

static void what_is_encoded_comes_back(void **state) {
    (void)state;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES], again[PR_MESSAGE_MAX_BYTES];
    for (int k = 0; k < 5000; k++) {
        pr_message m = random_message(random_kind()), back;
        size_t size = pr_message_encode(bytes, &m);
        assert_int_equal(pr_message_decode(&back, bytes, size, NULL), PR_OK);
        assert_int_equal(pr_message_encode(again, &back), size);
        assert_memory_equal(bytes, again, size);
        assert_memory_equal(&m.subject, &back.subject, sizeof m.subject);
        assert_int_equal(m.view, back.view);
        assert_true(pr_message_verify(bytes, size, &back, &registry, &crypto));
    }
}

/* Whatever still decodes after a change has another signature digest, so its signature is wrong. */
static void a_signature_covers_every_byte(void **state) {
    (void)state;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    for (int kind = 1; kind < PR_MESSAGE_SIGNED_END; kind++) {
        pr_message m = random_message((pr_message_kind)kind), back;
        size_t size = pr_message_encode(bytes, &m);
        for (size_t at = 0; at < size; at++) {
            uint8_t flip = (uint8_t)(1u << below(8));
            bytes[at] ^= flip;
            if (pr_message_decode(&back, bytes, size, NULL) == PR_OK)
                assert_false(pr_message_verify(bytes, size, &back, &registry, &crypto));
            bytes[at] ^= flip;
        }
    }
}

static void lengths_are_exact(void **state) {
    (void)state;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES + 1] = {0};
    for (int kind = 1; kind < PR_MESSAGE_SIGNED_END; kind++) {
        pr_message m = random_message((pr_message_kind)kind), back;
        size_t size = pr_message_encode(bytes, &m);
        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(pr_message_decode(&back, bytes, cut, NULL), PR_ERR_MALFORMED);
        assert_int_equal(pr_message_decode(&back, bytes, size + 1, NULL), PR_ERR_MALFORMED);
    }
}

static void fields_out_of_range_are_refused(void **state) {
    (void)state;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message back;
    struct {
        pr_message m;
    } bad[16];
    int n = 0;
    for (int k = 0; k < 8; k++) bad[n++].m = random_message(PR_MESSAGE_VOTE);
    bad[0].m.verdict = (pr_vote_verdict)3;
    bad[1].m.verdict = PR_VOTE_APPROVE, bad[1].m.reason = PR_VOTE_REASON_INVALID;
    bad[2].m.verdict = PR_VOTE_REJECT, bad[2].m.reason = PR_VOTE_REASON_NONE;
    bad[3].m.attestation = (pr_attestation){.kind = PR_ATTESTATION_NONE, .size = 1};
    bad[4].m.attestation = (pr_attestation){.kind = PR_ATTESTATION_NONE, .verified = true};
    bad[5].m.attestation = (pr_attestation){.kind = PR_ATTESTATION_KINDS};
    bad[6].m.subject.prover = bad[6].m.signer;
    bad[7].m.signer = 9;
    bad[n++].m = random_message(PR_MESSAGE_ANNOUNCE);
    bad[8].m.view = 1;
    bad[n++].m = random_message(PR_MESSAGE_ANNOUNCE);
    bad[9].m.subject.prover ^= 1;
    bad[n++].m = random_message(PR_MESSAGE_ABSENCE);
    bad[10].m.absent = 9;
    bad[n++].m = random_message(PR_MESSAGE_STATUS);
    bad[11].m.signer = 9;
    bad[n++].m = random_message(PR_MESSAGE_BATCH);
    bad[12].m.n_leaves = 0;
    bad[n++].m = random_message(PR_MESSAGE_VIEW_CHANGE);
    bad[13].m.n_validators = PR_VALIDATORS_MAX + 1;
    for (int k = 0; k < n; k++) {
        pr_error err = {0};
        size_t size = pr_message_encode(bytes, &bad[k].m);
        if (pr_message_decode(&back, bytes, size, &err) != PR_ERR_MALFORMED) fail_msg("case %d decodes", k);
        assert_true(err.text[0] != 0);
    }
}

/* ---- fuzz: random bytes, and well-formed ones with a few changed, into every decoder and a whole machine ---- */

static size_t mutate(uint8_t *bytes, size_t size, size_t room) {
    for (uint32_t k = 1 + below(4); k > 0 && size > 0; k--) {
        uint32_t what = below(6);
        if (what < 3) bytes[below((uint32_t)size)] ^= (uint8_t)(1u << below(8));
        if (what == 3) bytes[below((uint32_t)size)] = (uint8_t)(below(2) ? 0xff : 0);
        if (what == 4) size -= below((uint32_t)size);
        if (what == 5 && size < room) bytes[size++] = (uint8_t)below(256);
    }
    return size;
}

static void decode_everything(const uint8_t *data, size_t size, const pr_consensus_terms *terms) {
    pr_message m;
    pr_certificate certificate;
    pr_evidence evidence;
    pr_evidence_answer answer;
    pr_batch_leaf leaf;
    pr_hash root = {{0}};
    uint64_t number;
    (void)!pr_message_decode(&m, data, size, NULL);
    (void)!pr_certificate_decode(&certificate, data, size, NULL);
    (void)!pr_view_certificate_check(&number, data, size, NULL, NULL, NULL, NULL);
    (void)!pr_evidence_decode(&evidence, data, size, NULL);
    (void)!pr_batch_check(&leaf, data, size, &root, NULL);
    (void)!pr_batch_certificate_check(&root, &number, data, size, NULL, NULL, NULL, NULL);
    assert_true(pr_certificate_check(&certificate, data, size, terms, &registry, &crypto, NULL) != PR_OK);
    assert_true(pr_view_certificate_check(&number, data, size, &terms->run, &registry, &crypto, NULL) != PR_OK);
    assert_true(pr_batch_certificate_check(&root, &number, data, size, &terms->run, &registry, &crypto, NULL) != PR_OK);
    assert_true(pr_evidence_check(&evidence, &answer, data, size, &terms->run, &registry, &crypto, PR_PROOF_VALID,
                                  NULL) != PR_OK ||
                answer == PR_EVIDENCE_FAILS);
}

/* What one run of a small net says, to be changed. */
typedef struct corpus {
    net_bytes items[NET_RECORDS];
    size_t n;
} corpus;

static void collect(corpus *c, const net *w) {
    for (uint32_t i = 0; i < w->n; i++)
        for (size_t k = 0; k < w->nodes[i].n_records && c->n < NET_RECORDS; k++) {
            const net_bytes *r = &w->nodes[i].records[k];
            if (r->data[0] != PR_CONSENSUS_RECORD_VALIDATOR && r->data[0] != PR_CONSENSUS_RECORD_OUTCOME)
                c->items[c->n++] = (net_bytes){r->data + 1, r->size - 1};
        }
}

static net *busy_net(void) {
    net *w = net_create(5, NULL, 4);
    net_start(w);
    pr_subject good = net_subject("job-1", 1, 3, true, 7), bad = net_subject("job-2", 1, 4, false, 8);
    net_announce(w, &good);
    net_run(w);
    w->nodes[0].silent = true;
    net_announce(w, &bad);
    net_run(w);
    for (int k = 0; k < 3; k++) {
        net_expire_views(w);
        net_expire_rounds(w);
    }
    assert_true(pr_consensus_view(w->nodes[1].c) > 0);
    return w;
}

static void fuzz_decoders(void **state) {
    (void)state;
    static corpus c;
    net *w = busy_net();
    pr_consensus_terms foreign = {pr_blake2s_hash("another", 7), w->terms.seed, 4};
    uint8_t bytes[16384];
    c.n = 0;
    collect(&c, w);
    assert_true(c.n > 20);
    for (int k = 0; k < 40000; k++) {
        size_t size;
        if (below(8) == 0) {
            size = below(400);
            fill(bytes, size);
            if (size > 2 && below(2)) bytes[0] = 1, bytes[1] = (uint8_t)below(20);
        } else {
            const net_bytes *item = &c.items[below((uint32_t)c.n)];
            memcpy(bytes, item->data, size = item->size);
            size = mutate(bytes, size, sizeof bytes);
        }
        decode_everything(bytes, size, &foreign);
    }
    net_destroy(w);
}

/* Changed messages of its own run, from a liar who knows everybody's words but not their keys: no honest node is
 * removed, nothing wrong is approved, memory does not grow without bound. */
static void fuzz_machine(void **state) {
    (void)state;
    static corpus c;
    net *source = busy_net(), *w = net_create(5, NULL, 4);
    uint8_t bytes[16384];
    c.n = 0;
    collect(&c, source);
    net_start(w);
    pr_subject good = net_subject("job-3", 1, 1, true, 7);
    w->nodes[2].silent = true; /* so the round stays open while strangers talk */
    net_announce(w, &good);
    net_run(w);
    for (int k = 0; k < 5000; k++) {
        const net_bytes *item = &c.items[below((uint32_t)c.n)];
        memcpy(bytes, item->data, item->size);
        size_t size = mutate(bytes, item->size, sizeof bytes);
        pr_consensus_receive(w->nodes[0].c, below(6), bytes, size);
        if (k % 64 == 0) net_run(w);
    }
    net_run(w);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(pr_consensus_registry(w->nodes[0].c)->validators[i].removal, PR_REMOVAL_NONE);
    assert_true(pr_consensus_memory_bytes(w->nodes[0].c) < 200000);
    net_destroy(w);
    net_destroy(source);
}

/* Records are one's own, but a disk may lie: none of this may crash. */
static void fuzz_records(void **state) {
    (void)state;
    net *w = busy_net();
    uint8_t bytes[16384];
    for (int k = 0; k < 300; k++) {
        net *fresh = net_create(5, NULL, 4);
        const net_node *node = &w->nodes[1];
        for (size_t r = 0; r < node->n_records; r++) {
            size_t size = node->records[r].size;
            memcpy(bytes, node->records[r].data, size);
            if (below(4) == 0) size = mutate(bytes, size, sizeof bytes);
            (void)!pr_consensus_restore(fresh->nodes[1].c, bytes, size, NULL);
        }
        pr_consensus_start(fresh->nodes[1].c);
        fresh->nodes[1].out_of_order = false; /* it says again what it restored: the net has not seen these records */
        net_destroy(fresh);
    }
    net_destroy(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_comes_back),
        cmocka_unit_test(a_signature_covers_every_byte),
        cmocka_unit_test(lengths_are_exact),
        cmocka_unit_test(fields_out_of_range_are_refused),
        cmocka_unit_test(fuzz_decoders),
        cmocka_unit_test(fuzz_machine),
        cmocka_unit_test(fuzz_records),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
