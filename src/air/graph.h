/* A hash-consed expression graph: equal expressions are one node, constants are folded. Operands are earlier nodes.
 *
 * Every rewriting is an identity of commutative rings with the constants of M31, so a graph means the same over M31 and
 * QM31. Used by the builder (as it is written) and by lowering (for AIRs that come from outside). */
#ifndef PR_AIR_GRAPH_H
#define PR_AIR_GRAPH_H
#include "air/air.h"

typedef struct pr_graph {
    pr_node *nodes;
    uint32_t n, capacity;
    uint32_t *table; /* [table_size] node + 1, 0: free; open addressing */
    uint32_t table_size;
    bool failed; /* out of memory: puts return 0 from then on */
} pr_graph;

void pr_graph_init(pr_graph *g);
void pr_graph_clear(pr_graph *g);
/* The node of this operation (operands as in pr_node, constants reduced mod p): an earlier one where it is equal. */
uint32_t pr_graph_put(pr_graph *g, pr_node_op op, uint32_t a, uint32_t b);
static inline bool pr_graph_is_const(const pr_graph *g, uint32_t node) { return g->nodes[node].op == PR_NODE_CONST; }
#endif
