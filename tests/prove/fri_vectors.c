/* Whole FRI proofs of tests/vectors/primitives/fri.json, on every backend: a prover of the same sizes gets the vector's
 * polynomial in place of its quotients, then commits, folds and opens. Roots, alphas, queries and the proof's JSON text
 * are the vector's; the verifier's folds accept them, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "../field/json_field.h"
#include "air/builder.h"
#include "base/bytes.h"
#include "../backends.h"
#include "prove/internal.h"
#include "verify/internal.h"

static const pr_backend *const backends[] = {PR_TEST_BACKENDS};

typedef struct fixture {
    const json_t *vector;
    pr_air *air;
    pr_statement st;
    pr_layout layout;
    pr_verifier *verifier;
} fixture;

static void fixture_init(fixture *f, const json_t *vector) {
    uint32_t log_degree = (uint32_t)get_size(vector, "log_degree");
    pr_config config = {.log_blowup = (uint32_t)get_size(vector, "log_blowup_factor"),
                        .n_queries = (uint32_t)get_size(vector, "n_queries"),
                        .log_last_layer_degree_bound = (uint32_t)get_size(vector, "log_last_layer_degree_bound"),
                        .fold_step = (uint32_t)get_size(vector, "fold_step"),
                        .lifting_log_size = -1};
    pr_air_builder *b = pr_air_builder_create("fri");
    f->vector = vector;
    pr_air_component_begin(b, "fri", log_degree);
    pr_expr x = pr_air_add_column(b, 0);
    pr_air_constrain(b, "one", pr_sub(b, x, pr_const(b, 1)));
    assert_int_equal(pr_air_build(&f->air, b, NULL), PR_OK);
    assert_int_equal(pr_statement_init(&f->st, f->air, &config, NULL), PR_OK);
    assert_int_equal(pr_layout_init(&f->layout, &f->st, NULL), PR_OK);
    assert_int_equal(pr_verifier_create(&f->verifier, &f->st, NULL), PR_OK);
}

static void fixture_clear(fixture *f) {
    pr_verifier_destroy(f->verifier);
    pr_layout_clear(&f->layout);
    pr_statement_clear(&f->st);
    pr_air_destroy(f->air);
}

static pr_status fill_ones(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                           pr_error *err) {
    uint32_t log_size = ((const fixture *)context)->air->components[component].log_size;
    (void)n_threads;
    (void)err;
    for (size_t r = 0; r < (size_t)1 << log_size; r++) columns[0][r] = 1;
    return PR_OK;
}

/* A real proof first, so that trees and columns hold something; then the vector's polynomial in the first layer. */
static void load_polynomial(pr_prover *p, fixture *f) {
    const json_t *coeffs = get_cases(f->vector, "coeffs");
    pr_trace_source source = {.context = f, .fill = fill_ones};
    pr_proof proof = {0};
    assert_int_equal(pr_prover_run(p, &proof, &source, NULL, NULL, NULL, NULL), PR_OK);
    pr_proof_clear(&proof);
    for (size_t k = 0; k < 4; k++) {
        size_t n = 0;
        pr_m31 *c = to_m31s(json_array_get(coeffs, k), &n);
        pr_col dst = p->fri[0].cols[k], src = {dst.offset, (uint32_t)get_size(f->vector, "log_degree")};
        assert_int_equal(n, (size_t)1 << src.log_rows);
        assert_int_equal(p->ops->upload(p->device, src, c, NULL), PR_OK);
        assert_int_equal(p->ops->evaluate(p->device, &dst, &src, 1, NULL), PR_OK);
        pr_m31 *values = malloc(sizeof *values << dst.log_rows);
        assert_int_equal(p->ops->download(p->device, values, dst, NULL), PR_OK);
        free(c);
        pr_hash h = pr_blake2s_hash(values, sizeof *values << dst.log_rows);
        expect_hash(&h, json_array_get(get(f->vector, "first_layer_values_blake2s"), k));
        free(values);
    }
}

static void check_phases(const pr_prover *p, const fixture *f) {
    const json_t *phases = get_cases(f->vector, "phases");
    size_t n = json_array_size(phases) - 1; /* the last is the last layer */
    assert_int_equal(f->layout.n_fri_layers, n);
    for (size_t k = 0; k < n; k++) {
        const json_t *phase = json_array_get(phases, k);
        assert_int_equal(f->layout.fri[k].log_size, get_size(phase, "log_size"));
        assert_int_equal(f->layout.fri[k].fold_step, get_size(phase, "fold_step"));
        assert_int_equal(f->layout.fri[k].packed, json_is_true(get(phase, "packed")));
        expect_hash(&p->fri_roots[k], get(phase, "root"));
    }
    const json_t *last = json_array_get(phases, n);
    assert_int_equal(f->layout.log_last_domain, get_size(last, "log_size"));
    expect_qm31s(p->last_layer, (size_t)1 << f->st.config.log_last_layer_degree_bound, get(last, "coeffs_stored"));
    expect_hash(&p->channel.digest, get(last, "digest"));
    expect_hash(&p->channel.digest, get(f->vector, "digest_after_commit"));
}

