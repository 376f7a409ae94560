/* A rank's tasks, what they take of its node and device, and the lists of ranks that have none. */
#include "schedule/internal.h"

/* ---- lists ---- */

static pr_link *link_of(pr_schedule *s, pr_list_kind kind, uint32_t r) {
    pr_rank_info *rank = &s->ranks[r];
    return kind == PR_LIST_PROVER     ? &rank->idle_prover
           : kind == PR_LIST_VERIFIER ? &rank->idle_verifier
           : kind == PR_LIST_PROOFS   ? &rank->has_proofs
                                      : &rank->open;
}

void pr_list_append(pr_schedule *s, pr_list *list, pr_list_kind kind, uint32_t r) {
    pr_link *link = link_of(s, kind, r);
    if (link->in) return;
    *link = (pr_link){list->last, PR_NONE, true};
    if (list->last == PR_NONE)
        list->first = r;
    else
        link_of(s, kind, list->last)->behind = r;
    list->last = r;
    s->steps++;
}

void pr_list_remove(pr_schedule *s, pr_list *list, pr_list_kind kind, uint32_t r) {
    pr_link *link = link_of(s, kind, r);
    if (!link->in) return;
    if (link->before == PR_NONE)
        list->first = link->behind;
    else
        link_of(s, kind, link->before)->behind = link->behind;
    if (link->behind == PR_NONE)
        list->last = link->before;
    else
        link_of(s, kind, link->behind)->before = link->before;
    link->in = false;
    s->steps++;
}

/* ---- proofs that wait for a verifier: a list for each prover, and the provers that have some ---- */

void pr_proof_push(pr_schedule *s, uint32_t j) {
    uint32_t r = s->jobs[j].prover;
    pr_list *list = &s->ranks[r].proofs;
    s->jobs[j].before = list->last;
    s->jobs[j].behind = PR_NONE;
    if (list->last == PR_NONE)
        list->first = j;
    else
        s->jobs[list->last].behind = j;
    list->last = j;
    pr_list_append(s, &s->provers_with_proofs, PR_LIST_PROOFS, r);
}

void pr_proof_remove(pr_schedule *s, uint32_t j) {
    if (s->options.judge == PR_SCHEDULE_JUDGE_OUTSIDE) return;
    pr_job_state *job = &s->jobs[j];
    pr_list *list = &s->ranks[job->prover].proofs;
    if (job->before == PR_NONE)
        list->first = job->behind;
    else
        s->jobs[job->before].behind = job->behind;
    if (job->behind == PR_NONE)
        list->last = job->before;
    else
        s->jobs[job->behind].before = job->before;
    if (list->first == PR_NONE) pr_list_remove(s, &s->provers_with_proofs, PR_LIST_PROOFS, job->prover);
}

/* ---- idle or not ---- */

bool pr_rank_is_live(const pr_rank_info *rank) { return rank->state != PR_RANK_LOST && rank->state != PR_RANK_STOPPED; }
bool pr_rank_may_prove(const pr_rank_info *rank) {
    return rank->proves && (rank->state == PR_RANK_UP || rank->state == PR_RANK_SILENT);
}

static bool is_idle_prover(const pr_rank_info *rank) {
    return rank->proves && rank->state == PR_RANK_UP && rank->prove.job == PR_NONE &&
           !(rank->one_task && rank->verify_job != PR_NONE);
}

static bool is_idle_verifier(const pr_rank_info *rank) {
    return rank->verifies && (rank->state == PR_RANK_UP || rank->state == PR_RANK_DRAINED) &&
           rank->verify_job == PR_NONE && !(rank->one_task && rank->prove.job != PR_NONE);
}

void pr_node_refresh(pr_schedule *s, uint32_t n) {
    const pr_node_info *node = &s->nodes[n];
    bool idle = node->idle[0].first != PR_NONE || node->idle[1].first != PR_NONE;
    bool open = idle && !node->exclusive && s->kept_node != n;
    pr_top_tree_set(&s->free_nodes, n, open ? node->budget - node->used + 1 : 0);
}

void pr_rank_refresh(pr_schedule *s, uint32_t r) {
    pr_rank_info *rank = &s->ranks[r];
    pr_node_info *node = &s->nodes[rank->node];
    bool plain = rank->device == PR_SCHEDULE_NO_DEVICE || rank->device_off, idle = is_idle_prover(rank);
    if (!idle || rank->in_plain != plain) pr_list_remove(s, &node->idle[rank->in_plain], PR_LIST_PROVER, r);
    if (idle && !rank->idle_prover.in) {
        rank->in_plain = plain;
        pr_list_append(s, &node->idle[plain], PR_LIST_PROVER, r);
    }
    if (is_idle_verifier(rank))
        pr_list_append(s, &s->idle_verifiers, PR_LIST_VERIFIER, r);
    else
        pr_list_remove(s, &s->idle_verifiers, PR_LIST_VERIFIER, r);
    if (pr_behind_is_open(s, rank))
        pr_list_append(s, &s->open, PR_LIST_OPEN, r);
    else
        pr_list_remove(s, &s->open, PR_LIST_OPEN, r);
    pr_node_refresh(s, rank->node);
}

