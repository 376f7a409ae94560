/* A run over MPI. Every rank is a supervisor: it lives whatever its prover child does (child/child.h), verifies proofs
 * of other ranks in a thread, and answers rank 0. Rank 0 is that too, unless told not to prove, and beside it reads the
 * manifest, hands out jobs (schedule/schedule.h), has proofs verified by another rank than the prover, and keeps what
 * came of it (store/store.h) in a thread of its own. With one rank the outcome is self_verified.
 *
 * Rank 0 blocks on nothing: it polls messages, and a thread does its writing. Nothing collective is called after the
 * start unless all ranks are there at the end. */
#ifndef PR_CLUSTER_CLUSTER_H
#define PR_CLUSTER_CLUSTER_H
#include "air/job_type.h"
#include "backend/backend.h"
#include "base/log.h"
#include "manifest/votes_config.h"
#include "placement/placement.h"

#define PR_CLUSTER_START_NS ((uint64_t)600 * 1000000000u)

typedef struct pr_run_options {
    const char *manifest_path;
    const char *manifest_text; /* not NULL: the manifest itself; manifest_path names it in messages */
    const char *manifest_dir;  /* with manifest_text: where relative paths begin */
    const char *watch_dir;     /* not NULL: manifests are taken from this folder, one after another, until a drain */
    const char *results_dir;
    const pr_votes_config *votes; /* NULL: the defaults */
    const char *resume;       /* NULL: a new run; "": the newest run of the manifest's name; else a run id or path */
    bool retry_failed;        /* with resume: jobs that failed are tried again */
    const char *metrics_path; /* NULL: beside the results file */
    bool coordinator_only;    /* rank 0 does not prove; not with one rank */
    pr_placement_options placement;
    uint64_t max_time_ns, drain_margin_ns;   /* 0: none; 60 s, an eighth of the time if less */
    uint64_t grace_ns;                       /* what runs gets after SIGTERM; 0: 1 s under mpirun, else 10 s */
    uint64_t silent_ns, lost_ns;             /* of a rank; 0: 15 s, 90 s */
    uint64_t start_ns;                       /* what the start may take; 0: PR_CLUSTER_START_NS */
    uint64_t hang_ns;                        /* no progress of a prover; 0: from the job's expected time */
    const char *backend_name;                /* for the prover child */
    size_t device_bytes;                     /* of a GPU, for one proof; 0: what the GPU has */
    const pr_backend *backend, *cpu_backend; /* cpu_backend: what its prover falls back to */
    const pr_job_type *const *types;         /* NULL-terminated */
    pr_log_format log;
    const char *command_line;
    /* Of tests; NULL in the program: another prover child, and what it is to do wrong. */
    const char *child_program;
    const char *const *child_arguments;
    uint64_t (*fault)(int rank, uint32_t job, uint32_t attempt);
    const struct pr_voter_hooks *voter_hooks; /* what this rank does wrong in the consensus */
} pr_run_options;

/* Starts and ends MPI. Rank 0 prints the path of the results file as the only line on standard output; everything else
 * is told on standard error. Returns the exit code (design.md), or does not return: after the loss of a rank the
 * process ends without MPI_Finalize. */
int pr_cluster_run(const pr_run_options *options);
#endif
