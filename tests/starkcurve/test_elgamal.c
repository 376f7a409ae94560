/* Sealed bytes and encrypted counts: round trips, wrong keys, every changed bit, forged and moved proofs. */
#include "starkcurve/elgamal.h"
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static pr_secret_key *make_key(void) {
    pr_secret_key *key = NULL;
    assert_int_equal(pr_secret_key_generate(&key, NULL), PR_OK);
    return key;
}

static void test_round_trip(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4095, 4096, 4097, 100000};
    pr_prng prng = test_seed();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        pr_secret_key *key = make_key();
        size_t n = sizes[i];
        uint8_t *bytes = malloc(n + 1);
        pr_writer sealed, opened;
        pr_writer_init(&sealed);
        pr_writer_init(&opened);
        test_bytes(&prng, bytes, n);
        assert_int_equal(pr_elgamal_seal(&sealed, key->public_key, bytes, n, "ad", 2, NULL), PR_OK);
        assert_int_equal(sealed.size, n + PR_SEAL_OVERHEAD_BYTES);
        assert_int_equal(pr_elgamal_open(&opened, key, sealed.data, sealed.size, "ad", 2, NULL), PR_OK);
        assert_int_equal(opened.size, n);
        if (n) assert_memory_equal(opened.data, bytes, n);
        /* and not the same twice */
        pr_writer again;
        pr_writer_init(&again);
        assert_int_equal(pr_elgamal_seal(&again, key->public_key, bytes, n, "ad", 2, NULL), PR_OK);
        assert_memory_not_equal(again.data, sealed.data, sealed.size);
        pr_writer_clear(&again);
        pr_writer_clear(&sealed);
        pr_writer_clear(&opened);
        free(bytes);
        pr_secret_key_destroy(key);
    }
}

static void assert_not_opened(const pr_secret_key *key, const uint8_t *sealed, size_t n, const char *associated) {
    pr_error err = {0};
    pr_writer out;
    pr_writer_init(&out);
    pr_status status = pr_elgamal_open(&out, key, sealed, n, associated, strlen(associated), &err);
    assert_true(status == PR_ERR_REFUSED || status == PR_ERR_MALFORMED);
    assert_true(strlen(err.text) > 20);
    assert_int_equal(out.size, 0);
    pr_writer_clear(&out);
}

static void test_refusals(void **state) {
    (void)state;
    pr_secret_key *key = make_key(), *other = make_key();
    pr_writer sealed;
    uint8_t nobody[32] = {0xff};
    pr_writer_init(&sealed);
    assert_int_equal(pr_elgamal_seal(&sealed, nobody, "bytes", 5, NULL, 0, NULL), PR_ERR_USAGE);
    assert_int_equal(sealed.size, 0);
    assert_int_equal(pr_elgamal_seal(&sealed, key->public_key, "bytes", 5, "job 1", 5, NULL), PR_OK);
    assert_not_opened(other, sealed.data, sealed.size, "job 1");
    assert_not_opened(key, sealed.data, sealed.size, "job 2");
    assert_not_opened(key, sealed.data, sealed.size, "");
    for (size_t bit = 0; bit < 8 * sealed.size; bit++) {
        sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_not_opened(key, sealed.data, sealed.size, "job 1");
        sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < sealed.size; n++) assert_not_opened(key, sealed.data, n, "job 1");
    pr_writer_clear(&sealed);
    pr_secret_key_destroy(key);
    pr_secret_key_destroy(other);
}

static void test_second_generator(void **state) {
    (void)state;
    pr_affine h = pr_curve_second_generator(), g = pr_curve_generator();
    assert_true(pr_affine_is_on_curve(&h));
    assert_false(pr_felt_equal(h.x, g.x));
    assert_false(pr_felt_is_odd(h.y));
}

