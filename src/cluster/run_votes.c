/* What the consensus makes of a proof that counts. The record that rank 0 stores is checked here for what stands around
 * the proof; the proof itself is judged by the committee, from its bytes. Both must be good before a job ends well. */
#include "base/clock.h"
#include "cluster/run.h"
#include "consensus/batch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pr_consensus *consensus_of(const pr_run *r) { return pr_voter_consensus(pr_worker_voter(r->worker)); }

/* ---- what this rank's voter asks of the run ---- */

static bool admits(void *context, uint32_t job, uint32_t attempt, unsigned rank) {
    const pr_run *r = context;
    /* Rounds that were open when the run was interrupted go on when it begins again, and only then. */
    bool begins = pr_clock_monotonic_ns() - r->started_ns < r->roster->votes.round_timeout_ms * 1000000ull;
    if (job >= r->manifest->n_jobs) return false;
    if (begins && r->roster->resumed && pr_run_file_may_have_given(r->file, job, attempt)) return true;
    if (!r->jobs) return false;
    for (unsigned i = 0; i < 2; i++)
        if (r->jobs[job].given[i].attempt == attempt && r->jobs[job].given[i].rank == rank) return true;
    return false;
}

static const pr_record *find(void *context, uint32_t job, const pr_hash *proof_hash) {
    const pr_run *r = context;
    const pr_record *record = r->jobs && job < r->manifest->n_jobs ? r->jobs[job].proven : NULL;
    char hex[65];
    pr_hex_encode(hex, proof_hash->bytes, sizeof proof_hash->bytes);
    return record && strcmp(record->row.proof_hash, hex) == 0 ? record : NULL;
}

void pr_run_befriend_voter(pr_run *r) {
    const pr_voter_friend friend = {find, admits, r};
    pr_worker_befriend(r->worker, &friend);
}

void pr_run_leave_voter(pr_run *r) {
    const pr_voter_friend nobody = {0};
    pr_worker_befriend(r->worker, &nobody);
}

/* ---- a proof that counts ---- */

pr_status pr_run_check_proof(pr_run *r, unsigned rank, const pr_wire_task *task, pr_record *record, pr_error *err) {
    pr_run_job *j = &r->jobs[task->job];
    pr_work_set_identity(&record->row, &r->manifest->jobs[task->job]);
    record->row.prover_rank = (int32_t)rank;
    pr_run_drop_proven(r, task->job);
    j->counts = task->attempt;
    j->verifier_rank = -1;
    j->verify_ms = 0;
    j->taken_back = PR_VERDICT_ACCEPTED;
    j->proven_ns = pr_clock_monotonic_ns();
    pr_examination x = {.work = &r->work,
                        .job = &r->manifest->jobs[task->job],
                        .task = *task,
                        .depth = PR_CHECK_AROUND,
                        .record = *record};
    memset(record, 0, sizeof *record);
    if (pr_examiner_give(r->examiner, &x)) return PR_OK;
    pr_record_clear(&x.record);
    return pr_fail(err, PR_ERR_MEMORY, "out of memory for a proof");
}

/* The attempt stands in the history as proved: now it is known to be worth nothing. */
static void note_wrong(pr_run_job *j, const char *reason) {
    for (uint32_t i = 0; i < j->n_history; i++) {
        if (j->history[i].attempt != j->counts) continue;
        j->history[i].end = PR_ATTEMPT_WRONG;
        pr_row_set_text(j->history[i].reason, sizeof j->history[i].reason, reason);
    }
}

/* outcome: of the job, if no attempt is left. The proof is kept then: it is the evidence. */
static pr_status lose(pr_run *r, uint32_t job, pr_verdict verdict, pr_outcome outcome, const char *reason,
                      pr_error *err) {
    pr_run_job *j = &r->jobs[job];
    pr_record *record = j->proven;
    note_wrong(j, reason);
    pr_run_event(r, PR_EVENT_NOTE, record->row.prover_rank, job, "%s", reason);
    pr_fate fate = pr_schedule_judged(r->schedule, pr_clock_monotonic_ns(), job, j->counts, verdict);
    if (fate == PR_FATE_IGNORED) return PR_OK;
    pr_run_metrics_finalized(r->metrics, outcome, pr_clock_monotonic_ns() - j->proven_ns);
    j->counts = 0;
    if (fate != PR_FATE_FAILED) {
        pr_run_metrics_retry(r->metrics);
        pr_run_drop_proven(r, job);
        return PR_OK;
    }
    record->row.verifier_rank = j->verifier_rank;
    record->row.verify_ms = j->verify_ms;
    pr_row_set_text(record->row.reason, sizeof record->row.reason, reason);
    pr_status status = pr_run_end_job(r, job, record, outcome, err);
    pr_run_drop_proven(r, job);
    return status;
}

