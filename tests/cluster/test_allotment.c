/* The end of an allotment: --max-time, and what Slurm says through a stand-in for squeue. */
#include "base/clock.h"
#include "cluster/allotment.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
static char folder[] = "/tmp/proverun-allotment-XXXXXX", program[sizeof folder + 8];
static uint64_t began_ns;

static void clear_slurm(void) {
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_JOB_END_TIME");
    unsetenv("SLURM_HET_SIZE");
}

/* squeue prints the text, in which %1, %2, %3 stand for the ends in 100, 200 and 300 seconds. It wants job 7. */
static void let_squeue_say(const char *text) {
    FILE *f = fopen(program, "w");
    assert_non_null(f);
    fputs("#!/bin/sh\n[ \"$*\" = '-h -j 7 -o %A %e' ] || exit 1\n/bin/cat <<TEXT\n", f);
    for (const char *c = text; *c; c++) {
        if (*c != '%') {
            fputc(*c, f);
            continue;
        }
        time_t end = time(NULL) + 100 * (*++c - '0');
        char stamp[32];
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", localtime(&end));
        fputs(stamp, f);
    }
    fputs("TEXT\n", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(program, 0755), 0);
}

/* An end that many seconds after it was asked for, which was between the start of this program and now, however long
 * that is; squeue tells whole seconds, so it may be one earlier. -1: no end. */
static void expect_end(int seconds, uint64_t max_time_ns, pr_error *err) {
    pr_allotment a;
    memset(err, 0, sizeof *err);
    assert_int_equal(pr_allotment_find(&a, max_time_ns, err), PR_OK);
    const uint64_t took_ns = pr_clock_monotonic_ns() - began_ns, wanted_ns = (uint64_t)seconds * SECOND;
    if (seconds < 0)
        assert_int_equal(a.end_ns, 0);
    else
        assert_in_range(a.end_ns - began_ns, wanted_ns - SECOND, wanted_ns + took_ns);
}

static void expect_left(int seconds, const char *squeue) {
    pr_error err;
    let_squeue_say(squeue);
    expect_end(seconds, 0, &err);
    assert_string_equal(err.text, "");
}

static void test_job(void **state) {
    (void)state;
    clear_slurm();
    setenv("SLURM_JOB_ID", "7", 1);
    expect_left(200, "7 %2\n");
    expect_left(-1, "7 NONE\n"); /* no limit */
}

/* The last task of an array has the array's number: squeue lists them all, those that wait as well. */
static void test_array(void **state) {
    (void)state;
    clear_slurm();
    setenv("SLURM_JOB_ID", "7", 1);
    expect_left(200, "9 %1\n7 %2\n7 N/A\n77 %1\n");
}

static void test_heterogeneous(void **state) {
    (void)state;
    clear_slurm();
    setenv("SLURM_JOB_ID", "7", 1);
    setenv("SLURM_HET_SIZE", "2", 1);
    expect_left(100, "8 %1\n7 %3\n"); /* it ends with its first part */
    expect_left(300, "8 NONE\n7 %3\n");
    expect_left(-1, "8 NONE\n7 NONE\n");
}

static void test_silence_is_told(void **state) {
    pr_error err;
    (void)state;
    clear_slurm();
    setenv("SLURM_JOB_ID", "7", 1);
    let_squeue_say("9 %1\nslurm_load_jobs error: Invalid job id specified\n");
    expect_end(-1, 0, &err);
    assert_non_null(strstr(err.text, "Slurm job 7"));
    assert_int_equal(unlink(program), 0);
    expect_end(50, 50 * SECOND, &err);
    assert_non_null(strstr(err.text, "Slurm job 7"));
}

static void test_first_end_counts(void **state) {
    pr_error err;
    (void)state;
    clear_slurm();
    expect_end(-1, 0, &err);
    expect_end(50, 50 * SECOND, &err);
    setenv("SLURM_JOB_ID", "7", 1);
    let_squeue_say("7 %2\n");
    expect_end(50, 50 * SECOND, &err);
    expect_end(200, 500 * SECOND, &err);
    char end[32]; /* newer Slurm says it itself */
    snprintf(end, sizeof end, "%lld", (long long)time(NULL) + 100);
    setenv("SLURM_JOB_END_TIME", end, 1);
    expect_end(100, 0, &err);
}

static void ignore(int number) { (void)number; }

/* A signal is no answer: squeue is waited for all the same. */
static void test_signals_meanwhile(void **state) {
    const struct sigaction action = {.sa_handler = ignore};
    const struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
    pr_error err;
    (void)state;
    clear_slurm();
    setenv("SLURM_JOB_ID", "7", 1);
    let_squeue_say("7 %2\n`/bin/sleep 0.2`\n");
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    expect_end(200, 0, &err);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_string_equal(err.text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job),
        cmocka_unit_test(test_array),
        cmocka_unit_test(test_heterogeneous),
        cmocka_unit_test(test_first_end_counts),
        cmocka_unit_test(test_silence_is_told),
        cmocka_unit_test(test_signals_meanwhile),
    };
    began_ns = pr_clock_monotonic_ns();
    if (!mkdtemp(folder)) return 1;
    snprintf(program, sizeof program, "%s/squeue", folder);
    setenv("PATH", folder, 1); /* no real squeue */
    setenv("TZ", "UTC", 1);    /* where no hour comes twice */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(program);
    (void)rmdir(folder);
    return failed;
}
