#include "digest_suite.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "input.h"
#include "soundness.h"

static const digest_suite *suite;

static void assert_digest(const pr_job_instance *job, const char *hex, size_t size) {
    pr_output out[3];
    char length[32];
    snprintf(length, sizeof length, "%zu", size);
    assert_int_equal(suite->type->outputs(job, out, 3), 3);
    assert_string_equal(out[0].name, "digest");
    assert_string_equal(out[0].value, hex);
    assert_string_equal(out[1].name, "length");
    assert_string_equal(out[1].value, length);
    assert_string_equal(out[2].name, "file");
    assert_string_equal(out[2].value, "input");
}

/* docs/statement.md, "Public data of job types": the length, little-endian, then the digest as it is printed. */
static void assert_claims(const pr_job_instance *job, const char *hex, size_t size) {
    uint8_t expected[40] = {(uint8_t)size};
    assert_true(pr_hex_decode(expected + 8, 32, hex));
    assert_public(suite->type, job, expected, sizeof expected);
}

static void known_answers(void **state) {
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        pr_job_instance *job = input_job(suite->type, suite->known[k].text, strlen(suite->known[k].text));
        assert_digest(job, suite->known[k].digest, strlen(suite->known[k].text));
        assert_claims(job, suite->known[k].digest, strlen(suite->known[k].text));
        pr_instance_destroy(suite->type, job);
    }
}

/* Another digest or another length of as many blocks: the honest trace is refused. */
static void wrong_claims(const traces *t, const uint8_t digest[32], size_t size) {
    uint8_t wrong[32];
    memcpy(wrong, digest, sizeof wrong);
    wrong[size % 32] ^= 0x40;
    pr_job_instance *liar = claim_digest(suite->type, size, wrong);
    pr_statement st = plain_statement(suite->type->air(liar));
    assert_true(count_findings(&st, t) > 0);
    pr_instance_destroy(suite->type, liar);
    if (size == 0) return;
    liar = claim_digest(suite->type, size - 1, digest);
    st = plain_statement(suite->type->air(liar));
    if (size % 64 > 1 && size % 64 < 56) assert_true(count_findings(&st, t) > 0);
    pr_instance_destroy(suite->type, liar);
}

/* What the system's own program prints; false when there is none. */
static bool ask_system(char hex[65], const char *path) {
    char command[256];
    snprintf(command, sizeof command, "%s %s 2>/dev/null", suite->command, path);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    bool answered = fscanf(p, "%64s", hex) == 1 && strlen(hex) == 64;
    pclose(p);
    return answered;
}

static void find_digest(char hex[65], uint8_t digest[32], const uint8_t *data, size_t size) {
    if (suite->digest_of) {
        suite->digest_of(digest, data, size);
        pr_hex_encode(hex, digest, 32);
    } else {
        assert_true(ask_system(hex, input_path_of("input").text));
        assert_true(pr_hex_decode(digest, 32, hex));
    }
}

static void one_size(size_t size, uint64_t *random) {
    uint8_t *data = random_bytes(size, random), digest[32];
    char hex[65];
    pr_job_instance *job = input_job(suite->type, data, size);
    find_digest(hex, digest, data, size);
    pr_job_instance *public_job = claim_digest(suite->type, size, digest);
    assert_digest(job, hex, size);
    pr_hash x = pr_air_digest(suite->type->air(job)), y = pr_air_digest(suite->type->air(public_job));
    assert_memory_equal(&x, &y, sizeof x);
    traces t = traces_of(suite->type, job, 2);
    pr_statement st = plain_statement(suite->type->air(job));
    assert_traces_hold(&st, &t);
    if (size < 64) assert_storage_order(suite->type, job, &t, 1);
    wrong_claims(&t, digest, size);
    traces_destroy(&t);
    pr_instance_destroy(suite->type, job);
    pr_instance_destroy(suite->type, public_job);
    free(data);
}

static void sizes_at_every_edge(void **state) {
    (void)state;
    uint64_t random = test_seed();
    for (size_t k = 0; k < suite->n_sizes; k++) one_size(suite->sizes[k], &random);
}

static void one_thread_or_many(void **state) {
    (void)state;
    uint64_t random = test_seed();
    uint8_t *data = random_bytes(3333, &random);
    pr_job_instance *job = input_job(suite->type, data, 3333);
    traces one = traces_of(suite->type, job, 1), many = traces_of(suite->type, job, 5);
    assert_traces_equal(&one, &many);
    assert_storage_order(suite->type, job, &one, 3);
    traces_destroy(&one);
    traces_destroy(&many);
    pr_instance_destroy(suite->type, job);
    free(data);
}