static pr_status win(pr_run *r, uint32_t job, pr_outcome outcome, pr_error *err) {
    pr_run_job *j = &r->jobs[job];
    pr_fate fate = pr_schedule_judged(r->schedule, pr_clock_monotonic_ns(), job, j->counts, PR_VERDICT_ACCEPTED);
    if (fate != PR_FATE_DONE) return PR_OK;
    j->proven->row.verify_ms = j->verify_ms;
    j->proven->row.verifier_rank = outcome == PR_OUTCOME_APPROVED ? j->verifier_rank : -1;
    if (outcome == PR_OUTCOME_APPROVED) j->proven->row.state = PR_STATE_VERIFIED;
    pr_run_metrics_finalized(r->metrics, outcome, pr_clock_monotonic_ns() - j->proven_ns);
    pr_status status = pr_run_end_job(r, job, j->proven, outcome, err);
    pr_run_drop_proven(r, job);
    return status;
}

static bool is_about(const pr_run_job *j) {
    char hex[65];
    pr_hex_encode(hex, j->ballot.proof_hash.bytes, sizeof j->ballot.proof_hash.bytes);
    return strcmp(hex, j->proven->row.proof_hash) == 0;
}

/* Once both are there: the record, and an outcome. An approval holds for the same bytes, whoever made them again. */
static pr_status settle(pr_run *r, uint32_t job, pr_error *err) {
    pr_run_job *j = &r->jobs[job];
    if (!j->proven || !j->counts) return PR_OK;
    bool same = is_about(j), this_attempt = j->ballot.attempt == j->counts;
    switch (j->voted) {
    case PR_ROUND_APPROVED:
        if (same) return win(r, job, PR_OUTCOME_APPROVED, err);
        return lose(r, job, PR_VERDICT_REFUSED, PR_OUTCOME_REJECTED,
                    "another proof of this job has been approved before", err);
    case PR_ROUND_SELF_VERIFIED:
        return same ? win(r, job, PR_OUTCOME_SELF_VERIFIED, err) : PR_OK;
    case PR_ROUND_UNVOTED:
        return same ? win(r, job, PR_OUTCOME_UNVOTED, err) : PR_OK;
    case PR_ROUND_REJECTED:
        if (!same || !this_attempt) return PR_OK;
        return lose(r, job, PR_VERDICT_REFUSED, PR_OUTCOME_REJECTED, "the committee refused the proof", err);
    case PR_ROUND_TIMEOUT:
        if (!same || !this_attempt) return PR_OK;
        return lose(r, job, PR_VERDICT_UNABLE, PR_OUTCOME_TIMEOUT, "no quorum voted on the proof in time", err);
    default:
        return PR_OK;
    }
}

static pr_status on_checked(pr_run *r, pr_examination *x, pr_error *err) {
    char reason[512];
    uint32_t job = x->task.job;
    pr_run_job *j = &r->jobs[job];
    if (j->counts != x->task.attempt) return PR_OK;
    bool removed = r->roll->members[x->record.row.prover_rank].removed;
    j->proven = malloc(sizeof *j->proven);
    if (!j->proven) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a proof");
    *j->proven = x->record;
    memset(&x->record, 0, sizeof x->record);
    if (x->unable || x->verdict != PR_CHECK_ACCEPTED) {
        snprintf(reason, sizeof reason, "rank 0 refused the proof: %.400s", x->reason);
        return lose(r, job, x->unable ? PR_VERDICT_UNABLE : PR_VERDICT_REFUSED, PR_OUTCOME_REJECTED, reason, err);
    }
    if (removed && j->voted != PR_ROUND_APPROVED)
        return lose(r, job, PR_VERDICT_AGAIN, PR_OUTCOME_REJECTED, "its prover was removed for fraud", err);
    if (j->taken_back != PR_VERDICT_ACCEPTED)
        return lose(r, job, j->taken_back, PR_OUTCOME_REJECTED, "its prover takes the proof back", err);
    return settle(r, job, err);
}

