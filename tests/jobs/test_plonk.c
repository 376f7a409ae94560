#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../dataset.h"
#include "input.h"
#include "plonk/job.h"
#include "soundness.h"

static const pr_job_type *const type = &pr_job_plonk;

static pr_status try_create(pr_job_instance **job, const char *text, const char *values, pr_error *err) {
    const pr_param items[] = {{"circuit", "input"}, {"values", values}};
    pr_params params = {.base_dir = input_folder, .n = 2, .items = items};
    input_write("input", text, strlen(text));
    return pr_instance_create(job, type, &params, err);
}

static pr_job_instance *create(const char *text, const char *values) {
    pr_job_instance *job = NULL;
    pr_error err = {0};
    if (try_create(&job, text, values, &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}

static pr_statement statement_of(const pr_job_instance *job) {
    pr_statement st = plain_statement(type->air(job));
    assert_int_equal(type->public_terms(job, &st, NULL), PR_OK);
    return st;
}

/* Rows: 0 x, 1 s, 2 t, 3 the equality, 4 u. */
static const char circuit[] = "public y\nsecret x\ns = x * x\nt = s + 7\nt == y\nu = s * t # told\noutput u\n";

static void the_truth_holds(void **state) {
    (void)state;
    pr_job_instance *job = create(circuit, "x=5 y=32");
    traces t = traces_of(type, job, 1);
    pr_statement st = statement_of(job);
    pr_output out[3];
    assert_traces_hold(&st, &t);
    assert_int_equal(type->outputs(job, out, 3), 3);
    assert_string_equal(out[1].value, "5");
    assert_string_equal(out[2].value, "800");
    pr_statement_clear(&st);
    traces_destroy(&t);
    pr_instance_destroy(type, job);
}

/* 1 gate, 16, exactly full, and one more; and a chain of squares whose values wrap. */
static void edge_sizes(void **state) {
    (void)state;
    for (uint32_t n = 1; n <= 33; n += n == 1 ? 14 : 1) {
        pr_writer w;
        pr_writer_init(&w);
        pr_write_format(&w, "public v0\n");
        pr_m31 expected = 3;
        for (uint32_t k = 0; k < n; k++) {
            pr_write_format(&w, "v%u = v%u * v%u\n", k + 1, k, k);
            expected = pr_m31_square(expected);
        }
        pr_write_format(&w, "output v%u", n);
        pr_write_u8(&w, 0);
        pr_job_instance *job = create((const char *)w.data, "v0=3");
        traces t = traces_of(type, job, 1);
        pr_statement st = statement_of(job);
        pr_output out[3];
        char text[16];
        assert_traces_hold(&st, &t);
        assert_int_equal(type->air(job)->components[0].log_size, n <= 16 ? 4 : n <= 32 ? 5 : 6);
        type->outputs(job, out, 3);
        snprintf(text, sizeof text, "%u", expected);
        assert_string_equal(out[2].value, text);
        pr_statement_clear(&st);
        traces_destroy(&t);
        pr_instance_destroy(type, job);
        pr_writer_clear(&w);
    }
}

static void errors_name_their_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *values, *where, *what;
    } bad[] = {
        {"a = 1 + 1\nb = a - 1\n", "", "input:2:", "no operation"},
        {"a = 1 + c\n", "", "input:1:", "no earlier line gives 'c'"},
        {"a = 1 + 2\na = 2 + 2\n", "", "input:2:", "a second 'a'"},
        {"\n\n2a = 1 + 2\n", "", "input:3:", "no name"},
        {"a = 1 + 2147483647\n", "", "input:1:", "no number below 2147483647"},
        {"a = 1 + 99999999999999999999\n", "", "input:1:", "no number below 2147483647"},
        {"public x\n", "y=3", "input:1:", "values has no value for 'x'"},
        {"secret x\n", "x=3z", "values:1:1: ", "'x=3z' is not NAME=NUMBER"},
        {"a = 1 + 1\na == 3\n", "", "input:2:", "a is 2 and 3 is 3"},
        {"a = 1\n", "", "input:1:", "none of"},
        {"output\n", "", "input:1:", "none of"},
        {"output z\n", "", "input:1:", "no earlier line gives 'z'"},
        {"# nothing\n", "", "input", "without gates"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_job_instance *job = NULL;
        pr_error err = {0};
        assert_int_equal(try_create(&job, bad[k].text, bad[k].values, &err), PR_ERR_INPUT);
        if (!strstr(err.text, bad[k].where) || !strstr(err.text, bad[k].what)) fail_msg("%s", err.text);
        assert_null(job);
    }
}

static void write_text(const char *name, const char *text) { input_write(name, text, strlen(text)); }

static void write_numbers(const uint32_t *numbers, hsize_t n) {
    write_dataset(input_path_of("values.h5").text, "x", H5T_STD_U32LE, H5T_NATIVE_UINT32, numbers, n);
}

static pr_status create_with(pr_job_instance **job, const char *name, const char *value, pr_error *err) {
    const pr_param items[] = {{"circuit", "input"}, {name, value}, {"dataset", "x"}};
    pr_params params = {.base_dir = input_folder, .n = strcmp(name, "data") ? 2 : 3, .items = items};
    write_text("input", circuit);
    PR_TRY(pr_params_check(type, &params, NULL, err));
    return pr_instance_create(job, type, &params, err);
}

/* The inputs of the circuit are y, then x. */
static void values_from_files(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"x=5\ny = 32\n", "values.txt:2:1: 'y' is not NAME=NUMBER with a number below 2147483647"},
        {"x=5 y=2147483647", "values.txt:1:5: 'y=2147483647' is not"},
        {"x=5 # y=32", "input:1: values.txt has no value for 'y'"},
        {"x=5 y=32\n\nx=5", "values.txt:3: a second value of 'x'; the first is in line 1"},
    };
    pr_job_instance *expected = create(circuit, "x=5 y=32"), *job = NULL;
    pr_error err = {0};
    pr_writer w = public_of(type, expected);
    write_text("values.txt", "# of the circuit\ny=32, x=5\n\tz=1 xx=6 # others\n");
    if (create_with(&job, "values_file", "values.txt", &err) != PR_OK) fail_msg("%s", err.text);
    assert_public(type, job, w.data, w.size);
    pr_instance_destroy(type, job);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        write_text("values.txt", bad[k].text);
        assert_int_equal(create_with(&job, "values_file", "values.txt", &err), PR_ERR_INPUT);
        if (!strstr(err.text, bad[k].message)) fail_msg("%s", err.text);
    }
    write_numbers((const uint32_t[]){32, 5, 7}, 2);
    if (create_with(&job, "data", "values.h5", &err) != PR_OK) fail_msg("%s", err.text);
    assert_public(type, job, w.data, w.size);
    pr_instance_destroy(type, job);
    write_numbers((const uint32_t[]){32, 5, 7}, 3);
    assert_int_equal(create_with(&job, "data", "values.h5", &err), PR_ERR_INPUT);
    assert_string_equal(err.text, "values.h5 has 3 values, and the circuit 2 inputs");
    write_numbers((const uint32_t[]){32}, 1);
    assert_int_equal(create_with(&job, "data", "values.h5", &err), PR_ERR_INPUT);
    assert_string_equal(err.text, "input:2: values.h5 has no value for 'x'");
    write_numbers((const uint32_t[]){32, 2147483647}, 2);
    assert_int_equal(create_with(&job, "data", "values.h5", &err), PR_ERR_INPUT);
    pr_writer_clear(&w);
    pr_instance_destroy(type, expected);
}

