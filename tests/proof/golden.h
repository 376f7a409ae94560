/* Golden cases for the tests of proofs and of the verifier. Include after cmocka.h. */
#ifndef PR_TESTS_PROOF_GOLDEN_H
#define PR_TESTS_PROOF_GOLDEN_H
#include "base/random.h"
#include "casefile/casefile.h"
#include "proof/proof.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct golden {
    pr_case c;
    pr_layout layout;
    pr_proof proof; /* of the recorded text */
    pr_writer binary;
} golden;

static inline void golden_init_path(golden *g, const char *path) {
    pr_error err = {0};
    size_t place = 0;
    memset(g, 0, sizeof *g);
    if (pr_case_load(&g->c, path, &err) != PR_OK) fail_msg("%s", err.text);
    if (pr_layout_init(&g->layout, &g->c.statement, &err) != PR_OK) fail_msg("%s: %s", path, err.text);
    pr_writer_init(&g->binary);
    if (!g->c.has_expected_proof) return;
    pr_decode_code code =
        pr_proof_read_envelope(&g->proof, &g->layout, g->c.expected_envelope, g->c.expected_envelope_size, &place);
    if (code != PR_DECODE_OK) fail_msg("%s: %s at byte %zu", path, pr_decode_code_text(code), place);
    assert_int_equal(pr_proof_encode(&g->binary, &g->proof, &g->layout), PR_OK);
}

/* name: without folder and ending */
static inline void golden_init(golden *g, const char *name) {
    char path[512];
    snprintf(path, sizeof path, PR_TEST_VECTORS "/cases/%s.json", name);
    golden_init_path(g, path);
}

static inline void golden_clear(golden *g) {
    pr_writer_clear(&g->binary);
    pr_proof_clear(&g->proof);
    pr_layout_clear(&g->layout);
    pr_case_clear(&g->c);
}

/* Runs check on every case whose proof is recorded; how many. */
static inline size_t golden_for_each(void (*check)(golden *g)) {
    glob_t paths;
    size_t n = 0;
    assert_int_equal(glob(PR_TEST_VECTORS "/cases/*.json", 0, NULL, &paths), 0);
    assert_int_equal(glob(PR_TEST_VECTORS "/cases/random/*.json", GLOB_APPEND, NULL, &paths), 0);
    for (size_t i = 0; i < paths.gl_pathc; i++) {
        golden g;
        golden_init_path(&g, paths.gl_pathv[i]);
        if (g.c.has_expected_proof) {
            check(&g);
            n++;
        }
        golden_clear(&g);
    }
    globfree(&paths);
    return n;
}

/* A copy that owns its memory, its open lengths changed: the arrays' common beginnings are copied. */
static inline void golden_copy(pr_proof *out, const pr_proof *p, const pr_layout *layout, uint32_t n_queries,
                               const size_t *tree_hashes, const size_t *fri_witness, const size_t *fri_hashes) {
#define SMALLER(a, b) ((a) < (b) ? (a) : (b))
    assert_int_equal(pr_proof_alloc(out, layout, n_queries, tree_hashes, fri_witness, fri_hashes, NULL), PR_OK);
    out->interaction_pow = p->interaction_pow;
    out->proof_of_work = p->proof_of_work;
    memcpy(out->claimed_sums, p->claimed_sums, p->n_components * sizeof(pr_qm31));
    memcpy(out->last_layer, p->last_layer, p->n_last_layer * sizeof(pr_qm31));
    for (uint32_t t = 0; t < p->n_trees; t++) {
        out->commitments[t] = p->commitments[t];
        memcpy(out->samples[t], p->samples[t], p->n_samples[t] * sizeof(pr_qm31));
        memcpy(out->decommitments[t].hashes, p->decommitments[t].hashes,
               SMALLER(tree_hashes[t], p->decommitments[t].n) * sizeof(pr_hash));
        for (size_t c = 0; c < p->n_columns[t]; c++)
            memcpy(out->queried_values[t] + c * n_queries, p->queried_values[t] + c * p->n_queries,
                   SMALLER(n_queries, p->n_queries) * sizeof(pr_m31));
    }
    for (uint32_t k = 0; k < p->n_fri_layers; k++) {
        out->fri[k].commitment = p->fri[k].commitment;
        memcpy(out->fri[k].witness, p->fri[k].witness, SMALLER(fri_witness[k], p->fri[k].n_witness) * sizeof(pr_qm31));
        memcpy(out->fri[k].decommitment.hashes, p->fri[k].decommitment.hashes,
               SMALLER(fri_hashes[k], p->fri[k].decommitment.n) * sizeof(pr_hash));
    }
#undef SMALLER
}

typedef struct golden_lengths {
    uint32_t n_queries;
    size_t tree_hashes[4], fri_witness[32], fri_hashes[32];
} golden_lengths;

static inline golden_lengths golden_lengths_of(const pr_proof *p) {
    golden_lengths n = {.n_queries = p->n_queries};
    for (uint32_t t = 0; t < p->n_trees; t++) n.tree_hashes[t] = p->decommitments[t].n;
    for (uint32_t k = 0; k < p->n_fri_layers; k++) {
        n.fri_witness[k] = p->fri[k].n_witness;
        n.fri_hashes[k] = p->fri[k].decommitment.n;
    }
    return n;
}

static inline void golden_copy_lengths(pr_proof *out, const golden *g, const golden_lengths *n) {
    golden_copy(out, &g->proof, &g->layout, n->n_queries, n->tree_hashes, n->fri_witness, n->fri_hashes);
}

/* From PROVERUN_TEST_SEED, or a fixed one; printed, so that a failure can be repeated. */
static inline pr_prng golden_seed(const char *what) {
    const char *text = getenv("PROVERUN_TEST_SEED");
    pr_prng g = {text ? strtoull(text, NULL, 0) : 0x5eed};
    printf("%s: PROVERUN_TEST_SEED=%llu\n", what, (unsigned long long)g.state);
    return g;
}
#endif
