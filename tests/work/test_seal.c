/* Records sealed to a key: what is hidden, what comes back, and that nothing else opens. */
#include "base/random.h"
#include "work/seal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static pr_secret_key *key, *other;

static int set_up(void **state) {
    (void)state;
    return pr_secret_key_generate(&key, NULL) == PR_OK && pr_secret_key_generate(&other, NULL) == PR_OK ? 0 : -1;
}
static int tear_down(void **state) {
    (void)state;
    pr_secret_key_destroy(key);
    pr_secret_key_destroy(other);
    return 0;
}

static const char hidden[] = "a value nobody else may see";

static void *copy(const void *data, size_t n) {
    void *p = malloc(n + 1);
    assert_non_null(p);
    return memcpy(p, data, n);
}

static pr_record make(const char *id, bool with_proof) {
    pr_record r;
    memset(&r, 0, sizeof r);
    pr_row_set_text(r.row.id, sizeof r.row.id, id);
    pr_row_set_text(r.row.statement_digest, sizeof r.row.statement_digest, "5d");
    pr_row_set_text(r.row.proof_hash, sizeof r.row.proof_hash, "9f");
    r.n_outputs = 2;
    r.outputs = calloc(2, sizeof *r.outputs);
    assert_non_null(r.outputs);
    for (size_t i = 0; i < 2; i++) {
        pr_row_set_text(r.outputs[i].id, sizeof r.outputs[i].id, id);
        pr_row_set_text(r.outputs[i].name, sizeof r.outputs[i].name, i ? "second" : "first");
        pr_row_set_text(r.outputs[i].value, sizeof r.outputs[i].value, hidden);
    }
    r.row.public_bytes = sizeof hidden;
    r.public_data = copy(hidden, sizeof hidden);
    r.row.proof_compressed_bytes = with_proof ? 5000 : 0;
    uint8_t proof[5000];
    memset(proof, 0x5a, sizeof proof);
    memcpy(proof + 100, hidden, sizeof hidden);
    r.proof = copy(proof, sizeof proof);
    return r;
}

static pr_writer encode(const pr_record *r) {
    pr_writer w;
    pr_writer_init(&w);
    pr_record_encode(&w, r);
    assert_false(w.failed);
    return w;
}

static void assert_same(const pr_record *a, const pr_record *b) {
    pr_writer x = encode(a), y = encode(b);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    pr_writer_clear(&x);
    pr_writer_clear(&y);
}

static void test_round_trip(void **state) {
    (void)state;
    for (int with_proof = 0; with_proof < 2; with_proof++) {
        pr_record r = make("job", with_proof), before = make("job", with_proof);
        assert_int_equal(pr_work_seal(&r, key->public_key, NULL), PR_OK);
        assert_int_equal(strlen(r.row.encrypted_to), 66);
        assert_int_equal(r.n_outputs, 0);
        pr_writer w = encode(&r);
        assert_null(memmem(w.data, w.size, hidden, strlen(hidden)));
        pr_writer_clear(&w);
        assert_int_equal(pr_work_unseal(&r, key, NULL), PR_OK);
        if (with_proof) assert_same(&r, &before);
        assert_string_equal(r.row.encrypted_to, "");
        pr_record_clear(&r);
        pr_record_clear(&before);
    }
}

static void assert_stays_shut(pr_record *r, const pr_secret_key *with, const char *says) {
    pr_error err = {0};
    pr_writer before = encode(r);
    assert_int_not_equal(pr_work_unseal(r, with, &err), PR_OK);
    if (!strstr(err.text, says)) fail_msg("'%s' does not say '%s'", err.text, says);
    pr_writer after = encode(r);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    pr_writer_clear(&before);
    pr_writer_clear(&after);
}

static void test_refusals(void **state) {
    (void)state;
    pr_record r = make("job", true), second = make("another", true);
    assert_stays_shut(&r, key, "encrypted to nobody");
    assert_int_equal(pr_work_seal(&r, key->public_key, NULL), PR_OK);
    assert_int_equal(pr_work_seal(&second, key->public_key, NULL), PR_OK);
    assert_stays_shut(&r, other, "the key given is that of 0x");
    char kept[67];
    memcpy(kept, r.row.encrypted_to, sizeof kept);
    pr_hex_encode(r.row.encrypted_to + 2, other->public_key, 32);
    assert_stays_shut(&r, other, "another key, or changed");
    memcpy(r.row.encrypted_to, kept, sizeof kept);
    char *fields[] = {r.row.id, r.row.statement_digest, r.row.proof_hash};
    for (size_t i = 0; i < 3; i++) {
        fields[i][0] ^= 1;
        assert_stays_shut(&r, key, "changed since");
        fields[i][0] ^= 1;
    }
    for (uint64_t at = 0; at < r.row.public_bytes; at += 13) {
        r.public_data[at] ^= 4;
        assert_stays_shut(&r, key, "changed");
        r.public_data[at] ^= 4;
    }
    for (uint64_t at = 0; at < r.row.proof_compressed_bytes; at += 501) {
        r.proof[at] ^= 4;
        assert_stays_shut(&r, key, "changed");
        r.proof[at] ^= 4;
    }
    uint8_t *own = r.proof;
    r.proof = second.proof; /* that of another job, and the other part of its own */
    assert_stays_shut(&r, key, "changed since");
    r.proof = own;
    assert_int_equal(pr_work_unseal(&r, key, NULL), PR_OK);
    pr_record_clear(&r);
    pr_record_clear(&second);
}

static void test_no_such_key(void **state) {
    (void)state;
    uint8_t nobody[32];
    pr_record r = make("job", true), before = make("job", true);
    memset(nobody, 0xff, sizeof nobody);
    assert_int_equal(pr_work_seal(&r, nobody, NULL), PR_ERR_USAGE);
    assert_same(&r, &before);
    pr_record_clear(&r);
    pr_record_clear(&before);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_no_such_key)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
