/* Jobs that a rank is told of ahead: it may have begun them, so others leave them to it while they have anything else
 * of the same priority. Nothing else follows from a hint. */
#include "schedule/internal.h"

static void take_out(pr_rank_info *rank, uint32_t j) {
    for (uint32_t k = 0; k < rank->n_hints; k++)
        if (rank->hints[k] == j) rank->hints[k--] = rank->hints[--rank->n_hints];
}

void pr_hint_forget(pr_schedule *s, uint32_t j) {
    uint32_t r = s->jobs[j].hinted_to;
    if (r == PR_NONE) return;
    take_out(&s->ranks[r], j);
    s->jobs[j].hinted_to = PR_NONE;
}

void pr_hint_release(pr_schedule *s, uint32_t r) {
    while (s->ranks[r].n_hints) pr_hint_forget(s, s->ranks[r].hints[0]);
}

void pr_hint_suspect(pr_schedule *s, uint32_t r, uint32_t j) {
    const pr_rank_info *rank = &s->ranks[r];
    s->jobs[j].is_suspect = true;
    for (uint32_t k = 0; k < rank->n_hints; k++) s->jobs[rank->hints[k]].is_suspect = true;
    pr_hint_release(s, r);
}

bool pr_hint_holds(const pr_schedule *s, const pr_job_state *job) {
    uint32_t r = job->hinted_to;
    return r != PR_NONE && !job->deadline_ns && s->ranks[r].prove.job != PR_NONE;
}

static bool may_hint(const pr_schedule *s, uint32_t r, uint32_t j) {
    const pr_job_state *job = &s->jobs[j];
    const pr_rank_info *rank = &s->ranks[r];
    if (job->hinted_to != PR_NONE || job->is_suspect || job->cpu_next || s->kept_for == j) return false;
    if (job->avoid_rank == r || job->avoid_node == rank->node) return false;
    return rank->device == PR_SCHEDULE_NO_DEVICE || pr_rank_uses_device(s, rank, job);
}

uint32_t pr_schedule_hint(pr_schedule *s, uint32_t r, uint32_t *jobs, uint32_t most) {
    enum { MOST_LOOKED_AT = 64 };
    pr_rank_info *rank = &s->ranks[r];
    PR_ASSERT(r < s->n_ranks && most <= PR_SCHEDULE_MOST_HINTS);
    pr_hint_release(s, r);
    if (rank->state != PR_RANK_UP || !rank->proves || rank->device_off || s->draining) return 0;
    uint32_t at = pr_fit_tree_find(&s->queue, 0, UINT64_MAX, UINT64_MAX);
    for (int k = 0; k < MOST_LOOKED_AT && at != PR_FIT_NONE && rank->n_hints < most; k++) {
        uint32_t j = s->order[at];
        if (may_hint(s, r, j)) {
            jobs[rank->n_hints] = rank->hints[rank->n_hints] = j;
            rank->n_hints++;
            s->jobs[j].hinted_to = r;
        }
        at = pr_fit_tree_find(&s->queue, at + 1, UINT64_MAX, UINT64_MAX);
    }
    return rank->n_hints;
}
