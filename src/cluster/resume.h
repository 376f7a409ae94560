#ifndef PR_CLUSTER_RESUME_H
#define PR_CLUSTER_RESUME_H
#include "cluster/run_file.h"
/* pr_run_file_open for a run that began before. */
PR_MUST_CHECK pr_status pr_resume_open(pr_run_file *f, const pr_run_options *o, const pr_manifest *m, pr_error *err);
#endif
