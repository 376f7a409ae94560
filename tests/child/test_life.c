/* A child that works, dies, hangs, is stopped: what its supervisor sees, and that it can start again. */
#include "base/clock.h"
#include "support.h"
#include "work/work.h"
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_proof(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    submit(&f, FIB, 0, PR_FAULT_NONE, 60000);
    pr_child_event e = expect(&f, PR_CHILD_PROVED);
    assert_true(e.has_job && e.busy_ns > 0);
    assert_int_equal(e.job, FIB);
    assert_string_equal(e.record.row.id, "fib");
    assert_int_equal(e.record.row.prover_rank, 4);
    assert_string_equal(e.record.row.prover_host, "here");
    assert_true(verifies(&f, FIB, &e.record));
    pr_child_event_clear(&e);
    assert_int_equal(pr_child_get_state(f.child), PR_CHILD_IDLE);
    end_fixture(&f);
}

/* Whoever looks sees how far it is; nobody is woken for it: of the one job a single frame comes. */
static void test_progress(void **state) {
    (void)state;
    fixture f;
    pr_child_event e;
    struct pollfd fds[PR_CHILD_MAX_FDS];
    bool seen[PR_WORK_STAGE_COUNT] = {false};
    uint32_t step = 0, n_seen = 0, n_wakes = 0;
    begin_fixture(&f);
    submit(&f, WIDE, 2, PR_FAULT_NONE, 0);
    do {
        n_wakes += poll(fds, (nfds_t)pr_child_fds(f.child, fds), 1) > 0;
        while (pr_child_poll(f.child, &e) == PR_CHILD_PROGRESS) {
            assert_int_equal(e.attempt, 2);
            assert_true(e.step > step && e.stage < PR_WORK_STAGE_COUNT);
            step = e.step;
            n_seen += !seen[e.stage];
            seen[e.stage] = true;
        }
    } while (e.kind != PR_CHILD_PROVED);
    assert_int_equal(e.stage, PR_WORK_STAGE_ENCODE);
    assert_true(e.step >= step && e.step >= PR_WORK_STAGE_COUNT - 1); /* all but lookups, which it has none of */
    assert_true(n_seen >= 4);
    assert_int_equal(n_wakes, 1);
    pr_child_event_clear(&e);
    end_fixture(&f);
}

/* It has its next job before it answers for the one at hand, and answers in order. */
static void test_several(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    for (uint32_t k = 0; k < PR_CHILD_MOST_TASKS; k++) {
        assert_true(pr_child_takes_task(f.child));
        submit(&f, FIB, k, PR_FAULT_NONE, 60000);
    }
    assert_false(pr_child_takes_task(f.child));
    for (uint32_t k = 0; k < PR_CHILD_MOST_TASKS; k++) {
        pr_child_event e = expect(&f, PR_CHILD_PROVED);
        assert_int_equal(e.attempt, k);
        assert_true(verifies(&f, FIB, &e.record));
        pr_child_event_clear(&e);
        assert_int_equal(pr_child_get_state(f.child), k + 1 < PR_CHILD_MOST_TASKS ? PR_CHILD_BUSY : PR_CHILD_IDLE);
        assert_true(pr_child_takes_task(f.child));
    }
    end_fixture(&f);
}

/* What was submitted before a failure was heard of is not begun. Each may be submitted again. */
static void test_several_after_failure(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    submit(&f, MISSING, 1, PR_FAULT_NONE, 0);
    submit(&f, FIB, 2, PR_FAULT_NONE, 0);
    submit(&f, FIB, 3, PR_FAULT_NONE, 0);
    pr_child_event e = expect(&f, PR_CHILD_FAILED);
    assert_int_equal(e.status, PR_ERR_INPUT);
    pr_child_event_clear(&e);
    for (uint32_t attempt = 2; attempt <= 3; attempt++) {
        e = expect(&f, PR_CHILD_UNBEGUN);
        assert_int_equal(e.job, FIB);
        assert_int_equal(e.attempt, attempt);
        pr_child_event_clear(&e);
    }
    submit(&f, FIB, 4, PR_FAULT_NONE, 0);
    e = expect(&f, PR_CHILD_PROVED);
    assert_int_equal(e.attempt, 4);
    pr_child_event_clear(&e);
    end_fixture(&f);
}

/* One is at hand when it dies: that one is told of, whatever else it had, and after what it had answered; the next
 * start begins with nothing. */
