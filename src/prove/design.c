/* Where everything lies: columns, trees, sample groups, quotient sets; the memory plan follows from it.
 * Regions are added first (by index), placed once, and then turned into columns. */
#include "prove/internal.h"
#include <stdlib.h>
#include <string.h>

typedef struct host_block {
    struct host_block *next;
    size_t padding; /* keeps what follows aligned to 16 bytes */
} host_block;

void *pr_prover_host_alloc(pr_prover *p, size_t n, size_t size) {
    if (size && n > (SIZE_MAX - sizeof(host_block)) / size) return NULL;
    host_block *block = calloc(1, sizeof *block + (n ? n : 1) * size);
    if (!block) return NULL;
    block->next = p->host_blocks;
    p->host_blocks = block;
    p->host_bytes += n * size;
    return block + 1;
}

/* Region indices, until the regions are placed. */
typedef struct design {
    pr_prover *p;
    size_t trees[4], merkles[4];           /* columns of a tree, its nodes */
    size_t preprocessed_base, *trace_base; /* [n_components] */
    size_t *accumulators;                  /* [32] by log size */
    size_t fri[32], fri_merkle[32], fold_temporary[2], last_values;
} design;

static size_t add_region(design *d, size_t words, pr_phase first, pr_phase last) {
    return words ? pr_region_add(&d->p->regions, words, first, last) : 0;
}
/* Of columns that operations can bring from the host. */
static size_t add_streamable(design *d, size_t words, pr_phase first, pr_phase last) {
    size_t region = add_region(d, words, first, last);
    if (region) d->p->regions.items[region].may_be_far = true;
    return region;
}
static size_t region_offset(const design *d, size_t region) { return d->p->regions.items[region].offset; }

/* ---- which columns are read before extension ---- */

static size_t count_base_columns(const pr_program *lookups, const pr_air_component *c, bool *used) {
    size_t n = 0;
    memset(used, 0, c->n_columns * sizeof *used);
    for (uint32_t i = 0; i < lookups->n_inputs; i++) {
        const pr_input *in = &lookups->inputs[i];
        if (in->is_preprocessed || used[in->column]) continue;
        used[in->column] = true;
        n++;
    }
    return n;
}

static void keep_preprocessed(pr_prover *p, const pr_program *program) {
    for (uint32_t i = 0; i < program->n_inputs; i++)
        if (program->inputs[i].is_preprocessed) p->preprocessed_base[program->inputs[i].column].offset = 0;
}

static pr_status lower_component(pr_prover *p, uint32_t index, pr_error *err) {
    const pr_air_component *c = &p->air->components[index];
    pr_component_state *s = &p->components[index];
    PR_TRY(pr_program_lower(&s->full, c, PR_PROGRAM_FULL, err));
    if (c->n_lookups) PR_TRY(pr_program_lower(&s->lookups, c, PR_PROGRAM_LOOKUPS, err));
    if (c->n_derived && p->ops->derive) PR_TRY(pr_program_lower(&s->derive, c, PR_PROGRAM_DERIVE, err));
    HOST(p, s->base, c->n_columns);
    HOST(p, s->full_inputs, s->full.n_inputs);
    HOST(p, s->lookup_inputs, s->lookups.n_inputs);
    HOST(p, s->derive_inputs, s->derive.n_inputs);
    HOST(p, s->derived, s->derive.n_constraints);
    HOST(p, s->interaction, 4 * (size_t)c->n_batches);
    HOST(p, s->interaction_base, 4 * (size_t)c->n_batches);
    return PR_OK;
}

/* ---- regions ---- */

static size_t tree_words(const pr_layout_tree *tree) {
    size_t words = 0;
    for (uint32_t i = 0; i < tree->n_columns; i++) words += pr_column_words(tree->columns[i].log_ext);
    return words;
}

static void add_tree_regions(design *d) {
    static const pr_phase first[] = {[PR_TREE_PREPROCESSED] = PR_PHASE_PREPROCESSED,
                                     [PR_TREE_TRACE] = PR_PHASE_TRACE,
                                     [PR_TREE_INTERACTION] = PR_PHASE_INTERACTION,
                                     [PR_TREE_COMPOSITION] = PR_PHASE_COMPOSITION};
    const pr_layout *l = d->p->layout;
    for (uint32_t t = 0; t < l->n_trees; t++) {
        const pr_layout_tree *tree = &l->trees[t];
        if (!tree->n_columns) continue;
        d->trees[t] = add_streamable(d, tree_words(tree), first[tree->kind], PR_PHASE_OPEN);
        d->merkles[t] = add_region(d, pr_merkle_words(tree->height), first[tree->kind], PR_PHASE_OPEN);
    }
}

