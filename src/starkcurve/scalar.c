#include "starkcurve/scalar.h"
#include "base/random.h"
#include <sodium.h>

#define N (&PR_ORDER_MODULUS)

pr_scalar pr_scalar_add(pr_scalar a, pr_scalar b) { return (pr_scalar){pr_mod_add(&a.value, &b.value, N)}; }
pr_scalar pr_scalar_sub(pr_scalar a, pr_scalar b) { return (pr_scalar){pr_mod_sub(&a.value, &b.value, N)}; }
pr_scalar pr_scalar_neg(pr_scalar a) { return pr_scalar_sub((pr_scalar){{{0}}}, a); }

pr_scalar pr_scalar_mul(pr_scalar a, pr_scalar b) {
    pr_u256 r = pr_mod_multiply(&a.value, &b.value, N);
    return (pr_scalar){pr_mod_multiply(&r, &N->square, N)};
}

/* a^(n - 2) */
pr_scalar pr_scalar_inverse(pr_scalar a) {
    const pr_u256 two = {{2, 0, 0, 0}}, one = {{1, 0, 0, 0}};
    pr_u256 exponent, r = pr_mod_multiply(&a.value, &N->square, N);
    (void)pr_u256_sub(&exponent, &N->m, &two);
    r = pr_mod_power(&r, &exponent, N);
    return (pr_scalar){pr_mod_multiply(&one, &r, N)};
}

pr_scalar pr_scalar_inverse_public(pr_scalar a) { return (pr_scalar){pr_mod_inverse_public(&a.value, N)}; }

/* value modulo n: over R and back */
static pr_scalar reduce(const pr_u256 *value) {
    pr_u256 r = pr_mod_multiply(value, &N->one, N);
    return (pr_scalar){r};
}

pr_scalar pr_scalar_from_u64(uint64_t v) { return reduce(&(pr_u256){{v, 0, 0, 0}}); }

bool pr_scalar_is_zero(pr_scalar a) { return pr_u256_is_zero_mask(&a.value) != 0; }
bool pr_scalar_equal(pr_scalar a, pr_scalar b) { return pr_scalar_is_zero(pr_scalar_sub(a, b)); }

/* a > n - a, for a below n: above half of it, since n is odd */
bool pr_scalar_is_high(pr_scalar a) {
    pr_scalar opposite = pr_scalar_neg(a);
    return pr_u256_less_mask(&opposite.value, &a.value) != 0;
}

bool pr_scalar_from_bytes(pr_scalar *out, const uint8_t bytes[32]) {
    pr_u256 a;
    pr_u256_from_bytes(&a, bytes);
    if (!pr_u256_less_mask(&a, &N->m)) return false;
    out->value = a;
    return true;
}

/* high * 2^256 + low = high * R + low */
pr_scalar pr_scalar_from_wide_bytes(const uint8_t bytes[64]) {
    pr_u256 high, low;
    pr_u256_from_bytes(&high, bytes);
    pr_u256_from_bytes(&low, bytes + 32);
    pr_scalar shifted = {pr_mod_multiply(&high, &N->square, N)};
    return pr_scalar_add(shifted, reduce(&low));
}

void pr_scalar_to_bytes(uint8_t bytes[32], pr_scalar a) { pr_u256_to_bytes(bytes, &a.value); }

pr_status pr_scalar_random(pr_scalar *out, pr_error *err) {
    uint8_t bytes[32];
    do {
        PR_TRY(pr_random_bytes(bytes, sizeof bytes, err));
        bytes[0] &= 0x0f;
    } while (!pr_scalar_from_bytes(out, bytes) || pr_scalar_is_zero(*out));
    sodium_memzero(bytes, sizeof bytes);
    return PR_OK;
}
