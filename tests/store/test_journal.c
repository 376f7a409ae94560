/* The journal: every frame comes back, in order, over all segments; a journal cut at any byte gives what was whole
 * before the cut; damage before the end is told with its offset, its frames and its job; one writer at a time, any
 * number of readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "store/journal.h"

#define N_FRAMES 5
#define HEADER_BYTES 184
#define FRAME_AROUND 56 /* bytes of a frame without id and payload */
static char path[64];
static const char *const payloads[N_FRAMES] = {"", "a", "four", "a longer one, of some words", "the last"};
static const char *const ids[N_FRAMES] = {"", "job-1", "job-2", "", "job-4"};

typedef struct seen {
    size_t n, n_faults;
    size_t fail_at; /* the visitor refuses this frame; SIZE_MAX: none */
    pr_fault faults[16];
} seen;

static pr_status visit(void *context, const pr_frame *f, pr_error *err) {
    seen *s = context;
    assert_true(f->sequence < N_FRAMES);
    if (s->n == s->fail_at) return pr_fail(err, PR_ERR_MALFORMED, "refused");
    size_t k = (size_t)f->sequence;
    assert_int_equal(f->type, k % 2 ? PR_FRAME_RECORD : PR_FRAME_ATTRIBUTE);
    assert_int_equal(f->rank, (int)k - 1);
    assert_int_equal(f->time_ns, 1000 + k);
    assert_string_equal(f->id, ids[k]);
    assert_int_equal(f->size, strlen(payloads[k]));
    assert_memory_equal(f->payload, payloads[k], f->size);
    s->n++;
    return PR_OK;
}

static pr_status note_fault(void *context, const pr_fault *f, pr_error *err) {
    seen *s = context;
    (void)err;
    if (s->n_faults < 16) s->faults[s->n_faults] = *f;
    s->n_faults++;
    return PR_OK;
}

static pr_status append_frame(pr_journal *j, size_t k) {
    const pr_frame f = {.type = k % 2 ? PR_FRAME_RECORD : PR_FRAME_ATTRIBUTE,
                        .rank = (int32_t)k - 1,
                        .time_ns = 1000 + k,
                        .id = ids[k],
                        .payload = (const uint8_t *)payloads[k],
                        .size = strlen(payloads[k])};
    return pr_journal_append(j, &f, NULL);
}

static void remove_segments(void) {
    char name[96];
    for (uint32_t k = 0; k < 20; k++) {
        pr_journal_segment_path(name, sizeof name, path, k);
        unlink(name);
    }
}

/* segment_bytes 0: all in one. */
static int make(uint64_t segment_bytes) {
    pr_journal *j = NULL;
    remove_segments();
    if (pr_journal_create(&j, path, "test-run", NULL) != PR_OK) return -1;
    if (segment_bytes) pr_journal_set_segment_bytes(j, segment_bytes);
    pr_status status = PR_OK;
    for (size_t k = 0; k < N_FRAMES && status == PR_OK; k++) {
        status = append_frame(j, k);
        if (status == PR_OK) status = pr_journal_sync(j, NULL);
    }
    pr_journal_close(j);
    return status == PR_OK ? 0 : -1;
}

static int setup(void **state) {
    (void)state;
    return make(0);
}

static int teardown(void **state) {
    (void)state;
    remove_segments();
    return 0;
}

static pr_status reopen(seen *s, pr_error *err) {
    pr_journal *j = NULL;
    *s = (seen){.fail_at = SIZE_MAX};
    pr_status status = pr_journal_open(&j, path, visit, s, err);
    pr_journal_close(j);
    return status;
}

static pr_scan scan_all(seen *s) {
    pr_error e = {0};
    *s = (seen){.fail_at = SIZE_MAX};
    pr_scan scan = {.visit = visit, .fault = note_fault, .context = s};
    if (pr_journal_scan(&scan, path, &e) != PR_OK) fail_msg("%s", e.text);
    assert_int_equal(scan.n_frames, s->n);
    return scan;
}

static uint8_t *load(size_t *size) {
    uint8_t *data = NULL;
    assert_int_equal(pr_file_read(&data, size, path, 1 << 20, NULL), PR_OK);
    return data;
}

