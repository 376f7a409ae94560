/* Starting the child's process: own process group, null standard input, standard output to standard error, signals as
 * at a program's start, its end of the socket pair as descriptor PR_CHILD_SOCKET, no MPI in its environment. Safe in a
 * process with threads. */
#ifndef PR_CHILD_SPAWN_H
#define PR_CHILD_SPAWN_H
#include "base/error.h"
#include <sys/types.h>

typedef struct pr_child_process {
    pid_t pid;
    int pidfd;  /* readable when it has ended; -1 on kernels before 5.3 */
    int socket; /* the supervisor's end, non-blocking */
} pr_child_process;

/* arguments: NULL-terminated, after the program's name. */
PR_MUST_CHECK pr_status pr_child_spawn(pr_child_process *out, const char *program, const char *const *arguments,
                                       pr_error *err);
#endif
