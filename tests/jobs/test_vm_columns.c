/* generic_compute, data_pipeline, and how they read columns of HDF5 files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <hdf5.h>
#include "data_pipeline/job.h"
#include "gadgets/column.h"
#include "generic_compute/job.h"
#include "vm/run.h"
#include "vm_case.h"

static pr_job_instance *create(const pr_job_type *type, const char *base_dir, const pr_param *items) {
    pr_params params = {.base_dir = base_dir, .items = items};
    pr_job_instance *job = NULL;
    pr_error err = {0};
    while (params.n < 8 && items[params.n].name) params.n++;
    if (pr_params_check(type, &params, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    if (pr_instance_create(&job, type, &params, &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}

static void assert_outputs(const pr_job_instance *job, const uint32_t *expected, uint32_t n) {
    assert_int_equal(job->run.statement.end, PR_VM_HALTED);
    assert_int_equal(job->run.statement.n_outputs, n);
    assert_memory_equal(job->run.statement.outputs, expected, n * sizeof *expected);
}

/* An operation on words, from its definition. */
static uint32_t reduce(uint32_t *out, const char *operation, const uint32_t *words, size_t n) {
    enum { FROM = 100, TO = 0x80000000, WIDTH = 0x10000000, BINS = 9 };
    uint64_t sum = 0;
    uint32_t least = UINT32_MAX, most = 0, within = 0, bins[BINS + 1] = {0};
    for (size_t k = 0; k < n; k++) {
        sum += words[k];
        if (words[k] < least) least = words[k];
        if (words[k] > most) most = words[k];
        within += words[k] >= FROM && words[k] <= TO;
        uint32_t bin = words[k] >= FROM ? (words[k] - FROM) / WIDTH : BINS;
        bins[bin < BINS ? bin + 1 : 0]++;
    }
    out[0] = !strcmp(operation, "min") ? least : !strcmp(operation, "max") ? most : within;
    if (!strcmp(operation, "sum")) {
        out[0] = (uint32_t)sum, out[1] = (uint32_t)(sum >> 32);
        return 2;
    }
    if (strcmp(operation, "histogram") != 0) return 1;
    memcpy(out, bins, sizeof bins);
    return BINS + 1;
}

static void operations(void **state) {
    (void)state;
    static const char *const names[] = {"sum", "min", "max", "count", "histogram"};
    static const char bounds[5][16] = {"100", "2147483648", "268435456", "9"};
    uint64_t random = test_seed();
    for (int k = 0; k < 5; k++)
        for (size_t n = 0; n <= 40; n += 8) {
            uint32_t words[40], expected[16];
            char list[512] = "";
            for (size_t i = 0, at = 0; i < n; i++) {
                words[i] = vm_random_word(&random);
                at += (size_t)snprintf(list + at, sizeof list - at, "%u ", words[i]);
            }
            const pr_param items[8] = {{"operation", names[k]}, {"input", list},      {"from", bounds[0]},
                                       {"to", bounds[1]},       {"width", bounds[2]}, {"bins", bounds[3]}};
            pr_job_instance *job = create(&pr_job_data_pipeline, ".", items);
            assert_outputs(job, expected, reduce(expected, names[k], words, n));
            pr_hash digest = pr_vm_input_digest(words, n);
            assert_true(pr_hash_equal(&digest, &job->run.input_digest));
            pr_instance_destroy(&pr_job_data_pipeline, job);
        }
}

/* The proof's side: the trace of each holds with the public terms, and public data restore it. */
static void their_traces(void **state) {
    (void)state;
    const pr_param histogram[8] = {{"operation", "histogram"}, {"input", "1 2 3 2 9"}, {"bins", "4"}};
    const pr_param code[8] = {{"code", "LOADIMM r1, INPUT\nLOAD r2, r1, 2\nHALT"}, {"input", "1 2"}};
    const pr_job_type *const types[] = {&pr_job_data_pipeline, &pr_job_generic_compute};
    for (int k = 0; k < 2; k++) {
        pr_job_instance *job = create(types[k], ".", k ? code : histogram), *again = NULL;
        traces t = traces_of(types[k], job, 2);
        pr_statement st = plain_statement(types[k]->air(job));
        assert_int_equal(types[k]->public_terms(job, &st, NULL), PR_OK);
        assert_traces_hold(&st, &t);
        pr_writer w;
        pr_writer_init(&w);
        types[k]->write_public(job, &w);
        assert_int_equal(pr_instance_create_public(&again, types[k], NULL, w.data, w.size, NULL), PR_OK);
        pr_hash x = pr_air_digest(types[k]->air(job)), y = pr_air_digest(types[k]->air(again));
        assert_true(pr_hash_equal(&x, &y));
        pr_writer_clear(&w);
        pr_statement_clear(&st);
        traces_destroy(&t);
        pr_instance_destroy(types[k], again);
        pr_instance_destroy(types[k], job);
    }
}

