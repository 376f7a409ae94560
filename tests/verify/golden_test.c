/* Every golden proof is accepted, by several threads at once too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../proof/golden.h"
#include "verify/verify.h"

#include <pthread.h>

static pr_verdict verdict_of(const golden *g, pr_error *err) {
    pr_verifier *verifier;
    pr_verdict verdict;
    if (pr_verifier_create(&verifier, &g->c.statement, err) != PR_OK) return PR_REJECTED_SHAPE;
    bool ok = pr_verifier_run(verifier, &g->proof, &verdict, err) == PR_OK;
    pr_verifier_destroy(verifier);
    return ok ? verdict : PR_REJECTED_SHAPE;
}

static void check_accepted(golden *g) {
    pr_error err = {0};
    pr_verdict verdict = verdict_of(g, &err);
    if (verdict != PR_ACCEPTED) fail_msg("%s: %s: %s", g->c.name, pr_verdict_text(verdict), err.text);
}

static void golden_proofs_are_accepted(void **state) {
    (void)state;
    assert_int_equal(golden_for_each(check_accepted), 36);
}

static void *verify_often(void *argument) {
    size_t n = 0;
    for (int i = 0; i < 20; i++) n += verdict_of(argument, NULL) == PR_ACCEPTED;
    return (void *)n;
}

/* The first of them fills the cache of preprocessed roots. */
static void threads_agree(void **state) {
    (void)state;
    static const char *const names[] = {"random/random_01", "random/random_05", "random/random_12"};
    golden g[3];
    pthread_t threads[6];
    for (size_t k = 0; k < 3; k++) golden_init(&g[k], names[k]);
    for (size_t k = 0; k < 6; k++) assert_int_equal(pthread_create(&threads[k], NULL, verify_often, &g[k % 3]), 0);
    for (size_t k = 0; k < 6; k++) {
        void *n;
        assert_int_equal(pthread_join(threads[k], &n), 0);
        assert_int_equal((size_t)n, 20);
    }
    for (size_t k = 0; k < 3; k++) golden_clear(&g[k]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_agree), cmocka_unit_test(golden_proofs_are_accepted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
