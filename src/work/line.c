#include "work/line.h"
#include "base/clock.h"
#include "work/attempt.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { N_LANES = PR_WORK_MOST_NEXT + 1, MOST_STAGES = 128 };

/* A thread, its prover, and the job that it is at. */
typedef struct lane {
    pr_work_line *line;
    pthread_t thread;
    bool has_thread, ends;
    pr_attempts kept;            /* the thread's own */
    uint64_t device, host;       /* bytes that kept's prover has; 0, 0: there is none */
    bool gives_back;             /* asked to close it, if it is idle */
    const pr_manifest_job *last; /* that kept is of */
    pr_job_size size;            /* of the job that was begun last */
    bool has_size;
    const pr_manifest_job *job; /* NULL: idle */
    pr_work work;
    unsigned turn;    /* 0: of the attempt that is being made; what comes next has the next ones */
    bool is_admitted; /* it has its memory */
    bool is_done, is_dropped;
    atomic_bool stop;
    pr_record record; /* once it is done */
    pr_status status;
    pr_error error;
    uint8_t stages[MOST_STAGES]; /* the last ones that have begun, in a ring */
    size_t n_stages;
} lane;

struct pr_work_line {
    lane lanes[N_LANES];
    pthread_mutex_t mutex;  /* over lanes, but for what is a thread's own */
    pthread_cond_t changed; /* anything of that */
};

static void wait(pr_work_line *line) { pthread_cond_wait(&line->changed, &line->mutex); }
static void lock(pr_work_line *line) { pthread_mutex_lock(&line->mutex); }
static void unlock(pr_work_line *line) {
    pthread_cond_broadcast(&line->changed);
    pthread_mutex_unlock(&line->mutex);
}

/* ---- memory; the lock is held ---- */

static bool is_idle(const lane *l) { return !l->job || l->is_done; }

static bool fits(const lane *l, uint64_t device, uint64_t host) {
    const uint64_t most_device = l->work.max_device_bytes ? l->work.max_device_bytes : UINT64_MAX;
    const size_t most = l->work.share_bytes ? l->work.share_bytes : l->work.max_bytes;
    bool alone = true;
    for (const lane *k = l->line->lanes; k < l->line->lanes + N_LANES; k++) {
        device += k->device;
        host += k->host;
        alone &= k == l || (!k->device && !k->host);
    }
    return alone || (device <= most_device && host <= (most ? most : UINT64_MAX));
}

/* Memory is given by turns, also where the inputs of a job take longer to read than those of the next. */
static bool is_first(const lane *l) {
    for (const lane *k = l->line->lanes; k < l->line->lanes + N_LANES; k++)
        if (!is_idle(k) && !k->is_dropped && !k->is_admitted && k->turn < l->turn) return false;
    return true;
}

static void drop(lane *l) {
    if (!l->job) return;
    l->is_dropped = true;
    atomic_store(&l->stop, true);
}

/* Idle provers are given up; for the attempt that is being made, all that was begun ahead. */
static void make_room(const lane *l) {
    for (lane *k = l->line->lanes; k < l->line->lanes + N_LANES; k++) {
        if (k == l) continue;
        k->gives_back |= is_idle(k);
        if (l->turn == 0 && k->is_admitted && !is_idle(k)) drop(k);
    }
    pthread_cond_broadcast(&l->line->changed);
}

/* Asked by this lane's prover, which has nothing yet. */
static pr_status admit(void *context, const pr_plan *plan, pr_error *err) {
    lane *l = context;
    bool has_own = l->work.backend->min_window_bytes != NULL;
    uint64_t device = has_own ? plan->arena_bytes - plan->far_bytes + plan->workspace_bytes : 0;
    uint64_t host = plan->total_bytes, start = pr_clock_monotonic_ns();
    lock(l->line);
    l->device = l->host = 0;
    while (!atomic_load(&l->stop) && !(is_first(l) && fits(l, device, host))) {
        if (is_first(l)) make_room(l);
        wait(l->line);
    }
    bool goes_on = !atomic_load(&l->stop);
    if (goes_on) l->device = device, l->host = host, l->is_admitted = true;
    unlock(l->line);
    l->kept.waited_ns = pr_clock_monotonic_ns() - start;
    return goes_on ? PR_OK : pr_fail(err, PR_ERR_INTERRUPTED, "the proof is not wanted any more");
}

/* ---- a lane's thread ---- */

