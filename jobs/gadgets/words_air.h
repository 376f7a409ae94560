/* Words of 32 bits in a row, as constraints. The same names as words_rows.h, which gives them as values: what a row
 * computes is written once against this vocabulary, in a header that is included behind either.
 *
 * - cell: the value of a column, or an expression over columns; given: a word that the trace knows and the AIR does not
 * - word_halves, word_bytes: a word as 16 + 16 or 8 + 8 + 8 + 8 bits, the lowest first
 * - cell_of(s, given, shift, bits), halves_of_given, bytes_of_given: new columns; no constraint says what they hold
 * - halves_of_bytes, bytes_rotated(x, n): the word turned right by 8 n bits; nothing new
 * - bytes_sum(s, name, terms, n): new columns for the sum of 2 or 3 words modulo 2^32. Its four cells must be looked up
 *   as bytes by the caller, and the terms must be words
 * - bytes_operation(s, op, x, y): new columns for op of each pair of bytes, one result an operation
 * - bytes_xor_rotated(s, op, x, y, n): op splits its result; the whole is turned right by that many bits and 8 n more
 * - pairs_checked(s, x): both halves are looked up as 16 bits
 *
 * A carry needs no column: it is (sum of the terms - result) / 2^16, and a polynomial says that it is 0, 1 or 2. */
#ifndef PR_JOBS_GADGETS_WORDS_AIR_H
#define PR_JOBS_GADGETS_WORDS_AIR_H
#include <stdio.h>
#include "gadgets/byte_tables.h"

typedef pr_expr cell;
typedef struct given {
    char unknown;
} given;

typedef struct scribe {
    pr_air_builder *b;
    const uint32_t *relations; /* of byte operations */
    char place[48];            /* put before the names of constraints */
} scribe;

#define PR_WORDS_PLACE(s, ...) snprintf((s)->place, sizeof(s)->place, __VA_ARGS__)

static inline cell cell_scaled(scribe *s, cell x, uint32_t factor) { return pr_mul(s->b, pr_const(s->b, factor), x); }
static inline cell cell_sum(scribe *s, cell x, cell y) { return pr_add(s->b, x, y); }
static inline cell cell_of(scribe *s, given unused, unsigned shift, unsigned bits) {
    (void)unused, (void)shift, (void)bits;
    return pr_air_add_column(s->b, 0);
}

#include "gadgets/words.h"

static inline void constrain_carry(scribe *s, const char *name, const char *half, cell carry, uint32_t max) {
    char text[128];
    cell product = carry;
    for (uint32_t k = 1; k <= max; k++) product = pr_mul(s->b, product, pr_sub(s->b, carry, pr_const(s->b, k)));
    snprintf(text, sizeof text, "%s%s, %s half", s->place, name, half);
    pr_air_constrain(s->b, text, product);
}

/* x / 2^16 = x * 2^15 mod p */
static inline cell carry_of(scribe *s, cell x) { return cell_scaled(s, x, 1u << 15); }

static inline word_bytes bytes_sum(scribe *s, const char *name, const word_halves *terms, uint32_t n) {
    word_bytes result;
    word_halves sum = terms[0];
    for (uint32_t k = 1; k < n; k++) {
        sum.lo = pr_add(s->b, sum.lo, terms[k].lo);
        sum.hi = pr_add(s->b, sum.hi, terms[k].hi);
    }
    for (uint32_t k = 0; k < 4; k++) result.b[k] = pr_air_add_column(s->b, 0);
    word_halves halves = halves_of_bytes(s, result);
    cell carry = carry_of(s, pr_sub(s->b, sum.lo, halves.lo));
    constrain_carry(s, name, "low", carry, n - 1);
    carry = carry_of(s, pr_sub(s->b, pr_add(s->b, sum.hi, carry), halves.hi));
    constrain_carry(s, name, "high", carry, n - 1);
    return result;
}

/* One lookup; results: as many as the operation has. */
static inline void look_up(scribe *s, pr_byte_op op, cell x, cell y, cell *results) {
    cell tuple[2 + PR_BYTE_MAX_RESULTS] = {x, y};
    uint32_t n = pr_byte_n_results(op);
    for (uint32_t k = 0; k < n; k++) tuple[2 + k] = results[k] = pr_air_add_column(s->b, 0);
    pr_air_lookup_add(s->b, s->relations[op], pr_const(s->b, 1), tuple, 2 + n, -1);
}

static inline void pairs_checked(scribe *s, word_halves x) {
    pr_air_lookup_add(s->b, s->relations[PR_BYTE_PAIR], pr_const(s->b, 1), &x.lo, 1, -1);
    pr_air_lookup_add(s->b, s->relations[PR_BYTE_PAIR], pr_const(s->b, 1), &x.hi, 1, -1);
}

#include "gadgets/words_bytes.h"
#endif
