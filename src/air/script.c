#include "air/script.h"
#include "air/internal.h"

#define REFUSE(err, ...) pr_fail(err, PR_ERR_REFUSED, "transcript: " __VA_ARGS__)
#define ABSENT UINT32_MAX

static const char *step_name(pr_step_kind kind) {
    static const char *const names[] = {"mix_felts",
                                        "mix_u32s",
                                        "mix_u64",
                                        "mix_root",
                                        "statement_digest",
                                        "config",
                                        "commit preprocessed",
                                        "commit trace",
                                        "commit interaction",
                                        "grind",
                                        "draw_relations",
                                        "claimed_sums"};
    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "an unknown step";
}

static pr_status check_words(const pr_step *step, uint32_t k, pr_error *err) {
    switch (step->kind) {
    case PR_STEP_MIX_FELTS:
        if (step->n_words % 4) return REFUSE(err, "step %u, mix_felts: %zu words, not four a felt", k, step->n_words);
        for (size_t i = 0; i < step->n_words; i++)
            if (step->words[i] >= PR_P) return REFUSE(err, "step %u, mix_felts: %u is not below p", k, step->words[i]);
        return PR_OK;
    case PR_STEP_MIX_U64:
        return step->n_words == 2 ? PR_OK : REFUSE(err, "step %u, mix_u64: %zu words, not 2", k, step->n_words);
    case PR_STEP_MIX_ROOT:
        return step->n_words == 8 ? PR_OK : REFUSE(err, "step %u, mix_root: %zu words, not 8", k, step->n_words);
    case PR_STEP_GRIND:
        return step->bits <= 32 ? PR_OK : REFUSE(err, "step %u, grind: %u bits, at most 32", k, step->bits);
    default:
        return PR_OK;
    }
}

/* Steps that may occur once at most. */
static bool is_single(pr_step_kind kind) { return kind >= PR_STEP_CONFIG; }

/* at[kind]: where the step stands, or ABSENT */
static pr_status locate(uint32_t at[PR_STEP_CLAIMED_SUMS + 1], const pr_statement *st, pr_error *err) {
    for (uint32_t k = 0; k <= PR_STEP_CLAIMED_SUMS; k++) at[k] = ABSENT;
    for (uint32_t k = 0; k < st->n_steps; k++) {
        pr_step_kind kind = st->steps[k].kind;
        if ((unsigned)kind > PR_STEP_CLAIMED_SUMS) return REFUSE(err, "step %u is unknown", k);
        if (is_single(kind) && at[kind] != ABSENT)
            return REFUSE(err, "step %u, '%s', occurs a second time", k, step_name(kind));
        if (at[kind] == ABSENT) at[kind] = k;
        PR_TRY(check_words(&st->steps[k], k, err));
    }
    return PR_OK;
}

static pr_status need_in_order(const uint32_t *at, const pr_step_kind *kinds, size_t n, pr_error *err) {
    for (size_t k = 0; k < n; k++) {
        if (at[kinds[k]] == ABSENT) return REFUSE(err, "the step '%s' is missing", step_name(kinds[k]));
        if (k && at[kinds[k]] < at[kinds[k - 1]])
            return REFUSE(err, "'%s' must come after '%s'", step_name(kinds[k]), step_name(kinds[k - 1]));
    }
    return PR_OK;
}

static pr_status refuse_lookup_steps(const uint32_t *at, pr_error *err) {
    static const pr_step_kind kinds[] = {PR_STEP_COMMIT_INTERACTION, PR_STEP_GRIND, PR_STEP_DRAW_RELATIONS,
                                         PR_STEP_CLAIMED_SUMS};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (at[kinds[k]] != ABSENT)
            return REFUSE(err, "step %u, '%s', but the AIR has no relations", at[kinds[k]], step_name(kinds[k]));
    return PR_OK;
}

pr_status pr_script_check(const pr_statement *st, pr_error *err) {
    static const pr_step_kind order[] = {PR_STEP_CONFIG,       PR_STEP_COMMIT_PREPROCESSED,
                                         PR_STEP_COMMIT_TRACE, PR_STEP_DRAW_RELATIONS,
                                         PR_STEP_CLAIMED_SUMS, PR_STEP_COMMIT_INTERACTION};
    uint32_t at[PR_STEP_CLAIMED_SUMS + 1];
    PR_TRY(locate(at, st, err));
    if (st->air->n_relations) return need_in_order(at, order, sizeof order / sizeof *order, err);
    PR_TRY(need_in_order(at, order, 3, err));
    return refuse_lookup_steps(at, err);
}

bool pr_script_grind_protects_lookups(const pr_statement *st) {
    bool trace = false, grind = false;
    for (uint32_t k = 0; k < st->n_steps; k++) {
        if (st->steps[k].kind == PR_STEP_COMMIT_TRACE) trace = true;
        if (st->steps[k].kind == PR_STEP_GRIND) grind = trace;
        if (st->steps[k].kind == PR_STEP_DRAW_RELATIONS) return grind;
    }
    return false;
}
