#include "cluster/cluster.h"
#include "cluster/coordinator.h"
#include "cluster/signals.h"
#include "cluster/worker.h"
#include <stdio.h>

/* An empty text: it was told before. */
static void tell(const pr_error *err, int rank, const char *results_path) {
    if (!err->text[0]) return;
    pr_log(PR_LOG_ERROR, "run", "%s", err->text);
    if (rank == 0 && err->status == PR_ERR_IO && results_path[0])
        pr_log(PR_LOG_ERROR, "run",
               "what was announced is kept in %s; make room or repair the disk, then go on with --resume",
               results_path);
}

static pr_status stop_ranks(pr_transport *t, pr_error *err) {
    const pr_wire stop = {.type = PR_WIRE_STOP};
    for (int rank = 1; rank < t->size; rank++) PR_TRY(pr_transport_send(t, rank, &stop, err));
    bool quiet;
    return pr_transport_drain(t, 60000, &quiet, err);
}

/* Standard output gets the path alone, last. */
static void print_path(const char *path) {
    if (path[0]) puts(path);
    fflush(stdout);
}

static int coordinate(pr_transport *t, const pr_run_options *o, const pr_host *host) {
    char path[1024] = "";
    int exit_code = 0;
    bool abandoned = false;
    pr_error err = {0}, second = {0};
    pr_status status = pr_coordinator_run(&exit_code, &abandoned, path, sizeof path, t, o, host, &err);
    if (status != PR_OK) {
        exit_code = pr_status_exit_code(status);
        tell(&err, t->rank, path);
    }
    print_path(path);
    if (abandoned && t->size > 1) MPI_Abort(MPI_COMM_WORLD, exit_code);
    if (!abandoned && stop_ranks(t, &second) != PR_OK) {
        tell(&second, t->rank, "");
        MPI_Abort(MPI_COMM_WORLD, 70);
    }
    return exit_code;
}

static int work(pr_transport *t, const pr_run_options *o, const pr_host *host) {
    pr_error err = {0};
    if (pr_worker_run(t, o, host, &err) == PR_OK) return 0;
    tell(&err, t->rank, "");
    MPI_Abort(MPI_COMM_WORLD, 70);
    return 70;
}

static int run(const pr_run_options *o) {
    pr_transport t;
    pr_host host;
    pr_error err = {0};
    if (pr_transport_init(&t, &err) != PR_OK || pr_host_init(&host, MPI_COMM_WORLD, o->n_threads, &err) != PR_OK) {
        tell(&err, -1, "");
        MPI_Abort(MPI_COMM_WORLD, 70);
        return 70;
    }
    pr_log_init(o->log, PR_LOG_INFO, t.size > 1 ? t.rank : -1);
    pr_signals_watch(t.rank);
    int exit_code = t.rank == 0 ? coordinate(&t, o, &host) : work(&t, o, &host);
    pr_transport_clear(&t, true);
    return exit_code;
}

int pr_cluster_run(const pr_run_options *o) {
    int provided;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        fputs("proverun: MPI does not start\n", stderr);
        return 70;
    }
    int exit_code = run(o);
    MPI_Finalize();
    return exit_code;
}
