/* Out-of-domain samples (protocol.md section 10) and quotients (section 11). */
#include "prove/internal.h"

static size_t count_samples(const pr_prover *p) {
    size_t n = 0;
    for (uint32_t t = 0; t < p->layout->n_trees; t++) n += p->layout->trees[t].n_samples;
    return n;
}

static uint32_t shift_of(const pr_prover *p, const pr_sample_group *g) {
    return pr_index((uint64_t)(int64_t)g->offset << (31 - p->layout->log_base));
}

static pr_status sample_group(pr_prover *p, const pr_sample_group *g, pr_error *err) {
    const pr_layout *l = p->layout;
    pr_secure_point point = pr_secure_point_add_point(p->ood_point, pr_point_from_index(shift_of(p, g)));
    point = pr_secure_point_double(point, l->log_lifted - g->log_ext);
    PR_TRY(p->ops->sample(p->device, p->sample_out, g->cols, g->n, l->statement->config.log_blowup, &point, 1, err));
    for (size_t i = 0; i < g->n; i++) p->samples[g->slots[i]] = p->sample_out[i];
    return PR_OK;
}

static pr_status draw_point(pr_prover *p, pr_error *err) {
    if (pr_secure_point_from_t(&p->ood_point, pr_channel_draw_secure_felt(&p->channel))) return PR_OK;
    return pr_fail(err, PR_ERR_INTERNAL, "the out-of-domain point does not exist (t^2 = -1)");
}

static pr_status sample_groups(pr_prover *p, pr_error *err) {
    PR_TRY(draw_point(p, err));
    for (size_t g = 0; g < p->n_sample_groups; g++) PR_TRY(sample_group(p, &p->sample_groups[g], err));
    return PR_OK;
}

/* The backend drew both challenges by itself; this channel follows, for whoever listens, and both must end alike. */
static pr_status follow(pr_prover *p, const pr_drawn *drawn, pr_error *err) {
    p->trees[p->drawn_tree].root = drawn->roots[0];
    pr_channel_mix_root(&p->channel, &drawn->roots[0]);
    (void)pr_channel_draw_secure_felt(&p->channel); /* of the composition */
    p->trees[p->composition_tree].root = drawn->roots[1];
    pr_channel_mix_root(&p->channel, &drawn->roots[1]);
    PR_TRY(pr_prover_compare_channel(p, &drawn->digest, err));
    return draw_point(p, err);
}

static pr_status draw_samples(pr_prover *p, pr_error *err) {
    const pr_layout *l = p->layout;
    pr_drawn drawn;
    pr_qm31 *out = p->sample_out;
    for (size_t g = 0; g < p->n_sample_groups; out += p->sample_groups[g++].n) {
        const pr_sample_group *group = &p->sample_groups[g];
        p->samplings[g] = (pr_sampling){.shift = shift_of(p, group),
                                        .n_doublings = l->log_lifted - group->log_ext,
                                        .n = group->n,
                                        .cols = group->cols,
                                        .out = out};
    }
    PR_TRY(p->ops->draw_samples(p->device, &drawn, &p->trees[p->composition_tree].merkle,
                                l->statement->config.log_blowup, p->samplings, p->n_sample_groups, err));
    for (size_t g = 0; g < p->n_sample_groups; g++)
        for (size_t i = 0; i < p->samplings[g].n; i++)
            p->samples[p->sample_groups[g].slots[i]] = p->samplings[g].out[i];
    return follow(p, &drawn, err);
}

pr_status pr_prover_sample(pr_prover *p, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_SAMPLES);
    PR_TRY(p->draws ? draw_samples(p, err) : sample_groups(p, err));
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
