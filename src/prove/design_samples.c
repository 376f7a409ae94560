/* Which columns are sampled together, and which share a point in the quotients. */
#include "prove/internal.h"

/* Flat list of all samples: tree after tree, column after column, offset after offset. */
typedef struct sample_visitor {
    pr_prover *p;
    void (*visit)(struct sample_visitor *v, uint32_t tree, uint32_t column, uint32_t offset_index, uint32_t slot);
    uint32_t power;
    bool counting;
} sample_visitor;

static void visit_samples(sample_visitor *v) {
    const pr_layout *l = v->p->layout;
    uint32_t slot = 0;
    v->power = 0;
    for (uint32_t t = 0; t < l->n_trees; t++) {
        v->p->first_sample[t] = slot;
        for (uint32_t i = 0; i < l->trees[t].n_columns; i++)
            for (uint32_t o = 0; o < l->trees[t].columns[i].n_offsets; o++) v->visit(v, t, i, o, slot++);
    }
}

static void visit_sample_group(sample_visitor *v, uint32_t tree, uint32_t column, uint32_t o, uint32_t slot) {
    const pr_layout_column *c = &v->p->layout->trees[tree].columns[column];
    pr_prover *p = v->p;
    size_t g = 0;
    while (g < p->n_sample_groups &&
           (p->sample_groups[g].log_ext != c->log_ext || p->sample_groups[g].offset != c->offsets[o]))
        g++;
    pr_sample_group *group = &p->sample_groups[g];
    if (g == p->n_sample_groups) {
        *group = (pr_sample_group){.log_ext = c->log_ext, .offset = c->offsets[o]};
        p->n_sample_groups++;
    }
    if (!v->counting) {
        group->cols[group->n] = p->trees[tree].cols[column];
        group->slots[group->n] = slot;
    }
    group->n++;
}

static void add_quotient_entry(sample_visitor *v, uint32_t index, pr_col col, uint32_t slot) {
    pr_prover *p = v->p;
    size_t g = 0;
    uint32_t power = v->power++;
    while (g < p->n_quotient_sets && p->quotient_sets[g].index != index) g++;
    pr_quotient_set *set = &p->quotient_sets[g];
    if (g == p->n_quotient_sets) {
        *set = (pr_quotient_set){.index = index};
        p->n_quotient_sets++;
    }
    if (!v->counting) {
        if (set->n && set->entries[set->n - 1].sample == slot) {
            set->entries[set->n - 1].power[1] = power;
            return;
        }
        set->cols[set->n] = col;
        set->entries[set->n] = (pr_quotient_entry){slot, {power, UINT32_MAX}};
    }
    set->n++;
}

/* Section 11: a column of exactly two samples has its periodicity sample first. */
static void visit_quotient(sample_visitor *v, uint32_t tree, uint32_t column, uint32_t o, uint32_t slot) {
    const pr_layout *l = v->p->layout;
    const pr_layout_column *c = &l->trees[tree].columns[column];
    pr_col col = v->p->trees[tree].cols[column];
    uint64_t step = (uint64_t)1 << (31 - l->log_base);
    if (c->n_offsets == 2 && o == 0) {
        uint64_t period = (uint64_t)1 << (31 - l->log_lifted + c->log_ext);
        add_quotient_entry(v, pr_index((uint64_t)c->offsets[1] * step + period), col, slot + 1);
    }
    add_quotient_entry(v, pr_index((uint64_t)c->offsets[o] * step), col, slot);
}

pr_status pr_prover_design_samples(pr_prover *p, pr_error *err) {
    sample_visitor v = {.p = p, .visit = visit_sample_group, .counting = true};
    size_t most = 1;
    for (uint32_t t = 0; t < p->layout->n_trees; t++) most += p->layout->trees[t].n_samples;
    HOST(p, p->samples, most);
    HOST(p, p->sample_out, most);
    HOST(p, p->sample_groups, most); /* offsets may all differ */
    visit_samples(&v);
    HOST(p, p->samplings, p->n_sample_groups);
    return PR_OK;
}

pr_status pr_prover_place_samples(pr_prover *p, pr_error *err) {
    sample_visitor v = {.p = p, .visit = visit_sample_group, .counting = false};
    for (size_t g = 0; g < p->n_sample_groups; g++) {
        HOST(p, p->sample_groups[g].cols, p->sample_groups[g].n);
        HOST(p, p->sample_groups[g].slots, p->sample_groups[g].n);
        p->sample_groups[g].n = 0;
    }
    visit_samples(&v);
    return PR_OK;
}

/* Whether the script ends with a tree of columns: then nothing but its root goes into the channel before the first
 * challenge of the composition. */
void pr_prover_find_drawn_tree(pr_prover *p) {
    const pr_statement *st = p->layout->statement;
    pr_step_kind last = st->steps[st->n_steps - 1].kind;
    p->drawn_tree = last == PR_STEP_COMMIT_INTERACTION ? 2 : 1;
    p->draws = p->ops->draw_powers && !p->needs.far_bytes && p->layout->trees[p->drawn_tree].n_columns &&
               (last == PR_STEP_COMMIT_INTERACTION || last == PR_STEP_COMMIT_TRACE);
}

pr_status pr_prover_design_quotients(pr_prover *p, pr_error *err) {
    sample_visitor v = {.p = p, .visit = visit_quotient, .counting = true};
    size_t most = 1;
    for (uint32_t t = 0; t < p->layout->n_trees; t++) most += p->layout->trees[t].n_samples;
    HOST(p, p->quotient_sets, 2 * most);
    visit_samples(&v);
    p->n_powers = v.power;
    HOST(p, p->quotient_powers, p->n_powers);
    HOST(p, p->quotient_groups, p->n_quotient_sets);
    for (size_t g = 0; g < p->n_quotient_sets; g++) {
        HOST(p, p->quotient_sets[g].cols, p->quotient_sets[g].n);
        HOST(p, p->quotient_sets[g].entries, p->quotient_sets[g].n);
        HOST(p, p->quotient_sets[g].coeffs, p->quotient_sets[g].n);
        p->quotient_sets[g].n = 0;
    }
    v.counting = false;
    visit_samples(&v);
    return PR_OK;
}
