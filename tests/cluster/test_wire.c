/* Messages: every type there and back, cut short, damaged, of other versions. */
#include "base/random.h"
#include "cluster/wire.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static pr_record sample_record(void) {
    pr_record r = {0};
    pr_row_set_text(r.row.id, sizeof r.row.id, "job-1");
    r.row.public_bytes = 3;
    r.row.proof_compressed_bytes = 5;
    r.n_outputs = 1;
    r.outputs = calloc(1, sizeof *r.outputs);
    r.public_data = malloc(3);
    r.proof = malloc(5);
    memcpy(r.public_data, "abc", 3);
    memcpy(r.proof, "12345", 5);
    return r;
}

static const pr_wire_task task = {5, 9, 2};

static const uint8_t validators[2 * PR_WIRE_VALIDATOR_BYTES] = {[0] = 5,
                                                                [32] = 9,
                                                                [PR_WIRE_VALIDATOR_BYTES] = 6,
                                                                [PR_WIRE_VALIDATOR_BYTES + 32] = 8,
                                                                [2 * PR_WIRE_VALIDATOR_BYTES - 12] = 0xff,
                                                                0xff,
                                                                0xff,
                                                                0xff,
                                                                6};

static pr_wire sample(pr_wire_type type) {
    pr_wire m = {.type = type};
    switch (type) {
    case PR_WIRE_HELLO:
        m.as.hello =
            (pr_wire_hello){"node1", "0.1.0", 77, 4, 1, 1, 3, 1000, "0000:01:00.0", 2000, "near its GPU", {{8}}};
        break;
    case PR_WIRE_MANIFEST:
        m.as.manifest =
            (pr_wire_manifest){5, "m.yaml", "/base", "version: 1\n", 11, {{1}}, {{2}}, "run-1", "keys", {{3}}};
        break;
    case PR_WIRE_READY:
        m.as.ready = (pr_wire_ready){5, 7, PR_ERR_USAGE, {6}, {{7}}, {{8}}, "why"};
        break;
    case PR_WIRE_ROSTER:
        m.as.roster =
            (pr_wire_roster){5, "votes", 1, {{3}}, {4, 1000, 500, 2, 1}, 1, validators, validators + 32, 2, validators};
        break;
    case PR_WIRE_PROVE:
        m.as.prove = (pr_wire_prove){task, 1, 1, 2, {9, 10}, 100, 200};
        break;
    case PR_WIRE_ANSWER:
        m.as.answer.task = task;
        m.as.answer.failure = PR_WIRE_PROVED;
        m.as.answer.end = PR_ATTEMPT_PROVED;
        m.as.answer.child_restarts = 3;
        m.as.answer.record = sample_record();
        break;
    case PR_WIRE_CANCEL:
        m.as.cancel = task;
        break;
    case PR_WIRE_VOTE:
        m.as.vote = (pr_wire_vote){5, validators, 10};
        break;
    case PR_WIRE_FETCH:
        m.as.fetch = (pr_wire_fetch){task, {{4}}};
        break;
    case PR_WIRE_PROOF:
        m.as.proof.task = task;
        m.as.proof.record = sample_record();
        break;
    case PR_WIRE_VERDICT:
        m.as.verdict = (pr_wire_verdict){task, PR_VERDICT_REFUSED, 2.5, "not so"};
        break;
    case PR_WIRE_NOTE:
        m.as.note = (pr_wire_note){PR_EVENT_CHILD_DIED, 1, task, "it\x1b died"};
        break;
    case PR_WIRE_PING:
        m.as.ping = (pr_wire_ping){1, task, 8, 1, "merkle"};
        break;
    case PR_WIRE_CLOSE:
        m.as.close = 5;
        break;
    case PR_WIRE_STOP:
        m.as.stop = (pr_wire_stop){PR_STOP_AT_ONCE, 75};
        break;
    default:
        break;
    }
    return m;
}

static void check_task(const pr_wire_task *t) { assert_memory_equal(t, &task, sizeof task); }

