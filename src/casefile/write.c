#include "casefile/casefile.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Export. Numbers go through a local buffer: a trace has up to 1e8 of them. */
typedef struct output {
    pr_writer *out;
    size_t n;
    bool failed;
    char buffer[8192];
} output;

static void flush(output *o) {
    pr_write_bytes(o->out, o->buffer, o->n);
    o->n = 0;
}

static void put(output *o, const char *text, size_t size) {
    if (size > sizeof o->buffer - o->n) flush(o);
    if (size > sizeof o->buffer) {
        pr_write_bytes(o->out, text, size);
        return;
    }
    memcpy(o->buffer + o->n, text, size);
    o->n += size;
}

static void put_text(output *o, const char *text) { put(o, text, strlen(text)); }

static void put_number(output *o, uint64_t v) {
    char digits[20];
    size_t n = 0;
    do digits[sizeof digits - ++n] = (char)('0' + v % 10);
    while (v /= 10);
    put(o, digits + sizeof digits - n, n);
}

static void put_signed(output *o, int64_t v) {
    if (v < 0) put(o, "-", 1);
    put_number(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* A JSON string, quoted and escaped. */
static void put_string(output *o, const char *text) {
    json_t *value = json_string(text);
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    if (quoted)
        put_text(o, quoted);
    else
        o->failed = true; /* not UTF-8, or no memory */
    free(quoted);
    json_decref(value);
}

static void put_hex(output *o, const uint8_t *bytes, size_t n) {
    char text[65];
    pr_hex_encode(text, bytes, n);
    put(o, "\"", 1);
    put(o, text, 2 * n);
    put(o, "\"", 1);
}

static void separate(output *o, size_t index) {
    if (index) put(o, ",", 1);
}

static void put_words(output *o, const uint32_t *words, size_t n) {
    put(o, "[", 1);
    for (size_t i = 0; i < n; i++) {
        separate(o, i);
        put_number(o, words[i]);
    }
    put(o, "]", 1);
}

static void put_preprocessed(output *o, const pr_air_preprocessed *p) {
    put_text(o, "{\"id\":");
    put_string(o, p->id);
    put_text(o, ",\"log_size\":");
    put_number(o, p->log_size);
    if (p->values) {
        put_text(o, ",\"values\":");
        put_words(o, p->values, (size_t)1 << p->log_size);
    }
    put(o, "}", 1);
}

static void put_relation(output *o, const pr_air_relation *r) {
    put_text(o, "{\"name\":");
    put_string(o, r->name);
    put_text(o, ",\"size\":");
    put_number(o, r->size);
    put(o, "}", 1);
}

static void put_column(output *o, const pr_air_column *c) {
    put_text(o, "{\"offsets\":[");
    for (uint32_t i = 0; i < c->n_offsets; i++) {
        separate(o, i);
        put_signed(o, c->offsets[i]);
    }
    put_text(o, "]}");
}

static void put_node(output *o, const pr_node *node) {
    static const char *const heads[] = {
        [PR_NODE_COL] = "{\"col\":", [PR_NODE_PRE] = "{\"pre\":", [PR_NODE_CONST] = "{\"const\":",
        [PR_NODE_ADD] = "{\"add\":", [PR_NODE_SUB] = "{\"sub\":", [PR_NODE_MUL] = "{\"mul\":",
        [PR_NODE_NEG] = "{\"neg\":"};
    put_text(o, heads[node->op]);
    if (node->op == PR_NODE_PRE || node->op == PR_NODE_CONST || node->op == PR_NODE_NEG)
        put_number(o, node->a);
    else
        put_words(o, (const uint32_t[]){node->a, node->b}, 2);
    put(o, "}", 1);
}

static void put_lookup(output *o, const pr_air_lookup *l) {
    put_text(o, "{\"relation\":");
    put_number(o, l->relation);
    put_text(o, ",\"multiplicity\":");
    put_number(o, l->multiplicity);
    put_text(o, ",\"values\":");
    put_words(o, l->values, l->n_values);
    put(o, "}", 1);
}

static void put_component(output *o, const pr_air_component *c) {
    put_text(o, "{\"name\":");
    put_string(o, c->name);
    put_text(o, ",\"log_size\":");
    put_number(o, c->log_size);
    put_text(o, ",\"log_degree_bound\":");
    put_number(o, c->log_size + 1);
    put_text(o, ",\"columns\":[");
    for (uint32_t i = 0; i < c->n_columns; i++) separate(o, i), put_column(o, &c->columns[i]);
    put_text(o, "],\"nodes\":[");
    for (uint32_t i = 0; i < c->n_nodes; i++) separate(o, i), put_node(o, &c->nodes[i]);
    put_text(o, "],\"constraints\":[");
    for (uint32_t i = 0; i < c->n_constraints; i++) separate(o, i), put_number(o, c->constraints[i].node);
    put_text(o, "],\"lookups\":[");
    for (uint32_t i = 0; i < c->n_lookups; i++) separate(o, i), put_lookup(o, &c->lookups[i]);
    put_text(o, "],\"batches\":[");
    for (uint32_t i = 0; i < c->n_lookups; i++) separate(o, i), put_number(o, c->lookups[i].batch);
    put_text(o, "]}");
}

static void put_air(output *o, const pr_air *air) {
    put_text(o, "{\"format\":\"proverun-air/1\",\"name\":");
    put_string(o, air->name);
    put_text(o, ",\"preprocessed\":[");
    for (uint32_t i = 0; i < air->n_preprocessed; i++) separate(o, i), put_preprocessed(o, &air->preprocessed[i]);
    put_text(o, "],\"relations\":[");
    for (uint32_t i = 0; i < air->n_relations; i++) separate(o, i), put_relation(o, &air->relations[i]);
    put_text(o, "],\"components\":[");
    for (uint32_t i = 0; i < air->n_components; i++) separate(o, i), put_component(o, &air->components[i]);
    put_text(o, "]}");
}

static void put_config(output *o, const pr_config *c) {
    put_text(o, "{\"pow_bits\":");
    put_number(o, c->pow_bits);
    put_text(o, ",\"log_blowup_factor\":");
    put_number(o, c->log_blowup);
    put_text(o, ",\"n_queries\":");
    put_number(o, c->n_queries);
    put_text(o, ",\"log_last_layer_degree_bound\":");
    put_number(o, c->log_last_layer_degree_bound);
    put_text(o, ",\"fold_step\":");
    put_number(o, c->fold_step);
    put_text(o, ",\"lifting_log_size\":");
    if (c->lifting_log_size < 0)
        put_text(o, "null");
    else
        put_number(o, (uint64_t)c->lifting_log_size);
    put_text(o, ",\"interaction_pow_bits\":");
    put_number(o, c->interaction_pow_bits);
    put(o, "}", 1);
}

static void put_public_term(output *o, const pr_public_term *t) {
    put_text(o, "{\"relation\":");
    put_number(o, t->relation);
    put_text(o, ",\"multiplicity\":");
    put_number(o, t->multiplicity);
    put_text(o, ",\"values\":");
    put_words(o, t->values, t->n_values);
    put(o, "}", 1);
}

static void put_root(output *o, const uint32_t words[8]) {
    uint8_t bytes[32];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
    put_hex(o, bytes, sizeof bytes);
}

static void put_felts(output *o, const uint32_t *words, size_t n_words) {
    put(o, "[", 1);
    for (size_t i = 0; i < n_words; i += 4) separate(o, i), put_words(o, words + i, 4);
    put(o, "]", 1);
}

/* Steps without data: their whole text. */
static const char *const plain_steps[] = {
    [PR_STEP_STATEMENT_DIGEST] = "\"statement_digest\"",
    [PR_STEP_CONFIG] = "\"config\"",
    [PR_STEP_COMMIT_PREPROCESSED] = "{\"commit\":\"preprocessed\"}",
    [PR_STEP_COMMIT_TRACE] = "{\"commit\":\"trace\"}",
    [PR_STEP_COMMIT_INTERACTION] = "{\"commit\":\"interaction\"}",
    [PR_STEP_DRAW_RELATIONS] = "\"draw_relations\"",
    [PR_STEP_CLAIMED_SUMS] = "\"claimed_sums\"",
};

static void put_step(output *o, const pr_step *step) {
    static const char *const heads[] = {[PR_STEP_MIX_FELTS] = "{\"mix_felts\":",
                                        [PR_STEP_MIX_U32S] = "{\"mix_u32s\":",
                                        [PR_STEP_MIX_U64] = "{\"mix_u64\":",
                                        [PR_STEP_MIX_ROOT] = "{\"mix_root\":",
                                        [PR_STEP_GRIND] = "{\"grind\":"};
    if (plain_steps[step->kind]) {
        put_text(o, plain_steps[step->kind]);
        return;
    }
    put_text(o, heads[step->kind]);
    if (step->kind == PR_STEP_MIX_FELTS)
        put_felts(o, step->words, step->n_words);
    else if (step->kind == PR_STEP_MIX_U32S)
        put_words(o, step->words, step->n_words);
    else if (step->kind == PR_STEP_MIX_U64)
        put_number(o, step->words[0] | (uint64_t)step->words[1] << 32);
    else if (step->kind == PR_STEP_MIX_ROOT)
        put_root(o, step->words);
    else
        put_number(o, step->bits);
    put(o, "}", 1);
}

static void put_trace(output *o, const pr_air *air, pr_m31 *const *const *trace) {
    put_text(o, ",\"trace\":[");
    for (uint32_t i = 0; i < air->n_components; i++) {
        separate(o, i);
        put(o, "[", 1);
        for (uint32_t k = 0; k < air->components[i].n_columns; k++) {
            separate(o, k);
            put_words(o, trace[i][k], (size_t)1 << air->components[i].log_size);
        }
        put(o, "]", 1);
    }
    put(o, "]", 1);
}

pr_status pr_case_write(pr_writer *out, const char *name, const pr_statement *st, pr_m31 *const *const *trace,
                        pr_error *err) {
    output o = {.out = out};
    put(&o, "{", 1);
    if (name) {
        put_text(&o, "\"name\":");
        put_string(&o, name);
        put(&o, ",", 1);
    }
    put_text(&o, "\"air\":");
    put_air(&o, st->air);
    put_text(&o, ",\"statement_digest\":");
    put_hex(&o, st->digest, sizeof st->digest);
    put_text(&o, ",\"config\":");
    put_config(&o, &st->config);
    put_text(&o, ",\"public_terms\":[");
    for (uint32_t i = 0; i < st->n_public_terms; i++) separate(&o, i), put_public_term(&o, &st->public_terms[i]);
    put(&o, "]", 1);
    if (st->has_foreign_transcript) {
        put_text(&o, ",\"transcript\":[");
        for (uint32_t i = 0; i < st->n_steps; i++) separate(&o, i), put_step(&o, &st->steps[i]);
        put(&o, "]", 1);
    }
    if (trace) put_trace(&o, st->air, trace);
    put(&o, "}", 1);
    flush(&o);
    if (o.failed) return pr_fail(err, PR_ERR_INTERNAL, "a name of the AIR is not UTF-8, or memory is short");
    return out->failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory while exporting a case") : PR_OK;
}
