/* Trees 0 to 2: filling, extending and committing columns. */
#include "prove/internal.h"

static pr_col at_size(pr_col col, uint32_t log_rows) { return (pr_col){col.offset, log_rows}; }
/* The half of an extended column that its values do not use yet: where row-ordered input waits for its permutation. */
static pr_col upper_half(pr_col col, uint32_t log_rows) {
    return (pr_col){col.offset + pr_column_words(col.log_rows) / 2, log_rows};
}

pr_status pr_prover_commit_tree(pr_prover *p, uint32_t tree, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_MERKLE);
    pr_tree_state *t = &p->trees[tree];
    bool is_drawn = p->draws && (tree == p->drawn_tree || tree == p->composition_tree); /* the device mixes it in */
    PR_TRY(p->ops->merkle_commit(p->device, is_drawn ? NULL : &t->root, &t->merkle, t->sorted, t->n, err));
    if (!is_drawn) pr_channel_mix_root(&p->channel, &t->root);
    pr_prover_clock(p, PR_STAGE_MERKLE, &start);
    return PR_OK;
}

static pr_status load_preprocessed(pr_prover *p, uint32_t index, pr_error *err) {
    const pr_air_preprocessed *pre = &p->air->preprocessed[index];
    pr_col ext = p->trees[0].cols[index], rows = upper_half(ext, pre->log_size), values = at_size(ext, pre->log_size);
    if (!pre->values)
        return pr_fail(err, PR_ERR_REFUSED, "preprocessed column '%s' has no values: a proof needs them", pre->id);
    if (p->preprocessed_base[index].offset != PR_NO_COLUMN) values = p->preprocessed_base[index];
    PR_TRY(p->ops->upload(p->device, rows, pre->values, err));
    PR_TRY(p->ops->rows_to_storage(p->device, &values, &rows, 1, err));
    return p->ops->extend(p->device, &ext, &values, 1, err);
}

pr_status pr_prover_commit_preprocessed(pr_prover *p, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_EXTEND);
    for (uint32_t i = 0; i < p->air->n_preprocessed; i++) PR_TRY(load_preprocessed(p, i, err));
    pr_prover_clock(p, PR_STAGE_EXTEND, &start);
    return pr_prover_commit_tree(p, 0, err);
}

/* Columns that were copied ahead; NULL: none were. */
static const pr_col *ahead_columns(const pr_prover *p, uint32_t component) {
    if (p->plan.ahead != PR_AHEAD_COPY) return NULL;
    return p->ahead.cols + p->ahead.first[component];
}

/* What the source wrote, into targets. */
static pr_status write_columns(pr_prover *p, uint32_t component, const pr_col *targets, pr_error *err) {
    size_t n = pr_prover_given_columns(p, component);
    if (p->plan.ahead == PR_AHEAD_TRACE)
        return p->ops->unmap_write(p->device, p->ahead.views + p->ahead.first[component], targets, n, err);
    PR_TRY(p->ops->map_write(p->device, p->map, targets, n, err));
    for (size_t k = n; k < p->air->components[component].n_columns; k++) p->map[k] = NULL;
    PR_TRY(p->source.fill(p->source.context, component, p->map, p->needs.n_threads, err));
    return p->ops->unmap_write(p->device, p->map, targets, n, err);
}

/* Whether the backend computes the other columns from the given ones. */
static bool derives(const pr_prover *p, uint32_t component) {
    return pr_prover_given_columns(p, component) < p->air->components[component].n_columns;
}

/* Whether a column is extended from where it was copied to ahead: what need not lie before extension, unless others
 * are derived from it. */
static bool extends_from_ahead(const pr_prover *p, uint32_t component, uint32_t column) {
    return p->source.storage_order && ahead_columns(p, component) && !derives(p, component) &&
           p->components[component].base[column].offset == PR_NO_COLUMN;
}

static pr_status take_copied_columns(pr_prover *p, uint32_t component, const pr_col *from, pr_error *err) {
    for (uint32_t k = 0; k < pr_prover_given_columns(p, component); k++) {
        pr_col values = pr_prover_trace_values(p, component, k);
        if (!extends_from_ahead(p, component, k)) PR_TRY(p->ops->copy(p->device, &values, &from[k], 1, err));
    }
    return PR_OK;
}

