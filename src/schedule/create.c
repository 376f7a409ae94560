/* Arrays, dependencies, the order of jobs, and what is settled before anything runs. */
#include "schedule/internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- dependencies: distinct ranges, who is in them, who waits for them ---- */

typedef struct edge {
    uint32_t first, count, waiter;
} edge;

static int compare_edges(const void *a, const void *b) {
    const edge *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    if (x->count != y->count) return x->count < y->count ? -1 : 1;
    return (x->waiter > y->waiter) - (x->waiter < y->waiter);
}

static pr_status collect_edges(edge **out, size_t *n, const pr_schedule_setup *setup, pr_error *err) {
    size_t room = 0, at = 0;
    for (size_t j = 0; j < setup->n_jobs; j++) room += setup->jobs[j].n_after;
    edge *edges = malloc((room + 1) * sizeof *edges);
    if (!edges) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu dependencies", room);
    for (uint32_t j = 0; j < setup->n_jobs; j++)
        for (uint32_t k = 0; k < setup->jobs[j].n_after; k++) {
            const pr_schedule_range *r = &setup->jobs[j].after[k];
            if (r->count == 0) continue;
            if (r->first >= setup->n_jobs || r->count > setup->n_jobs - r->first) {
                free(edges);
                return pr_fail(err, PR_ERR_USAGE, "job %u waits for jobs that are not there", j);
            }
            edges[at++] = (edge){r->first, r->count, j};
        }
    qsort(edges, at, sizeof *edges, compare_edges);
    *out = edges;
    *n = at;
    return PR_OK;
}

static bool same_range(const edge *x, const edge *y) { return x->first == y->first && x->count == y->count; }

static size_t count_barriers(const edge *edges, size_t n) {
    size_t barriers = 0;
    for (size_t i = 0; i < n; i++) barriers += i == 0 || !same_range(&edges[i - 1], &edges[i]);
    return barriers;
}

static void fill_barriers(pr_schedule *s, const edge *edges, size_t n) {
    pr_barrier *b = s->barriers;
    size_t n_waiters = 0;
    for (size_t i = 0; i < n; i++) {
        bool fresh = i == 0 || !same_range(&edges[i - 1], &edges[i]);
        if (fresh) {
            b = &s->barriers[s->n_barriers++];
            *b = (pr_barrier){edges[i].first, edges[i].count, edges[i].count, false, n_waiters, 0};
        } else if (edges[i].waiter == edges[i - 1].waiter) {
            continue; /* the same range twice in one list */
        }
        s->waiters[n_waiters++] = edges[i].waiter;
        s->jobs[edges[i].waiter].n_blocked++;
        b->n_waiters++;
    }
}

static bool fill_members(pr_schedule *s) {
    size_t n = 0;
    for (uint32_t b = 0; b < s->n_barriers; b++) n += s->barriers[b].count;
    s->member_first = calloc((size_t)s->n_jobs + 2, sizeof *s->member_first);
    s->members = malloc((n + 1) * sizeof *s->members);
    if (!s->member_first || !s->members || n > UINT32_MAX) return false;
    for (uint32_t b = 0; b < s->n_barriers; b++)
        for (uint32_t k = 0; k < s->barriers[b].count; k++) s->member_first[s->barriers[b].first + k + 2]++;
    for (size_t j = 2; j < (size_t)s->n_jobs + 2; j++) s->member_first[j] += s->member_first[j - 1];
    for (uint32_t b = 0; b < s->n_barriers; b++) /* moves each job's entry on to the place of the next job's */
        for (uint32_t k = 0; k < s->barriers[b].count; k++)
            s->members[s->member_first[s->barriers[b].first + k + 1]++] = b;
    return true;
}

static pr_status build_dependencies(pr_schedule *s, const pr_schedule_setup *setup, pr_error *err) {
    edge *edges = NULL;
    size_t n = 0;
    PR_TRY(collect_edges(&edges, &n, setup, err));
    s->barriers = calloc(count_barriers(edges, n) + 1, sizeof *s->barriers);
    s->waiters = malloc((n + 1) * sizeof *s->waiters);
    bool good = s->barriers && s->waiters;
    if (good) fill_barriers(s, edges, n);
    free(edges);
    if (good) good = fill_members(s);
    return good ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu dependencies", n);
}

/* ---- the order ---- */

typedef struct rank_key {
    int32_t priority;
    uint64_t path_ns; /* of the longest chain that begins with the job */
    uint32_t job;
} rank_key;

typedef struct ordering {
    pr_schedule *s;
    uint32_t *sequence, *blocked, *open; /* [n_jobs] each job after those before it, [n_jobs], [n_barriers] */
    rank_key *keys, *tails;              /* [n_jobs], [n_barriers]: the most of what waits */
    bool *known;                         /* [n_barriers] tails */
} ordering;

