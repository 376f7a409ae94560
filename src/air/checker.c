#include "air/checker.h"
#include "air/evaluate.h"
#include "air/internal.h"
#include "air/tuples.h"
#include <inttypes.h>

#define MAX_LISTED 20
#define MAX_TOUCHES 6
#define PUBLIC UINT32_MAX /* the component of a public term */

typedef struct touch {
    uint32_t component, row; /* PUBLIC, number of the public term */
    pr_m31 multiplicity;
} touch;

typedef struct listed {
    size_t item;
    uint32_t n_touches;
    touch touches[MAX_TOUCHES];
} listed;

typedef struct checker {
    pr_check_report *report;
    pr_writer *text; /* may be NULL */
    const pr_statement *st;
    pr_m31 *const *const *trace; /* NULL: fill gives it */
    pr_check_fill fill;
    void *context;
    unsigned n_threads;
    uint32_t component, row; /* at hand */
    pr_m31 *const *columns;  /* of the component */
    pr_tuples tuples;
    listed listed[MAX_LISTED];
    uint32_t n_listed;
} checker;

static const pr_air_component *component_of(const checker *c) { return &c->st->air->components[c->component]; }

/* ---- rows ---- */

/* Where an input's values are: row r reads from[(r + shift) mod rows]. */
typedef struct source {
    const pr_m31 *from;
    uint32_t shift;
} source;

static pr_status find_sources(source *out, const checker *c, const pr_program *p, pr_error *err) {
    for (uint32_t k = 0; k < p->n_inputs; k++) {
        const pr_input *in = &p->inputs[k];
        if (in->is_preprocessed) {
            const pr_air_preprocessed *column = &c->st->air->preprocessed[in->column];
            if (!column->values)
                return pr_fail(err, PR_ERR_REFUSED, "preprocessed column '%s' has no values", column->id);
            out[k] = (source){column->values, 0};
        } else {
            out[k] = (source){c->columns[in->column], (uint32_t)in->offset};
        }
    }
    return PR_OK;
}

typedef void (*row_end)(checker *c, const pr_evaluation *e);

static void run_rows(checker *c, pr_evaluation *e, const source *sources, row_end end) {
    uint32_t mask = (1u << component_of(c)->log_size) - 1;
    for (c->row = 0; c->row <= mask; c->row++) {
        for (uint32_t k = 0; k < e->program->n_inputs; k++)
            e->inputs[k] = sources[k].from[(c->row + sources[k].shift) & mask];
        pr_evaluation_run(e);
        if (end) end(c, e);
    }
}

static pr_status run_program(checker *c, const pr_program *p, pr_lookup_visitor visit, row_end end, pr_error *err) {
    pr_evaluation e;
    PR_TRY(pr_evaluation_init(&e, p, err));
    e.visit = visit;
    e.context = c;
    source *sources = pr_air_calloc(p->n_inputs, sizeof *sources);
    pr_status status = sources ? find_sources(sources, c, p, err) : pr_air_no_memory(err, "the checker");
    if (status == PR_OK) run_rows(c, &e, sources, end);
    free(sources);
    pr_evaluation_clear(&e);
    return status;
}

static pr_status run_columns(checker *c, pr_program_kind kind, pr_lookup_visitor visit, row_end end, pr_error *err) {
    pr_program p;
    PR_TRY(pr_program_lower(&p, component_of(c), kind, err));
    pr_status status = run_program(c, &p, visit, end, err);
    pr_program_clear(&p);
    return status;
}

static pr_status run_component(checker *c, pr_program_kind kind, pr_lookup_visitor visit, row_end end, pr_error *err) {
    const pr_air_component *component = component_of(c);
    if (c->trace) {
        c->columns = c->trace[c->component];
        return run_columns(c, kind, visit, end, err);
    }
    size_t n_rows = (size_t)1 << component->log_size;
    pr_m31 *cells = pr_air_calloc((size_t)component->n_columns * n_rows, sizeof *cells);
    pr_m31 **columns = pr_air_calloc(component->n_columns, sizeof *columns);
    pr_status status = cells && columns ? PR_OK : pr_air_no_memory(err, "the columns of a component");
    for (uint32_t k = 0; status == PR_OK && k < component->n_columns; k++) columns[k] = cells + k * n_rows;
    if (status == PR_OK) status = c->fill(c->context, c->component, columns, c->n_threads, err);
    c->columns = columns;
    if (status == PR_OK) status = run_columns(c, kind, visit, end, err);
    free(cells);
    free(columns);
    return status;
}

