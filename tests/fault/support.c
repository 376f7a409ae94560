#include "support.h"
#include "store/journal.h"
#include "store/store.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK_TIMEOUT_S 300u
#define MAX_PROCESSES 256u

static unsigned failures;
static char folder[256];
static char shared[] = "/dev/shm/proverun-XXXXXX"; /* Open MPI's memory of ranks, which those that are killed leave */
static bool has_shared;

void fault_fail(const char *label, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("FAILED: %s: ", label);
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    va_end(args);
    failures++;
}

unsigned fault_failures(void) { return failures; }
bool fault_is_long(void) { return getenv("PROVERUN_TEST_LONG") != NULL; }

static _Noreturn void give_up(const char *what) {
    perror(what);
    exit(2);
}

/* ---- folders and files ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void fault_remove(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static void leave_folder(void) {
    if (has_shared) fault_remove(shared);
    if (failures)
        printf("what is left lies in %s\n", folder);
    else
        fault_remove(folder);
}

void fault_put_away(const char *path, unsigned before, const char *label) {
    char kept[128];
    if (failures == before) {
        fault_remove(path);
        return;
    }
    snprintf(kept, sizeof kept, "failed %s", label);
    if (rename(path, kept) != 0) fault_remove(path);
}

/* What Open MPI leaves, in TMPDIR and there, is nobody else's and is removed in the end. */
void fault_enter_folder(const char *name) {
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/proverun-%s-XXXXXX", parent ? parent : "/tmp", name);
    if (!mkdtemp(folder) || chdir(folder) != 0 || setenv("TMPDIR", folder, 1) != 0) give_up(folder);
    has_shared = mkdtemp(shared) && setenv("OMPI_MCA_btl_vader_backing_directory", shared, 1) == 0;
    atexit(leave_folder);
}

/* Whoever is lost is missed after seconds. */
void fault_write_config(const char *path) {
    FILE *f = fopen(path, "w");
    if (!f || fputs("version: 1\nconsensus: { round_timeout: 2s, view_timeout: 2s }\n", f) < 0 || fclose(f) != 0)
        give_up(path);
}

void fault_write_manifest(const char *path, const char *name, unsigned n_jobs, unsigned log_rows, unsigned columns) {
    FILE *f = fopen(path, "w");
    if (!f) give_up(path);
    fprintf(f, "version: 1\nname: %s\ndefaults: { profile: fast, retries: 5 }\njobs:\n", name);
    fprintf(f, "  - { id: fib, type: wide_fibonacci, params: { log_rows: %u, columns: %u, seed: [", log_rows, columns);
    for (unsigned k = 1; k <= n_jobs; k++) fprintf(f, k > 1 ? ", %u" : "%u", k);
    fprintf(f, "] } }\n");
    if (fclose(f) != 0) give_up(path);
}

bool fault_file_has(const char *path, const char *text) {
    char line[4096];
    bool has = false;
    FILE *f = fopen(path, "r");
    while (f && !has && fgets(line, sizeof line, f)) has = strstr(line, text) != NULL;
    if (f) fclose(f);
    return has;
}

bool fault_print_end(const char *path) {
    char text[2001];
    FILE *f = fopen(path, "r");
    if (!f) return false;
    if (fseek(f, -2000, SEEK_END) != 0) rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    printf("---- %s\n%s----\n", path, text);
    fclose(f);
    return true;
}

bool fault_find(char *path, size_t size, const char *in, const char *ending) {
    DIR *d = opendir(in);
    bool found = false;
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t n = strlen(e->d_name), m = strlen(ending);
        if (n <= m || strcmp(e->d_name + n - m, ending) != 0) continue;
        snprintf(path, size, "%s/%s", in, e->d_name);
        found = true;
    }
    if (d) closedir(d);
    return found;
}

/* ---- processes ---- */

static void redirect(const char *path, int to) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || dup2(fd, to) < 0) give_up(path);
    close(fd);
}

void fault_start(fault_run *r, const char *const *words, const char *const *variables) {
    snprintf(r->out, sizeof r->out, "out");
    snprintf(r->err, sizeof r->err, "err");
    fflush(NULL);
    r->pid = fork();
    if (r->pid < 0) give_up("fork");
    if (r->pid > 0) return;
    setsid();
    redirect(r->out, STDOUT_FILENO);
    redirect(r->err, STDERR_FILENO);
    for (size_t i = 0; variables && variables[i]; i++) putenv((char *)(uintptr_t)variables[i]);
    execvp(words[0], (char **)(uintptr_t)words);
    perror(words[0]);
    _exit(127);
}

