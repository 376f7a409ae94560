#include "vm/size.h"
#include <stdlib.h>
#include "vm/trace.h"

/* ---- how often a line runs ---- */

enum { DIGEST_WORDS = 8, MOST_DEPTH = 3, PASSES = 3, TIMES_A_LOOP = 16, UNKNOWN_BLOCKS = 64 };

typedef struct outline {
    const pr_vm_program *program;
    uint8_t *depth;     /* [n]: loops around a line, with those of its callers */
    uint8_t *own;       /* [n]: loops around it */
    uint8_t *inherited; /* [n]: of a line that is called, the depth of its calls */
    int32_t *edges;     /* [n + 1]: loops that begin at a line, less those that end before it */
} outline;

static bool is_jump(const pr_vm_instruction *i) {
    return i->opcode == PR_VM_JMP || i->opcode == PR_VM_JZ || i->opcode == PR_VM_JNZ;
}

static uint8_t at_most(uint32_t depth) { return depth < MOST_DEPTH ? (uint8_t)depth : MOST_DEPTH; }

/* A jump back makes a loop of all lines from its target on. */
static void find_loops(outline *o) {
    const pr_vm_program *p = o->program;
    for (uint32_t pc = 0; pc < p->n_instructions; pc++)
        if (is_jump(&p->instructions[pc]) && p->instructions[pc].imm <= pc) {
            o->edges[p->instructions[pc].imm]++;
            o->edges[pc + 1]--;
        }
    int32_t open = 0;
    for (uint32_t pc = 0; pc < p->n_instructions; pc++) {
        open += o->edges[pc];
        o->own[pc] = o->depth[pc] = at_most((uint32_t)open);
    }
}

/* A function, from where it is called to its RET, is as deep in loops as its calls; one that calls itself is a loop. */
static void find_calls(outline *o) {
    const pr_vm_program *p = o->program;
    for (uint32_t pc = 0; pc < p->n_instructions; pc++) {
        if (p->instructions[pc].opcode != PR_VM_CALL) continue;
        uint32_t target = p->instructions[pc].imm, end = target;
        if (target <= pc)
            while (end < pc && p->instructions[end].opcode != PR_VM_RET) end++;
        uint8_t depth = at_most(o->depth[pc] + (target <= pc && end == pc ? 1u : 0u));
        if (depth > o->inherited[target]) o->inherited[target] = depth;
    }
    uint8_t depth = 0;
    for (uint32_t pc = 0; pc < p->n_instructions; pc++) {
        if (o->inherited[pc] > depth) depth = o->inherited[pc];
        o->depth[pc] = at_most((uint32_t)o->own[pc] + depth);
        if (p->instructions[pc].opcode == PR_VM_RET) depth = 0;
    }
}

static double weight_of(uint8_t depth) {
    double weight = 1;
    for (uint8_t k = 1; k < depth; k++) weight *= TIMES_A_LOOP;
    return weight;
}

/* ---- rows of a line ---- */

static bool is_unknown(const pr_vm_line *line) {
    return pr_vm_line_has(line, PR_VM_F_HASH) && !pr_vm_line_has(line, PR_VM_F_IMMEDIATE);
}

static double steps_of(const pr_vm_line *line) {
    return is_unknown(line) ? 4 * UNKNOWN_BLOCKS + 2 : (double)pr_vm_line_steps(line, line->imm);
}

static void add_matmul(pr_vm_rows *r, const pr_vm_line *line, double times) {
    double products = (double)pr_vm_line_steps(line, 0), results = (double)(line->imm & 0xffff) * line->target;
    r->n[PR_VM_PRODUCT] += times * products;
    r->n[PR_VM_MEMORY] += times * (2 * products + results);
}

static void add_hash(pr_vm_rows *r, double blocks, double words, double times) {
    r->n[PR_VM_SPONGE] += times * blocks;
    r->n[PR_VM_DIGEST] += times;
    r->n[PR_VM_MEMORY] += times * (words + DIGEST_WORDS);
}

