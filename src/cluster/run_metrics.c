#include "cluster/run_metrics.h"
#include "base/clock.h"
#include "cluster/voter.h"
#include <stdio.h>
#include <string.h>

#define PR_SAVE_NS 10000000000u
#define PR_SAMPLE_NS 60000000000u

static pr_metric counter(pr_run_metrics *m, const char *name, const char *help) {
    return pr_metrics_add_family(m->registry, name, help, PR_METRIC_COUNTER);
}

static pr_metric gauge(pr_run_metrics *m, const char *name, const char *help) {
    return pr_metrics_add_family(m->registry, name, help, PR_METRIC_GAUGE);
}

static pr_metric histogram(pr_run_metrics *m, const char *name, const char *help) {
    return pr_metrics_add_family(m->registry, name, help, PR_METRIC_HISTOGRAM);
}

static void add_consensus(pr_run_metrics *m) {
    m->votes = counter(m, "proverun_consensus_votes_total", "Votes that rank 0 has counted, by validator.");
    m->rounds = counter(m, "proverun_consensus_rounds_total", "Rounds that ended, by outcome.");
    m->fraud = counter(m, "proverun_consensus_fraud_detected_total", "Evidence of fraud that holds, by kind.");
    m->registered = counter(m, "proverun_consensus_validators_registered_total", "Validators registered.");
    m->removed = counter(m, "proverun_consensus_validators_removed_total", "Validators removed, by reason.");
    m->view_changes = counter(m, "proverun_consensus_view_changes_total", "Changes of the leader, by reason.");
    m->refused = counter(m, "proverun_consensus_messages_refused_total", "Messages without effect, by reason.");
    m->persistence = counter(m, "proverun_consensus_persistence_operations_total",
                             "Records of rank 0's votes that were appended, and syncs, by operation and status.");
    m->validators = gauge(m, "proverun_consensus_active_validators", "Validators that may vote.");
    m->pending_votes = gauge(m, "proverun_consensus_pending_votes", "Votes in rounds that are open.");
    m->view = gauge(m, "proverun_consensus_current_view", "The view that rank 0 is in.");
    m->vote_time = histogram(m, "proverun_consensus_vote_duration_seconds",
                             "From rank 0 being asked to judge a proof to its verdict.");
    m->finalization_time = histogram(m, "proverun_consensus_finalization_duration_seconds",
                                     "From a proof's arrival at rank 0 to the decision on it, by outcome.");
    m->persistence_time =
        histogram(m, "proverun_consensus_persistence_duration_seconds", "Time of what went well, by operation.");
}

/* What has not happened yet is there as a zero. */
static void begin_consensus(pr_run_metrics *m) {
    pr_metrics *r = m->registry;
    pr_metrics_set(r, m->registered, NULL, NULL, 0);
    for (uint32_t i = PR_ROUND_OPEN + 1; i < PR_ROUND_OUTCOMES; i++)
        pr_metrics_set(r, m->rounds, "outcome", pr_round_outcome_name((pr_round_outcome)i), 0);
    for (uint32_t i = 0; i < PR_VIEW_REASONS; i++)
        pr_metrics_set(r, m->view_changes, "reason", pr_view_reason_name((pr_view_reason)i), 0);
    for (uint32_t i = 0; i < PR_REFUSALS; i++)
        pr_metrics_set(r, m->refused, "reason", pr_refusal_name((pr_refusal)i), 0);
    for (uint32_t i = PR_EVIDENCE_EQUIVOCATION; i <= PR_EVIDENCE_INVALID_PROOF; i++)
        pr_metrics_set(r, m->fraud, "kind", pr_evidence_kind_name((pr_evidence_kind)i), 0);
    for (uint32_t i = PR_REMOVAL_NONE + 1; i < PR_REMOVAL_AWAY; i++)
        pr_metrics_set(r, m->removed, "reason", pr_removal_name((pr_removal)i), 0);
}

