#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../dataset.h"
#include "poseidon2/poseidon2.h"
#include "poseidon2_merkle/job.h"
#include "soundness.h"

static const pr_job_type *const type = &pr_job_poseidon2_merkle;

static pr_status try_create(pr_job_instance **job, size_t n_items, const pr_param *items, pr_error *err) {
    pr_params params = {.base_dir = PR_TEST_JOBS, .n = n_items, .items = items};
    PR_TRY(pr_params_check(type, &params, NULL, err));
    return pr_instance_create(job, type, &params, err);
}

static pr_job_instance *create(const char *list) {
    pr_job_instance *job = NULL;
    pr_error err = {0};
    const pr_param items[] = {{"input", list}};
    if (try_create(&job, 1, items, &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}

static pr_job_instance *create_of(const pr_m31 *values, size_t n) {
    pr_writer w;
    pr_writer_init(&w);
    for (size_t k = 0; k < n; k++) pr_write_format(&w, "%u ", values[k]);
    pr_write_u8(&w, 0);
    pr_job_instance *job = create((const char *)w.data);
    pr_writer_clear(&w);
    return job;
}

static void assert_root(const pr_job_instance *job, const char *root, const char *n_values) {
    pr_output out[2];
    assert_int_equal(type->outputs(job, out, 2), 2);
    assert_string_equal(out[0].name, "root");
    assert_string_equal(out[0].value, root);
    assert_string_equal(out[1].name, "values");
    assert_string_equal(out[1].value, n_values);
}

/* Roots by a program of its own in Python, with whole matrices and big integers. */
static void known_roots(void **state) {
    (void)state;
    pr_m31 values[1000];
    for (pr_m31 k = 0; k < 1000; k++) values[k] = k;
    pr_job_instance *one = create("7"), *pi = create("3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3 2 3 8 4");
    pr_job_instance *thousand = create_of(values, 1000);
    assert_root(one, "6fbd8c5e026276084a6bc7884cc88df6213089fb2122e3e611c737d01cde36fd", "1");
    assert_root(pi, "4c4ff0364792d40d7a2e853e7676d57868b926c767d1225b77a5199c5fffaaa6", "20");
    assert_root(thousand, "76ff1e2c75d9abd01e3beace3e5b047f2cac95dc5a35941922a46ef3117bbb93", "1000");
    pr_instance_destroy(type, one);
    pr_instance_destroy(type, pi);
    pr_instance_destroy(type, thousand);
}

/* docs/statement.md, "Public data of job types" */
static void public_data_is_as_documented(void **state) {
    (void)state;
    static const uint8_t expected[40] = {0x14, 0,    0,    0,    0,    0,    0,    0,    0x36, 0xf0,
                                         0x4f, 0x4c, 0x0d, 0xd4, 0x92, 0x47, 0x3e, 0x85, 0x2e, 0x7a,
                                         0x78, 0xd5, 0x76, 0x76, 0xc7, 0x26, 0xb9, 0x68, 0x5b, 0x22,
                                         0xd1, 0x67, 0x9c, 0x19, 0xa5, 0x77, 0xa6, 0xaa, 0xff, 0x5f};
    pr_job_instance *job = create("3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3 2 3 8 4");
    assert_public(type, job, expected, sizeof expected);
    pr_instance_destroy(type, job);
}

/* README.md's definition, plainly. */
static void compress(pr_m31 out[8], const pr_m31 left[8], const pr_m31 right[8]) {
    pr_m31 state[16];
    memcpy(state, left, 8 * sizeof *state);
    memcpy(state + 8, right, 8 * sizeof *state);
    pr_poseidon2_permute(state);
    for (int k = 0; k < 8; k++) out[k] = pr_m31_add(state[k], left[k]);
}

static void node_digest(pr_m31 out[8], const pr_m31 *values, uint32_t n, uint32_t node) {
    uint32_t leaves = (n + 15) / 16;
    pr_m31 x[16] = {0};
    if (node >= leaves) {
        for (uint32_t k = 0, at = 16 * (node - leaves); k < 16 && at + k < n; k++) x[k] = values[at + k];
    } else {
        node_digest(x, values, n, 2 * node);
        node_digest(x + 8, values, n, 2 * node + 1);
    }
    compress(out, x, x + 8);
}

static void root_text(char *out, size_t size, const pr_m31 *values, uint32_t n) {
    const pr_m31 length[8] = {n, 0x6d726b6c};
    pr_m31 root[8];
    node_digest(root, values, n, 1);
    compress(root, length, root);
    for (size_t k = 0; k < 8; k++) snprintf(out + 8 * k, size - 8 * k, "%08x", root[k]);
}

static void assert_storage_is_the_same(const pr_job_instance *job) {
    rows x = trace_in_rows(type, job, 1), y = trace_from_storage(type, job, 3);
    assert_rows_equal(&x, &y);
    rows_destroy(&x);
    rows_destroy(&y);
}

/* One value, one leaf full, one more; 8 leaves, whose 16 nodes fill the rows, and one value more; more rows than one
 * block of the kernel. */
static void edge_sizes(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 127, 128, 129, 256, 1024, 4097, 8200};
    uint64_t random = test_seed();
    pr_m31 values[8200];
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) values[k] = random_m31(&random);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        char root[65], n[16];
        uint32_t leaves = (sizes[k] + 15) / 16, log_rows = 4;
        while (1u << log_rows < 2 * leaves) log_rows++;
        pr_job_instance *job = create_of(values, sizes[k]);
        root_text(root, sizeof root, values, sizes[k]);
        snprintf(n, sizeof n, "%u", sizes[k]);
        assert_root(job, root, n);
        assert_int_equal(type->air(job)->components[0].log_size, log_rows);
        pr_statement st = plain_statement(type->air(job));
        traces t = traces_of(type, job, 2);
        assert_traces_hold(&st, &t);
        traces_destroy(&t);
        pr_statement_clear(&st);
        assert_storage_is_the_same(job);
        pr_instance_destroy(type, job);
    }
}

