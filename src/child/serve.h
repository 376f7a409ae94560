/* The prover child's own side: what the internal subcommand `proverun child` runs. No MPI, no cluster.
 *
 * Order at start: tied to the supervisor's life, signals ignored, foreign descriptors closed, then configuration and
 * manifest arrive over the socket, then jobs, answered in turn, until the socket closes or a stop arrives. */
#ifndef PR_CHILD_SERVE_H
#define PR_CHILD_SERVE_H
#include "work/work.h"
#include <sys/types.h>

#define PR_CHILD_SOCKET 3 /* the descriptor on which a child finds its supervisor */

/* Faults for tests; a program that users run has none. Each may do as it likes with the process. */
typedef struct pr_child_faults {
    void (*begin)(int socket, uint32_t job, uint32_t attempt, uint64_t fault); /* before a job's first stage */
    void (*stage)(int socket, uint32_t job, uint32_t attempt, uint64_t fault, uint32_t stage);
    void (*answer)(int socket, uint32_t job, uint32_t attempt, uint64_t fault, pr_status *status,
                   pr_record *record); /* before the answer is sent */
    bool (*lacks_device)(void);        /* in place of the device that the backend is for there is none */
} pr_child_faults;                     /* members may be NULL */

typedef struct pr_serve_options {
    const pr_job_type *const *types; /* NULL-terminated */
    /* By the name that the supervisor gave. PR_ERR_BACKEND: its device is gone; jobs that must not use it are proven
     * all the same. Other errors: nothing is. */
    pr_status (*find_backend)(const pr_backend **out, const char *name, pr_error *err);
    const pr_backend *cpu_backend; /* for jobs that must not use a device */
    const pr_child_faults *faults; /* NULL outside of tests */
} pr_serve_options;

/* Dies when the supervisor does (SIGKILL from the kernel); false: it is gone already. pr_child_serve does it too; for
 * what a program does before. */
PR_MUST_CHECK bool pr_child_bind_life(pid_t supervisor);
/* supervisor: pid that must be the parent's (the race between start and death signal). Returns the exit code: 0 after a
 * stop or when the supervisor is gone, 2 when this was not started by a supervisor, 70 when it broke the protocol. */
int pr_child_serve(pid_t supervisor, const pr_serve_options *options);
#endif
