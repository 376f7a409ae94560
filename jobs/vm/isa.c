#include "vm/isa.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "vm/assemble.h"

static const struct {
    const char *name;
    pr_vm_form form;
} opcodes[PR_VM_OPCODES] = {
    [PR_VM_NOP] = {"NOP", PR_VM_FORM_NONE},
    [PR_VM_HALT] = {"HALT", PR_VM_FORM_NONE},
    [PR_VM_LOADIMM] = {"LOADIMM", PR_VM_FORM_CONSTANT},
    [PR_VM_LOAD] = {"LOAD", PR_VM_FORM_LOAD},
    [PR_VM_STORE] = {"STORE", PR_VM_FORM_STORE},
    [PR_VM_ADD] = {"ADD", PR_VM_FORM_BINARY},
    [PR_VM_SUB] = {"SUB", PR_VM_FORM_BINARY},
    [PR_VM_MUL] = {"MUL", PR_VM_FORM_BINARY},
    [PR_VM_DIV] = {"DIV", PR_VM_FORM_BINARY},
    [PR_VM_MOD] = {"MOD", PR_VM_FORM_BINARY},
    [PR_VM_AND] = {"AND", PR_VM_FORM_BINARY},
    [PR_VM_OR] = {"OR", PR_VM_FORM_BINARY},
    [PR_VM_XOR] = {"XOR", PR_VM_FORM_BINARY},
    [PR_VM_NOT] = {"NOT", PR_VM_FORM_UNARY},
    [PR_VM_SHL] = {"SHL", PR_VM_FORM_BINARY},
    [PR_VM_SHR] = {"SHR", PR_VM_FORM_BINARY},
    [PR_VM_EQ] = {"EQ", PR_VM_FORM_BINARY},
    [PR_VM_LT] = {"LT", PR_VM_FORM_BINARY},
    [PR_VM_GT] = {"GT", PR_VM_FORM_BINARY},
    [PR_VM_JMP] = {"JMP", PR_VM_FORM_JUMP},
    [PR_VM_JZ] = {"JZ", PR_VM_FORM_BRANCH},
    [PR_VM_JNZ] = {"JNZ", PR_VM_FORM_BRANCH},
    [PR_VM_CALL] = {"CALL", PR_VM_FORM_JUMP},
    [PR_VM_RET] = {"RET", PR_VM_FORM_NONE},
    [PR_VM_RELU] = {"RELU", PR_VM_FORM_UNARY},
    [PR_VM_MATMUL] = {"MATMUL", PR_VM_FORM_MATMUL},
    [PR_VM_HASH] = {"HASH", PR_VM_FORM_BINARY},
};

/* Which fields a form uses. */
typedef struct uses {
    bool rd, rs1, rs2, imm;
} uses;
static const uses form_uses[] = {
    [PR_VM_FORM_NONE] = {false, false, false, false}, [PR_VM_FORM_CONSTANT] = {true, false, false, true},
    [PR_VM_FORM_LOAD] = {true, true, false, true},    [PR_VM_FORM_STORE] = {false, true, true, true},
    [PR_VM_FORM_BINARY] = {true, true, true, true},   [PR_VM_FORM_UNARY] = {true, true, false, false},
    [PR_VM_FORM_JUMP] = {false, false, false, true},  [PR_VM_FORM_BRANCH] = {false, true, false, true},
    [PR_VM_FORM_MATMUL] = {true, true, true, true},
};

const char *pr_vm_opcode_name(pr_vm_opcode opcode) { return opcodes[opcode].name; }
pr_vm_form pr_vm_opcode_form(pr_vm_opcode opcode) { return opcodes[opcode].form; }

int pr_vm_opcode_find(const char *name, size_t length) {
    for (int k = 0; k < PR_VM_OPCODES; k++)
        if (strlen(opcodes[k].name) == length && strncasecmp(opcodes[k].name, name, length) == 0) return k;
    return -1;
}

enum { RD_AT = 8, RS1_AT = 13, RS2_AT = 18, IMMEDIATE_AT = 23, IMM_AT = 32, REGISTER_MASK = PR_VM_REGISTERS - 1 };