static pr_status add_base_regions(design *d, pr_error *err) {
    pr_prover *p = d->p;
    size_t words = 0;
    for (uint32_t c = 0; c < p->air->n_components; c++) {
        const pr_air_component *component = &p->air->components[c];
        pr_component_state *s = &p->components[c];
        bool *used = calloc(component->n_columns + 1, sizeof *used);
        if (!used) return pr_fail(err, PR_ERR_MEMORY, "no memory for the plan of a proof");
        size_t n = count_base_columns(&s->lookups, component, used);
        for (uint32_t k = 0; k < component->n_columns; k++) s->base[k].offset = used[k] ? 0 : PR_NO_COLUMN;
        free(used);
        d->trace_base[c] =
            add_streamable(d, n * pr_column_words(component->log_size), PR_PHASE_TRACE, PR_PHASE_INTERACTION);
        keep_preprocessed(p, &s->lookups);
        keep_preprocessed(p, &s->derive);
    }
    for (uint32_t i = 0; i < p->air->n_preprocessed; i++)
        if (p->preprocessed_base[i].offset != PR_NO_COLUMN) words += pr_column_words(p->air->preprocessed[i].log_size);
    pr_phase last = p->keeps_preprocessed ? PR_PHASE_OPEN : PR_PHASE_INTERACTION;
    d->preprocessed_base = add_streamable(d, words, PR_PHASE_PREPROCESSED, last);
    return PR_OK;
}

static void add_late_regions(design *d) {
    const pr_layout *l = d->p->layout;
    uint32_t step = l->fri[0].fold_step;
    for (uint32_t c = 0; c < d->p->air->n_components; c++) {
        uint32_t n = d->p->air->components[c].log_size;
        if (!d->accumulators[n])
            d->accumulators[n] = add_region(d, 4 * pr_column_words(n + 1), PR_PHASE_COMPOSITION, PR_PHASE_COMPOSITION);
    }
    for (uint32_t k = 0; k < l->n_fri_layers; k++) {
        uint32_t height = l->fri[k].log_size - (l->fri[k].packed ? 2 : 0);
        pr_phase first = k == 0 ? PR_PHASE_QUOTIENTS : PR_PHASE_FRI;
        d->fri[k] = add_region(d, 4 * pr_column_words(l->fri[k].log_size), first, PR_PHASE_OPEN);
        d->fri_merkle[k] = add_region(d, pr_merkle_words(height), PR_PHASE_FRI, PR_PHASE_OPEN);
        if (l->fri[k].fold_step > step) step = l->fri[k].fold_step;
    }
    if (step > 1) {
        d->fold_temporary[0] = add_region(d, 4 * pr_column_words(l->log_lifted - 1), PR_PHASE_FRI, PR_PHASE_FRI);
        d->fold_temporary[1] = add_region(d, 4 * pr_column_words(l->log_lifted - 2), PR_PHASE_FRI, PR_PHASE_FRI);
    }
    d->last_values = add_region(d, 4 * pr_column_words(l->log_last_domain), PR_PHASE_FRI, PR_PHASE_FRI);
}

/* ---- from regions to columns ---- */

static void place_columns(pr_col *cols, size_t n, uint32_t log_rows, size_t offset) {
    for (size_t i = 0; i < n; i++) cols[i] = (pr_col){offset + i * pr_column_words(log_rows), log_rows};
}

static pr_status place_tree(design *d, uint32_t t, pr_error *err) {
    pr_prover *p = d->p;
    const pr_layout_tree *tree = &p->layout->trees[t];
    pr_tree_state *s = &p->trees[t];
    s->n = tree->n_columns;
    HOST(p, s->cols, s->n);
    HOST(p, s->sorted, s->n);
    if (!s->n) return PR_OK;
    size_t offset = region_offset(d, d->trees[t]);
    for (size_t i = 0; i < s->n; i++) {
        s->cols[i] = (pr_col){offset, tree->columns[i].log_ext};
        offset += pr_column_words(tree->columns[i].log_ext);
    }
    for (size_t i = 0; i < s->n; i++) s->sorted[i] = s->cols[tree->sorted[i]];
    s->merkle = (pr_merkle){region_offset(d, d->merkles[t]), tree->height, pr_merkle_log_skip(tree->height), false};
    return PR_OK;
}

