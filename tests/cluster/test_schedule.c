/* Who does what next: order, verification by others, retries, draining, and random runs. */
#include "base/random.h"
#include "cluster/schedule.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static pr_schedule *create(const pr_manifest_job *jobs, size_t n, const bool *done, unsigned ranks) {
    pr_schedule *s = NULL;
    assert_int_equal(pr_schedule_create(&s, jobs, n, done, ranks, NULL), PR_OK);
    return s;
}

static void expect(pr_task t, pr_task_kind kind, uint32_t job) {
    assert_int_equal(t.kind, kind);
    if (kind != PR_TASK_NONE) assert_int_equal(t.job, job);
}

static void test_order(void **state) {
    (void)state;
    const pr_manifest_job jobs[5] = {{.priority = 0}, {.priority = 5}, {.priority = -1}, {.priority = 5}, {0}};
    static const uint32_t want[] = {1, 3, 0, 4, 2};
    pr_schedule *s = create(jobs, 5, NULL, 6);
    for (unsigned r = 0; r < 5; r++) expect(pr_schedule_next(s, r, true), PR_TASK_PROVE, want[r]);
    expect(pr_schedule_next(s, 0, true), PR_TASK_NONE, 0); /* busy */
    expect(pr_schedule_next(s, 5, true), PR_TASK_NONE, 0); /* nothing left */
    assert_int_equal(pr_schedule_n_running(s), 5);
    assert_false(pr_schedule_is_over(s));
    pr_schedule_destroy(s);
}

static void test_another_rank_verifies(void **state) {
    (void)state;
    const pr_manifest_job jobs[2] = {{0}};
    pr_schedule *s = create(jobs, 2, NULL, 3);
    pr_task t = pr_schedule_next(s, 1, true);
    expect(t, PR_TASK_PROVE, 0);
    assert_true(pr_schedule_proved(s, 1, 0, t.attempt));
    expect(pr_schedule_next(s, 1, false), PR_TASK_NONE, 0); /* never its own */
    t = pr_schedule_next(s, 2, true);
    expect(t, PR_TASK_VERIFY, 0); /* before a new job */
    expect(pr_schedule_next(s, 1, true), PR_TASK_PROVE, 1);
    assert_true(pr_schedule_verified(s, 2, 0, t.attempt));
    pr_schedule_end(s, 0);
    assert_int_equal(pr_schedule_n_ended(s), 1);
    pr_schedule_destroy(s);
}

static void test_answers_that_nobody_waits_for(void **state) {
    (void)state;
    const pr_manifest_job jobs[2] = {{.retries = 1}, {0}};
    pr_schedule *s = create(jobs, 2, NULL, 3);
    pr_task t = pr_schedule_next(s, 1, true);
    assert_false(pr_schedule_proved(s, 2, 0, 1));         /* another rank */
    assert_false(pr_schedule_proved(s, 1, 1, 1));         /* another job */
    assert_false(pr_schedule_proved(s, 1, 0, 2));         /* another attempt */
    assert_false(pr_schedule_proved(s, 77, 0, 1));        /* no such rank */
    assert_false(pr_schedule_verified(s, 1, 0, 1));       /* another kind */
    assert_true(pr_schedule_proved(s, 1, 0, t.attempt));  /* the one */
    assert_false(pr_schedule_proved(s, 1, 0, t.attempt)); /* once */
    pr_schedule_destroy(s);
}

static void test_retries(void **state) {
    (void)state;
    const pr_manifest_job jobs[2] = {{.retries = 2, .priority = 1}, {0}};
    pr_schedule *s = create(jobs, 2, NULL, 3);
    for (uint32_t attempt = 1; attempt <= 3; attempt++) {
        unsigned rank = attempt % 2 ? 1 : 2;
        pr_task t = pr_schedule_next(s, rank, true);
        expect(t, PR_TASK_PROVE, 0);
        assert_int_equal(t.attempt, attempt);
        assert_true(pr_schedule_proved(s, rank, 0, attempt));
        assert_int_equal(pr_schedule_retry(s, 0), attempt < 3);
        if (attempt == 1) { /* the rank on which it failed takes something else first */
            expect(pr_schedule_next(s, 1, true), PR_TASK_PROVE, 1);
            assert_true(pr_schedule_proved(s, 1, 1, 1));
            pr_schedule_end(s, 1);
            expect(pr_schedule_next(s, 1, true), PR_TASK_NONE, 0); /* rather nothing than that job again */
        }
    }
    pr_schedule_end(s, 0);
    assert_true(pr_schedule_is_over(s));
    pr_schedule_destroy(s);
}

