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

/* A twiddle for each word of a lane, and the odd ones moved down, as lane_mul_split takes them. */
typedef struct lane_twiddles {
    lane all, odd;
} lane_twiddles;

ALWAYS_INLINE void inverse_pair(lane *u, lane *v, lane_twiddles t) {
    lane sum = lane_add(*u, *v);
    *v = lane_mul_split(lane_sub(*u, *v), t.all, t.odd);
    *u = sum;
}
ALWAYS_INLINE void forward_pair(lane *u, lane *v, lane_twiddles t) {
    lane product = lane_mul_split(*v, t.all, t.odd);
    *v = lane_sub(*u, product);
    *u = lane_add(*u, product);
}
ALWAYS_INLINE lane_twiddles repeated_twiddle(const uint32_t *p) {
    lane t = lane_set1(*p);
    return (lane_twiddles){t, t};
}

/* Twiddles of layer k <= LOG_LANE for the two lanes at slot, where lane_part(k) has put their words. */
ALWAYS_INLINE lane_twiddles short_twiddles(layers l, unsigned k, size_t slot) {
#if LANE_WIDTH == 1
    (void)k;
    uint32_t t = pr_cpu_circle_twiddle(l.tables[l.e], l.e, slot / 2);
    return (lane_twiddles){t, t};
#else
    lane_twiddles t;
    t.all = lane_load_parted(k, k ? layer_twiddles(l, k) + (slot >> (k + 1)) : l.tables[l.e] + slot / 4, &t.odd);
    return t;
#endif
}

/* The layers 0 .. LOG_LANE of n_pairs times two lanes that begin at a slot. */
ALWAYS_INLINE void inverse_short(lane *v, unsigned n_pairs, layers l, size_t slot) {
#pragma GCC unroll 5
    for (unsigned k = 0; k <= LOG_LANE; k++)
#pragma GCC unroll 8
        for (unsigned i = 0; i < n_pairs; i++) {
            lane_part(k, &v[2 * i], &v[2 * i + 1]);
            inverse_pair(&v[2 * i], &v[2 * i + 1], short_twiddles(l, k, slot + i * 2 * LANE_WIDTH));
        }
}
ALWAYS_INLINE void forward_short(lane *v, unsigned n_pairs, layers l, size_t slot) {
#pragma GCC unroll 5
    for (unsigned r = 0; r <= LOG_LANE; r++)
#pragma GCC unroll 8
        for (unsigned i = 0; i < n_pairs; i++) {
            const unsigned k = LOG_LANE - r;
            forward_pair(&v[2 * i], &v[2 * i + 1], short_twiddles(l, k, slot + i * 2 * LANE_WIDTH));
            lane_join(k, &v[2 * i], &v[2 * i + 1]);
        }
}

/* Layers k .. k + n - 1 of 2^(n + log_apart) lanes, pairs of layer k being 2^log_apart lanes apart. block: number of
 * their block of 2^(k+n) slots. */
ALWAYS_INLINE void inverse_layers(lane *v, unsigned log_apart, unsigned n, layers l, unsigned k, size_t block) {
#pragma GCC unroll 4
    for (unsigned q = 0; q < n; q++) {
        const uint32_t *twiddles = layer_twiddles(l, k + q) + (block << (n - 1 - q));
#pragma GCC unroll 8
        for (unsigned i = 0; i < 1u << (n + log_apart - 1); i++) {
            const unsigned bit = q + log_apart, low = i & ((1u << bit) - 1), h = i >> bit, at = h << (bit + 1) | low;
            inverse_pair(&v[at], &v[at | 1u << bit], repeated_twiddle(twiddles + h));
        }
    }
}
ALWAYS_INLINE void forward_layers(lane *v, unsigned log_apart, unsigned n, layers l, unsigned k, size_t block) {
#pragma GCC unroll 4
    for (unsigned r = 0; r < n; r++) {
        const unsigned q = n - 1 - r;
        const uint32_t *twiddles = layer_twiddles(l, k + q) + (block << (n - 1 - q));
#pragma GCC unroll 8
        for (unsigned i = 0; i < 1u << (n + log_apart - 1); i++) {
            const unsigned bit = q + log_apart, low = i & ((1u << bit) - 1), h = i >> bit, at = h << (bit + 1) | low;
            forward_pair(&v[at], &v[at | 1u << bit], repeated_twiddle(twiddles + h));
        }
    }
}

