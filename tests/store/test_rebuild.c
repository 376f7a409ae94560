/* The results file is a function of the journal: made again it has the same content, whatever the flushes were. A
 * damaged journal gives what can be read and tells what is lost; several files make one. */
#include "sample.h"
#include "base/random.h"
#include "store/journal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

static void must(pr_status status, const pr_error *e) {
    if (status != PR_OK) fail_msg("%s", e->text);
}

#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* A random step of a run: the journal gets all kinds of frames, the file is flushed now and then. */
static void step(pr_store *s, pr_prng *g, unsigned number) {
    pr_error e = {0};
    char id[32];
    pr_rank_row rank = {.rank = 1, .state = PR_ACTIVITY_PROVING};
    snprintf(id, sizeof id, "job-%u", number);
    switch (pr_prng_below(g, 6)) {
    case 0:
        sample_put(s, id, PR_OUTCOME_FAILED, 0, number);
        sample_put(s, id, PR_OUTCOME_APPROVED, 100 + number, number); /* in the same batch, or not */
        break;
    case 1:
        sample_put(s, id, PR_OUTCOME_REJECTED, 500, number);
        if (pr_prng_below(g, 2)) must(pr_store_flush(s, &e), &e);
        sample_put(s, id, PR_OUTCOME_SELF_VERIFIED, 300, number);
        break;
    case 2:
        must(pr_store_event(s, PR_EVENT_REQUEUED, 3, id, "in words", &e), &e);
        break;
    case 3:
        must(pr_store_sample(s, "proverun_jobs_total{outcome=\"approved\"}", number, &e), &e);
        must(pr_store_note_assignment(s, id, 1, PR_ASSIGNED_PROVE, 1, &e), &e);
        must(pr_store_note_rank(s, &rank, &e), &e);
        break;
    case 4:
        must(pr_store_annotate(s, &(pr_attribute){id, "a text"}, 1, &e), &e);
        break;
    default:
        sample_put(s, id, PR_OUTCOME_APPROVED, number * 37 % 3000, number);
    }
    if (pr_prng_below(g, 3) == 0) must(pr_store_commit(s, &e), &e);
    if (pr_prng_below(g, 7) == 0) must(pr_store_flush(s, &e), &e);
}

static void make_run(const char *path, uint64_t seed) {
    pr_prng g = {seed};
    pr_error e = {0};
    pr_store *s = sample_create(path, "test-run", DIGEST);
    for (unsigned session = 0; session < 2; session++) {
        pr_session_row row = {.ranks = 4, .jobs = 100, .status = "running"};
        must(pr_store_begin_session(s, &row, &e), &e);
        for (unsigned k = 0; k < 40; k++) step(s, &g, 40 * session + k);
        snprintf(row.status, sizeof row.status, "complete");
        must(pr_store_end_session(s, &row, &e), &e);
        if (session == 0) { /* a resume in between */
            must(pr_store_close(s, &e), &e);
            must(pr_store_reopen(&s, path, &e), &e);
        }
    }
    must(pr_store_close(s, &e), &e);
}

static void test_same_content(void **state) {
    (void)state;
    char path[128], copy[128];
    sample_path(path, "run.h5");
    sample_path(copy, "copy.h5");
    for (uint64_t seed = 1; seed <= 5; seed++) {
        bool rebuilt;
        pr_error e = {0};
        make_run(path, seed);
        sample_copy(copy, path);
        unlink(path);
        must(pr_store_repair(&rebuilt, path, &e), &e);
        assert_true(rebuilt);
        sample_assert_same(copy, path);
        unlink(copy);
        sample_remove(path);
    }
}

/* What the comparison walks over is not empty. */
static void test_all_parts_are_there(void **state) {
    (void)state;
    char a[128], b[128];
    pr_results *r;
    sample_path(a, "a.h5");
    sample_path(b, "b.h5");
    make_run(a, 1);
    make_run(b, 1);
    assert_int_equal(pr_results_open(&r, a, NULL), PR_OK);
    assert_true(pr_results_n_jobs(r) > 10 && pr_results_n_events(r) > 0 && pr_results_n_samples(r) > 0);
    assert_int_equal(pr_results_n_sessions(r), 2);
    const pr_attempt_row *history[4];
    size_t with_two = 0;
    for (size_t i = 0; i < pr_results_n_jobs(r); i++)
        with_two += pr_results_history(r, pr_results_job(r, i)->id, history, 4) == 2;
    assert_true(with_two > 0); /* failed or refused first */
    assert_int_equal(pr_results_job(r, pr_results_n_jobs(r) - 1)->session, 2);
    const char *first = pr_results_attribute(r, "file_time"), *last = pr_results_attribute(r, "file_update_time");
    assert_true(strcmp(first, last) < 0);
    pr_results_close(r);
    sample_remove(a);
    sample_remove(b);
}

