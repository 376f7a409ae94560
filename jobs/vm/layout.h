/* Components, columns and relations of the VM, shared by its AIR and its trace. README.md tells them in words.
 *
 * A word of 32 bits is two columns of 16 bits, LO and HI, or four of 8 bits, lowest first. */
#ifndef PR_JOBS_VM_LAYOUT_H
#define PR_JOBS_VM_LAYOUT_H
#include "air/statement.h"
#include "poseidon2/poseidon2.h"
#include "vm/machine.h"

typedef enum pr_vm_component {
    PR_VM_MAIN,
    PR_VM_MEMORY,
    PR_VM_WORDS,
    PR_VM_REGISTER_FILE,
    PR_VM_PROGRAM,
    PR_VM_ADDITION,
    PR_VM_BITWISE,
    PR_VM_MULTIPLICATION,
    PR_VM_DIVISION,
    PR_VM_SHIFT,
    PR_VM_EQUALITY,
    PR_VM_RANGE16,
    PR_VM_RANGE10,
    PR_VM_BYTES,
    PR_VM_POWERS,
    PR_VM_RECTIFIER, /* RELU; from here on, only programs with the opcode have the component */
    PR_VM_PRODUCT,   /* MATMUL */
    PR_VM_SPONGE,    /* HASH, and the next */
    PR_VM_DIGEST,
    PR_VM_COMPONENTS
} pr_vm_component;

typedef enum pr_vm_relation {
    PR_VM_R_STATE,    /* timestamp, pc */
    PR_VM_R_LINE,     /* pc and what stands there: columns PC, RS1 .. FLAGS of main */
    PR_VM_R_REGISTER, /* number, value LO, HI, timestamp */
    PR_VM_R_ALU,      /* pr_vm_alu, a LO, HI, b LO, HI, c LO, HI */
    PR_VM_R_ACCESS,   /* timestamp, whether it writes, address LO, HI, word LO, HI */
    PR_VM_R_MEMORY,   /* address LO, HI, word LO, HI, timestamp */
    PR_VM_R_PUBLIC,   /* 0 first or 1 last, address LO, HI, word LO, HI */
    PR_VM_R_RANGE16,  /* a number of 16 bits */
    PR_VM_R_RANGE10,
    PR_VM_R_PAIR,  /* two of 8 bits */
    PR_VM_R_AND,   /* x, y, x and y, of 8 bits */
    PR_VM_R_POWER, /* s < 32, 2^s LO, HI */
    /* of programs with the opcode: timestamp, next pc, addresses a, b, d LO, HI, dimensions M, K, N */
    PR_VM_R_MATMUL,
    PR_VM_R_HASH,   /* timestamp, next pc, address a LO, HI, words LO, HI, address d LO, HI */
    PR_VM_R_DIGEST, /* timestamp, next pc, address d LO, HI, 8 elements */
    PR_VM_RELATIONS
} pr_vm_relation;

enum {
    PR_VM_MIN_LOG_ROWS = 4,
    PR_VM_LINE_VALUES = 8 + PR_VM_FLAGS, /* of R_LINE, without the extra flags */
    PR_VM_EXTRA_FLAGS = PR_VM_ALL_FLAGS - PR_VM_FLAGS,
    PR_VM_MOST_LINE_VALUES = PR_VM_LINE_VALUES + PR_VM_EXTRA_FLAGS,
    PR_VM_LOG_REGISTERS = 5
};

