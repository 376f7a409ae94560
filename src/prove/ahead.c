/* Traces of proofs to come: made by a thread into pinned views while a proof runs, and copied to the device as soon as
 * they are made and the proof that runs has read its own. The thread that drives the prover is the only one that speaks
 * to the device: it queues the copy when a stage begins. */
#include "prove/internal.h"
#include <string.h>

const char *pr_ahead_name(pr_ahead ahead) {
    return ahead == PR_AHEAD_COPY ? "copy" : ahead == PR_AHEAD_TRACE ? "trace" : "none";
}

static bool copies(const pr_prover *p) { return p->plan.ahead == PR_AHEAD_COPY; }

static pr_status fill(pr_ahead_state *a, const pr_trace_source *source, pr_error *err) {
    for (uint32_t c = 0; c < a->n_components; c++) {
        pr_m31 **columns = a->columns + a->column_first[c];
        memcpy(columns, a->views + a->first[c], (a->first[c + 1] - a->first[c]) * sizeof *columns);
        PR_TRY(source->fill(source->context, c, columns, a->n_threads, err));
    }
    return PR_OK;
}

static void *make(void *context) {
    pr_ahead_state *a = context;
    a->status = fill(a, &a->sources[0], &a->error);
    atomic_store(&a->made, true);
    return NULL;
}

/* The views are free: the first of those that wait gets them. */
static void begin_making(pr_prover *p) {
    pr_ahead_state *a = &p->ahead;
    atomic_store(&a->made, false);
    a->status = a->copy_status = PR_OK;
    a->is_copied = false;
    if (p->plan.ahead == PR_AHEAD_NONE || !a->n_sources) return;
    a->has_thread = pthread_create(&a->thread, NULL, make, a) == 0;
    if (!a->has_thread) (void)make(a);
}

static void finish_making(pr_ahead_state *a) {
    if (a->has_thread) pthread_join(a->thread, NULL);
    a->has_thread = false;
}

static void take_first_away(pr_prover *p) {
    pr_ahead_state *a = &p->ahead;
    a->sources[0] = a->sources[1];
    a->n_sources -= a->n_sources > 0;
    a->is_consumed = true;
    begin_making(p);
}

void pr_prover_advance_ahead(pr_prover *p) {
    pr_ahead_state *a = &p->ahead;
    if (!copies(p) || a->is_copied || a->is_taken || !atomic_load(&a->made) || a->status != PR_OK) return;
    a->is_copied = true;
    a->copy_status = p->ops->copy_ahead(p->device, a->cols, a->views, a->n, &a->copy_error);
}

static pr_status join_copy(pr_prover *p, pr_error *err) {
    pr_ahead_state *a = &p->ahead;
    pr_prover_advance_ahead(p);
    if (a->copy_status != PR_OK) return pr_fail(err, a->copy_status, "%s", a->copy_error.text);
    return p->ops->join_ahead(p->device, err);
}

/* Without a prepared trace the run's own source fills the views here. */
static pr_status have_made(pr_prover *p, pr_error *err) {
    pr_ahead_state *a = &p->ahead;
    if (!a->n_sources) {
        a->status = fill(a, &p->source, &a->error);
        atomic_store(&a->made, true);
    }
    finish_making(a);
    return a->status == PR_OK ? PR_OK : pr_fail(err, a->status, "%s", a->error.text);
}

pr_status pr_prover_take_ahead(pr_prover *p, pr_error *err) {
    if (p->plan.ahead == PR_AHEAD_NONE) return PR_OK;
    PR_TRY(have_made(p, err));
    if (copies(p)) PR_TRY(join_copy(p, err));
    p->ahead.is_taken = true;
    if (copies(p)) take_first_away(p);
    return PR_OK;
}

pr_status pr_prover_release_ahead(pr_prover *p, pr_error *err) {
    pr_ahead_state *a = &p->ahead;
    if (p->plan.ahead == PR_AHEAD_NONE) return PR_OK;
    if (copies(p)) {
        PR_TRY(p->ops->map_ahead(p->device, a->again, a->cols, a->n, err));
    } else {
        PR_TRY(p->ops->synchronize(p->device, err));
        take_first_away(p);
    }
    a->is_taken = false;
    return PR_OK;
}

/* The first is dropped; its copy, if there is one on the way, has to end before the views are filled again. */
static void drop_first(pr_prover *p) {
    pr_ahead_state *a = &p->ahead;
    finish_making(a);
    if (a->is_copied) (void)p->ops->join_ahead(p->device, NULL);
    if (a->is_taken) (void)p->ops->synchronize(p->device, NULL);
    take_first_away(p);
}

void pr_prover_end_ahead(pr_prover *p) {
    pr_ahead_state *a = &p->ahead;
    if (!a->is_consumed) drop_first(p);
    if (a->is_taken && copies(p)) (void)p->ops->map_ahead(p->device, a->again, a->cols, a->n, NULL);
    a->is_taken = false;
}

void pr_prover_prepare(pr_prover *p, const pr_trace_source *source) {
    pr_ahead_state *a = &p->ahead;
    PR_ASSERT(a->n_sources < 2);
    a->sources[a->n_sources++] = *source;
    if (a->n_sources == 1) begin_making(p);
}

void pr_prover_forget(pr_prover *p) {
    while (p->ahead.n_sources) drop_first(p);
}

pr_status pr_prover_open_ahead(pr_prover *p, pr_error *err) {
    pr_ahead_state *a = &p->ahead;
    if (p->plan.ahead == PR_AHEAD_NONE) return PR_OK;
    return p->ops->map_ahead(p->device, a->views, a->cols, a->n, err);
}