static void place_preprocessed_base(design *d) {
    pr_prover *p = d->p;
    size_t offset = 0;
    for (uint32_t i = 0; i < p->air->n_preprocessed; i++) {
        uint32_t n = p->air->preprocessed[i].log_size;
        if (p->preprocessed_base[i].offset == PR_NO_COLUMN) continue;
        p->preprocessed_base[i] = (pr_col){region_offset(d, d->preprocessed_base) + offset, n};
        offset += pr_column_words(n);
    }
}

static void place_inputs(const pr_program *program, pr_col *inputs, const pr_col *trace, const pr_col *preprocessed) {
    for (uint32_t i = 0; i < program->n_inputs; i++) {
        const pr_input *in = &program->inputs[i];
        inputs[i] = in->is_preprocessed ? preprocessed[in->column] : trace[in->column];
    }
}

pr_col pr_prover_trace_values(const pr_prover *p, uint32_t component, uint32_t column) {
    pr_col base = p->components[component].base[column];
    uint32_t first = p->layout->trees[1].component_first[component];
    if (base.offset != PR_NO_COLUMN) return base;
    return (pr_col){p->trees[1].cols[first + column].offset, p->air->components[component].log_size};
}

static void place_derivation(pr_prover *p, uint32_t index) {
    const pr_air_component *c = &p->air->components[index];
    pr_component_state *s = &p->components[index];
    for (uint32_t i = 0; i < s->derive.n_inputs; i++) {
        const pr_input *in = &s->derive.inputs[i];
        s->derive_inputs[i] =
            in->is_preprocessed ? p->preprocessed_base[in->column] : pr_prover_trace_values(p, index, in->column);
    }
    for (uint32_t k = 0; k < s->derive.n_constraints; k++)
        s->derived[k] = pr_prover_trace_values(p, index, c->n_columns - c->n_derived + k);
}

static void place_component(design *d, uint32_t index) {
    pr_prover *p = d->p;
    const pr_air_component *c = &p->air->components[index];
    pr_component_state *s = &p->components[index];
    size_t n_base = 0;
    for (uint32_t k = 0; k < c->n_columns; k++)
        if (s->base[k].offset != PR_NO_COLUMN)
            s->base[k] =
                (pr_col){region_offset(d, d->trace_base[index]) + n_base++ * pr_column_words(c->log_size), c->log_size};
    place_inputs(&s->full, s->full_inputs, p->trees[1].cols + p->layout->trees[1].component_first[index],
                 p->trees[0].cols);
    place_inputs(&s->lookups, s->lookup_inputs, s->base, p->preprocessed_base);
    place_derivation(p, index);
    for (uint32_t k = 0; k < 4 * c->n_batches; k++) {
        s->interaction[k] = p->trees[2].cols[p->layout->trees[2].component_first[index] + k];
        s->interaction_base[k] = (pr_col){s->interaction[k].offset, c->log_size};
    }
    place_columns(s->accumulator, 4, c->log_size + 1, region_offset(d, d->accumulators[c->log_size]));
    s->first_of_size = true;
    for (uint32_t k = 0; k < index; k++)
        if (p->air->components[k].log_size == c->log_size) s->first_of_size = false;
}

static void place_late(design *d) {
    pr_prover *p = d->p;
    const pr_layout *l = p->layout;
    size_t offset = region_offset(d, d->accumulators[l->log_max_rows]);
    for (size_t k = 0; k < 8; k++)
        p->composition_halves[k] = (pr_col){
            offset + (k & 3) * pr_column_words(l->log_max_rows + 1) + ((k >> 2) << l->log_max_rows), l->log_max_rows};
    for (uint32_t k = 0; k < l->n_fri_layers; k++) {
        uint32_t height = l->fri[k].log_size - (l->fri[k].packed ? 2 : 0);
        place_columns(p->fri[k].cols, 4, l->fri[k].log_size, region_offset(d, d->fri[k]));
        p->fri[k].merkle =
            (pr_merkle){region_offset(d, d->fri_merkle[k]), height, pr_merkle_log_skip(height), l->fri[k].packed};
        p->fri[k].fold_step = l->fri[k].fold_step;
    }
    if (d->fold_temporary[0])
        for (uint32_t k = 0; k < 2; k++)
            place_columns(p->fold_temporary[k], 4, l->log_lifted - 1 - k, region_offset(d, d->fold_temporary[k]));
    place_columns(p->last_values, 4, l->log_last_domain, region_offset(d, d->last_values));
}

/* ---- sizes of host scratch ---- */

