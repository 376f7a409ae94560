/* What the rows of sha256 compute, over the vocabulary of gadgets/words_air.h or gadgets/words_rows.h, which is
 * included before. FIPS 180-4, sections 4.1.2 and 6.2. */
#ifndef PR_JOBS_SHA256_DESCRIBE_H
#define PR_JOBS_SHA256_DESCRIBE_H
#include "sha256/layout.h"

/* Eight rounds: the state a .. h before and behind them; added: word of the schedule + constant, halves not reduced. */
typedef struct sha256_rounds_io {
    cell multiplicity;
    word_halves in[8], added[PR_SHA256_STEP], out[8];
} sha256_rounds_io;

/* The exclusive or of three words. */
static inline word_bytes sha256_xor3(scribe *s, word_bytes x, word_bytes y, word_bytes z) {
    return bytes_operation(s, PR_BYTE_XOR, bytes_operation(s, PR_BYTE_XOR, x, y), z);
}

static inline word_bytes sha256_turned3(scribe *s, const word_parts *x, unsigned i, unsigned j, unsigned k) {
    return sha256_xor3(s, parts_moved(s, x, i, true), parts_moved(s, x, j, true), parts_moved(s, x, k, true));
}

static inline word_bytes sha256_majority(scribe *s, word_bytes a, word_bytes b, word_bytes c) {
    word_bytes differ, both;
    for (int k = 0; k < 4; k++) {
        cell results[PR_BYTE_MAX_RESULTS];
        look_up(s, PR_BYTE_XOR_AND, a.b[k], b.b[k], results);
        differ.b[k] = results[0], both.b[k] = results[1];
    }
    return bytes_added(s, both, bytes_operation(s, PR_BYTE_AND, c, differ));
}

static inline word_bytes sha256_choice(scribe *s, word_bytes e, word_bytes f, word_bytes g) {
    word_bytes x = bytes_operation(s, PR_BYTE_AND, e, f);
    return bytes_added(s, x, bytes_operation(s, PR_BYTE_AND_NOT, e, g));
}

/* The working variables, as far as a row knows them: a and e in parts too. */
typedef struct sha256_state {
    word_parts a, e;
    word_bytes b, c, f, g;
    word_halves d, h;
} sha256_state;

static inline void sha256_round(scribe *s, sha256_state *v, word_halves added) {
    word_bytes a = bytes_of_parts(s, &v->a), e = bytes_of_parts(s, &v->e);
    word_halves terms[7] = {v->h, added};
    terms[2] = halves_of_bytes(s, sha256_turned3(s, &v->e, 6, 11, 25));
    terms[3] = halves_of_bytes(s, sha256_choice(s, e, v->f, v->g));
    word_halves t1 = halves_added(s, terms, 4), to_e[2] = {t1, v->d}, to_a[3] = {t1};
    to_a[1] = halves_of_bytes(s, sha256_turned3(s, &v->a, 2, 13, 22));
    to_a[2] = halves_of_bytes(s, sha256_majority(s, a, v->b, v->c));
    v->h = halves_of_bytes(s, v->g), v->g = v->f, v->f = e;
    v->e = parts_summed(s, "e", PR_SPLIT_1232, halves_added(s, to_e, 2));
    v->d = halves_of_bytes(s, v->c), v->c = v->b, v->b = a;
    v->a = parts_summed(s, "a", PR_SPLIT_2312, halves_added(s, to_a, 3));
}

static inline void sha256_state_halves(scribe *s, word_halves out[8], const sha256_state *v) {
    out[0] = halves_of_bytes(s, bytes_of_parts(s, &v->a)), out[1] = halves_of_bytes(s, v->b);
    out[2] = halves_of_bytes(s, v->c), out[3] = v->d;
    out[4] = halves_of_bytes(s, bytes_of_parts(s, &v->e)), out[5] = halves_of_bytes(s, v->f);
    out[6] = halves_of_bytes(s, v->g), out[7] = v->h;
}

