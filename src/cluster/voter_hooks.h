/* What a test may have a rank do wrong in the consensus. The program sets none of it. */
#ifndef PR_CLUSTER_VOTER_HOOKS_H
#define PR_CLUSTER_VOTER_HOOKS_H
#include "cluster/ballot_keys.h"
#include "cluster/transport.h"
#include "consensus/evidence.h"

struct pr_voter_hooks {
    void *context;
    /* A message about to be sent to a rank: true when the hook has dealt with it (dropped, altered, doubled). */
    bool (*outgoing)(void *context, pr_transport *t, int to, const pr_wire_vote *message, pr_ballot_keys *keys);
    /* What this rank says of a proof instead of what it found. */
    pr_proof_verdict (*verdict)(void *context, const pr_subject *subject, pr_proof_verdict found);
    /* A proof of its own before it is verified and sent. */
    void (*spoil)(void *context, pr_record *record);
    bool announces_anything; /* also what its own verifier refuses */
};
#endif