static void check_roster(const pr_wire_roster *m) {
    pr_wire_validator v;
    assert_string_equal(m->folder, "votes");
    assert_int_equal(m->seed.bytes[0], 3);
    assert_int_equal(m->votes.committee_size, 4);
    assert_int_equal(m->votes.threads, 1);
    assert_int_equal(m->resumed, 1);
    assert_int_equal(m->n_lots, 1);
    assert_int_equal(m->seals[0], 5);
    assert_int_equal(m->lots[0], 9);
    assert_int_equal(m->n_validators, 2);
    pr_wire_validator_get(&v, m, 1);
    assert_int_equal(v.public_key[0], 6);
    assert_int_equal(v.stake, 8);
    assert_int_equal(v.rank, -1);
    assert_int_equal(v.away, 6);
}

static void check(const pr_wire *m) {
    switch (m->type) {
    case PR_WIRE_HELLO:
        assert_string_equal(m->as.hello.host, "node1");
        assert_int_equal(m->as.hello.threads, 4);
        assert_int_equal(m->as.hello.node_bytes, 1000);
        assert_string_equal(m->as.hello.device, "0000:01:00.0");
        assert_string_equal(m->as.hello.place, "near its GPU");
        assert_int_equal(m->as.hello.sealed_lot.bytes[0], 8);
        break;
    case PR_WIRE_MANIFEST:
        assert_string_equal(m->as.manifest.text, "version: 1\n");
        assert_int_equal(m->as.manifest.text_size, 11);
        assert_string_equal(m->as.manifest.base_dir, "/base");
        assert_int_equal(m->as.manifest.run_digest.bytes[0], 2);
        assert_string_equal(m->as.manifest.run_id, "run-1");
        assert_string_equal(m->as.manifest.key_folder, "keys");
        assert_int_equal(m->as.manifest.sealed_lots.bytes[0], 3);
        break;
    case PR_WIRE_READY:
        assert_int_equal(m->as.ready.n_jobs, 7);
        assert_string_equal(m->as.ready.reason, "why");
        assert_int_equal(m->as.ready.public_key[0], 6);
        assert_int_equal(m->as.ready.lot.bytes[0], 7);
        assert_int_equal(m->as.ready.next_sealed_lot.bytes[0], 8);
        break;
    case PR_WIRE_ROSTER:
        check_roster(&m->as.roster);
        break;
    case PR_WIRE_PROVE:
        check_task(&m->as.prove.task);
        assert_int_equal(m->as.prove.begins_ahead, 1);
        assert_int_equal(m->as.prove.n_next, 2);
        assert_int_equal(m->as.prove.next[1], 10);
        assert_int_equal(m->as.prove.quiet_ms, 200);
        break;
    case PR_WIRE_ANSWER:
        check_task(&m->as.answer.task);
        assert_int_equal(m->as.answer.failure, PR_WIRE_PROVED);
        assert_int_equal(m->as.answer.child_restarts, 3);
        assert_memory_equal(m->as.answer.record.proof, "12345", 5);
        break;
    case PR_WIRE_CANCEL:
        check_task(&m->as.cancel);
        break;
    case PR_WIRE_VOTE:
        assert_int_equal(m->as.vote.run, 5);
        assert_int_equal(m->as.vote.size, 10);
        assert_memory_equal(m->as.vote.data, validators, 10);
        break;
    case PR_WIRE_FETCH:
        check_task(&m->as.fetch.task);
        assert_int_equal(m->as.fetch.proof_hash.bytes[0], 4);
        break;
    case PR_WIRE_PROOF:
        check_task(&m->as.proof.task);
        assert_string_equal(m->as.proof.record.row.id, "job-1");
        break;
    case PR_WIRE_VERDICT:
        check_task(&m->as.verdict.task);
        assert_int_equal(m->as.verdict.verdict, PR_VERDICT_REFUSED);
        assert_true(m->as.verdict.verify_ms == 2.5);
        break;
    case PR_WIRE_NOTE:
        assert_int_equal(m->as.note.kind, PR_EVENT_CHILD_DIED);
        assert_string_equal(m->as.note.text, "it  died"); /* nothing that a terminal would obey */
        break;
    case PR_WIRE_PING:
        check_task(&m->as.ping.task);
        assert_int_equal(m->as.ping.verifying, 1);
        assert_string_equal(m->as.ping.stage, "merkle");
        break;
    case PR_WIRE_CLOSE:
        assert_int_equal(m->as.close, 5);
        break;
    case PR_WIRE_STOP:
        assert_int_equal(m->as.stop.how, PR_STOP_AT_ONCE);
        assert_int_equal(m->as.stop.exit_code, 75);
        break;
    default:
        assert_int_equal(m->type, PR_WIRE_BYE);
    }
}

