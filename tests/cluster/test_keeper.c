/* The writing thread: what it tells as kept is in the journal, in order; many records share an fsync; an error is final
 * and nothing after it is told as kept; a metrics textfile that cannot be written is none of that. Under the thread
 * sanitizer (preset thread) this is also the test that its locks suffice. */
#include "../store/sample.h"
#include "cluster/keeper.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { MANY = 400, TOGETHER = 300 };
static const char path[] = "keeper-test.h5";

static pr_store *create_store(void) {
    static const pr_attribute attributes[] = {{"run_id", "keeper"}};
    pr_store *s = NULL;
    pr_error e = {0};
    sample_remove(path);
    if (pr_store_create(&s, path, attributes, 1, &e) != PR_OK) fail_msg("%s", e.text);
    return s;
}

static pr_keeper *create(pr_store *s, uint64_t flush_ns) {
    pr_keeper *k = NULL;
    pr_error e = {0};
    assert_int_equal(pr_keeper_create(&k, s, flush_ns, &e), PR_OK);
    return k;
}

static void put(pr_keeper *k, uint32_t token, size_t proof_bytes) {
    char id[32];
    pr_record r;
    snprintf(id, sizeof id, "job-%u", token);
    sample_record(&r, id, PR_OUTCOME_APPROVED, proof_bytes, token + 1);
    pr_keeper_put(k, &r, token);
    assert_null(r.proof); /* the contents are the keeper's */
}

static void await(pr_keeper *k) {
    struct pollfd fd = {pr_keeper_fd(k), POLLIN, 0};
    assert_int_equal(poll(&fd, 1, 60000), 1);
}

/* Tokens from *next on, in order, as far as they are told. */
static void take_some(pr_keeper *k, uint32_t *next) {
    uint32_t token;
    while (pr_keeper_take(k, &token)) assert_int_equal(token, (*next)++);
}

static size_t n_jobs_in_file(void) {
    pr_results *r = NULL;
    pr_error e = {0};
    if (pr_results_open(&r, path, &e) != PR_OK) fail_msg("%s", e.text);
    size_t n = pr_results_n_jobs(r);
    pr_results_close(r);
    return n;
}

static void give_file(pr_keeper *k, const char *to) { pr_keeper_file(k, to, strdup("proverun_ranks 2\n"), 17); }

