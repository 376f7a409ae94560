#include "cluster/coordinator.h"
#include "base/clock.h"
#include "cluster/allotment.h"
#include "cluster/run.h"
#include "cluster/signals.h"
#include "cluster/startup.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_FLUSH_NS ((uint64_t)5 * 1000000000u)
#define PR_GRACE_MPIRUN_NS ((uint64_t)1 * 1000000000u) /* mpirun kills two seconds after its SIGTERM */
#define PR_GRACE_NS ((uint64_t)10 * 1000000000u)
#define PR_DRAIN_MARGIN_NS ((uint64_t)60 * 1000000000u)
#define PR_GIVE_UP_NS ((uint64_t)3 * 1000000000u) /* after what ran was cancelled */
#define PR_BATCH_NS ((uint64_t)5 * 1000000000u)
#define PR_BATCH_SLOW_NS ((uint64_t)60 * 1000000000u) /* while all ranks answer */
#define PR_MAX_MESSAGES 64u                           /* a turn */

/* ---- a turn ---- */

static pr_status receive_one(pr_run *r, pr_leader *l, bool *got, pr_error *err) {
    int from;
    pr_wire m;
    uint8_t *buffer;
    pr_error bad = {0};
    PR_TRY(pr_leader_poll(l, got, &from, &m, &buffer, &bad, err));
    if (!*got) {
        if (from >= 0) pr_run_bad_message(r, (unsigned)from, bad.text);
        *got = from >= 0;
        return PR_OK;
    }
    if (m.type == PR_WIRE_PING) r->roll->members[from].ping = m.as.ping;
    pr_run_heard(r, (unsigned)from);
    pr_status status = pr_run_handle(r, (unsigned)from, &m, err);
    pr_wire_clear(&m);
    free(buffer);
    pr_run_charge(r, l->message_ns);
    return status;
}

static pr_status receive(pr_run *r, pr_leader *l, bool *busy, pr_error *err) {
    bool got = true;
    for (unsigned i = 0; i < PR_MAX_MESSAGES && got; i++) {
        PR_TRY(receive_one(r, l, &got, err));
        *busy |= got;
    }
    return PR_OK;
}

static pr_status save_metrics(pr_run *r, bool always, pr_error *err) {
    const pr_schedule *s = r->schedule;
    size_t running = pr_schedule_count(s, PR_JOB_PROVING) + pr_schedule_count(s, PR_JOB_PROVEN) +
                     pr_schedule_count(s, PR_JOB_VERIFYING);
    size_t ended = pr_schedule_count(s, PR_JOB_DONE) + pr_schedule_count(s, PR_JOB_FAILED);
    pr_progress_tick(r->progress, running, (double)pr_schedule_remaining_ns(s) / 1e9);
    return pr_run_metrics_save(r->metrics, r->keeper, pr_worker_voter(r->worker), r->manifest->n_jobs - ended - running,
                               running, always, err);
}

/* Nothing rests on the textfile: that it cannot be written is told, once, and again when it can. */
static bool metrics_have_changed(pr_run *r, char *text, size_t size) {
    char why[400];
    bool fail = pr_keeper_file_error(r->keeper, why, sizeof why);
    if (fail == r->metrics_fail) return false;
    r->metrics_fail = fail;
    snprintf(text, size,
             fail ? "the metrics are not written, the run goes on without them: %s" : "the metrics are written again%s",
             why);
    return true;
}

static void watch_metrics(pr_run *r) {
    char text[512];
    if (metrics_have_changed(r, text, sizeof text)) pr_run_event(r, PR_EVENT_NOTE, 0, PR_SCHEDULE_NO_JOB, "%s", text);
}

