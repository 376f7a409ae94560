/* stwo's JSON text of a proof and our envelope around it, protocol.md section 14. One grammar both writes and reads, so
 * the two cannot differ. Text is read twice: first every token and length is checked and the open lengths are counted,
 * then, with memory of exactly that size, values are stored. Strict: keys in stwo's order, plain decimal numbers,
 * whitespace only between tokens. */
#include "proof/internal.h"

#include <string.h>

typedef enum text_mode { WRITE, MEASURE, COUNT, READ } text_mode;

typedef struct text {
    text_mode mode;
    pr_writer *out;  /* WRITE */
    size_t measured; /* MEASURE: bytes that WRITE would write */
    const char *data;
    size_t size, at;
    pr_decode_code code; /* the first defect; nothing is read after it */
    size_t place;
    const pr_layout *layout;
    pr_proof max;
} text;

static void fail_at(text *x, pr_decode_code code, size_t place) {
    if (x->code == PR_DECODE_OK) {
        x->code = code;
        x->place = place;
    }
}

/* There is a proof, and nothing is read. */
static bool gives(const text *x) { return x->mode == WRITE || x->mode == MEASURE; }

/* The next character that is not whitespace; 0 at the end, after a defect and when writing. */
static char peek(text *x) {
    if (x->code != PR_DECODE_OK) return 0;
    for (; x->at < x->size; x->at++) {
        char c = x->data[x->at];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return c;
    }
    return 0;
}

/* Writes punctuation, quoted keys and words, or reads them, with whitespace allowed before each. */
static void symbols(text *x, const char *tokens) {
    bool in_key = false, in_word = false;
    if (x->mode == WRITE) pr_write_bytes(x->out, tokens, strlen(tokens));
    if (x->mode == MEASURE) x->measured += strlen(tokens);
    for (const char *c = tokens; !gives(x) && *c && x->code == PR_DECODE_OK; c++) {
        if (!in_key && !in_word) peek(x);
        if (x->at == x->size)
            fail_at(x, PR_DECODE_TRUNCATED, x->size);
        else if (x->data[x->at++] != *c)
            fail_at(x, in_key ? PR_DECODE_KEY : PR_DECODE_SYNTAX, x->at - 1);
        in_word = *c >= 'a' && *c <= 'z';
        in_key ^= *c == '"';
    }
}

static uint64_t read_number(text *x, uint64_t max, pr_decode_code above) {
    char c = peek(x);
    size_t start = x->at;
    uint64_t v = 0;
    bool in_range = true;
    for (; x->at < x->size && (c = x->data[x->at]) >= '0' && c <= '9'; x->at++)
        in_range = in_range && !__builtin_mul_overflow(v, 10u, &v) &&
                   !__builtin_add_overflow(v, (uint64_t)(c - '0'), &v) && v <= max;
    if (x->at == start) fail_at(x, start == x->size ? PR_DECODE_TRUNCATED : PR_DECODE_SYNTAX, start);
    if (x->at - start > 1 && x->data[start] == '0') fail_at(x, PR_DECODE_NOT_CANONICAL, start);
    if (!in_range) fail_at(x, above, start);
    return v;
}

static uint64_t write_number(pr_writer *out, uint64_t v) {
    char digits[20];
    size_t at = sizeof digits;
    for (uint64_t rest = v; rest || at == sizeof digits; rest /= 10) digits[--at] = (char)('0' + rest % 10);
    pr_write_bytes(out, digits + at, sizeof digits - at);
    return v;
}

static uint64_t measure_number(size_t *measured, uint64_t v) {
    ++*measured;
    for (uint64_t rest = v; rest >= 10; rest /= 10) ++*measured;
    return v;
}

/* Writes v, or reads a number up to max. */
static uint64_t number(text *x, uint64_t v, uint64_t max, pr_decode_code above) {
    if (x->mode == WRITE) return write_number(x->out, v);
    if (x->mode == MEASURE) return measure_number(&x->measured, v);
    return x->code == PR_DECODE_OK ? read_number(x, max, above) : 0;
}

