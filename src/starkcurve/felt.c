#include "starkcurve/felt.h"
#include "base/random.h"
#include <sodium.h>

#define P (&PR_FIELD_MODULUS)

static pr_felt to_montgomery(const pr_u256 *a) { return (pr_felt){pr_mod_multiply(a, &P->square, P)}; }

static pr_u256 from_montgomery(pr_felt a) {
    const pr_u256 one = {{1, 0, 0, 0}};
    return pr_mod_multiply(&one, &a.mont, P);
}

pr_felt pr_felt_from_u64(uint64_t v) { return to_montgomery(&(pr_u256){{v, 0, 0, 0}}); }

bool pr_felt_from_bytes(pr_felt *out, const uint8_t bytes[32]) {
    pr_u256 a;
    pr_u256_from_bytes(&a, bytes);
    if (!pr_u256_less_mask(&a, &P->m)) return false;
    *out = to_montgomery(&a);
    return true;
}

void pr_felt_to_bytes(uint8_t bytes[32], pr_felt a) {
    pr_u256 plain = from_montgomery(a);
    pr_u256_to_bytes(bytes, &plain);
}

bool pr_felt_is_odd(pr_felt a) { return from_montgomery(a).limb[0] & 1; }

pr_felt pr_felt_inverse(pr_felt a) {
    const pr_u256 two = {{2, 0, 0, 0}};
    pr_u256 exponent;
    (void)pr_u256_sub(&exponent, &P->m, &two);
    return (pr_felt){pr_mod_power(&a.mont, &exponent, P)};
}

/* (a R)^-1 R^2 = a^-1 R */
pr_felt pr_felt_inverse_public(pr_felt a) {
    pr_u256 r = pr_mod_inverse_public(&a.mont, P);
    r = pr_mod_multiply(&r, &P->square, P);
    return (pr_felt){pr_mod_multiply(&r, &P->square, P)};
}

/* Montgomery's trick; a zero takes part as a one, and its inverse is set to zero. */
void pr_felt_batch_inverse(pr_felt *out, const pr_felt *in, size_t n) {
    pr_felt product = PR_FELT_ONE;
    for (size_t i = 0; i < n; i++) {
        pr_felt factor = in[i];
        out[i] = product;
        pr_felt_move_if(&factor, PR_FELT_ONE, pr_u256_is_zero_mask(&in[i].mont));
        product = pr_felt_mul(product, factor);
    }
    pr_felt inverse = pr_felt_inverse(product);
    for (size_t i = n; i-- > 0;) {
        uint64_t zero = pr_u256_is_zero_mask(&in[i].mont);
        pr_felt factor = in[i];
        pr_felt_move_if(&factor, PR_FELT_ONE, zero);
        out[i] = pr_felt_mul(out[i], inverse);
        pr_felt_move_if(&out[i], PR_FELT_ZERO, zero);
        inverse = pr_felt_mul(inverse, factor);
    }
}

pr_status pr_felt_random(pr_felt *out, pr_error *err) {
    uint8_t bytes[32];
    do {
        PR_TRY(pr_random_bytes(bytes, sizeof bytes, err));
        bytes[0] &= 0x0f;
    } while (!pr_felt_from_bytes(out, bytes));
    sodium_memzero(bytes, sizeof bytes);
    return PR_OK;
}
