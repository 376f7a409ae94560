/* Words of 32 bits in rows of a trace, as values: the vocabulary of words_air.h, PR_WORDS_LANES rows at a time (16 when
 * not defined). A scribe writes each new column into its strip and counts what is looked up.
 *
 * Tests define PR_WORDS_LIES: a scribe then tells lies, and computes everything behind them honestly; cells are
 * elements of the field and sums are those of the field, for what follows from a lie may be no small number. */
#ifndef PR_JOBS_GADGETS_WORDS_ROWS_H
#define PR_JOBS_GADGETS_WORDS_ROWS_H
#include "gadgets/byte_tables.h"
#include "gadgets/split_tables.h"

#ifndef PR_WORDS_LANES
#define PR_WORDS_LANES 16
#endif
typedef uint32_t cell __attribute__((vector_size(4 * PR_WORDS_LANES)));
typedef cell given;

#ifdef PR_WORDS_LIES
typedef struct word_lie {
    uint32_t column;
    pr_m31 amount; /* added to its cell */
} word_lie;
#endif

typedef struct scribe {
    uint32_t (*strip)[PR_WORDS_LANES]; /* [columns][lane], or NULL: nothing is written */
    /* [PR_BYTE_OPS + PR_SPLITS]: rows of each table, or NULL; or NULL: nothing is counted */
    uint32_t **counts;
    unsigned n_lanes;   /* those that count; the rest is left out */
    uint32_t n_columns; /* written so far */
#ifdef PR_WORDS_LIES
    const word_lie *lies;
    unsigned n_lies;
#endif
} scribe;

#define PR_WORDS_PLACE(s, ...) ((void)(s))

static inline cell put(scribe *s, cell x) {
#ifdef PR_WORDS_LIES
    for (unsigned k = 0; k < s->n_lies; k++)
        if (s->n_columns == s->lies[k].column) x[0] = pr_m31_add(x[0], s->lies[k].amount);
#endif
    if (s->strip) *(cell *)s->strip[s->n_columns] = x;
    s->n_columns++;
    return x;
}

static inline cell cell_scaled(scribe *s, cell x, uint32_t factor) {
    (void)s;
#ifdef PR_WORDS_LIES
    return (cell){pr_m31_mul(x[0], factor)};
#else
    return x * factor;
#endif
}
static inline cell cell_sum(scribe *s, cell x, cell y) {
    (void)s;
#ifdef PR_WORDS_LIES
    return (cell){pr_m31_add(x[0], y[0])};
#else
    return x + y;
#endif
}
static inline cell cell_zero(scribe *s) {
    (void)s;
    return (cell){0};
}
static inline cell cell_of(scribe *s, given word, unsigned shift, unsigned bits) {
    return put(s, word >> shift & (UINT32_MAX >> (32 - bits)));
}

#include "gadgets/words.h"

/* The carry out of a half, given its result: what the constraints take for it, even if the result is false. */
static inline cell carry_of(cell sum, cell result) {
#ifdef PR_WORDS_LIES
    return (cell){pr_m31_mul(pr_m31_sub(sum[0], result[0]), 1u << 15)};
#else
    (void)result;
    return sum >> 16;
#endif
}

static inline word_bytes bytes_sum(scribe *s, const char *name, const word_halves *terms, uint32_t n) {
    word_bytes result = {0};
    word_halves sum = halves_added(s, terms, n);
    (void)name;
    result.b[0] = put(s, sum.lo & 255);
    result.b[1] = put(s, sum.lo >> 8 & 255);
    sum.hi = cell_sum(s, sum.hi, carry_of(sum.lo, halves_of_bytes(s, result).lo));
    result.b[2] = put(s, sum.hi & 255);
    result.b[3] = put(s, sum.hi >> 8 & 255);
    return result;
}

/* Adds 1 to the table's row in each lane for which is_true holds: false tuples are in no row. */
static inline void count_rows(scribe *s, uint32_t table, uint32_t n_rows, cell row, cell is_true) {
    uint32_t *counts = s->counts ? s->counts[table] : NULL;
    if (!counts) return;
    for (unsigned i = 0; i < s->n_lanes; i++)
        if (is_true[i] && row[i] < n_rows) counts[row[i]]++;
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
    count_rows(s, op, PR_BYTE_ROWS, x | y << 8, is_true);
}

static inline void pairs_checked(scribe *s, word_halves x) {
    cell all = ~(x.lo ^ x.lo);
    count_rows(s, PR_BYTE_PAIR, PR_BYTE_ROWS, x.lo, all);
    count_rows(s, PR_BYTE_PAIR, PR_BYTE_ROWS, x.hi, all);
}

/* Puts the parts of byte k of a word of halves. */
static inline void put_parts(scribe *s, word_parts *x, unsigned k, cell byte) {
    cell is_true = ~(byte ^ byte), row = byte ^ byte;
    for (unsigned i = 0; i < PR_SPLIT_PARTS; i++) {
        const unsigned at = pr_split_at(x->split, i), bits = pr_split_bits(x->split, i);
        x->part[k][i] = put(s, byte >> at & ((1u << bits) - 1));
        row += x->part[k][i] << at;
#ifdef PR_WORDS_LIES
        is_true &= (cell)(x->part[k][i] < 1u << bits);
#endif
    }
    count_rows(s, PR_BYTE_OPS + x->split, PR_SPLIT_ROWS, row, is_true);
}

static inline word_parts parts_of_given(scribe *s, pr_split split, given word) {
    word_parts x = {.split = split};
    for (unsigned k = 0; k < 4; k++) put_parts(s, &x, k, word >> 8 * k & 255);
    return x;
}

/* Puts the thirds of both carries. hi: the high half's sum with the carry from below. */
static inline void put_thirds(scribe *s, cell carry, cell hi, cell result) {
    put(s, carry / 3);
    put(s, carry_of(hi, result) / 3);
}

static inline word_parts parts_summed(scribe *s, const char *name, pr_split split, word_halves sum) {
    word_parts x = {.split = split};
    (void)name;
    put_parts(s, &x, 0, sum.lo & 255);
    put_parts(s, &x, 1, sum.lo >> 8 & 255);
    cell carry = carry_of(sum.lo, halves_of_bytes(s, bytes_of_parts(s, &x)).lo), hi = cell_sum(s, sum.hi, carry);
    put_parts(s, &x, 2, hi & 255);
    put_parts(s, &x, 3, hi >> 8 & 255);
    put_thirds(s, carry, hi, halves_of_bytes(s, bytes_of_parts(s, &x)).hi);
    return x;
}

static inline word_halves halves_sum(scribe *s, const char *name, const word_halves terms[2]) {
    word_halves x, sum = halves_added(s, terms, 2);
    (void)name;
    x.lo = put(s, sum.lo & 0xffff);
    x.hi = put(s, cell_sum(s, sum.hi, carry_of(sum.lo, x.lo)) & 0xffff);
    return x;
}

static inline word_halves halves_summed(scribe *s, const char *name, word_halves sum) {
    word_halves x;
    (void)name;
    x.lo = put(s, sum.lo & 0xffff);
    cell carry = carry_of(sum.lo, x.lo), hi = cell_sum(s, sum.hi, carry);
    x.hi = put(s, hi & 0xffff);
    put_thirds(s, carry, hi, x.hi);
    pairs_checked(s, x);
    return x;
}

#include "gadgets/words_bytes.h"
#endif
