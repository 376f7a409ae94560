/* The composition polynomial, protocol.md section 8, and its tree. */
#include "prove/internal.h"

/* powers[i] = c^(N-1-i) */
static void fill_powers(pr_prover *p, pr_qm31 coefficient) {
    pr_qm31 power = PR_QM31_ONE;
    for (size_t i = p->layout->n_constraints; i-- > 0; power = pr_qm31_mul(power, coefficient)) p->powers[i] = power;
}

/* accumulate: beside others of its size. */
static pr_compose composition_of(const pr_prover *p, uint32_t index, bool accumulate) {
    const pr_air_component *c = &p->air->components[index];
    const pr_component_state *s = &p->components[index];
    pr_m31 rows_inverse = pr_m31_inverse(pr_m31_reduce((uint64_t)1 << c->log_size));
    pr_compose args = {.program = &s->full,
                       .log_rows = c->log_size,
                       .log_blowup = p->layout->statement->config.log_blowup,
                       .inputs = s->full_inputs,
                       .interaction = s->interaction,
                       .powers = p->draws ? NULL : p->powers + p->layout->constraint_first[index],
                       .first_power = p->layout->constraint_first[index],
                       .z = p->z,
                       .alpha = p->alpha,
                       .shift = pr_qm31_mul_m31(p->claimed_sums[index], rows_inverse),
                       .accumulate = accumulate};
    for (size_t k = 0; k < 4; k++) args.out[k] = s->accumulator[k];
    return args;
}

static bool is_of_size(const pr_prover *p, uint32_t a, uint32_t b) {
    return p->air->components[a].log_size == p->air->components[b].log_size;
}

/* Smaller sizes are lifted into the next larger one, up to the largest. */
static pr_status lift_sizes(pr_prover *p, pr_error *err) {
    const pr_col *smaller = NULL;
    for (uint32_t n = 0; n <= p->layout->log_max_rows; n++) {
        for (uint32_t c = 0; c < p->air->n_components; c++) {
            const pr_component_state *s = &p->components[c];
            if (p->air->components[c].log_size != n || !s->first_of_size) continue;
            if (smaller) PR_TRY(p->ops->lift_add(p->device, s->accumulator, smaller, err));
            smaller = s->accumulator;
        }
    }
    return PR_OK;
}

static const pr_col *largest_accumulator(const pr_prover *p) {
    for (uint32_t c = 0; c < p->air->n_components; c++)
        if (p->air->components[c].log_size == p->layout->log_max_rows) return p->components[c].accumulator;
    return NULL; /* a layout has a component of its largest size */
}

/* Halves of the coefficients, on the whole domain. */
static pr_status extend_halves(pr_prover *p, const pr_col dst[8], const pr_col src[4], pr_error *err) {
    if (p->ops->halve) return p->ops->halve(p->device, dst, src, err);
    PR_TRY(p->ops->interpolate(p->device, src, 4, p->layout->statement->config.log_blowup - 1, err));
    return p->ops->evaluate(p->device, dst, p->composition_halves, 8, err);
}

pr_status pr_prover_commit_composition(pr_prover *p, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_COMPOSITION);
    const pr_layout *l = p->layout;
    if (p->draws)
        PR_TRY(
            p->ops->draw_powers(p->device, &p->channel.digest, &p->trees[p->drawn_tree].merkle, l->n_constraints, err));
    else
        fill_powers(p, pr_channel_draw_secure_felt(&p->channel));
    for (uint32_t k = 0; k < p->air->n_components; k++)
        p->compositions[k] = composition_of(p, p->by_size[k], k > 0 && is_of_size(p, p->by_size[k - 1], p->by_size[k]));
    PR_TRY(p->ops->compose(p->device, p->compositions, p->air->n_components, err));
    PR_TRY(lift_sizes(p, err));
    PR_TRY(extend_halves(p, p->trees[p->composition_tree].cols, largest_accumulator(p), err));
    pr_prover_clock(p, PR_STAGE_COMPOSITION, &start);
    return pr_prover_commit_tree(p, p->composition_tree, err);
}
