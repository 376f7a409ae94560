/* `proverun simulate`: runs under simulated time, one line for each number of ranks. */
#include "app/app.h"
#include "simulate/simulate.h"
#include "store/store.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_MOST_NS ((uint64_t)1000000000000000) /* of a job that was: eleven days */
enum { MAX_SIZES = 32, FIRST_NUMBER = 256, FIRST_REAL = 512 };

/* Options that are a whole number of a unit. */
static const struct number {
    const char *name;
    size_t offset;
    uint64_t unit, min, max;
    bool is_u32;
} numbers[] = {
#define U64(name_, field_, unit_, min_, max_)                                                                          \
    { name_, offsetof(pr_simulation_options, field_), unit_, min_, max_, false }
#define U32(name_, field_, min_, max_)                                                                                 \
    { name_, offsetof(pr_simulation_options, field_), 1, min_, max_, true }
    U64("seed", seed, 1, 0, UINT64_MAX),
    U32("jobs", n_jobs, 1, 100000000),
    U32("jobs-per-rank", jobs_per_rank, 1, 100000),
    U32("ranks-per-node", ranks_per_node, 1, 4096),
    U64("message-us", message_ns, 1000, 0, 1000000),
    U64("record-us", record_ns, 1000, 0, 1000000),
    U64("byte-ps", byte_ps, 1, 0, 1000000),
    U64("sync-us", sync_ns, 1000, 0, 10000000),
    U64("group-ms", group_ns, 1000000, 0, 60000),
    U64("step-ps", step_ps, 1, 0, 1000000),
    U64("latency-us", latency_ns, 1000, 0, 10000000),
    U64("heartbeat-ms", heartbeat_ns, 1000000, 0, 600000),
    U64("verify-ms", verify_ns, 1000000, 0, 600000),
    U64("behind-ms", behind_ns, 1000000, 0, 600000),
    U32("proof-bytes", proof_bytes, 0, 100000000),
    U64("node-gib", node_bytes, (uint64_t)1 << 30, 1, 65536),
#undef U64
#undef U32
};
enum { N_NUMBERS = sizeof numbers / sizeof *numbers };

static const struct real {
    const char *name;
    size_t offset;
    double max;
} reals[] = {
    {"lost-per-hour", offsetof(pr_simulation_options, lost_per_hour), 1000},
    {"silent-per-hour", offsetof(pr_simulation_options, silent_per_hour), 1000},
    {"slow-share", offsetof(pr_simulation_options, slow_share), 1},
    {"slow-factor", offsetof(pr_simulation_options, slow_factor), 1000},
    {"crash-share", offsetof(pr_simulation_options, crash_share), 1},
};
enum { N_REALS = sizeof reals / sizeof *reals };

typedef struct request {
    pr_simulation_options o;
    uint32_t sizes[MAX_SIZES];
    size_t n_sizes;
    bool json, has_proof_bytes, has_verify;
    const char *times;       /* results file, NULL: the mix */
    pr_simulation_job *jobs; /* what o.given borrows */
} request;

static pr_status set_number(request *q, const struct number *n, const char *text, pr_error *err) {
    uint64_t v;
    char option[40];
    snprintf(option, sizeof option, "--%s", n->name);
    PR_TRY(pr_app_number(&v, option, text, n->min, n->max, err));
    char *at = (char *)&q->o + n->offset;
    q->has_proof_bytes |= n->offset == offsetof(pr_simulation_options, proof_bytes);
    q->has_verify |= n->offset == offsetof(pr_simulation_options, verify_ns);
    uint32_t small = (uint32_t)v;
    v *= n->unit;
    if (n->is_u32)
        memcpy(at, &small, sizeof small);
    else
        memcpy(at, &v, sizeof v);
    return PR_OK;
}

static pr_status set_real(request *q, const struct real *r, const char *text, pr_error *err) {
    char *end = NULL;
    errno = 0;
    double v = strtod(text, &end);
    if (end == text || *end || errno || !(v >= 0 && v <= r->max))
        return pr_fail(err, PR_ERR_USAGE, "--%s: '%s' is not a number from 0 to %g", r->name, text, r->max);
    memcpy((char *)&q->o + r->offset, &v, sizeof v);
    return PR_OK;
}

static pr_status set_ranks(request *q, const char *text, pr_error *err) {
    for (q->n_sizes = 0; q->n_sizes < MAX_SIZES; text++) {
        char item[24];
        uint64_t v;
        size_t n = strcspn(text, ",");
        snprintf(item, sizeof item, "%.*s", n < 20 ? (int)n : 20, text);
        PR_TRY(pr_app_number(&v, "--ranks", item, 1, 1000000, err));
        q->sizes[q->n_sizes++] = (uint32_t)v;
        text += n;
        if (!*text) return PR_OK;
    }
    return pr_fail(err, PR_ERR_USAGE, "--ranks: %d numbers at most", MAX_SIZES);
}