static pr_status turn(pr_run *r, pr_leader *l, bool *busy, pr_error *err) {
    uint64_t start = pr_clock_monotonic_ns();
    PR_TRY(receive(r, l, busy, err));
    PR_TRY(pr_worker_tick(l->worker, busy, err));
    PR_TRY(pr_run_heed_votes(r, busy, err));
    PR_TRY(pr_run_announce(r, busy, err));
    PR_TRY(pr_run_watch_ranks(r, err));
    PR_TRY(pr_run_hand_out(r, busy, err));
    PR_TRY(pr_run_notices(r, busy, err));
    PR_TRY(save_metrics(r, false, err));
    watch_metrics(r);
    if (pr_signals_take_status()) pr_run_status(r);
    uint64_t took = pr_clock_monotonic_ns() - start;
    if (took > r->longest_pause_ns) r->longest_pause_ns = took;
    return PR_OK;
}

static void rest(pr_run *r, pr_leader *l) {
    struct pollfd fds[PR_WORKER_MAX_FDS + 2];
    size_t n = pr_worker_fds(l->worker, fds);
    fds[n++] = (struct pollfd){pr_examiner_fd(r->examiner), POLLIN, 0};
    fds[n++] = (struct pollfd){pr_keeper_fd(r->keeper), POLLIN, 0};
    pr_worker_wait(fds, n, pr_transport_pause_ms(r->t));
}

/* ---- asked to end ---- */

static uint64_t grace_ns(const pr_run *r) {
    if (r->o->grace_ns) return r->o->grace_ns;
    return getenv("OMPI_MCA_orte_hnp_uri") ? PR_GRACE_MPIRUN_NS : PR_GRACE_NS;
}

static void begin_drain(pr_run *r, const char *why, const char *rest_of_it) {
    if (r->draining) return;
    r->draining = true;
    pr_schedule_drain(r->schedule);
    pr_run_event(r, PR_EVENT_DRAIN, -1, PR_SCHEDULE_NO_JOB, "%s: nothing new is started, %s", why, rest_of_it);
}

static void heed_signals(pr_run *r, uint64_t now) {
    char text[64];
    pr_ask asked = pr_signals_asked();
    if (asked == PR_ASK_NONE) return;
    if (asked == PR_ASK_DRAIN) {
        begin_drain(r, "asked to drain", "what runs is finished");
        return;
    }
    if (r->stop_ns) return;
    r->stop_ns = now;
    snprintf(text, sizeof text, "what runs has %.0f s", (double)grace_ns(r) / 1e9);
    begin_drain(r, "asked to stop", text);
}

/* A quarter of the margin is left for the last answers and the files. */
static bool is_cancel_due(const pr_run *r, uint64_t now) {
    if (r->quorum_lost || r->lie_found || (r->stop_ns && now - r->stop_ns >= grace_ns(r))) return true;
    return r->end_ns && now + r->drain_margin_ns / 4 >= r->end_ns;
}

/* *given_up: those who prove do not even answer that they stopped. */
static pr_status heed_time(pr_run *r, bool *given_up, pr_error *err) {
    uint64_t now = pr_clock_monotonic_ns();
    heed_signals(r, now);
    if (r->cancelled_ns) {
        *given_up = now - r->cancelled_ns > PR_GIVE_UP_NS;
        return PR_OK;
    }
    if (!is_cancel_due(r, now)) return PR_OK;
    r->cancelled_ns = now;
    begin_drain(r,
                r->quorum_lost ? "too many ranks are lost for a quorum"
                : r->lie_found ? "a rank has lied, and the configuration says `evidence: abort`"
                : r->stop_ns   ? "asked to stop"
                               : r->end_what,
                "what runs is given up");
    pr_run_event(r, PR_EVENT_STOP, -1, PR_SCHEDULE_NO_JOB, "what runs is given up");
    return pr_run_cancel_all(r, err);
}

static pr_status turn_or_rest(pr_run *r, pr_leader *l, pr_error *err) {
    bool busy = false;
    PR_TRY(turn(r, l, &busy, err));
    if (busy)
        pr_transport_busy(r->t);
    else
        rest(r, l);
    return PR_OK;
}