/* State ('R', 'Z', ...) and parent from /proc; 0: there is no such process. */
static char look(pid_t pid, pid_t *parent) {
    char path[64], text[512], *at;
    char state = 0;
    int above = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    if (!(at = strrchr(text, ')')) || sscanf(at + 1, " %c %d", &state, &above) != 2) return 0;
    *parent = above;
    return state;
}

bool fault_is_alive(pid_t pid) {
    pid_t parent;
    char state = look(pid, &parent);
    return state && state != 'Z';
}

pid_t fault_parent(pid_t pid) {
    pid_t parent = 0;
    return look(pid, &parent) ? parent : 0;
}

unsigned fault_processes(pid_t *out, unsigned n, pid_t pid) {
    unsigned found = 0;
    if (!fault_is_alive(pid)) return 0;
    out[found++] = pid;
    for (unsigned i = 0; i < found; i++) {
        DIR *d = opendir("/proc");
        for (struct dirent *e; d && found < n && (e = readdir(d));) {
            pid_t parent = 0, at = (pid_t)strtol(e->d_name, NULL, 10);
            char state = at > 0 ? look(at, &parent) : 0;
            if (state && state != 'Z' && parent == out[i]) out[found++] = at;
        }
        if (d) closedir(d);
    }
    return found;
}

static void print_processes(pid_t pid) {
    pid_t all[MAX_PROCESSES];
    char path[64], name[64];
    unsigned n = fault_processes(all, MAX_PROCESSES, pid);
    for (unsigned i = 0; i < n; i++) {
        snprintf(path, sizeof path, "/proc/%d/comm", (int)all[i]);
        FILE *f = fopen(path, "r");
        if (f && fgets(name, sizeof name, f)) printf("still there: %d %s", (int)all[i], name);
        if (f) fclose(f);
    }
}

static void kill_all(pid_t pid) {
    pid_t all[MAX_PROCESSES];
    unsigned n = fault_processes(all, MAX_PROCESSES, pid);
    while (n > 0) kill(all[--n], SIGKILL);
}

