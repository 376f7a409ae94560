/* Poseidon2 over M31: width 16, S-box x^5, 4 + 14 + 4 rounds, the permutation of p3-mersenne-31 0.8.0
 * (Grassi, Khovratovich, Schofnegger, eprint 2023/323). Matrices and constants are public so that an AIR can state
 * them.
 *
 * External matrix: M4 on each group of four, then to each element the sum of the elements at its place in all groups,
 * that is circ(2 M4, M4, M4, M4). Internal matrix: all ones plus diag(-2, 2^s1, .., 2^s15), s in the shifts. */
#ifndef PR_POSEIDON2_POSEIDON2_H
#define PR_POSEIDON2_POSEIDON2_H
#include "field/m31.h"

enum {
    PR_POSEIDON2_WIDTH = 16,
    PR_POSEIDON2_RATE = 8,
    PR_POSEIDON2_FULL_ROUNDS = 4, /* before, and as many after the partial ones */
    PR_POSEIDON2_PARTIAL_ROUNDS = 14,
    /* S-boxes of a permutation, in the order in which they are computed; the first one of the last round */
    PR_POSEIDON2_SBOXES = 2 * PR_POSEIDON2_FULL_ROUNDS * PR_POSEIDON2_WIDTH + PR_POSEIDON2_PARTIAL_ROUNDS,
    PR_POSEIDON2_LAST_ROUND = PR_POSEIDON2_SBOXES - PR_POSEIDON2_WIDTH
};

extern const pr_m31 pr_poseidon2_external_initial[4][16];
extern const pr_m31 pr_poseidon2_internal[14];
extern const pr_m31 pr_poseidon2_external_final[4][16];
extern const uint8_t pr_poseidon2_internal_shifts[15]; /* of elements 1 .. 15; element 0 has the factor -2 */

/* M4 = [2 3 1 1; 1 2 3 1; 1 1 2 3; 3 1 1 2] */
static inline void pr_poseidon2_m4(pr_m31 x[4]) {
    pr_m31 a = pr_m31_add(x[0], x[1]), b = pr_m31_add(x[2], x[3]), sum = pr_m31_add(a, b);
    pr_m31 s1 = pr_m31_add(sum, x[1]), s3 = pr_m31_add(sum, x[3]);
    pr_m31 y0 = pr_m31_add(s1, a), y2 = pr_m31_add(s3, b);
    pr_m31 y1 = pr_m31_add(s1, pr_m31_double(x[2])), y3 = pr_m31_add(s3, pr_m31_double(x[0]));
    x[0] = y0, x[1] = y1, x[2] = y2, x[3] = y3;
}
static inline pr_m31 pr_poseidon2_sbox(pr_m31 x) { return pr_m31_mul(x, pr_m31_square(pr_m31_square(x))); }
void pr_poseidon2_external_matrix(pr_m31 state[16]);
void pr_poseidon2_internal_matrix(pr_m31 state[16]);

void pr_poseidon2_permute(pr_m31 state[16]);
/* Overwrite mode, rate 8, from a state of zeros: each block of 8 (the last may be shorter) overwrites the first
 * elements and is followed by a permutation; out is the first 8 elements. n = 0 gives zeros. The length is not bound: a
 * caller whose lengths vary puts the length in the input. */
void pr_poseidon2_sponge(pr_m31 out[8], const pr_m31 *in, size_t n);
#endif
