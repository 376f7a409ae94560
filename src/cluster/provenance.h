/* Provenance that is known only once the ranks have reported. */
#ifndef PR_CLUSTER_PROVENANCE_H
#define PR_CLUSTER_PROVENANCE_H
#include "cluster/run_file.h"
PR_MUST_CHECK pr_status pr_provenance_write(pr_store *s, const pr_run_options *o, const pr_run_place *place,
                                            pr_error *err);
#endif
