/* Random bytes changed in golden cases: nothing crashes, and what is accepted survives export and import.
 * PROVERUN_TEST_SEED replays a run. */
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROUNDS 1500

static uint64_t seed, state_of_rng;

static uint64_t next_random(void) { /* splitmix64 */
    uint64_t z = state_of_rng += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(size_t n) { return (size_t)(next_random() % n); }

static char *write_case(const pr_case *c) {
    pr_writer w;
    pr_error err = {0};
    pr_writer_init(&w);
    if (pr_case_write(&w, c->name, &c->statement, (pr_m31 *const *const *)c->trace, &err) != PR_OK)
        fail_msg("%s", err.text);
    pr_write_u8(&w, 0);
    assert_false(w.failed);
    return (char *)w.data;
}

/* Returns whether it was accepted. */
static bool try_text(const char *text, size_t size) {
    pr_case c, again;
    pr_error err = {0};
    char *exact = malloc(size ? size : 1); /* of exactly this size, so that reading past its end is seen */
    assert_non_null(exact);
    memcpy(exact, text, size);
    pr_status status = pr_case_parse(&c, exact, size, "case.json", &err);
    free(exact);
    if (status != PR_OK) {
        assert_int_equal(err.status, status);
        assert_true(err.text[0] != 0);
        return false;
    }
    char *first = write_case(&c);
    if (parse_text(&again, first, &err) != PR_OK) fail_msg("%s", err.text);
    char *second = write_case(&again);
    assert_string_equal(first, second);
    pr_case_clear(&c);
    pr_case_clear(&again);
    free(first);
    free(second);
    return true;
}

/* One change: a byte set, a piece removed, a piece copied elsewhere, or a token put in. Returns the new size. */
static size_t mutate(char *text, size_t size, size_t capacity) {
    static const char *const tokens[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"",
                                         "-",
                                         "0",
                                         "9",
                                         "1e9",
                                         "null",
                                         "\\",
                                         "18446744073709551615",
                                         "9223372036854775808",
                                         "2147483647",
                                         "[]",
                                         "{}",
                                         "\"trace\":[",
                                         "\"values\":[",
                                         "\"mix_u64\":"};
    size_t at = below(size), n = 1 + below(12), kind = below(4);
    if (kind == 0) {
        text[at] = (char)next_random();
        return size;
    }
    if (kind == 1) {
        if (n > size - at) n = size - at;
        memmove(text + at, text + at + n, size - at - n);
        return size - n;
    }
    char piece[32];
    const char *token = tokens[below(sizeof tokens / sizeof *tokens)];
    n = kind == 2 ? (n > size - at ? size - at : n) : strlen(token);
    memcpy(piece, kind == 2 ? text + at : token, n);
    at = below(size);
    if (size + n > capacity) return size;
    memmove(text + at + n, text + at, size - at);
    memcpy(text + at, piece, n);
    return size + n;
}

static char *small_text(const char *name) {
    json_t *tree = golden_tree(name);
    assert_non_null(tree);
    json_t *expected = json_object_get(tree, "expected"), *steps = json_object_get(expected, "transcript");
    json_object_del(expected, "stark_proof");
    while (json_array_size(steps) > 2) json_array_remove(steps, 2);
    char *text = compact(tree);
    json_decref(tree);
    assert_non_null(text);
    return text;
}

static void fuzz_case(const char *name) {
    char *golden = small_text(name);
    size_t size = strlen(golden), capacity = size + 256, accepted = 0;
    char *text = malloc(capacity);
    assert_non_null(text);
    assert_true(try_text(golden, size));
    for (size_t round = 0; round < ROUNDS; round++) {
        memcpy(text, golden, size);
        size_t n = size;
        for (size_t changes = 1 + below(3); changes; changes--) n = mutate(text, n, capacity);
        accepted += try_text(text, n);
    }
    print_message("%s: %zu of %d mutants accepted (seed %llu)\n", name, accepted, ROUNDS, (unsigned long long)seed);
    free(text);
    free(golden);
}

static void test_mutated_bytes(void **state) {
    (void)state;
    fuzz_case("cube_l5");
    fuzz_case("wide_fibonacci_l4_c4");
    fuzz_case("range_check_l6_t4");
    fuzz_case("xor4_l8_foreign_transcript");
}

static void test_every_truncation(void **state) {
    (void)state;
    char *text = small_text("wide_fibonacci_l4_c4");
    for (size_t n = 0; n < strlen(text); n++) assert_false(try_text(text, n));
    free(text);
}

/* Texts that end where a token is still open. */
static void test_open_ends(void **state) {
    (void)state;
    static const char *const texts[] = {"99999999999999999999",
                                        "{\"a\":18446744073709551615",
                                        "{\"a\":-9223372036854775809",
                                        "{\"trace\":[[[1",
                                        "{\"trace\":[\"\\",
                                        "{\"a\\",
                                        "{\"a",
                                        "{\"expected\":{\"interaction_pow\":18446744073709551615"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) assert_false(try_text(texts[i], strlen(texts[i])));
}

static void test_deep_nesting(void **state) {
    (void)state;
    static const char *const heads[] = {"", "{\"trace\":", "{\"air\":"};
    size_t n = 200000;
    char *text = malloc(n + 16);
    assert_non_null(text);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 2; k++) {
            size_t head = strlen(heads[i]);
            memcpy(text, heads[i], head);
            memset(text + head, '[', n);
            if (k) memset(text + head + n / 2, ']', n - n / 2);
            assert_false(try_text(text, head + n));
        }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutated_bytes), cmocka_unit_test(test_every_truncation),
                                       cmocka_unit_test(test_open_ends), cmocka_unit_test(test_deep_nesting)};
    const char *given = getenv("PROVERUN_TEST_SEED");
    seed = given ? strtoull(given, NULL, 0) : 20240611;
    state_of_rng = seed;
    print_message("PROVERUN_TEST_SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
