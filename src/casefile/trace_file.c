#include "casefile/read.h"
#include <hdf5.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct trace_file {
    const pr_case_doc *doc;
    char *path;
    hid_t file;
} trace_file;

static pr_status fail(const trace_file *f, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static pr_status fail(const trace_file *f, const char *place, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return pr_fail(f->doc->err, PR_ERR_INPUT, "%s: $.trace_file: %s: %s%s%s", f->doc->file, f->path, place,
                   *place ? ": " : "", text);
}

/* The case file's folder and the name. */
static char *beside(const char *case_path, const char *name) {
    const char *slash = strrchr(case_path, '/');
    size_t folder = slash ? (size_t)(slash - case_path) + 1 : 0, n = strlen(name);
    char *path = malloc(folder + n + 1);
    if (!path) return NULL;
    memcpy(path, case_path, folder);
    memcpy(path + folder, name, n + 1);
    return path;
}

static bool is_uint32(hid_t dataset) {
    hid_t type = H5Dget_type(dataset);
    bool good =
        type >= 0 && H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 4 && H5Tget_sign(type) == H5T_SGN_NONE;
    if (type >= 0) H5Tclose(type);
    return good;
}

/* rank 1: [rows]; rank 2: [columns][rows] */
static bool has_shape(hid_t space, int rank, hsize_t columns, hsize_t rows) {
    hsize_t dims[2] = {0, 0};
    if (space < 0 || H5Sget_simple_extent_ndims(space) != rank) return false;
    if (H5Sget_simple_extent_dims(space, dims, NULL) != rank) return false;
    return rank == 1 ? dims[0] == rows : dims[0] == columns && dims[1] == rows;
}

/* One row of a two-dimensional dataset, or all of a one-dimensional one. */
static pr_status read_column(const trace_file *f, const char *place, pr_m31 **out, hid_t dataset, hid_t space, int rank,
                             uint32_t column, hsize_t rows) {
    hsize_t start[2] = {column, 0}, count[2] = {1, rows};
    if (rank == 1) start[0] = 0, count[0] = rows;
    *out = malloc((size_t)rows * sizeof **out);
    if (!*out) return pr_case_no_memory(f->doc);
    hid_t memory = H5Screate_simple(1, &rows, NULL);
    bool good = memory >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(dataset, H5T_NATIVE_UINT32, memory, space, H5P_DEFAULT, *out) >= 0;
    if (memory >= 0) H5Sclose(memory);
    if (!good) return fail(f, place, "column %u cannot be read", column);
    for (size_t i = 0; i < rows; i++)
        if ((*out)[i] >= PR_P)
            return fail(f, place, "column %u, row %zu: %" PRIu32 " is not below p", column, i, (*out)[i]);
    return PR_OK;
}

static pr_status read_open_dataset(const trace_file *f, const char *place, pr_m31 **out, hid_t dataset, int rank,
                                   uint32_t columns, uint32_t log_size) {
    hsize_t rows = (hsize_t)1 << log_size;
    if (!is_uint32(dataset)) return fail(f, place, "must hold unsigned 32-bit integers");
    hid_t space = H5Dget_space(dataset);
    pr_status status = PR_OK;
    if (!has_shape(space, rank, columns, rows)) {
        if (rank == 1)
            status = fail(f, place, "must have the shape [%" PRIu64 "]", (uint64_t)rows);
        else
            status = fail(f, place, "must have the shape [%u][%" PRIu64 "]", columns, (uint64_t)rows);
    }
    for (uint32_t k = 0; status == PR_OK && k < columns; k++)
        status = read_column(f, place, &out[k], dataset, space, rank, k, rows);
    if (space >= 0) H5Sclose(space);
    return status;
}

static pr_status read_dataset(const trace_file *f, const char *group, uint32_t index, pr_m31 **out, int rank,
                              uint32_t columns, uint32_t log_size) {
    char place[48];
    snprintf(place, sizeof place, "/%s/%u", group, index);
    hid_t dataset = H5Dopen2(f->file, place, H5P_DEFAULT);
    if (dataset < 0) return fail(f, place, "there is no such dataset");
    pr_status status = read_open_dataset(f, place, out, dataset, rank, columns, log_size);
    H5Dclose(dataset);
    return status;
}

/* A group holds exactly n datasets; one that should hold none may be absent. */
static pr_status check_count(const trace_file *f, const char *group, uint32_t n) {
    char place[32];
    H5G_info_t info;
    snprintf(place, sizeof place, "/%s", group);
    if (H5Lexists(f->file, place, H5P_DEFAULT) <= 0) return n ? fail(f, place, "there is no such group") : PR_OK;
    if (H5Gget_info_by_name(f->file, place, &info, H5P_DEFAULT) < 0) return fail(f, place, "must be a group");
    if (info.nlinks != n) return fail(f, place, "has %" PRIu64 " members, must have %u", (uint64_t)info.nlinks, n);
    return PR_OK;
}

static pr_status read_preprocessed(pr_case *c, const trace_file *f) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->air->n_preprocessed; i++) n += !c->air->preprocessed[i].values;
    PR_TRY(check_count(f, "preprocessed", n));
    for (uint32_t i = 0; i < c->air->n_preprocessed; i++) {
        pr_air_preprocessed *column = &c->air->preprocessed[i];
        if (!column->values) PR_TRY(read_dataset(f, "preprocessed", i, &column->values, 1, 1, column->log_size));
    }
    return PR_OK;
}

static pr_status read_open_file(pr_case *c, const trace_file *f) {
    PR_TRY(read_preprocessed(c, f));
    PR_TRY(check_count(f, "trace", c->air->n_components));
    PR_TRY(pr_case_alloc_trace(c, f->doc));
    for (uint32_t i = 0; i < c->air->n_components; i++) {
        const pr_air_component *shape = &c->air->components[i];
        PR_TRY(read_dataset(f, "trace", i, c->trace[i], 2, shape->n_columns, shape->log_size));
    }
    return PR_OK;
}

pr_status pr_case_read_trace_file(pr_case *c, const pr_case_cursor *at) {
    const char *name = json_string_value(at->value);
    if (!name || !*name || *name == '/') return pr_case_refuse(at, "must be a file name relative to the case file");
    trace_file f = {.doc = at->doc, .path = beside(at->doc->file, name)};
    if (!f.path) return pr_case_no_memory(at->doc);
    /* HDF5 prints its own error stack unless told otherwise; ours say it in one line. */
    H5E_auto2_t print = NULL;
    void *print_context = NULL;
    H5Eget_auto2(H5E_DEFAULT, &print, &print_context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    f.file = H5Fopen(f.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    pr_status status = f.file >= 0 ? read_open_file(c, &f) : fail(&f, "", "cannot be opened as an HDF5 file");
    if (f.file >= 0) H5Fclose(f.file);
    H5Eset_auto2(H5E_DEFAULT, print, print_context);
    free(f.path);
    return status;
}
