/* Every refusal of an AIR that needs no parameters: protocol.md section 15 and air-format.md. */
#include "air/internal.h"

#define REFUSE(err, ...) pr_fail(err, PR_ERR_REFUSED, __VA_ARGS__)

static pr_status check_log_size(pr_error *err, const char *kind, const char *name, uint32_t log_size) {
    if (log_size >= 1 && log_size <= PR_AIR_MAX_LOG_ROWS) return PR_OK;
    return REFUSE(err, "%s '%s': log_size %u is out of range (1 to %d)", kind, name, log_size, PR_AIR_MAX_LOG_ROWS);
}

static pr_status check_values(pr_error *err, const pr_air_preprocessed *p) {
    for (size_t r = 0; p->values && r < (size_t)1 << p->log_size; r++)
        if (p->values[r] >= PR_P)
            return REFUSE(err, "preprocessed column '%s': value %u in row %zu is not below p", p->id, p->values[r], r);
    return PR_OK;
}

/* Equal ones in the order of the AIR. */
static int compare_ids(const void *x, const void *y) {
    const pr_air_preprocessed *p = *(const pr_air_preprocessed *const *)x, *q = *(const pr_air_preprocessed *const *)y;
    int order = strcmp(p->id, q->id);
    return order ? order : (p > q) - (p < q);
}

static pr_status check_distinct_ids(pr_air_place *place, const pr_air *air, pr_error *err) {
    const pr_air_preprocessed **sorted = pr_air_calloc(air->n_preprocessed, sizeof *sorted);
    if (!sorted) return pr_air_no_memory(err, "the list of preprocessed ids");
    for (uint32_t k = 0; k < air->n_preprocessed; k++) sorted[k] = &air->preprocessed[k];
    qsort(sorted, air->n_preprocessed, sizeof *sorted, compare_ids);
    pr_status status = PR_OK;
    for (uint32_t k = 1; status == PR_OK && k < air->n_preprocessed; k++)
        if (strcmp(sorted[k - 1]->id, sorted[k]->id) == 0) {
            place->index = (uint32_t)(sorted[k] - air->preprocessed);
            status = REFUSE(err, "two preprocessed columns have the id '%s': ids must differ", sorted[k]->id);
        }
    free(sorted);
    return status;
}

static pr_status check_preprocessed(pr_air_place *place, const pr_air *air, pr_error *err) {
    place->part = "preprocessed";
    for (uint32_t k = 0; k < air->n_preprocessed; k++) {
        const pr_air_preprocessed *p = &air->preprocessed[k];
        place->index = k;
        if (!p->id) return REFUSE(err, "preprocessed column %u has no id", k);
        PR_TRY(check_log_size(err, "preprocessed column", p->id, p->log_size));
        PR_TRY(check_values(err, p));
    }
    return check_distinct_ids(place, air, err);
}

static pr_status check_relations(pr_air_place *place, const pr_air *air, pr_error *err) {
    place->part = "relations";
    for (uint32_t k = 0; k < air->n_relations; k++) {
        place->index = k;
        const pr_air_relation *r = &air->relations[k];
        if (!r->name) return REFUSE(err, "relation %u has no name", k);
        if (r->size < 1) return REFUSE(err, "relation '%s': size 0, a tuple has at least one value", r->name);
    }
    return PR_OK;
}

static pr_status check_column(const pr_air_component *c, uint32_t k, bool is_largest, pr_error *err) {
    const pr_air_column *col = &c->columns[k];
    if (col->n_offsets < 1 || col->n_offsets > PR_AIR_MAX_OFFSETS)
        return REFUSE(err, "component '%s', column %u: %u mask offsets (1 to %d are possible)", c->name, k,
                      col->n_offsets, PR_AIR_MAX_OFFSETS);
    /* The one rule that guards soundness here: such a column could be committed with a period longer than its rows. */
    if (col->n_offsets > 2 && !is_largest)
        return REFUSE(err,
                      "component '%s', column %u: more than two mask offsets in a component that is not of the largest "
                      "size; split the column into equal copies of at most two offsets each",
                      c->name, k);
    uint32_t mask = (1u << c->log_size) - 1;
    for (uint32_t i = 0; i < col->n_offsets; i++)
        for (uint32_t j = 0; j < i; j++)
            if ((((uint32_t)col->offsets[i] ^ (uint32_t)col->offsets[j]) & mask) == 0)
                return REFUSE(err, "component '%s', column %u: mask offsets %d and %d are the same row modulo 2^%u",
                              c->name, k, col->offsets[j], col->offsets[i], c->log_size);
    return PR_OK;
}