/* A rank that fails everything gets each job once; the others get all of them, in order. */
static void test_a_bad_rank(void **state) {
    (void)state;
    pr_manifest_job jobs[20];
    memset(jobs, 0, sizeof jobs);
    for (size_t i = 0; i < 20; i++) jobs[i] = (pr_manifest_job){.retries = 1, .priority = (int32_t)(i % 3)};
    pr_schedule *s = create(jobs, 20, NULL, 3);
    for (uint32_t k = 0; k < 20; k++) {
        pr_task t = pr_schedule_next(s, 1, true);
        assert_int_equal(t.kind, PR_TASK_PROVE);
        assert_int_equal(t.attempt, 1);
        assert_true(pr_schedule_proved(s, 1, t.job, 1));
        assert_true(pr_schedule_retry(s, t.job));
    }
    expect(pr_schedule_next(s, 1, true), PR_TASK_NONE, 0);
    uint32_t last = 0;
    for (uint32_t k = 0; k < 20; k++) {
        pr_task t = pr_schedule_next(s, 2, true);
        assert_int_equal(t.attempt, 2);
        if (k > 0) assert_true(jobs[t.job].priority < jobs[last].priority || t.job > last);
        last = t.job;
        assert_true(pr_schedule_proved(s, 2, t.job, 2));
        pr_schedule_end(s, t.job);
    }
    assert_int_equal(pr_schedule_n_ended(s), 20);
    pr_schedule_destroy(s);
}

static void test_drain(void **state) {
    (void)state;
    const pr_manifest_job jobs[3] = {{0}};
    pr_schedule *s = create(jobs, 3, NULL, 3);
    pr_task t = pr_schedule_next(s, 1, true);
    pr_schedule_drain(s);
    expect(pr_schedule_next(s, 2, true), PR_TASK_NONE, 0);
    assert_false(pr_schedule_is_over(s)); /* one still runs */
    assert_true(pr_schedule_proved(s, 1, t.job, 1));
    expect(pr_schedule_next(s, 2, true), PR_TASK_VERIFY, t.job);
    assert_true(pr_schedule_verified(s, 2, t.job, 1));
    pr_schedule_end(s, t.job);
    assert_true(pr_schedule_is_over(s));
    assert_int_equal(pr_schedule_n_queued(s), 2);
    pr_schedule_destroy(s);
}

static void test_done_before(void **state) {
    (void)state;
    const pr_manifest_job jobs[3] = {{0}};
    const bool done[3] = {true, false, true};
    pr_schedule *s = create(jobs, 3, done, 2);
    assert_int_equal(pr_schedule_n_ended(s), 2);
    expect(pr_schedule_next(s, 1, true), PR_TASK_PROVE, 1);
    pr_schedule_destroy(s);
}

/* Random failures on random ranks: every job ends, nobody verifies his own, no job is proven more often than allowed.
 */
static void test_random_runs(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        pr_prng g = {seed};
        unsigned n_ranks = 2 + pr_prng_below(&g, 5);
        uint32_t n = 1 + pr_prng_below(&g, 30), ended = 0;
        pr_manifest_job jobs[31] = {{0}};
        pr_task has[8] = {{PR_TASK_NONE, 0, 0}};
        for (uint32_t i = 0; i < n; i++) {
            jobs[i].retries = pr_prng_below(&g, 3);
            jobs[i].priority = (int32_t)pr_prng_below(&g, 3);
        }
        pr_schedule *s = create(jobs, n, NULL, n_ranks);
        for (unsigned steps = 0; !pr_schedule_is_over(s); steps++) {
            if (steps > 100000) fail_msg("seed %llu does not end", (unsigned long long)seed);
            unsigned r = pr_prng_below(&g, n_ranks);
            if (has[r].kind == PR_TASK_NONE) {
                has[r] = pr_schedule_next(s, r, r > 0);
                if (has[r].kind == PR_TASK_VERIFY) assert_int_not_equal(pr_schedule_prover(s, has[r].job), r);
                continue;
            }
            uint32_t j = has[r].job;
            bool good = pr_prng_below(&g, 4) > 0, proved = has[r].kind == PR_TASK_PROVE;
            assert_true(proved ? pr_schedule_proved(s, r, j, has[r].attempt)
                               : pr_schedule_verified(s, r, j, has[r].attempt));
            has[r].kind = PR_TASK_NONE;
            assert_true(pr_schedule_attempts(s, j) <= jobs[j].retries + 1);
            if (proved && good) continue;
            if (!good && pr_schedule_retry(s, j)) continue;
            pr_schedule_end(s, j);
            ended++;
        }
        assert_int_equal(ended, n);
        assert_int_equal(pr_schedule_n_ended(s), n);
        pr_schedule_destroy(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),      cmocka_unit_test(test_another_rank_verifies),
        cmocka_unit_test(test_retries),    cmocka_unit_test(test_answers_that_nobody_waits_for),
        cmocka_unit_test(test_drain),      cmocka_unit_test(test_done_before),
        cmocka_unit_test(test_a_bad_rank), cmocka_unit_test(test_random_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
