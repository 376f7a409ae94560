#include "cluster/cluster.h"
#include "cluster/coordinator.h"
#include "cluster/seat.h"
#include "cluster/signals.h"
#include "cluster/watch.h"
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PR_FINALIZE_S 30u /* MPI_Finalize hangs when a rank is lost meanwhile */

/* An empty text: it was told before. */
static void tell(const pr_error *err, const char *results_path) {
    if (!err->text[0]) return;
    pr_log(PR_LOG_ERROR, "run", "%s", err->text);
    if (err->status == PR_ERR_IO && results_path[0])
        pr_log(PR_LOG_ERROR, "run",
               "what was announced is kept in %s; make room or repair the disk, then go on with --resume",
               results_path);
}

/* How an earlier session ended says nothing of this one: should rank 0 be lost, another rank leaves word. */
static void forget_status(void *context, const pr_run_report *report) {
    char path[1100];
    (void)context;
    if (pr_status_file_name(path, sizeof path, report->results)) unlink(path);
}

/* Beside the results file: mpirun --enable-recovery always returns 0. */
static void leave_status(const pr_run_report *report, const char *manifest) {
    char path[1100];
    pr_error e = {0};
    if (!pr_status_file_name(path, sizeof path, report->results)) return;
    if (pr_status_file_write(path, report, manifest, &e) != PR_OK) pr_log(PR_LOG_WARN, "run", "%s", e.text);
}

static int run_manifest(pr_leader *l, const pr_run_options *o) {
    pr_run_report report;
    pr_error err = {0};
    pr_status status = pr_coordinator_run(&report, l, o, forget_status, NULL, &err);
    if (status != PR_OK) {
        report.exit_code = pr_status_exit_code(status);
        report.status = "error";
        snprintf(report.reason, sizeof report.reason, "%s", err.text);
        tell(&err, report.results);
        if (status == PR_ERR_IO && !report.results[0])
            pr_log(PR_LOG_ERROR, "run",
                   o->resume ? "nothing was lost by that; set it right, then go on with --resume"
                             : "nothing had begun; make room or repair the disk, then start again");
    }
    if (o->manifest_path) leave_status(&report, o->manifest_path);
    if (report.results[0]) puts(report.results);
    fflush(stdout);
    return report.exit_code;
}

static int run_watch(pr_leader *l, const pr_run_options *o) {
    pr_error err = {0};
    int exit_code = 0;
    pr_status status = pr_watch_run(&exit_code, l, o, &err);
    if (status == PR_OK) return exit_code;
    tell(&err, "");
    return pr_status_exit_code(status);
}

static int lead(pr_leader *l, const pr_run_options *o, pr_stop_how *how) {
    pr_error err = {0};
    int exit_code;
    if (pr_leader_gather(l, &err) != PR_OK) {
        tell(&err, "");
        exit_code = pr_status_exit_code(err.status);
    } else {
        exit_code = o->watch_dir ? run_watch(l, o) : run_manifest(l, o);
    }
    if (pr_leader_stop(l, how, exit_code, &err) != PR_OK) {
        tell(&err, "");
        *how = PR_STOP_AT_ONCE;
    }
    return exit_code;
}

/* ---- the start: the only part in which one rank waits for all others ---- */

static void on_late_start(int number) {
    static const char text[] = "proverun: MPI has not started within --start-limit: was a rank lost, or is the network "
                               "slow? Nothing was lost; start again, a run that had begun with --resume\n";
    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(75);
}

static void begin_start(const pr_run_options *o) {
    uint64_t ns = o->start_ns ? o->start_ns : PR_CLUSTER_START_NS;
    signal(SIGALRM, on_late_start);
    alarm((unsigned)((ns + 999999999u) / 1000000000u));
}

static void end_start(void) {
    alarm(0);
    signal(SIGALRM, SIG_DFL);
}

/* ---- the end of the process ---- */

static bool recovery_is_on(void) {
    const char *on = getenv("OMPI_MCA_orte_enable_recovery");
    return on && strcmp(on, "0") != 0;
}

/* With ranks on other hosts mpirun does not return once a rank has ended abnormally: it is asked to. */
static void end_mpirun(void) {
    char name[32] = "";
    FILE *f;
    char path[64];
    const char *nodes = getenv("OMPI_MCA_orte_num_nodes");
    if (!nodes || strcmp(nodes, "1") == 0) return;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)getppid());
    if (!(f = fopen(path, "re"))) return;
    if (fgets(name, sizeof name, f) && (!strcmp(name, "mpirun\n") || !strcmp(name, "orterun\n")))
        kill(getppid(), SIGTERM);
    fclose(f);
}