void pr_schedule_find_max_limit(pr_schedule *s) {
    s->max_limit = 0;
    for (uint32_t n = 0; n < s->n_nodes; n++, s->steps++)
        if (s->nodes[n].n_provers && s->nodes[n].limit > s->max_limit) s->max_limit = s->nodes[n].limit;
}

void pr_rank_count(pr_schedule *s, uint32_t r, int by) {
    const pr_rank_info *rank = &s->ranks[r];
    uint32_t unit = (uint32_t)by; /* adding 2^32 - 1 takes one away */
    if (rank->verifies && pr_rank_is_live(rank)) s->n_verifiers += unit;
    if (!pr_rank_may_prove(rank)) return;
    s->n_provers += unit;
    s->speed += by / rank->slowness;
    s->nodes[rank->node].n_provers += unit;
}

/* A mean of the last few, which begins at that of the others; bounded, for a measurement may be of anything. */
void pr_rank_learn(pr_schedule *s, uint32_t r, double slowness) {
    enum { MEMORY = 4 };
    pr_rank_info *rank = &s->ranks[r];
    const double most = 16, least = 1.0 / 4;
    double bounded = slowness > most ? most : slowness < least ? least : slowness;
    pr_rank_count(s, r, -1);
    if (rank->n_measured < MEMORY - 1) rank->n_measured++;
    rank->slowness += (bounded - rank->slowness) / (rank->n_measured + 1);
    pr_rank_count(s, r, 1);
}

/* ---- proving ---- */

bool pr_rank_uses_device(const pr_schedule *s, const pr_rank_info *rank, const pr_job_state *job) {
    return rank->device != PR_SCHEDULE_NO_DEVICE && !rank->device_off && job->device_bytes && !job->cpu_next &&
           job->device_bytes <= s->devices[rank->device].budget;
}

void pr_rank_watch(pr_schedule *s, uint32_t r) {
    const pr_rank_info *rank = &s->ranks[r];
    const pr_prove_slot *slot = &rank->prove;
    const pr_job_state *job = slot->job == PR_NONE ? NULL : &s->jobs[slot->job];
    bool alone = job && job->phase == PR_JOB_PROVING && (job->runners[0] == PR_NONE || job->runners[1] == PR_NONE);
    if (!alone) {
        pr_time_heap_remove(&s->slow, r);
        return;
    }
    uint64_t slow = slot->expected_ns * s->options.slow_factor;
    if (slow < s->options.slow_min_ns) slow = s->options.slow_min_ns;
    pr_time_heap_set(&s->slow, r, rank->state == PR_RANK_SILENT ? s->now : slot->start_ns + slow);
}

static void take_memory(pr_schedule *s, pr_rank_info *rank, uint64_t host, uint64_t device, bool exclusive) {
    pr_node_info *node = &s->nodes[rank->node];
    pr_prove_slot *slot = &rank->prove;
    slot->host_bytes = host;
    slot->device_bytes = device;
    slot->exclusive = exclusive;
    if (exclusive) slot->host_bytes = node->budget; /* all of it, whatever it needs */
    node->exclusive = exclusive;
    node->used += slot->host_bytes;
    node->n_running++;
    if (slot->device_bytes) s->devices[rank->device].used += slot->device_bytes;
    PR_ASSERT(node->used <= node->budget);
}

void pr_rank_give_proof(pr_schedule *s, uint32_t r, uint32_t j, bool speculative, bool exclusive, pr_task *task) {
    pr_rank_info *rank = &s->ranks[r];
    pr_job_state *job = &s->jobs[j];
    pr_prove_slot *slot = &rank->prove;
    PR_ASSERT(slot->job == PR_NONE);
    *slot = (pr_prove_slot){.job = j, .attempt = ++job->attempt, .speculative = speculative, .start_ns = s->now};
    slot->expected_ns = pr_job_estimate(s, j);
    slot->cpu_only = !pr_rank_uses_device(s, rank, job);
    slot->fallback = rank->device == PR_SCHEDULE_NO_DEVICE ? job->cpu_next || rank->device_off : slot->cpu_only;
    take_memory(s, rank, slot->cpu_only ? job->host_bytes : job->device_host_bytes,
                slot->cpu_only ? 0 : job->device_bytes, exclusive);
    *(slot->cpu_only ? &job->tried_cpu : &job->tried_device) = true;
    job->runners[job->runners[0] != PR_NONE] = r;
    s->n_busy++;
    if (!speculative) {
        pr_job_unqueue(s, j);
        pr_job_set_phase(s, j, PR_JOB_PROVING);
    }
    for (int k = 0; k < PR_MAX_RUNNERS; k++)
        if (job->runners[k] != PR_NONE) pr_rank_watch(s, job->runners[k]);
    pr_rank_refresh(s, r);
    *task = (pr_task){.kind = PR_TASK_PROVE,
                      .rank = r,
                      .job = j,
                      .attempt = slot->attempt,
                      .cpu_only = slot->cpu_only,
                      .fallback = slot->fallback,
                      .speculative = speculative,
                      .time_limit_ns = job->time_limit_ns,
                      .expected_ns = pr_job_estimate_on(s, j, r)};
}

