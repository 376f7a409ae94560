#include "soundness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "air/checker.h"
#include "air/tuples.h"
#include "circle/circle.h"

/* ---- traces ---- */

traces traces_zero(const pr_air *air) {
    traces t = {air, calloc(air->n_components, sizeof *t.columns)};
    assert_non_null(t.columns);
    for (uint32_t c = 0; c < air->n_components; c++) {
        const pr_air_component *component = &air->components[c];
        t.columns[c] = calloc(component->n_columns, sizeof **t.columns);
        assert_non_null(t.columns[c]);
        for (uint32_t k = 0; k < component->n_columns; k++) {
            t.columns[c][k] = calloc((size_t)1 << component->log_size, sizeof(pr_m31));
            assert_non_null(t.columns[c][k]);
        }
    }
    return t;
}

traces traces_of(const pr_job_type *type, const pr_job_instance *job, unsigned n_threads) {
    const pr_air *air = type->air(job);
    traces t = traces_zero(air);
    for (uint32_t c = 0; c < air->n_components; c++) {
        pr_error err = {0};
        for (uint32_t k = 0; k < air->components[c].n_columns; k++) /* no field element: an unwritten cell shows */
            memset(t.columns[c][k], 0xff, sizeof(pr_m31) << air->components[c].log_size);
        if (type->trace(job, c, t.columns[c], PR_JOB_ROW_ORDER, n_threads, &err) != PR_OK) fail_msg("%s", err.text);
    }
    return t;
}

traces traces_copy(const traces *t) {
    traces copy = traces_zero(t->air);
    for (uint32_t c = 0; c < t->air->n_components; c++)
        for (uint32_t k = 0; k < t->air->components[c].n_columns; k++)
            memcpy(copy.columns[c][k], t->columns[c][k], sizeof(pr_m31) << t->air->components[c].log_size);
    return copy;
}

void traces_destroy(traces *t) {
    for (uint32_t c = 0; c < t->air->n_components; c++) {
        for (uint32_t k = 0; k < t->air->components[c].n_columns; k++) free(t->columns[c][k]);
        free(t->columns[c]);
    }
    free(t->columns);
    *t = (traces){0};
}

void assert_traces_equal(const traces *x, const traces *y) {
    for (uint32_t c = 0; c < x->air->n_components; c++)
        for (uint32_t k = 0; k < x->air->components[c].n_columns; k++)
            for (uint32_t r = 0; r < 1u << x->air->components[c].log_size; r++)
                if (x->columns[c][k][r] != y->columns[c][k][r])
                    fail_msg("component %s, column %u, row %u: %u and %u", x->air->components[c].name, k, r,
                             x->columns[c][k][r], y->columns[c][k][r]);
}

pr_statement plain_statement(const pr_air *air) {
    pr_statement st = {.air = air};
    return st;
}

static pr_check_report check(const pr_statement *st, const traces *t, pr_writer *text) {
    pr_check_report report;
    pr_error err = {0};
    if (pr_check_trace(&report, text, st, (pr_m31 *const *const *)t->columns, &err) != PR_OK) fail_msg("%s", err.text);
    return report;
}

void assert_storage_order(const pr_job_type *type, const pr_job_instance *job, const traces *t, unsigned n_threads) {
    traces stored = traces_copy(t);
    for (uint32_t c = 0; c < t->air->n_components; c++) {
        uint32_t log_rows = t->air->components[c].log_size;
        assert_int_equal(type->trace(job, c, stored.columns[c], PR_JOB_STORAGE_ORDER, n_threads, NULL), PR_OK);
        for (uint32_t k = 0; k < t->air->components[c].n_columns; k++)
            for (uint32_t r = 0; r < 1u << log_rows; r++)
                assert_int_equal(t->columns[c][k][r], stored.columns[c][k][pr_slot_of_row(log_rows, r)]);
    }
    traces_destroy(&stored);
}

