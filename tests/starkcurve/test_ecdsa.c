/* ECDSA: published answers, and everything that must be refused. */
#include "base/bytes.h"
#include "starkcurve/ecdsa.h"
#include "support.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static json_t *root;

static int setup(void **state) {
    (void)state;
    root = json_load_file(PR_TEST_VECTORS "/starkcurve/starknet.json", 0, NULL);
    return root ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    json_decref(root);
    return 0;
}

/* 32 bytes of a hex number of any length; returns out */
static uint8_t *get(uint8_t out[32], const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    char digits[65];
    assert_non_null(text);
    size_t n = strlen(text + 2);
    assert_in_range(n, 1, 64);
    memset(digits, '0', 64);
    memcpy(digits + 64 - n, text + 2, n + 1);
    assert_true(pr_hex_decode(out, 32, digits));
    return out;
}
static pr_scalar get_scalar(const json_t *object, const char *name) {
    uint8_t bytes[32];
    pr_scalar k;
    assert_true(pr_scalar_from_bytes(&k, get(bytes, object, name)));
    return k;
}
static pr_secret_key *get_key(const json_t *object) {
    uint8_t bytes[32];
    pr_secret_key *key = NULL;
    assert_int_equal(pr_secret_key_from_bytes(&key, get(bytes, object, "secret"), NULL), PR_OK);
    return key;
}

static void test_keys(void **state) {
    (void)state;
    size_t i;
    json_t *v, *all = json_object_get(root, "keys");
    assert_true(json_array_size(all) > 30);
    json_array_foreach(all, i, v) {
        uint8_t expected[32];
        pr_secret_key *key = get_key(v);
        assert_memory_equal(key->public_key, get(expected, v, "public"), 32);
        pr_secret_key_destroy(key);
    }
}

static void test_nonces(void **state) {
    (void)state;
    size_t i;
    json_t *v, *all = json_object_get(root, "nonces");
    assert_int_equal(json_array_size(all), 20);
    json_array_foreach(all, i, v) {
        uint8_t message[32], seed[32], *first = seed;
        get(seed, v, "seed");
        while (first < seed + 32 && !*first) first++;
        pr_scalar k =
            pr_ecdsa_nonce(get_scalar(v, "secret"), get(message, v, "message"), first, (size_t)(seed + 32 - first));
        assert_true(pr_scalar_equal(k, get_scalar(v, "k")));
    }
}

/* The published s may be high: ours is the low one of the two. Both directions: we make it, and we accept it. */
static void check_signature(const json_t *v, pr_scalar s) {
    uint8_t message[32], expected[64], made[64];
    pr_secret_key *key = get_key(v);
    bool high = pr_scalar_is_high(s);
    get(message, v, "message");
    get(expected, v, "r");
    pr_scalar_to_bytes(expected + 32, s);
    if (high) assert_false(pr_ecdsa_verify(key->public_key, message, expected));
    pr_scalar_to_bytes(expected + 32, high ? pr_scalar_neg(s) : s);
    assert_true(pr_ecdsa_verify(key->public_key, message, expected));
    assert_int_equal(pr_ecdsa_sign(made, key, message, NULL), PR_OK);
    assert_memory_equal(made, expected, 64);
    pr_secret_key_destroy(key);
}

static void test_signatures(void **state) {
    (void)state;
    size_t i;
    json_t *v, *all = json_object_get(root, "signatures");
    assert_int_equal(json_array_size(all), 3);
    json_array_foreach(all, i, v) check_signature(v, get_scalar(v, "s"));
    all = json_object_get(root, "inverse_s");
    assert_int_equal(json_array_size(all), 3);
    json_array_foreach(all, i, v) check_signature(v, pr_scalar_inverse(get_scalar(v, "w")));
}

static void test_verifications(void **state) {
    (void)state;
    size_t i;
    json_t *v, *all = json_object_get(root, "verify");
    assert_int_equal(json_array_size(all), 2);
    json_array_foreach(all, i, v) {
        uint8_t public_key[32], message[32], signature[64];
        pr_scalar s = get_scalar(v, "s");
        get(signature, v, "r");
        pr_scalar_to_bytes(signature + 32, pr_scalar_is_high(s) ? pr_scalar_neg(s) : s);
        bool valid = pr_ecdsa_verify(get(public_key, v, "public"), get(message, v, "message"), signature);
        assert_int_equal(valid, json_is_true(json_object_get(v, "valid")));
    }
}

