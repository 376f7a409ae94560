/* The journal: every frame comes back, in order; a journal cut at any byte gives what was whole before the cut; damage
 * before the end is told with its offset; one writer at a time; an error of the disk is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "store/journal.h"

#define N_FRAMES 5
#define HEADER_BYTES 19
static char path[64];
static const char *const payloads[N_FRAMES] = {"", "a", "four", "a longer one, of some words", "the last"};

typedef struct seen {
    size_t n;
    size_t fail_at; /* the visitor refuses this frame; SIZE_MAX: none */
} seen;

static pr_status visit(void *context, uint32_t type, const uint8_t *payload, size_t size, pr_error *err) {
    seen *s = context;
    assert_true(s->n < N_FRAMES);
    if (s->n == s->fail_at) return pr_fail(err, PR_ERR_MALFORMED, "refused");
    assert_int_equal(type, s->n % 2 ? PR_FRAME_RECORD : PR_FRAME_ATTRIBUTE);
    assert_int_equal(size, strlen(payloads[s->n]));
    assert_memory_equal(payload, payloads[s->n], size);
    s->n++;
    return PR_OK;
}

static int setup(void **state) {
    pr_journal *j = NULL;
    (void)state;
    unlink(path);
    if (pr_journal_create(&j, path, NULL) != PR_OK) return -1;
    for (size_t k = 0; k < N_FRAMES; k++)
        if (pr_journal_append(j, k % 2 ? PR_FRAME_RECORD : PR_FRAME_ATTRIBUTE, payloads[k], strlen(payloads[k]),
                              NULL) != PR_OK)
            return -1;
    pr_status synced = pr_journal_sync(j, NULL);
    pr_journal_close(j);
    return synced == PR_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return unlink(path);
}

static pr_status reopen(seen *s, pr_error *err) {
    pr_journal *j = NULL;
    *s = (seen){.fail_at = SIZE_MAX};
    pr_status status = pr_journal_open(&j, path, visit, s, err);
    pr_journal_close(j);
    return status;
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
}

static void test_cut_anywhere(void **state) {
    uint8_t *data = NULL;
    size_t size = 0, before = 0;
    seen s;
    (void)state;
    assert_int_equal(pr_file_read(&data, &size, path, 1 << 20, NULL), PR_OK);
    for (size_t cut = HEADER_BYTES; cut <= size; cut++) {
        rewrite(data, cut);
        assert_int_equal(reopen(&s, NULL), PR_OK);
        assert_true(s.n >= before && s.n <= before + 1);
        before = s.n;
        seen again;
        assert_int_equal(reopen(&again, NULL), PR_OK); /* the torn end is gone, what stood before it is not */
        assert_int_equal(again.n, s.n);
    }
    assert_int_equal(before, N_FRAMES);
    free(data);
}

static void test_append_after_a_torn_end(void **state) {
    uint8_t *data = NULL;
    size_t size = 0;
    pr_journal *j = NULL;
    seen s = {.fail_at = SIZE_MAX};
    (void)state;
    assert_int_equal(pr_file_read(&data, &size, path, 1 << 20, NULL), PR_OK);
    rewrite(data, size - 3);
    assert_int_equal(pr_journal_open(&j, path, visit, &s, NULL), PR_OK);
    assert_int_equal(s.n, N_FRAMES - 1);
    assert_int_equal(pr_journal_append(j, PR_FRAME_ATTRIBUTE, payloads[4], strlen(payloads[4]), NULL), PR_OK);
    pr_journal_close(j);
    assert_int_equal(reopen(&s, NULL), PR_OK);
    assert_int_equal(s.n, N_FRAMES);
    free(data);
}

static void test_damage_has_an_offset(void **state) {
    uint8_t *data = NULL;
    size_t size = 0;
    pr_error err = {0};
    seen s;
    (void)state;
    assert_int_equal(pr_file_read(&data, &size, path, 1 << 20, NULL), PR_OK);
    for (size_t at = HEADER_BYTES; at < HEADER_BYTES + 32;
         at++) { /* the first frame, of an empty payload, with others behind it */
        data[at] ^= 1;
        rewrite(data, size);
        assert_int_equal(reopen(&s, &err), PR_ERR_MALFORMED);
        assert_non_null(strstr(err.text, "corrupt at byte 19"));
        data[at] ^= 1;
    }
    data[0] ^= 1;
    rewrite(data, size);
    assert_int_equal(reopen(&s, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "version"));
    free(data);
}

static void test_one_writer(void **state) {
    pr_journal *first = NULL, *second = NULL;
    pr_error err = {0};
    (void)state;
    assert_int_equal(pr_journal_open(&first, path, NULL, NULL, NULL), PR_OK);
    assert_int_equal(pr_journal_open(&second, path, NULL, NULL, &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, "another process"));
    pr_journal_close(first);
    assert_int_equal(pr_journal_create(&second, path, &err), PR_ERR_IO);
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

int main(void) {
    snprintf(path, sizeof path, "journal-test-%d.journal", (int)getpid());
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_all_come_back),        CASE(test_cut_anywhere), CASE(test_append_after_a_torn_end),
        CASE(test_damage_has_an_offset), CASE(test_one_writer),   CASE(test_visitor_may_refuse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
