/* The transcript up to the interaction commitment, and the sum of all lookups. protocol.md sections 6, 7, 9. */
#include "verify/internal.h"

#include <string.h>

static void mix_config(pr_channel *channel, const pr_config *c) {
    uint32_t lifting = c->lifting_log_size < 0 ? 0 : (uint32_t)c->lifting_log_size;
    pr_qm31 felts[2] = {{{c->pow_bits, c->log_blowup, c->n_queries, c->log_last_layer_degree_bound}},
                        {{c->fold_step, lifting, 0, 0}}};
    pr_channel_mix_felts(channel, felts, 2);
}

static void mix_digest(pr_channel *channel, const uint8_t digest[32]) {
    uint32_t words[8];
    memcpy(words, digest, sizeof words);
    pr_channel_mix_u32s(channel, words, 8);
}

static pr_verdict commit_preprocessed(pr_verify_run *r) {
    const pr_hash *root = &r->proof->commitments[PR_TREE_PREPROCESSED];
    bool empty = r->layout->trees[PR_TREE_PREPROCESSED].n_columns == 0;
    if (!pr_hash_equal(root, &r->v->preprocessed_root))
        return PR_REJECT(r, empty ? PR_REJECTED_EMPTY_ROOT : PR_REJECTED_PREPROCESSED_ROOT,
                         "the root of tree 0 is not the statement's");
    pr_channel_mix_root(&r->channel, root);
    return PR_ACCEPTED;
}

static pr_verdict grind(pr_verify_run *r, uint32_t bits) {
    pr_hash prefix = pr_channel_pow_prefix(&r->channel, bits);
    if (!pr_pow_check(&prefix, bits, r->proof->interaction_pow))
        return PR_REJECT(r, PR_REJECTED_INTERACTION_POW, "the interaction nonce lacks %u zero bits", bits);
    pr_channel_mix_u64(&r->channel, r->proof->interaction_pow);
    return PR_ACCEPTED;
}

static void draw_relations(pr_verify_run *r) {
    for (uint32_t k = 0; k < r->layout->statement->air->n_relations; k++) {
        pr_qm31 pair[2];
        pr_channel_draw_secure_felts(&r->channel, pair, 2);
        r->relation_z[k] = pair[0];
        r->relation_alpha[k] = pair[1];
    }
}

static pr_verdict take_step(pr_verify_run *r, const pr_step *step) {
    pr_channel *channel = &r->channel;
    const pr_proof *proof = r->proof;
    switch (step->kind) {
    case PR_STEP_MIX_FELTS:
        pr_channel_mix_felts(channel, (const pr_qm31 *)step->words, step->n_words / 4);
        break;
    case PR_STEP_MIX_U32S:
        pr_channel_mix_u32s(channel, step->words, step->n_words);
        break;
    case PR_STEP_MIX_U64:
        pr_channel_mix_u64(channel, step->words[0] | (uint64_t)step->words[1] << 32);
        break;
    case PR_STEP_MIX_ROOT:
        pr_channel_mix_root(channel, (const pr_hash *)step->words);
        break;
    case PR_STEP_STATEMENT_DIGEST:
        mix_digest(channel, r->layout->statement->digest);
        break;
    case PR_STEP_CONFIG:
        mix_config(channel, &r->layout->statement->config);
        break;
    case PR_STEP_COMMIT_PREPROCESSED:
        return commit_preprocessed(r);
    case PR_STEP_COMMIT_TRACE:
        pr_channel_mix_root(channel, &proof->commitments[PR_TREE_TRACE]);
        break;
    case PR_STEP_COMMIT_INTERACTION:
        pr_channel_mix_root(channel, &proof->commitments[PR_TREE_INTERACTION]);
        break;
    case PR_STEP_GRIND:
        return grind(r, step->bits);
    case PR_STEP_DRAW_RELATIONS:
        draw_relations(r);
        break;
    case PR_STEP_CLAIMED_SUMS:
        pr_channel_mix_felts(channel, proof->claimed_sums, proof->n_components);
        break;
    }
    return PR_ACCEPTED;
}

static pr_verdict add_public_term(pr_verify_run *r, pr_qm31 *sum, uint32_t k) {
    const pr_public_term *term = &r->layout->statement->public_terms[k];
    pr_qm31 alpha = r->relation_alpha[term->relation], combined = PR_QM31_ZERO;
    for (uint32_t i = term->n_values; i-- > 0;)
        combined = pr_qm31_add(pr_qm31_mul(combined, alpha), pr_qm31_from_m31(term->values[i]));
    combined = pr_qm31_sub(combined, r->relation_z[term->relation]);
    if (pr_qm31_is_zero(combined))
        return PR_REJECT(r, PR_REJECTED_PUBLIC_TERM, "public term %u has a zero denominator", k);
    *sum = pr_qm31_add(*sum, pr_qm31_mul_m31(pr_qm31_inverse(combined), term->multiplicity));
    return PR_ACCEPTED;
}

/* Claimed sums and public terms cancel. Nothing else binds the sum of a component without lookups: it must be zero. */
static pr_verdict check_lookup_sum(pr_verify_run *r) {
    const pr_statement *st = r->layout->statement;
    pr_qm31 sum = PR_QM31_ZERO;
    for (uint32_t c = 0; c < st->air->n_components; c++) {
        if (st->air->components[c].n_batches == 0 && !pr_qm31_is_zero(r->proof->claimed_sums[c]))
            return PR_REJECT(r, PR_REJECTED_CLAIMED_SUM, "component %u has no lookups, but a claimed sum", c);
        sum = pr_qm31_add(sum, r->proof->claimed_sums[c]);
    }
    for (uint32_t k = 0; k < st->n_public_terms; k++) PR_VERIFY_TRY(add_public_term(r, &sum, k));
    if (!pr_qm31_is_zero(sum))
        return PR_REJECT(r, PR_REJECTED_LOOKUP_SUM, "claimed sums and public terms do not cancel");
    return PR_ACCEPTED;
}

pr_verdict pr_verify_script(pr_verify_run *r) {
    const pr_statement *st = r->layout->statement;
    for (uint32_t k = 0; k < st->n_steps; k++) PR_VERIFY_TRY(take_step(r, &st->steps[k]));
    return check_lookup_sum(r);
}
