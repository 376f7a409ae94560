#include "air/internal.h"

/* Far above what is allowed and far from overflow when two are added. */
#define DEGREE_CAP 1000000u

static uint32_t capped(uint32_t degree) { return degree < DEGREE_CAP ? degree : DEGREE_CAP; }

void pr_air_node_degrees(uint32_t *degrees, const pr_air_component *component) {
    for (uint32_t i = 0; i < component->n_nodes; i++) {
        const pr_node *n = &component->nodes[i];
        switch ((pr_node_op)n->op) {
        case PR_NODE_COL:
        case PR_NODE_PRE:
            degrees[i] = 1;
            break;
        case PR_NODE_CONST:
            degrees[i] = 0;
            break;
        case PR_NODE_ADD:
        case PR_NODE_SUB:
            degrees[i] = pr_air_max_u32(degrees[n->a], degrees[n->b]);
            break;
        case PR_NODE_MUL:
            degrees[i] = capped(degrees[n->a] + degrees[n->b]);
            break;
        case PR_NODE_NEG:
            degrees[i] = degrees[n->a];
            break;
        }
    }
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
