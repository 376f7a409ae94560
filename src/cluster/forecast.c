#include "cluster/forecast.h"
#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>

pr_forecast pr_forecast_begin(uint32_t committee_size, uint32_t n_ranks) {
    uint32_t others = n_ranks - 1;
    return (pr_forecast){.n_ranks = n_ranks,
                         .committee = committee_size < others ? committee_size : others,
                         .is_unvoted = committee_size == 0,
                         .least_verify_ns = UINT64_MAX};
}

void pr_forecast_add(pr_forecast *f, const pr_proof_cost *proof, uint64_t public_bytes) {
    f->n_jobs++;
    f->proof_bytes += proof->bytes;
    f->sent_bytes += f->committee * (proof->bytes + public_bytes);
    f->verify_ns += (double)f->committee * (double)proof->verify_ns;
    if (proof->verify_ns < f->least_verify_ns) f->least_verify_ns = proof->verify_ns;
    if (proof->verify_ns > f->most_verify_ns) f->most_verify_ns = proof->verify_ns;
}

void pr_forecast_add_root(pr_forecast *f, uint64_t root_ns) {
    if (f->committee) f->root_ns += (double)f->n_ranks * (double)root_ns;
}

const char *pr_forecast_outcome(const pr_forecast *f) {
    return f->is_unvoted ? "unvoted" : f->committee ? "approved" : "self_verified";
}

uint32_t pr_forecast_quorum(const pr_forecast *f) { return f->committee ? 2 * f->committee / 3 + 1 : 0; }

void pr_forecast_describe(char *out, size_t size, const pr_forecast *f) {
    if (f->is_unvoted)
        snprintf(out, size, "nobody votes (`committee: 0`): outcomes are unvoted");
    else if (f->committee == 0)
        snprintf(out, size, "one rank has nobody to vote on its proofs: outcomes are self_verified");
    else if (f->n_jobs == 0)
        snprintf(out, size, "committees of %u of %u ranks, never the prover", f->committee, f->n_ranks);
    else
        snprintf(out, size,
                 "committees of %u of %u ranks, never the prover; a verification takes %.2f to %.2f ms, all of them "
                 "%.3f s of processor time, preprocessed roots %.3f s; %.1f MiB go to voters",
                 f->committee, f->n_ranks, (double)f->least_verify_ns / 1e6, (double)f->most_verify_ns / 1e6,
                 f->verify_ns / 1e9, f->root_ns / 1e9, (double)f->sent_bytes / 1048576);
}

/* ---- how long ---- */

typedef struct imagined_run {
    pr_schedule *schedule;
    uint32_t n_ranks;
    pr_task *tasks;    /* [n_ranks], kind NONE: idle */
    uint64_t *ends_ns; /* [n_ranks] */
    uint64_t now_ns;
    double proving_ns; /* of all ranks */
} imagined_run;

static void hand_out(imagined_run *r, const pr_schedule_job *jobs) {
    pr_task task;
    while (pr_schedule_next(r->schedule, r->now_ns, &task)) {
        r->tasks[task.rank] = task;
        r->ends_ns[task.rank] = r->now_ns + jobs[task.job].expected_ns;
        r->proving_ns += (double)jobs[task.job].expected_ns;
    }
}

/* The rank whose proof is the next to be finished; n_ranks: none is at work. */
static uint32_t next_to_end(const imagined_run *r) {
    uint32_t next = r->n_ranks;
    for (uint32_t i = 0; i < r->n_ranks; i++)
        if (r->tasks[i].kind != PR_TASK_NONE && (next == r->n_ranks || r->ends_ns[i] < r->ends_ns[next])) next = i;
    return next;
}

static void end_proof(imagined_run *r, uint32_t rank) {
    static const pr_hash any_proof;
    const pr_task *task = &r->tasks[rank];
    r->now_ns = r->ends_ns[rank];
    pr_answer answer = pr_schedule_proved(r->schedule, r->now_ns, rank, task->job, task->attempt, &any_proof);
    if (answer == PR_ANSWER_COUNTS)
        (void)pr_schedule_judged(r->schedule, r->now_ns, task->job, task->attempt, PR_VERDICT_ACCEPTED);
    r->tasks[rank].kind = PR_TASK_NONE;
}

/* Nobody is at work: until the schedule wakes by itself, as it does for deadlines. False: it never will. */
static bool wait_for_schedule(imagined_run *r) {
    uint64_t wake = pr_schedule_wake_ns(r->schedule);
    if (pr_schedule_is_over(r->schedule) || wake == PR_SCHEDULE_NO_TIME) return false;
    r->now_ns = wake > r->now_ns ? wake : r->now_ns + 1;
    return true;
}

