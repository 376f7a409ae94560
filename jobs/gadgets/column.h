/* Numbers from HDF5 files: a whole dataset, or one column of it, as words or as the bytes that stand there. */
#ifndef PR_JOBS_GADGETS_COLUMN_H
#define PR_JOBS_GADGETS_COLUMN_H
#include "air/job_type.h"

#define PR_COLUMN_ALL UINT64_MAX /* every column, row by row */

/* Values of a dataset of whole numbers in one or two dimensions, as words of 32 bits (negative ones modulo 2^32).
 * words: [*n], at most max; the caller frees it. column: of two dimensions; PR_COLUMN_ALL or 0 of one. path: relative
 * to base_dir or absolute. PR_ERR_INPUT: unreadable, no such dataset or column, another type, too many values, or one
 * from outside -2^31 .. 2^32 - 1: the text says which and names file and dataset. One thread at a time has the library
 * (base/hdf5_lock.h). Damaged numbers can end the process in the library: call it where that costs one attempt. */
PR_MUST_CHECK pr_status pr_column_read(uint32_t **words, size_t *n, const char *base_dir, const char *path,
                                       const char *dataset, uint64_t column, size_t max, pr_error *err);
/* The bytes of a dataset's values, in one or two dimensions, row by row, each value as its type stores it: no byte
 * order is changed, whatever layout and filters the dataset has. In h5py: file[dataset][()].tobytes(), and of one
 * column file[dataset][:, column].tobytes(). Whole numbers of 8, 16, 32 or 64 bits and IEEE 754 numbers of 32 or 64.
 * bytes: [*n], at most max; else as above. */
PR_MUST_CHECK pr_status pr_column_read_bytes(uint8_t **bytes, size_t *n, const char *base_dir, const char *path,
                                             const char *dataset, uint64_t column, size_t max, pr_error *err);
/* How many words, or bytes, these would give, from the dataset's header alone. Errors are theirs, but for those of the
 * values. */
PR_MUST_CHECK pr_status pr_column_count(uint64_t *n, const char *base_dir, const char *path, const char *dataset,
                                        uint64_t column, uint64_t max, pr_error *err);
PR_MUST_CHECK pr_status pr_column_count_bytes(uint64_t *n, const char *base_dir, const char *path, const char *dataset,
                                              uint64_t column, uint64_t max, pr_error *err);
#endif
