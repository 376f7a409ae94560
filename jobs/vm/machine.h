/* The interpreter. A machine runs one program on one list of inputs until it halts or traps.
 *
 *   pr_vm_machine machine;
 *   PR_TRY(pr_vm_machine_init(&machine, &program, inputs, n, err));
 *   PR_TRY(pr_vm_machine_run(&machine, max_steps, err));
 *   ... machine.end, pr_vm_machine_outputs ...
 *   pr_vm_machine_clear(&machine); */
#ifndef PR_JOBS_VM_MACHINE_H
#define PR_JOBS_VM_MACHINE_H
#include "vm/line.h"
#include "vm/memory.h"

typedef enum pr_vm_end {
    PR_VM_HALTED,
    PR_VM_DIVISION_BY_ZERO, /* the trap of DIV and MOD: the step is the last, its register stays as it was */
    PR_VM_ENDS,
    PR_VM_RUNNING = PR_VM_ENDS
} pr_vm_end;
const char *pr_vm_end_name(pr_vm_end end); /* "halted", "division by zero" */

/* Timestamps: step k (from 1) has 4k for its first register and for memory, 4k + 1 and 4k + 2 for the other registers.
 */
enum { PR_VM_TICKS = 4 };

/* What happened in one instruction; names of vm/line.h. */
typedef struct pr_vm_step {
    uint32_t number; /* from 1; an instruction that takes several steps has the first one's */
    uint16_t pc;
    bool trap;
    uint32_t next;                            /* pc afterwards; after the last step PR_VM_END_PC + how it ended */
    uint32_t a, s, c, m;                      /* rs1, rs2, the function's result, the memory's word */
    uint32_t old, written;                    /* rd before and after */
    uint32_t a_touched, s_touched, d_touched; /* timestamps of the accesses before these to the same registers */
} pr_vm_step;
enum { PR_VM_END_PC = 1 << 16 }; /* the pc of no instruction */

typedef struct pr_vm_access {
    uint32_t timestamp, address, value, old, touched;
    bool write;
} pr_vm_access;

/* One MATMUL, with its first step's timestamp and the pc behind it. */
typedef struct pr_vm_matmul {
    uint32_t timestamp, next;
    uint32_t a, b, d;              /* addresses */
    uint16_t rows, inner, columns; /* M, K, N */
    uint32_t first;                /* of its products */
} pr_vm_matmul;

/* One step of a MATMUL. */
typedef struct pr_vm_product {
    uint32_t matmul; /* its index */
    uint32_t x, y, sum;
} pr_vm_product;

/* One HASH, likewise. */
typedef struct pr_vm_hash {
    uint32_t timestamp, next;
    uint32_t a, d;  /* addresses */
    uint32_t n;     /* words */
    uint32_t first; /* of its blocks */
    uint32_t digest[8];
} pr_vm_hash;

/* One permutation of a HASH: its words, zeros behind the last, and the rest of the state. */
typedef struct pr_vm_block {
    uint32_t hash; /* its index */
    uint32_t words[4], capacity[8];
} pr_vm_block;

typedef struct pr_vm_machine {
    pr_vm_line *lines; /* [n_lines], owned */
    uint32_t n_lines;
    uint32_t pc, n_steps, max_steps;
    pr_vm_end end;
    uint32_t registers[PR_VM_REGISTERS], touched[PR_VM_REGISTERS]; /* values, timestamps */
    pr_vm_memory memory;
    bool records;      /* set before the run to keep the lists; owned */
    pr_vm_step *steps; /* [n_rows], one an instruction */
    size_t n_rows, steps_capacity;
    pr_vm_access *accesses; /* [n_accesses] */
    size_t n_accesses, accesses_capacity;
    pr_vm_matmul *matmuls; /* [n_matmuls] */
    size_t n_matmuls, matmuls_capacity;
    pr_vm_product *products; /* [n_products] */
    size_t n_products, products_capacity;
    pr_vm_hash *hashes; /* [n_hashes] */
    size_t n_hashes, hashes_capacity;
    pr_vm_block *blocks; /* [n_blocks] */
    size_t n_blocks, blocks_capacity;
} pr_vm_machine;

/* program: checked, not kept. PR_ERR_INPUT: more than PR_VM_MAX_WORDS inputs. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_machine_init(pr_vm_machine *machine, const pr_vm_program *program, const uint32_t *inputs,
                                           size_t n_inputs, pr_error *err);
void pr_vm_machine_clear(pr_vm_machine *machine);
/* One instruction; the machine is running. PR_ERR_INPUT: RET to a word that is no address of the program, or more than
 * max_steps steps. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_machine_step(pr_vm_machine *machine, pr_error *err);
/* To the end, setting max_steps, which is PR_VM_MAX_STEPS before. PR_ERR_INPUT: one of these. */
PR_MUST_CHECK pr_status pr_vm_machine_run(pr_vm_machine *machine, uint32_t max_steps, pr_error *err);
/* The words at PR_VM_OUTPUT: how many there are, then that many. PR_ERR_INPUT: more than PR_VM_MAX_WORDS. outputs:
 * [*n], the caller frees it. */
PR_MUST_CHECK pr_status pr_vm_machine_outputs(uint32_t **outputs, uint32_t *n, const pr_vm_machine *machine,
                                              pr_error *err);
#endif
