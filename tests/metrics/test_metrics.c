/* The text form of metrics, as the textfile collector wants it. */
#include "metrics/metrics.h"
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static pr_metrics *sample(void) {
    pr_metrics *m = pr_metrics_create();
    pr_metric jobs = pr_metrics_add_family(m, "proverun_jobs_total", "Jobs, by outcome.", PR_METRIC_COUNTER);
    pr_metric load = pr_metrics_add_family(m, "proverun_load", "A \\ help\nof two lines.", PR_METRIC_GAUGE);
    (void)pr_metrics_add_family(m, "proverun_never_set", "Not in the output.", PR_METRIC_GAUGE);
    pr_metrics_add(m, jobs, "outcome", "approved", 1);
    pr_metrics_add(m, jobs, "outcome", "approved", 1);
    pr_metrics_set(m, jobs, "outcome", "a\"b\\c\nd", 3);
    pr_metrics_set(m, load, NULL, NULL, 0.25);
    return m;
}

static const char expected[] = "# HELP proverun_jobs_total Jobs, by outcome.\n"
                               "# TYPE proverun_jobs_total counter\n"
                               "proverun_jobs_total{outcome=\"approved\"} 2\n"
                               "proverun_jobs_total{outcome=\"a\\\"b\\\\c\\nd\"} 3\n"
                               "# HELP proverun_load A \\\\ help\\nof two lines.\n"
                               "# TYPE proverun_load gauge\n"
                               "proverun_load 0.25\n";

static void expect_text(const pr_metrics *m, const char *want) {
    pr_writer w;
    pr_writer_init(&w);
    assert_int_equal(pr_metrics_write(&w, m, NULL), PR_OK);
    pr_write_u8(&w, 0);
    assert_string_equal((const char *)w.data, want);
    pr_writer_clear(&w);
}

static void test_format(void **state) {
    (void)state;
    pr_metrics *m = sample();
    expect_text(m, expected);
    assert_true(pr_metrics_get(m, 0, "outcome", "approved") == 2);
    assert_true(pr_metrics_get(m, 0, "outcome", "none") == 0);
    pr_metrics_destroy(m);
}

/* A locale with a decimal comma, where the machine has one, changes nothing; nor does the writer change the locale. */
static void test_locale(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!setlocale(LC_NUMERIC, names[i])) continue;
        char before[16], after[16];
        pr_metrics *m = sample();
        snprintf(before, sizeof before, "%.2f", 0.5);
        expect_text(m, expected);
        snprintf(after, sizeof after, "%.2f", 0.5);
        assert_string_equal(before, after);
        pr_metrics_destroy(m);
    }
    setlocale(LC_NUMERIC, "C");
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0, "0"},         {-3, "-3"},           {1234567890123.0, "1234567890123"}, {1e300, "1e+300"},
        {0.001, "0.001"}, {(double)NAN, "NaN"}, {(double)INFINITY, "+Inf"},         {-(double)INFINITY, "-Inf"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char want[128];
        pr_metrics *m = pr_metrics_create();
        pr_metric g = pr_metrics_add_family(m, "proverun_x", "X.", PR_METRIC_GAUGE);
        pr_metrics_set(m, g, NULL, NULL, cases[i].v);
        snprintf(want, sizeof want, "# HELP proverun_x X.\n# TYPE proverun_x gauge\nproverun_x %s\n", cases[i].text);
        expect_text(m, want);
        pr_metrics_destroy(m);
    }
}