static pr_status check_column_node(const pr_air_component *c, uint32_t i, pr_error *err) {
    const pr_node *n = &c->nodes[i];
    if (n->a >= c->n_columns)
        return REFUSE(err, "component '%s', node %u: column %u does not exist (there are %u)", c->name, i, n->a,
                      c->n_columns);
    if (n->b >= c->columns[n->a].n_offsets)
        return REFUSE(err, "component '%s', node %u: column %u has no mask offset number %u (it has %u)", c->name, i,
                      n->a, n->b, c->columns[n->a].n_offsets);
    return PR_OK;
}

static pr_status check_preprocessed_node(const pr_air *air, const pr_air_component *c, uint32_t i, pr_error *err) {
    const pr_node *n = &c->nodes[i];
    if (n->a >= air->n_preprocessed)
        return REFUSE(err, "component '%s', node %u: preprocessed column %u does not exist (there are %u)", c->name, i,
                      n->a, air->n_preprocessed);
    const pr_air_preprocessed *p = &air->preprocessed[n->a];
    if (p->log_size != c->log_size)
        return REFUSE(
            err,
            "component '%s', node %u: preprocessed column '%s' has log_size %u, the component %u; a component "
            "reads preprocessed columns of its own size only",
            c->name, i, p->id, p->log_size, c->log_size);
    return PR_OK;
}

static pr_status check_node(const pr_air *air, const pr_air_component *c, uint32_t i, pr_error *err) {
    const pr_node *n = &c->nodes[i];
    switch (n->op) {
    case PR_NODE_COL:
        return check_column_node(c, i, err);
    case PR_NODE_PRE:
        return check_preprocessed_node(air, c, i, err);
    case PR_NODE_CONST:
        if (n->a >= PR_P) return REFUSE(err, "component '%s', node %u: constant %u is not below p", c->name, i, n->a);
        return PR_OK;
    case PR_NODE_ADD:
    case PR_NODE_SUB:
    case PR_NODE_MUL:
        if (n->a >= i || n->b >= i)
            return REFUSE(err, "component '%s', node %u: its operands %u and %u must be earlier nodes", c->name, i,
                          n->a, n->b);
        return PR_OK;
    case PR_NODE_NEG:
        if (n->a >= i)
            return REFUSE(err, "component '%s', node %u: its operand %u must be an earlier node", c->name, i, n->a);
        return PR_OK;
    default:
        return REFUSE(err, "component '%s', node %u: unknown operation %u", c->name, i, n->op);
    }
}

static pr_status check_constraint(const pr_air_component *c, uint32_t k, const uint32_t *degrees, pr_error *err) {
    const pr_air_constraint *x = &c->constraints[k];
    if (x->node >= c->n_nodes)
        return REFUSE(err, "component '%s', constraint %u: node %u does not exist", c->name, k, x->node);
    if (degrees[x->node] <= PR_AIR_MAX_DEGREE) return PR_OK;
    return REFUSE(
        err, "component '%s', constraint %u%s%s%s has degree %u, more than %d: add a column that holds a part of it",
        c->name, k, x->name ? " '" : "", pr_air_text(x->name), x->name ? "'" : "", degrees[x->node], PR_AIR_MAX_DEGREE);
}

static pr_status check_lookup(const pr_air *air, const pr_air_component *c, uint32_t k, pr_error *err) {
    const pr_air_lookup *l = &c->lookups[k];
    if (l->relation >= air->n_relations)
        return REFUSE(err, "component '%s', lookup %u: relation %u does not exist (there are %u)", c->name, k,
                      l->relation, air->n_relations);
    const pr_air_relation *r = &air->relations[l->relation];
    if (l->n_values < 1 || l->n_values > r->size)
        return REFUSE(err, "component '%s', lookup %u: %u values, relation '%s' takes 1 to %u", c->name, k, l->n_values,
                      r->name, r->size);
    if (l->multiplicity >= c->n_nodes)
        return REFUSE(err, "component '%s', lookup %u: multiplicity node %u does not exist", c->name, k,
                      l->multiplicity);
    for (uint32_t v = 0; v < l->n_values; v++)
        if (l->values[v] >= c->n_nodes)
            return REFUSE(err, "component '%s', lookup %u: value node %u does not exist", c->name, k, l->values[v]);
    if (l->batch >= c->n_batches)
        return REFUSE(err, "component '%s', lookup %u: batch %u, but there are %u", c->name, k, l->batch, c->n_batches);
    return PR_OK;
}

