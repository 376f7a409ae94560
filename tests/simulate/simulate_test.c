/* The simulation against what can be said without it. */
#include "schedule/schedule.h"
#include "simulate/simulate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static pr_simulation_result run(const pr_simulation_options *o) {
    pr_simulation_result r;
    pr_error e = {0};
    if (pr_simulate(&r, o, &e) != PR_OK) fail_msg("%s", e.text);
    assert_int_equal(r.n_done + r.n_failed + r.n_left, r.n_jobs);
    assert_true(r.efficiency > 0 && r.efficiency <= r.busy + 1e-9 && r.busy <= 1 + 1e-9);
    assert_true(r.load >= 0 && r.load <= 1);
    return r;
}

/* Costs nothing anywhere: one rank takes exactly the sum, many never less than the bound. */
static void test_free_of_costs(void **state) {
    (void)state;
    for (uint32_t ranks = 1; ranks <= 64; ranks *= 8) {
        pr_simulation_options o = pr_simulation_defaults();
        o.n_ranks = ranks;
        o.mix = PR_MIX_SMALL;
        o.message_ns = o.record_ns = o.byte_ps = o.sync_ns = o.step_ps = o.latency_ns = o.verify_ns = 0;
        pr_simulation_result r = run(&o);
        assert_int_equal(r.n_done, 20 * ranks);
        assert_true(r.makespan_ns >= r.bound_ns);
        assert_true(r.makespan_ns <= r.bound_ns + r.bound_ns / 10);
        if (ranks == 1) assert_true(r.makespan_ns - r.bound_ns <= 1 && r.efficiency > 0.999999);
        assert_true(r.load < 1e-9);
    }
}

static void test_repeatable(void **state) {
    (void)state;
    pr_simulation_options o = pr_simulation_defaults();
    o.lost_per_hour = 1;
    o.silent_per_hour = 5;
    o.slow_share = 0.1;
    o.crash_share = 0.05;
    pr_simulation_result a = run(&o), b = run(&o);
    assert_memory_equal(&a, &b, sizeof a);
    o.seed++;
    b = run(&o);
    assert_int_not_equal(a.makespan_ns, b.makespan_ns);
}

/* One proof counts for each job, whatever happens to ranks; what fails has failed three times, or under four ranks. */
static void test_trouble(void **state) {
    (void)state;
    uint64_t lost = 0, silent = 0, crashes = 0, second = 0, failed = 0, jobs = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        pr_simulation_options o = pr_simulation_defaults();
        o.seed = seed;
        o.n_ranks = 16;
        o.jobs_per_rank = 10;
        o.mix = (pr_mix)(seed % 3);
        o.lost_per_hour = 2;
        o.silent_per_hour = 20;
        o.slow_share = 0.1;
        o.crash_share = 0.05;
        pr_simulation_result r = run(&o);
        assert_int_equal(r.n_left, 0); /* rank 0 lives, so everything ends */
        assert_true(r.n_attempts >= r.n_done);
        lost += r.n_lost;
        silent += r.n_silent;
        crashes += r.n_crashes;
        second += r.n_second;
        failed += r.n_failed;
        jobs += r.n_jobs;
    }
    assert_true(lost > 20 && silent > 100 && crashes > 100 && second > 20);
    assert_true(failed * 100 < jobs);
}

static void test_rank_0_saturates(void **state) {
    (void)state;
    pr_simulation_options o = pr_simulation_defaults();
    o.mix = PR_MIX_SMALL;
    o.n_ranks = 64;
    pr_simulation_result few = run(&o);
    o.n_ranks = 4096;
    pr_simulation_result many = run(&o);
    o.shards = true;
    pr_simulation_result sharded = run(&o);
    assert_true(few.load < 0.2 && few.efficiency > 0.95);
    assert_true(many.load > 0.9 && many.efficiency < 0.5);
    assert_true(sharded.efficiency > many.efficiency + 0.3 && sharded.load < many.load);
    assert_true(many.wait_ns > 10 * few.wait_ns);
}

