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

pr_status pr_prover_make_preprocessed(pr_prover *p, pr_error *err) {
    pr_tree_state *t = &p->trees[0];
    if (p->has_preprocessed) return PR_OK;
    uint64_t start = pr_prover_begin(p, PR_STAGE_EXTEND);
    for (uint32_t i = 0; i < p->air->n_preprocessed; i++) PR_TRY(load_preprocessed(p, i, err));
    pr_prover_clock(p, PR_STAGE_EXTEND, &start);
    start = pr_prover_begin(p, PR_STAGE_MERKLE);
    PR_TRY(p->ops->merkle_commit(p->device, &t->root, &t->merkle, t->sorted, t->n, err));
    pr_prover_clock(p, PR_STAGE_MERKLE, &start);
    p->has_preprocessed = p->keeps_preprocessed;
    return PR_OK;
}

/* The source writes them, into the places where they belong or wait for their permutation. */
static pr_status fill_given_columns(pr_prover *p, uint32_t component, pr_error *err) {
    const pr_air_component *c = &p->air->components[component];
    const pr_col *ext = p->trees[1].cols + p->layout->trees[1].component_first[component];
    uint32_t n = pr_prover_given_columns(p, component);
    bool rows = !p->source.storage_order;
    pr_col *targets = p->trees[1].sorted; /* free until the tree is committed: restored below */
    for (uint32_t k = 0; k < n; k++)
        targets[k] = rows ? upper_half(ext[k], c->log_size) : pr_prover_trace_values(p, component, k);
    PR_TRY(p->ops->map_write(p->device, p->map, targets, n, err));
    for (uint32_t k = n; k < c->n_columns; k++) p->map[k] = NULL;
    PR_TRY(p->source.fill(p->source.context, component, p->map, p->needs.n_threads, err));
    PR_TRY(p->ops->unmap_write(p->device, p->map, targets, n, err));
    if (!rows || !n) return PR_OK;
    for (uint32_t k = 0; k < n; k++) p->values[k] = pr_prover_trace_values(p, component, k);
    return p->ops->rows_to_storage(p->device, p->values, targets, n, err);
}

static pr_status fill_component(pr_prover *p, uint32_t component, pr_error *err) {
    const pr_component_state *s = &p->components[component];
    const pr_derive args = {&s->derive, p->air->components[component].log_size, s->derive_inputs, s->derived};
    PR_TRY(fill_given_columns(p, component, err));
    bool derives = pr_prover_given_columns(p, component) < p->air->components[component].n_columns;
    return derives ? p->ops->derive(p->device, &args, err) : PR_OK;
}

static pr_status extend_component(pr_prover *p, uint32_t component, pr_error *err) {
    uint32_t first = p->layout->trees[1].component_first[component], n = p->air->components[component].n_columns;
    pr_col *values = p->trees[1].sorted;
    for (uint32_t k = 0; k < n; k++) values[k] = pr_prover_trace_values(p, component, k);
    return p->ops->extend(p->device, p->trees[1].cols + first, values, n, err);
}

pr_status pr_prover_commit_trace(pr_prover *p, pr_error *err) {
    const pr_layout_tree *tree = &p->layout->trees[1];
    for (uint32_t c = 0; c < p->air->n_components; c++) {
        uint64_t start = pr_prover_begin(p, PR_STAGE_TRACE);
        PR_TRY(fill_component(p, c, err));
        pr_prover_clock(p, PR_STAGE_TRACE, &start);
        start = pr_prover_begin(p, PR_STAGE_EXTEND);
        PR_TRY(extend_component(p, c, err));
        pr_prover_clock(p, PR_STAGE_EXTEND, &start);
    }
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
