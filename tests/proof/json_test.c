/* The text form: each code by a targeted change, whitespace between tokens, every prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "golden.h"

static pr_decode_code read_text(const golden *g, const char *text, size_t size, size_t *place) {
    pr_proof proof;
    pr_decode_code code = pr_proof_read_envelope(&proof, &g->layout, text, size, place);
    if (code != PR_DECODE_OK) assert_null(proof.memory);
    pr_proof_clear(&proof);
    return code;
}

/* The first occurrence of from behind that of anchor becomes to. The code, and that the
 * place lies where the change is (a number's place is its beginning). */
static void expect_change(const golden *g, const char *anchor, const char *from, const char *to, pr_decode_code code) {
    const char *text = g->c.expected_envelope, *at = strstr(text, anchor);
    assert_non_null(at);
    at = strstr(at + strlen(anchor), from);
    assert_non_null(at);
    size_t head = (size_t)(at - text), tail = strlen(at + strlen(from)), place = 0;
    char *changed = malloc(head + strlen(to) + tail + 1);
    sprintf(changed, "%.*s%s%s", (int)head, text, to, at + strlen(from));
    pr_decode_code got = read_text(g, changed, strlen(changed), &place);
    if (got != code)
        fail_msg("%s: %s -> %s: %s at %zu, not %s", anchor, from, to, pr_decode_code_text(got), place,
                 pr_decode_code_text(code));
    if (place + 10 < head || place > head + strlen(to) + 1)
        fail_msg("%s: %s -> %s: found at %zu, not %zu", anchor, from, to, place, head);
    free(changed);
}