static void note_stage(void *context, uint32_t stage) {
    lane *l = context;
    lock(l->line);
    l->stages[l->n_stages++ % MOST_STAGES] = (uint8_t)stage;
    l->is_admitted |= stage >= PR_WORK_STAGE_PROVER; /* by a prover that was there */
    unlock(l->line);
}

/* The lock is held, but not while it works. */
static void do_job(lane *l) {
    const pr_work_watch watch = {note_stage, l};
    unlock(l->line);
    l->status = pr_attempt_make(&l->record, &l->kept, &l->work, l->job, &watch, &l->error);
    lock(l->line);
    if (!l->kept.prover) l->device = l->host = 0;
    l->last = l->job;
    l->is_done = true;
}

static void give_back(lane *l) {
    unlock(l->line);
    pr_attempts_clear(&l->kept);
    lock(l->line);
    l->device = l->host = 0;
    l->last = NULL;
    l->gives_back = false;
}

static void forget_job(lane *l) {
    pr_record_clear(&l->record);
    l->job = NULL;
}

static void *serve(void *context) {
    lane *l = context;
    lock(l->line);
    while (!l->ends) {
        if (l->gives_back)
            give_back(l); /* also before a job that came meanwhile: another one was first to ask */
        else if (!is_idle(l))
            do_job(l);
        else if (l->is_dropped && l->job)
            forget_job(l);
        else {
            wait(l->line);
            continue;
        }
        pthread_cond_broadcast(&l->line->changed);
    }
    give_back(l);
    unlock(l->line);
    return NULL;
}

/* ---- what the line's own thread does with lanes; the lock is held ---- */

/* To find a size may take reading a program: once a job. */
typedef struct sized_job {
    const pr_manifest_job *job;
    pr_job_size size;
    bool has_size;
} sized_job;

static sized_job with_size(const pr_manifest_job *job) {
    sized_job s = {.job = job};
    s.has_size = job->type->size && job->type->size(&s.size, &job->params, NULL) == PR_OK;
    return s;
}

static bool is_alike(const lane *l, const sized_job *b) {
    const pr_job_size *s = &l->size, *t = &b->size;
    if (l->last->type != b->job->type || !pr_config_equal(&l->last->config, &b->job->config)) return false;
    if (!l->has_size || !b->has_size) return true;
    return s->log_rows == t->log_rows && s->cells == t->cells && s->n_columns == t->n_columns;
}

/* An idle lane: one whose prover the job can use, else one that has none. NULL: all are at work. */
static lane *find_free(pr_work_line *line, const sized_job *job) {
    lane *best = NULL;
    int most = 0;
    for (lane *l = line->lanes; l < line->lanes + N_LANES; l++) {
        if (l->job) continue;
        int worth = !l->last ? 2 : is_alike(l, job) ? 3 : 1;
        if (worth > most) best = l, most = worth;
    }
    return best;
}

static lane *find_begun(pr_work_line *line, const pr_work *work, const pr_manifest_job *job) {
    for (lane *l = line->lanes; l < line->lanes + N_LANES; l++)
        if (l->job == job && !l->is_dropped && l->work.backend == work->backend) return l;
    return NULL;
}

/* False: without a thread it cannot be. */
static bool begin(lane *l, const pr_work *work, const sized_job *job) {
    l->work = *work;
    l->work.memory = NULL; /* it serves one thread */
    l->job = job->job;
    l->size = job->size;
    l->has_size = job->has_size;
    l->is_done = l->is_dropped = l->is_admitted = false;
    l->n_stages = 0;
    l->kept.admit = admit;
    l->kept.admit_context = l;
    l->kept.stop = &l->stop;
    l->kept.repeats = true;
    atomic_store(&l->stop, false);
    if (!l->has_thread) l->has_thread = pthread_create(&l->thread, NULL, serve, l) == 0;
    if (!l->has_thread) l->job = NULL;
    return l->has_thread;
}

static bool is_spoken_of(const pr_manifest_job *job, const pr_manifest_job *const *next, size_t n) {
    for (size_t k = 0; k < n; k++)
        if (next[k] == job) return true;
    return false;
}

