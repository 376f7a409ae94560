/* Each verdict by a targeted change. Where no change of a proof can bring it about, what is drawn is replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../proof/golden.h"
#include "verify/internal.h"

/* ---- replaced draws ---- */

static struct {
    size_t felts_before; /* secure felts drawn before the replaced one */
    const pr_qm31 *felt;
    const uint32_t *queries;
    size_t n_queries;
    const pr_secure_point *point;
    pr_qm31 relation[2];     /* the last z and alpha drawn */
    size_t allocations_left; /* the last of them fails; 0: none does */
} fake;

pr_qm31 __real_pr_channel_draw_secure_felt(pr_channel *ch);
pr_qm31 __wrap_pr_channel_draw_secure_felt(pr_channel *ch);
pr_qm31 __wrap_pr_channel_draw_secure_felt(pr_channel *ch) {
    pr_qm31 felt = __real_pr_channel_draw_secure_felt(ch);
    return fake.felt && fake.felts_before-- == 0 ? *fake.felt : felt;
}

void __real_pr_channel_draw_secure_felts(pr_channel *ch, pr_qm31 *out, size_t n);
void __wrap_pr_channel_draw_secure_felts(pr_channel *ch, pr_qm31 *out, size_t n);
void __wrap_pr_channel_draw_secure_felts(pr_channel *ch, pr_qm31 *out, size_t n) {
    __real_pr_channel_draw_secure_felts(ch, out, n);
    if (n == 2) memcpy(fake.relation, out, sizeof fake.relation);
}

size_t __real_pr_channel_draw_queries(pr_channel *ch, uint32_t *out, size_t n_queries, unsigned log_size);
size_t __wrap_pr_channel_draw_queries(pr_channel *ch, uint32_t *out, size_t n_queries, unsigned log_size);
size_t __wrap_pr_channel_draw_queries(pr_channel *ch, uint32_t *out, size_t n_queries, unsigned log_size) {
    if (!fake.queries) return __real_pr_channel_draw_queries(ch, out, n_queries, log_size);
    memcpy(out, fake.queries, fake.n_queries * sizeof *out);
    return fake.n_queries;
}

pr_verdict __real_pr_verify_composition(pr_verify_run *r);
pr_verdict __wrap_pr_verify_composition(pr_verify_run *r);
pr_verdict __wrap_pr_verify_composition(pr_verify_run *r) {
    pr_verdict verdict = __real_pr_verify_composition(r);
    if (fake.point) r->point = *fake.point;
    return verdict;
}

static bool memory_is_left(void) { return fake.allocations_left == 0 || --fake.allocations_left > 0; }

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n) { return memory_is_left() ? __real_malloc(n) : NULL; }
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size) { return memory_is_left() ? __real_calloc(n, size) : NULL; }
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n) { return memory_is_left() ? __real_realloc(p, n) : NULL; }
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
    return memory_is_left() ? __real_aligned_alloc(alignment, bytes) : NULL;
}

static pr_verdict verdict_of(const golden *g, const pr_proof *proof) {
    pr_verifier *verifier;
    pr_verdict verdict;
    pr_error err = {0};
    assert_int_equal(pr_verifier_create(&verifier, &g->c.statement, &err), PR_OK);
    assert_int_equal(pr_verifier_run(verifier, proof, &verdict, &err), PR_OK);
    if (verdict != PR_ACCEPTED) assert_string_not_equal(err.text, "");
    pr_verdict again;
    if (!fake.felt) { /* without a place for the detail, the same */
        assert_int_equal(pr_verifier_run(verifier, proof, &again, NULL), PR_OK);
        assert_int_equal(again, verdict);
    }
    pr_verifier_destroy(verifier);
    return verdict;
}

#define EXPECT(g, verdict) assert_string_equal(pr_verdict_text(verdict_of((g), &(g)->proof)), pr_verdict_text(verdict))
/* *at += 1 for as long as it takes to look, then back. */
#define EXPECT_CHANGED(g, at, verdict)                                                                                 \
    do {                                                                                                               \
        (at) = (at) + 1;                                                                                               \
        EXPECT(g, verdict);                                                                                            \
        (at) = (at)-1;                                                                                                 \
    } while (0)

/* ---- shapes ---- */

