#include "base/bytes.h"
#include "base/hdf5_lock.h"
#include "casefile/chunks.h"
#include "casefile/read.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct trace_file {
    const char *case_path, *path;
    pr_error *err;
    hid_t file;
    H5E_auto2_t print; /* HDF5 prints its own error stack unless told otherwise; ours say it in one line */
    void *print_context;
} trace_file;

static pr_status fail(const trace_file *f, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static pr_status fail(const trace_file *f, const char *place, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return pr_fail(f->err, PR_ERR_INPUT, "%s: $.trace_file: %s: %s%s%s", f->case_path, f->path, place,
                   *place ? ": " : "", text);
}

/* The library is this thread's until close_file. */
static pr_status open_file(trace_file *f) {
    pr_hdf5_lock();
    H5Eget_auto2(H5E_DEFAULT, &f->print, &f->print_context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    f->file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    return f->file >= 0 ? PR_OK : fail(f, "", "cannot be opened as an HDF5 file");
}

static void close_file(trace_file *f) {
    if (f->file >= 0) H5Fclose(f->file);
    H5Eset_auto2(H5E_DEFAULT, f->print, f->print_context);
    pr_hdf5_unlock();
}

/* The case file's folder and the name. */
static char *beside(const char *case_path, const char *name) {
    size_t folder = (size_t)(pr_file_name(case_path) - case_path), n = strlen(name);
    char *path = malloc(folder + n + 1);
    if (!path) return NULL;
    memcpy(path, case_path, folder);
    memcpy(path + folder, name, n + 1);
    return path;
}

/* ---- datasets ---- */

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

/* rank 1: a single column. */
typedef struct shape {
    int rank;
    uint32_t columns, log_size;
} shape;

static pr_status open_dataset(hid_t *out, const trace_file *f, const char *place, const shape *s) {
    hsize_t rows = (hsize_t)1 << s->log_size;
    *out = H5Dopen2(f->file, place, H5P_DEFAULT);
    if (*out < 0) return fail(f, place, "there is no such dataset");
    pr_status status = PR_OK;
    hid_t space = H5Dget_space(*out);
    if (!is_uint32(*out))
        status = fail(f, place, "must hold unsigned 32-bit integers");
    else if (!has_shape(space, s->rank, s->columns, rows) && s->rank == 1)
        status = fail(f, place, "must have the shape [%" PRIu64 "]", (uint64_t)rows);
    else if (!has_shape(space, s->rank, s->columns, rows))
        status = fail(f, place, "must have the shape [%u][%" PRIu64 "]", s->columns, (uint64_t)rows);
    if (space >= 0) H5Sclose(space);
    if (status != PR_OK) H5Dclose(*out);
    return status;
}

static uint32_t first_not_below_p(const pr_m31 *column, uint32_t n_rows) {
    uint32_t row = 0, above = 0;
    for (uint32_t i = 0; i < n_rows; i++) above |= column[i] >= PR_P;
    if (!above) return n_rows;
    while (column[row] < PR_P) row++;
    return row;
}

static pr_status check_columns(const trace_file *f, const char *place, pr_m31 *const *columns, const shape *s,
                               unsigned n_threads) {
    uint32_t n_rows = 1u << s->log_size, bad_column = UINT32_MAX, bad_row = 0;
#pragma omp parallel for num_threads((int)n_threads) schedule(static)
    for (uint32_t k = 0; k < s->columns; k++) {
        uint32_t row = first_not_below_p(columns[k], n_rows);
#pragma omp critical(case_cell)
        if (row < n_rows && k < bad_column) bad_column = k, bad_row = row;
    }
    if (bad_column == UINT32_MAX) return PR_OK;
    return fail(f, place, "column %u, row %u: %" PRIu32 " is not below p", bad_column, bad_row,
                columns[bad_column][bad_row]);
}

static pr_status read_dataset(const trace_file *f, const char *place, pr_m31 *const *columns, const shape *s,
                              unsigned n_threads) {
    hid_t dataset;
    PR_TRY(open_dataset(&dataset, f, place, s));
    pr_chunk_failure failure = {0};
    pr_status status = pr_chunks_read(&failure, dataset, columns, s->rank, s->columns, s->log_size, n_threads);
    H5Dclose(dataset);
    if (status == PR_ERR_MEMORY) return pr_fail(f->err, status, "%s: out of memory", f->path);
    if (status != PR_OK) return fail(f, place, "column %u cannot be read: %s", failure.column, failure.text);
    return check_columns(f, place, columns, s, n_threads);
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

static uint32_t count_missing(const pr_air *air) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < air->n_preprocessed; i++) n += !air->preprocessed[i].values;
    return n;
}

static pr_status read_preprocessed(pr_case *c, const trace_file *f) {
    PR_TRY(check_count(f, "preprocessed", count_missing(c->air)));
    for (uint32_t i = 0; i < c->air->n_preprocessed; i++) {
        pr_air_preprocessed *column = &c->air->preprocessed[i];
        char place[48];
        if (column->values) continue;
        column->values = malloc(sizeof(pr_m31) << column->log_size);
        if (!column->values) return pr_fail(f->err, PR_ERR_MEMORY, "%s: out of memory", f->path);
        snprintf(place, sizeof place, "/preprocessed/%u", i);
        PR_TRY(read_dataset(f, place, &column->values, &(shape){1, 1, column->log_size}, 1));
    }
    return PR_OK;
}

static void trace_place(char out[48], uint32_t component) { snprintf(out, 48, "/trace/%u", component); }

static pr_status check_trace(const pr_case *c, const trace_file *f) {
    PR_TRY(check_count(f, "trace", c->air->n_components));
    for (uint32_t i = 0; i < c->air->n_components; i++) {
        char place[48];
        hid_t dataset;
        trace_place(place, i);
        PR_TRY(open_dataset(&dataset, f, place,
                            &(shape){2, c->air->components[i].n_columns, c->air->components[i].log_size}));
        H5Dclose(dataset);
    }
    return PR_OK;
}

/* What the depth asks of the file. */
static pr_status look_into_file(pr_case *c, pr_error *err) {
    trace_file f = {.case_path = c->path, .path = c->source->h5_path, .err = err};
    if (c->depth != PR_CASE_ALL && !count_missing(c->air)) return PR_OK;
    pr_status status = open_file(&f);
    if (status == PR_OK) status = read_preprocessed(c, &f);
    if (status == PR_OK && c->depth == PR_CASE_ALL) status = check_trace(c, &f);
    close_file(&f);
    return status;
}

pr_status pr_case_read_trace_file(pr_case *c, const pr_case_cursor *at) {
    char *name = NULL;
    PR_TRY(pr_case_text(at, &name));
    if (!*name || *name == '/') {
        free(name);
        return pr_case_refuse_kind(at, "a file name relative to the case file");
    }
    c->source = calloc(1, sizeof *c->source);
    if (c->source) c->source->h5_path = beside(c->path, name);
    free(name);
    if (!c->source || !c->source->h5_path) return pr_case_no_memory(at->doc);
    PR_TRY(look_into_file(c, at->doc->err));
    if (c->depth != PR_CASE_ALL) pr_case_close_source(c);
    return PR_OK;
}

pr_status pr_case_fill_from_file(const pr_case *c, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                                 pr_error *err) {
    const pr_air_component *shape_of = &c->air->components[component];
    trace_file f = {.case_path = c->path, .path = c->source->h5_path, .err = err};
    char place[48];
    trace_place(place, component);
    pr_status status = open_file(&f);
    if (status == PR_OK)
        status = read_dataset(&f, place, columns, &(shape){2, shape_of->n_columns, shape_of->log_size}, n_threads);
    close_file(&f);
    return status;
}
