/* Malformed cases: each is refused, and the message names the place. */
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PATH_BYTES 256

static json_t *root;    /* the case that is being spoiled */
static size_t n_spoilt; /* how many variants there were */

/* The text is no case, and the message, one line, begins as told and has the words in it. */
static void must_refuse(pr_status expected, const char *text, const char *begin, const char *words) {
    pr_case c;
    pr_error err = {0};
    assert_non_null(text);
    pr_status status = parse_text(&c, text, &err);
    if (status == PR_OK) fail_msg("accepted; expected: %s%s", begin, words);
    if (strncmp(err.text, begin, strlen(begin)) != 0 || !strstr(err.text, words))
        fail_msg("%s; expected: %s%s", err.text, begin, words);
    assert_int_equal(status, expected);
    assert_int_equal(err.status, expected);
    assert_null(strpbrk(err.text, "\n\r"));
    assert_null(c.air);
}

/* The case as it stands must be refused with a message that has `place` in it. */
static void expect_refusal(const char *place) {
    char *text = compact(root);
    must_refuse(PR_ERR_USAGE, text, "case.json:1:", place);
    free(text);
    n_spoilt++;
}

static bool ends_with(const char *path, const char *tail) {
    size_t n = strlen(path), m = strlen(tail);
    return n >= m && strcmp(path + n - m, tail) == 0;
}

/* Data that the loader hands on without looking into it. */
static bool is_opaque(const char *path) {
    return strstr(path, ".stark_proof.") || (strncmp(path, "$.expected.transcript", 21) == 0 && strstr(path, ".data"));
}

static bool is_u64(const char *path) {
    return ends_with(path, ".mix_u64") || ends_with(path, ".interaction_pow") ||
           ends_with(path, ".stark_proof_json_bytes");
}

static bool fits(const json_t *value, const char *path) {
    if (json_is_null(value)) return ends_with(path, ".lifting_log_size") || ends_with(path, ".interaction_pow");
    if (!json_is_integer(value)) return false;
    if (json_integer_value(value) < 0) return strstr(path, ".offsets[") != NULL;
    return is_u64(path);
}

typedef void (*put_value)(json_t *container, const void *place, json_t *value);

static void put_member(json_t *object, const void *key, json_t *value) { json_object_set(object, key, value); }
static void put_element(json_t *array, const void *index, json_t *value) {
    json_array_set(array, *(const size_t *)index, value);
}

/* Puts values of every other kind in the place of one. */
static void spoil_value(json_t *container, put_value put, const void *place, json_t *value, const char *path) {
    json_t *const others[] = {json_real(1.5),   json_string("no such thing"),  json_true(),  json_null(),
                              json_object(),    json_pack("{s:i}", "x", 1),    json_array(), json_pack("[s]", "x"),
                              json_integer(-1), json_integer(INT64_C(1) << 32)};
    char expected[PATH_BYTES + 8];
    snprintf(expected, sizeof expected, "%s", path);
    json_incref(value);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        bool same_kind = json_typeof(others[i]) == json_typeof(value) && !json_is_integer(value);
        bool is_step = strncmp(path, "$.transcript[", 13) == 0 && ends_with(path, "]") && json_is_string(others[i]);
        if ((!same_kind || is_step) && !fits(others[i], path)) {
            put(container, place, others[i]);
            expect_refusal(expected);
        }
        json_decref(others[i]);
    }
    put(container, place, value);
    json_decref(value);
}

static bool is_optional(const char *object, const char *key) {
    static const char *const of_root[] = {"name", "transcript", "trace", "trace_formula", "expected", NULL};
    if (strcmp(object, "$") == 0)
        for (size_t i = 0; of_root[i]; i++)
            if (strcmp(of_root[i], key) == 0) return true;
    if (strcmp(object, "$.expected") == 0) return strcmp(key, "transcript") == 0 || strcmp(key, "stark_proof") == 0;
    return strstr(object, "$.air.preprocessed[") && strcmp(key, "values") == 0;
}

static void spoil_tree(json_t *value, const char *path);

static void spoil_members(json_t *object, const char *path) {
    json_t *members = json_copy(object); /* the iteration must not see our changes */
    const char *key;
    json_t *value;
    json_object_foreach(members, key, value) {
        char place[PATH_BYTES];
        snprintf(place, sizeof place, "%s.%s", path, key);
        if (!is_opaque(place)) spoil_value(object, put_member, key, value, place);
        if (!is_optional(path, key)) {
            json_object_del(object, key);
            expect_refusal(path);
            json_object_set(object, key, value);
        }
        spoil_tree(value, place);
    }
    json_object_set_new(object, "unknown", json_integer(1));
    expect_refusal(path);
    json_object_del(object, "unknown");
    json_decref(members);
}

