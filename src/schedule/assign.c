/* Which task next: verifications first, then the queue in order, then second attempts late in the batch. */
#include "schedule/internal.h"

enum { MOST_LEFT = 64 }; /* jobs at a look that are left to ranks that were told of them */

/* ---- what time brings ---- */

static void wake_job(pr_schedule *s, uint32_t j) {
    pr_job_state *job = &s->jobs[j];
    pr_time_heap_remove(&s->timers, j);
    if (job->phase == PR_JOB_BACKOFF) {
        pr_job_queue(s, j);
        if (job->avoid_rank != PR_NONE) pr_time_heap_set(&s->timers, j, s->now + s->options.avoid_ns);
    } else {
        job->avoid_rank = job->avoid_node = PR_NONE;
    }
}

/* The correction may have moved the latest start since the entry was made. */
static void check_deadline(pr_schedule *s, uint32_t j) {
    uint64_t deadline = s->jobs[j].deadline_ns, estimate = pr_job_estimate(s, j);
    pr_time_heap_remove(&s->deadlines, j);
    if (pr_job_misses_deadline(s, j))
        pr_job_end_unasked(s, j, PR_WHY_DEADLINE, PR_NONE);
    else
        pr_time_heap_set(&s->deadlines, j, deadline - estimate + 1);
}

void pr_schedule_set_close(pr_schedule *s) {
    uint64_t end = s->options.end_ns, margin = s->options.drain_margin_ns;
    s->close_ns = end == 0 ? PR_SCHEDULE_NO_TIME : end > margin ? end - margin : 0;
}

void pr_schedule_advance(pr_schedule *s, uint64_t now) {
    if (now > s->now) s->now = now;
    while (pr_time_heap_first(&s->timers) <= s->now) {
        wake_job(s, pr_time_heap_first_item(&s->timers));
        s->quiet = false;
    }
    pr_behind_look(s);
    while (pr_time_heap_first(&s->deadlines) <= s->now) check_deadline(s, pr_time_heap_first_item(&s->deadlines));
    if (s->draining || s->now < s->close_ns) return;
    s->draining = s->tell_drain = true;
}

/* ---- verifying ---- */

/* Somebody for the proofs of this prover: an idle rank that is not it, or itself when there is nobody else. */
static uint32_t find_verifier(const pr_schedule *s, uint32_t prover) {
    uint32_t r = s->idle_verifiers.first;
    if (r == prover) r = s->ranks[r].idle_verifier.behind;
    if (r != PR_NONE || s->idle_verifiers.first != prover) return r;
    return s->n_verifiers == 1 ? prover : PR_NONE;
}

static bool give_verification(pr_schedule *s, pr_task *task) {
    if (s->idle_verifiers.first == PR_NONE) return false;
    uint32_t prover = s->provers_with_proofs.first;
    /* when only one rank is idle, all provers but that one will do: two of them are enough to look at */
    for (int k = 0; k < 2 && prover != PR_NONE; k++, prover = s->ranks[prover].has_proofs.behind) {
        uint32_t r = find_verifier(s, prover);
        if (r == PR_NONE) continue;
        uint32_t j = s->ranks[prover].proofs.first;
        pr_list_remove(s, &s->provers_with_proofs, PR_LIST_PROOFS, prover); /* its turn comes last */
        pr_list_append(s, &s->provers_with_proofs, PR_LIST_PROOFS, prover);
        pr_rank_give_verification(s, r, j, task);
        return true;
    }
    return false;
}

/* ---- proving: which rank ---- */

static bool avoids(const pr_schedule *s, const pr_job_state *job, uint32_t r) {
    return s->n_provers > 1 && (job->avoid_rank == r || job->avoid_node == s->ranks[r].node);
}

typedef struct place {
    uint32_t rank;
    bool exclusive;
    double slowness; /* of an idle rank that was too slow for the job; 0: none was */
} place;

static bool fits_rank(const pr_schedule *s, const pr_job_state *job, uint32_t r, bool *exclusive) {
    const pr_rank_info *rank = &s->ranks[r];
    const pr_node_info *node = &s->nodes[rank->node];
    bool on_device = pr_rank_uses_device(s, rank, job);
    uint64_t need = on_device ? job->device_host_bytes : job->host_bytes;
    if (node->exclusive) return false;
    if (on_device && s->devices[rank->device].used + job->device_bytes > s->devices[rank->device].budget) return false;
    *exclusive = need > node->budget;
    return *exclusive ? need <= node->limit && node->n_running == 0 : need <= node->budget - node->used;
}

