/* Tables and byte strings that grow. */
#include "store/hdf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_TABLE_CHUNK_BYTES ((uint64_t)256 << 10)
/* A million jobs with 256 votes each; times the bytes of a row it does not overflow. */
#define PR_TABLE_MAX_ROWS ((uint64_t)1 << 32)
#define PR_BLOB_CHUNK_BYTES ((hsize_t)256 << 10)

uint64_t pr_table_chunk_rows(const pr_row_spec *spec) {
    uint64_t rows = PR_TABLE_CHUNK_BYTES / spec->row_bytes;
    return rows > 1024 ? 1024 : rows < 32 ? 32 : rows;
}

static hid_t enum_type(hid_t base, uint32_t n, const char *(*name)(uint32_t)) {
    hid_t type = H5Tenum_create(base);
    for (uint32_t v = 0; v < n; v++) {
        uint8_t small = (uint8_t)v;
        H5Tenum_insert(type, name(v), H5Tequal(base, H5T_NATIVE_UINT32) > 0 ? (void *)&v : (void *)&small);
    }
    return type;
}

typedef enum place { IN_MEMORY, IN_FILE } place;

static hid_t field_type(const pr_field *f, place where) {
    hid_t text;
    switch (f->kind) {
    case PR_FIELD_TEXT:
        text = H5Tcopy(H5T_C_S1);
        H5Tset_size(text, f->size);
        H5Tset_cset(text, H5T_CSET_UTF8);
        return text;
    case PR_FIELD_U32:
        return H5Tcopy(where == IN_FILE ? H5T_STD_U32LE : H5T_NATIVE_UINT32);
    case PR_FIELD_I32:
        return H5Tcopy(where == IN_FILE ? H5T_STD_I32LE : H5T_NATIVE_INT32);
    case PR_FIELD_U64:
        return H5Tcopy(where == IN_FILE ? H5T_STD_U64LE : H5T_NATIVE_UINT64);
    case PR_FIELD_F64:
        return H5Tcopy(where == IN_FILE ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE);
    default: {
        pr_enumeration e = pr_field_enumeration(f->kind);
        return enum_type(where == IN_FILE ? H5T_STD_I8LE : H5T_NATIVE_UINT32, e.count, e.name);
    }
    }
}

static size_t packed_bytes(const pr_row_spec *spec) {
    size_t bytes = 0;
    for (size_t i = 0; i < spec->n_fields; i++) {
        hid_t type = field_type(&spec->fields[i], IN_FILE);
        bytes += H5Tget_size(type);
        H5Tclose(type);
    }
    return bytes;
}

/* The file's rows are packed; memory's are the struct. */
static hid_t row_type(const pr_row_spec *spec, place where) {
    hid_t row = H5Tcreate(H5T_COMPOUND, where == IN_FILE ? packed_bytes(spec) : spec->row_bytes);
    size_t at = 0;
    for (size_t i = 0; i < spec->n_fields; i++) {
        hid_t type = field_type(&spec->fields[i], where);
        H5Tinsert(row, spec->fields[i].name, where == IN_FILE ? at : spec->fields[i].offset, type);
        at += H5Tget_size(type);
        H5Tclose(type);
    }
    return row;
}

static hid_t create_growing(hid_t file, const char *name, hid_t type, hsize_t chunk, unsigned gzip_level) {
    hsize_t none = 0, unlimited = H5S_UNLIMITED;
    hid_t space = H5Screate_simple(1, &none, &unlimited);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_chunk(create, 1, &chunk);
    if (gzip_level) H5Pset_deflate(create, gzip_level);
    H5Pset_create_intermediate_group(link, 1);
    hid_t dataset = H5Dcreate2(file, name, type, space, link, create, H5P_DEFAULT);
    H5Pclose(link);
    H5Pclose(create);
    H5Sclose(space);
    return dataset;
}

