#include "cluster/ballot_keys.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

#define PR_MAX_PREPARED 512u /* 84 KiB each; the keys beyond are verified the slower way */

typedef struct prepared {
    uint8_t key[PR_PUBLIC_KEY_BYTES];
    pr_ecdsa_key *ready; /* NULL: no key of the curve */
} prepared;

struct pr_ballot_keys {
    const pr_secret_key *key;
    prepared all[PR_MAX_PREPARED];
    uint32_t n;
};

static const prepared *find(const pr_ballot_keys *k, const uint8_t key[PR_PUBLIC_KEY_BYTES]) {
    for (uint32_t i = 0; i < k->n; i++)
        if (memcmp(k->all[i].key, key, PR_PUBLIC_KEY_BYTES) == 0) return &k->all[i];
    return NULL;
}

static const prepared *add(pr_ballot_keys *k, const uint8_t key[PR_PUBLIC_KEY_BYTES]) {
    pr_ecdsa_key *ready = k->n < PR_MAX_PREPARED ? malloc(sizeof *ready) : NULL;
    if (!ready) return NULL;
    prepared *p = &k->all[k->n++];
    memcpy(p->key, key, PR_PUBLIC_KEY_BYTES);
    p->ready = ready;
    if (pr_ecdsa_key_prepare(ready, key)) return p;
    free(ready);
    p->ready = NULL;
    return p;
}

static const prepared *find_or_add(pr_ballot_keys *k, const uint8_t key[PR_PUBLIC_KEY_BYTES]) {
    const prepared *p = find(k, key);
    return p ? p : add(k, key);
}

static bool verify(void *context, const uint8_t key[PR_PUBLIC_KEY_BYTES], const pr_hash *digest,
                   const uint8_t signature[PR_SIGNATURE_BYTES]) {
    pr_ballot_keys *k = context;
    const prepared *p = find_or_add(k, key);
    if (!p) return pr_ecdsa_verify(key, digest->bytes, signature);
    return p->ready && pr_ecdsa_verify_prepared(p->ready, digest->bytes, signature);
}

static bool sign(void *context, uint8_t signature[PR_SIGNATURE_BYTES], const pr_hash *digest) {
    pr_ballot_keys *k = context;
    pr_error err = {0};
    if (!k->key) return false;
    const prepared *own = find_or_add(k, k->key->public_key);
    if (pr_ecdsa_sign_prepared(signature, k->key, own ? own->ready : NULL, digest->bytes, &err) == PR_OK) return true;
    pr_log(PR_LOG_ERROR, "consensus", "this rank cannot sign: %s", err.text);
    return false;
}

pr_status pr_ballot_keys_create(pr_ballot_keys **out, const pr_secret_key *key, pr_error *err) {
    pr_ballot_keys *k = calloc(1, sizeof *k);
    if (!k) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the validators' keys");
    k->key = key;
    *out = k;
    return PR_OK;
}

void pr_ballot_keys_destroy(pr_ballot_keys *k) {
    if (!k) return;
    for (uint32_t i = 0; i < k->n; i++) free(k->all[i].ready);
    free(k);
}

pr_crypto pr_ballot_keys_crypto(pr_ballot_keys *k) { return (pr_crypto){k, sign, verify}; }
