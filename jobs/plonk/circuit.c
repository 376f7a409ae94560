#include "plonk/circuit.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pr_plonk_circuit_clear(pr_plonk_circuit *c) {
    free(c->rows);
    free(c->inputs);
    free(c->outputs);
    *c = (pr_plonk_circuit){0};
}

uint32_t *pr_plonk_circuit_uses(const pr_plonk_circuit *c) {
    uint32_t *uses = calloc((size_t)c->n_wires + 1, sizeof *uses);
    for (uint32_t k = 0; uses && k < c->n_rows; k++)
        if (c->rows[k].kind != PR_PLONK_SECRET) uses[c->rows[k].a]++, uses[c->rows[k].b]++;
    for (uint32_t k = 0; uses && k < c->n_outputs; k++) uses[c->outputs[k].wire]++;
    return uses;
}

/* ---- reading a text ---- */

typedef struct parser {
    pr_plonk_circuit *c;
    const char *path;
    pr_plonk_values *values;
    uint32_t line, capacity;          /* capacity: of all arrays */
    char (*names)[PR_PLONK_MAX_NAME]; /* [n_wires] */
    pr_m31 *wires;
    uint32_t *table; /* [2 capacity] wire + 1, 0: free */
    pr_error *err;
} parser;

static pr_status refuse(const parser *p, const char *what, const char *word) {
    return pr_fail(p->err, PR_ERR_INPUT, "%s:%u: %s%s%s%s", p->path, p->line, what, word ? " '" : "", word ? word : "",
                   word ? "'" : "");
}

static uint32_t slot_of(const parser *p, const char *name) {
    uint32_t hash = 2166136261u, size = 2 * p->capacity;
    for (const char *s = name; *s; s++) hash = (hash ^ (uint8_t)*s) * 16777619u;
    uint32_t slot = hash % size;
    while (p->table[slot] && strcmp(p->names[p->table[slot] - 1], name) != 0) slot = (slot + 1) % size;
    return slot;
}

