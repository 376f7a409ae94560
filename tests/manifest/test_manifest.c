/* Manifests: what is read, how sweeps expand, and the place and words of every refusal. */
#include "base/random.h"
#include "manifest/manifest.h"
#include "manifest/yaml_tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const pr_param_spec grid_params[] = {
    {"size", PR_PARAM_UINT, true, NULL, 4, 24, "log2 of rows"},
    {"seed", PR_PARAM_UINT, false, "7", 0, 1000, "seed"},
    {"label", PR_PARAM_TEXT, false, NULL, 0, 0, "a text"},
    {"note", PR_PARAM_ANY_TEXT, false, NULL, 0, 0, "a text, or an empty one"},
};
static const pr_param_rule grid_rules[] = {{PR_RULE_CHOICE, {"label", "none", "x", "y"}}};
static const pr_job_type grid = {
    .name = "grid", .version = 1, .params = grid_params, .n_params = 4, .rules = grid_rules, .n_rules = 1};
static const pr_param_spec file_params[] = {{"path", PR_PARAM_PATH, true, NULL, 0, 0, "a file"}};
static const pr_job_type file = {.name = "file_sum", .version = 2, .params = file_params, .n_params = 1};
static const pr_job_type *const types[] = {&grid, &file, NULL};

static pr_status parse(pr_manifest *m, const char *text, pr_writer *report, pr_error *err) {
    return pr_manifest_parse(m, text, strlen(text), "m.yaml", "/base", types, report, err);
}

static void must_parse(pr_manifest *m, const char *text) {
    pr_error e = {0};
    if (parse(m, text, NULL, &e) != PR_OK) fail_msg("%s", e.text);
}

#define HEAD "version: 1\nname: n\n"

static void test_whole_manifest(void **state) {
    (void)state;
    pr_manifest m;
    must_parse(&m, "version: 1\n"
                   "name: nightly\n"
                   "defaults: { profile: conservative, retries: 3 }\n"
                   "jobs:\n"
                   "  - id: licence\n"
                   "    type: file_sum\n"
                   "    params: { path: a b.txt }\n"
                   "  - id: fib\n"
                   "    type: grid\n"
                   "    profile: fast\n"
                   "    params: { size: [12, 14, 16], seed: 9 }\n"
                   "    priority: -5\n");
    assert_string_equal(m.name, "nightly");
    assert_int_equal(m.n_jobs, 4);
    assert_string_equal(m.jobs[0].id, "licence");
    assert_ptr_equal(m.jobs[0].type, &file);
    assert_string_equal(m.jobs[0].profile, "conservative");
    assert_int_equal(m.jobs[0].retries, 3);
    assert_int_equal(m.jobs[0].line, 5);
    assert_string_equal(m.jobs[0].params.base_dir, "/base");
    assert_string_equal(m.jobs[0].params.items[0].value, "a b.txt");
    assert_string_equal(m.jobs[1].id, "fib-1");
    assert_string_equal(m.jobs[3].id, "fib-3");
    assert_string_equal(m.jobs[3].params.items[0].value, "16");
    assert_string_equal(m.jobs[3].params.items[1].value, "9");
    assert_string_equal(m.jobs[3].profile, "fast");
    assert_int_equal(m.jobs[3].priority, -5);
    assert_int_equal(m.jobs[3].retries, 3);
    assert_ptr_equal(pr_manifest_find(&m, "fib-2"), &m.jobs[2]);
    assert_null(pr_manifest_find(&m, "fib"));
    pr_manifest_clear(&m);
}

