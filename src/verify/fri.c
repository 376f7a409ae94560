/* FRI: from the quotients at the queries down to the last layer. protocol.md sections 12, 13. */
#include "verify/internal.h"

#include <string.h>

/* All rows of the groups that hold a known position: known values where there are, witnesses elsewhere. */
static pr_verdict complete_groups(pr_verify_run *r, uint32_t k, size_t *n_rows) {
    const pr_fri_layer_proof *layer = &r->proof->fri[k];
    uint32_t step = r->layout->fri[k].fold_step;
    size_t n = 0, used = 0;
    for (size_t at = 0; at < r->n_known;) {
        uint32_t first = r->known_positions[at] >> step << step;
        for (uint32_t row = first; row - first < 1u << step; row++, n++) {
            r->positions[n] = row;
            if (at < r->n_known && r->known_positions[at] == row)
                r->values[n] = r->known[at++];
            else if (used < layer->n_witness)
                r->values[n] = layer->witness[used++];
            else
                return PR_REJECT(r, PR_REJECTED_FRI_WITNESS, "FRI layer %u: witness too short, row %u", k, row);
        }
    }
    if (used != layer->n_witness)
        return PR_REJECT(r, PR_REJECTED_FRI_WITNESS, "FRI layer %u: %zu values of the witness are not used", k,
                         layer->n_witness - used);
    *n_rows = n;
    return PR_ACCEPTED;
}

/* A leaf is one row, or four if packed; rows lie back to back, as they are hashed. */
static pr_verdict check_root(pr_verify_run *r, uint32_t k, size_t n_rows) {
    const pr_layout_fri *layer = &r->layout->fri[k];
    uint32_t log_leaf = layer->packed ? 2 : 0;
    size_t n = n_rows >> log_leaf;
    for (size_t i = 0; i < n; i++) r->nodes[i] = r->positions[i << log_leaf] >> log_leaf;
    pr_verify_hash_many(r->hashes, r->values, sizeof(pr_qm31) << log_leaf, n);
    return pr_verify_root(r, n, layer->log_size - log_leaf, &r->proof->fri[k].decommitment,
                          &r->proof->fri[k].commitment, PR_REJECTED_FRI_WITNESS, PR_REJECTED_FRI_ROOT, "FRI layer", k);
}

/* Point whose y (circle) or x (line) divides the pair that starts at this row. */
static pr_m31 pair_twiddle(const pr_verifier *v, bool circle, uint32_t log_size, uint32_t row) {
    if (circle) return pr_verify_point(v, pr_domain_index_of_slot(log_size, row)).y;
    return pr_verify_point(v, pr_domain_index_of_slot(log_size + 1, 2 * row)).x;
}

/* n rows of a domain of log_size, in whole pairs, to n / 2 of the next. */
static void fold_rows(pr_verify_run *r, size_t n, bool circle, uint32_t log_size, pr_qm31 alpha) {
    for (size_t i = 0; i < n / 2; i++) r->twiddles[i] = pair_twiddle(r->v, circle, log_size, r->positions[2 * i]);
    pr_m31_batch_inverse(r->inverses, r->twiddles, n / 2);
    for (size_t i = 0; i < n / 2; i++) {
        r->values[i] = pr_fold_pair(r->values[2 * i], r->values[2 * i + 1], r->inverses[i], alpha);
        r->positions[i] = r->positions[2 * i] >> 1;
    }
}

static pr_verdict check_last_layer(pr_verify_run *r) {
    uint32_t log_domain = r->layout->log_last_domain;
    uint32_t log_degree = r->layout->statement->config.log_last_layer_degree_bound;
    for (size_t i = 0; i < r->n_known; i++) {
        pr_m31 x = pair_twiddle(r->v, false, log_domain, r->known_positions[i]);
        if (!pr_qm31_equal(pr_line_evaluate_stored(r->proof->last_layer, log_degree, x), r->known[i]))
            return PR_REJECT(r, PR_REJECTED_LAST_LAYER, "the last layer differs at position %u", r->known_positions[i]);
    }
    return PR_ACCEPTED;
}

pr_verdict pr_verify_fri(pr_verify_run *r) {
    memcpy(r->known_positions, r->queries, r->n_known * sizeof *r->queries);
    for (uint32_t k = 0; k < r->layout->n_fri_layers; k++) {
        const pr_layout_fri *layer = &r->layout->fri[k];
        pr_qm31 alpha = r->fri_alphas[k];
        size_t n = 0;
        PR_VERIFY_TRY(complete_groups(r, k, &n));
        PR_VERIFY_TRY(check_root(r, k, n));
        for (uint32_t s = 0; s < layer->fold_step; s++, n /= 2, alpha = pr_qm31_square(alpha))
            fold_rows(r, n, k == 0 && s == 0, layer->log_size - s, alpha);
        r->n_known = (uint32_t)n;
        memcpy(r->known, r->values, n * sizeof *r->known);
        memcpy(r->known_positions, r->positions, n * sizeof *r->known_positions);
    }
    return check_last_layer(r);
}
