/* The trace of file_hash from the sponge's walk. */
#ifndef PR_JOBS_FILE_HASH_TRACE_H
#define PR_JOBS_FILE_HASH_TRACE_H
#include "file_hash/layout.h"
#include "rows.h"

/* columns: [PR_FILE_HASH_COLUMNS], 1 << log_rows words each. n_threads 0: all of the process's processors. */
void pr_file_hash_fill(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows, const pr_file_hash_walk *walk,
                       unsigned n_threads);
#endif
