/* Bytes from a file, inline and from HDF5 datasets, for the job types that take them: whichever way they come, it is
 * one statement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <hdf5.h>
#include "blake2s/job.h"
#include "file_hash/job.h"
#include "gadgets/byte_source.h"
#include "manifest/manifest.h"
#include "sha256/job.h"

static const pr_job_type *const types[] = {&pr_job_blake2s, &pr_job_sha256, &pr_job_file_hash, NULL};
static char folder[64] = "proverun-test-XXXXXX", cwd[4096];

/* ---- the datasets ---- */

/* As they stand in the file: row by row, in the type's byte order. */
static const uint8_t bytes[] = {0, 1, 255, 128, 7, 10};
static const uint8_t big_endian[] = {0x01, 0x02, 0xff, 0xfe, 0x80, 0x00, 0x7f, 0xff, 0, 0, 0x12, 0x34};
static const uint8_t big_endian_column[] = {0xff, 0xfe, 0x7f, 0xff, 0x12, 0x34};
static const uint8_t reals[] = {0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0}; /* 1.5, -2 */

static void write_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims, hid_t list,
                          const void *stored) {
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(set >= 0);
    if (stored) assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, stored) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void write_datasets(const char *path) {
    static const hsize_t six[] = {6}, table[] = {3, 2}, chunk[] = {2, 1}, two[] = {2}, none[] = {0}, cube[] = {1, 2, 3};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t text = H5Tcopy(H5T_C_S1), twelve = H5Tcopy(H5T_STD_U16LE), pair = H5Tcreate(H5T_COMPOUND, 2);
    hid_t truth = H5Tenum_create(H5T_STD_I8LE);
    H5Tset_precision(twelve, 12);
    H5Tinsert(pair, "a", 0, H5T_STD_U8LE);
    H5Tenum_insert(truth, "FALSE", &(int8_t){0});
    H5Tenum_insert(truth, "TRUE", &(int8_t){1});
    assert_true(file >= 0 && H5Pset_chunk(list, 2, chunk) >= 0 && H5Pset_shuffle(list) >= 0);
    assert_true(H5Pset_deflate(list, 1) >= 0);
    write_dataset(file, "bytes", H5T_STD_U8LE, 1, six, H5P_DEFAULT, bytes);
    write_dataset(file, "table", H5T_STD_I8LE, 2, table, list, bytes);
    write_dataset(file, "big_endian", H5T_STD_I16BE, 2, table, list, big_endian);
    write_dataset(file, "reals", H5T_IEEE_F64LE, 1, two, H5P_DEFAULT, reals);
    write_dataset(file, "none", H5T_STD_U8LE, 1, none, H5P_DEFAULT, NULL);
    write_dataset(file, "cube", H5T_STD_U8LE, 3, cube, H5P_DEFAULT, bytes);
    write_dataset(file, "text", text, 1, two, H5P_DEFAULT, bytes);
    write_dataset(file, "twelve", twelve, 1, two, H5P_DEFAULT, bytes);
    write_dataset(file, "pair", pair, 1, two, H5P_DEFAULT, bytes);
    write_dataset(file, "truth", truth, 1, two, H5P_DEFAULT, bytes);
    H5Tclose(text);
    H5Tclose(twelve);
    H5Tclose(pair);
    H5Tclose(truth);
    H5Pclose(list);
    H5Fclose(file);
}