static pr_status fill_given_columns(pr_prover *p, uint32_t component, pr_error *err) {
    const pr_air_component *c = &p->air->components[component];
    const pr_col *ext = p->trees[1].cols + p->layout->trees[1].component_first[component];
    const pr_col *from = ahead_columns(p, component);
    uint32_t n = pr_prover_given_columns(p, component);
    bool rows = !p->source.storage_order;
    pr_col *targets = p->trees[1].sorted; /* free until the tree is committed: restored below */
    for (uint32_t k = 0; k < n; k++)
        targets[k] = rows ? upper_half(ext[k], c->log_size) : pr_prover_trace_values(p, component, k);
    if (!from) PR_TRY(write_columns(p, component, targets, err));
    if (from && !rows) return take_copied_columns(p, component, from, err);
    for (uint32_t k = 0; rows && k < n; k++) {
        pr_col values = pr_prover_trace_values(p, component, k);
        PR_TRY(p->ops->rows_to_storage(p->device, &values, from ? &from[k] : &targets[k], 1, err));
    }
    return PR_OK;
}

static pr_status fill_component(pr_prover *p, uint32_t component, pr_error *err) {
    const pr_component_state *s = &p->components[component];
    const pr_derive args = {&s->derive, p->air->components[component].log_size, s->derive_inputs, s->derived};
    PR_TRY(fill_given_columns(p, component, err));
    return derives(p, component) ? p->ops->derive(p->device, &args, err) : PR_OK;
}

static pr_status extend_component(pr_prover *p, uint32_t component, pr_error *err) {
    uint32_t first = p->layout->trees[1].component_first[component], n = p->air->components[component].n_columns;
    const pr_col *from = ahead_columns(p, component);
    pr_col *values = p->trees[1].sorted;
    for (uint32_t k = 0; k < n; k++)
        values[k] = extends_from_ahead(p, component, k) ? from[k] : pr_prover_trace_values(p, component, k);
    return p->ops->extend(p->device, p->trees[1].cols + first, values, n, err);
}

pr_status pr_prover_commit_trace(pr_prover *p, pr_error *err) {
    const pr_layout_tree *tree = &p->layout->trees[1];
    uint64_t start = pr_prover_begin(p, PR_STAGE_TRACE);
    PR_TRY(pr_prover_take_ahead(p, err));
    pr_prover_clock(p, PR_STAGE_TRACE, &start);
    for (uint32_t c = 0; c < p->air->n_components; c++) {
        start = pr_prover_begin(p, PR_STAGE_TRACE);
        PR_TRY(fill_component(p, c, err));
        pr_prover_clock(p, PR_STAGE_TRACE, &start);
        start = pr_prover_begin(p, PR_STAGE_EXTEND);
        PR_TRY(extend_component(p, c, err));
        pr_prover_clock(p, PR_STAGE_EXTEND, &start);
    }
    PR_TRY(pr_prover_release_ahead(p, err));
    for (uint32_t i = 0; i < tree->n_columns; i++) p->trees[1].sorted[i] = p->trees[1].cols[tree->sorted[i]];
    return pr_prover_commit_tree(p, 1, err);
}

pr_status pr_prover_compute_lookups(pr_prover *p, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_LOOKUPS);
    size_t n = 0;
    for (uint32_t k = 0; k < p->air->n_components; k++) {
        uint32_t index = p->by_size[k];
        const pr_air_component *c = &p->air->components[index];
        const pr_component_state *s = &p->components[index];
        if (!c->n_lookups) continue;
        p->lookups[n++] = (pr_logup){.program = &s->lookups,
                                     .log_rows = c->log_size,
                                     .inputs = s->lookup_inputs,
                                     .z = p->z,
                                     .alpha = p->alpha,
                                     .out = s->interaction_base,
                                     .claimed_sum = &p->claimed_sums[index]};
    }
    PR_TRY(p->ops->logup(p->device, p->lookups, n, err));
    pr_prover_clock(p, PR_STAGE_LOOKUPS, &start);
    return PR_OK;
}

pr_status pr_prover_commit_interaction(pr_prover *p, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_EXTEND);
    for (uint32_t k = 0; k < p->air->n_components; k++) {
        pr_component_state *s = &p->components[k];
        size_t n = 4 * (size_t)p->air->components[k].n_batches;
        if (n) PR_TRY(p->ops->extend(p->device, s->interaction, s->interaction_base, n, err));
    }
    pr_prover_clock(p, PR_STAGE_EXTEND, &start);
    return pr_prover_commit_tree(p, 2, err);
}