/* A value of zero behind the list is another list, a leaf of zeros too. */
static void lists_that_padding_would_confuse(void **state) {
    (void)state;
    static const char *const lists[] = {"7", "7 0", "7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
                                        "7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"};
    pr_output out[4][2];
    for (int k = 0; k < 4; k++) {
        pr_job_instance *job = create(lists[k]);
        type->outputs(job, out[k], 2);
        pr_instance_destroy(type, job);
        for (int i = 0; i < k; i++) assert_string_not_equal(out[i][0].value, out[k][0].value);
    }
}

static void wrong_claims(void **state) {
    (void)state;
    pr_job_instance *job = create("3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3 2 3 8 4"), *liar = NULL;
    traces t = traces_of(type, job, 1);
    pr_writer w = public_of(type, job);
    for (size_t at = 0; at < w.size; at += at ? 4 : 8) { /* the number of values, 20 or 21; each element of the root */
        w.data[at] ^= 1;
        assert_int_equal(pr_instance_create_public(&liar, type, NULL, w.data, w.size, NULL), PR_OK);
        pr_statement st = plain_statement(type->air(liar));
        assert_true(count_findings(&st, &t) > 0);
        pr_statement_clear(&st);
        pr_instance_destroy(type, liar);
        w.data[at] ^= 1;
    }
    pr_writer_clear(&w);
    traces_destroy(&t);
    pr_instance_destroy(type, job);
}

static void public_data_is_enough(void **state) {
    (void)state;
    pr_job_instance *job = create("3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3 2 3 8 4"), *again = NULL;
    pr_writer w = public_of(type, job);
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_OK);
    pr_hash x = pr_air_digest(type->air(job)), y = pr_air_digest(type->air(again));
    assert_memory_equal(&x, &y, sizeof x);
    assert_int_equal(type->trace(again, 0, NULL, PR_JOB_ROW_ORDER, 1, NULL), PR_ERR_INTERNAL);
    pr_instance_destroy(type, again);
    for (size_t size = 0; size < w.size; size++)
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
    static const size_t spoiled[] = {3, 7, 11, 39}; /* too many values; elements of 2^31 and more */
    for (size_t k = 0; k < sizeof spoiled / sizeof *spoiled; k++) {
        uint8_t kept = w.data[spoiled[k]];
        w.data[spoiled[k]] = 0xee;
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_ERR_MALFORMED);
        w.data[spoiled[k]] = kept;
    }
    memset(w.data, 0, 8);
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_ERR_MALFORMED);
    pr_writer_clear(&w);
    pr_instance_destroy(type, job);
}