void assert_traces_hold(const pr_statement *st, const traces *t) {
    pr_writer text;
    pr_writer_init(&text);
    pr_check_report report = check(st, t, &text);
    if (!report.ok) fail_msg("%.*s", (int)text.size, (const char *)text.data);
    pr_writer_clear(&text);
}

uint64_t count_findings(const pr_statement *st, const traces *t) {
    pr_check_report report = check(st, t, NULL);
    return report.n_failures + report.n_unbalanced;
}

/* ---- rows that differ ---- */

static pr_m31 node_value(const pr_m31 *v, const pr_air *air, const traces *t, uint32_t c, uint32_t node, uint32_t row) {
    const pr_air_component *component = &air->components[c];
    const pr_node *n = &component->nodes[node];
    uint32_t mask = (1u << component->log_size) - 1;
    switch ((pr_node_op)n->op) {
    case PR_NODE_COL:
        return t->columns[c][n->a][(row + (uint32_t)component->columns[n->a].offsets[n->b]) & mask];
    case PR_NODE_PRE:
        return air->preprocessed[n->a].values[row];
    case PR_NODE_CONST:
        return n->a;
    case PR_NODE_ADD:
        return pr_m31_add(v[n->a], v[n->b]);
    case PR_NODE_SUB:
        return pr_m31_sub(v[n->a], v[n->b]);
    case PR_NODE_MUL:
        return pr_m31_mul(v[n->a], v[n->b]);
    case PR_NODE_NEG:
        return pr_m31_neg(v[n->a]);
    }
    fail_msg("unknown node %u", n->op);
    return 0;
}

static pr_m31 *row_values(const pr_air *air, const traces *t, uint32_t c, uint32_t row) {
    const pr_air_component *component = &air->components[c];
    pr_m31 *v = malloc((component->n_nodes + 1) * sizeof *v);
    assert_non_null(v);
    for (uint32_t i = 0; i < component->n_nodes; i++) v[i] = node_value(v, air, t, c, i, row);
    return v;
}

/* Rows that read a cell which differs; NULL when none does. */
static bool *changed_rows(const pr_air *air, const traces *x, const traces *y, uint32_t c) {
    const pr_air_component *component = &air->components[c];
    uint32_t n = 1u << component->log_size;
    bool *changed = NULL;
    for (uint32_t k = 0; k < component->n_columns; k++) {
        const pr_m31 *a = x->columns[c][k], *b = y->columns[c][k];
        if (memcmp(a, b, n * sizeof *a) == 0) continue;
        if (!changed) assert_non_null(changed = calloc(n, sizeof *changed));
        for (uint32_t r = 0; r < n; r++)
            for (uint32_t o = 0; a[r] != b[r] && o < component->columns[k].n_offsets; o++)
                changed[(r - (uint32_t)component->columns[k].offsets[o]) & (n - 1)] = true;
    }
    return changed;
}

typedef struct search {
    const pr_air *air;
    const traces *honest, *forged;
    const char *claimed;
    in_table *is_in_table;
    pr_tuples tuples;
    culprits found;
} search;

static void accuse(search *s, culprit who) {
    for (uint32_t k = 0; k < s->found.n && k < MAX_CULPRITS; k++) {
        const culprit *known = &s->found.items[k];
        if (known->component == who.component && known->index == who.index && known->is_lookup == who.is_lookup) return;
    }
    if (s->found.n < MAX_CULPRITS) s->found.items[s->found.n] = who;
    s->found.n++;
    s->found.is_noticed = true;
}

static void gather_values(pr_m31 *out, const pr_air_lookup *l, const pr_m31 *v) {
    for (uint32_t k = 0; k < l->n_values; k++) out[k] = v[l->values[k]];
}