static pr_status set_mix(request *q, const char *text, pr_error *err) {
    for (int mix = PR_MIX_SMALL; mix <= PR_MIX_HEAVY; mix++)
        if (!strcmp(text, pr_mix_name((pr_mix)mix))) return q->o.mix = (pr_mix)mix, PR_OK;
    return pr_fail(err, PR_ERR_USAGE, "--mix: no mix '%s'; allowed: small, mixed, heavy", text);
}

/* Of whatever a file holds. */
static uint64_t ns_of(double ms) { return ms > 0 && ms < 1e9 ? (uint64_t)(ms * 1e6) : 0; }

/* Jobs that were proven, as long as they took on their rank, with the run's estimates; the means of the rest. */
static pr_status take_jobs(request *q, const pr_results *r, pr_error *err) {
    double bytes = 0, verify_ns = 0;
    size_t n = pr_results_n_jobs(r);
    q->jobs = calloc(n ? n : 1, sizeof *q->jobs);
    if (!q->jobs) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu jobs", n);
    for (size_t i = 0; i < n && q->o.n_given < 100000000; i++) {
        const pr_job_row *row = pr_results_job(r, i);
        const uint64_t ns = row->finished_ns - row->started_ns, size = row->proof_compressed_bytes;
        if (size == 0 || size > PR_RECORD_MAX_PROOF || ns == 0 || ns > PR_MOST_NS) continue;
        q->jobs[q->o.n_given++] = (pr_simulation_job){ns, ns_of(row->expected_ms), row->predicted_bytes};
        bytes += (double)size;
        verify_ns += (double)ns_of(row->self_verify_ms);
    }
    if (!q->o.n_given) return pr_fail(err, PR_ERR_USAGE, "%s: no job was proven", q->times);
    if (!q->has_proof_bytes) q->o.proof_bytes = (uint32_t)(bytes / q->o.n_given);
    if (!q->has_verify) q->o.verify_ns = (uint64_t)(verify_ns / q->o.n_given);
    q->o.given = q->jobs;
    return PR_OK;
}

static pr_status read_times(request *q, pr_error *err) {
    pr_results *r = NULL;
    PR_TRY(pr_results_probe(q->times, err));
    PR_TRY(pr_results_open(&r, q->times, err));
    pr_status status = take_jobs(q, r, err);
    pr_results_close(r);
    return status;
}

static pr_status set_option(request *q, int o, pr_error *err) {
    if (o >= FIRST_REAL) return set_real(q, &reals[o - FIRST_REAL], optarg, err);
    if (o >= FIRST_NUMBER) return set_number(q, &numbers[o - FIRST_NUMBER], optarg, err);
    switch (o) {
    case 'r':
        return set_ranks(q, optarg, err);
    case 'm':
        return set_mix(q, optarg, err);
    case 't':
        q->times = optarg;
        return PR_OK;
    case 'c':
        q->o.coordinator_only = true;
        return PR_OK;
    case 's':
        q->o.shards = true;
        return PR_OK;
    case 'e':
        q->o.oracle = true;
        return PR_OK;
    case 'j':
        q->json = true;
        return PR_OK;
    default:
        return PR_ERR_USAGE; /* err is filled */
    }
}

static pr_status read_options(request *q, int argc, char **argv, pr_error *err) {
    struct option options[7 + N_NUMBERS + N_REALS + 1] = {{"ranks", 1, 0, 'r'},
                                                          {"mix", 1, 0, 'm'},
                                                          {"times", 1, 0, 't'},
                                                          {"json", 0, 0, 'j'},
                                                          {"coordinator-only", 0, 0, 'c'},
                                                          {"shards", 0, 0, 's'},
                                                          {"exact-estimates", 0, 0, 'e'}};
    size_t n = 7;
    for (int k = 0; k < N_NUMBERS; k++) options[n++] = (struct option){numbers[k].name, 1, 0, FIRST_NUMBER + k};
    for (int k = 0; k < N_REALS; k++) options[n++] = (struct option){reals[k].name, 1, 0, FIRST_REAL + k};
    int o;
    optind = 0;
    while ((o = pr_app_option(argc, argv, ":", options, err)) != -1) PR_TRY(set_option(q, o, err));
    if (optind != argc) return pr_fail(err, PR_ERR_USAGE, "simulate takes options alone; see proverun simulate --help");
    return q->times ? read_times(q, err) : PR_OK;
}

