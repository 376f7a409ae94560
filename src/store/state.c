#include "store/state.h"
#include "store/step.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECENT 64u /* ends that the rate is taken over */

typedef struct gatherer {
    pr_run_state *s;
    size_t *slots; /* open addressing: index into jobs + 1 */
    size_t capacity, job_room, rank_room;
    uint64_t recent[RECENT];
} gatherer;

static pr_status no_memory(pr_error *err) { return pr_fail(err, PR_ERR_MEMORY, "out of memory for the run's state"); }

/* ---- jobs by id ---- */

static size_t slot_of(const gatherer *g, const char *id) {
    uint64_t h = 14695981039346656037u;
    for (const char *c = id; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
    size_t i = (size_t)h & (g->capacity - 1);
    while (g->slots[i] && strcmp(g->s->jobs[g->slots[i] - 1].id, id) != 0) i = (i + 1) & (g->capacity - 1);
    return i;
}

static pr_status grow_slots(gatherer *g, pr_error *err) {
    size_t room = g->capacity ? 2 * g->capacity : 64;
    size_t *fresh = calloc(room, sizeof *fresh);
    if (!fresh) return no_memory(err);
    free(g->slots);
    g->slots = fresh;
    g->capacity = room;
    for (size_t i = 0; i < g->s->n_job_views; i++) g->slots[slot_of(g, g->s->jobs[i].id)] = i + 1;
    return PR_OK;
}

static pr_status view_of(gatherer *g, pr_job_view **out, const char *id, pr_error *err) {
    pr_run_state *s = g->s;
    if (2 * (s->n_job_views + 1) >= g->capacity) PR_TRY(grow_slots(g, err));
    size_t slot = slot_of(g, id);
    if (!g->slots[slot]) {
        if (s->n_job_views == g->job_room) {
            size_t room = g->job_room ? 2 * g->job_room : 64;
            pr_job_view *grown = realloc(s->jobs, room * sizeof *grown);
            if (!grown) return no_memory(err);
            s->jobs = grown;
            g->job_room = room;
        }
        pr_job_view *fresh = &s->jobs[s->n_job_views++];
        *fresh = (pr_job_view){.rank = -1};
        snprintf(fresh->id, sizeof fresh->id, "%s", id);
        g->slots[slot] = s->n_job_views;
    }
    *out = &s->jobs[g->slots[slot] - 1];
    return PR_OK;
}

static pr_status rank_of(gatherer *g, pr_rank_row **out, int32_t rank, pr_error *err) {
    pr_run_state *s = g->s;
    size_t at = 0;
    while (at < s->n_ranks && s->ranks[at].rank < rank) at++;
    if (at == s->n_ranks || s->ranks[at].rank != rank) {
        if (s->n_ranks == g->rank_room) {
            size_t room = g->rank_room ? 2 * g->rank_room : 64;
            pr_rank_row *grown = realloc(s->ranks, room * sizeof *grown);
            if (!grown) return no_memory(err);
            s->ranks = grown;
            g->rank_room = room;
        }
        memmove(&s->ranks[at + 1], &s->ranks[at], (s->n_ranks - at) * sizeof *s->ranks);
        s->ranks[at] = (pr_rank_row){.rank = rank};
        s->n_ranks++;
    }
    *out = &s->ranks[at];
    return PR_OK;
}

/* ---- frames ---- */

/* What an earlier session handed out runs no more. */
static void begin_session(gatherer *g, const pr_step *step) {
    pr_run_state *s = g->s;
    s->sessions++;
    s->running = true;
    s->session = step->as.session;
    s->session_begin_ns = step->time_ns;
    s->ended_in_session = 0;
    s->n_ranks = 0;
    for (size_t i = 0; i < s->n_job_views; i++) {
        s->jobs[i].rank = -1;
        s->jobs[i].attempts = 0;
    }
    if (step->as.session.jobs) s->n_jobs = step->as.session.jobs;
}

/* Whoever had the job last has it no more. */
static void relieve(gatherer *g, const pr_job_view *v, const char *id) {
    for (size_t i = 0; i < g->s->n_ranks; i++) {
        pr_rank_row *r = &g->s->ranks[i];
        bool at_work = r->state == PR_ACTIVITY_PROVING || r->state == PR_ACTIVITY_VERIFYING;
        if (r->rank != v->rank || !at_work || strcmp(r->id, id) != 0) continue;
        r->state = PR_ACTIVITY_IDLE;
        r->id[0] = r->stage[0] = 0;
    }
}

static void end_session(gatherer *g, const pr_step *step) {
    pr_run_state *s = g->s;
    s->running = false;
    s->session = step->as.session;
    for (size_t i = 0; i < s->n_ranks; i++) {
        if (s->ranks[i].state != PR_ACTIVITY_LOST) s->ranks[i].state = PR_ACTIVITY_ENDED;
        s->ranks[i].id[0] = s->ranks[i].stage[0] = 0;
    }
}

static pr_status end_job(gatherer *g, const pr_step *step, pr_error *err) {
    pr_run_state *s = g->s;
    pr_job_view *v;
    PR_TRY(view_of(g, &v, step->as.record.row.id, err));
    v->outcome = step->as.record.row.outcome;
    relieve(g, v, step->as.record.row.id);
    v->rank = -1;
    v->since_ns = step->time_ns;
    s->n_proof_bytes += step->as.record.row.proof_compressed_bytes;
    g->recent[s->ended_in_session++ % RECENT] = step->time_ns;
    return PR_OK;
}

static pr_status assign(gatherer *g, const pr_step *step, pr_error *err) {
    const pr_assignment_row *a = &step->as.assignment;
    pr_job_view *v;
    pr_rank_row *rank;
    PR_TRY(view_of(g, &v, a->id, err));
    relieve(g, v, a->id);
    v->rank = a->rank;
    v->what = a->what;
    v->since_ns = step->time_ns;
    v->outcome = PR_OUTCOME_NONE;
    if (a->what == PR_ASSIGNED_PROVE) v->attempts++;
    PR_TRY(rank_of(g, &rank, a->rank, err));
    if (a->what == PR_ASSIGNED_VERIFY && rank->state != PR_ACTIVITY_PROVING) {
        rank->state = PR_ACTIVITY_VERIFYING;
        memcpy(rank->id, a->id, sizeof rank->id);
        rank->stage[0] = 0;
    }
    return PR_OK;
}

static pr_status take_rank(gatherer *g, const pr_step *step, pr_error *err) {
    pr_rank_row *rank;
    PR_TRY(rank_of(g, &rank, step->as.rank.rank, err));
    *rank = step->as.rank;
    return PR_OK;
}

static pr_status gather(gatherer *g, const pr_step *step, pr_error *err) {
    switch ((pr_frame_type)step->type) {
    case PR_FRAME_SESSION_BEGIN:
        begin_session(g, step);
        return PR_OK;
    case PR_FRAME_SESSION_END:
        end_session(g, step);
        return PR_OK;
    case PR_FRAME_RECORD:
        return end_job(g, step, err);
    case PR_FRAME_ASSIGNMENT:
        return assign(g, step, err);
    case PR_FRAME_RANK:
        return take_rank(g, step, err);
    case PR_FRAME_EVENT:
        g->s->n_events++;
        return PR_OK;
    default:
        return PR_OK;
    }
}

static pr_status visit(void *context, const pr_frame *f, pr_error *err) {
    gatherer *g = context;
    pr_step step;
    g->s->last_ns = f->time_ns;
    if (pr_step_decode(&step, f, NULL) != PR_OK) {
        g->s->n_undecoded++;
        return PR_OK;
    }
    pr_status status = gather(g, &step, err);
    pr_step_clear(&step);
    return status;
}

static pr_status keep_fault(void *context, const pr_fault *f, pr_error *err) {
    gatherer *g = context;
    pr_run_state *s = g->s;
    if (s->n_faults == PR_STATE_MAX_FAULTS) return PR_OK;
    if (!s->faults && !(s->faults = calloc(PR_STATE_MAX_FAULTS, sizeof *s->faults))) return no_memory(err);
    s->faults[s->n_faults++] = *f;
    return PR_OK;
}

/* ---- sums ---- */

static void predict(gatherer *g) {
    pr_run_state *s = g->s;
    uint64_t n = s->ended_in_session < RECENT ? s->ended_in_session : RECENT;
    if (n == 0) return;
    uint64_t newest = g->recent[(s->ended_in_session - 1) % RECENT];
    uint64_t from = s->ended_in_session > RECENT ? g->recent[s->ended_in_session % RECENT] : s->session_begin_ns;
    double intervals = (double)(s->ended_in_session > RECENT ? n - 1 : n);
    if (newest <= from) return;
    s->jobs_per_s = intervals * 1e9 / (double)(newest - from);
    if (s->running && s->n_jobs)
        s->expected_end_ns = newest + (uint64_t)((double)(s->n_waiting + s->n_running) / s->jobs_per_s * 1e9);
}

/* Of the jobs that a rank has it is at the one that was handed out first. */
static void find_next(pr_run_state *s, pr_rank_row *rank) {
    const pr_job_view *first = NULL;
    for (size_t i = 0; i < s->n_job_views; i++) {
        const pr_job_view *v = &s->jobs[i];
        bool waits = v->rank == rank->rank && v->outcome == PR_OUTCOME_NONE && v->what == PR_ASSIGNED_PROVE;
        if (waits && (!first || v->since_ns < first->since_ns)) first = v;
    }
    if (!first) return;
    rank->state = PR_ACTIVITY_PROVING;
    memcpy(rank->id, first->id, sizeof rank->id);
    rank->stage[0] = 0;
}

static void sum_up(gatherer *g) {
    pr_run_state *s = g->s;
    uint64_t ended = 0;
    for (size_t i = 0; i < s->n_ranks; i++)
        if (s->ranks[i].state == PR_ACTIVITY_IDLE || s->ranks[i].state == PR_ACTIVITY_VERIFYING)
            find_next(s, &s->ranks[i]);
    for (size_t i = 0; i < s->n_job_views; i++) {
        const pr_job_view *v = &s->jobs[i];
        s->by_outcome[v->outcome]++;
        ended += v->outcome != PR_OUTCOME_NONE;
        s->n_running += v->outcome == PR_OUTCOME_NONE && v->rank >= 0 && s->running;
    }
    if (s->n_jobs > ended + s->n_running) s->n_waiting = s->n_jobs - ended - s->n_running;
    predict(g);
}

pr_status pr_run_state_load(pr_run_state **out, const char *journal, pr_error *err) {
    gatherer g = {.s = calloc(1, sizeof *g.s)};
    *out = NULL;
    if (!g.s) return no_memory(err);
    pr_scan scan = {.visit = visit, .fault = keep_fault, .context = &g};
    pr_status status = pr_journal_scan(&scan, journal, err);
    if (status == PR_OK) {
        memcpy(g.s->run_id, scan.run_id, sizeof g.s->run_id);
        g.s->n_frames = scan.n_frames;
        g.s->bytes = scan.bytes;
        g.s->n_segments = scan.n_segments;
        sum_up(&g);
        *out = g.s;
    } else {
        pr_run_state_free(g.s);
    }
    free(g.slots);
    return status;
}

void pr_run_state_free(pr_run_state *s) {
    if (!s) return;
    free(s->jobs);
    free(s->ranks);
    free(s->faults);
    free(s);
}

const pr_job_view *pr_run_state_job(const pr_run_state *s, const char *id) {
    for (size_t i = 0; i < s->n_job_views; i++)
        if (!strcmp(s->jobs[i].id, id)) return &s->jobs[i];
    return NULL;
}
