/* The order of instructions: depth first from each root, the operand that needs more slots first (Sethi and Ullman,
 * "The generation of optimal code for arithmetic expressions", 1970; exact for trees, a good guess for graphs). */
#include "air/internal.h"
#include "air/lower.h"

#define RUN_LENGTH 4 /* CONSTRAINT instructions that evaluators take together */

typedef struct order_state {
    pr_lowering *lo;
    uint16_t *need;  /* [graph.n] slots that computing the value takes */
    bool *is_done;   /* [graph.n] computed already */
    uint32_t *stack; /* values still to compute */
    size_t n, capacity;
    bool failed;
} order_state;

static void append(order_state *s, pr_op op, uint32_t subject) {
    pr_lowering *lo = s->lo;
    if (lo->n_items == lo->items_capacity) {
        size_t capacity = lo->items_capacity ? 2 * lo->items_capacity : 256;
        pr_lowered_item *items = realloc(lo->items, capacity * sizeof *items);
        if (!items) {
            s->failed = true;
            return;
        }
        lo->items = items;
        lo->items_capacity = capacity;
    }
    lo->items[lo->n_items++] = (pr_lowered_item){op, subject};
}

static void push(order_state *s, uint32_t value) {
    if (s->n == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 256;
        uint32_t *stack = realloc(s->stack, capacity * sizeof *stack);
        if (!stack) {
            s->failed = true;
            return;
        }
        s->stack = stack;
        s->capacity = capacity;
    }
    s->stack[s->n++] = value;
}

static bool is_computed(const order_state *s, uint32_t value) {
    return s->is_done[value] || pr_lowering_is_input(s->lo, value);
}

/* The operands of an operation by need, least first. */
static uint32_t sort_operands(const order_state *s, uint32_t out[3], const pr_lowered_op *op) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < op->n_operands; k++) {
        uint32_t v = op->operands[k], at = n++;
        for (; at > 0 && s->need[out[at - 1]] >= s->need[v]; at--) out[at] = out[at - 1];
        out[at] = v;
    }
    return n;
}

static void find_needs(order_state *s) {
    const pr_lowering *lo = s->lo;
    for (uint32_t v = 0; v < lo->graph.n; v++) {
        uint32_t sorted[3], need = 1, held = 0;
        if (lo->graph.nodes[v].op < PR_NODE_ADD || !lo->uses[v] || lo->is_absorbed[v]) continue;
        for (uint32_t k = sort_operands(s, sorted, &lo->ops[v]); k-- > 0; held++)
            if (s->need[sorted[k]]) need = pr_air_max_u32(need, s->need[sorted[k]] + held);
        s->need[v] = (uint16_t)(need < UINT16_MAX ? need : UINT16_MAX);
    }
}

/* A value stays on the stack until its operands, pushed above it, are computed. */
static void compute(order_state *s, uint32_t root) {
    const pr_lowering *lo = s->lo;
    push(s, root);
    while (s->n && !s->failed) {
        uint32_t v = s->stack[s->n - 1], sorted[3];
        size_t before = s->n;
        if (!is_computed(s, v) && !pr_graph_is_const(&lo->graph, v)) {
            uint32_t n = sort_operands(s, sorted, &lo->ops[v]);
            for (uint32_t k = 0; k < n; k++)
                if (!is_computed(s, sorted[k])) push(s, sorted[k]);
            if (s->n > before) continue;
        }
        if (!is_computed(s, v)) append(s, pr_graph_is_const(&lo->graph, v) ? PR_OP_CONST : lo->ops[v].op, v);
        s->is_done[v] = true;
        s->n--;
    }
}

static void order_constraints(order_state *s) {
    const uint32_t n = s->lo->n_roots;
    for (uint32_t k = 0; k < n; k += RUN_LENGTH) {
        uint32_t end = n - k < RUN_LENGTH ? n : k + RUN_LENGTH;
        for (uint32_t i = k; i < end; i++) compute(s, s->lo->roots[i]);
        for (uint32_t i = k; i < end; i++) append(s, PR_OP_CONSTRAINT, i);
    }
}

static void order_lookup(order_state *s, uint32_t index) {
    const pr_air_lookup *l = &s->lo->component->lookups[index];
    compute(s, s->lo->value_of_node[l->multiplicity]);
    for (uint32_t v = 0; v < l->n_values; v++) compute(s, s->lo->value_of_node[l->values[v]]);
    append(s, PR_OP_LOOKUP, index);
}

/* Lookups by batch (a counting sort keeps their order inside one). */
static pr_status order_lookups(order_state *s, pr_error *err) {
    const pr_air_component *c = s->lo->component;
    uint32_t *first = pr_air_calloc(c->n_batches + (size_t)2, sizeof *first);
    uint32_t *by_batch = pr_air_calloc(c->n_lookups, sizeof *by_batch);
    if (first && by_batch) {
        for (uint32_t k = 0; k < c->n_lookups; k++) first[c->lookups[k].batch + 2]++;
        for (uint32_t k = 2; k < c->n_batches + 2; k++) first[k] += first[k - 1];
        for (uint32_t k = 0; k < c->n_lookups; k++) by_batch[first[c->lookups[k].batch + 1]++] = k;
        for (uint32_t k = 0; k < c->n_batches; k++) {
            for (uint32_t i = first[k]; i < first[k + 1]; i++) order_lookup(s, by_batch[i]);
            append(s, PR_OP_BATCH_END, k);
        }
    }
    pr_status status = first && by_batch ? PR_OK : pr_air_no_memory(err, "lowering");
    free(first);
    free(by_batch);
    return status;
}

pr_status pr_lowering_order(pr_lowering *lo, pr_error *err) {
    order_state s = {.lo = lo};
    s.need = pr_air_calloc(lo->graph.n, sizeof *s.need);
    s.is_done = pr_air_calloc(lo->graph.n, sizeof *s.is_done);
    pr_status status = s.need && s.is_done ? PR_OK : pr_air_no_memory(err, "lowering");
    if (status == PR_OK) {
        find_needs(&s);
        order_constraints(&s);
        if (lo->kind != PR_PROGRAM_DERIVE) status = order_lookups(&s, err);
    }
    if (status == PR_OK && s.failed) status = pr_air_no_memory(err, "lowering");
    free(s.need);
    free(s.is_done);
    free(s.stack);
    return status;
}
