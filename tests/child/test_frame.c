/* Frames: what is written is read back; anything else is refused, never trusted. */
#include "base/random.h"
#include "child/beat.h"
#include "child/frame.h"
#include "child/link.h"
#include "work/work.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static const pr_child_frame frames[] = {
    {.type = PR_CHILD_FRAME_CONFIG, .as.config = {"auto", "host", 7, 1, -3, UINT64_C(1) << 40, 12345, 6789, 1}},
    {.type = PR_CHILD_FRAME_MANIFEST, .as.manifest = {"a/b.yaml", "/a", 9, 1000, {{1, 2}}, {{3}}}},
    {.type = PR_CHILD_FRAME_JOB, .as.job = {5, 6, 1, 3, {7, 8, 9}, 10, UINT64_C(0x123456789abcdef0)}},
    {.type = PR_CHILD_FRAME_STOP},
    {.type = PR_CHILD_FRAME_READY, .as.ready = {9, 100000, PR_ERR_USAGE, "why not"}},
    {.type = PR_CHILD_FRAME_ANSWER,
     .as.answer = {5, 6, PR_ERR_INTERNAL, PR_WORK_STAGE_COUNT - 1, 7, PR_CHILD_MAX_RECORD, "text"}},
};
#define N_FRAMES (sizeof frames / sizeof *frames)

static pr_writer encode(const pr_child_frame *f) {
    pr_writer w;
    pr_writer_init(&w);
    pr_child_frame_encode(&w, f);
    assert_false(w.failed);
    return w;
}

static bool same(const pr_writer *a, const pr_child_frame *f) {
    pr_writer b = encode(f);
    bool equal = a->size == b.size && memcmp(a->data, b.data, b.size) == 0;
    pr_writer_clear(&b);
    return equal;
}

static void test_round_trip(void **state) {
    (void)state;
    for (size_t i = 0; i < N_FRAMES; i++) {
        pr_child_frame back;
        pr_writer w = encode(&frames[i]);
        assert_int_equal(pr_child_frame_decode(&back, w.data, w.size, NULL), PR_OK);
        assert_int_equal(back.type, frames[i].type);
        assert_memory_equal(&back.as, &frames[i].as, sizeof back.as);
        assert_true(w.size <= PR_CHILD_FRAME_MAX);
        pr_writer_clear(&w);
    }
}

static void test_longest(void **state) {
    (void)state;
    pr_child_frame f = {.type = PR_CHILD_FRAME_MANIFEST}, back;
    memset(f.as.manifest.path, 'p', sizeof f.as.manifest.path - 1);
    memset(f.as.manifest.base_dir, 'b', sizeof f.as.manifest.base_dir - 1);
    pr_writer w = encode(&f);
    assert_true(w.size <= PR_CHILD_FRAME_MAX);
    assert_int_equal(pr_child_frame_decode(&back, w.data, w.size, NULL), PR_OK);
    assert_string_equal(back.as.manifest.path, f.as.manifest.path);
    pr_writer_clear(&w);
}

static void test_lengths(void **state) {
    (void)state;
    for (size_t i = 0; i < N_FRAMES; i++) {
        pr_child_frame back;
        pr_writer w = encode(&frames[i]);
        for (size_t n = 0; n < w.size; n++) {
            uint8_t *exact = malloc(n + 1); /* so that a sanitizer sees one byte too far */
            memcpy(exact, w.data, n);
            exact = realloc(exact, n ? n : 1);
            assert_int_equal(pr_child_frame_decode(&back, exact, n, NULL), PR_ERR_MALFORMED);
            if (n >= PR_CHILD_FRAME_HEADER) { /* and when its length says so too */
                uint32_t length = (uint32_t)(n - PR_CHILD_FRAME_HEADER);
                for (size_t k = 0; k < 4; k++) exact[8 + k] = (uint8_t)(length >> 8 * k);
                assert_int_equal(pr_child_frame_decode(&back, exact, n, NULL), PR_ERR_MALFORMED);
            }
            free(exact);
        }
        pr_write_u8(&w, 0);
        assert_int_equal(pr_child_frame_decode(&back, w.data, w.size, NULL), PR_ERR_MALFORMED);
        pr_writer_clear(&w);
    }
}