static void public_data_is_as_documented(void **state) {
    (void)state;
    static const uint8_t expected[45] = {2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0,
                                         0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0};
    pr_job_instance *job = create("public x\ny = x * x\noutput y\n", "x=3"); /* docs/statement.md */
    assert_public(type, job, expected, sizeof expected);
    pr_instance_destroy(type, job);
}

static void wrong_claims(void **state) {
    (void)state;
    pr_job_instance *job = create(circuit, "x=5 y=32"), *liar = NULL;
    traces t = traces_of(type, job, 1);
    pr_writer w = public_of(type, job);
    /* inputs: y and 7; outputs: u */
    const size_t at_inputs = 8 + 5 * 13 + 4, at_outputs = at_inputs + 2 * 8 + 4;
    const size_t values[3] = {at_inputs + 4, at_inputs + 12, at_outputs + 4};
    assert_int_equal(w.size, at_outputs + 8);
    for (size_t k = 0; k < 3; k++) {
        w.data[values[k]] ^= 1;
        assert_int_equal(pr_instance_create_public(&liar, type, NULL, w.data, w.size, NULL), PR_OK);
        pr_statement st = statement_of(liar);
        assert_true(count_findings(&st, &t) > 0);
        pr_statement_clear(&st);
        pr_instance_destroy(type, liar);
        w.data[values[k]] ^= 1;
    }
    pr_writer_clear(&w);
    traces_destroy(&t);
    pr_instance_destroy(type, job);
}

