/* proverun itself as the child: its backends and job types, the place it is given, and faults only where they are built
 * in. */
#include "support.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void prove(fixture *f, uint32_t attempt) {
    submit(f, FIB, attempt, PR_FAULT_NONE, 0);
    pr_child_event e = expect(f, PR_CHILD_PROVED);
    assert_true(verifies(f, FIB, &e.record));
    pr_child_event_clear(&e);
}

#if defined(PR_HAVE_CUDA_EMU) && !defined(__SANITIZE_ADDRESS__) /* which keeps what is freed, and is slow */
#define TEST_KEPT_MEMORY
/* On a device's backend it keeps its prover for a job that was spoken of; when that does not come, its memory goes. */
static void test_kept_memory(void **state) {
    (void)state;
    enum { TRACE_KIB = 100 << 8 }; /* 2^16 words a column */
    fixture f;
    pr_error err = {0};
    pr_child_options o = start_options();
    o.program = PR_PROVERUN;
    o.backend = "cuda-emu";
    create(&f, &o);
    start(&f);
    unsigned long kept = 0;
    for (uint32_t n = 1; n <= 5 && kept <= 3 * TRACE_KIB;
         n++) { /* once more where this test had no turn for two seconds */
        const pr_child_task task = {.job = WIDE, .attempt = n, .n_next = 1, .next = {FIB}};
        assert_int_equal(pr_child_submit(f.child, &task, &err), PR_OK);
        pr_child_event e = expect(&f, PR_CHILD_PROVED);
        pr_child_event_clear(&e);
        kept = resident_kib(pr_child_pid(f.child));
    }
    assert_true(kept > 3 * TRACE_KIB); /* columns, and their extensions */
    for (int waited = 0; resident_kib(pr_child_pid(f.child)) + 2 * TRACE_KIB > kept; waited++) {
        if (waited == 12000) fail_msg("%lu KiB are kept", kept);
        usleep(10000);
    }
    prove(&f, 1);
    end_fixture(&f);
}
#endif

static size_t last_allowed(const cpu_set_t *set) {
    size_t last = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, set)) last = i;
    return last;
}

/* One processor of several, no GPU: in force in the child, and not here. */
static void test_place(void **state) {
    (void)state;
    static char environment[1 << 16];
    fixture f;
    cpu_set_t own, after, its;
    char place[128];
    pr_child_options o = start_options();
    assert_int_equal(sched_getaffinity(0, sizeof own, &own), 0);
    size_t cpu = last_allowed(&own);
    snprintf(place, sizeof place, "cpus=%zu;nodes=;threads=1;bytes=0;gpu=;bus=", cpu);
    o.program = PR_PROVERUN;
    o.place = place;
    create(&f, &o);
    start(&f);
    assert_int_equal(sched_getaffinity(pr_child_pid(f.child), sizeof its, &its), 0);
    assert_int_equal(CPU_COUNT(&its), 1);
    assert_true(CPU_ISSET(cpu, &its));
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&own, &after));
    read_proc(environment, sizeof environment, pr_child_pid(f.child), "environ");
    assert_non_null(strstr(environment, "CUDA_VISIBLE_DEVICES=\n"));
    assert_non_null(strstr(environment, "CUDA_DEVICE_ORDER=PCI_BUS_ID\n"));
    prove(&f, 0);
    end_fixture(&f);
}

static void test_false_place(void **state) {
    (void)state;
    fixture f;
    pr_error err = {0};
    pr_child_options o = start_options();
    o.program = PR_PROVERUN;
    o.place = "somewhere";
    create(&f, &o);
    assert_int_equal(pr_child_start(f.child, &err), PR_OK);
    pr_child_event e = expect(&f, PR_CHILD_ENDED);
    assert_int_equal(e.cause, PR_CHILD_EXITED);
    assert_int_not_equal(e.code, 0);
    pr_child_event_clear(&e);
    end_fixture(&f);
}

/* A program that users run cannot be made to fail by a variable or a message. */
static void test_no_faults_in_program(void **state) {
    (void)state;
    fixture f;
    pr_child_options o = start_options();
    setenv("PROVERUN_TEST_FAULTS", "0.*:kill", 1);
    o.program = PR_PROVERUN;
    create(&f, &o);
    start(&f);
    prove(&f, 0);
    submit(&f, FIB, 1, PR_FAULT_ABORT, 0);
    pr_child_event e = expect(&f, PR_CHILD_PROVED);
    pr_child_event_clear(&e);
    end_fixture(&f);
    unsetenv("PROVERUN_TEST_FAULTS");
}

static void test_faults_by_environment(void **state) {
    (void)state;
    fixture f;
    pr_child_options o = start_options();
    setenv("PROVERUN_TEST_FAULTS", "1.0:exit,0.1:kill", 1);
    o.program = PR_PROVERUN_FAULTY;
    create(&f, &o);
    start(&f);
    prove(&f, 0);
    submit(&f, FIB, 1, PR_FAULT_NONE, 0);
    expect_end(&f, PR_CHILD_SIGNALLED, "signal 9 (Killed) during quotients of job 0, attempt 1");
    start(&f);
    prove(&f, 2);
    end_fixture(&f);
    unsetenv("PROVERUN_TEST_FAULTS");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef TEST_KEPT_MEMORY
        cmocka_unit_test(test_kept_memory),
#endif
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_false_place),
        cmocka_unit_test(test_no_faults_in_program),
        cmocka_unit_test(test_faults_by_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
