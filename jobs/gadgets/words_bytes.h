/* Part of words_air.h and words_rows.h: words made of lookups of bytes. */
#ifndef PR_JOBS_GADGETS_WORDS_BYTES_H
#define PR_JOBS_GADGETS_WORDS_BYTES_H

static inline word_bytes bytes_operation(scribe *s, pr_byte_op op, word_bytes x, word_bytes y) {
    word_bytes z;
    for (unsigned k = 0; k < 4; k++) look_up(s, op, x.b[k], y.b[k], &z.b[k]);
    return z;
}

/* Byte k of the turned word: the high part of byte k + n, below the low part of the byte behind it. */
static inline word_bytes bytes_xor_rotated(scribe *s, pr_byte_op op, word_bytes x, word_bytes y, unsigned n) {
    const unsigned split = op == PR_BYTE_XOR_4 ? 4 : 7;
    cell parts[4][PR_BYTE_MAX_RESULTS];
    word_bytes z;
    for (unsigned k = 0; k < 4; k++) look_up(s, op, x.b[k], y.b[k], parts[k]);
    for (unsigned k = 0; k < 4; k++)
        z.b[k] = cell_sum(s, parts[(k + n) % 4][1], cell_scaled(s, parts[(k + n + 1) % 4][0], 1u << (8 - split)));
    return z;
}
#endif
