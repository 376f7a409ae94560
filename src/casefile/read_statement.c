#include "casefile/read.h"
#include "base/bytes.h"
#include <stdlib.h>
#include <string.h>

static const char *const no_keys[] = {NULL};

static pr_status read_config(pr_config *out, const pr_case_cursor *at) {
    static const char *const required[] = {
        "pow_bits",         "log_blowup_factor",    "n_queries", "log_last_layer_degree_bound", "fold_step",
        "lifting_log_size", "interaction_pow_bits", NULL};
    PR_TRY(pr_case_keys(at, required, no_keys));
    uint32_t *const numbers[] = {
        &out->pow_bits, &out->log_blowup,          &out->n_queries, &out->log_last_layer_degree_bound, &out->fold_step,
        NULL,           &out->interaction_pow_bits};
    for (size_t i = 0; required[i]; i++) {
        pr_case_cursor member = pr_case_member(at, required[i]);
        if (numbers[i]) PR_TRY(pr_case_u32(&member, INT32_MAX, numbers[i]));
    }
    pr_case_cursor lifting = pr_case_member(at, "lifting_log_size");
    uint32_t v = 0;
    out->lifting_log_size = -1;
    if (pr_case_is(&lifting, PR_CASE_NULL)) return PR_OK;
    PR_TRY(pr_case_u32(&lifting, INT32_MAX, &v));
    if (!v) return pr_case_refuse(&lifting, "0 is not allowed; null means none");
    out->lifting_log_size = (int32_t)v;
    return PR_OK;
}

static pr_status read_public_term(pr_statement *st, const pr_case_cursor *at) {
    static const char *const required[] = {"relation", "multiplicity", "values", NULL};
    PR_TRY(pr_case_keys(at, required, no_keys));
    pr_case_cursor relation = pr_case_member(at, "relation"), multiplicity = pr_case_member(at, "multiplicity");
    pr_case_cursor values = pr_case_member(at, "values");
    uint32_t r = 0, m = 0, n = 0, *words = NULL;
    PR_TRY(pr_case_u32(&relation, UINT32_MAX, &r));
    if (r >= st->air->n_relations)
        return pr_case_refuse(&relation, "relation %u: there are %u", r, st->air->n_relations);
    PR_TRY(pr_case_m31(&multiplicity, &m));
    PR_TRY(pr_case_words(&values, PR_P - 1, &words, &n));
    pr_status status;
    if (n < 1 || n > st->air->relations[r].size)
        status = pr_case_refuse(&values, "has %u values, must have 1 to %u", n, st->air->relations[r].size);
    else
        status = pr_statement_add_public_term(st, r, m, words, n, at->doc->err);
    free(words);
    return status;
}

static pr_status read_public_terms(pr_statement *st, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; i < n; i++, pr_case_step(&element)) {
        PR_TRY(read_public_term(st, &element));
    }
    return PR_OK;
}

static pr_status read_plain_step(pr_step *out, const pr_case_cursor *at) {
    if (pr_case_text_is(at, "statement_digest"))
        out->kind = PR_STEP_STATEMENT_DIGEST;
    else if (pr_case_text_is(at, "config"))
        out->kind = PR_STEP_CONFIG;
    else if (pr_case_text_is(at, "draw_relations"))
        out->kind = PR_STEP_DRAW_RELATIONS;
    else if (pr_case_text_is(at, "claimed_sums"))
        out->kind = PR_STEP_CLAIMED_SUMS;
    else
        return pr_case_refuse_kind(at, "statement_digest, config, draw_relations or claimed_sums");
    return PR_OK;
}

static pr_status read_commit(pr_step *out, const pr_case_cursor *at) {
    if (pr_case_text_is(at, "preprocessed"))
        out->kind = PR_STEP_COMMIT_PREPROCESSED;
    else if (pr_case_text_is(at, "trace"))
        out->kind = PR_STEP_COMMIT_TRACE;
    else if (pr_case_text_is(at, "interaction"))
        out->kind = PR_STEP_COMMIT_INTERACTION;
    else
        return pr_case_refuse_kind(at, "preprocessed, trace or interaction");
    return PR_OK;
}

static pr_status read_grind(pr_step *out, const pr_case_cursor *at) {
    out->kind = PR_STEP_GRIND;
    return pr_case_u32(at, 32, &out->bits);
}