/* In rows of blocks and in rows of zeros. */
static void a_changed_cell_is_noticed(void **state) {
    (void)state;
    uint64_t random = test_seed();
    uint8_t *data = random_bytes(229, &random);
    pr_job_instance *job = input_job(suite->type, data, 229);
    const pr_air *air = suite->type->air(job);
    traces t = traces_of(suite->type, job, 1);
    uint32_t busy[16];
    assert_int_equal(air->n_components, suite->n_components);
    for (uint32_t c = 0; c < air->n_components; c++) busy[c] = 4;
    assert_every_column_is_noticed(air, &t, &random, 3, busy);
    traces_destroy(&t);
    pr_instance_destroy(suite->type, job);
    free(data);
}

/* What the system's own program prints for its own licence texts, where there are both. */
static void as_the_system_prints(void **state) {
    (void)state;
    static const char *const files[] = {"/usr/share/common-licenses/BSD", "/usr/share/common-licenses/GPL-3",
                                        "/etc/passwd"};
    unsigned compared = 0;
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        char printed[65] = "";
        pr_job_instance *job = NULL;
        bool answered = ask_system(printed, files[k]);
        if (!answered || input_try(&job, suite->type, files[k], NULL) != PR_OK) continue;
        pr_output out[1];
        suite->type->outputs(job, out, 1);
        assert_string_equal(out[0].value, printed);
        pr_instance_destroy(suite->type, job);
        compared++;
    }
    if (!compared) skip();
}

static void inputs_that_cannot_be_read(void **state) {
    (void)state;
    pr_job_instance *job = NULL;
    pr_error err = {0};
    char limit[64];
    assert_int_equal(input_try(&job, suite->type, "absent", &err), PR_ERR_INPUT);
    assert_non_null(strstr(err.text, "absent"));
    assert_int_equal(input_try(&job, suite->type, ".", &err), PR_ERR_INPUT);
    pr_instance_destroy(suite->type, input_job(suite->type, "", 0));
    assert_int_equal(truncate(input_path_of("input").text, (off_t)suite->max_length + 1), 0);
    assert_int_equal(input_try(&job, suite->type, "input", &err), PR_ERR_INPUT);
    snprintf(limit, sizeof limit, "at most %llu", (unsigned long long)suite->max_length);
    assert_non_null(strstr(err.text, limit));
    assert_null(job);
}

static void public_data_that_is_refused(void **state) {
    (void)state;
    pr_job_instance *job = input_job(suite->type, "abcdef", 6), *again = NULL;
    pr_writer w = public_of(suite->type, job);
    uint8_t bad[41] = {0};
    assert_int_equal(w.size, 40);
    memcpy(bad, w.data, 40);
    for (size_t size = 0; size <= 41; size++)
        if (size != 40)
            assert_int_equal(pr_instance_create_public(&again, suite->type, NULL, bad, size, NULL), PR_ERR_MALFORMED);
    bad[4] = 1; /* four gibibytes more */
    assert_int_equal(pr_instance_create_public(&again, suite->type, NULL, bad, 40, NULL), PR_ERR_MALFORMED);
    assert_int_equal(pr_instance_create_public(&again, suite->type, NULL, w.data, 40, NULL), PR_OK);
    pr_m31 *columns[1] = {NULL};
    assert_int_equal(suite->type->trace(again, 0, columns, PR_JOB_ROW_ORDER, 1, NULL),
                     PR_ERR_INTERNAL); /* there is no file to trace */
    pr_instance_destroy(suite->type, again);
    pr_writer_clear(&w);
    pr_instance_destroy(suite->type, job);
}

/* The size that a scheduler plans with is that of the AIR. */
static void the_size_is_right(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 229, 1024, 20001};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        uint8_t *data = calloc(sizes[k] + 1, 1);
        pr_job_instance *job = input_job(suite->type, data, sizes[k]);
        const pr_param item = {"path", "input"};
        pr_params params = {.base_dir = input_folder, .n = 1, .items = &item};
        pr_job_size size;
        assert_int_equal(suite->type->size(&size, &params, NULL), PR_OK);
        const pr_air *air = suite->type->air(job);
        uint64_t cells = 0;
        for (uint32_t i = 0; i < air->n_preprocessed; i++) cells += UINT64_C(1) << air->preprocessed[i].log_size;
        for (uint32_t c = 0; c < air->n_components; c++)
            cells += (uint64_t)(air->components[c].n_columns + 4 * air->components[c].n_batches)
                     << air->components[c].log_size;
        uint64_t most = cells + cells / 50;
        assert_in_range(size.cells, cells - cells / 50, most);
        assert_int_equal(size.n_trees, 3);
        assert_int_equal(size.log_rows, 16);
        pr_instance_destroy(suite->type, job);
        free(data);
    }
}

int digest_suite_run(const digest_suite *given) {
    suite = given;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(sizes_at_every_edge),
        cmocka_unit_test(one_thread_or_many),
        cmocka_unit_test(a_changed_cell_is_noticed),
        cmocka_unit_test(as_the_system_prints),
        cmocka_unit_test(inputs_that_cannot_be_read),
        cmocka_unit_test(public_data_that_is_refused),
        cmocka_unit_test(the_size_is_right),
    };
    return cmocka_run_group_tests(tests, input_make_folder, input_remove_folder);
}
