/* lane.h, sixteen words wide (AVX-512 F, BW, VL). */
#ifndef PR_FIELD_LANE_AVX512_H
#define PR_FIELD_LANE_AVX512_H
#include <immintrin.h>
#include "field/m31.h"

#define LANE_WIDTH 16
#define LANE_SUFFIX avx512
typedef __m512i lane;

static inline lane lane_load(const uint32_t *p) { return _mm512_loadu_si512(p); }
static inline void lane_store(uint32_t *p, lane v) { _mm512_storeu_si512(p, v); }
static inline lane lane_set1(uint32_t v) { return _mm512_set1_epi32((int)v); }
static inline lane lane_add32(lane a, lane b) { return _mm512_add_epi32(a, b); }
static inline lane lane_xor(lane a, lane b) { return _mm512_xor_si512(a, b); }
#define lane_keep_in_memory(x) ((void)(x))
/* a += x without a register for x, which lies in memory */
#define lane_add32_in_memory(a, x) __asm__("vpaddd %1, %0, %0" : "+v"(a) : "m"(x))
#define lane_rotr(x, n) _mm512_ror_epi32(x, n)
static inline lane lane_reduce_once(lane v) { return _mm512_min_epu32(v, _mm512_sub_epi32(v, lane_set1(PR_P))); }
static inline lane lane_add(lane a, lane b) { return lane_reduce_once(_mm512_add_epi32(a, b)); }
static inline lane lane_sub(lane a, lane b) {
    lane d = _mm512_sub_epi32(a, b);
    return _mm512_min_epu32(d, _mm512_add_epi32(d, lane_set1(PR_P)));
}
static inline lane lane_neg(lane a) { return lane_sub(_mm512_setzero_si512(), a); }
/* words 1, 3, .. moved down to 0, 2, .. for the 64-bit multiplier */
static inline lane lane_odd(lane a) { return _mm512_castps_si512(_mm512_movehdup_ps(_mm512_castsi512_ps(a))); }
static inline lane lane_mul_split(lane a, lane b2, lane odd2) {
    lane even = _mm512_mul_epu32(a, b2), odd = _mm512_mul_epu32(lane_odd(a), odd2);
    lane high =
        _mm512_mask_shuffle_epi32(odd, 0x5555, even, (_MM_PERM_ENUM)0xf5); /* each pair: even's high, odd's high */
    lane low = _mm512_mask_shuffle_epi32(even, 0xaaaa, odd, (_MM_PERM_ENUM)0xa0); /* each pair: even's low, odd's low */
    return lane_reduce_once(_mm512_add_epi32(high, _mm512_srli_epi32(low, 1)));
}
static inline lane lane_mul_doubled(lane a, lane b2) { return lane_mul_split(a, b2, lane_odd(b2)); }
static inline lane lane_mul_broadcast(lane a, lane b2) { return lane_mul_split(a, b2, b2); }
static inline lane lane_halve(lane a, unsigned n) {
    lane down = _mm512_srl_epi32(a, _mm_cvtsi32_si128((int)n)),
         up = _mm512_sll_epi32(a, _mm_cvtsi32_si128(31 - (int)n));
    return _mm512_or_si512(down, _mm512_and_si512(up, lane_set1(PR_P)));
}
static inline lane lane_load_8(const uint32_t *p) {
    return _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)p));
}
static inline lane lane_load_4(const uint32_t *p) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)p));
}
static inline lane lane_load_2(const uint32_t *p) {
    return _mm512_broadcastq_epi64(_mm_loadl_epi64((const __m128i *)p));
}
static inline lane lane_load_quarters(const uint32_t *p) {
    const lane order = _mm512_setr_epi32(1, 1, 0, 0, 3, 3, 2, 2, 5, 5, 4, 4, 7, 7, 6, 6);
    const lane negate = _mm512_set_epi32(0, -2, -2, 0, 0, -2, -2, 0, 0, -2, -2, 0, 0, -2, -2, 0);
    return _mm512_xor_si512(_mm512_permutexvar_epi32(order, lane_load_8(p)), negate);
}
static inline lane lane_load_lifted(const uint32_t *p, unsigned log_ratio, size_t i) {
    const uint32_t *at = p + (i >> (log_ratio + 1) << 1);
    const lane twice = _mm512_setr_epi32(0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7);
    const lane fourfold = _mm512_setr_epi32(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3);
    switch (log_ratio) {
    case 0:
        return lane_load(at);
    case 1:
        return _mm512_permutexvar_epi32(twice, lane_load_8(at));
    case 2:
        return _mm512_permutexvar_epi32(fourfold, lane_load_4(at));
    default:
        return lane_load_2(at);
    }
}

typedef struct lane_acc {
    lane even, odd;
} lane_acc;
static inline lane_acc lane_acc_zero(void) { return (lane_acc){_mm512_setzero_si512(), _mm512_setzero_si512()}; }
static inline lane_acc lane_acc_mul_add(lane_acc s, lane a, lane b) {
    s.even = _mm512_add_epi64(s.even, _mm512_mul_epu32(a, b));
    s.odd = _mm512_add_epi64(s.odd, _mm512_mul_epu32(lane_odd(a), lane_odd(b)));
    return s;
}
static inline lane lane_fold64(lane v) {
    return _mm512_add_epi64(_mm512_and_si512(v, _mm512_set1_epi64(PR_P)), _mm512_srli_epi64(v, 31));
}
static inline lane_acc lane_acc_fold(lane_acc s) { return (lane_acc){lane_fold64(s.even), lane_fold64(s.odd)}; }
static inline lane lane_acc_reduce(lane_acc s) {
    lane even = lane_fold64(lane_fold64(s.even)), odd = lane_fold64(lane_fold64(s.odd)); /* <= p + 7 */
    return lane_reduce_once(_mm512_or_si512(even, _mm512_slli_epi64(odd, 32)));
}

static inline void lane_deinterleave(lane *even, lane *odd, lane lo, lane hi) {
    const lane e = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const lane o = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    *even = _mm512_permutex2var_epi32(lo, e, hi);
    *odd = _mm512_permutex2var_epi32(lo, o, hi);
}
static inline void lane_interleave(lane *lo, lane *hi, lane even, lane odd) {
    const lane l = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const lane h = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    *lo = _mm512_permutex2var_epi32(even, l, odd);
    *hi = _mm512_permutex2var_epi32(even, h, odd);
}

/* Each step turns the bits of a word's place in its two lanes by one, the last restores the order. So layer k finds
 * the blocks' numbers in the low bits of the place, 2^k times. */
static inline void lane_part(unsigned k, lane *u, lane *v) {
    (void)k;
    lane_deinterleave(u, v, *u, *v);
}
static inline void lane_join(unsigned k, lane *u, lane *v) {
    (void)k;
    lane_interleave(u, v, *u, *v);
}
static inline lane lane_load_parted(unsigned k, const uint32_t *p, lane *odd) {
    lane r;
    switch (k) {
    case 0:
        r = lane_load_quarters(p);
        *odd = _mm512_xor_si512(r, lane_set1((uint32_t)-2));
        return r;
    case 1:
        *odd = lane_load_8(p + 1);
        return lane_load_8(p);
    case 2:
        *odd = lane_load_4(p + 1);
        return lane_load_4(p);
    case 3:
        *odd = lane_set1(p[1]);
        return lane_load_2(p);
    default:
        return *odd = lane_set1(p[0]);
    }
}
#endif
