/* Signals that end a run early. SIGUSR1 drains: what runs is finished. SIGTERM, SIGINT: what runs gets a second (mpirun
 * follows a SIGTERM with SIGKILL). A second signal ends the process at once, exit 75: what was told is on the disk. */
#ifndef PR_CLUSTER_SIGNALS_H
#define PR_CLUSTER_SIGNALS_H

typedef enum pr_stop { PR_STOP_NONE, PR_STOP_DRAIN, PR_STOP_SOON } pr_stop;

void pr_signals_watch(int rank); /* ranks but 0 only ignore them: rank 0 decides */
pr_stop pr_signals_stop(void);
#endif
