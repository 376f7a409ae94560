#include "air/graph.h"
#include "air/internal.h"

void pr_graph_init(pr_graph *g) { *g = (pr_graph){0}; }

void pr_graph_clear(pr_graph *g) {
    free(g->nodes);
    free(g->table);
    *g = (pr_graph){0};
}

static uint32_t hash_node(pr_node n) {
    uint64_t h = ((uint64_t)n.a << 32 | n.b) + 0x9e3779b97f4a7c15u * (n.op + 1);
    h = (h ^ (h >> 31)) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(h ^ (h >> 29));
}

/* Where the node stands in the table, or the free place for it. */
static uint32_t find_place(const pr_graph *g, pr_node n) {
    uint32_t mask = g->table_size - 1, at = hash_node(n) & mask;
    for (; g->table[at]; at = (at + 1) & mask) {
        const pr_node *m = &g->nodes[g->table[at] - 1];
        if (m->op == n.op && m->a == n.a && m->b == n.b) break;
    }
    return at;
}

static bool grow_table(pr_graph *g) {
    uint32_t size = g->table_size ? 2 * g->table_size : 256;
    uint32_t *table = pr_air_calloc(size, sizeof *table);
    if (!table) return false;
    free(g->table);
    g->table = table;
    g->table_size = size;
    for (uint32_t k = 0; k < g->n; k++) table[find_place(g, g->nodes[k])] = k + 1;
    return true;
}

static bool grow_nodes(pr_graph *g) {
    if (g->capacity > UINT32_MAX / 4) return false;
    uint32_t capacity = g->capacity ? 2 * g->capacity : 128;
    pr_node *nodes = realloc(g->nodes, capacity * sizeof *nodes);
    if (!nodes) return false;
    g->nodes = nodes;
    g->capacity = capacity;
    return true;
}

static uint32_t intern(pr_graph *g, pr_node_op op, uint32_t a, uint32_t b) {
    pr_node n = {op, a, b};
    if (g->failed) return 0;
    if ((g->n == g->capacity && !grow_nodes(g)) || (2 * (uint64_t)g->n >= g->table_size && !grow_table(g))) {
        g->failed = true;
        return 0;
    }
    uint32_t at = find_place(g, n);
    if (g->table[at]) return g->table[at] - 1;
    g->nodes[g->n] = n;
    g->table[at] = ++g->n;
    return g->n - 1;
}

static uint32_t put_const(pr_graph *g, pr_m31 v) { return intern(g, PR_NODE_CONST, v, 0); }

static bool is_value(const pr_graph *g, uint32_t node, pr_m31 v) {
    return pr_graph_is_const(g, node) && g->nodes[node].a == v;
}

static bool both_const(const pr_graph *g, uint32_t a, uint32_t b) {
    return pr_graph_is_const(g, a) && pr_graph_is_const(g, b);
}

static uint32_t put_ordered(pr_graph *g, pr_node_op op, uint32_t a, uint32_t b) {
    return a <= b ? intern(g, op, a, b) : intern(g, op, b, a);
}

static uint32_t put_neg(pr_graph *g, uint32_t a) {
    pr_node n = g->nodes[a];
    if (n.op == PR_NODE_CONST) return put_const(g, pr_m31_neg(n.a));
    if (n.op == PR_NODE_NEG) return n.a;
    if (n.op == PR_NODE_SUB) return intern(g, PR_NODE_SUB, n.b, n.a);
    return intern(g, PR_NODE_NEG, a, 0);
}

static uint32_t put_sub(pr_graph *g, uint32_t a, uint32_t b);

static uint32_t put_add(pr_graph *g, uint32_t a, uint32_t b) {
    pr_node x = g->nodes[a], y = g->nodes[b];
    if (both_const(g, a, b)) return put_const(g, pr_m31_add(x.a, y.a));
    if (is_value(g, a, 0)) return b;
    if (is_value(g, b, 0)) return a;
    if (y.op == PR_NODE_NEG) return put_sub(g, a, y.a);
    if (x.op == PR_NODE_NEG) return put_sub(g, b, x.a);
    return put_ordered(g, PR_NODE_ADD, a, b);
}

static uint32_t put_sub(pr_graph *g, uint32_t a, uint32_t b) {
    pr_node x = g->nodes[a], y = g->nodes[b];
    if (both_const(g, a, b)) return put_const(g, pr_m31_sub(x.a, y.a));
    if (a == b) return put_const(g, 0);
    if (is_value(g, b, 0)) return a;
    if (is_value(g, a, 0)) return put_neg(g, b);
    if (y.op == PR_NODE_NEG) return put_add(g, a, y.a);
    return intern(g, PR_NODE_SUB, a, b);
}

static uint32_t put_mul(pr_graph *g, uint32_t a, uint32_t b) {
    pr_node x = g->nodes[a], y = g->nodes[b];
    if (both_const(g, a, b)) return put_const(g, pr_m31_mul(x.a, y.a));
    if (pr_graph_is_const(g, a)) return put_mul(g, b, a);
    if (is_value(g, b, 0)) return b;
    if (is_value(g, b, 1)) return a;
    if (is_value(g, b, PR_P - 1)) return put_neg(g, a);
    return put_ordered(g, PR_NODE_MUL, a, b);
}

uint32_t pr_graph_put(pr_graph *g, pr_node_op op, uint32_t a, uint32_t b) {
    if (g->failed) return 0;
    switch (op) {
    case PR_NODE_ADD:
        return put_add(g, a, b);
    case PR_NODE_SUB:
        return put_sub(g, a, b);
    case PR_NODE_MUL:
        return put_mul(g, a, b);
    case PR_NODE_NEG:
        return put_neg(g, a);
    case PR_NODE_CONST:
        return put_const(g, pr_m31_reduce(a));
    case PR_NODE_COL:
        return intern(g, op, a, b);
    case PR_NODE_PRE:
        break;
    }
    return intern(g, PR_NODE_PRE, a, 0);
}
