#include "vm/machine.h"
#include <stdlib.h>
#include "vm/blocks.h"

const char *pr_vm_end_name(pr_vm_end end) {
    static const char *const names[] = {"halted", "division by zero", "running"};
    return names[end];
}

static pr_status no_memory(pr_error *err) { return pr_fail(err, PR_ERR_MEMORY, "out of memory for the machine"); }

static bool place_word(pr_vm_machine *m, uint32_t address, uint32_t value) {
    pr_vm_word *word = pr_vm_memory_touch(&m->memory, address);
    if (word) word->first = word->value = value;
    return word != NULL;
}

static bool place_words(pr_vm_machine *m, uint32_t address, const uint32_t *words, size_t n) {
    for (size_t k = 0; k < n; k++)
        if (!place_word(m, address + (uint32_t)k, words[k])) return false;
    return true;
}

pr_status pr_vm_machine_init(pr_vm_machine *machine, const pr_vm_program *program, const uint32_t *inputs,
                             size_t n_inputs, pr_error *err) {
    pr_vm_machine m = {.end = PR_VM_RUNNING, .n_lines = program->n_instructions, .max_steps = PR_VM_MAX_STEPS};
    if (n_inputs > PR_VM_MAX_WORDS)
        return pr_fail(err, PR_ERR_INPUT, "%zu inputs; allowed: up to %d", n_inputs, PR_VM_MAX_WORDS);
    bool full = (m.lines = calloc(m.n_lines + (size_t)1, sizeof *m.lines)) != NULL &&
                place_words(&m, PR_VM_DATA, program->data, program->n_data) &&
                place_word(&m, PR_VM_INPUT, (uint32_t)n_inputs) && place_words(&m, PR_VM_INPUT + 1, inputs, n_inputs);
    for (uint32_t k = 0; full && k < m.n_lines; k++) m.lines[k] = pr_vm_line_of(&program->instructions[k]);
    if (full)
        *machine = m;
    else
        pr_vm_machine_clear(&m);
    return full ? PR_OK : no_memory(err);
}

void pr_vm_machine_clear(pr_vm_machine *m) {
    free(m->lines);
    free(m->steps);
    free(m->accesses);
    free(m->matmuls);
    free(m->products);
    free(m->hashes);
    free(m->blocks);
    pr_vm_memory_clear(&m->memory);
    *m = (pr_vm_machine){0};
}

bool pr_vm_reserve(void **items, size_t *capacity, size_t n, size_t size) {
    if (n < *capacity) return true;
    size_t larger = *capacity ? 2 * *capacity : 1024;
    void *moved = realloc(*items, larger * size);
    if (!moved) return false;
    *items = moved;
    *capacity = larger;
    return true;
}

static bool record_access(pr_vm_machine *m, const pr_vm_access *access) {
    if (!m->records) return true;
    if (!pr_vm_reserve((void **)&m->accesses, &m->accesses_capacity, m->n_accesses, sizeof *access)) return false;
    m->accesses[m->n_accesses++] = *access;
    return true;
}

static bool record_step(pr_vm_machine *m, const pr_vm_step *step) {
    if (!m->records) return true;
    if (!pr_vm_reserve((void **)&m->steps, &m->steps_capacity, m->n_rows, sizeof *step)) return false;
    m->steps[m->n_rows++] = *step;
    return true;
}

static uint32_t read_register(pr_vm_machine *m, uint8_t number, uint32_t timestamp, uint32_t *touched) {
    *touched = m->touched[number];
    m->touched[number] = timestamp;
    return m->registers[number];
}

bool pr_vm_access_word(pr_vm_machine *m, uint32_t timestamp, uint32_t address, bool write, uint32_t *value) {
    pr_vm_word *word = pr_vm_memory_touch(&m->memory, address);
    if (!word) return false;
    if (!write) *value = word->value;
    pr_vm_access access = {.timestamp = timestamp,
                           .address = address,
                           .value = *value,
                           .old = word->value,
                           .touched = word->touched,
                           .write = write};
    word->value = *value;
    word->touched = timestamp;
    return record_access(m, &access);
}

/* The step's access to memory, if it has one: step->m. */
static bool access_memory(pr_vm_machine *m, const pr_vm_line *line, pr_vm_step *step) {
    if (!pr_vm_line_uses_memory(line)) return true;
    uint32_t address = pr_vm_line_has(line, PR_VM_F_RET) ? step->a : step->c;
    bool store = pr_vm_line_has(line, PR_VM_F_STORE), call = pr_vm_line_has(line, PR_VM_F_CALL);
    step->m = store ? step->s : m->pc + 1;
    return pr_vm_access_word(m, PR_VM_TICKS * step->number, address, store || call, &step->m);
}

