/* The scheduler, promise by promise: order, memory, verification, time. */
#include "support.h"

/* ---- order ---- */

static void test_order(void **state) {
    (void)state;
    const pr_schedule_range after4 = {4, 1}, after5 = {5, 1};
    const pr_schedule_job jobs[] = {
        {.expected_ns = 5 * S},
        {.expected_ns = 9 * S},
        {.expected_ns = 1 * S, .priority = 1},
        {.expected_ns = 9 * S},
        {.expected_ns = 2 * S},                 /* 8 s with what waits for it */
        {.expected_ns = 1 * S, .priority = -1}, /* as urgent as what waits for it */
        {.expected_ns = 6 * S, .n_after = 1, .after = &after4},
        {.expected_ns = 1 * S, .priority = 2, .n_after = 1, .after = &after5},
    };
    pr_schedule_setup setup = setup_of(jobs, 8, 8);
    pr_schedule *s = create(&setup);
    static const uint32_t order[] = {5, 2, 1, 3, 4, 0};
    for (size_t i = 0; i < 6; i++) expect_prove(s, 0, order[i]);
    expect_none(s, 0);
    assert_int_equal(pr_schedule_count(s, PR_JOB_WAITING), 2);
    pr_schedule_destroy(s);
}

static void expect_hints(pr_schedule *s, uint32_t rank, const uint32_t *jobs, uint32_t n) {
    uint32_t got[PR_SCHEDULE_MOST_HINTS];
    assert_int_equal(pr_schedule_hint(s, rank, got, PR_SCHEDULE_MOST_HINTS), n);
    for (uint32_t k = 0; k < n; k++) assert_int_equal(got[k], jobs[k]);
}
#define EXPECT_HINTS(s, rank, ...)                                                                                     \
    expect_hints(s, rank, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* Two ranks: each is told of other jobs, and gets those that it was told of, until nothing else is left. */
static void test_hints(void **state) {
    (void)state;
    pr_schedule_job jobs[10] = {0};
    for (uint64_t j = 0; j < 10; j++) jobs[j].expected_ns = (20 - j) * S;
    jobs[9].priority = -1;
    pr_schedule_setup setup = setup_of(jobs, 10, 2);
    pr_schedule *s = create(&setup);
    pr_task a = expect_prove(s, 0, 0);
    EXPECT_HINTS(s, a.rank, 1, 2, 3);
    pr_task b = expect_prove(s, 0, 4);
    EXPECT_HINTS(s, b.rank, 5, 6, 7);
    assert_int_equal(pr_schedule_job_phase(s, 1), PR_JOB_QUEUED); /* nobody has it by that */
    complete(s, 1, &b);
    b = expect_prove(s, 1, 5); /* its own, not the first one */
    assert_int_equal(b.rank, 1 - a.rank);
    EXPECT_HINTS(s, b.rank, 6, 7, 8);
    for (uint32_t j = 6; j < 9; j++) {
        complete(s, 2, &b);
        b = expect_prove(s, 2, j);
        assert_int_equal(pr_schedule_hint(s, b.rank, (uint32_t[3]){0}, 0), 0); /* told of no more */
    }
    complete(s, 3, &b);
    b = expect_prove(s, 3, 3); /* the other's last one, before what is less urgent */
    complete(s, 3, &a);
    a = expect_prove(s, 3, 1);
    assert_int_equal(a.rank, 1 - b.rank);
    pr_schedule_destroy(s);
}

/* What may have brought a prover down is told to nobody; a deadline waits for nobody; a rank that is gone keeps none.
 */
static void test_hints_end(void **state) {
    (void)state;
    pr_schedule_job jobs[8] = {0};
    for (uint64_t j = 0; j < 8; j++) jobs[j] = (pr_schedule_job){.expected_ns = (20 - j) * S, .retries = 3};
    jobs[1].deadline_ns = 1000 * S;
    pr_schedule_setup setup = setup_of(jobs, 8, 2);
    pr_schedule *s = create(&setup);
    pr_task a = expect_prove(s, 0, 0);
    EXPECT_HINTS(s, a.rank, 1, 2, 3);
    pr_task b = expect_prove(s, 0, 1);
    EXPECT_HINTS(s, b.rank, 4, 5, 6);
    assert_int_equal(pr_schedule_failed(s, 1, a.rank, 0, a.attempt, PR_FAILURE_ATTEMPT), PR_FATE_RETRY);
    a = expect_prove(s, 1, 2);
    EXPECT_HINTS(s, a.rank, 7); /* 3 is suspect, and so is 0 when it comes again; the others are told of */
    pr_schedule_set_rank(s, 1, b.rank, PR_RANK_LOST);
    EXPECT_HINTS(s, a.rank, 7);
    complete(s, 2, &a);
    a = expect_prove(s, 2, 1); /* in order again */
    complete(s, 3, &a);
    a = expect_prove(s, 3, 3);
    pr_schedule_destroy(s);
}

static void test_waits_for_all_of_a_sweep(void **state) {
    (void)state;
    const pr_schedule_range sweep = {0, 3};
    const pr_schedule_job jobs[] = {
        {.expected_ns = 1}, {.expected_ns = 1}, {.expected_ns = 1}, {.expected_ns = 1, .n_after = 1, .after = &sweep}};
    pr_schedule_setup setup = setup_of(jobs, 4, 2);
    pr_schedule *s = create(&setup);
    for (uint32_t j = 0; j < 3; j++) {
        pr_task t = expect_prove(s, 5 + j, j);
        complete(s, 5 + j, &t);
    }
    pr_task t = expect_prove(s, 9, 3);
    assert_int_equal(pr_schedule_ready_ns(s, 3), 7); /* when the last of the sweep had ended */
    complete(s, 9, &t);
    assert_true(pr_schedule_is_over(s));
    pr_schedule_destroy(s);
}

static void test_cycles_and_ranges_are_refused(void **state) {
    (void)state;
    const pr_schedule_range after1 = {1, 1}, after0 = {0, 1}, beyond = {1, 2};
    pr_schedule_job jobs[] = {{.n_after = 1, .after = &after1}, {.n_after = 1, .after = &after0}};
    pr_schedule_setup setup = setup_of(jobs, 2, 1);
    pr_schedule *s;
    pr_error e = {0};
    assert_int_equal(pr_schedule_create(&s, &setup, 0, &e), PR_ERR_USAGE);
    assert_non_null(strstr(e.text, "waits for itself"));
    jobs[1].n_after = 0;
    jobs[0].after = &beyond;
    assert_int_equal(pr_schedule_create(&s, &setup, 0, &e), PR_ERR_USAGE);
    jobs[0].n_after = 0;
    jobs[0].class = 1;
    assert_int_equal(pr_schedule_create(&s, &setup, 0, &e), PR_ERR_USAGE);
    assert_null(s);
}

static void test_earlier_runs(void **state) {
    (void)state;
    const pr_schedule_range after0 = {0, 1}, after1 = {1, 1}, after3 = {3, 1};
    const pr_schedule_job jobs[] = {{.past = PR_SCHEDULE_WAS_DONE},
                                    {.past = PR_SCHEDULE_HAS_FAILED},
                                    {.n_after = 1, .after = &after0, .attempts_before = 2},
                                    {.n_after = 1, .after = &after1},
                                    {.n_after = 1, .after = &after3}};
    pr_schedule_setup setup = setup_of(jobs, 5, 2);
    pr_schedule *s = create(&setup);
    pr_notice n = expect_notice(s, PR_NOTICE_ENDED);
    assert_int_equal(n.job, 3);
    assert_int_equal(n.why, PR_WHY_DEPENDENCY);
    assert_int_equal(n.other, 1);
    n = expect_notice(s, PR_NOTICE_ENDED);
    assert_int_equal(n.job, 4);
    assert_int_equal(n.other, 3);
    expect_no_notice(s);
    pr_task t = expect_prove(s, 0, 2);
    assert_int_equal(t.attempt, 3);
    complete(s, 0, &t);
    assert_true(pr_schedule_is_over(s));
    pr_schedule_destroy(s);
}

/* ---- memory ---- */

static void test_admission_by_memory(void **state) {
    (void)state;
    const pr_schedule_job jobs[] = {{.expected_ns = 9, .host_bytes = 60},
                                    {.expected_ns = 8, .host_bytes = 30},
                                    {.expected_ns = 7, .host_bytes = 11},
                                    {.expected_ns = 6, .host_bytes = 10}};
    pr_schedule_setup setup = setup_of(jobs, 4, 4);
    pr_schedule *s = create(&setup);
    pr_task first = expect_prove(s, 0, 0);
    expect_prove(s, 0, 1);
    expect_none(s, 0); /* the node is kept for job 2, and 3 does not overtake it */
    complete(s, 0, &first);
    expect_prove(s, 0, 2);
    expect_prove(s, 0, 3);
    pr_schedule_destroy(s);
}

static void test_overtaking_on_other_nodes(void **state) {
    (void)state;
    const pr_schedule_node nodes[] = {{.host_bytes = 100}, {.host_bytes = 50}};
    const pr_schedule_job jobs[] = {{.expected_ns = 9, .host_bytes = 60},
                                    {.expected_ns = 8, .host_bytes = 100},
                                    {.expected_ns = 7, .host_bytes = 20},
                                    {.expected_ns = 6, .host_bytes = 20}};
    pr_schedule_setup setup = setup_of(jobs, 4, 4);
    setup.n_nodes = 2;
    setup.nodes = nodes;
    ranks[2].node = ranks[3].node = 1;
    pr_schedule *s = create(&setup);
    pr_task first = expect_prove(s, 0, 0);
    assert_true(first.rank < 2);
    assert_true(expect_prove(s, 0, 2).rank >= 2); /* node 0 is kept for job 1 */
    assert_true(expect_prove(s, 0, 3).rank >= 2);
    expect_none(s, 0);
    complete(s, 0, &first);
    assert_true(expect_prove(s, 0, 1).rank < 2);
    pr_schedule_destroy(s);
}

static void test_alone_or_refused(void **state) {
    (void)state;
    const pr_schedule_node node = {.host_bytes = 100, .host_limit_bytes = 150};
    const pr_schedule_job jobs[] = {{.expected_ns = 9, .host_bytes = 10},
                                    {.expected_ns = 8, .host_bytes = 140},
                                    {.expected_ns = 7, .host_bytes = 10},
                                    {.expected_ns = 6, .host_bytes = 151}};
    pr_schedule_setup setup = setup_of(jobs, 4, 3);
    setup.nodes = &node;
    pr_schedule *s = create(&setup);
    pr_notice n = expect_notice(s, PR_NOTICE_ENDED);
    assert_int_equal(n.job, 3);
    assert_int_equal(n.why, PR_WHY_TOO_LARGE);
    pr_task first = expect_prove(s, 0, 0);
    expect_none(s, 0);
    complete(s, 0, &first);
    pr_task large = expect_prove(s, 0, 1);
    expect_none(s, 0); /* nothing beside it */
    complete(s, 0, &large);
    expect_prove(s, 0, 2);
    pr_schedule_destroy(s);
}

static void test_devices(void **state) {
    (void)state;
    const pr_schedule_device device = {.bytes = 50};
    const pr_schedule_job jobs[] = {
        {.expected_ns = 9, .host_bytes = 200, .device_bytes = 40, .device_host_bytes = 5},
        {.expected_ns = 8, .host_bytes = 20, .device_bytes = 51, .device_host_bytes = 5, .retries = 1},
        {.expected_ns = 7, .host_bytes = 200, .device_bytes = 51, .device_host_bytes = 5}};
    pr_schedule_setup setup = setup_of(jobs, 3, 2);
    setup.n_devices = 1;
    setup.devices = &device;
    ranks[1].device = 0;
    pr_schedule *s = create(&setup);
    assert_int_equal(expect_notice(s, PR_NOTICE_ENDED).job, 2); /* neither here nor there */
    pr_task t = expect_prove(s, 0, 0);
    assert_int_equal(t.rank, 1);
    assert_false(t.cpu_only);
    pr_task u = expect_prove(s, 0, 1);
    assert_true(u.cpu_only);
    pr_schedule_destroy(s);
}

/* ---- verification ---- */

static void test_verifiers(void **state) {
    (void)state;
    const pr_schedule_job job = {.expected_ns = S, .retries = 1};
    pr_schedule_setup setup = setup_of(&job, 1, 2);
    pr_schedule *s = create(&setup);
    pr_task t = expect_prove(s, 0, 0);
    prove(s, 0, &t, 1);
    pr_schedule_set_rank(s, 0, 1 - t.rank, PR_RANK_SILENT);
    expect_none(s, 0); /* the other may come back: not by itself */
    pr_schedule_set_rank(s, 0, 1 - t.rank, PR_RANK_UP);
    pr_task v = next(s, 0);
    assert_int_equal(v.rank, 1 - t.rank);
    assert_int_equal(verify(s, 0, &v, PR_VERDICT_UNABLE), PR_FATE_GOES_ON);
    v = next(s, 0);
    assert_int_equal(verify(s, 0, &v, PR_VERDICT_REFUSED), PR_FATE_RETRY);
    t = next(s, 10 * S);
    assert_int_equal(prove(s, 10 * S, &t, 1), PR_ANSWER_COUNTS);
    pr_schedule_set_rank(s, 10 * S, 1 - t.rank, PR_RANK_LOST);
    v = next(s, 10 * S);
    assert_true(v.own_proof);
    assert_int_equal(verify(s, 10 * S, &v, PR_VERDICT_ACCEPTED), PR_FATE_DONE);
    pr_schedule_destroy(s);
}

static void test_one_task_at_a_time(void **state) {
    (void)state;
    const pr_schedule_job jobs[] = {{.expected_ns = 3}, {.expected_ns = 2}, {.expected_ns = 1}};
    pr_schedule_setup setup = setup_of(jobs, 3, 2);
    ranks[0].one_task = ranks[1].one_task = true;
    pr_schedule *s = create(&setup);
    pr_task a = expect_prove(s, 0, 0);
    expect_prove(s, 0, 1);
    prove(s, 0, &a, 1);
    pr_task b = expect_prove(s, 0, 2); /* the other one proves: nobody can verify yet */
    assert_int_equal(b.rank, a.rank);
    expect_none(s, 0);
    pr_schedule_destroy(s);
}

static void test_judged_outside(void **state) {
    (void)state;
    const pr_schedule_job job = {.expected_ns = S, .retries = 1};
    pr_schedule_setup setup = setup_of(&job, 1, 2);
    setup.options.judge = PR_SCHEDULE_JUDGE_OUTSIDE;
    pr_schedule *s = create(&setup);
    pr_task t = expect_prove(s, 0, 0);
    prove(s, 0, &t, 1);
    expect_none(s, 0);
    assert_false(pr_schedule_is_over(s));
    assert_int_equal(pr_schedule_judged(s, 0, 0, 2, PR_VERDICT_ACCEPTED), PR_FATE_IGNORED);
    assert_int_equal(pr_schedule_judged(s, 0, 0, 1, PR_VERDICT_REFUSED), PR_FATE_RETRY);
    t = expect_prove(s, S, 0);
    prove(s, S, &t, 1);
    /* the one retry is used up: what is taken back costs nothing, and is at hand at once */
    assert_int_equal(pr_schedule_judged(s, S, 0, 2, PR_VERDICT_AGAIN), PR_FATE_RETRY);
    t = expect_prove(s, S, 0);
    prove(s, S, &t, 1);
    assert_int_equal(pr_schedule_judged(s, S, 0, 3, PR_VERDICT_ACCEPTED), PR_FATE_DONE);
    pr_schedule_destroy(s);
}

/* ---- time ---- */

static void test_deadlines(void **state) {
    (void)state;
    const pr_schedule_job jobs[] = {{.expected_ns = 20 * S},
                                    {.expected_ns = 10 * S, .deadline_ns = 25 * S},
                                    {.expected_ns = 30 * S, .deadline_ns = 29 * S}};
    pr_schedule_setup setup = setup_of(jobs, 3, 1);
    pr_schedule *s = create(&setup);
    pr_task t = next(s, 0);
    assert_int_equal(t.job, 0);
    assert_int_equal(expect_notice(s, PR_NOTICE_ENDED).job, 2); /* never could */
    assert_int_equal(pr_schedule_wake_ns(s), 15 * S + 1);
    expect_none(s, 15 * S);
    expect_no_notice(s);
    expect_none(s, 15 * S + 1);
    pr_notice n = expect_notice(s, PR_NOTICE_ENDED);
    assert_int_equal(n.job, 1);
    assert_int_equal(n.why, PR_WHY_DEADLINE);
    pr_schedule_destroy(s);
}

static void test_end_of_the_allocation(void **state) {
    (void)state;
    const pr_schedule_job jobs[] = {{.expected_ns = 50 * S}, {.expected_ns = 50 * S}, {.expected_ns = 10 * S}};
    pr_schedule_setup setup = setup_of(jobs, 3, 1);
    setup.options.end_ns = 100 * S;
    setup.options.drain_margin_ns = 20 * S;
    pr_schedule *s = create(&setup);
    pr_task t = expect_prove(s, 0, 0);
    complete(s, 50 * S, &t);
    t = expect_prove(s, 50 * S, 2); /* the other would not end by 80 s */
    complete(s, 60 * S, &t);
    expect_none(s, 60 * S);
    assert_true(pr_schedule_is_over(s)); /* left for a resume */
    assert_int_equal(pr_schedule_wake_ns(s), 80 * S);
    expect_none(s, 80 * S);
    expect_notice(s, PR_NOTICE_DRAIN);
    assert_true(pr_schedule_is_draining(s));
    assert_int_equal(pr_schedule_job_phase(s, 1), PR_JOB_QUEUED);
    pr_schedule_destroy(s);
}

static void test_drain(void **state) {
    (void)state;
    const pr_schedule_job jobs[] = {{.expected_ns = 2 * S, .retries = 1}, {.expected_ns = S}};
    pr_schedule_setup setup = setup_of(jobs, 2, 1);
    pr_schedule *s = create(&setup);
    pr_task t = expect_prove(s, 0, 0);
    pr_schedule_drain(s);
    assert_false(pr_schedule_is_over(s));
    complete(s, S, &t); /* what was proven is verified */
    expect_none(s, S);
    assert_true(pr_schedule_is_over(s));
    assert_int_equal(pr_schedule_count(s, PR_JOB_QUEUED), 1);
    pr_schedule_destroy(s);
}

static void test_estimates_learn(void **state) {
    (void)state;
    pr_schedule_job jobs[6];
    for (int j = 0; j < 6; j++) jobs[j] = (pr_schedule_job){.expected_ns = 10 * S, .class = j == 5};
    pr_schedule_setup setup = setup_of(jobs, 6, 1);
    setup.n_classes = 2;
    pr_schedule *s = create(&setup);
    assert_int_equal(pr_schedule_remaining_ns(s), 60 * S);
    uint64_t now = 0;
    for (int j = 0; j < 4; j++) {
        pr_task t = next(s, now);
        complete(s, now += 20 * S, &t);
    }
    assert_int_equal(pr_schedule_expected_ns(s, 4), 20 * S);
    assert_int_equal(pr_schedule_expected_ns(s, 5), 10 * S);
    assert_int_equal(pr_schedule_remaining_ns(s), 30 * S);
    pr_schedule_destroy(s);
}

/* Two ranks, the second four times slower: it is noticed, and counts in what is expected. */
static void test_ranks_are_measured(void **state) {
    (void)state;
    const pr_schedule_range first = {0, 30}, one = {30, 1};
    pr_schedule_job jobs[33];
    for (int j = 0; j < 33; j++) jobs[j] = (pr_schedule_job){.expected_ns = 5 * S};
    jobs[30].n_after = jobs[31].n_after = jobs[32].n_after = 1;
    jobs[30].after = &first;
    jobs[31].after = jobs[32].after = &one;
    jobs[31].deadline_ns = 1000 * S;
    pr_schedule_setup setup = setup_of(jobs, 33, 2);
    setup.options.slow_factor = 100; /* no second attempts */
    pr_schedule *s = create(&setup);
    pr_task at[2] = {next(s, 0), next(s, 0)};
    uint64_t now = 0, ends[2] = {10 * S, 40 * S}; /* all estimates are half of what it takes */
    for (int n_done = 0; n_done < 30; n_done++) {
        int k = ends[1] < ends[0];
        now = ends[k];
        uint32_t r = at[k].rank;
        complete(s, now, &at[k]);
        at[k] = next(s, now);
        ends[k] = at[k].kind == PR_TASK_PROVE ? now + (r == 0 ? 10 : 40) * S : UINT64_MAX;
    }
    uint64_t expected = pr_schedule_expected_ns(s, 30);
    double fast = pr_schedule_rank_slowness(s, 0), slow = pr_schedule_rank_slowness(s, 1);
    assert_true(slow > 3 * fast && slow < 5 * fast && fast < 1.25);
    assert_true((double)expected * fast > 9.0 * S && (double)expected * fast < 12.0 * S);
    /* three jobs of ten seconds for one rank and a quarter */
    uint64_t remaining = pr_schedule_remaining_ns(s);
    assert_true(remaining > 20 * S && remaining < 30 * S);
    pr_task t = pr_schedule_rank_task(s, 0, PR_TASK_PROVE);
    assert_int_equal(t.job, 30); /* the fast one has it, though the slow one was idle too */
    expect_none(s, now);
    complete(s, now + 10 * S, &t);
    t = expect_prove(s, now + 10 * S, 31);
    assert_int_equal(t.rank, 0);
    expect_none(s, now + 10 * S); /* the batch would wait for the slow one longer than for both on the fast one */
    assert_int_equal(pr_schedule_failed(s, now + 11 * S, 0, 31, t.attempt, PR_FAILURE_JOB), PR_FATE_FAILED);
    pr_schedule_set_rank(s, now + 11 * S, 0, PR_RANK_STOPPED);
    t = expect_prove(s, now + 11 * S, 32); /* nobody else is there: better slow than never */
    assert_int_equal(t.rank, 1);
    assert_true(t.expected_ns > 2 * expected);
    complete(s, now + 60 * S, &t);
    assert_true(pr_schedule_is_over(s));
    pr_schedule_destroy(s);
}

static void test_texts(void **state) {
    (void)state;
    for (int why = PR_WHY_DEPENDENCY; why <= PR_WHY_LOSSES; why++) assert_true(strlen(pr_why_text((pr_why)why)) > 10);
    pr_schedule_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_hints_end),
        cmocka_unit_test(test_waits_for_all_of_a_sweep),
        cmocka_unit_test(test_cycles_and_ranges_are_refused),
        cmocka_unit_test(test_earlier_runs),
        cmocka_unit_test(test_admission_by_memory),
        cmocka_unit_test(test_overtaking_on_other_nodes),
        cmocka_unit_test(test_alone_or_refused),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_verifiers),
        cmocka_unit_test(test_one_task_at_a_time),
        cmocka_unit_test(test_judged_outside),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_end_of_the_allocation),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_estimates_learn),
        cmocka_unit_test(test_ranks_are_measured),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
