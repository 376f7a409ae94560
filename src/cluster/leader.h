/* Rank 0 beside the runs: who is there, its own supervisor, and the end of all ranks. */
#ifndef PR_CLUSTER_LEADER_H
#define PR_CLUSTER_LEADER_H
#include "cluster/cluster.h"
#include "cluster/roll.h"
#include "cluster/seat.h"
#include "cluster/transport.h"
#include "cluster/worker.h"

typedef struct pr_leader {
    pr_transport *t;
    const pr_run_options *o;
    const pr_seat *seat;
    pr_roll roll;
    pr_worker *worker;
    uint32_t n_runs;     /* begun so far: their numbers */
    uint64_t voter_ns;   /* spent on messages of the consensus */
    uint64_t message_ns; /* when the message told last was taken from MPI */
} pr_leader;

PR_MUST_CHECK pr_status pr_leader_init(pr_leader *l, pr_transport *t, const pr_run_options *o, const pr_seat *seat,
                                       pr_error *err);
void pr_leader_clear(pr_leader *l);
/* Waits for HELLO of every rank, two minutes or the start limit at most: who is silent then is lost. */
PR_MUST_CHECK pr_status pr_leader_gather(pr_leader *l, pr_error *err);

/* The next message for rank 0; what is for its own supervisor goes there. *got false: none now; *from >= 0 then: that
 * rank sent what cannot be understood, bad has the text. The caller clears message and frees buffer when got. */
PR_MUST_CHECK pr_status pr_leader_poll(pr_leader *l, bool *got, int *from, pr_wire *message, uint8_t **buffer,
                                       pr_error *bad, pr_error *err);
/* The process of a rank, which could be seen from here, is gone. */
bool pr_leader_sees_gone(const pr_member *m);
/* Its own supervisor's turn, and all that comes from ranks while there is no run. */
PR_MUST_CHECK pr_status pr_leader_idle(pr_leader *l, pr_error *err);

/* Sends everybody home and waits for them as long as a rank may be silent. *how: what is left to do. */
PR_MUST_CHECK pr_status pr_leader_stop(pr_leader *l, pr_stop_how *how, int exit_code, pr_error *err);
/* Kills ranks on this host that are there but do not answer: without them the launcher would wait for ever. */
void pr_leader_kill_silent(const pr_leader *l);
#endif
