/* The envelope's JSON text -> proof. The text is read twice by the same code: first every token and length is checked
 * and the open lengths counted, then, with memory of exactly that size, the values are stored. Strict: keys in stwo's
 * order, plain decimal numbers. */
#include "proof/internal.h"

#include <string.h>

typedef struct reader {
    const char *text;
    size_t size, at;
    pr_decode_code code; /* the first defect; nothing is read after it */
    size_t place;
    const pr_layout *layout;
    pr_proof *proof; /* NULL in the first pass */
    pr_proof_counts counts;
} reader;

static bool fail_at(reader *r, pr_decode_code code, size_t place) {
    if (r->code == PR_DECODE_OK) {
        r->code = code;
        r->place = place;
    }
    return false;
}

static bool fail(reader *r, pr_decode_code code) { return fail_at(r, code, r->at); }

/* The next character that is not whitespace, not yet consumed; 0 at the end or after a defect. */
static char peek(reader *r) {
    if (r->code != PR_DECODE_OK) return 0;
    while (r->at < r->size && strchr(" \t\r\n", r->text[r->at]) && r->text[r->at]) r->at++;
    return r->at < r->size ? r->text[r->at] : 0;
}

static bool expect(reader *r, char c) {
    char next = peek(r);
    if (r->code != PR_DECODE_OK) return false;
    if (r->at == r->size) return fail(r, PR_DECODE_TRUNCATED);
    if (next != c) return fail(r, PR_DECODE_SYNTAX);
    r->at++;
    return true;
}

/* These very characters, without whitespace before or between them. */
static bool expect_text(reader *r, const char *text, pr_decode_code otherwise) {
    size_t n = strlen(text), left = r->size - r->at;
    if (r->code != PR_DECODE_OK) return false;
    if (memcmp(r->text + r->at, text, n < left ? n : left) != 0) return fail(r, otherwise);
    if (n > left) return fail(r, PR_DECODE_TRUNCATED);
    r->at += n;
    return true;
}

/* before is '{' for an object's first key, ',' for the others. name is quoted. */
static void expect_key(reader *r, char before, const char *name) {
    expect(r, before);
    if (peek(r) == '"')
        expect_text(r, name, PR_DECODE_KEY);
    else
        expect(r, '"');
    expect(r, ':');
}

static uint64_t read_number(reader *r, uint64_t max, pr_decode_code above) {
    char c = peek(r);
    size_t start = r->at;
    uint64_t v = 0;
    bool in_range = true;
    if (r->code != PR_DECODE_OK) return 0;
    if (c < '0' || c > '9') return fail(r, r->at == r->size ? PR_DECODE_TRUNCATED : PR_DECODE_SYNTAX);
    for (; r->at < r->size && (c = r->text[r->at]) >= '0' && c <= '9'; r->at++)
        in_range = in_range && !__builtin_mul_overflow(v, 10u, &v) &&
                   !__builtin_add_overflow(v, (uint64_t)(c - '0'), &v) && v <= max;
    if (r->text[start] == '0' && r->at - start > 1) return fail_at(r, PR_DECODE_NOT_CANONICAL, start);
    if (!in_range) return fail_at(r, above, start);
    return v;
}

/* for (size_t i = 0; next_item(r, i, min, max, code); i++) reads item i of a list that must have min to max items. */
static bool next_item(reader *r, size_t i, size_t min, size_t max, pr_decode_code code) {
    if (i == 0) expect(r, '[');
    if (peek(r) == ']') {
        if (i < min) return fail(r, code);
        r->at++;
        return false;
    }
    if (r->code != PR_DECODE_OK) return false;
    if (i > 0 && !expect(r, ',')) return false;
    return i < max || fail(r, code);
}

static pr_m31 read_m31(reader *r) { return (pr_m31)read_number(r, PR_P - 1, PR_DECODE_FELT_RANGE); }

/* [[a,b],[c,d]] */
static pr_qm31 read_felt(reader *r) {
    pr_qm31 v = PR_QM31_ZERO;
    for (int k = 0; k < 4; k++) {
        if (k == 0) expect(r, '[');
        if (k == 2) expect(r, ',');
        expect(r, k % 2 ? ',' : '[');
        v.c[k] = read_m31(r);
        if (k % 2) expect(r, ']');
    }
    expect(r, ']');
    return v;
}

static void read_felts(reader *r, pr_qm31 *out, size_t n, pr_decode_code code) {
    for (size_t i = 0; next_item(r, i, n, n, code); i++) {
        pr_qm31 v = read_felt(r);
        if (out) out[i] = v;
    }
}

static void read_hash(reader *r, pr_hash *out) {
    for (size_t i = 0; next_item(r, i, 32, 32, PR_DECODE_SYNTAX); i++) {
        uint64_t v = read_number(r, 255, PR_DECODE_BYTE_RANGE);
        if (out) out->bytes[i] = (uint8_t)v;
    }
}

