/* The metrics of a run. */
#ifndef PR_CLUSTER_RUN_METRICS_H
#define PR_CLUSTER_RUN_METRICS_H
#include "cluster/keeper.h"
#include "cluster/voter.h"
#include "metrics/metrics.h"
#include "store/record.h"

typedef struct pr_run_metrics {
    pr_metrics *registry;
    pr_metric jobs, jobs_in_manifest, queued, running, attempts, retries, fallbacks, drained, prove_seconds,
        verify_seconds, stage_seconds, proof_bytes, insecure, large, ranks, file_bytes, journal_bytes, write_errors,
        last_update, complete, build;
    pr_metric votes, rounds, fraud, registered, removed, view_changes, refused, validators, pending_votes, view,
        persistence, vote_time, finalization_time, persistence_time;
    char path[1024];
    uint64_t saved_ns, sampled_ns; /* monotonic */
} pr_run_metrics;

PR_MUST_CHECK pr_status pr_run_metrics_init(pr_run_metrics *m, const char *path, size_t n_jobs, unsigned n_ranks,
                                            pr_error *err);
void pr_run_metrics_clear(pr_run_metrics *m);
void pr_run_metrics_job(pr_run_metrics *m, const pr_job_row *row);
/* What rank 0's voter tells: counts, and how long it took to judge a proof. */
void pr_run_metrics_consensus(pr_run_metrics *m, const pr_voter_event *e);
/* A proof that counted has been decided on, so long after it came. */
void pr_run_metrics_finalized(pr_run_metrics *m, pr_outcome outcome, uint64_t ns);
void pr_run_metrics_retry(pr_run_metrics *m);
void pr_run_metrics_fallback(pr_run_metrics *m); /* an attempt failed by its backend */
void pr_run_metrics_drained(pr_run_metrics *m);  /* a rank's backend is given up */
/* Has the file written when ten seconds have passed or always says so, and once a minute a point of the time series in
 * the results file. */
PR_MUST_CHECK pr_status pr_run_metrics_save(pr_run_metrics *m, pr_keeper *keeper, const pr_voter *voter,
                                            size_t n_queued, size_t n_running, bool always, pr_error *err);
void pr_run_metrics_complete(pr_run_metrics *m, bool complete);
#endif
