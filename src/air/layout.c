/* Shapes that follow from a statement: trees, their columns and heights, FRI layers, numbers of constraints. */
#include "air/internal.h"
#include "air/script.h"
#include "air/security.h"
#include "air/statement.h"

#define MAX_LOG_BLOWUP 4u
#define MAX_LOG_LAST 10u
#define MAX_LOG_LIFTED 30u
#define MAX_QUERIES 65536u
#define N_COMPOSITION_COLUMNS 8u

#define REFUSE(err, ...) pr_fail(err, PR_ERR_REFUSED, __VA_ARGS__)

/* ---- parameters ---- */

static pr_status check_config(const pr_config *c, pr_error *err) {
    if (c->log_blowup < 1 || c->log_blowup > MAX_LOG_BLOWUP)
        return REFUSE(err, "log_blowup_factor %u is out of range: 1 to %u (blow-up 2 to 16)", c->log_blowup,
                      MAX_LOG_BLOWUP);
    if (c->n_queries < 1) return REFUSE(err, "n_queries 0: a proof needs at least one query");
    if (c->n_queries > MAX_QUERIES)
        return REFUSE(err, "n_queries %u is out of range: 1 to %u", c->n_queries, MAX_QUERIES);
    if (c->pow_bits > 32) return REFUSE(err, "pow_bits %u is out of range: 0 to 32", c->pow_bits);
    if (c->interaction_pow_bits > 32)
        return REFUSE(err, "interaction_pow_bits %u is out of range: 0 to 32", c->interaction_pow_bits);
    if (c->fold_step < 1) return REFUSE(err, "fold_step 0: every FRI layer folds at least once");
    if (c->log_last_layer_degree_bound > MAX_LOG_LAST)
        return REFUSE(err, "log_last_layer_degree_bound %u is out of range: 0 to %u", c->log_last_layer_degree_bound,
                      MAX_LOG_LAST);
    if (c->lifting_log_size == 0)
        return REFUSE(err, "lifting_log_size 0 reads like none in the transcript: leave it out or set the largest "
                           "column's extended log size");
    if (c->lifting_log_size > (int32_t)MAX_LOG_LIFTED || c->lifting_log_size < -1)
        return REFUSE(err, "lifting_log_size %d is out of range: 1 to %u, or none", c->lifting_log_size,
                      MAX_LOG_LIFTED);
    return PR_OK;
}

static pr_status check_public_terms(const pr_statement *st, pr_error *err) {
    const pr_air *air = st->air;
    uint64_t fractions = st->n_public_terms;
    if (st->n_public_terms && air->n_relations == 0)
        return REFUSE(err, "there are public terms, but AIR '%s' has no relations", air->name);
    for (uint32_t k = 0; k < st->n_public_terms; k++) {
        const pr_public_term *t = &st->public_terms[k];
        if (t->relation >= air->n_relations)
            return REFUSE(err, "public term %u: relation %u does not exist (there are %u)", k, t->relation,
                          air->n_relations);
        const pr_air_relation *r = &air->relations[t->relation];
        if (t->n_values < 1 || t->n_values > r->size)
            return REFUSE(err, "public term %u: %u values, relation '%s' takes 1 to %u", k, t->n_values, r->name,
                          r->size);
        if (t->multiplicity >= PR_P)
            return REFUSE(err, "public term %u: multiplicity %u is not below p", k, t->multiplicity);
        for (uint32_t v = 0; v < t->n_values; v++)
            if (t->values[v] >= PR_P) return REFUSE(err, "public term %u: value %u is not below p", k, t->values[v]);
    }
    for (uint32_t k = 0; k < air->n_components; k++)
        fractions += (uint64_t)air->components[k].n_lookups << air->components[k].log_size;
    if (fractions >= PR_P)
        return REFUSE(err, "%llu lookups and public terms: there must be fewer than 2^31 - 1",
                      (unsigned long long)fractions);
    return PR_OK;
}

/* ---- trees ---- */