static pr_status describe_fields(const pr_table *t, const char *help, pr_error *err) {
    PR_TRY(pr_hdf_write_text(t->dataset, t->path, "description", help, err));
    for (size_t i = 0; i < t->spec->n_fields; i++) {
        char name[96];
        snprintf(name, sizeof name, "column:%s", t->spec->fields[i].name);
        PR_TRY(pr_hdf_write_text(t->dataset, t->path, name, t->spec->fields[i].help, err));
        snprintf(name, sizeof name, "unit:%s", t->spec->fields[i].name);
        PR_TRY(pr_hdf_write_text(t->dataset, t->path, name, pr_field_unit(&t->spec->fields[i]), err));
    }
    return PR_OK;
}

pr_status pr_table_create(pr_table *t, hid_t file, const char *path, const char *name, const pr_row_spec *spec,
                          const char *help, pr_error *err) {
    *t = (pr_table){.type = row_type(spec, IN_MEMORY), .spec = spec, .path = path, .name = name};
    hid_t type = row_type(spec, IN_FILE);
    t->dataset = create_growing(file, name, type, pr_table_chunk_rows(spec), 4);
    H5Tclose(type);
    return t->dataset < 0 ? pr_hdf_fail(err, path, name) : describe_fields(t, help, err);
}

/* Entries of a one-dimensional dataset; false when it is something else. */
static bool extent(hid_t dataset, uint64_t *n) {
    hid_t space = H5Dget_space(dataset);
    hsize_t size = 0;
    bool good =
        space >= 0 && H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, &size, NULL) == 1;
    if (space >= 0) H5Sclose(space);
    *n = size;
    return good;
}

/* Chunked, of this class: nothing that lies in other files. size: of one entry. */
static bool has_shape(hid_t dataset, H5T_class_t class, size_t *size) {
    hid_t type = H5Dget_type(dataset), create = H5Dget_create_plist(dataset);
    bool good = type >= 0 && create >= 0 && H5Tget_class(type) == class && H5Pget_layout(create) == H5D_CHUNKED;
    *size = good ? H5Tget_size(type) : 0;
    if (type >= 0) H5Tclose(type);
    if (create >= 0) H5Pclose(create);
    return good && *size > 0;
}

pr_status pr_table_open(pr_table *t, hid_t file, const char *path, const char *name, const pr_row_spec *spec,
                        pr_error *err) {
    *t = (pr_table){.type = row_type(spec, IN_MEMORY), .spec = spec, .path = path, .name = name};
    t->dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (t->dataset < 0) return pr_hdf_fail(err, path, name);
    size_t row_bytes;
    if (!has_shape(t->dataset, H5T_COMPOUND, &row_bytes) || !extent(t->dataset, &t->n))
        return pr_fail(err, PR_ERR_MALFORMED, "%s: %s is not a table", path, name);
    /* deflate makes at most 1032 bytes of one */
    if (t->n > PR_TABLE_MAX_ROWS || t->n * row_bytes / 1032 > H5Dget_storage_size(t->dataset))
        return pr_fail(err, PR_ERR_MALFORMED, "%s: %s claims %llu rows, which its bytes cannot hold", path, name,
                       (unsigned long long)t->n);
    return PR_OK;
}

void pr_table_close(pr_table *t) {
    if (t->dataset > 0) H5Dclose(t->dataset);
    if (t->type > 0) H5Tclose(t->type);
    memset(t, 0, sizeof *t);
}

/* Reads or writes entries [first, first + n). */
static herr_t transfer(hid_t dataset, hid_t type, uint64_t first, uint64_t n, void *in, const void *out) {
    hsize_t start = first, count = n;
    hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(1, &count, NULL);
    herr_t rc = H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL);
    if (rc >= 0)
        rc = in ? H5Dread(dataset, type, memory, space, H5P_DEFAULT, in)
                : H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, out);
    H5Sclose(memory);
    H5Sclose(space);
    return rc;
}

static herr_t append(hid_t dataset, hid_t type, uint64_t *size, const void *data, uint64_t n) {
    hsize_t grown = *size + n;
    if (H5Dset_extent(dataset, &grown) < 0 || transfer(dataset, type, *size, n, NULL, data) < 0) return -1;
    *size = grown;
    return 0;
}

