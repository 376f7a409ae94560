#include "cluster/coordinator.h"
#include "base/clock.h"
#include "cluster/progress.h"
#include "cluster/run_file.h"
#include "cluster/run_metrics.h"
#include "cluster/schedule.h"
#include "cluster/signals.h"
#include "cluster/startup.h"
#include "work/work.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_GRACE_NS 1000000000u /* after SIGTERM; mpirun kills two seconds after it */

typedef struct coordinator {
    pr_transport *t;
    const pr_run_options *o;
    const pr_manifest *manifest;
    pr_run_file *file;
    pr_schedule *schedule;
    pr_progress *progress;
    pr_run_metrics *metrics;
    pr_record **proven; /* [n_jobs] proofs that wait for their verification */
    pr_work work;
    uint64_t stop_ns; /* monotonic; 0: not asked to stop */
    size_t n_failed;
    bool abandoned;
} coordinator;

static pr_status save_metrics(coordinator *c, bool always, pr_error *err) {
    return pr_run_metrics_save(c->metrics, pr_schedule_n_queued(c->schedule), pr_schedule_n_running(c->schedule),
                               pr_store_bytes(c->file->store), always, err);
}

/* ---- the end of a job ---- */

/* On the disk first, then announced. */
static pr_status end_job(coordinator *c, uint32_t job, pr_record *record, pr_outcome outcome, pr_error *err) {
    record->row.outcome = outcome;
    record->row.attempts = c->file->attempts[job] + pr_schedule_attempts(c->schedule, job);
    PR_TRY(pr_work_add_params(record, &c->manifest->jobs[job], err));
    PR_TRY(pr_store_put(c->file->store, record, err));
    PR_TRY(pr_store_commit(c->file->store, err));
    pr_schedule_end(c->schedule, job);
    c->n_failed += !pr_outcome_is_done(outcome);
    pr_run_metrics_job(c->metrics, &record->row);
    pr_progress_job(c->progress, &record->row);
    return save_metrics(c, false, err);
}

/* Another attempt, or the end. */
static pr_status fail_job(coordinator *c, uint32_t job, pr_record *record, pr_outcome outcome, bool may_retry,
                          pr_error *err) {
    if (!may_retry || !pr_schedule_retry(c->schedule, job)) return end_job(c, job, record, outcome, err);
    pr_run_metrics_retry(c->metrics);
    pr_progress_retry(c->progress, record->row.id, pr_schedule_attempts(c->schedule, job), record->row.reason);
    return PR_OK;
}

/* ---- what ranks answer ---- */

/* Takes the record's contents. */
static pr_status on_proved(coordinator *c, unsigned rank, uint32_t job, pr_status status, pr_record *record,
                           pr_error *err) {
    pr_work_set_identity(&record->row, &c->manifest->jobs[job]);
    record->row.prover_rank = (int32_t)rank;
    if (status != PR_OK) return fail_job(c, job, record, PR_OUTCOME_FAILED, pr_work_may_retry(status), err);
    pr_record *kept = malloc(sizeof *kept);
    if (!kept) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a proof");
    *kept = *record;
    memset(record, 0, sizeof *record);
    c->proven[job] = kept;
    return PR_OK;
}

static void drop_proven(coordinator *c, uint32_t job) {
    if (!c->proven[job]) return;
    pr_record_clear(c->proven[job]);
    free(c->proven[job]);
    c->proven[job] = NULL;
}

static pr_status on_verified(coordinator *c, int rank, const pr_wire_verified *v, pr_error *err) {
    pr_record *record = c->proven[v->job];
    pr_status status;
    record->row.verifier_rank = c->t->size > 1 ? rank : -1;
    record->row.verify_ms = v->verify_ms;
    if (v->accepted) {
        record->row.state = PR_STATE_VERIFIED;
        status = end_job(c, v->job, record, c->t->size > 1 ? PR_OUTCOME_APPROVED : PR_OUTCOME_SELF_VERIFIED, err);
    } else {
        snprintf(record->row.reason, sizeof record->row.reason, "rank %d refused the proof: %.400s", rank, v->reason);
        status = fail_job(c, v->job, record, PR_OUTCOME_REJECTED, true, err);
    }
    drop_proven(c, v->job);
    return status;
}

static pr_status ignore(coordinator *c, int from, const pr_wire *m) {
    pr_progress_note(c->progress, PR_LOG_WARN, "a %s message from rank %d that nobody waits for is ignored",
                     pr_wire_type_name(m->type), from);
    return PR_OK;
}