static void rewrite(const uint8_t *data, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

static void test_all_come_back(void **state) {
    seen s;
    (void)state;
    assert_int_equal(reopen(&s, NULL), PR_OK);
    assert_int_equal(s.n, N_FRAMES);
    pr_scan scan = scan_all(&s);
    assert_string_equal(scan.run_id, "test-run");
    assert_int_equal(scan.n_segments, 1);
    assert_int_equal(scan.next_sequence, N_FRAMES);
    assert_int_equal(s.n_faults, 0);
}

static void test_cut_anywhere(void **state) {
    size_t size = 0, before = 0;
    uint8_t *data = load(&size);
    seen s, again;
    (void)state;
    for (size_t cut = HEADER_BYTES; cut <= size; cut++) {
        rewrite(data, cut);
        scan_all(&s);
        assert_true(s.n_faults <= 1 && (s.n_faults == 0 || s.faults[0].kind == PR_FAULT_TORN));
        assert_int_equal(reopen(&again, NULL), PR_OK);
        assert_int_equal(again.n, s.n);
        assert_true(s.n >= before && s.n <= before + 1);
        before = s.n;
        scan_all(&again); /* the torn end is gone, what stood before it is not */
        assert_int_equal(again.n, s.n);
        assert_int_equal(again.n_faults, 0);
    }
    assert_int_equal(before, N_FRAMES);
    free(data);
}

static void test_append_after_a_torn_end(void **state) {
    size_t size = 0;
    uint8_t *data = load(&size);
    pr_journal *j = NULL;
    seen s = {.fail_at = SIZE_MAX};
    (void)state;
    rewrite(data, size - 3);
    assert_int_equal(pr_journal_open(&j, path, visit, &s, NULL), PR_OK);
    assert_int_equal(s.n, N_FRAMES - 1);
    assert_int_equal(pr_journal_dropped(j), FRAME_AROUND + strlen(payloads[4]) + strlen(ids[4]) - 3);
    assert_int_equal(append_frame(j, 4), PR_OK);
    assert_int_equal(pr_journal_bytes(j), size);
    assert_int_equal(pr_journal_sync(j, NULL), PR_OK);
    pr_journal_close(j);
    assert_int_equal(reopen(&s, NULL), PR_OK);
    assert_int_equal(s.n, N_FRAMES);
    free(data);
}

/* Any byte of the second frame: opening refuses it with its place; a scan gets all the others, and knows whose it was
 * when the head is whole. */
static void test_damage_has_an_offset(void **state) {
    size_t size = 0, begin = HEADER_BYTES + FRAME_AROUND;
    uint8_t *data = load(&size);
    size_t end = begin + FRAME_AROUND + strlen(ids[1]) + strlen(payloads[1]);
    size_t head_end = begin + 48 + strlen(ids[1]);
    pr_error err = {0};
    seen s;
    (void)state;
    for (size_t at = begin; at < end; at++) {
        data[at] ^= 1;
        rewrite(data, size);
        assert_int_equal(reopen(&s, &err), PR_ERR_MALFORMED);
        assert_non_null(strstr(err.text, "corrupt at byte 240"));
        pr_scan scan = scan_all(&s);
        assert_int_equal(s.n, N_FRAMES - 1);
        assert_int_equal(s.n_faults, 1);
        assert_int_equal(scan.n_faults[PR_FAULT_CORRUPT], 1);
        assert_int_equal(s.faults[0].offset, begin);
        assert_int_equal(s.faults[0].bytes, end - begin);
        assert_int_equal(s.faults[0].first, 1);
        assert_int_equal(s.faults[0].n, 1);
        assert_string_equal(s.faults[0].id, at < head_end ? "" : "job-1");
        data[at] ^= 1;
    }
    free(data);
}

static void test_headers_are_checked(void **state) {
    size_t size = 0;
    uint8_t *data = load(&size);
    pr_error err = {0};
    seen s;
    (void)state;
    data[100] ^= 1; /* in the run id's room */
    rewrite(data, size);
    assert_int_equal(reopen(&s, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "corrupt at byte 0"));
    scan_all(&s);
    assert_int_equal(s.n, N_FRAMES);
    assert_int_equal(s.n_faults, 1);
    data[100] ^= 1;
    data[17] = '3';
    rewrite(data, size);
    assert_int_equal(reopen(&s, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "version 3; this program reads version 2"));
    data[0] = 'q';
    rewrite(data, size);
    assert_int_equal(reopen(&s, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "not a journal"));
    rewrite(data, 0);
    assert_int_equal(reopen(&s, &err), PR_ERR_MALFORMED);
    free(data);
}

static void test_frames_cut_out_are_missed(void **state) {
    size_t size = 0, begin = HEADER_BYTES + FRAME_AROUND, n = FRAME_AROUND + strlen(ids[1]) + strlen(payloads[1]);
    uint8_t *data = load(&size);
    seen s;
    (void)state;
    memmove(data + begin, data + begin + n, size - begin - n);
    rewrite(data, size - n);
    assert_int_equal(reopen(&s, NULL), PR_ERR_MALFORMED);
    scan_all(&s);
    assert_int_equal(s.n, N_FRAMES - 1);
    assert_int_equal(s.n_faults, 1);
    assert_int_equal(s.faults[0].first, 1);
    assert_int_equal(s.faults[0].n, 1);
    free(data);
}

static void test_segments(void **state) {
    seen s;
    char name[96];
    pr_error err = {0};
    (void)state;
    assert_int_equal(make(1), 0); /* one frame a segment, and an empty one at the end */
    pr_scan scan = scan_all(&s);
    assert_int_equal(scan.n_segments, N_FRAMES + 1);
    assert_int_equal(s.n, N_FRAMES);
    assert_int_equal(s.n_faults, 0);
    assert_int_equal(reopen(&s, NULL), PR_OK);
    assert_int_equal(s.n, N_FRAMES);
    pr_journal_segment_path(name, sizeof name, path, 2);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(reopen(&s, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, name));
    assert_non_null(strstr(err.text, "missing"));
    scan_all(&s);
    assert_int_equal(s.n, N_FRAMES - 1);
    assert_int_equal(s.faults[0].kind, PR_FAULT_MISSING);
    assert_int_equal(s.faults[0].segment, 2);
    assert_int_equal(s.faults[1].first, 2);
    assert_int_equal(s.faults[1].n, 1);
}

/* A torn end is one only in the last segment. */
static void test_short_middle_segment(void **state) {
    char name[96];
    struct stat st;
    seen s;
    (void)state;
    assert_int_equal(make(1), 0);
    pr_journal_segment_path(name, sizeof name, path, 1);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(truncate(name, st.st_size - 1), 0);
    assert_int_equal(reopen(&s, NULL), PR_ERR_MALFORMED);
    scan_all(&s);
    assert_int_equal(s.n, N_FRAMES - 1);
    assert_int_equal(s.faults[0].kind, PR_FAULT_CORRUPT);
    assert_string_equal(s.faults[0].id, "job-1");
}

/* The header of a segment says which frame comes first: also when there is none yet. */
static void test_short_segment_before_an_empty_one(void **state) {
    char name[96];
    seen s;
    (void)state;
    assert_int_equal(make(1), 0);
    pr_journal_segment_path(name, sizeof name, path, N_FRAMES - 1);
    assert_int_equal(truncate(name, HEADER_BYTES), 0);
    assert_int_equal(reopen(&s, NULL), PR_ERR_MALFORMED);
    scan_all(&s);
    assert_int_equal(s.n, N_FRAMES - 1);
    assert_int_equal(s.n_faults, 1);
    assert_int_equal(s.faults[0].kind, PR_FAULT_CORRUPT);
    assert_int_equal(s.faults[0].segment, N_FRAMES);
    assert_int_equal(s.faults[0].first, N_FRAMES - 1);
    assert_int_equal(s.faults[0].n, 1);
}

static void test_one_writer_many_readers(void **state) {
    pr_journal *first = NULL, *second = NULL;
    pr_error err = {0};
    seen s;
    (void)state;
    unlink(path);
    assert_int_equal(pr_journal_create(&first, path, "test-run", NULL), PR_OK);
    assert_int_equal(append_frame(first, 0), PR_OK);
    scan_all(&s);
    assert_int_equal(s.n, 0); /* appended, not synced */
    assert_int_equal(pr_journal_sync(first, NULL), PR_OK);
    scan_all(&s);
    assert_int_equal(s.n, 1);
    assert_int_equal(pr_journal_open(&second, path, NULL, NULL, &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, "another process"));
    assert_int_equal(pr_journal_create(&second, path, "other", &err), PR_ERR_IO);
    pr_journal_close(first);
    assert_int_equal(pr_journal_open(&second, path, NULL, NULL, &err), PR_OK);
    pr_journal_close(second);
}

static const char *takes_its_place; /* at the next lock, as by another process */

/* The library's, too: it is linked statically. */
int flock(int fd, int operation) {
    if (takes_its_place) assert_int_equal(rename(takes_its_place, path), 0);
    takes_its_place = NULL;
    return (int)syscall(SYS_flock, fd, operation);
}

static void test_replaced_before_it_is_locked(void **state) {
    (void)state;
    char other[96];
    pr_error err = {0};
    size_t size;
    seen s;
    uint8_t *data = load(&size);
    snprintf(other, sizeof other, "%s.other", path);
    assert_int_equal(pr_file_write_atomic(other, data, size, 0600, NULL), PR_OK);
    takes_its_place = other;
    assert_int_equal(reopen(&s, &err), PR_ERR_IO);
    assert_null(takes_its_place);
    assert_non_null(strstr(err.text, "replaced by another process"));
    assert_int_equal(reopen(&s, NULL), PR_OK);
    assert_int_equal(s.n, N_FRAMES);
    free(data);
}

static void test_visitor_may_refuse(void **state) {
    pr_journal *j = NULL;
    pr_error err = {0};
    seen s = {.fail_at = 2};
    (void)state;
    assert_int_equal(pr_journal_open(&j, path, visit, &s, &err), PR_ERR_MALFORMED);
    assert_string_equal(err.text, "refused");
    assert_null(j);
}

/* Larger than the reader's window, and found again behind damage. */
static void test_large_frames(void **state) {
    size_t size = 0, big = (size_t)3 << 20;
    uint8_t *payload = malloc(big);
    pr_journal *j = NULL;
    (void)state;
    memset(payload, 'P', big); /* half a magic, all over */
    unlink(path);
    assert_int_equal(pr_journal_create(&j, path, "test-run", NULL), PR_OK);
    for (int k = 0; k < 3; k++) {
        const pr_frame f = {.type = PR_FRAME_RECORD, .id = "big", .payload = payload, .size = big};
        assert_int_equal(pr_journal_append(j, &f, NULL), PR_OK);
    }
    assert_int_equal(pr_journal_sync(j, NULL), PR_OK);
    pr_journal_close(j);
    free(payload);
    uint8_t *data = NULL;
    assert_int_equal(pr_file_read(&data, &size, path, (size_t)16 << 20, NULL), PR_OK);
    pr_scan scan = {0};
    assert_int_equal(pr_journal_scan(&scan, path, NULL), PR_OK);
    assert_int_equal(scan.n_frames, 3);
    data[HEADER_BYTES + FRAME_AROUND + 3 + big] ^= 1; /* the second one's magic */
    rewrite(data, size);
    assert_int_equal(pr_journal_scan(&scan, path, NULL), PR_OK);
    assert_int_equal(scan.n_frames, 2);
    assert_int_equal(scan.n_faults[PR_FAULT_CORRUPT], 1);
    free(data);
}

int main(void) {
    snprintf(path, sizeof path, "journal-test-%d.journal", (int)getpid());
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_all_come_back),
        CASE(test_cut_anywhere),
        CASE(test_append_after_a_torn_end),
        CASE(test_damage_has_an_offset),
        CASE(test_headers_are_checked),
        CASE(test_frames_cut_out_are_missed),
        CASE(test_segments),
        CASE(test_short_middle_segment),
        CASE(test_short_segment_before_an_empty_one),
        CASE(test_one_writer_many_readers),
        CASE(test_replaced_before_it_is_locked),
        CASE(test_visitor_may_refuse),
        CASE(test_large_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
