/* Words of 32 bits in rows of a trace, as values: the vocabulary of words_air.h, PR_WORDS_LANES rows at a time (16 when
 * not defined). A scribe writes each new column into its strip and counts what is looked up.
 *
 * Tests define PR_WORDS_LIES: a scribe then tells one lie, and computes everything behind it honestly. */
#ifndef PR_JOBS_GADGETS_WORDS_ROWS_H
#define PR_JOBS_GADGETS_WORDS_ROWS_H
#include "gadgets/byte_tables.h"

#ifndef PR_WORDS_LANES
#define PR_WORDS_LANES 16
#endif
typedef uint32_t cell __attribute__((vector_size(4 * PR_WORDS_LANES)));
typedef cell given;

typedef struct scribe {
    uint32_t (*strip)[PR_WORDS_LANES]; /* [columns][lane], or NULL: nothing is written */
    uint32_t **counts;                 /* [PR_BYTE_OPS] of PR_BYTE_ROWS each, or NULL: nothing is counted */
    unsigned n_lanes;                  /* those that count; the rest is left out */
    uint32_t n_columns;                /* written so far */
#ifdef PR_WORDS_LIES
    uint32_t lie_column, lie; /* what is added to the cell of this column */
#endif
} scribe;

#define PR_WORDS_PLACE(s, ...) ((void)(s))

static inline cell put(scribe *s, cell x) {
#ifdef PR_WORDS_LIES
    if (s->n_columns == s->lie_column) x += s->lie;
#endif
    if (s->strip) *(cell *)s->strip[s->n_columns] = x;
    s->n_columns++;
    return x;
}

static inline cell cell_scaled(scribe *s, cell x, uint32_t factor) {
    (void)s;
    return x * factor;
}
static inline cell cell_sum(scribe *s, cell x, cell y) {
    (void)s;
    return x + y;
}
static inline cell cell_of(scribe *s, given word, unsigned shift, unsigned bits) {
    return put(s, word >> shift & (UINT32_MAX >> (32 - bits)));
}

#include "gadgets/words.h"

/* The carry out of the low half, given its result. A false result leaves a false carry: (sum - result) / 2^16 mod p. */
static inline cell carry_of_low(cell sum, cell b0, cell b1) {
#ifdef PR_WORDS_LIES
    return (sum >> 16) + ((sum & 0xffff) - b0 - 256 * b1) * 32768;
#else
    (void)b0, (void)b1;
    return sum >> 16;
#endif
}

static inline word_bytes bytes_sum(scribe *s, const char *name, const word_halves *terms, uint32_t n) {
    word_bytes result;
    cell lo = terms[0].lo, hi = terms[0].hi;
    (void)name;
    for (uint32_t k = 1; k < n; k++) lo += terms[k].lo, hi += terms[k].hi;
    result.b[0] = put(s, lo & 255);
    result.b[1] = put(s, lo >> 8 & 255);
    hi += carry_of_low(lo, result.b[0], result.b[1]);
    result.b[2] = put(s, hi & 255);
    result.b[3] = put(s, hi >> 8 & 255);
    return result;
}

/* Adds 1 to the table's row in each lane for which is_true holds: false tuples are in no row. */
static inline void count_rows(scribe *s, pr_byte_op op, cell row, cell is_true) {
    if (!s->counts) return;
    uint32_t *counts = s->counts[op];
    for (unsigned i = 0; i < s->n_lanes; i++)
        if (is_true[i] && row[i] < PR_BYTE_ROWS) counts[row[i]]++;
}

static inline void look_up(scribe *s, pr_byte_op op, cell x, cell y, cell *results) {
    uint32_t n = pr_byte_n_results(op);
    cell is_true = ~(x ^ x);
    for (uint32_t k = 0; k < n; k++) {
        cell right = PR_BYTE_RESULT(op, k, x, y);
        results[k] = put(s, right);
#ifdef PR_WORDS_LIES
        is_true &= (cell)(results[k] == right) & (cell)(x < 256) & (cell)(y < 256);
#endif
    }
    count_rows(s, op, x | y << 8, is_true);
}

static inline void pairs_checked(scribe *s, word_halves x) {
    cell all = ~(x.lo ^ x.lo);
    count_rows(s, PR_BYTE_PAIR, x.lo, all);
    count_rows(s, PR_BYTE_PAIR, x.hi, all);
}

#include "gadgets/words_bytes.h"
#endif
