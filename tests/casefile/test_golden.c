/* Golden cases: all load, say what they say, and come out again as they went in. */
#include "support.h"
#include "hash/blake2s.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void load(pr_case *c, const char *path) {
    pr_error err = {0};
    if (pr_case_load(c, path, &err) != PR_OK) fail_msg("%s", err.text);
}

/* The tree's compact text as export writes it: without what export leaves out. */
static char *golden_text_without(const char *path, const char *const *keys) {
    json_t *tree = json_load_file(path, 0, NULL);
    assert_non_null(tree);
    for (; *keys; keys++) json_object_del(tree, *keys);
    char *text = compact(tree);
    json_decref(tree);
    assert_non_null(text);
    return text;
}

static void check_expectation(const pr_case *c) {
    assert_true(c->has_expected);
    assert_true(c->n_expected_steps > 4);
    for (size_t i = 0; i < c->n_expected_steps; i++) assert_int_equal(strlen(c->expected_steps[i].digest), 64);
    if (!c->has_expected_proof) {
        assert_null(c->expected_envelope);
        return;
    }
    static const char key[] = ",\"stark_proof\":";
    assert_int_equal(strlen(c->expected_envelope), c->expected_envelope_size);
    const char *proof = strstr(c->expected_envelope, key);
    assert_non_null(proof);
    proof += sizeof key - 1;
    size_t n = c->expected_envelope_size - (size_t)(proof - c->expected_envelope) - 1;
    assert_int_equal(n, c->expected_json_bytes);
    char hex[65];
    pr_hash hash = pr_blake2s_hash(proof, n);
    pr_hex_encode(hex, hash.bytes, sizeof hash.bytes);
    assert_string_equal(hex, c->expected_json_blake2s);
}

static void export(pr_writer *w, const pr_case *c) {
    pr_error err = {0};
    pr_writer_init(w);
    if (pr_case_write(w, c->name, &c->statement, (pr_m31 *const *const *)c->trace, &err) != PR_OK)
        fail_msg("%s", err.text);
    pr_write_u8(w, 0);
    assert_false(w->failed);
}

static void check_round_trip(const char *path) {
    static const char *const left_out[] = {"expected", "trace_formula", NULL};
    char *golden = golden_text_without(path, left_out);
    pr_case c, again;
    pr_writer first, second;
    pr_error err = {0};
    load(&c, path);
    check_expectation(&c);
    export(&first, &c);
    assert_string_equal((const char *)first.data, golden);
    if (pr_case_parse(&again, (const char *)first.data, first.size - 1, "again.json", &err) != PR_OK)
        fail_msg("%s", err.text);
    export(&second, &again);
    assert_string_equal((const char *)second.data, (const char *)first.data);
    pr_writer_clear(&first);
    pr_writer_clear(&second);
    pr_case_clear(&c);
    pr_case_clear(&again);
    free(golden);
}

static void test_all_load_and_round_trip(void **state) {
    (void)state;
    assert_int_equal(golden_each(check_round_trip), 42);
}

static void test_contents_of_one(void **state) {
    (void)state;
    pr_case c;
    load(&c, golden_path("xor4_l8_foreign_transcript"));
    assert_string_equal(c.name, "xor4_l8_foreign_transcript");
    assert_int_equal(c.air->n_components, 2);
    assert_int_equal(c.air->n_relations, 1);
    assert_int_equal(c.air->relations[0].size, 3);
    assert_string_equal(c.air->preprocessed[0].id, "xor_a");
    assert_int_equal(c.air->preprocessed[0].values[17], 1);
    assert_int_equal(c.air->components[1].nodes[4].op, PR_NODE_NEG);
    assert_int_equal(c.air->components[1].nodes[4].a, 3);
    assert_int_equal(c.air->components[0].n_batches, 1);
    assert_int_equal(c.statement.config.lifting_log_size, 9);
    assert_true(c.statement.has_foreign_transcript);
    assert_int_equal(c.statement.n_steps, 12);
    assert_int_equal(c.statement.steps[4].kind, PR_STEP_MIX_ROOT);
    assert_int_equal(c.statement.steps[4].words[0], 0x055f03f8);
    assert_int_equal(c.statement.steps[10].kind, PR_STEP_MIX_U64);
    assert_int_equal(c.statement.steps[10].words[0], 0);
    assert_int_equal(c.statement.steps[10].words[1], 256);
    assert_string_equal(c.expected_interaction_pow_json, "1057");
    assert_string_equal(c.expected_steps[0].op, "mix_felts");
    assert_string_equal(c.expected_steps[0].data_json, "[[5,0,0,0]]");
    pr_case_clear(&c);
}