static void other_shapes_are_refused(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "state_machine_l6");
    pr_proof *p = &g.proof;
    EXPECT_CHANGED(&g, p->n_components, PR_REJECTED_SHAPE);
    EXPECT_CHANGED(&g, p->n_trees, PR_REJECTED_SHAPE);
    EXPECT_CHANGED(&g, p->n_fri_layers, PR_REJECTED_SHAPE);
    EXPECT_CHANGED(&g, p->n_last_layer, PR_REJECTED_SHAPE);
    EXPECT_CHANGED(&g, p->n_queries, PR_REJECTED_SHAPE);
    for (uint32_t t = 0; t < p->n_trees; t++) {
        EXPECT_CHANGED(&g, p->n_samples[t], PR_REJECTED_SHAPE);
        EXPECT_CHANGED(&g, p->n_columns[t], PR_REJECTED_SHAPE);
        size_t n = p->decommitments[t].n;
        p->decommitments[t].n = SIZE_MAX;
        EXPECT(&g, PR_REJECTED_SHAPE);
        p->decommitments[t].n = n;
    }
    p->has_interaction_pow = true;
    EXPECT(&g, PR_REJECTED_SHAPE);
    p->has_interaction_pow = false;
    uint32_t n_queries = p->n_queries;
    p->n_queries = 0;
    EXPECT(&g, PR_REJECTED_SHAPE);
    p->n_queries = n_queries;
    pr_qm31 *samples = p->samples[1];
    p->samples[1] = NULL;
    EXPECT(&g, PR_REJECTED_SHAPE);
    p->samples[1] = samples;
    EXPECT(&g, PR_ACCEPTED);
    golden_clear(&g);
}

static void expect_range(golden *g, pr_m31 *word) {
    pr_m31 v = *word;
    *word = PR_P;
    EXPECT(g, PR_REJECTED_SHAPE);
    *word = UINT32_MAX;
    EXPECT(g, PR_REJECTED_SHAPE);
    *word = v;
}

static void large_field_elements_are_refused(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "state_machine_l6");
    expect_range(&g, &g.proof.claimed_sums[0].c[0]);
    expect_range(&g, &g.proof.last_layer[0].c[3]);
    for (uint32_t t = 1; t < g.proof.n_trees; t++) {
        expect_range(&g, &g.proof.samples[t][g.proof.n_samples[t] - 1].c[2]);
        expect_range(&g, &g.proof.queried_values[t][g.proof.n_columns[t] * g.proof.n_queries - 1]);
    }
    for (uint32_t k = 0; k < g.proof.n_fri_layers; k++)
        if (g.proof.fri[k].n_witness) expect_range(&g, &g.proof.fri[k].witness[g.proof.fri[k].n_witness - 1].c[1]);
    golden_clear(&g);
}

/* ---- transcript and lookups ---- */

static void roots_of_tree_0_are_the_statements(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "plonk_l6");
    EXPECT_CHANGED(&g, g.proof.commitments[0].bytes[31], PR_REJECTED_PREPROCESSED_ROOT);
    EXPECT_CHANGED(&g, g.c.air->preprocessed[2].values[5], PR_REJECTED_PREPROCESSED_ROOT);
    EXPECT(&g, PR_ACCEPTED);
    golden_clear(&g);
    golden_init(&g, "cube_l5");
    EXPECT_CHANGED(&g, g.proof.commitments[0].bytes[0], PR_REJECTED_EMPTY_ROOT);
    golden_clear(&g);
}

static void missing_preprocessed_values_are_refused(void **state) {
    (void)state;
    golden g;
    pr_verifier *verifier;
    pr_error err = {0};
    golden_init(&g, "plonk_l6");
    pr_m31 *values = g.c.air->preprocessed[1].values;
    g.c.air->preprocessed[1].values = NULL;
    assert_int_equal(pr_verifier_create(&verifier, &g.c.statement, &err), PR_ERR_REFUSED);
    assert_null(verifier);
    assert_non_null(strstr(err.text, g.c.air->preprocessed[1].id));
    g.c.air->preprocessed[1].values = values;
    golden_clear(&g);
}