static void test_sweep_is_a_product(void **state) {
    (void)state;
    static const char *const want[][2] = {{"5", "1"}, {"5", "2"}, {"5", "3"}, {"6", "1"}, {"6", "2"}, {"6", "3"}};
    pr_manifest m;
    must_parse(&m, HEAD "jobs: [{id: s, type: grid, params: {size: [5, 6], label: x, seed: [1, 2, 3]}}]\n");
    assert_int_equal(m.n_jobs, 6);
    for (size_t i = 0; i < 6; i++) {
        char id[8];
        snprintf(id, sizeof id, "s-%zu", i + 1);
        assert_string_equal(m.jobs[i].id, id);
        assert_string_equal(m.jobs[i].params.items[0].value, want[i][0]);
        assert_string_equal(m.jobs[i].params.items[1].value, "x");
        assert_string_equal(m.jobs[i].params.items[2].value, want[i][1]);
    }
    pr_manifest_clear(&m);
    must_parse(&m, HEAD "jobs: [{id: s, type: grid, params: {size: [5]}}]\n");
    assert_string_equal(m.jobs[0].id, "s-1"); /* a list of one is a sweep too */
    pr_manifest_clear(&m);
}

/* A byte order mark, and lines that end in carriage return and line feed, as some editors write them. */
static void test_text_of_other_editors(void **state) {
    (void)state;
    pr_manifest m;
    must_parse(&m, "\xef\xbb\xbfversion: 1\r\nname: n\r\njobs:\r\n  - { id: a, type: grid, params: { size: 5 } }\r\n");
    assert_string_equal(m.name, "n");
    assert_string_equal(m.jobs[0].params.items[0].value, "5");
    pr_manifest_clear(&m);
}

/* A mistake in what is common to all types hides none in the parameters. */
static void test_all_mistakes_of_a_job(void **state) {
    (void)state;
    pr_manifest m;
    pr_error e = {0};
    pr_writer report;
    pr_writer_init(&report);
    assert_int_equal(parse(&m,
                           HEAD "jobs:\n"
                                "  - id: a b\n"
                                "    type: grid\n"
                                "    colour: red\n"
                                "    retries: many\n"
                                "    params: { size: huge }\n",
                           &report, &e),
                     PR_ERR_USAGE);
    pr_write_u8(&report, 0);
    static const char *const want[] = {"m.yaml:4:9: ", "m.yaml:6:5: ", "m.yaml:7:14: ", "m.yaml:8:21: "};
    for (size_t i = 0; i < 4; i++) assert_non_null(strstr((const char *)report.data, want[i]));
    pr_writer_clear(&report);
}

static void test_content_is_what_is_proven(void **state) {
    (void)state;
    pr_manifest m;
    must_parse(&m, HEAD "jobs:\n"
                        "- {id: a, type: grid, params: {size: 5}}\n"
                        "- {id: b, type: grid, params: {seed: 7, size: 5}, priority: 3, retries: 0}\n"
                        "- {id: c, type: grid, params: {size: 6}}\n"
                        "- {id: d, type: grid, params: {size: 5}, profile: conservative}\n"
                        "- {id: e, type: grid, params: {size: 5, label: x}}\n"
                        "- {id: f, type: grid, params: {size: 5, seed: 8}}\n"
                        "- {id: g, type: grid, params: {size: 5, note: ''}}\n");
    assert_string_equal(m.jobs[6].params.items[1].value, "");
    /* order, spelt-out defaults, priority and retries do not change what is proven */
    assert_true(pr_hash_equal(&m.jobs[0].content, &m.jobs[1].content));
    for (size_t i = 2; i < m.n_jobs; i++)
        for (size_t k = 0; k < i; k++) assert_false(pr_hash_equal(&m.jobs[i].content, &m.jobs[k].content));
    pr_manifest_clear(&m);
}

typedef struct refusal {
    const char *text;
    const char *place; /* "m.yaml:LINE:COLUMN: " */
    const char *must_say[3];
} refusal;

#define JOB(x_) HEAD "jobs:\n  - " x_ "\n"

