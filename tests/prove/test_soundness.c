/* What is false must be refused, twice: by the checker, which sees the trace, and by the verifier, which sees a proof
 * of it made by our own prover. For each golden case: trace cells, constraints, claimed sums, public terms.
 *   test_soundness [--cells N] [--proven N] [CASE.json ...]     PROVERUN_SEED replays
 * A cell that no constraint and no lookup reads may take any value: there the checker passes and the verifier must too.
 */
#include "air/checker.h"
#include "base/clock.h"
#include "base/random.h"
#include "casefile/casefile.h"
#include "cpu/cpu_backend.h"
#include "prove/prove.h"
#include "verify/verify.h"
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct subject {
    const char *path;
    pr_case c;
    pr_layout layout;
    pr_prover *prover;
    pr_verifier *verifier;
    pr_prng prng;
    uint64_t n_refused, n_free;
    int failed;
} subject;

static void wrong(subject *s, const char *what) {
    if (!s->failed++) fprintf(stderr, "FAILED %s: %s\n", s->path, what);
}

static bool checker_accepts(subject *s) {
    pr_check_report report = {0};
    pr_error err = {0};
    if (pr_check_trace(&report, NULL, &s->c.statement, (pr_m31 *const *const *)s->c.trace, &err) != PR_OK)
        wrong(s, err.text);
    return report.ok;
}

static bool verifier_accepts(subject *s, const pr_verifier *v, const pr_proof *proof) {
    pr_verdict verdict = PR_ACCEPTED;
    if (pr_verifier_run(v, proof, &verdict, NULL) != PR_OK) wrong(s, "the verifier ran out of memory");
    return verdict == PR_ACCEPTED;
}

/* A prover that cannot finish has refused. */
static bool prove(subject *s, pr_proof *proof) {
    pr_trace_source source = {.context = &s->c, .fill = pr_case_fill_trace};
    return pr_prover_run(s->prover, proof, &source, NULL, NULL, NULL, NULL) == PR_OK;
}

static bool provable(subject *s) {
    pr_proof proof = {0};
    bool accepted = prove(s, &proof) && verifier_accepts(s, s->verifier, &proof);
    pr_proof_clear(&proof);
    return accepted;
}

static void perturb_cell(subject *s, bool is_proven) {
    const pr_air *air = s->c.air;
    uint32_t c = pr_prng_below(&s->prng, air->n_components), k = pr_prng_below(&s->prng, air->components[c].n_columns);
    uint32_t row = pr_prng_below(&s->prng, 1u << air->components[c].log_size);
    pr_m31 *cell = &s->c.trace[c][k][row], kept = *cell;
    *cell = pr_m31_add(kept, 1 + (pr_prng_below(&s->prng, 4) ? pr_prng_below(&s->prng, PR_P - 1) : 0));
    bool accepted = checker_accepts(s);
    if (is_proven && provable(s) != accepted)
        wrong(s, accepted ? "a true trace is not provable" : "a false trace is provable");
    *(accepted ? &s->n_free : &s->n_refused) += 1;
    *cell = kept;
}

/* The same statement about an AIR with one constraint raised by one. */
static void perturb_constraint(subject *s, pr_air_component *c, uint32_t k, const pr_proof *honest) {
    uint32_t node = c->constraints[k].node;
    pr_node *nodes = realloc(c->nodes, (c->n_nodes + 2) * sizeof *nodes);
    pr_verifier *v = NULL;
    pr_error err = {0};
    if (!nodes) return wrong(s, "out of memory");
    c->nodes = nodes;
    nodes[c->n_nodes] = (pr_node){PR_NODE_CONST, 1, 0};
    nodes[c->n_nodes + 1] = (pr_node){PR_NODE_ADD, node, c->n_nodes};
    c->constraints[k].node = c->n_nodes + 1;
    c->n_nodes += 2;
    if (checker_accepts(s)) wrong(s, "the checker passes a changed constraint");
    if (pr_verifier_create(&v, &s->c.statement, &err) != PR_OK)
        wrong(s, err.text);
    else if (verifier_accepts(s, v, honest))
        wrong(s, "the verifier passes a changed constraint");
    pr_verifier_destroy(v);
    c->n_nodes -= 2;
    c->constraints[k].node = node;
}

static void perturb_claimed_sums(subject *s, pr_proof *honest) {
    for (uint32_t i = 0; i < honest->n_components; i++) {
        pr_qm31 kept = honest->claimed_sums[i];
        honest->claimed_sums[i].c[i & 3] = pr_m31_add(kept.c[i & 3], 1);
        if (verifier_accepts(s, s->verifier, honest)) wrong(s, "a changed claimed sum is accepted");
        honest->claimed_sums[i] = kept;
    }
}

static void refuse_statement(subject *s, const pr_proof *honest, const char *what) {
    pr_verifier *v = NULL;
    if (checker_accepts(s)) wrong(s, what);
    if (pr_verifier_create(&v, &s->c.statement, NULL) == PR_OK && verifier_accepts(s, v, honest)) wrong(s, what);
    pr_verifier_destroy(v);
}

static void perturb_public_terms(subject *s, const pr_proof *honest) {
    for (uint32_t k = 0; k < s->c.statement.n_public_terms; k++) {
        pr_public_term *t = &s->c.statement.public_terms[k];
        t->multiplicity = pr_m31_add(t->multiplicity, 1);
        refuse_statement(s, honest, "a changed public multiplicity is accepted");
        t->multiplicity = pr_m31_sub(t->multiplicity, 1);
        for (uint32_t i = 0; i < t->n_values; i++) {
            t->values[i] = pr_m31_add(t->values[i], 1);
            refuse_statement(s, honest, "a changed public value is accepted");
            t->values[i] = pr_m31_sub(t->values[i], 1);
        }
    }
}

