/* Signatures as the consensus sees them: a table that its user fills. The runner puts ECDSA over the Stark curve behind
 * it, the simulator and the tests a fast keyed digest. Every implementation must be unforgeable under the assumptions
 * of whoever uses it, and deterministic in nothing but what it promises: two signatures of one digest may differ. */
#ifndef PR_CONSENSUS_CRYPTO_H
#define PR_CONSENSUS_CRYPTO_H
#include "hash/blake2s.h"

#define PR_PUBLIC_KEY_BYTES 32
#define PR_SIGNATURE_BYTES 64

typedef struct pr_crypto {
    void *context; /* of the user; handed to both functions */
    /* Signs with this node's own key. False: the key cannot be used; the message is then not sent. */
    bool (*sign)(void *context, uint8_t signature[PR_SIGNATURE_BYTES], const pr_hash *digest);
    bool (*verify)(void *context, const uint8_t public_key[PR_PUBLIC_KEY_BYTES], const pr_hash *digest,
                   const uint8_t signature[PR_SIGNATURE_BYTES]);
} pr_crypto;
#endif
