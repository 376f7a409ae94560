/* Frames: cut and joined at every size that matters, alternating messages, and everything that a sender may do wrong.
 */
#include "base/random.h"
#include "cluster/frame.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAYLOAD (PR_FRAME_BYTES - PR_FRAME_HEADER_BYTES)

static uint8_t *noise(size_t n, uint64_t seed) {
    pr_prng g = {seed};
    uint8_t *data = malloc(n);
    assert_non_null(data);
    for (size_t i = 0; i < n; i++) data[i] = (uint8_t)pr_prng_next(&g);
    return data;
}

/* A copy of exactly n bytes: a sanitizer sees any read behind it. */
static pr_status add(pr_joiner *j, const uint8_t *frame, size_t n, uint8_t **message, size_t *size) {
    pr_error e = {0};
    uint8_t *copy = malloc(n ? n : 1);
    if (n) memcpy(copy, frame, n);
    pr_status status = pr_joiner_add(j, copy, n, message, size, &e);
    assert_true(status == PR_OK || e.text[0]);
    free(copy);
    return status;
}

static void test_there_and_back(void **state) {
    (void)state;
    const size_t sizes[] = {1, 2, 100, PAYLOAD - 1, PAYLOAD, PAYLOAD + 1, 3 * PAYLOAD, 3 * PAYLOAD + 17};
    pr_joiner j = {0};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        uint8_t *data = noise(sizes[k], k), *message = NULL;
        size_t size = 0, frames = 0;
        for (size_t offset = 0; offset < sizes[k]; frames++) {
            pr_writer w;
            pr_writer_init(&w);
            assert_null(message);
            pr_frame_next(&w, data, sizes[k], 7, &offset);
            assert_true(w.size <= PR_FRAME_BYTES);
            assert_int_equal(add(&j, w.data, w.size, &message, &size), PR_OK);
            pr_writer_clear(&w);
        }
        assert_int_equal(frames, (sizes[k] + PAYLOAD - 1) / PAYLOAD);
        assert_int_equal(size, sizes[k]);
        assert_memory_equal(message, data, size);
        assert_int_equal(message[size], 0);
        free(message);
        free(data);
    }
    pr_joiner_clear(&j);
}

/* Frame k of a message of five times the payload and a bit. */
#define LARGE (5 * PAYLOAD + 5)
static void frame_of(pr_writer *w, const uint8_t *data, uint32_t id, size_t k) {
    size_t offset = k * PAYLOAD;
    pr_writer_init(w);
    pr_frame_next(w, data, LARGE, id, &offset);
}

static void test_messages_alternate(void **state) {
    (void)state;
    pr_joiner j = {0};
    uint8_t *data[PR_FRAME_MAX_OPEN], *message = NULL;
    size_t size = 0;
    for (uint32_t m = 0; m < PR_FRAME_MAX_OPEN; m++) data[m] = noise(LARGE, m);
    for (size_t k = 0; k < 6; k++) {
        for (uint32_t m = 0; m < PR_FRAME_MAX_OPEN; m++) {
            pr_writer w;
            frame_of(&w, data[m], m, k);
            assert_int_equal(add(&j, w.data, w.size, &message, &size), PR_OK);
            pr_writer_clear(&w);
            if (k < 5) {
                assert_null(message);
                continue;
            }
            assert_int_equal(size, LARGE);
            assert_memory_equal(message, data[m], LARGE);
            free(message);
        }
    }
    for (uint32_t m = 0; m < PR_FRAME_MAX_OPEN; m++) free(data[m]);
    pr_joiner_clear(&j);
}

static void expect_refused(pr_joiner *j, const uint8_t *data, uint32_t id, size_t k) {
    uint8_t *message;
    size_t size;
    pr_writer w;
    frame_of(&w, data, id, k);
    assert_int_equal(add(j, w.data, w.size, &message, &size), PR_ERR_MALFORMED);
    assert_null(message);
    pr_writer_clear(&w);
}

static void expect_taken(pr_joiner *j, const uint8_t *data, uint32_t id, size_t k) {
    uint8_t *message;
    size_t size;
    pr_writer w;
    frame_of(&w, data, id, k);
    assert_int_equal(add(j, w.data, w.size, &message, &size), PR_OK);
    assert_null(message);
    pr_writer_clear(&w);
}

