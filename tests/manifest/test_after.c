/* What is common to all jobs: which wait for which, deadlines, time limits; and the place and words of every refusal.
 */
#include "manifest/manifest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const pr_param_spec params[] = {{"size", PR_PARAM_UINT, false, "5", 1, 1000000, "a number"}};
static const pr_job_type grid = {.name = "grid", .version = 1, .params = params, .n_params = 1};
static const pr_job_type *const types[] = {&grid, NULL};

#define HEAD "version: 1\nname: n\n"
#define S 1000000000ull

static pr_status parse(pr_manifest *m, const char *text, pr_error *err) {
    return pr_manifest_parse(m, text, strlen(text), "m.yaml", "/base", types, NULL, err);
}

static void must_parse(pr_manifest *m, const char *text) {
    pr_error e = {0};
    if (parse(m, text, &e) != PR_OK) fail_msg("%s", e.text);
}

static void expect_after(const pr_manifest *m, size_t job, size_t k, uint32_t first, uint32_t count) {
    assert_in_range(k, 0, m->jobs[job].n_after - 1);
    assert_int_equal(m->jobs[job].after[k].first, first);
    assert_int_equal(m->jobs[job].after[k].count, count);
}

/* Forward and backward, a sweep and one of its jobs, one id without a list. */
static void test_ids_become_ranges(void **state) {
    (void)state;
    pr_manifest m;
    must_parse(&m, HEAD "jobs:\n"
                        "  - {id: last, type: grid, after: [fib, one, fib-2]}\n"
                        "  - {id: fib, type: grid, params: {size: [1, 2, 3]}, after: one}\n"
                        "  - {id: one, type: grid}\n");
    assert_int_equal(m.n_jobs, 5);
    assert_int_equal(m.jobs[0].n_after, 3);
    expect_after(&m, 0, 0, 1, 3);
    expect_after(&m, 0, 1, 4, 1);
    expect_after(&m, 0, 2, 2, 1);
    for (size_t j = 1; j <= 3; j++) {
        assert_int_equal(m.jobs[j].n_after, 1);
        expect_after(&m, j, 0, 4, 1);
    }
    assert_int_equal(m.jobs[4].n_after, 0);
    assert_int_equal(m.n_groups, 3);
    char text[64];
    pr_manifest_describe_after(text, sizeof text, &m, &m.jobs[0]);
    assert_string_equal(text, "fib,one,fib-2");
    pr_manifest_describe_after(text, 6, &m, &m.jobs[0]);
    assert_string_equal(text, "fib,o");
    pr_manifest_describe_after(text, sizeof text, &m, &m.jobs[4]);
    assert_string_equal(text, "");
    assert_string_equal(m.groups[1].id, "fib");
    assert_int_equal(m.groups[1].count, 3);
    pr_manifest_clear(&m);
}

static void test_defaults_and_their_replacement(void **state) {
    (void)state;
    pr_manifest m;
    must_parse(&m, HEAD "defaults: {after: a, time_limit: 10min, deadline: 2h}\n"
                        "jobs:\n"
                        "  - {id: a, type: grid, after: []}\n"
                        "  - {id: b, type: grid, deadline: 2026-11-25T22:00:00Z, time_limit: 1h30min}\n"
                        "  - {id: c, type: grid, after: b}\n");
    assert_int_equal(m.jobs[0].n_after, 0);
    expect_after(&m, 1, 0, 0, 1);
    assert_int_equal(m.jobs[2].n_after, 1);
    expect_after(&m, 2, 0, 1, 1);
    assert_int_equal(m.jobs[0].time_limit_ns, 600 * S);
    assert_int_equal(m.jobs[0].deadline_ns, 7200 * S);
    assert_int_equal(m.jobs[0].deadline_wall_ns, 0);
    assert_int_equal(m.jobs[1].time_limit_ns, 5400 * S);
    assert_int_equal(m.jobs[1].deadline_ns, 0);
    assert_int_equal(m.jobs[1].deadline_wall_ns, 1795644000 * S);
    pr_manifest_clear(&m);
}

static void test_when_is_not_what(void **state) {
    (void)state;
    pr_manifest m;
    must_parse(&m, HEAD "jobs:\n"
                        "  - {id: a, type: grid}\n"
                        "  - {id: b, type: grid, after: a, deadline: 1h, time_limit: 5s}\n");
    assert_true(pr_hash_equal(&m.jobs[0].content, &m.jobs[1].content));
    pr_manifest_clear(&m);
}

