/* Minds the prover child of a rank: gives it the tasks, watches its limits, starts it again when it is gone, and turns
 * what happens into messages for rank 0. */
#ifndef PR_CLUSTER_MINDER_H
#define PR_CLUSTER_MINDER_H
#include "cluster/cluster.h"
#include "cluster/seat.h"
#include "manifest/manifest.h"
#include <poll.h>

#define PR_MINDER_MAX_FDS 2

typedef struct pr_minder pr_minder;

/* o and seat must outlive it. */
PR_MUST_CHECK pr_status pr_minder_create(pr_minder **out, const pr_run_options *o, const pr_seat *seat, int rank,
                                         pr_error *err);
void pr_minder_destroy(pr_minder *m); /* kills the child; NULL allowed */
/* A run begins: the child gets its manifest. Whatever it was at is dropped. */
PR_MUST_CHECK pr_status pr_minder_begin(pr_minder *m, const pr_wire_manifest *manifest, pr_error *err);
/* A task. Several are begun in turn; the child has a few of them ahead of its answers. A failure that is not its job's
 * own gives all that are left back (PR_FAILURE_UNBEGUN), and so is one too many. */
#define PR_MINDER_MOST_TASKS (PR_SCHEDULE_MOST_BEHIND + 1)
void pr_minder_prove(pr_minder *m, const pr_wire_prove *task);
void pr_minder_cancel(pr_minder *m, const pr_wire_task *task);
/* The next message for rank 0 (ANSWER, NOTE), which the caller clears; false: none now. Call it often. */
bool pr_minder_poll(pr_minder *m, pr_wire *message);
size_t pr_minder_fds(const pr_minder *m, struct pollfd fds[PR_MINDER_MAX_FDS]);
void pr_minder_describe(const pr_minder *m, pr_wire_ping *ping);
#endif