enum pr_vm_main_column {
    PR_VM_M_LIVE,
    PR_VM_M_TIME,
    PR_VM_M_NEXT,
    PR_VM_M_PC, /* from here to the last flag: a tuple of R_LINE */
    PR_VM_M_RS1,
    PR_VM_M_RS2,
    PR_VM_M_RD,
    PR_VM_M_IMM_LO,
    PR_VM_M_IMM_HI,
    PR_VM_M_TARGET,
    PR_VM_M_ALU,
    PR_VM_M_FLAGS,
    PR_VM_M_TRAP = PR_VM_M_FLAGS + PR_VM_FLAGS,
    PR_VM_M_A, /* words: LO, then HI */
    PR_VM_M_S = PR_VM_M_A + 2,
    PR_VM_M_B = PR_VM_M_S + 2,
    PR_VM_M_C = PR_VM_M_B + 2,
    PR_VM_M_M = PR_VM_M_C + 2,
    PR_VM_M_ADDRESS = PR_VM_M_M + 2,
    PR_VM_M_OLD = PR_VM_M_ADDRESS + 2,
    PR_VM_M_WRITTEN = PR_VM_M_OLD + 2,
    PR_VM_M_A_AGE = PR_VM_M_WRITTEN + 2, /* time since the access before, less 1: 16 bits, 8 bits */
    PR_VM_M_S_AGE = PR_VM_M_A_AGE + 2,
    PR_VM_M_D_AGE = PR_VM_M_S_AGE + 2,
    PR_VM_M_COLUMNS = PR_VM_M_D_AGE + 2, /* behind them: extra flags */
    PR_VM_M_MOST_COLUMNS = PR_VM_M_COLUMNS + PR_VM_EXTRA_FLAGS
};

enum pr_vm_memory_column {
    PR_VM_Y_LIVE,
    PR_VM_Y_TIME,
    PR_VM_Y_WRITES,
    PR_VM_Y_ADDRESS,
    PR_VM_Y_VALUE = PR_VM_Y_ADDRESS + 2,
    PR_VM_Y_OLD = PR_VM_Y_VALUE + 2,
    PR_VM_Y_AGE = PR_VM_Y_OLD + 2,
    PR_VM_Y_COLUMNS = PR_VM_Y_AGE + 2
};

enum pr_vm_words_column {
    PR_VM_W_LIVE,                        /* also read in the row before */
    PR_VM_W_ADDRESS,                     /* likewise */
    PR_VM_W_FIRST = PR_VM_W_ADDRESS + 2, /* the word when the machine starts */
    PR_VM_W_LAST = PR_VM_W_FIRST + 2,    /* and when it stops */
    PR_VM_W_TIME = PR_VM_W_LAST + 2,     /* of the last access */
    PR_VM_W_IS_INPUT,                    /* the first word is public */
    PR_VM_W_IS_OUTPUT,                   /* the last word is public */
    PR_VM_W_STEP,                        /* address less the one before, less 1 */
    PR_VM_W_BORROW = PR_VM_W_STEP + 2,
    PR_VM_W_COLUMNS
};

enum pr_vm_register_column { PR_VM_G_LAST, PR_VM_G_TIME = PR_VM_G_LAST + 2, PR_VM_G_COLUMNS };

enum pr_vm_addition_column {
    PR_VM_A_ADD,
    PR_VM_A_SUB,
    PR_VM_A_LT,
    PR_VM_A_GT,
    PR_VM_A_A,
    PR_VM_A_B = PR_VM_A_A + 2,
    PR_VM_A_SUM = PR_VM_A_B + 2, /* a + b, a - b or b - a */
    PR_VM_A_CARRY = PR_VM_A_SUM + 2,
    PR_VM_A_COLUMNS = PR_VM_A_CARRY + 2
};

enum pr_vm_bitwise_column {
    PR_VM_B_AND,
    PR_VM_B_OR,
    PR_VM_B_XOR,
    PR_VM_B_A, /* bytes */
    PR_VM_B_B = PR_VM_B_A + 4,
    PR_VM_B_BOTH = PR_VM_B_B + 4, /* a and b */
    PR_VM_B_COLUMNS = PR_VM_B_BOTH + 4
};

enum pr_vm_multiplication_column {
    PR_VM_P_LIVE,
    PR_VM_P_A, /* bytes */
    PR_VM_P_B = PR_VM_P_A + 4,
    PR_VM_P_C = PR_VM_P_B + 4,
    PR_VM_P_CARRY = PR_VM_P_C + 2,
    PR_VM_P_COLUMNS = PR_VM_P_CARRY + 2
};

enum pr_vm_division_column {
    PR_VM_D_DIV,
    PR_VM_D_MOD,
    PR_VM_D_A,
    PR_VM_D_B = PR_VM_D_A + 2,        /* bytes */
    PR_VM_D_QUOTIENT = PR_VM_D_B + 4, /* bytes */
    PR_VM_D_REST = PR_VM_D_QUOTIENT + 4,
    PR_VM_D_LACK = PR_VM_D_REST + 2, /* b - rest - 1 */
    PR_VM_D_CARRY = PR_VM_D_LACK + 2,
    PR_VM_D_BORROW,
    PR_VM_D_COLUMNS
};

