#include "gadgets/column.h"
#include <hdf5.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/hdf5_lock.h"
#include "gadgets/input_file.h"

typedef struct column {
    const char *path, *dataset; /* as named by errors */
    bool as_bytes;
    hid_t file, set, type, space;
    hsize_t dims[2];
    int rank;
    H5E_auto2_t print; /* how the library would tell its errors */
    void *print_context;
    pr_error *err;
} column;

static pr_status refuse(const column *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static pr_status refuse(const column *c, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return pr_fail(c->err, PR_ERR_INPUT, "%s: dataset '%s': %s", c->path, c->dataset, text);
}

/* Whole numbers that fill their bytes, and the IEEE 754 numbers. */
static bool has_plain_bytes(hid_t type) {
    size_t size = H5Tget_size(type);
    if (H5Tget_class(type) == H5T_FLOAT)
        return H5Tequal(type, H5T_IEEE_F32LE) > 0 || H5Tequal(type, H5T_IEEE_F32BE) > 0 ||
               H5Tequal(type, H5T_IEEE_F64LE) > 0 || H5Tequal(type, H5T_IEEE_F64BE) > 0;
    return H5Tget_class(type) == H5T_INTEGER && (size == 1 || size == 2 || size == 4 || size == 8) &&
           H5Tget_precision(type) == 8 * size;
}

static pr_status open_dataset(column *c, const char *full) {
    c->file = H5Fopen(full, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (c->file < 0) return pr_fail(c->err, PR_ERR_INPUT, "%s: not a readable HDF5 file", c->path);
    c->set = H5Dopen2(c->file, c->dataset, H5P_DEFAULT);
    if (c->set < 0) return refuse(c, "there is none");
    c->type = H5Dget_type(c->set);
    if (!c->as_bytes && H5Tget_class(c->type) != H5T_INTEGER) return refuse(c, "not of whole numbers");
    if (c->as_bytes && !has_plain_bytes(c->type))
        return refuse(c, "neither whole numbers of 8, 16, 32 or 64 bits nor IEEE 754 numbers of 32 or 64");
    c->space = H5Dget_space(c->set);
    c->rank = H5Sget_simple_extent_ndims(c->space);
    if (c->rank != 1 && c->rank != 2) return refuse(c, "%d dimensions; allowed: 1 or 2", c->rank);
    c->dims[1] = 1;
    H5Sget_simple_extent_dims(c->space, c->dims, NULL);
    return PR_OK;
}

/* How many values are wanted. */
static pr_status count_values(const column *c, uint64_t index, uint64_t max, uint64_t *n) {
    uint64_t n_rows = c->dims[0], n_columns = index == PR_COLUMN_ALL ? c->dims[1] : 1;
    if (index != PR_COLUMN_ALL && index >= c->dims[1])
        return refuse(c, "no column %" PRIu64 "; it has %" PRIu64, index, (uint64_t)c->dims[1]);
    if (n_rows > max || (n_rows && n_columns > max / n_rows))
        return refuse(c, "%" PRIu64 " x %" PRIu64 " values, and at most %" PRIu64 " are taken", n_rows, n_columns, max);
    *n = n_rows * n_columns;
    return PR_OK;
}

static pr_status select_values(column *c, uint64_t index, size_t max, size_t *n) {
    bool all = index == PR_COLUMN_ALL;
    uint64_t count = 0;
    PR_TRY(count_values(c, index, max, &count));
    *n = (size_t)count;
    const hsize_t start[2] = {0, all ? 0 : index}, size[2] = {c->dims[0], all ? c->dims[1] : 1};
    if (count && H5Sselect_hyperslab(c->space, H5S_SELECT_SET, start, NULL, size, NULL) < 0)
        return refuse(c, "cannot be read");
    return PR_OK;
}

static pr_status read_values(const column *c, hid_t type, void *values, size_t n) {
    const hsize_t size = n;
    hid_t memory = H5Screate_simple(1, &size, NULL);
    herr_t result = n ? H5Dread(c->set, type, memory, c->space, H5P_DEFAULT, values) : 0;
    H5Sclose(memory);
    return result < 0 ? refuse(c, "cannot be read") : PR_OK;
}

static pr_status convert_values(const column *c, uint32_t *out, const int64_t *values, size_t n) {
    for (size_t k = 0; k < n; k++) {
        if (values[k] < INT32_MIN || values[k] > UINT32_MAX)
            return refuse(c, "value %zu is %" PRId64 ", which 32 bits do not hold", k, values[k]);
        out[k] = (uint32_t)values[k];
    }
    return PR_OK;
}

static size_t value_bytes(const column *c) { return c->as_bytes ? H5Tget_size(c->type) : 1; }

/* max: of what is counted, words or bytes. out: words of 32 bits, or bytes as the type stores them. */
static pr_status read_open(column *c, void **out, size_t *n, uint64_t index, size_t max) {
    size_t count = 0, stored = c->as_bytes ? value_bytes(c) : sizeof(int64_t);
    PR_TRY(select_values(c, index, max / value_bytes(c), &count));
    void *values = malloc(count * stored + 1);
    void *result = c->as_bytes ? values : malloc(count * sizeof(uint32_t) + 1);
    pr_status status = values && result ? read_values(c, c->as_bytes ? c->type : H5T_NATIVE_INT64, values, count)
                                        : pr_fail(c->err, PR_ERR_MEMORY, "out of memory for a column");
    if (status == PR_OK && !c->as_bytes) status = convert_values(c, result, values, count);
    if (values != result) free(values);
    if (status == PR_OK)
        *out = result, *n = count * value_bytes(c);
    else
        free(result);
    return status;
}

static void close_dataset(column *c) {
    if (c->type >= 0) H5Tclose(c->type);
    if (c->space >= 0) H5Sclose(c->space);
    if (c->set >= 0) H5Dclose(c->set);
    if (c->file >= 0) H5Fclose(c->file);
}

/* Opens it, and keeps the library, which says nothing itself, until column_end; that follows whatever the status. */
static pr_status column_begin(column *c, const char *base_dir) {
    pr_hdf5_lock();
    H5Eget_auto2(H5E_DEFAULT, &c->print, &c->print_context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    char *full = pr_input_file_path(base_dir, c->path);
    pr_status status = full ? open_dataset(c, full) : pr_fail(c->err, PR_ERR_MEMORY, "out of memory for a path");
    free(full);
    return status;
}

static void column_end(column *c) {
    close_dataset(c);
    H5Eset_auto2(H5E_DEFAULT, c->print, c->print_context);
    pr_hdf5_unlock();
}

static column closed(const char *path, const char *dataset, bool as_bytes, pr_error *err) {
    return (column){path, dataset, as_bytes, .file = -1, .set = -1, .type = -1, .space = -1, .err = err};
}

static pr_status read_column(column *c, void **out, size_t *n, const char *base_dir, uint64_t index, size_t max) {
    pr_status status = column_begin(c, base_dir);
    if (status == PR_OK) status = read_open(c, out, n, index, max);
    column_end(c);
    return status;
}

pr_status pr_column_read(uint32_t **words, size_t *n, const char *base_dir, const char *path, const char *dataset,
                         uint64_t index, size_t max, pr_error *err) {
    column c = closed(path, dataset, false, err);
    void *out = NULL;
    PR_TRY(read_column(&c, &out, n, base_dir, index, max));
    *words = out;
    return PR_OK;
}

pr_status pr_column_read_bytes(uint8_t **bytes, size_t *n, const char *base_dir, const char *path, const char *dataset,
                               uint64_t index, size_t max, pr_error *err) {
    column c = closed(path, dataset, true, err);
    void *out = NULL;
    PR_TRY(read_column(&c, &out, n, base_dir, index, max));
    *bytes = out;
    return PR_OK;
}

/* Only of regular files: opening a pipe would not end. */
static pr_status count_column(column *c, uint64_t *n, const char *base_dir, uint64_t index, uint64_t max) {
    uint64_t length;
    PR_TRY(pr_input_file_length(&length, base_dir, c->path, UINT64_MAX, "", c->err));
    pr_status status = column_begin(c, base_dir);
    if (status == PR_OK) status = count_values(c, index, max / value_bytes(c), n);
    if (status == PR_OK) *n *= value_bytes(c);
    column_end(c);
    return status;
}

pr_status pr_column_count(uint64_t *n, const char *base_dir, const char *path, const char *dataset, uint64_t index,
                          uint64_t max, pr_error *err) {
    column c = closed(path, dataset, false, err);
    return count_column(&c, n, base_dir, index, max);
}

pr_status pr_column_count_bytes(uint64_t *n, const char *base_dir, const char *path, const char *dataset,
                                uint64_t index, uint64_t max, pr_error *err) {
    column c = closed(path, dataset, true, err);
    return count_column(&c, n, base_dir, index, max);
}