static _Noreturn void end_at_once(int rank, int exit_code) {
    if (!recovery_is_on()) {
        if (rank == 0) MPI_Abort(MPI_COMM_WORLD, exit_code);
        sleep(PR_FINALIZE_S); /* rank 0 ends all */
    } else if (rank == 0) {
        end_mpirun();
    }
    _exit(exit_code);
}

/* Where ranks outnumber the slots Open MPI gives the processor away at each look for messages: then a supervisor, which
 * only looks and sleeps, waits for the turns of all provers, some 10 ms, for each of the few steps that hand out a job
 * or decide on a proof. Start and end do wait without sleeping, and may. Nothing public changes it after MPI_Init;
 * where there is no such function, nothing is changed. True: it was so before. */
static bool set_yielding(bool yields) {
    bool (*set)(bool) = NULL;
    void *symbol = dlsym(RTLD_DEFAULT, "opal_progress_set_yield_when_idle");
    memcpy(&set, &symbol, sizeof set);
    return set && set(yields);
}
static bool yields_at_ends;

static int final_code;
static void on_alarm(int number) {
    (void)number;
    _exit(final_code);
}

static int end_in_order(pr_transport *t, int exit_code) {
    final_code = exit_code;
    signal(SIGALRM, on_alarm);
    alarm(PR_FINALIZE_S);
    set_yielding(yields_at_ends);
    pr_transport_clear(t, true);
    MPI_Finalize();
    alarm(0);
    return exit_code;
}

static int run_leader(pr_transport *t, const pr_run_options *o, const pr_seat *seat) {
    pr_leader l;
    pr_error err = {0};
    pr_stop_how how = PR_STOP_AT_ONCE;
    if (pr_leader_init(&l, t, o, seat, &err) != PR_OK) {
        tell(&err, "");
        end_at_once(0, 70);
    }
    int exit_code = lead(&l, o, &how);
    if (how == PR_STOP_AT_ONCE) {
        if (recovery_is_on()) pr_leader_kill_silent(&l);
        pr_leader_clear(&l);
        end_at_once(0, exit_code);
    }
    pr_leader_clear(&l);
    return end_in_order(t, exit_code);
}

static int run_follower(pr_transport *t, const pr_run_options *o, const pr_seat *seat) {
    pr_wire_stop stop = {0};
    pr_error err = {0};
    pr_status status = pr_worker_run(&stop, t, o, seat, &err);
    if (status == PR_OK && stop.how == PR_STOP_IN_ORDER) return end_in_order(t, 0);
    if (status == PR_OK) end_at_once(t->rank, (int)stop.exit_code);
    tell(&err, "");
    if (status != PR_ERR_INTERRUPTED && !recovery_is_on()) MPI_Abort(MPI_COMM_WORLD, 70);
    _exit(pr_status_exit_code(status));
}

static int run(const pr_run_options *o) {
    pr_transport t;
    pr_seat seat;
    pr_error err = {0};
    if (pr_transport_init(&t, &err) == PR_OK) {
        const pr_seat_options options = {.proves = t.rank > 0 || t.size == 1 || !o->coordinator_only,
                                         .uses_devices = o->backend->is_device,
                                         .placement = o->placement};
        if (pr_seat_take(&seat, MPI_COMM_WORLD, &options, &err) == PR_OK) {
            end_start();
            yields_at_ends = set_yielding(false);
            pr_log_init(o->log, PR_LOG_INFO, t.size > 1 ? t.rank : -1);
            pr_signals_watch(t.rank);
            int exit_code = t.rank == 0 ? run_leader(&t, o, &seat) : run_follower(&t, o, &seat);
            pr_seat_clear(&seat);
            return exit_code;
        }
    }
    tell(&err, "");
    MPI_Abort(MPI_COMM_WORLD, 70);
    return 70;
}

int pr_cluster_run(const pr_run_options *o) {
    int provided;
    begin_start(o);
    pr_signals_watch(0); /* MPI takes its time to start: who drains then means this run too */
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        fputs("proverun: MPI does not start\n", stderr);
        return 70;
    }
    return run(o);
}
