/* Random components, lowered by air/, and a direct evaluation of their nodes: what the program kernels are tested
 * against. */
#ifndef TESTS_CPU_PROGRAM_CASES_H
#define TESTS_CPU_PROGRAM_CASES_H
#include "fixture.h"

#define MAX_CASE_RELATIONS 2

typedef struct program_case {
    pr_air_component component;
    pr_qm31 z[MAX_CASE_RELATIONS], alpha[MAX_CASE_RELATIONS];
} program_case;

static inline uint32_t case_random(uint64_t *state, uint32_t below) {
    return (uint32_t)(fixture_random(state) % (below ? below : 1));
}
static inline void *case_alloc(size_t n, size_t size) {
    void *p = calloc(n ? n : 1, size);
    assert_non_null(p);
    return p;
}

static inline void case_columns(pr_air_component *c, uint64_t *state, uint32_t n) {
    c->n_columns = n;
    c->columns = case_alloc(n, sizeof *c->columns);
    for (uint32_t k = 0; k < n; k++) {
        pr_air_column *col = &c->columns[k];
        col->n_offsets = 1 + case_random(state, 3);
        for (uint32_t o = 0; o < col->n_offsets; o++)
            col->offsets[o] = case_random(state, 3) ? (int32_t)case_random(state, 7) - 3 : 0;
    }
}

static inline void case_nodes(pr_air_component *c, uint64_t *state, uint32_t n) {
    c->nodes = case_alloc(n, sizeof *c->nodes);
    for (c->n_nodes = 0; c->n_nodes < n; c->n_nodes++) {
        uint32_t kind = c->n_nodes < 6 ? 0 : case_random(state, 12);
        pr_node *node = &c->nodes[c->n_nodes];
        node->a = case_random(state, c->n_nodes);
        node->b = case_random(state, c->n_nodes);
        if (kind < 2) {
            node->op = PR_NODE_COL;
            node->a = case_random(state, c->n_columns);
            node->b = case_random(state, c->columns[node->a].n_offsets);
        } else if (kind == 2) {
            node->op = PR_NODE_PRE;
            node->a = case_random(state, 2);
            node->b = 0;
        } else if (kind == 3) {
            node->op = PR_NODE_CONST;
            node->a = case_random(state, 3) ? case_random(state, PR_P) : case_random(state, 3);
            node->b = 0;
        } else {
            node->op = kind == 4 ? PR_NODE_NEG : kind < 7 ? PR_NODE_ADD : kind < 9 ? PR_NODE_SUB : PR_NODE_MUL;
            if (kind == 4) node->b = 0;
            if (kind == 11) node->b = node->a;
        }
    }
}

static inline void case_roots(pr_air_component *c, uint64_t *state, uint32_t n_constraints, uint32_t n_batches) {
    c->n_constraints = n_constraints;
    c->constraints = case_alloc(n_constraints, sizeof *c->constraints);
    for (uint32_t k = 0; k < n_constraints; k++) c->constraints[k].node = case_random(state, c->n_nodes);
    c->n_batches = n_batches;
    c->lookups = case_alloc((size_t)3 * n_batches, sizeof *c->lookups);
    for (uint32_t k = 0; k < n_batches; k++)
        for (uint32_t in_batch = 1 + case_random(state, 3); in_batch; in_batch--) {
            pr_air_lookup *l = &c->lookups[c->n_lookups++];
            *l = (pr_air_lookup){case_random(state, MAX_CASE_RELATIONS), case_random(state, c->n_nodes),
                                 1 + case_random(state, 11), NULL, k};
            l->values = case_alloc(l->n_values, sizeof *l->values);
            for (uint32_t v = 0; v < l->n_values; v++) l->values[v] = case_random(state, c->n_nodes);
        }
}

static inline void case_init(program_case *pc, uint64_t *state, uint32_t log_rows, uint32_t n_nodes,
                             uint32_t n_constraints, uint32_t n_batches) {
    *pc = (program_case){{0}, {{{0}}}, {{{0}}}};
    pc->component.name = "random";
    pc->component.log_size = log_rows;
    case_columns(&pc->component, state, 1 + case_random(state, 6));
    case_nodes(&pc->component, state, n_nodes);
    case_roots(&pc->component, state, n_constraints, n_batches);
    for (int k = 0; k < MAX_CASE_RELATIONS; k++) {
        pc->z[k] = fixture_qm31(state);
        pc->alpha[k] = fixture_qm31(state);
    }
}
/* Nodes 0 .. 2 n - 2 of the component: n squares, each of the one before, then their sum from the last to the first, so
 * that all n are alive at once. Returns the sum's node. */
