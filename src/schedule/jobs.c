/* A job's way through its phases. */
#include "schedule/internal.h"
#include <string.h>

uint64_t pr_job_least_bytes(const pr_job_state *job) {
    uint64_t beside = job->device_host_bytes;
    return job->device_bytes && !job->cpu_next && beside < job->host_bytes ? beside : job->host_bytes;
}

bool pr_job_has_runner(const pr_job_state *job) { return job->runners[0] != PR_NONE || job->runners[1] != PR_NONE; }

uint64_t pr_job_estimate(const pr_schedule *s, uint32_t j) {
    double ns = (double)s->jobs[j].expected_ns * s->classes[s->jobs[j].class].factor;
    return ns < PR_LONGEST_NS ? (uint64_t)ns : (uint64_t)PR_LONGEST_NS;
}

uint64_t pr_job_estimate_on(const pr_schedule *s, uint32_t j, uint32_t rank) {
    double ns = (double)pr_job_estimate(s, j) * s->ranks[rank].slowness;
    return ns < PR_LONGEST_NS ? (uint64_t)ns : (uint64_t)PR_LONGEST_NS;
}

bool pr_job_misses_deadline(const pr_schedule *s, uint32_t j) {
    uint64_t deadline = s->jobs[j].deadline_ns;
    return deadline && s->now + pr_job_estimate(s, j) > deadline;
}

bool pr_job_has_ended(const pr_schedule *s, uint32_t j) { return s->jobs[j].phase >= PR_JOB_DONE; }
bool pr_job_has_proof(const pr_schedule *s, uint32_t j) {
    return s->jobs[j].phase == PR_JOB_PROVEN || s->jobs[j].phase == PR_JOB_VERIFYING;
}

static bool has_work_left(pr_schedule_phase phase) { return phase <= PR_JOB_PROVING; }

void pr_job_set_phase(pr_schedule *s, uint32_t j, pr_schedule_phase phase) {
    pr_job_state *job = &s->jobs[j];
    double work = (double)has_work_left(phase) - (double)has_work_left(job->phase);
    s->classes[job->class].left_ns += work * (double)job->expected_ns;
    s->n_phase[job->phase]--;
    s->n_phase[phase]++;
    job->phase = phase;
}

void pr_job_watch_deadline(pr_schedule *s, uint32_t j) {
    uint64_t deadline = s->jobs[j].deadline_ns, estimate = pr_job_estimate(s, j);
    if (deadline) pr_time_heap_set(&s->deadlines, j, deadline > estimate ? deadline - estimate + 1 : 0);
}

void pr_job_queue(pr_schedule *s, uint32_t j) {
    pr_job_state *job = &s->jobs[j];
    pr_job_set_phase(s, j, PR_JOB_QUEUED);
    if (!job->ready_ns) job->ready_ns = s->now;
    pr_fit_tree_put(&s->queue, job->place, pr_job_least_bytes(job), job->expected_ns);
    pr_job_watch_deadline(s, j);
}

void pr_job_unqueue(pr_schedule *s, uint32_t j) {
    pr_fit_tree_take(&s->queue, s->jobs[j].place);
    pr_hint_forget(s, j);
    pr_time_heap_remove(&s->timers, j);
    pr_time_heap_remove(&s->deadlines, j);
    s->jobs[j].avoid_rank = s->jobs[j].avoid_node = PR_NONE; /* no timer would end it */
    if (s->kept_for == j) {
        uint32_t node = s->kept_node;
        s->kept_for = s->kept_node = PR_NONE;
        pr_node_refresh(s, node);
    }
}

/* It has not begun: its rank has it no more. */
static void drop_behind(pr_schedule *s, uint32_t r, uint32_t j) {
    const pr_rank_info *rank = &s->ranks[r];
    for (uint32_t k = 0; k < rank->n_behind; k++) {
        if (rank->behind[k].job != j) continue;
        pr_job_forget(s, j, r, rank->behind[k].attempt);
        pr_rank_cancel(s, r, j, rank->behind[k].attempt);
        pr_behind_end(s, r, k);
        return;
    }
}

void pr_job_cancel_runners(pr_schedule *s, uint32_t j) {
    for (int k = 0; k < PR_MAX_RUNNERS; k++) {
        uint32_t r = s->jobs[j].runners[k];
        if (r == PR_NONE) continue;
        if (s->ranks[r].prove.job != j) {
            drop_behind(s, r, j);
            continue;
        }
        pr_rank_cancel(s, r, j, s->ranks[r].prove.attempt);
        pr_time_heap_remove(&s->slow, r);
    }
}

/* Nothing holds on to it any more. */
static void let_go(pr_schedule *s, uint32_t j) {
    pr_job_unqueue(s, j);
    if (s->jobs[j].phase == PR_JOB_PROVEN) pr_proof_remove(s, j);
    pr_job_cancel_runners(s, j);
}

