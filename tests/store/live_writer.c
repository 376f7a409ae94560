/* Writes a run until standard input ends, for live_read.py: live_writer RESULTS.h5. A commit a job, a flush every 10.
 */
#include "sample.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static bool told_to_end(void) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    return poll(&in, 1, 0) > 0;
}

static pr_status put_job(pr_store *s, unsigned k, pr_error *err) {
    pr_record r;
    char id[32];
    snprintf(id, sizeof id, "job-%u", k);
    sample_record(&r, id, k % 5 ? PR_OUTCOME_APPROVED : PR_OUTCOME_FAILED, 2000, k);
    pr_status status = pr_store_put(s, &r, err);
    pr_record_clear(&r);
    PR_TRY(status);
    PR_TRY(pr_store_commit(s, err));
    return k % 10 == 9 ? pr_store_flush(s, err) : PR_OK;
}

int main(int argc, char **argv) {
    pr_store *s;
    pr_error err = {0};
    const struct timespec pause = {0, 1000000};
    const pr_attribute attributes[] = {{"run_id", "live"}};
    if (argc != 2) return 2;
    pr_status status = pr_store_create(&s, argv[1], attributes, 1, &err);
    if (status == PR_OK) puts("begun");
    fflush(stdout);
    for (unsigned k = 0; status == PR_OK && !told_to_end(); k++) {
        status = put_job(s, k, &err);
        nanosleep(&pause, NULL);
    }
    pr_error closing = {0};
    if (status == PR_OK) status = pr_store_close(s, &closing);
    if (status != PR_OK) fprintf(stderr, "%s%s\n", err.text, closing.text);
    return pr_status_exit_code(status);
}