static void test_put_does_not_touch_the_file(void **state) {
    (void)state;
    char path[128];
    pr_error e = {0};
    pr_results *r;
    sample_path(path, "lazy.h5");
    pr_store *s = sample_create(path, "test-run", DIGEST);
    for (unsigned k = 0; k < 10; k++) {
        char id[32];
        snprintf(id, sizeof id, "job-%u", k);
        sample_put(s, id, PR_OUTCOME_APPROVED, 100, k);
    }
    must(pr_store_commit(s, &e), &e);
    assert_int_equal(pr_results_open(&r, path, NULL), PR_OK);
    assert_int_equal(pr_results_n_jobs(r), 0);
    pr_results_close(r);
    assert_true(pr_store_pending_bytes(s) > 10 * sizeof(pr_job_row));
    /* a reader that has it open delays the flush; when it went, the rows come */
    int reader = open(path, O_RDONLY);
    assert_int_equal(flock(reader, LOCK_SH), 0);
    must(pr_store_flush(s, &e), &e);
    assert_true(pr_store_pending_bytes(s) > 10 * sizeof(pr_job_row));
    close(reader);
    must(pr_store_flush(s, &e), &e);
    assert_int_equal(pr_store_pending_bytes(s), 0);
    assert_int_equal(pr_results_open(&r, path, NULL), PR_OK);
    assert_int_equal(pr_results_n_jobs(r), 10);
    pr_results_close(r);
    must(pr_store_close(s, &e), &e);
    sample_remove(path);
}

/* Whoever may not have the journal leaves alone what its owner makes from it. */
static void test_second_leaves_the_rebuilt_file(void **state) {
    (void)state;
    char path[128], fresh[160];
    pr_error e = {0};
    pr_store *second;
    uint8_t *data;
    size_t size;
    sample_path(path, "run.h5");
    snprintf(fresh, sizeof fresh, "%s.rebuilt", path);
    pr_store *first = sample_create(path, "test-run", DIGEST);
    must(pr_file_write_atomic(fresh, "in the making", 13, 0600, &e), &e);
    assert_int_equal(pr_store_reopen(&second, path, &e), PR_ERR_IO);
    assert_non_null(strstr(e.text, "another process writes this run"));
    must(pr_file_read(&data, &size, fresh, 100, &e), &e);
    assert_int_equal(size, 13);
    free(data);
    must(pr_store_close(first, &e), &e);
    must(pr_store_reopen(&first, path, &e), &e); /* of one who was killed: no matter */
    assert_int_not_equal(access(fresh, F_OK), 0);
    must(pr_store_close(first, &e), &e);
    sample_remove(path);
}

/* ---- a damaged journal ---- */

static void flip(const char *path, long offset) {
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, offset, SEEK_SET), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, offset, SEEK_SET), 0);
    assert_int_equal(fputc(c ^ 1, f), c ^ 1);
    fclose(f);
}

typedef struct place {
    const char *id;
    uint64_t offset;
    size_t size;
} place;

static pr_status find_record(void *context, const pr_frame *f, pr_error *err) {
    place *p = context;
    (void)err;
    if (f->type == PR_FRAME_RECORD && !strcmp(f->id, p->id)) {
        p->offset = f->offset;
        p->size = f->size;
    }
    return PR_OK;
}

static void damage(const char *log, const char *id, bool head) {
    place p = {.id = id};
    pr_scan scan = {.visit = find_record, .context = &p};
    assert_int_equal(pr_journal_scan(&scan, log, NULL), PR_OK);
    assert_true(p.offset > 0);
    flip(log, (long)(head ? p.offset + 8 : p.offset + 100));
}

static void make_small(const char *path) {
    pr_error e = {0};
    pr_store *s = sample_create(path, "test-run", DIGEST);
    pr_session_row row = {.ranks = 4, .jobs = 3, .status = "running"};
    must(pr_store_begin_session(s, &row, &e), &e);
    for (unsigned k = 0; k < 3; k++) {
        char id[8] = {(char)('a' + k), 0};
        must(pr_store_note_assignment(s, id, 1, PR_ASSIGNED_PROVE, 1, &e), &e);
        sample_put(s, id, PR_OUTCOME_APPROVED, 1000, k);
        must(pr_store_commit(s, &e), &e);
    }
    must(pr_store_close(s, &e), &e);
}

