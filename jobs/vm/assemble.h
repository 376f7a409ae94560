/* The assembler, two passes over the text, and the disassembler, whose text assembles to the same program.
 *
 *   ; sums the inputs                   a comment goes to the end of the line
 *   .equ   STEP, 1                      a name for a number
 *           LOADIMM r1, INPUT           numbers: 12, -3, 0x1f, names, labels; NAME+4, NAME-4
 *           LOAD    r2, r1              LOAD rd, rs1 [, number]: rd = memory[rs1 + number]
 *   next:   ADD     r1, r1, STEP        the last operand is a register or a number
 *           JNZ     r2, next
 *           MATMUL  r1, r2, r3, 1, 64, 16   MATMUL rd, rs1, rs2, rows, inner, columns
 *           HASH    r4, r1, 16              HASH rd, rs1, words
 *           HALT
 *   table:  .word   1, 2, 0xffffffff    data, from DATA on; a label before it is its address
 *
 * Registers are r0 .. r31; sp is r31. INPUT, OUTPUT and DATA are names. Mnemonics and registers in either case, names
 * exactly. Execution starts at the first instruction. */
#ifndef PR_JOBS_VM_ASSEMBLE_H
#define PR_JOBS_VM_ASSEMBLE_H
#include "vm/isa.h"

/* text: [size], any bytes. PR_ERR_MALFORMED: "file:line:column: text"; name is the file's. */
PR_MUST_CHECK pr_status pr_vm_assemble(pr_vm_program *out, const char *text, size_t size, const char *name,
                                       pr_error *err);
void pr_vm_disassemble(pr_writer *out, const pr_vm_program *program);
/* One instruction, no line end; a target as a number. */
void pr_vm_write_instruction(pr_writer *out, const pr_vm_instruction *instruction);
#endif
