/* Encryption to a public key (the 32-byte x coordinate of ecdsa.h), in two forms.
 *
 * Sealed bytes: hybrid ElGamal. With a fresh secret e per message, the shared point is e P = d (e G), of which only the
 * x coordinate is used, so that it does not matter which of the two points of a public key is meant. The key of the
 * message is BLAKE2b-256 over a domain, the x coordinates of e G, P and the shared point; XChaCha20-Poly1305
 * (libsodium, nonce zero: a key is used once) covers the bytes and the associated data. sealed = 0x01 || x(e G), 32
 * bytes || ciphertext, as long as the bytes || tag, 16 bytes Whoever holds the secret key opens it; nobody learns more
 * than the length. It does not tell who sealed.
 *
 * Counts: additively homomorphic ElGamal for small integers. (r G, r P + m H) encrypts m; sums of ciphertexts encrypt
 * sums. H is a second generator of which nobody knows the logarithm: the first x coordinate, hashed from a domain and a
 * counter, that has a point (pr_curve_second_generator). Two non-interactive proofs (Fiat-Shamir with BLAKE2b-512 over
 * a domain and every point of the statement and of the commitment, 64 bytes each: x, y; challenge modulo n):
 * - knowledge: "I know m and r with c1 = r G and c2 = r P + m H", Schnorr's protocol in two unknowns (Okamoto's);
 * - opening: "m is what c1, c2 encrypt to P", that is log_G P = log_c1 (c2 - m H), Chaum and Pedersen's protocol.
 * A proof says nothing about the size of m: a knowledge proof with m near n is possible.
 *
 * Any thread. Secrets: constant time; ciphertexts and proofs are public. */
#ifndef PR_STARKCURVE_ELGAMAL_H
#define PR_STARKCURVE_ELGAMAL_H
#include "base/bytes.h"
#include "starkcurve/curve.h"
#include "starkcurve/key.h"

#define PR_SEAL_OVERHEAD_BYTES 49

/* Appends n + PR_SEAL_OVERHEAD_BYTES bytes. PR_ERR_USAGE: no public key; PR_ERR_MEMORY; PR_ERR_INTERNAL. */
PR_MUST_CHECK pr_status pr_elgamal_seal(pr_writer *out, const uint8_t public_key[32], const void *bytes, size_t n,
                                        const void *associated, size_t n_associated, pr_error *err);
/* Appends what was sealed. PR_ERR_MALFORMED: too short, another version, no point; PR_ERR_REFUSED: another key, other
 * associated data, or bytes that were changed, which cannot be told apart. Nothing is appended then. */
PR_MUST_CHECK pr_status pr_elgamal_open(pr_writer *out, const pr_secret_key *key, const void *sealed, size_t n,
                                        const void *associated, size_t n_associated, pr_error *err);

pr_affine pr_curve_second_generator(void); /* H; made at first use */

typedef struct pr_count {
    pr_curve_point c1, c2;
} pr_count;

typedef struct pr_count_proof { /* of knowledge */
    pr_scalar challenge, response_r, response_m;
} pr_count_proof;

typedef struct pr_opening_proof {
    pr_scalar challenge, response;
} pr_opening_proof;

/* Encrypts value. proof (may be NULL) shows that the caller knows it. PR_ERR_USAGE: no public key. */
PR_MUST_CHECK pr_status pr_count_encrypt(pr_count *out, pr_count_proof *proof, const uint8_t public_key[32],
                                         uint64_t value, pr_error *err);
bool pr_count_check(const pr_count *count, const pr_count_proof *proof, const uint8_t public_key[32]);
pr_count pr_count_add(const pr_count *a, const pr_count *b);
/* The value, by baby steps and giant steps: about 2 sqrt(limit) additions and as many times 72 bytes of memory.
 * PR_ERR_REFUSED: not below limit (1 to 2^40), or another key's. proof: may be NULL. */
PR_MUST_CHECK pr_status pr_count_decrypt(uint64_t *value, pr_opening_proof *proof, const pr_count *count,
                                         const pr_secret_key *key, uint64_t limit, pr_error *err);
bool pr_opening_check(const pr_count *count, uint64_t value, const pr_opening_proof *proof,
                      const uint8_t public_key[32]);
#endif