static void count_tuples(search *s, uint32_t c, const pr_m31 *v, bool is_forged) {
    const pr_air_component *component = &s->air->components[c];
    pr_m31 values[128];
    for (uint32_t k = 0; k < component->n_lookups; k++) {
        const pr_air_lookup *l = &component->lookups[k];
        pr_m31 m = v[l->multiplicity];
        gather_values(values, l, v);
        if (m) pr_tuples_add(&s->tuples, l->relation, values, l->n_values, is_forged ? m : pr_m31_neg(m));
    }
}

static bool follows_claim(const search *s, const char *name) {
    return s->claimed && strncmp(name, s->claimed, strlen(s->claimed)) == 0;
}

static void look_at_row(search *s, uint32_t c, uint32_t row) {
    const pr_air_component *component = &s->air->components[c];
    pr_m31 *before = row_values(s->air, s->honest, c, row), *v = row_values(s->air, s->forged, c, row);
    for (uint32_t k = 0; k < component->n_constraints; k++)
        if (v[component->constraints[k].node] && !follows_claim(s, component->constraints[k].name))
            accuse(s, (culprit){c, k, false});
    count_tuples(s, c, before, false);
    count_tuples(s, c, v, true);
    free(before);
    free(v);
}

/* Lookups of the row that take what nobody provides: their tuple is out of balance, and they took it. */
static void accuse_lookups(search *s, uint32_t c, uint32_t row) {
    const pr_air_component *component = &s->air->components[c];
    pr_m31 values[128], *v = row_values(s->air, s->forged, c, row);
    for (uint32_t k = 0; k < component->n_lookups; k++) {
        const pr_air_lookup *l = &component->lookups[k];
        gather_values(values, l, v);
        size_t item = pr_tuples_find(&s->tuples, l->relation, values, l->n_values);
        pr_m31 m = v[l->multiplicity];
        if (m == 0 || m > PR_P / 2 || item == PR_TUPLES_NONE) continue;
        if (s->is_in_table && s->is_in_table(l->relation, values)) continue;
        pr_m31 net = s->tuples.items[item].multiplicity;
        if (net && net <= PR_P / 2) accuse(s, (culprit){c, k, true});
    }
    free(v);
}

static void each_changed_row(search *s, void (*look)(search *, uint32_t, uint32_t)) {
    for (uint32_t c = 0; c < s->air->n_components; c++) {
        bool *changed = changed_rows(s->air, s->honest, s->forged, c);
        for (uint32_t r = 0; changed && r < 1u << s->air->components[c].log_size; r++)
            if (changed[r]) look(s, c, r);
        free(changed);
    }
}

static culprits find(search s) {
    const pr_air *air = s.air;
    uint32_t longest = 1;
    for (uint32_t k = 0; k < air->n_relations; k++)
        if (air->relations[k].size > longest) longest = air->relations[k].size;
    assert_in_range(longest, 1, 128);
    pr_tuples_init(&s.tuples, longest);
    each_changed_row(&s, look_at_row);
    each_changed_row(&s, accuse_lookups);
    for (size_t k = 0; k < s.tuples.n; k++) s.found.is_noticed |= s.tuples.items[k].multiplicity != 0;
    assert_false(s.tuples.failed);
    pr_tuples_clear(&s.tuples);
    return s.found;
}

culprits find_culprits(const pr_air *air, const traces *honest, const traces *forged, const char *claimed) {
    return find((search){.air = air, .honest = honest, .forged = forged, .claimed = claimed});
}

culprits find_culprits_but_tables(const pr_air *air, const traces *honest, const traces *forged,
                                  in_table *is_in_table) {
    return find((search){.air = air, .honest = honest, .forged = forged, .is_in_table = is_in_table});
}

/* ---- what is needed ---- */

static bool provides(const pr_air *air, const traces *honest, uint32_t c, uint32_t lookup) {
    const pr_air_component *component = &air->components[c];
    for (uint32_t r = 0; r < 1u << component->log_size; r++) {
        pr_m31 *v = row_values(air, honest, c, r), m = v[component->lookups[lookup].multiplicity];
        free(v);
        if (m > PR_P / 2) return true;
    }
    return false;
}