static void nonces_are_checked(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "range_check_l5_t8_grind");
    EXPECT_CHANGED(&g, g.proof.interaction_pow, PR_REJECTED_INTERACTION_POW);
    golden_clear(&g);
    golden_init(&g, "wide_fibonacci_l6_c4_pow24");
    EXPECT_CHANGED(&g, g.proof.proof_of_work, PR_REJECTED_POW);
    EXPECT_CHANGED(&g, g.proof.fri[1].commitment.bytes[7], PR_REJECTED_POW);
    EXPECT_CHANGED(&g, g.proof.last_layer[0].c[0], PR_REJECTED_POW);
    golden_clear(&g);
}

static void sums_must_cancel(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "state_machine_l6");
    EXPECT_CHANGED(&g, g.proof.claimed_sums[0].c[1], PR_REJECTED_LOOKUP_SUM);
    EXPECT_CHANGED(&g, g.c.statement.public_terms[0].values[0], PR_REJECTED_LOOKUP_SUM);
    EXPECT_CHANGED(&g, g.c.statement.public_terms[1].multiplicity, PR_REJECTED_LOOKUP_SUM);
    golden_clear(&g);
    golden_init(&g, "cube_l5");
    EXPECT_CHANGED(&g, g.proof.claimed_sums[0].c[2], PR_REJECTED_CLAIMED_SUM);
    golden_clear(&g);
}

/* v with v0 + alpha v1 + alpha^2 v2 + alpha^3 v3 = z: Gauss over M31. */
static void solve(pr_m31 v[4], pr_qm31 alpha, pr_qm31 z) {
    pr_m31 m[4][5];
    pr_qm31 power = PR_QM31_ONE;
    for (size_t j = 0; j < 4; j++, power = pr_qm31_mul(power, alpha))
        for (size_t i = 0; i < 4; i++) m[i][j] = power.c[i];
    for (size_t i = 0; i < 4; i++) m[i][4] = z.c[i];
    for (size_t c = 0; c < 4; c++) {
        size_t pivot = c;
        while (m[pivot][c] == 0) pivot++;
        assert_true(pivot < 4);
        for (size_t j = 0; j < 5; j++) {
            pr_m31 t = m[c][j];
            m[c][j] = m[pivot][j];
            m[pivot][j] = t;
        }
        pr_m31 inverse = pr_m31_inverse(m[c][c]);
        for (size_t j = 0; j < 5; j++) m[c][j] = pr_m31_mul(m[c][j], inverse);
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 5; i != c && j-- > c;) m[i][j] = pr_m31_sub(m[i][j], pr_m31_mul(m[i][c], m[c][j]));
    }
    for (size_t i = 0; i < 4; i++) v[i] = m[i][4];
}

static void zero_denominators_of_public_terms_are_refused(void **state) {
    (void)state;
    golden g;
    pr_m31 v[4];
    golden_init(&g, "random/random_02"); /* the last relation drawn is number 1 */
    g.c.air->relations[1].size = 4;      /* more than it had; not in the transcript */
    EXPECT(&g, PR_ACCEPTED);
    solve(v, fake.relation[1], fake.relation[0]);
    assert_int_equal(pr_statement_add_public_term(&g.c.statement, 1, 1, v, 4, NULL), PR_OK);
    EXPECT(&g, PR_REJECTED_PUBLIC_TERM);
    EXPECT_CHANGED(&g, g.c.statement.public_terms[0].values[3], PR_REJECTED_LOOKUP_SUM);
    golden_clear(&g);
}

/* ---- out of the domain ---- */

static void samples_are_checked(void **state) {
    (void)state;
    static const char *const names[] = {"cube_l5", "plonk_l6", "xor4_l7"};
    for (size_t k = 0; k < 3; k++) {
        golden g;
        golden_init(&g, names[k]);
        for (uint32_t t = 0; t < g.proof.n_trees; t++)
            for (uint32_t i = 0; i < g.proof.n_samples[t]; i += 3) {
                pr_m31 *word = &g.proof.samples[t][i].c[i % 4], v = *word;
                *word = pr_m31_add(v, 1);
                EXPECT(&g, PR_REJECTED_OOD_CHECK);
                *word = v;
            }
        golden_clear(&g);
    }
}