static void add_line(pr_vm_rows *r, const pr_vm_line *line, double times) {
    r->n[PR_VM_MAIN] += times;
    if (pr_vm_line_has(line, PR_VM_F_MATMUL)) add_matmul(r, line, times);
    if (is_unknown(line))
        add_hash(r, UNKNOWN_BLOCKS, 4 * UNKNOWN_BLOCKS, times);
    else if (pr_vm_line_has(line, PR_VM_F_HASH))
        add_hash(r, pr_vm_hash_blocks(line->imm), line->imm, times);
    if (pr_vm_line_uses_memory(line)) r->n[PR_VM_MEMORY] += times;
    if (line->alu == PR_VM_ALU_NONE) return;
    r->n[pr_vm_component_of(line->alu)] += times;
    if (line->alu == PR_VM_ALU_SHL) r->n[PR_VM_MULTIPLICATION] += times;
    if (line->alu == PR_VM_ALU_SHR) r->n[PR_VM_DIVISION] += times;
}

/* Words that a line touches and no other: matrices and what is hashed once, of a loop over memory a quarter of the
 * accesses. */
static double words_of(const pr_vm_line *line, double times) {
    enum { ACCESSES_A_WORD = 4 };
    double m = line->imm & 0xffff, k = line->imm >> 16, n = line->target;
    if (pr_vm_line_has(line, PR_VM_F_MATMUL)) return m * k + k * n + m * n;
    if (pr_vm_line_has(line, PR_VM_F_HASH)) return is_unknown(line) ? 0 : line->imm + (double)DIGEST_WORDS;
    return pr_vm_line_uses_memory(line) ? times / ACCESSES_A_WORD + 1 : 0;
}

/* ---- all lines ---- */

typedef struct totals {
    double once, loops; /* steps: of lines outside of loops, of one round of the others by their weights */
    bool has_unknown;
} totals;

static totals sum_up(const outline *o) {
    totals t = {0};
    for (uint32_t pc = 0; pc < o->program->n_instructions; pc++) {
        pr_vm_line line = pr_vm_line_of(&o->program->instructions[pc]);
        t.has_unknown |= is_unknown(&line);
        *(o->depth[pc] ? &t.loops : &t.once) += steps_of(&line) * weight_of(o->depth[pc]);
    }
    return t;
}

/* left: steps for the loops, or for one HASH. */
static pr_vm_rows distribute(const outline *o, const totals *t, double left, uint64_t n_inputs, bool to_hash) {
    enum { COUNTS = 2 }; /* of inputs and outputs */
    pr_vm_rows r = {{0}};
    double rounds = to_hash || t->loops == 0 ? 1 : left / t->loops;
    for (uint32_t pc = 0; pc < o->program->n_instructions; pc++) {
        pr_vm_line line = pr_vm_line_of(&o->program->instructions[pc]);
        double times = o->depth[pc] ? rounds * weight_of(o->depth[pc]) : 1;
        add_line(&r, &line, times);
        r.n[PR_VM_WORDS] += words_of(&line, times);
    }
    if (to_hash && left > 0) add_hash(&r, left / 4, left, 1);
    double hashed = to_hash ? left : 0, public_words = (double)n_inputs + o->program->n_data;
    r.n[PR_VM_WORDS] += COUNTS + (hashed > public_words ? hashed : public_words); /* these are hashed first */
    return r;
}

static void expect(pr_vm_rows *out, outline *o, uint64_t max_steps, uint64_t n_inputs) {
    find_loops(o);
    for (int k = 0; k < PASSES; k++) find_calls(o);
    totals t = sum_up(o);
    double left = (double)max_steps - t.once;
    *out = distribute(o, &t, left > 0 ? left : 0, n_inputs, false);
    if (!t.has_unknown) return;
    pr_vm_rows hashing = distribute(o, &t, left - t.loops, n_inputs, true);
    if (pr_vm_size_of_rows(o->program, &hashing).cells > pr_vm_size_of_rows(o->program, out).cells) *out = hashing;
}

