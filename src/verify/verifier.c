#include "verify/internal.h"

#include <stdlib.h>
#include <string.h>

static void fill_windows(pr_verifier *v) {
    for (uint32_t w = 0; w < 4; w++) {
        pr_point power = pr_point_from_index(pr_index((uint64_t)1 << (PR_VERIFY_WINDOW * w)));
        v->windows[w][0] = (pr_point){1, 0};
        for (uint32_t d = 1; d < 1u << PR_VERIFY_WINDOW; d++)
            v->windows[w][d] = pr_point_add(v->windows[w][d - 1], power);
    }
}

pr_point pr_verify_point(const pr_verifier *v, uint32_t index) {
    uint32_t mask = (1u << PR_VERIFY_WINDOW) - 1;
    pr_point low = pr_point_add(v->windows[0][index & mask], v->windows[1][index >> 8 & mask]);
    return pr_point_add(low, pr_point_add(v->windows[2][index >> 16 & mask], v->windows[3][index >> 24]));
}

static pr_status number_samples(pr_verifier *v, pr_error *err) {
    size_t n = 0;
    for (uint32_t t = 0; t < v->layout.n_trees; t++) n += v->layout.trees[t].n_columns;
    v->column_samples = malloc((n + 1) * sizeof *v->column_samples);
    if (!v->column_samples) return pr_fail(err, PR_ERR_MEMORY, "verifier: out of memory");
    for (uint32_t t = 0; t < v->layout.n_trees; t++) {
        v->first_column[t] = v->n_columns;
        v->first_sample[t] = v->n_samples;
        for (uint32_t i = 0; i < v->layout.trees[t].n_columns;
             v->n_samples += v->layout.trees[t].columns[i++].n_offsets)
            v->column_samples[v->n_columns++] = v->n_samples;
    }
    v->column_samples[n] = v->n_samples;
    return PR_OK;
}

static uint32_t sample_of(const pr_verifier *v, pr_tree_kind tree, uint32_t component, uint32_t column) {
    const uint32_t *first = v->layout.trees[tree].component_first;
    return v->column_samples[v->first_column[tree] + (first ? first[component] : 0) + column];
}

static pr_status lower_component(pr_verifier *v, uint32_t index, pr_error *err) {
    pr_verify_component *c = &v->components[index];
    PR_TRY(pr_program_lower(&c->program, &v->statement->air->components[index], PR_PROGRAM_FULL, err));
    c->inputs = calloc(c->program.n_inputs + (size_t)1, sizeof *c->inputs);
    if (!c->inputs) return pr_fail(err, PR_ERR_MEMORY, "verifier: out of memory");
    for (uint32_t i = 0; i < c->program.n_inputs; i++) {
        const pr_input *in = &c->program.inputs[i];
        pr_tree_kind tree = in->is_preprocessed ? PR_TREE_PREPROCESSED : PR_TREE_TRACE;
        c->inputs[i] = sample_of(v, tree, index, in->column) + in->offset_index;
    }
    if (v->layout.n_trees == 4) c->interaction_first = sample_of(v, PR_TREE_INTERACTION, index, 0);
    if (c->program.n_slots > v->max_slots) v->max_slots = c->program.n_slots;
    return PR_OK;
}

static pr_status fill(pr_verifier *v, pr_error *err) {
    PR_TRY(pr_layout_init(&v->layout, v->statement, err));
    PR_TRY(number_samples(v, err));
    v->components = calloc(v->statement->air->n_components, sizeof *v->components);
    if (!v->components) return pr_fail(err, PR_ERR_MEMORY, "verifier: out of memory");
    for (uint32_t c = 0; c < v->statement->air->n_components; c++) PR_TRY(lower_component(v, c, err));
    PR_TRY(pr_verify_plan_terms(v, err));
    fill_windows(v);
    return pr_verify_preprocessed_root(&v->preprocessed_root, &v->layout, err);
}