static const char *jobs_of(const request *q) { return q->times ? q->times : pr_mix_name(q->o.mix); }

static void print_head(const request *q) {
    const pr_simulation_options *o = &q->o;
    printf(
        "%s %s, seed %llu, %u ranks a node, message %.1f us, record %.0f us, %.1f ns a byte, sync %.1f ms every %.0f "
        "ms%s%s\n",
        q->times ? "times of" : "mix", jobs_of(q), (unsigned long long)o->seed, o->ranks_per_node,
        (double)o->message_ns / 1e3, (double)o->record_ns / 1e3, (double)o->byte_ps / 1e3, (double)o->sync_ns / 1e6,
        (double)o->group_ns / 1e6, o->shards ? ", proofs in shards of their nodes" : "",
        o->coordinator_only ? ", rank 0 only coordinates" : "");
    printf("%7s %9s %6s %6s %10s %10s %6s %6s %6s %7s %9s %8s %5s %6s\n", "ranks", "jobs", "failed", "left", "makespan",
           "bound", "x", "effic.", "busy", "rank 0", "wait 99%", "jobs/s", "lost", "second");
}

static void print_row(uint32_t ranks, const pr_simulation_result *r) {
    double s = (double)r->makespan_ns / 1e9, bound = (double)r->bound_ns / 1e9;
    printf("%7u %9u %6u %6u %9.1fs %9.1fs %6.2f %5.1f%% %5.1f%% %6.1f%% %7.1fms %8.1f %5llu %6llu\n", ranks, r->n_jobs,
           r->n_failed, r->n_left, s, bound, bound > 0 ? s / bound : 0, 100 * r->efficiency, 100 * r->busy,
           100 * r->load, (double)r->wait_ns / 1e6, s > 0 ? r->n_done / s : 0, (unsigned long long)r->n_lost,
           (unsigned long long)r->n_second);
}

static void print_json(const request *q, const pr_simulation_result *r) {
    const pr_simulation_options *o = &q->o;
    printf(
        "{\"ranks\":%u,\"mix\":\"%s\",\"seed\":%llu,\"shards\":%s,\"jobs\":%u,\"done\":%u,\"failed\":%u,\"left\":%u,",
        o->n_ranks, q->times ? "times" : pr_mix_name(o->mix), (unsigned long long)o->seed, o->shards ? "true" : "false",
        r->n_jobs, r->n_done, r->n_failed, r->n_left);
    printf("\"makespan_s\":%.3f,\"bound_s\":%.3f,\"efficiency\":%.4f,\"busy\":%.4f,\"rank0_load\":%.4f,\"wait_p99_ms\":"
           "%.3f,",
           (double)r->makespan_ns / 1e9, (double)r->bound_ns / 1e9, r->efficiency, r->busy, r->load,
           (double)r->wait_ns / 1e6);
    printf(
        "\"messages\":%llu,\"syncs\":%llu,\"attempts\":%llu,\"crashes\":%llu,\"lost_ranks\":%llu,\"silent_ranks\":%llu,"
        "\"second_attempts\":%llu,\"second_answers\":%llu,\"scheduler_steps\":%llu}\n",
        (unsigned long long)r->n_messages, (unsigned long long)r->n_syncs, (unsigned long long)r->n_attempts,
        (unsigned long long)r->n_crashes, (unsigned long long)r->n_lost, (unsigned long long)r->n_silent,
        (unsigned long long)r->n_second, (unsigned long long)r->n_equal, (unsigned long long)r->n_steps);
}

static pr_status print_all(request *q, pr_error *err) {
    if (!q->json) print_head(q);
    for (size_t k = 0; k < q->n_sizes; k++) {
        pr_simulation_result r;
        q->o.n_ranks = q->sizes[k];
        PR_TRY(pr_simulate(&r, &q->o, err));
        if (q->json)
            print_json(q, &r);
        else
            print_row(q->sizes[k], &r);
        fflush(stdout);
    }
    return PR_OK;
}

int pr_app_simulate(int argc, char **argv) {
    request q = {.o = pr_simulation_defaults(), .sizes = {8, 64, 512, 4096, 10000}, .n_sizes = 5};
    pr_error err = {0};
    pr_status status = read_options(&q, argc, argv, &err);
    if (status == PR_OK) status = print_all(&q, &err);
    free(q.jobs);
    return status == PR_OK ? pr_app_flush(0) : pr_app_fail(&err);
}