static pr_status handle(coordinator *c, int from, pr_wire *m, pr_error *err) {
    unsigned rank = (unsigned)from;
    pr_wire_proof *p = &m->as.proof;
    pr_wire_verified *v = &m->as.verified;
    switch (m->type) {
    case PR_WIRE_PROVED:
        if (!pr_schedule_proved(c->schedule, rank, p->job, p->attempt)) return ignore(c, from, m);
        return on_proved(c, rank, p->job, (pr_status)p->status, &p->record, err);
    case PR_WIRE_VERIFIED:
        if (!pr_schedule_verified(c->schedule, rank, v->job, v->attempt)) return ignore(c, from, m);
        return on_verified(c, from, v, err);
    default:
        return ignore(c, from, m);
    }
}

/* ---- what ranks are given ---- */

static pr_status send_task(coordinator *c, unsigned rank, const pr_task *task, pr_error *err) {
    pr_wire m;
    memset(&m, 0, sizeof m);
    if (task->kind == PR_TASK_PROVE) {
        m.type = PR_WIRE_PROVE;
        m.as.prove = (pr_wire_prove){task->job, task->attempt};
    } else {
        m.type = PR_WIRE_VERIFY;
        m.as.proof.job = task->job;
        m.as.proof.attempt = task->attempt;
        m.as.proof.record = *c->proven[task->job]; /* lent: not cleared through the message */
    }
    return pr_transport_send(c->t, (int)rank, &m, err);
}

static pr_status hand_out(coordinator *c, pr_error *err) {
    for (unsigned rank = 1; rank < (unsigned)c->t->size; rank++) {
        pr_task task = pr_schedule_next(c->schedule, rank, true);
        if (task.kind != PR_TASK_NONE) PR_TRY(send_task(c, rank, &task, err));
    }
    return PR_OK;
}

/* ---- what rank 0 does itself ---- */

static pr_status verify_here(coordinator *c, const pr_task *task, pr_error *err) {
    pr_wire_verified v = {.job = task->job, .attempt = task->attempt};
    bool accepted = false;
    pr_error e = {0};
    if (pr_work_verify(&c->work, &c->manifest->jobs[task->job], c->proven[task->job], &accepted, v.reason,
                       sizeof v.reason, &v.verify_ms, &e) != PR_OK)
        pr_row_set_text(v.reason, sizeof v.reason, e.text);
    v.accepted = accepted;
    return on_verified(c, 0, &v, err);
}

/* With one rank: prove, then verify the bytes. */
static pr_status prove_here(coordinator *c, const pr_task *task, pr_error *err) {
    pr_record record;
    pr_error e = {0};
    pr_status status = pr_work_prove(&record, &c->work, &c->manifest->jobs[task->job], &e);
    PR_ASSERT(pr_schedule_proved(c->schedule, 0, task->job, task->attempt));
    pr_status told = on_proved(c, 0, task->job, status, &record, err);
    pr_record_clear(&record);
    if (told != PR_OK || status != PR_OK) return told;
    return verify_here(c, task, err);
}

static pr_status work_here(coordinator *c, bool *worked, pr_error *err) {
    pr_task task = pr_schedule_next(c->schedule, 0, c->t->size == 1);
    *worked = task.kind != PR_TASK_NONE;
    if (task.kind == PR_TASK_PROVE) return prove_here(c, &task, err);
    if (task.kind == PR_TASK_NONE) return PR_OK;
    PR_ASSERT(pr_schedule_verified(c->schedule, 0, task.job, task.attempt));
    return verify_here(c, &task, err);
}

static pr_status receive(coordinator *c, bool *got, pr_error *err) {
    int from;
    uint8_t *buffer = NULL;
    pr_wire message;
    pr_error e = {0};
    pr_status status = pr_transport_poll(c->t, got, &from, &message, &buffer, &e);
    if (status != PR_OK) return pr_fail(err, status, "%s", e.text);
    if (!*got) return PR_OK;
    status = handle(c, from, &message, err);
    pr_wire_clear(&message);
    free(buffer);
    return status;
}

/* False: what still runs is given up. */
static bool heed_signals(coordinator *c) {
    pr_stop stop = pr_signals_stop();
    uint64_t now = pr_clock_monotonic_ns();
    if (stop == PR_STOP_NONE) return true;
    if (!c->stop_ns) {
        c->stop_ns = now;
        pr_schedule_drain(c->schedule);
        pr_progress_note(c->progress, PR_LOG_WARN, "asked to stop: nothing new is started, %s",
                         stop == PR_STOP_DRAIN ? "what runs is finished" : "what runs has one second");
    }
    c->abandoned = stop == PR_STOP_SOON && now - c->stop_ns > PR_GRACE_NS;
    return !c->abandoned;
}

