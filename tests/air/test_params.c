/* Parameters of job types: what is refused and how the refusal reads. */
#include "air/job_type.h"
#include "support.h"
#include <stdio.h>

static const pr_param_spec specs[] = {
    {"log_rows", PR_PARAM_UINT, true, NULL, 4, 24, "log2 of the rows"},
    {"seed", PR_PARAM_UINT, false, "7", 0, UINT64_MAX, "start"},
    {"file", PR_PARAM_PATH, false, NULL, 0, 0, "input"},
    {"label", PR_PARAM_TEXT, false, "none", 0, 0, "any text"},
};
static const pr_job_type type = {.name = "demo", .params = specs, .n_params = 4};

static const pr_param_spec ruled_specs[] = {
    {"a", PR_PARAM_TEXT, false, NULL, 0, 0, "one way"},        {"b", PR_PARAM_TEXT, false, NULL, 0, 0, "another"},
    {"c", PR_PARAM_TEXT, false, NULL, 0, 0, "a third"},        {"part", PR_PARAM_UINT, false, NULL, 0, 9, "of b"},
    {"colour", PR_PARAM_TEXT, false, "red", 0, 0, "a choice"}, {"x", PR_PARAM_TEXT, false, NULL, 0, 0, "or y"},
    {"y", PR_PARAM_TEXT, false, NULL, 0, 0, "or x"},
};
static const pr_param_rule rules[] = {
    {PR_RULE_ONE_OF, {"a", "b", "c"}},
    {PR_RULE_AT_MOST_ONE, {"x", "y"}},
    {PR_RULE_NEEDS, {"part", "b"}},
    {PR_RULE_CHOICE, {"colour", "red", "green"}},
    {PR_RULE_ONLY_WITH, {"y", "colour", "red", "blue"}},
};
static const pr_job_type ruled = {.name = "ruled", .params = ruled_specs, .n_params = 7, .rules = rules, .n_rules = 5};

typedef struct params_case {
    size_t n, index; /* index: the item that an error points at */
    pr_param items[4];
    const char *fragment; /* NULL: accepted */
} params_case;

static const params_case cases[] = {
    {1, 0, {{"log_rows", "4"}}, NULL},
    {4, 0, {{"label", ""}, {"file", "a b"}, {"seed", "18446744073709551615"}, {"log_rows", "24"}}, NULL},
    {1, 0, {{"log_rows", "007"}}, NULL}, /* leading zeros are decimal */
    {2,
     1,
     {{"log_rows", "4"}, {"rows", "4"}},
     "job type demo has no parameter 'rows'; allowed: log_rows, seed, file, "},
    {1, 0, {{"Log_rows", "4"}}, "job type demo has no parameter 'Log_rows'"},
    {1, 1, {{"seed", "4"}}, "job type demo needs the parameter 'log_rows': log2 of the rows"},
    {0, 0, {{0}}, "job type demo needs the parameter 'log_rows'"},
    {3, 2, {{"log_rows", "4"}, {"seed", "1"}, {"log_rows", "4"}}, "parameter 'log_rows' is given twice"},
    {1, 0, {{"log_rows", "3"}}, "parameter 'log_rows' of job type demo: '3' is not a whole number from 4 to 24"},
    {1, 0, {{"log_rows", "25"}}, "'25' is not a whole number from 4 to 24"},
    {1, 0, {{"log_rows", ""}}, "'' is not a whole number"},
    {1, 0, {{"log_rows", " 4"}}, "' 4' is not a whole number"},
    {1, 0, {{"log_rows", "4 "}}, "'4 ' is not a whole number"},
    {1, 0, {{"log_rows", "+4"}}, "'+4' is not a whole number"},
    {1, 0, {{"log_rows", "-4"}}, "'-4' is not a whole number"},
    {1, 0, {{"log_rows", "4.0"}}, "'4.0' is not a whole number"},
    {1, 0, {{"log_rows", "0x10"}}, "'0x10' is not a whole number"},
    {2, 1, {{"log_rows", "4"}, {"seed", "18446744073709551616"}}, "parameter 'seed' of job type demo: '18446744073709"},
    {2, 1, {{"log_rows", "4"}, {"file", ""}}, "parameter 'file' of job type demo: a path may not be empty"},
};