/* The batch, or the job's deadline, or the allocation would wait for it there. */
static bool is_too_slow(const pr_schedule *s, uint32_t j, uint32_t r) {
    const double slow = 1.25;
    if (s->ranks[r].slowness < slow || s->any_speed) return false;
    uint64_t takes = pr_job_estimate_on(s, j, r), deadline = s->jobs[j].deadline_ns;
    if ((deadline && s->now + takes > deadline) || s->now + takes > s->close_ns) return true;
    return takes > pr_schedule_remaining_ns(s);
}

static bool find_in_list(pr_schedule *s, place *out, const pr_list *list, const pr_job_state *job) {
    for (uint32_t r = list->first; r != PR_NONE; r = s->ranks[r].idle_prover.behind) {
        s->steps++;
        if (avoids(s, job, r) || !fits_rank(s, job, r, &out->exclusive)) continue;
        if (is_too_slow(s, s->order[job->place], r)) {
            out->slowness = s->ranks[r].slowness;
            continue;
        }
        out->rank = r;
        return true;
    }
    return false;
}

/* The rank that was told of it, if it is idle now. */
static bool find_told(pr_schedule *s, place *out, const pr_job_state *job) {
    uint32_t r = job->hinted_to;
    if (r == PR_NONE || !s->ranks[r].idle_prover.in || !pr_top_tree_get(&s->free_nodes, s->ranks[r].node)) return false;
    if (avoids(s, job, r) || !fits_rank(s, job, r, &out->exclusive) || is_too_slow(s, s->order[job->place], r))
        return false;
    out->rank = r;
    return true;
}

/* An idle rank of the node: with a device for jobs that use one, without for the others. */
static bool find_on_node(pr_schedule *s, place *out, uint32_t n, const pr_job_state *job) {
    bool plain_first = !job->device_bytes || job->cpu_next;
    const pr_list *idle = s->nodes[n].idle;
    return find_in_list(s, out, &idle[plain_first], job) || find_in_list(s, out, &idle[!plain_first], job);
}

/* The nodes with the most free memory first, four of them: the first one nearly always does, unless the job keeps off
 * it or its devices are taken. */
static bool find_rank(pr_schedule *s, place *out, const pr_job_state *job) {
    enum { MOST_NODES = 4 };
    uint32_t tried[MOST_NODES], n = 0;
    bool found = false;
    if (find_told(s, out, job)) return true;
    for (; n < MOST_NODES && !found; n++) {
        tried[n] = pr_top_tree_first(&s->free_nodes);
        if (tried[n] == PR_FIT_NONE) break;
        found = find_on_node(s, out, tried[n], job);
        pr_top_tree_set(&s->free_nodes, tried[n], 0);
    }
    while (n-- > 0)
        if (tried[n] != PR_FIT_NONE) pr_node_refresh(s, tried[n]);
    return found;
}

/* ---- proving: which job ---- */

/* The longest raw estimate that might take no longer than ns, whatever its class. */
static uint64_t longest_raw(const pr_schedule *s, double ns) {
    double least = s->classes[0].factor;
    for (uint32_t c = 1; c < s->n_classes; c++)
        if (s->classes[c].factor < least) least = s->classes[c].factor;
    double raw = ns / least;
    return raw < PR_LONGEST_NS ? (uint64_t)raw : UINT64_MAX;
}

/* An estimate may be wrong: what is too long for the whole allocation is tried once, at its beginning. */
static bool is_beginning(const pr_schedule *s) {
    return s->close_ns != PR_SCHEDULE_NO_TIME && s->now - s->begin_ns <= (s->close_ns - s->begin_ns) / 20;
}

/* Before the close. */
static uint64_t longest_in_time(const pr_schedule *s) {
    if (s->close_ns == PR_SCHEDULE_NO_TIME || is_beginning(s)) return UINT64_MAX;
    return longest_raw(s, (double)(s->close_ns - s->now));
}

static bool ends_in_time(const pr_schedule *s, uint32_t j) {
    if (s->close_ns == PR_SCHEDULE_NO_TIME) return true;
    uint64_t estimate = pr_job_estimate(s, j);
    return s->now + estimate <= s->close_ns || (is_beginning(s) && estimate > s->close_ns - s->begin_ns);
}

