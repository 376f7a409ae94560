/* What ranks say: proofs, failures, verdicts, notes. Whatever it is, it is checked against what the schedule knows. */
#include "base/clock.h"
#include "cluster/run.h"
#include "work/work.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_MAX_BAD_MESSAGES 8u /* of one rank, then it is taken for lost */

void pr_run_bad_message(pr_run *r, unsigned rank, const char *text) {
    pr_member *m = &r->roll->members[rank];
    m->bad_messages++;
    pr_run_event(r, PR_EVENT_BAD_MESSAGE, (int32_t)rank, PR_SCHEDULE_NO_JOB, "%s", text);
    if (m->bad_messages < PR_MAX_BAD_MESSAGES || rank == 0 || !pr_roll_lose(r->roll, rank)) return;
    pr_run_event(r, PR_EVENT_RANK_LOST, (int32_t)rank, PR_SCHEDULE_NO_JOB,
                 "rank %u sends nothing that can be understood: it is given nothing more", rank);
    pr_transport_forget(r->t, (int)rank);
    pr_schedule_set_rank(r->schedule, pr_clock_monotonic_ns(), rank, PR_RANK_LOST);
}

static bool is_of_this_run(const pr_run *r, const pr_wire_task *task) {
    return task->run == r->number && task->job < r->manifest->n_jobs;
}

static const char *id_of(const pr_run *r, uint32_t job) { return r->manifest->jobs[job].id; }

static pr_attempt_row attempt_row(const pr_run *r, unsigned rank, const pr_wire_answer *a) {
    pr_attempt_row row;
    memset(&row, 0, sizeof row);
    row.attempt = a->task.attempt;
    row.end = a->end;
    row.rank = (int32_t)rank;
    pr_row_set_text(row.host, sizeof row.host, r->roll->members[rank].hello.host);
    pr_row_set_text(row.backend, sizeof row.backend, a->record.row.backend);
    pr_row_set_text(row.stage, sizeof row.stage, a->stage);
    row.started_ns = a->started_ns;
    row.finished_ns = a->finished_ns;
    pr_row_set_text(row.reason, sizeof row.reason, a->reason);
    return row;
}

/* ---- proofs ---- */

static pr_status keep_proof(pr_run *r, unsigned rank, pr_wire_answer *a, pr_error *err) {
    pr_attempt_row row = attempt_row(r, rank, a);
    PR_TRY(pr_run_check_proof(r, rank, &a->task, &a->record, err));
    pr_run_add_history(r, a->task.job, &row);
    return PR_OK;
}

static pr_status fail_attempt(pr_run *r, unsigned rank, pr_wire_answer *a, pr_failure failure, pr_error *err);

static pr_status on_proof(pr_run *r, unsigned rank, pr_wire_answer *a, pr_error *err) {
    pr_hash hash;
    uint32_t job = a->task.job;
    if (!pr_hex_decode(hash.bytes, sizeof hash.bytes, a->record.row.proof_hash)) {
        a->end = PR_ATTEMPT_WRONG;
        pr_row_set_text(a->reason, sizeof a->reason, "an answer without a proof");
        return fail_attempt(r, rank, a, PR_FAILURE_ATTEMPT, err);
    }
    switch (pr_schedule_proved(r->schedule, pr_clock_monotonic_ns(), rank, job, a->task.attempt, &hash)) {
    case PR_ANSWER_COUNTS:
        return keep_proof(r, rank, a, err);
    case PR_ANSWER_EQUAL:
        pr_run_event(r, PR_EVENT_LATE_ANSWER, (int32_t)rank, job, "rank %u sent the proof that is there already", rank);
        return PR_OK;
    case PR_ANSWER_DIFFERENT:
        pr_run_event(r, PR_EVENT_CONTRADICTION, (int32_t)rank, job,
                     "rank %u sent another proof (%.16s...) than the one that counts", rank, a->record.row.proof_hash);
        return PR_OK;
    case PR_ANSWER_TOO_LATE:
        pr_run_event(r, PR_EVENT_LATE_ANSWER, (int32_t)rank, job, "rank %u sent a proof after the job's end", rank);
        return PR_OK;
    case PR_ANSWER_UNKNOWN:
        pr_run_event(r, PR_EVENT_BAD_MESSAGE, (int32_t)rank, job, "rank %u answered what it was not asked (attempt %u)",
                     rank, a->task.attempt);
        return PR_OK;
    }
    return PR_OK;
}

/* ---- failures ---- */