static bool is_name(const char *word) {
    if (!isalpha((unsigned char)word[0]) && word[0] != '_') return false;
    for (const char *s = word; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_') return false;
    return strlen(word) < PR_PLONK_MAX_NAME;
}

static pr_status new_wire(parser *p, uint32_t *wire, const char *name, pr_m31 value) {
    uint32_t slot = slot_of(p, name);
    if (p->table[slot]) return refuse(p, "a second", name);
    *wire = p->c->n_wires++;
    strcpy(p->names[*wire], name);
    p->wires[*wire] = value;
    p->table[slot] = *wire + 1;
    return PR_OK;
}

static pr_status declare(parser *p, uint32_t *wire, const char *name, pr_m31 value) {
    if (!is_name(name)) return refuse(p, "no name (a letter or _, then letters, digits, _; at most 63):", name);
    return new_wire(p, wire, name, value);
}

static bool parse_number(pr_m31 *out, const char *word, const char **end) {
    uint64_t v = 0;
    const char *s = word;
    for (; isdigit((unsigned char)*s) && v < PR_P; s++) v = 10 * v + (uint64_t)(*s - '0');
    *end = s;
    *out = (pr_m31)v;
    return s > word && v < PR_P;
}

/* A name of an earlier line, or a number, which becomes a wire when it first comes up. */
static pr_status find_operand(parser *p, uint32_t *wire, const char *word) {
    const char *end;
    pr_m31 value;
    if (!isdigit((unsigned char)word[0])) {
        uint32_t slot = is_name(word) ? slot_of(p, word) : 0;
        if (!is_name(word) || !p->table[slot]) return refuse(p, "no earlier line gives", word);
        *wire = p->table[slot] - 1;
        return PR_OK;
    }
    if (!parse_number(&value, word, &end) || *end) return refuse(p, "no number below 2147483647:", word);
    char canonical[16];
    snprintf(canonical, sizeof canonical, "%u", value);
    uint32_t slot = slot_of(p, canonical);
    if (p->table[slot]) {
        *wire = p->table[slot] - 1;
        return PR_OK;
    }
    PR_TRY(new_wire(p, wire, canonical, value));
    p->c->inputs[p->c->n_inputs++] = (pr_plonk_pin){*wire, value};
    return PR_OK;
}

static pr_status add_input(parser *p, const char *name, bool is_public) {
    uint32_t wire = 0;
    pr_m31 value = 0;
    PR_TRY(declare(p, &wire, name, 0));
    if (!pr_plonk_values_take(p->values, &value, name))
        return pr_fail(p->err, PR_ERR_INPUT, "%s:%u: %s has no value for '%s'", p->path, p->line, p->values->source,
                       name);
    p->wires[wire] = value;
    if (is_public)
        p->c->inputs[p->c->n_inputs++] = (pr_plonk_pin){wire, value};
    else
        p->c->rows[p->c->n_rows++] = (pr_plonk_row){.kind = PR_PLONK_SECRET, .c = wire};
    return PR_OK;
}

static pr_status add_gate(parser *p, const char *name, const char *left, const char *operation, const char *right) {
    pr_plonk_row row = {.kind = *operation == '+' ? PR_PLONK_ADD : PR_PLONK_MUL};
    if (strcmp(operation, "+") != 0 && strcmp(operation, "*") != 0)
        return refuse(p, "no operation (allowed: + and *):", operation);
    PR_TRY(find_operand(p, &row.a, left));
    PR_TRY(find_operand(p, &row.b, right));
    pr_m31 x = p->wires[row.a], y = p->wires[row.b];
    PR_TRY(declare(p, &row.c, name, row.kind == PR_PLONK_ADD ? pr_m31_add(x, y) : pr_m31_mul(x, y)));
    p->c->rows[p->c->n_rows++] = row;
    return PR_OK;
}

static pr_status add_equality(parser *p, const char *left, const char *right) {
    pr_plonk_row row = {.kind = PR_PLONK_EQUAL};
    PR_TRY(find_operand(p, &row.a, left));
    PR_TRY(find_operand(p, &row.b, right));
    if (p->wires[row.a] != p->wires[row.b])
        return pr_fail(p->err, PR_ERR_INPUT, "%s:%u: %s is %u and %s is %u: nothing to prove", p->path, p->line, left,
                       p->wires[row.a], right, p->wires[row.b]);
    p->c->rows[p->c->n_rows++] = row;
    return PR_OK;
}

static pr_status add_output(parser *p, const char *name) {
    uint32_t wire = 0;
    PR_TRY(find_operand(p, &wire, name));
    p->c->outputs[p->c->n_outputs++] = (pr_plonk_pin){wire, p->wires[wire]};
    return PR_OK;
}

static pr_status parse_line(parser *p, char *line) {
    char *words[6], *rest = NULL;
    size_t n = 0;
    line[strcspn(line, "#")] = 0;
    for (char *w = strtok_r(line, " \t\r", &rest); w && n < 6; w = strtok_r(NULL, " \t\r", &rest)) words[n++] = w;
    if (n == 0) return PR_OK;
    if (p->c->n_rows >= PR_PLONK_MAX_ROWS) return refuse(p, "more than 262144 gates, secrets and equalities", NULL);
    if (n == 2 && strcmp(words[0], "public") == 0) return add_input(p, words[1], true);
    if (n == 2 && strcmp(words[0], "secret") == 0) return add_input(p, words[1], false);
    if (n == 2 && strcmp(words[0], "output") == 0) return add_output(p, words[1]);
    if (n == 3 && strcmp(words[1], "==") == 0) return add_equality(p, words[0], words[2]);
    if (n == 5 && strcmp(words[1], "=") == 0) return add_gate(p, words[0], words[2], words[3], words[4]);
    return refuse(p, "none of: public NAME, secret NAME, NAME = A + B, NAME = A * B, A == B, output NAME", NULL);
}

static pr_status parse_lines(parser *p, char *text) {
    for (char *line = text; *line;) {
        char *end = line + strcspn(line, "\n");
        bool is_last = !*end;
        *end = 0;
        p->line++;
        PR_TRY(parse_line(p, line));
        line = is_last ? end : end + 1;
    }
    if (!p->c->n_rows) return pr_fail(p->err, PR_ERR_INPUT, "%s: a circuit without gates", p->path);
    const pr_plonk_values *v = p->values;
    if (v->named || v->next == v->n) return PR_OK;
    return pr_fail(p->err, PR_ERR_INPUT, "%s has %zu values, and the circuit %zu inputs", v->source, v->n, v->next);
}

/* A line gives at most three wires and three pins. */
static bool allocate(parser *p, const char *text) {
    uint32_t n_lines = 1;
    for (const char *s = text; *s; s++) n_lines += *s == '\n';
    p->capacity = 3 * n_lines;
    p->names = calloc(p->capacity, sizeof *p->names);
    p->wires = calloc(p->capacity, sizeof *p->wires);
    p->table = calloc(2 * (size_t)p->capacity, sizeof *p->table);
    p->c->rows = calloc(p->capacity, sizeof *p->c->rows);
    p->c->inputs = calloc(p->capacity, sizeof *p->c->inputs);
    p->c->outputs = calloc(p->capacity, sizeof *p->c->outputs);
    return p->names && p->wires && p->table && p->c->rows && p->c->inputs && p->c->outputs;
}

pr_status pr_plonk_circuit_parse(pr_plonk_circuit *out, pr_m31 **wires, const char *text, const char *path,
                                 pr_plonk_values *values, pr_error *err) {
    parser p = {.c = out, .path = path, .values = values, .err = err};
    *out = (pr_plonk_circuit){0};
    char *copy = strdup(text);
    pr_status status =
        copy && allocate(&p, text) ? parse_lines(&p, copy) : pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    free(copy);
    free(p.names);
    free(p.table);
    if (status == PR_OK) {
        *wires = p.wires;
        return PR_OK;
    }
    free(p.wires);
    pr_plonk_circuit_clear(out);
    return status;
}

/* ---- canonical bytes ---- */

static void write_pins(pr_writer *out, const pr_plonk_pin *pins, uint32_t n) {
    pr_write_u32(out, n);
    for (uint32_t k = 0; k < n; k++) pr_write_u32(out, pins[k].wire), pr_write_u32(out, pins[k].value);
}

void pr_plonk_circuit_write(pr_writer *out, const pr_plonk_circuit *c) {
    pr_write_u32(out, c->n_wires);
    pr_write_u32(out, c->n_rows);
    for (uint32_t k = 0; k < c->n_rows; k++) {
        pr_write_u8(out, (uint8_t)c->rows[k].kind);
        pr_write_u32(out, c->rows[k].a);
        pr_write_u32(out, c->rows[k].b);
        pr_write_u32(out, c->rows[k].c);
    }
    write_pins(out, c->inputs, c->n_inputs);
    write_pins(out, c->outputs, c->n_outputs);
}

static bool read_pins(pr_plonk_pin **pins, uint32_t *n, pr_reader *r) {
    *n = pr_read_u32(r);
    if (r->failed || *n > (r->size - r->at) / 8) return false;
    *pins = calloc((size_t)*n + 1, sizeof **pins);
    for (uint32_t k = 0; *pins && k < *n; k++) (*pins)[k].wire = pr_read_u32(r), (*pins)[k].value = pr_read_u32(r);
    return *pins && !r->failed;
}

static bool read_rows(pr_plonk_circuit *c, pr_reader *r) {
    c->n_wires = pr_read_u32(r);
    c->n_rows = pr_read_u32(r);
    if (r->failed || c->n_rows < 1 || c->n_rows > PR_PLONK_MAX_ROWS || c->n_rows > (r->size - r->at) / 13) return false;
    c->rows = calloc(c->n_rows, sizeof *c->rows);
    for (uint32_t k = 0; c->rows && k < c->n_rows; k++) {
        pr_plonk_row *row = &c->rows[k];
        row->kind = (pr_plonk_kind)pr_read_u8(r);
        row->a = pr_read_u32(r), row->b = pr_read_u32(r), row->c = pr_read_u32(r);
    }
    return c->rows != NULL;
}

/* Each wire exactly once; references exist. */
static bool is_circuit(const pr_plonk_circuit *c, uint8_t *defined) {
    bool good = true;
    for (uint32_t k = 0; good && k < c->n_inputs; k++)
        good = c->inputs[k].wire < c->n_wires && c->inputs[k].value < PR_P && !defined[c->inputs[k].wire]++;
    for (uint32_t k = 0; good && k < c->n_outputs; k++)
        good = c->outputs[k].wire < c->n_wires && c->outputs[k].value < PR_P;
    for (uint32_t k = 0; good && k < c->n_rows; k++) {
        const pr_plonk_row *row = &c->rows[k];
        good = row->kind < PR_PLONK_KINDS && row->a < c->n_wires && row->b < c->n_wires && row->c < c->n_wires;
        if (good && row->kind != PR_PLONK_EQUAL) good = !defined[row->c]++;
    }
    for (uint32_t k = 0; good && k < c->n_wires; k++) good = defined[k];
    return good;
}

static bool read_circuit(pr_plonk_circuit *c, pr_reader *r) {
    if (!read_rows(c, r) || !read_pins(&c->inputs, &c->n_inputs, r) || !read_pins(&c->outputs, &c->n_outputs, r))
        return false;
    if (!pr_reader_done(r) || c->n_wires > c->n_inputs + c->n_rows) return false;
    uint8_t *defined = calloc((size_t)c->n_wires + 1, 1);
    bool good = defined && is_circuit(c, defined);
    free(defined);
    return good;
}

pr_status pr_plonk_circuit_read(pr_plonk_circuit *out, const void *data, size_t size, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, data, size);
    *out = (pr_plonk_circuit){0};
    if (read_circuit(out, &r)) return PR_OK;
    pr_plonk_circuit_clear(out);
    return pr_fail(err, PR_ERR_MALFORMED, "plonk: public data (%zu bytes) is not a circuit", size);
}
