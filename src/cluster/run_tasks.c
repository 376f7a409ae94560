/* What ranks are given: what the schedule hands out becomes messages; its notices become ends of jobs and events. */
#include "base/clock.h"
#include "cluster/run.h"
#include <stdio.h>
#include <string.h>

#define PR_HANG_MIN_NS ((uint64_t)60 * 1000000000u)
#define PR_HANG_FACTOR 10u
#define PR_UNDECIDED 256u
#define PR_UNDECIDED_PER_RANK 4u

static const char *id_of(const pr_run *r, uint32_t job) { return r->manifest->jobs[job].id; }

/* A stage is one step of progress, and no stage takes as long as ten proofs. */
static uint64_t quiet_ms(const pr_run *r, const pr_task *task) {
    uint64_t ns = r->o->hang_ns;
    if (!ns) {
        ns = task->expected_ns < UINT64_MAX / 16 ? PR_HANG_FACTOR * task->expected_ns : UINT64_MAX / 2;
        if (ns < PR_HANG_MIN_NS) ns = PR_HANG_MIN_NS;
    }
    return ns / 1000000 + 1;
}

/* Whether another rank proves on the same device: then none has memory of it but for the job that it is at. */
static bool shares_device(const pr_run *r, uint32_t rank) {
    const pr_wire_hello *mine = &r->roll->members[rank].hello;
    for (uint32_t k = 0; mine->device[0] && k < r->roll->n; k++) {
        const pr_wire_hello *other = &r->roll->members[k].hello;
        if (k != rank && other->proves && other->node == mine->node && !strcmp(other->device, mine->device))
            return true;
    }
    return false;
}

/* The jobs that the rank may get next, for it to begin their proofs beside this one, where it proves on a device that
 * it has for itself. After a loss none, for it may be a job that was begun beside it that brought the prover down. */
static void hint_next(const pr_run *r, const pr_task *task, pr_wire_prove *m) {
    _Static_assert(PR_WORK_MOST_NEXT == PR_SCHEDULE_MOST_HINTS, "a message has room for what the schedule says");
    bool first = r->jobs[task->job].given[1].attempt == 0;
    bool on_device = r->roll->members[task->rank].hello.device[0] || r->o->backend->min_window_bytes;
    m->begins_ahead = first && on_device && !task->fallback && !task->speculative && !shares_device(r, task->rank);
    m->n_next = pr_schedule_hint(r->schedule, task->rank, m->next, m->begins_ahead ? PR_WORK_MOST_NEXT : 0);
}

static pr_status send_prove(pr_run *r, const pr_task *task, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_PROVE};
    m.as.prove.task = (pr_wire_task){r->number, task->job, task->attempt};
    m.as.prove.cpu_only = task->fallback;
    m.as.prove.time_limit_ms = (task->time_limit_ns + 999999) / 1000000;
    m.as.prove.quiet_ms = quiet_ms(r, task);
    if (!r->jobs[task->job].queued_ns) r->jobs[task->job].queued_ns = pr_clock_monotonic_ns();
    r->jobs[task->job].sent_wall_ns = pr_clock_wall_ns();
    r->jobs[task->job].expected_ns = task->expected_ns;
    r->jobs[task->job].given[1] = r->jobs[task->job].given[0];
    r->jobs[task->job].given[0].attempt = task->attempt;
    r->jobs[task->job].given[0].rank = task->rank;
    hint_next(r, task, &m.as.prove);
    if (task->speculative)
        pr_run_event(r, PR_EVENT_SPECULATIVE, (int32_t)task->rank, task->job,
                     "handed out again, to rank %u: attempt %u", task->rank, task->attempt);
    return pr_transport_send(r->t, (int)task->rank, &m, err);
}

/* Proofs that nobody has voted on yet are held in memory: no more of them before those are decided. */
static bool may_hand_out(const pr_run *r) {
    return !pr_keeper_is_full(r->keeper) &&
           pr_schedule_count(r->schedule, PR_JOB_PROVEN) < PR_UNDECIDED + PR_UNDECIDED_PER_RANK * r->roll->n;
}