pr_status pr_vm_expect_rows(pr_vm_rows *out, const pr_vm_program *program, uint64_t max_steps, uint64_t n_inputs,
                            pr_error *err) {
    size_t n = program->n_instructions + (size_t)1;
    outline o = {program, calloc(n, 1), calloc(n, 1), calloc(n, 1), calloc(n, sizeof *o.edges)};
    bool full = o.depth && o.own && o.inherited && o.edges;
    if (full) expect(out, &o, max_steps, n_inputs);
    free(o.depth);
    free(o.own);
    free(o.inherited);
    free(o.edges);
    return full ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for an outline of the program");
}

/* ---- of a run ---- */

typedef struct count {
    pr_vm_machine machine;
    uint64_t *times; /* [n]: of a line */
    pr_vm_rows rows; /* of each HASH whose number of words is in a register */
} count;

static pr_status run(count *c, pr_error *err) {
    pr_vm_machine *m = &c->machine;
    while (m->end == PR_VM_RUNNING) {
        const uint32_t pc = m->pc, words = m->registers[m->lines[pc].rs2];
        PR_TRY(pr_vm_machine_step(m, err));
        bool is_new = is_unknown(&m->lines[pc]);
        c->times[pc] += !is_new;
        c->rows.n[PR_VM_MAIN] += is_new;
        if (is_new) add_hash(&c->rows, pr_vm_hash_blocks(words), words, 1);
        if (m->end != PR_VM_DIVISION_BY_ZERO) continue;
        c->times[pc]--; /* it calls for no quotient */
        c->rows.n[PR_VM_MAIN]++;
    }
    return PR_OK;
}

/* All public words have a row. */
static pr_status touch_outputs(pr_vm_machine *m, pr_error *err) {
    uint32_t n = pr_vm_memory_peek(&m->memory, PR_VM_OUTPUT);
    if (n > PR_VM_MAX_WORDS) return pr_fail(err, PR_ERR_INPUT, "%u outputs", n);
    for (uint32_t k = 0; k <= n; k++)
        if (!pr_vm_memory_touch(&m->memory, PR_VM_OUTPUT + k)) return pr_fail(err, PR_ERR_MEMORY, "out of memory");
    return PR_OK;
}

static pr_status count_rows(count *c, const pr_vm_program *program, pr_error *err) {
    PR_TRY(run(c, err));
    PR_TRY(touch_outputs(&c->machine, err));
    for (uint32_t pc = 0; pc < program->n_instructions; pc++)
        if (c->times[pc]) add_line(&c->rows, &c->machine.lines[pc], (double)c->times[pc]);
    c->rows.n[PR_VM_WORDS] = c->machine.memory.n;
    return PR_OK;
}

pr_status pr_vm_count_rows(pr_vm_rows *out, const pr_vm_program *program, const uint32_t *inputs, size_t n_inputs,
                           uint64_t *steps, pr_error *err) {
    const uint64_t most = *steps;
    count c = {.times = calloc(program->n_instructions + (size_t)1, sizeof *c.times)};
    *steps = n_inputs < most ? n_inputs : most;
    if (!c.times) return pr_fail(err, PR_ERR_MEMORY, "out of memory for an outline of the program");
    pr_status status = n_inputs < most ? pr_vm_machine_init(&c.machine, program, inputs, n_inputs, err)
                                       : pr_fail(err, PR_ERR_INPUT, "more than %llu steps", (unsigned long long)most);
    if (status == PR_OK) {
        c.machine.max_steps = most - n_inputs < PR_VM_MAX_STEPS ? (uint32_t)(most - n_inputs) : PR_VM_MAX_STEPS;
        status = count_rows(&c, program, err);
        *steps += c.machine.n_steps;
        pr_vm_machine_clear(&c.machine);
    }
    if (status == PR_OK) *out = c.rows;
    free(c.times);
    return status;
}

