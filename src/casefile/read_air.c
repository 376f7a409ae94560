#include "casefile/read.h"
#include <stdlib.h>
#include <string.h>

static const char *const no_keys[] = {NULL};

static pr_status read_preprocessed(pr_air_preprocessed *out, bool with_values, const pr_case_cursor *at) {
    static const char *const required[] = {"id", "log_size", NULL}, *const optional[] = {"values", NULL};
    PR_TRY(pr_case_keys(at, required, optional));
    pr_case_cursor id = pr_case_member(at, "id"), log_size = pr_case_member(at, "log_size");
    pr_case_cursor values = pr_case_member(at, "values");
    PR_TRY(pr_case_text(&id, &out->id));
    PR_TRY(pr_case_u32(&log_size, PR_AIR_MAX_LOG_ROWS, &out->log_size));
    if (!pr_case_has(&values) || !with_values) return PR_OK;
    uint32_t n = 0;
    PR_TRY(pr_case_array_of(&values, 1u << out->log_size));
    return pr_case_words(&values, PR_P - 1, &out->values, &n);
}

static pr_status read_all_preprocessed(pr_air *air, bool with_values, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    air->preprocessed = pr_case_alloc(n, sizeof *air->preprocessed);
    if (!air->preprocessed) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; i < n; i++, pr_case_step(&element)) {
        air->n_preprocessed = i + 1;
        PR_TRY(read_preprocessed(&air->preprocessed[i], with_values, &element));
    }
    return PR_OK;
}

static pr_status read_relation(pr_air_relation *out, const pr_case_cursor *at) {
    static const char *const required[] = {"name", "size", NULL};
    PR_TRY(pr_case_keys(at, required, no_keys));
    pr_case_cursor name = pr_case_member(at, "name"), size = pr_case_member(at, "size");
    PR_TRY(pr_case_text(&name, &out->name));
    PR_TRY(pr_case_u32(&size, INT32_MAX, &out->size));
    return out->size ? PR_OK : pr_case_refuse(&size, "must be at least 1");
}

static pr_status read_offset(int32_t *out, const pr_air_column *column, uint32_t log_size, const pr_case_cursor *at) {
    int32_t v = 0;
    PR_TRY(pr_case_i32(at, &v));
    uint32_t mask = (1u << log_size) - 1;
    for (uint32_t i = 0; i < column->n_offsets; i++)
        if ((((uint32_t)v ^ (uint32_t)column->offsets[i]) & mask) == 0)
            return pr_case_refuse(at, "%d is the same row as offset %d before it", v, column->offsets[i]);
    *out = v;
    return PR_OK;
}

static pr_status read_column(pr_air_column *out, uint32_t log_size, const pr_case_cursor *at) {
    static const char *const required[] = {"offsets", NULL};
    PR_TRY(pr_case_keys(at, required, no_keys));
    pr_case_cursor offsets = pr_case_member(at, "offsets");
    uint32_t n = 0;
    PR_TRY(pr_case_array(&offsets, &n));
    if (n < 1 || n > PR_AIR_MAX_OFFSETS)
        return pr_case_refuse(&offsets, "has %u offsets, must have 1 to %d", n, PR_AIR_MAX_OFFSETS);
    pr_case_cursor element = pr_case_first(&offsets);
    for (; out->n_offsets < n; out->n_offsets++, pr_case_step(&element)) {
        PR_TRY(read_offset(&out->offsets[out->n_offsets], out, log_size, &element));
    }
    return PR_OK;
}

static pr_status read_columns(pr_air_component *c, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    c->columns = pr_case_alloc(n, sizeof *c->columns);
    if (!c->columns) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (; c->n_columns < n; c->n_columns++, pr_case_step(&element)) {
        PR_TRY(read_column(&c->columns[c->n_columns], c->log_size, &element));
    }
    return PR_OK;
}

static pr_status read_operand(uint32_t *out, uint32_t number, const pr_case_cursor *at, const pr_case_cursor *node) {
    PR_TRY(pr_case_u32(at, UINT32_MAX, out));
    if (*out >= number) return pr_case_refuse(node, "operand %u is not an earlier node", *out);
    return PR_OK;
}

static pr_status read_pair(uint32_t pair[2], uint32_t number, const pr_case_cursor *at, const pr_case_cursor *node) {
    PR_TRY(pr_case_array_of(at, 2));
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; i < 2; i++, pr_case_step(&element)) {
        PR_TRY(read_operand(&pair[i], number, &element, node));
    }
    return PR_OK;
}

static pr_status read_column_node(pr_node *out, const pr_air_component *c, const pr_case_cursor *at) {
    PR_TRY(pr_case_array_of(at, 2));
    pr_case_cursor column = pr_case_element(at, 0), offset = pr_case_element(at, 1);
    PR_TRY(pr_case_u32(&column, UINT32_MAX, &out->a));
    if (out->a >= c->n_columns)
        return pr_case_refuse(&column, "column %u: the component has %u columns", out->a, c->n_columns);
    PR_TRY(pr_case_u32(&offset, UINT32_MAX, &out->b));
    if (out->b >= c->columns[out->a].n_offsets)
        return pr_case_refuse(&offset, "offset index %u: the column has %u offsets", out->b,
                              c->columns[out->a].n_offsets);
    return PR_OK;
}

