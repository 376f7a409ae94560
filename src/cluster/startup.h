/* Before the first job: the manifest is read, the ranks report and get it. */
#ifndef PR_CLUSTER_STARTUP_H
#define PR_CLUSTER_STARTUP_H
#include "cluster/cluster.h"
#include "cluster/host.h"
#include "cluster/transport.h"
#include "manifest/manifest.h"

typedef struct pr_startup {
    char hosts[512]; /* distinct, comma between */
    char *topology;  /* of rank 0's host */
    unsigned threads;
} pr_startup;

/* Tells every problem of the manifest; err has a text only when something else went wrong. */
PR_MUST_CHECK pr_status pr_startup_manifest(pr_manifest *m, const pr_run_options *o, pr_error *err);
/* Waits until every rank has the manifest and found the same jobs in it. Warns of a binding that wastes cores. */
PR_MUST_CHECK pr_status pr_startup_ranks(pr_startup *s, pr_transport *t, const pr_manifest *m,
                                         const pr_hash *run_digest, const pr_host *host, pr_error *err);
void pr_startup_clear(pr_startup *s);
#endif
