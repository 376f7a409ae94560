/* Elements of the field of p = 2^251 + 17 * 2^192 + 1 elements ("felt252"), kept in Montgomery form (times 2^256),
 * always fully reduced. Everything takes the same time for all values, so that secrets may be used, except where a name
 * says `public` and in the functions on text. No allocation; any thread.
 *
 *   pr_felt x;
 *   if (!pr_felt_from_bytes(&x, bytes)) ...;            // not below p
 *   x = pr_felt_mul(x, pr_felt_inverse(pr_felt_from_u64(3)));
 *   pr_felt_to_bytes(bytes, x); */
#ifndef PR_STARKCURVE_FELT_H
#define PR_STARKCURVE_FELT_H
#include "base/error.h"
#include "starkcurve/constants.h"

typedef struct pr_felt {
    pr_u256 mont;
} pr_felt;

#define PR_FELT_ZERO ((pr_felt){{{0, 0, 0, 0}}})
#define PR_FELT_ONE ((pr_felt){PR_FIELD_MODULUS.one})

PR_INLINE pr_felt pr_felt_add(pr_felt a, pr_felt b) {
    return (pr_felt){pr_mod_add(&a.mont, &b.mont, &PR_FIELD_MODULUS)};
}
PR_INLINE pr_felt pr_felt_sub(pr_felt a, pr_felt b) {
    return (pr_felt){pr_mod_sub(&a.mont, &b.mont, &PR_FIELD_MODULUS)};
}
PR_INLINE pr_felt pr_felt_neg(pr_felt a) { return pr_felt_sub(PR_FELT_ZERO, a); }
PR_INLINE pr_felt pr_felt_double(pr_felt a) { return pr_felt_add(a, a); }
PR_INLINE pr_felt pr_felt_mul(pr_felt a, pr_felt b) {
    return (pr_felt){pr_mod_multiply(&a.mont, &b.mont, &PR_FIELD_MODULUS)};
}
PR_INLINE pr_felt pr_felt_square(pr_felt a) { return pr_felt_mul(a, a); }

/* The comparison takes the same time for all values; what the caller does with the answer is seen. */
PR_INLINE bool pr_felt_is_zero(pr_felt a) { return pr_u256_is_zero_mask(&a.mont) != 0; }
PR_INLINE bool pr_felt_equal(pr_felt a, pr_felt b) { return pr_felt_is_zero(pr_felt_sub(a, b)); }
/* *r = a where mask is all ones; unchanged where it is 0. */
PR_INLINE void pr_felt_move_if(pr_felt *r, pr_felt a, uint64_t mask) { pr_u256_move_if(&r->mont, &a.mont, mask); }

pr_felt pr_felt_from_u64(uint64_t v);
/* 32 bytes, big-endian. False, and nothing written, when they are not below p. */
PR_MUST_CHECK bool pr_felt_from_bytes(pr_felt *out, const uint8_t bytes[32]);
void pr_felt_to_bytes(uint8_t bytes[32], pr_felt a);
bool pr_felt_is_odd(pr_felt a); /* of the integer in [0, p) */

/* 1 / a, and 0 for 0: a^(p - 2), about 320 multiplications. */
pr_felt pr_felt_inverse(pr_felt a);
/* The same for public values, about three times as fast. */
pr_felt pr_felt_inverse_public(pr_felt a);
/* out[i] = 1 / in[i], 0 for 0; n >= 0 values, 3 multiplications each and one inverse. out and in do not overlap. The
 * time depends on n alone. */
void pr_felt_batch_inverse(pr_felt *out, const pr_felt *in, size_t n);
/* A square root, the even one of the two (as integers); false when a is not a square. Public values only. */
PR_MUST_CHECK bool pr_felt_sqrt_public(pr_felt *root, pr_felt a);
/* Uniform, from the system's randomness: 252 bits until they are below p. */
PR_MUST_CHECK pr_status pr_felt_random(pr_felt *out, pr_error *err);

/* Text. Hex: 1 to 64 digits, either case, with or without 0x. Decimal: digits. False for anything else and for what is
 * not below p. The format functions write the shortest form: "0x" and lower-case digits, or decimal digits. */
PR_MUST_CHECK bool pr_felt_from_hex(pr_felt *out, const char *text);
PR_MUST_CHECK bool pr_felt_from_decimal(pr_felt *out, const char *text);
void pr_felt_to_hex(char out[67], pr_felt a);
void pr_felt_to_decimal(char out[78], pr_felt a);
#endif
