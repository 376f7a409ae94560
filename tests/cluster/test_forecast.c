/* What is foretold of a run: committees and quorums of every size, what voters get, and how long ranks take, against
 * schedules that can be worked out by hand. */
#include "cluster/forecast.h"
#include "wide_fibonacci/job.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SECOND = 1000000000 };

static void test_committee(void **state) {
    (void)state;
    for (uint32_t ranks = 1; ranks <= 300; ranks++)
        for (uint32_t size = 0; size <= 256; size += size < 8 ? 1 : 31) {
            pr_forecast f = pr_forecast_begin(size, ranks);
            assert_true(f.committee <= size && f.committee < ranks);      /* never the prover */
            assert_true(f.committee == size || f.committee == ranks - 1); /* and nobody is left out */
            assert_string_equal(pr_forecast_outcome(&f), size == 0    ? "unvoted"
                                                         : ranks == 1 ? "self_verified"
                                                                      : "approved");
            uint32_t quorum = pr_forecast_quorum(&f);
            if (f.committee == 0)
                assert_int_equal(quorum, 0);
            else
                assert_true(3 * quorum > 2 * f.committee && 3 * (quorum - 1) <= 2 * f.committee);
        }
}

static void test_votes(void **state) {
    (void)state;
    pr_forecast f = pr_forecast_begin(4, 4), nobody = pr_forecast_begin(4, 1);
    const pr_proof_cost small = {1000, 2000000, 0}, large = {50000, 9000000, 70000000};
    char text[512];
    pr_forecast_add(&f, &small, 24);
    pr_forecast_add(&f, &large, 1000);
    assert_int_equal(f.proof_bytes, 51000);
    assert_int_equal(f.sent_bytes, 3 * (1024 + 51000));
    assert_true(f.verify_ns == 3 * 11e6);
    pr_forecast_add_root(&f, large.root_ns);
    assert_true(f.verify_ns == 3 * 11e6 && f.root_ns == 4 * 70e6); /* each rank votes on one sooner or later */
    pr_forecast_describe(text, sizeof text, &f);
    assert_string_equal(text, "committees of 3 of 4 ranks, never the prover; a verification takes 2.00 to 9.00 ms, all "
                              "of them 0.033 s of processor time, preprocessed roots 0.280 s; 0.1 MiB go to voters");
    pr_forecast_add(&nobody, &large, 1000);
    pr_forecast_add_root(&nobody, large.root_ns);
    assert_int_equal(nobody.proof_bytes, 50000);
    assert_int_equal(nobody.sent_bytes, 0);
    assert_true(nobody.verify_ns == 0 && nobody.root_ns == 0);
}

/* Six jobs of wide_fibonacci, with what the text adds to each. */
static pr_manifest manifest_of(const char *const extra[6]) {
    static const pr_job_type *const types[] = {&pr_job_wide_fibonacci, NULL};
    char text[2048];
    pr_manifest m;
    pr_error err = {0};
    int n = snprintf(text, sizeof text, "version: 1\nname: t\njobs:\n");
    for (int i = 0; i < 6; i++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "  - { id: j%d, type: wide_fibonacci, params: { log_rows: 4 }%s }\n", i, extra[i]);
    if (pr_manifest_parse(&m, text, (size_t)n, "t.yaml", ".", types, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    return m;
}

static pr_forecast_end end_of(const pr_forecast *f, const char *const extra[6], const pr_forecast_job jobs[6],
                              unsigned n_threads) {
    pr_manifest m = manifest_of(extra);
    pr_forecast_end end;
    pr_error err = {0};
    if (pr_forecast_makespan(&end, f, &m, jobs, n_threads, &err) != PR_OK) fail_msg("%s", err.text);
    pr_manifest_clear(&m);
    return end;
}

static void expect_seconds(const pr_forecast_end *end, double seconds) {
    double took = (double)end->ns / SECOND;
    if (took < seconds - 1e-6 || took > seconds + 1e-6) fail_msg("%.9f s, not %.9f", took, seconds);
}

static const char *const plain[6] = {"", "", "", "", "", ""};

static void test_makespan(void **state) {
    (void)state;
    pr_forecast f = pr_forecast_begin(0, 1);
    pr_forecast_job jobs[6];
    for (int i = 0; i < 6; i++) jobs[i] = (pr_forecast_job){.expected_ns = SECOND};
    pr_forecast_end end = end_of(&f, plain, jobs, 1);
    expect_seconds(&end, 6);
    f.n_ranks = 4;
    end = end_of(&f, plain, jobs, 1);
    expect_seconds(&end, 2);
    f.coordinator_only = true; /* three prove */
    jobs[5].expected_ns = UINT64_C(3) * SECOND;
    end = end_of(&f, plain, jobs, 1);
    expect_seconds(&end, 3);                  /* the longest first */
    jobs[0].verify_ns = UINT64_C(4) * SECOND; /* by the prover itself */
    end = end_of(&f, plain, jobs, 1);
    expect_seconds(&end, 5);
    assert_int_equal(end.n_never_run, 0);
}

static void test_order(void **state) {
    (void)state;
    static const char *const chain[6] = {"", ", after: [j0]", ", after: [j1]", "", "", ""};
    static const char *const past[6] = {"", ", deadline: 2026-01-01T00:00:00Z", "", "",
                                        "", ", deadline: 2096-01-01T00:00:00Z"};
    static const char *const late[6] = {"", "", "", "", "", ", deadline: 2s"};
    pr_forecast f = pr_forecast_begin(0, 4);
    pr_forecast_job jobs[6];
    for (int i = 0; i < 6; i++) jobs[i] = (pr_forecast_job){.expected_ns = SECOND};
    pr_forecast_end end = end_of(&f, chain, jobs, 1);
    expect_seconds(&end, 3);
    jobs[0].fails = true; /* two come after it */
    end = end_of(&f, chain, jobs, 1);
    expect_seconds(&end, 1);
    assert_int_equal(end.n_never_run, 2);
    jobs[0].fails = false;
    jobs[5].expected_ns = UINT64_C(5) * SECOND;
    end = end_of(&f, late, jobs, 1);
    expect_seconds(&end, 2);
    assert_int_equal(end.n_never_run, 1);
    end = end_of(&f, past, jobs, 1);
    expect_seconds(&end, 5);
    assert_int_equal(end.n_never_run, 1);
}

/* Voters take their time from the provers: twelve seconds of verification beside six of proving. */
static void test_votes_slow_down(void **state) {
    (void)state;
    pr_forecast f = pr_forecast_begin(4, 3);
    pr_forecast_job jobs[6];
    for (int i = 0; i < 6; i++) jobs[i] = (pr_forecast_job){.expected_ns = SECOND};
    pr_forecast_end end = end_of(&f, plain, jobs, 1);
    expect_seconds(&end, 2);
    f.verify_ns = 12.0 * SECOND;
    end = end_of(&f, plain, jobs, 1);
    expect_seconds(&end, 6);
    end = end_of(&f, plain, jobs, 4); /* which is a quarter of it for ranks of four threads */
    expect_seconds(&end, 3);
    f.most_verify_ns = SECOND / 2; /* of the last proof */
    end = end_of(&f, plain, jobs, 4);
    expect_seconds(&end, 3.5);
    for (int i = 1; i < 6; i++) jobs[i].fails = true; /* two ranks have nothing else to do */
    f.verify_ns = 1.0 * SECOND;
    end = end_of(&f, plain, jobs, 1);
    expect_seconds(&end, 1.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_committee), cmocka_unit_test(test_votes),
                                       cmocka_unit_test(test_makespan), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_votes_slow_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