static pr_status fail_job(pr_run *r, unsigned rank, pr_wire_answer *a, pr_failure failure, pr_error *err) {
    pr_job_row *row = &a->record.row;
    pr_row_set_text(row->reason, sizeof row->reason, a->reason);
    row->prover_rank = (int32_t)rank;
    row->verifier_rank = -1;
    row->started_ns = a->started_ns;
    row->finished_ns = a->finished_ns;
    pr_clock_iso8601(row->started_at, row->started_ns);
    pr_clock_iso8601(row->finished_at, row->finished_ns);
    pr_run_drop_proven(r, a->task.job);
    return pr_run_end_job(r, a->task.job, &a->record,
                          failure == PR_FAILURE_TIME_LIMIT ? PR_OUTCOME_TIMEOUT : PR_OUTCOME_FAILED, err);
}

static pr_status fail_attempt(pr_run *r, unsigned rank, pr_wire_answer *a, pr_failure failure, pr_error *err) {
    uint32_t job = a->task.job;
    pr_attempt_row row = attempt_row(r, rank, a);
    pr_fate fate = pr_schedule_failed(r->schedule, pr_clock_monotonic_ns(), rank, job, a->task.attempt, failure);
    if (fate == PR_FATE_IGNORED) {
        if (failure != PR_FAILURE_CANCELLED && failure != PR_FAILURE_UNBEGUN)
            pr_run_event(r, PR_EVENT_BAD_MESSAGE, (int32_t)rank, job,
                         "a failure of rank %u that nobody waits for: %.200s", rank, a->reason);
        return PR_OK;
    }
    if (failure == PR_FAILURE_UNBEGUN) return PR_OK;
    pr_run_add_history(r, job, &row);
    r->jobs[job].cpu_fallbacks += failure == PR_FAILURE_BACKEND;
    if (failure == PR_FAILURE_BACKEND) pr_run_metrics_fallback(r->metrics);
    if (fate == PR_FATE_FAILED) return fail_job(r, rank, a, failure, err);
    if (failure == PR_FAILURE_CANCELLED) return PR_OK;
    pr_run_metrics_retry(r->metrics);
    pr_progress_retry(r->progress, id_of(r, job), a->task.attempt, a->reason,
                      pr_schedule_is_draining(r->schedule) ? "it is left for a resume" : "it is tried again");
    return PR_OK;
}

static pr_status on_answer(pr_run *r, unsigned rank, pr_wire_answer *a, pr_error *err) {
    if (!is_of_this_run(r, &a->task)) return PR_OK; /* of a manifest before */
    pr_run_job *j = &r->jobs[a->task.job];
    if (a->failure == PR_WIRE_PROVED) return on_proof(r, rank, a, err);
    bool ran = a->failure != PR_FAILURE_CANCELLED && a->failure != PR_FAILURE_UNBEGUN;
    if (ran && a->end != PR_ATTEMPT_FAILED) j->child_restarts++;
    return fail_attempt(r, rank, a, (pr_failure)a->failure, err);
}

/* ---- the rest ---- */

static void on_note(pr_run *r, unsigned rank, const pr_wire_note *n) {
    bool known = n->has_job && is_of_this_run(r, &n->task);
    if (n->task.run != r->number && n->has_job) return;
    pr_run_event(r, (pr_event_kind)n->kind, (int32_t)rank, known ? n->task.job : PR_SCHEDULE_NO_JOB, "rank %u: %.400s",
                 rank, n->text);
}

pr_status pr_run_handle(pr_run *r, unsigned rank, pr_wire *m, pr_error *err) {
    pr_status status = PR_OK;
    switch (m->type) {
    case PR_WIRE_ANSWER:
        r->at_job = m->as.answer.task.job;
        status = on_answer(r, rank, &m->as.answer, err);
        break;
    case PR_WIRE_VERDICT:
        r->at_job = m->as.verdict.task.job;
        if (is_of_this_run(r, &m->as.verdict.task)) status = pr_run_on_verdict(r, rank, &m->as.verdict, err);
        break;
    case PR_WIRE_NOTE:
        on_note(r, rank, &m->as.note);
        break;
    case PR_WIRE_PING:
        r->roll->members[rank].ping = m->as.ping;
        break;
    case PR_WIRE_READY: /* too late for this run */
    case PR_WIRE_HELLO:
    case PR_WIRE_BYE:
        break;
    default:
        pr_run_bad_message(r, rank, "a message out of place");
    }
    return status;
}
