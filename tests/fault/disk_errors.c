/* A run of one rank in which one call to the disk goes wrong (disk_shim.c), for call after call, of a new run and of a
 * resumed one. The exit code is 74, the message names what could not be written and what to do, nothing that was
 * announced is lost, and a resume completes the batch.
 *   disk_errors PROVERUN SHIM        every eleventh call; PROVERUN_TEST_LONG: every call
 *   disk_errors PROVERUN SHIM CASE   one of them, again */
#include "support.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_JOBS 4u
#define STRIDE 11u
#define MAX_CALLS 1000u

static const char *const hows[] = {"error", "short", "partial", "stay", "kill"};
#define N_HOWS (sizeof hows / sizeof *hows)

typedef enum phase { FRESH, RESUMED, PHASES } phase; /* of the run that the fault is in */

typedef struct plan {
    const char *program, *shim;
    unsigned n_calls[PHASES];
} plan;

typedef struct fault { /* one case */
    phase phase;
    unsigned at;
    const char *how;
    char label[64];
    char call[32], path[256]; /* what went wrong; call "": nothing did */
    fault_run run;
    int code;
    fault_seen seen;
} fault;

static void remove_quietly(const char *path) { (void)!remove(path); }

/* "NAME PATH" of the first line, the number of calls from the last. */
static unsigned read_log(fault *f) {
    char line[512], path[256], call[32];
    unsigned n = 0;
    FILE *log = fopen("shim.log", "r");
    f->call[0] = 0;
    while (log && fgets(line, sizeof line, log)) {
        if (sscanf(line, "%31s %255s", call, path) != 2) continue;
        if (strcmp(call, "calls") == 0) {
            n = (unsigned)strtoul(path, NULL, 10);
        } else if (!f->call[0]) {
            memcpy(f->call, call, sizeof call);
            memcpy(f->path, path, sizeof path);
        }
    }
    if (log) fclose(log);
    return n;
}

static void run_program(fault_run *r, int *code, const plan *p, bool resumes, const char *const *variables,
                        const char *label) {
    const char *words[] = {p->program, "run", "../disk.yaml", "--results", "answers", "--threads", "1", NULL, NULL};
    if (resumes) words[7] = "--resume";
    *code = fault_run_whole(r, words, variables, label);
}

/* The program with the fault in it; the calls it made are returned. */
static unsigned run_shimmed(fault *f, const plan *p) {
    char preload[512], at[48], how[48];
    const char *variables[] = {preload,
                               at,
                               how,
                               "PR_SHIM_PATH=/answers",
                               "PR_SHIM_LOG=shim.log",
                               "PR_SHIM_CLOSE=yes",
                               "OMPI_MCA_ess_singleton_isolated=1",
                               NULL};
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", p->shim);
    snprintf(at, sizeof at, "PR_SHIM_AT=%u", f->at);
    snprintf(how, sizeof how, "PR_SHIM_HOW=%s", f->how);
    remove_quietly("shim.log");
    run_program(&f->run, &f->code, p, f->phase == RESUMED, variables, f->label);
    fault_note_announced(&f->seen, &f->run);
    return read_log(f);
}

/* ---- what must hold ---- */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Beside the results: what cannot be written is told, and the run goes on. */
static bool is_beside(const fault *f) {
    return strstr(f->path, ".status.json") || strstr(f->path, ".prom") || strstr(f->path, "latest");
}

/* The folder is synced for files of both kinds; a close after a sync matters to nobody. */
static bool is_either(const fault *f) { return ends_with(f->path, "/answers") || strcmp(f->call, "close") == 0; }

static bool is_harmless(const fault *f) {
    return !f->call[0] || is_beside(f) || (strcmp(f->how, "partial") == 0 && ends_with(f->call, "write"));
}

static void expect_code(const fault *f) {
    int expected = f->call[0] && strcmp(f->how, "kill") == 0 ? 128 + 9 : is_harmless(f) ? 0 : 74;
    if (strcmp(f->how, "stay") == 0 && f->code == 74) return; /* whatever was the first call */
    if (f->code == expected || (is_either(f) && f->code == 0)) return;
    fault_fail(f->label, "%s of %s: exit code %d, not %d", f->call, f->path, f->code, expected);
    fault_print_end(f->run.err);
}

/* The stem of the run's files, or the folder where it was the folder that failed. */
static void expect_message(const fault *f) {
    const char *name = strrchr(f->path, '/');
    char stem[64];
    unsigned before = fault_failures();
    snprintf(stem, sizeof stem, "%.29s", name && strncmp(name, "/disk-", 6) == 0 ? name + 1 : "answers");
    if (!fault_file_has(f->run.err, stem)) fault_fail(f->label, "the message does not name %s", f->path);
    if (f->code == 74 && !fault_file_has(f->run.err, "--resume") && !fault_file_has(f->run.err, "then start again"))
        fault_fail(f->label, "the message does not say what to do");
    if (fault_failures() > before) fault_print_end(f->run.err);
}

