/* ECDSA over the curve, in Starknet's usage (cairo-lang, starkware/crypto/signature/signature.py):
 * - a public key is the x coordinate of the point, 32 bytes big-endian; a signature is good for either of the two
 * points with that x;
 * - a signature is 64 bytes: r, then s, each 32 bytes big-endian;
 * - r is the x coordinate of k G as an integer and must be in [1, 2^251), it is not reduced modulo n;
 * - w = s^-1 mod n must be below 2^251 too;
 * - z is below 2^251. **Here it is the 32-byte digest, big-endian, with its five highest bits cleared** (z = digest mod
 *   2^251): a message of Starknet, already below 2^251, stays what it is, and a hash keeps 251 of its bits. Two digests
 *   that differ in these five bits alone have the same signatures: sign hashes, not values with a meaning.
 * Stricter than Starknet: s must be in [1, (n - 1) / 2], so that nobody can make a second signature of a given one by
 * taking n - s. What we sign, Starknet accepts; what Starknet's tools sign, we accept after such a change.
 * Nonces are those of RFC 6979 with HMAC-SHA-256, as in cairo-lang: signing is deterministic.
 * Any thread. */
#ifndef PR_STARKCURVE_ECDSA_H
#define PR_STARKCURVE_ECDSA_H
#include "starkcurve/curve.h"
#include "starkcurve/key.h"

/* A public key made ready for many verifications: 84 KiB, as much work as ten verifications without. Whoever has the
 * memory may copy it. */
typedef struct pr_ecdsa_key {
    pr_comb comb;
} pr_ecdsa_key;

/* The time does not depend on the key, retries (one in 2^50) aside. PR_ERR_INTERNAL when the signature does not
 * verify afterwards: a fault of the machine, and such a signature must not get out, for it may tell the key. */
PR_MUST_CHECK pr_status pr_ecdsa_sign(uint8_t signature[64], const pr_secret_key *key, const uint8_t digest[32],
                                      pr_error *err);
/* The same signature, verified with the prepared public key of the same key, twice as fast; NULL: as above. */
PR_MUST_CHECK pr_status pr_ecdsa_sign_prepared(uint8_t signature[64], const pr_secret_key *key,
                                               const pr_ecdsa_key *prepared, const uint8_t digest[32], pr_error *err);

/* False for whatever is not a signature of this digest: also for a key that is no x coordinate, and for r or s out of
 * range. Public values only. */
bool pr_ecdsa_verify(const uint8_t public_key[32], const uint8_t digest[32], const uint8_t signature[64]);

/* False, and nothing written, when no point of the curve has this x. */
PR_MUST_CHECK bool pr_ecdsa_key_prepare(pr_ecdsa_key *prepared, const uint8_t public_key[32]);
bool pr_ecdsa_verify_prepared(const pr_ecdsa_key *key, const uint8_t digest[32], const uint8_t signature[64]);

/* The nonce of RFC 6979, section 3.2, for z and the secret key, with extra bytes as in its section 3.6 (n_extra <= 32).
 */
pr_scalar pr_ecdsa_nonce(pr_scalar secret, const uint8_t z[32], const uint8_t *extra, size_t n_extra);
#endif
