/* Batch inverses over lanes: every lane position has its own running products (Montgomery's trick), four of them
 * interleaved so that products need not wait for one another, and all end in one inversion. */
#ifndef PR_CPU_KERNELS_LANE_INVERSE_H
#define PR_CPU_KERNELS_LANE_INVERSE_H
#include "field/lane.h"

static inline lane lane_square_times(lane x, int n) {
    while (n--) x = lane_square(x);
    return x;
}
/* x^(p-2), p - 2 = 2^31 - 3 = 4 (2^29 - 1) + 1: powers x^(2^k - 1) for k = 1 2 3 6 7 14 28 29 */
static inline lane lane_inverse(lane x) {
    lane k2 = lane_mul(lane_square(x), x), k3 = lane_mul(lane_square(k2), x);
    lane k6 = lane_mul(lane_square_times(k3, 3), k3), k7 = lane_mul(lane_square(k6), x);
    lane k14 = lane_mul(lane_square_times(k7, 7), k7), k28 = lane_mul(lane_square_times(k14, 14), k14);
    lane k29 = lane_mul(lane_square(k28), x);
    return lane_mul(lane_square_times(k29, 2), x);
}

/* out[i] = 1 / in[i], n > 0 a multiple of LANE_WIDTH, in powers of two; all nonzero. out may not be in. */
static inline void lane_batch_inverse(uint32_t *out, const uint32_t *in, size_t n) {
    enum { CHAINS = 4 };
    const size_t w = LANE_WIDTH, step = n < CHAINS * w ? w : CHAINS * w, chains = step / w;
    lane product[CHAINS], rest[CHAINS];
    for (size_t k = 0; k < chains; k++) product[k] = lane_load(in + k * w);
    for (size_t i = step; i < n; i += step)
        for (size_t k = 0; k < chains; k++) {
            lane_store(out + i + k * w, product[k]);
            product[k] = lane_mul(product[k], lane_load(in + i + k * w));
        }
    for (size_t k = 0; k < chains; k++) rest[k] = k ? lane_mul(rest[k - 1], product[k]) : product[0];
    lane inverse = lane_inverse(rest[chains - 1]);
    for (size_t k = chains; k-- > 1;) {
        lane single = lane_mul(inverse, rest[k - 1]);
        inverse = lane_mul(inverse, product[k]);
        product[k] = single;
    }
    product[0] = inverse;
    for (size_t i = n - step; i > 0; i -= step)
        for (size_t k = 0; k < chains; k++) {
            lane next = lane_mul(product[k], lane_load(in + i + k * w));
            lane_store(out + i + k * w, lane_mul(product[k], lane_load(out + i + k * w)));
            product[k] = next;
        }
    for (size_t k = 0; k < chains; k++) lane_store(out + k * w, product[k]);
}
#endif