static void encode(pr_writer *w, pr_wire_type type) {
    pr_wire m = sample(type);
    pr_writer_init(w);
    pr_wire_encode(w, &m);
    assert_false(w->failed);
    pr_wire_clear(&m);
}

static void test_round_trip(void **state) {
    (void)state;
    for (int type = PR_WIRE_HELLO; type < PR_WIRE_TYPES; type++) {
        pr_writer w;
        pr_wire back;
        pr_error e = {0};
        encode(&w, (pr_wire_type)type);
        assert_int_equal(pr_wire_decode(&back, w.data, w.size, &e), PR_OK);
        assert_int_equal(back.type, type);
        check(&back);
        pr_wire_clear(&back);
        pr_writer_clear(&w);
    }
}

/* A copy of exactly n bytes: a sanitizer sees any read behind it. */
static pr_status decode_copy(const uint8_t *data, size_t n) {
    uint8_t *copy = malloc(n ? n : 1);
    pr_wire back;
    pr_error e = {0};
    if (n) memcpy(copy, data, n);
    pr_status status = pr_wire_decode(&back, copy, n, &e);
    if (status == PR_OK) pr_wire_clear(&back);
    free(copy);
    return status;
}

static void test_prefixes_are_refused(void **state) {
    (void)state;
    for (int type = PR_WIRE_HELLO; type < PR_WIRE_TYPES; type++) {
        pr_writer w;
        encode(&w, (pr_wire_type)type);
        for (size_t n = 0; n < w.size; n++) assert_int_equal(decode_copy(w.data, n), PR_ERR_MALFORMED);
        pr_write_u8(&w, 0);
        assert_int_equal(decode_copy(w.data, w.size), PR_ERR_MALFORMED);
        pr_writer_clear(&w);
    }
}

static void test_damage_is_survived(void **state) {
    (void)state;
    pr_prng g = {42};
    for (unsigned k = 0; k < 20000; k++) {
        pr_writer w;
        encode(&w, (pr_wire_type)(1 + k % (PR_WIRE_TYPES - 1)));
        for (unsigned flips = 1 + pr_prng_below(&g, 3); flips > 0; flips--)
            w.data[pr_prng_below(&g, (uint32_t)w.size)] = (uint8_t)pr_prng_next(&g);
        pr_status status = decode_copy(w.data, w.size);
        assert_true(status == PR_OK || status == PR_ERR_MALFORMED);
        pr_writer_clear(&w);
    }
}

static void test_noise_is_refused(void **state) {
    (void)state;
    pr_prng g = {43};
    uint8_t noise[256];
    for (unsigned k = 0; k < 5000; k++) {
        for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)pr_prng_next(&g);
        assert_int_equal(decode_copy(noise, pr_prng_below(&g, sizeof noise)), PR_ERR_MALFORMED);
    }
}

static void test_header(void **state) {
    (void)state;
    pr_writer w;
    pr_wire back;
    pr_error e = {0};
    encode(&w, PR_WIRE_STOP);
    w.data[4] = PR_WIRE_VERSION + 1;
    assert_int_equal(pr_wire_decode(&back, w.data, w.size, &e), PR_ERR_MALFORMED);
    assert_non_null(strstr(e.text, "of version 6"));
    w.data[4] = PR_WIRE_VERSION;
    w.data[6] = PR_WIRE_TYPES;
    assert_int_equal(pr_wire_decode(&back, w.data, w.size, &e), PR_ERR_MALFORMED);
    assert_non_null(strstr(e.text, "type"));
    pr_writer_clear(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_prefixes_are_refused),
        cmocka_unit_test(test_damage_is_survived),
        cmocka_unit_test(test_noise_is_refused),
        cmocka_unit_test(test_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
