#include "consensus/signatures.h"

void pr_signatures_write(pr_writer *w, const pr_registry *registry, const pr_validator_set *signers,
                         const uint8_t (*signatures)[PR_SIGNATURE_BYTES]) {
    uint32_t n = 0;
    pr_write_u32(w, registry->n - registry->n_active);
    for (uint32_t i = 0; i < registry->n; i++) {
        if (!pr_registry_is_active(registry, i)) pr_write_u32(w, i);
        n += pr_set_has(signers, i);
    }
    pr_write_u32(w, n);
    for (uint32_t i = 0; i < registry->n; i++) {
        if (!pr_set_has(signers, i)) continue;
        pr_write_u32(w, i);
        pr_write_bytes(w, signatures[i], PR_SIGNATURE_BYTES);
    }
}

static pr_status malformed(pr_error *err) {
    return pr_fail(err, PR_ERR_MALFORMED, "list of signatures: out of range, out of order or of the wrong length");
}

static bool read_index(pr_reader *r, uint32_t *index, int64_t *last, uint32_t n_validators) {
    *index = pr_read_u32(r);
    if (r->failed || (int64_t)*index <= *last || *index >= n_validators) return false;
    *last = *index;
    return true;
}

static pr_status read_removed(pr_reader *r, pr_validator_set *removed, uint32_t n_validators,
                              const pr_registry *registry, pr_error *err) {
    uint32_t n = pr_read_u32(r), index;
    int64_t last = -1;
    if (n > n_validators) return malformed(err);
    for (uint32_t i = 0; i < n; i++) {
        if (!read_index(r, &index, &last, n_validators)) return malformed(err);
        pr_set_add(removed, index);
    }
    if (!registry || pr_registry_may_leave_out(registry, &index, n_validators, removed)) return PR_OK;
    if (index == PR_NO_VALIDATOR)
        return pr_fail(err, PR_ERR_REFUSED, "list of signatures: those left out were away in no one session");
    return pr_fail(err, PR_ERR_REFUSED, "list of signatures: no evidence against validator %u, left out", index);
}

pr_status pr_signatures_check(pr_reader *r, pr_message *message, const pr_registry *registry, const pr_crypto *crypto,
                              pr_error *err) {
    const uint32_t n_validators = message->n_validators;
    pr_validator_set removed = {{0}};
    uint64_t stake = 0;
    int64_t last = -1;
    if (n_validators > PR_VALIDATORS_MAX) return malformed(err);
    if (registry && n_validators > registry->n)
        return pr_fail(err, PR_ERR_REFUSED, "list of signatures: of %u validators, %u are known", n_validators,
                       registry->n);
    PR_TRY(read_removed(r, &removed, n_validators, registry, err));
    uint32_t n = pr_read_u32(r);
    if (n > n_validators) return malformed(err);
    for (uint32_t i = 0; i < n; i++) {
        if (!read_index(r, &message->signer, &last, n_validators)) return malformed(err);
        pr_read_bytes(r, message->signature, PR_SIGNATURE_BYTES);
        if (r->failed) return malformed(err);
        if (!registry) continue;
        if (!pr_message_verify_fields(message, registry, crypto))
            return pr_fail(err, PR_ERR_REFUSED, "list of signatures: wrong signature of validator %u", message->signer);
        if (!pr_set_has(&removed, message->signer)) stake += registry->validators[message->signer].stake;
    }
    if (!pr_reader_done(r)) return malformed(err);
    uint64_t whole = registry ? pr_registry_stake_without(registry, n_validators, &removed) : 0;
    if (!registry || pr_quorum_reached(stake, whole)) return PR_OK;
    return pr_fail(err, PR_ERR_REFUSED, "list of signatures: stake %llu of %llu, more than two thirds are needed",
                   (unsigned long long)stake, (unsigned long long)whole);
}
