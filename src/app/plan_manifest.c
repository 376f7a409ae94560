/* `proverun plan` of a manifest: a line for each job, then what all of them take. Inputs are read and AIRs built, as
 * the ranks will do, one job after the other; nothing is proven. */
#include "app/plan.h"
#include "app/run_options.h"
#include "base/cpu.h"
#include "cluster/forecast.h"
#include "cluster/startup.h"
#include "job/job.h"
#include "manifest/stakes.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job_plan {
    uint32_t log_rows, n_constraints;
    uint64_t n_columns, cells, memory_bytes, device_bytes, expected_ns, max_proof_bytes, public_bytes;
    pr_proof_cost proof;
    pr_security security;
    pr_hash air;
} job_plan;

typedef struct air_root {
    pr_hash air;
    uint64_t root_ns;
} air_root;

typedef struct planning {
    const plan_options *o;
    pr_manifest manifest;
    unsigned n_threads; /* of a rank */
    pr_forecast forecast;
    pr_forecast_job *jobs; /* [n_jobs] */
    air_root *roots;       /* [n_planned] */
    size_t n_planned, n_insecure;
    uint64_t memory_bytes, device_bytes, prove_ns; /* the most of a job; of all jobs */
    uint32_t largest;                              /* the job with memory_bytes */
    pr_forecast_end end;
} planning;

/* ---- one job ---- */

static void take_layout(job_plan *p, const planning *g, const pr_job *job) {
    pr_job_size size = pr_job_size_of_layout(&job->layout);
    pr_proof_shape shape = pr_proof_shape_of_layout(&job->layout);
    double ns = pr_costs_time_ns(&g->o->costs, &size, &job->statement.config, g->n_threads);
    p->log_rows = job->layout.log_max_rows;
    p->n_constraints = job->layout.n_constraints;
    p->n_columns = size.n_columns;
    p->cells = size.cells;
    p->expected_ns = (uint64_t)ns;
    p->max_proof_bytes = pr_proof_max_bytes(&job->layout);
    p->public_bytes = job->public_data.size;
    p->proof = pr_proof_cost_of(&shape, &g->o->costs.verify);
    p->security = job->layout.security;
    p->air = job->air_digest;
}

static pr_status take_memory(job_plan *p, const planning *g, const pr_manifest_job *m, const pr_job *job,
                             pr_error *err) {
    pr_prover_options options = g->o->prover;
    pr_plan plan;
    options.n_threads = g->n_threads;
    if (options.backend->min_window_bytes) options.air_digest = &job->air_digest; /* as work/line has it */
    PR_TRY(pr_prover_plan(&plan, &job->layout, &options, err));
    p->memory_bytes = plan.total_bytes + pr_job_instance_bytes(m->type, &m->params, &job->layout);
    p->device_bytes = plan.device_bytes;
    return PR_OK;
}

static pr_status plan_job(job_plan *p, const planning *g, const pr_manifest_job *m, pr_error *err) {
    pr_job *job = NULL;
    *p = (job_plan){0};
    PR_TRY(pr_job_create(&job, m->type, &m->params, &m->config, err));
    take_layout(p, g, job);
    pr_status status = take_memory(p, g, m, job, err);
    pr_job_destroy(job);
    return status;
}

static void add_job(planning *g, const pr_manifest_job *m, const job_plan *p) {
    uint32_t index = (uint32_t)(m - g->manifest.jobs);
    pr_forecast_add(&g->forecast, &p->proof, p->public_bytes);
    g->jobs[index] = (pr_forecast_job){.expected_ns = p->expected_ns, .verify_ns = p->proof.verify_ns};
    g->roots[g->n_planned++] = (air_root){p->air, p->proof.root_ns};
    g->n_insecure += p->security.insecure;
    g->prove_ns += p->expected_ns;
    if (p->memory_bytes > g->memory_bytes) {
        g->memory_bytes = p->memory_bytes;
        g->largest = index;
    }
    if (p->device_bytes > g->device_bytes) g->device_bytes = p->device_bytes;
}