static pr_status tree_begin(pr_layout_tree *tree, pr_tree_kind kind, uint64_t n_columns, pr_error *err) {
    if (n_columns > UINT32_MAX / 4) return REFUSE(err, "%llu columns in one tree", (unsigned long long)n_columns);
    tree->kind = kind;
    tree->columns = pr_air_calloc(n_columns, sizeof *tree->columns);
    tree->sorted = pr_air_calloc(n_columns, sizeof *tree->sorted);
    if (!tree->columns || !tree->sorted) return pr_air_no_memory(err, "the layout's columns");
    return PR_OK;
}

static void tree_add(pr_layout_tree *tree, uint32_t log_ext, uint32_t n_offsets, const int32_t *offsets) {
    pr_layout_column *c = &tree->columns[tree->n_columns++];
    c->log_ext = log_ext;
    c->n_offsets = n_offsets;
    memcpy(c->offsets, offsets, n_offsets * sizeof *offsets);
    tree->n_samples += n_offsets;
}

static pr_status mark_read(bool **read, const pr_air *air, pr_error *err) {
    *read = pr_air_calloc(air->n_preprocessed, sizeof **read);
    if (!*read) return pr_air_no_memory(err, "the layout");
    for (uint32_t k = 0; k < air->n_components; k++) {
        const pr_air_component *c = &air->components[k];
        for (uint32_t i = 0; i < c->n_nodes; i++)
            if (c->nodes[i].op == PR_NODE_PRE) (*read)[c->nodes[i].a] = true;
    }
    return PR_OK;
}

static pr_status add_preprocessed(pr_layout *layout, const pr_air *air, uint32_t log_blowup, pr_error *err) {
    static const int32_t here[1] = {0};
    pr_layout_tree *tree = &layout->trees[layout->n_trees++];
    bool *read;
    PR_TRY(tree_begin(tree, PR_TREE_PREPROCESSED, air->n_preprocessed, err));
    PR_TRY(mark_read(&read, air, err));
    for (uint32_t k = 0; k < air->n_preprocessed; k++)
        tree_add(tree, air->preprocessed[k].log_size + log_blowup, read[k] ? 1 : 0, here);
    free(read);
    return PR_OK;
}

static pr_status begin_component_tree(pr_layout_tree *tree, pr_tree_kind kind, uint64_t n_columns, const pr_air *air,
                                      pr_error *err) {
    PR_TRY(tree_begin(tree, kind, n_columns, err));
    tree->component_first = pr_air_calloc(air->n_components + (size_t)1, sizeof *tree->component_first);
    return tree->component_first ? PR_OK : pr_air_no_memory(err, "the layout's components");
}

static pr_status add_trace(pr_layout *layout, const pr_air *air, uint32_t log_blowup, pr_error *err) {
    pr_layout_tree *tree = &layout->trees[layout->n_trees++];
    uint64_t n_columns = 0;
    for (uint32_t k = 0; k < air->n_components; k++) n_columns += air->components[k].n_columns;
    PR_TRY(begin_component_tree(tree, PR_TREE_TRACE, n_columns, air, err));
    for (uint32_t k = 0; k < air->n_components; k++) {
        const pr_air_component *c = &air->components[k];
        for (uint32_t i = 0; i < c->n_columns; i++)
            tree_add(tree, c->log_size + log_blowup, c->columns[i].n_offsets, c->columns[i].offsets);
        tree->component_first[k + 1] = tree->n_columns;
    }
    return PR_OK;
}

/* Four base columns a batch; the last batch's column is the prefix sum and is read one row back too. */
static pr_status add_interaction(pr_layout *layout, const pr_air *air, uint32_t log_blowup, pr_error *err) {
    static const int32_t offsets[2] = {-1, 0};
    pr_layout_tree *tree = &layout->trees[layout->n_trees++];
    uint64_t n_columns = 0;
    for (uint32_t k = 0; k < air->n_components; k++) n_columns += (uint64_t)4 * air->components[k].n_batches;
    PR_TRY(begin_component_tree(tree, PR_TREE_INTERACTION, n_columns, air, err));
    for (uint32_t k = 0; k < air->n_components; k++) {
        const pr_air_component *c = &air->components[k];
        for (uint32_t i = 0; i < 4 * c->n_batches; i++) {
            bool is_last = i / 4 + 1 == c->n_batches;
            tree_add(tree, c->log_size + log_blowup, is_last ? 2 : 1, is_last ? offsets : offsets + 1);
        }
        tree->component_first[k + 1] = tree->n_columns;
    }
    return PR_OK;
}

