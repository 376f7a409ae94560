/* RFC 6979 for an order of 252 bits. The hash is as long as the order's bytes, so each candidate is one block of the
 * generator, shifted right by four bits. */
#include "starkcurve/declassify.h"
#include "starkcurve/ecdsa.h"
#include <sodium.h>
#include <string.h>

typedef struct generator {
    uint8_t key[32], value[32];
} generator;

static void next_value(generator *g) { crypto_auth_hmacsha256(g->value, g->value, sizeof g->value, g->key); }

/* key = HMAC(key, value || tag || data) */
static void mix(generator *g, uint8_t tag, const uint8_t *data, size_t n) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, g->key, sizeof g->key);
    crypto_auth_hmacsha256_update(&state, g->value, sizeof g->value);
    crypto_auth_hmacsha256_update(&state, &tag, 1);
    if (n) crypto_auth_hmacsha256_update(&state, data, n);
    crypto_auth_hmacsha256_final(&state, g->key);
    sodium_memzero(&state, sizeof state);
    next_value(g);
}

/* Whether the candidate is in [1, n) may be seen: the next one does not depend on it in any way that helps. */
static bool take_candidate(pr_scalar *k, const generator *g) {
    pr_u256 candidate;
    pr_u256_from_bytes(&candidate, g->value);
    for (int i = 0; i < 4; i++) candidate.limb[i] = candidate.limb[i] >> 4 | (i < 3 ? candidate.limb[i + 1] << 60 : 0);
    uint64_t good = pr_u256_less_mask(&candidate, &PR_ORDER_MODULUS.m) & ~pr_u256_is_zero_mask(&candidate);
    pr_declassify(&good, sizeof good);
    k->value = candidate;
    sodium_memzero(&candidate, sizeof candidate);
    return good != 0;
}

pr_scalar pr_ecdsa_nonce(pr_scalar secret, const uint8_t z[32], const uint8_t *extra, size_t n_extra) {
    generator g;
    uint8_t seed[96];
    pr_scalar k;
    PR_ASSERT(n_extra <= 32);
    memset(g.key, 0, sizeof g.key);
    memset(g.value, 1, sizeof g.value);
    pr_scalar_to_bytes(seed, secret);
    memcpy(seed + 32, z, 32); /* below n as it is */
    if (n_extra) memcpy(seed + 64, extra, n_extra);
    mix(&g, 0, seed, 64 + n_extra);
    mix(&g, 1, seed, 64 + n_extra);
    for (next_value(&g); !take_candidate(&k, &g); next_value(&g)) mix(&g, 0, NULL, 0);
    sodium_memzero(&g, sizeof g);
    sodium_memzero(seed, sizeof seed);
    return k;
}