/* added_lo, added_hi: the halves of what is added, of up to 17 bits. */
static inline void sha256_rounds(scribe *s, sha256_rounds_io *io, given multiplicity, const given *in,
                                 const given *added_lo, const given *added_hi) {
    sha256_state v;
    io->multiplicity = cell_of(s, multiplicity, 0, 31);
    v.a = parts_of_given(s, PR_SPLIT_2312, in[0]);
    v.b = bytes_of_given(s, in[1]), v.c = bytes_of_given(s, in[2]), v.d = halves_of_given(s, in[3]);
    v.e = parts_of_given(s, PR_SPLIT_1232, in[4]);
    v.f = bytes_of_given(s, in[5]), v.g = bytes_of_given(s, in[6]), v.h = halves_of_given(s, in[7]);
    sha256_state_halves(s, io->in, &v);
    for (int k = 0; k < PR_SHA256_STEP; k++) {
        io->added[k].lo = cell_of(s, added_lo[k], 0, 17);
        io->added[k].hi = cell_of(s, added_hi[k], 0, 17);
    }
    for (int k = 0; k < PR_SHA256_STEP; k++) {
        PR_WORDS_PLACE(s, "round %d: ", k);
        sha256_round(s, &v, io->added[k]);
    }
    sha256_state_halves(s, io->out, &v);
}

/* Eight words of the message schedule from the sixteen before them. */
typedef struct sha256_schedule_io {
    cell multiplicity;
    word_halves words[16 + PR_SHA256_STEP];
} sha256_schedule_io;

static inline word_bytes sha256_small(scribe *s, const word_parts *x, unsigned i, unsigned j, unsigned shift) {
    return sha256_xor3(s, parts_moved(s, x, i, true), parts_moved(s, x, j, true), parts_moved(s, x, shift, false));
}

static inline void sha256_schedule(scribe *s, sha256_schedule_io *io, given multiplicity, const given *in) {
    word_parts first[PR_SHA256_STEP], second[PR_SHA256_STEP]; /* what sigma 0 and sigma 1 of each new word read */
    io->multiplicity = cell_of(s, multiplicity, 0, 31);
    for (int k = 0; k < 16; k++) {
        bool is_first = k >= 1 && k <= PR_SHA256_STEP, is_second = k >= 14;
        word_parts parts = {0};
        if (is_first) parts = first[k - 1] = parts_of_given(s, PR_SPLIT_2141, in[k]);
        if (is_second) parts = second[k - 14] = parts_of_given(s, PR_SPLIT_1115, in[k]);
        if (is_first || is_second)
            io->words[k] = halves_of_bytes(s, bytes_of_parts(s, &parts));
        else
            io->words[k] = halves_of_given(s, in[k]);
    }
    for (int k = 0; k < PR_SHA256_STEP; k++) {
        word_halves terms[4] = {io->words[k], io->words[k + 9]};
        PR_WORDS_PLACE(s, "word %d: ", k);
        terms[2] = halves_of_bytes(s, sha256_small(s, &first[k], 7, 18, 3));
        terms[3] = halves_of_bytes(s, sha256_small(s, &second[k], 17, 19, 10));
        word_halves sum = halves_added(s, terms, 4);
        if (k + 2 < PR_SHA256_STEP) {
            second[k + 2] = parts_summed(s, "sum", PR_SPLIT_1115, sum);
            io->words[16 + k] = halves_of_bytes(s, bytes_of_parts(s, &second[k + 2]));
        } else {
            io->words[16 + k] = halves_summed(s, "sum", sum);
        }
    }
}

/* One compression: the words of the schedule, and the state behind each eight rounds. chain: what the block starts
 * from. */
typedef struct sha256_compression_io {
    word_halves words[64], states[PR_SHA256_ROUND_ROWS][8], out[8];
} sha256_compression_io;

static inline void sha256_compression(scribe *s, sha256_compression_io *io, const word_halves *chain,
                                      const given *words, const given (*states)[8]) {
    for (int k = 0; k < 64; k++) io->words[k] = halves_of_given(s, words[k]);
    pairs_checked(s, io->words[0]); /* the others are taken apart in rows of the schedule */
    for (int row = 0; row < PR_SHA256_ROUND_ROWS; row++)
        for (int k = 0; k < 8; k++) io->states[row][k] = halves_of_given(s, states[row][k]);
    for (int k = 0; k < 8; k++) {
        const word_halves terms[2] = {chain[k], io->states[PR_SHA256_ROUND_ROWS - 1][k]};
        PR_WORDS_PLACE(s, "word %d of the chain: ", k);
        io->out[k] = halves_sum(s, "sum", terms);
        if (k % 4 == 3) pairs_checked(s, io->out[k]); /* d and h: rows of rounds take the others apart */
    }
}
#endif
