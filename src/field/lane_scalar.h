/* lane.h, one word wide. */
#ifndef PR_FIELD_LANE_SCALAR_H
#define PR_FIELD_LANE_SCALAR_H
#include <string.h>
#include "field/m31.h"

#define LANE_WIDTH 1
#define LANE_SUFFIX scalar
typedef uint32_t lane;

static inline lane lane_load(const uint32_t *p) { return *p; }
static inline void lane_store(uint32_t *p, lane v) { *p = v; }
static inline lane lane_set1(uint32_t v) { return v; }
static inline lane lane_add32(lane a, lane b) { return a + b; }
static inline lane lane_xor(lane a, lane b) { return a ^ b; }
#define lane_keep_in_memory(x) ((void)(x))
#define lane_rotr(x, n) ((uint32_t)(((x) >> (n)) | ((x) << (32 - (n)))))
static inline lane lane_add(lane a, lane b) { return pr_m31_add(a, b); }
static inline lane lane_sub(lane a, lane b) { return pr_m31_sub(a, b); }
static inline lane lane_neg(lane a) { return pr_m31_neg(a); }
static inline lane lane_mul_doubled(lane a, lane b2) {
    uint64_t v = (uint64_t)a * b2;
    return pr_m31_reduce_once((uint32_t)(v >> 32) + ((uint32_t)v >> 1));
}
static inline lane lane_mul_broadcast(lane a, lane b2) { return lane_mul_doubled(a, b2); }
static inline lane lane_mul_split(lane a, lane b2, lane odd2) {
    (void)odd2;
    return lane_mul_doubled(a, b2);
}
static inline lane lane_halve(lane a, unsigned n) { return a >> n | (a << (31 - n) & PR_P); }
static inline lane lane_load_lifted(const uint32_t *p, unsigned log_ratio, size_t i) {
    return p[(i >> (log_ratio + 1) << 1) + (i & 1)];
}
/* v in [0, 2p) */
static inline lane lane_reduce_once(lane v) { return pr_m31_reduce_once(v); }

typedef struct lane_acc {
    uint64_t sum;
} lane_acc;
static inline lane_acc lane_acc_zero(void) { return (lane_acc){0}; }
static inline lane_acc lane_acc_mul_add(lane_acc s, lane a, lane b) {
    s.sum += (uint64_t)a * b;
    return s;
}
static inline lane_acc lane_acc_fold(lane_acc s) {
    s.sum = (s.sum & PR_P) + (s.sum >> 31);
    return s;
}
static inline lane lane_acc_reduce(lane_acc s) { return pr_m31_reduce(s.sum); }

static inline void lane_deinterleave(lane *even, lane *odd, lane lo, lane hi) {
    *even = lo;
    *odd = hi;
}
static inline void lane_interleave(lane *lo, lane *hi, lane even, lane odd) {
    *lo = even;
    *hi = odd;
}
static inline void lane_part(unsigned k, lane *u, lane *v) { (void)k, (void)u, (void)v; }
static inline void lane_join(unsigned k, lane *u, lane *v) { (void)k, (void)u, (void)v; }
#endif
