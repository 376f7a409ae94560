/* Part of words_air.h and words_rows.h: words, and what is linear in them. */
#ifndef PR_JOBS_GADGETS_WORDS_H
#define PR_JOBS_GADGETS_WORDS_H
#include "gadgets/split_tables.h"

typedef struct word_halves {
    cell lo, hi;
} word_halves;
typedef struct word_bytes {
    cell b[4];
} word_bytes;
typedef struct word_parts {
    pr_split split;
    cell part[4][PR_SPLIT_PARTS];
} word_parts;

static inline word_halves halves_of_given(scribe *s, given word) {
    word_halves x;
    x.lo = cell_of(s, word, 0, 16);
    x.hi = cell_of(s, word, 16, 16);
    return x;
}

static inline word_bytes bytes_of_given(scribe *s, given word) {
    word_bytes x;
    for (unsigned k = 0; k < 4; k++) x.b[k] = cell_of(s, word, 8 * k, 8);
    return x;
}

static inline word_halves halves_of_bytes(scribe *s, word_bytes x) {
    word_halves y;
    y.lo = cell_sum(s, x.b[0], cell_scaled(s, x.b[1], 256));
    y.hi = cell_sum(s, x.b[2], cell_scaled(s, x.b[3], 256));
    return y;
}

static inline word_bytes bytes_rotated(word_bytes x, unsigned n) {
    word_bytes y;
    for (unsigned k = 0; k < 4; k++) y.b[k] = x.b[(k + n) % 4];
    return y;
}

/* The word shifted right by n bits, or turned, where a part begins at bit n mod 8. */
static inline word_bytes parts_moved(scribe *s, const word_parts *x, unsigned n, bool turned) {
    word_bytes y;
    for (unsigned k = 0; k < 4; k++) {
        unsigned from = k + n / 8, above = from + 1;
        bool has_any = false;
        for (unsigned i = 0; i < PR_SPLIT_PARTS; i++) {
            bool is_high = pr_split_at(x->split, i) >= n % 8;
            unsigned byte = is_high ? from : above;
            unsigned at = is_high ? pr_split_at(x->split, i) - n % 8 : pr_split_at(x->split, i) + 8 - n % 8;
            if (byte > 3 && !turned) continue;
            cell part = cell_scaled(s, x->part[byte % 4][i], 1u << at);
            y.b[k] = has_any ? cell_sum(s, y.b[k], part) : part;
            has_any = true;
        }
        if (!has_any) y.b[k] = cell_zero(s);
    }
    return y;
}

static inline word_bytes bytes_of_parts(scribe *s, const word_parts *x) { return parts_moved(s, x, 0, true); }

static inline word_bytes bytes_added(scribe *s, word_bytes x, word_bytes y) {
    for (unsigned k = 0; k < 4; k++) x.b[k] = cell_sum(s, x.b[k], y.b[k]);
    return x;
}

static inline word_halves halves_added(scribe *s, const word_halves *terms, uint32_t n) {
    word_halves sum = terms[0];
    for (uint32_t k = 1; k < n; k++) {
        sum.lo = cell_sum(s, sum.lo, terms[k].lo);
        sum.hi = cell_sum(s, sum.hi, terms[k].hi);
    }
    return sum;
}
#endif