pr_status pr_run_on_verdict(pr_run *r, unsigned rank, const pr_wire_verdict *v, pr_error *err) {
    pr_run_job *j = &r->jobs[v->task.job];
    if (j->counts != v->task.attempt) return PR_OK;
    bool own = pr_schedule_job_prover(r->schedule, v->task.job) == rank;
    if (own && (v->verdict == PR_VERDICT_REFUSED || v->verdict == PR_VERDICT_AGAIN)) {
        char reason[512];
        j->taken_back = (pr_verdict)v->verdict;
        if (!j->proven) return PR_OK; /* when its record has been checked */
        snprintf(reason, sizeof reason, "its prover takes the proof back: %.400s", v->reason);
        return lose(r, v->task.job, j->taken_back, PR_OUTCOME_REJECTED, reason, err);
    }
    if (own || v->verdict != PR_VERDICT_ACCEPTED || j->verifier_rank >= 0) return PR_OK;
    j->verifier_rank = (int32_t)rank;
    j->verify_ms = v->verify_ms;
    return PR_OK;
}

/* ---- what the consensus says ---- */

static pr_status on_outcome(pr_run *r, const pr_voter_event *e, pr_error *err) {
    if (e->job >= r->manifest->n_jobs) return PR_OK;
    pr_run_job *j = &r->jobs[e->job];
    j->voted = e->outcome;
    j->ballot = e->subject;
    r->at_job = e->job;
    return settle(r, e->job, err);
}

/* What it has proved and nobody has decided is proven again: its rounds may be gone with it. Should one of them end in
 * an approval after all, that holds for the same bytes made by another rank. */
static pr_status lose_all_of(pr_run *r, int32_t rank, pr_error *err) {
    for (uint32_t job = 0; job < r->manifest->n_jobs; job++) {
        const pr_run_job *j = &r->jobs[job];
        if (j->counts && j->proven && j->proven->row.prover_rank == rank)
            PR_TRY(lose(r, job, PR_VERDICT_AGAIN, PR_OUTCOME_REJECTED, "its prover was removed for fraud", err));
    }
    return PR_OK;
}

/* Every round ends, but an announcement may find no room, or nobody to hear it. */
pr_status pr_run_watch_votes(pr_run *r, pr_error *err) {
    const pr_wire_votes *v = &r->roster->votes;
    uint64_t now = pr_clock_monotonic_ns(), limit = 4u * (v->retries + 1ull) * v->round_timeout_ms * 1000000u;
    if (pr_schedule_count(r->schedule, PR_JOB_PROVEN) == 0) return PR_OK;
    for (uint32_t job = 0; job < r->manifest->n_jobs; job++) {
        const pr_run_job *j = &r->jobs[job];
        if (j->counts && j->proven && now > j->proven_ns + limit)
            PR_TRY(lose(r, job, PR_VERDICT_UNABLE, PR_OUTCOME_TIMEOUT, "nobody has decided on the proof", err));
    }
    return PR_OK;
}

static pr_status on_removed(pr_run *r, const pr_voter_event *e, pr_error *err) {
    pr_run_event(r, PR_EVENT_REMOVED, e->rank, PR_SCHEDULE_NO_JOB,
                 "validator %u (rank %d) is removed: %s; it gets no more work", e->validator, e->rank,
                 pr_removal_name(e->removal));
    if (e->rank < 0 || (unsigned)e->rank >= r->roll->n) return PR_OK;
    r->roll->members[e->rank].removed = true;
    pr_schedule_set_rank(r->schedule, pr_clock_monotonic_ns(), (uint32_t)e->rank, PR_RANK_STOPPED);
    r->lie_found |= r->aborts_on_evidence;
    return lose_all_of(r, e->rank, err);
}

static void on_view(pr_run *r, const pr_voter_event *e) {
    pr_run_event(r, PR_EVENT_VIEW, e->rank, PR_SCHEDULE_NO_JOB, "view %llu: validator %u (rank %d) leads",
                 (unsigned long long)e->view, e->validator, e->rank);
}