static inline uint32_t case_many_alive(pr_air_component *c, uint32_t n) {
    assert_true(2 * n - 1 <= c->n_nodes);
    c->nodes[0] = (pr_node){PR_NODE_COL, 0, 0};
    for (uint32_t k = 1; k < n; k++) c->nodes[k] = (pr_node){PR_NODE_MUL, k - 1, k - 1};
    for (uint32_t k = 0; k < n - 1; k++) c->nodes[n + k] = (pr_node){PR_NODE_ADD, k ? n + k - 1 : n - 1, n - 2 - k};
    return 2 * n - 2;
}
static inline void case_clear(program_case *pc) {
    pr_air_component *c = &pc->component;
    for (uint32_t k = 0; k < c->n_lookups; k++) free(c->lookups[k].values);
    free(c->lookups);
    free(c->constraints);
    free(c->nodes);
    free(c->columns);
}

/* Where the values of a slot are read: trace columns, then two preprocessed ones; extension as in pr_slot_shift. */
typedef struct case_columns_view {
    pr_m31 *const *trace;
    pr_m31 *const *preprocessed;
    unsigned log_rows, extension;
} case_columns_view;

static inline void case_evaluate(pr_m31 *v, const pr_air_component *c, const case_columns_view *at, uint32_t slot) {
    for (uint32_t k = 0; k < c->n_nodes; k++) {
        const pr_node *n = &c->nodes[k];
        switch (n->op) {
        case PR_NODE_COL:
            v[k] = at->trace[n->a][pr_slot_shift(at->log_rows, at->extension, slot, c->columns[n->a].offsets[n->b])];
            break;
        case PR_NODE_PRE:
            v[k] = at->preprocessed[n->a][slot];
            break;
        case PR_NODE_CONST:
            v[k] = n->a;
            break;
        case PR_NODE_ADD:
            v[k] = pr_m31_add(v[n->a], v[n->b]);
            break;
        case PR_NODE_SUB:
            v[k] = pr_m31_sub(v[n->a], v[n->b]);
            break;
        case PR_NODE_MUL:
            v[k] = pr_m31_mul(v[n->a], v[n->b]);
            break;
        default:
            v[k] = pr_m31_neg(v[n->a]);
        }
    }
}

/* The fraction of a batch from the nodes' values. */
static inline void case_fraction(pr_qm31 *num, pr_qm31 *den, const program_case *pc, uint32_t batch, const pr_m31 *v) {
    *num = PR_QM31_ZERO;
    *den = PR_QM31_ONE;
    for (uint32_t k = 0; k < pc->component.n_lookups; k++) {
        const pr_air_lookup *l = &pc->component.lookups[k];
        pr_qm31 d = PR_QM31_ZERO;
        if (l->batch != batch) continue;
        for (uint32_t i = l->n_values; i-- > 0;)
            d = pr_qm31_add(pr_qm31_mul(d, pc->alpha[l->relation]), pr_qm31_from_m31(v[l->values[i]]));
        d = pr_qm31_sub(d, pc->z[l->relation]);
        *num = pr_qm31_add(pr_qm31_mul(*num, d), pr_qm31_mul_m31(*den, v[l->multiplicity]));
        *den = pr_qm31_mul(*den, d);
    }
}

/* Enough for every case: 8 columns and 16 interaction columns of 2^log_rows, their results, and a program's slots. */
static inline pr_device_needs case_needs(unsigned n_threads, const pr_program *p, uint32_t log_rows) {
    return (pr_device_needs){.n_threads = n_threads,
                             .arena_bytes = ((size_t)40 * 4 << log_rows) + (size_t)40 * 256,
                             .max_log_rows = log_rows,
                             .max_slots = p->n_slots,
                             .max_inputs = p->n_inputs,
                             .max_constants = p->n_constants,
                             .max_batches = p->n_batches,
                             .max_lookup_values = 11,
                             .max_lookup_log_rows = log_rows,
                             .n_lookup_components = 1};
}
#endif
