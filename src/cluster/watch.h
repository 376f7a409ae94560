/* --watch: manifests dropped into a folder are taken up one after another. FOLDER/NAME.yaml (or .yml) is answered by
 * FOLDER/NAME.yaml.status.json, which says "running", then how it ended; a manifest with such an answer is not taken
 * again, unless the answer is still "running" or "interrupted": then its run is resumed. A file is taken when it has
 * come by a rename, or has not changed for two seconds. */
#ifndef PR_CLUSTER_WATCH_H
#define PR_CLUSTER_WATCH_H
#include "cluster/leader.h"

/* Until it is asked to stop. *exit_code: 0, or the worst of its runs; 75 when a run was interrupted. */
PR_MUST_CHECK pr_status pr_watch_run(int *exit_code, pr_leader *l, const pr_run_options *o, pr_error *err);

typedef struct pr_watch_state { /* what a file looked like; zero: never seen */
    uint64_t size, changed_ns, seen_ns;
} pr_watch_state;
/* Whether a file that looks like this now (monotonic: now_ns; age_ns since its last change by the wall clock) is
 * complete; remembers it. For tests. */
bool pr_watch_is_settled(pr_watch_state *s, uint64_t size, uint64_t changed_ns, uint64_t now_ns);
#endif