static void the_digits(void **state) {
    (void)state;
    static const uint32_t labels[] = {0, 178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
    const pr_param items[8] = {
        {"operation", "histogram"}, {"data", "digits.h5"}, {"dataset", "labels"}, {"bins", "10"}};
    pr_job_instance *job = create(&pr_job_data_pipeline, PR_TEST_JOBS "/data_pipeline", items);
    assert_outputs(job, labels, 11);
    pr_instance_destroy(&pr_job_data_pipeline, job);

    uint32_t *pixels, expected[16];
    size_t n;
    assert_int_equal(
        pr_column_read(&pixels, &n, PR_TEST_JOBS, "data_pipeline/digits.h5", "pixels", PR_COLUMN_ALL, 1 << 20, NULL),
        PR_OK);
    assert_int_equal(n, 1797 * 64);
    for (size_t k = 0; k < 1797; k++) pixels[k] = pixels[64 * k + 27];
    static const char *const names[] = {"sum", "min", "max"};
    for (int k = 0; k < 3; k++) {
        const pr_param column[8] = {
            {"operation", names[k]}, {"data", "digits.h5"}, {"dataset", "pixels"}, {"column", "27"}};
        job = create(&pr_job_data_pipeline, PR_TEST_JOBS "/data_pipeline", column);
        assert_outputs(job, expected, reduce(expected, names[k], pixels, 1797));
        pr_instance_destroy(&pr_job_data_pipeline, job);
    }
    free(pixels);
    const pr_param changes[8] = {
        {"program", "label_changes.asm"}, {"data", "../data_pipeline/digits.h5"}, {"dataset", "labels"}};
    uint32_t *all, differ = 0;
    assert_int_equal(pr_column_read(&all, &n, PR_TEST_JOBS, "data_pipeline/digits.h5", "labels", 0, 1 << 20, NULL),
                     PR_OK);
    for (size_t k = 1; k < n; k++) differ += all[k] != all[k - 1];
    free(all);
    job = create(&pr_job_generic_compute, PR_TEST_JOBS "/generic_compute", changes);
    assert_outputs(job, &differ, 1);
    pr_instance_destroy(&pr_job_generic_compute, job);
}

/* ---- files ---- */

static char path[] = "proverun-test-XXXXXX";

static void write_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims, const void *values) {
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static int write_file(void **state) {
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0) return -1;
    close(fd);
    static const int64_t numbers[] = {-1, 2, 4294967295, -2147483648, 5, 6, 4294967296};
    static const hsize_t six[] = {6}, seven[] = {7}, table[] = {3, 2}, cube[] = {1, 2, 3}, none[] = {0};
    static const double reals[6] = {0};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    write_dataset(file, "list", H5T_NATIVE_INT64, 1, six, numbers);
    write_dataset(file, "table", H5T_NATIVE_INT64, 2, table, numbers);
    write_dataset(file, "large", H5T_NATIVE_INT64, 1, seven, numbers);
    write_dataset(file, "cube", H5T_NATIVE_INT64, 3, cube, numbers);
    write_dataset(file, "none", H5T_NATIVE_INT64, 1, none, numbers);
    write_dataset(file, "reals", H5T_NATIVE_DOUBLE, 1, six, reals);
    return H5Fclose(file);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

static void columns(void **state) {
    (void)state;
    static const struct {
        const char *dataset;
        uint64_t column;
        size_t n;
        uint32_t words[6];
    } good[] = {{"list", PR_COLUMN_ALL, 6, {0xffffffff, 2, 0xffffffff, 0x80000000, 5, 6}},
                {"list", 0, 6, {0xffffffff, 2, 0xffffffff, 0x80000000, 5, 6}},
                {"table", PR_COLUMN_ALL, 6, {0xffffffff, 2, 0xffffffff, 0x80000000, 5, 6}},
                {"table", 0, 3, {0xffffffff, 0xffffffff, 5}},
                {"table", 1, 3, {2, 0x80000000, 6}},
                {"none", PR_COLUMN_ALL, 0, {0}}};
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        uint32_t *words;
        size_t n;
        assert_int_equal(pr_column_read(&words, &n, ".", path, good[k].dataset, good[k].column, 6, NULL), PR_OK);
        assert_int_equal(n, good[k].n);
        assert_memory_equal(words, good[k].words, n * sizeof *words);
        free(words);
    }
}

