/* The calibration file: what is written reads back, each mistake has its place, and only a file for this processor
 * counts. */
#include "base/cpu.h"
#include "manifest/calibration.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static pr_calibration sample(void) {
    pr_calibration c = {.costs = {15.5, 500, 15, 4e6, 0.75, {2.5, 90, 24, 19, 4e4}},
                        .worst_error = 0.2,
                        .measured = "2026-11-29T06:00:00Z"};
    pr_cpu_model(c.processor, sizeof c.processor);
    snprintf(c.instructions, sizeof c.instructions, "%s", pr_isa_name(pr_cpu_isa()));
    return c;
}

static void write_to(const char *path, const pr_calibration *c) {
    pr_writer w;
    pr_error err = {0};
    pr_writer_init(&w);
    pr_calibration_write(&w, c);
    assert_false(w.failed);
    if (pr_file_write_atomic(path, w.data, w.size, 0644, &err) != PR_OK) fail_msg("%s", err.text);
    pr_writer_clear(&w);
}

static void test_round_trip(void **state) {
    (void)state;
    pr_calibration c = sample(), back;
    pr_writer w;
    pr_error err = {0};
    pr_writer_init(&w);
    pr_calibration_write(&w, &c);
    if (pr_calibration_parse(&back, (const char *)w.data, w.size, "cal.yaml", &err) != PR_OK) fail_msg("%s", err.text);
    pr_writer_clear(&w);
    assert_memory_equal(&back.costs, &c.costs, sizeof c.costs);
    assert_string_equal(back.processor, c.processor);
    assert_string_equal(back.instructions, c.instructions);
    assert_string_equal(back.measured, c.measured);
}

#define NUMBERS "cell_ns: 4\nrow_ns: 1\ngrind_ns: 1\nattempt_ns: 1\nparallel: 1\nworst_error: 0\n"
#define HEAD "version: 1\nprocessor: P\ninstructions: avx2\nmeasured: today\n"
static void refuses(const char *text, const char *place, const char *what) {
    pr_calibration c;
    pr_error err = {0};
    char start[64];
    assert_int_equal(pr_calibration_parse(&c, text, strlen(text), "cal.yaml", &err), PR_ERR_USAGE);
    snprintf(start, sizeof start, "cal.yaml:%s: ", place);
    if (strncmp(err.text, start, strlen(start)) != 0 || !strstr(err.text, what))
        fail_msg("'%s' is not '%s...%s'", err.text, start, what);
}

static void test_mistakes(void **state) {
    (void)state;
    refuses("[1]\n", "1:1", "a list");
    refuses("version: 3\n", "1:10", "allowed: 1, 2 (`proverun bench calibrate`");
    refuses("version: [1]\n", "1:10", "a list");
    refuses(HEAD "cell_ns: -3\n", "5:10", "from 0.01 to");
    refuses(HEAD "cell_ns: nan\n", "5:10", "from 0.01 to");
    refuses(HEAD "cell_ns: 3 ns\n", "5:10", "`3 ns`");
    refuses(HEAD "parallel: 1.5\n", "5:11", "from 0 to 1");
    refuses(HEAD "cells: 4\n", "5:1", "unknown key `cells`");
    refuses(HEAD "cell_ns: 4\n", "1:1", "row_ns: missing");
    refuses(NUMBERS "processor: P\ninstructions: avx2\nmeasured: today\n", "1:1", "verify_byte_ns: missing");
    refuses("version: 2\nprocessor: P\ninstructions: avx2\nmeasured: today\n" NUMBERS, "1:1",
            "verify_byte_ns: missing");
    refuses(NUMBERS "verify_byte_ns: 1\nverify_node_ns: 1\nverify_value_ns: 1\nverify_root_ns: 1\nverify_attempt_ns: "
                    "1\nprocessor: P\n"
                    "instructions: avx2\nmeasured: today\n",
            "1:1", "version: missing");
    refuses("version: 1\nprocessor: ''\n", "2:12", "1 to 255 bytes");
}

/* A file of before verification was measured: proving as it says, verification as built in. */
static void test_version_1(void **state) {
    (void)state;
    pr_calibration c = sample(), back;
    pr_costs_origin origin;
    pr_error err = {0};
    char folder[] = "/tmp/calibration_XXXXXX", path[64], text[1024];
    int n = snprintf(text, sizeof text, "version: 1\nprocessor: \"%s\"\ninstructions: %s\nmeasured: today\n" NUMBERS,
                     c.processor, c.instructions);
    if (pr_calibration_parse(&back, text, (size_t)n, "cal.yaml", &err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(back.version, 1);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/cal.yaml", folder);
    setenv("PROVERUN_CALIBRATION", path, 1);
    assert_int_equal(pr_file_write_atomic(path, text, (size_t)n, 0644, NULL), PR_OK);
    pr_costs costs = pr_calibration_costs(&origin), built_in = pr_costs_built_in(pr_cpu_isa());
    assert_true(origin.is_calibrated);
    assert_non_null(strstr(origin.text, "of verification built-in constants: `proverun bench calibrate`"));
    assert_true(costs.cell_ns == 4 && costs.row_ns == 1);
    assert_memory_equal(&costs.verify, &built_in.verify, sizeof costs.verify);
    unlink(path);
    rmdir(folder);
}

static void expect_built_in(const char *why) {
    pr_costs_origin origin;
    pr_costs costs = pr_calibration_costs(&origin), built_in = pr_costs_built_in(pr_cpu_isa());
    assert_false(origin.is_calibrated);
    assert_memory_equal(&costs, &built_in, sizeof costs);
    if (!strstr(origin.text, why)) fail_msg("'%s' does not say '%s'", origin.text, why);
}

static void test_use(void **state) {
    (void)state;
    char folder[] = "/tmp/calibration_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/cal.yaml", folder);
    setenv("PROVERUN_CALIBRATION", path, 1);
    expect_built_in("bench calibrate");

    pr_calibration c = sample();
    write_to(path, &c);
    pr_costs_origin origin;
    pr_costs costs = pr_calibration_costs(&origin);
    assert_true(origin.is_calibrated);
    assert_memory_equal(&costs, &c.costs, sizeof costs);

    snprintf(c.processor, sizeof c.processor, "another one");
    write_to(path, &c);
    expect_built_in("is for another one");
    c = sample();
    c.costs.cell_ns = 0;
    write_to(path, &c);
    expect_built_in("cell_ns: `0`");
    unlink(path);
    rmdir(folder);
}

static void test_path(void **state) {
    (void)state;
    char path[PR_CALIBRATION_PATH_BYTES];
    setenv("PROVERUN_CALIBRATION", "/a/b.yaml", 1);
    setenv("XDG_CACHE_HOME", "/cache", 1);
    setenv("HOME", "/me", 1);
    assert_true(pr_calibration_path(path));
    assert_string_equal(path, "/a/b.yaml");
    unsetenv("PROVERUN_CALIBRATION");
    assert_true(pr_calibration_path(path));
    assert_string_equal(path, "/cache/proverun/calibration.yaml");
    unsetenv("XDG_CACHE_HOME");
    assert_true(pr_calibration_path(path));
    assert_string_equal(path, "/me/.cache/proverun/calibration.yaml");
    unsetenv("HOME");
    assert_false(pr_calibration_path(path));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_version_1), cmocka_unit_test(test_use),
                                       cmocka_unit_test(test_path)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
