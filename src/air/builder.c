#include "air/builder.h"
#include "air/graph.h"
#include "air/internal.h"
#include <stdarg.h>
#include <stdio.h>

/* A list that grows; its items are one of the arrays of a pr_air. */
#define PUSH(b, items, n, value)                                                                                       \
    do {                                                                                                               \
        if (grow((b), (void **)&(items), (n), sizeof *(items))) (items)[(n)++] = (value);                              \
    } while (0)

typedef struct pr_air_builder {
    pr_air *air;
    pr_error error; /* the first refusal; everything after it is ignored */
    bool is_open;   /* a component is; its nodes stand in graph until it ends */
    pr_graph graph;
    uint32_t n_degrees;
    uint32_t *degrees;        /* [n_degrees] of the open component's nodes */
    pr_batch_degree *batches; /* of the open component */
} pr_air_builder;

static const pr_expr nothing = {UINT32_MAX};

static void refuse(pr_air_builder *b, pr_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void refuse(pr_air_builder *b, pr_status status, const char *format, ...) {
    char text[512];
    va_list args;
    if (b->error.status != PR_OK) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pr_fail(&b->error, status, "%s", text);
}

/* Arrays have room for the next power of two above n items. */
static bool grow(pr_air_builder *b, void **items, uint32_t n, size_t size) {
    if (b->error.status != PR_OK) return false;
    if (n && (n & (n - 1))) return true;
    void *larger = realloc(*items, (n ? 2 * (size_t)n : 1) * size);
    if (!larger)
        refuse(b, PR_ERR_MEMORY, "out of memory for an AIR");
    else
        *items = larger;
    return larger != NULL;
}

static char *copy_text(pr_air_builder *b, const char *text) {
    char *copy = strdup(pr_air_text(text));
    if (!copy) refuse(b, PR_ERR_MEMORY, "out of memory for an AIR");
    return copy;
}

pr_air_builder *pr_air_builder_create(const char *name) {
    pr_air_builder *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->air = calloc(1, sizeof *b->air);
    if (b->air) b->air->name = strdup(name);
    if (b->air && b->air->name) return b;
    pr_air_builder_destroy(b);
    return NULL;
}

void pr_air_builder_destroy(pr_air_builder *b) {
    if (!b) return;
    if (b->air) pr_air_destroy(b->air);
    pr_graph_clear(&b->graph);
    free(b->degrees);
    free(b->batches);
    free(b);
}

uint32_t pr_air_add_preprocessed(pr_air_builder *b, const char *id, uint32_t log_size, const pr_m31 *values) {
    pr_air_preprocessed p = {.log_size = log_size};
    if (log_size > PR_AIR_MAX_LOG_ROWS)
        refuse(b, PR_ERR_REFUSED, "preprocessed column '%s': 2^%u rows; at most 2^%d", id, log_size,
               PR_AIR_MAX_LOG_ROWS);
    if (b->error.status != PR_OK) return 0;
    p.id = copy_text(b, id);
    if (values && !(p.values = pr_air_copy(values, (size_t)1 << log_size, sizeof *values)))
        refuse(b, PR_ERR_MEMORY, "out of memory for preprocessed column '%s'", id);
    PUSH(b, b->air->preprocessed, b->air->n_preprocessed, p);
    if (b->error.status != PR_OK) {
        free(p.id);
        free(p.values);
        return 0;
    }
    return b->air->n_preprocessed - 1;
}

uint32_t pr_air_add_relation(pr_air_builder *b, const char *name, uint32_t size) {
    pr_air_relation r = {b->error.status == PR_OK ? copy_text(b, name) : NULL, size};
    PUSH(b, b->air->relations, b->air->n_relations, r);
    if (b->error.status != PR_OK) {
        free(r.name);
        return 0;
    }
    return b->air->n_relations - 1;
}

static pr_air_component *open_component(pr_air_builder *b) {
    if (b->error.status == PR_OK && !b->is_open) refuse(b, PR_ERR_INTERNAL, "no component is open");
    return b->error.status == PR_OK ? &b->air->components[b->air->n_components - 1] : NULL;
}

/* The component takes the graph's nodes, in an order that does not depend on how the compiler evaluates arguments. */
static void end_component(pr_air_builder *b) {
    pr_air_component *c = open_component(b);
    if (!c) return;
    c->nodes = b->graph.nodes;
    c->n_nodes = b->graph.n;
    b->graph.nodes = NULL;
    pr_graph_clear(&b->graph);
    b->n_degrees = 0;
    b->is_open = false;
    if (!pr_air_component_order_nodes(c)) refuse(b, PR_ERR_MEMORY, "out of memory for an AIR");
}

uint32_t pr_air_component_begin(pr_air_builder *b, const char *name, uint32_t log_size) {
    if (b->is_open) end_component(b);
    pr_air_component c = {.log_size = log_size, .name = b->error.status == PR_OK ? copy_text(b, name) : NULL};
    PUSH(b, b->air->components, b->air->n_components, c);
    if (b->error.status != PR_OK) {
        free(c.name);
        return 0;
    }
    b->is_open = true;
    return b->air->n_components - 1;
}

void pr_air_declare_derived(pr_air_builder *b, uint32_t first) {
    pr_air_component *c = open_component(b);
    if (c && first > c->n_columns)
        refuse(b, PR_ERR_INTERNAL, "component %s: %u columns; derived from column %u on", c->name, c->n_columns, first);
    else if (c)
        c->n_derived = c->n_columns - first;
}

/* ---- nodes ---- */

static pr_expr node(pr_air_builder *b, pr_node_op op, uint32_t x, uint32_t y) {
    if (!open_component(b)) return nothing;
    uint32_t put = pr_graph_put(&b->graph, op, x, y);
    if (b->graph.failed) refuse(b, PR_ERR_MEMORY, "out of memory for an AIR");
    while (b->error.status == PR_OK && b->n_degrees < b->graph.n) {
        uint32_t degree = pr_air_node_degree(b->degrees, &b->graph.nodes[b->n_degrees]);
        PUSH(b, b->degrees, b->n_degrees, degree);
    }
    return b->error.status == PR_OK ? (pr_expr){put} : nothing;
}

/* false, and a refusal, when x is not an expression of the open component. */
static bool is_known(pr_air_builder *b, pr_expr x) {
    const pr_air_component *c = open_component(b);
    if (c && x.node >= b->graph.n)
        refuse(b, PR_ERR_INTERNAL, "component %s: an expression of another component", c->name);
    return b->error.status == PR_OK;
}

static pr_expr binary(pr_air_builder *b, pr_node_op op, pr_expr x, pr_expr y) {
    return is_known(b, x) && is_known(b, y) ? node(b, op, x.node, y.node) : nothing;
}

pr_expr pr_const(pr_air_builder *b, int64_t v) { return node(b, PR_NODE_CONST, pr_m31_from_i64(v), 0); }
pr_expr pr_add(pr_air_builder *b, pr_expr x, pr_expr y) { return binary(b, PR_NODE_ADD, x, y); }
pr_expr pr_sub(pr_air_builder *b, pr_expr x, pr_expr y) { return binary(b, PR_NODE_SUB, x, y); }
pr_expr pr_mul(pr_air_builder *b, pr_expr x, pr_expr y) { return binary(b, PR_NODE_MUL, x, y); }
pr_expr pr_neg(pr_air_builder *b, pr_expr x) { return is_known(b, x) ? node(b, PR_NODE_NEG, x.node, 0) : nothing; }

/* ---- columns ---- */

void pr_air_add_column_mask(pr_air_builder *b, pr_expr *out, const int32_t *offsets, uint32_t n_offsets) {
    pr_air_component *c = open_component(b);
    pr_air_column column = {.n_offsets = n_offsets};
    for (uint32_t k = 0; k < n_offsets; k++) out[k] = nothing;
    if (c && (n_offsets == 0 || n_offsets > PR_AIR_MAX_OFFSETS))
        refuse(b, PR_ERR_REFUSED, "component %s, column %u: %u mask offsets; allowed: 1 to %d", c->name, c->n_columns,
               n_offsets, PR_AIR_MAX_OFFSETS);
    if (!c || b->error.status != PR_OK) return;
    memcpy(column.offsets, offsets, n_offsets * sizeof *offsets);
    PUSH(b, c->columns, c->n_columns, column);
    for (uint32_t k = 0; k < n_offsets; k++) out[k] = node(b, PR_NODE_COL, c->n_columns - 1, k);
}

pr_expr pr_air_add_column(pr_air_builder *b, int32_t offset) {
    pr_expr out;
    pr_air_add_column_mask(b, &out, &offset, 1);
    return out;
}

pr_expr pr_air_use_preprocessed(pr_air_builder *b, const char *id) {
    const pr_air_component *c = open_component(b);
    if (!c) return nothing;
    for (uint32_t i = 0; i < b->air->n_preprocessed; i++)
        if (!strcmp(b->air->preprocessed[i].id, id)) return node(b, PR_NODE_PRE, i, 0);
    refuse(b, PR_ERR_REFUSED, "component %s: no preprocessed column '%s'", c->name, id);
    return nothing;
}

/* ---- constraints and lookups ---- */

void pr_air_constrain(pr_air_builder *b, const char *name, pr_expr zero) {
    pr_air_component *c = open_component(b);
    char unnamed[32];
    if (!c || !is_known(b, zero)) return;
    snprintf(unnamed, sizeof unnamed, "constraint %u", c->n_constraints);
    if (b->degrees[zero.node] > PR_AIR_MAX_DEGREE)
        refuse(b, PR_ERR_REFUSED, "component %s, constraint '%s': degree %u is above %d; add a column for a part of it",
               c->name, name ? name : unnamed, b->degrees[zero.node], PR_AIR_MAX_DEGREE);
    pr_air_constraint k = {zero.node, b->error.status == PR_OK ? copy_text(b, name ? name : unnamed) : NULL};
    PUSH(b, c->constraints, c->n_constraints, k);
    if (b->error.status != PR_OK) free(k.name);
}

/* The batch that a lookup joins when the caller leaves the choice: the last one, if its constraint stays within degree.
 */
static uint32_t choose_batch(const pr_air_builder *b, const pr_air_component *c, uint32_t multiplicity,
                             uint32_t values) {
    if (!c->n_batches) return 0;
    pr_batch_degree last = b->batches[c->n_batches - 1];
    pr_batch_degree_join(&last, multiplicity, values);
    return pr_batch_degree_constraint(&last) <= PR_AIR_MAX_DEGREE ? c->n_batches - 1 : c->n_batches;
}

static void join_batch(pr_air_builder *b, pr_air_component *c, uint32_t batch, uint32_t multiplicity, uint32_t values) {
    while (c->n_batches <= batch && b->error.status == PR_OK) PUSH(b, b->batches, c->n_batches, ((pr_batch_degree){0}));
    if (b->error.status == PR_OK) pr_batch_degree_join(&b->batches[batch], multiplicity, values);
}

void pr_air_lookup_add(pr_air_builder *b, uint32_t relation, pr_expr multiplicity, const pr_expr *values,
                       uint32_t n_values, int32_t batch) {
    pr_air_component *c = open_component(b);
    uint32_t degree = 0;
    if (!c || !is_known(b, multiplicity)) return;
    if (relation >= b->air->n_relations || b->air->relations[relation].size != n_values)
        refuse(b, PR_ERR_REFUSED, "component %s, lookup %u: %u values for relation %u", c->name, c->n_lookups, n_values,
               relation);
    if (batch > (int32_t)c->n_batches)
        refuse(b, PR_ERR_REFUSED, "component %s, lookup %u: batch %d leaves batch %u empty", c->name, c->n_lookups,
               batch, c->n_batches);
    for (uint32_t k = 0; k < n_values && b->error.status == PR_OK; k++)
        if (is_known(b, values[k])) degree = pr_air_max_u32(degree, b->degrees[values[k].node]);
    if (b->error.status != PR_OK) return;
    uint32_t m = b->degrees[multiplicity.node], chosen = batch < 0 ? choose_batch(b, c, m, degree) : (uint32_t)batch;
    pr_air_lookup l = {.relation = relation, .multiplicity = multiplicity.node, .n_values = n_values, .batch = chosen};
    l.values = pr_air_calloc(n_values, sizeof *l.values);
    if (!l.values) refuse(b, PR_ERR_MEMORY, "out of memory for an AIR");
    for (uint32_t k = 0; l.values && k < n_values; k++) l.values[k] = values[k].node;
    join_batch(b, c, chosen, m, degree);
    PUSH(b, c->lookups, c->n_lookups, l);
    if (b->error.status != PR_OK) free(l.values);
}

pr_status pr_air_build(pr_air **out, pr_air_builder *b, pr_error *err) {
    if (b->is_open) end_component(b);
    pr_status status = b->error.status;
    if (status != PR_OK)
        pr_fail(err, status, "AIR %s: %s", b->air->name, b->error.text);
    else
        status = pr_air_validate(b->air, err);
    if (status == PR_OK) {
        *out = b->air;
        b->air = NULL;
    }
    pr_air_builder_destroy(b);
    return status;
}
