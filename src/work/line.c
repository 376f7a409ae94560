#include "work/line.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The next job, and what its thread has made of it. The thread is the prover's: it calls fill. */
typedef struct ahead {
    const pr_manifest_job *wanted;
    pr_hash air_digest; /* of what the prover proves */
    uint32_t n_derived;
    pr_config config;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_read;
    pr_status status; /* of reading it */
    pr_error error;
    pr_job *job; /* owned until it is taken */
    bool fits;   /* the prover can prove it */
} ahead;

struct pr_work_line {
    pr_prover *prover; /* NULL: none is kept */
    const pr_backend *backend;
    pr_job *job;  /* being proven, or the last that was: the prover borrows its layout */
    pr_job *last; /* what it borrows until it is given job's */
    ahead *next;  /* NULL: nothing is prepared */
    ahead *mine;  /* what job was read by; its trace may still be in the making */
};

/* ---- the next job ---- */

static bool same_config(const pr_config *a, const pr_config *b) {
    return a->pow_bits == b->pow_bits && a->log_blowup == b->log_blowup && a->n_queries == b->n_queries &&
           a->log_last_layer_degree_bound == b->log_last_layer_degree_bound && a->fold_step == b->fold_step &&
           a->lifting_log_size == b->lifting_log_size;
}

static void read_job(ahead *a) {
    pr_job *job = NULL;
    a->status = pr_job_create(&job, a->wanted->type, &a->wanted->params, &a->wanted->config, &a->error);
    pthread_mutex_lock(&a->mutex);
    a->job = job;
    a->fits = job && pr_hash_equal(&job->air_digest, &a->air_digest) &&
              pr_air_count_derived(job->statement.air) == a->n_derived &&
              same_config(&job->statement.config, &a->config);
    a->is_read = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

static pr_status fill(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads, pr_error *err) {
    ahead *a = context;
    if (component == 0) read_job(a);
    if (a->status != PR_OK) return pr_fail(err, a->status, "%s", a->error.text);
    if (!a->fits) return pr_fail(err, PR_ERR_REFUSED, "a job of another kind than the one before");
    return pr_job_fill_trace(a->job, component, columns, n_threads, err);
}

static ahead *create_ahead(const pr_manifest_job *wanted, const pr_job *like) {
    ahead *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->wanted = wanted;
    a->air_digest = like->air_digest;
    a->n_derived = pr_air_count_derived(like->statement.air);
    a->config = like->statement.config;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, NULL);
    return a;
}

/* Its thread has ended. */
static void destroy_ahead(ahead *a) {
    if (!a) return;
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->mutex);
    pr_job_destroy(a->job);
    free(a);
}

/* ---- the line ---- */

pr_status pr_work_line_create(pr_work_line **out, pr_error *err) {
    *out = calloc(1, sizeof **out);
    return *out ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for a line of jobs");
}

static void drop_next(pr_work_line *line) {
    if (line->prover) pr_prover_forget(line->prover);
    destroy_ahead(line->next);
    line->next = NULL;
}

static void close_prover(pr_work_line *line) {
    drop_next(line);
    pr_prover_destroy(line->prover);
    line->prover = NULL;
    pr_job_destroy(line->last);
    line->last = NULL;
}

void pr_work_line_reset(pr_work_line *line) {
    close_prover(line);
    destroy_ahead(line->mine);
    pr_job_destroy(line->job);
    line->mine = NULL;
    line->job = NULL;
}

void pr_work_line_destroy(pr_work_line *line) {
    if (!line) return;
    pr_work_line_reset(line);
    free(line);
}

static pr_status take_read(pr_work_line *line, pr_job **job, pr_error *err) {
    ahead *a = line->next;
    pthread_mutex_lock(&a->mutex);
    while (!a->is_read) pthread_cond_wait(&a->changed, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
    if (a->status != PR_OK) return pr_fail(err, a->status, "%s", a->error.text);
    *job = a->job;
    return PR_OK;
}

pr_status pr_work_line_take(pr_work_line *line, pr_job **job, const pr_manifest_job *wanted, pr_error *err) {
    PR_ASSERT(!line->job);
    *job = NULL;
    if (line->next && line->next->wanted != wanted) drop_next(line);
    if (!line->next) {
        PR_TRY(pr_job_create(job, wanted->type, &wanted->params, &wanted->config, err));
        line->job = *job;
        return PR_OK;
    }
    pr_status status = take_read(line, job, err);
    if (status != PR_OK) {
        drop_next(line);
        return status;
    }
    line->mine = line->next;
    line->next = NULL;
    line->job = *job;
    return PR_OK;
}

/* A prover of its own for the job, which nothing was made of but its inputs. */
static pr_status open_prover(pr_work_line *line, const pr_work *work, bool ahead_of, pr_error *err) {
    const pr_prover_options options = {.backend = work->backend,
                                       .n_threads = work->threads,
                                       .max_bytes = work->max_bytes,
                                       .max_device_bytes = work->max_device_bytes,
                                       .memory = work->memory,
                                       .ahead = ahead_of};
    const pr_trace_source source = {line->job, pr_job_fills_storage(line->job), pr_job_fill_trace};
    close_prover(line);
    PR_TRY(pr_prover_create(&line->prover, &line->job->layout, &options, err));
    line->backend = work->backend;
    pr_prover_prepare(line->prover, &source);
    return PR_OK;
}

/* The prover goes on with the job whose trace it has. */
static void go_on(pr_work_line *line) {
    pr_prover_set_layout(line->prover, &line->job->layout);
    pr_job_destroy(line->last);
    line->last = NULL;
}

static void prepare(pr_work_line *line, const pr_manifest_job *next) {
    if (!next || pr_prover_get_plan(line->prover)->ahead == PR_AHEAD_NONE) return;
    line->next = create_ahead(next, line->job);
    if (!line->next) return; /* without memory for it, nothing is done ahead */
    const pr_trace_source source = {line->next, next->type->fills_storage, fill};
    pr_prover_prepare(line->prover, &source);
}

pr_status pr_work_line_prove(pr_work_line *line, pr_proof *proof, pr_plan *plan, pr_stage_times *times,
                             const pr_work *work, const pr_manifest_job *next, pr_stage_listener listener,
                             void *context, pr_error *err) {
    if (line->mine && line->mine->fits && line->backend == work->backend)
        go_on(line);
    else
        PR_TRY(open_prover(line, work, next && work->backend->map_ahead, err));
    *plan = *pr_prover_get_plan(line->prover);
    pr_prover_set_stage_listener(line->prover, listener, context);
    prepare(line, next);
    pr_status status = pr_prover_run(line->prover, proof, NULL, times, NULL, NULL, err);
    if (status != PR_OK) drop_next(line); /* the device may have failed */
    if (!line->next) close_prover(line);
    return status;
}

void pr_work_line_end(pr_work_line *line) {
    if (line->mine) line->mine->job = NULL; /* line->job is the same */
    if (!line->next) close_prover(line);
    destroy_ahead(line->mine);
    line->mine = NULL;
    pr_job_destroy(line->last);
    line->last = line->job;
    line->job = NULL;
    if (line->prover) return;
    pr_job_destroy(line->last);
    line->last = NULL;
}