static void salvage(const char *path, bool expect_lost, const char *word) {
    pr_writer told;
    pr_error e = {0};
    bool lost, rebuilt;
    pr_store *s;
    assert_int_equal(pr_store_reopen(&s, path, &e), PR_ERR_MALFORMED);
    assert_non_null(strstr(e.text, "repair"));
    pr_writer_init(&told);
    must(pr_store_salvage(&lost, &told, path, &e), &e);
    pr_write_u8(&told, 0);
    assert_int_equal(lost, expect_lost);
    if (!strstr((char *)told.data, word)) fail_msg("no '%s' in: %s", word, (char *)told.data);
    pr_writer_clear(&told);
    must(pr_store_repair(&rebuilt, path, &e), &e); /* it can be resumed now */
}

static void expect_jobs(const char *path, size_t n) {
    pr_results *r;
    assert_int_equal(pr_results_open(&r, path, NULL), PR_OK);
    assert_string_equal(pr_results_problems(r), "");
    assert_int_equal(pr_results_n_jobs(r), n);
    for (size_t i = 0; i < n; i++) {
        uint8_t *data;
        size_t size;
        assert_int_equal(pr_results_read_proof(r, pr_results_job(r, i)->id, &data, &size, NULL), PR_OK);
        assert_int_equal(size, 1000);
        free(data);
    }
    pr_results_close(r);
}

static void test_salvage(void **state) {
    (void)state;
    char path[128], log[160];
    sample_path(path, "bad.h5");
    assert_int_equal(pr_store_journal_path(log, sizeof log, path, NULL), PR_OK);
    make_small(path);
    damage(log, "b", false); /* its payload: whose it is is known, and the old file has it */
    salvage(path, true, "saved from the results file: job b");
    expect_jobs(path, 3);
    make_small(path);
    unlink(path);
    damage(log, "b", false);
    salvage(path, true, "a record of job b");
    expect_jobs(path, 2);
    make_small(path);
    unlink(path);
    damage(log, "b", true); /* its head: nothing of it is known, but b was handed out */
    salvage(path, true, "job b was handed out and has no record");
    expect_jobs(path, 2);
    sample_remove(path);
}

/* ---- merging ---- */

static void merge(const char *out, const char *a, const char *b, size_t conflicts, const char *word) {
    const char *inputs[] = {a, b};
    pr_writer told;
    pr_error e = {0};
    size_t n;
    pr_writer_init(&told);
    must(pr_store_merge(&n, &told, out, inputs, 2, &e), &e);
    pr_write_u8(&told, 0);
    assert_int_equal(n, conflicts);
    if (!strstr((char *)told.data, word)) fail_msg("no '%s' in: %s", word, (char *)told.data);
    pr_writer_clear(&told);
}

static const pr_job_row *job_of(const pr_results *r, const char *id) {
    for (size_t i = 0; i < pr_results_n_jobs(r); i++)
        if (!strcmp(pr_results_job(r, i)->id, id)) return pr_results_job(r, i);
    return NULL;
}

static void make_part(const char *path, const char *run, const char *digest, char first, uint32_t second_outcome,
                      uint64_t seed) {
    pr_error e = {0};
    pr_store *s = sample_create(path, run, digest);
    pr_session_row row = {.ranks = 2, .status = "running"};
    must(pr_store_begin_session(s, &row, &e), &e);
    sample_put(s, (char[2]){first, 0}, PR_OUTCOME_APPROVED, 1000, 1);
    sample_put(s, "shared", PR_OUTCOME_APPROVED, 1000, seed);
    sample_put(s, "again", second_outcome, 1000, 9);
    must(pr_store_sample(s, "proverun_jobs_total{outcome=\"approved\"}", 3, &e), &e);
    must(pr_store_sample(s, "proverun_jobs_queued", 1, &e), &e);
    must(pr_store_close(s, &e), &e);
}

/* The series of all inputs, in order, each with its input's number. */
static void expect_series(const char *path, const char *const *series, size_t n) {
    pr_results *r;
    assert_int_equal(pr_results_open(&r, path, NULL), PR_OK);
    assert_int_equal(pr_results_n_samples(r), n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(pr_results_sample(r, i)->id, series[i]);
        assert_true(pr_results_sample(r, i)->value == (i % 2 ? 1 : 3));
        assert_true(pr_results_sample(r, i)->time_ns > 0);
    }
    pr_results_close(r);
}