/* Nothing is left to be stopped. */
static void uncancel(pr_rank_info *rank, uint32_t j, uint32_t attempt) {
    for (uint32_t k = 0; k < rank->n_cancels; k++)
        if (rank->cancels[k].rank == j && rank->cancels[k].attempt == attempt)
            rank->cancels[k--] = rank->cancels[--rank->n_cancels];
}

void pr_rank_end_proof(pr_schedule *s, uint32_t r) {
    pr_rank_info *rank = &s->ranks[r];
    pr_node_info *node = &s->nodes[rank->node];
    pr_job_state *job = &s->jobs[rank->prove.job];
    node->used -= rank->prove.host_bytes;
    node->n_running--;
    if (rank->prove.exclusive) node->exclusive = false;
    if (rank->prove.device_bytes) s->devices[rank->device].used -= rank->prove.device_bytes;
    for (int k = 0; k < PR_MAX_RUNNERS; k++)
        if (job->runners[k] == r) job->runners[k] = PR_NONE;
    uint64_t host, device;
    uncancel(rank, rank->prove.job, rank->prove.attempt);
    rank->prove.job = PR_NONE;
    s->n_busy--;
    if (pr_behind_promote(s, r, &host, &device)) take_memory(s, rank, host, device, false);
    pr_rank_watch(s, r);
    for (int k = 0; k < PR_MAX_RUNNERS; k++)
        if (job->runners[k] != PR_NONE) pr_rank_watch(s, job->runners[k]);
    pr_rank_refresh(s, r);
}

/* ---- verifying ---- */

void pr_rank_give_verification(pr_schedule *s, uint32_t r, uint32_t j, pr_task *task) {
    pr_rank_info *rank = &s->ranks[r];
    pr_job_state *job = &s->jobs[j];
    pr_proof_remove(s, j);
    pr_job_set_phase(s, j, PR_JOB_VERIFYING);
    job->verifier = r;
    rank->verify_job = j;
    rank->verify_attempt = job->proof_attempt;
    s->n_busy++;
    pr_rank_refresh(s, r);
    *task = (pr_task){
        .kind = PR_TASK_VERIFY, .rank = r, .job = j, .attempt = job->proof_attempt, .own_proof = job->prover == r};
}

void pr_rank_end_verification(pr_schedule *s, uint32_t r) {
    s->ranks[r].verify_job = PR_NONE;
    s->n_busy--;
    pr_rank_refresh(s, r);
}

/* ---- what is told about a rank ---- */

void pr_rank_notice(pr_schedule *s, uint32_t r, uint8_t what) {
    pr_rank_info *rank = &s->ranks[r];
    bool listed = rank->notices & PR_RANK_LISTED;
    rank->notices |= (uint8_t)(what | PR_RANK_LISTED);
    if (listed) return;
    rank->next_notice = PR_NONE;
    if (s->first_rank_notice == PR_NONE)
        s->first_rank_notice = r;
    else
        s->ranks[s->last_rank_notice].next_notice = r;
    s->last_rank_notice = r;
}

/* One that finds no room is not told: its rank answers what nobody waits for. */
void pr_rank_cancel(pr_schedule *s, uint32_t r, uint32_t j, uint32_t attempt) {
    pr_rank_info *rank = &s->ranks[r];
    if (rank->n_cancels <= PR_MAX_BEHIND) rank->cancels[rank->n_cancels++] = (pr_past_attempt){j, attempt};
    pr_rank_notice(s, r, 0);
}

/* The last prover goes on, however faulty it is. */
void pr_rank_fault(pr_schedule *s, uint32_t r) {
    pr_rank_info *rank = &s->ranks[r];
    if (++rank->faults < s->options.max_rank_faults || !pr_rank_may_prove(rank) || s->n_provers <= 1) return;
    pr_rank_count(s, r, -1);
    rank->state = PR_RANK_DRAINED;
    pr_behind_take_back(s, r);
    pr_hint_release(s, r);
    pr_rank_count(s, r, 1);
    if (s->nodes[rank->node].n_provers == 0) pr_schedule_find_max_limit(s);
    pr_rank_refresh(s, r);
    pr_rank_notice(s, r, PR_RANK_TOO_FAULTY);
}

void pr_rank_device_fault(pr_schedule *s, uint32_t r) {
    pr_rank_info *rank = &s->ranks[r];
    if (++rank->device_faults < s->options.max_device_faults || rank->device_off) return;
    rank->device_off = true;
    pr_hint_release(s, r);
    pr_rank_refresh(s, r);
    pr_rank_notice(s, r, PR_RANK_DEVICE_OFF);
}
