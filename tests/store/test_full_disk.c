/* A disk that fills while a results file is written: an error, then an ordinary end of the process. The library's own
 * clean-up at exit would write again and crash, so this is a program of its own in which nothing ran before. */
#include "base/bytes.h"
#include "store/store.h"
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

#define LIMIT ((rlim_t)400 << 10)

static char folder[] = "store-full-XXXXXX";

/* A file may not grow beyond LIMIT: writes fail like those to a full disk. */
static void fill_disk(void) {
    const struct rlimit limit = {LIMIT, LIMIT};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(90);
}

static pr_status put_proof(pr_store *s, unsigned number, pr_error *err) {
    uint8_t bytes[40000];
    pr_record r = {0};
    memset(bytes, (int)number, sizeof bytes);
    snprintf(r.row.id, sizeof r.row.id, "job-%u", number);
    r.row.outcome = PR_OUTCOME_APPROVED;
    r.row.state = PR_STATE_VERIFIED;
    r.row.proof_compressed_bytes = sizeof bytes;
    r.proof = bytes;
    PR_TRY(pr_store_put(s, &r, err));
    return pr_store_commit(s, err);
}

/* Exit code 0 when a write failed with PR_ERR_IO. */
static _Noreturn void write_until_full(const char *path) {
    pr_store *s = NULL;
    pr_error err = {0};
    const pr_attribute attributes[] = {{"run_id", "full"}};
    if (pr_store_create(&s, path, attributes, 1, &err) != PR_OK) exit(91);
    fill_disk();
    pr_status status = PR_OK;
    for (unsigned k = 1; status == PR_OK && k < 40; k++) status = put_proof(s, k, &err);
    pr_status closed = pr_store_close(s, NULL);
    exit(status == PR_ERR_IO && strstr(err.text, folder) && closed == PR_ERR_IO ? 0 : 92);
}

static void test_full_disk(void **state) {
    (void)state;
    char path[64], log[64];
    int status;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/full.h5", folder);
    snprintf(log, sizeof log, "%s/full.journal", folder);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) write_until_full(path);
    assert_int_equal(waitpid(child, &status, 0), child);
    unlink(path);
    unlink(log);
    rmdir(folder);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_full_disk)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
