#include "vm/assemble.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "vm/symbols.h"

typedef struct assembler {
    const char *file;
    pr_vm_symbols symbols;
    pr_vm_program program;
    bool second; /* pass: the first finds names and sizes, the second fills the program */
    pr_error *err;
    /* the line at hand */
    size_t line;
    const char *start, *at, *end;  /* end: of the line, its comment left out */
    size_t last_line, last_column; /* of the last instruction; 0 without one */
} assembler;

#define FAIL(a, place, ...)                                                                                            \
    pr_fail_at((a)->err, PR_ERR_MALFORMED, (a)->file, (a)->line, (size_t)((place) - (a)->start) + 1, __VA_ARGS__)

static void skip_space(assembler *a) {
    while (a->at < a->end && (*a->at == ' ' || *a->at == '\t' || *a->at == '\r')) a->at++;
}

static bool is_name_start(char c) { return isalpha((unsigned char)c) || c == '_'; }
static bool is_name_part(char c) { return is_name_start(c) || isdigit((unsigned char)c); }

/* The word at hand, which may be empty; it may start with a point. */
static const char *take_word(assembler *a, size_t *length) {
    skip_space(a);
    const char *word = a->at;
    if (a->at < a->end && (is_name_start(*a->at) || *a->at == '.')) a->at++;
    if (a->at > word)
        while (a->at < a->end && is_name_part(*a->at)) a->at++;
    *length = (size_t)(a->at - word);
    return word;
}

static bool is_word(const char *word, size_t length, const char *text) {
    return strlen(text) == length && strncasecmp(word, text, length) == 0;
}

/* ---- numbers ---- */