static void refuse(const pr_child_frame *f) {
    pr_child_frame back;
    pr_writer w = encode(f);
    assert_int_equal(pr_child_frame_decode(&back, w.data, w.size, NULL), PR_ERR_MALFORMED);
    pr_writer_clear(&w);
}

static void test_ranges(void **state) {
    (void)state;
    pr_child_frame f = frames[0];
    f.as.config.log = 2;
    refuse(&f);
    f = frames[1];
    f.as.manifest.size = PR_CHILD_MAX_TEXT + 1;
    refuse(&f);
    f = frames[2];
    f.as.job.cpu_only = 2;
    refuse(&f);
    f = frames[4];
    f.as.ready.status = PR_ERR_INTERNAL + 1;
    refuse(&f);
    f = frames[5];
    f.as.answer.stage = PR_WORK_STAGE_COUNT;
    refuse(&f);
    f = frames[5];
    f.as.answer.status = PR_ERR_INTERNAL + 1;
    refuse(&f);
    f = frames[5];
    f.as.answer.size = PR_CHILD_MAX_RECORD + 1;
    refuse(&f);
}

/* Either side sees what the other wrote, and neither can take the memory away under the other. */
static void test_beat(void **state) {
    (void)state;
    pr_child_beat ours, theirs;
    pr_error e = {0};
    int fd, other;
    assert_int_equal(pr_child_beat_create(&ours, &fd, &e), PR_OK);
    assert_int_equal(pr_child_beat_open(&theirs, fd, &e), PR_OK);
    assert_int_equal(pr_child_beat_read(&ours).step, 0);
    pr_child_beat_write(&theirs, (pr_child_pulse){.task = PR_CHILD_PULSE_TASKS + 5, .step = UINT32_MAX, .stage = 255});
    const pr_child_pulse p = pr_child_beat_read(&ours);
    assert_true(p.task == 5 && p.step == UINT32_MAX && p.stage == 255);
    assert_int_not_equal(ftruncate(fd, 0), 0);
    assert_int_not_equal(ftruncate(fd, 4096), 0);
    pr_child_beat_clear(&theirs);
    assert_int_equal(pr_child_sealed_create(&other, "x", 1, &e), PR_OK);
    assert_int_equal(pr_child_beat_open(&theirs, other, &e), PR_ERR_MALFORMED);
    assert_int_equal(pr_child_beat_open(&theirs, -1, &e), PR_ERR_MALFORMED);
    close(other);
    close(fd);
    pr_child_beat_clear(&ours);
}

static void test_header(void **state) {
    (void)state;
    pr_child_frame back;
    pr_error e = {0};
    pr_writer w = encode(&frames[5]);
    for (size_t i = 0; i < PR_CHILD_FRAME_HEADER; i++)
        for (unsigned flip = 1; flip < 256; flip++) {
            w.data[i] ^= (uint8_t)flip;
            assert_int_equal(pr_child_frame_decode(&back, w.data, w.size, NULL), PR_ERR_MALFORMED);
            w.data[i] ^= (uint8_t)flip;
        }
    w.data[4]++;
    assert_int_equal(pr_child_frame_decode(&back, w.data, w.size, &e), PR_ERR_MALFORMED);
    assert_non_null(strstr(e.text, "version 4, not 3"));
    pr_writer_clear(&w);
}

