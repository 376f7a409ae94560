/* Short jobs that a rank is given behind the one that it is at, so that it never waits for its next one. They run one
 * after another, so they need no memory beside it; nothing of them has begun, so they can be taken back at no cost. */
#include "schedule/internal.h"
#include <string.h>

uint32_t pr_behind_find(const pr_schedule *s, uint32_t r, uint32_t j, uint32_t attempt) {
    const pr_rank_info *rank = &s->ranks[r];
    for (uint32_t k = 0; k < rank->n_behind; k++)
        if (rank->behind[k].job == j && rank->behind[k].attempt == attempt) return k;
    return PR_NONE;
}

static pr_behind pop(pr_rank_info *rank, uint32_t k) {
    pr_behind b = rank->behind[k];
    rank->n_behind--;
    memmove(&rank->behind[k], &rank->behind[k + 1], (rank->n_behind - k) * sizeof b);
    return b;
}

/* When what is at hand takes so much longer than was expected, others may have what is behind it. */
static uint64_t late_ns(const pr_schedule *s, const pr_prove_slot *slot) {
    enum { PATIENCE = 4 };
    return slot->start_ns + PATIENCE * slot->expected_ns + s->options.behind_ns;
}

static void watch(pr_schedule *s, uint32_t r) {
    if (s->ranks[r].n_behind)
        pr_time_heap_set(&s->late, r, late_ns(s, &s->ranks[r].prove));
    else
        pr_time_heap_remove(&s->late, r);
}

void pr_behind_end(pr_schedule *s, uint32_t r, uint32_t k) {
    pr_job_state *job = &s->jobs[pop(&s->ranks[r], k).job];
    for (int i = 0; i < PR_MAX_RUNNERS; i++)
        if (job->runners[i] == r) job->runners[i] = PR_NONE;
    s->n_busy--;
    watch(s, r);
    pr_rank_refresh(s, r);
}

void pr_behind_take_back(pr_schedule *s, uint32_t r) {
    const pr_rank_info *rank = &s->ranks[r];
    while (rank->n_behind) {
        const pr_behind b = rank->behind[rank->n_behind - 1];
        pr_job_state *job = &s->jobs[b.job];
        pr_job_forget(s, b.job, r, b.attempt);
        pr_rank_cancel(s, r, b.job, b.attempt);
        pr_behind_end(s, r, rank->n_behind - 1);
        if (job->phase == PR_JOB_PROVING && !pr_job_has_runner(job)) pr_job_queue(s, b.job);
    }
}

void pr_schedule_take_back(pr_schedule *s) {
    for (uint32_t r = 0; r < s->n_ranks; r++) pr_behind_take_back(s, r);
    s->quiet = false;
}

void pr_behind_look(pr_schedule *s) {
    while (pr_time_heap_first(&s->late) <= s->now) {
        uint32_t r = pr_time_heap_first_item(&s->late);
        if (pr_top_tree_first(&s->free_nodes) == PR_FIT_NONE) { /* nobody else could have it now */
            pr_time_heap_set(&s->late, r, s->now + s->options.behind_ns);
            continue;
        }
        pr_behind_take_back(s, r);
        s->quiet = false;
    }
}

static uint64_t host_need(const pr_prove_slot *slot, const pr_job_state *job) {
    return slot->cpu_only ? job->host_bytes : job->device_host_bytes;
}

/* All that it has in turn. */
static void grow(const pr_prove_slot *slot, const pr_job_state *job, uint64_t *host, uint64_t *device) {
    uint64_t device_need = slot->cpu_only ? 0 : job->device_bytes;
    if (host_need(slot, job) > *host) *host = host_need(slot, job);
    if (device_need > *device) *device = device_need;
}

bool pr_behind_promote(pr_schedule *s, uint32_t r, uint64_t *host, uint64_t *device) {
    pr_rank_info *rank = &s->ranks[r];
    pr_prove_slot *slot = &rank->prove;
    *host = *device = 0;
    if (!rank->n_behind) return false;
    const pr_behind b = pop(rank, 0);
    *slot = (pr_prove_slot){.job = b.job,
                            .attempt = b.attempt,
                            .cpu_only = slot->cpu_only,
                            .start_ns = s->now,
                            .expected_ns = pr_job_estimate(s, b.job)};
    *(slot->cpu_only ? &s->jobs[b.job].tried_cpu : &s->jobs[b.job].tried_device) = true;
    grow(slot, &s->jobs[b.job], host, device);
    for (uint32_t k = 0; k < rank->n_behind; k++) grow(slot, &s->jobs[rank->behind[k].job], host, device);
    watch(s, r);
    return true;
}

bool pr_behind_is_open(const pr_schedule *s, const pr_rank_info *rank) {
    const pr_prove_slot *slot = &rank->prove;
    return s->options.behind_ns && rank->state == PR_RANK_UP && !rank->one_task && slot->job != PR_NONE &&
           !slot->speculative && !slot->exclusive && !slot->fallback && rank->n_behind < PR_MAX_BEHIND &&
           rank->has_proved;
}

bool pr_behind_suits(const pr_schedule *s, uint32_t r, uint32_t j) {
    const pr_rank_info *rank = &s->ranks[r];
    const pr_prove_slot *slot = &rank->prove;
    const pr_job_state *job = &s->jobs[j];
    uint64_t ns = pr_job_estimate_on(s, j, r), host = slot->host_bytes, device = slot->device_bytes;
    if (s->now >= late_ns(s, slot)) return false;
    if (job->deadline_ns || job->cpu_next || job->is_suspect) return false;
    if (job->avoid_rank != PR_NONE || job->avoid_node != PR_NONE) return false;
    if (pr_rank_uses_device(s, rank, job) == slot->cpu_only) return false;
    for (uint32_t k = 0; k < rank->n_behind; k++) ns += rank->behind[k].expected_ns;
    grow(slot, job, &host, &device);
    return ns <= s->options.behind_ns && host == slot->host_bytes && device == slot->device_bytes;
}

void pr_behind_give(pr_schedule *s, uint32_t r, uint32_t j, pr_task *task) {
    pr_rank_info *rank = &s->ranks[r];
    pr_job_state *job = &s->jobs[j];
    const pr_behind b = {j, ++job->attempt, pr_job_estimate_on(s, j, r)};
    rank->behind[rank->n_behind++] = b;
    job->runners[0] = r;
    s->n_busy++;
    pr_job_unqueue(s, j);
    pr_job_set_phase(s, j, PR_JOB_PROVING);
    watch(s, r);
    pr_rank_refresh(s, r);
    *task = (pr_task){.kind = PR_TASK_PROVE,
                      .rank = r,
                      .job = j,
                      .attempt = b.attempt,
                      .cpu_only = rank->prove.cpu_only,
                      .behind = true,
                      .time_limit_ns = job->time_limit_ns,
                      .expected_ns = b.expected_ns};
}
