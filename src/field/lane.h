/* One vocabulary for kernels over M31, three widths: a `lane` holds LANE_WIDTH independent words. A kernel file is
 * written once against these names and compiled once per instruction set with PR_LANE_ISA_SCALAR, PR_LANE_ISA_AVX2 or
 * PR_LANE_ISA_AVX512 defined (scalar when none is).
 *
 * - lane_load/store(p): unaligned; lane_set1(v)
 * - lane_add/sub/neg/mul: mod p, operands and results in [0, p)
 * - lane_keep_in_memory(x): no effect on the value of the variable x; where registers are few, it is kept in memory, so
 *   that a compiler that must spill something spills this and nothing else
 * - lane_mul_doubled: a * b with b2 = 2b given (b in [0, p), b2 a plain 32-bit word), which saves the doubling for
 *   constants and twiddles; lane_mul_broadcast: the same where b2 has one value in all its words; lane_mul_split: with
 * the odd words of b2 given once more, moved down to the even places
 * - lane_add32, lane_xor: plain 32-bit; lane_rotr(x, 16|12|8|7)
 * - lane_add32_in_memory(a, x): a += x, x read from memory each time; only where there are 32 registers
 * - lane_halve(a, n): a / 2^n, n <= 30
 * - lane_acc: 64-bit sums of products. At most four products a*b fit (4 (p-1)^2 < 2^64); lane_acc_fold brings any sum
 *   below 2^34, so that three more products fit; lane_acc_reduce gives the lane
 * - lane_deinterleave/interleave: pairs of neighbours, (a0 b0 a1 b1 ..) <-> (a0 a1 ..), (b0 b1 ..) across two lanes
 * - lane_load_8/4/2(p): that many words repeated to fill a lane that is longer
 * - lane_load_lifted(p, s, i): words i .. of p lifted by s logs, i a multiple of LANE_WIDTH: word j is
 *   p[(j >> (s + 1) << 1) + (j & 1)], protocol.md section 2
 * - lane_load_quarters(p): from LANE_WIDTH / 2 doubled words x0 y0 x1 y1 .. the lane y0 -y0 -x0 x0 y1 -y1 -x1 x1 ..,
 *   doubled; not scalar
 * - lane_part(k, &u, &v), k = 0, 1, .. log2 LANE_WIDTH in this order, on two lanes that lie together: moves words so
 * that each word of u faces the one at distance 2^k behind it, in v; the last step restores the order of each lane.
 *   lane_join(k, &u, &v), k = log2 LANE_WIDTH .. 0, goes back
 * - lane_load_parted(k, p, &odd): words p[0 .. LANE_WIDTH >> k), one for each block of 2^(k+1) of those two lanes, as
 *   lane_part(k) leaves them, and the odd places' moved down, for lane_mul_split; k = 0: quarters from p; not scalar
 */
#ifndef PR_FIELD_LANE_H
#define PR_FIELD_LANE_H
#include "field/m31.h"

#if defined(PR_LANE_ISA_AVX512)
#include "field/lane_avx512.h"
#elif defined(PR_LANE_ISA_AVX2)
#include "field/lane_avx2.h"
#else
#include "field/lane_scalar.h"
#endif

static inline lane lane_mul(lane a, lane b) { return lane_mul_doubled(a, lane_add32(b, b)); }
static inline lane lane_square(lane a) { return lane_mul(a, a); }

/* PR_LANE_NAME(pr_cpu_fold) -> pr_cpu_fold_avx2 */
#define PR_LANE_CAT2(a, b) a##_##b
#define PR_LANE_CAT(a, b) PR_LANE_CAT2(a, b)
#define PR_LANE_NAME(name) PR_LANE_CAT(name, LANE_SUFFIX)
#endif
