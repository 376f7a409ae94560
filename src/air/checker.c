#include "air/checker.h"
#include <inttypes.h>
#include "air/internal.h"
#include "air/tuples.h"

#define MAX_LISTED 20
#define BLOCK 1024 /* rows evaluated together: each node is a loop over them */

/* One component at hand. */
typedef struct subject {
    const pr_statement *st;
    const pr_air_component *c;
    uint32_t index;
    pr_m31 *const *columns;
    pr_m31 *values; /* [n_nodes][BLOCK] of the block that starts at first */
    uint32_t first, count;
} subject;

static pr_m31 cell(const subject *s, const pr_node *n, uint32_t row) {
    uint32_t mask = (1u << s->c->log_size) - 1;
    if (n->op == PR_NODE_PRE) return s->st->air->preprocessed[n->a].values[row];
    return s->columns[n->a][(row + (uint32_t)s->c->columns[n->a].offsets[n->b]) & mask];
}

static void evaluate_node(const subject *s, uint32_t i) {
    const pr_node *n = &s->c->nodes[i];
    pr_m31 *out = s->values + (size_t)i * BLOCK;
    const pr_m31 *x = s->values + (size_t)n->a * BLOCK, *y = s->values + (size_t)n->b * BLOCK;
    for (uint32_t k = 0; k < s->count; k++) {
        switch ((pr_node_op)n->op) {
        case PR_NODE_COL:
        case PR_NODE_PRE:
            out[k] = cell(s, n, s->first + k);
            break;
        case PR_NODE_CONST:
            out[k] = n->a;
            break;
        case PR_NODE_ADD:
            out[k] = pr_m31_add(x[k], y[k]);
            break;
        case PR_NODE_SUB:
            out[k] = pr_m31_sub(x[k], y[k]);
            break;
        case PR_NODE_MUL:
            out[k] = pr_m31_mul(x[k], y[k]);
            break;
        case PR_NODE_NEG:
            out[k] = pr_m31_neg(x[k]);
            break;
        }
    }
}

/* ---- naming what failed ---- */

/* Marks the nodes that node depends on; operands come before their users. */
static void mark_inputs(bool *needed, const pr_air_component *c, uint32_t node) {
    needed[node] = true;
    for (uint32_t i = node + 1; i-- > 0;) {
        const pr_node *n = &c->nodes[i];
        if (!needed[i] || n->op < PR_NODE_ADD) continue;
        needed[n->a] = true;
        if (n->op != PR_NODE_NEG) needed[n->b] = true;
    }
}

static void write_inputs(pr_writer *text, const subject *s, uint32_t node, uint32_t row) {
    bool *needed = calloc(s->c->n_nodes, sizeof *needed);
    if (!needed) return;
    mark_inputs(needed, s->c, node);
    for (uint32_t i = 0; i <= node; i++) {
        const pr_node *n = &s->c->nodes[i];
        if (!needed[i]) continue;
        if (n->op == PR_NODE_COL)
            pr_write_format(text, "  column %u at offset %d: %u\n", n->a, s->c->columns[n->a].offsets[n->b],
                            cell(s, n, row));
        if (n->op == PR_NODE_PRE)
            pr_write_format(text, "  preprocessed '%s': %u\n", s->st->air->preprocessed[n->a].id, cell(s, n, row));
    }
    free(needed);
}

static void write_failure(pr_writer *text, const subject *s, uint32_t constraint, uint32_t row, pr_m31 value) {
    const pr_air_constraint *k = &s->c->constraints[constraint];
    pr_write_format(text, "component %s, constraint %u", s->c->name, constraint);
    if (k->name) pr_write_format(text, " (%s)", k->name);
    pr_write_format(text, ", row %u: value %u, not 0\n", row, value);
    write_inputs(text, s, k->node, row);
}

/* ---- constraints ---- */

static void check_constraint(pr_check_report *report, const subject *s, uint32_t constraint) {
    const pr_m31 *values = s->values + (size_t)s->c->constraints[constraint].node * BLOCK;
    for (uint32_t k = 0; k < s->count; k++) {
        uint32_t row = s->first + k;
        if (!values[k]) continue;
        bool earlier = report->constraint_failed && (report->component < s->index || report->row <= row);
        if (earlier) return;
        report->ok = false;
        report->constraint_failed = true;
        report->component = s->index;
        report->constraint = constraint;
        report->row = row;
        return;
    }
}

static void add_lookups(pr_tuples *tuples, const subject *s) {
    for (uint32_t l = 0; l < s->c->n_lookups; l++) {
        const pr_air_lookup *lookup = &s->c->lookups[l];
        const pr_m31 *multiplicity = s->values + (size_t)lookup->multiplicity * BLOCK;
        for (uint32_t k = 0; k < s->count; k++) {
            pr_m31 *tuple = pr_tuples_scratch(tuples);
            if (!multiplicity[k]) continue;
            for (uint32_t v = 0; v < lookup->n_values; v++) tuple[v] = s->values[(size_t)lookup->values[v] * BLOCK + k];
            pr_tuples_add(tuples, lookup->relation, tuple, lookup->n_values, multiplicity[k], s->index, s->first + k);
        }
    }
}

