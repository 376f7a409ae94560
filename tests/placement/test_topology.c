/* Masks, loading, and what is refused: hwloc would quietly take the live machine for a bad file. */
#include "placement/placement.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void expect_mask(const char *text, unsigned n) {
    char out[64];
    pr_mask m;
    assert_true(pr_mask_parse(&m, text));
    assert_int_equal(pr_mask_count(&m), n);
    pr_mask_format(out, sizeof out, &m);
    assert_string_equal(out, text);
}

static void masks_read_and_write(void **state) {
    (void)state;
    expect_mask("", 0);
    expect_mask("0", 1);
    expect_mask("0-1", 2);
    expect_mask("0-3,8,63-64,4095", 8);
    expect_mask("0-4095", 4096);
    pr_mask m;
    assert_true(pr_mask_parse(&m, "3,1-2,2"));
    assert_int_equal(pr_mask_count(&m), 3);
    assert_true(pr_mask_has(&m, 2) && !pr_mask_has(&m, 0) && !pr_mask_has(&m, 5000));
    char small[12];
    assert_true(pr_mask_parse(&m, "10-11,20-21,30-31"));
    pr_mask_format(small, sizeof small, &m);
    assert_string_equal(small, "10-11...");
    assert_true(pr_mask_parse(&m, "10-11,20-21"));
    pr_mask_format(small, sizeof small, &m);
    assert_string_equal(small, "10-11,20-21");
}

static void masks_refuse(void **state) {
    static const char *const bad[] = {",",    "0,",   "1-",     "-1", "3-1", "0x1",  "a",
                                      "1,,2", "4096", "0-4096", "1 ", " 1",  "1--2", "99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pr_mask m;
        if (pr_mask_parse(&m, bad[i])) fail_msg("'%s' was taken for a list", bad[i]);
    }
}

static void expect_description(pr_topology_source source, const char *text, const char *want) {
    pr_topology *t;
    pr_error err = {0};
    pr_writer w;
    if (pr_topology_load(&t, source, text, &err) != PR_OK) fail_msg("%s", err.text);
    pr_writer_init(&w);
    pr_topology_describe(&w, t);
    pr_write_u8(&w, 0);
    assert_string_equal((char *)w.data, want);
    pr_writer_clear(&w);
    pr_topology_destroy(t);
}

static void xml_loads(void **state) {
    (void)state;
    expect_description(PR_TOPOLOGY_XML, PR_TEST_XML,
                       "2 packages, 2 NUMA nodes, 16 cores, 16 processors, 8 GPUs, 137.4 GB");
}

static void synthetic_loads(void **state) {
    (void)state;
    expect_description(PR_TOPOLOGY_SYNTHETIC, "pack:2 numa:4 core:8 pu:2",
                       "2 packages, 8 NUMA nodes, 64 cores, 128 processors, 8.6 GB");
    expect_description(PR_TOPOLOGY_SYNTHETIC, "pu:3", "0 packages, 1 NUMA node, 3 cores, 3 processors, 1.1 GB");
}

static void live_loads(void **state) {
    pr_topology *t;
    pr_error err = {0};
    pr_request r;
    (void)state;
    if (pr_topology_load(&t, PR_TOPOLOGY_LIVE, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(pr_request_collect(&r, t, 5, true, &err), PR_OK);
    assert_int_equal(r.rank, 5);
    assert_true(pr_mask_count(&r.cpus) >= 1);
    assert_true(pr_mask_count(&r.allowed) >= pr_mask_count(&r.cpus));
    assert_true(r.available_bytes > 0);
    assert_true(r.host[0]);
    pr_topology_destroy(t);
}

static void expect_refusal(pr_topology_source source, const char *text, const char *words) {
    pr_topology *t = NULL;
    pr_error err = {0};
    assert_int_equal(pr_topology_load(&t, source, text, &err), PR_ERR_USAGE);
    assert_int_equal(err.status, PR_ERR_USAGE);
    assert_null(t);
    if (!strstr(err.text, words)) fail_msg("'%s' does not tell '%s'", err.text, words);
    if (text && !strstr(err.text, text)) fail_msg("'%s' does not name '%s'", err.text, text);
}

/* A copy of the XML with its first `from` replaced by `to`; size 0: all of it. */
static void expect_bad_copy(const char *from, const char *to, size_t size, const char *words) {
    char path[] = "placement-XXXXXX.xml";
    uint8_t *text;
    size_t n;
    pr_error err = {0};
    assert_int_equal(pr_file_read(&text, &n, PR_TEST_XML, 1 << 20, &err), PR_OK);
    char *at = strstr((char *)text, from);
    assert_non_null(at);
    FILE *f = fdopen(mkstemps(path, 4), "w");
    assert_non_null(f);
    if (size)
        fwrite(text, 1, size, f);
    else
        fprintf(f, "%.*s%s%s", (int)(at - (char *)text), (char *)text, to, at + strlen(from));
    fclose(f);
    free(text);
    expect_refusal(PR_TOPOLOGY_XML, path, words);
    unlink(path);
}

static void bad_files_are_refused(void **state) {
    char empty[] = "placement-XXXXXX.xml";
    (void)state;
    expect_refusal(PR_TOPOLOGY_XML, "no/such/file.xml", "No such file");
    close(mkstemps(empty, 4));
    expect_refusal(PR_TOPOLOGY_XML, empty, "empty");
    unlink(empty);
    expect_bad_copy("<topology version=\"2.0\"", "<topology version=\"3.0\"", 0, "version");
    expect_bad_copy("<topology", "<geography", 0, "not a topology");
    expect_bad_copy("<topology", "", 900, "cannot");
    expect_refusal(PR_TOPOLOGY_SYNTHETIC, "core:", "not a synthetic topology");
    expect_refusal(PR_TOPOLOGY_SYNTHETIC, "", "not a synthetic topology");
}

static void environment_does_not_replace_the_machine(void **state) {
    (void)state;
    assert_int_equal(setenv("HWLOC_SYNTHETIC", "pack:4 core:2 pu:1", 1), 0);
    expect_refusal(PR_TOPOLOGY_LIVE, NULL, "HWLOC_SYNTHETIC");
    expect_description(PR_TOPOLOGY_XML, PR_TEST_XML,
                       "2 packages, 2 NUMA nodes, 16 cores, 16 processors, 8 GPUs, 137.4 GB");
    unsetenv("HWLOC_SYNTHETIC");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_read_and_write),
        cmocka_unit_test(masks_refuse),
        cmocka_unit_test(xml_loads),
        cmocka_unit_test(synthetic_loads),
        cmocka_unit_test(live_loads),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(environment_does_not_replace_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
