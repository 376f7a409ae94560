/* A rank that proves and verifies what rank 0 sends. */
#ifndef PR_CLUSTER_WORKER_H
#define PR_CLUSTER_WORKER_H
#include "cluster/cluster.h"
#include "cluster/host.h"
#include "cluster/transport.h"
/* Until rank 0 says stop. */
PR_MUST_CHECK pr_status pr_worker_run(pr_transport *t, const pr_run_options *o, const pr_host *host, pr_error *err);
#endif