static const params_case rule_cases[] = {
    {1, 0, {{"a", "1"}}, NULL},
    {3, 0, {{"part", "1"}, {"b", "1"}, {"colour", "green"}}, NULL},
    {2, 0, {{"y", "1"}, {"c", "1"}}, NULL},
    {0, 0, {{0}}, "job type ruled needs one of the parameters a, b, c"},
    {2, 2, {{"x", "1"}, {"part", "1"}}, "job type ruled needs one of the parameters a, b, c"},
    {3,
     2,
     {{"c", "1"}, {"x", "1"}, {"a", "1"}},
     "parameter 'a' of job type ruled excludes 'c'; allowed: one of a, b, c"},
    {3, 1, {{"x", "1"}, {"y", "1"}, {"a", "1"}}, "parameter 'y' of job type ruled excludes 'x'; allowed: one of x, y"},
    {2, 1, {{"a", "1"}, {"part", "1"}}, "parameter 'part' of job type ruled needs the parameter 'b', which is missing"},
    {2, 0, {{"colour", "blue"}, {"a", "1"}}, "parameter 'colour' of job type ruled: 'blue' is none of red, green"},
    {3, 0, {{"y", "1"}, {"c", "1"}, {"colour", "red"}}, NULL},
    {3,
     1,
     {{"c", "1"}, {"y", "1"}, {"colour", "green"}},
     "parameter 'y' of job type ruled means nothing with colour 'green'; allowed with: red, blue"},
    {2, 1, {{"a", "1"}, {"part", "10"}}, "'10' is not a whole number from 0 to 9"},
};

static void check_cases(const pr_job_type *of, const params_case *all, size_t n) {
    for (size_t k = 0; k < n; k++) {
        const params_case *c = &all[k];
        pr_params params = {.base_dir = ".", .n = c->n, .items = c->items};
        pr_error err = {0};
        size_t index = 99;
        pr_status status = pr_params_check(of, &params, &index, &err);
        print_message("%s\n", c->fragment ? c->fragment : "accepted");
        if (!c->fragment) {
            assert_int_equal(status, PR_OK);
            continue;
        }
        support_expect_error(status, PR_ERR_USAGE, &err, c->fragment);
        assert_int_equal(index, c->index);
        assert_int_equal(pr_params_check(of, &params, NULL, NULL), PR_ERR_USAGE);
    }
}

static void every_case(void **state) {
    (void)state;
    check_cases(&type, cases, sizeof cases / sizeof *cases);
}

static void every_rule(void **state) {
    (void)state;
    check_cases(&ruled, rule_cases, sizeof rule_cases / sizeof *rule_cases);
}

static void values_and_defaults(void **state) {
    (void)state;
    const pr_param items[2] = {{"log_rows", "12"}, {"label", "mine"}};
    pr_params params = {.base_dir = ".", .n = 2, .items = items};
    assert_int_equal(pr_params_get_uint(&type, &params, "log_rows"), 12);
    assert_int_equal(pr_params_get_uint(&type, &params, "seed"), 7);
    assert_string_equal(pr_params_get(&type, &params, "label"), "mine");
    assert_null(pr_params_get(&type, &params, "file"));
    params.n = 1;
    assert_string_equal(pr_params_get(&type, &params, "label"), "none");
    assert_null(pr_params_get(&type, &params, "unknown"));
    assert_int_equal(pr_params_get_uint(&type, &params, "unknown"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case),
        cmocka_unit_test(every_rule),
        cmocka_unit_test(values_and_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