static const refusal refusals[] = {
    {"", "m.yaml:1:1: ", {"empty"}},
    {"- a\n", "m.yaml:1:1: ", {"must be a map", "found a list"}},
    {"version: 1\nname: n\n", "m.yaml:1:1: ", {"lacks the key `jobs`"}},
    {"name: n\njobs: [{id: a, type: grid, params: {size: 5}}]\n", "m.yaml:1:1: ", {"lacks the key `version`"}},
    {"version: 2\nname: n\njobs: []\n", "m.yaml:1:10: ", {"version is `2`; allowed: 1"}},
    {"version: '1'\nname: n\njobs: []\n", "m.yaml:1:10: ", {"in quotes"}},
    {"version: 1\nname: a b\njobs: []\n", "m.yaml:2:7: ", {"name is `a b`", "letters"}},
    {"version: 1\nname: [x]\njobs: []\n", "m.yaml:2:7: ", {"found a list"}},
    {HEAD "jobs: []\n", "m.yaml:3:7: ", {"empty"}},
    {HEAD "jobs: {}\n", "m.yaml:3:7: ", {"must be a list", "found a map"}},
    {HEAD "job: []\n", "m.yaml:3:1: ", {"unknown key `job`", "did you mean `jobs`?", "version, name, defaults, jobs"}},
    {HEAD "defaults: {retry: 3}\njobs: []\n", "m.yaml:3:12: ", {"`retry`", "profile, priority, retries"}},
    {HEAD "defaults: {deadlines: 3h}\njobs: []\n",
     "m.yaml:3:12: ",
     {"unknown key `deadlines`", "did you mean `deadline`?", "allowed: "}},
    {HEAD "defaults: 3\njobs: []\n", "m.yaml:3:11: ", {"must be a map"}},
    {HEAD "jobs:\n  - 7\n", "m.yaml:4:5: ", {"a job must be a map"}},
    {JOB("{type: grid, params: {size: 5}}"), "m.yaml:4:5: ", {"lacks the key `id`"}},
    {JOB("{id: a, params: {size: 5}}"), "m.yaml:4:5: ", {"lacks the key `type`"}},
    {JOB("{id: '', type: grid, params: {size: 5}}"), "m.yaml:4:10: ", {"id is ``"}},
    {JOB("{id: -a, type: grid, params: {size: 5}}"), "m.yaml:4:10: ", {"id is `-a`"}},
    {JOB("{id: a, type: gird, params: {size: 5}}"),
     "m.yaml:4:19: ",
     {"unknown job type `gird`", "did you mean `grid`?", "grid, file_sum"}},
    {JOB("{id: a, type: grid, timelimit: 3s, params: {size: 5}}"),
     "m.yaml:4:25: ",
     {"`timelimit`", "did you mean `time_limit`?", "id, type, params, profile, priority, retries, after, deadline"}},
    {JOB("{id: a, type: grid, profile: strong, params: {size: 5}}"),
     "m.yaml:4:34: ",
     {"strong", "standard", "conservative"}},
    {JOB("{id: a, type: grid, priority: high, params: {size: 5}}"), "m.yaml:4:35: ", {"priority is `high`", "-1000"}},
    {JOB("{id: a, type: grid, retries: 101, params: {size: 5}}"), "m.yaml:4:34: ", {"0 to 100"}},
    {JOB("{id: a, type: grid, retries: 1.5, params: {size: 5}}"), "m.yaml:4:34: ", {"`1.5`", "integer"}},
    {JOB("{id: a, type: grid, params: [5]}"), "m.yaml:4:33: ", {"params must be a map"}},
    {JOB("{id: a, type: grid}"), "m.yaml:4:5: ", {"size"}},
    {JOB("{id: a, type: grid, params: {seed: 1}}"), "m.yaml:4:33: ", {"size"}},
    {JOB("{id: a, type: grid, params: {size: 5, colour: red}}"), "m.yaml:4:43: ", {"colour"}},
    {JOB("{id: a, type: grid, params: {size: 25}}"), "m.yaml:4:40: ", {"size", "4", "24"}},
    {JOB("{id: a, type: grid, params: {size: 5, label: [x, z]}}"), "m.yaml:4:54: ", {"'z' is none of none, x, y"}},
    {JOB("{id: a, type: grid, params: {size: five}}"), "m.yaml:4:40: ", {"size"}},
    {JOB("{id: a, type: grid, params: {size: '5'}}"), "m.yaml:4:40: ", {"quotes"}},
    {JOB("{id: a, type: grid, params: {size: [5, 6, 99]}}"), "m.yaml:4:47: ", {"size", "24"}},
    {JOB("{id: a, type: grid, params: {size: []}}"), "m.yaml:4:40: ", {"empty"}},
    {JOB("{id: a, type: grid, params: {size: {a: 1}}}"), "m.yaml:4:40: ", {"must be a single value", "found a map"}},
    {JOB("{id: a, type: grid, params: {size: [[5]]}}"), "m.yaml:4:41: ", {"must be a single value", "found a list"}},
    {JOB("{id: a, type: grid, params: {size: }}"), "m.yaml:4:4", {"no value"}},
    {JOB("{id: a, type: grid, params: {size: 5, label: ''}}"), "m.yaml:4:50: ", {"`label` has no value"}},
    {JOB("{id: a, type: grid, params: {size: 5, note: }}"),
     "m.yaml:4:49",
     {"`note` has no value; an empty text is written \"\""}},
    {JOB("{id: a, type: file_sum, params: {path: ''}}"), "m.yaml:4:44: ", {"`path` has no value"}},
    {JOB("{id: a, type: grid, id: b, params: {size: 5}}"), "m.yaml:4:25: ", {"`id`", "second time", "line 4"}},
    {JOB("{id: a, type: grid, params: {size: 5, size: 6}}"), "m.yaml:4:43: ", {"`size`", "second time"}},
    {JOB("{id: a, type: grid, params: {size: 5}}\n  - {id: a, type: grid, params: {size: 6}}"),
     "m.yaml:5:5: ",
     {"id `a`", "line 4"}},
    {JOB("{id: s, type: grid, params: {size: [5, 6]}}\n  - {id: s-2, type: grid, params: {size: 6}}"),
     "m.yaml:5:5: ",
     {"id `s-2`", "line 4"}},
    {JOB("&x {id: a, type: grid, params: {size: 5}}"), "m.yaml:4:5: ", {"anchors"}},
    {JOB("*x"), "m.yaml:4:5: ", {"aliases"}},
    {JOB("!!map {id: a, type: grid, params: {size: 5}}"), "m.yaml:4:5: ", {"tags"}},
    {JOB("{[a]: b}"), "m.yaml:4:6: ", {"a key must be a text"}},
    {"a: [[[[[[[[[1]]]]]]]]]\n", "m.yaml:1:11: ", {"8 levels"}},
    {"version: 1\n---\nversion: 1\n", "m.yaml:2:1: ", {"second document"}},
    {"version: 1\nname: \"n\n", "m.yaml:", {"not valid YAML"}},
    {"version: 1\n\tname: n\n", "m.yaml:2:1: ", {"not valid YAML", "tab", "spaces"}},
    {"version: 1\nname: a\xff\n", "m.yaml:2:8: ", {"UTF-8"}},
    {"version: \"1\\0\"\n", "m.yaml:1:10: ", {"zero byte"}},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const refusal *r = &refusals[i];
        pr_manifest m;
        pr_error e = {0};
        if (parse(&m, r->text, NULL, &e) != PR_ERR_USAGE) fail_msg("accepted: %s", r->text);
        if (strncmp(e.text, r->place, strlen(r->place)) != 0) fail_msg("case %zu: %s not at %s", i, e.text, r->place);
        for (size_t k = 0; k < 3 && r->must_say[k]; k++)
            if (!strstr(e.text, r->must_say[k])) fail_msg("case %zu: %s lacks %s", i, e.text, r->must_say[k]);
    }
}

