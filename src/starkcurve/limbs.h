/* Integers of 256 bits as four limbs, least significant first, and Montgomery arithmetic modulo an odd m < 2^255.
 * Internal to this module. Everything here takes the same time for all values, except where a name says `public`.
 *
 * A modulus is a compile-time constant, so that the compiler knows its form: the prime of the field is
 * 1 + 0x0800000000000011 * 2^192, for which a reduction costs four multiplications instead of sixteen. */
#ifndef PR_STARKCURVE_LIMBS_H
#define PR_STARKCURVE_LIMBS_H
#include <stdbool.h>
#include <stdint.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

typedef struct pr_u256 {
    uint64_t limb[4];
} pr_u256;

typedef unsigned __int128 pr_u128;

/* R = 2^256. */
typedef struct pr_modulus {
    pr_u256 m;
    uint64_t minus_inverse; /* -m^-1 mod 2^64 */
    pr_u256 one, square;    /* R mod m, R^2 mod m */
} pr_modulus;

#define PR_INLINE static inline __attribute__((always_inline))

/* The compiler must not know that a mask is 0 or all ones, or it may branch on it. */
PR_INLINE uint64_t pr_mask_hide(uint64_t mask) {
    __asm__("" : "+r"(mask));
    return mask;
}
/* All ones if v is zero, else 0. */
PR_INLINE uint64_t pr_mask_zero(uint64_t v) { return pr_mask_hide(((v | (0 - v)) >> 63) - 1); }

/* *out = a + b + carry; the carry out. The two forms compute the same; the first is what compilers keep in flags. */
#if defined __x86_64__
PR_INLINE unsigned char pr_add_carry(uint64_t *out, uint64_t a, uint64_t b, unsigned char carry) {
    unsigned long long sum;
    unsigned char next = _addcarry_u64(carry, a, b, &sum);
    *out = sum;
    return next;
}
PR_INLINE unsigned char pr_sub_borrow(uint64_t *out, uint64_t a, uint64_t b, unsigned char borrow) {
    unsigned long long difference;
    unsigned char next = _subborrow_u64(borrow, a, b, &difference);
    *out = difference;
    return next;
}
#else
PR_INLINE unsigned char pr_add_carry(uint64_t *out, uint64_t a, uint64_t b, unsigned char carry) {
    pr_u128 sum = (pr_u128)a + b + carry;
    *out = (uint64_t)sum;
    return (unsigned char)(sum >> 64);
}
PR_INLINE unsigned char pr_sub_borrow(uint64_t *out, uint64_t a, uint64_t b, unsigned char borrow) {
    pr_u128 difference = (pr_u128)a - b - borrow;
    *out = (uint64_t)difference;
    return (unsigned char)(difference >> 127);
}
#endif

PR_INLINE unsigned char pr_u256_add(pr_u256 *out, const pr_u256 *a, const pr_u256 *b) {
    unsigned char c = 0;
    for (int i = 0; i < 4; i++) c = pr_add_carry(&out->limb[i], a->limb[i], b->limb[i], c);
    return c;
}

PR_INLINE unsigned char pr_u256_sub(pr_u256 *out, const pr_u256 *a, const pr_u256 *b) {
    unsigned char c = 0;
    for (int i = 0; i < 4; i++) c = pr_sub_borrow(&out->limb[i], a->limb[i], b->limb[i], c);
    return c;
}

/* *r = a where mask is all ones; unchanged where it is 0. */
PR_INLINE void pr_u256_move_if(pr_u256 *r, const pr_u256 *a, uint64_t mask) {
    for (int i = 0; i < 4; i++) r->limb[i] ^= mask & (r->limb[i] ^ a->limb[i]);
}

/* *r |= a where mask is all ones. */
PR_INLINE void pr_u256_or_if(pr_u256 *r, const pr_u256 *a, uint64_t mask) {
    for (int i = 0; i < 4; i++) r->limb[i] |= mask & a->limb[i];
}

