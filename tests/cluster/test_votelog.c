/* The record of votes: what is told as durable is read back, in order, after whatever end; a journal of another run is
 * refused; nothing is told after an error. */
#include "cluster/votelog.h"
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], path[128];
static unsigned n_seen;

static int set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "test-votelog-%d", (int)getpid());
    snprintf(path, sizeof path, "%s/3.votes", folder);
    n_seen = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* Record k is k + 1 bytes of value k. */
static pr_status see(void *context, const uint8_t *record, size_t size, pr_error *err) {
    (void)context;
    if (size != n_seen % 200 + 1 || record[0] != (uint8_t)n_seen || record[size - 1] != (uint8_t)n_seen)
        return pr_fail(err, PR_ERR_MALFORMED, "record %u differs", n_seen);
    n_seen++;
    return PR_OK;
}

static pr_votelog *open_log(const char *run_id) {
    pr_votelog *l = NULL;
    pr_error err = {0};
    if (pr_votelog_open(&l, path, run_id, see, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    return l;
}

static uint64_t append(pr_votelog *l, unsigned k) {
    uint8_t bytes[200];
    memset(bytes, (int)k, sizeof bytes);
    return pr_votelog_append(l, bytes, k % 200 + 1);
}

static void await(pr_votelog *l, uint64_t number) {
    struct pollfd fd = {pr_votelog_fd(l), POLLIN, 0};
    pr_votelog_hurry(l);
    while (pr_votelog_durable(l) < number) assert_int_equal(poll(&fd, 1, 60000), 1);
}

static void test_write(void **state) {
    static const uint8_t bytes[] = {0};
    (void)state;
    assert_int_equal(pr_votelog_write(path, "a-run", bytes, 1, 1, NULL), PR_OK);
    assert_int_equal(pr_votelog_write(path, "other", bytes, 1, 1, NULL), PR_ERR_MALFORMED);
    pr_votelog *l = open_log("a-run");
    assert_int_equal(n_seen, 1);
    await(l, append(l, 1));
    pr_votelog_close(l);
    n_seen = 0;
    pr_votelog_close(open_log("a-run"));
    assert_int_equal(n_seen, 2);
}

static void test_comes_back(void **state) {
    (void)state;
    pr_votelog *l = open_log("run-a");
    for (unsigned k = 0; k < 500; k++) assert_int_equal(append(l, k), k + 1);
    await(l, 500);
    assert_int_equal(pr_votelog_check(l, NULL), PR_OK);
    assert_int_equal(pr_votelog_get_stats(l).records, 500);
    const pr_votelog_stats stats = pr_votelog_get_stats(l);
    assert_int_equal(pr_histogram_count(&stats.append_times), 500);
    assert_in_range(pr_histogram_count(&stats.sync_times), 1, 500);
    assert_true(stats.append_times.seconds > 0 && stats.sync_times.seconds > 0);
    assert_int_equal(stats.failed_appends + stats.failed_syncs, 0);
    pr_votelog_close(l);
    l = open_log("run-a");
    assert_int_equal(n_seen, 500);
    assert_int_equal(append(l, 500), 1); /* numbers are of this log alone */
    pr_votelog_close(l);                 /* writes what was given */
    n_seen = 0;
    pr_votelog_close(open_log("run-a"));
    assert_int_equal(n_seen, 501);
}

/* What nothing waits for is not written alone, but with what is wanted. */
static void test_waits_until_wanted(void **state) {
    (void)state;
    pr_votelog *l = open_log("run-a");
    struct pollfd fd = {pr_votelog_fd(l), POLLIN, 0};
    pr_votelog_hurry(l); /* for nothing: it asks for nothing later */
    for (unsigned k = 0; k < 3; k++) append(l, k);
    assert_int_equal(poll(&fd, 1, 30), 0);
    assert_int_equal(pr_votelog_durable(l), 0);
    await(l, 3);
    const pr_votelog_stats stats = pr_votelog_get_stats(l);
    assert_int_equal(pr_histogram_count(&stats.sync_times), 1);
    pr_votelog_close(l);
    pr_votelog_close(open_log("run-a"));
    assert_int_equal(n_seen, 3);
}

/* A process that is killed at once after it was told. */
static void test_survives_a_kill(void **state) {
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        pr_votelog *l = open_log("run-a");
        append(l, 0);
        await(l, append(l, 1));
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    pr_votelog_close(open_log("run-a"));
    assert_int_equal(n_seen, 2);
}

static void test_of_another_run(void **state) {
    (void)state;
    pr_votelog *l = open_log("run-a");
    pr_error err = {0};
    append(l, 0);
    pr_votelog_close(l);
    assert_int_equal(pr_votelog_open(&l, path, "run-b", see, NULL, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "run-a"));
    assert_int_equal(n_seen, 0);
}

static void test_refused_record(void **state) {
    (void)state;
    pr_votelog *l = open_log("run-a");
    pr_error err = {0};
    append(l, 5); /* not what comes first */
    pr_votelog_close(l);
    assert_int_equal(pr_votelog_open(&l, path, "run-a", see, NULL, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "record 0 differs"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waits_until_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survives_a_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_of_another_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_record, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
