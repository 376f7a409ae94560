/* Small setups, and one step each: for the tests of the scheduler promise by promise. */
#ifndef TEST_SCHEDULE_SUPPORT_H
#define TEST_SCHEDULE_SUPPORT_H
#include "schedule/schedule.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define S 1000000000ull
enum { MAX = 16 };

static const pr_schedule_node one_node = {.host_bytes = 100};
static pr_schedule_rank ranks[MAX];

/* n ranks that prove and verify, on one node of 100 bytes unless the caller changes it. */
static inline pr_schedule_setup setup_of(const pr_schedule_job *jobs, size_t n_jobs, uint32_t n_ranks) {
    for (uint32_t r = 0; r < n_ranks; r++)
        ranks[r] = (pr_schedule_rank){.device = PR_SCHEDULE_NO_DEVICE, .proves = true, .verifies = true};
    return (pr_schedule_setup){
        .n_jobs = n_jobs, .jobs = jobs, .n_ranks = n_ranks, .ranks = ranks, .n_nodes = 1, .nodes = &one_node};
}

static inline pr_schedule *create(const pr_schedule_setup *setup) {
    pr_schedule *s = NULL;
    pr_error e = {0};
    if (pr_schedule_create(&s, setup, 0, &e) != PR_OK) fail_msg("%s", e.text);
    return s;
}

static inline pr_task next(pr_schedule *s, uint64_t now) {
    pr_task t;
    (void)pr_schedule_next(s, now, &t);
    return t;
}

static inline pr_task expect_prove(pr_schedule *s, uint64_t now, uint32_t job) {
    pr_task t = next(s, now);
    assert_int_equal(t.kind, PR_TASK_PROVE);
    assert_int_equal(t.job, job);
    return t;
}

static inline void expect_none(pr_schedule *s, uint64_t now) { assert_int_equal(next(s, now).kind, PR_TASK_NONE); }

static inline pr_notice expect_notice(pr_schedule *s, pr_notice_kind kind) {
    pr_notice n = {0};
    assert_true(pr_schedule_notice_take(s, &n));
    assert_int_equal(n.kind, kind);
    return n;
}

static inline void expect_no_notice(pr_schedule *s) {
    pr_notice n;
    assert_false(pr_schedule_notice_take(s, &n));
}

static inline pr_answer prove(pr_schedule *s, uint64_t now, const pr_task *t, uint8_t hash_byte) {
    pr_hash h;
    memset(&h, hash_byte, sizeof h);
    return pr_schedule_proved(s, now, t->rank, t->job, t->attempt, &h);
}

static inline pr_fate give_up(pr_schedule *s, uint64_t now, const pr_task *t, pr_failure why) {
    return pr_schedule_failed(s, now, t->rank, t->job, t->attempt, why);
}

static inline pr_fate verify(pr_schedule *s, uint64_t now, const pr_task *t, pr_verdict v) {
    return pr_schedule_verified(s, now, t->rank, t->job, t->attempt, v);
}

/* Proves and verifies one job that has been handed out. */
static inline void complete(pr_schedule *s, uint64_t now, const pr_task *t) {
    assert_int_equal(prove(s, now, t, 1), PR_ANSWER_COUNTS);
    pr_task v = next(s, now);
    assert_int_equal(v.kind, PR_TASK_VERIFY);
    assert_int_equal(verify(s, now, &v, PR_VERDICT_ACCEPTED), PR_FATE_DONE);
}

#endif