needs needs_create(const pr_air *air, const traces *honest) {
    needs n = {.air = air};
    n.constraints = calloc(air->n_components, sizeof *n.constraints);
    n.lookups = calloc(air->n_components, sizeof *n.lookups);
    assert_true(n.constraints && n.lookups);
    for (uint32_t c = 0; c < air->n_components; c++) {
        const pr_air_component *component = &air->components[c];
        n.constraints[c] = calloc(component->n_constraints + 1, sizeof(bool));
        n.lookups[c] = calloc(component->n_lookups + 1, sizeof(bool));
        assert_true(n.constraints[c] && n.lookups[c]);
        for (uint32_t k = 0; k < component->n_lookups; k++) {
            const pr_node *m = &component->nodes[component->lookups[k].multiplicity];
            n.lookups[c][k] = m->op != PR_NODE_CONST && provides(air, honest, c, k);
        }
    }
    return n;
}

void needs_destroy(needs *n) {
    for (uint32_t c = 0; c < n->air->n_components; c++) {
        free(n->constraints[c]);
        free(n->lookups[c]);
    }
    free(n->constraints);
    free(n->lookups);
}

void needs_note(needs *n, const culprits *found) {
    const culprit *who = &found->items[0];
    if (found->n != 1) return;
    if (who->is_lookup)
        n->lookups[who->component][who->index] = true;
    else
        n->constraints[who->component][who->index] = true;
}

void needs_note_group(needs *n, const culprits *found, uint32_t n_lookups) {
    const culprit *first = &found->items[0];
    if (found->n != n_lookups || n_lookups > MAX_CULPRITS) return;
    const pr_air_lookup *lookups = n->air->components[first->component].lookups;
    for (uint32_t k = 0; k < found->n; k++) {
        const culprit *who = &found->items[k];
        if (!who->is_lookup || who->component != first->component) return;
        if (lookups[who->index].relation != lookups[first->index].relation) return;
    }
    for (uint32_t k = 0; k < found->n; k++) n->lookups[first->component][found->items[k].index] = true;
}

uint32_t needs_print_missing(const needs *n) {
    uint32_t missing = 0;
    for (uint32_t c = 0; c < n->air->n_components; c++) {
        const pr_air_component *component = &n->air->components[c];
        for (uint32_t k = 0; k < component->n_constraints; k++)
            if (!n->constraints[c][k] && ++missing)
                print_message("not known to be needed: %s, constraint %s\n", component->name,
                              component->constraints[k].name);
        for (uint32_t k = 0; k < component->n_lookups; k++)
            if (!n->lookups[c][k] && ++missing)
                print_message("not known to be needed: %s, lookup %u of relation %s\n", component->name, k,
                              n->air->relations[component->lookups[k].relation].name);
    }
    return missing;
}

void assert_every_column_is_noticed(const pr_air *air, traces *honest, uint64_t *random, unsigned n_tries,
                                    const uint32_t *n_busy) {
    traces forged = traces_copy(honest);
    for (uint32_t c = 0; c < air->n_components; c++)
        for (uint32_t k = 0; k < air->components[c].n_columns; k++)
            for (unsigned i = 0; i < n_tries; i++) {
                uint32_t n_rows = i % 2 ? n_busy[c] : 1u << air->components[c].log_size;
                uint32_t row = (uint32_t)(next_random(random) % n_rows);
                pr_m31 *cell = &forged.columns[c][k][row], kept = *cell;
                *cell = pr_m31_add(kept, i < 2 ? 1 : 1 + random_m31(random) % (PR_P - 1));
                if (!find_culprits(air, honest, &forged, NULL).is_noticed)
                    fail_msg("component %s, column %u, row %u: %u for %u was not noticed", air->components[c].name, k,
                             row, *cell, kept);
                *cell = kept;
            }
    traces_destroy(&forged);
}