static void test_several_at_death(void **state) {
    (void)state;
    fixture f;
    siginfo_t info;
    begin_fixture(&f);
    submit(&f, FIB, 1, PR_FAULT_NONE, 0);
    submit(&f, FIB, 2, PR_FAULT_ABORT, 0);
    submit(&f, FIB, 3, PR_FAULT_NONE, 0);
    assert_int_equal(waitid(P_PID, (id_t)pr_child_pid(f.child), &info, WEXITED | WNOWAIT),
                     0); /* nobody looked before */
    pr_child_event e = expect(&f, PR_CHILD_PROVED);
    assert_int_equal(e.attempt, 1);
    pr_child_event_clear(&e);
    e = expect(&f, PR_CHILD_ENDED);
    assert_true(e.has_job);
    assert_int_equal(e.attempt, 2);
    assert_non_null(strstr(e.text, "during quotients of job 0, attempt 2"));
    pr_child_event_clear(&e);
    expect_recovery(&f);
    end_fixture(&f);
}

static void test_failures_of_jobs(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    submit(&f, MISSING, 1, PR_FAULT_NONE, 0);
    pr_child_event e = expect(&f, PR_CHILD_FAILED);
    assert_int_equal(e.status, PR_ERR_INPUT);
    assert_non_null(strstr(e.text, "no-such-file.txt"));
    assert_string_equal(e.record.row.id, "gone");
    assert_null(e.record.row.proof_compressed_bytes ? e.record.proof : NULL);
    pr_child_event_clear(&e);
    submit(&f, FIB, 1, PR_FAULT_NONE, 0); /* it goes on */
    e = expect(&f, PR_CHILD_PROVED);
    pr_child_event_clear(&e);
    end_fixture(&f);
}

/* A job fails by this backend, with a word of why; on the processor it is well. */
static void expect_processor_instead(const char *backend, const char *word) {
    fixture f;
    pr_child_options o = start_options();
    pr_error err = {0};
    o.backend = backend;
    create(&f, &o);
    start(&f);
    submit(&f, FIB, 0, PR_FAULT_NONE, 0);
    pr_child_event e = expect(&f, PR_CHILD_FAILED);
    assert_int_equal(e.status, PR_ERR_BACKEND);
    assert_non_null(strstr(e.text, word));
    pr_child_event_clear(&e);
    const pr_child_task task = {.job = FIB, .attempt = 1, .cpu_only = true};
    assert_int_equal(pr_child_submit(f.child, &task, &err), PR_OK);
    e = expect(&f, PR_CHILD_PROVED);
    assert_true(verifies(&f, FIB, &e.record));
    pr_child_event_clear(&e);
    end_fixture(&f);
}

/* It computes wrongly: the child's own verifier finds it. */
static void test_self_verification(void **state) {
    (void)state;
    expect_processor_instead("broken", "verifier");
}

static void test_device_gone(void **state) {
    (void)state;
    expect_processor_instead("gone", "fell off its bus");
}

static void test_wrong_proof(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    submit(&f, FIB, 0, PR_FAULT_WRONG_PROOF, 0);
    pr_child_event e = expect(&f, PR_CHILD_PROVED); /* decodes: only verification tells */
    assert_false(verifies(&f, FIB, &e.record));
    pr_child_event_clear(&e);
    end_fixture(&f);
}

typedef struct death {
    pr_test_fault fault;
    pr_child_cause cause;
    const char *word;
} death;