enum pr_vm_shift_column {
    PR_VM_S_SHL,
    PR_VM_S_SHR,
    PR_VM_S_A,
    PR_VM_S_PLACES = PR_VM_S_A + 2, /* b mod 32 */
    PR_VM_S_ABOVE,                  /* the other 11 bits of b's LO */
    PR_VM_S_B_HI,
    PR_VM_S_POWER, /* 2^places */
    PR_VM_S_C = PR_VM_S_POWER + 2,
    PR_VM_S_COLUMNS = PR_VM_S_C + 2
};

enum pr_vm_equality_column {
    PR_VM_E_LIVE,
    PR_VM_E_A,
    PR_VM_E_B = PR_VM_E_A + 2,
    PR_VM_E_EQUAL = PR_VM_E_B + 2,
    PR_VM_E_INVERSE, /* of the difference of LO, or else of HI */
    PR_VM_E_COLUMNS = PR_VM_E_INVERSE + 2
};

enum pr_vm_rectifier_column {
    PR_VM_L_LIVE,
    PR_VM_L_A_LO,
    PR_VM_L_REST, /* a's HI without its highest bit */
    PR_VM_L_SIGN, /* which is this */
    PR_VM_L_COLUMNS
};

/* A step of MATMUL. The first columns are also read in the row before. */
enum pr_vm_product_column {
    PR_VM_X_LIVE,
    PR_VM_X_TIME,
    PR_VM_X_NEXT, /* from here to N: the same in all steps of a MATMUL */
    PR_VM_X_A,    /* addresses of the matrices */
    PR_VM_X_B = PR_VM_X_A + 2,
    PR_VM_X_D = PR_VM_X_B + 2,
    PR_VM_X_M = PR_VM_X_D + 2,
    PR_VM_X_K,
    PR_VM_X_N,
    PR_VM_X_I, /* the step's place */
    PR_VM_X_J,
    PR_VM_X_AT,    /* k */
    PR_VM_X_END_K, /* the sum is complete */
    PR_VM_X_END_J, /* and the row of the result */
    PR_VM_X_END_I, /* and all of it */
    PR_VM_X_SUM,
    PR_VM_X_MASKED = PR_VM_X_SUM + 2,
    PR_VM_X_FIRST = PR_VM_X_MASKED,
    PR_VM_X_X, /* bytes */
    PR_VM_X_Y = PR_VM_X_X + 4,
    PR_VM_X_CARRY = PR_VM_X_Y + 4,
    PR_VM_X_LOW = PR_VM_X_CARRY + 2,    /* LO of the addresses of x, y and the result's word */
    PR_VM_X_ABOVE = PR_VM_X_LOW + 3,    /* their carries into HI */
    PR_VM_X_AROUND = PR_VM_X_ABOVE + 3, /* and out of HI */
    PR_VM_X_COLUMNS = PR_VM_X_AROUND + 3
};

/* A block of HASH. The first columns are also read in the row before. */
enum pr_vm_sponge_column {
    PR_VM_H_LIVE,
    PR_VM_H_TIME,
    PR_VM_H_NEXT, /* from here to D: the same in all blocks of a HASH */
    PR_VM_H_D,
    PR_VM_H_ADDRESS = PR_VM_H_D + 2,    /* of the block's first word */
    PR_VM_H_LEFT = PR_VM_H_ADDRESS + 2, /* words from this block on */
    PR_VM_H_LAST,                       /* the last block */
    PR_VM_H_ABOVE_NEXT,                 /* carry into HI, for the next block's address */
    PR_VM_H_AROUND_NEXT,                /* and out of it */
    PR_VM_H_POWERS,                     /* fifth powers of the last round */
    PR_VM_H_MASKED = PR_VM_H_POWERS + 16,
    PR_VM_H_FIRST = PR_VM_H_MASKED,
    PR_VM_H_N_HI,                         /* of the words, in the first block */
    PR_VM_H_PRESENT,                      /* the block has this word */
    PR_VM_H_BLOCK = PR_VM_H_PRESENT + 4,  /* LO and HI of each word */
    PR_VM_H_CAPACITY = PR_VM_H_BLOCK + 8, /* elements 8 .. 15 of the state */
    PR_VM_H_ABOVE = PR_VM_H_CAPACITY + 8, /* carries into HI, for the addresses of words 1 .. 3 */
    PR_VM_H_AROUND = PR_VM_H_ABOVE + 3,
    PR_VM_H_PLAIN = PR_VM_H_AROUND + 3,
    PR_VM_H_PAIRS = PR_VM_H_PLAIN, /* each S-box's square and fifth power, of the last round the squares alone */
    PR_VM_H_LAST_SQUARES = PR_VM_H_PAIRS + 2 * PR_POSEIDON2_LAST_ROUND,
    PR_VM_H_COLUMNS = PR_VM_H_LAST_SQUARES + PR_POSEIDON2_WIDTH
};

