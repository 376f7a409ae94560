/* Lowering: nodes -> canonical graph -> fused operations -> order -> slots -> 16-bit instructions. */
#include "air/graph.h"
#include "air/internal.h"
#include "air/lower.h"

static bool is_arithmetic(const pr_node *n) { return n->op >= PR_NODE_ADD; }

static uint32_t arity(const pr_node *n) { return n->op == PR_NODE_NEG ? 1 : 2; }

/* ---- canonical graph ---- */

uint32_t pr_lowering_put(pr_lowering *lo, const pr_node *n) {
    uint32_t a = n->a, b = n->b;
    if (is_arithmetic(n)) {
        a = lo->value_of_node[n->a];
        b = arity(n) == 2 ? lo->value_of_node[n->b] : 0;
    }
    return pr_graph_put(&lo->graph, (pr_node_op)n->op, a, b);
}

static pr_status build_graph(pr_lowering *lo, pr_error *err) {
    const pr_air_component *c = lo->component;
    for (uint32_t i = 0; i < c->n_nodes; i++) lo->value_of_node[i] = pr_lowering_put(lo, &c->nodes[i]);
    for (uint32_t k = 0; k < lo->n_roots; k++) lo->roots[k] = lo->value_of_node[c->constraints[k].node];
    return lo->graph.failed ? pr_air_no_memory(err, "lowering") : PR_OK;
}

/* ---- uses ---- */

static void count_roots(pr_lowering *lo) {
    const pr_air_component *c = lo->component;
    for (uint32_t k = 0; k < lo->n_roots; k++) lo->uses[lo->roots[k]]++;
    for (uint32_t k = 0; lo->kind != PR_PROGRAM_DERIVE && k < c->n_lookups; k++) {
        const pr_air_lookup *l = &c->lookups[k];
        lo->uses[lo->value_of_node[l->multiplicity]]++;
        for (uint32_t v = 0; v < l->n_values; v++) lo->uses[lo->value_of_node[l->values[v]]]++;
    }
}

/* Operands come before their users, so one pass from the end meets every user first. A value with no use is dead. */
static void count_uses(pr_lowering *lo) {
    count_roots(lo);
    for (uint32_t v = lo->graph.n; v-- > 0;) {
        const pr_node *n = &lo->graph.nodes[v];
        if (!lo->uses[v] || !is_arithmetic(n)) continue;
        lo->uses[n->a]++;
        if (arity(n) == 2) lo->uses[n->b]++;
    }
}

/* ---- operations ---- */

/* May `inner` be computed inside its only user? Constants have no operand of their own, so they stay outside. */
static bool fusible(const pr_lowering *lo, uint32_t inner, pr_node_op op) {
    const pr_node *n = &lo->graph.nodes[inner];
    return n->op == op && lo->uses[inner] == 1 && !pr_graph_is_const(&lo->graph, n->a) &&
           !pr_graph_is_const(&lo->graph, n->b);
}

static bool fuse(pr_lowering *lo, uint32_t v, pr_op op, uint32_t inner, uint32_t other) {
    const pr_node *n = &lo->graph.nodes[inner];
    lo->ops[v] = (pr_lowered_op){op, {n->a, n->b, other}, 3};
    lo->is_absorbed[inner] = true;
    return true;
}

static bool fuse_add(pr_lowering *lo, uint32_t v, uint32_t x, uint32_t y) {
    if (fusible(lo, y, PR_NODE_MUL)) return fuse(lo, v, PR_OP_MUL_ADD, y, x);
    if (fusible(lo, x, PR_NODE_MUL)) return fuse(lo, v, PR_OP_MUL_ADD, x, y);
    if (fusible(lo, y, PR_NODE_ADD)) return fuse(lo, v, PR_OP_ADD_ADD, y, x);
    if (fusible(lo, x, PR_NODE_ADD)) return fuse(lo, v, PR_OP_ADD_ADD, x, y);
    return false;
}

static bool fuse_sub(pr_lowering *lo, uint32_t v, uint32_t x, uint32_t y) {
    if (fusible(lo, x, PR_NODE_MUL)) return fuse(lo, v, PR_OP_MUL_SUB, x, y);
    if (fusible(lo, y, PR_NODE_MUL)) return fuse(lo, v, PR_OP_SUB_MUL, y, x);
    if (fusible(lo, x, PR_NODE_SUB)) return fuse(lo, v, PR_OP_SUB_SUB, x, y);
    if (!fusible(lo, y, PR_NODE_ADD)) return false;
    const pr_node *sum = &lo->graph.nodes[y]; /* x - (p + q) = x - p - q */
    lo->ops[v] = (pr_lowered_op){PR_OP_SUB_SUB, {x, sum->a, sum->b}, 3};
    return lo->is_absorbed[y] = true;
}