static void columns_that_are_not_there(void **state) {
    (void)state;
    static const struct {
        const char *dataset;
        uint64_t column;
        size_t max;
        const char *text;
    } bad[] = {{"nothing", 0, 6, "dataset 'nothing': there is none"},
               {"table", 2, 6, "dataset 'table': no column 2; it has 2"},
               {"list", 1, 6, "dataset 'list': no column 1; it has 1"},
               {"list", 0, 5, "dataset 'list': 6 x 1 values, and at most 5 are taken"},
               {"large", 0, 9, "dataset 'large': value 6 is 4294967296, which 32 bits do not hold"},
               {"cube", 0, 9, "dataset 'cube': 3 dimensions; allowed: 1 or 2"},
               {"reals", 0, 9, "dataset 'reals': not of whole numbers"}};
    uint32_t *words;
    size_t n;
    pr_error err = {0};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        assert_int_equal(pr_column_read(&words, &n, ".", path, bad[k].dataset, bad[k].column, bad[k].max, &err),
                         PR_ERR_INPUT);
        if (!strstr(err.text, bad[k].text)) fail_msg("%s", err.text);
    }
    assert_int_equal(pr_column_read(&words, &n, ".", "none.h5", "list", 0, 6, &err), PR_ERR_INPUT);
    assert_string_equal(err.text, "none.h5: not a readable HDF5 file");
}

static void parameters_that_do_not_fit(void **state) {
    (void)state;
    static const struct {
        bool pipeline;
        pr_param items[4];
        const char *text;
    } bad[] = {
        {true, {{"operation", "sum"}}, "needs one of the parameters data, input"},
        {true,
         {{"operation", "median"}, {"input", "1"}},
         "'operation' of job type data_pipeline: 'median' is none of sum, min, max, count, hist"},
        {true,
         {{"operation", "sum"}, {"data", "x.h5"}},
         "'data' of job type data_pipeline needs the parameter 'dataset', which is missing"},
        {true,
         {{"operation", "sum"}, {"input", "1"}, {"column", "1"}},
         "'column' of job type data_pipeline needs the parameter 'data'"},
        {false,
         {{"code", "HALT"}, {"input", "1"}, {"data", "x"}, {"dataset", "x"}},
         "'data' of job type generic_compute excludes 'input'; allowed: one of data, input"},
        {false, {{"code", "HALT"}}, "needs one of the parameters data, input"},
        {false, {{"input", "1"}}, "job type generic_compute needs one of the parameters program, code"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        const pr_job_type *type = bad[k].pipeline ? &pr_job_data_pipeline : &pr_job_generic_compute;
        pr_params params = {.base_dir = ".", .items = bad[k].items};
        while (params.n < 4 && bad[k].items[params.n].name) params.n++;
        pr_error err = {0};
        assert_int_equal(pr_params_check(type, &params, NULL, &err), PR_ERR_USAGE);
        if (!strstr(err.text, bad[k].text)) fail_msg("%s", err.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),
        cmocka_unit_test(their_traces),
        cmocka_unit_test(the_digits),
        cmocka_unit_test(columns),
        cmocka_unit_test(columns_that_are_not_there),
        cmocka_unit_test(parameters_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, write_file, remove_file);
}