enum pr_vm_digest_column {
    PR_VM_Z_LIVE,
    PR_VM_Z_TIME,
    PR_VM_Z_NEXT,
    PR_VM_Z_D,
    PR_VM_Z_WORDS = PR_VM_Z_D + 2,        /* LO, HI of each */
    PR_VM_Z_INVERSE = PR_VM_Z_WORDS + 16, /* of 0x7fff - HI + 0xffff - LO: a word is not p */
    PR_VM_Z_ABOVE = PR_VM_Z_INVERSE + 8,  /* carries into HI, for the addresses of words 1 .. 7 */
    PR_VM_Z_AROUND = PR_VM_Z_ABOVE + 7,
    PR_VM_Z_COLUMNS = PR_VM_Z_AROUND + 7
};

/* Tables of multiplicities. */
enum { PR_VM_T_COLUMNS = 1, PR_VM_BYTES_AND = 0, PR_VM_BYTES_PAIR, PR_VM_BYTES_COLUMNS };

/* What is public about a run, and the sizes of the components, which follow from the run but not from this. */
typedef struct pr_vm_public {
    pr_vm_program program; /* owned, like the other arrays */
    uint32_t n_inputs, n_outputs;
    uint32_t *inputs, *outputs;
    uint32_t n_steps;
    pr_vm_end end;
    uint8_t log_rows[PR_VM_COMPONENTS]; /* 0: the program does not use it, so there is none */
} pr_vm_public;

void pr_vm_public_clear(pr_vm_public *statement);
/* Sizes of program and tables, and of main unless some instruction takes several steps: they follow from the rest. */
void pr_vm_public_set_sizes(pr_vm_public *statement);
static inline bool pr_vm_has(const pr_vm_public *s, pr_vm_component component) { return s->log_rows[component] != 0; }
/* The component with an index in the AIR, which leaves out what there is not. */
pr_vm_component pr_vm_component_at(const pr_vm_public *statement, uint32_t index);
/* The extra flags that the program uses; how many. */
uint32_t pr_vm_extra_flags(pr_vm_flag out[PR_VM_EXTRA_FLAGS], const pr_vm_program *program);
/* log2 of the rows that n items need. */
uint8_t pr_vm_log_rows(uint64_t n);

/* Encoding in docs/statement.md. PR_ERR_MALFORMED, PR_ERR_MEMORY. */
void pr_vm_public_write(pr_writer *out, const pr_vm_public *statement);
PR_MUST_CHECK pr_status pr_vm_public_read(pr_vm_public *out, const void *data, size_t size, pr_error *err);

PR_MUST_CHECK pr_status pr_vm_air(pr_air **out, const pr_vm_public *statement, pr_error *err);
/* The public terms that go with that AIR: start and end, inputs and data, outputs. */
PR_MUST_CHECK pr_status pr_vm_public_terms(pr_statement *st, const pr_vm_public *statement, pr_error *err);

/* values: [PR_VM_MOST_LINE_VALUES], the tuple of R_LINE in a program with those extra flags. */
void pr_vm_line_values(pr_m31 *values, uint32_t pc, const pr_vm_line *line, const pr_vm_flag *extra, uint32_t n_extra);
#endif