static pr_status loop(pr_run *r, pr_leader *l, pr_error *err) {
    bool given_up = false;
    while (!given_up && !(pr_schedule_is_over(r->schedule) && r->n_unkept == 0)) {
        PR_TRY(heed_time(r, &given_up, err));
        PR_TRY(turn_or_rest(r, l, err));
    }
    return PR_OK;
}

/* Where a rank is silent or was removed there may be no quorum to come. */
static bool may_sign_yet(const pr_run *r, uint64_t begin_ns) {
    bool all = pr_roll_n_missing(r->roll) == 0;
    for (unsigned rank = 0; rank < r->roll->n; rank++) all &= !r->roll->members[rank].removed;
    return !r->has_batch && pr_clock_monotonic_ns() - begin_ns < (all ? PR_BATCH_SLOW_NS : PR_BATCH_NS);
}

/* All jobs have ended: a quorum signs what came of them. Without it the run is complete all the same. */
static pr_status sign_outcomes(pr_run *r, pr_leader *l, pr_error *err) {
    size_t ended = pr_schedule_count(r->schedule, PR_JOB_DONE) + pr_schedule_count(r->schedule, PR_JOB_FAILED);
    uint64_t begin_ns = pr_clock_monotonic_ns();
    if (ended < r->manifest->n_jobs || pr_schedule_count(r->schedule, PR_JOB_DONE) == 0) return PR_OK;
    PR_TRY(pr_run_close_votes(r, err));
    while (may_sign_yet(r, begin_ns)) PR_TRY(turn_or_rest(r, l, err));
    if (!r->has_batch)
        pr_run_event(r, PR_EVENT_NOTE, -1, PR_SCHEDULE_NO_JOB, "no quorum has signed the outcomes of the run in time");
    return PR_OK;
}

/* ---- the end of a run ---- */