static void test_counts(void **state) {
    (void)state;
    static const uint64_t values[] = {0, 1, 99, 65535, 65536, 99999};
    for (int round = 0; round < TEST_ROUNDS(4); round++) { /* keys with even and odd y */
        pr_secret_key *key = make_key();
        pr_count sum;
        uint64_t total = 0, value;
        assert_int_equal(pr_count_encrypt(&sum, NULL, key->public_key, 0, NULL), PR_OK);
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            pr_count count;
            pr_count_proof knowledge;
            pr_opening_proof opening;
            assert_int_equal(pr_count_encrypt(&count, &knowledge, key->public_key, values[i], NULL), PR_OK);
            assert_true(pr_count_check(&count, &knowledge, key->public_key));
            assert_int_equal(pr_count_decrypt(&value, &opening, &count, key, 100000, NULL), PR_OK);
            assert_int_equal(value, values[i]);
            assert_true(pr_opening_check(&count, value, &opening, key->public_key));
            assert_false(pr_opening_check(&count, value + 1, &opening, key->public_key));
            sum = pr_count_add(&sum, &count);
            total += value;
        }
        pr_opening_proof opening;
        assert_int_equal(pr_count_decrypt(&value, &opening, &sum, key, 400000, NULL), PR_OK);
        assert_int_equal(value, total);
        assert_true(pr_opening_check(&sum, total, &opening, key->public_key));
        pr_secret_key_destroy(key);
    }
}

static void test_limits(void **state) {
    (void)state;
    pr_secret_key *key = make_key(), *other = make_key();
    pr_count count;
    uint64_t value;
    pr_error err = {0};
    uint8_t nobody[32] = {0xff};
    assert_int_equal(pr_count_encrypt(&count, NULL, nobody, 5, &err), PR_ERR_USAGE);
    assert_int_equal(pr_count_encrypt(&count, NULL, key->public_key, 100, NULL), PR_OK);
    assert_int_equal(pr_count_decrypt(&value, NULL, &count, key, 101, &err), PR_OK);
    assert_int_equal(pr_count_decrypt(&value, NULL, &count, key, 100, &err), PR_ERR_REFUSED);
    assert_int_equal(pr_count_decrypt(&value, NULL, &count, other, 101, &err), PR_ERR_REFUSED);
    assert_int_equal(pr_count_decrypt(&value, NULL, &count, key, 0, &err), PR_ERR_USAGE);
    assert_int_equal(pr_count_decrypt(&value, NULL, &count, key, ((uint64_t)1 << 40) + 1, &err), PR_ERR_USAGE);
    pr_secret_key_destroy(key);
    pr_secret_key_destroy(other);
}

static void spoil(pr_scalar *s) { *s = pr_scalar_add(*s, pr_scalar_from_u64(1)); }

/* A proof is good for its own statement alone. */
static void test_forged_proofs(void **state) {
    (void)state;
    pr_secret_key *key = make_key(), *other = make_key();
    pr_count count, second;
    pr_count_proof knowledge, k;
    pr_opening_proof opening, o;
    uint64_t value;
    assert_int_equal(pr_count_encrypt(&count, &knowledge, key->public_key, 7, NULL), PR_OK);
    assert_int_equal(pr_count_encrypt(&second, NULL, key->public_key, 7, NULL), PR_OK);
    assert_int_equal(pr_count_decrypt(&value, &opening, &count, key, 10, NULL), PR_OK);
    assert_false(pr_count_check(&second, &knowledge, key->public_key));
    assert_false(pr_count_check(&count, &knowledge, other->public_key));
    assert_false(pr_opening_check(&second, 7, &opening, key->public_key));
    assert_false(pr_opening_check(&count, 7, &opening, other->public_key));
    pr_scalar *parts[] = {&k.challenge, &k.response_r, &k.response_m, &o.challenge, &o.response};
    for (size_t i = 0; i < 5; i++) {
        k = knowledge;
        o = opening;
        spoil(parts[i]);
        if (i < 3) assert_false(pr_count_check(&count, &k, key->public_key));
        if (i >= 3) assert_false(pr_opening_check(&count, 7, &o, key->public_key));
    }
    pr_count infinity = {pr_curve_point_infinity(), pr_curve_point_infinity()};
    assert_false(pr_count_check(&infinity, &knowledge, key->public_key));
    assert_false(pr_opening_check(&infinity, 7, &opening, key->public_key));
    pr_secret_key_destroy(key);
    pr_secret_key_destroy(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_second_generator), cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_limits),           cmocka_unit_test(test_forged_proofs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
