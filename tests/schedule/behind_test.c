/* Short jobs behind what a rank is at: it has its next one before it answers, and nothing else changes. */
#include "support.h"

enum { N_JOBS = 12 };
#define MS 1000000ull

/* Jobs of 1 ms and 10 bytes. */
static pr_schedule_job jobs[N_JOBS];

/* n_jobs, and before them one for each rank, which it has proved. */
static pr_schedule *begin(uint32_t n_jobs, uint32_t n_ranks, uint64_t behind_ns) {
    pr_schedule_setup setup = setup_of(jobs, n_jobs + n_ranks, n_ranks);
    setup.n_classes = 2;
    setup.options.behind_ns = behind_ns;
    setup.options.judge = PR_SCHEDULE_JUDGE_OUTSIDE;
    for (uint32_t r = 0; r < n_ranks; r++)
        jobs[n_jobs + r] = (pr_schedule_job){.expected_ns = MS, .host_bytes = 10, .priority = 1, .class = 1};
    pr_schedule *s = create(&setup);
    pr_task first[MAX];
    for (uint32_t r = 0; r < n_ranks; r++) first[r] = expect_prove(s, 0, n_jobs + r);
    expect_none(s, 0); /* of a rank that has proved nothing, nobody knows whether it will */
    for (uint32_t r = 0; r < n_ranks; r++) assert_int_equal(prove(s, 0, &first[r], 1), PR_ANSWER_COUNTS);
    return s;
}

static int reset(void **state) {
    (void)state;
    for (uint32_t j = 0; j < N_JOBS; j++) jobs[j] = (pr_schedule_job){.expected_ns = MS, .host_bytes = 10};
    return 0;
}

static pr_task expect_behind(pr_schedule *s, uint64_t now, uint32_t rank, uint32_t job) {
    pr_task t = expect_prove(s, now, job);
    assert_true(t.behind);
    assert_int_equal(t.rank, rank);
    return t;
}

static void expect_cancel(pr_schedule *s, const pr_task *t) {
    pr_notice n = expect_notice(s, PR_NOTICE_CANCEL);
    assert_int_equal(n.rank, t->rank);
    assert_int_equal(n.job, t->job);
    assert_int_equal(n.attempt, t->attempt);
}

static void expect_at_hand(pr_schedule *s, const pr_task *t) {
    pr_task task = pr_schedule_rank_task(s, t->rank, PR_TASK_PROVE);
    assert_int_equal(task.job, t->job);
    assert_int_equal(task.attempt, t->attempt);
}

/* Idle ranks first, then by turns, as much as the time allows; never without being asked for. */
static void test_turns(void **state) {
    (void)state;
    pr_schedule *s = begin(8, 2, 2 * MS);
    pr_task a = expect_prove(s, 0, 0), b = expect_prove(s, 0, 1);
    assert_false(a.behind || b.behind);
    pr_task c = expect_behind(s, 0, a.rank, 2);
    (void)expect_behind(s, 0, b.rank, 3);
    (void)expect_behind(s, 0, a.rank, 4);
    (void)expect_behind(s, 0, b.rank, 5);
    expect_none(s, 0);
    expect_at_hand(s, &a);
    assert_int_equal(prove(s, MS, &a, 1), PR_ANSWER_COUNTS);
    expect_at_hand(s, &c); /* at once, without a message */
    (void)expect_behind(s, MS, a.rank, 6);
    expect_none(s, MS);
    pr_schedule_destroy(s);
    (void)reset(NULL);
    s = begin(8, 2, 0);
    (void)expect_prove(s, 0, 0);
    (void)expect_prove(s, 0, 1);
    expect_none(s, 0);
    pr_schedule_destroy(s);
}

/* Nothing goes behind that needs more than what is at hand has; what does counts for no memory of its own. */
static void test_memory(void **state) {
    (void)state;
    jobs[0].host_bytes = 60;
    jobs[1].host_bytes = 50;
    jobs[2].host_bytes = 60;
    jobs[3].host_bytes = 70;
    pr_schedule *s = begin(4, 1, 20 * MS);
    pr_task a = expect_prove(s, 0, 0);
    pr_task b = expect_behind(s, 0, 0, 1), c = expect_behind(s, 0, 0, 2); /* 170 in all, of 100 */
    expect_none(s, 0);
    assert_int_equal(prove(s, MS, &a, 1), PR_ANSWER_COUNTS);
    expect_none(s, MS);
    assert_int_equal(prove(s, MS, &b, 1), PR_ANSWER_COUNTS);
    assert_int_equal(prove(s, MS, &c, 1), PR_ANSWER_COUNTS);
    assert_false(expect_prove(s, MS, 3).behind);
    pr_schedule_destroy(s);
}

static void test_not_behind(void **state) {
    (void)state;
    jobs[1].deadline_ns = 1000 * MS;
    jobs[2].expected_ns = 30 * MS; /* the longest comes first, and what follows waits for its turn */
    pr_schedule *s = begin(4, 1, 20 * MS);
    pr_task c = expect_prove(s, 0, 2);
    pr_task a = expect_behind(s, 0, c.rank, 0);
    expect_none(s, 0); /* the next has a deadline */
    assert_int_equal(prove(s, 30 * MS, &c, 1), PR_ANSWER_COUNTS);
    expect_none(s, 30 * MS);
    assert_int_equal(prove(s, 31 * MS, &a, 1), PR_ANSWER_COUNTS);
    assert_false(expect_prove(s, 31 * MS, 1).behind);
    pr_schedule_destroy(s);
}