static int compare_floats(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* What rank 0's main thread spent on a job, microseconds; 0 without memory. */
static double median_overhead(const pr_run *r) {
    size_t n = 0;
    float *all = malloc(r->manifest->n_jobs * sizeof *all + 1), median = 0;
    for (size_t i = 0; all && i < r->manifest->n_jobs; i++)
        if (r->jobs[i].overhead_us > 0) all[n++] = r->jobs[i].overhead_us;
    if (n) {
        qsort(all, n, sizeof *all, compare_floats);
        median = all[n / 2];
    }
    free(all);
    return median;
}

static void tell_load(const pr_run *r, const pr_leader *l) {
    pr_keeper_stats k = pr_keeper_get_stats(r->keeper);
    pr_progress_note(r->progress, PR_LOG_INFO,
                     "rank 0: %.3f ms a job (median), %.3f ms of the consensus, %.3f ms of the writing thread, longest "
                     "pause %.1f ms, longest "
                     "fsync %.1f ms, longest flush %.1f ms, journal %.1f MB, results %.1f MB, %.1f MB of memory",
                     median_overhead(r) / 1e3, k.records ? (double)l->voter_ns / 1e6 / (double)k.records : 0,
                     k.records ? (double)k.cpu_ns / 1e6 / (double)k.records : 0, (double)r->longest_pause_ns / 1e6,
                     (double)k.longest_commit_ns / 1e6, (double)k.longest_flush_ns / 1e6, (double)k.journal_bytes / 1e6,
                     (double)k.file_bytes / 1e6, (double)pr_peak_rss_bytes() / 1e6);
}

static pr_status end_run(pr_run *r, const pr_leader *l, pr_run_report *report, pr_error *err) {
    size_t n = r->manifest->n_jobs, done = pr_schedule_count(r->schedule, PR_JOB_DONE);
    size_t failed = pr_schedule_count(r->schedule, PR_JOB_FAILED);
    char text[512];
    bool complete = done + failed == n;
    report->status = !complete ? "interrupted" : failed ? "incomplete" : "complete";
    report->exit_code = !complete ? 75 : failed ? 1 : 0;
    report->n_done = done;
    report->n_failed = failed;
    if (!complete && r->end_ns && !r->draining) begin_drain(r, r->end_what, "for what is left would not end before it");
    pr_run_metrics_complete(r->metrics, complete && !failed);
    PR_TRY(save_metrics(r, true, err));
    PR_TRY(pr_keeper_finish(r->keeper, err));
    if (metrics_have_changed(r, text, sizeof text)) pr_progress_note(r->progress, PR_LOG_WARN, "%s", text);
    pr_progress_summary(r->progress, report->status, failed);
    tell_load(r, l);
    if (!complete) pr_progress_note(r->progress, PR_LOG_WARN, "go on with --resume %s", r->file->run_id);
    return pr_run_file_end(r->file, report->status, err);
}

static pr_status loop_and_end(pr_run *r, pr_leader *l, pr_run_report *report, pr_error *err) {
    PR_TRY(pr_run_recall_votes(r, err));
    PR_TRY(loop(r, l, err));
    PR_TRY(sign_outcomes(r, l, err));
    return end_run(r, l, report, err);
}

/* ---- what a run needs, from the inside out ---- */

static void free_jobs(pr_run *r) {
    for (uint32_t i = 0; i < r->manifest->n_jobs; i++) {
        if (r->jobs) pr_run_drop_proven(r, i);
        if (r->jobs) free(r->jobs[i].history);
        if (r->ended) free(r->ended[i]);
    }
    free(r->jobs);
    free(r->ended);
}

static pr_status with_schedule(pr_run *r, pr_leader *l, pr_run_report *report, pr_error *err) {
    r->jobs = calloc(r->manifest->n_jobs, sizeof *r->jobs);
    r->ended = calloc(r->manifest->n_jobs, sizeof *r->ended);
    pr_status status = r->jobs && r->ended
                           ? pr_startup_schedule(&r->schedule, r, err)
                           : pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu jobs", r->manifest->n_jobs);
    if (status == PR_OK) status = loop_and_end(r, l, report, err);
    pr_schedule_destroy(r->schedule);
    free_jobs(r);
    return status;
}

/* Room for every proof that can be on its way: run_tasks.c bounds them. */
static pr_status with_examiner(pr_run *r, pr_leader *l, pr_run_report *report, pr_error *err) {
    r->work = (pr_work){.manifest_digest = &r->file->manifest_digest};
    PR_TRY(pr_examiner_create(&r->examiner, 1, UINT32_MAX, err));
    pr_status status = with_schedule(r, l, report, err);
    pr_examiner_destroy(r->examiner);
    return status;
}

static pr_status with_keeper(pr_run *r, pr_leader *l, pr_run_report *report, pr_error *err) {
    PR_TRY(pr_keeper_create(&r->keeper, r->file->store, PR_FLUSH_NS, err));
    pr_status status = with_examiner(r, l, report, err);
    pr_keeper_destroy(r->keeper);
    return status;
}

static pr_status with_metrics(pr_run *r, pr_leader *l, pr_run_report *report, pr_error *err) {
    char path[1100];
    pr_run_metrics metrics;
    pr_progress progress;
    snprintf(path, sizeof path, "%s", r->o->metrics_path ? r->o->metrics_path : r->file->path);
    if (!r->o->metrics_path) memcpy(path + strlen(path) - 3, ".prom", 6); /* for .h5 */
    PR_TRY(pr_run_metrics_init(&metrics, path, r->manifest->n_jobs, r->roll->n, err));
    pr_metrics_add(metrics.registry, metrics.registered, NULL, NULL, r->roster->n - r->roster->n_earlier);
    pr_progress_init(&progress, r->o->log, r->manifest->n_jobs, r->file->n_done + r->file->n_failed, r->file->n_failed);
    r->metrics = &metrics;
    r->progress = &progress;
    pr_status status = with_keeper(r, l, report, err);
    pr_progress_clear(&progress);
    pr_run_metrics_clear(&metrics);
    return status;
}

static pr_status with_roster(pr_run *r, pr_leader *l, pr_run_report *report, pr_error *err) {
    pr_run_place place = {.ranks = r->roll->n, .topology = l->seat->topology};
    char hosts[512];
    pr_startup_place(l, hosts, sizeof hosts, &place.threads);
    place.hosts = hosts;
    PR_TRY(pr_roster_annotate(r->roster, r->file, err));
    PR_TRY(pr_run_file_begin(r->file, r->o, r->manifest, &place, err));
    PR_TRY(pr_roster_record(r->roster, r->file->run_id, err));
    PR_TRY(pr_startup_roster(l, r->roster, err));
    return with_metrics(r, l, report, err);
}

static pr_status with_file(pr_run *r, pr_leader *l, pr_run_report *report, pr_error *err) {
    pr_roster roster;
    PR_TRY(pr_startup_ranks(l, r->manifest, r->file, err));
    r->number = l->n_runs;
    r->worker = l->worker;
    PR_TRY(pr_roster_make(&roster, l, r->file, err));
    r->roster = &roster;
    r->aborts_on_evidence = r->o->votes && r->o->votes->evidence == PR_EVIDENCE_ABORT;
    pr_run_befriend_voter(r);
    pr_status status = with_roster(r, l, report, err);
    pr_run_leave_voter(r);
    pr_roster_clear(&roster);
    return status;
}

/* Most of a short allotment is left for proofs. */
static uint64_t default_margin_ns(uint64_t end_ns) {
    uint64_t now = pr_clock_monotonic_ns(), part = end_ns > now ? (end_ns - now) / 8 : 0;
    return part < PR_DRAIN_MARGIN_NS ? part + 1 : PR_DRAIN_MARGIN_NS;
}

static void find_end(pr_run *r) {
    pr_allotment a;
    pr_error e = {0};
    if (pr_allotment_find(&a, r->o->max_time_ns, &e) != PR_OK) return;
    if (e.text[0]) pr_log(PR_LOG_WARN, "run", "%s", e.text);
    r->end_ns = a.end_ns;
    r->end_what = a.what;
    r->drain_margin_ns = r->o->drain_margin_ns;
    if (!r->drain_margin_ns) r->drain_margin_ns = default_margin_ns(a.end_ns);
}

static pr_status with_manifest(pr_run *r, pr_leader *l, pr_run_report *report,
                               void (*begun)(void *context, const pr_run_report *report), void *context,
                               pr_error *err) {
    pr_run_file file;
    PR_TRY(pr_run_file_open(&file, r->o, r->manifest, err));
    snprintf(report->results, sizeof report->results, "%s", file.path);
    snprintf(report->run_id, sizeof report->run_id, "%s", file.run_id);
    report->n_jobs = r->manifest->n_jobs;
    report->n_done = file.n_done;
    report->n_failed = file.n_failed;
    report->status = "running";
    if (begun) begun(context, report);
    r->file = &file;
    find_end(r);
    pr_status status = with_file(r, l, report, err);
    pr_run_file_clear(&file);
    return status;
}

pr_status pr_coordinator_run(pr_run_report *report, pr_leader *l, const pr_run_options *o,
                             void (*begun)(void *context, const pr_run_report *report), void *context, pr_error *err) {
    pr_run r = {.t = l->t, .o = o, .roll = &l->roll, .at_job = PR_SCHEDULE_NO_JOB};
    pr_manifest manifest;
    memset(report, 0, sizeof *report);
    report->status = "refused";
    report->exit_code = -1;
    r.started_ns = pr_clock_monotonic_ns();
    PR_TRY(pr_startup_manifest(&manifest, o, err));
    r.manifest = &manifest;
    report->status = "error";
    pr_status status = with_manifest(&r, l, report, begun, context, err);
    pr_manifest_clear(&manifest);
    return status;
}
