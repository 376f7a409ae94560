/* The supervisor of a rank: its prover child, its verifying thread, and what it tells rank 0. Rank 0 has one too, and
 * speaks to it with the same messages.
 *
 * Nothing here blocks. Whatever happens to the child costs the attempt it was at: the supervisor reports it, starts the
 * child again, and lives. */
#ifndef PR_CLUSTER_WORKER_H
#define PR_CLUSTER_WORKER_H
#include "cluster/cluster.h"
#include "cluster/seat.h"
#include "cluster/transport.h"
#include "cluster/voter.h"
#include <poll.h>

#define PR_WORKER_MAX_FDS 5

typedef struct pr_worker pr_worker;

PR_MUST_CHECK pr_status pr_worker_create(pr_worker **out, pr_transport *t, const pr_run_options *o, const pr_seat *seat,
                                         pr_error *err);
void pr_worker_destroy(pr_worker *w); /* kills the child; NULL allowed */
PR_MUST_CHECK pr_status pr_worker_say_hello(pr_worker *w, pr_error *err);
/* A message of rank 0's, or one that any rank may send to a voter; takes what a PROOF holds. */
PR_MUST_CHECK pr_status pr_worker_handle(pr_worker *w, int from, pr_wire *message, pr_error *err);
bool pr_worker_is_for_voter(pr_wire_type type);
/* Child, verdicts, limits, pings. *busy: something happened. */
PR_MUST_CHECK pr_status pr_worker_tick(pr_worker *w, bool *busy, pr_error *err);
/* From now on, also for the voter of the next manifest. */
void pr_worker_befriend(pr_worker *w, const pr_voter_friend *friend);
pr_voter *pr_worker_voter(pr_worker *w); /* NULL: no manifest */
size_t pr_worker_fds(const pr_worker *w, struct pollfd fds[PR_WORKER_MAX_FDS]);
/* STOP came: the child is gone, BYE is sent. */
bool pr_worker_is_stopped(const pr_worker *w, pr_wire_stop *how);

/* Sleeps until a descriptor is ready or pause_ms are over. */
void pr_worker_wait(struct pollfd *fds, size_t n, double pause_ms);

/* The life of a rank but 0, until STOP or until rank 0 is gone (PR_ERR_INTERRUPTED). */
PR_MUST_CHECK pr_status pr_worker_run(pr_wire_stop *how, pr_transport *t, const pr_run_options *o, const pr_seat *seat,
                                      pr_error *err);
#endif
