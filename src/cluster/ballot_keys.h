/* Signatures of the consensus: ECDSA over the Stark curve with this rank's key, and the others' public keys prepared
 * for repeated verification. One thread. */
#ifndef PR_CLUSTER_BALLOT_KEYS_H
#define PR_CLUSTER_BALLOT_KEYS_H
#include "consensus/crypto.h"
#include "starkcurve/ecdsa.h"

typedef struct pr_ballot_keys pr_ballot_keys;

/* key: outlives it; NULL: it can only verify. */
PR_MUST_CHECK pr_status pr_ballot_keys_create(pr_ballot_keys **out, const pr_secret_key *key, pr_error *err);
void pr_ballot_keys_destroy(pr_ballot_keys *k); /* NULL allowed */
pr_crypto pr_ballot_keys_crypto(pr_ballot_keys *k);
#endif
