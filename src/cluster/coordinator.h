/* Rank 0: reads the manifest, hands out jobs, has proofs verified, writes what came of it. */
#ifndef PR_CLUSTER_COORDINATOR_H
#define PR_CLUSTER_COORDINATOR_H
#include "cluster/cluster.h"
#include "cluster/host.h"
#include "cluster/transport.h"
/* *exit_code: 0 all jobs done, 1 some failed, 75 interrupted. *abandoned: ranks still prove what nobody waits for, the
 * caller must not wait for them. results_path: set as soon as the file is there. */
PR_MUST_CHECK pr_status pr_coordinator_run(int *exit_code, bool *abandoned, char *results_path,
                                           size_t results_path_size, pr_transport *t, const pr_run_options *o,
                                           const pr_host *host, pr_error *err);
#endif
