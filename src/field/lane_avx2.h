/* lane.h, eight words wide. */
#ifndef PR_FIELD_LANE_AVX2_H
#define PR_FIELD_LANE_AVX2_H
#include <immintrin.h>
#include "field/m31.h"

#define LANE_WIDTH 8
#define LANE_SUFFIX avx2
typedef __m256i lane;

static inline lane lane_load(const uint32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline void lane_store(uint32_t *p, lane v) { _mm256_storeu_si256((__m256i *)p, v); }
static inline lane lane_set1(uint32_t v) { return _mm256_set1_epi32((int)v); }
static inline lane lane_add32(lane a, lane b) { return _mm256_add_epi32(a, b); }
static inline lane lane_xor(lane a, lane b) { return _mm256_xor_si256(a, b); }
#define lane_keep_in_memory(x) __asm__("" : "+m"(x))
static inline lane lane_rotr16(lane x) {
    return _mm256_shuffle_epi8(x, _mm256_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2, 13, 12, 15, 14,
                                                  9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2));
}
static inline lane lane_rotr8(lane x) {
    return _mm256_shuffle_epi8(x, _mm256_set_epi8(12, 15, 14, 13, 8, 11, 10, 9, 4, 7, 6, 5, 0, 3, 2, 1, 12, 15, 14, 13,
                                                  8, 11, 10, 9, 4, 7, 6, 5, 0, 3, 2, 1));
}
/* n is a literal */
#define lane_rotr(x, n)                                                                                                \
    ((n) == 16  ? lane_rotr16(x)                                                                                       \
     : (n) == 8 ? lane_rotr8(x)                                                                                        \
                : _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - (n))))
static inline lane lane_reduce_once(lane v) { return _mm256_min_epu32(v, _mm256_sub_epi32(v, lane_set1(PR_P))); }
static inline lane lane_add(lane a, lane b) { return lane_reduce_once(_mm256_add_epi32(a, b)); }
static inline lane lane_sub(lane a, lane b) {
    lane d = _mm256_sub_epi32(a, b);
    return _mm256_min_epu32(d, _mm256_add_epi32(d, lane_set1(PR_P)));
}
static inline lane lane_neg(lane a) { return lane_sub(_mm256_setzero_si256(), a); }
/* words 1, 3, .. moved down to 0, 2, .. for the 64-bit multiplier */
static inline lane lane_odd(lane a) { return _mm256_castps_si256(_mm256_movehdup_ps(_mm256_castsi256_ps(a))); }
static inline lane lane_mul_split(lane a, lane b2, lane odd2) {
    lane even = _mm256_mul_epu32(a, b2), odd = _mm256_mul_epu32(lane_odd(a), odd2);
    lane high = _mm256_blend_epi32(lane_odd(even), odd, 0xaa); /* each pair: even's high, odd's high */
    lane low = _mm256_mullo_epi32(a, b2);
    return lane_reduce_once(_mm256_add_epi32(high, _mm256_srli_epi32(low, 1)));
}
static inline lane lane_mul_doubled(lane a, lane b2) { return lane_mul_split(a, b2, lane_odd(b2)); }
static inline lane lane_mul_broadcast(lane a, lane b2) { return lane_mul_split(a, b2, b2); }
static inline lane lane_halve(lane a, unsigned n) {
    lane down = _mm256_srl_epi32(a, _mm_cvtsi32_si128((int)n)),
         up = _mm256_sll_epi32(a, _mm_cvtsi32_si128(31 - (int)n));
    return _mm256_or_si256(down, _mm256_and_si256(up, lane_set1(PR_P)));
}
static inline lane lane_load_4(const uint32_t *p) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
}
static inline lane lane_load_2(const uint32_t *p) {
    return _mm256_broadcastq_epi64(_mm_loadl_epi64((const __m128i *)p));
}
static inline lane lane_load_quarters(const uint32_t *p) {
    const lane order = _mm256_setr_epi32(1, 1, 0, 0, 3, 3, 2, 2);
    const lane negate = _mm256_setr_epi32(0, -2, -2, 0, 0, -2, -2, 0);
    return _mm256_xor_si256(_mm256_permutevar8x32_epi32(lane_load_4(p), order), negate);
}
static inline lane lane_load_lifted(const uint32_t *p, unsigned log_ratio, size_t i) {
    const uint32_t *at = p + (i >> (log_ratio + 1) << 1);
    switch (log_ratio) {
    case 0:
        return lane_load(at);
    case 1:
        return _mm256_permutevar8x32_epi32(lane_load_4(at), _mm256_setr_epi32(0, 1, 0, 1, 2, 3, 2, 3));
    default:
        return lane_load_2(at);
    }
}

