#include "air/internal.h"

/* Far above what is allowed and far from overflow when two are added. */
#define DEGREE_CAP 1000000u

static uint32_t capped(uint32_t degree) { return degree < DEGREE_CAP ? degree : DEGREE_CAP; }

uint32_t pr_air_node_degree(const uint32_t *degrees, const pr_node *n) {
    switch ((pr_node_op)n->op) {
    case PR_NODE_COL:
    case PR_NODE_PRE:
        return 1;
    case PR_NODE_CONST:
        break;
    case PR_NODE_ADD:
    case PR_NODE_SUB:
        return pr_air_max_u32(degrees[n->a], degrees[n->b]);
    case PR_NODE_MUL:
        return capped(degrees[n->a] + degrees[n->b]);
    case PR_NODE_NEG:
        return degrees[n->a];
    }
    return 0;
}

void pr_air_node_degrees(uint32_t *degrees, const pr_air_component *component) {
    for (uint32_t i = 0; i < component->n_nodes; i++) degrees[i] = pr_air_node_degree(degrees, &component->nodes[i]);
}

void pr_batch_degree_join(pr_batch_degree *batch, uint32_t multiplicity, uint32_t values) {
    if (!batch->started) {
        *batch = (pr_batch_degree){multiplicity, values, true};
        return;
    }
    batch->numerator = capped(pr_air_max_u32(batch->numerator + values, multiplicity + batch->denominator));
    batch->denominator = capped(batch->denominator + values);
}

uint32_t pr_batch_degree_constraint(const pr_batch_degree *batch) {
    return pr_air_max_u32(batch->denominator + 1, batch->numerator);
}