static void test_merge_keeps_time_series(void **state) {
    (void)state;
    static const char *const once[] = {
        "proverun_jobs_total{outcome=\"approved\",input=\"1\"}", "proverun_jobs_queued{input=\"1\"}",
        "proverun_jobs_total{outcome=\"approved\",input=\"2\"}", "proverun_jobs_queued{input=\"2\"}"};
    static const char *const twice[] = {
        "proverun_jobs_total{outcome=\"approved\",input=\"1.1\"}", "proverun_jobs_queued{input=\"1.1\"}",
        "proverun_jobs_total{outcome=\"approved\",input=\"1.2\"}", "proverun_jobs_queued{input=\"1.2\"}",
        "proverun_jobs_total{outcome=\"approved\",input=\"2\"}",   "proverun_jobs_queued{input=\"2\"}"};
    char a[128], b[128], out[128], again[128];
    sample_path(a, "a.h5");
    sample_path(b, "b.h5");
    sample_path(out, "out.h5");
    sample_path(again, "again.h5");
    make_part(a, "run-a", DIGEST, 'a', PR_OUTCOME_APPROVED, 5);
    make_part(b, "run-b", OTHER, 'b', PR_OUTCOME_APPROVED, 5);
    merge(out, a, b, 0, "merged");
    expect_series(out, once, 4);
    merge(again, out, b, 0, "merged");
    expect_series(again, twice, 6);
    sample_remove(a);
    sample_remove(b);
    sample_remove(out);
    sample_remove(again);
}

static void test_merge(void **state) {
    (void)state;
    char a[128], b[128], out[128];
    pr_results *r;
    pr_error e = {0};
    sample_path(a, "a.h5");
    sample_path(b, "b.h5");
    sample_path(out, "out.h5");
    make_part(a, "run-a", DIGEST, 'a', PR_OUTCOME_FAILED, 5);
    make_part(b, "run-b", OTHER, 'b', PR_OUTCOME_APPROVED, 5);
    merge(out, a, b, 0, "merged");
    assert_int_equal(pr_results_open(&r, out, NULL), PR_OK);
    assert_string_equal(pr_results_problems(r), "");
    assert_int_equal(pr_results_n_jobs(r), 4); /* a, shared, b, again */
    assert_int_equal(job_of(r, "shared")->manifest, 0);
    assert_int_equal(job_of(r, "b")->manifest, 1);
    assert_int_equal(job_of(r, "b")->session, 2);
    assert_int_equal(job_of(r, "again")->outcome, PR_OUTCOME_MERGED); /* its certificate is not here */
    assert_string_equal(pr_results_attribute(r, "manifest_digest"), DIGEST);
    assert_string_equal(pr_results_attribute(r, "manifest_digest.1"), OTHER);
    assert_string_equal(pr_results_attribute(r, "input.2.run_id"), "run-b");
    assert_int_equal(pr_results_n_sessions(r), 2);
    pr_results_close(r);
    const char *inputs[] = {a, b};
    size_t n;
    assert_int_equal(pr_store_merge(&n, NULL, out, inputs, 2, &e), PR_ERR_USAGE); /* never overwrites */
    sample_remove(out);
    make_part(b, "run-b", DIGEST, 'b', PR_OUTCOME_APPROVED, 6); /* another proof of `shared` */
    merge(out, a, b, 1, "conflict: job `shared`");
    assert_int_equal(pr_results_open(&r, out, NULL), PR_OK);
    assert_null(pr_results_attribute(r, "manifest_digest.1"));
    assert_int_equal(job_of(r, "b")->manifest, 0);
    pr_results_close(r);
    sample_remove(a);
    sample_remove(b);
    sample_remove(out);
}

static void test_latest_link(void **state) {
    (void)state;
    char path[128], link[128], target[128];
    sample_path(path, "one.h5");
    sample_path(link, "latest");
    for (int k = 0; k < 2; k++) {
        assert_int_equal(pr_store_link_latest(path, NULL), PR_OK);
        ssize_t n = readlink(link, target, sizeof target - 1);
        assert_true(n > 0);
        target[n] = 0;
        assert_string_equal(target, k ? "two.h5" : "one.h5");
        sample_path(path, "two.h5");
    }
    unlink(link);
    assert_int_equal(pr_store_link_latest("no-such-folder/x.h5", NULL), PR_ERR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_content),
        cmocka_unit_test(test_all_parts_are_there),
        cmocka_unit_test(test_put_does_not_touch_the_file),
        cmocka_unit_test(test_second_leaves_the_rebuilt_file),
        cmocka_unit_test(test_salvage),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_merge_keeps_time_series),
        cmocka_unit_test(test_latest_link),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
