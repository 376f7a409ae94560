/* What the rows of blake2s compute, over the vocabulary of gadgets/words_air.h or gadgets/words_rows.h, which is
 * included before. RFC 7693, section 3. */
#ifndef PR_JOBS_BLAKE2S_DESCRIBE_H
#define PR_JOBS_BLAKE2S_DESCRIBE_H
#include "blake2s/layout.h"

/* One round: inputs as columns, outputs as expressions. */
typedef struct blake2s_round_io {
    cell multiplicity;
    word_halves in[16], message[16], out[16];
} blake2s_round_io;

/* A word of the state as far as a row knows it: b and d are taken as bytes, a and c as halves. */
typedef struct blake2s_state {
    word_halves halves[16];
    word_bytes bytes[16];
} blake2s_state;

static inline void blake2s_add(scribe *s, const char *name, blake2s_state *v, int to, int with, const word_halves *x) {
    word_halves terms[3] = {v->halves[to], v->halves[with]};
    if (x) terms[2] = *x;
    v->bytes[to] = bytes_sum(s, name, terms, x ? 3 : 2);
    v->halves[to] = halves_of_bytes(s, v->bytes[to]);
}

static inline void blake2s_set(scribe *s, blake2s_state *v, int k, word_bytes x) {
    v->bytes[k] = x;
    v->halves[k] = halves_of_bytes(s, x);
}

static inline void blake2s_mix(scribe *s, blake2s_state *v, const int at[4], const word_halves *x,
                               const word_halves *y) {
    int a = at[0], b = at[1], c = at[2], d = at[3];
    blake2s_add(s, "a + b + x", v, a, b, x);
    blake2s_set(s, v, d, bytes_rotated(bytes_operation(s, PR_BYTE_XOR, v->bytes[d], v->bytes[a]), 2));
    blake2s_add(s, "c + d", v, c, d, NULL);
    blake2s_set(s, v, b, bytes_xor_rotated(s, PR_BYTE_XOR_4, v->bytes[b], v->bytes[c], 1));
    blake2s_add(s, "a + b + y", v, a, b, y);
    blake2s_set(s, v, d, bytes_rotated(bytes_operation(s, PR_BYTE_XOR, v->bytes[d], v->bytes[a]), 1));
    blake2s_add(s, "c + d again", v, c, d, NULL);
    blake2s_set(s, v, b, bytes_xor_rotated(s, PR_BYTE_XOR_7, v->bytes[b], v->bytes[c], 0));
}

/* message: in the order in which the round takes it. Words b and d of each column are read as bytes, so that their
 * first exclusive or proves them to be bytes; a and c are halves, which only the sums read. */
static inline void blake2s_round(scribe *s, blake2s_round_io *io, given multiplicity, const given *in,
                                 const given *message) {
    static const int mixes[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
                                    {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};
    blake2s_state v;
    io->multiplicity = cell_of(s, multiplicity, 0, 31);
    for (int k = 0; k < 16; k++) {
        bool as_bytes = k / 4 % 2;
        if (as_bytes)
            blake2s_set(s, &v, k, bytes_of_given(s, in[k]));
        else
            v.halves[k] = halves_of_given(s, in[k]);
        io->in[k] = v.halves[k];
    }
    for (int k = 0; k < 16; k++) io->message[k] = halves_of_given(s, message[k]);
    for (int k = 0; k < 8; k++) {
        PR_WORDS_PLACE(s, "mix %d: ", k);
        blake2s_mix(s, &v, mixes[k], &io->message[2 * k], &io->message[2 * k + 1]);
    }
    for (int k = 0; k < 16; k++) io->out[k] = v.halves[k];
}

/* One compression: states[0] is the state behind round 1, states[9] the last. The state before round 1 takes no
 * columns. chain: the words that the block starts from. */
typedef struct blake2s_compression_io {
    word_halves message[16], states[PR_BLAKE2S_ROUNDS][16];
    word_bytes out[8]; /* the words that the next block starts from */
} blake2s_compression_io;

static inline void blake2s_compression(scribe *s, blake2s_compression_io *io, const word_bytes *chain,
                                       const given *message, const given (*states)[16]) {
    for (int k = 0; k < 16; k++) io->message[k] = halves_of_given(s, message[k]);
    for (int k = 0; k < 16; k++) pairs_checked(s, io->message[k]);
    for (int round = 0; round < PR_BLAKE2S_ROUNDS - 1; round++)
        for (int k = 0; k < 16; k++) io->states[round][k] = halves_of_given(s, states[round][k]);
    word_bytes last[16];
    for (int k = 0; k < 16; k++) {
        last[k] = bytes_of_given(s, states[PR_BLAKE2S_ROUNDS - 1][k]);
        io->states[PR_BLAKE2S_ROUNDS - 1][k] = halves_of_bytes(s, last[k]);
    }
    for (int k = 0; k < 8; k++) {
        word_bytes half = bytes_operation(s, PR_BYTE_XOR, last[k], last[k + 8]);
        io->out[k] = bytes_operation(s, PR_BYTE_XOR, chain[k], half);
    }
}
#endif