static void add_families(pr_run_metrics *m) {
    m->build = gauge(m, "proverun_build_info", "The program that wrote this, by version.");
    m->jobs_in_manifest = gauge(m, "proverun_manifest_jobs", "Jobs of the manifest.");
    m->ranks = gauge(m, "proverun_ranks", "Ranks of the run.");
    m->jobs = counter(m, "proverun_jobs_total", "Jobs that ended in this session, by outcome.");
    m->queued = gauge(m, "proverun_jobs_queued", "Jobs that wait for a rank.");
    m->running = gauge(m, "proverun_jobs_running", "Jobs that are proven or verified now.");
    m->attempts = counter(m, "proverun_attempts_total", "Attempts of jobs that ended.");
    m->retries = counter(m, "proverun_retries_total", "Attempts that failed and were followed by another.");
    m->fallbacks = counter(m, "proverun_backend_failures_total",
                           "Attempts that a rank's device, or backend, failed: the processor takes over.");
    m->drained = counter(m, "proverun_backends_drained_total", "Ranks that prove on the processor from then on.");
    m->prove_seconds = counter(m, "proverun_prove_seconds_total", "Time of provers on accepted proofs.");
    m->verify_seconds = counter(m, "proverun_verify_seconds_total", "Time of verifications, by who verified.");
    m->stage_seconds = counter(m, "proverun_stage_seconds_total", "Time of provers on accepted proofs, by stage.");
    m->proof_bytes = counter(m, "proverun_proof_bytes_total", "Bytes of accepted proofs, by encoding.");
    m->insecure = counter(m, "proverun_insecure_results_total", "Accepted proofs with less than 96 bits.");
    m->large = counter(m, "proverun_large_proofs_total", "Accepted proofs above 256 KiB compressed.");
    m->file_bytes = gauge(m, "proverun_results_file_bytes", "Size of the results file.");
    m->journal_bytes = gauge(m, "proverun_journal_bytes", "Size of the journal.");
    m->write_errors = counter(m, "proverun_metrics_write_errors_total", "Times that this file could not be written.");
    m->complete = gauge(m, "proverun_run_complete", "1 when every job of the manifest is done.");
    add_consensus(m);
    m->last_update =
        gauge(m, "proverun_last_update_timestamp_seconds", "When this file was written, seconds since 1970.");
}

pr_status pr_run_metrics_init(pr_run_metrics *m, const char *path, size_t n_jobs, unsigned n_ranks, pr_error *err) {
    memset(m, 0, sizeof *m);
    m->registry = pr_metrics_create();
    if (!m->registry) return pr_fail(err, PR_ERR_MEMORY, "out of memory for metrics");
    snprintf(m->path, sizeof m->path, "%s", path);
    add_families(m);
    pr_metrics_set(m->registry, m->build, "version", PR_VERSION, 1);
    pr_metrics_set(m->registry, m->jobs_in_manifest, NULL, NULL, (double)n_jobs);
    pr_metrics_set(m->registry, m->ranks, NULL, NULL, n_ranks);
    pr_metrics_set(m->registry, m->complete, NULL, NULL, 0);
    pr_metrics_set(m->registry, m->retries, NULL, NULL, 0);
    pr_metrics_set(m->registry, m->fallbacks, NULL, NULL, 0);
    pr_metrics_set(m->registry, m->drained, NULL, NULL, 0);
    for (uint32_t o = PR_OUTCOME_NONE + 1; o < PR_OUTCOME_COUNT; o++)
        pr_metrics_set(m->registry, m->jobs, "outcome", pr_outcome_name(o), 0);
    begin_consensus(m);
    return PR_OK;
}

void pr_run_metrics_clear(pr_run_metrics *m) {
    pr_metrics_destroy(m->registry);
    m->registry = NULL;
}