static void test_wrong_order_is_refused(void **state) {
    (void)state;
    pr_joiner j = {0};
    uint8_t *data = noise(LARGE, 1);
    expect_refused(&j, data, 1, 1); /* no beginning */
    expect_taken(&j, data, 1, 0);
    expect_refused(&j, data, 1, 2); /* a gap: the message is dropped */
    expect_refused(&j, data, 1, 1);
    expect_taken(&j, data, 1, 0);
    expect_taken(&j, data, 1, 1);
    expect_refused(&j, data, 1, 1); /* twice */
    expect_taken(&j, data, 1, 0);
    expect_refused(&j, data, 1, 0); /* begun twice */
    for (uint32_t id = 0; id < PR_FRAME_MAX_OPEN; id++) expect_taken(&j, data, id, 0);
    expect_refused(&j, data, 99, 0); /* too many */
    expect_taken(&j, data, 0, 1);    /* the others go on */
    pr_joiner_clear(&j);
    free(data);
}

static void set_u64(uint8_t *at, uint64_t v) {
    for (int i = 0; i < 8; i++) at[i] = (uint8_t)(v >> (8 * i));
}

static void test_headers(void **state) {
    (void)state;
    const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 0}, {4, PR_FRAME_VERSION + 1}, {6, 1}, {12, 1}};
    pr_joiner j = {0};
    uint8_t *message, small[] = "a message";
    size_t size;
    for (size_t k = 0; k < 8; k++) {
        size_t offset = 0, n;
        pr_writer w;
        pr_writer_init(&w);
        pr_frame_next(&w, small, sizeof small, 1, &offset);
        n = w.size;
        if (k < 4) w.data[wrong[k].at] = wrong[k].value;
        if (k == 4) set_u64(w.data + 16, PR_FRAME_MAX_MESSAGE + 1); /* total */
        if (k == 5) set_u64(w.data + 24, sizeof small);             /* offset */
        if (k == 6) set_u64(w.data + 24, UINT64_MAX);
        if (k == 7) n = PR_FRAME_HEADER_BYTES; /* no bytes */
        assert_int_equal(add(&j, w.data, n, &message, &size), PR_ERR_MALFORMED);
        for (n = 0; n < PR_FRAME_HEADER_BYTES; n++)
            assert_int_equal(add(&j, w.data, n, &message, &size), PR_ERR_MALFORMED);
        pr_writer_clear(&w);
    }
    pr_joiner_clear(&j);
}

/* A header that promises a gigabyte takes no more memory than its bytes. */
static void test_promises_cost_nothing(void **state) {
    (void)state;
    pr_joiner j = {0};
    uint8_t *message, small[] = "a message";
    size_t size, offset = 0;
    pr_writer w;
    pr_writer_init(&w);
    pr_frame_next(&w, small, sizeof small, 1, &offset);
    set_u64(w.data + 16, PR_FRAME_MAX_MESSAGE);
    assert_int_equal(add(&j, w.data, w.size, &message, &size), PR_OK);
    assert_true(j.open[0].room <= 64);
    pr_writer_clear(&w);
    pr_joiner_clear(&j);
}

static void test_noise(void **state) {
    (void)state;
    pr_prng g = {20261124};
    pr_joiner j = {0};
    uint8_t small[200] = {1, 2, 3}, *message;
    size_t size;
    for (unsigned k = 0; k < 50000; k++) {
        size_t offset = 0;
        pr_writer w;
        pr_writer_init(&w);
        pr_frame_next(&w, small, 1 + pr_prng_below(&g, sizeof small), pr_prng_below(&g, 6), &offset);
        for (unsigned flips = pr_prng_below(&g, 3); flips > 0; flips--)
            w.data[pr_prng_below(&g, (uint32_t)w.size)] = (uint8_t)pr_prng_next(&g);
        size_t n = pr_prng_below(&g, 4) ? w.size : pr_prng_below(&g, (uint32_t)w.size);
        pr_status status = add(&j, w.data, n, &message, &size);
        assert_true(status == PR_OK || status == PR_ERR_MALFORMED);
        free(message);
        pr_writer_clear(&w);
    }
    pr_joiner_clear(&j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),         cmocka_unit_test(test_messages_alternate),
        cmocka_unit_test(test_wrong_order_is_refused), cmocka_unit_test(test_headers),
        cmocka_unit_test(test_promises_cost_nothing),  cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
