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
 * An empty message is one zero block with total 0 and PR_BLAKE2S_LAST. */
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

PR_HOST_DEVICE void pr_blake2s_lanes_init(lane h[8]) {
    const uint32_t iv[8] = PR_BLAKE2S_LANES_IV;
    for (int k = 0; k < 8; k++) h[k] = lane_set1(iv[k] ^ (k == 0 ? 0x01010020u : 0u));
}

/* Half of the four mixing functions of a column or diagonal step, side by side: they do not depend on each other, so
 * the processor always has four operations to choose from. Sixteen words of state and a temporary are one register more
 * than AVX2 has: the first c is the word that waits in memory (lane_keep_in_memory), as it is needed least. */
#define PR_LANES_HALF_MIX(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3, x0, x1, x2, x3, r, s)        \
    do {                                                                                                               \
        a0 = lane_add32(a0, x0), a1 = lane_add32(a1, x1), a2 = lane_add32(a2, x2), a3 = lane_add32(a3, x3);            \
        a0 = lane_add32(a0, b0), a1 = lane_add32(a1, b1), a2 = lane_add32(a2, b2), a3 = lane_add32(a3, b3);            \
        d0 = lane_rotr(lane_xor(d0, a0), r), d1 = lane_rotr(lane_xor(d1, a1), r);                                      \
        d2 = lane_rotr(lane_xor(d2, a2), r), d3 = lane_rotr(lane_xor(d3, a3), r);                                      \
        const lane sum = lane_add32(c0, d0);                                                                           \
        c0 = sum, c1 = lane_add32(c1, d1), c2 = lane_add32(c2, d2), c3 = lane_add32(c3, d3);                           \
        lane_keep_in_memory(c0);                                                                                       \
        b0 = lane_xor(b0, sum), b1 = lane_xor(b1, c1), b2 = lane_xor(b2, c2), b3 = lane_xor(b3, c3);                   \
        b0 = lane_rotr(b0, s), b1 = lane_rotr(b1, s), b2 = lane_rotr(b2, s), b3 = lane_rotr(b3, s);                    \
    } while (0)
#define PR_LANES_MIX_COLUMNS(x0, x1, x2, x3, r, s)                                                                     \
    PR_LANES_HALF_MIX(v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, x0, x1, x2, x3, r, s)
#define PR_LANES_MIX_DIAGONALS(x0, x1, x2, x3, r, s)                                                                   \
    PR_LANES_HALF_MIX(v0, v1, v2, v3, v5, v6, v7, v4, v10, v11, v8, v9, v15, v12, v13, v14, x0, x1, x2, x3, r, s)

#define PR_LANES_ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                           \
    do {                                                                                                               \
        PR_LANES_MIX_COLUMNS(m[s0], m[s2], m[s4], m[s6], 16, 12);                                                      \
        PR_LANES_MIX_COLUMNS(m[s1], m[s3], m[s5], m[s7], 8, 7);                                                        \
        PR_LANES_MIX_DIAGONALS(m[s8], m[s10], m[s12], m[s14], 16, 12);                                                 \
        PR_LANES_MIX_DIAGONALS(m[s9], m[s11], m[s13], m[s15], 8, 7);                                                   \
    } while (0)

/* total: bytes of the messages up to and with this block. last: PR_BLAKE2S_MORE or PR_BLAKE2S_LAST. RFC 7693, 3.2. */
PR_HOST_DEVICE void pr_blake2s_lanes_compress(lane h[8], const lane m[16], uint64_t total, uint32_t last) {
    const uint32_t iv[8] = PR_BLAKE2S_LANES_IV;
    lane v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
    lane v8 = lane_set1(iv[0]), v9 = lane_set1(iv[1]), v10 = lane_set1(iv[2]), v11 = lane_set1(iv[3]);
    lane v12 = lane_set1(iv[4] ^ (uint32_t)total), v13 = lane_set1(iv[5] ^ (uint32_t)(total >> 32));
    lane v14 = lane_set1(iv[6] ^ last), v15 = lane_set1(iv[7]);
    PR_LANES_ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    PR_LANES_ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    PR_LANES_ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
    PR_LANES_ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
    PR_LANES_ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
    PR_LANES_ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
    PR_LANES_ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
    PR_LANES_ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
    PR_LANES_ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
    PR_LANES_ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    h[0] = lane_xor(h[0], lane_xor(v0, v8));
    h[1] = lane_xor(h[1], lane_xor(v1, v9));
    h[2] = lane_xor(h[2], lane_xor(v2, v10));
    h[3] = lane_xor(h[3], lane_xor(v3, v11));
    h[4] = lane_xor(h[4], lane_xor(v4, v12));
    h[5] = lane_xor(h[5], lane_xor(v5, v13));
    h[6] = lane_xor(h[6], lane_xor(v6, v14));
    h[7] = lane_xor(h[7], lane_xor(v7, v15));
}
#undef PR_LANES_ROUND
#undef PR_LANES_MIX_DIAGONALS
#undef PR_LANES_MIX_COLUMNS
#undef PR_LANES_HALF_MIX
#endif
