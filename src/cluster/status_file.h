/* How a run ended, or that it goes on, as a small JSON file written atomically: beside the results file, and as the
 * answer to a manifest that was dropped into a watched folder. Under mpirun --enable-recovery the launcher's exit code
 * is always 0: this file has the run's. */
#ifndef PR_CLUSTER_STATUS_FILE_H
#define PR_CLUSTER_STATUS_FILE_H
#include "base/error.h"

typedef struct pr_run_report {
    char run_id[128], results[1024];
    const char *status; /* "running", "complete", "incomplete", "interrupted", "refused", "error" */
    int exit_code;      /* design.md; -1: it goes on */
    size_t n_jobs, n_done, n_failed;
    char reason[1024];
} pr_run_report;

PR_MUST_CHECK pr_status pr_status_file_write(const char *path, const pr_run_report *report, const char *manifest,
                                             pr_error *err);
/* RUN.status.json beside the results file RUN.h5. False: results is no such name, or path is too small. */
bool pr_status_file_name(char *path, size_t size, const char *results);
/* For a rank that has lost rank 0, which would have written the file: that the run can be resumed, and why it ended.
 * Does nothing where there is a file: rank 0's word counts, and the first rank's. manifest and results are paths. */
PR_MUST_CHECK pr_status pr_status_file_leave(const char *path, const pr_run_report *report, const char *manifest,
                                             int rank, pr_error *err);
/* What such a file says of a run: its results file, if it was still running. False: nothing of the kind. */
bool pr_status_file_was_running(const char *path, char *results, size_t size);
#endif