/* Whatever is accepted is exactly what would be written. */
static void test_fuzz(void **state) {
    (void)state;
    pr_prng g = {getenv("PROVERUN_TEST_SEED") ? strtoull(getenv("PROVERUN_TEST_SEED"), NULL, 0) : 11};
    unsigned accepted = 0;
    print_message("seed %llu\n", (unsigned long long)g.state);
    for (unsigned round = 0; round < 60000; round++) {
        pr_child_frame back;
        pr_writer w = encode(&frames[pr_prng_below(&g, N_FRAMES)]);
        size_t header = pr_prng_below(&g, 4) ? PR_CHILD_FRAME_HEADER : 0; /* mostly behind it */
        for (uint32_t n = 1 + pr_prng_below(&g, 4); n-- && w.size > header;)
            w.data[header + pr_prng_below(&g, (uint32_t)(w.size - header))] = (uint8_t)pr_prng_next(&g);
        size_t size = pr_prng_below(&g, 8) ? w.size : pr_prng_below(&g, (uint32_t)w.size + 1);
        uint8_t *exact = malloc(size ? size : 1);
        memcpy(exact, w.data, size);
        if (pr_child_frame_decode(&back, exact, size, NULL) == PR_OK) {
            accepted++;
            assert_true(same(&w, &back));
        }
        free(exact);
        pr_writer_clear(&w);
    }
    assert_true(accepted > 1000 && accepted < 60000);
}

static void test_fuzz_noise(void **state) {
    (void)state;
    pr_prng g = {12};
    static uint8_t noise[PR_CHILD_FRAME_MAX + 100];
    for (unsigned round = 0; round < 5000; round++) {
        pr_child_frame back;
        size_t size = pr_prng_below(&g, sizeof noise);
        for (size_t i = 0; i < size; i++) noise[i] = (uint8_t)pr_prng_next(&g);
        pr_writer w = encode(&frames[pr_prng_below(&g, N_FRAMES)]);
        if (size >= PR_CHILD_FRAME_HEADER) memcpy(noise, w.data, PR_CHILD_FRAME_HEADER);
        assert_int_equal(pr_child_frame_decode(&back, noise, size, NULL), PR_ERR_MALFORMED);
        pr_writer_clear(&w);
    }
}

static void test_link(void **state) {
    (void)state;
    int ends[2], passed = 5, fd;
    pr_child_frame back;
    pr_error e = {0};
    const uint8_t *data;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(pr_child_link_receive(ends[0], &back, &passed, PR_CHILD_DONT_WAIT, &e), PR_CHILD_LINK_WOULD_WAIT);
    assert_int_equal(pr_child_sealed_create(&fd, "0123456789", 10, &e), PR_OK);
    assert_int_equal(write(fd, "x", 1), -1); /* sealed */
    assert_int_equal(ftruncate(fd, 3), -1);
    pr_child_frame f = frames[5];
    f.as.answer.size = 10;
    assert_int_equal(pr_child_link_send(ends[1], &f, fd, PR_CHILD_WAIT, &e), PR_CHILD_LINK_DONE);
    close(fd);
    assert_int_equal(pr_child_link_receive(ends[0], &back, &passed, PR_CHILD_WAIT, &e), PR_CHILD_LINK_DONE);
    assert_true(passed >= 0);
    assert_int_equal(pr_child_sealed_map(&data, passed, 11, &e), PR_ERR_MALFORMED);
    assert_int_equal(pr_child_sealed_map(&data, passed, 10, &e), PR_OK);
    assert_memory_equal(data, "0123456789", 10);
    munmap((void *)(uintptr_t)data, 10);
    close(passed);
    close(ends[1]);
    assert_int_equal(pr_child_link_send(ends[0], &frames[3], -1, PR_CHILD_WAIT, &e), PR_CHILD_LINK_CLOSED);
    assert_int_equal(pr_child_link_receive(ends[0], &back, &passed, PR_CHILD_WAIT, &e), PR_CHILD_LINK_CLOSED);
    close(ends[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_longest),    cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_ranges),     cmocka_unit_test(test_beat),       cmocka_unit_test(test_header),
        cmocka_unit_test(test_fuzz),       cmocka_unit_test(test_fuzz_noise), cmocka_unit_test(test_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