/* A rank that fails gives back what it has not begun: as if it had never had it, but that it stands behind nothing any
 * more, for it may be what brought the prover down. */
static void test_loss(void **state) {
    (void)state;
    pr_schedule *s = begin(4, 1, 20 * MS);
    pr_task a = expect_prove(s, 0, 0), b = expect_behind(s, 0, 0, 1), c = expect_behind(s, 0, 0, 2);
    pr_task d = expect_behind(s, 0, 0, 3);
    assert_int_equal(give_up(s, MS, &a, PR_FAILURE_JOB), PR_FATE_FAILED); /* its own fault: the rank goes on */
    expect_at_hand(s, &b);
    assert_int_equal(give_up(s, MS, &b, PR_FAILURE_ATTEMPT), PR_FATE_FAILED); /* no retries */
    expect_at_hand(s, &c);
    assert_int_equal(give_up(s, MS, &d, PR_FAILURE_UNBEGUN), PR_FATE_RETRY);
    expect_none(s, MS);
    assert_int_equal(give_up(s, MS, &c, PR_FAILURE_UNBEGUN), PR_FATE_RETRY);
    assert_int_equal(give_up(s, MS, &c, PR_FAILURE_UNBEGUN), PR_FATE_IGNORED);
    expect_no_notice(s);
    for (uint32_t j = 2; j < 4; j++) {
        pr_task again = expect_prove(s, MS, j);
        assert_false(again.behind);
        assert_int_equal(again.attempt, 1);
        assert_int_equal(prove(s, MS, &again, 1), PR_ANSWER_COUNTS);
    }
    pr_schedule_destroy(s);
}

/* Answers may overtake each other, and a late one counts. */
static void test_order_of_answers(void **state) {
    (void)state;
    pr_schedule *s = begin(3, 1, 20 * MS);
    pr_task a = expect_prove(s, 0, 0), b = expect_behind(s, 0, 0, 1), c = expect_behind(s, 0, 0, 2);
    assert_int_equal(prove(s, MS, &b, 1), PR_ANSWER_COUNTS);
    expect_at_hand(s, &a);
    pr_schedule_take_back(s);
    expect_cancel(s, &c);
    pr_schedule_drain(s);
    expect_none(s, MS);
    assert_int_equal(prove(s, MS, &c, 1), PR_ANSWER_COUNTS);
    assert_int_equal(prove(s, MS, &c, 1), PR_ANSWER_UNKNOWN);
    assert_int_equal(prove(s, MS, &a, 1), PR_ANSWER_COUNTS);
    assert_int_equal(pr_schedule_count(s, PR_JOB_PROVEN), 4);
    pr_schedule_destroy(s);
}

/* What waits behind something that takes much longer than was expected goes to a rank that is idle. */
static void test_taken_back(void **state) {
    (void)state;
    pr_schedule *s = begin(4, 2, 2 * MS);
    pr_task a = expect_prove(s, 0, 0), b = expect_prove(s, 0, 1);
    pr_task c = expect_behind(s, 0, a.rank, 2), d = expect_behind(s, 0, b.rank, 3);
    assert_int_equal(prove(s, MS, &b, 1), PR_ANSWER_COUNTS);
    assert_int_equal(prove(s, 2 * MS, &d, 1), PR_ANSWER_COUNTS);
    expect_none(s, 3 * MS);
    uint64_t wake = pr_schedule_wake_ns(s);
    assert_int_equal(wake, 6 * MS); /* four times 1 ms, and 2 ms */
    pr_task again = expect_prove(s, wake, 2);
    assert_int_equal(again.rank, b.rank);
    expect_cancel(s, &c);
    expect_at_hand(s, &a);
    pr_schedule_destroy(s);
}

static void test_ranks_go(void **state) {
    (void)state;
    const pr_rank_state states[] = {PR_RANK_SILENT, PR_RANK_DRAINED, PR_RANK_STOPPED, PR_RANK_LOST};
    for (size_t i = 0; i < 4; i++) {
        (void)reset(NULL);
        pr_schedule *s = begin(2, 1, 20 * MS);
        pr_task a = expect_prove(s, 0, 0), b = expect_behind(s, 0, 0, 1);
        pr_schedule_set_rank(s, MS, 0, states[i]);
        assert_int_equal(pr_schedule_job_phase(s, 1), PR_JOB_QUEUED);
        if (i < 2)
            expect_cancel(s, &b);
        else
            expect_no_notice(s); /* it is not there to hear it */
        if (i < 2) expect_at_hand(s, &a);
        pr_schedule_set_rank(s, 2 * MS, 0, PR_RANK_UP);
        pr_task next_one = next(s, 2 * MS);
        assert_int_equal(next_one.behind, i < 2); /* a lost rank's are suspect, and none is at hand after a stop */
        pr_schedule_destroy(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_turns, reset),
                                       cmocka_unit_test_setup(test_memory, reset),
                                       cmocka_unit_test_setup(test_not_behind, reset),
                                       cmocka_unit_test_setup(test_loss, reset),
                                       cmocka_unit_test_setup(test_order_of_answers, reset),
                                       cmocka_unit_test_setup(test_taken_back, reset),
                                       cmocka_unit_test_setup(test_ranks_go, reset)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