/* ---- from rows to cells ---- */

enum { SECURE = 4 };

typedef struct width {
    uint16_t columns, looked_up, secure; /* looked_up: that lookups read; a secure column is four */
} width;

static const width widths[PR_VM_COMPONENTS] = {
    [PR_VM_MAIN] = {PR_VM_M_COLUMNS, PR_VM_M_COLUMNS, 8},
    [PR_VM_MEMORY] = {PR_VM_Y_COLUMNS, PR_VM_Y_COLUMNS, 3},
    [PR_VM_WORDS] = {PR_VM_W_COLUMNS, PR_VM_W_COLUMNS - 1, 4},
    [PR_VM_REGISTER_FILE] = {PR_VM_G_COLUMNS, PR_VM_G_COLUMNS, 1},
    [PR_VM_PROGRAM] = {PR_VM_T_COLUMNS, PR_VM_T_COLUMNS, 1},
    [PR_VM_ADDITION] = {PR_VM_A_COLUMNS, PR_VM_A_COLUMNS - 1, 2},
    [PR_VM_BITWISE] = {PR_VM_B_COLUMNS, PR_VM_B_COLUMNS, 3},
    [PR_VM_MULTIPLICATION] = {PR_VM_P_COLUMNS, PR_VM_P_COLUMNS, 5},
    [PR_VM_DIVISION] = {PR_VM_D_COLUMNS, PR_VM_D_COLUMNS - 1, 6},
    [PR_VM_SHIFT] = {PR_VM_S_COLUMNS, PR_VM_S_COLUMNS, 2},
    [PR_VM_EQUALITY] = {PR_VM_E_COLUMNS, PR_VM_E_COLUMNS - 2, 1},
    [PR_VM_RANGE16] = {PR_VM_T_COLUMNS, PR_VM_T_COLUMNS, 1},
    [PR_VM_RANGE10] = {PR_VM_T_COLUMNS, PR_VM_T_COLUMNS, 1},
    [PR_VM_BYTES] = {PR_VM_BYTES_COLUMNS, PR_VM_BYTES_COLUMNS, 1},
    [PR_VM_POWERS] = {PR_VM_T_COLUMNS, PR_VM_T_COLUMNS, 1},
    [PR_VM_RECTIFIER] = {PR_VM_L_COLUMNS, PR_VM_L_COLUMNS, 2},
    [PR_VM_PRODUCT] = {PR_VM_X_COLUMNS, PR_VM_X_COLUMNS - 4, 8},
    [PR_VM_SPONGE] = {PR_VM_H_COLUMNS, 44, 4}, /* not the S-boxes */
    [PR_VM_DIGEST] = {PR_VM_Z_COLUMNS, PR_VM_Z_COLUMNS - 8, 17},
};

/* Preprocessed columns beside those of the program's lines: of each component's table. */
static const uint8_t table_columns[PR_VM_COMPONENTS] = {
    [PR_VM_WORDS] = 1,   [PR_VM_REGISTER_FILE] = 1, [PR_VM_RANGE16] = 1,
    [PR_VM_RANGE10] = 1, [PR_VM_BYTES] = 3,         [PR_VM_POWERS] = 3};

static bool has_component(const pr_vm_program *p, int component) {
    switch (component) {
    case PR_VM_RECTIFIER:
        return pr_vm_program_has(p, PR_VM_RELU);
    case PR_VM_PRODUCT:
        return pr_vm_program_has(p, PR_VM_MATMUL);
    case PR_VM_SPONGE:
    case PR_VM_DIGEST:
        return pr_vm_program_has(p, PR_VM_HASH);
    default:
        return true;
    }
}

