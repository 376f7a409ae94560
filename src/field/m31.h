/* M31: integers mod p = 2^31 - 1, always reduced to [0, p). protocol.md section 1.
 * PR_P may be set to 127 (PR_P_BITS 7) for the exhaustive tests: the tower keeps its shape. */
#ifndef PR_FIELD_M31_H
#define PR_FIELD_M31_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/inline.h"

#ifndef PR_P_BITS
#define PR_P_BITS 31
#endif
#define PR_P ((1u << PR_P_BITS) - 1u)

typedef uint32_t pr_m31;

/* The smaller of two words that are congruent, one of which has wrapped around: an instruction, with the sum before it,
 * on GPUs that have add-and-minimum, and no branch elsewhere. */
PR_HOST_DEVICE uint32_t pr_m31_smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }
/* v in [0, 2p) */
PR_HOST_DEVICE pr_m31 pr_m31_reduce_once(uint32_t v) { return pr_m31_smaller(v - PR_P, v); }
/* any 64-bit v */
PR_HOST_DEVICE pr_m31 pr_m31_reduce(uint64_t v) {
#if PR_P_BITS == 31
    v = (v & PR_P) + (v >> PR_P_BITS); /* < 2^31 + 2^33 */
    v = (v & PR_P) + (v >> PR_P_BITS); /* <= p + 4 */
    return pr_m31_reduce_once((uint32_t)v);
#else
    return (pr_m31)(v % PR_P);
#endif
}
PR_HOST_DEVICE pr_m31 pr_m31_add(pr_m31 a, pr_m31 b) { return pr_m31_reduce_once(a + b); }
PR_HOST_DEVICE pr_m31 pr_m31_sub(pr_m31 a, pr_m31 b) { return pr_m31_smaller(a - b + PR_P, a - b); }
PR_HOST_DEVICE pr_m31 pr_m31_neg(pr_m31 a) { return a ? PR_P - a : 0; }
PR_HOST_DEVICE pr_m31 pr_m31_mul(pr_m31 a, pr_m31 b) {
#if PR_P_BITS == 31 && (defined __CUDACC__ || defined PR_CUDA_EMULATED)
    /* Of the doubled product the upper word is its upper part, and half of the lower one its lower. */
    uint64_t v = (uint64_t)a * (b + b);
    return pr_m31_reduce_once((uint32_t)(v >> 32) + ((uint32_t)v >> 1));
#else
    uint64_t v = (uint64_t)a * b;
    return pr_m31_reduce_once((uint32_t)(v & PR_P) + (uint32_t)(v >> PR_P_BITS));
#endif
}
PR_HOST_DEVICE pr_m31 pr_m31_square(pr_m31 a) { return pr_m31_mul(a, a); }
PR_HOST_DEVICE pr_m31 pr_m31_double(pr_m31 a) { return pr_m31_add(a, a); }
PR_HOST_DEVICE pr_m31 pr_m31_pow(pr_m31 a, uint64_t e) {
    pr_m31 r = 1;
    for (; e; e >>= 1, a = pr_m31_square(a))
        if (e & 1) r = pr_m31_mul(r, a);
    return r;
}
PR_HOST_DEVICE pr_m31 pr_m31_square_times(pr_m31 a, int n) {
    while (n--) a = pr_m31_square(a);
    return a;
}
/* a != 0; 0 gives 0. a^(p-2), p - 2 = 2^31 - 3 = 4 (2^29 - 1) + 1: powers a^(2^k - 1) for k = 1 2 3 6 7 14 28 29. */
PR_HOST_DEVICE pr_m31 pr_m31_inverse(pr_m31 a) {
#if PR_P_BITS == 31
    const pr_m31 k2 = pr_m31_mul(pr_m31_square(a), a), k3 = pr_m31_mul(pr_m31_square(k2), a);
    const pr_m31 k6 = pr_m31_mul(pr_m31_square_times(k3, 3), k3), k7 = pr_m31_mul(pr_m31_square(k6), a);
    const pr_m31 k14 = pr_m31_mul(pr_m31_square_times(k7, 7), k7);
    const pr_m31 k28 = pr_m31_mul(pr_m31_square_times(k14, 14), k14), k29 = pr_m31_mul(pr_m31_square(k28), a);
    return pr_m31_mul(pr_m31_square_times(k29, 2), a);
#else
    return pr_m31_pow(a, PR_P - 2u);
#endif
}
PR_HOST_DEVICE pr_m31 pr_m31_from_i64(int64_t v) {
    int64_t r = v % (int64_t)PR_P;
    return (pr_m31)(r < 0 ? r + (int64_t)PR_P : r);
}
/* out[i] = 1 / in[i], all nonzero; one inversion in all (Montgomery's trick). out may not alias in. */
void pr_m31_batch_inverse(pr_m31 *out, const pr_m31 *in, size_t n);
#endif
