/* Random nodes, bindings and numbers of ranks: what holds for every plan. PR_TEST_SEED repeats a run. */
#include "placement/internal.h"
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static uint64_t seed;

static unsigned below(unsigned n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static void random_node(node *s) {
    char text[128];
    snprintf(text, sizeof text, "pack:%u numa:%u l3:%u core:%u pu:%u", 1 + below(2), 1 + below(3), 1 + below(4),
             1 + below(5), 1 + below(2));
    node_init(s, text, 1 + below(40));
}

/* Nothing, one mask for all, or a mask for each; never an empty one. */
static void random_binding(node *s) {
    unsigned kind = below(3), last = 0;
    while (pr_mask_has(&s->requests[0].allowed, last + 1)) last++;
    for (unsigned i = 0; i < s->n; i++) {
        pr_request *r = &s->requests[i];
        r->proves = below(8) != 0;
        if (kind == 0) continue;
        if (kind == 1 && i > 0) {
            r->cpus = s->requests[0].cpus;
            continue;
        }
        unsigned from = below(last + 1), to = from + below(last + 1 - from);
        memset(&r->cpus, 0, sizeof r->cpus);
        for (unsigned k = from; k <= to; k++) pr_mask_set(&r->cpus, k);
    }
}

/* At least as many cores as ranks that could want any one of them. */
static bool roomy(const node *s) {
    for (unsigned i = 0; i < s->n; i++) {
        unsigned cores = 0, rivals = 0;
        for (size_t c = 0; c < s->t->n_cores; c++) cores += pr_mask_meets(&s->t->cores[c].cpus, &s->requests[i].cpus);
        for (unsigned k = 0; k < s->n; k++)
            rivals += s->requests[k].proves && pr_mask_meets(&s->requests[k].cpus, &s->requests[i].cpus);
        if (s->requests[i].proves && rivals > cores) return false;
    }
    return true;
}

static void check_place(const node *s, unsigned i) {
    const pr_place *p = &s->plan.places[i];
    pr_mask inside;
    pr_mask_and(&inside, &p->cpus, &s->requests[i].cpus);
    assert_true(pr_mask_equal(&inside, &p->cpus));
    assert_false(pr_mask_empty(&p->cpus));
    assert_true(p->n_threads >= 1);
    assert_true(p->why[0]);
    if (!p->proves) return;
    for (size_t c = 0; c < s->t->n_cores; c++) { /* siblings together */
        pr_mask part, given;
        pr_mask_and(&part, &s->t->cores[c].cpus, &p->cpus);
        pr_mask_and(&given, &s->t->cores[c].cpus, &s->requests[i].cpus);
        assert_true(pr_mask_empty(&part) || pr_mask_equal(&part, &given));
    }
}

static void check_disjoint(const node *s) {
    for (unsigned i = 0; i < s->n; i++)
        for (unsigned k = i + 1; k < s->n; k++) {
            const pr_place *a = &s->plan.places[i], *b = &s->plan.places[k];
            if (!a->proves || !b->proves || !pr_mask_meets(&a->cpus, &b->cpus)) continue;
            assert_true(a->shares_cores && b->shares_cores);
        }
}

static void check_memory(const node *s) {
    uint64_t total = 0;
    for (unsigned i = 0; i < s->n; i++) total += s->plan.places[i].host_bytes;
    assert_true(total <= s->plan.host_bytes);
    if (s->plan.n_provers) assert_true(s->plan.host_bytes - total <= s->n);
}

static void check_even(const node *s) {
    unsigned least = PR_MAX_CPUS, most = 0;
    for (unsigned i = 0; i < s->n; i++) {
        const pr_place *p = &s->plan.places[i];
        if (!p->proves) continue;
        least = p->n_cores < least ? p->n_cores : least;
        most = p->n_cores > most ? p->n_cores : most;
    }
    assert_true(most <= 8 * least); /* twice at each of three levels */
}

static void random_plans(void **state) {
    (void)state;
    unsigned n_roomy = 0;
    for (unsigned round = 0; round < 3000; round++) {
        node s;
        random_node(&s);
        random_binding(&s);
        bool all_given = true;
        for (unsigned i = 0; i < s.n; i++) all_given &= pr_mask_equal(&s.requests[i].cpus, &s.requests[i].allowed);
        node_plan(&s, (pr_placement_options){0});
        for (unsigned i = 0; i < s.n; i++) check_place(&s, i);
        check_disjoint(&s);
        check_memory(&s);
        bool same = true;
        for (unsigned i = 1; i < s.n; i++) same &= pr_mask_equal(&s.requests[i].cpus, &s.requests[0].cpus);
        if (same) check_even(&s);
        if (roomy(&s) && same) {
            n_roomy++;
            for (unsigned i = 0; i < s.n; i++) assert_false(s.plan.places[i].shares_cores);
            if (all_given && s.plan.n_provers) assert_int_equal(s.plan.n_idle_cores, 0);
        }
        node_clear(&s);
    }
    assert_true(n_roomy > 100);
}

int main(void) {
    const char *given = getenv("PR_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("PR_TEST_SEED=%llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_plans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
