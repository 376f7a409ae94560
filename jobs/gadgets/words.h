/* Part of words_air.h and words_rows.h: words, and what is linear in them. */
#ifndef PR_JOBS_GADGETS_WORDS_H
#define PR_JOBS_GADGETS_WORDS_H

typedef struct word_halves {
    cell lo, hi;
} word_halves;
typedef struct word_bytes {
    cell b[4];
} word_bytes;

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
#endif