/* ---- constraints ---- */

/* Marks the nodes that a node depends on; operands come before their users. */
static void mark_needed(bool *needed, const pr_air_component *c, uint32_t node) {
    needed[node] = true;
    for (uint32_t i = node + 1; i-- > 0;) {
        const pr_node *n = &c->nodes[i];
        if (!needed[i] || n->op < PR_NODE_ADD) continue;
        needed[n->a] = true;
        if (n->op != PR_NODE_NEG) needed[n->b] = true;
    }
}

static void write_input(const checker *c, const pr_node *n) {
    const pr_air_component *component = component_of(c);
    if (n->op == PR_NODE_PRE) {
        const pr_air_preprocessed *p = &c->st->air->preprocessed[n->a];
        pr_write_format(c->text, "  preprocessed '%s': %u\n", p->id, p->values[c->row]);
    } else if (n->op == PR_NODE_COL) {
        int32_t offset = component->columns[n->a].offsets[n->b];
        uint32_t row = (c->row + (uint32_t)offset) & ((1u << component->log_size) - 1);
        pr_write_format(c->text, "  column %u at offset %d: %u\n", n->a, offset, c->columns[n->a][row]);
    }
}

static void write_failure(const checker *c, uint32_t constraint, pr_m31 value) {
    const pr_air_component *component = component_of(c);
    const pr_air_constraint *k = &component->constraints[constraint];
    pr_write_format(c->text, "component %s, constraint %u", component->name, constraint);
    if (k->name) pr_write_format(c->text, " (%s)", k->name);
    pr_write_format(c->text, ", row %u: value %u, not 0\n", c->row, value);
    bool *needed = pr_air_calloc(component->n_nodes, sizeof *needed);
    if (!needed) return;
    mark_needed(needed, component, k->node);
    for (uint32_t i = 0; i <= k->node; i++)
        if (needed[i]) write_input(c, &component->nodes[i]);
    free(needed);
}

static void check_constraints(checker *c, const pr_evaluation *e) {
    pr_check_report *r = c->report;
    for (uint32_t k = 0; k < e->program->n_constraints; k++) {
        if (!e->constraints[k]) continue;
        r->n_failures++;
        if (r->constraint_failed) continue;
        r->ok = false;
        r->constraint_failed = true;
        r->component = c->component;
        r->constraint = k;
        r->row = c->row;
        if (c->text) write_failure(c, k, e->constraints[k]);
    }
}

/* ---- relations ---- */

static void count_lookup(void *context, uint32_t relation, pr_m31 multiplicity, const pr_m31 *values,
                         uint32_t n_values) {
    checker *c = context;
    if (multiplicity) pr_tuples_add(&c->tuples, relation, values, n_values, multiplicity);
}

/* Second pass, only when something is out of balance: who touched the tuples that will be listed. */
static void note_touch(void *context, uint32_t relation, pr_m31 multiplicity, const pr_m31 *values, uint32_t n_values) {
    checker *c = context;
    if (!multiplicity) return;
    size_t item = pr_tuples_find(&c->tuples, relation, values, n_values);
    for (uint32_t k = 0; k < c->n_listed; k++) {
        listed *l = &c->listed[k];
        if (l->item != item) continue;
        if (l->n_touches < MAX_TOUCHES) l->touches[l->n_touches] = (touch){c->component, c->row, multiplicity};
        l->n_touches++;
    }
}

/* A statement need not have a layout yet, which would have looked at this. */
static pr_status check_public_terms(const pr_statement *st, pr_error *err) {
    for (uint32_t k = 0; k < st->n_public_terms; k++) {
        const pr_public_term *t = &st->public_terms[k];
        if (t->relation >= st->air->n_relations || t->n_values > st->air->relations[t->relation].size)
            return pr_fail(err, PR_ERR_REFUSED, "public term %u fits no relation", k);
    }
    return PR_OK;
}

static void visit_public_terms(checker *c, pr_lookup_visitor visit) {
    c->component = PUBLIC;
    for (c->row = 0; c->row < c->st->n_public_terms; c->row++) {
        const pr_public_term *t = &c->st->public_terms[c->row];
        visit(c, t->relation, t->multiplicity, t->values, t->n_values);
    }
}

static void write_signed(pr_writer *text, pr_m31 v) {
    if (v > PR_P / 2)
        pr_write_format(text, "-%u", PR_P - v);
    else
        pr_write_format(text, "+%u", v);
}