static void test_deaths(void **state) {
    (void)state;
    static const death deaths[] = {{PR_FAULT_KILL, PR_CHILD_SIGNALLED, "signal 9 (Killed) during quotients of job 0"},
                                   {PR_FAULT_ABORT, PR_CHILD_SIGNALLED, "signal 6 (Aborted) during quotients"},
                                   {PR_FAULT_EXIT, PR_CHILD_EXITED, "code 3 during quotients of job 0, attempt 5"},
                                   {PR_FAULT_HANG, PR_CHILD_HUNG, "no progress for 1.0 s during quotients of job 0"},
                                   {PR_FAULT_FREEZE, PR_CHILD_HUNG, "no progress for 1.0 s during quotients"},
                                   {PR_FAULT_GRANDCHILD, PR_CHILD_SIGNALLED, "signal 9"}};
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
        fixture f;
        bool hangs = deaths[i].cause == PR_CHILD_HUNG;
        begin_fixture(&f);
        pid_t group = pr_child_pid(f.child);
        submit(&f, FIB, 5, deaths[i].fault, 0);
        if (hangs) await_stage(&f, PR_WORK_STAGE_PROVER + PR_STAGE_QUOTIENTS); /* however long that takes */
        uint64_t began = pr_clock_monotonic_ns();
        if (hangs) limit_quiet(&f, 1000);
        expect_end(&f, deaths[i].cause, deaths[i].word);
        if (hangs) assert_true(pr_clock_monotonic_ns() - began >= 900000000u);
        for (int k = 0; k < 3000 && kill(-group, 0) == 0; k++) {
            usleep(10000);
            (void)waitpid(-group, NULL, WNOHANG); /* a grandchild is ours to reap now */
        }
        assert_int_equal(kill(-group, 0), -1);
        expect_recovery(&f);
        end_fixture(&f);
    }
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void test_killed_from_outside(void **state) {
    (void)state;
    fixture f;
    siginfo_t info;
    begin_fixture(&f);
    kill(pr_child_pid(f.child), SIGKILL); /* idle */
    pr_child_event e = expect(&f, PR_CHILD_ENDED);
    assert_false(e.has_job);
    assert_int_equal(e.cause, PR_CHILD_SIGNALLED);
    assert_int_equal(e.code, SIGKILL);
    pr_child_event_clear(&e);
    expect_recovery(&f);
    kill(pr_child_pid(f.child), SIGKILL); /* dead, and written to: no SIGPIPE, its death is what is reported */
    assert_int_equal(waitid(P_PID, (id_t)pr_child_pid(f.child), &info, WEXITED | WNOWAIT), 0);
    submit(&f, FIB, 0, PR_FAULT_NONE, 0);
    expect_end(&f, PR_CHILD_SIGNALLED, "signal 9");
    expect_recovery(&f);
    end_fixture(&f);
}

/* What it said before it died counts. */
static void test_last_word(void **state) {
    (void)state;
    fixture f;
    siginfo_t info;
    begin_fixture(&f);
    submit(&f, FIB, 3, PR_FAULT_LAST_WORD, 0);
    assert_int_equal(waitid(P_PID, (id_t)pr_child_pid(f.child), &info, WEXITED | WNOWAIT), 0); /* it is dead */
    pr_child_event e = expect(&f, PR_CHILD_PROVED);
    assert_true(verifies(&f, FIB, &e.record));
    pr_child_event_clear(&e);
    e = expect(&f, PR_CHILD_ENDED);
    assert_int_equal(e.cause, PR_CHILD_SIGNALLED);
    assert_false(e.has_job);
    pr_child_event_clear(&e);
    end_fixture(&f);
}

/* The signals that Slurm and terminals send to everybody. */
static void test_ignored_signals(void **state) {
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};
    fixture f;
    begin_fixture(&f);
    assert_int_equal(getpgid(pr_child_pid(f.child)), pr_child_pid(f.child));
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) kill(pr_child_pid(f.child), signals[i]);
    submit(&f, FIB, 0, PR_FAULT_NONE, 0);
    pr_child_event e = expect(&f, PR_CHILD_PROVED);
    pr_child_event_clear(&e);
    end_fixture(&f);
}

static void test_stop(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    pr_child_stop(f.child, 30000);
    expect_end(&f, PR_CHILD_STOPPED, "stopped");
    expect_recovery(&f);
    submit(&f, FIB, 0, PR_FAULT_NONE, 0); /* busy: what it has is finished */
    pr_child_stop(f.child, 30000);
    assert_int_equal(pr_child_get_state(f.child), PR_CHILD_ENDING);
    pr_child_event e = expect(&f, PR_CHILD_PROVED);
    pr_child_event_clear(&e);
    expect_end(&f, PR_CHILD_STOPPED, "stopped");
    start(&f);
    submit(&f, FIB, 0, PR_FAULT_HANG, 0); /* does not stop, nor for SIGTERM */
    await_stage(&f, PR_WORK_STAGE_PROVER + PR_STAGE_QUOTIENTS);
    kill(pr_child_pid(f.child), SIGTERM);
    pr_child_stop(f.child, 500);
    expect_end(&f, PR_CHILD_KILLED, "did not stop within its grace during quotients");
    start(&f);
    pr_child_stop(f.child, 0);
    expect_end(&f, PR_CHILD_KILLED, "stopped at once");
    start(&f);
    submit(&f, FIB, 1, PR_FAULT_HANG, 0);
    pr_child_kill(f.child, "time limit of 1 s");
    expect_end(&f, PR_CHILD_KILLED, "killed: time limit of 1 s");
    expect_recovery(&f);
    end_fixture(&f);
}