int fault_finish(fault_run *r, unsigned timeout_s, const char *label) {
    const struct timespec pause = {0, 2000000};
    int status = 0;
    time_t end = time(NULL) + (time_t)timeout_s;
    while (waitpid(r->pid, &status, WNOHANG) == 0) {
        if (time(NULL) > end) {
            fault_fail(label, "no end within %u s", timeout_s);
            fault_print_end(r->err);
            print_processes(r->pid);
            kill_all(r->pid);
            waitpid(r->pid, &status, 0);
            break;
        }
        nanosleep(&pause, NULL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int fault_run_whole(fault_run *r, const char *const *words, const char *const *variables, const char *label) {
    fault_start(r, words, variables);
    return fault_finish(r, CHECK_TIMEOUT_S, label);
}

void fault_in_lanes(unsigned lanes, unsigned first, unsigned end, void (*work)(void *context, unsigned i),
                    void *context) {
    fflush(NULL);
    for (unsigned lane = 0; lane < lanes; lane++) {
        char name[16], *here;
        if (fork() != 0) continue;
        snprintf(name, sizeof name, "lane%u", lane);
        if (mkdir(name, 0777) != 0 || chdir(name) != 0 || !(here = getcwd(NULL, 0))) _exit(2);
        setenv("TMPDIR", here, 1);
        failures = 0;
        for (unsigned i = first + lane; i < end; i += lanes) work(context, i);
        fflush(NULL);
        _exit(failures < 250 ? (int)failures : 250);
    }
    for (unsigned lane = 0; lane < lanes; lane++) {
        int status;
        if (wait(&status) < 0) give_up("wait");
        failures += WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : 1;
    }
}

/* ---- what was announced, and what is there ---- */

/* Job k of `fib-<k + 1>`; FAULT_MAX_JOBS: another name. */
static unsigned job_of(const char *id) {
    unsigned k = 0;
    return sscanf(id, "fib-%u", &k) == 1 && k >= 1 && k <= FAULT_MAX_JOBS ? k - 1 : FAULT_MAX_JOBS;
}

void fault_note_announced(fault_seen *seen, const fault_run *r) {
    char line[4096], id[64];
    FILE *f = fopen(r->err, "r");
    if (!f) give_up(r->err);
    while (fgets(line, sizeof line, f)) {
        if (!strchr(line, '\n')) break; /* cut off by a kill */
        if (sscanf(line, "[%*u/%*u] %63s", id) == 1 && job_of(id) < FAULT_MAX_JOBS) seen->job[job_of(id)] = true;
    }
    fclose(f);
}

typedef struct kept {
    unsigned done[FAULT_MAX_JOBS]; /* records that say so */
    const char *label;
} kept;

static pr_status count_record(void *context, const pr_frame *frame, pr_error *err) {
    kept *k = context;
    pr_record record;
    if (frame->type != PR_FRAME_RECORD) return PR_OK;
    PR_TRY(pr_record_decode(&record, frame->payload, frame->size, err));
    unsigned job = job_of(record.row.id);
    if (job < FAULT_MAX_JOBS && pr_outcome_is_done(record.row.outcome)) k->done[job]++;
    pr_record_clear(&record);
    return PR_OK;
}

static pr_status tell_fault(void *context, const pr_fault *fault, pr_error *err) {
    const kept *k = context;
    (void)err;
    if (fault->kind != PR_FAULT_TORN)
        fault_fail(k->label, "journal: %s at byte %llu", pr_fault_kind_name(fault->kind),
                   (unsigned long long)fault->offset);
    return PR_OK;
}

void fault_check_kept(const char *path, const fault_seen *seen, const char *label) {
    char log[512];
    kept k = {.label = label};
    pr_error e = {0};
    pr_scan scan = {.visit = count_record, .fault = tell_fault, .context = &k};
    if (pr_store_journal_path(log, sizeof log, path, &e) != PR_OK || pr_journal_scan(&scan, log, &e) != PR_OK) {
        fault_fail(label, "%s", e.text);
        return;
    }
    for (unsigned i = 0; i < FAULT_MAX_JOBS; i++) {
        if (seen->job[i] && !k.done[i]) fault_fail(label, "fib-%u was announced and is lost", i + 1);
        if (k.done[i] > 1) fault_fail(label, "fib-%u is done %u times", i + 1, k.done[i]);
    }
}

static void expect_zero(const char *const *words, const char *text, const char *label) {
    fault_run r;
    int code = fault_run_whole(&r, words, NULL, label);
    if (code == 0 && fault_file_has(r.out, text)) return;
    fault_fail(label, "%s %s: exit code %d, or not `%s`", words[1], words[2], code, text);
    fault_print_end(r.out);
    fault_print_end(r.err);
}

static void check_rows(const pr_results *r, unsigned n_jobs, const char *label) {
    bool there[FAULT_MAX_JOBS] = {false};
    if (pr_results_problems(r)[0]) fault_fail(label, "results file: %s", pr_results_problems(r));
    if (pr_results_n_jobs(r) != n_jobs) fault_fail(label, "%zu rows, not %u", pr_results_n_jobs(r), n_jobs);
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        const pr_job_row *row = pr_results_job(r, i);
        unsigned job = job_of(row->id);
        if (job >= n_jobs || there[job]) {
            fault_fail(label, "a row %s too many", row->id);
            continue;
        }
        there[job] = true;
        if (!pr_outcome_is_done(row->outcome))
            fault_fail(label, "%s is %s: %s", row->id, pr_outcome_name(row->outcome), row->reason);
    }
}

void fault_check_complete(const char *program, const char *path, unsigned n_jobs, const char *label) {
    const char *verify[] = {program, "verify", path, NULL};
    const char *check[] = {program, "journal", "check", path, NULL};
    char good[64];
    pr_results *r = NULL;
    pr_error e = {0};
    snprintf(good, sizeof good, ": %u proofs good, 0 bad, 0 jobs without", n_jobs);
    expect_zero(verify, good, label);
    expect_zero(check, "all is well", label);
    if (pr_results_open(&r, path, &e) != PR_OK) {
        fault_fail(label, "%s", e.text);
        return;
    }
    check_rows(r, n_jobs, label);
    pr_results_close(r);
}