static void fixed_number(text *x, const char *key, uint64_t v, pr_decode_code otherwise) {
    symbols(x, key);
    peek(x);
    size_t start = x->at;
    if (number(x, v, UINT64_MAX, otherwise) != v) fail_at(x, otherwise, start);
}

static uint64_t number_or_null(text *x, bool is_number, uint64_t v, pr_decode_code otherwise) {
    char next = peek(x);
    if (next && (next == 'n') == is_number) fail_at(x, otherwise, x->at);
    if (is_number) return number(x, v, UINT64_MAX, PR_DECODE_NUMBER_RANGE);
    symbols(x, "null");
    return 0;
}

/* for (size_t i = 0; item(x, i, min, max, code); i++) passes through a list: of max items when writing, else of min to
 * max items. */
static bool item(text *x, size_t i, size_t min, size_t max, pr_decode_code code) {
    if (i == 0) symbols(x, "[");
    bool ends = gives(x) ? i == max : peek(x) == ']';
    if (ends && i < min) fail_at(x, code, x->at);
    if (ends) symbols(x, "]");
    if (ends || x->code != PR_DECODE_OK) return false;
    if (i > 0) symbols(x, ",");
    peek(x);
    if (!gives(x) && i == max) fail_at(x, x->at == x->size ? PR_DECODE_TRUNCATED : code, x->at);
    return x->code == PR_DECODE_OK;
}

/* Element i of an array; while counting there is no array. */
static void m31(text *x, pr_m31 *array, size_t i) {
    pr_m31 v = (pr_m31)number(x, gives(x) ? array[i] : 0, PR_P - 1, PR_DECODE_FELT_RANGE);
    if (x->mode == READ) array[i] = v;
}

static void felt(text *x, pr_qm31 *array, size_t i) {
    static const char *const before[4] = {"[[", ",", "],[", ","};
    for (size_t k = 0; k < 4; k++) {
        symbols(x, before[k]);
        m31(x, array ? array[i].c : NULL, k);
    }
    symbols(x, "]]");
}

/* "[12,255,...]": most of a proof's text. */
static size_t measure_hash(const pr_hash *h) {
    size_t n = 32 + 33;
    for (size_t k = 0; k < 32; k++) n += (h->bytes[k] > 9 ? 1u : 0u) + (h->bytes[k] > 99 ? 1u : 0u);
    return n;
}

static void hash(text *x, pr_hash *array, size_t i) {
    if (x->mode == MEASURE) {
        x->measured += measure_hash(&array[i]);
        return;
    }
    for (size_t k = 0; item(x, k, 32, 32, PR_DECODE_SYNTAX); k++) {
        uint64_t v = number(x, x->mode == WRITE ? array[i].bytes[k] : 0, 255, PR_DECODE_BYTE_RANGE);
        if (x->mode == READ) array[i].bytes[k] = (uint8_t)v;
    }
}

static void hash_list(text *x, pr_hash_list *list, size_t max) {
    size_t i = 0, n = list->n;
    bool counting = x->mode == COUNT;
    symbols(x, "{\"hash_witness\":");
    for (; item(x, i, counting ? 0 : n, counting ? max : n, PR_DECODE_WITNESS_TOO_LONG); i++) hash(x, list->hashes, i);
    symbols(x, "}");
    if (counting) list->n = i;
}