/* One of each, to be spoiled. */
typedef struct sample {
    pr_secret_key *key;
    pr_ecdsa_key *prepared;
    uint8_t digest[32], signature[64];
} sample;

static sample make_sample(pr_prng *prng) {
    sample s = {.prepared = malloc(sizeof *s.prepared)};
    assert_int_equal(pr_secret_key_generate(&s.key, NULL), PR_OK);
    assert_true(pr_ecdsa_key_prepare(s.prepared, s.key->public_key));
    test_bytes(prng, s.digest, 32);
    assert_int_equal(pr_ecdsa_sign(s.signature, s.key, s.digest, NULL), PR_OK);
    return s;
}
static void clear_sample(sample *s) {
    pr_secret_key_destroy(s->key);
    free(s->prepared);
}
/* Both verifiers, which must agree. */
static bool is_valid(const sample *s, const uint8_t digest[32], const uint8_t signature[64]) {
    bool valid = pr_ecdsa_verify(s->key->public_key, digest, signature);
    assert_int_equal(pr_ecdsa_verify_prepared(s->prepared, digest, signature), valid);
    return valid;
}

static void test_round_trip(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    for (int i = 0; i < TEST_ROUNDS(60); i++) {
        sample s = make_sample(&prng);
        uint8_t again[64];
        assert_true(is_valid(&s, s.digest, s.signature));
        assert_int_equal(pr_ecdsa_sign(again, s.key, s.digest, NULL), PR_OK);
        assert_memory_equal(again, s.signature, 64);
        memset(again, 0, 64);
        assert_int_equal(pr_ecdsa_sign_prepared(again, s.key, s.prepared, s.digest, NULL), PR_OK);
        assert_memory_equal(again, s.signature, 64);
        clear_sample(&s);
    }
}

/* As if the machine had computed wrongly: what does not verify does not get out. */
static void test_wrong_signature_stays(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    sample s = make_sample(&prng), other = make_sample(&prng);
    uint8_t out[64] = {0};
    const uint8_t nothing[64] = {0};
    assert_int_equal(pr_ecdsa_sign_prepared(out, s.key, other.prepared, s.digest, NULL), PR_ERR_INTERNAL);
    assert_memory_equal(out, nothing, 64);
    clear_sample(&s);
    clear_sample(&other);
}

static void test_flipped_bits(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    sample s = make_sample(&prng);
    for (int bit = 0; bit < 512; bit += TEST_STEP) {
        uint8_t changed[64];
        memcpy(changed, s.signature, 64);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(is_valid(&s, s.digest, changed));
    }
    for (int bit = 0; bit < 256; bit += TEST_STEP) {
        uint8_t digest[32];
        memcpy(digest, s.digest, 32);
        digest[bit / 8] ^= (uint8_t)(1u << bit % 8);
        /* the five highest bits are not part of the message: ecdsa.h */
        assert_int_equal(is_valid(&s, digest, s.signature), bit >= 3 && bit < 8);
    }
    clear_sample(&s);
}

static void assert_refused(const sample *s, const uint8_t r[32], pr_scalar s_value) {
    uint8_t signature[64];
    memcpy(signature, r, 32);
    pr_scalar_to_bytes(signature + 32, s_value);
    assert_false(is_valid(s, s->digest, signature));
}

static void test_ranges(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    sample s = make_sample(&prng);
    uint8_t bytes[32] = {0}, signature[64];
    pr_scalar zero = pr_scalar_from_u64(0), value;
    assert_true(pr_scalar_from_bytes(&value, s.signature + 32));
    assert_refused(&s, bytes, value); /* r = 0 */
    assert_refused(&s, s.signature, zero);
    assert_refused(&s, s.signature, pr_scalar_neg(value)); /* s high */
    pr_u256_to_bytes(bytes, &PR_ORDER_MODULUS.m);
    assert_refused(&s, bytes, value); /* r = n */
    memset(bytes, 0xff, 32);
    assert_refused(&s, bytes, value);
    memset(bytes, 0, 32);
    bytes[0] = 8;
    assert_refused(&s, bytes, value); /* r = 2^251 */
    memcpy(signature, s.signature, 64);
    pr_u256_to_bytes(signature + 32, &PR_ORDER_MODULUS.m);
    assert_false(is_valid(&s, s.digest, signature)); /* s = n */
    pr_u256 shifted = value.value;
    (void)pr_u256_add(&shifted, &shifted, &PR_ORDER_MODULUS.m);
    pr_u256_to_bytes(signature + 32, &shifted);
    assert_false(is_valid(&s, s.digest, signature)); /* s + n */
    clear_sample(&s);
}