static void every_defect_has_its_code(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "cube_l5");
    expect_change(&g, "", "{", "[", PR_DECODE_SYNTAX);
    expect_change(&g, "\"pow_bits\"", ":", ";", PR_DECODE_SYNTAX);
    expect_change(&g, "\"commitments\":[", "[", "[-", PR_DECODE_SYNTAX);
    expect_change(&g, "\"commitments\":[[", ",", ".5,", PR_DECODE_SYNTAX);
    expect_change(&g, "\"commitments\":[[", ",", "e1,", PR_DECODE_SYNTAX);
    expect_change(&g, "\"commitments\":[[", ",", ",,", PR_DECODE_SYNTAX);
    expect_change(&g, "\"commitments\":[[", "],[", ",1],[", PR_DECODE_SYNTAX);
    expect_change(&g, "\"claimed_sums\":[[", "0]", "0,0]", PR_DECODE_SYNTAX);
    expect_change(&g, "\"claimed_sums\":[[", "0,0]", "0]", PR_DECODE_SYNTAX);
    expect_change(&g, "\"interaction_pow\"", "null", "nul", PR_DECODE_SYNTAX);
    expect_change(&g, "\"interaction_pow\"", "null", "nu ll", PR_DECODE_SYNTAX);
    expect_change(&g, "\"stark_proof\":{\"", "config", "confog", PR_DECODE_KEY);
    expect_change(&g, "\"stark_proof\":{\"", "config", "config2", PR_DECODE_KEY);
    expect_change(&g, "\"stark_proof\":{\"", "config", " config", PR_DECODE_KEY);
    expect_change(&g, "\"fri_proof\"", "inner_layers", "last_layer_poly", PR_DECODE_KEY);
    expect_change(&g, "\"pow_bits\"", "2", "3", PR_DECODE_CONFIG);
    expect_change(&g, "\"log_blowup_factor\"", "1", "2", PR_DECODE_CONFIG);
    expect_change(&g, "\"log_last_layer_degree_bound\"", "0", "1", PR_DECODE_CONFIG);
    expect_change(&g, "\"n_queries\"", "4", "5", PR_DECODE_CONFIG);
    expect_change(&g, "\"n_queries\"", "4", "99999999999999999999", PR_DECODE_CONFIG);
    expect_change(&g, "\"fold_step\"", "1", "2", PR_DECODE_CONFIG);
    expect_change(&g, "\"lifting_log_size\"", "null", "6", PR_DECODE_CONFIG);
    expect_change(&g, "\"commitments\":", "[[", "[],[[", PR_DECODE_TREE_COUNT);
    expect_change(&g, "\"commitments\":", "]]", "],[1]]", PR_DECODE_TREE_COUNT);
    expect_change(&g, "\"sampled_values\":", "[[],", "[", PR_DECODE_COLUMN_COUNT);
    expect_change(&g, "\"sampled_values\":", "[[]", "[[[]]", PR_DECODE_COLUMN_COUNT);
    expect_change(&g, "\"sampled_values\":", "[[[[", "[[],[[[", PR_DECODE_SAMPLE_COUNT);
    expect_change(&g, "\"sampled_values\":", "]]],[[[", "]],[[0,0],[0,0]]],[[[", PR_DECODE_SAMPLE_COUNT);
    expect_change(&g, "\"decommitments\":", "}]", "},{\"hash_witness\":[]}]", PR_DECODE_TREE_COUNT);
    expect_change(&g, "\"decommitments\":", ":[]", ":[[0]]", PR_DECODE_WITNESS_TOO_LONG);
    expect_change(&g, "\"queried_values\":", "[[],[[", "[[],[[],[", PR_DECODE_QUERY_COUNT);
    expect_change(&g, "\"queried_values\":", "],[", ",1,1],[", PR_DECODE_COLUMN_COUNT);
    expect_change(&g, "\"queried_values\":[[],[[", "],[", ",1],[", PR_DECODE_QUERY_COUNT);
    expect_change(&g, "\"queried_values\":[[],[[", "],[", "],[7],[", PR_DECODE_QUERY_COUNT);
    expect_change(&g, "\"queried_values\":[[],", "[[", "[[2147483647,", PR_DECODE_FELT_RANGE);
    expect_change(&g, "\"queried_values\":[[],", "[[", "[[18446744073709551616,", PR_DECODE_FELT_RANGE);
    expect_change(&g, "\"queried_values\":[[],", "[[", "[[01,", PR_DECODE_NOT_CANONICAL);
    expect_change(&g, "\"queried_values\":[[],", "[[", "[[00,", PR_DECODE_NOT_CANONICAL);
    expect_change(&g, "\"proof_of_work\":", ",", "00000000000000000000,", PR_DECODE_NUMBER_RANGE);
    expect_change(&g, "\"commitments\":", "[[", "[[256,", PR_DECODE_BYTE_RANGE);
    expect_change(&g, "\"inner_layers\":", "[{", "[],[{", PR_DECODE_LAYER_COUNT);
    expect_change(&g, "\"inner_layers\":", "],\"last", ",{}],\"last", PR_DECODE_LAYER_COUNT);
    expect_change(&g, "\"coeffs\":", "[", "[],[", PR_DECODE_LAST_LAYER);
    expect_change(&g, "\"coeffs\":", "]]]", "]],[[0,0],[0,0]]]", PR_DECODE_LAST_LAYER);
    expect_change(&g, "\"log_size\":", "0", "1", PR_DECODE_LAST_LAYER);
    expect_change(&g, "\"claimed_sums\":", "[[", "[],[[", PR_DECODE_CLAIMED_SUM_COUNT);
    expect_change(&g, "\"claimed_sums\":", "]]", "],[0,0,0,0]]", PR_DECODE_CLAIMED_SUM_COUNT);
    expect_change(&g, "\"interaction_pow\":", "null", "0", PR_DECODE_INTERACTION_POW);
    expect_change(&g, "\"log_size\":", "}}}}", "}}}}}", PR_DECODE_TRAILING);
    expect_change(&g, "\"log_size\":", "}}}}", "}}}", PR_DECODE_TRUNCATED);
    golden_clear(&g);
}