static void go_through(imagined_run *r, pr_forecast_end *out, const pr_schedule_job *jobs) {
    pr_notice notice;
    for (;;) {
        hand_out(r, jobs);
        while (pr_schedule_notice_take(r->schedule, &notice)) out->n_never_run += notice.kind == PR_NOTICE_ENDED;
        uint32_t rank = next_to_end(r);
        if (rank < r->n_ranks) {
            end_proof(r, rank);
            out->ns = r->now_ns;
        } else if (!wait_for_schedule(r))
            return;
    }
}

/* No run is shorter than its work over all ranks, of which verification takes one thread; and the last proof waits for
 * its voters. */
static void add_votes(pr_forecast_end *out, const pr_forecast *f, double proving_ns, unsigned n_threads) {
    double least = (proving_ns + (f->verify_ns + f->root_ns) / n_threads) / f->n_ranks;
    if ((double)out->ns < least) out->ns = (uint64_t)least;
    if (f->committee) out->ns += f->most_verify_ns;
}

size_t pr_forecast_count_after(const pr_manifest *m) {
    size_t n = 1; /* so that there is something to allocate */
    for (size_t i = 0; i < m->n_jobs; i++) n += m->jobs[i].n_after;
    return n;
}

pr_schedule_range *pr_forecast_list_after(pr_schedule_job *out, pr_schedule_range *free_place,
                                          const pr_manifest_job *m) {
    out->n_after = (uint32_t)m->n_after;
    out->after = free_place;
    for (size_t k = 0; k < m->n_after; k++) *free_place++ = (pr_schedule_range){m->after[k].first, m->after[k].count};
    return free_place;
}

/* As if the run began now. */
static uint64_t deadline_of(const pr_manifest_job *m, uint64_t wall_ns) {
    if (!m->deadline_wall_ns) return m->deadline_ns;
    return m->deadline_wall_ns > wall_ns ? m->deadline_wall_ns - wall_ns : 1;
}

static void list_jobs(pr_schedule_job *out, pr_schedule_range *ranges, const pr_manifest *m,
                      const pr_forecast_job *jobs) {
    uint64_t wall_ns = pr_clock_wall_ns();
    for (size_t i = 0; i < m->n_jobs; i++) {
        const pr_manifest_job *in = &m->jobs[i];
        out[i] = (pr_schedule_job){.expected_ns = 1 + jobs[i].expected_ns + jobs[i].verify_ns,
                                   .deadline_ns = deadline_of(in, wall_ns),
                                   .priority = in->priority,
                                   .past = jobs[i].fails ? PR_SCHEDULE_HAS_FAILED : PR_SCHEDULE_TO_DO};
        ranges = pr_forecast_list_after(&out[i], ranges, in);
    }
}

static pr_status create(imagined_run *r, const pr_forecast *f, const pr_schedule_job *jobs, size_t n_jobs,
                        pr_schedule_rank *ranks, pr_error *err) {
    static const pr_schedule_node node = {.host_bytes = UINT64_MAX / 2};
    for (uint32_t i = 0; i < f->n_ranks; i++)
        ranks[i] = (pr_schedule_rank){.device = PR_SCHEDULE_NO_DEVICE,
                                      .proves = i > 0 || f->n_ranks == 1 || !f->coordinator_only,
                                      .verifies = true};
    const pr_schedule_setup setup = {.n_jobs = n_jobs,
                                     .jobs = jobs,
                                     .n_ranks = f->n_ranks,
                                     .n_nodes = 1,
                                     .ranks = ranks,
                                     .nodes = &node,
                                     .options = {.judge = PR_SCHEDULE_JUDGE_OUTSIDE}};
    return pr_schedule_create(&r->schedule, &setup, 0, err);
}

pr_status pr_forecast_makespan(pr_forecast_end *out, const pr_forecast *f, const pr_manifest *manifest,
                               const pr_forecast_job *jobs, unsigned n_threads, pr_error *err) {
    size_t n = manifest->n_jobs;
    imagined_run r = {.n_ranks = f->n_ranks};
    pr_schedule_job *listed = calloc(n ? n : 1, sizeof *listed);
    pr_schedule_range *ranges = calloc(pr_forecast_count_after(manifest), sizeof *ranges);
    pr_schedule_rank *ranks = calloc(f->n_ranks, sizeof *ranks);
    r.tasks = calloc(f->n_ranks, sizeof *r.tasks);
    r.ends_ns = calloc(f->n_ranks, sizeof *r.ends_ns);
    *out = (pr_forecast_end){0};
    pr_status status = listed && ranges && ranks && r.tasks && r.ends_ns
                           ? PR_OK
                           : pr_fail(err, PR_ERR_MEMORY, "out of memory for a schedule of %zu jobs", n);
    if (status == PR_OK) {
        list_jobs(listed, ranges, manifest, jobs);
        status = create(&r, f, listed, n, ranks, err);
    }
    if (status == PR_OK) {
        go_through(&r, out, listed);
        add_votes(out, f, r.proving_ns, n_threads);
    }
    pr_schedule_destroy(r.schedule);
    free(listed);
    free(ranges);
    free(ranks);
    free(r.tasks);
    free(r.ends_ns);
    return status;
}