static uint32_t sort_by_dependency(ordering *o) {
    pr_schedule *s = o->s;
    uint32_t n = 0;
    for (uint32_t j = 0; j < s->n_jobs; j++)
        if ((o->blocked[j] = s->jobs[j].n_blocked) == 0) o->sequence[n++] = j;
    for (uint32_t b = 0; b < s->n_barriers; b++) o->open[b] = s->barriers[b].count;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t m = s->member_first[o->sequence[i]]; m < s->member_first[o->sequence[i] + 1]; m++) {
            const pr_barrier *b = &s->barriers[s->members[m]];
            if (--o->open[s->members[m]] > 0) continue;
            for (uint32_t w = 0; w < b->n_waiters; w++)
                if (--o->blocked[s->waiters[b->waiters + w]] == 0) o->sequence[n++] = s->waiters[b->waiters + w];
        }
    return n;
}

static void take_most(rank_key *most, const rank_key *key) {
    if (key->priority > most->priority) most->priority = key->priority;
    if (key->path_ns > most->path_ns) most->path_ns = key->path_ns;
}

static const rank_key *find_tail(ordering *o, uint32_t b) {
    const pr_barrier *barrier = &o->s->barriers[b];
    if (o->known[b]) return &o->tails[b];
    o->known[b] = true;
    o->tails[b] = (rank_key){INT32_MIN, 0, 0};
    for (uint32_t w = 0; w < barrier->n_waiters; w++)
        take_most(&o->tails[b], &o->keys[o->s->waiters[barrier->waiters + w]]);
    return &o->tails[b];
}

/* From the last job back: what waits for a job is known before it. */
static void find_keys(ordering *o) {
    pr_schedule *s = o->s;
    for (uint32_t i = s->n_jobs; i-- > 0;) {
        uint32_t j = o->sequence[i];
        rank_key most = {s->jobs[j].priority, 0, j};
        for (uint32_t m = s->member_first[j]; m < s->member_first[j + 1]; m++)
            take_most(&most, find_tail(o, s->members[m]));
        uint64_t own = s->jobs[j].expected_ns;
        most.path_ns = most.path_ns > UINT64_MAX - own ? UINT64_MAX : most.path_ns + own;
        o->keys[j] = most;
    }
}

static int compare_keys(const void *a, const void *b) {
    const rank_key *x = a, *y = b;
    if (x->priority != y->priority) return x->priority > y->priority ? -1 : 1;
    if (x->path_ns != y->path_ns) return x->path_ns > y->path_ns ? -1 : 1;
    return (x->job > y->job) - (x->job < y->job);
}

static pr_status sort_jobs(ordering *o, pr_error *err) {
    pr_schedule *s = o->s;
    if (!o->sequence || !o->blocked || !o->open || !o->keys || !o->tails || !o->known)
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for the order of %u jobs", s->n_jobs);
    if (sort_by_dependency(o) < s->n_jobs) {
        uint32_t j = 0;
        while (o->blocked[j] == 0) j++;
        return pr_fail(err, PR_ERR_USAGE, "job %u waits for itself, directly or through others", j);
    }
    find_keys(o);
    qsort(o->keys, s->n_jobs, sizeof *o->keys, compare_keys);
    for (uint32_t i = 0; i < s->n_jobs; i++) {
        s->order[i] = o->keys[i].job;
        s->jobs[o->keys[i].job].place = i;
        s->jobs[o->keys[i].job].priority = o->keys[i].priority;
    }
    return PR_OK;
}

static pr_status order_jobs(pr_schedule *s, pr_error *err) {
    size_t n = (size_t)s->n_jobs + 1, m = (size_t)s->n_barriers + 1;
    ordering o = {.s = s,
                  .sequence = malloc(n * sizeof(uint32_t)),
                  .blocked = malloc(n * sizeof(uint32_t)),
                  .open = malloc(m * sizeof(uint32_t)),
                  .keys = malloc(n * sizeof(rank_key)),
                  .tails = malloc(m * sizeof(rank_key)),
                  .known = calloc(m, sizeof(bool))};
    pr_status status = sort_jobs(&o, err);
    free(o.sequence);
    free(o.blocked);
    free(o.open);
    free(o.keys);
    free(o.tails);
    free(o.known);
    return status;
}

/* ---- arrays ---- */

static void set_default(uint64_t *value, uint64_t standard) {
    if (*value == 0) *value = standard;
}
static void set_default_u32(uint32_t *value, uint32_t standard) {
    if (*value == 0) *value = standard;
}

