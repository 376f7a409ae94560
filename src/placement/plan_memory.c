#include "placement/internal.h"
#include <stdlib.h>

/* What the planner keeps back for supervisors, caches and the rest of the machine. */
static uint64_t reserve(uint64_t bytes) {
    uint64_t part = bytes / 16, most = (uint64_t)4 << 30;
    return part < most ? part : most;
}

static uint64_t available(const pr_placement *p, const pr_request *requests) {
    uint64_t least = 0;
    for (unsigned i = 0; i < p->n_places; i++) {
        uint64_t bytes = requests[i].available_bytes;
        if (bytes && (!least || bytes < least)) least = bytes;
    }
    return least - reserve(least);
}

/* Processors of a prover in a NUMA node: its weight there. */
static unsigned weight(const pr_place *p, const pr_numa *numa) {
    pr_mask common;
    if (!p->proves) return 0;
    pr_mask_and(&common, &p->cpus, &numa->cpus);
    return pr_mask_count(&common);
}

/* A node's memory goes to the provers that run there, by their processors there; where none runs, to all evenly. */
static void share_node(double *shares, const pr_placement *p, const pr_numa *numa) {
    unsigned total = 0;
    for (unsigned i = 0; i < p->n_places; i++) total += weight(&p->places[i], numa);
    for (unsigned i = 0; i < p->n_places; i++) {
        const pr_place *place = &p->places[i];
        double part = total ? (double)weight(place, numa) / total : place->proves ? 1.0 / p->n_provers : 0;
        shares[i] += part * (double)numa->bytes;
    }
}

static bool may_use(const pr_request *requests, unsigned n, unsigned node) {
    for (unsigned i = 0; i < n; i++)
        if (pr_mask_has(&requests[i].nodes, node)) return true;
    return false;
}

bool pr_plan_memory(pr_placement *out, const pr_topology *t, const pr_request *requests) {
    double *shares = calloc(out->n_places, sizeof *shares), total = 0;
    uint64_t free_bytes = available(out, requests);
    if (!shares) return false;
    for (size_t k = 0; k < t->n_numa; k++)
        if (may_use(requests, out->n_places, t->numa[k].index)) {
            share_node(shares, out, &t->numa[k]);
            total += (double)t->numa[k].bytes;
        }
    out->host_bytes = free_bytes && (total == 0 || (double)free_bytes < total) ? free_bytes : (uint64_t)total;
    for (unsigned i = 0; i < out->n_places; i++) {
        pr_place *p = &out->places[i];
        double part = total > 0 ? shares[i] / total : 1.0 / out->n_provers;
        if (p->proves) p->host_bytes = (uint64_t)((double)out->host_bytes * part);
    }
    free(shares);
    return true;
}
