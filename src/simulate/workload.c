/* Jobs of a mix: how long they take, and what the estimates say. */
#include "simulate/internal.h"
#include <math.h>
#include <stdlib.h>

double pr_draw_unit(pr_prng *g) { return ((double)(pr_prng_next(g) >> 11) + 1) / 9007199254740992.0; }

/* Evenly over the logarithm. */
static double draw_between(pr_prng *g, double low, double high) { return low * pow(high / low, pr_draw_unit(g)); }

static double draw_seconds(pr_mix mix, pr_prng *g) {
    switch (mix) {
    case PR_MIX_SMALL:
        return draw_between(g, 0.05, 2);
    case PR_MIX_MIXED:
        return draw_between(g, 0.1, 600);
    case PR_MIX_HEAVY:
        break;
    }
    double seconds = 2 * pow(pr_draw_unit(g), -1 / 1.2); /* Pareto */
    return seconds < 3600 ? seconds : 3600;
}

static void add_job(pr_workload *w, uint32_t j, const pr_simulation_job *job) {
    w->true_ns[j] = job->true_ns;
    w->jobs[j] = (pr_schedule_job){.expected_ns = job->expected_ns, .host_bytes = job->host_bytes, .retries = 2};
    w->sum_ns += job->true_ns;
    w->sum_byte_ns += (double)job->host_bytes * (double)job->true_ns;
    if (job->true_ns > w->longest_ns) w->longest_ns = job->true_ns;
}

static pr_simulation_job draw_job(const pr_simulation_options *o, pr_prng *g, double common) {
    double seconds = draw_seconds(o->mix, g), error = draw_between(g, 0.75, 1.25);
    double bytes = seconds * (double)o->bytes_per_second;
    double most =
        2 * (double)o->node_bytes / o->ranks_per_node; /* twice a rank's share: some have to wait for others */
    if (bytes > most) bytes = most < (double)o->node_bytes ? most : (double)o->node_bytes;
    const uint64_t ns = (uint64_t)(seconds * 1e9);
    return (pr_simulation_job){ns, o->oracle ? ns : (uint64_t)(seconds * 1e9 * error * common), (uint64_t)bytes};
}

uint64_t pr_workload_count(const pr_simulation_options *o) {
    if (o->n_jobs) return o->n_jobs;
    return o->n_given ? o->n_given : (uint64_t)o->n_ranks * o->jobs_per_rank;
}

bool pr_workload_init(pr_workload *w, const pr_simulation_options *o, pr_prng *g) {
    uint32_t n = (uint32_t)pr_workload_count(o);
    *w = (pr_workload){.jobs = calloc(n + 1u, sizeof *w->jobs), .true_ns = calloc(n + 1u, sizeof *w->true_ns), .n = n};
    if (!w->jobs || !w->true_ns) return false;
    double common = draw_between(g, 0.5, 2); /* the cost model was measured on another machine */
    for (uint32_t j = 0; j < n; j++) {
        pr_simulation_job job = o->n_given ? o->given[j % o->n_given] : draw_job(o, g, common);
        if (o->n_given && o->oracle) job.expected_ns = job.true_ns;
        add_job(w, j, &job);
    }
    return true;
}

void pr_workload_clear(pr_workload *w) {
    free(w->jobs);
    free(w->true_ns);
}
