/* BLAKE2s over LANE_WIDTH independent messages at once, for kernel files compiled once per instruction set.
 * Include field/lane.h (with its PR_LANE_ISA_... macro) first: this header takes its `lane` from there.
 *
 * Word k of message j is word j of m[k]; all messages have the same length. A block's words are little-endian 32-bit
 * words, so a block of M31 values is the values themselves.
 *
 *   lane h[8];
 *   pr_blake2s_lanes_init(h);
 *   pr_blake2s_lanes_compress(h, m, 64, PR_BLAKE2S_MORE);   (64 bytes so far, none missing)
 *   pr_blake2s_lanes_compress(h, m2, 68, PR_BLAKE2S_LAST);  (the last block holds one word, the others are zero)
 *   (h[k] now holds word k of each digest)
 *
 * The hashes of a proof of work begin with pr_blake2s_lanes_nonce_begin.
 * An empty message is one zero block with total 0 and PR_BLAKE2S_LAST. pr_blake2s_lanes_compress_abreast is the same
 * for PR_BLAKE2S_ABREAST times as many messages, which is faster where that is not 1. */
#ifndef PR_HASH_BLAKE2S_LANES_H
#define PR_HASH_BLAKE2S_LANES_H
#include <stdint.h>
#include "base/inline.h"

#ifndef LANE_WIDTH
#error "include field/lane.h before hash/blake2s_lanes.h"
#endif

#define PR_BLAKE2S_MORE 0u
#define PR_BLAKE2S_LAST 0xffffffffu

#define PR_BLAKE2S_LANES_IV                                                                                            \
    { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 }

#define PR_BLAKE2S_LANES_PARAMETERS 0x01010020u /* 32 bytes out, no key, fanout and depth 1: in the first word */

PR_HOST_DEVICE void pr_blake2s_lanes_init(lane h[8]) {
    const uint32_t iv[8] = PR_BLAKE2S_LANES_IV;
    for (int k = 0; k < 8; k++) h[k] = lane_set1(iv[k] ^ (k == 0 ? PR_BLAKE2S_LANES_PARAMETERS : 0u));
}

/* Half of the four mixing functions of a column or diagonal step, side by side: they do not depend on each other, so
 * the processor always has four operations to choose from. Sixteen words of state and a temporary are one register more
 * than AVX2 has: the first c is the word that waits in memory (lane_keep_in_memory), as it is needed least. add: how a
 * word of the message is added. */
#define PR_LANES_HALF_MIX(add, a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3, x0, x1, x2, x3, r, s)   \
    do {                                                                                                               \
        add(a0, x0);                                                                                                   \
        add(a1, x1);                                                                                                   \
        add(a2, x2);                                                                                                   \
        add(a3, x3);                                                                                                   \
        a0 = lane_add32(a0, b0), a1 = lane_add32(a1, b1), a2 = lane_add32(a2, b2), a3 = lane_add32(a3, b3);            \
        d0 = lane_rotr(lane_xor(d0, a0), r), d1 = lane_rotr(lane_xor(d1, a1), r);                                      \
        d2 = lane_rotr(lane_xor(d2, a2), r), d3 = lane_rotr(lane_xor(d3, a3), r);                                      \
        const lane sum = lane_add32(c0, d0);                                                                           \
        c0 = sum, c1 = lane_add32(c1, d1), c2 = lane_add32(c2, d2), c3 = lane_add32(c3, d3);                           \
        lane_keep_in_memory(c0);                                                                                       \
        b0 = lane_xor(b0, sum), b1 = lane_xor(b1, c1), b2 = lane_xor(b2, c2), b3 = lane_xor(b3, c3);                   \
        b0 = lane_rotr(b0, s), b1 = lane_rotr(b1, s), b2 = lane_rotr(b2, s), b3 = lane_rotr(b3, s);                    \
    } while (0)
