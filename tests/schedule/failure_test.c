/* The scheduler when something goes wrong: lost attempts, ranks and devices, late and second answers. */
#include "support.h"

/* ---- failures ---- */

static void test_retries_with_backoff(void **state) {
    (void)state;
    const pr_schedule_job job = {.expected_ns = S, .retries = 2};
    pr_schedule_setup setup = setup_of(&job, 1, 3);
    pr_schedule *s = create(&setup);
    pr_task t = expect_prove(s, 0, 0);
    uint32_t first = t.rank;
    assert_true(t.cpu_only && !t.fallback); /* no device, but the backend that was asked for */
    assert_int_equal(give_up(s, 0, &t, PR_FAILURE_ATTEMPT), PR_FATE_RETRY);
    expect_none(s, 0);
    assert_false(pr_schedule_is_over(s));
    assert_int_equal(pr_schedule_wake_ns(s), 1 * S);
    t = expect_prove(s, S, 0);
    assert_int_not_equal(t.rank, first);
    assert_int_equal(t.attempt, 2);
    assert_int_equal(give_up(s, S, &t, PR_FAILURE_TIME_LIMIT), PR_FATE_RETRY);
    assert_int_equal(pr_schedule_wake_ns(s), 3 * S);
    t = expect_prove(s, 3 * S, 0);
    assert_true(t.cpu_only && t.fallback);
    assert_int_equal(give_up(s, 3 * S, &t, PR_FAILURE_ATTEMPT), PR_FATE_FAILED);
    assert_int_equal(give_up(s, 3 * S, &t, PR_FAILURE_ATTEMPT), PR_FATE_IGNORED);
    assert_true(pr_schedule_is_over(s));
    pr_schedule_destroy(s);
}

static void test_own_fault_is_final(void **state) {
    (void)state;
    const pr_schedule_range after0 = {0, 1};
    const pr_schedule_job jobs[] = {{.expected_ns = 1, .retries = 5}, {.n_after = 1, .after = &after0}};
    pr_schedule_setup setup = setup_of(jobs, 2, 2);
    pr_schedule *s = create(&setup);
    pr_task t = expect_prove(s, 0, 0);
    assert_int_equal(give_up(s, 0, &t, PR_FAILURE_JOB), PR_FATE_FAILED);
    assert_int_equal(expect_notice(s, PR_NOTICE_ENDED).why, PR_WHY_DEPENDENCY);
    assert_true(pr_schedule_is_over(s));
    pr_schedule_destroy(s);
}

/* A device that fails costs nothing the first time; three jobs later it is drained; the last chance is the processor.
 */
static void test_backend_failures(void **state) {
    (void)state;
    const pr_schedule_device device = {.bytes = 50};
    pr_schedule_job jobs[4];
    for (int j = 0; j < 4; j++) jobs[j] = (pr_schedule_job){.expected_ns = S, .host_bytes = 1, .device_bytes = 1};
    pr_schedule_setup setup = setup_of(jobs, 4, 1);
    setup.n_devices = 1;
    setup.devices = &device;
    ranks[0].device = 0;
    pr_schedule *s = create(&setup);
    for (int k = 0; k < 3; k++) {
        pr_task t = next(s, 0);
        assert_false(t.cpu_only);
        assert_int_equal(give_up(s, 0, &t, PR_FAILURE_BACKEND), PR_FATE_RETRY);
        t = next(s, 0);
        assert_true(t.cpu_only);
        assert_int_equal(prove(s, 0, &t, 1), PR_ANSWER_COUNTS);
        t = next(s, 0);
        assert_true(t.own_proof);
        assert_int_equal(verify(s, 0, &t, PR_VERDICT_ACCEPTED), PR_FATE_DONE);
    }
    assert_int_equal(expect_notice(s, PR_NOTICE_DEVICE_DRAINED).rank, 0);
    assert_true(next(s, 0).cpu_only);
    pr_schedule_destroy(s);
}

/* The same where the backend is none of a device: it is drained on the rank, which goes on without it. */
static void test_failures_of_a_plain_backend(void **state) {
    (void)state;
    pr_schedule_job jobs[5];
    for (int j = 0; j < 5; j++) jobs[j] = (pr_schedule_job){.expected_ns = S, .host_bytes = 1};
    pr_schedule_setup setup = setup_of(jobs, 5, 1);
    pr_schedule *s = create(&setup);
    for (int k = 0; k < 3; k++) {
        expect_no_notice(s);
        pr_task t = next(s, 0);
        assert_false(t.fallback);
        assert_int_equal(give_up(s, 0, &t, PR_FAILURE_BACKEND), PR_FATE_RETRY);
        t = next(s, 0);
        assert_true(t.fallback);
        assert_true(pr_schedule_rank_task(s, 0, PR_TASK_PROVE).fallback);
        complete(s, 0, &t);
    }
    assert_int_equal(expect_notice(s, PR_NOTICE_DEVICE_DRAINED).rank, 0);
    assert_true(next(s, 0).fallback); /* a job that has not failed yet */
    pr_schedule_destroy(s);
}