static pr_status add_composition(pr_layout *layout, uint32_t log_blowup, pr_error *err) {
    static const int32_t here[1] = {0};
    pr_layout_tree *tree = &layout->trees[layout->n_trees++];
    PR_TRY(tree_begin(tree, PR_TREE_COMPOSITION, N_COMPOSITION_COLUMNS, err));
    for (uint32_t k = 0; k < N_COMPOSITION_COLUMNS; k++) tree_add(tree, layout->log_max_rows + log_blowup, 1, here);
    return PR_OK;
}

static uint32_t tree_largest(const pr_layout_tree *tree) {
    uint32_t largest = 0;
    for (uint32_t k = 0; k < tree->n_columns; k++) largest = pr_air_max_u32(largest, tree->columns[k].log_ext);
    return largest;
}

/* Counting sort by size: stable, ascending. */
static void sort_tree(pr_layout_tree *tree) {
    uint32_t first[MAX_LOG_LIFTED + 3] = {0};
    for (uint32_t k = 0; k < tree->n_columns; k++) first[tree->columns[k].log_ext + 1]++;
    for (uint32_t s = 1; s < MAX_LOG_LIFTED + 3; s++) first[s] += first[s - 1];
    for (uint32_t k = 0; k < tree->n_columns; k++) tree->sorted[first[tree->columns[k].log_ext]++] = k;
}

static pr_status add_trees(pr_layout *layout, const pr_air *air, uint32_t log_blowup, pr_error *err) {
    PR_TRY(add_preprocessed(layout, air, log_blowup, err));
    PR_TRY(add_trace(layout, air, log_blowup, err));
    if (air->n_relations) PR_TRY(add_interaction(layout, air, log_blowup, err));
    PR_TRY(add_composition(layout, log_blowup, err));
    for (uint32_t t = 0; t < layout->n_trees; t++) sort_tree(&layout->trees[t]);
    return PR_OK;
}

/* ---- heights ---- */

static pr_status check_lifting(const pr_layout *layout, int32_t lifting, pr_error *err) {
    if (layout->statement->air->n_preprocessed == 0)
        return REFUSE(err,
                      "lifting_log_size %d is set, but there is no preprocessed column: leave it out or add one (a "
                      "constant column will do)",
                      lifting);
    for (uint32_t t = 0; t < layout->n_trees; t++)
        if (tree_largest(&layout->trees[t]) > (uint32_t)lifting)
            return REFUSE(err, "lifting_log_size %d is below the largest column's extended log size %u", lifting,
                          tree_largest(&layout->trees[t]));
    return PR_OK;
}

/* Without lifting the preprocessed tree alone may have another height (its positions are mapped). */
static pr_status check_even_heights(const pr_layout *layout, pr_error *err) {
    for (uint32_t t = 1; t < layout->n_trees; t++)
        if (layout->trees[t].height != layout->log_lifted)
            return REFUSE(
                err,
                "trees of heights %u and %u without lifting_log_size: set it to the largest extended log size "
                "(that needs a preprocessed column; a constant one will do)",
                layout->trees[t].height, layout->log_lifted);
    return PR_OK;
}

static pr_status set_heights(pr_layout *layout, const pr_config *config, pr_error *err) {
    int32_t lifting = config->lifting_log_size;
    if (lifting >= 0) PR_TRY(check_lifting(layout, lifting, err));
    for (uint32_t t = 0; t < layout->n_trees; t++) {
        pr_layout_tree *tree = &layout->trees[t];
        if (tree->n_columns) tree->height = lifting >= 0 ? (uint32_t)lifting : tree_largest(tree);
    }
    layout->log_lifted = lifting >= 0 ? (uint32_t)lifting : layout->log_max_rows + config->log_blowup;
    layout->log_base = layout->log_lifted - config->log_blowup;
    return lifting >= 0 ? PR_OK : check_even_heights(layout, err);
}