/* n < 64 bits from bit start on; start + n <= 256. The time depends on start and n alone. */
PR_INLINE uint64_t pr_u256_bits(const pr_u256 *a, int start, int n) {
    int limb = start / 64, shift = start % 64;
    uint64_t low = a->limb[limb] >> shift;
    if (shift + n > 64) low |= a->limb[limb + 1] << (64 - shift);
    return low & (((uint64_t)1 << n) - 1);
}

PR_INLINE uint64_t pr_u256_is_zero_mask(const pr_u256 *a) {
    return pr_mask_zero(a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]);
}
/* All ones if a < b, else 0. */
PR_INLINE uint64_t pr_u256_less_mask(const pr_u256 *a, const pr_u256 *b) {
    pr_u256 unused;
    return pr_mask_hide(0 - (uint64_t)pr_u256_sub(&unused, a, b));
}

void pr_u256_from_bytes(pr_u256 *out, const uint8_t bytes[32]); /* big-endian */
void pr_u256_to_bytes(uint8_t bytes[32], const pr_u256 *a);

/* a mod m for a < 2 m. */
PR_INLINE pr_u256 pr_mod_reduce_once(const pr_u256 *a, const pr_modulus *m) {
    pr_u256 r;
    uint64_t borrowed = pr_mask_hide(0 - (uint64_t)pr_u256_sub(&r, a, &m->m));
    pr_u256_move_if(&r, a, borrowed);
    return r;
}

PR_INLINE pr_u256 pr_mod_add(const pr_u256 *a, const pr_u256 *b, const pr_modulus *m) {
    pr_u256 sum;
    (void)pr_u256_add(&sum, a, b); /* < 2^256, since m < 2^255 */
    return pr_mod_reduce_once(&sum, m);
}

PR_INLINE pr_u256 pr_mod_sub(const pr_u256 *a, const pr_u256 *b, const pr_modulus *m) {
    pr_u256 r, correction;
    uint64_t borrowed = pr_mask_hide(0 - (uint64_t)pr_u256_sub(&r, a, b));
    for (int i = 0; i < 4; i++) correction.limb[i] = m->m.limb[i] & borrowed;
    (void)pr_u256_add(&r, &r, &correction);
    return r;
}

/* t (five limbs) += x * b; the sum must fit. Unrolled by hand, for not every compiler does it. */
PR_INLINE void pr_mod_multiply_row(uint64_t *t, uint64_t x, const pr_u256 *b) {
    const pr_u128 p0 = (pr_u128)x * b->limb[0], p1 = (pr_u128)x * b->limb[1], p2 = (pr_u128)x * b->limb[2],
                  p3 = (pr_u128)x * b->limb[3];
    unsigned char c = pr_add_carry(&t[0], t[0], (uint64_t)p0, 0);
    c = pr_add_carry(&t[1], t[1], (uint64_t)p1, c);
    c = pr_add_carry(&t[2], t[2], (uint64_t)p2, c);
    c = pr_add_carry(&t[3], t[3], (uint64_t)p3, c);
    (void)pr_add_carry(&t[4], t[4], (uint64_t)(p3 >> 64), c);
    c = pr_add_carry(&t[1], t[1], (uint64_t)(p0 >> 64), 0);
    c = pr_add_carry(&t[2], t[2], (uint64_t)(p1 >> 64), c);
    c = pr_add_carry(&t[3], t[3], (uint64_t)(p2 >> 64), c);
    (void)pr_add_carry(&t[4], t[4], 0, c);
}

/* a b / R mod m, for a, b < m: the interleaved form of P. Montgomery, "Modular multiplication without trial division",
 * Math. Comp. 44 (1985). Before each row t < 2 m, so five limbs are enough. Below 2 m. */
PR_INLINE pr_u256 pr_mod_multiply_any(const pr_u256 *a, const pr_u256 *b, const pr_modulus *m) {
    uint64_t t[5] = {0};
    for (int i = 0; i < 4; i++) {
        pr_mod_multiply_row(t, a->limb[i], b);
        pr_mod_multiply_row(t, t[0] * m->minus_inverse, &m->m); /* t[0] becomes 0 */
        for (int j = 0; j < 4; j++) t[j] = t[j + 1];
        t[4] = 0;
    }
    return (pr_u256){{t[0], t[1], t[2], t[3]}};
}