static void spoil_elements(json_t *array, const char *path) {
    size_t n = json_array_size(array);
    for (size_t i = 0; i < n; i = i == 1 && n > 3 ? n - 1 : i + 1) { /* the first two and the last */
        char place[PATH_BYTES];
        snprintf(place, sizeof place, "%s[%zu]", path, i);
        spoil_value(array, put_element, &i, json_array_get(array, i), place);
        spoil_tree(json_array_get(array, i), place);
    }
}

static void spoil_tree(json_t *value, const char *path) {
    if (is_opaque(path) || ends_with(path, ".stark_proof")) return;
    if (json_is_object(value))
        spoil_members(value, path);
    else if (json_is_array(value))
        spoil_elements(value, path);
}

static void spoil_case(const char *name) {
    root = golden_tree(name);
    assert_non_null(root);
    json_object_del(json_object_get(root, "expected"), "stark_proof"); /* long, and not looked into */
    n_spoilt = 0;
    spoil_tree(root, "$");
    print_message("%s: %zu variants refused\n", name, n_spoilt);
    assert_true(n_spoilt > 300);
    json_decref(root);
}

static void test_every_value_spoilt(void **state) {
    (void)state;
    spoil_case("xor4_l8_foreign_transcript");
    spoil_case("state_machine_l6");
    spoil_case("wide_fibonacci_l4_c4");
}

/* ---- single refusals: a piece of a golden case's text replaced ---- */

typedef struct edit {
    const char *golden, *find, *put, *message;
} edit;