static void fill_options(pr_schedule_options *o) {
    const uint64_t second = 1000000000u;
    set_default(&o->drain_margin_ns, 60 * second);
    set_default(&o->backoff_ns, second);
    set_default(&o->backoff_max_ns, 60 * second);
    set_default(&o->avoid_ns, 30 * second);
    set_default(&o->slow_min_ns, 10 * second);
    set_default_u32(&o->slow_factor, 2);
    if (o->slow_factor > 100) o->slow_factor = 100;
    set_default_u32(&o->max_losses, 3);
    set_default_u32(&o->max_rank_faults, 4);
    set_default_u32(&o->max_device_faults, 3);
}

static bool allocate(pr_schedule *s) {
    s->jobs = calloc((size_t)s->n_jobs + 1, sizeof *s->jobs);
    s->order = calloc((size_t)s->n_jobs + 1, sizeof *s->order);
    s->work = calloc((size_t)s->n_jobs + 1, sizeof *s->work);
    s->classes = calloc(s->n_classes, sizeof *s->classes);
    s->ranks = calloc((size_t)s->n_ranks + 1, sizeof *s->ranks);
    s->nodes = calloc((size_t)s->n_nodes + 1, sizeof *s->nodes);
    s->devices = calloc((size_t)s->n_devices + 1, sizeof *s->devices);
    bool good = s->jobs && s->order && s->work && s->classes && s->ranks && s->nodes && s->devices;
    good &= pr_fit_tree_init(&s->queue, s->n_jobs, &s->steps);
    good &= pr_top_tree_init(&s->free_nodes, s->n_nodes, &s->steps);
    good &= pr_time_heap_init(&s->timers, s->n_jobs, &s->steps);
    good &= pr_time_heap_init(&s->deadlines, s->n_jobs, &s->steps);
    good &= pr_time_heap_init(&s->late, s->n_ranks, &s->steps);
    return pr_time_heap_init(&s->slow, s->n_ranks, &s->steps) && good;
}

static pr_status fill_jobs(pr_schedule *s, const pr_schedule_setup *setup, pr_error *err) {
    for (uint32_t c = 0; c < s->n_classes; c++) s->classes[c].factor = 1;
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        const pr_schedule_job *in = &setup->jobs[j];
        if (in->class >= s->n_classes) return pr_fail(err, PR_ERR_USAGE, "job %u has no class", j);
        s->jobs[j] = (pr_job_state){.expected_ns = in->expected_ns,
                                    .host_bytes = in->host_bytes,
                                    .device_bytes = in->device_bytes,
                                    .device_host_bytes = in->device_host_bytes ? in->device_host_bytes : in->host_bytes,
                                    .time_limit_ns = in->time_limit_ns,
                                    .deadline_ns = in->deadline_ns,
                                    .priority = in->priority,
                                    .retries = in->retries,
                                    .class = in->class,
                                    .attempt = in->attempts_before,
                                    .runners = {PR_NONE, PR_NONE},
                                    .prover = PR_NONE,
                                    .verifier = PR_NONE,
                                    .hinted_to = PR_NONE,
                                    .avoid_rank = PR_NONE,
                                    .avoid_node = PR_NONE};
        s->classes[in->class].left_ns += (double)in->expected_ns;
    }
    s->n_phase[PR_JOB_WAITING] = s->n_jobs;
    return PR_OK;
}

static pr_status fill_nodes(pr_schedule *s, const pr_schedule_setup *setup) {
    const pr_list empty = {PR_NONE, PR_NONE};
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        const pr_schedule_node *in = &setup->nodes[n];
        uint64_t limit = in->host_limit_bytes > in->host_bytes ? in->host_limit_bytes : in->host_bytes;
        s->nodes[n] = (pr_node_info){.budget = in->host_bytes, .limit = limit, .idle = {empty, empty}};
    }
    for (uint32_t d = 0; d < s->n_devices; d++) s->devices[d].budget = setup->devices[d].bytes;
    return PR_OK;
}

