#include "placement/internal.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const pr_mask *pr_gpu_near(const pr_gpu *gpu, const pr_topology *t, const pr_placement_options *o) {
    if (!gpu->bus_id[0]) return &t->cpus;
    for (size_t i = 0; i < o->n_gpu_cpus; i++)
        if (strcmp(o->gpu_cpus[i].bus_id, gpu->bus_id) == 0) return &o->gpu_cpus[i].cpus;
    for (size_t i = 0; i < t->n_gpus; i++)
        if (strcmp(t->gpus[i].bus_id, gpu->bus_id) == 0) return &t->gpus[i].cpus;
    return &t->cpus;
}

enum { MAX_DISTINCT = 4 * PR_MAX_GPUS };

typedef struct pool {
    pr_gpu gpus[MAX_DISTINCT]; /* distinct, in the order they are met */
    const pr_mask *near[MAX_DISTINCT];
    unsigned sharers[MAX_DISTINCT];
    unsigned n;
    const pr_request *requests;
    const pr_topology *t;
    const pr_placement_options *o;
} pool;

static unsigned find(const pool *p, const pr_gpu *gpu) {
    unsigned i = 0;
    while (i < p->n && !pr_gpu_same(&p->gpus[i], gpu)) i++;
    return i;
}

static void collect(pool *p, const pr_request *r) {
    for (uint32_t k = 0; k < r->n_gpus; k++) {
        unsigned i = find(p, &r->gpus[k]);
        if (i == MAX_DISTINCT) continue;
        if (i == p->n) {
            p->gpus[p->n] = r->gpus[k];
            p->near[p->n++] = pr_gpu_near(&r->gpus[k], p->t, p->o);
        } else if (r->gpus[k].bytes && r->gpus[k].bytes < p->gpus[i].bytes) {
            p->gpus[i].bytes = r->gpus[k].bytes;
        }
    }
}

/* Ranks that already use a GPU near the same processors. */
static unsigned crowd(const pool *p, unsigned gpu) {
    unsigned n = 0;
    for (unsigned i = 0; i < p->n; i++)
        if (pr_mask_equal(p->near[i], p->near[gpu])) n += p->sharers[i];
    return n;
}

/* Less is better: few sharers, near the processors that the rank was given, few ranks nearby, first in its list. */
typedef struct merit {
    unsigned sharers, far, crowd;
} merit;

static bool better(merit a, merit b) {
    if (a.sharers != b.sharers) return a.sharers < b.sharers;
    if (a.far != b.far) return a.far < b.far;
    return a.crowd < b.crowd;
}

static merit judge(const pool *p, const pr_request *r, unsigned gpu) {
    const pr_mask *given = p->o->widen ? &r->allowed : &r->cpus;
    return (merit){p->sharers[gpu], !pr_mask_meets(given, p->near[gpu]), crowd(p, gpu)};
}

static void choose(pool *p, pr_place *place, const pr_request *r) {
    const pr_gpu *chosen = NULL;
    merit best = {UINT_MAX, UINT_MAX, UINT_MAX};
    unsigned at = 0;
    for (uint32_t k = 0; k < r->n_gpus; k++) {
        unsigned i = find(p, &r->gpus[k]);
        merit m = i < p->n ? judge(p, r, i) : best;
        if (!better(m, best)) continue;
        best = m;
        at = i;
        chosen = &r->gpus[k];
    }
    if (!chosen || (p->o->gpu_use == PR_GPU_SINGLE && best.sharers > 0)) return;
    place->has_gpu = true;
    place->gpu = *chosen;
    p->sharers[at]++;
}

static bool same_list(const pr_request *a, const pr_request *b) {
    if (a->n_gpus != b->n_gpus || !pr_mask_equal(&a->cpus, &b->cpus)) return false;
    for (uint32_t k = 0; k < a->n_gpus; k++)
        if (!pr_gpu_same(&a->gpus[k], &b->gpus[k])) return false;
    return true;
}

static unsigned position(const pr_request *r, const pr_gpu *gpu) {
    unsigned k = 0;
    while (k < r->n_gpus && !pr_gpu_same(&r->gpus[k], gpu)) k++;
    return k;
}

/* Ranks that see the same take their GPUs in the order of their list: rank 0 the first. */
static void put_in_order(pr_placement *out, const pool *p) {
    for (unsigned i = 0; i < out->n_places; i++)
        for (unsigned j = i + 1; j < out->n_places; j++) {
            pr_place *a = &out->places[i], *b = &out->places[j];
            const pr_request *r = &p->requests[i];
            if (!a->has_gpu || !b->has_gpu || !same_list(r, &p->requests[j])) continue;
            if (position(r, &b->gpu) >= position(r, &a->gpu)) continue;
            pr_gpu first = b->gpu;
            b->gpu = a->gpu;
            a->gpu = first;
        }
}

static void settle(pr_placement *out, const pool *p) {
    out->n_gpus = p->n;
    for (unsigned i = 0; i < p->n; i++) {
        out->n_idle_gpus += p->sharers[i] == 0;
        if (p->sharers[i]) out->device_bytes += p->gpus[i].bytes;
    }
    for (unsigned i = 0; i < out->n_places; i++) {
        pr_place *place = &out->places[i];
        if (!place->has_gpu) continue;
        unsigned k = find(p, &place->gpu);
        place->gpu_sharers = p->sharers[k];
        place->device_bytes = p->gpus[k].bytes / p->sharers[k];
    }
}

/* Whoever sees few GPUs chooses first. */
bool pr_plan_gpus(pr_placement *out, const pr_topology *t, const pr_request *requests, const pr_placement_options *o) {
    if (o->gpu_use == PR_GPU_IGNORE) return true;
    pool *p = calloc(1, sizeof *p);
    if (!p) return false;
    p->requests = requests;
    p->t = t;
    p->o = o;
    for (unsigned i = 0; i < out->n_places; i++)
        if (out->places[i].proves) collect(p, &requests[i]);
    for (uint32_t seen = 1; seen <= PR_MAX_GPUS; seen++)
        for (unsigned i = 0; i < out->n_places; i++)
            if (out->places[i].proves && requests[i].n_gpus == seen) choose(p, &out->places[i], &requests[i]);
    put_in_order(out, p);
    settle(out, p);
    free(p);
    return true;
}
