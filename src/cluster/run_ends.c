/* The end of a job: its record, the keeper, and once it is on the disk the announcement. */
#include "base/clock.h"
#include "cluster/run.h"
#include "work/seal.h"
#include "work/work.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pr_run_event(pr_run *r, pr_event_kind kind, int32_t rank, uint32_t job, const char *format, ...) {
    char text[512];
    const char *id = job < r->manifest->n_jobs ? r->manifest->jobs[job].id : NULL;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pr_keeper_event(r->keeper, kind, rank, id, text);
    pr_progress_note(r->progress, PR_LOG_WARN, "%s%s%s", id ? id : "", id ? ": " : "", text);
}

void pr_run_charge(pr_run *r, uint64_t since_ns) {
    if (r->at_job < r->manifest->n_jobs)
        r->jobs[r->at_job].overhead_us += (float)((double)(pr_clock_monotonic_ns() - since_ns) / 1e3);
    r->at_job = PR_SCHEDULE_NO_JOB;
}

void pr_run_drop_proven(pr_run *r, uint32_t job) {
    if (!r->jobs[job].proven) return;
    pr_record_clear(r->jobs[job].proven);
    free(r->jobs[job].proven);
    r->jobs[job].proven = NULL;
}

/* Without memory the history is shorter, no more. */
void pr_run_add_history(pr_run *r, uint32_t job, const pr_attempt_row *row) {
    pr_run_job *j = &r->jobs[job];
    if (j->n_history == PR_RECORD_MAX_HISTORY) return;
    pr_attempt_row *grown = realloc(j->history, (j->n_history + 1) * sizeof *grown);
    if (!grown) return;
    j->history = grown;
    j->history[j->n_history++] = *row;
}

/* What rank 0 knows better than whoever proved. */
static pr_status complete(pr_run *r, uint32_t job, pr_record *record, pr_error *err) {
    const pr_manifest_job *m = &r->manifest->jobs[job];
    const pr_run_job *j = &r->jobs[job];
    pr_job_row *row = &record->row;
    pr_work_set_identity(row, m);
    row->attempts = pr_schedule_job_attempts(r->schedule, job);
    row->child_restarts = j->child_restarts;
    row->cpu_fallbacks = j->cpu_fallbacks;
    row->session = pr_run_file_session(r->file);
    row->expected_ms = (double)j->expected_ns / 1e6;
    if (j->queued_ns) row->queue_ms = (double)(j->queued_ns - pr_schedule_ready_ns(r->schedule, job)) / 1e6;
    row->deadline_ns = pr_run_file_deadline_ns(r->file, m);
    pr_manifest_describe_after(row->after, sizeof row->after, r->manifest, m);
    const pr_member *prover = row->prover_rank >= 0 ? &r->roll->members[row->prover_rank] : NULL;
    pr_row_set_text(row->device, sizeof row->device, row->gpu_used && prover ? prover->hello.device : "");
    for (uint32_t i = 0; i < j->n_history; i++) PR_TRY(pr_record_add_attempt(record, &j->history[i], err));
    return pr_work_add_params(record, m, err);
}

static pr_status keep_row(pr_run *r, uint32_t job, const pr_job_row *row, pr_error *err) {
    pr_job_row *copy = malloc(sizeof *copy);
    if (!copy) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job's row");
    *copy = *row;
    free(r->ended[job]);
    r->ended[job] = copy;
    return PR_OK;
}

pr_status pr_run_end_job(pr_run *r, uint32_t job, pr_record *record, pr_outcome outcome, pr_error *err) {
    record->row.outcome = outcome;
    PR_TRY(complete(r, job, record, err));
    const pr_manifest_job *m = &r->manifest->jobs[job];
    if (m->encrypt_to) PR_TRY(pr_work_seal(record, m->encrypt_key, err));
    PR_TRY(keep_row(r, job, &record->row, err));
    pr_keeper_put(r->keeper, record, job);
    r->n_unkept++;
    free(r->jobs[job].history);
    r->jobs[job].history = NULL;
    r->jobs[job].n_history = 0;
    return PR_OK;
}

pr_status pr_run_end_without(pr_run *r, uint32_t job, pr_outcome outcome, const char *reason, pr_error *err) {
    pr_record record;
    memset(&record, 0, sizeof record);
    record.row.prover_rank = record.row.verifier_rank = -1;
    record.row.lifting_log_size = -1;
    record.row.started_ns = record.row.finished_ns = pr_clock_wall_ns();
    pr_clock_iso8601(record.row.started_at, record.row.started_ns);
    pr_clock_iso8601(record.row.finished_at, record.row.finished_ns);
    pr_row_set_text(record.row.reason, sizeof record.row.reason, reason);
    pr_run_drop_proven(r, job);
    pr_status status = pr_run_end_job(r, job, &record, outcome, err);
    pr_record_clear(&record);
    return status;
}

static void announce(pr_run *r, uint32_t job) {
    pr_job_row *row = r->ended[job];
    if (!row) return;
    r->ended[job] = NULL;
    r->n_unkept--;
    r->n_failed += !pr_outcome_is_done(row->outcome);
    pr_run_metrics_job(r->metrics, row);
    pr_progress_job(r->progress, row);
    free(row);
}

pr_status pr_run_announce(pr_run *r, bool *busy, pr_error *err) {
    uint32_t job;
    while (pr_keeper_take(r->keeper, &job)) {
        uint64_t start = pr_clock_monotonic_ns();
        *busy = true;
        r->at_job = job;
        announce(r, job);
        pr_run_charge(r, start);
    }
    return pr_keeper_check(r->keeper, err);
}