static pr_m31 **alloc_columns(uint32_t n_columns, size_t rows) {
    pr_m31 **columns = malloc(n_columns * sizeof *columns);
    assert_non_null(columns);
    for (uint32_t k = 0; k < n_columns; k++) assert_non_null(columns[k] = malloc(rows * sizeof **columns));
    return columns;
}

static void free_columns(pr_m31 **columns, uint32_t n_columns) {
    for (uint32_t k = 0; k < n_columns; k++) free(columns[k]);
    free(columns);
}

/* The formula's definition, cell by cell in 64 bits. */
static uint32_t formula_cell(uint64_t seed, uint64_t row, uint32_t column) {
    uint64_t a = 1, b = (seed % PR_P + row) % PR_P;
    for (; column; column--) {
        uint64_t next = (a * a % PR_P + b * b % PR_P) % PR_P;
        a = b;
        b = next;
    }
    return (uint32_t)a;
}

static void check_formula(uint64_t seed, unsigned n_threads) {
    pr_case c;
    pr_error err = {0};
    load(&c, golden_path("wide_fibonacci_l12_c100_96bits_blowup8"));
    assert_true(c.has_formula);
    assert_null(c.trace);
    assert_int_equal(c.formula_log_rows, 12);
    assert_int_equal(c.formula_columns, 100);
    c.formula_seed = seed;
    pr_m31 **columns = alloc_columns(100, 4096);
    assert_int_equal(pr_case_fill_trace(&c, 0, columns, n_threads, &err), PR_OK);
    for (uint32_t k = 0; k < 100; k += 11)
        for (uint32_t i = 0; i < 4096; i += 5) assert_int_equal(columns[k][i], formula_cell(seed, i, k));
    assert_int_not_equal(pr_case_fill_trace(&c, 1, columns, n_threads, &err), PR_OK);
    free_columns(columns, 100);
    pr_case_clear(&c);
}

static void test_formula(void **state) {
    (void)state;
    check_formula(7, 1);
    check_formula(PR_P - 3, 2);
    check_formula(UINT64_MAX, 3);
}

static void test_formula_of_many_blocks(void **state) {
    (void)state;
    pr_case c;
    pr_error err = {0};
    load(&c, golden_path("wide_fibonacci_l16_c100"));
    pr_m31 **columns = alloc_columns(100, 65536);
    assert_int_equal(pr_case_fill_trace(&c, 0, columns, 2, &err), PR_OK);
    for (uint32_t i = 0; i < 65536; i += 97) assert_int_equal(columns[99][i], formula_cell(c.formula_seed, i, 99));
    free_columns(columns, 100);
    pr_case_clear(&c);
}

static void test_inline_trace_is_filled(void **state) {
    (void)state;
    pr_case c;
    pr_error err = {0};
    json_t *tree = golden_tree("cube_l5");
    const json_t *column = json_array_get(json_array_get(json_object_get(tree, "trace"), 0), 1);
    load(&c, golden_path("cube_l5"));
    pr_m31 **columns = alloc_columns(2, 32);
    assert_int_equal(pr_case_fill_trace(&c, 0, columns, 1, &err), PR_OK);
    for (size_t i = 0; i < 32; i++) assert_int_equal(columns[1][i], json_integer_value(json_array_get(column, i)));
    free_columns(columns, 2);
    pr_case_clear(&c);
    json_decref(tree);
}

/* A statement alone, as a verifier gets it. */
static void test_without_trace(void **state) {
    (void)state;
    static const char *const left_out[] = {"name", "trace", "expected", NULL};
    char *text = golden_text_without(golden_path("cube_l5"), left_out);
    pr_case c;
    pr_error err = {0};
    if (parse_text(&c, text, &err) != PR_OK) fail_msg("%s", err.text);
    assert_null(c.trace);
    assert_null(c.name);
    assert_false(c.has_formula);
    assert_false(c.has_expected);
    pr_m31 **columns = alloc_columns(2, 32);
    assert_int_equal(pr_case_fill_trace(&c, 0, columns, 1, &err), PR_ERR_INPUT);
    free_columns(columns, 2);
    pr_case_clear(&c);
    free(text);
}