static void statements_decide_about_nulls(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "range_check_l5_t8_grind"); /* a nonce, no lifting */
    assert_true(g.proof.has_interaction_pow);
    char nonce[32];
    snprintf(nonce, sizeof nonce, "%llu", (unsigned long long)g.proof.interaction_pow);
    expect_change(&g, "\"interaction_pow\":", nonce, "null", PR_DECODE_INTERACTION_POW);
    expect_change(&g, "\"interaction_pow\":", nonce, "18446744073709551616", PR_DECODE_NUMBER_RANGE);
    golden_clear(&g);
    golden_init(&g, "range_check_l6_t4"); /* lifting 7 */
    expect_change(&g, "\"lifting_log_size\":", "7", "null", PR_DECODE_CONFIG);
    expect_change(&g, "\"lifting_log_size\":", "7", "8", PR_DECODE_CONFIG);
    golden_clear(&g);
}

/* More FRI values or hashes than the opened positions can need. */
static void long_fri_witnesses_are_refused(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "wide_fibonacci_l4_c4");
    pr_writer more;
    pr_writer_init(&more);
    for (int i = 0; i < 5; i++) pr_write_format(&more, "[[1,2],[3,4]],");
    pr_write_u8(&more, 0);
    const char *text = g.c.expected_envelope, *at = strstr(text, "\"fri_witness\":[") + strlen("\"fri_witness\":[");
    pr_writer changed;
    pr_writer_init(&changed);
    pr_write_format(&changed, "%.*s%s%s", (int)(at - text), text, (const char *)more.data, at);
    assert_int_equal(read_text(&g, (const char *)changed.data, changed.size, NULL), PR_DECODE_WITNESS_TOO_LONG);
    pr_writer_clear(&changed);
    pr_writer_clear(&more);
    golden_clear(&g);
}

static bool in_token(char a, char b) {
    bool digits = a >= '0' && a <= '9' && b >= '0' && b <= '9';
    bool letters = ((a >= 'a' && a <= 'z') || a == '_') && ((b >= 'a' && b <= 'z') || b == '_');
    return digits || letters;
}

static void check_whitespace(golden *g) {
    static const char blanks[] = " \t\r\n";
    const char *text = g->c.expected_envelope;
    size_t size = g->c.expected_envelope_size, n = 0;
    char *spread = malloc(3 * size);
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (!quoted && (i == 0 || !in_token(text[i - 1], text[i])))
            for (size_t k = 0; k < i % 3; k++) spread[n++] = blanks[(i + k) % 4];
        if (text[i] == '"') quoted = !quoted;
        spread[n++] = text[i];
    }
    spread[n++] = '\n';
    pr_proof proof;
    pr_writer binary;
    pr_writer_init(&binary);
    assert_int_equal(pr_proof_read_envelope(&proof, &g->layout, spread, n, NULL), PR_DECODE_OK);
    assert_int_equal(pr_proof_encode(&binary, &proof, &g->layout), PR_OK);
    assert_int_equal(binary.size, g->binary.size);
    assert_memory_equal(binary.data, g->binary.data, binary.size);
    spread[n++] = 0;
    assert_int_equal(read_text(g, spread, n, NULL), PR_DECODE_TRAILING);
    pr_proof_clear(&proof);
    pr_writer_clear(&binary);
    free(spread);
}

static void whitespace_between_tokens_is_allowed(void **state) {
    (void)state;
    golden_for_each(check_whitespace);
}

static void every_prefix_is_truncated(void **state) {
    (void)state;
    static const char *const names[] = {"cube_l5", "state_machine_l6"};
    for (size_t k = 0; k < 2; k++) {
        golden g;
        golden_init(&g, names[k]);
        for (size_t n = 0; n < g.c.expected_envelope_size; n++)
            assert_int_equal(read_text(&g, g.c.expected_envelope, n, NULL), PR_DECODE_TRUNCATED);
        golden_clear(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_defect_has_its_code),      cmocka_unit_test(statements_decide_about_nulls),
        cmocka_unit_test(long_fri_witnesses_are_refused), cmocka_unit_test(whitespace_between_tokens_is_allowed),
        cmocka_unit_test(every_prefix_is_truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
