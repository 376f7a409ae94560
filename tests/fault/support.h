/* Whole runs of the program, started, watched and killed from a test of this folder; and what must hold of their files.
 * Every test works in a folder of its own, where it stays. A check that fails is printed and counted, and the test goes
 * on: a seed or a number that replays it stands in the label. */
#ifndef PR_TESTS_FAULT_SUPPORT_H
#define PR_TESTS_FAULT_SUPPORT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FAULT_MAX_JOBS 64u

typedef struct fault_run { /* a run of the program, perhaps under mpirun */
    pid_t pid;             /* of what was started; leads a session */
    char out[64], err[64]; /* files of its streams */
} fault_run;

typedef struct fault_seen { /* jobs that were announced: job k of the manifest is `fib-<k + 1>` */
    bool job[FAULT_MAX_JOBS];
} fault_seen;

/* Counts and prints a failure: "label: text". */
void fault_fail(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));
unsigned fault_failures(void);

/* Makes a folder and goes there; at the end of the process it is removed, unless something failed. */
void fault_enter_folder(const char *name);
void fault_remove(const char *path); /* with all that is in it */
/* After a case: its folder is removed, or kept under another name when there were failures since `before`. */
void fault_put_away(const char *path, unsigned before, const char *label);
void fault_write_config(const char *path); /* for --config: short timeouts of the votes */
void fault_write_manifest(const char *path, const char *name, unsigned n_jobs, unsigned log_rows, unsigned columns);
bool fault_is_long(void); /* PROVERUN_TEST_LONG */

/* words: NULL-terminated. variables: "NAME=VALUE", NULL-terminated, NULL: none. */
void fault_start(fault_run *r, const char *const *words, const char *const *variables);
/* Exit code, or 128 + signal. After timeout_s all of its processes are killed, which is a failure. */
int fault_finish(fault_run *r, unsigned timeout_s, const char *label);
int fault_run_whole(fault_run *r, const char *const *words, const char *const *variables, const char *label);

/* Processes below and including pid, in no order; the count, at most n. */
unsigned fault_processes(pid_t *out, unsigned n, pid_t pid);
bool fault_is_alive(pid_t pid);                          /* a zombie is not */
pid_t fault_parent(pid_t pid);                           /* 0: there is no such process */
bool fault_file_has(const char *path, const char *text); /* one of its lines holds text */
bool fault_print_end(const char *path);                  /* the last lines of a file, for a failure */
/* The one file of a folder whose name ends so, as a path; false: none. */
bool fault_find(char *path, size_t size, const char *folder, const char *ending);

/* Adds the jobs that the progress lines of r announce. */
void fault_note_announced(fault_seen *seen, const fault_run *r);
/* What was announced is in the journal of `path` (RESULTS.h5), and nothing is done twice; a torn end is no fault. */
void fault_check_kept(const char *path, const fault_seen *seen, const char *label);
/* The run is complete: n_jobs rows, each done, each id once, all proofs good, journal whole. */
void fault_check_complete(const char *program, const char *path, unsigned n_jobs, const char *label);

/* Shares the cases from first to end - 1 among some processes, each in a folder of its own below this one; the failures
 * of all count. */
void fault_in_lanes(unsigned lanes, unsigned first, unsigned end, void (*work)(void *context, unsigned i),
                    void *context);
#endif