static void test_last_chance_on_the_processor(void **state) {
    (void)state;
    const pr_schedule_device device = {.bytes = 50};
    const pr_schedule_job job = {.expected_ns = S, .host_bytes = 1, .device_bytes = 1, .retries = 0};
    pr_schedule_setup setup = setup_of(&job, 1, 1);
    setup.n_devices = 1;
    setup.devices = &device;
    ranks[0].device = 0;
    pr_schedule *s = create(&setup);
    pr_task t = next(s, 0);
    assert_int_equal(give_up(s, 0, &t, PR_FAILURE_ATTEMPT), PR_FATE_RETRY);
    t = next(s, S);
    assert_true(t.cpu_only);
    assert_int_equal(give_up(s, S, &t, PR_FAILURE_ATTEMPT), PR_FATE_FAILED);
    pr_schedule_destroy(s);
}

static void test_faulty_rank_is_drained(void **state) {
    (void)state;
    pr_schedule_job jobs[8];
    for (int j = 0; j < 8; j++) jobs[j] = (pr_schedule_job){.expected_ns = S, .retries = 20};
    pr_schedule_setup setup = setup_of(jobs, 8, 2);
    pr_schedule *s = create(&setup);
    pr_task held = next(s, 0); /* of the other rank */
    for (int k = 0; k < 4; k++) {
        pr_task t = next(s, 0);
        assert_int_not_equal(t.rank, held.rank);
        assert_int_equal(give_up(s, 0, &t, PR_FAILURE_ATTEMPT), PR_FATE_RETRY);
    }
    assert_int_not_equal(expect_notice(s, PR_NOTICE_RANK_DRAINED).rank, held.rank);
    expect_none(s, 0);
    for (int k = 0; k < 6; k++) { /* the last one goes on whatever happens */
        assert_int_equal(give_up(s, 0, &held, PR_FAILURE_ATTEMPT), PR_FATE_RETRY);
        held = next(s, 100 * S * (unsigned)(k + 1));
        assert_int_equal(held.kind, PR_TASK_PROVE);
    }
    pr_schedule_destroy(s);
}

static void test_lost_ranks(void **state) {
    (void)state;
    const pr_schedule_job job = {.expected_ns = S, .retries = 0};
    pr_schedule_setup setup = setup_of(&job, 1, 6);
    pr_schedule *s = create(&setup);
    for (int k = 0; k < 4; k++) {
        pr_task t = expect_prove(s, 0, 0); /* at once, at no cost */
        pr_schedule_set_rank(s, 0, t.rank, PR_RANK_LOST);
    }
    assert_int_equal(expect_notice(s, PR_NOTICE_ENDED).why, PR_WHY_LOSSES);
    pr_schedule_destroy(s);
    s = create(&setup);
    for (int k = 0; k < 5; k++) {
        pr_task t = expect_prove(s, 0, 0);
        pr_schedule_set_rank(s, 0, t.rank, PR_RANK_STOPPED); /* left in order: no loss */
    }
    expect_prove(s, 0, 0);
    pr_schedule_destroy(s);
}

/* ---- two attempts ---- */

static void test_late_answers(void **state) {
    (void)state;
    const pr_schedule_job job = {.expected_ns = S, .retries = 1};
    pr_schedule_setup setup = setup_of(&job, 1, 4);
    pr_schedule *s = create(&setup);
    pr_task a = expect_prove(s, 0, 0);
    pr_schedule_set_rank(s, 0, a.rank, PR_RANK_LOST);
    pr_task b = expect_prove(s, 0, 0);
    assert_int_equal(b.attempt, 2);
    assert_int_equal(prove(s, 1, &a, 7), PR_ANSWER_COUNTS); /* the lost one after all */
    pr_notice n = expect_notice(s, PR_NOTICE_CANCEL);
    assert_int_equal(n.rank, b.rank);
    assert_int_equal(n.attempt, 2);
    assert_int_equal(prove(s, 2, &a, 7), PR_ANSWER_UNKNOWN); /* once */
    assert_int_equal(prove(s, 3, &b, 8), PR_ANSWER_DIFFERENT);
    assert_int_equal(pr_schedule_job_prover(s, 0), a.rank);
    pr_task v = next(s, 4);
    assert_int_equal(v.kind, PR_TASK_VERIFY);
    assert_int_equal(v.attempt, 1);
    assert_int_not_equal(v.rank, a.rank);
    assert_int_equal(verify(s, 4, &v, PR_VERDICT_ACCEPTED), PR_FATE_DONE);
    assert_int_equal(verify(s, 4, &v, PR_VERDICT_REFUSED), PR_FATE_IGNORED);
    pr_schedule_destroy(s);
}