static void test_all_problems_at_once(void **state) {
    (void)state;
    pr_manifest m;
    pr_writer report;
    pr_error e = {0};
    pr_writer_init(&report);
    assert_int_equal(parse(&m,
                           "version: 3\nname: n\njobs:\n"
                           "  - {id: a, type: nothing, params: {}}\n"
                           "  - {id: b, type: grid, params: {size: 99}}\n",
                           &report, &e),
                     PR_ERR_USAGE);
    pr_write_u8(&report, 0);
    const char *text = (const char *)report.data;
    assert_non_null(strstr(text, "m.yaml:1:10: "));
    assert_non_null(strstr(text, "m.yaml:4:19: "));
    assert_non_null(strstr(text, "m.yaml:5:40: "));
    assert_int_equal(strncmp(e.text, "m.yaml:1:10: ", 13), 0);
    pr_writer_clear(&report);
}

static void test_limits(void **state) {
    (void)state;
    pr_manifest m;
    pr_error e = {0};
    pr_writer w;
    pr_writer_init(&w);
    pr_write_format(&w, HEAD "jobs:\n  - id: a\n    type: grid\n    params:\n      size: 5\n");
    for (int k = 0; k < 2; k++) {
        pr_write_format(&w, "      %s: [", k ? "label" : "seed");
        for (unsigned i = 0; i < 1001; i++) pr_write_format(&w, "%u, ", i % 1001);
        pr_write_format(&w, "]\n");
    }
    pr_write_u8(&w, 0);
    assert_int_equal(parse(&m, (const char *)w.data, NULL, &e), PR_ERR_USAGE);
    assert_non_null(strstr(e.text, "too many jobs"));
    pr_writer_clear(&w);
    char *big = malloc(PR_YAML_MAX_BYTES + 2);
    memset(big, '#', PR_YAML_MAX_BYTES + 1);
    assert_int_equal(pr_manifest_parse(&m, big, PR_YAML_MAX_BYTES + 1, "m.yaml", "/", types, NULL, &e), PR_ERR_USAGE);
    assert_non_null(strstr(e.text, "at most"));
    free(big);
}

