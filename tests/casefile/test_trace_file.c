/* trace_file: a golden case's trace and preprocessed values moved into an HDF5 file, and what is refused there. */
#include "support.h"
#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* How the file is spoilt. */
typedef enum spoil {
    GOOD,
    NO_TRACE_GROUP,
    MISSING_COMPONENT,
    EXTRA_COMPONENT,
    MISSING_PREPROCESSED,
    SIGNED,
    SIXTY_FOUR_BITS,
    SHORT_ROWS,
    LONG_ROWS,
    WIDE,
    NARROW,
    FLAT,
    LARGE_VALUE,
    LARGE_PREPROCESSED,
    TRACE_IS_DATASET,
    OTHER_BYTE_ORDER
} spoil;

static char folder[] = "casefile-XXXXXX";
static char case_path[64], h5_path[64];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(case_path, sizeof case_path, "%s/case.json", folder);
    snprintf(h5_path, sizeof h5_path, "%s/trace.h5", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(case_path);
    unlink(h5_path);
    return rmdir(folder);
}

static void write_dataset(hid_t group, const char *name, hid_t type, int rank, const hsize_t *dims,
                          const uint32_t *cells) {
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0);
    assert_true(H5Dwrite(set, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void write_component(hid_t group, const char *name, const pr_case *c, uint32_t i, spoil how) {
    const pr_air_component *shape = &c->air->components[i];
    hsize_t columns = shape->n_columns, rows = (hsize_t)1 << shape->log_size;
    uint32_t *cells = calloc((size_t)((columns + 1) * rows), sizeof *cells);
    assert_non_null(cells);
    for (uint32_t k = 0; k < columns; k++) memcpy(cells + k * rows, c->trace[i][k], (size_t)rows * sizeof *cells);
    if (how == LARGE_VALUE) cells[rows + 3] = PR_P;
    hsize_t dims[2] = {columns + (how == WIDE) - (how == NARROW), rows + (how == LONG_ROWS) - (how == SHORT_ROWS)};
    hsize_t flat = columns * rows;
    hid_t type = how == SIGNED             ? H5T_STD_I32LE
                 : how == SIXTY_FOUR_BITS  ? H5T_STD_U64LE
                 : how == OTHER_BYTE_ORDER ? H5T_STD_U32BE
                                           : H5T_STD_U32LE;
    write_dataset(group, name, type, how == FLAT ? 1 : 2, how == FLAT ? &flat : dims, cells);
    free(cells);
}

static void write_trace_group(hid_t file, const pr_case *c, spoil how) {
    hid_t group = H5Gcreate2(file, "trace", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(group >= 0);
    for (uint32_t i = 0; i < c->air->n_components; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        if (how != MISSING_COMPONENT || i) write_component(group, name, c, i, i ? GOOD : how);
    }
    if (how == EXTRA_COMPONENT) write_component(group, "99", c, 0, GOOD);
    H5Gclose(group);
}

static void write_h5(const pr_case *c, spoil how) {
    hid_t file = H5Fcreate(h5_path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    hid_t group = H5Gcreate2(file, "preprocessed", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (uint32_t i = how == MISSING_PREPROCESSED; i < c->air->n_preprocessed; i++) {
        char name[16];
        hsize_t rows = (hsize_t)1 << c->air->preprocessed[i].log_size;
        pr_m31 kept = c->air->preprocessed[i].values[5];
        snprintf(name, sizeof name, "%u", i);
        if (how == LARGE_PREPROCESSED) c->air->preprocessed[i].values[5] = UINT32_MAX;
        write_dataset(group, name, H5T_STD_U32LE, 1, &rows, c->air->preprocessed[i].values);
        c->air->preprocessed[i].values[5] = kept;
    }
    H5Gclose(group);
    hsize_t four = 4;
    if (how == TRACE_IS_DATASET)
        write_dataset(file, "trace", H5T_STD_U32LE, 1, &four, c->trace[0][0]);
    else if (how != NO_TRACE_GROUP)
        write_trace_group(file, c, how);
    H5Fclose(file);
}

/* The golden case without its numbers; with_values keeps those of preprocessed columns. */
static void write_case_file(const char *trace_file, bool with_values) {
    json_t *tree = golden_tree("xor4_l8_foreign_transcript");
    json_t *columns = json_object_get(json_object_get(tree, "air"), "preprocessed");
    for (size_t i = 0; !with_values && i < json_array_size(columns); i++)
        json_object_del(json_array_get(columns, i), "values");
    json_object_del(tree, "trace");
    json_object_set_new(tree, "trace_file", json_string(trace_file));
    assert_int_equal(json_dump_file(tree, case_path, JSON_COMPACT), 0);
    json_decref(tree);
}

static void load_golden(pr_case *c) {
    pr_error err = {0};
    if (pr_case_load(c, golden_path("xor4_l8_foreign_transcript"), &err) != PR_OK) fail_msg("%s", err.text);
}

static void check_good(spoil how) {
    pr_case golden, c;
    pr_error err = {0};
    pr_writer a, b;
    load_golden(&golden);
    write_h5(&golden, how);
    write_case_file("trace.h5", false);
    if (pr_case_load(&c, case_path, &err) != PR_OK) fail_msg("%s", err.text);
    pr_writer_init(&a);
    pr_writer_init(&b);
    assert_int_equal(pr_case_write(&a, golden.name, &golden.statement, (pr_m31 *const *const *)golden.trace, &err),
                     PR_OK);
    assert_int_equal(pr_case_write(&b, c.name, &c.statement, (pr_m31 *const *const *)c.trace, &err), PR_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    pr_writer_clear(&a);
    pr_writer_clear(&b);
    pr_case_clear(&c);
    pr_case_clear(&golden);
}

static void test_same_as_inline(void **state) {
    (void)state;
    check_good(GOOD);
    check_good(OTHER_BYTE_ORDER);
}

static void expect_refused(const char *message, pr_status status) {
    pr_case c;
    pr_error err = {0};
    if (pr_case_load(&c, case_path, &err) == PR_OK) fail_msg("accepted; expected: %s", message);
    if (!strstr(err.text, message) || !strstr(err.text, "$.trace_file: ")) fail_msg("%s", err.text);
    assert_int_equal(err.status, status);
    assert_null(c.air);
}

static void test_spoilt_files(void **state) {
    (void)state;
    static const struct {
        spoil how;
        const char *message;
    } list[] = {
        {NO_TRACE_GROUP, "/trace: there is no such group"},
        {MISSING_COMPONENT, "/trace: has 1 members, must have 2"},
        {EXTRA_COMPONENT, "/trace: has 3 members, must have 2"},
        {MISSING_PREPROCESSED, "/preprocessed: has 2 members, must have 3"},
        {SIGNED, "/trace/0: must hold unsigned 32-bit integers"},
        {SIXTY_FOUR_BITS, "/trace/0: must hold unsigned 32-bit integers"},
        {SHORT_ROWS, "/trace/0: must have the shape [6][256]"},
        {LONG_ROWS, "/trace/0: must have the shape [6][256]"},
        {WIDE, "/trace/0: must have the shape [6][256]"},
        {NARROW, "/trace/0: must have the shape [6][256]"},
        {FLAT, "/trace/0: must have the shape [6][256]"},
        {LARGE_VALUE, "/trace/0: column 1, row 3: 2147483647 is not below p"},
        {LARGE_PREPROCESSED, "/preprocessed/0: column 0, row 5: 4294967295 is not below p"},
        {TRACE_IS_DATASET, "/trace: must be a group"},
    };
    pr_case golden;
    load_golden(&golden);
    write_case_file("trace.h5", false);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        write_h5(&golden, list[i].how);
        expect_refused(list[i].message, PR_ERR_INPUT);
    }
    pr_case_clear(&golden);
}

/* Cut off, the file does not open, or it opens and a dataset's bytes are missing; it never gives a trace. */
static void test_cut_files(void **state) {
    (void)state;
    pr_case golden, c;
    struct stat whole;
    load_golden(&golden);
    write_case_file("trace.h5", false);
    write_h5(&golden, GOOD);
    assert_int_equal(stat(h5_path, &whole), 0);
    for (off_t size = 0; size < whole.st_size; size += whole.st_size / 40) {
        write_h5(&golden, GOOD);
        assert_int_equal(truncate(h5_path, size), 0);
        expect_refused("trace.h5: ", PR_ERR_INPUT);
    }
    write_h5(&golden, GOOD); /* cut while it is open */
    pr_error err = {0};
    assert_int_equal(pr_case_open(&c, case_path, PR_CASE_ALL, &err), PR_OK);
    assert_int_equal(truncate(h5_path, whole.st_size / 2), 0);
    pr_m31 *columns[8], cells[8][256];
    for (int k = 0; k < 8; k++) columns[k] = cells[k];
    assert_int_equal(pr_case_fill_trace(&c, 0, columns, 2, &err), PR_ERR_INPUT);
    if (!strstr(err.text, "trace.h5: ")) fail_msg("%s", err.text);
    pr_case_clear(&c);
    pr_case_clear(&golden);
}

/* A verifier looks at no trace, and into the file for values of preprocessed columns alone. */
static void test_without_a_trace(void **state) {
    (void)state;
    pr_case golden, c;
    pr_error err = {0};
    load_golden(&golden);
    pr_hash x = pr_air_digest(golden.air);
    static const struct {
        const char *file;
        bool with_values;
        spoil how;
    } good[] = {{"absent.h5", true, GOOD}, {"trace.h5", false, NO_TRACE_GROUP}, {"trace.h5", false, LARGE_VALUE}};
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        write_h5(&golden, good[k].how);
        write_case_file(good[k].file, good[k].with_values);
        if (pr_case_open(&c, case_path, PR_CASE_STATEMENT, &err) != PR_OK) fail_msg("%s", err.text);
        pr_hash y = pr_air_digest(c.air);
        assert_true(pr_hash_equal(&x, &y));
        assert_false(pr_case_has_trace(&c));
        pr_case_clear(&c);
    }
    write_case_file("absent.h5", false);
    assert_int_equal(pr_case_open(&c, case_path, PR_CASE_STATEMENT, &err), PR_ERR_INPUT);
    pr_case_clear(&golden);
}

static void test_values_given_twice(void **state) {
    (void)state;
    pr_case golden;
    load_golden(&golden);
    write_h5(&golden, GOOD);
    write_case_file("trace.h5", true);
    expect_refused("/preprocessed: has 3 members, must have 0", PR_ERR_INPUT);
    pr_case_clear(&golden);
}

static void test_file_names(void **state) {
    (void)state;
    write_case_file("/trace.h5", false);
    expect_refused("must be a file name relative to the case file", PR_ERR_USAGE);
    write_case_file("", false);
    expect_refused("must be a file name relative to the case file", PR_ERR_USAGE);
    write_case_file("absent.h5", false);
    expect_refused("absent.h5: cannot be opened as an HDF5 file", PR_ERR_INPUT);
    write_case_file("case.json", false);
    expect_refused("case.json: cannot be opened as an HDF5 file", PR_ERR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_inline),     cmocka_unit_test(test_spoilt_files),
        cmocka_unit_test(test_values_given_twice), cmocka_unit_test(test_file_names),
        cmocka_unit_test(test_cut_files),          cmocka_unit_test(test_without_a_trace)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