uint64_t pr_vm_encode(const pr_vm_instruction *i) {
    return (uint64_t)i->opcode | (uint64_t)i->rd << RD_AT | (uint64_t)i->rs1 << RS1_AT | (uint64_t)i->rs2 << RS2_AT |
           (uint64_t)i->immediate << IMMEDIATE_AT | (uint64_t)i->imm << IMM_AT;
}

enum { DIMENSION_BITS = 10 };

uint32_t pr_vm_dimension(const pr_vm_instruction *i, unsigned which) {
    return i->imm >> DIMENSION_BITS * which & PR_VM_MAX_DIMENSION;
}

void pr_vm_set_dimension(pr_vm_instruction *i, unsigned which, uint32_t value) {
    i->imm &= ~((uint32_t)PR_VM_MAX_DIMENSION << DIMENSION_BITS * which);
    i->imm |= value << DIMENSION_BITS * which;
}

static bool has_dimensions(const pr_vm_instruction *i) {
    for (unsigned k = 0; k < PR_VM_DIMENSIONS; k++)
        if (pr_vm_dimension(i, k) == 0) return false;
    return i->imm >> DIMENSION_BITS * PR_VM_DIMENSIONS == 0;
}

static bool uses_only_its_fields(const pr_vm_instruction *i) {
    pr_vm_form form = opcodes[i->opcode].form;
    if (form == PR_VM_FORM_MATMUL && !has_dimensions(i)) return false;
    uses u = form_uses[form];
    if (i->immediate && form != PR_VM_FORM_BINARY) return false;
    if (form == PR_VM_FORM_BINARY && (i->immediate ? i->rs2 != 0 : i->imm != 0)) return false;
    return (u.rd || !i->rd) && (u.rs1 || !i->rs1) && (u.rs2 || !i->rs2) && (u.imm || !i->imm);
}

bool pr_vm_decode(pr_vm_instruction *out, uint64_t word) {
    *out = (pr_vm_instruction){.opcode = (uint8_t)word,
                               .rd = word >> RD_AT & REGISTER_MASK,
                               .rs1 = word >> RS1_AT & REGISTER_MASK,
                               .rs2 = word >> RS2_AT & REGISTER_MASK,
                               .immediate = word >> IMMEDIATE_AT & 1,
                               .imm = (uint32_t)(word >> IMM_AT)};
    return out->opcode < PR_VM_OPCODES && pr_vm_encode(out) == word && uses_only_its_fields(out);
}

void pr_vm_program_clear(pr_vm_program *program) {
    free(program->instructions);
    free(program->data);
    *program = (pr_vm_program){0};
}

bool pr_vm_program_has(const pr_vm_program *program, pr_vm_opcode opcode) {
    for (uint32_t k = 0; k < program->n_instructions; k++)
        if (program->instructions[k].opcode == opcode) return true;
    return false;
}

static bool goes_on(pr_vm_opcode opcode) {
    return opcode != PR_VM_HALT && opcode != PR_VM_JMP && opcode != PR_VM_CALL && opcode != PR_VM_RET;
}

pr_status pr_vm_program_check(const pr_vm_program *program, pr_error *err) {
    uint32_t n = program->n_instructions;
    if (n == 0 || n > PR_VM_MAX_PROGRAM)
        return pr_fail(err, PR_ERR_MALFORMED, "%u instructions; allowed: 1 to %d", n, PR_VM_MAX_PROGRAM);
    if (program->n_data > PR_VM_MAX_WORDS)
        return pr_fail(err, PR_ERR_MALFORMED, "%u words of data; allowed: up to %d", program->n_data, PR_VM_MAX_WORDS);
    for (uint32_t k = 0; k < n; k++) {
        const pr_vm_instruction *i = &program->instructions[k];
        pr_vm_form form = pr_vm_opcode_form(i->opcode);
        if ((form == PR_VM_FORM_JUMP || form == PR_VM_FORM_BRANCH) && i->imm >= n)
            return pr_fail(err, PR_ERR_MALFORMED, "instruction %u, %s: target %u is outside of the %u instructions", k,
                           pr_vm_opcode_name(i->opcode), i->imm, n);
    }
    pr_vm_opcode last = program->instructions[n - 1].opcode;
    if (goes_on(last))
        return pr_fail(err, PR_ERR_MALFORMED,
                       "the last instruction, %s, runs out of the program; end with HALT, JMP, CALL or RET",
                       pr_vm_opcode_name(last));
    return PR_OK;
}

