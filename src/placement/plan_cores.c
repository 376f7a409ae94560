/* Cores of all provers of a node. Ranks that may use the same processors form a group; the groups take their cores one
 * after the other, the narrowest first, and leave to the wider ones what is their part. */
#include "placement/internal.h"
#include <stdlib.h>
#include <string.h>

typedef struct group {
    const pr_mask *near; /* of its ranks */
    pr_mask cores;       /* of these, indices into t->cores */
    unsigned n_cores, n_ranks;
} group;

typedef struct state {
    pr_placement *plan;
    pr_draft *drafts;
    const pr_topology *t;
    group *groups;
    size_t n_groups;
    unsigned *used;   /* [t->n_cores] by how many ranks */
    uint32_t *cores;  /* scratch [t->n_cores] */
    pr_range *ranges; /* scratch [n_places] */
} state;

static void find_cores(group *g, const pr_topology *t) {
    for (size_t c = 0; c < t->n_cores; c++)
        if (pr_mask_meets(g->near, &t->cores[c].cpus)) pr_mask_set(&g->cores, (unsigned)c);
    g->n_cores = pr_mask_count(&g->cores);
}

static int by_size(const void *a, const void *b) {
    const group *x = a, *y = b;
    if (x->n_cores != y->n_cores) return x->n_cores < y->n_cores ? -1 : 1;
    return x->near < y->near ? -1 : x->near > y->near; /* the drafts' order */
}

static void make_groups(state *s) {
    for (unsigned i = 0; i < s->plan->n_places; i++) {
        if (!s->plan->places[i].proves) continue;
        size_t g = 0;
        while (g < s->n_groups && !pr_mask_equal(s->groups[g].near, &s->drafts[i].near)) g++;
        if (g == s->n_groups) {
            s->groups[s->n_groups++] = (group){.near = &s->drafts[i].near};
            find_cores(&s->groups[g], s->t);
        }
        s->groups[g].n_ranks++;
    }
    qsort(s->groups, s->n_groups, sizeof *s->groups, by_size);
}

/* Ranks of later groups that count on the cores of g, each by the part of its own cores that lies there. */
static double rivals(const state *s, size_t g) {
    double n = 0;
    for (size_t k = g + 1; k < s->n_groups; k++) {
        pr_mask common;
        pr_mask_and(&common, &s->groups[g].cores, &s->groups[k].cores);
        n += (double)s->groups[k].n_ranks * pr_mask_count(&common) / s->groups[k].n_cores;
    }
    return n;
}

/* The group's cores that are still free, less the part of its rivals; at least a core a rank where there are as many.
 */
static size_t take_free(state *s, size_t g) {
    const group *own = &s->groups[g];
    size_t n = 0;
    for (size_t c = 0; c < s->t->n_cores; c++)
        if (!s->used[c] && pr_mask_has(&own->cores, (unsigned)c)) s->cores[n++] = (uint32_t)c;
    size_t quota = (size_t)((double)n * own->n_ranks / (own->n_ranks + rivals(s, g)));
    if (quota < own->n_ranks) quota = own->n_ranks;
    return n < quota ? n : quota;
}

/* More ranks than free cores: each rank one core, the least used first. */
static uint32_t least_used(const state *s, const group *g) {
    size_t best = s->t->n_cores;
    for (size_t c = 0; c < s->t->n_cores; c++)
        if (pr_mask_has(&g->cores, (unsigned)c) && (best == s->t->n_cores || s->used[c] < s->used[best])) best = c;
    PR_ASSERT(best < s->t->n_cores);
    return (uint32_t)best;
}

static void give(state *s, unsigned rank, uint32_t core) {
    pr_mask_set(&s->drafts[rank].cores, core);
    s->used[core]++;
}

static void serve(state *s, size_t g) {
    const group *own = &s->groups[g];
    size_t n = take_free(s, g);
    bool enough = n >= own->n_ranks;
    if (enough) pr_cores_divide(s->ranges, own->n_ranks, s->t, s->cores, n);
    for (unsigned i = 0, j = 0; i < s->plan->n_places; i++) {
        if (!s->plan->places[i].proves || !pr_mask_equal(&s->drafts[i].near, own->near)) continue;
        s->drafts[i].n_group = own->n_ranks;
        if (!enough) give(s, i, least_used(s, own));
        for (size_t k = s->ranges[j].begin; enough && k < s->ranges[j].end; k++) give(s, i, s->cores[k]);
        j++;
    }
}

static void settle(state *s, unsigned i) {
    pr_place *p = &s->plan->places[i];
    const pr_draft *d = &s->drafts[i];
    for (size_t c = 0; c < s->t->n_cores; c++) {
        pr_mask part;
        if (!pr_mask_has(&d->cores, (unsigned)c)) continue;
        pr_mask_and(&part, &s->t->cores[c].cpus, &d->near);
        pr_mask_or(&p->cpus, &p->cpus, &part);
        p->n_cores++;
        p->shares_cores |= s->used[c] > 1;
    }
    for (size_t k = 0; k < s->t->n_numa; k++)
        if (pr_mask_meets(&s->t->numa[k].cpus, &p->cpus)) pr_mask_set(&p->nodes, s->t->numa[k].index);
}

bool pr_plan_cores(pr_placement *out, pr_draft *drafts, const pr_topology *t) {
    state s = {.plan = out, .drafts = drafts, .t = t};
    s.groups = calloc(out->n_places, sizeof *s.groups);
    s.used = calloc(t->n_cores, sizeof *s.used);
    s.cores = calloc(t->n_cores, sizeof *s.cores);
    s.ranges = calloc(out->n_places, sizeof *s.ranges);
    bool ok = s.groups && s.used && s.cores && s.ranges;
    if (ok) {
        make_groups(&s);
        for (size_t g = 0; g < s.n_groups; g++) serve(&s, g);
        for (unsigned i = 0; i < out->n_places; i++)
            if (out->places[i].proves) settle(&s, i);
        for (size_t c = 0; c < t->n_cores; c++)
            if (s.used[c]) out->n_idle_cores--; /* begins as all cores that are allowed */
    }
    free(s.groups);
    free(s.used);
    free(s.cores);
    free(s.ranges);
    return ok;
}
