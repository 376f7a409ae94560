#include "air/internal.h"

static void component_clear(pr_air_component *c) {
    for (uint32_t k = 0; c->constraints && k < c->n_constraints; k++) free(c->constraints[k].name);
    for (uint32_t k = 0; c->lookups && k < c->n_lookups; k++) free(c->lookups[k].values);
    free(c->name);
    free(c->columns);
    free(c->nodes);
    free(c->constraints);
    free(c->lookups);
}

void pr_air_destroy(pr_air *air) {
    if (!air) return;
    for (uint32_t k = 0; air->preprocessed && k < air->n_preprocessed; k++) {
        free(air->preprocessed[k].id);
        free(air->preprocessed[k].values);
    }
    for (uint32_t k = 0; air->relations && k < air->n_relations; k++) free(air->relations[k].name);
    for (uint32_t k = 0; air->components && k < air->n_components; k++) component_clear(&air->components[k]);
    free(air->preprocessed);
    free(air->relations);
    free(air->components);
    free(air->name);
    free(air);
}

bool pr_air_reads_preprocessed(const pr_air *air, uint32_t index) {
    for (uint32_t k = 0; k < air->n_components; k++) {
        const pr_air_component *c = &air->components[k];
        for (uint32_t i = 0; i < c->n_nodes; i++)
            if (c->nodes[i].op == PR_NODE_PRE && c->nodes[i].a == index) return true;
    }
    return false;
}

uint32_t pr_air_count_derived(const pr_air *air) {
    uint32_t n = 0;
    for (uint32_t c = 0; c < air->n_components; c++) n += air->components[c].n_derived;
    return n;
}