pr_status pr_run_hand_out(pr_run *r, bool *busy, pr_error *err) {
    pr_task task;
    uint64_t now = pr_clock_monotonic_ns();
    while (may_hand_out(r) && pr_schedule_next(r->schedule, now, &task)) {
        *busy = true;
        r->at_job = task.job;
        PR_ASSERT(task.kind == PR_TASK_PROVE);
        pr_keeper_assignment(r->keeper, id_of(r, task.job), task.attempt, PR_ASSIGNED_PROVE, (int32_t)task.rank);
        PR_TRY(send_prove(r, &task, err));
        pr_run_charge(r, now);
        now = pr_clock_monotonic_ns();
    }
    return PR_OK;
}

/* ---- notices ---- */

static pr_status send_cancel(pr_run *r, uint32_t rank, uint32_t job, uint32_t attempt, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_CANCEL};
    m.as.cancel = (pr_wire_task){r->number, job, attempt};
    return pr_transport_send(r->t, (int)rank, &m, err);
}

static pr_status end_unstarted(pr_run *r, const pr_notice *n, pr_error *err) {
    char reason[512];
    bool began = r->jobs[n->job].queued_ns != 0;
    pr_outcome outcome = PR_OUTCOME_REFUSED;
    if (n->why == PR_WHY_DEPENDENCY) outcome = PR_OUTCOME_SKIPPED;
    if (n->why == PR_WHY_LOSSES) outcome = PR_OUTCOME_FAILED;
    if (n->why == PR_WHY_DEADLINE && began) outcome = PR_OUTCOME_TIMEOUT;
    if (n->why == PR_WHY_DEPENDENCY && n->other < r->manifest->n_jobs)
        snprintf(reason, sizeof reason, "it %s: %s", pr_why_text(n->why), id_of(r, n->other));
    else
        snprintf(reason, sizeof reason, "it %s", pr_why_text(n->why));
    return pr_run_end_without(r, n->job, outcome, reason, err);
}

static pr_status heed(pr_run *r, const pr_notice *n, pr_error *err) {
    switch (n->kind) {
    case PR_NOTICE_ENDED:
        return end_unstarted(r, n, err);
    case PR_NOTICE_CANCEL:
        return send_cancel(r, n->rank, n->job, n->attempt, err);
    case PR_NOTICE_DEVICE_DRAINED:
        pr_run_metrics_drained(r->metrics);
        pr_run_event(r, PR_EVENT_BACKEND_DRAINED, (int32_t)n->rank, PR_SCHEDULE_NO_JOB,
                     "the backend of rank %u has failed again and again: it proves on the processor from now on",
                     n->rank);
        return PR_OK;
    case PR_NOTICE_RANK_DRAINED:
        pr_run_event(r, PR_EVENT_RANK_DRAINED, (int32_t)n->rank, PR_SCHEDULE_NO_JOB,
                     "rank %u on %s has lost too many attempts in a row: it proves no more", n->rank,
                     r->roll->members[n->rank].hello.host);
        return PR_OK;
    case PR_NOTICE_DRAIN:
        r->draining = true;
        pr_run_event(r, PR_EVENT_DRAIN, -1, PR_SCHEDULE_NO_JOB, "%s is near: nothing new is started",
                     r->end_what ? r->end_what : "the end");
        return PR_OK;
    }
    return PR_OK;
}

pr_status pr_run_notices(pr_run *r, bool *busy, pr_error *err) {
    pr_notice n;
    while (pr_schedule_notice_take(r->schedule, &n)) {
        *busy = true;
        PR_TRY(heed(r, &n, err));
    }
    return PR_OK;
}

pr_status pr_run_cancel_all(pr_run *r, pr_error *err) {
    pr_schedule_take_back(r->schedule);
    for (uint32_t rank = 0; rank < r->roll->n; rank++) {
        pr_task task = pr_schedule_rank_task(r->schedule, rank, PR_TASK_PROVE);
        if (task.kind == PR_TASK_PROVE) PR_TRY(send_cancel(r, rank, task.job, task.attempt, err));
    }
    return PR_OK;
}