static void test_bad_starts(void **state) {
    (void)state;
    fixture f;
    pr_error err = {0};
    pr_child_options o = start_options();
    o.program = "/no/such/program";
    create(&f, &o);
    assert_int_equal(pr_child_start(f.child, &err), PR_ERR_BACKEND);
    assert_non_null(strstr(err.text, "/no/such/program"));
    assert_int_equal(pr_child_get_state(f.child), PR_CHILD_CREATED);
    end_fixture(&f);

    o.program = "/bin/true"; /* ends at once */
    create(&f, &o);
    assert_int_equal(pr_child_start(f.child, &err), PR_OK);
    expect_end(&f, PR_CHILD_EXITED, "code 0");
    end_fixture(&f);

    static const char *const sleeps[] = {"-c", "sleep 100", NULL};
    o.program = "/bin/sh"; /* never answers */
    o.arguments = sleeps;
    o.ready_limit_ms = 500;
    create(&f, &o);
    assert_int_equal(pr_child_start(f.child, &err), PR_OK);
    expect_end(&f, PR_CHILD_HUNG, "not ready within 0.5 s");
    end_fixture(&f);
}

static void test_unready(void **state) {
    (void)state;
    fixture f;
    pr_error err = {0};
    pr_child_options o = start_options();
    o.backend = "none-such";
    create(&f, &o);
    assert_int_equal(pr_child_start(f.child, &err), PR_OK);
    pr_child_event e = expect(&f, PR_CHILD_UNREADY);
    assert_int_equal(e.status, PR_ERR_USAGE);
    assert_non_null(strstr(e.text, "none-such"));
    end_fixture(&f);

    begin_fixture(&f);
    static const char bad[] = "version: 1\nname: n\njobs: 3\n";
    const pr_hash digest = pr_blake2s_hash(bad, sizeof bad - 1);
    const pr_child_manifest m = {"bad.yaml", "/", bad, sizeof bad - 1, digest, digest};
    assert_int_equal(pr_child_give_manifest(f.child, &m, &err), PR_OK);
    const pr_child_task task = {0};
    assert_int_equal(pr_child_submit(f.child, &task, &err), PR_ERR_BACKEND); /* not ready again yet */
    e = expect(&f, PR_CHILD_UNREADY);
    assert_non_null(strstr(e.text, "bad.yaml:3"));
    static const char good[] = "version: 1\nname: n\njobs:\n"
                               "- {id: a, type: wide_fibonacci, params: {log_rows: 5, columns: 12, seed: 3}}\n";
    const pr_hash good_digest = pr_blake2s_hash(good, sizeof good - 1);
    const pr_child_manifest next = {"good.yaml", "/", good, sizeof good - 1, good_digest, good_digest};
    assert_int_equal(pr_child_give_manifest(f.child, &next, &err), PR_OK);
    e = expect(&f, PR_CHILD_READY);
    assert_int_equal(e.n_jobs, 1);
    end_fixture(&f);
}

/* A child that is not asked for anything costs nothing: no timeout, no descriptor ready. */
static void test_idle(void **state) {
    (void)state;
    fixture f;
    struct pollfd fds[PR_CHILD_MAX_FDS];
    begin_fixture(&f);
    assert_int_equal(pr_child_timeout_ms(f.child), -1);
    assert_int_equal(poll(fds, pr_child_fds(f.child, fds), 200), 0);
    end_fixture(&f);
}

int main(int argc, char **argv) {
    int code = pr_test_child_main(argc, argv);
    if (code >= 0) return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proof),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_several_after_failure),
        cmocka_unit_test(test_several_at_death),
        cmocka_unit_test(test_failures_of_jobs),
        cmocka_unit_test(test_self_verification),
        cmocka_unit_test(test_device_gone),
        cmocka_unit_test(test_wrong_proof),
        cmocka_unit_test(test_deaths),
        cmocka_unit_test(test_killed_from_outside),
        cmocka_unit_test(test_ignored_signals),
        cmocka_unit_test(test_last_word),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_bad_starts),
        cmocka_unit_test(test_unready),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