static pr_status fill_ranks(pr_schedule *s, const pr_schedule_setup *setup, pr_error *err) {
    PR_TRY(fill_nodes(s, setup));
    for (uint32_t r = 0; r < s->n_ranks; r++) {
        const pr_schedule_rank *in = &setup->ranks[r];
        if (in->node >= s->n_nodes || (in->device != PR_SCHEDULE_NO_DEVICE && in->device >= s->n_devices))
            return pr_fail(err, PR_ERR_USAGE, "rank %u has a node or device that is not there", r);
        s->ranks[r] = (pr_rank_info){.node = in->node,
                                     .device = in->device,
                                     .proves = in->proves,
                                     .verifies = in->verifies,
                                     .one_task = in->one_task,
                                     .slowness = 1,
                                     .prove.job = PR_NONE,
                                     .verify_job = PR_NONE,
                                     .proofs = {PR_NONE, PR_NONE}};
        pr_rank_count(s, r, 1);
        pr_node_info *node = &s->nodes[in->node];
        uint64_t bytes = in->device == PR_SCHEDULE_NO_DEVICE ? 0 : s->devices[in->device].budget;
        if (in->proves && bytes > node->device_bytes) node->device_bytes = bytes;
    }
    for (uint32_t r = 0; r < s->n_ranks; r++) pr_rank_refresh(s, r);
    pr_schedule_find_max_limit(s);
    s->top_limit = s->max_limit;
    return PR_OK;
}

/* ---- what is settled at once ---- */

static bool fits_a_device(const pr_schedule *s, const pr_job_state *job) {
    if (!job->device_bytes) return false;
    for (uint32_t r = 0; r < s->n_ranks; r++) {
        const pr_rank_info *rank = &s->ranks[r];
        if (rank->proves && pr_rank_uses_device(s, rank, job) && s->nodes[rank->node].limit >= job->device_host_bytes)
            return true;
    }
    return false;
}

static void settle(pr_schedule *s, const pr_schedule_setup *setup) {
    for (uint32_t j = 0; j < s->n_jobs; j++)
        if (setup->jobs[j].past == PR_SCHEDULE_WAS_DONE) pr_job_done(s, j);
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        if (setup->jobs[j].past != PR_SCHEDULE_HAS_FAILED) continue;
        pr_job_unqueue(s, j);
        pr_job_set_phase(s, j, PR_JOB_FAILED);
    }
    for (uint32_t j = 0; j < s->n_jobs; j++)
        if (setup->jobs[j].past == PR_SCHEDULE_HAS_FAILED) pr_job_fail(s, j);
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        pr_job_state *job = &s->jobs[j];
        if (pr_job_has_ended(s, j)) continue;
        if (s->n_provers && job->host_bytes > s->max_limit && !fits_a_device(s, job))
            pr_job_end_unasked(s, j, PR_WHY_TOO_LARGE, PR_NONE);
        else if (job->n_blocked == 0)
            pr_job_queue(s, j);
        else
            pr_job_watch_deadline(s, j);
    }
}

static pr_status build(pr_schedule *s, const pr_schedule_setup *setup, uint64_t now, pr_error *err) {
    if (!allocate(s))
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u jobs and %u ranks", s->n_jobs, s->n_ranks);
    PR_TRY(fill_jobs(s, setup, err));
    PR_TRY(build_dependencies(s, setup, err));
    PR_TRY(order_jobs(s, err));
    PR_TRY(fill_ranks(s, setup, err));
    s->now = s->begin_ns = now;
    fill_options(&s->options);
    pr_schedule_set_close(s);
    settle(s, setup);
    return PR_OK;
}

pr_status pr_schedule_create(pr_schedule **out, const pr_schedule_setup *setup, uint64_t now, pr_error *err) {
    const pr_list empty = {PR_NONE, PR_NONE};
    *out = NULL;
    if (setup->n_jobs >= PR_NONE) return pr_fail(err, PR_ERR_USAGE, "too many jobs");
    pr_schedule *s = calloc(1, sizeof *s);
    if (!s) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a schedule");
    s->options = setup->options;
    s->n_jobs = (uint32_t)setup->n_jobs;
    s->n_classes = setup->n_classes ? setup->n_classes : 1;
    s->n_ranks = setup->n_ranks;
    s->n_nodes = setup->n_nodes;
    s->n_devices = setup->n_devices;
    s->idle_verifiers = s->provers_with_proofs = s->open = empty;
    s->kept_node = s->kept_for = s->first_notice = s->first_rank_notice = PR_NONE;
    pr_status status = build(s, setup, now, err);
    if (status == PR_OK)
        *out = s;
    else
        pr_schedule_destroy(s);
    return status;
}

void pr_schedule_destroy(pr_schedule *s) {
    if (!s) return;
    pr_fit_tree_clear(&s->queue);
    pr_top_tree_clear(&s->free_nodes);
    pr_time_heap_clear(&s->timers);
    pr_time_heap_clear(&s->deadlines);
    pr_time_heap_clear(&s->slow);
    pr_time_heap_clear(&s->late);
    free(s->jobs);
    free(s->order);
    free(s->work);
    free(s->classes);
    free(s->ranks);
    free(s->nodes);
    free(s->devices);
    free(s->barriers);
    free(s->waiters);
    free(s->member_first);
    free(s->members);
    free(s);
}