/* ---- a line for each job ---- */

static double mebibytes(uint64_t bytes) { return (double)bytes / 1048576; }
static double kibibytes(uint64_t bytes) { return (double)bytes / 1024; }
static double milliseconds(uint64_t ns) { return (double)ns / 1e6; }

static uint64_t sent_bytes(const planning *g, const job_plan *p) {
    return g->forecast.committee * (p->proof.bytes + p->public_bytes);
}

static void print_head(void) {
    printf("%-24s %-16s %5s %7s %9s %10s %10s %10s %6s %10s\n", "id", "type", "log n", "columns", "MiB", "prove ms",
           "proof KiB", "verify ms", "voters", "sent KiB");
}

static void print_job(const planning *g, const pr_manifest_job *m, const job_plan *p) {
    char time[24] = "?";
    if (!g->o->prover.backend->is_device) snprintf(time, sizeof time, "%.1f", milliseconds(p->expected_ns));
    printf("%-24s %-16s %5u %7" PRIu64 " %9.1f %10s %10.1f %10.2f %6u %10.1f%s\n", m->id, m->type->name, p->log_rows,
           p->n_columns, mebibytes(p->memory_bytes), time, kibibytes(p->proof.bytes), milliseconds(p->proof.verify_ns),
           g->forecast.committee, kibibytes(sent_bytes(g, p)), p->security.insecure ? "  insecure parameters" : "");
}

static void print_name_json(const pr_manifest_job *m) {
    printf("{\"id\":");
    pr_app_print_json_text(m->id);
    printf(",\"type\":\"%s\",\"profile\":\"%s\",", m->type->name, m->profile);
}

static void print_job_json(const planning *g, const pr_manifest_job *m, const job_plan *p) {
    print_name_json(m);
    printf("\"log_rows\":%u,\"columns\":%" PRIu64 ",\"cells\":%" PRIu64 ",\"constraints\":%u,\"memory_bytes\":%" PRIu64
           ",\"device_bytes\":%" PRIu64 ",\"expected_ms\":",
           p->log_rows, p->n_columns, p->cells, p->n_constraints, p->memory_bytes, p->device_bytes);
    if (g->o->prover.backend->is_device)
        printf("null");
    else
        printf("%.3f", milliseconds(p->expected_ns));
    printf(",\"expected_proof_bytes\":%" PRIu64 ",\"max_proof_bytes\":%" PRIu64 ",\"public_bytes\":%" PRIu64
           ",\"voters\":%u,\"verify_ms\":%.3f,\"first_verify_ms\":%.3f,\"sent_bytes\":%" PRIu64
           ",\"conjectured_bits\":%.1f,\"proven_bits\":%.1f,\"insecure_parameters\":%s}\n",
           p->proof.bytes, p->max_proof_bytes, p->public_bytes, g->forecast.committee, milliseconds(p->proof.verify_ns),
           milliseconds(p->proof.verify_ns + p->proof.root_ns), sent_bytes(g, p), p->security.conjectured_bits,
           p->security.proven_bits, p->security.insecure ? "true" : "false");
}

/* In its place among the others, and on standard error with the place in the manifest. */
static void print_failure(const planning *g, const pr_manifest_job *m, const pr_error *err) {
    pr_error placed = {0};
    (void)pr_fail_at(&placed, err->status, g->manifest.path, m->line, m->column, "job `%s`: %s", m->id, err->text);
    fprintf(stderr, "%s\n", placed.text);
    if (!g->o->json) {
        printf("%-24s %-16s cannot be planned\n", m->id, m->type->name);
        return;
    }
    print_name_json(m);
    printf("\"error\":");
    pr_app_print_json_text(placed.text);
    printf("}\n");
}