void pr_job_done(pr_schedule *s, uint32_t j) {
    let_go(s, j);
    pr_job_set_phase(s, j, PR_JOB_DONE);
    for (uint32_t m = s->member_first[j]; m < s->member_first[j + 1]; m++) {
        pr_barrier *b = &s->barriers[s->members[m]];
        if (--b->n_open > 0) continue;
        for (uint32_t w = 0; w < b->n_waiters; w++, s->steps++) {
            uint32_t waiter = s->waiters[b->waiters + w];
            if (--s->jobs[waiter].n_blocked == 0 && s->jobs[waiter].phase == PR_JOB_WAITING) pr_job_queue(s, waiter);
        }
    }
}

static void notice_end(pr_schedule *s, uint32_t j, pr_why why, uint32_t other) {
    s->jobs[j].why = why;
    s->jobs[j].other = other;
    s->jobs[j].next_notice = PR_NONE;
    if (s->first_notice == PR_NONE)
        s->first_notice = j;
    else
        s->jobs[s->last_notice].next_notice = j;
    s->last_notice = j;
}

/* Jobs that wait for j end with it; they are put behind the *n in the list. */
static void fail_waiters(pr_schedule *s, uint32_t j, size_t *n) {
    for (uint32_t m = s->member_first[j]; m < s->member_first[j + 1]; m++) {
        pr_barrier *b = &s->barriers[s->members[m]];
        if (b->failed) continue;
        b->failed = true;
        for (uint32_t w = 0; w < b->n_waiters; w++, s->steps++) {
            uint32_t waiter = s->waiters[b->waiters + w];
            if (s->jobs[waiter].phase != PR_JOB_WAITING) continue;
            let_go(s, waiter);
            pr_job_set_phase(s, waiter, PR_JOB_FAILED);
            notice_end(s, waiter, PR_WHY_DEPENDENCY, j);
            s->work[(*n)++] = waiter;
        }
    }
}

void pr_job_fail(pr_schedule *s, uint32_t j) {
    size_t n = 0;
    let_go(s, j);
    pr_job_set_phase(s, j, PR_JOB_FAILED);
    s->work[n++] = j;
    for (size_t i = 0; i < n; i++) fail_waiters(s, s->work[i], &n);
}

void pr_job_end_unasked(pr_schedule *s, uint32_t j, pr_why why, uint32_t other) {
    notice_end(s, j, why, other);
    pr_job_fail(s, j);
}

void pr_job_forget(pr_schedule *s, uint32_t j, uint32_t rank, uint32_t attempt) {
    pr_past_attempt *past = s->jobs[j].past;
    memmove(past + 1, past, (PR_MAX_PAST - 1) * sizeof *past);
    past[0] = (pr_past_attempt){rank, attempt};
}

bool pr_job_recalls(pr_schedule *s, uint32_t j, uint32_t rank, uint32_t attempt) {
    for (int k = 0; k < PR_MAX_PAST; k++) {
        pr_past_attempt *p = &s->jobs[j].past[k];
        if (p->attempt == 0 || p->attempt != attempt || p->rank != rank) continue;
        p->attempt = 0;
        return true;
    }
    return false;
}

/* Doubles with each retry. */
static uint64_t backoff(const pr_schedule *s, uint32_t charged) {
    uint64_t ns = s->options.backoff_ns;
    for (uint32_t k = 1; k < charged && ns < s->options.backoff_max_ns; k++) ns *= 2;
    return ns < s->options.backoff_max_ns ? ns : s->options.backoff_max_ns;
}

/* True: it costs the job an attempt. */
static bool charge(pr_schedule *s, pr_job_state *job, pr_failure failure) {
    if (failure == PR_FAILURE_CANCELLED) return false;
    if (failure == PR_FAILURE_BACKEND) {
        job->cpu_next = true;
        if (!job->excused) return job->excused = true, false;
    }
    if (failure == PR_FAILURE_MEMORY && job->host_bytes < s->top_limit) {
        /* the prediction was too small */
        uint64_t more = job->host_bytes + job->host_bytes / 4;
        job->host_bytes = more < s->top_limit ? more : s->top_limit;
    }
    if (++job->charged >= 2) job->cpu_next = true;
    return true;
}

pr_fate pr_job_retry(pr_schedule *s, uint32_t j, uint32_t rank, pr_failure failure) {
    pr_job_state *job = &s->jobs[j];
    bool charged = charge(s, job, failure);
    if (charged && job->charged > job->retries) {
        if (!job->tried_device || job->tried_cpu || job->charged > job->retries + 1)
            return pr_job_fail(s, j), PR_FATE_FAILED;
        job->cpu_next = true; /* once on the processor, where only devices were tried */
    }
    if (job->host_bytes > s->top_limit && job->cpu_next) return pr_job_fail(s, j), PR_FATE_FAILED;
    if (!charged) return pr_job_queue(s, j), PR_FATE_RETRY;
    job->avoid_rank = rank;
    job->avoid_node = failure == PR_FAILURE_MEMORY ? s->ranks[rank].node : PR_NONE;
    pr_job_set_phase(s, j, PR_JOB_BACKOFF);
    pr_job_watch_deadline(s, j);
    pr_time_heap_set(&s->timers, j, s->now + backoff(s, job->charged));
    return PR_FATE_RETRY;
}