/* Layout of the text does not matter, not even inside the trace. */
static void test_indented(void **state) {
    (void)state;
    json_t *tree = golden_tree("range_check_l6_t4");
    char *text = json_dumps(tree, JSON_INDENT(3));
    pr_case c, plain;
    pr_writer a, b;
    pr_error err = {0};
    if (parse_text(&c, text, &err) != PR_OK) fail_msg("%s", err.text);
    load(&plain, golden_path("range_check_l6_t4"));
    assert_string_equal(c.expected_envelope, plain.expected_envelope);
    export(&a, &c);
    export(&b, &plain);
    assert_string_equal((const char *)a.data, (const char *)b.data);
    pr_writer_clear(&a);
    pr_writer_clear(&b);
    pr_case_clear(&c);
    pr_case_clear(&plain);
    free(text);
    json_decref(tree);
}

static void test_names_are_escaped(void **state) {
    (void)state;
    static const char name[] = "a \"quoted\"\n\t\\ n\xc3\xa4me";
    json_t *tree = golden_tree("cube_l5");
    json_object_set_new(json_object_get(tree, "air"), "name", json_string(name));
    char *text = compact(tree);
    pr_case c, again;
    pr_writer w;
    pr_error err = {0};
    assert_int_equal(parse_text(&c, text, &err), PR_OK);
    assert_string_equal(c.air->name, name);
    export(&w, &c);
    assert_int_equal(parse_text(&again, (const char *)w.data, &err), PR_OK);
    assert_string_equal(again.air->name, name);
    pr_writer_clear(&w);
    pr_case_clear(&c);
    pr_case_clear(&again);
    free(text);
    json_decref(tree);
}

/* Frees text. */
static char *replaced(char *text, const char *find, const char *put) {
    char *at = strstr(text, find);
    assert_non_null(at);
    size_t head = (size_t)(at - text), tail = strlen(at) - strlen(find), n = strlen(put);
    char *changed = malloc(head + n + tail + 1);
    assert_non_null(changed);
    memcpy(changed, text, head);
    memcpy(changed + head, put, n);
    memcpy(changed + head + n, at + strlen(find), tail + 1);
    free(text);
    return changed;
}

/* Integers above 2^63 - 1 do not fit the JSON library's own. */
static void test_large_numbers(void **state) {
    (void)state;
    static const char *const nothing[] = {NULL};
    char *text = golden_text_without(golden_path("xor4_l8_foreign_transcript"), nothing);
    text = replaced(text, "{\"mix_u64\":1099511627776}", "{\"mix_u64\" : 18446744073709551615 }");
    text = replaced(text, "\"data\":1099511627776", "\"data\":18446744073709551615");
    text = replaced(text, "\"interaction_pow\":1057", "\"interaction_pow\":9223372036854775808");
    pr_case c;
    pr_writer w;
    pr_error err = {0};
    if (parse_text(&c, text, &err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(c.statement.steps[10].words[0], UINT32_MAX);
    assert_int_equal(c.statement.steps[10].words[1], UINT32_MAX);
    assert_string_equal(c.expected_interaction_pow_json, "9223372036854775808");
    assert_int_equal(strncmp(c.expected_envelope, "{\"interaction_pow\":9223372036854775808,", 39), 0);
    size_t echoes = 0;
    for (size_t i = 0; i < c.n_expected_steps; i++)
        echoes += strcmp(c.expected_steps[i].data_json, "18446744073709551615") == 0;
    assert_int_equal(echoes, 1);
    export(&w, &c);
    assert_non_null(strstr((const char *)w.data, "{\"mix_u64\":18446744073709551615}"));
    pr_writer_clear(&w);
    pr_case_clear(&c);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_load_and_round_trip),
        cmocka_unit_test(test_contents_of_one),
        cmocka_unit_test(test_formula),
        cmocka_unit_test(test_formula_of_many_blocks),
        cmocka_unit_test(test_inline_trace_is_filled),
        cmocka_unit_test(test_without_trace),
        cmocka_unit_test(test_indented),
        cmocka_unit_test(test_names_are_escaped),
        cmocka_unit_test(test_large_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
