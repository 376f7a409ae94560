/* Committees: known answers, the chance that stakes give, and that excluding one changes nothing but its place.
 *   consensus_committee CASES.txt      also writes random cases for committee.py */
#include "net.h"
#include "base/random.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *cases_path;

typedef struct setting {
    pr_registry registry;
    pr_hash seed, job;
    pr_validator_set excluded;
} setting;

static void fill(setting *s, uint32_t n, const uint64_t *stakes, const char *job) {
    memset(s, 0, sizeof *s);
    pr_registry_init(&s->registry);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t key[32];
        net_key(key, i);
        key[1] = (uint8_t)(i >> 8);
        assert_int_equal(pr_registry_add(&s->registry, key, stakes ? stakes[i] : 1, NULL), PR_OK);
    }
    s->seed = pr_blake2s_hash("seed", 4);
    s->job = pr_job_name(job);
}

static pr_committee draw(const setting *s, uint32_t prover, uint32_t size) {
    pr_committee c;
    pr_committee_draw(&c, &s->registry, &(pr_draw){&s->seed, &s->job, s->registry.n, prover, size}, &s->excluded);
    return c;
}

/* From committee.py. */
static void known_answers(void **state) {
    (void)state;
    static const uint64_t stakes[7] = {1, 2, 3, 4, 5, 6, 7};
    static const uint32_t expected[2][3] = {{2, 4, 6}, {4, 6, 5}};
    static const char *const jobs[2] = {"licence", "fib-1"};
    for (int k = 0; k < 2; k++) {
        setting s;
        fill(&s, 7, stakes, jobs[k]);
        pr_committee c = draw(&s, 0, 3);
        assert_int_equal(c.n, 3);
        assert_memory_equal(c.members, expected[k], sizeof expected[k]);
        pr_registry_clear(&s.registry);
    }
}

static void excluded_ones_leave_the_others_in_place(void **state) {
    (void)state;
    setting s;
    fill(&s, 20, NULL, "job");
    pr_committee all = draw(&s, PR_NO_VALIDATOR, 20);
    assert_int_equal(all.n, 20);
    assert_int_equal(all.stake, 20);
    for (uint32_t prover = 0; prover < 20; prover++) {
        pr_set_add(&s.excluded, (prover + 5) % 20);
        pr_committee c = draw(&s, prover, 6);
        uint32_t at = 0;
        for (uint32_t k = 0; k < 20 && at < c.n; k++)
            if (all.members[k] != prover && !pr_set_has(&s.excluded, all.members[k]))
                assert_int_equal(c.members[at++], all.members[k]);
        assert_int_equal(at, c.n);
        assert_false(pr_committee_has(&c, prover));
        s.excluded = (pr_validator_set){{0}};
    }
    pr_registry_clear(&s.registry);
}

/* The first one drawn is each validator in proportion to its stake: chi squared over 6,000 jobs, 3 degrees of freedom,
 * stays below 16.3 with a chance of 0.999. The jobs are fixed, so the test always says the same. */
static void stakes_give_the_chance(void **state) {
    (void)state;
    static const uint64_t stakes[4] = {1, 2, 3, 6};
    double hits[4] = {0}, chi = 0;
    setting s;
    fill(&s, 4, stakes, "job");
    for (uint32_t k = 0; k < 6000; k++) {
        s.job = pr_blake2s_hash(&k, sizeof k);
        hits[draw(&s, PR_NO_VALIDATOR, 1).members[0]]++;
    }
    for (int i = 0; i < 4; i++) {
        double expected = 500.0 * (double)stakes[i];
        chi += (hits[i] - expected) * (hits[i] - expected) / expected;
    }
    assert_true(chi < 16.3);
    pr_registry_clear(&s.registry);
}

static void largest_stakes(void **state) {
    (void)state;
    static const uint64_t stakes[3] = {PR_STAKE_MAX - 2, 1, 1};
    setting s;
    fill(&s, 3, stakes, "job");
    pr_committee c = draw(&s, 1, 3);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.stake, PR_STAKE_MAX - 1);
    pr_registry_clear(&s.registry);
}

/* ---- cases for the other implementation ---- */

static void write_list(FILE *out, const uint32_t *list, uint32_t n) {
    if (n == 0) fputs("-", out);
    for (uint32_t k = 0; k < n; k++) fprintf(out, k ? ",%" PRIu32 : "%" PRIu32, list[k]);
}

static void write_case(FILE *out, pr_prng *g, uint32_t number) {
    uint64_t stakes[40];
    uint32_t n = 1 + pr_prng_below(g, 40), excluded[40], n_excluded = 0;
    char id[32], seed[65];
    setting s;
    for (uint32_t i = 0; i < n; i++) stakes[i] = 1 + (pr_prng_next(g) >> (pr_prng_below(g, 2) ? 8 : 60));
    snprintf(id, sizeof id, "job-%u", number);
    fill(&s, n, stakes, id);
    for (int k = 0; k < 4; k++) {
        uint64_t word = pr_prng_next(g);
        memcpy(s.seed.bytes + 8 * k, &word, 8);
    }
    for (uint32_t i = 0; i < n; i++)
        if (pr_prng_below(g, 5) == 0) {
            pr_set_add(&s.excluded, i);
            excluded[n_excluded++] = i;
        }
    uint32_t prover = pr_prng_below(g, n), size = 1 + pr_prng_below(g, 12);
    pr_committee c = draw(&s, prover, size);
    pr_hex_encode(seed, s.seed.bytes, 32);
    fprintf(out, "%s | %s | %u | %u | ", seed, id, prover, size);
    for (uint32_t i = 0; i < n; i++) fprintf(out, i ? ",%" PRIu64 : "%" PRIu64, stakes[i]);
    fputs(" | ", out);
    write_list(out, excluded, n_excluded);
    fputs(" | ", out);
    write_list(out, c.members, c.n);
    fputs("\n", out);
    pr_registry_clear(&s.registry);
}

static void write_cases(void **state) {
    (void)state;
    if (!cases_path) skip();
    FILE *out = fopen(cases_path, "w");
    assert_non_null(out);
    pr_prng g = {1};
    for (uint32_t k = 0; k < 500; k++) write_case(out, &g, k);
    assert_int_equal(fclose(out), 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(excluded_ones_leave_the_others_in_place),
        cmocka_unit_test(stakes_give_the_chance),
        cmocka_unit_test(largest_stakes),
        cmocka_unit_test(write_cases),
    };
    cases_path = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
