/* An error of the disk at every call, one at a time: write, sync, rename, truncation, of the journal and of the results
 * file; two of the three kinds at every third call only, but for PROVERUN_TEST_LONG. The run ends with PR_ERR_IO (exit
 * 74), never by a signal, and what was acknowledged is there after a resume. */
#include "sample.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define N_JOBS 8
#define CALLS_MAX 2000
static const char *self;

/* ---- the run, in a process of its own: `test_errors run PATH`, acknowledged counts on descriptor 3 ---- */

static pr_status acknowledge(unsigned n) {
    uint8_t byte = (uint8_t)n;
    return write(3, &byte, 1) == 1 ? PR_OK : PR_ERR_INTERNAL;
}

static pr_status put_all(pr_store *s, pr_error *err) {
    for (unsigned k = 0; k < N_JOBS; k++) {
        pr_record r;
        char id[16];
        snprintf(id, sizeof id, "job-%u", k);
        sample_record(&r, id, PR_OUTCOME_APPROVED, 700, k);
        pr_status status = pr_store_put(s, &r, err);
        pr_record_clear(&r);
        PR_TRY(status);
        PR_TRY(pr_store_commit(s, err));
        PR_TRY(acknowledge(k + 1));
        if (k % 3 == 2) PR_TRY(pr_store_flush(s, err));
    }
    return PR_OK;
}

static pr_status session(pr_store *s, pr_error *err) {
    pr_session_row row = {.ranks = 1, .jobs = N_JOBS, .status = "running"};
    PR_TRY(pr_store_begin_session(s, &row, err));
    PR_TRY(put_all(s, err));
    return pr_store_end_session(s, &row, err);
}

static int run(const char *path) {
    pr_store *s = NULL;
    pr_error err = {0};
    const pr_attribute attributes[] = {{"run_id", "errors"}};
    pr_status status = pr_store_create(&s, path, attributes, 1, &err);
    if (status == PR_OK) {
        status = session(s, &err);
        pr_error second = {0};
        pr_status closed = pr_store_close(s, &second);
        if (status == PR_OK && closed != PR_OK) {
            status = closed;
            err = second;
        }
    }
    if (status != PR_OK && !err.text[0]) return 91;
    return pr_status_exit_code(status);
}

/* ---- from outside ---- */

/* Exit code of the run, and what it acknowledged. */
static int try_run(unsigned *acknowledged, const char *path, unsigned at, const char *how) {
    int ends[2], status;
    char number[16];
    uint8_t byte;
    assert_int_equal(pipe(ends), 0);
    snprintf(number, sizeof number, "%u", at);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 3);
        setenv("LD_PRELOAD", PR_SHIM, 1);
        setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
        setenv("PR_SHIM_PATH", sample_folder(), 1);
        setenv("PR_SHIM_AT", number, 1);
        setenv("PR_SHIM_HOW", how, 1);
        execl(self, self, "run", path, (char *)NULL);
        _exit(90);
    }
    close(ends[1]);
    *acknowledged = 0;
    while (read(ends[0], &byte, 1) == 1) *acknowledged = byte;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status)) fail_msg("call %u (%s): ended by signal %d", at, how, WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void expect_acknowledged(const char *path, unsigned n, unsigned at, const char *how) {
    bool rebuilt = false;
    pr_error e = {0};
    pr_results *r;
    pr_status status = pr_store_repair(&rebuilt, path, &e);
    if (n == 0) return; /* there may be nothing at all */
    if (status != PR_OK || !rebuilt) fail_msg("call %u (%s): %s", at, how, e.text);
    assert_int_equal(pr_results_open(&r, path, NULL), PR_OK);
    for (unsigned k = 0; k < n; k++) {
        uint8_t *data;
        size_t size;
        char id[16];
        snprintf(id, sizeof id, "job-%u", k);
        if (pr_results_read_proof(r, id, &data, &size, NULL) != PR_OK)
            fail_msg("call %u (%s): %s was acknowledged and is lost", at, how, id);
        free(data);
    }
    pr_results_close(r);
}

static void fail_each_call(const char *how, unsigned stride) {
    char path[128];
    unsigned at = 1, acknowledged, n_failed = 0, n_partly = 0;
    if (getenv("PROVERUN_TEST_LONG")) stride = 1;
    sample_path(path, "run.h5");
    for (;; at += stride) {
        assert_true(at < CALLS_MAX);
        int code = try_run(&acknowledged, path, at, how);
        if (code != 0 && code != 74) fail_msg("call %u (%s): exit code %d", at, how, code);
        n_failed += code == 74;
        n_partly += code == 74 && acknowledged > 0 && acknowledged < N_JOBS;
        expect_acknowledged(path, acknowledged, at, how);
        sample_remove(path);
        if (code == 0) break; /* the run has no more calls than that */
    }
    assert_int_equal(acknowledged, N_JOBS);
    printf("%s: %u calls, %u runs failed, %u of them with jobs acknowledged before\n", how, at, n_failed, n_partly);
    assert_true(n_failed >= 100 / stride && n_partly >= 50 / stride);
}

static void test_error(void **state) {
    (void)state;
    fail_each_call("error", 1);
}
static void test_short_write(void **state) {
    (void)state;
    fail_each_call("short", 3);
}
static void test_disk_that_stays_broken(void **state) {
    (void)state;
    fail_each_call("stay", 3);
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "run")) return run(argv[2]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_short_write),
        cmocka_unit_test(test_disk_that_stays_broken),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