/* Buckets are cumulative and end with the count; a value on a bound belongs to it; whole families of two labels. */
static void test_histogram(void **state) {
    (void)state;
    pr_writer w;
    pr_metrics *m = pr_metrics_create();
    pr_metric times = pr_metrics_add_family(m, "proverun_x_seconds", "X.", PR_METRIC_HISTOGRAM);
    const uint64_t ns[] = {0, 100000, 100001, 2500000000, 500000000000, 500000000001};
    for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++) pr_metrics_observe(m, times, "of", "a\"", ns[i]);
    pr_writer_init(&w);
    assert_int_equal(pr_metrics_write(&w, m, NULL), PR_OK);
    pr_write_u8(&w, 0);
    static const char *const lines[] = {
        "# HELP proverun_x_seconds X.\n# TYPE proverun_x_seconds histogram\n"
        "proverun_x_seconds_bucket{of=\"a\\\"\",le=\"0.0001\"} 2\n"
        "proverun_x_seconds_bucket{of=\"a\\\"\",le=\"0.00025\"} 3\n",
        "le=\"1\"} 3\n", "le=\"2.5\"} 4\n", "le=\"250\"} 4\n",
        "le=\"500\"} 5\nproverun_x_seconds_bucket{of=\"a\\\"\",le=\"+Inf\"} 6\n"
        "proverun_x_seconds_sum{of=\"a\\\"\"} 1002.5002\nproverun_x_seconds_count{of=\"a\\\"\"} 6\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (!strstr((const char *)w.data, lines[i])) fail_msg("no %s in\n%s", lines[i], (const char *)w.data);
    pr_writer_clear(&w);
    pr_metrics_destroy(m);
}

static void test_plain_histogram(void **state) {
    (void)state;
    pr_writer w;
    pr_histogram a = {0}, b = {0};
    pr_histogram_observe(&a, 1000000);
    pr_histogram_observe(&b, 3000000000);
    pr_histogram_add(&a, &b);
    assert_int_equal(pr_histogram_count(&a), 2);
    pr_metrics *m = pr_metrics_create();
    pr_metric times = pr_metrics_add_family(m, "proverun_y_seconds", "Y.", PR_METRIC_HISTOGRAM);
    pr_metrics_set_histogram(m, times, NULL, NULL, &b); /* what is set again is replaced */
    pr_metrics_set_histogram(m, times, NULL, NULL, &a);
    pr_writer_init(&w);
    assert_int_equal(pr_metrics_write(&w, m, NULL), PR_OK);
    pr_write_u8(&w, 0);
    assert_non_null(strstr((const char *)w.data, "\nproverun_y_seconds_bucket{le=\"0.001\"} 1\n"));
    assert_non_null(strstr((const char *)w.data, "\nproverun_y_seconds_bucket{le=\"+Inf\"} 2\nproverun_y_seconds_sum "
                                                 "3.001\nproverun_y_seconds_count 2\n"));
    pr_writer_clear(&w);
    pr_metrics_destroy(m);
}

static void test_two_labels(void **state) {
    (void)state;
    pr_metrics *m = pr_metrics_create();
    pr_metric c = pr_metrics_add_family(m, "proverun_c_total", "C.", PR_METRIC_COUNTER);
    pr_metrics_set_pair(m, c, (const pr_metric_label[]){{"operation", "sync"}, {"status", "ok"}}, 5);
    pr_metrics_set_pair(m, c, (const pr_metric_label[]){{"operation", "sync"}, {"status", "error"}}, 1);
    pr_metrics_set_pair(m, c, (const pr_metric_label[]){{"operation", "sync"}, {"status", "ok"}}, 6);
    expect_text(m, "# HELP proverun_c_total C.\n# TYPE proverun_c_total counter\n"
                   "proverun_c_total{operation=\"sync\",status=\"ok\"} 6\n"
                   "proverun_c_total{operation=\"sync\",status=\"error\"} 1\n");
    pr_metrics_destroy(m);
}

static void test_save(void **state) {
    (void)state;
    char folder[] = "metrics-test-XXXXXX", path[64];
    struct stat st;
    uint8_t *data;
    size_t size;
    pr_error e = {0};
    pr_metrics *m = sample();
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/run.prom", folder);
    umask(077);
    assert_int_equal(pr_metrics_save(m, path, &e), PR_OK);
    assert_int_equal(pr_metrics_save(m, path, &e), PR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(pr_file_read(&data, &size, path, 1 << 20, &e), PR_OK);
    assert_string_equal((const char *)data, expected);
    free(data);
    unlink(path);
    assert_int_equal(rmdir(folder), 0); /* nothing temporary stays */
    assert_int_equal(pr_metrics_save(m, path, &e), PR_ERR_IO);
    pr_metrics_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),    cmocka_unit_test(test_locale),          cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_histogram), cmocka_unit_test(test_plain_histogram), cmocka_unit_test(test_two_labels),
        cmocka_unit_test(test_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