static void order_by_size(pr_prover *p) {
    size_t n = 0;
    for (uint32_t key = 0; key < 2 * (p->layout->log_max_rows + 1); key++)
        for (uint32_t c = 0; c < p->air->n_components; c++)
            if (2 * p->air->components[c].log_size + (p->air->components[c].n_lookups > 0) == key) p->by_size[n++] = c;
}

static pr_status design_host(pr_prover *p, pr_error *err) {
    const pr_layout *l = p->layout;
    size_t q = l->statement->config.n_queries, most_columns = 1;
    if (q > (size_t)1 << l->log_lifted) q = (size_t)1 << l->log_lifted; /* distinct ones */
    HOST(p, p->z, p->air->n_relations);
    HOST(p, p->alpha, p->air->n_relations);
    HOST(p, p->claimed_sums, p->air->n_components);
    HOST(p, p->powers, l->n_constraints);
    HOST(p, p->by_size, p->air->n_components);
    HOST(p, p->compositions, p->air->n_components);
    HOST(p, p->lookups, p->air->n_components);
    order_by_size(p);
    HOST(p, p->last_layer, (size_t)1 << l->log_last_domain);
    HOST(p, p->last_column, (size_t)1 << l->log_last_domain);
    HOST(p, p->queries, q);
    for (uint32_t t = 0; t < l->n_trees; t++) {
        p->hash_capacity += q * l->trees[t].height + 1;
        p->opened_capacity += q * l->trees[t].n_columns;
        p->position_capacity += 2 * q;
        if (l->trees[t].n_columns > most_columns) most_columns = l->trees[t].n_columns;
    }
    for (uint32_t k = 0; k < l->n_fri_layers; k++) {
        size_t rows = q << l->fri[k].fold_step, all = (size_t)1 << l->fri[k].log_size;
        if (rows > all) rows = all;
        p->hash_capacity += rows * l->fri[k].log_size + 1;
        p->opened_capacity += 4 * rows;
        p->position_capacity += 2 * rows;
    }
    HOST(p, p->hashes, p->hash_capacity);
    HOST(p, p->opened, p->opened_capacity);
    p->position_capacity += q;
    HOST(p, p->positions, p->position_capacity);
    HOST(p, p->map, most_columns);
    HOST(p, p->values, most_columns);
    return PR_OK;
}

static pr_status design_regions(design *d, pr_error *err) {
    pr_prover *p = d->p;
    HOST(p, d->trace_base, p->air->n_components);
    HOST(p, d->accumulators, 64);
    pr_region_add(&p->regions, 16, PR_PHASE_PREPROCESSED, PR_PHASE_PREPROCESSED); /* index 0 means: no region */
    add_tree_regions(d);
    PR_TRY(add_base_regions(d, err));
    add_late_regions(d);
    return PR_OK;
}

static pr_status place_all(design *d, pr_error *err) {
    pr_prover *p = d->p;
    for (uint32_t t = 0; t < p->layout->n_trees; t++) PR_TRY(place_tree(d, t, err));
    place_preprocessed_base(d);
    for (uint32_t c = 0; c < p->air->n_components; c++) place_component(d, c);
    place_late(d);
    return PR_OK;
}

pr_status pr_prover_design(pr_prover *p, const pr_layout *layout, const pr_prover_options *options, pr_error *err) {
    design d = {.p = p};
    p->layout = layout;
    p->air = layout->statement->air;
    p->ops = options->backend;
    p->composition_tree = layout->n_trees - 1;
    p->keeps_preprocessed = options->air_digest != NULL;
    if (options->air_digest) p->air_digest = *options->air_digest;
    HOST(p, p->components, p->air->n_components);
    HOST(p, p->preprocessed_base, p->air->n_preprocessed);
    for (uint32_t i = 0; i < p->air->n_preprocessed; i++) p->preprocessed_base[i].offset = PR_NO_COLUMN;
    for (uint32_t c = 0; c < p->air->n_components; c++) PR_TRY(lower_component(p, c, err));
    PR_TRY(design_regions(&d, err));
    PR_TRY(pr_prover_design_samples(p, err));
    pr_prover_find_needs(p, options);
    PR_TRY(pr_prover_place(p, options, err));
    PR_TRY(place_all(&d, err));
    PR_TRY(pr_prover_place_samples(p, err));
    pr_prover_find_drawn_tree(p);
    PR_TRY(pr_prover_design_quotients(p, err));
    PR_TRY(design_host(p, err));
    PR_TRY(pr_twiddles_init(&p->last_twiddles, layout->log_last_domain + 1, err));
    pr_prover_fill_plan(p);
    return PR_OK;
}