/* Little memory a node: fewer proofs at once, and still all of it used. */
static void test_memory_holds_back(void **state) {
    (void)state;
    pr_simulation_options o = pr_simulation_defaults();
    pr_simulation_result wide, narrow;
    o.node_bytes = (uint64_t)8192 << 30;
    wide = run(&o);
    o.node_bytes = (uint64_t)128 << 30;
    narrow = run(&o);
    assert_true(wide.efficiency > 0.95);
    assert_true(narrow.efficiency < 0.8 && narrow.bound_ns > wide.bound_ns);
    assert_true((double)narrow.makespan_ns < 1.1 * (double)narrow.bound_ns); /* memory is used to the last */
}

static void test_coordinator_only(void **state) {
    (void)state;
    pr_simulation_options o = pr_simulation_defaults();
    o.n_ranks = 2;
    pr_simulation_result both = run(&o);
    o.coordinator_only = true;
    pr_simulation_result one = run(&o);
    assert_true((double)one.makespan_ns > 1.3 * (double)both.makespan_ns);
}

/* Tiny jobs: a rank that has further ones behind waits for rank 0 no more; what its child has not begun when it dies,
 * and what it has when it is lost, is proven by others. */
static void test_behind(void **state) {
    (void)state;
    const pr_simulation_job tiny[] = {{400000, 700000, 2000000}, {600000, 700000, 2000000}};
    pr_simulation_options o = pr_simulation_defaults();
    o.given = tiny;
    o.n_given = 2;
    o.n_jobs = 4000;
    o.proof_bytes = 2700;
    o.verify_ns = 100000;
    for (o.n_ranks = 2; o.n_ranks <= 4; o.n_ranks++) {
        o.behind_ns = 0;
        pr_simulation_result one = run(&o);
        o.behind_ns = PR_SCHEDULE_BEHIND_NS;
        pr_simulation_result some = run(&o);
        assert_true(one.n_done == 4000 && some.n_done == 4000 && one.n_attempts == 4000 && some.n_attempts == 4000);
        uint64_t share = 2000000000u / o.n_ranks;
        assert_true(one.bound_ns == share && one.makespan_ns > 2 * share); /* two ways and 0.5 ms of work */
        assert_true(some.makespan_ns < share + share / 20 && some.load > 2 * one.load);
    }
    uint64_t lost = 0, silent = 0, crashes = 0;
    o.n_ranks = 8;
    o.n_jobs = 20000;
    for (o.seed = 1; o.seed <= 20; o.seed++) {
        o.lost_per_hour = 400;
        o.silent_per_hour = 4000;
        o.crash_share = 0.001;
        pr_simulation_result r = run(&o);
        assert_int_equal(r.n_left, 0);
        assert_true(r.n_attempts >= r.n_done + r.n_crashes);
        lost += r.n_lost;
        silent += r.n_silent;
        crashes += r.n_crashes;
    }
    assert_true(lost > 5 && silent > 20 && crashes > 100);
}

static void test_refusals(void **state) {
    (void)state;
    pr_simulation_result r;
    pr_error e = {0};
    for (int k = 0; k < 7; k++) {
        pr_simulation_options o = pr_simulation_defaults();
        if (k == 0) o.n_ranks = 0;
        if (k == 1) o.ranks_per_node = 0;
        if (k == 2) o.slow_share = 1.5;
        if (k == 3) o.crash_share = -0.1;
        if (k == 4) o.slow_factor = 0.5;
        if (k == 5) o.jobs_per_rank = 0;
        if (k == 6) o.lost_per_hour = -1;
        assert_int_equal(pr_simulate(&r, &o, &e), PR_ERR_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_of_costs),
        cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_rank_0_saturates),
        cmocka_unit_test(test_memory_holds_back),
        cmocka_unit_test(test_coordinator_only),
        cmocka_unit_test(test_behind),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
