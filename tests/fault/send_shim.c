/* Preloaded between the program and MPI: the k-th send of one rank goes wrong.
 *   PR_SHIM_RANK=r  PR_SHIM_AT=k  PR_SHIM_LOG=FILE  what went wrong is told there: "isend 1"; at the end "calls 51"
 *   PR_SHIM_HOW=error    MPI refuses it
 *              =stay     and all later ones as well
 *              =short    half of the bytes arrive, and nobody says so
 *              =twice    it arrives twice
 *              =kill     SIGKILL just before it
 *   PR_SHIM_SLOW=r  that rank takes its time for its second send, its answer to the manifest */
#include <fcntl.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long calls;

static const char *text_of(const char *name) {
    const char *text = getenv(name);
    return text ? text : "";
}

static int how_is(const char *word) { return strcmp(text_of("PR_SHIM_HOW"), word) == 0; }
static int is_ours(void) { return strcmp(text_of("PR_SHIM_RANK"), text_of("OMPI_COMM_WORLD_RANK")) == 0; }

static void tell(const char *name, long number) {
    char line[64];
    int fd = open(text_of("PR_SHIM_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) return;
    int n = snprintf(line, sizeof line, "%s %ld\n", name, number);
    if (write(fd, line, (size_t)n) < 0) perror("send_shim");
    close(fd);
}

__attribute__((destructor)) static void tell_calls(void) {
    if (calls) tell("calls", calls);
}

static int is_due(void) {
    long due = atol(text_of("PR_SHIM_AT"));
    if (due <= 0 || !is_ours()) return 0;
    calls++;
    if (calls == due) tell("isend", calls);
    if (calls == due && how_is("kill")) kill(getpid(), SIGKILL);
    return calls == due || (how_is("stay") && calls > due);
}

static void be_slow(void) {
    static unsigned n;
    if (strcmp(text_of("PR_SHIM_SLOW"), text_of("OMPI_COMM_WORLD_RANK")) == 0 && ++n == 2) usleep(400000);
}

int MPI_Isend(const void *data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request) {
    MPI_Request first;
    be_slow();
    if (!is_due()) return PMPI_Isend(data, n, type, to, tag, comm, request);
    if (how_is("error") || how_is("stay")) return MPI_ERR_OTHER;
    if (how_is("short")) return PMPI_Isend(data, n / 2, type, to, tag, comm, request);
    if (PMPI_Isend(data, n, type, to, tag, comm, &first) == MPI_SUCCESS) PMPI_Request_free(&first);
    return PMPI_Isend(data, n, type, to, tag, comm, request);
}