static void test_speculation(void **state) {
    (void)state;
    const pr_schedule_job jobs[] = {{.expected_ns = 10 * S}, {.expected_ns = 5 * S}};
    pr_schedule_setup setup = setup_of(jobs, 2, 2);
    pr_schedule *s = create(&setup);
    pr_task slow = expect_prove(s, 0, 0), quick = expect_prove(s, 0, 1);
    assert_int_equal(prove(s, 5 * S, &quick, 1), PR_ANSWER_COUNTS);
    pr_task v = next(s, 5 * S);
    assert_int_equal(verify(s, 5 * S, &v, PR_VERDICT_ACCEPTED), PR_FATE_DONE);
    expect_none(s, 5 * S);
    assert_int_equal(pr_schedule_wake_ns(s), 20 * S); /* twice what was expected */
    expect_none(s, 19 * S);
    pr_task again = expect_prove(s, 20 * S, 0);
    assert_true(again.speculative);
    assert_int_equal(again.rank, quick.rank);
    expect_none(s, 400 * S); /* never a third */
    assert_int_equal(prove(s, 41 * S, &again, 3), PR_ANSWER_COUNTS);
    assert_int_equal(expect_notice(s, PR_NOTICE_CANCEL).rank, slow.rank);
    assert_int_equal(give_up(s, 42 * S, &slow, PR_FAILURE_CANCELLED), PR_FATE_GOES_ON);
    pr_schedule_destroy(s);
}

static void test_silent_rank(void **state) {
    (void)state;
    const pr_schedule_job jobs[] = {{.expected_ns = 1000 * S}, {.expected_ns = 5 * S}};
    pr_schedule_setup setup = setup_of(jobs, 2, 3);
    pr_schedule *s = create(&setup);
    pr_task silent = expect_prove(s, 0, 0), other = expect_prove(s, 0, 1);
    pr_schedule_set_rank(s, S, silent.rank, PR_RANK_SILENT);
    pr_task again = expect_prove(s, S, 0);
    assert_true(again.speculative);
    assert_int_not_equal(again.rank, other.rank);
    pr_schedule_set_rank(s, 2 * S, silent.rank, PR_RANK_UP);
    assert_int_equal(prove(s, 3 * S, &silent, 1), PR_ANSWER_COUNTS); /* both are welcome, the first counts */
    assert_int_equal(prove(s, 3 * S, &again, 1), PR_ANSWER_EQUAL);
    pr_schedule_destroy(s);
}

/* Its proof is asked of another at once; whichever answers first decides. */
static void test_silent_verifier(void **state) {
    (void)state;
    const pr_schedule_job job = {.expected_ns = S};
    pr_schedule_setup setup = setup_of(&job, 1, 3);
    pr_schedule *s = create(&setup);
    pr_task t = expect_prove(s, 0, 0);
    assert_int_equal(prove(s, 0, &t, 1), PR_ANSWER_COUNTS);
    pr_task first = next(s, 0);
    pr_schedule_set_rank(s, 0, first.rank, PR_RANK_SILENT);
    pr_task second = next(s, 0);
    assert_int_equal(second.kind, PR_TASK_VERIFY);
    assert_int_not_equal(second.rank, first.rank);
    assert_int_equal(verify(s, 0, &first, PR_VERDICT_UNABLE), PR_FATE_IGNORED);
    assert_int_equal(verify(s, 0, &second, PR_VERDICT_ACCEPTED), PR_FATE_DONE);
    pr_schedule_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retries_with_backoff),
        cmocka_unit_test(test_own_fault_is_final),
        cmocka_unit_test(test_backend_failures),
        cmocka_unit_test(test_failures_of_a_plain_backend),
        cmocka_unit_test(test_last_chance_on_the_processor),
        cmocka_unit_test(test_faulty_rank_is_drained),
        cmocka_unit_test(test_lost_ranks),
        cmocka_unit_test(test_late_answers),
        cmocka_unit_test(test_speculation),
        cmocka_unit_test(test_silent_rank),
        cmocka_unit_test(test_silent_verifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
