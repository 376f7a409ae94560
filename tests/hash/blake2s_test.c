/* Blake2s: RFC 7693's own examples, the vectors, any way of cutting the input, and domains. */
#include "hash/blake2s.h"
#include "base/bytes.h"
#include "blake2s_lanes_test.h"
#include "../base/seed.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static json_t *root;

static int setup(void **state) {
    (void)state;
    root = json_load_file(PR_TEST_VECTORS "/primitives/blake2s.json", 0, NULL);
    return root ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    json_decref(root);
    return 0;
}

static pr_hash hash_at(const json_t *object, const char *key) {
    pr_hash h;
    assert_true(pr_hex_decode(h.bytes, 32, json_string_value(json_object_get(object, key))));
    return h;
}

static void assert_hash(pr_hash got, pr_hash want) {
    assert_memory_equal(&got, &want, sizeof got);
    assert_true(pr_hash_equal(&got, &want));
}

/* RFC 7693, appendix B. */
static void test_rfc(void **state) {
    (void)state;
    pr_hash want;
    assert_true(pr_hex_decode(want.bytes, 32, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"));
    assert_hash(pr_blake2s_hash("abc", 3), want);
}

static void test_messages(void **state) {
    (void)state;
    json_t *cases = json_object_get(root, "messages");
    assert_true(json_array_size(cases) > 130);
    for (size_t k = 0; k < json_array_size(cases); k++) {
        json_t *c = json_array_get(cases, k);
        size_t n = (size_t)json_integer_value(json_object_get(c, "len"));
        uint8_t *message = malloc(n + 1);
        for (size_t i = 0; i < n; i++) message[i] = (uint8_t)(7 * i + 1);
        assert_hash(pr_blake2s_hash(message, n), hash_at(c, "hash"));
        free(message);
    }
}

static void test_pairs(void **state) {
    (void)state;
    json_t *cases = json_object_get(root, "children");
    assert_true(json_array_size(cases) > 3);
    for (size_t k = 0; k < json_array_size(cases); k++) {
        json_t *c = json_array_get(cases, k);
        pr_hash left = hash_at(c, "left"), right = hash_at(c, "right");
        assert_hash(pr_blake2s_pair(&left, &right), hash_at(c, "hash_children"));
    }
}

static void test_leaves(void **state) {
    (void)state;
    json_t *cases = json_object_get(root, "leaves");
    assert_true(json_array_size(cases) > 5);
    for (size_t k = 0; k < json_array_size(cases); k++) {
        json_t *c = json_array_get(cases, k), *values = json_object_get(c, "values");
        pr_writer w;
        pr_writer_init(&w);
        for (size_t i = 0; i < json_array_size(values); i++)
            pr_write_u32(&w, (uint32_t)json_integer_value(json_array_get(values, i)));
        assert_hash(pr_blake2s_hash(w.data, w.size), hash_at(c, "hash"));
        pr_writer_clear(&w);
    }
}

/* However the input is cut into updates, the digest is the same. */
static void test_cuts(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    uint8_t data[400];
    for (size_t k = 0; k < sizeof data; k++) data[k] = (uint8_t)pr_prng_next(&prng);
    for (int round = 0; round < 2000; round++) {
        size_t n = pr_prng_below(&prng, sizeof data + 1);
        pr_blake2s s;
        pr_blake2s_init(&s);
        for (size_t at = 0; at < n;) {
            size_t take = pr_prng_below(&prng, (uint32_t)(n - at) + 1);
            pr_blake2s_update(&s, data + at, take);
            at += take;
        }
        assert_hash(pr_blake2s_final(&s), pr_blake2s_hash(data, n));
    }
}

static void test_domain(void **state) {
    (void)state;
    static const uint8_t by_hand[] = {3, 0, 0, 0, 0, 0, 0, 0, 'v', 'o', 't', 'e'};
    pr_blake2s s;
    pr_blake2s_init_domain(&s, "vot");
    pr_blake2s_update(&s, "e", 1);
    pr_hash split = pr_blake2s_final(&s);
    assert_hash(split, pr_blake2s_hash(by_hand, sizeof by_hand));
    pr_blake2s_init_domain(&s, "vote");
    pr_hash whole = pr_blake2s_final(&s);
    assert_false(pr_hash_equal(&split, &whole));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc),   cmocka_unit_test(test_messages),
                                       cmocka_unit_test(test_pairs), cmocka_unit_test(test_leaves),
                                       cmocka_unit_test(test_cuts),  cmocka_unit_test(test_domain),
                                       cmocka_unit_test(test_lanes)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