pr_status pr_table_append(pr_table *t, const void *rows, size_t n, pr_error *err) {
    if (n == 0) return PR_OK;
    return append(t->dataset, t->type, &t->n, rows, n) < 0 ? pr_hdf_fail(err, t->path, t->name) : PR_OK;
}

pr_status pr_table_write(pr_table *t, uint64_t index, const void *row, pr_error *err) {
    return transfer(t->dataset, t->type, index, 1, NULL, row) < 0 ? pr_hdf_fail(err, t->path, t->name) : PR_OK;
}

pr_status pr_table_read(const pr_table *t, void *rows, uint64_t first, size_t n, pr_error *err) {
    memset(rows, 0, n * t->spec->row_bytes);
    if (n == 0) return PR_OK;
    return transfer(t->dataset, t->type, first, n, rows, NULL) < 0 ? pr_hdf_fail(err, t->path, t->name) : PR_OK;
}

pr_status pr_table_truncate(pr_table *t, uint64_t n, pr_error *err) {
    hsize_t size = n;
    if (H5Dset_extent(t->dataset, &size) < 0) return pr_hdf_fail(err, t->path, t->name);
    t->n = n;
    return PR_OK;
}

pr_status pr_blob_create(pr_blob *b, hid_t file, const char *path, const char *name, const char *help, pr_error *err) {
    *b = (pr_blob){.path = path, .name = name};
    b->dataset = create_growing(file, name, H5T_STD_U8LE, PR_BLOB_CHUNK_BYTES, 0);
    if (b->dataset < 0) return pr_hdf_fail(err, path, name);
    return pr_hdf_write_text(b->dataset, path, "description", help, err);
}

pr_status pr_blob_open(pr_blob *b, hid_t file, const char *path, const char *name, pr_error *err) {
    *b = (pr_blob){.path = path, .name = name};
    b->dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (b->dataset < 0) return pr_hdf_fail(err, path, name);
    size_t entry_bytes;
    if (!has_shape(b->dataset, H5T_INTEGER, &entry_bytes) || entry_bytes != 1 || !extent(b->dataset, &b->size))
        return pr_fail(err, PR_ERR_MALFORMED, "%s: %s is not a string of bytes", path, name);
    b->stored = H5Dget_storage_size(b->dataset);
    return PR_OK;
}

void pr_blob_close(pr_blob *b) {
    if (b->dataset > 0) H5Dclose(b->dataset);
    memset(b, 0, sizeof *b);
}

pr_status pr_blob_append(pr_blob *b, const void *data, size_t n, pr_error *err) {
    if (n == 0) return PR_OK;
    return append(b->dataset, H5T_NATIVE_UINT8, &b->size, data, n) < 0 ? pr_hdf_fail(err, b->path, b->name) : PR_OK;
}

pr_status pr_blob_read(const pr_blob *b, uint8_t **out, uint64_t offset, uint64_t n, pr_error *err) {
    *out = NULL;
    if (offset > b->size || n > b->size - offset || n > b->stored)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: bytes %llu to %llu lie outside %s", b->path,
                       (unsigned long long)offset, (unsigned long long)(offset + n), b->name);
    uint8_t *data = malloc((size_t)n + 1);
    if (!data) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory for %llu bytes", b->path, (unsigned long long)n);
    if (n && transfer(b->dataset, H5T_NATIVE_UINT8, offset, n, data, NULL) < 0) {
        free(data);
        return pr_hdf_fail(err, b->path, b->name);
    }
    *out = data;
    return PR_OK;
}

pr_status pr_blob_truncate(pr_blob *b, uint64_t size, pr_error *err) {
    hsize_t n = size;
    if (H5Dset_extent(b->dataset, &n) < 0) return pr_hdf_fail(err, b->path, b->name);
    b->size = size;
    return PR_OK;
}