pr_status pr_verifier_create(pr_verifier **out, const pr_statement *st, pr_error *err) {
    *out = NULL;
    pr_verifier *v = calloc(1, sizeof *v);
    if (!v) return pr_fail(err, PR_ERR_MEMORY, "verifier: out of memory");
    v->statement = st;
    pr_status status = fill(v, err);
    if (status == PR_OK)
        *out = v;
    else
        pr_verifier_destroy(v);
    return status;
}

void pr_verifier_destroy(pr_verifier *v) {
    if (!v) return;
    for (uint32_t c = 0; v->components && c < v->statement->air->n_components; c++) {
        pr_program_clear(&v->components[c].program);
        free(v->components[c].inputs);
    }
    free(v->components);
    free(v->column_samples);
    free(v->terms);
    free(v->group_shifts);
    pr_layout_clear(&v->layout);
    free(v);
}

const pr_layout *pr_verifier_layout(const pr_verifier *v) { return &v->layout; }
const pr_hash *pr_verifier_preprocessed_root(const pr_verifier *v) { return &v->preprocessed_root; }

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static void *take(unsigned char *base, size_t *at, size_t bytes) {
    size_t here = *at;
    *at += (bytes + 63) / 64 * 64;
    return base ? base + here : NULL;
}

/* Places every array of the run at base; returns how much that takes. */
static size_t carve(pr_verify_run *r, unsigned char *base) {
    const pr_layout *layout = r->layout;
    size_t at = 0, n = layout->statement->config.n_queries, rows = n, widest = 0;
    for (uint32_t k = 0; k < layout->n_fri_layers; k++) {
        size_t all = (size_t)1 << layout->fri[k].log_size, opened = n << layout->fri[k].fold_step;
        rows = larger(rows, opened < all ? opened : all);
    }
    for (uint32_t t = 0; t < layout->n_trees; t++) widest = larger(widest, layout->trees[t].n_columns);
    r->relation_z = take(base, &at, layout->statement->air->n_relations * sizeof(pr_qm31));
    r->relation_alpha = take(base, &at, layout->statement->air->n_relations * sizeof(pr_qm31));
    r->samples = take(base, &at, r->v->n_samples * sizeof(pr_qm31));
    r->powers = take(base, &at, larger(layout->n_constraints, r->v->n_terms) * sizeof(pr_qm31));
    r->slots = take(base, &at, r->v->max_slots * sizeof(pr_qm31));
    r->queries = take(base, &at, n * sizeof(uint32_t));
    r->known_positions = take(base, &at, n * sizeof(uint32_t));
    r->known = take(base, &at, n * sizeof(pr_qm31));
    r->positions = take(base, &at, rows * sizeof(uint32_t));
    r->nodes = take(base, &at, rows * sizeof(uint32_t));
    r->values = take(base, &at, rows * sizeof(pr_qm31));
    r->twiddles = take(base, &at, rows * sizeof(pr_m31));
    r->inverses = take(base, &at, rows * sizeof(pr_m31));
    r->hashes = take(base, &at, rows * sizeof(pr_hash));
    r->messages = take(base, &at, larger(rows * 64, n * widest * sizeof(pr_m31)));
    r->sums = take(base, &at, 4 * n * sizeof(uint64_t));
    r->points = take(base, &at, n * sizeof(pr_point));
    r->denominators = take(base, &at, n * sizeof(pr_cm31));
    r->inverse_denominators = take(base, &at, n * sizeof(pr_cm31));
    return at;
}

