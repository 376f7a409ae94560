/* From the order of operations to a program: liveness, slots, 16-bit words. */
#include "air/internal.h"
#include "air/lower.h"

#define NONE UINT32_MAX
#define MAX_OPERANDS 65536u

typedef struct emit_state {
    const pr_lowering *lo;
    uint32_t *last_use; /* [graph.n] index of the last item that reads the value; items are < 2^32 */
    uint32_t *place;    /* [graph.n] the value's slot, or its input's number; NONE: none yet */
    uint32_t *constant; /* [graph.n] a constant value's number in the pool; NONE: none yet */
    uint32_t *free_slots;
    uint32_t n_free, n_slots, n_inputs, n_constants;
    size_t n_words;
} emit_state;

/* ---- operands of an item, in the order that evaluators read them ---- */

typedef void (*operand_visitor)(emit_state *s, uint32_t value, uint32_t item);

static void visit_operands(emit_state *s, uint32_t item, operand_visitor visit) {
    const pr_lowering *lo = s->lo;
    const pr_lowered_item *it = &lo->items[item];
    const pr_air_component *c = lo->component;
    if (it->op == PR_OP_CONST || it->op == PR_OP_BATCH_END) return;
    if (it->op == PR_OP_CONSTRAINT) {
        visit(s, lo->roots[it->subject], item);
    } else if (it->op == PR_OP_LOOKUP) {
        const pr_air_lookup *l = &c->lookups[it->subject];
        visit(s, lo->value_of_node[l->multiplicity], item);
        for (uint32_t v = 0; v < l->n_values; v++) visit(s, lo->value_of_node[l->values[v]], item);
    } else {
        const pr_lowered_op *op = &lo->ops[it->subject];
        for (uint32_t k = 0; k < op->n_operands; k++) visit(s, op->operands[k], item);
    }
}

static bool defines_value(const pr_lowered_item *it) {
    return it->op != PR_OP_CONSTRAINT && it->op != PR_OP_LOOKUP && it->op != PR_OP_BATCH_END;
}

/* ---- slots ---- */

static void note_use(emit_state *s, uint32_t value, uint32_t item) {
    s->last_use[value] = item;
    if (pr_lowering_is_input(s->lo, value) && s->place[value] == NONE) s->place[value] = s->n_inputs++;
}

/* The last reader gives the slot back (once, though it may read the value twice). */
static void release(emit_state *s, uint32_t value, uint32_t item) {
    if (pr_lowering_is_input(s->lo, value) || s->last_use[value] != item) return;
    s->last_use[value] = NONE;
    s->free_slots[s->n_free++] = s->place[value];
}

static uint32_t take_slot(emit_state *s) { return s->n_free ? s->free_slots[--s->n_free] : s->n_slots++; }

/* The constant that an item brings along as an operand of its own: NONE or a value. */
static uint32_t constant_of(const pr_lowering *lo, const pr_lowered_item *it) {
    if (it->op == PR_OP_CONST) return it->subject;
    return it->op >= PR_OP_ADD_CONST && it->op <= PR_OP_MUL_CONST ? lo->ops[it->subject].operands[1] : NONE;
}

static void assign(emit_state *s) {
    const pr_lowering *lo = s->lo;
    for (uint32_t i = 0; i < lo->n_items; i++) visit_operands(s, i, note_use);
    for (uint32_t i = 0; i < lo->n_items; i++) {
        const pr_lowered_item *it = &lo->items[i];
        uint32_t constant = constant_of(lo, it);
        visit_operands(s, i, release);
        if (defines_value(it)) s->place[it->subject] = take_slot(s);
        if (constant != NONE && s->constant[constant] == NONE) s->constant[constant] = s->n_constants++;
        s->n_words++;
        if (it->op == PR_OP_LOOKUP) s->n_words += (lo->component->lookups[it->subject].n_values + (size_t)2) / 3;
        if (it->op >= PR_OP_ADD_ADD && it->op <= PR_OP_SUB_MUL) s->n_words++;
    }
}

/* ---- words ---- */

static uint16_t operand(const emit_state *s, uint32_t value) {
    return (uint16_t)(pr_lowering_is_input(s->lo, value) ? s->n_slots + s->place[value] : s->place[value]);
}

static pr_insn *emit_lookup(const emit_state *s, pr_insn *at, uint32_t index) {
    const pr_air_lookup *l = &s->lo->component->lookups[index];
    const uint32_t *value_of = s->lo->value_of_node;
    *at++ =
        (pr_insn){PR_OP_LOOKUP, (uint16_t)l->n_values, (uint16_t)l->relation, operand(s, value_of[l->multiplicity])};
    for (uint32_t v = 0; v < l->n_values; v += 3) {
        uint16_t three[3] = {0};
        for (uint32_t k = 0; k < 3 && v + k < l->n_values; k++) three[k] = operand(s, value_of[l->values[v + k]]);
        *at++ = (pr_insn){PR_OP_ARG, three[0], three[1], three[2]};
    }
    return at;
}

static pr_insn *emit_arithmetic(const emit_state *s, pr_insn *at, const pr_lowered_item *it) {
    const pr_lowered_op *op = &s->lo->ops[it->subject];
    uint32_t constant = constant_of(s->lo, it);
    pr_insn insn = {(uint16_t)it->op, (uint16_t)s->place[it->subject], operand(s, op->operands[0]), 0};
    if (constant != NONE) insn.b = (uint16_t)s->constant[constant];
    if (op->n_operands >= 2) insn.b = operand(s, op->operands[1]);
    *at++ = insn;
    if (op->n_operands == 3) *at++ = (pr_insn){PR_OP_ARG, 0, operand(s, op->operands[2]), 0};
    return at;
}

