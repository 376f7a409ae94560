/* Runs of three ranks in which one message goes wrong on its way (send_shim.c), message after message, of rank 0 and of
 * rank 1: refused by MPI, cut short, sent twice, or its sender killed. The run completes without the rank, or ends
 * resumable; nothing that was announced is lost, and a resume completes the batch.
 *   send_errors PROVERUN SHIM        some messages; PROVERUN_TEST_LONG: every message
 *   send_errors PROVERUN SHIM CASE   one of them, again */
#include "support.h"
#include "consensus/consensus.h"
#include "store/journal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_JOBS 6u
#define STRIDE 13u
#define MAX_CALLS 200u /* the work is messages of a second or two; pings beyond are like those before */

static const char *const hows[] = {"error", "stay", "short", "twice", "kill"};
#define N_HOWS (sizeof hows / sizeof *hows)
#define N_SENDERS 2u

typedef struct plan {
    const char *program, *shim, *ranks; /* ranks: of the runs with a fault */
    unsigned n_calls[N_SENDERS];
} plan;

/* Who may fall silent is missed soon; where nobody does, a busy machine has time. */
typedef enum patience { MISSES_SOON, HAS_TIME } patience;

static int run_program(fault_run *r, const plan *p, patience how_long, bool resumes, const char *const *variables,
                       const char *label) {
    bool soon = how_long == MISSES_SOON;
    const char *words[] = {"mpirun",
                           "-n",
                           variables ? p->ranks : "3",
                           p->program,
                           "run",
                           "../send.yaml",
                           "--results",
                           "r",
                           "--threads",
                           "1",
                           "--silent-after",
                           soon ? "1s" : "15s",
                           "--lost-after",
                           soon ? "2s" : "90s",
                           "--start-limit",
                           soon ? "10s" : "90s",
                           "--config",
                           "../quick.yaml",
                           NULL,
                           NULL};
    if (resumes) words[sizeof words / sizeof *words - 2] = "--resume";
    return fault_run_whole(r, words, variables, label);
}

/* 0: it went on without whom it could not reach; 75: ended, resumable; 137: a rank was killed and mpirun ended all. */
static void expect_code(const fault_run *r, int code, const char *how, const char *label) {
    bool killed = strcmp(how, "kill") == 0;
    if (code == 0 || code == 75 || (killed && code == 137)) return;
    fault_fail(label, "exit code %d", code);
    fault_print_end(r->err);
}

static void expect_resumable(const plan *p, fault_seen *seen, const char *label) {
    char path[256];
    fault_run r;
    bool begun = fault_find(path, sizeof path, "r", ".journal");
    int code = run_program(&r, p, HAS_TIME, begun, NULL, label);
    fault_note_announced(seen, &r);
    if (code != 0) {
        fault_fail(label, "exit code %d of the run after it", code);
        fault_print_end(r.err);
    }
    if (!fault_find(path, sizeof path, "r", ".h5")) return;
    fault_check_kept(path, seen, label);
    fault_check_complete(p->program, path, N_JOBS, label);
}

static int run_shimmed(fault_run *r, const plan *p, patience how_long, unsigned sender, unsigned at, const char *how,
                       const char *label) {
    bool begun = strcmp(p->ranks, "3") != 0;
    char preload[512], call[32], kind[32], rank[32];
    const char *variables[] = {preload, call, kind, rank, "PR_SHIM_LOG=shim.log", NULL};
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", p->shim);
    snprintf(call, sizeof call, "PR_SHIM_AT=%u", at);
    snprintf(kind, sizeof kind, "PR_SHIM_HOW=%s", how);
    snprintf(rank, sizeof rank, "PR_SHIM_RANK=%u", sender);
    fault_remove("shim.log");
    return run_program(r, p, how_long, begun, variables, label);
}

static void run_case(void *context, unsigned number) {
    const plan *p = context;
    unsigned at = 1 + number % MAX_CALLS, sender = number / MAX_CALLS % N_SENDERS, before = fault_failures();
    const char *how = hows[number / MAX_CALLS / N_SENDERS];
    char label[96];
    fault_run r;
    fault_seen seen = {{false}};
    if (at > p->n_calls[sender] + 1) return;
    if (!fault_is_long() && (at + 3 * (number / MAX_CALLS)) % STRIDE != 0) return;
    snprintf(label, sizeof label, "case %u (%s, send %u of rank %u)", number, how, at, sender);
    int code = run_shimmed(&r, p, MISSES_SOON, sender, at, how, label);
    fault_note_announced(&seen, &r);
    expect_code(&r, code, how, label);
    if (fault_file_has("shim.log", "isend")) expect_resumable(p, &seen, label);
    fault_put_away("r", before, label);
}