static char *place(char out[128], const char *name) {
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static int set_up(void **state) {
    (void)state;
    char path[128];
    if (!mkdtemp(folder) || !getcwd(cwd, sizeof cwd)) return -1;
    write_datasets(place(path, "data.h5"));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char path[128];
    unlink(place(path, "data.h5"));
    unlink(place(path, "file"));
    return rmdir(folder);
}

/* ---- one statement ---- */

typedef struct source {
    pr_param items[3];
    const void *bytes;
    size_t size;
    const char *label; /* the output `file`; NULL: there is none */
} source;

#define DATA(dataset)                                                                                                  \
    {"data", "data.h5"}, { "dataset", dataset }
static const source sources[] = {
    {{{"text", "abc"}}, "abc", 3, NULL},
    {{{"text", ""}}, "", 0, NULL},
    {{{"text", "gr\xc3\xbc\xc3\x9f\x65\n"}}, "gr\xc3\xbc\xc3\x9f\x65\n", 8, NULL},
    {{{"input", "0 1, 0xff 128\n7 10 # six"}}, bytes, sizeof bytes, NULL},
    {{{"input", "# none"}}, "", 0, NULL},
    {{DATA("bytes")}, bytes, sizeof bytes, "data.h5:bytes"},
    {{DATA("table")}, bytes, sizeof bytes, "data.h5:table"},
    {{DATA("big_endian")}, big_endian, sizeof big_endian, "data.h5:big_endian"},
    {{DATA("big_endian"), {"column", "1"}}, big_endian_column, sizeof big_endian_column, "data.h5:big_endian"},
    {{DATA("reals")}, reals, sizeof reals, "data.h5:reals"},
    {{DATA("none")}, "", 0, "data.h5:none"},
};

static size_t count_items(const pr_param *items) {
    size_t n = 0;
    while (n < 3 && items[n].name) n++;
    return n;
}

static pr_job_instance *create(const pr_job_type *type, const pr_param *items) {
    pr_params params = {.base_dir = folder, .n = count_items(items), .items = items};
    pr_job_instance *job = NULL;
    pr_error err = {0};
    if (pr_params_check(type, &params, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    if (pr_instance_create(&job, type, &params, &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}

static pr_job_instance *create_from_file(const pr_job_type *type, const void *data, size_t size) {
    const pr_param path[3] = {{"path", "file"}};
    char name[128];
    FILE *f = fopen(place(name, "file"), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
    return create(type, path);
}

static void one_statement(const pr_job_type *type, const source *s) {
    pr_job_instance *job = create(type, s->items), *of_file = create_from_file(type, s->bytes, s->size);
    pr_output out[3], expected[3];
    assert_int_equal(type->outputs(job, out, 3), s->label ? 3 : 2);
    assert_int_equal(type->outputs(of_file, expected, 3), 3);
    assert_string_equal(out[0].value, expected[0].value);
    assert_string_equal(out[1].value, expected[1].value);
    if (s->label) assert_string_equal(out[2].value, s->label);
    pr_hash x = pr_air_digest(type->air(job)), y = pr_air_digest(type->air(of_file));
    assert_true(pr_hash_equal(&x, &y));
    pr_writer a, b;
    pr_writer_init(&a);
    pr_writer_init(&b);
    type->write_public(job, &a);
    type->write_public(of_file, &b);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    pr_writer_clear(&a);
    pr_writer_clear(&b);
    pr_instance_destroy(type, job);
    pr_instance_destroy(type, of_file);
}

static void whichever_way_they_come(void **state) {
    (void)state;
    for (size_t t = 0; types[t]; t++)
        for (size_t k = 0; k < sizeof sources / sizeof *sources; k++) one_statement(types[t], &sources[k]);
}

/* What a plan takes: exactly. */
static void lengths(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof sources / sizeof *sources; k++) {
        pr_params params = {.base_dir = folder, .n = count_items(sources[k].items), .items = sources[k].items};
        uint64_t length = 0;
        assert_int_equal(pr_bytes_length(&length, types[0], &params, 1 << 20, NULL), PR_OK);
        assert_int_equal(length, sources[k].size);
    }
}

/* What h5py gives, as jobs' pages say. */
static void as_h5py_reads(void **state) {
    (void)state;
    static const char script[] = "import sys, h5py\n"
                                 "f = h5py.File(sys.argv[1], \"r\")\n"
                                 "for name in (\"bytes\", \"table\", \"big_endian\", \"reals\"):\n"
                                 "    print(name, f[name][()].tobytes().hex())\n"
                                 "print(\"column\", f[\"big_endian\"][:, 1].tobytes().hex())\n";
    static const source expected[] = {{{{0}}, bytes, sizeof bytes, "bytes"},
                                      {{{0}}, bytes, sizeof bytes, "table"},
                                      {{{0}}, big_endian, sizeof big_endian, "big_endian"},
                                      {{{0}}, reals, sizeof reals, "reals"},
                                      {{{0}}, big_endian_column, sizeof big_endian_column, "column"}};
    char command[1024], name[32], hex[128], wanted[128];
    snprintf(command, sizeof command, "/usr/bin/python3 -c '%s' %s/data.h5 2>/dev/null", script, folder);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    int n = 0;
    while (fscanf(p, "%31s %127s", name, hex) == 2) {
        assert_true(n < 5);
        assert_string_equal(name, expected[n].label);
        pr_hex_encode(wanted, expected[n].bytes, expected[n].size);
        assert_string_equal(hex, wanted);
        n++;
    }
    pclose(p);
    if (!n) skip();
    assert_int_equal(n, 5);
}

/* ---- what is refused ---- */

static void unfit_inputs(void **state) {
    (void)state;
    static const char plain[] = "neither whole numbers of 8, 16, 32 or 64 bits nor IEEE 754 numbers of 32 or 64";
    static const struct {
        pr_param items[3];
        const char *text;
    } bad[] = {
        {{{"input", "1 2\n255 256"}}, "input:2:5: '256' is not a whole number from 0 to 255"},
        {{{"input", "1 -1"}}, "input:1:3: '-1' is not a whole number from 0 to 255"},
        {{{"input", "1.0"}}, "input:1:1: '1.0' is not a whole number from 0 to 255"},
        {{{"input", "1 2 3 4 5 6 7 8 9"}}, "9 bytes, and sha256 takes at most 8"},
        {{{"text", "123456789"}}, "9 bytes, and sha256 takes at most 8"},
        {{{"path", "data.h5"}}, "sha256 takes at most 8"},
        {{{"path", "none"}}, "none: cannot open: No such file"},
        {{DATA("big_endian")}, "data.h5: dataset 'big_endian': 3 x 2 values, and at most 4 are taken"},
        {{DATA("reals")}, "data.h5: dataset 'reals': 2 x 1 values, and at most 1 are taken"},
        {{DATA("bytes"), {"column", "1"}}, "data.h5: dataset 'bytes': no column 1; it has 1"},
        {{DATA("nothing")}, "data.h5: dataset 'nothing': there is none"},
        {{DATA("cube")}, "data.h5: dataset 'cube': 3 dimensions; allowed: 1 or 2"},
        {{DATA("text")}, plain},
        {{DATA("twelve")}, plain},
        {{DATA("pair")}, plain},
        {{DATA("truth")}, plain},
        {{{"data", "file"}, {"dataset", "x"}}, "file: not a readable HDF5 file"},
        {{{"data", "none.h5"}, {"dataset", "x"}}, "none.h5: not a readable HDF5 file"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_params params = {.base_dir = folder, .n = count_items(bad[k].items), .items = bad[k].items};
        uint8_t *data = NULL;
        size_t size;
        pr_error err = {0};
        assert_int_equal(pr_params_check(&pr_job_sha256, &params, NULL, NULL), PR_OK);
        assert_int_equal(pr_bytes_from_params(&data, &size, &pr_job_sha256, &params, 8, &err), PR_ERR_INPUT);
        if (!strstr(err.text, bad[k].text)) fail_msg("%s; expected: %s", err.text, bad[k].text);
        assert_null(data);
    }
}

/* In a manifest, at the place of what is wrong. */
static void unfit_manifests(void **state) {
    (void)state;
    static const struct {
        const char *params, *text;
    } bad[] = {
        {"{}", "m.yaml:3:41: job type TYPE needs one of the parameters path, text, input, data"},
        {"{path: x, text: y}",
         "m.yaml:3:57: parameter 'text' of job type TYPE excludes 'path'; allowed: one of path, "},
        {"{data: x.h5}", "m.yaml:3:48: parameter 'data' of job type TYPE needs the parameter 'dataset', which is"},
        {"{path: x, dataset: y}", "m.yaml:3:60: parameter 'dataset' of job type TYPE needs the parameter 'data'"},
        {"{text: x, column: 3}", "m.yaml:3:59: parameter 'column' of job type TYPE needs the parameter 'data'"},
        {"{path: \"\"}", "m.yaml:3:48: parameter `path` has no value"},
        {"{file: x}", "has no parameter 'file'; allowed: path, text, input, data, dataset, column"},
    };
    for (size_t t = 0; types[t]; t++)
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            char text[256], expected[256] = "";
            pr_manifest m;
            pr_error err = {0};
            /* names of one length, so that columns are the same */
            snprintf(text, sizeof text, "version: 1\nname: n\njobs: [{id: %.*s, type: %s, params: %s}]\n",
                     (int)(10 - strlen(types[t]->name)), "aaaaaaaaaa", types[t]->name, bad[k].params);
            const char *type = strstr(bad[k].text, "TYPE");
            snprintf(expected, sizeof expected, "%.*s%s%s", (int)(type ? type - bad[k].text : 0), bad[k].text,
                     type ? types[t]->name : "", type ? type + 4 : bad[k].text);
            assert_int_equal(pr_manifest_parse(&m, text, strlen(text), "m.yaml", ".", types, NULL, &err), PR_ERR_USAGE);
            if (!strstr(err.text, expected)) fail_msg("%s; expected: %s", err.text, expected);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_way_they_come), cmocka_unit_test(lengths),
        cmocka_unit_test(as_h5py_reads),           cmocka_unit_test(unfit_inputs),
        cmocka_unit_test(unfit_manifests),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