static pr_insn *emit_item(const emit_state *s, pr_insn *at, const pr_lowered_item *it) {
    const pr_lowering *lo = s->lo;
    switch (it->op) {
    case PR_OP_LOOKUP:
        return emit_lookup(s, at, it->subject);
    case PR_OP_CONST:
        *at = (pr_insn){PR_OP_CONST, (uint16_t)s->place[it->subject], (uint16_t)s->constant[it->subject], 0};
        return at + 1;
    case PR_OP_CONSTRAINT:
        *at = (pr_insn){PR_OP_CONSTRAINT, 0, operand(s, lo->roots[it->subject]), (uint16_t)it->subject};
        return at + 1;
    case PR_OP_BATCH_END:
        *at = (pr_insn){PR_OP_BATCH_END, 0, (uint16_t)it->subject, 0};
        return at + 1;
    default:
        return emit_arithmetic(s, at, it);
    }
}

static void fill_tables(pr_program *out, const emit_state *s) {
    const pr_lowering *lo = s->lo;
    for (uint32_t v = 0; v < lo->graph.n; v++) {
        const pr_node *n = &lo->graph.nodes[v];
        if (s->constant[v] != NONE) out->constants[s->constant[v]] = n->a;
        if (!pr_lowering_is_input(lo, v) || s->place[v] == NONE) continue;
        bool is_column = n->op == PR_NODE_COL;
        out->inputs[s->place[v]] =
            (pr_input){!is_column, n->a, is_column ? lo->component->columns[n->a].offsets[n->b] : 0, n->b};
    }
}

/* ---- limits ---- */

static pr_status refuse_count(pr_error *err, const pr_air_component *c, uint64_t n, const char *what) {
    return pr_fail(err, PR_ERR_REFUSED, "component '%s': %llu %s, more than the %u of a program; split the component",
                   c->name, (unsigned long long)n, what, MAX_OPERANDS);
}

static pr_status check_limits(const emit_state *s, pr_error *err) {
    const pr_air_component *c = s->lo->component;
    uint64_t operands = (uint64_t)s->n_slots + s->n_inputs;
    if (operands > MAX_OPERANDS) return refuse_count(err, c, operands, "intermediate values and column reads");
    if (s->n_constants > MAX_OPERANDS) return refuse_count(err, c, s->n_constants, "constants");
    if (c->n_constraints > MAX_OPERANDS) return refuse_count(err, c, c->n_constraints, "constraints");
    if (c->n_batches > MAX_OPERANDS) return refuse_count(err, c, c->n_batches, "lookup batches");
    if (s->n_words > UINT32_MAX) return refuse_count(err, c, s->n_words, "instructions");
    for (uint32_t k = 0; k < c->n_lookups; k++) {
        if (c->lookups[k].n_values >= MAX_OPERANDS)
            return refuse_count(err, c, c->lookups[k].n_values, "lookup values");
        if (c->lookups[k].relation >= MAX_OPERANDS) return refuse_count(err, c, c->lookups[k].relation, "relations");
    }
    return PR_OK;
}

/* ---- all of it ---- */

static pr_status emit_program(pr_program *out, const emit_state *s, pr_error *err) {
    const pr_lowering *lo = s->lo;
    const bool derives = lo->kind == PR_PROGRAM_DERIVE;
    PR_TRY(check_limits(s, err));
    *out = (pr_program){.n_slots = s->n_slots,
                        .n_inputs = s->n_inputs,
                        .n_constants = s->n_constants,
                        .n_insns = (uint32_t)s->n_words,
                        .n_constraints = derives ? lo->n_roots : lo->component->n_constraints,
                        .n_batches = derives ? 0 : lo->component->n_batches};
    out->inputs = pr_air_calloc(out->n_inputs, sizeof *out->inputs);
    out->constants = pr_air_calloc(out->n_constants, sizeof *out->constants);
    out->insns = pr_air_calloc(out->n_insns, sizeof *out->insns);
    if (!out->inputs || !out->constants || !out->insns) return pr_air_no_memory(err, "a program");
    fill_tables(out, s);
    pr_insn *at = out->insns;
    for (size_t i = 0; i < lo->n_items; i++) at = emit_item(s, at, &lo->items[i]);
    PR_ASSERT(at == out->insns + out->n_insns);
    return PR_OK;
}

pr_status pr_lowering_emit(pr_program *out, const pr_lowering *lo, pr_error *err) {
    emit_state s = {.lo = lo};
    size_t n = lo->graph.n;
    s.last_use = pr_air_calloc(n, sizeof *s.last_use);
    s.place = pr_air_calloc(n, sizeof *s.place);
    s.constant = pr_air_calloc(n, sizeof *s.constant);
    s.free_slots = pr_air_calloc(n, sizeof *s.free_slots);
    pr_status status = PR_OK;
    if (!s.last_use || !s.place || !s.constant || !s.free_slots) status = pr_air_no_memory(err, "lowering");
    if (status == PR_OK && lo->n_items >= NONE) status = pr_fail(err, PR_ERR_REFUSED, "too many operations to lower");
    if (status == PR_OK) {
        memset(s.last_use, 0xff, n * sizeof *s.last_use);
        memset(s.place, 0xff, n * sizeof *s.place);
        memset(s.constant, 0xff, n * sizeof *s.constant);
        assign(&s);
        status = emit_program(out, &s, err);
    }
    free(s.last_use);
    free(s.place);
    free(s.constant);
    free(s.free_slots);
    return status;
}