static void add_stages(pr_run_metrics *m, const pr_job_row *row) {
    const struct {
        const char *name;
        double ms;
    } stages[] = {{"trace", row->trace_ms},
                  {"extend", row->extend_ms},
                  {"merkle", row->merkle_ms},
                  {"lookups", row->lookups_ms},
                  {"composition", row->composition_ms},
                  {"samples", row->samples_ms},
                  {"quotients", row->quotients_ms},
                  {"fri", row->fri_ms},
                  {"grind", row->grind_ms},
                  {"open", row->open_ms}};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        pr_metrics_add(m->registry, m->stage_seconds, "stage", stages[i].name, stages[i].ms / 1e3);
}

void pr_run_metrics_job(pr_run_metrics *m, const pr_job_row *row) {
    pr_metrics *r = m->registry;
    pr_metrics_add(r, m->jobs, "outcome", pr_outcome_name(row->outcome), 1);
    pr_metrics_add(r, m->attempts, NULL, NULL, row->attempts);
    if (!pr_outcome_is_done(row->outcome)) return;
    pr_metrics_add(r, m->prove_seconds, NULL, NULL, row->prove_ms / 1e3);
    pr_metrics_add(r, m->verify_seconds, "verifier", "prover", row->self_verify_ms / 1e3);
    pr_metrics_add(r, m->verify_seconds, "verifier", "other", row->verify_ms / 1e3);
    pr_metrics_add(r, m->proof_bytes, "encoding", "json", (double)row->proof_json_bytes);
    pr_metrics_add(r, m->proof_bytes, "encoding", "binary", (double)row->proof_bytes);
    pr_metrics_add(r, m->proof_bytes, "encoding", "stored", (double)row->proof_compressed_bytes);
    pr_metrics_add(r, m->insecure, NULL, NULL, row->insecure);
    pr_metrics_add(r, m->large, NULL, NULL, row->flagged_large);
    add_stages(m, row);
}

static void count_validator(pr_run_metrics *m, uint32_t validator) {
    char index[16];
    snprintf(index, sizeof index, "%u", validator);
    pr_metrics_add(m->registry, m->votes, "validator", index, 1);
}

static void count(pr_run_metrics *m, const pr_voter_event *e) {
    pr_metrics *r = m->registry;
    switch (e->metric) {
    case PR_COUNT_VOTE:
        count_validator(m, e->label);
        break;
    case PR_COUNT_ROUND:
        pr_metrics_add(r, m->rounds, "outcome", pr_round_outcome_name((pr_round_outcome)e->label), 1);
        break;
    case PR_COUNT_FRAUD:
        pr_metrics_add(r, m->fraud, "kind", pr_evidence_kind_name((pr_evidence_kind)e->label), 1);
        break;
    case PR_COUNT_REMOVED:
        pr_metrics_add(r, m->removed, "reason", pr_removal_name((pr_removal)e->label), 1);
        break;
    case PR_COUNT_VIEW_CHANGE:
        pr_metrics_add(r, m->view_changes, "reason", pr_view_reason_name((pr_view_reason)e->label), 1);
        break;
    case PR_COUNT_REFUSED:
        pr_metrics_add(r, m->refused, "reason", pr_refusal_name((pr_refusal)e->label), 1);
        break;
    }
}

void pr_run_metrics_consensus(pr_run_metrics *m, const pr_voter_event *e) {
    if (e->kind == PR_VOTER_COUNT) count(m, e);
    if (e->kind == PR_VOTER_VOTED) pr_metrics_observe(m->registry, m->vote_time, NULL, NULL, e->ns);
}

void pr_run_metrics_finalized(pr_run_metrics *m, pr_outcome outcome, uint64_t ns) {
    pr_metrics_observe(m->registry, m->finalization_time, "outcome", pr_outcome_name(outcome), ns);
}

static void set_persistence(pr_run_metrics *m, const char *operation, const pr_histogram *times, uint64_t failed) {
    const pr_metric_label good[] = {{"operation", operation}, {"status", "ok"}};
    const pr_metric_label bad[] = {{"operation", operation}, {"status", "error"}};
    pr_metrics_set_pair(m->registry, m->persistence, good, (double)pr_histogram_count(times));
    pr_metrics_set_pair(m->registry, m->persistence, bad, (double)failed);
    pr_metrics_set_histogram(m->registry, m->persistence_time, "operation", operation, times);
}

