/* What rank 0 is asked by signals. SIGUSR1 drains: what runs is finished. SIGTERM, SIGINT: what runs gets the grace
 * period; a second one ends the process at once, exit 75: what was told is on the disk. SIGUSR2 asks for the status.
 * Other ranks ignore them all: rank 0 decides. Which rank it is a process learns from MPI: until then each watches as
 * rank 0 does, and forgets what it was asked. */
#ifndef PR_CLUSTER_SIGNALS_H
#define PR_CLUSTER_SIGNALS_H
#include <stdbool.h>

typedef enum pr_ask { PR_ASK_NONE, PR_ASK_DRAIN, PR_ASK_STOP } pr_ask;

void pr_signals_watch(int rank);
pr_ask pr_signals_asked(void);
bool pr_signals_take_status(void); /* once for each time it was asked */
#endif
