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
 * - word_parts: each byte as four parts; parts_of_given looks them up, parts_moved turns or shifts by bits
 * - halves_sum(s, name, terms): new columns for the sum of two words, which the caller proves to be 16 bits each
 * - halves_summed, parts_summed: new columns for the sum of up to nine words or so (carries up to 8), checked as halves
 *   or parts are
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
    const uint32_t *splits;    /* relations of splits */
    char place[48];            /* put before the names of constraints */
} scribe;

#define PR_WORDS_PLACE(s, ...) snprintf((s)->place, sizeof(s)->place, __VA_ARGS__)

static inline cell cell_scaled(scribe *s, cell x, uint32_t factor) { return pr_mul(s->b, pr_const(s->b, factor), x); }
static inline cell cell_sum(scribe *s, cell x, cell y) { return pr_add(s->b, x, y); }
static inline cell cell_zero(scribe *s) { return pr_const(s->b, 0); }
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

static inline void constrain_carries(scribe *s, const char *name, word_halves sum, word_halves result, uint32_t max) {
    cell carry = carry_of(s, pr_sub(s->b, sum.lo, result.lo));
    constrain_carry(s, name, "low", carry, max);
    carry = carry_of(s, pr_sub(s->b, pr_add(s->b, sum.hi, carry), result.hi));
    constrain_carry(s, name, "high", carry, max);
}

static inline word_bytes bytes_sum(scribe *s, const char *name, const word_halves *terms, uint32_t n) {
    word_bytes result;
    word_halves sum = halves_added(s, terms, n);
    for (uint32_t k = 0; k < 4; k++) result.b[k] = pr_air_add_column(s->b, 0);
    constrain_carries(s, name, sum, halves_of_bytes(s, result), n - 1);
    return result;
}

/* One lookup; results: as many as the operation has. */
static inline void look_up(scribe *s, pr_byte_op op, cell x, cell y, cell *results) {
    cell tuple[2 + PR_BYTE_MAX_RESULTS] = {x, y};
    uint32_t n = pr_byte_n_results(op);
    for (uint32_t k = 0; k < n; k++) tuple[2 + k] = results[k] = pr_air_add_column(s->b, 0);
    pr_air_lookup_add(s->b, s->relations[op], pr_const(s->b, 1), tuple, 2 + n, -1);
}

static inline void parts_checked(scribe *s, const word_parts *x) {
    for (unsigned k = 0; k < 4; k++)
        pr_air_lookup_add(s->b, s->splits[x->split], pr_const(s->b, 1), x->part[k], PR_SPLIT_PARTS, -1);
}

static inline word_parts new_parts(scribe *s, pr_split split) {
    word_parts x = {.split = split};
    for (unsigned k = 0; k < 4; k++)
        for (unsigned i = 0; i < PR_SPLIT_PARTS; i++) x.part[k][i] = pr_air_add_column(s->b, 0);
    return x;
}

static inline word_parts parts_of_given(scribe *s, pr_split split, given unused) {
    (void)unused;
    word_parts x = new_parts(s, split);
    parts_checked(s, &x);
    return x;
}

/* A carry of 0 to 8: 3 thirds + rest, both 0, 1 or 2; a column for the thirds. */
static inline void constrain_wide(scribe *s, const char *name, const char *half, cell carry) {
    char text[64];
    cell thirds = pr_air_add_column(s->b, 0);
    snprintf(text, sizeof text, "%s, thirds", name);
    constrain_carry(s, text, half, thirds, 2);
    constrain_carry(s, name, half, pr_sub(s->b, carry, cell_scaled(s, thirds, 3)), 2);
}

static inline void constrain_sum(scribe *s, const char *name, word_halves sum, word_halves result) {
    cell carry = carry_of(s, pr_sub(s->b, sum.lo, result.lo));
    constrain_wide(s, name, "low", carry);
    constrain_wide(s, name, "high", carry_of(s, pr_sub(s->b, pr_add(s->b, sum.hi, carry), result.hi)));
}

static inline void pairs_checked(scribe *s, word_halves x);

static inline word_parts parts_summed(scribe *s, const char *name, pr_split split, word_halves sum) {
    word_parts x = new_parts(s, split);
    constrain_sum(s, name, sum, halves_of_bytes(s, bytes_of_parts(s, &x)));
    parts_checked(s, &x);
    return x;
}

static inline word_halves halves_summed(scribe *s, const char *name, word_halves sum) {
    word_halves x;
    x.lo = pr_air_add_column(s->b, 0);
    x.hi = pr_air_add_column(s->b, 0);
    constrain_sum(s, name, sum, x);
    pairs_checked(s, x);
    return x;
}

static inline word_halves halves_sum(scribe *s, const char *name, const word_halves terms[2]) {
    word_halves x;
    x.lo = pr_air_add_column(s->b, 0);
    x.hi = pr_air_add_column(s->b, 0);
    constrain_carries(s, name, halves_added(s, terms, 2), x, 1);
    return x;
}

static inline void pairs_checked(scribe *s, word_halves x) {
    pr_air_lookup_add(s->b, s->relations[PR_BYTE_PAIR], pr_const(s->b, 1), &x.lo, 1, -1);
    pr_air_lookup_add(s->b, s->relations[PR_BYTE_PAIR], pr_const(s->b, 1), &x.hi, 1, -1);
}

#include "gadgets/words_bytes.h"
#endif