static size_t read_hashes(reader *r, pr_hash *out, size_t max) {
    size_t i = 0;
    for (; next_item(r, i, 0, max, PR_DECODE_WITNESS_TOO_LONG); i++) read_hash(r, out ? &out[i] : NULL);
    return i;
}

static void expect_setting(reader *r, char before, const char *name, uint64_t value) {
    expect_key(r, before, name);
    peek(r);
    size_t start = r->at;
    if (read_number(r, UINT64_MAX, PR_DECODE_CONFIG) != value) fail_at(r, PR_DECODE_CONFIG, start);
}

static void read_config(reader *r) {
    const pr_config *config = &r->layout->statement->config;
    expect_key(r, '{', "\"config\"");
    expect_setting(r, '{', "\"pow_bits\"", config->pow_bits);
    expect_key(r, ',', "\"fri_config\"");
    expect_setting(r, '{', "\"log_blowup_factor\"", config->log_blowup);
    expect_setting(r, ',', "\"log_last_layer_degree_bound\"", config->log_last_layer_degree_bound);
    expect_setting(r, ',', "\"n_queries\"", config->n_queries);
    expect_setting(r, ',', "\"fold_step\"", config->fold_step);
    expect(r, '}');
    expect_key(r, ',', "\"lifting_log_size\"");
    if (peek(r) == 'n' && config->lifting_log_size < 0)
        expect_text(r, "null", PR_DECODE_SYNTAX);
    else if (config->lifting_log_size < 0 || peek(r) == 'n')
        fail(r, PR_DECODE_CONFIG);
    else if (read_number(r, UINT64_MAX, PR_DECODE_CONFIG) != (uint64_t)config->lifting_log_size)
        fail(r, PR_DECODE_CONFIG);
    expect(r, '}');
}

static void read_samples(reader *r) {
    uint32_t n_trees = r->layout->n_trees;
    expect_key(r, ',', "\"sampled_values\"");
    for (size_t t = 0; next_item(r, t, n_trees, n_trees, PR_DECODE_TREE_COUNT); t++) {
        const pr_layout_tree *tree = &r->layout->trees[t];
        pr_qm31 *next = r->proof ? r->proof->samples[t] : NULL;
        for (size_t i = 0; next_item(r, i, tree->n_columns, tree->n_columns, PR_DECODE_COLUMN_COUNT); i++) {
            read_felts(r, next, tree->columns[i].n_offsets, PR_DECODE_SAMPLE_COUNT);
            if (next) next += tree->columns[i].n_offsets;
        }
    }
}

static void read_decommitments(reader *r) {
    uint32_t n_trees = r->layout->n_trees;
    pr_proof_counts max;
    pr_proof_counts_max(&max, r->layout, pr_proof_max_queries(r->layout));
    expect_key(r, ',', "\"decommitments\"");
    for (size_t t = 0; next_item(r, t, n_trees, n_trees, PR_DECODE_TREE_COUNT); t++) {
        expect_key(r, '{', "\"hash_witness\"");
        r->counts.tree_hashes[t] =
            read_hashes(r, r->proof ? r->proof->decommitments[t].hashes : NULL, max.tree_hashes[t]);
        expect(r, '}');
    }
}

/* The first column's length is the number of distinct queries; all others must have the same. */
static void read_queried_column(reader *r, pr_m31 *out) {
    uint32_t known = r->counts.n_queries, max = known ? known : pr_proof_max_queries(r->layout), n = 0;
    for (; next_item(r, n, known ? known : 1, max, PR_DECODE_QUERY_COUNT); n++) {
        pr_m31 v = read_m31(r);
        if (out) out[n] = v;
    }
    r->counts.n_queries = n;
}

static void read_queried_values(reader *r) {
    uint32_t n_trees = r->layout->n_trees;
    expect_key(r, ',', "\"queried_values\"");
    for (size_t t = 0; next_item(r, t, n_trees, n_trees, PR_DECODE_TREE_COUNT); t++) {
        uint32_t n_columns = r->layout->trees[t].n_columns;
        for (size_t i = 0; next_item(r, i, n_columns, n_columns, PR_DECODE_COLUMN_COUNT); i++)
            read_queried_column(r, r->proof ? r->proof->queried_values[t] + i * r->proof->n_queries : NULL);
    }
}