static pr_status run(coordinator *c, pr_error *err) {
    while (heed_signals(c) && !pr_schedule_is_over(c->schedule)) {
        bool got = false, worked = false;
        PR_TRY(receive(c, &got, err));
        PR_TRY(hand_out(c, err));
        if (!got) PR_TRY(work_here(c, &worked, err));
        pr_progress_tick(c->progress, pr_schedule_n_running(c->schedule));
        PR_TRY(save_metrics(c, false, err));
        if (!got && !worked && !pr_schedule_is_over(c->schedule)) pr_transport_idle(c->t);
    }
    return PR_OK;
}

/* ---- the whole ---- */

static pr_status end_run(coordinator *c, int *exit_code, pr_error *err) {
    size_t n = c->manifest->n_jobs;
    bool complete = pr_schedule_n_ended(c->schedule) == n;
    const char *status = !complete ? "interrupted" : c->n_failed ? "incomplete" : "complete";
    pr_run_metrics_complete(c->metrics, complete && !c->n_failed);
    PR_TRY(save_metrics(c, true, err));
    pr_progress_summary(c->progress, status);
    if (!complete) pr_progress_note(c->progress, PR_LOG_WARN, "go on with --resume %s", c->file->run_id);
    *exit_code = !complete ? 75 : c->n_failed ? 1 : 0;
    return pr_run_file_end(c->file, status, err);
}

static pr_status run_and_end(coordinator *c, int *exit_code, pr_error *err) {
    PR_TRY(run(c, err));
    return end_run(c, exit_code, err);
}

static pr_status with_metrics(coordinator *c, int *exit_code, pr_error *err) {
    char path[1100];
    pr_run_metrics metrics;
    snprintf(path, sizeof path, "%s", c->o->metrics_path ? c->o->metrics_path : c->file->path);
    if (!c->o->metrics_path) memcpy(path + strlen(path) - 3, ".prom", 6); /* for .h5 */
    PR_TRY(pr_run_metrics_init(&metrics, path, c->manifest->n_jobs, (unsigned)c->t->size, err));
    c->metrics = &metrics;
    pr_status status = run_and_end(c, exit_code, err);
    pr_run_metrics_clear(&metrics);
    return status;
}

static pr_status with_schedule(coordinator *c, int *exit_code, pr_error *err) {
    pr_progress progress;
    PR_TRY(pr_schedule_create(&c->schedule, c->manifest->jobs, c->manifest->n_jobs, c->file->done, (unsigned)c->t->size,
                              err));
    c->proven = calloc(c->manifest->n_jobs, sizeof(pr_record *));
    pr_progress_init(&progress, c->o->log, c->manifest->n_jobs, c->file->n_done);
    c->progress = &progress;
    pr_status status = c->proven ? with_metrics(c, exit_code, err)
                                 : pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu jobs", c->manifest->n_jobs);
    for (uint32_t i = 0; c->proven && i < c->manifest->n_jobs; i++) drop_proven(c, i);
    c->abandoned |= pr_schedule_n_running(c->schedule) > 0;
    free(c->proven);
    pr_progress_clear(&progress);
    pr_schedule_destroy(c->schedule);
    return status;
}

static pr_status with_file(coordinator *c, int *exit_code, const pr_host *host, pr_error *err) {
    pr_startup startup;
    PR_TRY(pr_startup_ranks(&startup, c->t, c->manifest, &c->file->manifest_digest, host, err));
    const pr_run_place place = {(unsigned)c->t->size, startup.threads, startup.hosts, startup.topology};
    pr_status status = pr_run_file_begin(c->file, c->o, c->manifest, &place, err);
    pr_startup_clear(&startup);
    return status == PR_OK ? with_schedule(c, exit_code, err) : status;
}

static pr_status with_manifest(coordinator *c, int *exit_code, char *path, size_t path_size, const pr_host *host,
                               pr_error *err) {
    pr_run_file file;
    PR_TRY(pr_run_file_open(&file, c->o, c->manifest, err));
    snprintf(path, path_size, "%s", file.path);
    c->file = &file;
    c->work = (pr_work){c->o->backend, host->threads, host->max_bytes, 0, host->host, &file.manifest_digest};
    pr_status status = with_file(c, exit_code, host, err);
    pr_run_file_clear(&file);
    return status;
}

pr_status pr_coordinator_run(int *exit_code, bool *abandoned, char *path, size_t path_size, pr_transport *t,
                             const pr_run_options *o, const pr_host *host, pr_error *err) {
    coordinator c = {.t = t, .o = o};
    pr_manifest manifest;
    *abandoned = false;
    path[0] = 0;
    PR_TRY(pr_startup_manifest(&manifest, o, err));
    c.manifest = &manifest;
    pr_status status = with_manifest(&c, exit_code, path, path_size, host, err);
    pr_manifest_clear(&manifest);
    *abandoned = c.abandoned;
    return status;
}