static void points_on_the_domain_are_refused(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "cube_l5");
    const pr_qm31 i = {{0, 1, 0, 0}}; /* 1 + i^2 = 0 */
    fake.felt = &i;
    fake.felts_before = 1;
    EXPECT(&g, PR_REJECTED_OOD_POINT);
    /* t of the first point of the trace domain: y / (1 + x) */
    pr_point p = pr_domain_point(g.layout.log_base, 0);
    pr_qm31 t = pr_qm31_from_m31(pr_m31_mul(p.y, pr_m31_inverse(pr_m31_add(p.x, 1))));
    fake.felt = &t;
    fake.felts_before = 1;
    EXPECT(&g, PR_REJECTED_OOD_POINT);
    fake.felt = NULL;
    EXPECT(&g, PR_ACCEPTED);
    golden_clear(&g);
}

/* A point over M31 makes every denominator zero. */
static void zero_quotient_denominators_are_refused(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "cube_l5");
    pr_point p = pr_point_from_index(12345);
    pr_secure_point point = {pr_qm31_from_m31(p.x), pr_qm31_from_m31(p.y)};
    fake.point = &point;
    EXPECT(&g, PR_REJECTED_QUOTIENT_DENOMINATOR);
    fake.point = NULL;
    golden_clear(&g);
}

/* ---- openings ---- */

static void expect_lengths(const golden *g, const golden_lengths *n, pr_verdict verdict) {
    pr_proof changed;
    golden_copy_lengths(&changed, g, n);
    assert_string_equal(pr_verdict_text(verdict_of(g, &changed)), pr_verdict_text(verdict));
    pr_proof_clear(&changed);
}

static void query_counts_are_checked(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "random/random_15"); /* nine distinct of ten */
    golden_lengths n = golden_lengths_of(&g.proof);
    expect_lengths(&g, &n, PR_ACCEPTED);
    n.n_queries++;
    expect_lengths(&g, &n, PR_REJECTED_QUERY_COUNT);
    golden_clear(&g);
}

static void tree_openings_are_checked(void **state) {
    (void)state;
    golden g;
    golden_init(&g, "xor4_l9");
    for (uint32_t t = 0; t < g.proof.n_trees; t++) {
        golden_lengths n = golden_lengths_of(&g.proof);
        assert_true(n.tree_hashes[t] > 0);
        n.tree_hashes[t]--;
        expect_lengths(&g, &n, PR_REJECTED_TREE_WITNESS);
        n.tree_hashes[t] += 2;
        expect_lengths(&g, &n, PR_REJECTED_TREE_WITNESS);
        EXPECT_CHANGED(&g, g.proof.decommitments[t].hashes[1].bytes[9], PR_REJECTED_TREE_ROOT);
        EXPECT_CHANGED(&g, g.proof.queried_values[t][3], PR_REJECTED_TREE_ROOT);
    }
    golden_clear(&g);
}

/* Tree 0 is two levels lower: queries 0 and 2 open the same leaf of it. */
static void values_at_one_position_must_agree(void **state) {
    (void)state;
    static const uint32_t queries[] = {0, 2, 40, 41, 42};
    golden g;
    golden_init(&g, "mixed_sizes_8_5_unused_l6");
    assert_int_equal(g.layout.trees[0].height, g.layout.log_lifted - 2);
    fake.queries = queries;
    fake.n_queries = 5;
    assert_int_not_equal(g.proof.queried_values[0][0], g.proof.queried_values[0][1]);
    EXPECT(&g, PR_REJECTED_POSITION_VALUES);
    fake.queries = NULL;
    golden_clear(&g);
}

static void fri_openings_are_checked(void **state) {
    (void)state;
    static const char *const names[] = {"wide_fibonacci_l6_c10", "wide_fibonacci_l8_c20_fold3_last2",
                                        "random/random_09"};
    for (size_t c = 0; c < 3; c++) {
        golden g;
        golden_init(&g, names[c]);
        for (uint32_t k = 0; k < g.proof.n_fri_layers; k++) {
            golden_lengths n = golden_lengths_of(&g.proof);
            if (n.fri_witness[k] == 0 || n.fri_hashes[k] == 0) continue;
            n.fri_witness[k]--;
            expect_lengths(&g, &n, PR_REJECTED_FRI_WITNESS);
            n = golden_lengths_of(&g.proof);
            n.fri_hashes[k]--;
            expect_lengths(&g, &n, PR_REJECTED_FRI_WITNESS);
            EXPECT_CHANGED(&g, g.proof.fri[k].witness[0].c[3], PR_REJECTED_FRI_ROOT);
            EXPECT_CHANGED(&g, g.proof.fri[k].decommitment.hashes[0].bytes[0], PR_REJECTED_FRI_ROOT);
        }
        golden_lengths n = golden_lengths_of(&g.proof);
        n.fri_hashes[0]++;
        expect_lengths(&g, &n, PR_REJECTED_FRI_WITNESS);
        n.fri_hashes[0]--;
        n.fri_witness[1]++;
        expect_lengths(&g, &n, PR_REJECTED_FRI_WITNESS);
        golden_clear(&g);
    }
}

