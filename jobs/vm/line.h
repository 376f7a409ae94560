/* A line of the program table: an instruction taken apart into what the machine does with it in one step. Interpreter,
 * program table and main component all work from it.
 *
 *   a = register rs1, s = register rs2, b = imm if IMMEDIATE, else s
 *   trap: DIVIDE and b = 0
 *   c = alu(a, b) unless there is none or a trap
 *   memory: LOAD reads at c, RET at a, STORE writes s at c, CALL writes the next pc at c; m is the word
 *   register rd becomes c (RESULT), m (LOAD), b (CONSTANT); otherwise, and after a trap, it stays
 *   MATMUL: matrices are multiplied from time 4k on (blocks.h), dimensions in imm LO, imm HI and target
 *   HASH: b words from address a on are hashed to the address in rd, which stays, from time 4k on
 *   pc becomes target (JUMP; JZ where c = 1, JNZ where c = 0: c is EQ of a and 0), m (RET), else pc + 1 */
#ifndef PR_JOBS_VM_LINE_H
#define PR_JOBS_VM_LINE_H
#include "vm/isa.h"

/* Functions of the arithmetic components. Opcodes that look alike share one. */
typedef enum pr_vm_alu {
    PR_VM_ALU_NONE,
    PR_VM_ALU_ADD,
    PR_VM_ALU_SUB,
    PR_VM_ALU_LT,
    PR_VM_ALU_GT,
    PR_VM_ALU_AND,
    PR_VM_ALU_OR,
    PR_VM_ALU_XOR,
    PR_VM_ALU_MUL,
    PR_VM_ALU_DIV,
    PR_VM_ALU_MOD,
    PR_VM_ALU_SHL,
    PR_VM_ALU_SHR,
    PR_VM_ALU_EQ,
    PR_VM_ALU_RELU,
    PR_VM_ALUS
} pr_vm_alu;

typedef enum pr_vm_flag {
    PR_VM_F_IMMEDIATE,
    PR_VM_F_ALU,
    PR_VM_F_RESULT,
    PR_VM_F_CONSTANT,
    PR_VM_F_LOAD,
    PR_VM_F_STORE,
    PR_VM_F_CALL,
    PR_VM_F_RET,
    PR_VM_F_JUMP,
    PR_VM_F_JZ,
    PR_VM_F_JNZ,
    PR_VM_F_DIVIDE,
    PR_VM_F_HALT,
    PR_VM_FLAGS,
    PR_VM_F_MATMUL = PR_VM_FLAGS, /* from here on, only programs that use them have these in their table */
    PR_VM_F_HASH,
    PR_VM_ALL_FLAGS
} pr_vm_flag;

typedef struct pr_vm_line {
    uint8_t rs1, rs2, rd, alu; /* pr_vm_alu */
    uint16_t flags;            /* bit pr_vm_flag */
    uint16_t target;
    uint32_t imm;
} pr_vm_line;

static inline bool pr_vm_line_has(const pr_vm_line *line, pr_vm_flag flag) { return line->flags >> flag & 1; }
static inline bool pr_vm_line_uses_memory(const pr_vm_line *line) {
    return line->flags & (1u << PR_VM_F_LOAD | 1u << PR_VM_F_STORE | 1u << PR_VM_F_CALL | 1u << PR_VM_F_RET);
}

/* Steps that an instruction takes, for its time. */
uint64_t pr_vm_line_steps(const pr_vm_line *line, uint32_t b);
/* Blocks that a HASH of n words takes. */
static inline uint32_t pr_vm_hash_blocks(uint32_t n) { return n ? n / 4 + (n % 4 != 0) : 1; }

pr_vm_line pr_vm_line_of(const pr_vm_instruction *instruction);

/* DIV and MOD: b is not 0. Shifts take the low five bits of b. Comparisons are unsigned and give 1 or 0. RELU is 0
 * of a with bit 31 set, else a. */
uint32_t pr_vm_alu_run(pr_vm_alu alu, uint32_t a, uint32_t b);
#endif