static pr_status preprocessed_known(const subject *s, pr_error *err) {
    for (uint32_t i = 0; i < s->c->n_nodes; i++)
        if (s->c->nodes[i].op == PR_NODE_PRE && !s->st->air->preprocessed[s->c->nodes[i].a].values)
            return pr_fail(err, PR_ERR_REFUSED, "preprocessed column '%s' has no values",
                           s->st->air->preprocessed[s->c->nodes[i].a].id);
    return PR_OK;
}

static pr_status check_component(pr_check_report *report, pr_writer *text, pr_tuples *tuples, subject *s,
                                 pr_error *err) {
    const uint32_t rows = 1u << s->c->log_size;
    bool failed_before = report->constraint_failed;
    PR_TRY(preprocessed_known(s, err));
    s->values = malloc(((size_t)s->c->n_nodes + 1) * BLOCK * sizeof *s->values);
    if (!s->values) return pr_air_no_memory(err, "the checker");
    for (s->first = 0; s->first < rows; s->first += s->count) {
        s->count = rows - s->first < BLOCK ? rows - s->first : BLOCK;
        for (uint32_t i = 0; i < s->c->n_nodes; i++) evaluate_node(s, i);
        for (uint32_t k = 0; k < s->c->n_constraints; k++) check_constraint(report, s, k);
        bool found = report->constraint_failed && !failed_before;
        if (found && text) {
            const pr_m31 *v = s->values + (size_t)s->c->constraints[report->constraint].node * BLOCK;
            write_failure(text, s, report->constraint, report->row, v[report->row - s->first]);
        }
        failed_before |= found;
        add_lookups(tuples, s);
    }
    free(s->values);
    report->n_rows += rows;
    report->n_constraints += s->c->n_constraints;
    return PR_OK;
}

/* ---- relations ---- */

static void add_public_terms(pr_tuples *tuples, const pr_statement *st) {
    for (uint32_t k = 0; k < st->n_public_terms; k++) {
        const pr_public_term *t = &st->public_terms[k];
        pr_tuples_add(tuples, t->relation, t->values, t->n_values, t->multiplicity, PR_TUPLE_PUBLIC, k);
    }
}

static void write_tuple(pr_writer *text, const pr_statement *st, const pr_tuple *t, const pr_m31 *values) {
    uint32_t size = st->air->relations[t->relation].size;
    bool consumed = t->multiplicity > PR_P / 2;
    pr_write_format(text, "relation %s: (", st->air->relations[t->relation].name);
    for (uint32_t v = 0; v < size; v++) pr_write_format(text, "%s%u", v ? ", " : "", values[v]);
    pr_write_format(text, ") net multiplicity %s%u, %s; first seen in ", consumed ? "-" : "",
                    consumed ? PR_P - t->multiplicity : t->multiplicity,
                    consumed ? "consumed and not produced" : "produced and not consumed");
    if (t->component == PR_TUPLE_PUBLIC)
        pr_write_format(text, "public term %u\n", t->row);
    else
        pr_write_format(text, "component %s, row %u\n", st->air->components[t->component].name, t->row);
}

static void report_tuples(pr_check_report *report, pr_writer *text, const pr_statement *st, const pr_tuples *tuples) {
    for (size_t i = 0; i < tuples->n; i++) {
        if (!tuples->items[i].multiplicity) continue;
        report->ok = false;
        if (report->n_unbalanced++ < MAX_LISTED && text)
            write_tuple(text, st, &tuples->items[i], pr_tuples_values(tuples, i));
    }
    if (report->n_unbalanced > MAX_LISTED && text)
        pr_write_format(text, "... and %" PRIu64 " more tuples that do not cancel\n",
                        report->n_unbalanced - MAX_LISTED);
}

pr_status pr_check_trace(pr_check_report *report, pr_writer *text, const pr_statement *st, pr_m31 *const *const *trace,
                         pr_error *err) {
    pr_tuples tuples;
    pr_status status = PR_OK;
    uint32_t size = 0;
    *report = (pr_check_report){.ok = true};
    for (uint32_t r = 0; r < st->air->n_relations; r++) size = pr_air_max_u32(size, st->air->relations[r].size);
    pr_tuples_init(&tuples, size);
    for (uint32_t c = 0; status == PR_OK && c < st->air->n_components; c++) {
        subject s = {.st = st, .c = &st->air->components[c], .index = c, .columns = trace[c]};
        status = check_component(report, text, &tuples, &s, err);
    }
    add_public_terms(&tuples, st);
    if (status == PR_OK && tuples.failed) status = pr_air_no_memory(err, "the checker's tuples");
    if (status == PR_OK) report_tuples(report, text, st, &tuples);
    pr_tuples_clear(&tuples);
    return status;
}
