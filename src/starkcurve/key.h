/* Secret keys: a scalar d in [1, n), whose public key is the x coordinate of d G (ecdsa.h). They live in memory of
 * libsodium's that is locked, between guard pages, left out of core dumps, and wiped when freed. */
#ifndef PR_STARKCURVE_KEY_H
#define PR_STARKCURVE_KEY_H
#include "starkcurve/scalar.h"

typedef struct pr_secret_key {
    pr_scalar secret;
    uint8_t public_key[32];
} pr_secret_key;

/* *key: freed with pr_secret_key_destroy. From the system's randomness. */
PR_MUST_CHECK pr_status pr_secret_key_generate(pr_secret_key **key, pr_error *err);
/* 32 bytes, big-endian, in [1, n); PR_ERR_MALFORMED otherwise. The caller wipes its bytes. */
PR_MUST_CHECK pr_status pr_secret_key_from_bytes(pr_secret_key **key, const uint8_t bytes[32], pr_error *err);
void pr_secret_key_destroy(pr_secret_key *key); /* may be NULL */
#endif
