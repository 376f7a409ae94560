#include "placement/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pr_status pr_gpu_cpus_parse(pr_gpu_cpus *out, const char *text, pr_error *err) {
    char bus_id[32];
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : 0;
    snprintf(bus_id, sizeof bus_id, "%.*s", n < sizeof bus_id ? (int)n : 0, text);
    if (!pr_bus_id_normalise(out->bus_id, bus_id) || !pr_mask_parse(&out->cpus, equals + 1) ||
        pr_mask_empty(&out->cpus))
        return pr_fail(err, PR_ERR_USAGE, "'%s': not a GPU's bus id and processors, such as 0000:01:00.0=0-71", text);
    return PR_OK;
}

static bool visible(const char *bus_id, const pr_topology *t, const pr_request *requests, unsigned n) {
    for (size_t i = 0; i < t->n_gpus; i++)
        if (strcmp(t->gpus[i].bus_id, bus_id) == 0) return true;
    for (unsigned i = 0; i < n; i++)
        for (uint32_t k = 0; k < requests[i].n_gpus; k++)
            if (strcmp(requests[i].gpus[k].bus_id, bus_id) == 0) return true;
    return false;
}

static pr_status check_overrides(const pr_placement_options *o, const pr_topology *t, const pr_request *requests,
                                 unsigned n, pr_error *err) {
    for (size_t i = 0; i < o->n_gpu_cpus; i++) {
        const pr_gpu_cpus *g = &o->gpu_cpus[i];
        if (!visible(g->bus_id, t, requests, n))
            return pr_fail(err, PR_ERR_USAGE, "GPU %s: %s has none with this bus id", g->bus_id, requests[0].host);
        if (!pr_mask_meets(&g->cpus, &t->cpus))
            return pr_fail(err, PR_ERR_USAGE, "GPU %s: %s has none of these processors", g->bus_id, requests[0].host);
    }
    return PR_OK;
}

static pr_status take_given(pr_draft *d, const pr_topology *t, const pr_request *r, const pr_placement_options *o,
                            pr_error *err) {
    pr_mask_and(&d->given, o->widen ? &r->allowed : &r->cpus, &t->cpus);
    if (pr_mask_empty(&d->given))
        return pr_fail(err, PR_ERR_USAGE, "rank %d on %s was given no processor of this topology", (int)r->rank,
                       r->host);
    return PR_OK;
}

static void take_near(pr_draft *d, const pr_place *p, const pr_topology *t, const pr_placement_options *o) {
    d->near = d->given;
    if (!p->has_gpu) return;
    pr_mask_and(&d->near, &d->given, pr_gpu_near(&p->gpu, t, o));
    d->far = pr_mask_empty(&d->near);
    if (d->far) d->near = d->given;
}

static void begin(pr_placement *out, const pr_topology *t, const pr_request *requests, unsigned n) {
    pr_mask allowed = {0};
    memcpy(out->host, requests[0].host, sizeof out->host);
    out->n_places = n;
    for (unsigned i = 0; i < n; i++) {
        out->places[i].rank = requests[i].rank;
        out->places[i].proves = requests[i].proves != 0;
        out->n_provers += out->places[i].proves;
        pr_mask_or(&allowed, &allowed, &requests[i].allowed);
        pr_mask_or(&allowed, &allowed, &requests[i].cpus);
    }
    for (size_t c = 0; c < t->n_cores; c++) out->n_cores += pr_mask_meets(&t->cores[c].cpus, &allowed);
    out->n_idle_cores = out->n_cores;
}

static unsigned threads(const pr_place *p, const pr_placement_options *o) {
    if (!p->proves || (!o->threads && p->shares_cores)) return 1;
    if (o->threads) return o->threads;
    return o->smt ? pr_mask_count(&p->cpus) : p->n_cores;
}

static pr_status make(pr_placement *out, pr_draft *drafts, const pr_topology *t, const pr_request *requests,
                      const pr_placement_options *o, pr_error *err) {
    unsigned n = out->n_places;
    for (unsigned i = 0; i < n; i++) PR_TRY(take_given(&drafts[i], t, &requests[i], o, err));
    bool ok = pr_plan_gpus(out, t, requests, o);
    for (unsigned i = 0; i < n; i++) take_near(&drafts[i], &out->places[i], t, o);
    if (!ok || !pr_plan_cores(out, drafts, t) || !pr_plan_memory(out, t, requests))
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for the placement of %u ranks", n);
    for (unsigned i = 0; i < n; i++) {
        if (!out->places[i].proves) out->places[i].cpus = drafts[i].given;
        out->places[i].n_threads = threads(&out->places[i], o);
    }
    pr_plan_explain(out, drafts, t, requests, o);
    return PR_OK;
}

pr_status pr_placement_plan(pr_placement *out, const pr_topology *t, const pr_request *requests, unsigned n,
                            const pr_placement_options *options, pr_error *err) {
    PR_ASSERT(n > 0);
    pr_placement plan = {0};
    PR_TRY(check_overrides(options, t, requests, n, err));
    pr_draft *drafts = calloc(n, sizeof *drafts);
    plan.places = calloc(n, sizeof *plan.places);
    pr_status status = PR_OK;
    if (!drafts || !plan.places) status = pr_fail(err, PR_ERR_MEMORY, "out of memory for the placement of %u ranks", n);
    if (status == PR_OK) {
        begin(&plan, t, requests, n);
        status = make(&plan, drafts, t, requests, options, err);
    }
    free(drafts);
    if (status != PR_OK)
        pr_placement_clear(&plan);
    else
        *out = plan;
    return status;
}

void pr_placement_clear(pr_placement *p) {
    free(p->places);
    memset(p, 0, sizeof *p);
}
