/* Runs seeds of the simulator (sim.h says what it does).
 *   sim [--from N] [--seeds N] [--sabotage send-before-write|lose-written]   N seeds from the first one on
 *   sim --seed N [--trace]                                                   one, told event by event
 * PROVERUN_TEST_LONG: a million seeds where no number is given. Exit 0: all promises kept; 1: a seed failed, which is
 * printed with the command that replays it. */
#include "sim.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void sim_fail(sim *s, const char *format, ...) {
    if (s->failure[0]) return; /* the first one is the cause */
    va_list args;
    va_start(args, format);
    (void)vsnprintf(s->failure, sizeof s->failure, format, args);
    va_end(args);
}

void sim_say(const sim *s, const char *format, ...) {
    if (!s->trace) return;
    va_list args;
    va_start(args, format);
    printf("%6llu ms  ", (unsigned long long)s->now);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

static void trace_event(const sim *s, const sim_event *event) {
    static const char *const names[] = {"deliver", "timer", "verified", "flush",  "crash",
                                        "return",  "lie",   "schedule", "session"};
    if (event->kind == SIM_DELIVER)
        sim_say(s, "%u -> %u: %s%s", event->from, event->node,
                pr_message_kind_name((pr_message_kind)pr_message_peek(event->data, event->size)),
                s->nodes[event->node].c ? "" : ", which is down");
    else if (event->kind != SIM_SCHEDULE && event->kind != SIM_SESSION)
        sim_say(s, "node %u: %s %llu", event->node, names[event->kind], (unsigned long long)event->timer);
}

/* Whoever is left says its root again, for those who did not have theirs yet. */
static void finish(sim *s, uint64_t *next_batch, uint32_t *batches) {
    if (s->now < *next_batch || !sim_is_healed(s) || !sim_jobs_are_done(s)) return;
    sim_jobs_sign_batch(s);
    *next_batch = s->now + 50;
    if (++*batches == 3) s->end = s->now + 100;
}

static void describe(const sim *s) {
    printf("seed %llu: %u nodes, committees of %u, %u sessions, %u jobs, liars:", (unsigned long long)s->seed, s->n,
           s->terms.committee_size, s->session + 1, s->n_jobs);
    for (uint32_t i = 0; i < s->n; i++)
        if (s->nodes[i].faulty) printf(" %u", i);
    printf("; heals at %llu ms; %llu events, %llu messages, %llu crashes, %llu lies, %llu removals, %llu views\n",
           (unsigned long long)s->healed_at, (unsigned long long)s->n_events, (unsigned long long)s->messages,
           (unsigned long long)s->crashes, (unsigned long long)s->lies, (unsigned long long)s->removals,
           (unsigned long long)s->views);
}

bool sim_run(sim *s, uint64_t seed) {
    s->seed = seed;
    s->random.state = seed;
    (void)pr_prng_next(&s->random);
    sim_world_begin(s);
    uint64_t next_batch = 0;
    uint32_t batches = 0;
    while (!s->failure[0]) {
        sim_event *event = sim_queue_take(&s->queue);
        s->now = event->at;
        bool over = s->now > s->end;
        if (!over) {
            if (s->trace) trace_event(s, event);
            sim_world_handle(s, event);
            if (++s->n_events % 64 == 0) sim_check_memory(s);
            if (s->n_events % 64 == 0) sim_check_rounds(s);
            finish(s, &next_batch, &batches);
        }
        free(event);
        if (over) break;
    }
    if (!s->failure[0] && batches < 3) sim_fail(s, "an honest proof is not approved %d s after the network healed", 20);
    if (!s->failure[0]) sim_check_end(s);
    bool good = !s->failure[0];
    if (!good || s->trace) describe(s);
    if (!good) printf("FAILED: %s\nreplay: sim --seed %llu --trace\n", s->failure, (unsigned long long)seed);
    sim_world_end(s);
    return good;
}

typedef struct options {
    uint64_t from, n;
    bool trace;
    sim_sabotage sabotage;
} options;

static bool parse(options *o, int argc, char **argv) {
    *o = (options){.from = 1, .n = getenv("PROVERUN_TEST_LONG") ? 1000000 : 2000};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--trace") == 0) {
            o->trace = true;
            continue;
        }
        if (strcmp(argv[i], "--seed") == 0)
            o->from = strtoull(value, NULL, 10), o->n = 1;
        else if (strcmp(argv[i], "--from") == 0)
            o->from = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--seeds") == 0)
            o->n = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--sabotage") == 0)
            o->sabotage = strcmp(value, "lose-written") == 0 ? SIM_LOSE_WRITTEN : SIM_SEND_BEFORE_WRITE;
        else
            return false;
        i++;
    }
    return true;
}

int main(int argc, char **argv) {
    options o;
    if (!parse(&o, argc, argv)) {
        fprintf(stderr, "usage: sim [--from N] [--seeds N] [--seed N [--trace]] [--sabotage NAME]\n");
        return 2;
    }
    sim *s = malloc(sizeof *s);
    sim_signed *said = malloc(SIM_SIGNED * sizeof *said);
    PR_ASSERT(s && said);
    bool good = true;
    uint64_t done = 0, events = 0, sessions = 0, small = 0, conflicts = 0, jobs = 0, twofold = 0;
    clock_t begin = clock();
    for (; done < o.n && good; done++) {
        memset(said, 0, SIM_SIGNED * sizeof *said);
        *s = (sim){.trace = o.trace, .sabotage = o.sabotage, .said = said};
        good = sim_run(s, o.from + done);
        events += s->n_events;
        sessions += s->session > 0;
        small += s->terms.committee_size + 1 < s->n;
        conflicts += s->conflicts > 0;
        jobs += s->n_jobs;
        for (uint32_t j = 0; j < s->n_jobs; j++) twofold += s->jobs[j].twofold;
    }
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    printf("%llu seeds with several sessions, %llu with small committees\n", (unsigned long long)sessions,
           (unsigned long long)small);
    printf("%llu of %llu jobs need not be approved, %llu seeds with two proofs of a job where that may be\n",
           (unsigned long long)twofold, (unsigned long long)jobs, (unsigned long long)conflicts);
    printf("%llu seeds, %llu events, %.1f s of CPU time, %.0f seeds/s\n", (unsigned long long)done,
           (unsigned long long)events, seconds, (double)done / (seconds > 0 ? seconds : 1));
    free(said);
    free(s);
    return good ? 0 : 1;
}