static void write_touches(const checker *c, const listed *l) {
    for (uint32_t k = 0; k < l->n_touches && k < MAX_TOUCHES; k++) {
        const touch *t = &l->touches[k];
        pr_write_format(c->text, "  ");
        write_signed(c->text, t->multiplicity);
        if (t->component == PUBLIC)
            pr_write_format(c->text, " from public term %u\n", t->row);
        else
            pr_write_format(c->text, " from component %s, row %u\n", c->st->air->components[t->component].name, t->row);
    }
    if (l->n_touches > MAX_TOUCHES) pr_write_format(c->text, "  and %u more\n", l->n_touches - MAX_TOUCHES);
}

static void write_tuple(const checker *c, const listed *l) {
    const pr_tuple *t = &c->tuples.items[l->item];
    const pr_air_relation *relation = &c->st->air->relations[t->relation];
    const pr_m31 *values = pr_tuples_values(&c->tuples, l->item);
    pr_write_format(c->text, "relation %s: (", relation->name);
    for (uint32_t v = 0; v < relation->size && v < c->tuples.size; v++)
        pr_write_format(c->text, "%s%u", v ? ", " : "", values[v]);
    pr_write_format(c->text, ") net multiplicity ");
    write_signed(c->text, t->multiplicity);
    pr_write_format(c->text, ", %s\n",
                    t->multiplicity > PR_P / 2 ? "consumed and not produced" : "produced and not consumed");
    write_touches(c, l);
}

static void find_unbalanced(checker *c) {
    for (size_t i = 0; i < c->tuples.n; i++) {
        if (!c->tuples.items[i].multiplicity) continue;
        c->report->ok = false;
        c->report->n_unbalanced++;
        if (c->n_listed < MAX_LISTED) c->listed[c->n_listed++] = (listed){.item = i};
    }
}

static pr_status report_tuples(checker *c, pr_error *err) {
    find_unbalanced(c);
    if (!c->n_listed || !c->text) return PR_OK;
    for (c->component = 0; c->component < c->st->air->n_components; c->component++)
        if (component_of(c)->n_lookups) PR_TRY(run_component(c, PR_PROGRAM_LOOKUPS, note_touch, NULL, err));
    visit_public_terms(c, note_touch);
    for (uint32_t k = 0; k < c->n_listed; k++) write_tuple(c, &c->listed[k]);
    if (c->report->n_unbalanced > c->n_listed)
        pr_write_format(c->text, "... and %" PRIu64 " more tuples that do not cancel\n",
                        c->report->n_unbalanced - c->n_listed);
    return PR_OK;
}

/* ---- all of it ---- */

static pr_status check_all(checker *c, pr_error *err) {
    const pr_air *air = c->st->air;
    for (c->component = 0; c->component < air->n_components; c->component++) {
        PR_TRY(run_component(c, PR_PROGRAM_FULL, count_lookup, check_constraints, err));
        c->report->n_rows += (uint64_t)1 << component_of(c)->log_size;
        c->report->n_constraints += component_of(c)->n_constraints;
    }
    visit_public_terms(c, count_lookup);
    if (c->tuples.failed) return pr_air_no_memory(err, "the checker's tuples");
    return report_tuples(c, err);
}

/* A relation may be declared far wider than any tuple of it; what is missing is zeros. */
static uint32_t longest_tuple(const pr_statement *st) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < st->air->n_components; k++)
        for (uint32_t i = 0; i < st->air->components[k].n_lookups; i++)
            n = pr_air_max_u32(n, st->air->components[k].lookups[i].n_values);
    for (uint32_t k = 0; k < st->n_public_terms; k++) n = pr_air_max_u32(n, st->public_terms[k].n_values);
    return n;
}

static pr_status check(checker *c, pr_error *err) {
    *c->report = (pr_check_report){.ok = true};
    PR_TRY(check_public_terms(c->st, err));
    pr_tuples_init(&c->tuples, longest_tuple(c->st));
    pr_status status = check_all(c, err);
    pr_tuples_clear(&c->tuples);
    return status;
}

pr_status pr_check_trace(pr_check_report *report, pr_writer *text, const pr_statement *st, pr_m31 *const *const *trace,
                         pr_error *err) {
    checker c = {.report = report, .text = text, .st = st, .trace = trace};
    return check(&c, err);
}

pr_status pr_check_filled(pr_check_report *report, pr_writer *text, const pr_statement *st, pr_check_fill fill,
                          void *context, unsigned n_threads, pr_error *err) {
    checker c = {.report = report, .text = text, .st = st, .fill = fill, .context = context, .n_threads = n_threads};
    return check(&c, err);
}