static int digit_value(char c) {
    if (isdigit((unsigned char)c)) return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* 0 .. 2^32 - 1, decimal or 0x and hexadecimal */
static pr_status take_digits(assembler *a, uint32_t *out) {
    const char *first = a->at;
    int base = a->end - a->at > 2 && a->at[0] == '0' && (a->at[1] == 'x' || a->at[1] == 'X') ? 16 : 10;
    if (base == 16) a->at += 2;
    const char *digits = a->at;
    uint64_t v = 0;
    for (; a->at < a->end && digit_value(*a->at) < base && v <= UINT32_MAX; a->at++)
        v = v * (unsigned)base + (unsigned)digit_value(*a->at);
    if (a->at == digits || (a->at < a->end && is_name_part(*a->at) && v <= UINT32_MAX))
        return FAIL(a, first, "not a number");
    if (v > UINT32_MAX) return FAIL(a, first, "a number above 4294967295, which 32 bits hold");
    *out = (uint32_t)v;
    return PR_OK;
}

static pr_status take_name(assembler *a, uint32_t *out) {
    size_t length;
    const char *name = take_word(a, &length);
    const pr_vm_symbol *symbol = pr_vm_symbols_find(&a->symbols, name, length);
    if (!symbol) return FAIL(a, name, "no name '%.*s'%s", (int)length, name, a->second ? "" : " before this line");
    *out = symbol->value;
    return PR_OK;
}

static pr_status take_term(assembler *a, uint32_t *out) {
    skip_space(a);
    if (a->at == a->end) return FAIL(a, a->at, "a number is missing");
    return is_name_start(*a->at) ? take_name(a, out) : take_digits(a, out);
}

/* [-] term { + term | - term }, modulo 2^32 */
static pr_status take_number(assembler *a, uint32_t *out) {
    *out = 0;
    skip_space(a);
    bool subtracts = a->at < a->end && *a->at == '-';
    if (subtracts) a->at++;
    for (;;) {
        uint32_t term = 0;
        PR_TRY(take_term(a, &term));
        *out += subtracts ? -term : term;
        skip_space(a);
        if (a->at == a->end || (*a->at != '+' && *a->at != '-')) return PR_OK;
        subtracts = *a->at++ == '-';
    }
}

/* ---- operands ---- */

/* The register at hand, or -1, taking nothing. */
static int take_register(assembler *a) {
    const char *kept = a->at;
    size_t length;
    const char *word = take_word(a, &length);
    if (is_word(word, length, "sp")) return PR_VM_STACK;
    int number = -1;
    if ((length == 2 || length == 3) && (word[0] == 'r' || word[0] == 'R') && isdigit((unsigned char)word[1])) {
        number = word[1] - '0';
        if (length == 3) number = number && isdigit((unsigned char)word[2]) ? 10 * number + word[2] - '0' : -1;
    }
    if (number < 0 || number >= PR_VM_REGISTERS) {
        a->at = kept;
        return -1;
    }
    return number;
}

static pr_status need_register(assembler *a, uint8_t *out) {
    skip_space(a);
    int number = take_register(a);
    if (number < 0) return FAIL(a, a->at, "a register is missing: r0 to r31, or sp");
    *out = (uint8_t)number;
    return PR_OK;
}

static bool take_comma(assembler *a) {
    skip_space(a);
    if (a->at == a->end || *a->at != ',') return false;
    a->at++;
    return true;
}

static pr_status need_comma(assembler *a) {
    return take_comma(a) ? PR_OK : FAIL(a, a->at, "a comma is missing, and another operand");
}

static pr_status need_register_and_comma(assembler *a, uint8_t *out) {
    PR_TRY(need_register(a, out));
    return need_comma(a);
}

static pr_status take_offset(assembler *a, uint32_t *out) { return take_comma(a) ? take_number(a, out) : PR_OK; }

static pr_status take_second_operand(assembler *a, pr_vm_instruction *i) {
    skip_space(a);
    int number = take_register(a);
    if (number >= 0) {
        i->rs2 = (uint8_t)number;
        return PR_OK;
    }
    i->immediate = true;
    return take_number(a, &i->imm);
}

static pr_status take_target(assembler *a, uint32_t *out) {
    skip_space(a);
    const char *place = a->at;
    PR_TRY(take_number(a, out));
    if (*out < a->program.n_instructions) return PR_OK;
    return FAIL(a, place, "target %u is outside of the program's %u instructions", *out, a->program.n_instructions);
}

/* , rows, inner, columns */
static pr_status take_dimensions(assembler *a, pr_vm_instruction *i) {
    for (unsigned k = 0; k < PR_VM_DIMENSIONS; k++) {
        uint32_t value;
        PR_TRY(need_comma(a));
        skip_space(a);
        const char *place = a->at;
        PR_TRY(take_number(a, &value));
        if (value < 1 || value > PR_VM_MAX_DIMENSION)
            return FAIL(a, place, "dimension %u; allowed: 1 to %d", value, PR_VM_MAX_DIMENSION);
        pr_vm_set_dimension(i, k, value);
    }
    return PR_OK;
}

static pr_status take_operands(assembler *a, pr_vm_instruction *i) {
    switch (pr_vm_opcode_form(i->opcode)) {
    case PR_VM_FORM_NONE:
        return PR_OK;
    case PR_VM_FORM_CONSTANT:
        PR_TRY(need_register_and_comma(a, &i->rd));
        return take_number(a, &i->imm);
    case PR_VM_FORM_LOAD:
        PR_TRY(need_register_and_comma(a, &i->rd));
        PR_TRY(need_register(a, &i->rs1));
        return take_offset(a, &i->imm);
    case PR_VM_FORM_STORE:
        PR_TRY(need_register_and_comma(a, &i->rs2));
        PR_TRY(need_register(a, &i->rs1));
        return take_offset(a, &i->imm);
    case PR_VM_FORM_BINARY:
        PR_TRY(need_register_and_comma(a, &i->rd));
        PR_TRY(need_register_and_comma(a, &i->rs1));
        return take_second_operand(a, i);
    case PR_VM_FORM_UNARY:
        PR_TRY(need_register_and_comma(a, &i->rd));
        return need_register(a, &i->rs1);
    case PR_VM_FORM_JUMP:
        return take_target(a, &i->imm);
    case PR_VM_FORM_BRANCH:
        PR_TRY(need_register_and_comma(a, &i->rs1));
        return take_target(a, &i->imm);
    case PR_VM_FORM_MATMUL:
        PR_TRY(need_register_and_comma(a, &i->rd));
        PR_TRY(need_register_and_comma(a, &i->rs1));
        PR_TRY(need_register(a, &i->rs2));
        return take_dimensions(a, i);
    }
    return PR_ERR_INTERNAL;
}

/* ---- statements ---- */

static pr_status need_end(assembler *a) {
    skip_space(a);
    return a->at == a->end ? PR_OK : FAIL(a, a->at, "'%.*s' is too much here", (int)(a->end - a->at), a->at);
}

static pr_status define(assembler *a, const char *name, size_t length, uint32_t value) {
    const char *kept = a->at;
    a->at = name;
    bool is_register = take_register(a) >= 0;
    a->at = kept;
    if (is_register) return FAIL(a, name, "'%.*s' is a register's name", (int)length, name);
    if (pr_vm_symbols_find(&a->symbols, name, length))
        return FAIL(a, name, "the name '%.*s' is there already", (int)length, name);
    return pr_vm_symbols_add(&a->symbols, name, length, value, a->err);
}

/* .equ NAME, number */
static pr_status equate(assembler *a) {
    size_t length;
    const char *name = take_word(a, &length);
    uint32_t value;
    if (!length || *name == '.') return FAIL(a, name, ".equ needs a name");
    PR_TRY(need_comma(a));
    PR_TRY(take_number(a, &value));
    PR_TRY(need_end(a));
    return a->second ? PR_OK : define(a, name, length, value);
}

/* .word number { , number }; the first pass counts */
static pr_status words(assembler *a) {
    do {
        uint32_t value = 0;
        if (a->program.n_data == PR_VM_MAX_WORDS) return FAIL(a, a->at, "more than %d words of data", PR_VM_MAX_WORDS);
        if (a->second)
            PR_TRY(take_number(a, &value));
        else
            while (a->at < a->end && *a->at != ',') a->at++;
        if (a->second) a->program.data[a->program.n_data] = value;
        a->program.n_data++;
    } while (take_comma(a));
    return need_end(a);
}

static pr_status instruction(assembler *a, const char *word, size_t length, uint32_t *n_instructions) {
    pr_vm_instruction i = {0};
    int opcode = pr_vm_opcode_find(word, length);
    if (opcode < 0) return FAIL(a, word, "no instruction '%.*s'", (int)length, word);
    if (*n_instructions == PR_VM_MAX_PROGRAM) return FAIL(a, word, "more than %d instructions", PR_VM_MAX_PROGRAM);
    i.opcode = (uint8_t)opcode;
    if (a->second) {
        PR_TRY(take_operands(a, &i));
        PR_TRY(need_end(a));
        a->program.instructions[*n_instructions] = i;
    }
    ++*n_instructions;
    a->last_line = a->line, a->last_column = (size_t)(word - a->start) + 1;
    return PR_OK;
}

/* Whether the word just taken stands before a colon, which is taken too. */
static bool take_colon(assembler *a) {
    skip_space(a);
    if (a->at == a->end || *a->at != ':') return false;
    a->at++;
    return true;
}

static pr_status statement(assembler *a, uint32_t *n_instructions) {
    const char *labels[16];
    size_t lengths[16], n_labels = 0, length;
    const char *word = take_word(a, &length);
    for (; length && *word != '.' && take_colon(a); word = take_word(a, &length)) {
        if (n_labels == sizeof labels / sizeof *labels) return FAIL(a, word, "too many labels in one line");
        labels[n_labels] = word, lengths[n_labels++] = length;
    }
    bool is_data = is_word(word, length, ".word");
    uint32_t value = is_data ? PR_VM_DATA + a->program.n_data : *n_instructions;
    for (size_t k = 0; k < n_labels && !a->second; k++) PR_TRY(define(a, labels[k], lengths[k], value));
    if (!length) return need_end(a);
    if (is_data) return words(a);
    if (is_word(word, length, ".equ")) return equate(a);
    if (*word == '.') return FAIL(a, word, "no directive '%.*s'; allowed: .word, .equ", (int)length, word);
    return instruction(a, word, length, n_instructions);
}

static pr_status pass(assembler *a, const char *text, size_t size, uint32_t *n_instructions) {
    const char *end = text + size;
    *n_instructions = 0;
    a->program.n_data = 0;
    for (a->line = 1, a->start = text; a->start < end; a->line++) {
        const char *line_end = memchr(a->start, '\n', (size_t)(end - a->start));
        if (!line_end) line_end = end;
        const char *comment = memchr(a->start, ';', (size_t)(line_end - a->start));
        a->at = a->start;
        a->end = comment ? comment : line_end;
        PR_TRY(statement(a, n_instructions));
        a->start = line_end + 1;
    }
    return PR_OK;
}

static pr_status define_regions(assembler *a) {
    PR_TRY(pr_vm_symbols_add(&a->symbols, "DATA", 4, PR_VM_DATA, a->err));
    PR_TRY(pr_vm_symbols_add(&a->symbols, "INPUT", 5, PR_VM_INPUT, a->err));
    return pr_vm_symbols_add(&a->symbols, "OUTPUT", 6, PR_VM_OUTPUT, a->err);
}

static pr_status assemble(assembler *a, const char *text, size_t size) {
    pr_vm_program *p = &a->program;
    PR_TRY(define_regions(a));
    PR_TRY(pass(a, text, size, &p->n_instructions));
    p->instructions = calloc(p->n_instructions + (size_t)1, sizeof *p->instructions);
    p->data = calloc(p->n_data + (size_t)1, sizeof *p->data);
    if (!p->instructions || !p->data) return pr_fail(a->err, PR_ERR_MEMORY, "out of memory for a program");
    a->second = true;
    uint32_t again;
    PR_TRY(pass(a, text, size, &again));
    pr_error cause = {0};
    pr_status status = pr_vm_program_check(p, &cause);
    if (status == PR_OK) return PR_OK;
    return pr_fail_at(a->err, status, a->file, a->last_line, a->last_column, "%s", cause.text);
}

pr_status pr_vm_assemble(pr_vm_program *out, const char *text, size_t size, const char *name, pr_error *err) {
    assembler a = {.file = name, .err = err};
    pr_status status = assemble(&a, text, size);
    pr_vm_symbols_clear(&a.symbols);
    if (status == PR_OK)
        *out = a.program;
    else
        pr_vm_program_clear(&a.program);
    return status;
}