/* The same of 2^n lanes, so many words apart. */
ALWAYS_INLINE void inverse_radix(uint32_t *dst, size_t dst_apart, const uint32_t *src, size_t src_apart, unsigned n,
                                 layers l, unsigned k, size_t block) {
    lane v[1 << RADIX];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 1u << n; i++) v[i] = lane_load(src + i * src_apart);
    inverse_layers(v, 0, n, l, k, block);
#pragma GCC unroll 16
    for (unsigned i = 0; i < 1u << n; i++) lane_store(dst + i * dst_apart, v[i]);
}
ALWAYS_INLINE void forward_radix(uint32_t *dst, size_t dst_apart, const uint32_t *src, size_t src_apart, unsigned n,
                                 layers l, unsigned k, size_t block) {
    lane v[1 << RADIX];
    /* Hidden from the compiler, which else keeps their multiples over the loop around this, in registers that it has
     * not: a quarter faster. Of the inverse it keeps fewer, and this would be slower. */
    __asm__("" : "+r"(dst_apart), "+r"(src_apart));
#pragma GCC unroll 16
    for (unsigned i = 0; i < 1u << n; i++, src += src_apart) v[i] = lane_load(src);
    forward_layers(v, 0, n, l, k, block);
#pragma GCC unroll 16
    for (unsigned i = 0; i < 1u << n; i++, dst += dst_apart) lane_store(dst, v[i]);
}

/* Units of 2^log_unit words, so many words apart. */
typedef struct units {
    uint32_t *at;
    size_t apart;
} units;

/* Layers k + q .. k + q + n - 1 of 2^count units; the first has number unit at distance 2^k. dst may be src. */
ALWAYS_INLINE void inverse_group(units dst, units src, unsigned log_unit, unsigned count, unsigned q, unsigned n,
                                 layers l, unsigned k, size_t unit) {
    const size_t blocks = (size_t)1 << (count - q - n);
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = b << (q + n); i < (b << (q + n)) + ((size_t)1 << q); i++)
            for (size_t j = 0; j < (size_t)1 << log_unit; j += LANE_WIDTH)
                inverse_radix(dst.at + i * dst.apart + j, dst.apart << q, src.at + i * src.apart + j, src.apart << q, n,
                              l, k + q, (unit >> (q + n)) + b);
}
ALWAYS_INLINE void forward_group(units dst, units src, unsigned log_unit, unsigned count, unsigned q, unsigned n,
                                 layers l, unsigned k, size_t unit) {
    const size_t blocks = (size_t)1 << (count - q - n);
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = b << (q + n); i < (b << (q + n)) + ((size_t)1 << q); i++)
            for (size_t j = 0; j < (size_t)1 << log_unit; j += LANE_WIDTH)
                forward_radix(dst.at + i * dst.apart + j, dst.apart << q, src.at + i * src.apart + j, src.apart << q, n,
                              l, k + q, (unit >> (q + n)) + b);
}
static void inverse_step(units dst, units src, unsigned log_unit, unsigned count, unsigned q, unsigned n, layers l,
                         unsigned k, size_t unit) {
    switch (n) {
#if RADIX >= 4
    case 4:
        inverse_group(dst, src, log_unit, count, q, 4, l, k, unit);
        break;
#endif
#if RADIX >= 3
    case 3:
        inverse_group(dst, src, log_unit, count, q, 3, l, k, unit);
        break;
#endif
    case 2:
        inverse_group(dst, src, log_unit, count, q, 2, l, k, unit);
        break;
    default:
        inverse_group(dst, src, log_unit, count, q, 1, l, k, unit);
        break;
    }
}
static void forward_step(units dst, units src, unsigned log_unit, unsigned count, unsigned q, unsigned n, layers l,
                         unsigned k, size_t unit) {
    switch (n) {
#if RADIX >= 4
    case 4:
        forward_group(dst, src, log_unit, count, q, 4, l, k, unit);
        break;
#endif
#if RADIX >= 3
    case 3:
        forward_group(dst, src, log_unit, count, q, 3, l, k, unit);
        break;
#endif
    case 2:
        forward_group(dst, src, log_unit, count, q, 2, l, k, unit);
        break;
    default:
        forward_group(dst, src, log_unit, count, q, 1, l, k, unit);
        break;
    }
}