static void plan_jobs(planning *g) {
    if (!g->o->json) print_head();
    for (size_t i = 0; i < g->manifest.n_jobs; i++) {
        const pr_manifest_job *m = &g->manifest.jobs[i];
        job_plan p;
        pr_error err = {0};
        if (plan_job(&p, g, m, &err) != PR_OK) {
            g->jobs[i].fails = true;
            print_failure(g, m, &err);
            continue;
        }
        add_job(g, m, &p);
        (g->o->json ? print_job_json : print_job)(g, m, &p);
        fflush(stdout);
    }
}

/* ---- all of them ---- */

static int by_air(const void *a, const void *b) {
    return memcmp(&((const air_root *)a)->air, &((const air_root *)b)->air, sizeof(pr_hash));
}

/* Jobs with one AIR have one preprocessed root, which a rank keeps. */
static void add_roots(planning *g) {
    if (g->n_planned) qsort(g->roots, g->n_planned, sizeof *g->roots, by_air);
    for (size_t i = 0; i < g->n_planned; i++)
        if (i == 0 || by_air(&g->roots[i], &g->roots[i - 1]) != 0)
            pr_forecast_add_root(&g->forecast, g->roots[i].root_ns);
}

static void print_total_json(const planning *g) {
    const pr_forecast *f = &g->forecast;
    const char *stake = g->o->votes.stake_file;
    printf("{\"total\":true,\"jobs\":%zu,\"planned\":%zu,\"never_run\":%u,\"insecure\":%zu,\"ranks\":%u,\"threads\":%u,"
           "\"outcome\":\"%s\",\"committee\":%u,\"stake\":",
           g->manifest.n_jobs, g->n_planned, g->end.n_never_run, g->n_insecure, f->n_ranks, g->n_threads,
           pr_forecast_outcome(f), f->committee);
    pr_app_print_json_text(stake[0] ? stake : "equal");
    if (stake[0] || f->committee == 0)
        printf(",\"quorum\":null");
    else
        printf(",\"quorum\":%u", pr_forecast_quorum(f));
    if (g->o->prover.backend->is_device)
        printf(",\"expected_s\":null,\"proving_s\":null");
    else
        printf(",\"expected_s\":%.6f,\"proving_s\":%.6f", (double)g->end.ns / 1e9, (double)g->prove_ns / 1e9);
    printf(",\"verification_s\":%.6f,\"roots_s\":%.6f,\"rank_memory_bytes\":%" PRIu64 ",\"rank_device_bytes\":%" PRIu64
           ",\"proof_bytes\":%" PRIu64 ",\"sent_bytes\":%" PRIu64 ",\"calibrated\":%s,\"expected_from\":",
           f->verify_ns / 1e9, f->root_ns / 1e9, g->memory_bytes, g->device_bytes, f->proof_bytes, f->sent_bytes,
           g->o->origin.is_calibrated ? "true" : "false");
    pr_app_print_json_text(g->o->origin.text);
    printf("}\n");
}

static void print_votes(const planning *g) {
    char text[512];
    pr_forecast_describe(text, sizeof text, &g->forecast);
    printf("%s\n", text);
    if (g->forecast.committee == 0) return;
    if (g->o->votes.stake_file[0])
        printf("approval takes more than two thirds of a committee's stake (%s)\n", g->o->votes.stake_file);
    else
        printf("approval takes %u votes, stakes being equal\n", pr_forecast_quorum(&g->forecast));
}