static void perturb_all(subject *s, unsigned n_cells, unsigned n_proven) {
    pr_proof honest = {0};
    if (!checker_accepts(s)) wrong(s, "the checker refuses the golden trace");
    if (!prove(s, &honest) || !verifier_accepts(s, s->verifier, &honest)) wrong(s, "the golden trace is not provable");
    for (unsigned i = 0; i < n_cells && !s->failed; i++) perturb_cell(s, i < n_proven);
    if (!s->failed && n_cells && !s->n_refused) wrong(s, "no cell was ever refused");
    for (uint32_t c = 0; c < s->c.air->n_components && !s->failed; c++)
        for (uint32_t k = 0; k < s->c.air->components[c].n_constraints && k < 40; k++)
            perturb_constraint(s, &s->c.air->components[c], k, &honest);
    if (!s->failed) perturb_claimed_sums(s, &honest);
    if (!s->failed) perturb_public_terms(s, &honest);
    pr_proof_clear(&honest);
}

/* Grinding says nothing about soundness of the trace: it is turned off, and two queries are enough to be lied to. */
static void weaken(pr_config *config) {
    config->pow_bits = 0;
    config->interaction_pow_bits = 0;
    if (config->n_queries > 2) config->n_queries = 2;
}

static void fill_formula(subject *s) {
    pr_case *c = &s->c;
    size_t rows = (size_t)1 << c->formula_log_rows, n = c->formula_columns;
    c->trace = calloc(1, sizeof *c->trace);
    c->trace[0] = calloc(n, sizeof **c->trace);
    for (size_t k = 0; k < n; k++) c->trace[0][k] = calloc(rows, sizeof(pr_m31));
    if (pr_case_fill_trace(c, 0, c->trace[0], 1, NULL) != PR_OK) wrong(s, "no trace");
    c->has_formula = false;
}

static int run_case(const char *path, unsigned n_cells, unsigned n_proven, uint64_t seed) {
    subject s = {.path = path, .prng = {seed}};
    pr_error err = {0};
    pr_prover_options options = {.backend = pr_cpu_best(), .n_threads = 1};
    if (pr_case_load(&s.c, path, &err) != PR_OK) return fprintf(stderr, "FAILED %s\n", err.text), 1;
    if (s.c.has_formula && s.c.formula_log_rows > 10) return pr_case_clear(&s.c), 0;
    if (s.c.has_formula) fill_formula(&s);
    if (!s.c.statement.has_foreign_transcript) {
        pr_config weak = s.c.statement.config;
        pr_statement fresh;
        weaken(&weak);
        if (pr_statement_init(&fresh, s.c.air, &weak, &err) != PR_OK) wrong(&s, err.text);
        for (uint32_t k = 0; k < s.c.statement.n_public_terms; k++) {
            const pr_public_term *t = &s.c.statement.public_terms[k];
            if (pr_statement_add_public_term(&fresh, t->relation, t->multiplicity, t->values, t->n_values, &err) !=
                PR_OK)
                wrong(&s, err.text);
        }
        pr_statement_clear(&s.c.statement);
        s.c.statement = fresh;
    }
    if (pr_layout_init(&s.layout, &s.c.statement, &err) != PR_OK)
        wrong(&s, err.text);
    else if (pr_prover_create(&s.prover, &s.layout, &options, &err) != PR_OK ||
             pr_verifier_create(&s.verifier, &s.c.statement, &err) != PR_OK)
        wrong(&s, err.text);
    else
        perturb_all(&s, n_cells, n_proven);
    pr_prover_destroy(s.prover);
    pr_verifier_destroy(s.verifier);
    pr_layout_clear(&s.layout);
    printf("%s: %" PRIu64 " cells refused, %" PRIu64 " free, %d failures\n", strrchr(path, '/') + 1, s.n_refused,
           s.n_free, s.failed);
    pr_case_clear(&s.c);
    return s.failed;
}

static int run_folder(const char *folder, unsigned n_cells, unsigned n_proven, uint64_t seed) {
    struct dirent **list;
    char path[2048];
    int failed = 0, n = scandir(folder, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(list[i]->d_name, '.');
        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (dot && !strcmp(dot, ".json")) failed += run_case(path, n_cells, n_proven, seed + (uint64_t)i);
        free(list[i]);
    }
    if (n >= 0) free(list);
    return failed + (n < 3);
}

int main(int argc, char **argv) {
    unsigned n_cells = 200, n_proven = 200;
    const char *text = getenv("PROVERUN_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : pr_clock_wall_ns();
    int failed = 0, i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (!strcmp(argv[i], "--cells")) n_cells = (unsigned)atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--proven")) n_proven = (unsigned)atoi(argv[i + 1]);
    }
    printf("PROVERUN_SEED=%" PRIu64 "\n", seed);
    for (int k = i; k < argc; k++) failed += run_case(argv[k], n_cells, n_proven, seed);
    if (i == argc) {
        failed += run_folder(PR_TEST_VECTORS "/cases", n_cells, n_proven, seed);
        failed += run_folder(PR_TEST_VECTORS "/cases/random", n_cells, n_proven, seed + 1000);
    }
    return failed != 0;
}