/* w = 1/s of 2^251 or more: never met by chance, so s is made from such a w, and r and the message to fit. */
static void test_high_inverse(void **state) {
    (void)state;
    pr_secret_key *key = NULL;
    assert_int_equal(pr_secret_key_generate(&key, NULL), PR_OK);
    for (uint64_t step = 1; step < TEST_ROUNDS(400); step++) {
        pr_scalar w = pr_scalar_neg(pr_scalar_from_u64(step)), s = pr_scalar_inverse(w);
        if (pr_scalar_is_high(s)) continue;
        /* k = any; z = s k - r d */
        pr_scalar k = pr_scalar_from_u64(1000 + step), r;
        pr_curve_point p = pr_curve_point_mul_generator(k);
        pr_affine a;
        uint8_t signature[64], digest[32];
        assert_true(pr_curve_point_to_affine(&a, &p));
        pr_felt_to_bytes(signature, a.x);
        if (!pr_scalar_from_bytes(&r, signature)) continue;
        pr_scalar z = pr_scalar_sub(pr_scalar_mul(s, k), pr_scalar_mul(r, key->secret));
        pr_scalar_to_bytes(signature + 32, s);
        pr_scalar_to_bytes(digest, z);
        if (digest[0] >= 8) continue;
        assert_false(pr_ecdsa_verify(key->public_key, digest, signature));
    }
    pr_secret_key_destroy(key);
}

/* z and r such that w z G + w r Q is infinity for one sign: no signature, and no fault. */
static void test_infinity(void **state) {
    (void)state;
    pr_secret_key *key = NULL;
    uint8_t signature[64] = {0}, digest[32];
    assert_int_equal(pr_secret_key_generate(&key, NULL), PR_OK);
    int tried = 0;
    for (uint64_t r = 1; r < TEST_ROUNDS(200); r++) {
        pr_scalar z = pr_scalar_neg(pr_scalar_mul(pr_scalar_from_u64(r), key->secret));
        pr_scalar_to_bytes(digest, z);
        if (digest[0] >= 8) continue;
        pr_scalar_to_bytes(signature, pr_scalar_from_u64(r));
        pr_scalar_to_bytes(signature + 32, pr_scalar_from_u64(1));
        assert_false(pr_ecdsa_verify(key->public_key, digest, signature));
        tried++;
    }
    assert_true(tried > TEST_ROUNDS(100) / 2);
    pr_secret_key_destroy(key);
}

static void test_bad_keys(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    sample s = make_sample(&prng);
    uint8_t bytes[32] = {0};
    int refused = 0;
    for (int x = 0; x < 100; x++) {
        bytes[31] = (uint8_t)x;
        assert_false(pr_ecdsa_verify(bytes, s.digest, s.signature));
        refused += !pr_ecdsa_key_prepare(s.prepared, bytes);
    }
    assert_in_range(refused, 25, 75);
    pr_u256_to_bytes(bytes, &PR_FIELD_MODULUS.m); /* p + 0 */
    assert_false(pr_ecdsa_verify(bytes, s.digest, s.signature));
    assert_false(pr_ecdsa_key_prepare(s.prepared, bytes));
    pr_error err = {0};
    pr_secret_key *key = NULL;
    memset(bytes, 0, 32);
    assert_int_equal(pr_secret_key_from_bytes(&key, bytes, &err), PR_ERR_MALFORMED);
    pr_u256_to_bytes(bytes, &PR_ORDER_MODULUS.m);
    assert_int_equal(pr_secret_key_from_bytes(&key, bytes, &err), PR_ERR_MALFORMED);
    assert_null(key);
    clear_sample(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),         cmocka_unit_test(test_nonces),
        cmocka_unit_test(test_signatures),   cmocka_unit_test(test_verifications),
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_wrong_signature_stays),
        cmocka_unit_test(test_flipped_bits), cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_high_inverse), cmocka_unit_test(test_infinity),
        cmocka_unit_test(test_bad_keys)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
