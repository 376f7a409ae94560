#include "air/statement.h"
#include "air/internal.h"

static pr_status fill_default_script(pr_statement *st, pr_error *err) {
    static const pr_step_kind head[] = {PR_STEP_STATEMENT_DIGEST, PR_STEP_CONFIG, PR_STEP_COMMIT_PREPROCESSED,
                                        PR_STEP_COMMIT_TRACE};
    static const pr_step_kind tail[] = {PR_STEP_DRAW_RELATIONS, PR_STEP_CLAIMED_SUMS, PR_STEP_COMMIT_INTERACTION};
    pr_step *steps = pr_air_calloc(8, sizeof *steps);
    if (!steps) return pr_air_no_memory(err, "the transcript script");
    uint32_t n = 0;
    for (size_t k = 0; k < sizeof head / sizeof *head; k++) steps[n++].kind = head[k];
    if (st->air->n_relations) {
        if (st->config.interaction_pow_bits)
            steps[n++] = (pr_step){.kind = PR_STEP_GRIND, .bits = st->config.interaction_pow_bits};
        for (size_t k = 0; k < sizeof tail / sizeof *tail; k++) steps[n++].kind = tail[k];
    }
    st->steps = steps;
    st->n_steps = n;
    return PR_OK;
}

static void free_steps(pr_step *steps, uint32_t n_steps) {
    for (uint32_t k = 0; steps && k < n_steps; k++) free(steps[k].words);
    free(steps);
}

pr_status pr_statement_init(pr_statement *st, const pr_air *air, const pr_config *config, pr_error *err) {
    *st = (pr_statement){.air = air, .config = *config};
    return fill_default_script(st, err);
}

void pr_statement_clear(pr_statement *st) {
    for (uint32_t k = 0; st->public_terms && k < st->n_public_terms; k++) free(st->public_terms[k].values);
    free(st->public_terms);
    free_steps(st->steps, st->n_steps);
    *st = (pr_statement){0};
}

pr_status pr_statement_add_public_term(pr_statement *st, uint32_t relation, pr_m31 multiplicity, const pr_m31 *values,
                                       uint32_t n_values, pr_error *err) {
    pr_m31 *copy = pr_air_copy(values, n_values, sizeof *values);
    if (!copy) return pr_air_no_memory(err, "a public term");
    pr_public_term *terms = realloc(st->public_terms, (st->n_public_terms + (size_t)1) * sizeof *terms);
    if (!terms) {
        free(copy);
        return pr_air_no_memory(err, "the public terms");
    }
    st->public_terms = terms;
    terms[st->n_public_terms++] = (pr_public_term){relation, multiplicity, n_values, copy};
    return PR_OK;
}

pr_status pr_statement_set_transcript(pr_statement *st, const pr_step *steps, uint32_t n_steps, pr_error *err) {
    pr_step *copy = pr_air_calloc(n_steps, sizeof *copy);
    if (!copy) return pr_air_no_memory(err, "the transcript script");
    for (uint32_t k = 0; k < n_steps; k++) {
        copy[k] = steps[k];
        copy[k].words = NULL;
        if (steps[k].n_words == 0) continue;
        copy[k].words = pr_air_copy(steps[k].words, steps[k].n_words, sizeof *steps[k].words);
        if (copy[k].words) continue;
        free_steps(copy, k);
        return pr_air_no_memory(err, "a transcript step");
    }
    free_steps(st->steps, st->n_steps);
    st->steps = copy;
    st->n_steps = n_steps;
    st->has_foreign_transcript = true;
    return PR_OK;
}

/* Largest rows (log2) of the columns of one kind of tree; false when it has no column. */
static bool largest_rows(uint32_t *log_rows, const pr_air *air, pr_tree_kind kind) {
    bool any = false;
    *log_rows = 0;
    if (kind == PR_TREE_PREPROCESSED)
        for (uint32_t k = 0; k < air->n_preprocessed; k++, any = true)
            *log_rows = pr_air_max_u32(*log_rows, air->preprocessed[k].log_size);
    else
        for (uint32_t k = 0; k < air->n_components; k++) {
            const pr_air_component *c = &air->components[k];
            if (kind == PR_TREE_INTERACTION && c->n_batches == 0) continue;
            *log_rows = pr_air_max_u32(*log_rows, c->log_size);
            any = true;
        }
    return any;
}

pr_status pr_statement_choose_lifting(int32_t *lifting, const pr_air *air, uint32_t log_blowup, pr_error *err) {
    uint32_t preprocessed, trace, interaction;
    bool has_preprocessed = largest_rows(&preprocessed, air, PR_TREE_PREPROCESSED);
    largest_rows(&trace, air, PR_TREE_TRACE);
    bool has_interaction = largest_rows(&interaction, air, PR_TREE_INTERACTION);
    if (has_preprocessed) {
        *lifting = (int32_t)(pr_air_max_u32(preprocessed, trace) + log_blowup);
        return PR_OK;
    }
    *lifting = -1;
    if (!has_interaction || interaction == trace) return PR_OK;
    return pr_fail(err, PR_ERR_REFUSED,
                   "AIR '%s': its trees differ in height (no component of the largest size has lookups), so it needs a "
                   "lifting size, and that needs a preprocessed column: add one (a constant column will do)",
                   air->name);
}
