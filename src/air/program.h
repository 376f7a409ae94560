/* The lowered form of a component's constraints: a compact program that every evaluator runs: the verifier (one row
 * over QM31), the checker (one row over M31), the CPU and CUDA backends (blocks of rows over M31).
 *
 * Instructions are 8 bytes. Operands share one 16-bit space:
 *   [0, n_slots)                      slots, reused by liveness
 *   [n_slots, n_slots + n_inputs)     inputs: a column at one of its mask offsets, or a preprocessed column
 * Constants are addressed only by the *_CONST operations (index into constants[]).
 *
 * A lookup is  LOOKUP dst=n_values a=relation b=multiplicity operand, followed by ceil(n_values / 3) ARG words, each
 * with up to three value operands in dst, a, b. LOOKUPs accumulate a fraction num/den over QM31: the first of a batch
 * sets it, each further one combines (num*d + n*den, den*d). BATCH_END a=batch closes it: constraint n_constraints +
 * batch of the component. Ternary operations take their third operand c from the ARG word behind them (its a). Values
 * of CONSTRAINT instructions that stand together (up to four in a row) may be accumulated together: their operands stay
 * live until the last of the run. dst may be the very slot of an operand of the same instruction: evaluate
 * element by element. */
#ifndef PR_AIR_PROGRAM_H
#define PR_AIR_PROGRAM_H
#include "air/air.h"
#include "base/bytes.h"

typedef enum pr_op {
    PR_OP_ADD,        /* dst = a + b */
    PR_OP_SUB,        /* dst = a - b */
    PR_OP_MUL,        /* dst = a * b */
    PR_OP_NEG,        /* dst = -a */
    PR_OP_CONST,      /* dst = constants[a] */
    PR_OP_ADD_CONST,  /* dst = a + constants[b] */
    PR_OP_SUB_CONST,  /* dst = a - constants[b] */
    PR_OP_CONST_SUB,  /* dst = constants[b] - a */
    PR_OP_MUL_CONST,  /* dst = a * constants[b] */
    PR_OP_SQUARE,     /* dst = a * a */
    PR_OP_ADD_ADD,    /* dst = a + b + c */
    PR_OP_SUB_SUB,    /* dst = a - b - c */
    PR_OP_MUL_ADD,    /* dst = a * b + c */
    PR_OP_MUL_SUB,    /* dst = a * b - c */
    PR_OP_SUB_MUL,    /* dst = c - a * b */
    PR_OP_ARG,        /* operands of the instruction before */
    PR_OP_CONSTRAINT, /* a: operand; b: the component's constraint number it is the value of */
    PR_OP_LOOKUP,
    PR_OP_BATCH_END,
    PR_OP_COUNT
} pr_op;

typedef struct pr_insn {
    uint16_t op, dst, a, b;
} pr_insn;
_Static_assert(sizeof(pr_insn) == 8, "instructions are 8 bytes");

/* Words that an instruction takes together with the ARGs behind it. */
static inline uint32_t pr_insn_length(const pr_insn *insn) {
    if (insn->op == PR_OP_LOOKUP) return 1 + (insn->dst + 2u) / 3;
    return insn->op >= PR_OP_ADD_ADD && insn->op <= PR_OP_SUB_MUL ? 2 : 1;
}

typedef struct pr_input {
    uint32_t is_preprocessed; /* 0: trace column of this component, 1: preprocessed column */
    uint32_t column;          /* index within the component, or of the preprocessed column */
    int32_t offset;           /* rows */
    uint32_t offset_index;    /* which of the column's samples; 0 for preprocessed */
} pr_input;

typedef struct pr_program {
    uint32_t n_slots, n_inputs, n_constants, n_insns;
    uint32_t n_constraints, n_batches; /* of the component */
    pr_input *inputs;
    pr_m31 *constants;
    pr_insn *insns;
} pr_program;

typedef enum pr_program_kind {
    PR_PROGRAM_FULL,
    PR_PROGRAM_LOOKUPS, /* only what fractions need, no CONSTRAINT */
    PR_PROGRAM_DERIVE   /* values of the component's derived columns: CONSTRAINT k is that of the k-th of them; its
                           inputs are given columns, and preprocessed ones */
} pr_program_kind;

/* Of a validated component. Common subexpressions are computed once, constants folded, unused nodes dropped. Inputs
 * stand in the order of their first use. PR_ERR_REFUSED naming the component when something does not fit 16 bits. */
PR_MUST_CHECK pr_status pr_program_lower(pr_program *out, const pr_air_component *component, pr_program_kind kind,
                                         pr_error *err);
void pr_program_clear(pr_program *program);
/* Disassembly, a line an instruction; writer owned by the caller. */
void pr_program_disassemble(pr_writer *out, const pr_program *program);
#endif
