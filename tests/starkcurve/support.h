/* Random elements that are often extreme. */
#ifndef TEST_STARKCURVE_SUPPORT_H
#define TEST_STARKCURVE_SUPPORT_H
#include "../base/seed.h"
#include "starkcurve/curve.h"
#include <string.h>

/* Fewer rounds under sanitizers, where this arithmetic is some 20 times as slow. */
#ifdef __SANITIZE_ADDRESS__
#define TEST_ROUNDS(n) ((n) / 10 + 1)
#define TEST_STEP 11
#else
#define TEST_ROUNDS(n) (n)
#define TEST_STEP 1
#endif

static inline void test_bytes(pr_prng *prng, uint8_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)pr_prng_next(prng);
}

/* Limbs of all zeros, all ones, one bit or anything. */
static inline pr_u256 test_u256(pr_prng *prng) {
    pr_u256 a;
    for (int i = 0; i < 4; i++) {
        uint64_t r = pr_prng_next(prng);
        uint32_t kind = pr_prng_below(prng, 8);
        a.limb[i] = kind == 0 ? 0 : kind == 1 ? ~(uint64_t)0 : kind == 2 ? (uint64_t)1 << (r & 63) : r;
    }
    return a;
}

/* In [0, m), m above 2^251: like test_u256, or within 8 of either end. */
static inline pr_u256 test_below(pr_prng *prng, const pr_u256 *m) {
    pr_u256 a, small = {{pr_prng_below(prng, 8), 0, 0, 0}}, one = {{1, 0, 0, 0}};
    uint32_t kind = pr_prng_below(prng, 8);
    if (kind == 0) return small;
    if (kind == 1) {
        (void)pr_u256_add(&small, &small, &one);
        (void)pr_u256_sub(&a, m, &small);
        return a;
    }
    do {
        a = test_u256(prng);
        a.limb[3] &= 0x0fffffffffffffff;
    } while (!pr_u256_less_mask(&a, m));
    return a;
}

static inline pr_felt test_felt(pr_prng *prng) {
    uint8_t bytes[32];
    pr_felt a;
    pr_u256 plain = test_below(prng, &PR_FIELD_MODULUS.m);
    pr_u256_to_bytes(bytes, &plain);
    if (!pr_felt_from_bytes(&a, bytes)) abort();
    return a;
}

static inline pr_scalar test_scalar(pr_prng *prng) { return (pr_scalar){test_below(prng, &PR_ORDER_MODULUS.m)}; }

static inline pr_affine test_affine(pr_prng *prng) {
    pr_affine a;
    while (!pr_affine_from_x_public(&a, test_felt(prng))) continue;
    if (pr_prng_next(prng) & 1) a.y = pr_felt_neg(a.y);
    return a;
}
#endif
