/* Integers modulo the order n of the curve, n = 0x0800000000000010ffffffffffffffffb781126dcae7b2321e66a241adc64d2f, as
 * plain integers in [0, n). The same times for all values, except where a name says `public`. Any thread. */
#ifndef PR_STARKCURVE_SCALAR_H
#define PR_STARKCURVE_SCALAR_H
#include "base/error.h"
#include "starkcurve/constants.h"

typedef struct pr_scalar {
    pr_u256 value;
} pr_scalar;

pr_scalar pr_scalar_add(pr_scalar a, pr_scalar b);
pr_scalar pr_scalar_sub(pr_scalar a, pr_scalar b);
pr_scalar pr_scalar_neg(pr_scalar a);
pr_scalar pr_scalar_mul(pr_scalar a, pr_scalar b);
pr_scalar pr_scalar_inverse(pr_scalar a); /* 0 for 0 */
pr_scalar pr_scalar_inverse_public(pr_scalar a);
pr_scalar pr_scalar_from_u64(uint64_t v);

bool pr_scalar_is_zero(pr_scalar a);
bool pr_scalar_equal(pr_scalar a, pr_scalar b);
bool pr_scalar_is_high(pr_scalar a); /* above (n - 1) / 2 */

/* 32 bytes, big-endian. False, and nothing written, when they are not below n. */
PR_MUST_CHECK bool pr_scalar_from_bytes(pr_scalar *out, const uint8_t bytes[32]);
/* 64 bytes, big-endian, modulo n: for digests of 512 bits, so that nobody can tell it from uniform. */
pr_scalar pr_scalar_from_wide_bytes(const uint8_t bytes[64]);
void pr_scalar_to_bytes(uint8_t bytes[32], pr_scalar a);
/* Uniform in [1, n), from the system's randomness. */
PR_MUST_CHECK pr_status pr_scalar_random(pr_scalar *out, pr_error *err);
#endif
