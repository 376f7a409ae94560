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
#include "vm/job.h"
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
    static const pr_param bounds[5][3] = {
        [3] = {{"from", "100"}, {"to", "2147483648"}}, [4] = {{"from", "100"}, {"width", "268435456"}, {"bins", "9"}}};
    uint64_t random = test_seed();
    for (int k = 0; k < 5; k++)
        for (size_t n = 0; n <= 40; n += 8) {
            uint32_t words[40], expected[16];
            char list[512] = "";
            for (size_t i = 0, at = 0; i < n; i++) {
                words[i] = vm_random_word(&random);
                at += (size_t)snprintf(list + at, sizeof list - at, "%u ", words[i]);
            }
            const pr_param items[8] = {
                {"operation", names[k]}, {"input", list}, bounds[k][0], bounds[k][1], bounds[k][2]};
            pr_job_instance *job = create(&pr_job_data_pipeline, ".", items);
            assert_outputs(job, expected, reduce(expected, names[k], words, n));
            pr_hash digest = pr_vm_input_digest(words, n);
            assert_true(pr_hash_equal(&digest, &job->run.input_digest));
            pr_instance_destroy(&pr_job_data_pipeline, job);
        }
}

/* ---- the proof's side ---- */

static const pr_job_type *const machine_types[] = {&pr_job_data_pipeline, &pr_job_generic_compute};
static const pr_param small[2][8] = {
    {{"operation", "histogram"}, {"input", "1 2 3 2 9"}, {"bins", "4"}},
    {{"code",
      "LOADIMM r1, INPUT\nLOAD r2, r1, 2\nLOADIMM r3, OUTPUT\nSTORE r2, r3, 1\nLOADIMM r4, 1\nSTORE r4, r3\nHALT"},
     {"input", "4 5"}}};

static pr_statement statement_of(const pr_job_type *type, const pr_job_instance *job) {
    pr_statement st = plain_statement(type->air(job));
    assert_int_equal(type->public_terms(job, &st, NULL), PR_OK);
    return st;
}

static void assert_holds(const pr_job_type *type, const pr_job_instance *job) {
    traces t = traces_of(type, job, 2);
    pr_statement st = statement_of(type, job);
    assert_traces_hold(&st, &t);
    pr_statement_clear(&st);
    traces_destroy(&t);
}

/* They prove what vm proves: public data restore the same AIR here and there, and public terms come from one function.
 * So the suites of vm, which find each constraint and each lookup needed, are theirs. */
static void the_machine_s_air(void **state) {
    (void)state;
    for (int k = 0; k < 2; k++) {
        const pr_job_type *type = machine_types[k], *all[] = {type, &pr_job_vm};
        pr_job_instance *job = create(type, ".", small[k]);
        assert_holds(type, job);
        assert_ptr_equal(type->public_terms, pr_job_vm.public_terms);
        for (int i = 0; i < 2; i++) {
            pr_job_instance *again = NULL;
            pr_writer w, same;
            pr_writer_init(&w);
            pr_writer_init(&same);
            type->write_public(job, &w);
            assert_int_equal(pr_instance_create_public(&again, all[i], NULL, w.data, w.size, NULL), PR_OK);
            all[i]->write_public(again, &same);
            pr_hash x = pr_air_digest(type->air(job)), y = pr_air_digest(all[i]->air(again));
            assert_true(pr_hash_equal(&x, &y));
            assert_int_equal(w.size, same.size);
            assert_memory_equal(w.data, same.data, w.size);
            pr_writer_clear(&same);
            pr_writer_clear(&w);
            pr_instance_destroy(all[i], again);
        }
        pr_instance_destroy(type, job);
    }
}

/* Any other value in any cell, padding included, but for the inverses of equality, which are free where there is
 * nothing to invert: test_vm_constraints.c looks at these. */
static void each_cell_is_noticed(void **state) {
    (void)state;
    uint64_t random = test_seed();
    for (int k = 0; k < 2; k++) {
        pr_job_instance *job = create(machine_types[k], ".", small[k]);
        traces honest = traces_of(machine_types[k], job, 1), forged = traces_copy(&honest);
        for (uint32_t c = 0; c < honest.air->n_components; c++)
            for (uint32_t column = 0; column < honest.air->components[c].n_columns; column++) {
                if (c == PR_VM_EQUALITY && column >= PR_VM_E_INVERSE) continue;
                uint64_t r = next_random(&random);
                uint32_t row = (uint32_t)(r % (r >> 63 ? 4 : 1u << honest.air->components[c].log_size));
                pr_m31 *cell = &forged.columns[c][column][row], kept = *cell;
                *cell = pr_m31_add(kept, 1 + random_m31(&random) % (PR_P - 1));
                if (!find_culprits(honest.air, &honest, &forged, NULL).is_noticed)
                    fail_msg("component %u, column %u, row %u: %u for %u", c, column, row, *cell, kept);
                *cell = kept;
            }
        traces_destroy(&forged);
        traces_destroy(&honest);
        pr_instance_destroy(machine_types[k], job);
    }
}

