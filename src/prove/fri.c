/* FRI, protocol.md section 12. */
#include "prove/internal.h"
#include <string.h>

static pr_status commit_layer(pr_prover *p, uint32_t k, pr_qm31 *alpha, pr_error *err) {
    const pr_fri_layer *layer = &p->fri[k];
    PR_TRY(p->ops->merkle_commit(p->device, &p->fri_roots[k], &layer->merkle, layer->cols, 4, err));
    pr_channel_mix_root(&p->channel, &p->fri_roots[k]);
    *alpha = pr_channel_draw_secure_felt(&p->channel);
    return PR_OK;
}

/* Folds layer k as often as its step says; the last fold writes the next layer, or the last values. */
static pr_status fold_layer(pr_prover *p, uint32_t k, pr_qm31 alpha, pr_error *err) {
    const pr_layout *l = p->layout;
    const pr_col *target = k + 1 < l->n_fri_layers ? p->fri[k + 1].cols : p->last_values, *src = p->fri[k].cols;
    uint32_t log_size = l->fri[k].log_size;
    for (uint32_t s = 0; s < l->fri[k].fold_step; s++, alpha = pr_qm31_square(alpha)) {
        pr_col dst[4];
        bool last = s + 1 == l->fri[k].fold_step;
        log_size--;
        for (size_t c = 0; c < 4; c++)
            dst[c] = last ? target[c] : (pr_col){p->fold_temporary[s & 1][c].offset, log_size};
        bool circle = k == 0 && s == 0;
        PR_TRY((circle ? p->ops->fold_circle : p->ops->fold_line)(p->device, dst, src, alpha, err));
        for (size_t c = 0; c < 4; c++) p->fold_source[c] = dst[c];
        src = p->fold_source;
    }
    return PR_OK;
}

static pr_status refuse_degree(pr_error *err) {
    return pr_fail(err, PR_ERR_BACKEND,
                   "the last FRI layer has a coefficient above its degree bound: "
                   "the trace does not satisfy the constraints, or the backend erred");
}

static pr_status last_layer(pr_prover *p, pr_error *err) {
    const pr_layout *l = p->layout;
    uint32_t log_last = l->statement->config.log_last_layer_degree_bound;
    size_t rows = (size_t)1 << l->log_last_domain, kept = (size_t)1 << log_last;
    for (size_t c = 0; c < 4; c++) {
        PR_TRY(p->ops->download(p->device, p->last_column, p->last_values[c], err));
        for (size_t i = 0; i < rows; i++) p->last_layer[i].c[c] = p->last_column[i];
    }
    pr_line_interpolate(p->last_layer, l->log_last_domain, &p->last_twiddles);
    for (size_t i = kept; i < rows; i++)
        if (!pr_qm31_is_zero(p->last_layer[i])) return refuse_degree(err);
    for (uint32_t i = 0; i < kept; i++) { /* stored bit-reversed */
        uint32_t j = pr_bitrev(i, log_last);
        if (i >= j) continue;
        pr_qm31 t = p->last_layer[i];
        p->last_layer[i] = p->last_layer[j];
        p->last_layer[j] = t;
    }
    pr_channel_mix_felts(&p->channel, p->last_layer, kept);
    return PR_OK;
}

static pr_status commit_by_steps(pr_prover *p, pr_error *err) {
    for (uint32_t k = 0; k < p->layout->n_fri_layers; k++) {
        pr_qm31 alpha;
        PR_TRY(commit_layer(p, k, &alpha, err));
        PR_TRY(fold_layer(p, k, alpha, err));
    }
    return last_layer(p, err);
}

/* The backend drives a channel of its own; this one follows, for whoever listens, and both must end alike. */
static pr_status commit_at_once(pr_prover *p, pr_error *err) {
    const pr_config *config = &p->layout->statement->config;
    uint32_t n = p->layout->n_fri_layers;
    pr_fri args = {.n_layers = n,
                   .layers = p->fri,
                   .log_last_degree = config->log_last_layer_degree_bound,
                   .pow_bits = config->pow_bits,
                   .digest = p->channel.digest};
    pr_fri_result result = {.roots = p->fri_roots, .last_layer = p->last_layer};
    memcpy(args.last, p->last_values, sizeof args.last);
    PR_TRY(p->ops->fri(p->device, &result, &args, err));
    if (result.exceeds_degree) return refuse_degree(err);
    for (uint32_t k = 0; k < n; k++) {
        pr_channel_mix_root(&p->channel, &p->fri_roots[k]);
        (void)pr_channel_draw_secure_felt(&p->channel);
    }
    pr_channel_mix_felts(&p->channel, p->last_layer, (size_t)1 << args.log_last_degree);
    return pr_prover_compare_channel(p, &result.digest, err);
}

pr_status pr_prover_fri(pr_prover *p, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_FRI);
    PR_TRY(p->ops->fri ? commit_at_once(p, err) : commit_by_steps(p, err));
    pr_prover_clock(p, PR_STAGE_FRI, &start);
    return PR_OK;
}
