/* Durations and points in time from text: what is taken, and what is not. */
#include "base/clock.h"
#include "base/duration.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define S 1000000000ull

static void test_durations(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"90s", 90 * S},
                {"10min", 600 * S},
                {"2h", 7200 * S},
                {"1h30min", 5400 * S},
                {"1d", 86400 * S},
                {"250ms", S / 4},
                {"0s", 0},
                {"1d2h3min4s5ms", 93784 * S + S / 200},
                {"3660d", PR_DURATION_MAX_NS}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t ns = 1;
        assert_true(pr_duration_parse(&ns, good[i].text));
        assert_int_equal(ns, good[i].ns);
    }
}

static void test_no_durations(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "10",
                                      "min",
                                      "10 min",
                                      "10m",
                                      "-5s",
                                      "1.5h",
                                      "1h30",
                                      "30min1h",
                                      "1h1h",
                                      "10sec",
                                      "3661d",
                                      "9999999999999s",
                                      "10S",
                                      " 10s",
                                      "10s ",
                                      "+1s",
                                      "1h 5s",
                                      "3660d1s",
                                      "99999999999999999999h"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t ns = 42;
        if (pr_duration_parse(&ns, bad[i])) fail_msg("taken: `%s`", bad[i]);
        assert_int_equal(ns, 42);
    }
}

static void test_points_in_time(void **state) {
    (void)state;
    static const struct {
        const char *text, *utc;
    } good[] = {{"2026-11-25T22:00:00Z", "2026-11-25T22:00:00.000000000Z"},
                {"2026-11-25T22:00Z", "2026-11-25T22:00:00.000000000Z"},
                {"2026-11-25T22:00:05+01:30", "2026-11-25T20:30:05.000000000Z"},
                {"2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00.000000000Z"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t ns = 0;
        char back[32];
        assert_true(pr_time_parse_iso8601(&ns, good[i].text));
        pr_clock_iso8601(back, ns);
        assert_string_equal(back, good[i].utc);
    }
}

static void test_no_points_in_time(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-11-25",
                                      "2026-11-25T22:00:00",
                                      "2026-11-25 22:00:00Z",
                                      "2026-13-01T00:00Z",
                                      "2026-02-29T00:00Z",
                                      "2026-11-31T00:00Z",
                                      "2026-11-25T24:00Z",
                                      "2026-11-25T22:60Z",
                                      "2026-11-25T22:00:00Zx",
                                      "2026-11-25T22:00:00+1:00",
                                      "2026-11-25T22:00:00+01:00x",
                                      "1969-12-31T23:59Z",
                                      "1970-01-01T00:00+01:00",
                                      "26-11-25T22:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t ns = 42;
        if (pr_time_parse_iso8601(&ns, bad[i])) fail_msg("taken: `%s`", bad[i]);
        assert_int_equal(ns, 42);
    }
}

static void test_format(void **state) {
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {{15000000, "15ms"}, {3200000000u, "3.2s"}, {605 * S, "10min 05s"}, {3720 * S, "1h 02min"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        pr_duration_format(text, cases[i].ns);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),      cmocka_unit_test(test_no_durations),
        cmocka_unit_test(test_points_in_time), cmocka_unit_test(test_no_points_in_time),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
