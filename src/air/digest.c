/* Digests of AIRs and statements. The byte layout is docs/statement.md; any change is a new domain string. */
#include "air/internal.h"
#include "air/statement.h"

/* Fields go straight into the hash: nothing is allocated, so nothing can fail. */
static void put_le(pr_blake2s *h, uint64_t v, size_t n) {
    uint8_t bytes[8];
    for (size_t k = 0; k < n; k++) bytes[k] = (uint8_t)(v >> (8 * k));
    pr_blake2s_update(h, bytes, n);
}

static void put_u8(pr_blake2s *h, bool v) { put_le(h, v, 1); }
static void put_u32(pr_blake2s *h, uint32_t v) { put_le(h, v, 4); }
static void put_u64(pr_blake2s *h, uint64_t v) { put_le(h, v, 8); }

static void put_var(pr_blake2s *h, const void *data, size_t n) {
    put_u64(h, n);
    if (n) pr_blake2s_update(h, data, n);
}

static void put_text(pr_blake2s *h, const char *text) { put_var(h, text, strlen(text)); }

static void put_words(pr_blake2s *h, const uint32_t *words, size_t n) {
    for (size_t k = 0; k < n; k++) put_u32(h, words[k]);
}

static void put_preprocessed(pr_blake2s *h, const pr_air_preprocessed *p) {
    size_t n = p->values ? (size_t)1 << p->log_size : 0;
    put_text(h, p->id);
    put_u32(h, p->log_size);
    put_u64(h, n);
    put_words(h, p->values, n);
}

static void put_nodes(pr_blake2s *h, const pr_air_component *c) {
    put_u32(h, c->n_nodes);
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        const pr_node *n = &c->nodes[i];
        bool is_unary = n->op == PR_NODE_PRE || n->op == PR_NODE_CONST || n->op == PR_NODE_NEG;
        put_u32(h, n->op);
        put_u32(h, n->a);
        put_u32(h, is_unary ? 0 : n->b);
    }
}

static void put_lookup(pr_blake2s *h, const pr_air_lookup *l) {
    put_u32(h, l->relation);
    put_u32(h, l->multiplicity);
    put_u32(h, l->n_values);
    put_words(h, l->values, l->n_values);
    put_u32(h, l->batch);
}

static void put_component(pr_blake2s *h, const pr_air_component *c) {
    put_text(h, c->name);
    put_u32(h, c->log_size);
    put_u32(h, c->n_columns);
    for (uint32_t k = 0; k < c->n_columns; k++) {
        put_u32(h, c->columns[k].n_offsets);
        for (uint32_t o = 0; o < c->columns[k].n_offsets; o++) put_u32(h, (uint32_t)c->columns[k].offsets[o]);
    }
    put_nodes(h, c);
    put_u32(h, c->n_constraints);
    for (uint32_t k = 0; k < c->n_constraints; k++) put_u32(h, c->constraints[k].node);
    put_u32(h, c->n_lookups);
    for (uint32_t k = 0; k < c->n_lookups; k++) put_lookup(h, &c->lookups[k]);
    put_u32(h, c->n_batches);
}

pr_hash pr_air_digest(const pr_air *air) {
    pr_blake2s h;
    pr_blake2s_init_domain(&h, "proverun-air/1");
    put_text(&h, air->name);
    put_u32(&h, air->n_preprocessed);
    for (uint32_t k = 0; k < air->n_preprocessed; k++) put_preprocessed(&h, &air->preprocessed[k]);
    put_u32(&h, air->n_relations);
    for (uint32_t k = 0; k < air->n_relations; k++) {
        put_text(&h, air->relations[k].name);
        put_u32(&h, air->relations[k].size);
    }
    put_u32(&h, air->n_components);
    for (uint32_t k = 0; k < air->n_components; k++) put_component(&h, &air->components[k]);
    return pr_blake2s_final(&h);
}

static void put_config(pr_blake2s *h, const pr_config *c) {
    put_u32(h, c->pow_bits);
    put_u32(h, c->log_blowup);
    put_u32(h, c->n_queries);
    put_u32(h, c->log_last_layer_degree_bound);
    put_u32(h, c->fold_step);
    put_u8(h, c->lifting_log_size >= 0);
    put_u32(h, c->lifting_log_size >= 0 ? (uint32_t)c->lifting_log_size : 0);
    put_u32(h, c->interaction_pow_bits);
}

static void put_script(pr_blake2s *h, const pr_statement *st) {
    put_u8(h, st->has_foreign_transcript);
    if (!st->has_foreign_transcript) return;
    put_u32(h, st->n_steps);
    for (uint32_t k = 0; k < st->n_steps; k++) {
        put_u32(h, (uint32_t)st->steps[k].kind);
        put_u32(h, st->steps[k].bits);
        put_u64(h, st->steps[k].n_words);
        put_words(h, st->steps[k].words, st->steps[k].n_words);
    }
}

pr_hash pr_statement_digest(const char *job_type, uint32_t job_version, const pr_statement *st, const void *public_data,
                            size_t public_data_size) {
    pr_blake2s h;
    pr_hash air = pr_air_digest(st->air);
    pr_blake2s_init_domain(&h, "proverun-statement/1");
    put_text(&h, job_type);
    put_u32(&h, job_version);
    pr_blake2s_update(&h, air.bytes, sizeof air.bytes);
    put_config(&h, &st->config);
    put_script(&h, st);
    put_u32(&h, st->n_public_terms);
    for (uint32_t k = 0; k < st->n_public_terms; k++) {
        const pr_public_term *t = &st->public_terms[k];
        put_u32(&h, t->relation);
        put_u32(&h, t->multiplicity);
        put_u32(&h, t->n_values);
        put_words(&h, t->values, t->n_values);
    }
    put_var(&h, public_data, public_data_size);
    return pr_blake2s_final(&h);
}
