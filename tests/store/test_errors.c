/* An error of the disk at every call, one at a time: write, sync, rename, truncation, of the journal and of the results
 * file; two of the three kinds at every third call only, but for PROVERUN_TEST_LONG. The run ends with PR_ERR_IO (exit
 * 74), never by a signal, and what was acknowledged is there after a resume. A repair that is killed at any call loses
 * nothing either, and whoever opens a journal, or makes a folder, has synced what he goes on from. */
#include "sample.h"
#include "store/journal.h"
#include <dirent.h>
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

/* ---- further programs: `test_errors open JOURNAL`, `folders PATH`, `repair PATH` ---- */

static int open_journal(const char *path) {
    pr_journal *j = NULL;
    pr_status status = pr_journal_open(&j, path, NULL, NULL, NULL);
    pr_journal_close(j);
    return pr_status_exit_code(status);
}

static int make_folders(const char *path) { return pr_status_exit_code(pr_file_make_folders(path, NULL)); }

static int repair(const char *path) {
    bool lost;
    pr_writer told;
    pr_writer_init(&told);
    pr_status status = pr_store_salvage(&lost, &told, path, NULL);
    pr_writer_clear(&told);
    return pr_status_exit_code(status);
}

static int run_word(const char *word, const char *path) {
    if (!strcmp(word, "run")) return run(path);
    if (!strcmp(word, "open")) return open_journal(path);
    if (!strcmp(word, "folders")) return make_folders(path);
    return !strcmp(word, "repair") ? repair(path) : 92;
}

/* ---- from outside ---- */

static _Noreturn void become(const char *word, const char *path, unsigned at, const char *how) {
    char number[16];
    snprintf(number, sizeof number, "%u", at);
    setenv("LD_PRELOAD", PR_SHIM, 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    setenv("PR_SHIM_PATH", sample_folder(), 1);
    setenv("PR_SHIM_AT", number, 1);
    setenv("PR_SHIM_HOW", how, 1);
    execl(self, self, word, path, (char *)NULL);
    _exit(90);
}

/* Exit code, or 128 and the signal. */
static int try_word(const char *word, const char *path, unsigned at, const char *how) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) become(word, path, at, how);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Exit code of the run, and what it acknowledged. */
static int try_run(unsigned *acknowledged, const char *path, unsigned at, const char *how) {
    int ends[2], status;
    uint8_t byte;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 3);
        become("run", path, at, how);
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

/* What a killed writer left in the cache of the disk is read, and acted on, only when it is on the disk. */
static void test_opening_syncs(void **state) {
    (void)state;
    char path[128], log[160];
    unsigned acknowledged;
    sample_path(path, "run.h5");
    assert_int_equal(try_run(&acknowledged, path, CALLS_MAX, "error"), 0);
    assert_int_equal(pr_store_journal_path(log, sizeof log, path, NULL), PR_OK);
    assert_int_equal(try_word("open", log, 1, "error"), 74); /* its last segment */
    assert_int_equal(try_word("open", log, 2, "error"), 74); /* the folder */
    assert_int_equal(try_word("open", log, 3, "error"), 0);
    sample_remove(path);
}

static void test_new_folders_are_synced(void **state) {
    (void)state;
    char path[128], part[128];
    sample_path(part, "a");
    sample_path(path, "a/b");
    for (unsigned at = 1; at <= 3; at++) {
        assert_int_equal(try_word("folders", path, at, "error"), at < 3 ? 74 : 0);
        assert_int_equal(rmdir(path) == 0, at > 1);
        assert_int_equal(rmdir(part), 0);
    }
}

/* ---- a repair that is killed ---- */

static pr_status copy_frame(void *journal, const pr_frame *f, pr_error *err) {
    PR_TRY(pr_journal_append(journal, f, err));
    return pr_journal_sync(journal, err);
}