/* The truth; then another output, input, number of steps, end, number of outputs. */
static void wrong_claims(void **state) {
    (void)state;
    for (int k = 0; k < 2; k++)
        for (int lie = 0; lie < 6; lie++) {
            pr_job_instance *job = create(machine_types[k], ".", small[k]);
            traces t = traces_of(machine_types[k], job, 1);
            pr_vm_public *s = &job->run.statement;
            s->outputs[0] += lie == 1;
            s->inputs[1] += lie == 2;
            s->n_steps += lie == 3;
            if (lie == 4) s->end = PR_VM_DIVISION_BY_ZERO;
            s->n_outputs -= lie == 5;
            pr_statement st = statement_of(machine_types[k], job);
            assert_int_equal(count_findings(&st, &t) > 0, lie > 0);
            pr_statement_clear(&st);
            traces_destroy(&t);
            pr_instance_destroy(machine_types[k], job);
        }
}

/* Sums of no value, one, and so on: the words of memory fill 16 rows, and are one more. */
static void edge_sizes(void **state) {
    (void)state;
    bool is_full = false, is_over = false;
    char list[64] = "";
    for (size_t n = 0; n < 20; n++, strcat(list, "7 ")) {
        const pr_param sum[8] = {{"operation", "sum"}, {"input", list}};
        pr_job_instance *job = create(&pr_job_data_pipeline, ".", sum);
        assert_holds(&pr_job_data_pipeline, job);
        uint32_t n_words = job->run.trace.machine.memory.n, log_words = job->run.statement.log_rows[PR_VM_WORDS];
        is_full |= n_words == 16 && log_words == 4;
        is_over |= n_words == 17 && log_words == 5;
        pr_instance_destroy(&pr_job_data_pipeline, job);
    }
    assert_true(is_full && is_over);
}

/* One step, 16 that fill the rows, 17. */
static void edge_steps(void **state) {
    (void)state;
    static const char *const codes[] = {"HALT", "LOADIMM r1, 7\nn: SUB r1, r1, 1\nJNZ r1, n\nHALT",
                                        "LOADIMM r1, 7\nn: SUB r1, r1, 1\nJNZ r1, n\nNOP\nHALT"};
    static const uint32_t steps[] = {1, 16, 17}, log_rows[] = {4, 4, 5};
    for (int k = 0; k < 3; k++) {
        const pr_param items[8] = {{"code", codes[k]}, {"input", "1"}};
        pr_job_instance *job = create(&pr_job_generic_compute, ".", items);
        assert_holds(&pr_job_generic_compute, job);
        assert_int_equal(job->run.statement.n_steps, steps[k]);
        assert_int_equal(job->run.statement.log_rows[PR_VM_MAIN], log_rows[k]);
        pr_instance_destroy(&pr_job_generic_compute, job);
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
        {true,
         {{"operation", "sum"}, {"input", "1"}, {"from", "2"}},
         "'from' of job type data_pipeline means nothing with operation 'sum'; allowed with: count, histogram"},
        {true,
         {{"operation", "histogram"}, {"input", "1"}, {"to", "2"}},
         "'to' of job type data_pipeline means nothing with operation 'histogram'; allowed with: count"},
        {true,
         {{"operation", "count"}, {"input", "1"}, {"width", "2"}},
         "'width' of job type data_pipeline means nothing with operation 'count'; allowed with: histogram"},
        {true,
         {{"operation", "max"}, {"input", "1"}, {"bins", "2"}},
         "'bins' of job type data_pipeline means nothing with operation 'max'; allowed with: histogram"},
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
        cmocka_unit_test(the_machine_s_air),
        cmocka_unit_test(each_cell_is_noticed),
        cmocka_unit_test(wrong_claims),
        cmocka_unit_test(edge_sizes),
        cmocka_unit_test(edge_steps),
        cmocka_unit_test(the_digits),
        cmocka_unit_test(columns),
        cmocka_unit_test(columns_that_are_not_there),
        cmocka_unit_test(parameters_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, write_file, remove_file);
}