static pr_status read_preprocessed_node(pr_node *out, const pr_air *air, const pr_air_component *c,
                                        const pr_case_cursor *at) {
    PR_TRY(pr_case_u32(at, UINT32_MAX, &out->a));
    if (out->a >= air->n_preprocessed)
        return pr_case_refuse(at, "preprocessed column %u: there are %u", out->a, air->n_preprocessed);
    uint32_t log_size = air->preprocessed[out->a].log_size;
    if (log_size != c->log_size)
        return pr_case_refuse(at, "preprocessed column %u has log size %u, the component has %u", out->a, log_size,
                              c->log_size);
    return PR_OK;
}

static bool find_op(uint32_t *op, const char *key) {
    static const char *const names[] = {
        [PR_NODE_COL] = "col", [PR_NODE_PRE] = "pre", [PR_NODE_CONST] = "const", [PR_NODE_ADD] = "add",
        [PR_NODE_SUB] = "sub", [PR_NODE_MUL] = "mul", [PR_NODE_NEG] = "neg"};
    for (*op = 0; *op < sizeof names / sizeof *names; ++*op)
        if (strcmp(names[*op], key) == 0) return true;
    return false;
}

static pr_status read_node(pr_node *out, uint32_t number, const pr_air *air, const pr_air_component *c,
                           const pr_case_cursor *at) {
    char key[16];
    if (!pr_case_is(at, PR_CASE_OBJECT) || at->value.n != 1)
        return pr_case_refuse_kind(at, "an object with exactly one key");
    pr_case_cursor argument = pr_case_only_member(at, key, sizeof key);
    if (!find_op(&out->op, key))
        return pr_case_refuse(&argument, "unknown key; allowed: col, pre, const, add, sub, mul, neg");
    uint32_t pair[2] = {0, 0};
    switch ((pr_node_op)out->op) {
    case PR_NODE_COL:
        return read_column_node(out, c, &argument);
    case PR_NODE_PRE:
        return read_preprocessed_node(out, air, c, &argument);
    case PR_NODE_CONST:
        return pr_case_m31(&argument, &out->a);
    case PR_NODE_NEG:
        return read_operand(&out->a, number, &argument, at);
    case PR_NODE_ADD:
    case PR_NODE_SUB:
    case PR_NODE_MUL:
        break;
    }
    PR_TRY(read_pair(pair, number, &argument, at));
    out->a = pair[0];
    out->b = pair[1];
    return PR_OK;
}

static pr_status read_nodes(const pr_air *air, pr_air_component *c, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    c->nodes = pr_case_alloc(n, sizeof *c->nodes);
    if (!c->nodes) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (; c->n_nodes < n; c->n_nodes++, pr_case_step(&element)) {
        PR_TRY(read_node(&c->nodes[c->n_nodes], c->n_nodes, air, c, &element));
    }
    return PR_OK;
}

static pr_status read_node_reference(uint32_t *out, const pr_air_component *c, const pr_case_cursor *at) {
    PR_TRY(pr_case_u32(at, UINT32_MAX, out));
    if (*out >= c->n_nodes) return pr_case_refuse(at, "node %u: the component has %u nodes", *out, c->n_nodes);
    return PR_OK;
}

static pr_status read_constraints(pr_air_component *c, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    c->constraints = pr_case_alloc(n, sizeof *c->constraints);
    if (!c->constraints) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (; c->n_constraints < n; c->n_constraints++, pr_case_step(&element)) {
        PR_TRY(read_node_reference(&c->constraints[c->n_constraints].node, c, &element));
    }
    return PR_OK;
}

static pr_status read_lookup_values(pr_air_lookup *out, const pr_air *air, const pr_air_component *c,
                                    const pr_case_cursor *at) {
    uint32_t n = 0, size = air->relations[out->relation].size;
    PR_TRY(pr_case_array(at, &n));
    if (n < 1 || n > size) return pr_case_refuse(at, "has %u values, must have 1 to %u", n, size);
    out->values = pr_case_alloc(n, sizeof *out->values);
    if (!out->values) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (; out->n_values < n; out->n_values++, pr_case_step(&element)) {
        PR_TRY(read_node_reference(&out->values[out->n_values], c, &element));
    }
    return PR_OK;
}

static pr_status read_lookup(pr_air_lookup *out, const pr_air *air, const pr_air_component *c,
                             const pr_case_cursor *at) {
    static const char *const required[] = {"relation", "multiplicity", "values", NULL};
    PR_TRY(pr_case_keys(at, required, no_keys));
    pr_case_cursor relation = pr_case_member(at, "relation"), multiplicity = pr_case_member(at, "multiplicity");
    pr_case_cursor values = pr_case_member(at, "values");
    PR_TRY(pr_case_u32(&relation, UINT32_MAX, &out->relation));
    if (out->relation >= air->n_relations)
        return pr_case_refuse(&relation, "relation %u: there are %u", out->relation, air->n_relations);
    PR_TRY(read_node_reference(&out->multiplicity, c, &multiplicity));
    return read_lookup_values(out, air, c, &values);
}