/* Section 15's rule on mask offsets, seen from the lifted size: only there is a third sample bound to the rows. */
static pr_status check_offsets(const pr_layout *layout, pr_error *err) {
    const pr_layout_tree *trace = &layout->trees[1];
    for (uint32_t k = 0; k < trace->n_columns; k++)
        if (trace->columns[k].n_offsets > 2 && trace->columns[k].log_ext < layout->log_lifted)
            return REFUSE(err,
                          "trace column %u has more than two mask offsets and extended log size %u, below the lifted "
                          "size %u; split it into equal copies of at most two offsets each",
                          k, trace->columns[k].log_ext, layout->log_lifted);
    return PR_OK;
}

/* ---- constraints and FRI ---- */

static pr_status count_constraints(pr_layout *layout, const pr_air *air, pr_error *err) {
    uint64_t n = 0;
    layout->constraint_first = pr_air_calloc(air->n_components + (size_t)1, sizeof *layout->constraint_first);
    if (!layout->constraint_first) return pr_air_no_memory(err, "the layout's constraints");
    for (uint32_t k = 0; k < air->n_components; k++) {
        n += (uint64_t)air->components[k].n_constraints + air->components[k].n_batches;
        if (n > UINT32_MAX) return REFUSE(err, "AIR '%s' has 2^32 constraints or more", air->name);
        layout->constraint_first[k + 1] = (uint32_t)n;
    }
    layout->n_constraints = (uint32_t)n;
    return PR_OK;
}

static uint32_t log_last_domain(const pr_config *config) {
    return config->log_last_layer_degree_bound + config->log_blowup;
}

uint32_t pr_layout_schedule_fri(pr_layout_fri layers[32], uint32_t log_lifted, const pr_config *config) {
    uint32_t n = 0, last = log_last_domain(config), step = config->fold_step ? config->fold_step : 1;
    for (uint32_t log_size = log_lifted, fold; log_size > last && n < 32; log_size -= fold) {
        fold = log_size - last < step ? log_size - last : step;
        layers[n++] = (pr_layout_fri){log_size, fold, fold > 1 && log_size >= 2};
    }
    return n;
}

static pr_status schedule_fri(pr_layout *layout, const pr_config *config, pr_error *err) {
    uint32_t step = config->fold_step, log_size = layout->log_lifted;
    layout->log_last_domain = log_last_domain(config);
    if (step > log_size || log_size - step < layout->log_last_domain)
        return REFUSE(err,
                      "fold_step %u is too large: the first fold takes log size %u below the last layer's "
                      "(log_last_layer_degree_bound + log_blowup_factor = %u)",
                      step, log_size, layout->log_last_domain);
    layout->n_fri_layers = pr_layout_schedule_fri(layout->fri, log_size, config);
    return PR_OK;
}

static pr_status layout_fill(pr_layout *layout, const pr_statement *st, pr_error *err) {
    PR_TRY(check_config(&st->config, err));
    PR_TRY(check_public_terms(st, err));
    PR_TRY(pr_script_check(st, err));
    layout->log_max_rows = pr_air_log_max_rows(st->air);
    PR_TRY(add_trees(layout, st->air, st->config.log_blowup, err));
    PR_TRY(set_heights(layout, &st->config, err));
    PR_TRY(check_offsets(layout, err));
    PR_TRY(count_constraints(layout, st->air, err));
    PR_TRY(schedule_fri(layout, &st->config, err));
    for (uint32_t k = 0; k < st->n_steps; k++)
        if (st->steps[k].kind == PR_STEP_GRIND) {
            layout->grinds_interaction = true;
            layout->interaction_pow_bits = st->steps[k].bits;
        }
    layout->security = pr_security_of(layout);
    return PR_OK;
}

pr_status pr_layout_init(pr_layout *layout, const pr_statement *st, pr_error *err) {
    *layout = (pr_layout){.statement = st};
    pr_status status = layout_fill(layout, st, err);
    if (status != PR_OK) pr_layout_clear(layout);
    return status;
}

void pr_layout_clear(pr_layout *layout) {
    for (uint32_t t = 0; t < 4; t++) {
        free(layout->trees[t].columns);
        free(layout->trees[t].sorted);
        free(layout->trees[t].component_first);
    }
    free(layout->constraint_first);
    *layout = (pr_layout){0};
}
