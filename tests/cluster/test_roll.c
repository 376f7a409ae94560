/* Who is there: silence, loss, return; what is said of its device; when a watched manifest is complete; the end of an
 * allocation as text; numbers of attempts in a run that is resumed. */
#include "cluster/allotment.h"
#include "cluster/roll.h"
#include "cluster/run_file.h"
#include "cluster/seat.h"
#include "cluster/watch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define S ((uint64_t)1000000000u)

static void begin(pr_roll *r) {
    const pr_wire_hello hello = {.host = "h"};
    assert_int_equal(pr_roll_init(r, 3, 10 * S, 60 * S, NULL), PR_OK);
    for (unsigned rank = 0; rank < 3; rank++) pr_roll_hello(r, rank, &hello, false, 100 * S);
}

static unsigned changes(pr_roll *r, uint64_t now) {
    unsigned rank, n = 0;
    while (pr_roll_next(r, now, &rank)) n++;
    return n;
}

static void test_silence_and_loss(void **state) {
    (void)state;
    pr_roll r;
    begin(&r);
    assert_int_equal(changes(&r, 109 * S), 0);
    assert_false(pr_roll_heard(&r, 2, 109 * S)); /* it was up */
    assert_int_equal(changes(&r, 111 * S), 1);   /* rank 1; rank 0 never */
    assert_int_equal(r.members[1].state, PR_RANK_SILENT);
    assert_int_equal(r.members[0].state, PR_RANK_UP);
    assert_true(pr_roll_heard(&r, 1, 112 * S));
    assert_int_equal(r.members[1].state, PR_RANK_UP);
    assert_false(r.lost_any);
    assert_int_equal(changes(&r, 150 * S), 2);
    assert_int_equal(changes(&r, 175 * S), 2);
    assert_int_equal(r.members[1].state, PR_RANK_LOST);
    assert_true(r.lost_any);
    assert_int_equal(pr_roll_n_missing(&r), 2);
    assert_int_equal(pr_roll_n_up(&r), 1);
    pr_roll_clear(&r);
}

static void test_a_lost_rank_comes_back_idle(void **state) {
    (void)state;
    pr_roll r;
    begin(&r);
    assert_true(pr_roll_lose(&r, 1));
    assert_false(pr_roll_lose(&r, 1));
    assert_false(pr_roll_is_lost_and_there(&r, 1, 111 * S));
    assert_false(pr_roll_heard(&r, 1, 111 * S)); /* it may still be at its task */
    assert_true(pr_roll_is_lost_and_there(&r, 1, 112 * S));
    assert_false(pr_roll_is_lost_and_there(&r, 1, 121 * S));
    assert_false(pr_roll_is_lost_and_there(&r, 2, 112 * S)); /* it is up */
    r.members[1].ping.has_job = 0;
    assert_true(pr_roll_heard(&r, 1, 112 * S));
    assert_int_equal(r.members[1].state, PR_RANK_UP);
    assert_true(r.lost_any); /* nothing collective all the same */
    r.members[2].said_bye = true;
    assert_false(pr_roll_lose(&r, 2));
    pr_roll_clear(&r);
}

/* Whoever did not listen cannot tell who was silent; a lost one stays lost. */
static void test_forgiveness(void **state) {
    (void)state;
    pr_roll r;
    begin(&r);
    assert_true(pr_roll_lose(&r, 2));
    pr_roll_forgive(&r, 300 * S);
    assert_int_equal(changes(&r, 305 * S), 0);
    assert_int_equal(r.members[1].state, PR_RANK_UP);
    assert_int_equal(r.members[2].state, PR_RANK_LOST);
    assert_int_equal(changes(&r, 311 * S), 1);
    pr_roll_clear(&r);
}

static void test_watched_files_settle(void **state) {
    (void)state;
    pr_watch_state s = {0};
    assert_false(pr_watch_is_settled(&s, 10, 5, 100 * S));
    assert_false(pr_watch_is_settled(&s, 10, 5, 101 * S));
    assert_false(pr_watch_is_settled(&s, 11, 6, 103 * S)); /* it grew: from the beginning */
    assert_false(pr_watch_is_settled(&s, 11, 6, 104 * S));
    assert_true(pr_watch_is_settled(&s, 11, 6, 105 * S));
}

