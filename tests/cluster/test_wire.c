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

static pr_wire sample(pr_wire_type type) {
    pr_wire m = {.type = type};
    switch (type) {
    case PR_WIRE_HELLO:
        m.as.hello = (pr_wire_hello){"node1", "0.1.0", 4, 1};
        break;
    case PR_WIRE_MANIFEST:
        m.as.manifest = (pr_wire_manifest){"m.yaml", "/base", "version: 1\n", 11, {{1}}, {{2}}};
        break;
    case PR_WIRE_READY:
        m.as.ready = (pr_wire_ready){7, PR_ERR_USAGE, "why"};
        break;
    case PR_WIRE_PROVE:
        m.as.prove = (pr_wire_prove){3, 2};
        break;
    case PR_WIRE_PROVED:
    case PR_WIRE_VERIFY:
        m.as.proof.job = 9;
        m.as.proof.attempt = 1;
        m.as.proof.record = sample_record();
        break;
    case PR_WIRE_VERIFIED:
        m.as.verified = (pr_wire_verified){4, 1, 1, 2.5, "fine"};
        break;
    default:
        break;
    }
    return m;
}

static void check(const pr_wire *m) {
    switch (m->type) {
    case PR_WIRE_HELLO:
        assert_string_equal(m->as.hello.host, "node1");
        assert_int_equal(m->as.hello.threads, 4);
        assert_int_equal(m->as.hello.bound_to_one_core, 1);
        break;
    case PR_WIRE_MANIFEST:
        assert_string_equal(m->as.manifest.text, "version: 1\n");
        assert_int_equal(m->as.manifest.text_size, 11);
        assert_string_equal(m->as.manifest.base_dir, "/base");
        assert_int_equal(m->as.manifest.run_digest.bytes[0], 2);
        break;
    case PR_WIRE_READY:
        assert_int_equal(m->as.ready.n_jobs, 7);
        assert_string_equal(m->as.ready.reason, "why");
        break;
    case PR_WIRE_PROVE:
        assert_int_equal(m->as.prove.job, 3);
        break;
    case PR_WIRE_PROVED:
    case PR_WIRE_VERIFY:
        assert_int_equal(m->as.proof.job, 9);
        assert_string_equal(m->as.proof.record.row.id, "job-1");
        assert_memory_equal(m->as.proof.record.proof, "12345", 5);
        break;
    case PR_WIRE_VERIFIED:
        assert_true(m->as.verified.verify_ms == 2.5);
        assert_string_equal(m->as.verified.reason, "fine");
        break;
    default:
        assert_int_equal(m->type, PR_WIRE_STOP);
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
    w.data[4] = 2; /* version */
    assert_int_equal(pr_wire_decode(&back, w.data, w.size, &e), PR_ERR_MALFORMED);
    assert_non_null(strstr(e.text, "version 2"));
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