static void expect_resumable(fault *f, const plan *p) {
    char path[256];
    int code;
    fault_run r;
    bool begun = fault_find(path, sizeof path, "answers", ".journal");
    if (begun) {
        memcpy(strrchr(path, '.'), ".h5", 4);
        fault_check_kept(path, &f->seen, f->label);
    }
    run_program(&r, &code, p, begun, (const char *[]){"OMPI_MCA_ess_singleton_isolated=1", NULL}, f->label);
    if (code != 0) {
        fault_fail(f->label, "%s of %s: exit code %d of the run after it", f->call, f->path, code);
        fault_print_end(r.err);
        return;
    }
    fault_note_announced(&f->seen, &r);
    if (!fault_find(path, sizeof path, "answers", ".h5")) return;
    fault_check_kept(path, &f->seen, f->label);
    fault_check_complete(p->program, path, N_JOBS, f->label);
}

/* ---- the cases ---- */

static void prepare(phase of, const char *label) {
    const char *copy[] = {"cp", "-r", "../half", "answers", NULL};
    fault_run r;
    if (of == RESUMED && fault_run_whole(&r, copy, NULL, label) != 0) fault_fail(label, "cannot copy half a run");
}

static void run_case(void *context, unsigned number) {
    const plan *p = context;
    unsigned before = fault_failures();
    fault f = {.phase = (phase)(number / MAX_CALLS / N_HOWS),
               .how = hows[number / MAX_CALLS % N_HOWS],
               .at = 1 + number % MAX_CALLS};
    if (f.at > p->n_calls[f.phase] + 1) return;
    if (!fault_is_long() && (f.at + 2 * (number / MAX_CALLS)) % STRIDE != 0) return;
    snprintf(f.label, sizeof f.label, "case %u (%s, call %u of a %s run)", number, f.how, f.at,
             f.phase == FRESH ? "new" : "resumed");
    prepare(f.phase, f.label);
    run_shimmed(&f, p);
    expect_code(&f);
    if (f.code == 74 || (f.call[0] && is_beside(&f) && f.code == 0 && strcmp(f.how, "partial") != 0))
        expect_message(&f);
    expect_resumable(&f, p);
    fault_put_away("answers", before, f.label);
}

/* A new run killed at this call: how many jobs it announced. */
static unsigned announced_until(fault *f, const plan *p, unsigned at) {
    unsigned n = 0;
    f->at = at;
    fault_remove("answers");
    memset(&f->seen, 0, sizeof f->seen);
    run_shimmed(f, p);
    for (unsigned k = 0; k < N_JOBS; k++) n += f->seen.job[k];
    return n;
}

static bool is_some(unsigned n) { return n > 0 && n < N_JOBS; }

/* A run that was killed soon after its first announcement, with a torn end. */
static void make_half(const plan *p) {
    fault f = {.how = "kill", .label = "half a run"};
    char path[256];
    unsigned none = 0, some = MAX_CALLS, n = 0; /* of calls: too few for one job, enough; not the same in each run */
    while (some - none > 1) {
        unsigned middle = (none + some) / 2;
        *(announced_until(&f, p, middle) > 0 ? &some : &none) = middle;
    }
    for (unsigned at = none, tries = 0; tries < 60 && !is_some(n); tries++) { /* all may share one sync, now and then */
        n = announced_until(&f, p, at);
        at = n == 0 ? at + 1 : at - 1;
    }
    if (!is_some(n) || !fault_find(path, sizeof path, "answers", ".journal")) {
        fault_fail(f.label, "%u jobs of %u were announced at call %u", n, N_JOBS, f.at);
        return;
    }
    FILE *log = fopen(path, "a");
    if (!log || fputs("PJRM\2", log) < 0 || fclose(log) != 0) fault_fail(f.label, "no torn end");
    (void)!rename("answers", "../half");
}

static void count_calls(plan *p) {
    for (phase of = FRESH; of < PHASES; of++) {
        fault f = {.phase = of, .how = "error", .at = MAX_CALLS, .label = "counting"};
        prepare(of, f.label);
        p->n_calls[of] = run_shimmed(&f, p);
        if (f.code != 0 || p->n_calls[of] < 50) fault_fail(f.label, "%u calls", p->n_calls[of]);
        fault_remove("answers");
    }
    printf("calls to the disk: %u of a new run, %u of a resumed one\n", p->n_calls[FRESH], p->n_calls[RESUMED]);
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) return 2;
    plan p = {argv[1], argv[2], {0}};
    unsigned first = argc == 4 ? (unsigned)atoi(argv[3]) : 0;
    fault_enter_folder("disk");
    fault_write_manifest("disk.yaml", "disk", N_JOBS, 4, 4);
    if (mkdir("first", 0777) != 0 || chdir("first") != 0) return 2;
    make_half(&p);
    count_calls(&p);
    if (chdir("..") != 0) return 2;
    if (fault_failures() == 0)
        fault_in_lanes(argc == 4 ? 1 : 3, first, argc == 4 ? first + 1 : PHASES * N_HOWS * MAX_CALLS, run_case, &p);
    printf("%u failures\n", fault_failures());
    return fault_failures() != 0;
}