/* What rd becomes. */
static uint32_t written_value(const pr_vm_line *line, uint32_t b, const pr_vm_step *step) {
    if (step->trap) return step->old;
    if (pr_vm_line_has(line, PR_VM_F_RESULT)) return step->c;
    if (pr_vm_line_has(line, PR_VM_F_LOAD)) return step->m;
    return pr_vm_line_has(line, PR_VM_F_CONSTANT) ? b : step->old;
}

static uint32_t next_pc(const pr_vm_line *line, const pr_vm_step *step) {
    if (step->trap) return PR_VM_END_PC + PR_VM_DIVISION_BY_ZERO;
    if (pr_vm_line_has(line, PR_VM_F_HALT)) return PR_VM_END_PC + PR_VM_HALTED;
    if (pr_vm_line_has(line, PR_VM_F_RET)) return step->m;
    bool jumps = pr_vm_line_has(line, PR_VM_F_JUMP) || (pr_vm_line_has(line, PR_VM_F_JZ) && step->c) ||
                 (pr_vm_line_has(line, PR_VM_F_JNZ) && !step->c);
    return jumps ? line->target : step->pc + 1u;
}

static bool leaves_the_program(const pr_vm_machine *m, const pr_vm_line *line) {
    return pr_vm_line_has(line, PR_VM_F_RET) && m->pc >= m->n_lines;
}

static pr_status too_long(const pr_vm_machine *m, pr_error *err) {
    return pr_fail(err, PR_ERR_INPUT, "the program still runs after %u steps, the most that are allowed", m->max_steps);
}

pr_status pr_vm_machine_step(pr_vm_machine *m, pr_error *err) {
    PR_ASSERT(m->end == PR_VM_RUNNING && m->pc < m->n_lines);
    const pr_vm_line *line = &m->lines[m->pc];
    uint32_t now = PR_VM_TICKS * (m->n_steps + 1), s = m->registers[line->rs2];
    uint32_t b = pr_vm_line_has(line, PR_VM_F_IMMEDIATE) ? line->imm : s;
    uint64_t n = pr_vm_line_steps(line, b);
    if (n > m->max_steps - m->n_steps) return too_long(m, err);
    pr_vm_step step = {.number = m->n_steps + 1, .pc = (uint16_t)m->pc};
    step.a = read_register(m, line->rs1, now, &step.a_touched);
    step.s = read_register(m, line->rs2, now + 1, &step.s_touched);
    step.old = read_register(m, line->rd, now + 2, &step.d_touched);
    step.trap = pr_vm_line_has(line, PR_VM_F_DIVIDE) && b == 0;
    step.c = step.trap ? 0 : pr_vm_alu_run(line->alu, step.a, b);
    if (!access_memory(m, line, &step)) return no_memory(err);
    step.written = m->registers[line->rd] = written_value(line, b, &step);
    step.next = m->pc = next_pc(line, &step);
    if (pr_vm_line_has(line, PR_VM_F_MATMUL) && !pr_vm_multiply(m, line, &step)) return no_memory(err);
    if (pr_vm_line_has(line, PR_VM_F_HASH) && !pr_vm_hash_words(m, &step, b)) return no_memory(err);
    if (!record_step(m, &step)) return no_memory(err);
    m->n_steps += (uint32_t)n;
    if (leaves_the_program(m, line))
        return pr_fail(err, PR_ERR_INPUT,
                       "step %u, instruction %u: RET to %u, outside of the program's %u instructions", m->n_steps,
                       step.pc, m->pc, m->n_lines);
    if (m->pc >= PR_VM_END_PC) m->end = (pr_vm_end)(m->pc - PR_VM_END_PC);
    return PR_OK;
}

pr_status pr_vm_machine_run(pr_vm_machine *m, uint32_t max_steps, pr_error *err) {
    m->max_steps = max_steps;
    while (m->end == PR_VM_RUNNING) PR_TRY(pr_vm_machine_step(m, err));
    return PR_OK;
}

pr_status pr_vm_machine_outputs(uint32_t **outputs, uint32_t *n, const pr_vm_machine *m, pr_error *err) {
    uint32_t count = pr_vm_memory_peek(&m->memory, PR_VM_OUTPUT);
    if (count > PR_VM_MAX_WORDS)
        return pr_fail(err, PR_ERR_INPUT, "the program says that it has %u outputs; allowed: up to %d", count,
                       PR_VM_MAX_WORDS);
    uint32_t *words = malloc((count + (size_t)1) * sizeof *words);
    if (!words) return no_memory(err);
    for (uint32_t k = 0; k < count; k++) words[k] = pr_vm_memory_peek(&m->memory, PR_VM_OUTPUT + 1 + k);
    *outputs = words;
    *n = count;
    return PR_OK;
}
