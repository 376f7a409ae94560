#include "gadgets/column.h"
#include <hdf5.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "gadgets/input_file.h"

typedef struct column {
    const char *path, *dataset; /* as named by errors */
    hid_t file, set, space;
    hsize_t dims[2];
    int rank;
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

static pr_status open_dataset(column *c, const char *full) {
    c->file = H5Fopen(full, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (c->file < 0) return pr_fail(c->err, PR_ERR_INPUT, "%s: not a readable HDF5 file", c->path);
    c->set = H5Dopen2(c->file, c->dataset, H5P_DEFAULT);
    if (c->set < 0) return refuse(c, "there is none");
    hid_t type = H5Dget_type(c->set);
    bool whole = H5Tget_class(type) == H5T_INTEGER;
    H5Tclose(type);
    if (!whole) return refuse(c, "not of whole numbers");
    c->space = H5Dget_space(c->set);
    c->rank = H5Sget_simple_extent_ndims(c->space);
    if (c->rank != 1 && c->rank != 2) return refuse(c, "%d dimensions; allowed: 1 or 2", c->rank);
    c->dims[1] = 1;
    H5Sget_simple_extent_dims(c->space, c->dims, NULL);
    return PR_OK;
}

/* Selects what is wanted; how many values that is. */
static pr_status select_values(column *c, uint64_t index, size_t max, size_t *n) {
    bool all = index == PR_COLUMN_ALL;
    if (!all && index >= c->dims[1])
        return refuse(c, "no column %" PRIu64 "; it has %" PRIu64, index, (uint64_t)c->dims[1]);
    uint64_t count = c->dims[0] * (all ? c->dims[1] : 1);
    if (c->dims[0] > max || count > max)
        return refuse(c, "%" PRIu64 " x %" PRIu64 " values, and at most %zu are taken", (uint64_t)c->dims[0],
                      (uint64_t)(all ? c->dims[1] : 1), max);
    *n = (size_t)count;
    const hsize_t start[2] = {0, all ? 0 : index}, size[2] = {c->dims[0], all ? c->dims[1] : 1};
    if (count && H5Sselect_hyperslab(c->space, H5S_SELECT_SET, start, NULL, size, NULL) < 0)
        return refuse(c, "cannot be read");
    return PR_OK;
}

static pr_status read_values(const column *c, int64_t *values, size_t n) {
    const hsize_t size = n;
    hid_t memory = H5Screate_simple(1, &size, NULL);
    herr_t result = n ? H5Dread(c->set, H5T_NATIVE_INT64, memory, c->space, H5P_DEFAULT, values) : 0;
    H5Sclose(memory);
    if (result < 0) return refuse(c, "cannot be read");
    for (size_t k = 0; k < n; k++)
        if (values[k] < INT32_MIN || values[k] > UINT32_MAX)
            return refuse(c, "value %zu is %" PRId64 ", which 32 bits do not hold", k, values[k]);
    return PR_OK;
}

static pr_status read_words(column *c, uint32_t **words, size_t *n, const char *full, uint64_t index, size_t max) {
    size_t count = 0;
    PR_TRY(open_dataset(c, full));
    PR_TRY(select_values(c, index, max, &count));
    int64_t *values = malloc((count + 1) * sizeof *values);
    uint32_t *out = malloc((count + 1) * sizeof *out);
    pr_status status =
        values && out ? read_values(c, values, count) : pr_fail(c->err, PR_ERR_MEMORY, "out of memory for a column");
    for (size_t k = 0; status == PR_OK && k < count; k++) out[k] = (uint32_t)values[k];
    free(values);
    if (status == PR_OK)
        *words = out, *n = count;
    else
        free(out);
    return status;
}

static void close_dataset(column *c) {
    if (c->space >= 0) H5Sclose(c->space);
    if (c->set >= 0) H5Dclose(c->set);
    if (c->file >= 0) H5Fclose(c->file);
}

pr_status pr_column_read(uint32_t **words, size_t *n, const char *base_dir, const char *path, const char *dataset,
                         uint64_t index, size_t max, pr_error *err) {
    column c = {.path = path, .dataset = dataset, .file = -1, .set = -1, .space = -1, .err = err};
    char *full = pr_input_file_path(base_dir, path);
    if (!full) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a path");
    H5E_auto2_t print;
    void *context;
    H5Eget_auto2(H5E_DEFAULT, &print, &context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    pr_status status = read_words(&c, words, n, full, index, max);
    close_dataset(&c);
    H5Eset_auto2(H5E_DEFAULT, print, context);
    free(full);
    return status;
}
