/* encrypt_to: where it may stand, what it may be, and keys read from files. */
#include "manifest/manifest.h"
#include "base/bytes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define GENERATOR "0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca"
static const pr_param_spec params[] = {{"size", PR_PARAM_UINT, true, NULL, 4, 24, "log2 of rows"}};
static const pr_job_type grid = {.name = "grid", .version = 1, .params = params, .n_params = 1};
static const pr_job_type *const types[] = {&grid, NULL};

static pr_status parse(pr_manifest *m, const char *folder, const char *defaults, const char *job, pr_error *err) {
    char text[600];
    snprintf(
        text, sizeof text,
        "version: 1\nname: n\ndefaults: {profile: fast%s}\njobs:\n- {id: a, type: grid, params: {size: [5, 6]}%s}\n"
        "- {id: b, type: grid, params: {size: 7}}\n",
        defaults, job);
    return pr_manifest_parse(m, text, strlen(text), "m.yaml", folder, types, NULL, err);
}

static void test_places(void **state) {
    (void)state;
    pr_manifest m;
    pr_hash content;
    uint8_t x[32];
    assert_int_equal(parse(&m, "/", "", "", NULL), PR_OK);
    content = m.jobs[0].content;
    for (size_t i = 0; i < 3; i++) assert_null(m.jobs[i].encrypt_to);
    assert_int_equal(pr_manifest_read_keys(&m, NULL, NULL), PR_OK);
    pr_manifest_clear(&m);
    assert_int_equal(parse(&m, "/", ", encrypt_to: \"" GENERATOR "\"", ", encrypt_to: none", NULL), PR_OK);
    assert_null(m.jobs[0].encrypt_to);
    assert_null(m.jobs[1].encrypt_to);
    assert_int_equal(pr_manifest_read_keys(&m, NULL, NULL), PR_OK);
    assert_true(pr_hex_decode(x, 32, "01ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca"));
    assert_memory_equal(m.jobs[2].encrypt_key, x, 32);
    pr_manifest_clear(&m);
    assert_int_equal(parse(&m, "/", "", ", encrypt_to: \"" GENERATOR "\"", NULL), PR_OK);
    assert_int_equal(pr_manifest_read_keys(&m, NULL, NULL), PR_OK);
    assert_memory_equal(m.jobs[0].encrypt_key, x, 32);
    assert_memory_equal(m.jobs[1].encrypt_key, x, 32);
    assert_null(m.jobs[2].encrypt_to);
    /* what is proven does not depend on who reads it: a run can be resumed with another key */
    assert_memory_equal(&m.jobs[0].content, &content, sizeof content);
    pr_manifest_clear(&m);
}

static void test_refusals(void **state) {
    (void)state;
    static const struct {
        const char *job, *says;
    } cases[] = {
        {", encrypt_to: \"0x123x\"", "m.yaml:5:59: encrypt_to: '0x123x' is no public key; allowed: 0x"},
        {", encrypt_to: \"0x0\"", "no point of the curve"},
        {", encrypt_to: \"\"", "encrypt_to is empty; allowed: a public key"},
        {", encrypt_to: [a]", "encrypt_to must be"},
        {", encrypts_to: a", "did you mean `encrypt_to`?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pr_manifest m;
        pr_error err = {0};
        assert_int_equal(parse(&m, "/", "", cases[i].job, &err), PR_ERR_USAGE);
        if (!strstr(err.text, cases[i].says)) fail_msg("'%s' does not say '%s'", err.text, cases[i].says);
    }
}

static void test_files(void **state) {
    (void)state;
    char folder[] = "/tmp/manifest-keys-XXXXXX", path[64];
    pr_manifest m;
    pr_error err = {0};
    pr_writer report;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out.pub", folder);
    assert_int_equal(pr_file_write_atomic(path, GENERATOR "\n", strlen(GENERATOR) + 1, 0644, NULL), PR_OK);
    assert_int_equal(parse(&m, folder, ", encrypt_to: out.pub", "", NULL), PR_OK);
    assert_int_equal(pr_manifest_read_keys(&m, NULL, NULL), PR_OK);
    assert_int_equal(m.jobs[2].encrypt_key[31], 0xca);
    unlink(path);
    pr_writer_init(&report);
    assert_int_equal(pr_manifest_read_keys(&m, &report, &err), PR_ERR_USAGE);
    assert_non_null(strstr(err.text, "m.yaml:5:3: encrypt_to of job `a-1`: "));
    assert_non_null(strstr(err.text, "out.pub"));
    assert_true(report.size > strlen(err.text));
    pr_writer_clear(&report);
    pr_manifest_clear(&m);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