static void write_numbers(const char *path, const int64_t *numbers, hsize_t n) {
    write_dataset(path, "x", H5T_STD_I64LE, H5T_NATIVE_INT64, numbers, n);
}

static void datasets(void **state) {
    (void)state;
    static const pr_param digits[] = {{"data", "data_pipeline/digits.h5"}, {"dataset", "pixels"}};
    char folder[4096], path[4200];
    pr_job_instance *job = NULL, *list = create("5 2147483646 0");
    pr_output out[2], expected[2];
    pr_error err = {0};
    assert_int_equal(try_create(&job, 2, digits, &err), PR_OK);
    type->outputs(job, out, 2);
    assert_string_equal(out[1].value, "115008");
    pr_instance_destroy(type, job);

    assert_non_null(getcwd(folder, sizeof folder));
    snprintf(path, sizeof path, "%s/proverun-test-%d.h5", folder, (int)getpid());
    const pr_param items[] = {{"data", path}, {"dataset", "x"}};
    write_numbers(path, (const int64_t[]){5, 2147483646, 0}, 3);
    assert_int_equal(try_create(&job, 2, items, &err), PR_OK);
    type->outputs(job, out, 2);
    type->outputs(list, expected, 2);
    assert_string_equal(out[0].value, expected[0].value);
    pr_instance_destroy(type, job);
    pr_instance_destroy(type, list);
    write_numbers(path, (const int64_t[]){5, 2147483647, 0}, 3);
    assert_int_equal(try_create(&job, 2, items, &err), PR_ERR_INPUT);
    assert_non_null(strstr(err.text, "value 1 is not from 0 to 2147483646"));
    unlink(path);
}

static void wrong_inputs(void **state) {
    (void)state;
    static const struct {
        pr_param items[2];
        size_t n;
        pr_status status;
        const char *text;
    } bad[] = {
        {{{"input", "1 2\n3 -4"}}, 1, PR_ERR_INPUT, "input:2:3: '-4' is not a whole number from 0 to 2147483646"},
        {{{"input", "2147483647"}}, 1, PR_ERR_INPUT, "input:1:1:"},
        {{{"input", " # nothing"}}, 1, PR_ERR_INPUT, "0 values; allowed: 1 to 134217728"},
        {{{"input", "1"}, {"input_file", "demo.yaml"}},
         2,
         PR_ERR_USAGE,
         "excludes 'input'; allowed: one of input, input_file, data"},
        {{{"input_file", "none.txt"}}, 1, PR_ERR_INPUT, "none.txt"},
        {{{"column", "0"}}, 1, PR_ERR_USAGE, "needs one of the parameters input, input_file, data"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_job_instance *job = NULL;
        pr_error err = {0};
        assert_int_equal(try_create(&job, bad[k].n, bad[k].items, &err), bad[k].status);
        if (!strstr(err.text, bad[k].text)) fail_msg("%s", err.text);
        assert_null(job);
    }
}

/* What is planned is what the AIR has, for a list in the manifest. */
static void the_planned_size(void **state) {
    (void)state;
    const pr_param items[] = {{"input", "3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3 2 3 8 4"}};
    pr_params params = {.base_dir = ".", .n = 1, .items = items};
    pr_job_size size;
    pr_job_instance *job = create(items[0].value);
    const pr_air *air = type->air(job);
    assert_int_equal(type->size(&size, &params, NULL), PR_OK);
    assert_int_equal(size.log_rows, air->components[0].log_size);
    assert_int_equal(size.cells >> size.log_rows,
                     air->components[0].n_columns + air->n_preprocessed + 4 * air->components[0].n_batches);
    pr_instance_destroy(type, job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_roots),      cmocka_unit_test(public_data_is_as_documented),
        cmocka_unit_test(edge_sizes),       cmocka_unit_test(lists_that_padding_would_confuse),
        cmocka_unit_test(wrong_claims),     cmocka_unit_test(public_data_is_enough),
        cmocka_unit_test(datasets),         cmocka_unit_test(wrong_inputs),
        cmocka_unit_test(the_planned_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