static const struct refusal {
    const char *jobs, *place, *must_say[3];
} refusals[] = {
    {"{id: a, type: grid, after: b}", "m.yaml:4:32: ", {"`b`", "id of no job"}},
    {"{id: a, type: grid}\n  - {id: b, type: grid, after: [a, c]}", "m.yaml:5:36: ", {"`c`", "id of no job"}},
    {"{id: f, type: grid, params: {size: [1, 2]}}\n  - {id: b, type: grid, after: f-3}", "m.yaml:5:32: ", {"`f-3`"}},
    {"{id: a, type: grid, after: {b: c}}", "m.yaml:4:32: ", {"after must be", "a map"}},
    {"{id: a, type: grid, after: [[b]]}", "m.yaml:4:33: ", {"an id in after", "a list"}},
    {"{id: a, type: grid, after: a}", "m.yaml:4:32: ", {"`a` waits for `a`:", "never start"}},
    {"{id: f, type: grid, params: {size: [1, 2]}, after: f-1}", "m.yaml:4:56: ", {"`f` waits for `f`"}},
    {"{id: a, type: grid, after: c}\n  - {id: b, type: grid, after: a}\n  - {id: c, type: grid, after: [b]}",
     "m.yaml:",
     {"`a`", "`b`", "`c`"}},
    {"{id: x, type: grid, params: {size: [1, 2]}}\n  - {id: x, type: grid}\n  - {id: b, type: grid, after: x}",
     "m.yaml:6:32: ",
     {"`x`", "a sweep and for another job"}},
    {"{id: a, type: grid, time_limit: 10}", "m.yaml:4:37: ", {"time_limit is `10`", "90s, 10min, 2h"}},
    {"{id: a, type: grid, time_limit: 0s}", "m.yaml:4:37: ", {"`0s`"}},
    {"{id: a, type: grid, time_limit: [1s]}", "m.yaml:4:37: ", {"time_limit must be a single value"}},
    {"{id: a, type: grid, deadline: tomorrow}",
     "m.yaml:4:35: ",
     {"`tomorrow`", "2026-11-25T22:00:00Z", "start of the"}},
    {"{id: a, type: grid, deadline: 2026-11-25T22:00:00}", "m.yaml:4:35: ", {"with its zone"}},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        char text[1000];
        pr_manifest m;
        pr_error e = {0};
        snprintf(text, sizeof text, HEAD "jobs:\n  - %s\n", r->jobs);
        if (parse(&m, text, &e) != PR_ERR_USAGE) fail_msg("accepted: %s", text);
        if (strncmp(e.text, r->place, strlen(r->place)) != 0) fail_msg("case %zu: %s not at %s", i, e.text, r->place);
        for (size_t k = 0; k < 3 && r->must_say[k]; k++)
            if (!strstr(e.text, r->must_say[k])) fail_msg("case %zu: %s lacks %s", i, e.text, r->must_say[k]);
    }
}

/* A chain as long as this would not do with recursion, nor with a table of jobs times jobs. */
static char *chain(size_t n, bool closed) {
    size_t room = 64 + 64 * n, at;
    char *text = malloc(room);
    assert_non_null(text);
    at = (size_t)snprintf(text, room, HEAD "jobs:\n");
    for (size_t i = 0; i < n; i++) {
        at += (size_t)snprintf(text + at, room - at, "  - {id: j%zu, type: grid", i);
        if (i + 1 < n || closed) at += (size_t)snprintf(text + at, room - at, ", after: j%zu", (i + 1) % n);
        at += (size_t)snprintf(text + at, room - at, "}\n");
    }
    return text;
}

static void test_long_chain(void **state) {
    (void)state;
    pr_manifest m;
    pr_error e = {0};
    char *text = chain(50000, false);
    must_parse(&m, text);
    expect_after(&m, 0, 0, 1, 1);
    pr_manifest_clear(&m);
    free(text);
    text = chain(50000, true);
    assert_int_equal(parse(&m, text, &e), PR_ERR_USAGE);
    assert_non_null(strstr(e.text, "`j49999` waits for `j0`, which waits for 49991 others"));
    free(text);
}

/* Two sweeps of thousands, one after the other, are one range a job and not millions of pairs. */
static void test_sweep_after_sweep(void **state) {
    (void)state;
    size_t room = 200000, at = 0;
    char *text = malloc(room);
    assert_non_null(text);
    at += (size_t)snprintf(text, room, HEAD "jobs:\n");
    for (int k = 0; k < 2; k++) {
        at += (size_t)snprintf(text + at, room - at, "  - {id: s%d, type: grid,%s params: {size: [1", k,
                               k ? " after: s0," : "");
        for (int i = 2; i <= 5000; i++) at += (size_t)snprintf(text + at, room - at, ",%d", i);
        at += (size_t)snprintf(text + at, room - at, "]}}\n");
    }
    pr_manifest m;
    must_parse(&m, text);
    assert_int_equal(m.n_jobs, 10000);
    assert_ptr_equal(m.jobs[5000].after, m.jobs[9999].after);
    expect_after(&m, 9999, 0, 0, 5000);
    pr_manifest_clear(&m);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_become_ranges), cmocka_unit_test(test_defaults_and_their_replacement),
        cmocka_unit_test(test_when_is_not_what),  cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_long_chain),        cmocka_unit_test(test_sweep_after_sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