static void public_data_is_enough(void **state) {
    (void)state;
    pr_job_instance *job = create(circuit, "x=5 y=32"), *again = NULL;
    pr_writer w = public_of(type, job);
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_OK);
    pr_hash x = pr_air_digest(type->air(job)), y = pr_air_digest(type->air(again));
    assert_memory_equal(&x, &y, sizeof x);
    pr_m31 *columns[3] = {NULL};
    assert_int_equal(type->trace(again, 0, columns, PR_JOB_ROW_ORDER, 1, NULL), PR_ERR_INTERNAL);
    pr_instance_destroy(type, again);
    for (size_t size = 0; size < w.size; size++)
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
    static const size_t spoiled[] = {0, 4, 8, 9, 8 + 13 + 9, 8 + 65, 8 + 65 + 4, 8 + 65 + 4 + 7};
    for (size_t k = 0; k < sizeof spoiled / sizeof *spoiled;
         k++) { /* counts, a kind, wires, a value of 2^31 and more */
        uint8_t kept = w.data[spoiled[k]];
        w.data[spoiled[k]] = 0xee;
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_ERR_MALFORMED);
        w.data[spoiled[k]] = kept;
    }
    pr_writer_clear(&w);
    pr_instance_destroy(type, job);
}

/* Cell by cell: column, row, what is added; a second cell, with what follows. */
static void each_is_needed(void **state) {
    (void)state;
    static const struct {
        uint32_t column, row, more, other_column, other_row, other_more;
    } lies[] = {
        {2, 4, 1, 2, 4, 0},  /* u is one more than s t */
        {0, 4, 1, 2, 4, 32}, /* s is read as one more: u is t more */
        {1, 4, 1, 2, 4, 25}, /* t is read as one more: u is s more */
        {0, 0, 1, 0, 0, 0},  /* a secret input reads nothing */
        {1, 0, 1, 1, 0, 0},  /* nor a second thing */
        {2, 3, 1, 2, 3, 0},  /* an equality defines nothing */
    };
    uint64_t random = test_seed();
    pr_job_instance *job = create(circuit, "x=5 y=32");
    traces honest = traces_of(type, job, 1), forged = traces_copy(&honest);
    needs needed = needs_create(type->air(job), &honest);
    pr_m31 **columns = forged.columns[0];
    for (size_t k = 0; k < sizeof lies / sizeof *lies; k++) {
        columns[lies[k].column][lies[k].row] += lies[k].more;
        columns[lies[k].other_column][lies[k].other_row] += lies[k].other_more;
        culprits found = find_culprits(type->air(job), &honest, &forged, NULL);
        assert_int_equal(found.n, 1);
        needs_note(&needed, &found);
        columns[lies[k].column][lies[k].row] -= lies[k].more;
        columns[lies[k].other_column][lies[k].other_row] -= lies[k].other_more;
    }
    assert_int_equal(needs_print_missing(&needed), 0);
    const uint32_t busy[1] = {5};
    assert_every_column_is_noticed(type->air(job), &honest, &random, 20, busy);
    needs_destroy(&needed);
    traces_destroy(&honest);
    traces_destroy(&forged);
    pr_instance_destroy(type, job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_holds),        cmocka_unit_test(edge_sizes),
        cmocka_unit_test(errors_name_their_line), cmocka_unit_test(values_from_files),
        cmocka_unit_test(wrong_claims),           cmocka_unit_test(public_data_is_as_documented),
        cmocka_unit_test(public_data_is_enough),  cmocka_unit_test(each_is_needed),
    };
    return cmocka_run_group_tests(tests, input_make_folder, input_remove_folder);
}