/* (t + q m) / 2^192 for m = 1 + c 2^192 and the q below 2^192 for which the division leaves nothing: q = -t, and the
 * limbs that become zero carry 1 unless they were zero. In place: the result is t[3] to t[7]. */
PR_INLINE void pr_mod_reduce_three(uint64_t t[8], uint64_t c) {
    uint64_t q[3];
    unsigned char carry = pr_sub_borrow(&q[0], 0, t[0], 0);
    carry = pr_sub_borrow(&q[1], 0, t[1], carry);
    carry = pr_sub_borrow(&q[2], 0, t[2], carry);
    const pr_u128 p0 = (pr_u128)q[0] * c, p1 = (pr_u128)q[1] * c, p2 = (pr_u128)q[2] * c;
    carry = pr_add_carry(&t[3], t[3], (uint64_t)p0, carry);
    carry = pr_add_carry(&t[4], t[4], (uint64_t)p1, carry);
    carry = pr_add_carry(&t[5], t[5], (uint64_t)p2, carry);
    carry = pr_add_carry(&t[6], t[6], (uint64_t)(p2 >> 64), carry);
    (void)pr_add_carry(&t[7], t[7], 0, carry);
    carry = pr_add_carry(&t[4], t[4], (uint64_t)(p0 >> 64), 0);
    carry = pr_add_carry(&t[5], t[5], (uint64_t)(p1 >> 64), carry);
    carry = pr_add_carry(&t[6], t[6], 0, carry);
    (void)pr_add_carry(&t[7], t[7], 0, carry);
}

/* The same once more for the fourth limb, by 2^64: t[4] to t[7]. */
PR_INLINE void pr_mod_reduce_fourth(uint64_t t[8], uint64_t c) {
    uint64_t q;
    unsigned char carry = pr_sub_borrow(&q, 0, t[3], 0);
    const pr_u128 p = (pr_u128)q * c;
    carry = pr_add_carry(&t[4], t[4], 0, carry);
    carry = pr_add_carry(&t[5], t[5], 0, carry);
    carry = pr_add_carry(&t[6], t[6], (uint64_t)p, carry);
    (void)pr_add_carry(&t[7], t[7], (uint64_t)(p >> 64), carry);
}

/* The same for m = 1 + c 2^192: the whole product t < m^2 < 2^504 first, then two reductions. (t + q m) / R < 2 m,
 * since all that is added is less than R m. */
PR_INLINE pr_u256 pr_mod_multiply_sparse(const pr_u256 *a, const pr_u256 *b, uint64_t c) {
    uint64_t t[8] = {0};
    pr_mod_multiply_row(t, a->limb[0], b);
    pr_mod_multiply_row(t + 1, a->limb[1], b);
    pr_mod_multiply_row(t + 2, a->limb[2], b);
    pr_mod_multiply_row(t + 3, a->limb[3], b);
    pr_mod_reduce_three(t, c);
    pr_mod_reduce_fourth(t, c);
    return (pr_u256){{t[4], t[5], t[6], t[7]}};
}

/* a b / R mod m, for a, b < m. Which form it is the compiler decides. */
PR_INLINE pr_u256 pr_mod_multiply(const pr_u256 *a, const pr_u256 *b, const pr_modulus *m) {
    bool is_sparse = m->m.limb[0] == 1 && m->m.limb[1] == 0 && m->m.limb[2] == 0;
    pr_u256 r = is_sparse ? pr_mod_multiply_sparse(a, b, m->m.limb[3]) : pr_mod_multiply_any(a, b, m);
    return pr_mod_reduce_once(&r, m);
}

/* base^exponent in Montgomery form; only the exponent's value is public. */
pr_u256 pr_mod_power(const pr_u256 *base, const pr_u256 *exponent, const pr_modulus *m);
/* 1 / a mod m as plain integers, 0 for 0, in a time that depends on a. m is prime. */
pr_u256 pr_mod_inverse_public(const pr_u256 *a, const pr_modulus *m);
#endif
