/* The end of a run with much on its way: each rank sends each other more than four frames (the window) and at once
 * ends, some later than others. All must end together, everything sent, long before the time is over; alone (a rank was
 * lost), rank 0 must end before the others, whatever they do then. mpirun -n 4 mpi_end */
#include "check.h"
#include "base/clock.h"
#include "cluster/transport.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LARGE ((size_t)9 << 20) /* bytes; a frame is at most 1 MiB */

static void send_much(pr_transport *t, int to) {
    char *text = calloc(1, LARGE);
    CHECK(text);
    const pr_wire m = {
        .type = PR_WIRE_MANIFEST,
        .as.manifest = {.path = "", .base_dir = "", .text = text, .text_size = LARGE, .run_id = "", .key_folder = ""}};
    CHECK(pr_transport_send(t, to, &m, NULL) == PR_OK);
    free(text);
}

static void end_together(void) {
    pr_transport t;
    bool quiet;
    CHECK(pr_transport_init(&t, NULL) == PR_OK);
    usleep((useconds_t)t.rank * 50000);
    for (int to = 0; to < t.size; to++) send_much(&t, to);
    uint64_t begin = pr_clock_monotonic_ns();
    CHECK(pr_transport_end(&t, true, &quiet, NULL) == PR_OK && quiet);
    CHECK(pr_transport_is_quiet(&t));
    if (t.rank == 0) printf("together: %.0f ms\n", (double)(pr_clock_monotonic_ns() - begin) / 1e6);
    pr_transport_clear(&t, true);
}

/* The barriers show that rank 0 waits for nobody; what comes to it later nobody takes, until all end together. */
static void end_alone(void) {
    pr_transport t;
    bool quiet = true;
    CHECK(pr_transport_init(&t, NULL) == PR_OK);
    if (t.rank == 0) CHECK(pr_transport_end(&t, false, &quiet, NULL) == PR_OK && quiet);
    MPI_Barrier(MPI_COMM_WORLD);
    if (t.rank == 1) send_much(&t, 0);
    CHECK(pr_transport_is_quiet(&t) == (t.rank != 1));
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(pr_transport_end(&t, true, &quiet, NULL) == PR_OK && quiet);
    pr_transport_clear(&t, true);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    end_together();
    end_alone();
    MPI_Finalize();
    return 0;
}
