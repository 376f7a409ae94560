/* Columns that follow from others of their row (pr_air_component, n_derived): the values that a program of kind DERIVE
 * computes. A constraint "column - x", or "x - column", tells what the column is; whatever reads a derived column in
 * this row reads its value instead, so the program needs given columns alone. */
#include "air/internal.h"
#include "air/lower.h"

#define NONE UINT32_MAX

typedef struct derivation {
    pr_lowering *lo;
    const pr_air_component *c;
    uint32_t first;  /* derived column */
    uint32_t *nodes; /* [n_derived] what each column is; NONE: no constraint says so */
    uint32_t *stack; /* [2 * n_nodes + 1] nodes whose values are wanted, each above those that want it */
    size_t depth;
    bool *is_wanted;     /* [n_derived] what it is has been pushed */
    uint32_t unresolved; /* a column that follows from itself, or is read in another row; NONE */
} derivation;

/* The derived column that a node reads in this row; NONE. */
static uint32_t derived_column(const derivation *d, const pr_node *n) {
    bool is_here = n->op == PR_NODE_COL && d->c->columns[n->a].offsets[n->b] == 0;
    return is_here && n->a >= d->first ? n->a : NONE;
}

/* Of two columns the later one is defined by the earlier one. */
static void note_definition(derivation *d, uint32_t node) {
    const pr_node *n = &d->c->nodes[node];
    if (n->op != PR_NODE_SUB) return;
    uint32_t a = derived_column(d, &d->c->nodes[n->a]), b = derived_column(d, &d->c->nodes[n->b]);
    bool is_left = a != NONE && (b == NONE || a > b);
    uint32_t column = is_left ? a : b;
    if (column != NONE && d->nodes[column - d->first] == NONE) d->nodes[column - d->first] = is_left ? n->b : n->a;
}

static void push(derivation *d, uint32_t node) {
    if (d->lo->value_of_node[node] == NONE) d->stack[d->depth++] = node;
}

/* Pushes what the node's value follows from, as far as it is not known. */
static void push_operands(derivation *d, const pr_node *n) {
    uint32_t column = derived_column(d, n);
    if (column != NONE) {
        uint32_t k = column - d->first;
        if (d->nodes[k] == NONE || d->is_wanted[k]) return;
        d->is_wanted[k] = true;
        push(d, d->nodes[k]);
    } else if (n->op >= PR_NODE_ADD) {
        push(d, n->a);
        if (n->op != PR_NODE_NEG) push(d, n->b);
    }
}

/* Operands are known. */
static uint32_t value_of(derivation *d, const pr_node *n) {
    uint32_t column = derived_column(d, n), node = column == NONE ? NONE : d->nodes[column - d->first];
    if (n->op != PR_NODE_COL || n->a < d->first) return pr_lowering_put(d->lo, n);
    if (node != NONE && d->lo->value_of_node[node] != NONE) return d->lo->value_of_node[node];
    d->unresolved = n->a;
    return 0;
}

static uint32_t resolve(derivation *d, uint32_t root) {
    uint32_t *value = d->lo->value_of_node;
    push(d, root);
    while (d->depth) {
        uint32_t node = d->stack[d->depth - 1];
        size_t before = d->depth;
        if (value[node] == NONE) push_operands(d, &d->c->nodes[node]);
        if (d->depth > before) continue;
        if (value[node] == NONE) value[node] = value_of(d, &d->c->nodes[node]);
        d->depth--;
    }
    return value[root];
}

static pr_status resolve_columns(derivation *d, pr_error *err) {
    pr_lowering *lo = d->lo;
    memset(lo->value_of_node, 0xff, d->c->n_nodes * sizeof *lo->value_of_node);
    memset(d->nodes, 0xff, lo->n_roots * sizeof *d->nodes);
    for (uint32_t k = 0; k < d->c->n_constraints; k++) note_definition(d, d->c->constraints[k].node);
    for (uint32_t k = 0; k < lo->n_roots; k++) {
        if (d->nodes[k] == NONE)
            return pr_fail(err, PR_ERR_INTERNAL, "component '%s': column %u is said to follow from others; by what?",
                           d->c->name, d->first + k);
        lo->roots[k] = resolve(d, d->nodes[k]);
        if (d->unresolved != NONE)
            return pr_fail(err, PR_ERR_INTERNAL,
                           "component '%s': column %u is said to follow from others, but column %u follows from "
                           "itself, or is read in another row",
                           d->c->name, d->first + k, d->unresolved);
    }
    return lo->graph.failed ? pr_air_no_memory(err, "lowering") : PR_OK;
}

pr_status pr_lowering_derive(pr_lowering *lo, pr_error *err) {
    const pr_air_component *c = lo->component;
    derivation d = {.lo = lo, .c = c, .first = c->n_columns - c->n_derived, .unresolved = NONE};
    d.nodes = pr_air_calloc(c->n_derived, sizeof *d.nodes);
    d.is_wanted = pr_air_calloc(c->n_derived, sizeof *d.is_wanted);
    d.stack = pr_air_calloc(2 * (size_t)c->n_nodes + 1, sizeof *d.stack);
    bool has_memory = d.nodes && d.is_wanted && d.stack;
    pr_status status = has_memory ? resolve_columns(&d, err) : pr_air_no_memory(err, "lowering");
    free(d.nodes);
    free(d.is_wanted);
    free(d.stack);
    return status;
}
