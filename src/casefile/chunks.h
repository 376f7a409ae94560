/* Datasets of columns, read once, straight into the caller's columns.
 *
 * A dataset that lies in one piece is read column by column. One of chunks is read chunk by chunk, so that no chunk is
 * unpacked twice however many columns it has; its bytes come from the library one thread at a time, and where they are
 * unfiltered, shuffled or deflated the threads unpack them side by side, outside of the library, which is not made for
 * threads. Other filters and byte orders are the library's, one thread at a time. */
#ifndef PR_CASEFILE_CHUNKS_H
#define PR_CASEFILE_CHUNKS_H
#include "base/error.h"
#include "field/m31.h"
#include <hdf5.h>

typedef struct pr_chunk_failure {
    uint32_t column;
    const char *text;
} pr_chunk_failure;

/* dataset: unsigned 32-bit integers, rank 1: [1 << log_size], rank 2: [n_columns][1 << log_size]. columns: [n_columns]
 * of 1 << log_size words. PR_ERR_INPUT fills failure; PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_chunks_read(pr_chunk_failure *failure, hid_t dataset, pr_m31 *const *columns, int rank,
                                       uint32_t n_columns, uint32_t log_size, unsigned n_threads);
#endif
