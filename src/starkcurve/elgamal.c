#include "starkcurve/elgamal.h"
#include <sodium.h>
#include <string.h>

enum { VERSION = 1, HEAD_BYTES = 33, TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES };
_Static_assert(PR_SEAL_OVERHEAD_BYTES == HEAD_BYTES + TAG_BYTES, "layout");
static const uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES]; /* zero */

/* x coordinate of k P; not for infinity, which prime order excludes for k and P that are not zero. */
static void product_x(uint8_t out[32], const pr_affine *point, pr_scalar k) {
    pr_curve_point p = pr_curve_point_mul(point, k);
    pr_felt_to_bytes(out, pr_felt_mul(p.x, pr_felt_inverse(p.z)));
    sodium_memzero(&p, sizeof p);
}

static void derive_key(uint8_t key[32], const uint8_t ephemeral[32], const uint8_t public_key[32],
                       const uint8_t shared[32]) {
    static const char domain[] = "proverun sealed bytes v1";
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain);
    crypto_generichash_update(&state, ephemeral, 32);
    crypto_generichash_update(&state, public_key, 32);
    crypto_generichash_update(&state, shared, 32);
    crypto_generichash_final(&state, key, 32);
    sodium_memzero(&state, sizeof state);
}

/* Room for n more bytes, whose place is returned; NULL without memory. */
static uint8_t *extend(pr_writer *out, size_t n) {
    static const uint8_t zeros[4096];
    size_t at = out->size;
    for (size_t left = n; left > 0;) {
        size_t part = left < sizeof zeros ? left : sizeof zeros;
        pr_write_bytes(out, zeros, part);
        left -= part;
    }
    return out->failed ? NULL : out->data + at;
}

static pr_status no_memory(size_t n, pr_error *err) {
    return pr_fail(err, PR_ERR_MEMORY, "no memory for %zu bytes of encryption", n);
}

pr_status pr_elgamal_seal(pr_writer *out, const uint8_t public_key[32], const void *bytes, size_t n,
                          const void *associated, size_t n_associated, pr_error *err) {
    pr_affine recipient;
    pr_secret_key *ephemeral = NULL;
    uint8_t shared[32], key[32];
    if (!pr_affine_from_x_bytes_public(&recipient, public_key))
        return pr_fail(err, PR_ERR_USAGE, "no point of the curve is this public key");
    uint8_t *sealed = extend(out, n + PR_SEAL_OVERHEAD_BYTES);
    if (!sealed) return no_memory(n, err);
    pr_status status = pr_secret_key_generate(&ephemeral, err);
    if (status != PR_OK) {
        out->size -= n + PR_SEAL_OVERHEAD_BYTES;
        return status;
    }
    sealed[0] = VERSION;
    memcpy(sealed + 1, ephemeral->public_key, 32);
    product_x(shared, &recipient, ephemeral->secret);
    derive_key(key, ephemeral->public_key, public_key, shared);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + HEAD_BYTES, NULL, bytes, n, associated, n_associated, NULL,
                                               nonce, key);
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(key, sizeof key);
    pr_secret_key_destroy(ephemeral);
    return PR_OK;
}

pr_status pr_elgamal_open(pr_writer *out, const pr_secret_key *secret, const void *data, size_t n,
                          const void *associated, size_t n_associated, pr_error *err) {
    const uint8_t *sealed = data;
    pr_affine ephemeral;
    uint8_t shared[32], key[32];
    if (n < PR_SEAL_OVERHEAD_BYTES || sealed[0] != VERSION || !pr_affine_from_x_bytes_public(&ephemeral, sealed + 1))
        return pr_fail(err, PR_ERR_MALFORMED, "not encrypted bytes of version %d: too short, or changed", VERSION);
    uint8_t *plain = extend(out, n - PR_SEAL_OVERHEAD_BYTES + 1); /* never empty, so never NULL but without memory */
    if (!plain) return no_memory(n, err);
    product_x(shared, &ephemeral, secret->secret);
    derive_key(key, sealed + 1, secret->public_key, shared);
    int wrong = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed + HEAD_BYTES, n - HEAD_BYTES,
                                                           associated, n_associated, nonce, key);
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(key, sizeof key);
    out->size -= wrong ? n - PR_SEAL_OVERHEAD_BYTES + 1 : 1;
    if (!wrong) return PR_OK;
    return pr_fail(err, PR_ERR_REFUSED, "encrypted to another key, or changed since");
}
