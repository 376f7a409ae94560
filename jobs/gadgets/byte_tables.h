/* Operations on two bytes as lookups: one component of 2^16 rows, whose row a + 256 b holds the operands a and b and
 * the results of every operation that a job type uses, all of them preprocessed; its trace is one column of
 * multiplicities an operation. Whoever looks a tuple up has its operands and results proven to be bytes, and the
 * results right.
 *
 *   uint32_t relations[PR_BYTE_OPS];
 *   pr_byte_tables_declare(b, relations, ops, n_ops);        // before the components that look up
 *   ... components ...
 *   pr_byte_tables_add_component(b, relations, ops, n_ops);
 *
 * Read-only tables, no state: any thread. */
#ifndef PR_JOBS_GADGETS_BYTE_TABLES_H
#define PR_JOBS_GADGETS_BYTE_TABLES_H
#include "air/builder.h"

/* Tuples: the operands a, b, then the results. PAIR is the tuple of one value a + 256 b: a range check of 16 bits. */
typedef enum pr_byte_op {
    PR_BYTE_XOR,     /* a ^ b */
    PR_BYTE_XOR_4,   /* the low 4 bits of a ^ b, the high 4 */
    PR_BYTE_XOR_7,   /* the low 7 bits of a ^ b, the high one */
    PR_BYTE_AND,     /* a & b */
    PR_BYTE_AND_NOT, /* ~a & b */
    PR_BYTE_XOR_AND, /* a ^ b, a & b */
    PR_BYTE_PAIR,
    PR_BYTE_OPS
} pr_byte_op;

enum { PR_BYTE_LOG_ROWS = 16, PR_BYTE_ROWS = 1 << PR_BYTE_LOG_ROWS, PR_BYTE_MAX_RESULTS = 2 };

static inline uint32_t pr_byte_row(uint32_t a, uint32_t b) { return a | b << 8; }
static inline uint32_t pr_byte_n_results(pr_byte_op op) {
    return op == PR_BYTE_PAIR ? 0 : op == PR_BYTE_XOR_4 || op == PR_BYTE_XOR_7 || op == PR_BYTE_XOR_AND ? 2 : 1;
}
/* Result number which; a and b: uint32_t, or vectors of them. */
#define PR_BYTE_RESULT(op, which, a, b)                                                                                \
    ((op) == PR_BYTE_XOR || ((op) == PR_BYTE_XOR_AND && !(which)) ? (a) ^ (b)                                          \
     : (op) == PR_BYTE_XOR_4                                      ? ((which) ? ((a) ^ (b)) >> 4 : ((a) ^ (b)) & 15)    \
     : (op) == PR_BYTE_XOR_7                                      ? ((which) ? ((a) ^ (b)) >> 7 : ((a) ^ (b)) & 127)   \
     : (op) == PR_BYTE_AND_NOT                                    ? ~(a) & (b)                                         \
                                                                  : (a) & (b))

/* relations: [PR_BYTE_OPS], those of ops are set. */
PR_MUST_CHECK pr_status pr_byte_tables_declare(pr_air_builder *b, uint32_t *relations, const pr_byte_op *ops,
                                               uint32_t n_ops, pr_error *err);
void pr_byte_tables_add_component(pr_air_builder *b, const uint32_t *relations, const pr_byte_op *ops, uint32_t n_ops);
uint32_t pr_byte_tables_preprocessed(const pr_byte_op *ops, uint32_t n_ops); /* columns */
#endif
