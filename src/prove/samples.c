/* Out-of-domain samples (protocol.md section 10) and quotients (section 11). */
#include "prove/internal.h"

static size_t count_samples(const pr_prover *p) {
    size_t n = 0;
    for (uint32_t t = 0; t < p->layout->n_trees; t++) n += p->layout->trees[t].n_samples;
    return n;
}

static pr_status sample_group(pr_prover *p, const pr_sample_group *g, pr_error *err) {
    const pr_layout *l = p->layout;
    uint32_t shift = pr_index((uint64_t)(int64_t)g->offset << (31 - l->log_base));
    pr_secure_point point = pr_secure_point_add_point(p->ood_point, pr_point_from_index(shift));
    point = pr_secure_point_double(point, l->log_lifted - g->log_ext);
    PR_TRY(p->ops->sample(p->device, p->sample_out, g->cols, g->n, l->statement->config.log_blowup, &point, 1, err));
    for (size_t i = 0; i < g->n; i++) p->samples[g->slots[i]] = p->sample_out[i];
    return PR_OK;
}

pr_status pr_prover_sample(pr_prover *p, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_SAMPLES);
    if (!pr_secure_point_from_t(&p->ood_point, pr_channel_draw_secure_felt(&p->channel)))
        return pr_fail(err, PR_ERR_INTERNAL, "the out-of-domain point does not exist (t^2 = -1)");
    for (size_t g = 0; g < p->n_sample_groups; g++) PR_TRY(sample_group(p, &p->sample_groups[g], err));
    pr_channel_mix_felts(&p->channel, p->samples, count_samples(p));
    pr_prover_clock(p, PR_STAGE_SAMPLES, &start);
    return PR_OK;
}

static pr_qm31 entry_weight(const pr_prover *p, const pr_quotient_entry *e) {
    pr_qm31 w = p->quotient_powers[e->power[0]];
    return e->power[1] == UINT32_MAX ? w : pr_qm31_add(w, p->quotient_powers[e->power[1]]);
}

/* a = conj(v) - v, c = conj(q.y) - q.y, b = v c - a q.y, each times the weight. */
static void fill_quotient_group(pr_prover *p, pr_quotient_group *g, pr_quotient_set *set) {
    pr_secure_point q = pr_secure_point_add_point(p->ood_point, pr_point_from_index(set->index));
    pr_qm31 c = pr_qm31_sub(pr_qm31_conj(q.y), q.y);
    *g = (pr_quotient_group){.point = q, .n = set->n, .cols = set->cols, .coeffs = set->coeffs};
    for (size_t i = 0; i < set->n; i++) {
        pr_qm31 v = p->samples[set->entries[i].sample], w = entry_weight(p, &set->entries[i]);
        pr_qm31 a = pr_qm31_sub(pr_qm31_conj(v), v);
        pr_qm31 b = pr_qm31_sub(pr_qm31_mul(v, c), pr_qm31_mul(a, q.y));
        set->coeffs[i] = pr_qm31_mul(w, c);
        g->a = pr_qm31_add(g->a, pr_qm31_mul(w, a));
        g->b = pr_qm31_add(g->b, pr_qm31_mul(w, b));
    }
}

pr_status pr_prover_quotients(pr_prover *p, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_QUOTIENTS);
    pr_qm31 coefficient = pr_channel_draw_secure_felt(&p->channel), power = PR_QM31_ONE;
    for (size_t i = 0; i < p->n_powers; i++, power = pr_qm31_mul(power, coefficient)) p->quotient_powers[i] = power;
    for (size_t g = 0; g < p->n_quotient_sets; g++)
        fill_quotient_group(p, &p->quotient_groups[g], &p->quotient_sets[g]);
    PR_TRY(p->ops->quotients(p->device, p->fri[0].cols, p->layout->statement->config.log_blowup, p->quotient_groups,
                             p->n_quotient_sets, err));
    pr_prover_clock(p, PR_STAGE_QUOTIENTS, &start);
    return PR_OK;
}