static pr_status check_batches(const pr_air_component *c, const uint32_t *degrees, pr_error *err) {
    if (c->n_batches > c->n_lookups)
        return REFUSE(err, "component '%s': %u batches for %u lookups; batches 0..B-1 must all be used", c->name,
                      c->n_batches, c->n_lookups);
    pr_batch_degree *batches = pr_air_calloc(c->n_batches, sizeof *batches);
    if (!batches) return pr_air_no_memory(err, "the degrees of batches");
    for (uint32_t k = 0; k < c->n_lookups; k++) {
        const pr_air_lookup *l = &c->lookups[k];
        uint32_t values = 0;
        for (uint32_t v = 0; v < l->n_values; v++) values = pr_air_max_u32(values, degrees[l->values[v]]);
        pr_batch_degree_join(&batches[l->batch], degrees[l->multiplicity], values);
    }
    pr_status status = PR_OK;
    for (uint32_t k = 0; status == PR_OK && k < c->n_batches; k++) {
        uint32_t degree = pr_batch_degree_constraint(&batches[k]);
        if (!batches[k].started)
            status = REFUSE(err, "component '%s': batch %u has no lookup; batches 0..B-1 must all be used", c->name, k);
        else if (degree > PR_AIR_MAX_DEGREE)
            status =
                REFUSE(err,
                       "component '%s', lookup batch %u has degree %u, more than %d: put fewer lookups into it, or "
                       "add a column that holds a value",
                       c->name, k, degree, PR_AIR_MAX_DEGREE);
    }
    free(batches);
    return status;
}

static pr_status check_degrees(pr_air_place *place, const pr_air_component *c, pr_error *err) {
    uint32_t *degrees = pr_air_calloc(c->n_nodes, sizeof *degrees);
    if (!degrees) return pr_air_no_memory(err, "the degrees of nodes");
    pr_air_node_degrees(degrees, c);
    pr_status status = PR_OK;
    place->part = "constraints";
    for (uint32_t k = 0; status == PR_OK && k < c->n_constraints; k++) {
        place->index = k;
        status = check_constraint(c, k, degrees, err);
    }
    if (status == PR_OK) {
        *place = (pr_air_place){place->component, "batches", PR_AIR_NO_PLACE};
        status = check_batches(c, degrees, err);
    }
    free(degrees);
    return status;
}

static pr_status check_component(pr_air_place *place, const pr_air *air, uint32_t k, uint32_t log_max_rows,
                                 pr_error *err) {
    const pr_air_component *c = &air->components[k];
    *place = (pr_air_place){k, NULL, PR_AIR_NO_PLACE};
    if (!c->name) return REFUSE(err, "component %u has no name", k);
    PR_TRY(check_log_size(err, "component", c->name, c->log_size));
    if (c->n_columns == 0) return REFUSE(err, "component '%s' has no trace column: it needs at least one", c->name);
    uint32_t *at = &place->index;
    place->part = "columns";
    for (*at = 0; *at < c->n_columns; ++*at) PR_TRY(check_column(c, *at, c->log_size == log_max_rows, err));
    place->part = "nodes";
    for (*at = 0; *at < c->n_nodes; ++*at) PR_TRY(check_node(air, c, *at, err));
    place->part = "lookups";
    for (*at = 0; *at < c->n_lookups; ++*at) PR_TRY(check_lookup(air, c, *at, err));
    return check_degrees(place, c, err);
}

static pr_status check_lookup_count(const pr_air *air, pr_error *err) {
    uint64_t lookups = 0;
    for (uint32_t k = 0; k < air->n_components; k++)
        lookups += (uint64_t)air->components[k].n_lookups << air->components[k].log_size;
    if (air->n_relations && !lookups)
        return REFUSE(err, "the AIR has relations but no component has a lookup: add one or drop the relations");
    if (lookups >= PR_P)
        return REFUSE(err,
                      "%llu lookups over all rows; they are counted modulo p, so there must be fewer than 2^31 - 1",
                      (unsigned long long)lookups);
    return PR_OK;
}

pr_status pr_air_validate(const pr_air *air, pr_error *err) {
    pr_air_place ignored;
    return pr_air_validate_at(&ignored, air, err);
}

pr_status pr_air_validate_at(pr_air_place *place, const pr_air *air, pr_error *err) {
    *place = (pr_air_place){PR_AIR_NO_PLACE, NULL, PR_AIR_NO_PLACE};
    if (!air->name) return REFUSE(err, "the AIR has no name");
    if (air->n_components == 0) return REFUSE(err, "the AIR has no component");
    PR_TRY(check_preprocessed(place, air, err));
    PR_TRY(check_relations(place, air, err));
    uint32_t log_max_rows = pr_air_log_max_rows(air);
    for (uint32_t k = 0; k < air->n_components; k++) PR_TRY(check_component(place, air, k, log_max_rows, err));
    *place = (pr_air_place){PR_AIR_NO_PLACE, NULL, PR_AIR_NO_PLACE};
    return check_lookup_count(air, err);
}