static void read_layer(reader *r, size_t k, const pr_proof_counts *max) {
    pr_fri_layer_proof *layer = r->proof ? &r->proof->fri[k] : NULL;
    size_t n = 0;
    expect_key(r, '{', "\"fri_witness\"");
    for (; next_item(r, n, 0, max->fri_witness[k], PR_DECODE_WITNESS_TOO_LONG); n++) {
        pr_qm31 v = read_felt(r);
        if (layer) layer->witness[n] = v;
    }
    r->counts.fri_witness[k] = n;
    expect_key(r, ',', "\"decommitment\"");
    expect_key(r, '{', "\"hash_witness\"");
    r->counts.fri_hashes[k] = read_hashes(r, layer ? layer->decommitment.hashes : NULL, max->fri_hashes[k]);
    expect(r, '}');
    expect_key(r, ',', "\"commitment\"");
    read_hash(r, layer ? &layer->commitment : NULL);
    expect(r, '}');
}

static void read_fri(reader *r) {
    pr_proof_counts max;
    pr_proof_counts_max(&max, r->layout, r->counts.n_queries);
    uint32_t n_inner = r->layout->n_fri_layers - 1, log_last = r->layout->statement->config.log_last_layer_degree_bound;
    expect_key(r, ',', "\"fri_proof\"");
    expect_key(r, '{', "\"first_layer\"");
    read_layer(r, 0, &max);
    expect_key(r, ',', "\"inner_layers\"");
    for (size_t k = 0; next_item(r, k, n_inner, n_inner, PR_DECODE_LAYER_COUNT); k++) read_layer(r, k + 1, &max);
    expect_key(r, ',', "\"last_layer_poly\"");
    expect_key(r, '{', "\"coeffs\"");
    read_felts(r, r->proof ? r->proof->last_layer : NULL, (size_t)1 << log_last, PR_DECODE_LAST_LAYER);
    expect_key(r, ',', "\"log_size\"");
    peek(r);
    size_t start = r->at;
    if (read_number(r, UINT64_MAX, PR_DECODE_LAST_LAYER) != log_last) fail_at(r, PR_DECODE_LAST_LAYER, start);
    expect(r, '}');
    expect(r, '}');
}

static void read_stark_proof(reader *r) {
    uint32_t n_trees = r->layout->n_trees;
    read_config(r);
    expect_key(r, ',', "\"commitments\"");
    for (size_t t = 0; next_item(r, t, n_trees, n_trees, PR_DECODE_TREE_COUNT); t++)
        read_hash(r, r->proof ? &r->proof->commitments[t] : NULL);
    read_samples(r);
    read_decommitments(r);
    read_queried_values(r);
    expect_key(r, ',', "\"proof_of_work\"");
    uint64_t nonce = read_number(r, UINT64_MAX, PR_DECODE_NUMBER_RANGE);
    if (r->proof) r->proof->proof_of_work = nonce;
    read_fri(r);
    expect(r, '}');
}

static void read_interaction_pow(reader *r) {
    expect_key(r, '{', "\"interaction_pow\"");
    bool is_null = peek(r) == 'n';
    if (r->at < r->size && is_null == r->layout->grinds_interaction) fail(r, PR_DECODE_INTERACTION_POW);
    if (is_null) {
        expect_text(r, "null", PR_DECODE_SYNTAX);
        return;
    }
    uint64_t nonce = read_number(r, UINT64_MAX, PR_DECODE_NUMBER_RANGE);
    if (r->proof) r->proof->interaction_pow = nonce;
}

static void read_envelope(reader *r) {
    uint32_t n = r->layout->statement->air->n_components;
    read_interaction_pow(r);
    expect_key(r, ',', "\"claimed_sums\"");
    for (size_t c = 0; next_item(r, c, n, n, PR_DECODE_CLAIMED_SUM_COUNT); c++)
        for (size_t k = 0; next_item(r, k, 4, 4, PR_DECODE_SYNTAX); k++) {
            pr_m31 v = read_m31(r);
            if (r->proof) r->proof->claimed_sums[c].c[k] = v;
        }
    expect_key(r, ',', "\"stark_proof\"");
    read_stark_proof(r);
    expect(r, '}');
    peek(r);
    if (r->at < r->size) fail(r, PR_DECODE_TRAILING);
}

pr_decode_code pr_proof_read_envelope(pr_proof *out, const pr_layout *layout, const char *text, size_t size,
                                      size_t *place) {
    reader r = {.text = text, .size = size, .layout = layout};
    memset(out, 0, sizeof *out);
    read_envelope(&r);
    /* Decommitments come before the query count in the text: their bound is checked against the count only here. */
    if (r.code == PR_DECODE_OK) fail_at(&r, pr_proof_counts_check(&r.counts, layout), size);
    if (r.code == PR_DECODE_OK) {
        if (pr_proof_allocate(out, layout, &r.counts)) {
            r.at = 0;
            r.proof = out;
            read_envelope(&r);
        } else {
            fail_at(&r, PR_DECODE_MEMORY, size);
        }
    }
    if (place && r.code != PR_DECODE_OK) *place = r.place;
    return r.code;
}
