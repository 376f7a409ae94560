/* A run over MPI: rank 0 reads the manifest, hands out jobs, has every proof verified by another rank and writes the
 * results file; the other ranks prove and verify. With one rank it proves itself and the outcome is self_verified.
 *
 * Rank 0 blocks on nothing but its own file: it polls. A rank has one task at a time, so one message each way is on its
 * way at most. Nothing collective is called after the start. */
#ifndef PR_CLUSTER_CLUSTER_H
#define PR_CLUSTER_CLUSTER_H
#include "air/job_type.h"
#include "backend/backend.h"
#include "base/log.h"

typedef struct pr_run_options {
    const char *manifest_path, *results_dir;
    const char *resume;       /* NULL: a new run; "": the newest run of the manifest's name; else a run id or path */
    const char *metrics_path; /* NULL: beside the results file */
    unsigned n_threads;       /* 0: this rank's share of its processors */
    const pr_backend *backend;
    const pr_job_type *const *types; /* NULL-terminated */
    pr_log_format log;
    const char *command_line;
} pr_run_options;

/* Starts and ends MPI. Rank 0 prints the path of the results file as the only line on standard output; everything else
 * is told on standard error. Returns the exit code (design.md). */
int pr_cluster_run(const pr_run_options *options);
#endif
