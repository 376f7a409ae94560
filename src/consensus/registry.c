#include "consensus/registry.h"
#include <stdlib.h>
#include <string.h>

const char *pr_removal_name(pr_removal reason) {
    static const char *const names[PR_REMOVALS] = {"none", "equivocation", "wrong_vote", "invalid_proof", "away"};
    return (unsigned)reason < PR_REMOVALS ? names[reason] : "unknown";
}

void pr_registry_init(pr_registry *registry) { *registry = (pr_registry){0}; }

void pr_registry_clear(pr_registry *registry) {
    free(registry->validators);
    pr_registry_init(registry);
}

uint32_t pr_registry_find(const pr_registry *registry, const uint8_t public_key[PR_PUBLIC_KEY_BYTES]) {
    for (uint32_t i = 0; i < registry->n; i++)
        if (memcmp(registry->validators[i].public_key, public_key, PR_PUBLIC_KEY_BYTES) == 0) return i;
    return PR_NO_VALIDATOR;
}

static pr_status check_new(const pr_registry *registry, const uint8_t public_key[PR_PUBLIC_KEY_BYTES], uint64_t stake,
                           pr_error *err) {
    uint32_t known = pr_registry_find(registry, public_key);
    if (known != PR_NO_VALIDATOR && registry->validators[known].removal != PR_REMOVAL_NONE)
        return pr_fail(err, PR_ERR_REFUSED, "validator %u was removed (%s): its key cannot register again", known,
                       pr_removal_name(registry->validators[known].removal));
    if (known != PR_NO_VALIDATOR)
        return pr_fail(err, PR_ERR_REFUSED, "this key is registered already, as validator %u", known);
    if (registry->n == PR_VALIDATORS_MAX)
        return pr_fail(err, PR_ERR_REFUSED, "there are %u validators, and more are not allowed", PR_VALIDATORS_MAX);
    if (stake == 0 || stake > PR_STAKE_MAX - registry->stake)
        return pr_fail(err, PR_ERR_REFUSED, "stake %llu is not allowed: 1 to %llu are left for a validator",
                       (unsigned long long)stake, (unsigned long long)(PR_STAKE_MAX - registry->stake));
    return PR_OK;
}

pr_status pr_registry_add(pr_registry *registry, const uint8_t public_key[PR_PUBLIC_KEY_BYTES], uint64_t stake,
                          pr_error *err) {
    PR_TRY(check_new(registry, public_key, stake, err));
    if (registry->n == registry->capacity) {
        uint32_t capacity = registry->capacity ? 2 * registry->capacity : 16;
        pr_validator *grown = realloc(registry->validators, capacity * sizeof *grown);
        if (!grown) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u validators", capacity);
        registry->validators = grown;
        registry->capacity = capacity;
    }
    pr_validator *v = &registry->validators[registry->n++];
    *v = (pr_validator){.stake = stake};
    memcpy(v->public_key, public_key, PR_PUBLIC_KEY_BYTES);
    registry->stake += stake;
    registry->active_stake += stake;
    registry->n_active++;
    return PR_OK;
}

bool pr_registry_is_active(const pr_registry *registry, uint32_t index) {
    return index < registry->n && registry->validators[index].removal == PR_REMOVAL_NONE;
}

bool pr_registry_is_convicted(const pr_registry *registry, uint32_t index) {
    return index < registry->n && registry->validators[index].removal != PR_REMOVAL_NONE &&
           registry->validators[index].removal != PR_REMOVAL_AWAY;
}

uint32_t pr_registry_mark_convicted(const pr_registry *registry) {
    uint32_t mark = 0;
    for (uint32_t i = 0; i < registry->n; i++)
        if (pr_registry_is_convicted(registry, i)) mark += (i + 1) * 0x9e3779b1u;
    return mark;
}

void pr_registry_remove(pr_registry *registry, uint32_t index, pr_removal reason) {
    PR_ASSERT(index < registry->n && reason != PR_REMOVAL_NONE);
    if (pr_registry_is_convicted(registry, index)) return;
    if (!pr_registry_is_active(registry, index)) {
        registry->validators[index].removal = reason;
        return;
    }
    registry->validators[index].removal = reason;
    registry->active_stake -= registry->validators[index].stake;
    registry->n_active--;
}

uint32_t pr_leader_of_view(uint64_t view, uint32_t n, const pr_validator_set *left_out) {
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = (uint32_t)((view % n + k) % n);
        if (!pr_set_has(left_out, i)) return i;
    }
    return PR_NO_VALIDATOR;
}

uint32_t pr_registry_leader(const pr_registry *registry, uint64_t view) {
    pr_validator_set removed = {{0}};
    pr_registry_add_removed(registry, &removed);
    return pr_leader_of_view(view, registry->n, &removed);
}

void pr_registry_add_removed(const pr_registry *registry, pr_validator_set *set) {
    for (uint32_t i = 0; i < registry->n; i++)
        if (!pr_registry_is_active(registry, i)) pr_set_add(set, i);
}

/* Away by the word of whoever filled the registry, without a session. */
static bool is_removed(const pr_validator *v) {
    return v->removal != PR_REMOVAL_NONE && (v->removal != PR_REMOVAL_AWAY || v->away == 0);
}

bool pr_registry_may_leave_out(const pr_registry *registry, uint32_t *offender, uint32_t n,
                               const pr_validator_set *left_out) {
    uint64_t sessions = UINT64_MAX; /* those that explain the list so far, by the number of their set */
    *offender = PR_NO_VALIDATOR;
    for (uint32_t i = 0; i < n; i++) {
        const pr_validator *v = &registry->validators[i];
        if (!pr_set_has(left_out, i)) {
            sessions &= ~v->away;
        } else if (!is_removed(v)) {
            sessions &= v->away;
            if (v->away == 0) *offender = i;
        }
    }
    return sessions != 0;
}

uint64_t pr_registry_stake_without(const pr_registry *registry, uint32_t n, const pr_validator_set *excluded) {
    uint64_t stake = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!pr_set_has(excluded, i)) stake += registry->validators[i].stake;
    return stake;
}
