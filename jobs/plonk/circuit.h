/* Arithmetic circuits over M31, read from a text file: one thing a line, `#` begins a comment.
 *
 *   public NAME        an input whose value is part of the statement
 *   secret NAME        an input that only the prover knows
 *   NAME = A + B       a gate; A and B are names of earlier lines, or numbers below 2^31 - 1
 *   NAME = A * B
 *   A == B             must be equal
 *   output NAME        its value is part of the statement
 *
 * A name begins with a letter or _, goes on with letters, digits and _, and is given once. A circuit is wires, numbered
 * as they come up (a number is a wire of its own), and rows: a gate each, and one for each secret input and equality.
 */
#ifndef PR_JOBS_PLONK_CIRCUIT_H
#define PR_JOBS_PLONK_CIRCUIT_H
#include "base/bytes.h"
#include "field/m31.h"
#include "plonk/values.h"

enum { PR_PLONK_MAX_ROWS = 1 << 18, PR_PLONK_MAX_NAME = 64 };

typedef enum pr_plonk_kind {
    PR_PLONK_ADD,
    PR_PLONK_MUL,
    PR_PLONK_EQUAL,
    PR_PLONK_SECRET,
    PR_PLONK_KINDS
} pr_plonk_kind;

typedef struct pr_plonk_row {
    pr_plonk_kind kind;
    uint32_t a, b, c; /* wires; 0 where the kind has none */
} pr_plonk_row;

/* A wire whose value the statement has: a public input or a number, which defines it, or an output, which reads it. */
typedef struct pr_plonk_pin {
    uint32_t wire;
    pr_m31 value;
} pr_plonk_pin;

typedef struct pr_plonk_circuit {
    uint32_t n_wires, n_rows, n_inputs, n_outputs;
    pr_plonk_row *rows;    /* [n_rows], owned */
    pr_plonk_pin *inputs;  /* [n_inputs] numbers and public inputs, in the order of their wires, owned */
    pr_plonk_pin *outputs; /* [n_outputs], owned */
} pr_plonk_circuit;

/* text: [size] and a final 0. values: what inputs are. Puts the values of all wires, [n_wires], which the caller frees.
 * PR_ERR_INPUT: "PATH:LINE: ..." for whatever is wrong with a line, or an input without a value; or ordered values are
 * left over. */
PR_MUST_CHECK pr_status pr_plonk_circuit_parse(pr_plonk_circuit *out, pr_m31 **wires, const char *text,
                                               const char *path, pr_plonk_values *values, pr_error *err);
void pr_plonk_circuit_clear(pr_plonk_circuit *c);

/* How often each wire is read, by rows and outputs; [n_wires], the caller frees; NULL: out of memory. */
uint32_t *pr_plonk_circuit_uses(const pr_plonk_circuit *c);

/* Canonical bytes (README.md). */
void pr_plonk_circuit_write(pr_writer *out, const pr_plonk_circuit *c);
/* PR_ERR_MALFORMED: cut off, or no circuit: each wire defined once, by an input or a row. */
PR_MUST_CHECK pr_status pr_plonk_circuit_read(pr_plonk_circuit *out, const void *data, size_t size, pr_error *err);
#endif