static const edit edits[] = {
    {"cube_l5", "{\"mul\":[2,0]}", "{\"mul\":[2,9]}",
     "case.json:1:259: $.air.components[0].nodes[3]: operand 9 is not an earlier node"},
    {"cube_l5", "{\"mul\":[2,0]}", "{\"mul\":[3,0]}",
     ": $.air.components[0].nodes[3]: operand 3 is not an earlier node"},
    {"cube_l5", "{\"mul\":[2,0]}", "{\"neg\":3}", "$.air.components[0].nodes[3]: operand 3 is not an earlier node"},
    {"cube_l5", "{\"mul\":[2,0]}", "{\"mul\":[2,0,0]}", "$.air.components[0].nodes[3].mul: has 3 elements"},
    {"cube_l5", "{\"mul\":[2,0]}", "{\"mul\":[2,0],\"add\":[0,0]}",
     "$.air.components[0].nodes[3]: must be an object with exactly one key, found an object of 2"},
    {"cube_l5", "{\"mul\":[2,0]}", "{\"pre\":0}", "nodes[3].pre: preprocessed column 0: there are 0"},
    {"cube_l5", "{\"mul\":[2,0]}", "{\"const\":2147483647}",
     "nodes[3].const: must be a whole number of 0 to 2147483646, found 2147483647"},
    {"cube_l5", "{\"col\":[1,0]}", "{\"col\":[2,0]}", "nodes[1].col[0]: column 2: the component has 2 columns"},
    {"cube_l5", "{\"col\":[1,0]}", "{\"col\":[1,1]}", "nodes[1].col[1]: offset index 1: the column has 1 offsets"},
    {"cube_l5", "\"constraints\":[4]", "\"constraints\":[5]", "constraints[0]: node 5: the component has 5 nodes"},
    {"cube_l5", "\"log_degree_bound\":6", "\"log_degree_bound\":5", "$.air.components[0].log_degree_bound: 5"},
    {"cube_l5", "\"log_degree_bound\":6", "\"log_degree_bound\":7", "$.air.components[0].log_degree_bound: 7"},
    {"cube_l5", "\"log_size\":5,", "\"log_size\":25,",
     "$.air.components[0].log_size: must be a whole number of 0 to 24, found 25"},
    {"cube_l5", "{\"offsets\":[0]}", "{\"offsets\":[]}", "$.air.components[0].columns[0].offsets: has 0 offsets"},
    {"cube_l5", "{\"offsets\":[0]}", "{\"offsets\":[0,1,2,3,4]}", "columns[0].offsets: has 5 offsets"},
    {"cube_l5", "{\"offsets\":[0]}", "{\"offsets\":[0,32]}", "$.air.components[0].columns[0].offsets[1]: 32"},
    {"cube_l5", "{\"offsets\":[0]}", "{\"offsets\":[-1,31]}", "$.air.components[0].columns[0].offsets[1]: 31"},
    {"cube_l5", "proverun-air/1", "proverun-air/2", "$.air.format: must be"},
    {"cube_l5", "\"lifting_log_size\":null", "\"lifting_log_size\":0", "$.config.lifting_log_size: 0"},
    {"cube_l5", "\"trace\":[[[", "\"trace\":[[[7,", "$.trace[0][0]: has 33 elements, must have 32"},
    {"cube_l5", "\"trace\":[[[", "\"trace\":[[[7],[", "$.trace[0]: has 3 elements, must have 2"},
    {"cube_l5", "\"trace\":[[[", "\"trace\":[[],[[", "$.trace: has 2 elements, must have 1"},
    {"cube_l5", "\"trace\":[[[353876407,", "\"trace\":[[[2147483647,",
     "$.trace[0][0][0]: must be a whole number of 0 to 2147483646, found 2147483647"},
    {"cube_l5", "\"trace\":[[[353876407,", "\"trace\":[[[99999999999999999999,",
     "$.trace[0][0][0]: must be a whole number"},
    {"cube_l5", "\"trace\":[[[", "\"trace\":[[[007,", "$.trace[0][0][0]: a number must not begin with 0"},
    {"cube_l5", "\"trace\":[[[", "\"trace\":[[[1 2,", "$.trace[0][0][0]: expected ',' or ']', found '2'"},
    {"cube_l5", "\"trace\":[[[353876407,", "\"trace\":[[[-0,", "$.trace[0][0][0]: must be a whole number"},
    {"cube_l5", "\"trace\":[[[353876407,", "\"trace\":[[[\"]]]\",", "$.trace[0][0][0]: must be a whole number"},
    {"cube_l5", "\"trace\":[[[", "\"tr\\u0061ce\":[[[", "a key must be written without escapes"},
    {"cube_l5", "\"trace\":[[[", "\"trace_formula\":\"x\",\"trace\":[[[",
     "$.trace_formula: \"trace\" is there as well"},
    {"cube_l5", "\"trace\":[[[", "\"trace_file\":\"x.h5\",\"trace\":[[[", "$.trace_file: \"trace\" is there as well"},
    {"wide_fibonacci_l4_c4", "\"trace_formula\":", "\"trace_file\":\"x.h5\",\"trace_formula\":",
     "$.trace_formula: \"trace_file\" is there as well"},
    {"wide_fibonacci_l4_c4", "wide_fibonacci 4 4 ", "wide_fibonacci 4 5 ", "$.trace_formula: the AIR must have"},
    {"wide_fibonacci_l4_c4", "wide_fibonacci 4 4 ", "wide_fibonacci 5 4 ", "$.trace_formula: the AIR must have"},
    {"wide_fibonacci_l4_c4", "wide_fibonacci 4 4 ", "wide_fibonacci 4 04 ", "$.trace_formula: must be the text"},
    {"wide_fibonacci_l4_c4", "wide_fibonacci 4 4 ", "wide_fibonacci  4 4 ", "$.trace_formula: must be the text"},
    {"wide_fibonacci_l4_c4", "wide_fibonacci 4 4 ", "wide_fibonacci 4 4 18446744073709551616", "must be the text"},
    {"wide_fibonacci_l4_c4", "wide_fibonacci 4 4 ", "wide_fibonacci 4 -4 ", "$.trace_formula: must be the text"},
    {"cube_l5", "{\"name\":\"cube_l5\"", "{\"name\":\"a\",\"name\":\"cube_l5\"", "$.name: duplicate object key"},
    {"cube_l5", "\"nodes\":[{", "\"nodes\":[],\"nodes\":[{", "$.air.components[0].nodes: duplicate object key"},
    {"cube_l5", "\"trace\":[", "\"trace\":[],\"trace\":[", "$.trace: duplicate object key"},
    {"cube_l5", "\"constraints\":[4]", "\"constraints\":[4,]", "$.air.components[0].constraints[1]: "},
    {"cube_l5", "\"constraints\":[4]", "\"constraints\":[18446744073709551615]",
     "$.air.components[0].constraints[0]: must be a whole number of 0 to 4294967295, found 18446744073709551615"},
    {"cube_l5", "\"constraints\":[4]", "\"constraints\":[-9223372036854775809]",
     "constraints[0]: must be a whole number of 0 to 4294967295, found -9223372036854775809"},
    {"cube_l5", "\"interaction_pow\":null", "\"interaction_pow\":18446744073709551616",
     "$.expected.interaction_pow: must be a whole number of 0 to 18446744073709551615, found 1"},
    {"cube_l5", "\"claimed_sums\":[", "\"claimed_sums\":[[0,0,0,0],", "$.expected.claimed_sums: has 2 elements"},
    {"xor4_l7", "\"log_size\":8,\"values\":[", "\"log_size\":7,\"values\":[", "$.air.preprocessed[0].values: has 256"},
    {"xor4_l7", "\"values\":[0,1,4]", "\"values\":[0,1,4,4]", "lookups[0].values: has 4 values, must have 1 to 3"},
    {"xor4_l7", "\"values\":[0,1,4]", "\"values\":[]", "lookups[0].values: has 0 values, must have 1 to 3"},
    {"xor4_l7", "\"values\":[0,1,4]", "\"values\":[0,1,7]", "lookups[0].values[2]: node 7: the component has 7 nodes"},
    {"xor4_l7", "\"relation\":0,\"multiplicity\":6", "\"relation\":1,\"multiplicity\":6", "relation 1: there are 1"},
    {"xor4_l7", "\"multiplicity\":6", "\"multiplicity\":7", "$.air.components[0].lookups[0].multiplicity: node 7"},
    {"xor4_l7", "\"batches\":[0,0]", "\"batches\":[1,1]", "$.air.components[0].batches: batch 0 has no lookup"},
    {"xor4_l7", "\"batches\":[0,0]", "\"batches\":[0,2]",
     "$.air.components[0].batches[1]: must be a whole number of 0 to 1, found 2"},
    {"xor4_l7", "\"batches\":[0,0]", "\"batches\":[0]", "$.air.components[0].batches: has 1 elements, must have 2"},
    {"xor4_l7", "\"size\":3}", "\"size\":0}", "$.air.relations[0].size: must be at least 1"},
    {"xor4_l8_foreign_transcript", "[5,0,0,0]", "[5,0,0]", "$.transcript[0].mix_felts[0]: has 3 elements"},
    {"xor4_l8_foreign_transcript", "[5,0,0,0]", "[5,0,2147483647,0]",
     "$.transcript[0].mix_felts[0][2]: must be a whole number of 0 to 2147483646, found 2147483647"},
    {"xor4_l8_foreign_transcript", "{\"mix_root\":\"f8", "{\"mix_root\":\"g8", "$.transcript[4].mix_root: must be"},
    {"xor4_l8_foreign_transcript", "{\"mix_root\":\"f8", "{\"mix_root\":\"f8f8", "$.transcript[4].mix_root: must be"},
    {"xor4_l8_foreign_transcript", "4000000000]", "4294967296]",
     "$.transcript[5].mix_u32s[2]: must be a whole number of 0 to 4294967295, found 4294967296"},
    {"xor4_l8_foreign_transcript", "{\"commit\":\"trace\"}", "{\"commit\":\"other\"}",
     "$.transcript[6].commit: must be"},
    {"xor4_l8_foreign_transcript", "{\"grind\":9}", "{\"grind\":33}",
     "$.transcript[7].grind: must be a whole number of 0 to 32, found 33"},
    {"xor4_l8_foreign_transcript", "{\"mix_u64\":1099511627776}", "{\"mix_u64\":18446744073709551616}",
     "$.transcript[10].mix_u64: must be a whole number of 0 to 18446744073709551615, found 18446744073709551616"},
    {"xor4_l8_foreign_transcript", "\"draw_relations\",", "\"draw_relations\",\"draw\",", "$.transcript[9]: must be"},
    {"xor4_l8_foreign_transcript", "\"draw_relations\",", "{\"draw\":1},", "$.transcript[8].draw: unknown key"},
};

