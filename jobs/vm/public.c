/* What is public about a run: its bytes, and its terms in the relations. */
#include <stdlib.h>
#include <string.h>
#include "vm/layout.h"

/* Components whose size follows from the run alone, in the order in which they are written. Main's is one where an
 * instruction takes several steps. */
static uint32_t list_sizes(uint8_t out[PR_VM_COMPONENTS], const pr_vm_program *program) {
    static const uint8_t always[] = {PR_VM_MEMORY,         PR_VM_WORDS,    PR_VM_ADDITION, PR_VM_BITWISE,
                                     PR_VM_MULTIPLICATION, PR_VM_DIVISION, PR_VM_SHIFT,    PR_VM_EQUALITY};
    uint32_t n = sizeof always;
    memcpy(out, always, n);
    if (pr_vm_program_has(program, PR_VM_RELU)) out[n++] = PR_VM_RECTIFIER;
    if (pr_vm_program_has(program, PR_VM_MATMUL)) out[n++] = PR_VM_PRODUCT;
    bool hashes = pr_vm_program_has(program, PR_VM_HASH);
    if (hashes) out[n++] = PR_VM_SPONGE, out[n++] = PR_VM_DIGEST;
    if (hashes || pr_vm_program_has(program, PR_VM_MATMUL)) out[n++] = PR_VM_MAIN;
    return n;
}

uint32_t pr_vm_extra_flags(pr_vm_flag out[PR_VM_EXTRA_FLAGS], const pr_vm_program *program) {
    uint32_t n = 0;
    if (pr_vm_program_has(program, PR_VM_MATMUL)) out[n++] = PR_VM_F_MATMUL;
    if (pr_vm_program_has(program, PR_VM_HASH)) out[n++] = PR_VM_F_HASH;
    return n;
}

pr_vm_component pr_vm_component_at(const pr_vm_public *s, uint32_t index) {
    for (uint32_t c = 0; c < PR_VM_COMPONENTS; c++)
        if (pr_vm_has(s, (pr_vm_component)c) && index-- == 0) return (pr_vm_component)c;
    return PR_VM_COMPONENTS;
}

void pr_vm_public_clear(pr_vm_public *s) {
    pr_vm_program_clear(&s->program);
    free(s->inputs);
    free(s->outputs);
    *s = (pr_vm_public){0};
}

static void write_words(pr_writer *out, const uint32_t *words, uint32_t n) {
    pr_write_u32(out, n);
    for (uint32_t k = 0; k < n; k++) pr_write_u32(out, words[k]);
}

void pr_vm_public_write(pr_writer *out, const pr_vm_public *s) {
    pr_vm_program_write(out, &s->program);
    write_words(out, s->inputs, s->n_inputs);
    write_words(out, s->outputs, s->n_outputs);
    pr_write_u32(out, s->n_steps);
    pr_write_u8(out, (uint8_t)s->end);
    uint8_t sizes[PR_VM_COMPONENTS];
    uint32_t n = list_sizes(sizes, &s->program);
    for (uint32_t k = 0; k < n; k++) pr_write_u8(out, s->log_rows[sizes[k]]);
}

static pr_status read_words(uint32_t **words, uint32_t *n, pr_reader *r, const char *what, pr_error *err) {
    *n = pr_read_u32(r);
    if (r->failed || *n > PR_VM_MAX_WORDS || r->size - r->at < 4 * (size_t)*n)
        return pr_fail(err, PR_ERR_MALFORMED, "vm: the %s are cut off", what);
    *words = calloc(*n + (size_t)1, sizeof **words);
    if (!*words) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the %s", what);
    for (uint32_t k = 0; k < *n; k++) (*words)[k] = pr_read_u32(r);
    return PR_OK;
}

static pr_status read_run(pr_vm_public *s, pr_reader *r, pr_error *err) {
    s->n_steps = pr_read_u32(r);
    uint8_t end = pr_read_u8(r);
    bool fits = s->n_steps >= 1 && s->n_steps <= PR_VM_MAX_STEPS && end < PR_VM_ENDS;
    uint8_t sizes[PR_VM_COMPONENTS];
    uint32_t n = list_sizes(sizes, &s->program);
    for (uint32_t k = 0; k < n; k++) {
        uint8_t log_rows = pr_read_u8(r);
        fits = fits && log_rows >= PR_VM_MIN_LOG_ROWS && log_rows <= PR_AIR_MAX_LOG_ROWS;
        s->log_rows[sizes[k]] = log_rows;
    }
    if (!pr_reader_done(r) || !fits) return pr_fail(err, PR_ERR_MALFORMED, "vm: steps, end or sizes are not a run's");
    s->end = (pr_vm_end)end;
    pr_vm_public_set_sizes(s);
    return PR_OK;
}

static pr_status read_all(pr_vm_public *s, pr_reader *r, pr_error *err) {
    PR_TRY(pr_vm_program_read(&s->program, r, err));
    PR_TRY(read_words(&s->inputs, &s->n_inputs, r, "inputs", err));
    PR_TRY(read_words(&s->outputs, &s->n_outputs, r, "outputs", err));
    return read_run(s, r, err);
}

pr_status pr_vm_public_read(pr_vm_public *out, const void *data, size_t size, pr_error *err) {
    pr_vm_public s = {0};
    pr_reader r;
    pr_reader_init(&r, data, size);
    pr_status status = read_all(&s, &r, err);
    if (status == PR_OK)
        *out = s;
    else
        pr_vm_public_clear(&s);
    return status;
}

/* ---- public terms ---- */

static pr_status add_state(pr_statement *st, pr_m31 multiplicity, uint32_t steps_before, uint32_t pc, pr_error *err) {
    const pr_m31 values[] = {PR_VM_TICKS * (steps_before + 1), pc};
    return pr_statement_add_public_term(st, PR_VM_R_STATE, multiplicity, values, 2, err);
}

typedef enum word_kind { FIRST, LAST } word_kind;

/* A first word is put in, to be taken out by the words component; a last word the other way about. */
static pr_status add_word(pr_statement *st, word_kind kind, uint32_t address, uint32_t word, pr_error *err) {
    const pr_m31 values[] = {kind, address & 0xffff, address >> 16, word & 0xffff, word >> 16};
    return pr_statement_add_public_term(st, PR_VM_R_PUBLIC, kind == FIRST ? PR_P - 1 : 1, values, 5, err);
}

static pr_status add_words(pr_statement *st, word_kind kind, uint32_t address, const uint32_t *words, uint32_t n,
                           pr_error *err) {
    for (uint32_t k = 0; k < n; k++) PR_TRY(add_word(st, kind, address + k, words[k], err));
    return PR_OK;
}

pr_status pr_vm_public_terms(pr_statement *st, const pr_vm_public *s, pr_error *err) {
    PR_TRY(add_state(st, PR_P - 1, 0, 0, err));
    PR_TRY(add_state(st, 1, s->n_steps, PR_VM_END_PC + s->end, err));
    PR_TRY(add_words(st, FIRST, PR_VM_DATA, s->program.data, s->program.n_data, err));
    PR_TRY(add_word(st, FIRST, PR_VM_INPUT, s->n_inputs, err));
    PR_TRY(add_words(st, FIRST, PR_VM_INPUT + 1, s->inputs, s->n_inputs, err));
    PR_TRY(add_word(st, LAST, PR_VM_OUTPUT, s->n_outputs, err));
    return add_words(st, LAST, PR_VM_OUTPUT + 1, s->outputs, s->n_outputs, err);
}