static void check_queries(const pr_prover *p, const json_t *vector) {
    const json_t *positions = get_cases(vector, "query_positions");
    assert_int_equal(p->n_queries, json_array_size(positions));
    for (size_t k = 0; k < p->n_queries; k++)
        assert_int_equal(p->queries[k], json_integer_value(json_array_get(positions, k)));
    expect_hash(&p->channel.digest, get(vector, "digest_after_decommit"));
    assert_int_equal(p->channel.n_draws, get_size(vector, "n_draws_after_decommit"));
}

/* The text between "fri_proof": and the brace that closes the whole. */
static void check_text(const pr_proof *proof, const fixture *f) {
    static const char key[] = "\"fri_proof\":";
    pr_writer text;
    pr_writer_init(&text);
    assert_int_equal(pr_proof_write_json(&text, proof, &f->layout), PR_OK);
    const uint8_t *found = memmem(text.data, text.size, key, sizeof key - 1);
    assert_non_null(found);
    const uint8_t *begin = found + sizeof key - 1, *end = text.data + text.size - 1;
    pr_hash h = pr_blake2s_hash(begin, (size_t)(end - begin));
    expect_hash(&h, get(f->vector, "proof_json_blake2s"));
    pr_writer_clear(&text);
}

typedef struct scratch {
    uint32_t queries[64], known_positions[64], positions[1024], nodes[1024];
    pr_qm31 known[64], values[1024];
    pr_m31 twiddles[1024], inverses[1024];
    pr_hash hashes[1024];
    unsigned char messages[1024 * 64];
} scratch;

static pr_verdict verify_folds(const fixture *f, const pr_proof *proof, const pr_qm31 *values) {
    static scratch s;
    pr_error detail = {0};
    pr_verify_run r = {.v = f->verifier,
                       .layout = &f->layout,
                       .proof = proof,
                       .detail = &detail,
                       .n_known = proof->n_queries,
                       .queries = s.queries,
                       .known_positions = s.known_positions,
                       .known = s.known,
                       .positions = s.positions,
                       .nodes = s.nodes,
                       .values = s.values,
                       .twiddles = s.twiddles,
                       .inverses = s.inverses,
                       .hashes = s.hashes,
                       .messages = s.messages};
    const json_t *phases = get_cases(f->vector, "phases"), *positions = get_cases(f->vector, "query_positions");
    for (size_t k = 0; k < f->layout.n_fri_layers; k++)
        r.fri_alphas[k] = to_qm31(get(json_array_get(phases, k), "alpha"));
    for (size_t k = 0; k < proof->n_queries; k++) {
        s.queries[k] = (uint32_t)json_integer_value(json_array_get(positions, k));
        s.known[k] = values[k];
    }
    return pr_verify_fri(&r);
}

static void check_verifier(const fixture *f, const pr_proof *proof) {
    size_t n = 0;
    pr_qm31 *values = to_qm31s(get_cases(f->vector, "first_layer_query_values"), &n);
    assert_int_equal(n, proof->n_queries);
    assert_int_equal(verify_folds(f, proof, values), PR_ACCEPTED);
    for (size_t k = 0; k < n; k++) {
        values[k].c[k % 4] ^= 1;
        assert_int_equal(verify_folds(f, proof, values), PR_REJECTED_FRI_ROOT);
        values[k].c[k % 4] ^= 1;
    }
    proof->last_layer[0].c[0] ^= 1;
    assert_int_equal(verify_folds(f, proof, values), PR_REJECTED_LAST_LAYER);
    proof->last_layer[0].c[0] ^= 1;
    free(values);
}

static void check_vector(const json_t *vector, const pr_backend *backend) {
    fixture f;
    fixture_init(&f, vector);
    pr_prover_options options = {.backend = backend, .n_threads = 2};
    pr_prover *p = NULL;
    pr_proof proof = {0};
    assert_int_equal(pr_prover_create(&p, &f.layout, &options, NULL), PR_OK);
    load_polynomial(p, &f);
    pr_channel_init(&p->channel);
    p->channel.digest = to_hash(get(vector, "start_digest"));
    assert_int_equal(pr_prover_fri(p, NULL), PR_OK);
    check_phases(p, &f);
    p->n_queries = pr_channel_draw_queries(&p->channel, p->queries, f.st.config.n_queries, f.layout.log_lifted);
    check_queries(p, vector);
    assert_int_equal(pr_prover_open(p, &proof, NULL), PR_OK);
    check_text(&proof, &f);
    check_verifier(&f, &proof);
    pr_proof_clear(&proof);
    pr_prover_destroy(p);
    fixture_clear(&f);
}

static void test_whole_proofs(void **state) {
    (void)state;
    json_t *root = test_load("fri.json"), *vector;
    size_t i;
    assert_non_null(root);
    json_array_foreach(get_cases(root, "proofs"), i, vector) {
        for (size_t k = 0; k < sizeof backends / sizeof *backends; k++)
            if (backends[k]->available()) check_vector(vector, backends[k]);
    }
    json_decref(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole_proofs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