static char *edited_text(const edit *e) {
    json_t *tree = golden_tree(e->golden);
    char *text = compact(tree), *changed = NULL;
    assert_non_null(text);
    char *at = strstr(text, e->find);
    if (!at) fail_msg("%s has no %s", e->golden, e->find);
    if (asprintf(&changed, "%.*s%s%s", (int)(at - text), text, e->put, at + strlen(e->find)) < 0) fail();
    free(text);
    json_decref(tree);
    return changed;
}

static void test_single_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char *text = edited_text(&edits[i]);
        must_refuse(PR_ERR_USAGE, text, "case.json:1:", edits[i].message);
        free(text);
    }
}

/* What the AIR's and the layout's own checks refuse comes with the file's name. */
static void test_refused_statements(void **state) {
    (void)state;
    static const edit list[] = {
        {"cube_l5", "{\"mul\":[2,0]},{\"sub\":[1,3]}", "{\"mul\":[2,2]},{\"sub\":[1,3]}",
         "case.json:1:303: $.air.components[0].constraints[0]: component 'power', constraint 0 has degree 4"},
        {"xor4_l7", "\"id\":\"xor_b\"", "\"id\":\"xor_a\"",
         "case.json:1:729: $.air.preprocessed[1]: two preprocessed columns have the id 'xor_a'"},
        {"cube_l5", "\"n_queries\":4", "\"n_queries\":0", "case.json:1:1: $: "},
        {"cube_l5", "\"log_blowup_factor\":1", "\"log_blowup_factor\":2147483647", "case.json:1:1: $: "},
        {"cube_l5", "\"fold_step\":1", "\"fold_step\":2147483647", "case.json:1:1: $: "},
        {"cube_l5", "\"pow_bits\":2,", "\"pow_bits\":2147483647,", "case.json:1:1: $: "},
        {"cube_l5", "\"log_last_layer_degree_bound\":0", "\"log_last_layer_degree_bound\":2147483647",
         "case.json:1:1: $: "},
        {"cube_l5", "\"lifting_log_size\":null", "\"lifting_log_size\":6", "case.json:1:1: $: "},
        {"xor4_l8_foreign_transcript", "{\"commit\":\"trace\"},", "", "case.json:1:1: $: "},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char *text = edited_text(&list[i]);
        must_refuse(PR_ERR_REFUSED, text, list[i].message, "");
        free(text);
    }
}

