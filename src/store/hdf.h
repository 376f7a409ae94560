/* HDF5 for this module: errors with the library's own words, attributes, and tables and byte strings that grow. */
#ifndef PR_STORE_HDF_H
#define PR_STORE_HDF_H
#include "store/record.h"
#include <hdf5.h>

/* Once before anything else: the library prints nothing by itself and does nothing at exit. */
void pr_hdf_init(void);
/* "path: what: the library's innermost reason". Empties the library's error stack. Returns PR_ERR_IO. */
pr_status pr_hdf_fail(pr_error *err, const char *path, const char *what);

PR_MUST_CHECK pr_status pr_hdf_close(hid_t file, const char *path, pr_error *err);
/* Writes what the library holds of a dataset: closing one does not tell of errors. */
PR_MUST_CHECK pr_status pr_hdf_flush(hid_t dataset, const char *path, const char *name, pr_error *err);

/* Text attributes of variable length (a header holds 64 KiB at most, the heap of such texts has no limit). */
PR_MUST_CHECK pr_status pr_hdf_write_text(hid_t object, const char *path, const char *name, const char *text,
                                          pr_error *err);
/* Heap copy, caller frees; NULL when there is no such attribute or it is not a text. size may be NULL. */
char *pr_hdf_read_text(hid_t object, const char *name, size_t *size);
/* A compound table with one row spec: chunked, gzip, extendible. */
typedef struct pr_table {
    hid_t dataset, type; /* type: of rows in memory */
    const pr_row_spec *spec;
    const char *path, *name; /* borrowed: file, dataset */
    uint64_t n;
} pr_table;
PR_MUST_CHECK pr_status pr_table_create(pr_table *t, hid_t file, const char *path, const char *name,
                                        const pr_row_spec *spec, const char *help, pr_error *err);
/* PR_ERR_MALFORMED when it is not such a table or claims more rows than its bytes can hold. */
PR_MUST_CHECK pr_status pr_table_open(pr_table *t, hid_t file, const char *path, const char *name,
                                      const pr_row_spec *spec, pr_error *err);
void pr_table_close(pr_table *t); /* zeroed or open */
PR_MUST_CHECK pr_status pr_table_append(pr_table *t, const void *rows, size_t n, pr_error *err);
PR_MUST_CHECK pr_status pr_table_write(pr_table *t, uint64_t index, const void *row, pr_error *err);
PR_MUST_CHECK pr_status pr_table_read(const pr_table *t, void *rows, uint64_t first, size_t n, pr_error *err);
PR_MUST_CHECK pr_status pr_table_truncate(pr_table *t, uint64_t n, pr_error *err);
uint64_t pr_table_chunk_rows(const pr_row_spec *spec);

/* A byte string that grows: chunked, no filter (what it holds is compressed already). */
typedef struct pr_blob {
    hid_t dataset;
    const char *path, *name;
    uint64_t size, stored; /* stored: bytes that the file has for it */
} pr_blob;
PR_MUST_CHECK pr_status pr_blob_create(pr_blob *b, hid_t file, const char *path, const char *name, const char *help,
                                       pr_error *err);
PR_MUST_CHECK pr_status pr_blob_open(pr_blob *b, hid_t file, const char *path, const char *name, pr_error *err);
void pr_blob_close(pr_blob *b);
PR_MUST_CHECK pr_status pr_blob_append(pr_blob *b, const void *data, size_t n, pr_error *err);
/* Heap copy, caller frees (a spare byte behind it). Ranges outside: PR_ERR_MALFORMED. */
PR_MUST_CHECK pr_status pr_blob_read(const pr_blob *b, uint8_t **out, uint64_t offset, uint64_t n, pr_error *err);
PR_MUST_CHECK pr_status pr_blob_truncate(pr_blob *b, uint64_t size, pr_error *err);
#endif