/* The lane of the job that is to be proven; NULL: there is none for it. */
static lane *take_lane(pr_work_line *line, const pr_work *work, const pr_manifest_job *job,
                       const pr_manifest_job *const *next, size_t n_next) {
    lane *mine = find_begun(line, work, job);
    for (lane *l = line->lanes; l < line->lanes + N_LANES; l++)
        if (l != mine && !is_spoken_of(l->job, next, n_next)) drop(l);
    if (!mine) {
        const sized_job sized = with_size(job);
        while (!(mine = find_free(line, &sized))) wait(line);
        if (!begin(mine, work, &sized)) return NULL;
    }
    mine->turn = 0;
    return mine;
}

static void begin_next(pr_work_line *line, const pr_work *work, const pr_manifest_job *const *next, size_t n_next) {
    for (size_t k = 0; k < n_next; k++) {
        lane *l = find_begun(line, work, next[k]);
        if (!l) {
            const sized_job sized = with_size(next[k]);
            l = find_free(line, &sized);
            if (l && !begin(l, work, &sized)) l = NULL;
        }
        if (l) l->turn = (unsigned)k + 1;
    }
}

/* Tells what its thread notes, until it is done; takes its record. */
static pr_status see_through(lane *l, pr_record *record, const pr_work_watch *watch, pr_error *err) {
    size_t n_told = 0;
    for (;;) {
        if (n_told < l->n_stages) {
            if (l->n_stages - n_told > MOST_STAGES) n_told = l->n_stages - MOST_STAGES;
            const uint32_t stage = l->stages[n_told++ % MOST_STAGES];
            unlock(l->line);
            if (watch) watch->stage(watch->context, stage);
            lock(l->line);
        } else if (l->is_done) {
            break;
        } else {
            wait(l->line);
        }
    }
    *record = l->record;
    memset(&l->record, 0, sizeof l->record);
    l->job = NULL;
    return l->status == PR_OK ? PR_OK : pr_fail(err, l->status, "%s", l->error.text);
}

/* ---- the line ---- */

pr_status pr_work_line_create(pr_work_line **out, pr_error *err) {
    pr_work_line *line = *out = calloc(1, sizeof **out);
    if (!line) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a line of jobs");
    pthread_mutex_init(&line->mutex, NULL);
    pthread_cond_init(&line->changed, NULL);
    for (lane *l = line->lanes; l < line->lanes + N_LANES; l++) l->line = line;
    return PR_OK;
}

void pr_work_line_reset(pr_work_line *line) {
    lock(line);
    for (lane *l = line->lanes; l < line->lanes + N_LANES; l++) {
        drop(l);
        l->ends = true;
    }
    unlock(line);
    for (lane *l = line->lanes; l < line->lanes + N_LANES; l++) {
        if (l->has_thread) pthread_join(l->thread, NULL);
        forget_job(l);
        l->has_thread = l->ends = false;
    }
}

void pr_work_line_destroy(pr_work_line *line) {
    if (!line) return;
    pr_work_line_reset(line);
    pthread_cond_destroy(&line->changed);
    pthread_mutex_destroy(&line->mutex);
    free(line);
}

/* By the calling thread, with nothing beside it. */
static pr_status prove_alone(pr_record *record, pr_work_line *line, const pr_work *work, const pr_manifest_job *job,
                             const pr_work_watch *watch, pr_error *err) {
    pr_attempts kept = {0};
    pr_work_line_reset(line);
    pr_status status = pr_attempt_make(record, &kept, work, job, watch, err);
    pr_attempts_clear(&kept);
    return status;
}

pr_status pr_work_prove_in_line(pr_record *record, pr_work_line *line, const pr_work *work, const pr_manifest_job *job,
                                const pr_manifest_job *const *next, size_t n_next, const pr_work_watch *watch,
                                pr_error *err) {
    pr_status status = PR_ERR_MEMORY;
    bool has_own = work->backend->min_window_bytes != NULL;
    PR_ASSERT(n_next <= PR_WORK_MOST_NEXT);
    lock(line);
    lane *mine = has_own && (n_next || find_begun(line, work, job)) ? take_lane(line, work, job, next, n_next) : NULL;
    if (mine) {
        begin_next(line, work, next, n_next);
        pthread_cond_broadcast(&line->changed);
        status = see_through(mine, record, watch, err);
    }
    unlock(line);
    if (mine && status == PR_ERR_MEMORY) pr_record_clear(record);
    if (status == PR_ERR_MEMORY) return prove_alone(record, line, work, job, watch, err);
    if (!n_next || status == PR_ERR_BACKEND)
        pr_work_line_reset(line); /* nothing is to come, or the device has failed */
    return status;
}