static pr_status on_event(pr_run *r, const pr_voter_event *e, pr_error *err) {
    switch (e->kind) {
    case PR_VOTER_RECORD:
        pr_keeper_consensus(r->keeper, e->data, e->size);
        return PR_OK;
    case PR_VOTER_OUTCOME:
        return on_outcome(r, e, err);
    case PR_VOTER_REMOVED:
        return on_removed(r, e, err);
    case PR_VOTER_VIEW:
        on_view(r, e);
        return PR_OK;
    case PR_VOTER_BATCH:
        pr_keeper_batch(r->keeper, e->data, e->size);
        r->has_batch = true;
        return PR_OK;
    case PR_VOTER_COUNT:
    case PR_VOTER_VOTED:
        pr_run_metrics_consensus(r->metrics, e);
        return PR_OK;
    }
    return PR_OK;
}

pr_status pr_run_heed_votes(pr_run *r, bool *busy, pr_error *err) {
    pr_examination x;
    pr_voter_event e;
    while (pr_examiner_take(r->examiner, &x)) {
        uint64_t start = pr_clock_monotonic_ns();
        *busy = true;
        r->at_job = x.task.job;
        pr_status status = on_checked(r, &x, err);
        pr_record_clear(&x.record);
        pr_run_charge(r, start);
        PR_TRY(status);
    }
    while (pr_voter_take(pr_worker_voter(r->worker), &e)) {
        uint64_t start = pr_clock_monotonic_ns();
        *busy = true;
        pr_status status = on_event(r, &e, err);
        free(e.data);
        pr_run_charge(r, start);
        PR_TRY(status);
    }
    return PR_OK;
}

/* ---- begin and end ---- */

static void keep_record(void *keeper, const uint8_t *record, size_t size) { pr_keeper_consensus(keeper, record, size); }

/* What earlier sessions have decided, and whom they have removed. A record is on this rank's own disk before it is in
 * the run's journal, in the same order: what a kill in between has kept from there follows now. */
pr_status pr_run_recall_votes(pr_run *r, pr_error *err) {
    PR_TRY(pr_voter_recall(pr_worker_voter(r->worker), r->file->consensus_records, keep_record, r->keeper, err));
    const pr_consensus *c = consensus_of(r);
    const pr_registry *registry = pr_consensus_registry(c);
    for (uint32_t i = 0; i < r->manifest->n_jobs; i++) {
        pr_hash name = pr_job_name(r->manifest->jobs[i].id);
        const pr_subject *decided = pr_consensus_decided(c, &name);
        r->jobs[i].verifier_rank = -1;
        if (!decided) continue;
        r->jobs[i].voted = pr_consensus_outcome(c, &name);
        r->jobs[i].ballot = *decided;
    }
    for (uint32_t i = 0; i < registry->n; i++) {
        int32_t rank = pr_voter_rank(pr_worker_voter(r->worker), i);
        if (registry->validators[i].removal == PR_REMOVAL_NONE || rank < 0) continue; /* away ones have no rank */
        r->roll->members[rank].removed = true;
        pr_run_event(r, PR_EVENT_REMOVED, rank, PR_SCHEDULE_NO_JOB,
                     "rank %d was removed in an earlier session (%s): it gets no work", rank,
                     pr_removal_name(registry->validators[i].removal));
        pr_schedule_set_rank(r->schedule, pr_clock_monotonic_ns(), (uint32_t)rank, PR_RANK_STOPPED);
    }
    return PR_OK;
}

bool pr_run_has_quorum(const pr_run *r) {
    const pr_registry *registry = pr_consensus_registry(consensus_of(r));
    uint64_t there = 0;
    if (r->roster->votes.committee_size == 0) return true;
    for (uint32_t i = 0; i < registry->n; i++) {
        int32_t rank = pr_voter_rank(pr_worker_voter(r->worker), i);
        bool lost = rank < 0 || r->roll->members[rank].state == PR_RANK_LOST;
        if (!lost && pr_registry_is_active(registry, i)) there += registry->validators[i].stake;
    }
    return pr_quorum_reached(there, registry->active_stake);
}

pr_status pr_run_close_votes(pr_run *r, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_CLOSE};
    m.as.close = r->number;
    for (unsigned rank = 0; rank < r->roll->n; rank++)
        if (r->roll->members[rank].state == PR_RANK_UP) PR_TRY(pr_transport_send(r->t, (int)rank, &m, err));
    return PR_OK;
}
