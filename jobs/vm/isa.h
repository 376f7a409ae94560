/* The instruction set of the Obelysk VM: 32 registers of 32 bits, a memory of 2^32 words of 32 bits, arithmetic modulo
 * 2^32. docs/decisions/0004-vm.md tells why it is as it is; README.md has each instruction's meaning.
 *
 * An instruction is 64 bits: opcode (8), rd (5), rs1 (5), rs2 (5), whether the second operand is the immediate (1),
 * zeros (8), immediate (32), lowest bits first. Fields that an opcode does not use are zero: an instruction has one
 * encoding. */
#ifndef PR_JOBS_VM_ISA_H
#define PR_JOBS_VM_ISA_H
#include "base/bytes.h"
#include "hash/blake2s.h"

enum {
    PR_VM_REGISTERS = 32,
    PR_VM_STACK = 31,                /* the register that CALL and RET use as stack pointer */
    PR_VM_MAX_PROGRAM = 65535,       /* instructions: an address after the last one still is 16 bits */
    PR_VM_MAX_WORDS = 1 << 20,       /* of a program's data, of inputs, of outputs, each */
    PR_VM_MAX_STEPS = (1 << 22) - 2, /* four times as many fit a timestamp of 24 bits */
    PR_VM_DIMENSIONS = 3,            /* of MATMUL */
    PR_VM_MAX_DIMENSION = 1023
};
#define PR_VM_DATA 0x20000000u   /* where the words of .word are */
#define PR_VM_INPUT 0x40000000u  /* how many inputs there are, then the inputs */
#define PR_VM_OUTPUT 0x80000000u /* how many outputs there are, then the outputs, when the machine stops */

typedef enum pr_vm_opcode {
    PR_VM_NOP,
    PR_VM_HALT,
    PR_VM_LOADIMM,
    PR_VM_LOAD,
    PR_VM_STORE,
    PR_VM_ADD,
    PR_VM_SUB,
    PR_VM_MUL,
    PR_VM_DIV,
    PR_VM_MOD,
    PR_VM_AND,
    PR_VM_OR,
    PR_VM_XOR,
    PR_VM_NOT,
    PR_VM_SHL,
    PR_VM_SHR,
    PR_VM_EQ,
    PR_VM_LT,
    PR_VM_GT,
    PR_VM_JMP,
    PR_VM_JZ,
    PR_VM_JNZ,
    PR_VM_CALL,
    PR_VM_RET,
    PR_VM_RELU,
    PR_VM_MATMUL,
    PR_VM_HASH,
    PR_VM_OPCODES
} pr_vm_opcode;

/* What stands behind the mnemonic. */
typedef enum pr_vm_form {
    PR_VM_FORM_NONE,
    PR_VM_FORM_CONSTANT, /* rd, number */
    PR_VM_FORM_LOAD,     /* rd, rs1 [, number] */
    PR_VM_FORM_STORE,    /* rs2, rs1 [, number] */
    PR_VM_FORM_BINARY,   /* rd, rs1, rs2 or number */
    PR_VM_FORM_UNARY,    /* rd, rs1 */
    PR_VM_FORM_JUMP,     /* target */
    PR_VM_FORM_BRANCH,   /* rs1, target */
    PR_VM_FORM_MATMUL    /* rd, rs1, rs2, three dimensions */
} pr_vm_form;

typedef struct pr_vm_instruction {
    uint8_t opcode; /* pr_vm_opcode */
    uint8_t rd, rs1, rs2;
    bool immediate; /* BINARY: the second operand is imm */
    uint32_t imm;   /* number, target or dimensions */
} pr_vm_instruction;

const char *pr_vm_opcode_name(pr_vm_opcode opcode); /* upper case */
pr_vm_form pr_vm_opcode_form(pr_vm_opcode opcode);
/* An opcode's number by its name, either case; -1 when there is none. */
int pr_vm_opcode_find(const char *name, size_t length);

/* The dimensions of MATMUL: rows of the first matrix, its columns, columns of the second, 1 .. PR_VM_MAX_DIMENSION; 10
 * bits of imm each, lowest first, and two zeros. */
uint32_t pr_vm_dimension(const pr_vm_instruction *instruction, unsigned which);
void pr_vm_set_dimension(pr_vm_instruction *instruction, unsigned which, uint32_t value);

uint64_t pr_vm_encode(const pr_vm_instruction *instruction);
/* false: no such opcode, or a field that should be zero is not. */
bool pr_vm_decode(pr_vm_instruction *out, uint64_t word);

typedef struct pr_vm_program {
    uint32_t n_instructions, n_data;
    pr_vm_instruction *instructions; /* owned */
    uint32_t *data;                  /* memory from PR_VM_DATA on; owned */
} pr_vm_program;

void pr_vm_program_clear(pr_vm_program *program);
/* Whether an instruction of the program, run or not, has the opcode. */
bool pr_vm_program_has(const pr_vm_program *program, pr_vm_opcode opcode);
/* At least one instruction, no target outside, and the last one never goes on to what would follow it: PR_ERR_MALFORMED
 * says which is wrong. */
PR_MUST_CHECK pr_status pr_vm_program_check(const pr_vm_program *program, pr_error *err);
/* u32 count, u64 instructions; u32 count, u32 data. */
void pr_vm_program_write(pr_writer *out, const pr_vm_program *program);
/* Checked. PR_ERR_MALFORMED, PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_program_read(pr_vm_program *out, pr_reader *in, pr_error *err);
/* BLAKE2s-256 in the domain "proverun-vm-program/1" of what pr_vm_program_write writes. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_program_digest(pr_hash *out, const pr_vm_program *program, pr_error *err);

/* A program file is either assembler text (assemble.h) or binary: the 8 bytes of PR_VM_MAGIC, then what
 * pr_vm_program_write writes, and nothing more. PR_ERR_INPUT: unreadable; PR_ERR_MALFORMED: with its place. */
#define PR_VM_MAGIC "obelysk1"
PR_MUST_CHECK pr_status pr_vm_program_load(pr_vm_program *out, const char *path, pr_error *err);
/* The same of such a file's bytes; name is the file's. */
PR_MUST_CHECK pr_status pr_vm_program_parse(pr_vm_program *out, const uint8_t *data, size_t size, const char *name,
                                            pr_error *err);
enum { PR_VM_MAX_FILE = 64 << 20 }; /* bytes of a program's or an input's file */
#endif