static void config(text *x) {
    const pr_config *c = &x->layout->statement->config;
    fixed_number(x, "{\"pow_bits\":", c->pow_bits, PR_DECODE_CONFIG);
    fixed_number(x, ",\"fri_config\":{\"log_blowup_factor\":", c->log_blowup, PR_DECODE_CONFIG);
    fixed_number(x, ",\"log_last_layer_degree_bound\":", c->log_last_layer_degree_bound, PR_DECODE_CONFIG);
    fixed_number(x, ",\"n_queries\":", c->n_queries, PR_DECODE_CONFIG);
    fixed_number(x, ",\"fold_step\":", c->fold_step, PR_DECODE_CONFIG);
    symbols(x, "},\"lifting_log_size\":");
    uint64_t lifting = c->lifting_log_size < 0 ? 0 : (uint64_t)c->lifting_log_size;
    if (number_or_null(x, c->lifting_log_size >= 0, lifting, PR_DECODE_CONFIG) != lifting)
        fail_at(x, PR_DECODE_CONFIG, x->at);
    symbols(x, "}");
}

static void sampled_values(text *x, pr_proof *p, size_t t) {
    const pr_layout_tree *tree = &x->layout->trees[t];
    size_t at = 0;
    for (size_t i = 0; item(x, i, tree->n_columns, tree->n_columns, PR_DECODE_COLUMN_COUNT); i++) {
        size_t n = tree->columns[i].n_offsets;
        for (size_t k = 0; item(x, k, n, n, PR_DECODE_SAMPLE_COUNT); k++) felt(x, p->samples[t], at++);
    }
}

/* The first column's length is the number of distinct queries; all others must have the same. */
static void queried_values(text *x, pr_proof *p, size_t t) {
    size_t n_columns = x->layout->trees[t].n_columns;
    for (size_t i = 0; item(x, i, n_columns, n_columns, PR_DECODE_COLUMN_COUNT); i++) {
        size_t known = p->n_queries, k = 0;
        for (; item(x, k, known ? known : 1, known ? known : x->max.n_queries, PR_DECODE_QUERY_COUNT); k++)
            m31(x, p->queried_values[t], i * known + k);
        if (!known) p->n_queries = (uint32_t)k;
    }
}

static void layer(text *x, pr_proof *p, size_t k) {
    pr_fri_layer_proof *l = &p->fri[k];
    size_t i = 0, n = l->n_witness;
    bool counting = x->mode == COUNT;
    symbols(x, "{\"fri_witness\":");
    for (; item(x, i, counting ? 0 : n, counting ? x->max.fri[k].n_witness : n, PR_DECODE_WITNESS_TOO_LONG); i++)
        felt(x, l->witness, i);
    if (counting) l->n_witness = i;
    symbols(x, ",\"decommitment\":");
    hash_list(x, &l->decommitment, x->max.fri[k].decommitment.n);
    symbols(x, ",\"commitment\":");
    hash(x, &l->commitment, 0);
    symbols(x, "}");
}

static void fri_proof(text *x, pr_proof *p) {
    size_t n_inner = x->layout->n_fri_layers - 1, log_last = x->layout->statement->config.log_last_layer_degree_bound;
    size_t n_last = (size_t)1 << log_last;
    symbols(x, "{\"first_layer\":");
    layer(x, p, 0);
    symbols(x, ",\"inner_layers\":");
    for (size_t k = 0; item(x, k, n_inner, n_inner, PR_DECODE_LAYER_COUNT); k++) layer(x, p, k + 1);
    symbols(x, ",\"last_layer_poly\":{\"coeffs\":");
    for (size_t i = 0; item(x, i, n_last, n_last, PR_DECODE_LAST_LAYER); i++) felt(x, p->last_layer, i);
    fixed_number(x, ",\"log_size\":", log_last, PR_DECODE_LAST_LAYER);
    symbols(x, "}}");
}