/* FRI's commitments and last layer, the proof of work, the queries. protocol.md sections 12, 13. */
static pr_verdict draw_queries(pr_verify_run *r) {
    const pr_config *config = &r->layout->statement->config;
    pr_channel *channel = &r->channel;
    r->quotient_coefficient = pr_channel_draw_secure_felt(channel);
    for (uint32_t k = 0; k < r->layout->n_fri_layers; k++) {
        pr_channel_mix_root(channel, &r->proof->fri[k].commitment);
        r->fri_alphas[k] = pr_channel_draw_secure_felt(channel);
    }
    pr_channel_mix_felts(channel, r->proof->last_layer, r->proof->n_last_layer);
    pr_hash prefix = pr_channel_pow_prefix(channel, config->pow_bits);
    if (!pr_pow_check(&prefix, config->pow_bits, r->proof->proof_of_work))
        return PR_REJECT(r, PR_REJECTED_POW, "the nonce lacks %u zero bits", config->pow_bits);
    pr_channel_mix_u64(channel, r->proof->proof_of_work);
    size_t n = pr_channel_draw_queries(channel, r->queries, config->n_queries, r->layout->log_lifted);
    if (n != r->proof->n_queries)
        return PR_REJECT(r, PR_REJECTED_QUERY_COUNT, "%zu distinct queries, values of %u", n, r->proof->n_queries);
    return PR_ACCEPTED;
}

static pr_verdict check(pr_verify_run *r) {
    for (uint32_t t = 0; t < r->layout->n_trees; t++)
        memcpy(r->samples + r->v->first_sample[t], r->proof->samples[t], r->proof->n_samples[t] * sizeof(pr_qm31));
    pr_channel_init(&r->channel);
    PR_VERIFY_TRY(pr_verify_script(r));
    PR_VERIFY_TRY(pr_verify_composition(r));
    PR_VERIFY_TRY(draw_queries(r));
    PR_VERIFY_TRY(pr_verify_openings(r));
    PR_VERIFY_TRY(pr_verify_quotients(r));
    return pr_verify_fri(r);
}

pr_status pr_verifier_run(const pr_verifier *v, const pr_proof *proof, pr_verdict *verdict, pr_error *detail) {
    pr_verify_run r = {.v = v, .layout = &v->layout, .proof = proof, .detail = detail};
    if (!pr_proof_fits(proof, &v->layout)) {
        *verdict = PR_REJECT(&r, PR_REJECTED_SHAPE, "lengths or field elements out of range");
        return PR_OK;
    }
    void *workspace = aligned_alloc(64, carve(&r, NULL));
    if (!workspace) return pr_fail(detail, PR_ERR_MEMORY, "verifier: out of memory");
    carve(&r, workspace);
    *verdict = check(&r);
    free(workspace);
    return PR_OK;
}

const char *pr_verdict_text(pr_verdict v) {
    static const char *const text[] = {
        [PR_ACCEPTED] = "accepted",
        [PR_REJECTED_SHAPE] = "lengths or field elements out of range",
        [PR_REJECTED_PREPROCESSED_ROOT] = "preprocessed root differs from the statement's",
        [PR_REJECTED_EMPTY_ROOT] = "root of an empty tree is not the hash of nothing",
        [PR_REJECTED_INTERACTION_POW] = "interaction proof of work not done",
        [PR_REJECTED_CLAIMED_SUM] = "claimed sum of a component without lookups",
        [PR_REJECTED_PUBLIC_TERM] = "public term with a zero denominator",
        [PR_REJECTED_LOOKUP_SUM] = "lookups do not cancel",
        [PR_REJECTED_OOD_POINT] = "no usable point out of the domain",
        [PR_REJECTED_OOD_CHECK] = "constraints do not hold out of the domain",
        [PR_REJECTED_POW] = "proof of work not done",
        [PR_REJECTED_QUERY_COUNT] = "wrong number of queried values",
        [PR_REJECTED_TREE_WITNESS] = "hash witness of a tree too short or too long",
        [PR_REJECTED_TREE_ROOT] = "opening of a tree does not lead to its root",
        [PR_REJECTED_POSITION_VALUES] = "two values at one position",
        [PR_REJECTED_QUOTIENT_DENOMINATOR] = "a sample point meets the domain",
        [PR_REJECTED_FRI_WITNESS] = "witness of an FRI layer too short or too long",
        [PR_REJECTED_FRI_ROOT] = "opening of an FRI layer does not lead to its root",
        [PR_REJECTED_LAST_LAYER] = "last FRI layer differs from the folded values",
    };
    return (size_t)v < sizeof text / sizeof *text ? text[v] : "unknown verdict";
}