static pr_lowered_op with_const(pr_op op, uint32_t operand, uint32_t constant) {
    return (pr_lowered_op){op, {operand, constant, 0}, 1};
}

static void choose_const_op(pr_lowering *lo, uint32_t v, bool is_left) {
    const pr_node *n = &lo->graph.nodes[v];
    uint32_t x = is_left ? n->b : n->a, constant = is_left ? n->a : n->b;
    if (n->op == PR_NODE_ADD) lo->ops[v] = with_const(PR_OP_ADD_CONST, x, constant);
    if (n->op == PR_NODE_MUL) lo->ops[v] = with_const(PR_OP_MUL_CONST, x, constant);
    if (n->op == PR_NODE_SUB) lo->ops[v] = with_const(is_left ? PR_OP_CONST_SUB : PR_OP_SUB_CONST, x, constant);
}

static void choose_binary_op(pr_lowering *lo, uint32_t v) {
    const pr_node *n = &lo->graph.nodes[v];
    uint32_t x = n->a, y = n->b;
    if (n->op == PR_NODE_ADD && fuse_add(lo, v, x, y)) return;
    if (n->op == PR_NODE_SUB && fuse_sub(lo, v, x, y)) return;
    if (n->op == PR_NODE_MUL && x == y)
        lo->ops[v] = (pr_lowered_op){PR_OP_SQUARE, {x, 0, 0}, 1};
    else
        lo->ops[v] = (pr_lowered_op){n->op == PR_NODE_ADD   ? PR_OP_ADD
                                     : n->op == PR_NODE_SUB ? PR_OP_SUB
                                                            : PR_OP_MUL,
                                     {x, y, 0},
                                     2};
}

/* Users first: who absorbs an inner value decides before the inner value is looked at. */
static void choose_ops(pr_lowering *lo) {
    for (uint32_t v = lo->graph.n; v-- > 0;) {
        const pr_node *n = &lo->graph.nodes[v];
        if (!lo->uses[v] || lo->is_absorbed[v] || !is_arithmetic(n)) continue;
        if (n->op == PR_NODE_NEG)
            lo->ops[v] = (pr_lowered_op){PR_OP_NEG, {n->a, 0, 0}, 1};
        else if (pr_graph_is_const(&lo->graph, n->a) || pr_graph_is_const(&lo->graph, n->b))
            choose_const_op(lo, v, pr_graph_is_const(&lo->graph, n->a));
        else
            choose_binary_op(lo, v);
    }
}

/* ---- all of it ---- */

/* Values that the program is for, beside lookups. */
static uint32_t count_kept(const pr_air_component *c, pr_program_kind kind) {
    if (kind == PR_PROGRAM_DERIVE) return c->n_derived;
    return kind == PR_PROGRAM_FULL ? c->n_constraints : 0;
}

static pr_status lowering_init(pr_lowering *lo, const pr_air_component *component, pr_program_kind kind,
                               pr_error *err) {
    *lo = (pr_lowering){.component = component, .kind = kind};
    pr_graph_init(&lo->graph);
    lo->n_roots = count_kept(component, kind);
    lo->value_of_node = pr_air_calloc(component->n_nodes, sizeof *lo->value_of_node);
    lo->roots = pr_air_calloc(lo->n_roots, sizeof *lo->roots);
    if (!lo->value_of_node || !lo->roots) return pr_air_no_memory(err, "lowering");
    PR_TRY(kind == PR_PROGRAM_DERIVE ? pr_lowering_derive(lo, err) : build_graph(lo, err));
    lo->uses = pr_air_calloc(lo->graph.n, sizeof *lo->uses);
    lo->is_absorbed = pr_air_calloc(lo->graph.n, sizeof *lo->is_absorbed);
    lo->ops = pr_air_calloc(lo->graph.n, sizeof *lo->ops);
    return lo->uses && lo->is_absorbed && lo->ops ? PR_OK : pr_air_no_memory(err, "lowering");
}

static void lowering_clear(pr_lowering *lo) {
    pr_graph_clear(&lo->graph);
    free(lo->value_of_node);
    free(lo->roots);
    free(lo->uses);
    free(lo->is_absorbed);
    free(lo->ops);
    free(lo->items);
}

pr_status pr_program_lower(pr_program *out, const pr_air_component *component, pr_program_kind kind, pr_error *err) {
    pr_lowering lo;
    *out = (pr_program){0};
    pr_status status = lowering_init(&lo, component, kind, err);
    if (status == PR_OK) {
        count_uses(&lo);
        choose_ops(&lo);
        status = pr_lowering_order(&lo, err);
    }
    if (status == PR_OK) status = pr_lowering_emit(out, &lo, err);
    lowering_clear(&lo);
    if (status != PR_OK) pr_program_clear(out);
    return status;
}
