/* Shared by the bodies of this module only. */
#ifndef PR_AIR_INTERNAL_H
#define PR_AIR_INTERNAL_H
#include "air/air.h"
#include <stdlib.h>
#include <string.h>

/* Zeroed memory for n items; never NULL for n = 0, so that NULL always means exhaustion. */
static inline void *pr_air_calloc(size_t n, size_t size) { return calloc(n ? n : 1, size); }

/* A copy of n items (n = 0: one zeroed byte of room); NULL when memory is exhausted. */
static inline void *pr_air_copy(const void *items, size_t n, size_t size) {
    void *copy = pr_air_calloc(n, size);
    if (copy && n) memcpy(copy, items, n * size);
    return copy;
}

static inline pr_status pr_air_no_memory(pr_error *err, const char *what) {
    return pr_fail(err, PR_ERR_MEMORY, "out of memory for %s", what);
}

static inline const char *pr_air_text(const char *text) { return text ? text : ""; }

static inline uint32_t pr_air_max_u32(uint32_t x, uint32_t y) { return x > y ? x : y; }

/* log2 of the largest component's rows; 0 without components */
static inline uint32_t pr_air_log_max_rows(const pr_air *air) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < air->n_components; k++) n = pr_air_max_u32(n, air->components[k].log_size);
    return n;
}

/* Degree of a node in trace and preprocessed columns, saturating; degrees of the earlier nodes are known. */
uint32_t pr_air_node_degree(const uint32_t *degrees, const pr_node *n);
/* Of all of them; degrees: [n_nodes]. */
void pr_air_node_degrees(uint32_t *degrees, const pr_air_component *component);

/* Degree of the fraction's numerator and denominator after one more lookup joined the batch (first: starts it). */
typedef struct pr_batch_degree {
    uint32_t numerator, denominator;
    bool started;
} pr_batch_degree;
void pr_batch_degree_join(pr_batch_degree *batch, uint32_t multiplicity, uint32_t values);
/* of (S - S') * denominator - numerator */
uint32_t pr_batch_degree_constraint(const pr_batch_degree *batch);
#define PR_AIR_MAX_DEGREE 3

/* Gives a component whose equal nodes are one an order of nodes of its own (canonical.c) and drops those that nothing
 * needs. false: out of memory, and nothing has changed. */
bool pr_air_component_order_nodes(pr_air_component *component);
#endif
