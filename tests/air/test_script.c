/* The rules of transcripts that an AIR brings along. */
#include "air/script.h"
#include "support.h"
#include <stdio.h>

enum { D = PR_STEP_STATEMENT_DIGEST, C = PR_STEP_CONFIG, P = PR_STEP_COMMIT_PREPROCESSED, T = PR_STEP_COMMIT_TRACE };
enum { I = PR_STEP_COMMIT_INTERACTION, G = PR_STEP_GRIND, R = PR_STEP_DRAW_RELATIONS, S = PR_STEP_CLAIMED_SUMS };
enum { END = -1 };

static void set_kinds(pr_statement *st, const int *kinds) {
    pr_step steps[16] = {0};
    uint32_t n = 0;
    for (; kinds[n] != END; n++) steps[n] = (pr_step){.kind = (pr_step_kind)kinds[n], .bits = kinds[n] == G ? 9 : 0};
    assert_int_equal(pr_statement_set_transcript(st, steps, n, NULL), PR_OK);
}

static void expect_kinds(const pr_statement *st, const int *kinds) {
    uint32_t n = 0;
    for (; kinds[n] != END; n++) {
        assert_true(n < st->n_steps);
        assert_int_equal(st->steps[n].kind, kinds[n]);
    }
    assert_int_equal(st->n_steps, n);
}

static void the_default_scripts(void **state) {
    (void)state;
    pr_air *plain = support_cube(5), *lookups = support_pairs();
    pr_config config = support_config();
    pr_statement st;
    support_statement(&st, plain, &config);
    expect_kinds(&st, (int[]){D, C, P, T, END});
    pr_statement_clear(&st);
    config.interaction_pow_bits = 8;
    support_statement(&st, plain, &config);
    expect_kinds(&st, (int[]){D, C, P, T, END}); /* nothing to grind for without relations */
    pr_statement_clear(&st);
    support_statement(&st, lookups, &config);
    expect_kinds(&st, (int[]){D, C, P, T, G, R, S, I, END});
    assert_int_equal(st.steps[4].bits, 8);
    assert_int_equal(pr_script_check(&st, NULL), PR_OK);
    assert_true(pr_script_grind_protects_lookups(&st));
    pr_statement_clear(&st);
    config.interaction_pow_bits = 0;
    support_statement(&st, lookups, &config);
    expect_kinds(&st, (int[]){D, C, P, T, R, S, I, END});
    assert_false(pr_script_grind_protects_lookups(&st));
    pr_statement_clear(&st);
    pr_air_destroy(plain);
    pr_air_destroy(lookups);
}

typedef struct script_case {
    int kinds[16];
    const char *fragment; /* NULL: accepted */
} script_case;

static void run_cases(const pr_air *air, const script_case *cases, size_t n) {
    pr_config config = support_config();
    for (size_t k = 0; k < n; k++) {
        pr_statement st;
        pr_error err = {0};
        support_statement(&st, air, &config);
        set_kinds(&st, cases[k].kinds);
        assert_true(st.has_foreign_transcript);
        print_message("script %zu: %s\n", k, cases[k].fragment ? cases[k].fragment : "accepted");
        pr_status status = pr_script_check(&st, &err);
        if (cases[k].fragment)
            support_expect_error(status, PR_ERR_REFUSED, &err, cases[k].fragment);
        else
            assert_int_equal(status, PR_OK);
        pr_statement_clear(&st);
    }
}

static void scripts_with_lookups(void **state) {
    (void)state;
    static const script_case cases[] = {
        {{C, P, T, G, R, S, I, END}, NULL},
        {{D, C, D, P, T, R, S, I, D, END}, NULL},
        {{C, P, T, R, G, S, I, END}, NULL}, /* odd, but nothing forbids it */
        {{D, P, T, R, S, I, END}, "transcript: the step 'config' is missing"},
        {{C, T, R, S, I, END}, "the step 'commit preprocessed' is missing"},
        {{C, P, R, S, I, END}, "the step 'commit trace' is missing"},
        {{C, P, T, R, S, END}, "the step 'commit interaction' is missing"},
        {{C, P, T, S, I, END}, "the step 'draw_relations' is missing"},
        {{C, P, T, R, I, END}, "the step 'claimed_sums' is missing"},
        {{C, C, P, T, R, S, I, END}, "step 1, 'config', occurs a second time"},
        {{C, P, P, T, R, S, I, END}, "step 2, 'commit preprocessed', occurs a second time"},
        {{C, P, T, R, S, I, T, END}, "step 6, 'commit trace', occurs a second time"},
        {{C, P, T, G, R, S, G, I, END}, "step 6, 'grind', occurs a second time"},
        {{P, C, T, R, S, I, END}, "'commit preprocessed' must come after 'config'"},
        {{C, T, P, R, S, I, END}, "'commit trace' must come after 'commit preprocessed'"},
        {{C, P, R, T, S, I, END}, "'draw_relations' must come after 'commit trace'"},
        {{C, P, T, R, I, S, END}, "'commit interaction' must come after 'claimed_sums'"},
        {{C, P, T, S, R, I, END}, "'claimed_sums' must come after 'draw_relations'"},
        {{C, P, T, S + 1, R, S, I, END}, "step 3 is unknown"},
    };
    pr_air *air = support_pairs();
    run_cases(air, cases, sizeof cases / sizeof *cases);
    pr_air_destroy(air);
}