/* The thread waits at a pipe that nobody reads, with what it is given meanwhile. */
static void hold(pr_keeper *k) {
    unlink("keeper-test.pipe");
    assert_int_equal(mkfifo("keeper-test.pipe", 0600), 0);
    give_file(k, "keeper-test.pipe");
}
static int let_go(void) {
    int reader = open("keeper-test.pipe", O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    return reader;
}
static void forget_hold(int reader) {
    close(reader);
    unlink("keeper-test.pipe");
}

/* The first ones wait together, the last ones come while it writes. */
static void test_kept_in_order(void **state) {
    (void)state;
    uint32_t next = 0;
    int reader = -1;
    pr_error e = {0};
    pr_store *s = create_store();
    pr_keeper *k = create(s, 50000000u);
    hold(k);
    for (uint32_t i = 0; i < MANY; i++) {
        if (i == TOGETHER) reader = let_go();
        put(k, i, 2000);
        pr_keeper_event(k, PR_EVENT_NOTE, 3, "job-1", "an event between");
        if (i % 16 == 0) take_some(k, &next);
    }
    while (next < MANY) {
        await(k);
        take_some(k, &next);
        assert_int_equal(pr_keeper_check(k, &e), PR_OK);
    }
    pr_keeper_stats stats = pr_keeper_get_stats(k);
    assert_int_equal(stats.records, MANY);
    assert_in_range(stats.commits, 1, 2 + 2 * (MANY - TOGETHER)); /* records share one */
    assert_true(stats.journal_bytes == 0 || stats.journal_bytes > 2000);
    assert_int_equal(pr_keeper_finish(k, &e), PR_OK);
    assert_true(pr_keeper_get_stats(k).flushes > 0);
    pr_keeper_destroy(k);
    forget_hold(reader);
    assert_int_equal(pr_store_close(s, &e), PR_OK);
    assert_int_equal(n_jobs_in_file(), MANY);
    sample_remove(path);
}

/* Files may not grow beyond some bytes: the journal's next write fails. */
static void limit_files(rlim_t bytes, struct rlimit *before) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, before), 0);
    limit = (struct rlimit){bytes, before->rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Whoever gives more than the disk takes is told to wait. */
static void test_full(void **state) {
    (void)state;
    const size_t large = (size_t)66 << 20;
    struct rlimit before;
    pr_store *s = create_store();
    pr_keeper *k = create(s, UINT64_MAX / 4);
    hold(k);
    limit_files(1 << 16, &before); /* for the proofs below are too large for a test: they fail */
    for (uint32_t i = 0; i < 8; i++) {
        pr_record r;
        assert_false(pr_keeper_is_full(k));
        sample_record(&r, "large", PR_OUTCOME_APPROVED, 1, 1);
        free(r.proof);
        r.proof = calloc(1, r.row.proof_compressed_bytes = large); /* never touched until it is written */
        assert_non_null(r.proof);
        pr_keeper_put(k, &r, i);
    }
    assert_true(pr_keeper_is_full(k));
    const int reader = let_go();
    while (pr_keeper_check(k, NULL) == PR_OK) await(k);
    assert_int_equal(pr_keeper_finish(k, NULL), PR_ERR_IO);
    assert_false(pr_keeper_is_full(k));
    pr_keeper_destroy(k);
    assert_int_equal(pr_store_close(s, NULL), PR_ERR_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    forget_hold(reader);
    sample_remove(path);
}

static void test_an_error_is_final(void **state) {
    (void)state;
    struct rlimit before;
    uint32_t next = 0, token;
    pr_error e = {0};
    pr_store *s = create_store();
    pr_keeper *k = create(s, UINT64_MAX / 4);
    for (uint32_t i = 0; i < 5; i++) put(k, i, 1000);
    while (next < 5) {
        await(k);
        take_some(k, &next);
    }
    limit_files(1 << 16, &before);
    for (uint32_t i = 5; i < 200; i++) put(k, i, 1000);
    while (pr_keeper_check(k, NULL) == PR_OK) await(k);
    while (pr_keeper_take(k, &token)) next++;
    assert_true(next < 200);
    setrlimit(RLIMIT_FSIZE, &before);
    for (uint32_t i = 200; i < 210; i++) put(k, i, 1000); /* the disk is well again: too late */
    assert_int_equal(pr_keeper_finish(k, &e), PR_ERR_IO);
    assert_non_null(strstr(e.text, "keeper-test"));
    assert_false(pr_keeper_take(k, &token));
    pr_keeper_destroy(k);
    assert_int_equal(pr_store_close(s, NULL), PR_ERR_IO);
    /* what was told as kept is there */
    assert_int_equal(pr_store_reopen(&s, path, &e), PR_OK);
    assert_int_equal(pr_store_close(s, &e), PR_OK);
    assert_true(n_jobs_in_file() >= next);
    sample_remove(path);
}

/* Metrics are not the truth: that they cannot be written is counted and told, and the run goes on. */
static void test_metrics_that_cannot_be_written(void **state) {
    (void)state;
    uint32_t next = 0;
    char text[256];
    pr_error e = {0};
    pr_store *s = create_store();
    pr_keeper *k = create(s, UINT64_MAX / 4);
    assert_false(pr_keeper_file_error(k, text, sizeof text));
    give_file(k, "no-such-folder/m.prom");
    give_file(k, "no-such-folder/m.prom");
    put(k, 0, 100);
    while (next < 1) {
        await(k);
        take_some(k, &next);
    }
    assert_int_equal(pr_keeper_check(k, &e), PR_OK);
    assert_int_equal(pr_keeper_get_stats(k).file_errors, 2);
    assert_true(pr_keeper_file_error(k, text, sizeof text));
    assert_non_null(strstr(text, "no-such-folder/m.prom"));
    give_file(k, "keeper-test.prom");
    put(k, 1, 100);
    while (next < 2) {
        await(k);
        take_some(k, &next);
    }
    assert_false(pr_keeper_file_error(k, text, sizeof text)); /* well again */
    give_file(k, "no-such-folder/m.prom");
    give_file(k, "keeper-test.prom");
    put(k, 2, 100);
    while (next < 3) {
        await(k);
        take_some(k, &next);
    }
    assert_true(pr_keeper_file_error(k, text, sizeof text)); /* though the next one was written before anybody asked */
    assert_non_null(strstr(text, "no-such-folder/m.prom"));
    assert_false(pr_keeper_file_error(k, text, sizeof text));
    assert_int_equal(access("keeper-test.prom", R_OK), 0);
    assert_int_equal(unlink("keeper-test.prom"), 0);
    assert_int_equal(pr_keeper_finish(k, &e), PR_OK);
    pr_keeper_destroy(k);
    assert_int_equal(pr_store_close(s, &e), PR_OK);
    sample_remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_in_order),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_an_error_is_final),
        cmocka_unit_test(test_metrics_that_cannot_be_written),
    };
    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