/* An edit that changes nothing but how often a constraint is written: refusals are not the edits' doing. */
static void test_an_edited_case(void **state) {
    (void)state;
    static const edit twice = {"cube_l5", "\"constraints\":[4]", "\"constraints\":[4,4]", NULL};
    char *text = edited_text(&twice);
    pr_case c;
    assert_int_equal(parse_text(&c, text, NULL), PR_OK);
    pr_case_clear(&c);
    free(text);
}

static void test_syntax_has_its_place(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"", "case.json:1:"},
        {"[]", "case.json:1:1: $: must be an object, found an array of 0"},
        {"{\n \"air\": {\n  \"name\": nonsense } }", "case.json:3:11: $.air.name: expected a value, found 'n'"},
        {"{\"a\":1} x", "case.json:1:9: $: "},
        {"{\"trace\":[[1,2]", "case.json:1:"},
        {"{\"trace\":[[[1]]],\n\"x\":}", "case.json:2:5: $.x: "},
        {"{\"a\":\"\\u0000\"}", "case.json:1:"},
        {"{\"a\":\"\xff\"}", "case.json:1:"},
        {"{\"\x01\":1}", "case.json:1:"},
        {"{\"a\\nb\":1}", "case.json:1:2: $.a\\nb: a key must be written without escapes"},
        {"{\"a\":1}", "case.json:1:2: $.a: unknown key; allowed: air, "},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) must_refuse(PR_ERR_USAGE, texts[i][0], texts[i][1], "");
}

static void test_place_inside_the_trace(void **state) {
    (void)state;
    json_t *tree = golden_tree("cube_l5");
    json_object_del(tree, "expected");
    json_array_set_new(json_array_get(json_array_get(json_object_get(tree, "trace"), 0), 1), 2, json_true());
    char *text = json_dumps(tree, JSON_INDENT(1)), *at = strstr(text, "true");
    size_t line = 1;
    for (const char *p = text; p < at; p++) line += *p == '\n';
    char expected[64];
    snprintf(expected, sizeof expected, "case.json:%zu:5: $.trace[0][1][2]: must be", line);
    must_refuse(PR_ERR_USAGE, text, expected, "");
    free(text);
    json_decref(tree);
}

static void test_missing_file(void **state) {
    (void)state;
    pr_case c;
    pr_error err = {0};
    assert_int_not_equal(pr_case_load(&c, golden_path("no_such_case"), &err), PR_OK);
    assert_non_null(strstr(err.text, "no_such_case.json"));
    assert_null(c.air);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_value_spoilt),   cmocka_unit_test(test_single_refusals),
        cmocka_unit_test(test_refused_statements),   cmocka_unit_test(test_an_edited_case),
        cmocka_unit_test(test_syntax_has_its_place), cmocka_unit_test(test_place_inside_the_trace),
        cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