typedef struct lane_acc {
    lane even, odd;
} lane_acc;
static inline lane_acc lane_acc_zero(void) { return (lane_acc){_mm256_setzero_si256(), _mm256_setzero_si256()}; }
static inline lane_acc lane_acc_mul_add(lane_acc s, lane a, lane b) {
    s.even = _mm256_add_epi64(s.even, _mm256_mul_epu32(a, b));
    s.odd = _mm256_add_epi64(s.odd, _mm256_mul_epu32(lane_odd(a), lane_odd(b)));
    return s;
}
static inline lane lane_fold64(lane v) {
    return _mm256_add_epi64(_mm256_and_si256(v, _mm256_set1_epi64x(PR_P)), _mm256_srli_epi64(v, 31));
}
static inline lane_acc lane_acc_fold(lane_acc s) { return (lane_acc){lane_fold64(s.even), lane_fold64(s.odd)}; }
static inline lane lane_acc_reduce(lane_acc s) {
    lane even = lane_fold64(lane_fold64(s.even)), odd = lane_fold64(lane_fold64(s.odd)); /* <= p + 7 */
    return lane_reduce_once(_mm256_or_si256(even, _mm256_slli_epi64(odd, 32)));
}

/* Words of one parity of each four, of both: (a0 a2 b0 b2 | a4 a6 b4 b6) and (a1 a3 b1 b3 | a5 a7 b5 b7). */
static inline lane lane_evens(lane a, lane b) {
    return _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
}
static inline lane lane_odds(lane a, lane b) {
    return _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xdd));
}
static inline lane lane_low_halves(lane a, lane b) { return _mm256_permute2x128_si256(a, b, 0x20); }
static inline lane lane_high_halves(lane a, lane b) { return _mm256_permute2x128_si256(a, b, 0x31); }
static inline void lane_deinterleave(lane *even, lane *odd, lane lo, lane hi) {
    *even = _mm256_permute4x64_epi64(lane_evens(lo, hi), 0xd8);
    *odd = _mm256_permute4x64_epi64(lane_odds(lo, hi), 0xd8);
}
static inline void lane_interleave(lane *lo, lane *hi, lane even, lane odd) {
    lane l = _mm256_unpacklo_epi32(even, odd), h = _mm256_unpackhi_epi32(even, odd);
    *lo = lane_low_halves(l, h);
    *hi = lane_high_halves(l, h);
}

/* Of two lanes a, b the words (a0 a2 b0 b2 | a4 a6 b4 b6) face their partners at distance 1, then
 * (a0 b0 a1 b1 | a4 b4 a5 b5) at distance 2, (a0 b0 a1 b1 | a2 b2 a3 b3) at distance 4, and at last a faces b. */
static inline void lane_part(unsigned k, lane *u, lane *v) {
    lane a = *u, b = *v;
    if (k >= 2) {
        *u = lane_low_halves(a, b);
        *v = lane_high_halves(a, b);
        a = *u, b = *v;
    }
    if (k != 2) {
        *u = lane_evens(a, b);
        *v = lane_odds(a, b);
    }
}
static inline void lane_join(unsigned k, lane *u, lane *v) {
    lane a = *u, b = *v;
    if (k != 2) {
        *u = _mm256_unpacklo_epi32(a, b);
        *v = _mm256_unpackhi_epi32(a, b);
        a = *u, b = *v;
    }
    if (k >= 2) {
        *u = lane_low_halves(a, b);
        *v = lane_high_halves(a, b);
    }
}
static inline lane lane_load_parted(unsigned k, const uint32_t *p, lane *odd) {
    if (k == 0) {
        const lane order = _mm256_setr_epi32(1, 1, 3, 3, 0, 0, 2, 2),
                   negate = _mm256_setr_epi32(0, -2, 0, -2, -2, 0, -2, 0);
        lane r = _mm256_xor_si256(_mm256_permutevar8x32_epi32(lane_load_4(p), order), negate);
        *odd = _mm256_xor_si256(r, lane_set1((uint32_t)-2));
        return r;
    }
    if (k == 1) {
        lane r = _mm256_permutevar8x32_epi32(lane_load_4(p), _mm256_setr_epi32(0, 2, 0, 2, 1, 3, 1, 3));
        *odd = lane_odd(r);
        return r;
    }
    *odd = lane_set1(p[k == 2]);
    return k == 2 ? lane_load_2(p) : *odd;
}
#endif
