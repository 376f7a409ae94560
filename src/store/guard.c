/* Reading in a child process, for files that may crash the HDF5 library. */
#include "store/store.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PR_PROBE_STALL_MS 600000u

enum { LOOKS = 16 }; /* in stall_ms */
static atomic_uint looks;

void pr_store_guard_step(void) { atomic_store_explicit(&looks, 0, memory_order_relaxed); }

/* Signals of a timer do not add up while the process is stopped or gets no processor: that is one look. */
static void look(int signal_number) {
    if (atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed) < LOOKS) return;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void limit_stalls(unsigned stall_ms) {
    const struct sigaction action = {.sa_handler = look, .sa_flags = SA_RESTART};
    const struct timeval pause = {stall_ms / LOOKS / 1000, stall_ms / LOOKS % 1000 * 1000 + 1};
    const struct itimerval timer = {pause, pause};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static _Noreturn void run_child(int (*work)(void *), void *context, unsigned stall_ms, pid_t parent) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGTERM, SIGINT};
    const struct rlimit no_core = {0, 0};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) signal(fatal[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(70);
    if (stall_ms) limit_stalls(stall_ms);
    int code = work(context);
    fflush(NULL);
    _exit(code);
}

pr_status pr_store_guard(int *exit_code, int (*work)(void *context), void *context, const char *path, unsigned stall_ms,
                         pr_error *err) {
    int status = 0;
    fflush(NULL); /* what is buffered is written once, by the parent */
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        return pr_fail(err, PR_ERR_MEMORY, "%s: cannot start a process to read it: %s", path, strerror(errno));
    if (child == 0) run_child(work, context, stall_ms, parent);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return pr_fail(err, PR_ERR_INTERNAL, "%s: waitpid: %s", path, strerror(errno));
    bool cut_short = WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE; /* whoever reads the output has enough */
    if (WIFEXITED(status) || cut_short) {
        *exit_code = cut_short ? 128 + SIGPIPE : WEXITSTATUS(status);
        return PR_OK;
    }
    if (stall_ms && WTERMSIG(status) == SIGALRM)
        return pr_fail(err, PR_ERR_IO,
                       "%s: not read: for %.10g s the HDF5 library got no further: it hangs, or the disk", path,
                       stall_ms / 1e3);
    return pr_fail(err, PR_ERR_MALFORMED, "%s: damaged: the HDF5 library died of signal %d (%s) while reading it", path,
                   WTERMSIG(status), strsignal(WTERMSIG(status)));
}

typedef struct probe {
    const char *path;
    int report; /* pipe */
} probe;

static int load_all(void *context) {
    const probe *p = context;
    pr_results *r = NULL;
    pr_error e = {0};
    pr_status status = pr_results_open(&r, p->path, &e);
    for (size_t i = 0; status == PR_OK && i < pr_results_n_jobs(r); i++) {
        uint8_t *data = NULL;
        size_t size;
        const char *id = pr_results_job(r, i)->id;
        if (pr_results_read_proof(r, id, &data, &size, NULL) == PR_OK) free(data);
        if (pr_results_read_public(r, id, &data, &size, NULL) == PR_OK) free(data);
    }
    if (status != PR_OK && write(p->report, &e, sizeof e) != sizeof e) _exit(70);
    if (status == PR_OK) pr_results_close(r);
    return status != PR_OK;
}

pr_status pr_results_probe(const char *path, pr_error *err) {
    int ends[2], code = 0;
    pr_error told = {.status = PR_ERR_MALFORMED};
    if (pipe(ends) != 0) return pr_fail(err, PR_ERR_INTERNAL, "%s: pipe: %s", path, strerror(errno));
    snprintf(told.text, sizeof told.text, "%s: damaged", path);
    probe p = {path, ends[1]};
    pr_status status = pr_store_guard(&code, load_all, &p, path, PR_PROBE_STALL_MS, err);
    close(ends[1]);
    if (status == PR_OK && code != 0) {
        pr_error e;
        if (read(ends[0], &e, sizeof e) == sizeof e) told = e;
        status = pr_fail(err, told.status, "%s", told.text);
    }
    close(ends[0]);
    return status;
}