static pr_status read_mix_felts(pr_step *out, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    out->kind = PR_STEP_MIX_FELTS;
    out->words = pr_case_alloc(4 * (size_t)n, sizeof *out->words);
    if (!out->words) return pr_case_no_memory(at->doc);
    out->n_words = 4 * (size_t)n;
    pr_case_cursor felt = pr_case_first(at);
    for (uint32_t i = 0; i < n; i++, pr_case_step(&felt)) {
        PR_TRY(pr_case_array_of(&felt, 4));
        PR_TRY(pr_case_fill_words(&felt, PR_P - 1, &out->words[4 * (size_t)i], 4));
    }
    return PR_OK;
}

static pr_status read_mix_u32s(pr_step *out, const pr_case_cursor *at) {
    uint32_t n = 0;
    out->kind = PR_STEP_MIX_U32S;
    PR_TRY(pr_case_words(at, UINT32_MAX, &out->words, &n));
    out->n_words = n;
    return PR_OK;
}

static pr_status read_mix_u64(pr_step *out, const pr_case_cursor *at) {
    uint64_t v = 0;
    out->kind = PR_STEP_MIX_U64;
    PR_TRY(pr_case_u64(at, UINT64_MAX, &v));
    out->words = pr_case_alloc(2, sizeof *out->words);
    if (!out->words) return pr_case_no_memory(at->doc);
    out->n_words = 2;
    out->words[0] = (uint32_t)v;
    out->words[1] = (uint32_t)(v >> 32);
    return PR_OK;
}

static pr_status read_mix_root(pr_step *out, const pr_case_cursor *at) {
    uint8_t bytes[32];
    pr_reader r;
    out->kind = PR_STEP_MIX_ROOT;
    PR_TRY(pr_case_hex(at, bytes, sizeof bytes));
    out->words = pr_case_alloc(8, sizeof *out->words);
    if (!out->words) return pr_case_no_memory(at->doc);
    out->n_words = 8;
    pr_reader_init(&r, bytes, sizeof bytes);
    for (size_t i = 0; i < 8; i++) out->words[i] = pr_read_u32(&r);
    return PR_OK;
}

static pr_status read_step(pr_step *out, const pr_case_cursor *at) {
    static const struct {
        const char *key;
        pr_status (*read)(pr_step *out, const pr_case_cursor *at);
    } readers[] = {{"mix_felts", read_mix_felts}, {"mix_u32s", read_mix_u32s}, {"mix_u64", read_mix_u64},
                   {"mix_root", read_mix_root},   {"commit", read_commit},     {"grind", read_grind}};
    char key[32];
    if (pr_case_is(at, PR_CASE_TEXT)) return read_plain_step(out, at);
    if (!pr_case_is(at, PR_CASE_OBJECT) || at->value.n != 1)
        return pr_case_refuse_kind(at, "a text or an object with exactly one key");
    pr_case_cursor argument = pr_case_only_member(at, key, sizeof key);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].key, key) == 0) return readers[i].read(out, &argument);
    return pr_case_refuse(&argument, "unknown key; allowed: mix_felts, mix_u32s, mix_u64, mix_root, commit, grind");
}

static pr_status read_transcript(pr_statement *st, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    pr_step *steps = pr_case_alloc(n, sizeof *steps);
    pr_status status = steps ? PR_OK : pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; status == PR_OK && i < n; i++, pr_case_step(&element)) {
        status = read_step(&steps[i], &element);
    }
    if (status == PR_OK && n == 0) status = pr_case_refuse(at, "has no step");
    if (status == PR_OK) {
        status = pr_statement_set_transcript(st, steps, n, at->doc->err);
        if (status != PR_OK) status = pr_case_blame(at);
    }
    for (uint32_t i = 0; steps && i < n; i++) free(steps[i].words);
    free(steps);
    return status;
}

pr_status pr_case_read_statement(pr_case *c, const pr_case_cursor *root) {
    pr_case_cursor config = pr_case_member(root, "config"), digest = pr_case_member(root, "statement_digest");
    pr_case_cursor terms = pr_case_member(root, "public_terms"), transcript = pr_case_member(root, "transcript");
    pr_config parameters = {0};
    uint8_t bytes[32];
    PR_TRY(read_config(&parameters, &config));
    PR_TRY(pr_case_hex(&digest, bytes, sizeof bytes));
    if (pr_statement_init(&c->statement, c->air, &parameters, root->doc->err) != PR_OK) return pr_case_blame(root);
    memcpy(c->statement.digest, bytes, sizeof bytes);
    PR_TRY(read_public_terms(&c->statement, &terms));
    return pr_case_has(&transcript) ? read_transcript(&c->statement, &transcript) : PR_OK;
}