static pr_status count_record(void *context, const pr_frame *f, pr_error *err) {
    (void)err;
    ((unsigned *)context)[pr_consensus_record_kind(f->payload, f->size)]++;
    return PR_OK;
}

/* Kills rank 0 just before one of its messages, and looks at what it has on record. */
static void expect_records(const plan *p, unsigned at, unsigned n_validators, unsigned n_away, const char *label) {
    char path[256] = "";
    fault_run r;
    unsigned n[PR_CONSENSUS_RECORDS] = {0};
    (void)run_shimmed(&r, p, HAS_TIME, 0, at, "kill", label);
    pr_scan scan = {.visit = count_record, .context = n};
    fault_find(path, sizeof path, "r", ".votes");
    strncat(path, "/0.journal", sizeof path - strlen(path) - 1);
    if (!fault_file_has("shim.log", "isend") || pr_journal_scan(&scan, path, NULL) != PR_OK)
        fault_fail(label, "rank 0 was not killed, or has no record");
    if (n[PR_CONSENSUS_RECORD_VALIDATOR] != n_validators || n[PR_CONSENSUS_RECORD_AWAY] != n_away)
        fault_fail(label, "rank 0 has %u of %u validators on record, %u of %u that are away",
                   n[PR_CONSENSUS_RECORD_VALIDATOR], n_validators, n[PR_CONSENSUS_RECORD_AWAY], n_away);
}

/* Rank 1 gets the manifest twice, and rank 2 takes its time, so that rank 0 hears all that rank 1 has to say to it. */
static void expect_one_answer(const plan *p) {
    fault_run r;
    unsigned before = fault_failures();
    setenv("PR_SHIM_SLOW", "2", 1);
    int code = run_shimmed(&r, p, HAS_TIME, 0, 1, "twice", "the manifest twice");
    unsetenv("PR_SHIM_SLOW");
    if (code != 0 || !fault_file_has("shim.log", "isend")) {
        fault_fail("the manifest twice", "exit code %d", code);
        fault_print_end(r.err);
    }
    fault_put_away("r", before, "the manifest twice");
}

/* Rank 0 is killed between its messages of who votes (after two of the manifest), and in a session without rank 2 after
 * the only one: it has all that on record. A run that goes on would otherwise number validators, or the set of those
 * who are away, otherwise, and who has heard of them, and signed by it, would refuse it for good. */
static void expect_roster_on_record(const plan *p) {
    plan two = *p;
    fault_seen seen = {{false}};
    unsigned before = fault_failures();
    two.ranks = "2";
    expect_records(p, 4, 3, 0, "the roster");
    expect_records(&two, 3, 3, 1, "the roster of two");
    expect_resumable(p, &seen, "the roster");
    fault_put_away("r", before, "the roster");
}

/* The last line of the shim's log: "calls 51". */
static void count_sends(plan *p, unsigned sender) {
    char name[32];
    fault_run r;
    if (run_shimmed(&r, p, HAS_TIME, sender, MAX_CALLS, "error", "counting") != 0) {
        fault_fail("counting", "a run failed");
        fault_print_end(r.err);
    }
    FILE *log = fopen("shim.log", "r");
    if (!log || fscanf(log, "%31s %u", name, &p->n_calls[sender]) != 2) fault_fail("counting", "no sends");
    if (log) fclose(log);
    fault_remove("r");
    printf("rank %u sends %u frames\n", sender, p->n_calls[sender]);
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) return 2;
    plan p = {argv[1], argv[2], "3", {0}};
    unsigned first = argc == 4 ? (unsigned)atoi(argv[3]) : 0;
    unsigned end = argc == 4 ? first + 1 : N_HOWS * N_SENDERS * MAX_CALLS;
    fault_enter_folder("send");
    fault_write_manifest("send.yaml", "send", N_JOBS, 4, 4);
    fault_write_config("quick.yaml");
    if (mkdir("first", 0777) != 0 || chdir("first") != 0) return 2;
    for (unsigned sender = 0; sender < N_SENDERS; sender++) count_sends(&p, sender);
    if (argc == 3) expect_one_answer(&p);
    if (argc == 3) expect_roster_on_record(&p);
    if (chdir("..") != 0) return 2;
    if (fault_failures() == 0) fault_in_lanes(argc == 4 ? 1 : 3, first, end, run_case, &p);
    printf("%u failures\n", fault_failures());
    return fault_failures() != 0;
}