static void print_total(const planning *g) {
    printf("\n%zu of %zu jobs planned", g->n_planned, g->manifest.n_jobs);
    if (g->end.n_never_run)
        printf("; %u of them cannot run: they come after one that cannot, or miss their deadline", g->end.n_never_run);
    if (g->n_insecure) printf("; %zu with insecure parameters (less than 96 bits)", g->n_insecure);
    printf("\n");
    if (g->n_planned == 0) return;
    unsigned here = pr_cpu_count(), wanted = g->forecast.n_ranks * g->n_threads;
    printf("%u rank%s of %u thread%s", g->forecast.n_ranks, g->forecast.n_ranks == 1 ? "" : "s", g->n_threads,
           g->n_threads == 1 ? "" : "s");
    if (wanted > here) printf(", each on a processor of its own (here are %u)", here);
    printf(": ");
    if (g->o->prover.backend->is_device)
        printf("nothing is known of the time on %s\n", g->o->prover.backend->name);
    else
        printf("about %.3g s, verification included (proving: %.3g s of a rank)\n", (double)g->end.ns / 1e9,
               (double)g->prove_ns / 1e9);
    printf("memory of a rank: %.1f MiB at most (%s)", mebibytes(g->memory_bytes), g->manifest.jobs[g->largest].id);
    if (g->device_bytes) printf(", %.1f MiB of the device", mebibytes(g->device_bytes));
    printf("; proofs: %.1f MiB in all\n", mebibytes(g->forecast.proof_bytes));
    print_votes(g);
    printf("times are estimated from %s\n", g->o->origin.text);
}

/* ---- ranks and stakes ---- */

/* Whether these could be the stakes of ranks 0 .. n - 1; a key may be any rank's. */
static pr_status check_stakes(const plan_options *o, uint32_t n_ranks, pr_error *err) {
    const char *file = o->votes.stake_file;
    pr_stakes stakes;
    pr_status status = PR_OK;
    if (!file[0]) return PR_OK;
    PR_TRY(pr_stakes_load(&stakes, file, err));
    for (uint32_t k = 0; k < stakes.n && status == PR_OK; k++)
        if (stakes.items[k].rank >= (int32_t)n_ranks || k >= n_ranks)
            status = pr_fail_at(err, PR_ERR_USAGE, file, stakes.items[k].line, 1,
                                "more than %u ranks; allowed: a line for each rank of --ranks", n_ranks);
    if (status == PR_OK && stakes.n < n_ranks)
        status = pr_fail(err, PR_ERR_USAGE, "%s: %u stakes for %u ranks; allowed: a line for each rank of --ranks",
                         file, stakes.n, n_ranks);
    pr_stakes_clear(&stakes);
    return status;
}

static pr_status begin(planning *g, const plan_options *o, pr_error *err) {
    uint32_t n_ranks = o->n_ranks ? (uint32_t)o->n_ranks : 1, shared = pr_cpu_count() / n_ranks;
    size_t n = g->manifest.n_jobs + 1;
    PR_TRY(check_stakes(o, n_ranks, err));
    g->o = o;
    g->n_threads = o->prover.n_threads ? o->prover.n_threads : shared ? shared : 1;
    g->forecast = pr_forecast_begin(o->votes.committee_size, n_ranks);
    g->forecast.coordinator_only = o->coordinator_only;
    g->jobs = calloc(n, sizeof *g->jobs);
    g->roots = calloc(n, sizeof *g->roots);
    if (g->jobs && g->roots) return PR_OK;
    return pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu jobs", g->manifest.n_jobs);
}

static int plan_all(planning *g, const plan_options *o) {
    pr_error err = {0};
    if (begin(g, o, &err) != PR_OK) return pr_app_fail(&err);
    plan_jobs(g);
    add_roots(g);
    if (pr_forecast_makespan(&g->end, &g->forecast, &g->manifest, g->jobs, g->n_threads, &err) != PR_OK)
        return pr_app_fail(&err);
    (o->json ? print_total_json : print_total)(g);
    return g->n_planned == g->manifest.n_jobs && g->end.n_never_run == 0 ? 0 : 1;
}

int plan_manifest(plan_options *o) {
    planning g = {0};
    pr_run_options run = pr_app_run_defaults();
    pr_error err = {0};
    run.manifest_path = o->path;
    pr_status status = pr_startup_manifest(&g.manifest, &run, &err);
    if (status != PR_OK) return err.text[0] ? pr_app_fail_reading(&err) : pr_status_exit_code(status);
    int exit_code = plan_all(&g, o);
    free(g.jobs);
    free(g.roots);
    pr_manifest_clear(&g.manifest);
    return exit_code;
}
