#include "starkcurve/ecdsa.h"
#include "starkcurve/declassify.h"
#include <sodium.h>
#include <string.h>

static bool is_below_2_251(const pr_u256 *a) { return a->limb[3] >> (251 - 192) == 0; }

/* The digest with its five highest bits cleared; below n. */
static pr_scalar message_from(uint8_t z_bytes[32], const uint8_t digest[32]) {
    pr_scalar z;
    memcpy(z_bytes, digest, 32);
    z_bytes[0] &= 0x07;
    pr_u256_from_bytes(&z.value, z_bytes);
    return z;
}

/* ---- verification ---- */

typedef struct signature {
    pr_felt r;
    pr_scalar r_scalar, w; /* w = 1 / s */
} signature;

static bool parse(signature *out, const uint8_t bytes[64]) {
    pr_scalar s;
    if (!pr_scalar_from_bytes(&out->r_scalar, bytes) || !pr_scalar_from_bytes(&s, bytes + 32)) return false;
    if (pr_scalar_is_zero(out->r_scalar) || !is_below_2_251(&out->r_scalar.value)) return false;
    if (pr_scalar_is_zero(s) || pr_scalar_is_high(s)) return false;
    out->w = pr_scalar_inverse_public(s);
    return is_below_2_251(&out->w.value) && pr_felt_from_bytes(&out->r, bytes);
}

/* Whether w z G + w r Q, or w z G - w r Q, has the x coordinate r: the key's y is not known. */
static bool check(const signature *s, const uint8_t digest[32], const pr_jacobian *from_key) {
    uint8_t z_bytes[32];
    pr_scalar u = pr_scalar_mul(message_from(z_bytes, digest), s->w);
    pr_jacobian from_message = pr_jacobian_mul_comb_public(pr_comb_generator(), u);
    pr_jacobian sum = pr_jacobian_add_public(&from_message, from_key);
    if (pr_jacobian_has_x_public(&sum, s->r)) return true;
    pr_jacobian negative = pr_jacobian_neg_public(from_key);
    sum = pr_jacobian_add_public(&from_message, &negative);
    return pr_jacobian_has_x_public(&sum, s->r);
}

bool pr_ecdsa_verify(const uint8_t public_key[32], const uint8_t digest[32], const uint8_t bytes[64]) {
    pr_affine point;
    signature s;
    if (!parse(&s, bytes) || !pr_affine_from_x_bytes_public(&point, public_key)) return false;
    pr_jacobian from_key = pr_jacobian_mul_public(&point, pr_scalar_mul(s.r_scalar, s.w));
    return check(&s, digest, &from_key);
}

bool pr_ecdsa_key_prepare(pr_ecdsa_key *prepared, const uint8_t public_key[32]) {
    pr_affine point;
    if (!pr_affine_from_x_bytes_public(&point, public_key)) return false;
    pr_comb_init(&prepared->comb, &point);
    return true;
}

bool pr_ecdsa_verify_prepared(const pr_ecdsa_key *key, const uint8_t digest[32], const uint8_t bytes[64]) {
    signature s;
    if (!parse(&s, bytes)) return false;
    pr_jacobian from_key = pr_jacobian_mul_comb_public(&key->comb, pr_scalar_mul(s.r_scalar, s.w));
    return check(&s, digest, &from_key);
}

/* ---- signing ---- */

/* r = the x coordinate of k G; false (once in 2^55) when it is no r, and when s or w are none. r and s are public. */
static bool sign_with_nonce(uint8_t out[64], pr_scalar secret, pr_scalar z, pr_scalar k) {
    pr_curve_point point = pr_curve_point_mul_generator(k);
    pr_felt x = pr_felt_mul(point.x, pr_felt_inverse(point.z));
    pr_scalar r;
    pr_felt_to_bytes(out, x);
    pr_declassify(out, 32);
    sodium_memzero(&point, sizeof point);
    if (!pr_scalar_from_bytes(&r, out) || pr_scalar_is_zero(r) || !is_below_2_251(&r.value)) return false;
    pr_scalar s = pr_scalar_mul(pr_scalar_inverse(k), pr_scalar_add(z, pr_scalar_mul(r, secret)));
    pr_declassify(&s, sizeof s);
    if (pr_scalar_is_zero(s)) return false;
    if (pr_scalar_is_high(s)) s = pr_scalar_neg(s);
    pr_scalar_to_bytes(out + 32, s);
    pr_scalar w = pr_scalar_inverse_public(s);
    return is_below_2_251(&w.value);
}

static bool verify_own(const pr_secret_key *key, const pr_ecdsa_key *prepared, const uint8_t digest[32],
                       const uint8_t bytes[64]) {
    return prepared ? pr_ecdsa_verify_prepared(prepared, digest, bytes)
                    : pr_ecdsa_verify(key->public_key, digest, bytes);
}

pr_status pr_ecdsa_sign_prepared(uint8_t out[64], const pr_secret_key *key, const pr_ecdsa_key *prepared,
                                 const uint8_t digest[32], pr_error *err) {
    uint8_t z_bytes[32], attempt = 0, result[64];
    pr_scalar z = message_from(z_bytes, digest), k;
    do { /* the first without extra bytes, then with 1, 2, ..., as cairo-lang does */
        k = pr_ecdsa_nonce(key->secret, z_bytes, &attempt, attempt ? 1 : 0);
        attempt++;
    } while (!sign_with_nonce(result, key->secret, z, k) && attempt);
    sodium_memzero(&k, sizeof k);
    if (!verify_own(key, prepared, digest, result))
        return pr_fail(err, PR_ERR_INTERNAL, "a signature just made does not verify: this machine computes wrongly");
    memcpy(out, result, 64);
    return PR_OK;
}

pr_status pr_ecdsa_sign(uint8_t out[64], const pr_secret_key *key, const uint8_t digest[32], pr_error *err) {
    return pr_ecdsa_sign_prepared(out, key, NULL, digest, err);
}