static void test_load(void **state) {
    (void)state;
    char folder[] = "manifest-test-XXXXXX", path[64], cwd[1024];
    pr_manifest m;
    pr_error e = {0};
    assert_non_null(mkdtemp(folder));
    assert_non_null(getcwd(cwd, sizeof cwd));
    snprintf(path, sizeof path, "%s/m.yaml", folder);
    FILE *f = fopen(path, "w");
    fputs(HEAD "jobs: [{id: a, type: grid, params: {size: 5}}]\n", f);
    fclose(f);
    assert_int_equal(pr_manifest_load(&m, path, types, NULL, &e), PR_OK);
    assert_int_equal(m.base_dir[0], '/');
    assert_non_null(strstr(m.base_dir, folder));
    assert_string_equal(m.path, path);
    pr_manifest_clear(&m);
    unlink(path);
    rmdir(folder);
    assert_int_equal(pr_manifest_load(&m, path, types, NULL, &e), PR_ERR_USAGE);
    assert_non_null(strstr(e.text, path));
    assert_int_equal(pr_manifest_load(&m, "/", types, NULL, &e), PR_ERR_USAGE);
}

/* Cut and damaged manifests never do worse than to be refused. */
static void test_damage(void **state) {
    (void)state;
    static const char good[] = HEAD "defaults: {profile: fast}\njobs:\n  - id: x\n    type: grid\n    params: {size: "
                                    "[5, 6], label: \"a\\n\"}\n  - {id: y, type: file_sum, params: {path: /z}}\n";
    pr_prng g = {3};
    for (unsigned k = 0; k < 3000; k++) {
        char text[sizeof good];
        pr_manifest m;
        pr_error e = {0};
        memcpy(text, good, sizeof good);
        size_t n = k < sizeof good ? k : sizeof good - 1;
        if (k >= sizeof good) text[pr_prng_below(&g, sizeof good - 1)] = (char)pr_prng_below(&g, 256);
        pr_status status = pr_manifest_parse(&m, text, n, "m.yaml", "/", types, NULL, &e);
        if (status == PR_OK)
            pr_manifest_clear(&m);
        else
            assert_true(status == PR_ERR_USAGE && strncmp(e.text, "m.yaml", 6) == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_manifest),
        cmocka_unit_test(test_sweep_is_a_product),
        cmocka_unit_test(test_text_of_other_editors),
        cmocka_unit_test(test_all_mistakes_of_a_job),
        cmocka_unit_test(test_content_is_what_is_proven),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_all_problems_at_once),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