void pr_vm_program_write(pr_writer *out, const pr_vm_program *program) {
    pr_write_u32(out, program->n_instructions);
    for (uint32_t k = 0; k < program->n_instructions; k++) pr_write_u64(out, pr_vm_encode(&program->instructions[k]));
    pr_write_u32(out, program->n_data);
    for (uint32_t k = 0; k < program->n_data; k++) pr_write_u32(out, program->data[k]);
}

static pr_status read_instructions(pr_vm_program *p, pr_reader *in, pr_error *err) {
    p->n_instructions = pr_read_u32(in);
    if (in->failed || p->n_instructions > PR_VM_MAX_PROGRAM)
        return pr_fail(err, PR_ERR_MALFORMED, "not a program: %u instructions", p->n_instructions);
    p->instructions = calloc(p->n_instructions + (size_t)1, sizeof *p->instructions);
    if (!p->instructions) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a program");
    for (uint32_t k = 0; k < p->n_instructions; k++) {
        uint64_t word = pr_read_u64(in);
        if (in->failed || !pr_vm_decode(&p->instructions[k], word))
            return pr_fail(err, PR_ERR_MALFORMED, "instruction %u: %016llx is no instruction", k,
                           (unsigned long long)word);
    }
    return PR_OK;
}

static pr_status read_data(pr_vm_program *p, pr_reader *in, pr_error *err) {
    p->n_data = pr_read_u32(in);
    if (in->failed || p->n_data > PR_VM_MAX_WORDS)
        return pr_fail(err, PR_ERR_MALFORMED, "not a program: %u words of data", p->n_data);
    p->data = calloc(p->n_data + (size_t)1, sizeof *p->data);
    if (!p->data) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a program");
    for (uint32_t k = 0; k < p->n_data; k++) p->data[k] = pr_read_u32(in);
    return in->failed ? pr_fail(err, PR_ERR_MALFORMED, "the program ends within its data") : PR_OK;
}

pr_status pr_vm_program_read(pr_vm_program *out, pr_reader *in, pr_error *err) {
    pr_vm_program p = {0};
    pr_status status = read_instructions(&p, in, err);
    if (status == PR_OK) status = read_data(&p, in, err);
    if (status == PR_OK) status = pr_vm_program_check(&p, err);
    if (status == PR_OK)
        *out = p;
    else
        pr_vm_program_clear(&p);
    return status;
}

pr_status pr_vm_program_digest(pr_hash *out, const pr_vm_program *program, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_vm_program_write(&w, program);
    pr_blake2s h;
    pr_blake2s_init_domain(&h, "proverun-vm-program/1");
    pr_blake2s_update(&h, w.data, w.size);
    *out = pr_blake2s_final(&h);
    bool failed = w.failed;
    pr_writer_clear(&w);
    return failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for a program") : PR_OK;
}

static pr_status read_binary(pr_vm_program *out, const uint8_t *data, size_t size, const char *name, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, data, size);
    pr_read_borrow(&r, strlen(PR_VM_MAGIC));
    pr_error cause = {0};
    pr_status status = pr_vm_program_read(out, &r, &cause);
    if (status != PR_OK) return pr_fail(err, status, "%s: %s", name, cause.text);
    if (pr_reader_done(&r)) return PR_OK;
    pr_vm_program_clear(out);
    return pr_fail(err, PR_ERR_MALFORMED, "%s: bytes behind the program's end", name);
}

pr_status pr_vm_program_parse(pr_vm_program *out, const uint8_t *data, size_t size, const char *name, pr_error *err) {
    size_t magic = strlen(PR_VM_MAGIC);
    if (size >= magic && memcmp(data, PR_VM_MAGIC, magic) == 0) return read_binary(out, data, size, name, err);
    return pr_vm_assemble(out, (const char *)data, size, name, err);
}

pr_status pr_vm_program_load(pr_vm_program *out, const char *path, pr_error *err) {
    uint8_t *data = NULL;
    size_t size = 0;
    pr_error cause = {0};
    pr_status status = pr_file_read(&data, &size, path, PR_VM_MAX_FILE, &cause);
    if (status != PR_OK) return pr_fail(err, status == PR_ERR_MEMORY ? status : PR_ERR_INPUT, "%s", cause.text);
    status = pr_vm_program_parse(out, data, size, path, err);
    free(data);
    return status;
}
