/* Preloaded between the program and MPI: how often a process looked for messages, and how often MPI gave the processor
 * away meanwhile. At the end it is told in $PR_YIELD_LOG, a line a process: "looks 812 yields 0". */
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long looks, yields;
static _Thread_local int in_look;

int sched_yield(void) {
    if (in_look) yields++;
    return (int)syscall(SYS_sched_yield);
}

int MPI_Improbe(int source, int tag, MPI_Comm comm, int *flag, MPI_Message *message, MPI_Status *status) {
    in_look = 1;
    int code = PMPI_Improbe(source, tag, comm, flag, message, status);
    in_look = 0;
    looks++;
    return code;
}

__attribute__((destructor)) static void tell(void) {
    char line[64];
    const char *path = getenv("PR_YIELD_LOG");
    int fd = path && looks ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (fd < 0) return;
    int n = snprintf(line, sizeof line, "looks %ld yields %ld\n", looks, yields);
    if (write(fd, line, (size_t)n) < 0) perror("yield_shim");
    close(fd);
}