static void set_consensus(pr_run_metrics *m, const pr_voter *voter) {
    const pr_consensus *c = pr_voter_consensus(voter);
    const pr_votelog_stats log = pr_voter_log_stats(voter);
    set_persistence(m, "append", &log.append_times, log.failed_appends);
    set_persistence(m, "sync", &log.sync_times, log.failed_syncs);
    pr_metrics_set(m->registry, m->validators, NULL, NULL, pr_consensus_registry(c)->n_active);
    pr_metrics_set(m->registry, m->pending_votes, NULL, NULL, (double)pr_consensus_pending_votes(c));
    pr_metrics_set(m->registry, m->view, NULL, NULL, (double)pr_consensus_view(c));
}

void pr_run_metrics_retry(pr_run_metrics *m) { pr_metrics_add(m->registry, m->retries, NULL, NULL, 1); }
void pr_run_metrics_fallback(pr_run_metrics *m) { pr_metrics_add(m->registry, m->fallbacks, NULL, NULL, 1); }
void pr_run_metrics_drained(pr_run_metrics *m) { pr_metrics_add(m->registry, m->drained, NULL, NULL, 1); }

void pr_run_metrics_complete(pr_run_metrics *m, bool complete) {
    pr_metrics_set(m->registry, m->complete, NULL, NULL, complete);
}

static void sample(pr_run_metrics *m, pr_keeper *keeper, size_t n_queued, size_t n_running) {
    char series[96];
    for (uint32_t o = PR_OUTCOME_NONE + 1; o < PR_OUTCOME_COUNT; o++) {
        snprintf(series, sizeof series, "proverun_jobs_total{outcome=\"%s\"}", pr_outcome_name(o));
        pr_keeper_sample(keeper, series, pr_metrics_get(m->registry, m->jobs, "outcome", pr_outcome_name(o)));
    }
    pr_keeper_sample(keeper, "proverun_jobs_queued", (double)n_queued);
    pr_keeper_sample(keeper, "proverun_jobs_running", (double)n_running);
}

static void set_gauges(pr_run_metrics *m, pr_keeper *keeper, size_t n_queued, size_t n_running) {
    pr_keeper_stats k = pr_keeper_get_stats(keeper);
    pr_metrics_set(m->registry, m->queued, NULL, NULL, (double)n_queued);
    pr_metrics_set(m->registry, m->running, NULL, NULL, (double)n_running);
    pr_metrics_set(m->registry, m->file_bytes, NULL, NULL, (double)k.file_bytes);
    pr_metrics_set(m->registry, m->journal_bytes, NULL, NULL, (double)k.journal_bytes);
    pr_metrics_set(m->registry, m->write_errors, NULL, NULL, (double)k.file_errors);
    pr_metrics_set(m->registry, m->last_update, NULL, NULL, (double)(pr_clock_wall_ns() / 1000000000u));
}

pr_status pr_run_metrics_save(pr_run_metrics *m, pr_keeper *keeper, const pr_voter *voter, size_t n_queued,
                              size_t n_running, bool always, pr_error *err) {
    uint64_t now = pr_clock_monotonic_ns();
    pr_writer text;
    if (!always && now - m->saved_ns < PR_SAVE_NS) return PR_OK;
    m->saved_ns = now;
    set_gauges(m, keeper, n_queued, n_running);
    set_consensus(m, voter);
    if (always || now - m->sampled_ns > PR_SAMPLE_NS) {
        m->sampled_ns = now;
        sample(m, keeper, n_queued, n_running);
    }
    pr_writer_init(&text);
    pr_status status = pr_metrics_write(&text, m->registry, err);
    if (status == PR_OK)
        pr_keeper_file(keeper, m->path, (char *)text.data, text.size); /* the writer's memory is the keeper's now */
    else
        pr_writer_clear(&text);
    return status;
}