/* v: the prefix of the names of the sixteen words of state. */
#define PR_LANES_MIX_COLUMNS(add, v, x0, x1, x2, x3, r, s)                                                             \
    PR_LANES_HALF_MIX(add, v##0, v##1, v##2, v##3, v##4, v##5, v##6, v##7, v##8, v##9, v##10, v##11, v##12, v##13,     \
                      v##14, v##15, x0, x1, x2, x3, r, s)
#define PR_LANES_MIX_DIAGONALS(add, v, x0, x1, x2, x3, r, s)                                                           \
    PR_LANES_HALF_MIX(add, v##0, v##1, v##2, v##3, v##5, v##6, v##7, v##4, v##10, v##11, v##8, v##9, v##15, v##12,     \
                      v##13, v##14, x0, x1, x2, x3, r, s)

/* The order of the message's words in each round but the first, where they are in order; round takes an adder for each
 * state and sixteen places. RFC 7693, 2.7. */
#define PR_LANES_LATER_ROUNDS(round, v_add, w_add)                                                                     \
    do {                                                                                                               \
        round(v_add, w_add, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);                                     \
        round(v_add, w_add, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);                                     \
        round(v_add, w_add, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);                                     \
        round(v_add, w_add, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);                                     \
        round(v_add, w_add, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);                                     \
        round(v_add, w_add, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);                                     \
        round(v_add, w_add, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);                                     \
        round(v_add, w_add, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);                                     \
        round(v_add, w_add, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);                                     \
    } while (0)
#define PR_LANES_ROUNDS(round, v_add, w_add)                                                                           \
    do {                                                                                                               \
        round(v_add, w_add, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);                                     \
        PR_LANES_LATER_ROUNDS(round, v_add, w_add);                                                                    \
    } while (0)

#define PR_LANES_BEGIN(v, h, total, last)                                                                              \
    lane v##0 = (h)[0], v##1 = (h)[1], v##2 = (h)[2], v##3 = (h)[3];                                                   \
    lane v##4 = (h)[4], v##5 = (h)[5], v##6 = (h)[6], v##7 = (h)[7];                                                   \
    lane v##8 = lane_set1(iv[0]), v##9 = lane_set1(iv[1]), v##10 = lane_set1(iv[2]), v##11 = lane_set1(iv[3]);         \
    lane v##12 = lane_set1(iv[4] ^ (uint32_t)(total)), v##13 = lane_set1(iv[5] ^ (uint32_t)((total) >> 32));           \
    lane v##14 = lane_set1(iv[6] ^ (last)), v##15 = lane_set1(iv[7])
#define PR_LANES_END(v, h)                                                                                             \
    do {                                                                                                               \
        (h)[0] = lane_xor((h)[0], lane_xor(v##0, v##8)), (h)[1] = lane_xor((h)[1], lane_xor(v##1, v##9));              \
        (h)[2] = lane_xor((h)[2], lane_xor(v##2, v##10)), (h)[3] = lane_xor((h)[3], lane_xor(v##3, v##11));            \
        (h)[4] = lane_xor((h)[4], lane_xor(v##4, v##12)), (h)[5] = lane_xor((h)[5], lane_xor(v##5, v##13));            \
        (h)[6] = lane_xor((h)[6], lane_xor(v##6, v##14)), (h)[7] = lane_xor((h)[7], lane_xor(v##7, v##15));            \
    } while (0)

/* Adders: of word s of the message to a. */
#define PR_LANES_ADD(a, s) a = lane_add32(a, m[s])
#define PR_LANES_ADD_NONE(a, s) (void)(s)
#define PR_LANES_ROUND(add, none, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                \
    do {                                                                                                               \
        PR_LANES_MIX_COLUMNS(add, v, s0, s2, s4, s6, 16, 12);                                                          \
        PR_LANES_MIX_COLUMNS(add, v, s1, s3, s5, s7, 8, 7);                                                            \
        PR_LANES_MIX_DIAGONALS(add, v, s8, s10, s12, s14, 16, 12);                                                     \
        PR_LANES_MIX_DIAGONALS(add, v, s9, s11, s13, s15, 8, 7);                                                       \
    } while (0)

/* total: bytes of the messages up to and with this block. last: PR_BLAKE2S_MORE or PR_BLAKE2S_LAST. RFC 7693, 3.2. */
PR_HOST_DEVICE void pr_blake2s_lanes_compress(lane h[8], const lane m[16], uint64_t total, uint32_t last) {
    const uint32_t iv[8] = PR_BLAKE2S_LANES_IV;
    PR_LANES_BEGIN(v, h, total, last);
    PR_LANES_ROUNDS(PR_LANES_ROUND, PR_LANES_ADD, PR_LANES_ADD_NONE);
    PR_LANES_END(v, h);
}

/* Proof of work: messages of ten words of which the last two, a nonce, differ. Most of the first round is the same for
 * all: begun is the state behind it, but for the first diagonal, of which the sum of a and b is there. m: the first
 * eight words. */
PR_HOST_DEVICE void pr_blake2s_lanes_nonce_begin(lane begun[16], const lane m[8]) {
    const uint32_t iv[8] = PR_BLAKE2S_LANES_IV;
    lane h[8];
    pr_blake2s_lanes_init(h);
    PR_LANES_BEGIN(v, h, (uint64_t)40, PR_BLAKE2S_LAST);
    PR_LANES_MIX_COLUMNS(PR_LANES_ADD, v, 0, 2, 4, 6, 16, 12);
    PR_LANES_MIX_COLUMNS(PR_LANES_ADD, v, 1, 3, 5, 7, 8, 7);
    const lane a = v0, b = v5, c = v10, d = v15;
    PR_LANES_MIX_DIAGONALS(PR_LANES_ADD_NONE, v, 8, 10, 12, 14, 16, 12);
    PR_LANES_MIX_DIAGONALS(PR_LANES_ADD_NONE, v, 9, 11, 13, 15, 8, 7);
    const lane state[16] = {lane_add32(a, b), v1, v2, v3, v4, b, v6, v7, v8, v9, c, v11, v12, v13, v14, d};
    for (int k = 0; k < 16; k++) begun[k] = state[k];
}
#define PR_LANES_NONCE(v, begun, low, high)                                                                            \
    lane v##0 = lane_add32((begun)[0], low), v##1 = (begun)[1], v##2 = (begun)[2], v##3 = (begun)[3];                  \
    lane v##4 = (begun)[4], v##5 = (begun)[5], v##6 = (begun)[6], v##7 = (begun)[7];                                   \
    lane v##8 = (begun)[8], v##9 = (begun)[9], v##10 = (begun)[10], v##11 = (begun)[11];                               \
    lane v##12 = (begun)[12], v##13 = (begun)[13], v##14 = (begun)[14], v##15 = (begun)[15];                           \
    v##15 = lane_rotr(lane_xor(v##15, v##0), 16), v##10 = lane_add32(v##10, v##15);                                    \
    v##5 = lane_rotr(lane_xor(v##5, v##10), 12), v##0 = lane_add32(lane_add32(v##0, high), v##5);                      \
    v##15 = lane_rotr(lane_xor(v##15, v##0), 8), v##10 = lane_add32(v##10, v##15);                                     \
    v##5 = lane_rotr(lane_xor(v##5, v##10), 7)
/* The first words of the hashes behind them. */
#define PR_LANES_NONCE_END(v) lane_xor(lane_set1(0x6a09e667 ^ PR_BLAKE2S_LANES_PARAMETERS), lane_xor(v##0, v##8))

#ifdef lane_add32_in_memory
/* Two compressions in one, where there are registers for both states: an operation on whole registers takes two cycles
 * on some processors (Zen 5), so that one compression's four chains leave half of the units idle. The messages stay in
 * memory, which leaves the registers to the states. */
#define PR_BLAKE2S_ABREAST 2
#define PR_LANES_ADD_V(a, s) lane_add32_in_memory(a, m[0][s])
#define PR_LANES_ADD_W(a, s) lane_add32_in_memory(a, m[1][s])
#define PR_LANES_ROUND_OF_TWO(v_add, w_add, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)      \
    do {                                                                                                               \
        PR_LANES_MIX_COLUMNS(v_add, v, s0, s2, s4, s6, 16, 12);                                                        \
        PR_LANES_MIX_COLUMNS(w_add, w, s0, s2, s4, s6, 16, 12);                                                        \
        PR_LANES_MIX_COLUMNS(v_add, v, s1, s3, s5, s7, 8, 7);                                                          \
        PR_LANES_MIX_COLUMNS(w_add, w, s1, s3, s5, s7, 8, 7);                                                          \
        PR_LANES_MIX_DIAGONALS(v_add, v, s8, s10, s12, s14, 16, 12);                                                   \
        PR_LANES_MIX_DIAGONALS(w_add, w, s8, s10, s12, s14, 16, 12);                                                   \
        PR_LANES_MIX_DIAGONALS(v_add, v, s9, s11, s13, s15, 8, 7);                                                     \
        PR_LANES_MIX_DIAGONALS(w_add, w, s9, s11, s13, s15, 8, 7);                                                     \
    } while (0)

PR_HOST_DEVICE void pr_blake2s_lanes_compress_abreast(lane h[2][8], const lane m[2][16], uint64_t total,
                                                      uint32_t last) {
    const uint32_t iv[8] = PR_BLAKE2S_LANES_IV;
    PR_LANES_BEGIN(v, h[0], total, last);
    PR_LANES_BEGIN(w, h[1], total, last);
    PR_LANES_ROUNDS(PR_LANES_ROUND_OF_TWO, PR_LANES_ADD_V, PR_LANES_ADD_W);
    PR_LANES_END(v, h[0]);
    PR_LANES_END(w, h[1]);
}

#define PR_LANES_ADD_V10(a, s)                                                                                         \
    if ((s) < 10) PR_LANES_ADD_V(a, s)
#define PR_LANES_ADD_W10(a, s)                                                                                         \
    if ((s) < 10) PR_LANES_ADD_W(a, s)
PR_HOST_DEVICE void pr_blake2s_lanes_nonce_words(lane firsts[2], const lane begun[16], const lane m[2][16]) {
    PR_LANES_NONCE(v, begun, m[0][8], m[0][9]);
    PR_LANES_NONCE(w, begun, m[1][8], m[1][9]);
    PR_LANES_LATER_ROUNDS(PR_LANES_ROUND_OF_TWO, PR_LANES_ADD_V10, PR_LANES_ADD_W10);
    firsts[0] = PR_LANES_NONCE_END(v);
    firsts[1] = PR_LANES_NONCE_END(w);
}
#undef PR_LANES_ADD_W10
#undef PR_LANES_ADD_V10
#undef PR_LANES_ROUND_OF_TWO
#undef PR_LANES_ADD_W
#undef PR_LANES_ADD_V
#else
#define PR_BLAKE2S_ABREAST 1
PR_HOST_DEVICE void pr_blake2s_lanes_compress_abreast(lane h[1][8], const lane m[1][16], uint64_t total,
                                                      uint32_t last) {
    pr_blake2s_lanes_compress(h[0], m[0], total, last);
}

#define PR_LANES_ADD_10(a, s)                                                                                          \
    if ((s) < 10) a = lane_add32(a, m[0][s])
PR_HOST_DEVICE void pr_blake2s_lanes_nonce_words(lane firsts[1], const lane begun[16], const lane m[1][16]) {
    PR_LANES_NONCE(v, begun, m[0][8], m[0][9]);
    PR_LANES_LATER_ROUNDS(PR_LANES_ROUND, PR_LANES_ADD_10, PR_LANES_ADD_NONE);
    firsts[0] = PR_LANES_NONCE_END(v);
}
#undef PR_LANES_ADD_10
#endif
#undef PR_LANES_NONCE_END
#undef PR_LANES_NONCE
#undef PR_LANES_ADD_NONE
#undef PR_LANES_ADD
#undef PR_LANES_END
#undef PR_LANES_BEGIN
#undef PR_LANES_ROUNDS
#undef PR_LANES_LATER_ROUNDS
#undef PR_LANES_ROUND
#undef PR_LANES_MIX_DIAGONALS
#undef PR_LANES_MIX_COLUMNS
#undef PR_LANES_HALF_MIX
#endif