static pr_status read_lookups(const pr_air *air, pr_air_component *c, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    c->lookups = pr_case_alloc(n, sizeof *c->lookups);
    if (!c->lookups) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; i < n; i++, pr_case_step(&element)) {
        c->n_lookups = i + 1;
        PR_TRY(read_lookup(&c->lookups[i], air, c, &element));
    }
    return PR_OK;
}

static pr_status check_all_batches_used(const pr_air_component *c, const pr_case_cursor *at) {
    bool *used = pr_case_alloc(c->n_batches, sizeof *used);
    if (!used) return pr_case_no_memory(at->doc);
    for (uint32_t i = 0; i < c->n_lookups; i++) used[c->lookups[i].batch] = true;
    uint32_t b = 0;
    while (b < c->n_batches && used[b]) b++;
    free(used);
    return b == c->n_batches ? PR_OK : pr_case_refuse(at, "batch %u has no lookup", b);
}

static pr_status read_batches(pr_air_component *c, const pr_case_cursor *at) {
    PR_TRY(pr_case_array_of(at, c->n_lookups));
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; i < c->n_lookups; i++, pr_case_step(&element)) {
        uint32_t batch = 0;
        PR_TRY(pr_case_u32(&element, c->n_lookups - 1, &batch));
        c->lookups[i].batch = batch;
        if (batch >= c->n_batches) c->n_batches = batch + 1;
    }
    return check_all_batches_used(c, at);
}

static pr_status read_component(pr_air_component *out, const pr_air *air, const pr_case_cursor *at) {
    static const char *const required[] = {"name",        "log_size", "log_degree_bound", "columns", "nodes",
                                           "constraints", "lookups",  "batches",          NULL};
    PR_TRY(pr_case_keys(at, required, no_keys));
    pr_case_cursor name = pr_case_member(at, "name"), log_size = pr_case_member(at, "log_size");
    pr_case_cursor bound = pr_case_member(at, "log_degree_bound"), columns = pr_case_member(at, "columns");
    pr_case_cursor nodes = pr_case_member(at, "nodes"), constraints = pr_case_member(at, "constraints");
    pr_case_cursor lookups = pr_case_member(at, "lookups"), batches = pr_case_member(at, "batches");
    uint32_t log_degree_bound = 0;
    PR_TRY(pr_case_text(&name, &out->name));
    PR_TRY(pr_case_u32(&log_size, PR_AIR_MAX_LOG_ROWS, &out->log_size));
    PR_TRY(pr_case_u32(&bound, UINT32_MAX, &log_degree_bound));
    if (log_degree_bound != out->log_size + 1)
        return pr_case_refuse(&bound, "%u: must be log_size + 1, which is %u", log_degree_bound, out->log_size + 1);
    PR_TRY(read_columns(out, &columns));
    PR_TRY(read_nodes(air, out, &nodes));
    PR_TRY(read_constraints(out, &constraints));
    PR_TRY(read_lookups(air, out, &lookups));
    return read_batches(out, &batches);
}

static pr_status read_relations(pr_air *air, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    air->relations = pr_case_alloc(n, sizeof *air->relations);
    if (!air->relations) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; i < n; i++, pr_case_step(&element)) {
        air->n_relations = i + 1;
        PR_TRY(read_relation(&air->relations[i], &element));
    }
    return PR_OK;
}

static pr_status read_components(pr_air *air, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    if (!n) return pr_case_refuse(at, "has no component");
    air->components = pr_case_alloc(n, sizeof *air->components);
    if (!air->components) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; i < n; i++, pr_case_step(&element)) {
        air->n_components = i + 1;
        PR_TRY(read_component(&air->components[i], air, &element));
    }
    return PR_OK;
}

pr_status pr_case_read_air(pr_air *air, bool with_values, const pr_case_cursor *at) {
    static const char *const required[] = {"format", "name", "preprocessed", "relations", "components", NULL};
    PR_TRY(pr_case_keys(at, required, no_keys));
    pr_case_cursor format = pr_case_member(at, "format"), name = pr_case_member(at, "name");
    pr_case_cursor preprocessed = pr_case_member(at, "preprocessed"), relations = pr_case_member(at, "relations");
    pr_case_cursor components = pr_case_member(at, "components");
    if (!pr_case_text_is(&format, "proverun-air/1")) return pr_case_refuse_kind(&format, "\"proverun-air/1\"");
    PR_TRY(pr_case_text(&name, &air->name));
    PR_TRY(read_all_preprocessed(air, with_values, &preprocessed));
    PR_TRY(read_relations(air, &relations));
    return read_components(air, &components);
}