/* All layers k .. k + count - 1 of 2^count units, count >= 1, log_unit >= LOG_LANE. unit: number of the first one among
 * all units of 2^k slots, a multiple of 2^count. From src to dst, in between in middle; each may be another.
 * The odd layers are taken where twiddles change least. */
static void inverse_units(units dst, units middle, units src, unsigned log_unit, unsigned count, layers l, unsigned k,
                          size_t unit) {
    for (unsigned q = 0, n; q < count; q += n, src = middle) {
        n = count - q < RADIX ? count - q : RADIX;
        inverse_step(q + n == count ? dst : middle, src, log_unit, count, q, n, l, k, unit);
    }
}
static void forward_units(units dst, units middle, units src, unsigned log_unit, unsigned count, layers l, unsigned k,
                          size_t unit) {
    for (unsigned q = count, n; q > 0; src = middle) {
        n = q % RADIX ? q % RADIX : RADIX;
        q -= n;
        forward_step(q ? middle : dst, src, log_unit, count, q, n, l, k, unit);
    }
}

/* Layers 0 .. LOG_LANE + n of 2^(n+1) lanes that lie together from p on and begin at slot. */
ALWAYS_INLINE void inverse_run(uint32_t *dst, const uint32_t *src, unsigned n, layers l, size_t slot) {
    lane v[1 << RADIX];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 2u << n; i++) v[i] = lane_load(src + i * LANE_WIDTH);
    inverse_short(v, 1u << n, l, slot);
    inverse_layers(v, 1, n, l, MIN_LOG, slot >> (MIN_LOG + n));
#pragma GCC unroll 16
    for (unsigned i = 0; i < 2u << n; i++) lane_store(dst + i * LANE_WIDTH, v[i]);
}
ALWAYS_INLINE void forward_run(uint32_t *p, unsigned n, layers l, size_t slot) {
    lane v[1 << RADIX];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 2u << n; i++) v[i] = lane_load(p + i * LANE_WIDTH);
    forward_layers(v, 1, n, l, MIN_LOG, slot >> (MIN_LOG + n));
    forward_short(v, 1u << n, l, slot);
#pragma GCC unroll 16
    for (unsigned i = 0; i < 2u << n; i++) lane_store(p + i * LANE_WIDTH, v[i]);
}

#define RUN_LOG (LOG_LANE + RADIX) /* of a run of as many lanes as registers hold */

/* Layers 0 .. count - 1 of 2^count >= 2 * LANE_WIDTH words that begin at slot, a multiple of 2^count. dst may be src.
 */
static void inverse_block(uint32_t *dst, const uint32_t *src, unsigned count, layers l, size_t slot) {
    const unsigned log_run = count < RUN_LOG ? MIN_LOG : RUN_LOG;
    for (size_t i = 0; i < (size_t)1 << count; i += (size_t)1 << log_run) {
        if (log_run == RUN_LOG)
            inverse_run(dst + i, src + i, RADIX - 1, l, slot + i);
        else
            inverse_run(dst + i, src + i, 0, l, slot + i);
    }
    const units runs = {dst, (size_t)1 << log_run};
    inverse_units(runs, runs, runs, log_run, count - log_run, l, log_run, slot >> log_run);
}
static void forward_block(uint32_t *p, unsigned count, layers l, size_t slot) {
    const unsigned log_run = count < RUN_LOG ? MIN_LOG : RUN_LOG;
    const units runs = {p, (size_t)1 << log_run};
    forward_units(runs, runs, runs, log_run, count - log_run, l, log_run, slot >> log_run);
    for (size_t i = 0; i < (size_t)1 << count; i += (size_t)1 << log_run) {
        if (log_run == RUN_LOG)
            forward_run(p + i, RADIX - 1, l, slot + i);
        else
            forward_run(p + i, 0, l, slot + i);
    }
}
#endif