/* A run whose journal has several segments, one of them with a damaged record, and no results file to help. */
static void make_damaged(const char *path, const char *log) {
    char whole[176];
    unsigned acknowledged;
    pr_journal *j = NULL;
    pr_scan scan = {.visit = copy_frame};
    snprintf(whole, sizeof whole, "%s-whole", log);
    assert_int_equal(try_run(&acknowledged, path, CALLS_MAX, "error"), 0);
    assert_int_equal(rename(log, whole), 0);
    assert_int_equal(pr_journal_create(&j, log, "errors", NULL), PR_OK);
    pr_journal_set_segment_bytes(j, 4000);
    scan.context = j;
    assert_int_equal(pr_journal_scan(&scan, whole, NULL), PR_OK);
    pr_journal_close(j);
    scan = (pr_scan){0};
    assert_int_equal(pr_journal_scan(&scan, log, NULL), PR_OK);
    assert_true(scan.n_segments >= 3);
    assert_int_equal(unlink(whole), 0);
    assert_int_equal(unlink(path), 0);
    snprintf(whole, sizeof whole, "%s.1", log);
    FILE *f = fopen(whole, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 184 + 40 + 60, SEEK_SET), 0);
    assert_int_equal(fputs("damage", f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

/* Whatever a killed one leaves. */
static void empty_folder(void) {
    char name[400];
    DIR *d = opendir(sample_folder());
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        snprintf(name, sizeof name, "%s/%s", sample_folder(), e->d_name);
        if (e->d_name[0] != '.') assert_int_equal(unlink(name), 0);
    }
    closedir(d);
}

static size_t n_good(const char *path) {
    pr_results *r;
    uint8_t *data;
    size_t size, n = 0;
    assert_int_equal(pr_results_open(&r, path, NULL), PR_OK);
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        if (pr_results_read_proof(r, pr_results_job(r, i)->id, &data, &size, NULL) != PR_OK) continue;
        free(data);
        n++;
    }
    pr_results_close(r);
    return n;
}

/* That a whole repair makes. */
static unsigned count_calls(const char *path) {
    char name[128];
    uint8_t *text;
    size_t size;
    unsigned n = 0;
    sample_path(name, "calls");
    setenv("PR_SHIM_LOG", name, 1);
    assert_int_equal(try_word("repair", path, CALLS_MAX, "kill"), 0);
    unsetenv("PR_SHIM_LOG");
    assert_int_equal(pr_file_read(&text, &size, name, 100, NULL), PR_OK);
    assert_int_equal(sscanf((const char *)text, "calls %u", &n), 1);
    free(text);
    return n;
}

/* Whether the next one only had to finish it. */
static bool kill_repair(const char *path, const char *log, unsigned at) {
    bool rebuilt, lost;
    pr_error e = {0};
    make_damaged(path, log);
    assert_int_equal(try_word("repair", path, at, "kill"), 128 + SIGKILL);
    pr_status status = pr_store_repair(&rebuilt, path, &e);
    bool finished = status == PR_OK && rebuilt;
    if (status == PR_ERR_MALFORMED) {
        pr_writer told;
        pr_writer_init(&told);
        status = pr_store_salvage(&lost, &told, path, &e);
        pr_writer_clear(&told);
        rebuilt = true;
    }
    if (status != PR_OK || !rebuilt) fail_msg("killed at call %u: %s", at, e.text);
    if (n_good(path) != N_JOBS - 1) fail_msg("killed at call %u: %zu jobs are left", at, n_good(path));
    empty_folder();
    return finished;
}

#define LAST_CALLS 14u /* renames among them */

static void test_killed_repair(void **state) {
    (void)state;
    char path[128], log[160];
    unsigned n_finished = 0, stride = getenv("PROVERUN_TEST_LONG") ? 1 : 24;
    sample_path(path, "run.h5");
    assert_int_equal(pr_store_journal_path(log, sizeof log, path, NULL), PR_OK);
    make_damaged(path, log);
    unsigned n = count_calls(path);
    empty_folder();
    assert_true(n > LAST_CALLS);
    for (unsigned at = 1; at <= n; at += at + LAST_CALLS < n ? stride : 1) n_finished += kill_repair(path, log, at);
    printf("of %u calls, %u after which the next repair only finished\n", n, n_finished);
    assert_true(n_finished >= 6);
}

int main(int argc, char **argv) {
    if (argc == 3) return run_word(argv[1], argv[2]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_short_write),
        cmocka_unit_test(test_disk_that_stays_broken),
        cmocka_unit_test(test_opening_syncs),
        cmocka_unit_test(test_new_folders_are_synced),
        cmocka_unit_test(test_killed_repair),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