static void test_end_of_allocation(void **state) {
    (void)state;
    uint64_t seconds = 0;
    setenv("TZ", "UTC", 1);
    assert_true(pr_allotment_parse(&seconds, "2026-11-25T23:00:00\n"));
    assert_int_equal(seconds, 1795647600);
    assert_false(pr_allotment_parse(&seconds, "NONE\n"));
    assert_false(pr_allotment_parse(&seconds, "N/A"));
    assert_false(pr_allotment_parse(&seconds, ""));
    assert_false(pr_allotment_parse(&seconds, "2026-11-25T23:00:00 or so"));
}

/* A number that was given, or may have been, is not given again; one that nobody can have been given changes little,
 * and numbers never begin again from 0. */
static void test_numbers_of_attempts(void **state) {
    (void)state;
    uint32_t attempts[2] = {3, 0};
    pr_run_file f = {.attempts = attempts};
    assert_true(pr_run_file_may_have_given(&f, 0, 3));
    assert_true(pr_run_file_may_have_given(&f, 0, 19)); /* 16 of which the journal may know nothing */
    assert_false(pr_run_file_may_have_given(&f, 0, 20));
    assert_false(pr_run_file_may_have_given(&f, 0, UINT32_MAX));
    assert_int_equal(pr_run_file_pass_attempt(&f, 0, 0), 3);
    assert_int_equal(pr_run_file_pass_attempt(&f, 0, 5), 5);
    assert_int_equal(pr_run_file_pass_attempt(&f, 0, 4), 5);
    assert_int_equal(pr_run_file_pass_attempt(&f, 0, UINT32_MAX), 21);
    assert_int_equal(pr_run_file_pass_attempt(&f, 1, 1000), 16);
    attempts[0] = UINT32_MAX - 3;
    assert_int_equal(pr_run_file_pass_attempt(&f, 0, UINT32_MAX - 1), UINT32_MAX - 1);
    assert_true(pr_run_file_may_have_given(&f, 0, UINT32_MAX));
}

static void expect_device(const char *want, const pr_gpu *gpu) {
    char name[PR_SEAT_DEVICE];
    pr_seat_name_device(name, gpu);
    assert_string_equal(name, want);
}

/* Slices of one GPU are not one device; processes on one device leave room for each other's contexts. */
static void test_devices(void **state) {
    (void)state;
    const uint64_t GiB = (uint64_t)1 << 30, MiB = (uint64_t)1 << 20;
    expect_device("0000:60:00.0", &(pr_gpu){.bus_id = "0000:60:00.0", .uuid = "GPU-1"});
    expect_device("0000:60:00.0/MIG-01234567",
                  &(pr_gpu){.bus_id = "0000:60:00.0", .uuid = "MIG-01234567-89ab-cdef-0123-456789abcdef", .is_mig = 1});
    expect_device("0000:60:00.0/MIG-01234568",
                  &(pr_gpu){.bus_id = "0000:60:00.0", .uuid = "MIG-01234568-89ab-cdef-0123-456789abcdef", .is_mig = 1});
    expect_device("GPU-0123", &(pr_gpu){.token = "GPU-0123"}); /* its place is not known */
    assert_int_equal(pr_seat_device_bytes(80 * GiB, 1), 80 * GiB - 640 * MiB);
    assert_int_equal(pr_seat_device_bytes(80 * GiB, 4), 80 * GiB - 2560 * MiB);
    assert_int_equal(pr_seat_device_bytes(1 * GiB, 1), GiB / 2);
    assert_int_equal(pr_seat_device_bytes(0, 1), 0);
    assert_int_equal(pr_seat_device_limit(0, 16 * GiB), 15 * GiB);
    assert_int_equal(pr_seat_device_limit(GiB, 16 * GiB), GiB);
    assert_int_equal(pr_seat_device_limit(GiB, 0), GiB);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_and_loss),  cmocka_unit_test(test_a_lost_rank_comes_back_idle),
        cmocka_unit_test(test_forgiveness),       cmocka_unit_test(test_watched_files_settle),
        cmocka_unit_test(test_end_of_allocation), cmocka_unit_test(test_numbers_of_attempts),
        cmocka_unit_test(test_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
