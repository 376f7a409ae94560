/* What can be asked, and the notices. */
#include "schedule/internal.h"

/* ---- notices ---- */

static bool take_job_notice(pr_schedule *s, pr_notice *out) {
    uint32_t j = s->first_notice;
    if (j == PR_NONE) return false;
    s->first_notice = s->jobs[j].next_notice;
    *out = (pr_notice){PR_NOTICE_ENDED, s->jobs[j].why, j, s->jobs[j].attempt, PR_NONE, s->jobs[j].other};
    return true;
}

/* The rank's notice of one kind, when it has it. */
static bool take_kind(pr_rank_info *rank, uint8_t what) {
    bool had = rank->notices & what;
    rank->notices &= (uint8_t)~what;
    return had;
}

static bool take_cancel(pr_rank_info *rank, pr_notice *out) {
    if (!rank->n_cancels) return false;
    rank->n_cancels--;
    out->job = rank->cancels[rank->n_cancels].rank;
    out->attempt = rank->cancels[rank->n_cancels].attempt;
    return true;
}

static bool take_rank_notice(pr_schedule *s, pr_notice *out) {
    while (s->first_rank_notice != PR_NONE) {
        uint32_t r = s->first_rank_notice;
        pr_rank_info *rank = &s->ranks[r];
        *out = (pr_notice){PR_NOTICE_CANCEL, PR_WHY_NONE, PR_NONE, 0, r, PR_NONE};
        if (take_cancel(rank, out)) return true;
        out->kind = PR_NOTICE_DEVICE_DRAINED;
        if (take_kind(rank, PR_RANK_DEVICE_OFF)) return true;
        out->kind = PR_NOTICE_RANK_DRAINED;
        if (take_kind(rank, PR_RANK_TOO_FAULTY)) return true;
        rank->notices = 0;
        s->first_rank_notice = rank->next_notice;
    }
    return false;
}

bool pr_schedule_notice_take(pr_schedule *s, pr_notice *out) {
    if (s->tell_drain) {
        s->tell_drain = false;
        *out = (pr_notice){PR_NOTICE_DRAIN, PR_WHY_NONE, PR_NONE, 0, PR_NONE, PR_NONE};
        return true;
    }
    return take_job_notice(s, out) || take_rank_notice(s, out);
}

const char *pr_why_text(pr_why why) {
    switch (why) {
    case PR_WHY_NONE:
        break;
    case PR_WHY_DEPENDENCY:
        return "waits for a job that has failed";
    case PR_WHY_DEADLINE:
        return "cannot end by its deadline any more";
    case PR_WHY_TOO_LARGE:
        return "needs more memory than any node has";
    case PR_WHY_LOSSES:
        return "was running when too many ranks were lost";
    }
    return "";
}

/* ---- the end, and the next time to look ---- */

static uint64_t sooner(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t pr_schedule_wake_ns(const pr_schedule *s) {
    uint64_t wake = sooner(pr_time_heap_first(&s->timers), pr_time_heap_first(&s->deadlines));
    if (s->draining) return wake;
    if (pr_top_tree_first(&s->free_nodes) != PR_FIT_NONE) wake = sooner(wake, pr_time_heap_first(&s->late));
    bool is_late = s->n_phase[PR_JOB_QUEUED] == 0 && pr_top_tree_first(&s->free_nodes) != PR_FIT_NONE;
    if (is_late) wake = sooner(wake, pr_time_heap_first(&s->slow));
    return sooner(wake, s->close_ns);
}

static bool has_silent_rank(const pr_schedule *s) {
    for (uint32_t r = 0; r < s->n_ranks; r++)
        if (s->ranks[r].state == PR_RANK_SILENT) return true;
    return false;
}

bool pr_schedule_is_over(const pr_schedule *s) {
    if (s->n_phase[PR_JOB_DONE] + s->n_phase[PR_JOB_FAILED] == s->n_jobs) return true;
    if (s->n_busy > 0 || !s->quiet) return false;
    if (s->n_phase[PR_JOB_PROVEN] > 0 && s->options.judge == PR_SCHEDULE_JUDGE_OUTSIDE) return false;
    bool has_proofs = s->n_phase[PR_JOB_PROVEN] > 0;
    bool may_give = !s->draining && s->n_provers > 0 && s->timers.n > 0;
    return !may_give && !((has_proofs || !s->draining) && has_silent_rank(s));
}

bool pr_schedule_is_draining(const pr_schedule *s) { return s->draining; }

/* ---- jobs and ranks ---- */

pr_schedule_phase pr_schedule_job_phase(const pr_schedule *s, uint32_t j) { return s->jobs[j].phase; }
uint32_t pr_schedule_job_attempts(const pr_schedule *s, uint32_t j) { return s->jobs[j].attempt; }
uint32_t pr_schedule_job_prover(const pr_schedule *s, uint32_t j) { return s->jobs[j].prover; }
size_t pr_schedule_count(const pr_schedule *s, pr_schedule_phase phase) { return s->n_phase[phase]; }
pr_rank_state pr_schedule_rank_get(const pr_schedule *s, uint32_t r) { return s->ranks[r].state; }
uint64_t pr_schedule_ready_ns(const pr_schedule *s, uint32_t j) { return s->jobs[j].ready_ns; }
uint64_t pr_schedule_expected_ns(const pr_schedule *s, uint32_t j) { return pr_job_estimate(s, j); }
uint64_t pr_schedule_operations(const pr_schedule *s) { return s->steps; }

double pr_schedule_rank_slowness(const pr_schedule *s, uint32_t r) { return s->ranks[r].slowness; }

pr_task pr_schedule_rank_task(const pr_schedule *s, uint32_t r, pr_task_kind kind) {
    const pr_rank_info *rank = &s->ranks[r];
    pr_task task = {.kind = PR_TASK_NONE, .rank = r, .job = PR_NONE};
    if (kind == PR_TASK_PROVE && rank->prove.job != PR_NONE) {
        const pr_prove_slot *slot = &rank->prove;
        task = (pr_task){.kind = kind,
                         .rank = r,
                         .job = slot->job,
                         .attempt = slot->attempt,
                         .cpu_only = slot->cpu_only,
                         .fallback = slot->fallback,
                         .speculative = slot->speculative,
                         .time_limit_ns = s->jobs[slot->job].time_limit_ns,
                         .expected_ns = pr_job_estimate_on(s, slot->job, r)};
    } else if (kind == PR_TASK_VERIFY && rank->verify_job != PR_NONE) {
        task = (pr_task){.kind = kind, .rank = r, .job = rank->verify_job, .attempt = rank->verify_attempt};
        task.own_proof = s->jobs[task.job].prover == r;
    }
    return task;
}

uint64_t pr_schedule_remaining_ns(const pr_schedule *s) {
    double ns = 0;
    if (s->n_provers == 0) return 0;
    for (uint32_t c = 0; c < s->n_classes; c++) ns += s->classes[c].left_ns * s->classes[c].factor;
    ns /= s->speed;
    return ns < PR_LONGEST_NS ? (uint64_t)(ns > 0 ? ns : 0) : (uint64_t)PR_LONGEST_NS;
}
