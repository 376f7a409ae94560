/* Validators in registration order, their stakes, who was removed and why.
 *
 * An index never changes its meaning: nobody leaves the list, a removed validator is marked. A stake is what it was at
 * registration; the total never exceeds UINT64_MAX / 3, so that three times any sum of stakes is a u64.
 * Each session of a run may have validators away. The sets of those who were are numbered from 1 to 63, and each
 * validator knows the numbers of its own; number 0 is the empty set, so nobody has it.
 * A key registers once: neither an active nor a removed one comes again. Not thread safe. */
#ifndef PR_CONSENSUS_REGISTRY_H
#define PR_CONSENSUS_REGISTRY_H
#include "consensus/crypto.h"

#define PR_VALIDATORS_MAX 4096u
#define PR_STAKE_MAX (UINT64_MAX / 3)
#define PR_NO_VALIDATOR UINT32_MAX

typedef enum pr_removal {
    PR_REMOVAL_NONE, /* active */
    PR_REMOVAL_EQUIVOCATION,
    PR_REMOVAL_WRONG_VOTE,
    PR_REMOVAL_INVALID_PROOF,
    PR_REMOVAL_AWAY, /* no fault: not in this session of the run; it may be back in the next one */
    PR_REMOVALS
} pr_removal;
const char *pr_removal_name(pr_removal reason); /* "equivocation", "wrong_vote", "invalid_proof", "away"; "none" */

typedef struct pr_validator {
    uint8_t public_key[PR_PUBLIC_KEY_BYTES];
    uint64_t stake; /* > 0 */
    pr_removal removal;
    uint64_t away; /* bit k: it is in set k of those away in a session */
} pr_validator;

typedef struct pr_registry {
    pr_validator *validators; /* [n], owned */
    uint32_t n, capacity, n_active;
    uint64_t active_stake; /* of those not removed */
    uint64_t stake;        /* of all */
} pr_registry;

void pr_registry_init(pr_registry *registry);
void pr_registry_clear(pr_registry *registry);
/* PR_ERR_REFUSED: no stake, a key that is there already or was removed, too many validators, too much stake. */
PR_MUST_CHECK pr_status pr_registry_add(pr_registry *registry, const uint8_t public_key[PR_PUBLIC_KEY_BYTES],
                                        uint64_t stake, pr_error *err);
uint32_t pr_registry_find(const pr_registry *registry, const uint8_t public_key[PR_PUBLIC_KEY_BYTES]); /* or NO */
bool pr_registry_is_active(const pr_registry *registry, uint32_t index); /* false beyond n */
/* By evidence, not just away. */
bool pr_registry_is_convicted(const pr_registry *registry, uint32_t index);
/* A number that most probably differs for other convicted ones; 0: nobody. */
uint32_t pr_registry_mark_convicted(const pr_registry *registry);
/* The first reason stays, but for AWAY. index < n. */
void pr_registry_remove(pr_registry *registry, uint32_t index, pr_removal reason);
/* pr_leader_of_view among those that are active. */
uint32_t pr_registry_leader(const pr_registry *registry, uint64_t view);

/* A set of registration indices. */
typedef struct pr_validator_set {
    uint64_t words[PR_VALIDATORS_MAX / 64];
} pr_validator_set;
static inline bool pr_set_has(const pr_validator_set *set, uint32_t i) { return set->words[i / 64] >> (i % 64) & 1; }
static inline void pr_set_add(pr_validator_set *set, uint32_t i) { set->words[i / 64] |= (uint64_t)1 << (i % 64); }
/* Who leads a view among the first n validators: the one at index view mod n, or the next one after it (in a circle)
 * that is not left out; PR_NO_VALIDATOR when all are. */
uint32_t pr_leader_of_view(uint64_t view, uint32_t n, const pr_validator_set *left_out);
/* Adds the removed validators to set. */
void pr_registry_add_removed(const pr_registry *registry, pr_validator_set *set);
/* Whether a certificate of the first n validators may leave out exactly these: there is a session (one of the sets of
 * those away, or the empty one) of which it leaves out everybody who was away, and otherwise only who was removed.
 * offender: one of those that it must not leave out, NO_VALIDATOR if it is the session that is unknown. */
bool pr_registry_may_leave_out(const pr_registry *registry, uint32_t *offender, uint32_t n,
                               const pr_validator_set *left_out);
/* Stake of the first n validators that are not in excluded. */
uint64_t pr_registry_stake_without(const pr_registry *registry, uint32_t n, const pr_validator_set *excluded);

/* Strictly more than two thirds. Both at most PR_STAKE_MAX. */
static inline bool pr_quorum_reached(uint64_t part, uint64_t whole) { return 3 * part > 2 * whole; }
/* The rest of the stake could not make a quorum any more. */
static inline bool pr_quorum_impossible(uint64_t against, uint64_t whole) {
    return !pr_quorum_reached(whole - against, whole);
}
#endif