static void stark_proof(text *x, pr_proof *p) {
    size_t n = x->layout->n_trees;
    symbols(x, "{\"config\":");
    config(x);
    symbols(x, ",\"commitments\":");
    for (size_t t = 0; item(x, t, n, n, PR_DECODE_TREE_COUNT); t++) hash(x, p->commitments, t);
    symbols(x, ",\"sampled_values\":");
    for (size_t t = 0; item(x, t, n, n, PR_DECODE_TREE_COUNT); t++) sampled_values(x, p, t);
    symbols(x, ",\"decommitments\":");
    for (size_t t = 0; item(x, t, n, n, PR_DECODE_TREE_COUNT); t++)
        hash_list(x, &p->decommitments[t], x->max.decommitments[t].n);
    symbols(x, ",\"queried_values\":");
    for (size_t t = 0; item(x, t, n, n, PR_DECODE_TREE_COUNT); t++) queried_values(x, p, t);
    symbols(x, ",\"proof_of_work\":");
    uint64_t nonce = number(x, p->proof_of_work, UINT64_MAX, PR_DECODE_NUMBER_RANGE);
    if (x->mode == READ) p->proof_of_work = nonce;
    symbols(x, ",\"fri_proof\":");
    fri_proof(x, p);
    symbols(x, "}");
}

static void envelope(text *x, pr_proof *p) {
    size_t n = x->layout->statement->air->n_components;
    symbols(x, "{\"interaction_pow\":");
    uint64_t nonce = number_or_null(x, x->layout->grinds_interaction, p->interaction_pow, PR_DECODE_INTERACTION_POW);
    if (x->mode == READ) p->interaction_pow = nonce;
    symbols(x, ",\"claimed_sums\":");
    for (size_t c = 0; item(x, c, n, n, PR_DECODE_CLAIMED_SUM_COUNT); c++)
        for (size_t k = 0; item(x, k, 4, 4, PR_DECODE_SYNTAX); k++)
            m31(x, p->claimed_sums ? p->claimed_sums[c].c : NULL, k);
    symbols(x, ",\"stark_proof\":");
    stark_proof(x, p);
    symbols(x, "}");
    peek(x);
    if (x->at < x->size) fail_at(x, PR_DECODE_TRAILING, x->at);
}

pr_status pr_proof_measure_json(size_t *bytes, const pr_proof *proof, const pr_layout *layout) {
    text x = {.mode = MEASURE, .layout = layout};
    if (!pr_proof_fits(proof, layout)) return PR_ERR_INTERNAL;
    stark_proof(&x, (pr_proof *)(uintptr_t)proof); /* not changed */
    *bytes = x.measured;
    return PR_OK;
}

static pr_status write_text(pr_writer *out, const pr_proof *proof, const pr_layout *layout,
                            void (*grammar)(text *, pr_proof *)) {
    text x = {.mode = WRITE, .out = out, .layout = layout};
    if (!pr_proof_fits(proof, layout)) return PR_ERR_INTERNAL;
    grammar(&x, (pr_proof *)(uintptr_t)proof); /* not changed: the mode is WRITE */
    return out->failed ? PR_ERR_MEMORY : PR_OK;
}

pr_status pr_proof_write_json(pr_writer *out, const pr_proof *proof, const pr_layout *layout) {
    return write_text(out, proof, layout, stark_proof);
}

pr_status pr_proof_write_envelope(pr_writer *out, const pr_proof *proof, const pr_layout *layout) {
    return write_text(out, proof, layout, envelope);
}

pr_decode_code pr_proof_read_envelope(pr_proof *out, const pr_layout *layout, const char *data, size_t size,
                                      size_t *place) {
    text x = {.mode = COUNT, .data = data, .size = size, .layout = layout};
    pr_proof_init(out, layout);
    pr_proof_init_largest(&x.max, layout, pr_proof_max_queries(layout));
    envelope(&x, out);
    if (x.code == PR_DECODE_OK) fail_at(&x, pr_proof_check_lengths(out, layout), size);
    if (x.code == PR_DECODE_OK && !pr_proof_allocate(out)) fail_at(&x, PR_DECODE_MEMORY, size);
    x.mode = READ;
    x.at = 0;
    if (x.code == PR_DECODE_OK) envelope(&x, out);
    if (x.code != PR_DECODE_OK) pr_proof_clear(out);
    if (x.code != PR_DECODE_OK && place) *place = x.place;
    return x.code;
}