static uint32_t find_job(pr_schedule *s, uint32_t from, uint64_t max_bytes, uint64_t longest) {
    enum { MOST_LATE = 64 };
    uint64_t in_time = longest_in_time(s);
    if (in_time < longest) longest = in_time;
    for (int skipped = 0; skipped < MOST_LATE; skipped++) {
        uint32_t at = pr_fit_tree_find(&s->queue, from, max_bytes, longest);
        if (at == PR_FIT_NONE) return PR_FIT_NONE;
        uint32_t j = s->order[at];
        if (pr_job_misses_deadline(s, j))
            pr_job_end_unasked(s, j, PR_WHY_DEADLINE, PR_NONE);
        else if (ends_in_time(s, j))
            return at;
        from = at + 1;
    }
    return PR_FIT_NONE;
}

/* The node with the most free memory of those that could take it at all is left to it, once nothing else is. */
static void keep_node(pr_schedule *s, uint32_t j) {
    const pr_job_state *job = &s->jobs[j];
    uint64_t need = pr_job_least_bytes(job), most = 0;
    uint32_t best = PR_NONE;
    for (uint32_t n = 0; n < s->n_nodes; n++, s->steps++) {
        const pr_node_info *node = &s->nodes[n];
        uint64_t free = node->budget - node->used;
        bool large_enough =
            node->limit >= job->host_bytes || (node->limit >= need && node->device_bytes >= job->device_bytes);
        if (!node->n_provers || !large_enough || job->avoid_node == n) continue;
        if (best != PR_NONE && free <= most) continue;
        best = n;
        most = free;
    }
    if (best == PR_NONE) return;
    s->kept_node = best;
    s->kept_for = j;
    pr_node_refresh(s, best);
}

static bool give_kept(pr_schedule *s, pr_task *task) {
    place p = {0};
    uint32_t j = s->kept_for, n = s->kept_node;
    if (j == PR_NONE) return false;
    if (s->nodes[n].n_provers == 0 || !ends_in_time(s, j)) {
        s->kept_for = s->kept_node = PR_NONE;
        pr_node_refresh(s, n);
        return false;
    }
    if (!find_on_node(s, &p, n, &s->jobs[j])) return false;
    pr_rank_give_proof(s, p.rank, j, false, p.exclusive, task);
    return true;
}

static uint64_t most_free(const pr_schedule *s) {
    uint32_t n = pr_top_tree_first(&s->free_nodes);
    return n == PR_FIT_NONE ? 0 : s->nodes[n].budget - s->nodes[n].used;
}

/* The first job in order, or of its priority the first one that is not left to a rank at work; when no idle rank has
 * the memory for it, a node is kept for it. What is left has its turn when its rank is idle. */
static void look_after_first(pr_schedule *s) {
    if (s->kept_for != PR_NONE) return;
    uint32_t first = find_job(s, 0, s->max_limit, UINT64_MAX), at = first;
    if (first == PR_FIT_NONE) return;
    for (int k = 0; k < MOST_LEFT && at != PR_FIT_NONE && pr_hint_holds(s, &s->jobs[s->order[at]]); k++)
        at = find_job(s, at + 1, s->max_limit, UINT64_MAX);
    if (at == PR_FIT_NONE || s->jobs[s->order[at]].priority != s->jobs[s->order[first]].priority) return;
    uint32_t j = s->order[at];
    if (pr_job_least_bytes(&s->jobs[j]) > most_free(s)) keep_node(s, j);
}

static bool give(pr_schedule *s, pr_task *task, uint32_t at, place *p) {
    *p = (place){0};
    if (!find_rank(s, p, &s->jobs[s->order[at]])) return false;
    pr_rank_give_proof(s, p->rank, s->order[at], false, p->exclusive, task);
    return true;
}

/* Places of jobs of one priority that are left to the ranks that were told of them. */
typedef struct left_alone {
    uint32_t at[MOST_LEFT];
    size_t n;
} left_alone;

static bool leaves_alone(const pr_schedule *s, left_alone *l, uint32_t at) {
    if (l->n == MOST_LEFT || !pr_hint_holds(s, &s->jobs[s->order[at]])) return false;
    l->at[l->n++] = at;
    return true;
}

/* There is nothing else of their priority: the last ones first, which their ranks would come to last. */
static bool give_left(pr_schedule *s, pr_task *task, left_alone *l) {
    place p;
    while (l->n)
        if (give(s, task, l->at[--l->n], &p)) return true;
    return false;
}

static bool is_less_urgent(const pr_schedule *s, const left_alone *l, uint32_t at) {
    return l->n && s->jobs[s->order[at]].priority != s->jobs[s->order[l->at[0]]].priority;
}

/* The first job in order that some idle rank can take, of those before place `end`; what is left alone only once all
 * of its priority are looked at. */
