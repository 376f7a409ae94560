/* Before the first job of a run: the manifest is read, the ranks get it, the schedule learns what there is. */
#ifndef PR_CLUSTER_STARTUP_H
#define PR_CLUSTER_STARTUP_H
#include "cluster/leader.h"
#include "cluster/run.h"

/* Tells every problem of the manifest; err has a text only when something else went wrong. */
PR_MUST_CHECK pr_status pr_startup_manifest(pr_manifest *m, const pr_run_options *o, pr_error *err);
/* Waits until every rank has the manifest and found the same jobs in it; who does not answer is lost. */
PR_MUST_CHECK pr_status pr_startup_ranks(pr_leader *l, const pr_manifest *m, const pr_run_file *file, pr_error *err);
/* Tells the ranks who votes, and how; this rank's voter is there afterwards. */
PR_MUST_CHECK pr_status pr_startup_roster(pr_leader *l, const pr_roster *roster, pr_error *err);
/* Distinct hosts, comma between, cut to fit; the most threads of a rank. Tells what placement advises, once. */
void pr_startup_place(pr_leader *l, char *hosts, size_t size, unsigned *threads);
PR_MUST_CHECK pr_status pr_startup_schedule(pr_schedule **out, const pr_run *r, pr_error *err);
#endif
