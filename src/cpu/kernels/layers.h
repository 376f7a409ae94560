/* Layers of the circle transforms over lanes. protocol.md section 3.
 *
 * A layer k pairs slots at distance 2^k. Layers 0 .. LOG_LANE pair within two lanes and are done in registers, moving
 * words between lanes; the others pair whole lanes, up to RADIX layers at a time in registers. Data is described as
 * units of 2^log_unit words that lie together; a stretch of units may begin at any unit of the domain. */
#ifndef PR_CPU_KERNELS_LAYERS_H
#define PR_CPU_KERNELS_LAYERS_H
#include "cpu/device.h"
#include "field/lane.h"

#if LANE_WIDTH == 16
#define LOG_LANE 4
#define RADIX 4
#elif LANE_WIDTH == 8
#define LOG_LANE 3
#define RADIX 3
#else
#define LOG_LANE 0
#define RADIX 2
#endif
#define MIN_LOG (LOG_LANE + 1) /* the smallest transform in lanes */

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Twiddles of the domain of log size e: tables are those of pr_cpu_line_twiddles or .._inverses. */
typedef struct layers {
    uint32_t *const *tables;
    unsigned e;
} layers;

static inline const uint32_t *layer_twiddles(layers l, unsigned k) { return l.tables[l.e - k + 1]; }

ALWAYS_INLINE void inverse_pair(lane *u, lane *v, lane twiddle) {
    lane sum = lane_add(*u, *v);
    *v = lane_mul_doubled(lane_sub(*u, *v), twiddle);
    *u = sum;
}
ALWAYS_INLINE void forward_pair(lane *u, lane *v, lane twiddle) {
    lane product = lane_mul_doubled(*v, twiddle);
    *v = lane_sub(*u, product);
    *u = lane_add(*u, product);
}
ALWAYS_INLINE void inverse_pair_broadcast(lane *u, lane *v, lane twiddle) {
    lane sum = lane_add(*u, *v);
    *v = lane_mul_broadcast(lane_sub(*u, *v), twiddle);
    *u = sum;
}
ALWAYS_INLINE void forward_pair_broadcast(lane *u, lane *v, lane twiddle) {
    lane product = lane_mul_broadcast(*v, twiddle);
    *v = lane_sub(*u, product);
    *u = lane_add(*u, product);
}

/* The layers 0 .. LOG_LANE of two lanes that begin at a slot. Each deinterleaving rotates the bits of a word's place in
 * the two lanes by one, so that the pairs of the next layer face each other, and the last restores the order; layer k
 * finds its twiddles in the low bits of the place, so they repeat 2^k times. */
#if LANE_WIDTH == 1
ALWAYS_INLINE lane circle_twiddles(layers l, size_t slot) {
    return pr_cpu_circle_twiddle(l.tables[l.e], l.e, slot / 2);
}
#else
ALWAYS_INLINE lane circle_twiddles(layers l, size_t slot) { return lane_load_quarters(l.tables[l.e] + slot / 4); }
/* of layer k, for two lanes of slots */
ALWAYS_INLINE lane short_twiddles(layers l, unsigned k, size_t slot) {
    const uint32_t *p = layer_twiddles(l, k) + (slot >> (k + 1));
    switch (LANE_WIDTH >> k) {
#if LANE_WIDTH == 16
    case 8:
        return lane_load_8(p);
#endif
    case 4:
        return lane_load_4(p);
    case 2:
        return lane_load_2(p);
    default:
        return lane_set1(*p);
    }
}
#endif

ALWAYS_INLINE void inverse_short(lane *a, lane *b, layers l, size_t slot) {
    lane u, v;
    lane_deinterleave(&u, &v, *a, *b);
    inverse_pair(&u, &v, circle_twiddles(l, slot));
#if LANE_WIDTH > 1
#pragma GCC unroll 4
    for (unsigned k = 1; k <= LOG_LANE; k++) {
        lane_deinterleave(&u, &v, u, v);
        inverse_pair(&u, &v, short_twiddles(l, k, slot));
    }
#endif
    *a = u;
    *b = v;
}
ALWAYS_INLINE void forward_short(lane *a, lane *b, layers l, size_t slot) {
    lane u = *a, v = *b;
#if LANE_WIDTH > 1
#pragma GCC unroll 4
    for (unsigned k = LOG_LANE; k >= 1; k--) {
        forward_pair(&u, &v, short_twiddles(l, k, slot));
        lane_interleave(&u, &v, u, v);
    }
#endif
    forward_pair(&u, &v, circle_twiddles(l, slot));
    lane_interleave(a, b, u, v);
}

/* Layers k .. k + n - 1 of 2^n lanes at distance stride words from p. block: number of their block of 2^(k+n) slots. */
ALWAYS_INLINE void inverse_radix(uint32_t *p, size_t stride, unsigned n, layers l, unsigned k, size_t block) {
    lane v[1 << RADIX];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 1u << n; i++) v[i] = lane_load(p + i * stride);
#pragma GCC unroll 4
    for (unsigned q = 0; q < n; q++) {
        const uint32_t *twiddles = layer_twiddles(l, k + q) + (block << (n - 1 - q));
#pragma GCC unroll 16
        for (unsigned i = 0; i < 1u << (n - 1); i++) {
            unsigned low = i & ((1u << q) - 1), h = i >> q, at = h << (q + 1) | low;
            inverse_pair_broadcast(&v[at], &v[at | 1u << q], lane_set1(twiddles[h]));
        }
    }
