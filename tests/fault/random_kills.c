/* Batches under mpirun in which one process after another is killed at random times: a prover child, a rank, mpirun
 * itself. After each end the run is resumed, until the batch is complete. Then everything that was announced is there,
 * once, and every proof is good.
 *   random_kills PROVERUN          25 batches; PROVERUN_TEST_LONG: 1,000
 *   random_kills PROVERUN BATCH    one of them, again: with PROVERUN_SEED as it was printed */
#include "../base/seed.h"
#include "support.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_JOBS 24u
#define RANKS "3"
#define MAX_ROUNDS 40u /* of one batch; a kill in every round leaves some work done */
#define MAX_KILLS 4u   /* of one batch: then it is left alone */
#define SPAN_MS 420u   /* a whole run takes about as long */
#define GONE_MS 60000u /* ranks notice within a second or two that mpirun is gone */
#define LONELY_MS 5000u
#define RUN_LIMIT_S 240u /* kills do not make it hang */

typedef struct batch {
    const char *program;
    uint64_t seed;
    unsigned n_kills, n_rounds, n_late; /* n_late: rounds in which the machine was too busy for the limits of time */
    char label[64];
    pr_prng prng;
    fault_seen seen;
} batch;

typedef struct victims { /* of one run */
    pid_t all[64];
    unsigned n;
} victims;

static void sleep_ms(unsigned ms) {
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* 0: mpirun, 1: a rank, 2: a prover child. */
static unsigned class_of(pid_t pid, pid_t mpirun) { return pid == mpirun ? 0 : fault_parent(pid) == mpirun ? 1 : 2; }

/* A class first, so that mpirun gets its turn among the many; 0: nobody of that class is there now. */
static pid_t choose(batch *b, const victims *v, pid_t mpirun) {
    pid_t of_class[64];
    unsigned n = 0, class = pr_prng_below(&b->prng, 3);
    for (unsigned i = 0; i < v->n; i++)
        if (class_of(v->all[i], mpirun) == class) of_class[n++] = v->all[i];
    return n ? of_class[pr_prng_below(&b->prng, n)] : 0;
}

static bool is_over(const fault_run *r) { return !fault_is_alive(r->pid); }

static void await_gone(const victims *v, const char *label) {
    for (unsigned i = 0; i < v->n; i++) {
        unsigned waited = 0;
        for (; fault_is_alive(v->all[i]) && waited < GONE_MS; waited += 10) sleep_ms(10);
        if (waited >= GONE_MS) {
            fault_fail(label, "a process outlived its run by %u s", GONE_MS / 1000);
            kill(v->all[i], SIGKILL);
        }
    }
}

/* A rank that is killed before it has spoken to mpirun leaves mpirun waiting for ever, alone (Open MPI 4.1.4): that is
 * not ours to mend, and a user would end it as is done here. */
static void end_lonely_launcher(const fault_run *r) {
    victims v;
    unsigned alone_ms = 0, waited_ms = 0;
    while (!is_over(r) && alone_ms < LONELY_MS && waited_ms < RUN_LIMIT_S * 1000) {
        v.n = fault_processes(v.all, 64, r->pid);
        alone_ms = v.n == 1 ? alone_ms + 20 : 0;
        waited_ms += 20;
        sleep_ms(20);
    }
    if (alone_ms < LONELY_MS || is_over(r)) return;
    printf("mpirun, without ranks, does not end: it is killed\n");
    kill(r->pid, SIGKILL);
}

/* A rank came too late, or was taken for lost, though nothing was killed. */
static bool was_late(const fault_run *r, int code) {
    return fault_file_has(r->err, "--start-limit") || fault_file_has(r->err, "has not come in time") ||
           (code == 75 && fault_file_has(r->err, "been silent"));
}

/* One start of the program. On a busy machine the next one has more time. */
static void round_of(batch *b) {
    char silent_after[16], lost_after[16], start_limit[16];
    const unsigned patience = 1 + b->n_late;
    snprintf(silent_after, sizeof silent_after, "%us", 2 * patience);
    snprintf(lost_after, sizeof lost_after, "%us", 4 * patience);
    snprintf(start_limit, sizeof start_limit, "%us", 5 * patience);
    const char *words[] = {"mpirun",
                           "-n",
                           RANKS,
                           b->program,
                           "run",
                           "../kill.yaml",
                           "--results",
                           "r",
                           "--threads",
                           "1",
                           "--silent-after",
                           silent_after,
                           "--lost-after",
                           lost_after,
                           "--start-limit",
                           start_limit,
                           NULL,
                           NULL};
    const char *recovery[] = {"OMPI_MCA_orte_enable_recovery=1", NULL};
    fault_run r;
    victims seen = {.n = 0};
    unsigned kills_before = b->n_kills;
    char path[256];
    if (fault_find(path, sizeof path, "r", ".journal")) words[sizeof words / sizeof *words - 2] = "--resume";
    fault_start(&r, words, pr_prng_below(&b->prng, 3) ? NULL : recovery);
    while (b->n_kills < MAX_KILLS && !is_over(&r)) {
        sleep_ms(1 + pr_prng_below(&b->prng, SPAN_MS));
        victims now;
        now.n = fault_processes(now.all, 64, r.pid);
        if (now.n) seen = now;
        pid_t victim = choose(b, &now, r.pid);
        if (!victim || kill(victim, SIGKILL) != 0) continue;
        b->n_kills++;
    }
    end_lonely_launcher(&r);
    int code = fault_finish(&r, RUN_LIMIT_S, b->label);
    await_gone(&seen, b->label);
    fault_note_announced(&b->seen, &r);
    if (b->n_kills > kills_before || code == 0) return;
    b->n_late++;
    if (was_late(&r, code)) return;
    fault_fail(b->label, "exit code %d though nothing was killed", code);
    fault_print_end(r.err);
}

static void run_until_complete(batch *b) {
    char path[256];
    bool complete = false;
    while (!complete && b->n_rounds < MAX_ROUNDS) {
        b->n_rounds++;
        round_of(b);
        if (!fault_find(path, sizeof path, "r", ".journal")) continue; /* killed before it began */
        memcpy(strrchr(path, '.'), ".h5", 4);
        fault_check_kept(path, &b->seen, b->label);
        complete = fault_file_has("err", "complete: 24 of 24 jobs done");
    }
    if (complete) {
        fault_check_complete(b->program, path, N_JOBS, b->label);
        return;
    }
    fault_fail(b->label, "not complete after %u starts", b->n_rounds);
    fault_print_end("err");
}

static void run_batch(void *context, unsigned number) {
    batch b = *(const batch *)context;
    unsigned before = fault_failures();
    b.prng.state = b.seed + number * 1000003u;
    snprintf(b.label, sizeof b.label, "batch %u", number);
    run_until_complete(&b);
    printf("batch %u: %u starts, %u kills\n", number, b.n_rounds, b.n_kills);
    fault_put_away("r", before, b.label);
}

int main(int argc, char **argv) {
    batch b = {0};
    if (argc < 2 || argc > 3) return 2;
    b.program = argv[1];
    b.seed = test_seed().state;
    unsigned first = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
    unsigned end = argc == 3 ? first + 1 : fault_is_long() ? 1000 : 25;
    fault_enter_folder("kills");
    fault_write_manifest("kill.yaml", "kill", N_JOBS, 10, 20);
    fault_in_lanes(argc == 3 ? 1 : 2, first, end, run_batch, &b);
    printf("%u failures\n", fault_failures());
    return fault_failures() != 0;
}