static void set_log_rows(pr_vm_public *s, const pr_vm_rows *rows) {
    for (int c = 0; c < PR_VM_COMPONENTS; c++)
        if (has_component(&s->program, c)) s->log_rows[c] = pr_vm_log_rows((uint64_t)rows->n[c]);
    pr_vm_public_set_sizes(s); /* of the tables */
}

static void add_columns(pr_job_size *size, uint64_t n_columns, uint8_t log_rows) {
    size->n_columns += n_columns;
    size->cells += n_columns << log_rows;
}

/* What a recorded run holds, in lists that have doubled as they grew. */
static uint64_t recorded_bytes(const pr_vm_public *s) {
    enum { COUNTS = 5 << 18, WORD = sizeof(pr_vm_word) + 2 * sizeof(uint32_t) };
    static const uint16_t item_bytes[PR_VM_COMPONENTS] = {[PR_VM_MAIN] = sizeof(pr_vm_step),
                                                          [PR_VM_MEMORY] = sizeof(pr_vm_access),
                                                          [PR_VM_WORDS] = WORD,
                                                          [PR_VM_ADDITION] = sizeof(pr_vm_call),
                                                          [PR_VM_BITWISE] = sizeof(pr_vm_call),
                                                          [PR_VM_MULTIPLICATION] = sizeof(pr_vm_call),
                                                          [PR_VM_DIVISION] = sizeof(pr_vm_call),
                                                          [PR_VM_SHIFT] = sizeof(pr_vm_call),
                                                          [PR_VM_EQUALITY] = sizeof(pr_vm_call),
                                                          [PR_VM_RECTIFIER] = sizeof(pr_vm_call),
                                                          [PR_VM_PRODUCT] = sizeof(pr_vm_product),
                                                          [PR_VM_SPONGE] = sizeof(pr_vm_block),
                                                          [PR_VM_DIGEST] = sizeof(pr_vm_hash),
                                                          [PR_VM_PROGRAM] =
                                                              sizeof(pr_vm_line) + 4 * PR_VM_MOST_LINE_VALUES};
    uint64_t bytes = COUNTS; /* of what is looked up in the tables */
    for (int c = 0; c < PR_VM_COMPONENTS; c++)
        if (pr_vm_has(s, (pr_vm_component)c)) bytes += (uint64_t)item_bytes[c] << s->log_rows[c];
    return bytes;
}

pr_job_size pr_vm_size_of_rows(const pr_vm_program *program, const pr_vm_rows *rows) {
    pr_job_size size = {.n_trees = 3};
    pr_vm_public s = {.program = *program}; /* borrowed */
    pr_vm_flag extra[PR_VM_EXTRA_FLAGS];
    uint32_t n_extra = pr_vm_extra_flags(extra, program);
    set_log_rows(&s, rows);
    for (int c = 0; c < PR_VM_COMPONENTS; c++)
        if (pr_vm_has(&s, (pr_vm_component)c)) add_columns(&size, table_columns[c], s.log_rows[c]);
    add_columns(&size, PR_VM_LINE_VALUES + n_extra, s.log_rows[PR_VM_PROGRAM]);
    size.n_values = size.n_looked_up = size.cells;
    for (int c = 0; c < PR_VM_COMPONENTS; c++) {
        uint64_t more = c == PR_VM_MAIN && n_extra ? n_extra + SECURE : 0; /* one lookup for either */
        if (!pr_vm_has(&s, (pr_vm_component)c)) continue;
        add_columns(&size, widths[c].columns + SECURE * (uint64_t)widths[c].secure + more, s.log_rows[c]);
        size.n_looked_up += (widths[c].looked_up + (more ? n_extra : 0)) << s.log_rows[c];
        if (s.log_rows[c] > size.log_rows) size.log_rows = s.log_rows[c];
    }
    size.instance_bytes = recorded_bytes(&s) + 4 * size.n_values;
    return size;
}