static bool give_first(pr_schedule *s, pr_task *task, uint32_t end) {
    enum { MOST_SKIPPED = 16 };
    uint32_t from = 0;
    uint64_t longest = UINT64_MAX;
    left_alone left = {.n = 0};
    for (int skipped = 0; skipped < MOST_SKIPPED && pr_top_tree_first(&s->free_nodes) != PR_FIT_NONE;) {
        place p;
        uint32_t at = find_job(s, from, most_free(s), longest);
        if (at == PR_FIT_NONE || at >= end) break;
        if (is_less_urgent(s, &left, at) && give_left(s, task, &left)) return true;
        from = at + 1;
        if (leaves_alone(s, &left, at)) continue;
        if (give(s, task, at, &p)) return true;
        if (p.slowness > 0) longest = longest_raw(s, (double)pr_schedule_remaining_ns(s) / p.slowness);
        skipped++;
    }
    bool is_last = end == PR_FIT_NONE || is_less_urgent(s, &left, end);
    return is_last && give_left(s, task, &left);
}

static bool give_in_order(pr_schedule *s, pr_task *task) {
    if (pr_top_tree_first(&s->free_nodes) != PR_FIT_NONE) look_after_first(s);
    if (s->kept_for == PR_NONE) return give_first(s, task, PR_FIT_NONE);
    return give_first(s, task, s->jobs[s->kept_for].place) || give_kept(s, task) || give_first(s, task, PR_FIT_NONE);
}

/* What slow ranks leave alone waits for another's answer, as long as there is one to come. */
static bool give_queued(pr_schedule *s, pr_task *task) {
    if (s->queue.n == 0 || s->n_provers == 0) return false;
    if (give_in_order(s, task)) return true;
    if (s->n_busy > 0) return false;
    s->any_speed = true;
    bool given = give_in_order(s, task);
    s->any_speed = false;
    return given;
}

/* The first in order that is not left to another rank. Nothing is given past it: a rank that has always something
 * behind would never come to it. */
static uint32_t first_for(pr_schedule *s, uint32_t r) {
    uint32_t at = find_job(s, 0, UINT64_MAX, UINT64_MAX);
    for (int k = 0; k < MOST_LEFT && at != PR_FIT_NONE; k++) {
        uint32_t j = s->order[at];
        if (s->jobs[j].hinted_to == r || !pr_hint_holds(s, &s->jobs[j])) return j;
        at = find_job(s, at + 1, UINT64_MAX, UINT64_MAX);
    }
    return PR_NONE;
}

/* No idle rank takes anything: short jobs go behind what ranks are at, by turns. */
static bool give_behind(pr_schedule *s, pr_task *task) {
    enum { MOST_RANKS = 4 };
    if (s->queue.n == 0 || s->kept_for != PR_NONE) return false;
    for (int k = 0; k < MOST_RANKS && s->open.first != PR_NONE; k++) {
        uint32_t r = s->open.first, j = first_for(s, r);
        if (j == PR_NONE || pr_job_estimate(s, j) > s->options.behind_ns) return false;
        pr_list_remove(s, &s->open, PR_LIST_OPEN, r);
        pr_list_append(s, &s->open, PR_LIST_OPEN, r);
        if (!pr_behind_suits(s, r, j) || is_too_slow(s, j, r)) continue;
        pr_behind_give(s, r, j, task);
        return true;
    }
    return false;
}

/* Nothing is queued any more: what has become slow is begun a second time. */
static bool give_again(pr_schedule *s, pr_task *task) {
    if (s->n_phase[PR_JOB_QUEUED] > 0) return false;
    while (pr_time_heap_first(&s->slow) <= s->now && pr_top_tree_first(&s->free_nodes) != PR_FIT_NONE) {
        uint32_t r = pr_time_heap_first_item(&s->slow), j = s->ranks[r].prove.job;
        place p = {0};
        if (ends_in_time(s, j) && find_rank(s, &p, &s->jobs[j])) {
            pr_rank_give_proof(s, p.rank, j, true, p.exclusive, task);
            return true;
        }
        pr_time_heap_set(&s->slow, r, s->now + s->options.slow_min_ns); /* no room for it: later */
    }
    return false;
}

bool pr_schedule_next(pr_schedule *s, uint64_t now, pr_task *task) {
    *task = (pr_task){.kind = PR_TASK_NONE, .rank = PR_NONE, .job = PR_NONE};
    pr_schedule_advance(s, now);
    bool given = give_verification(s, task) ||
                 (!s->draining && (give_queued(s, task) || give_behind(s, task) || give_again(s, task)));
    s->quiet = !given;
    return given;
}