/* Another last layer draws other queries: tried until they are the same ones. */
static void last_layers_are_checked(void **state) {
    (void)state;
    golden g;
    pr_verifier *verifier;
    pr_verdict verdict = PR_ACCEPTED;
    golden_init(&g, "wide_fibonacci_l4_c4");
    assert_int_equal(g.c.statement.config.pow_bits, 0);
    assert_int_equal(pr_verifier_create(&verifier, &g.c.statement, NULL), PR_OK);
    pr_m31 *word = &g.proof.last_layer[0].c[0], v = *word;
    for (uint32_t k = 1; k < 200000 && verdict != PR_REJECTED_LAST_LAYER; k++) {
        *word = pr_m31_add(v, k);
        assert_int_equal(pr_verifier_run(verifier, &g.proof, &verdict, NULL), PR_OK);
        assert_int_not_equal(verdict, PR_ACCEPTED);
    }
    assert_int_equal(verdict, PR_REJECTED_LAST_LAYER);
    pr_verifier_destroy(verifier);
    golden_clear(&g);
}

/* Each allocation refused in turn: an error, nothing lost. A changed value keeps the root out of the cache. */
static void refused_memory_is_reported(void **state) {
    (void)state;
    golden g;
    pr_verifier *verifier = NULL;
    pr_verdict verdict;
    pr_status status = PR_ERR_MEMORY;
    golden_init(&g, "xor4_l7");
    g.c.air->preprocessed[0].values[0] ^= 1;
    size_t n = 0;
    while (status != PR_OK) {
        pr_error err = {0};
        fake.allocations_left = ++n;
        status = pr_verifier_create(&verifier, &g.c.statement, &err);
        fake.allocations_left = 0;
        if (status == PR_OK) break;
        assert_int_equal(status, PR_ERR_MEMORY);
        assert_string_not_equal(err.text, "");
        assert_null(verifier);
    }
    assert_true(n > 10);
    pr_error err = {0};
    fake.allocations_left = 1;
    status = pr_verifier_run(verifier, &g.proof, &verdict, &err);
    fake.allocations_left = 0;
    assert_int_equal(status, PR_ERR_MEMORY);
    pr_verifier_destroy(verifier);
    golden_clear(&g);
}

static void every_verdict_has_its_text(void **state) {
    (void)state;
    for (int v = 0; v <= PR_REJECTED_LAST_LAYER; v++)
        for (int other = 0; other < v; other++)
            assert_string_not_equal(pr_verdict_text((pr_verdict)v), pr_verdict_text((pr_verdict)other));
    assert_string_equal(pr_verdict_text((pr_verdict)999), "unknown verdict");
    pr_verifier_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_shapes_are_refused),
        cmocka_unit_test(large_field_elements_are_refused),
        cmocka_unit_test(roots_of_tree_0_are_the_statements),
        cmocka_unit_test(missing_preprocessed_values_are_refused),
        cmocka_unit_test(nonces_are_checked),
        cmocka_unit_test(sums_must_cancel),
        cmocka_unit_test(zero_denominators_of_public_terms_are_refused),
        cmocka_unit_test(samples_are_checked),
        cmocka_unit_test(points_on_the_domain_are_refused),
        cmocka_unit_test(zero_quotient_denominators_are_refused),
        cmocka_unit_test(query_counts_are_checked),
        cmocka_unit_test(tree_openings_are_checked),
        cmocka_unit_test(values_at_one_position_must_agree),
        cmocka_unit_test(fri_openings_are_checked),
        cmocka_unit_test(last_layers_are_checked),
        cmocka_unit_test(refused_memory_is_reported),
        cmocka_unit_test(every_verdict_has_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
