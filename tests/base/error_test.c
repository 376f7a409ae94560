/* Errors: their text, place and exit code; one line and terminated whatever comes. */
#include "base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

static void test_text(void **state) {
    (void)state;
    pr_error err = {0};
    assert_int_equal(pr_fail(&err, PR_ERR_MEMORY, "need %d bytes", 7), PR_ERR_MEMORY);
    assert_int_equal(err.status, PR_ERR_MEMORY);
    assert_string_equal(err.text, "need 7 bytes");
    assert_int_equal(pr_fail(NULL, PR_ERR_IO, "%s", "nobody listens"), PR_ERR_IO);
}

static void test_place(void **state) {
    (void)state;
    pr_error err = {0};
    assert_int_equal(pr_fail_at(&err, PR_ERR_USAGE, "jobs.yaml", 3, 14, "unknown key '%s'", "typ"), PR_ERR_USAGE);
    assert_string_equal(err.text, "jobs.yaml:3:14: unknown key 'typ'");
    assert_int_equal(pr_fail_at(&err, PR_ERR_USAGE, "jobs.yaml", 3, 0, "bad"), PR_ERR_USAGE);
    assert_string_equal(err.text, "jobs.yaml:3: bad");
    assert_int_equal(pr_fail_at(&err, PR_ERR_USAGE, "jobs.yaml", 0, 14, "bad"), PR_ERR_USAGE);
    assert_string_equal(err.text, "jobs.yaml: bad");
    assert_int_equal(pr_fail_at(NULL, PR_ERR_INPUT, "x", 1, 1, "bad"), PR_ERR_INPUT);
}

static void test_context(void **state) {
    (void)state;
    pr_error err = {0};
    (void)pr_fail(&err, PR_ERR_IO, "disk full");
    assert_int_equal(pr_fail_context(&err, "job %u", 12u), PR_ERR_IO);
    assert_string_equal(err.text, "job 12: disk full");
    assert_int_equal(pr_fail(&err, PR_ERR_INPUT, "again: %s", err.text), PR_ERR_INPUT); /* its own text as argument */
    assert_string_equal(err.text, "again: job 12: disk full");
    assert_int_equal(pr_fail_context(NULL, "x"), PR_ERR_INTERNAL);
}

static void test_one_line_and_terminated(void **state) {
    (void)state;
    struct {
        pr_error err;
        char guard[16];
    } box;
    memset(&box, 'g', sizeof box);
    char text[4000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    text[5] = '\n', text[6] = '\t';
    (void)pr_fail_at(&box.err, PR_ERR_USAGE, text, 1, 1, "%s", text);
    assert_int_equal(strlen(box.err.text), sizeof box.err.text - 1);
    assert_null(strpbrk(box.err.text, "\n\t"));
    (void)pr_fail_context(&box.err, "%s", "context");
    assert_int_equal(strlen(box.err.text), sizeof box.err.text - 1);
    assert_memory_equal(box.err.text, "context: xxxxx  xx", 18);
    for (size_t k = 0; k < sizeof box.guard; k++) assert_int_equal(box.guard[k], 'g');
}

static void test_codes(void **state) {
    (void)state;
    static const int codes[] = {0, 2, 1, 1, 70, 74, 1, 70, 70, 75, 70};
    for (int k = 0; k <= (int)PR_ERR_INTERNAL; k++) {
        assert_int_equal(pr_status_exit_code((pr_status)k), codes[k]);
        assert_string_not_equal(pr_status_name((pr_status)k), "unknown");
        for (int j = 0; j < k; j++) assert_string_not_equal(pr_status_name((pr_status)k), pr_status_name((pr_status)j));
    }
    assert_string_equal(pr_status_name((pr_status)99), "unknown");
}

static pr_status passes_on(pr_status status) {
    PR_TRY(status);
    return PR_OK;
}

static void test_try(void **state) {
    (void)state;
    assert_int_equal(passes_on(PR_OK), PR_OK);
    assert_int_equal(passes_on(PR_ERR_MPI), PR_ERR_MPI);
}

static void test_assert_aborts(void **state) {
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr)) _exit(3);
        PR_ASSERT(child != 0);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),         cmocka_unit_test(test_place),
        cmocka_unit_test(test_context),      cmocka_unit_test(test_one_line_and_terminated),
        cmocka_unit_test(test_codes),        cmocka_unit_test(test_try),
        cmocka_unit_test(test_assert_aborts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
