/* Stages of lowering, between the bodies of this module. */
#ifndef PR_AIR_LOWER_H
#define PR_AIR_LOWER_H
#include "air/graph.h"
#include "air/program.h"

/* How a value is computed. operands: values; a *_CONST operation has one operand and its constant in operands[1]. */
typedef struct pr_lowered_op {
    pr_op op;
    uint32_t operands[3];
    uint32_t n_operands;
} pr_lowered_op;

/* One step of the order, its ARG words not yet apart.
 * Arithmetic and CONST: subject is the value. CONSTRAINT: its number. LOOKUP: its index. BATCH_END: the batch. */
typedef struct pr_lowered_item {
    pr_op op;
    uint32_t subject;
} pr_lowered_item;

typedef struct pr_lowering {
    const pr_air_component *component;
    pr_program_kind kind;
    pr_graph graph;          /* its nodes are called values here */
    uint32_t *value_of_node; /* [n_nodes of the component] */
    uint32_t *roots;         /* [n_roots] values of CONSTRAINTs: of the constraints, or of derived columns */
    uint32_t n_roots;
    uint32_t *uses;         /* [graph.n] by values and roots; 0: dead */
    bool *is_absorbed;      /* [graph.n] computed inside its only user */
    pr_lowered_op *ops;     /* [graph.n] of live arithmetic values that are not absorbed */
    pr_lowered_item *items; /* in order */
    size_t n_items, items_capacity;
} pr_lowering;

/* The value of a node, those of its operands being known. */
uint32_t pr_lowering_put(pr_lowering *lo, const pr_node *n);
/* Kind DERIVE: fills the graph and roots. PR_ERR_INTERNAL: a column does not follow from given ones. */
PR_MUST_CHECK pr_status pr_lowering_derive(pr_lowering *lo, pr_error *err);
/* Fills items: operands before users, heavier operands first, runs of up to four CONSTRAINTs. */
PR_MUST_CHECK pr_status pr_lowering_order(pr_lowering *lo, pr_error *err);
/* Slots by liveness, then the program. */
PR_MUST_CHECK pr_status pr_lowering_emit(pr_program *out, const pr_lowering *lo, pr_error *err);

static inline bool pr_lowering_is_input(const pr_lowering *lo, uint32_t value) {
    return lo->graph.nodes[value].op == PR_NODE_COL || lo->graph.nodes[value].op == PR_NODE_PRE;
}
#endif
