/* An order of nodes that says nothing about how an AIR was written down. C leaves the order in which arguments are
 * evaluated to the compiler, so `pr_mul(b, pr_add(...), pr_sub(...))` numbers its nodes as the compiler likes; an AIR's
 * digest must not follow it.
 *
 * Nodes are sorted by level (columns, preprocessed columns and constants: 0; else one more than the higher operand),
 * then by operation and operands, whose places are final by then; operands of sums and products by place. Equal nodes
 * are one already, so this order is unique. */
#include "air/internal.h"

typedef struct placed_node {
    pr_node node; /* operands: new places */
    uint32_t old;
} placed_node;

typedef struct ordering {
    pr_air_component *component;
    uint32_t *levels;    /* [n_nodes] */
    bool *needed;        /* [n_nodes] */
    uint32_t *by_level;  /* [n_nodes] needed nodes, lowest level first */
    uint32_t *first;     /* [n_nodes + 2] of each level in by_level */
    uint32_t *places;    /* [n_nodes] in the new order */
    placed_node *sorted; /* [n_nodes] the new order */
    uint32_t n;
} ordering;

static bool is_leaf(const pr_node *n) { return n->op < PR_NODE_ADD; }

static void mark_roots(ordering *o) {
    const pr_air_component *c = o->component;
    for (uint32_t k = 0; k < c->n_constraints; k++) o->needed[c->constraints[k].node] = true;
    for (uint32_t k = 0; k < c->n_lookups; k++) {
        const pr_air_lookup *l = &c->lookups[k];
        o->needed[l->multiplicity] = true;
        for (uint32_t v = 0; v < l->n_values; v++) o->needed[l->values[v]] = true;
    }
}

/* What the roots depend on. Reads of columns stay in any case: a preprocessed column that is read gets sampled. */
static void mark_needed(ordering *o) {
    const pr_air_component *c = o->component;
    mark_roots(o);
    for (uint32_t i = c->n_nodes; i-- > 0;) {
        const pr_node *n = &c->nodes[i];
        if (n->op == PR_NODE_COL || n->op == PR_NODE_PRE) o->needed[i] = true;
        if (!o->needed[i] || is_leaf(n)) continue;
        o->needed[n->a] = true;
        if (n->op != PR_NODE_NEG) o->needed[n->b] = true;
    }
}

static void sort_by_level(ordering *o) {
    const pr_air_component *c = o->component;
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        const pr_node *n = &c->nodes[i];
        if (!is_leaf(n)) o->levels[i] = 1 + pr_air_max_u32(o->levels[n->a], n->op == PR_NODE_NEG ? 0 : o->levels[n->b]);
        if (o->needed[i]) o->first[o->levels[i] + 1]++;
    }
    for (uint32_t k = 0; k <= c->n_nodes; k++) o->first[k + 1] += o->first[k];
    for (uint32_t i = 0; i < c->n_nodes; i++)
        if (o->needed[i]) o->by_level[o->first[o->levels[i]]++] = i; /* first moves on to the level's end */
}

static int compare_u32(uint32_t x, uint32_t y) { return (x > y) - (x < y); }

static int compare_nodes(const void *x, const void *y) {
    const pr_node *m = &((const placed_node *)x)->node, *n = &((const placed_node *)y)->node;
    if (m->op != n->op) return compare_u32(m->op, n->op);
    return m->a != n->a ? compare_u32(m->a, n->a) : compare_u32(m->b, n->b);
}

static placed_node with_places(const ordering *o, uint32_t old) {
    pr_node n = o->component->nodes[old];
    if (!is_leaf(&n)) {
        n.a = o->places[n.a];
        if (n.op != PR_NODE_NEG) n.b = o->places[n.b];
        if ((n.op == PR_NODE_ADD || n.op == PR_NODE_MUL) && n.a > n.b) n = (pr_node){n.op, n.b, n.a};
    }
    return (placed_node){n, old};
}

static void place_level(ordering *o, uint32_t end) {
    uint32_t begin = o->n;
    for (uint32_t k = begin; k < end; k++) o->sorted[k] = with_places(o, o->by_level[k]);
    qsort(o->sorted + begin, end - begin, sizeof *o->sorted, compare_nodes);
    for (uint32_t k = begin; k < end; k++) o->places[o->sorted[k].old] = k;
    o->n = end;
}

static void renumber(const ordering *o) {
    pr_air_component *c = o->component;
    for (uint32_t k = 0; k < o->n; k++) c->nodes[k] = o->sorted[k].node;
    c->n_nodes = o->n;
    for (uint32_t k = 0; k < c->n_constraints; k++) c->constraints[k].node = o->places[c->constraints[k].node];
    for (uint32_t k = 0; k < c->n_lookups; k++) {
        pr_air_lookup *l = &c->lookups[k];
        l->multiplicity = o->places[l->multiplicity];
        for (uint32_t v = 0; v < l->n_values; v++) l->values[v] = o->places[l->values[v]];
    }
}

bool pr_air_component_order_nodes(pr_air_component *c) {
    ordering o = {.component = c};
    o.levels = pr_air_calloc(c->n_nodes, sizeof *o.levels);
    o.needed = pr_air_calloc(c->n_nodes, sizeof *o.needed);
    o.by_level = pr_air_calloc(c->n_nodes, sizeof *o.by_level);
    o.first = pr_air_calloc(c->n_nodes + (size_t)2, sizeof *o.first);
    o.places = pr_air_calloc(c->n_nodes, sizeof *o.places);
    o.sorted = pr_air_calloc(c->n_nodes, sizeof *o.sorted);
    bool ok = o.levels && o.needed && o.by_level && o.first && o.places && o.sorted;
    if (ok) {
        mark_needed(&o);
        sort_by_level(&o);
        for (uint32_t level = 0; level < c->n_nodes && (level == 0 || o.first[level] > o.n); level++)
            place_level(&o, o.first[level]);
        renumber(&o);
    }
    free(o.levels);
    free(o.needed);
    free(o.by_level);
    free(o.first);
    free(o.places);
    free(o.sorted);
    return ok;
}