static void scripts_without_lookups(void **state) {
    (void)state;
    static const script_case cases[] = {
        {{C, P, T, END}, NULL},
        {{C, P, T, I, END}, "step 3, 'commit interaction', but the AIR has no relations"},
        {{C, P, T, R, END}, "step 3, 'draw_relations', but the AIR has no relations"},
        {{C, P, T, S, END}, "step 3, 'claimed_sums', but the AIR has no relations"},
        {{C, P, G, T, END}, "step 2, 'grind', but the AIR has no relations"},
        {{C, T, END}, "the step 'commit preprocessed' is missing"},
    };
    pr_air *air = support_cube(5);
    run_cases(air, cases, sizeof cases / sizeof *cases);
    pr_air_destroy(air);
}

static void words_of_steps(void **state) {
    (void)state;
    uint32_t words[8] = {1, 2, 3, PR_P, UINT32_MAX, 6, 7, 8};
    const struct {
        pr_step step;
        const char *fragment;
    } cases[] = {
        {{PR_STEP_MIX_U32S, 0, words, 8}, NULL},
        {{PR_STEP_MIX_U32S, 0, NULL, 0}, NULL},
        {{PR_STEP_MIX_U64, 0, words, 2}, NULL},
        {{PR_STEP_MIX_ROOT, 0, words, 8}, NULL},
        {{PR_STEP_MIX_FELTS, 0, NULL, 0}, NULL},
        {{PR_STEP_MIX_FELTS, 0, words, 3}, "step 0, mix_felts: 3 words, not four a felt"},
        {{PR_STEP_MIX_FELTS, 0, words, 4}, "step 0, mix_felts: 2147483647 is not below p"},
        {{PR_STEP_MIX_U64, 0, words, 3}, "step 0, mix_u64: 3 words, not 2"},
        {{PR_STEP_MIX_ROOT, 0, words, 7}, "step 0, mix_root: 7 words, not 8"},
    };
    pr_air *air = support_cube(5);
    pr_config config = support_config();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        pr_step steps[4] = {cases[k].step,
                            {.kind = PR_STEP_CONFIG},
                            {.kind = PR_STEP_COMMIT_PREPROCESSED},
                            {.kind = PR_STEP_COMMIT_TRACE}};
        pr_statement st;
        pr_error err = {0};
        support_statement(&st, air, &config);
        assert_int_equal(pr_statement_set_transcript(&st, steps, 4, NULL), PR_OK);
        if (steps[0].n_words) assert_ptr_not_equal(st.steps[0].words, words); /* a copy */
        pr_status status = pr_script_check(&st, &err);
        if (cases[k].fragment)
            support_expect_error(status, PR_ERR_REFUSED, &err, cases[k].fragment);
        else
            assert_int_equal(status, PR_OK);
        pr_statement_clear(&st);
    }
    pr_air_destroy(air);
}

/* A foreign grind's bits are the layout's, whatever the configuration says; in the wrong place they protect nothing. */
static void foreign_grinds(void **state) {
    (void)state;
    pr_air *air = support_pairs();
    pr_config config = support_config();
    pr_statement st;
    pr_layout l;
    config.lifting_log_size = 6;
    support_statement(&st, air, &config);
    set_kinds(&st, (int[]){C, P, T, G, R, S, I, END});
    assert_int_equal(pr_layout_init(&l, &st, NULL), PR_OK);
    assert_true(l.grinds_interaction);
    assert_int_equal(l.interaction_pow_bits, 9);
    assert_true(pr_script_grind_protects_lookups(&st));
    pr_layout_clear(&l);
    set_kinds(&st, (int[]){C, G, P, T, R, S, I, END});
    assert_false(pr_script_grind_protects_lookups(&st));
    set_kinds(&st, (int[]){C, P, T, R, G, S, I, END});
    assert_false(pr_script_grind_protects_lookups(&st));
    st.steps[4].bits = 33;
    pr_error err = {0};
    support_expect_error(pr_layout_init(&l, &st, &err), PR_ERR_REFUSED, &err, "step 4, grind: 33 bits, at most 32");
    pr_statement_clear(&st);
    pr_air_destroy(air);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_scripts),     cmocka_unit_test(scripts_with_lookups),
        cmocka_unit_test(scripts_without_lookups), cmocka_unit_test(words_of_steps),
        cmocka_unit_test(foreign_grinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