#pragma GCC unroll 16
    for (unsigned i = 0; i < 1u << n; i++) lane_store(p + i * stride, v[i]);
}
ALWAYS_INLINE void forward_radix(uint32_t *p, size_t stride, unsigned n, layers l, unsigned k, size_t block) {
    lane v[1 << RADIX];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 1u << n; i++) v[i] = lane_load(p + i * stride);
#pragma GCC unroll 4
    for (unsigned r = 0; r < n; r++) {
        const unsigned q = n - 1 - r;
        const uint32_t *twiddles = layer_twiddles(l, k + q) + (block << (n - 1 - q));
#pragma GCC unroll 16
        for (unsigned i = 0; i < 1u << (n - 1); i++) {
            unsigned low = i & ((1u << q) - 1), h = i >> q, at = h << (q + 1) | low;
            forward_pair_broadcast(&v[at], &v[at | 1u << q], lane_set1(twiddles[h]));
        }
    }
#pragma GCC unroll 16
    for (unsigned i = 0; i < 1u << n; i++) lane_store(p + i * stride, v[i]);
}

/* Layers k + q .. k + q + n - 1 of 2^count units from p on; the first has number unit at distance 2^k. */
ALWAYS_INLINE void inverse_group(uint32_t *p, unsigned log_unit, unsigned count, unsigned q, unsigned n, layers l,
                                 unsigned k, size_t unit) {
    const size_t stride = (size_t)1 << (log_unit + q), blocks = (size_t)1 << (count - q - n);
    for (size_t b = 0; b < blocks; b++)
        for (size_t j = 0; j < stride; j += LANE_WIDTH)
            inverse_radix(p + (b << (log_unit + q + n)) + j, stride, n, l, k + q, (unit >> (q + n)) + b);
}
ALWAYS_INLINE void forward_group(uint32_t *p, unsigned log_unit, unsigned count, unsigned q, unsigned n, layers l,
                                 unsigned k, size_t unit) {
    const size_t stride = (size_t)1 << (log_unit + q), blocks = (size_t)1 << (count - q - n);
    for (size_t b = 0; b < blocks; b++)
        for (size_t j = 0; j < stride; j += LANE_WIDTH)
            forward_radix(p + (b << (log_unit + q + n)) + j, stride, n, l, k + q, (unit >> (q + n)) + b);
}

/* All layers k .. k + count - 1 of 2^count units of 2^log_unit words, log_unit >= LOG_LANE. unit: number of the first
 * one among all units of 2^k slots, a multiple of 2^count. The odd layers are taken where twiddles change least. */
static void inverse_units(uint32_t *p, unsigned log_unit, unsigned count, layers l, unsigned k, size_t unit) {
    unsigned q = 0;
    for (; q + RADIX <= count; q += RADIX) inverse_group(p, log_unit, count, q, RADIX, l, k, unit);
    switch (count - q) {
    case 3:
        inverse_group(p, log_unit, count, q, 3 < RADIX ? 3 : RADIX, l, k, unit);
        break;
    case 2:
        inverse_group(p, log_unit, count, q, 2, l, k, unit);
        break;
    case 1:
        inverse_group(p, log_unit, count, q, 1, l, k, unit);
        break;
    default:
        break;
    }
}
static void forward_units(uint32_t *p, unsigned log_unit, unsigned count, layers l, unsigned k, size_t unit) {
    unsigned q = count / RADIX * RADIX;
    switch (count - q) {
    case 3:
        forward_group(p, log_unit, count, q, 3 < RADIX ? 3 : RADIX, l, k, unit);
        break;
    case 2:
        forward_group(p, log_unit, count, q, 2, l, k, unit);
        break;
    case 1:
        forward_group(p, log_unit, count, q, 1, l, k, unit);
        break;
    default:
        break;
    }
    while (q > 0) {
        q -= RADIX;
        forward_group(p, log_unit, count, q, RADIX, l, k, unit);
    }
}

/* Layers 0 .. count - 1 of 2^count >= 2 * LANE_WIDTH words that begin at slot, a multiple of 2^count. dst may be src.
 */
static void inverse_block(uint32_t *dst, const uint32_t *src, unsigned count, layers l, size_t slot) {
    for (size_t i = 0; i < (size_t)1 << count; i += 2 * LANE_WIDTH) {
        lane a = lane_load(src + i), b = lane_load(src + i + LANE_WIDTH);
        inverse_short(&a, &b, l, slot + i);
        lane_store(dst + i, a);
        lane_store(dst + i + LANE_WIDTH, b);
    }
    inverse_units(dst, MIN_LOG, count - MIN_LOG, l, MIN_LOG, slot >> MIN_LOG);
}
static void forward_block(uint32_t *p, unsigned count, layers l, size_t slot) {
    forward_units(p, MIN_LOG, count - MIN_LOG, l, MIN_LOG, slot >> MIN_LOG);
    for (size_t i = 0; i < (size_t)1 << count; i += 2 * LANE_WIDTH) {
        lane a = lane_load(p + i), b = lane_load(p + i + LANE_WIDTH);
        forward_short(&a, &b, l, slot + i);
        lane_store(p + i, a);
        lane_store(p + i + LANE_WIDTH, b);
    }
}
#endif
