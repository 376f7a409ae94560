/* One run on rank 0, from the manifest to the closed results file. */
#ifndef PR_CLUSTER_COORDINATOR_H
#define PR_CLUSTER_COORDINATOR_H
#include "cluster/leader.h"
#include "cluster/status_file.h"

/* report: how it ended, and, as soon as it is there, the results file. PR_OK with report->exit_code 0, 1 or 75; else
 * an error whose text is empty when it was told before. In any case the ranks are free for another run. begun: called
 * when the results file is there; may be NULL. */
PR_MUST_CHECK pr_status pr_coordinator_run(pr_run_report *report, pr_leader *l, const pr_run_options *o,
                                           void (*begun)(void *context, const pr_run_report *report), void *context,
                                           pr_error *err);
#endif
