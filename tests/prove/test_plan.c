/* The memory plan against what a proof really takes: peak resident memory of a process that proves, less what it had
 * before, within a tenth of the prediction; nothing more is mapped by later proofs; too little memory is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "casefile/casefile.h"
#include "cpu/cpu_backend.h"
#include "prove/prove.h"

#define CASE PR_TEST_VECTORS "/cases/wide_fibonacci_l16_c100.json"

typedef struct fixture {
    pr_case c;
    pr_layout layout;
    pr_prover_options options;
} fixture;

static void open_case(fixture *f) {
    pr_error err = {0};
    assert_int_equal(pr_case_load(&f->c, CASE, &err), PR_OK);
    assert_int_equal(pr_layout_init(&f->layout, &f->c.statement, &err), PR_OK);
    f->options = (pr_prover_options){.backend = pr_cpu_best(), .n_threads = 2};
}

static void close_case(fixture *f) {
    pr_layout_clear(&f->layout);
    pr_case_clear(&f->c);
}

typedef struct measure {
    size_t planned, first, later;
} measure;

static void prove(fixture *f, pr_prover *p) {
    pr_proof proof = {0};
    pr_trace_source source = {.context = &f->c, .fill = pr_case_fill_trace};
    assert_int_equal(pr_prover_run(p, &proof, &source, NULL, NULL, NULL, NULL), PR_OK);
    pr_proof_clear(&proof);
}

/* In a process of its own, whose peak begins anew. */
static measure measure_proofs(void) {
    int fds[2];
    measure m = {0};
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        fixture f;
        pr_prover *p = NULL;
        open_case(&f);
        size_t before = pr_peak_rss_bytes();
        if (pr_prover_create(&p, &f.layout, &f.options, NULL) != PR_OK) _exit(1);
        prove(&f, p);
        m = (measure){pr_prover_get_plan(p)->total_bytes, pr_peak_rss_bytes() - before, 0};
        for (int k = 0; k < 3; k++) prove(&f, p);
        m.later = pr_peak_rss_bytes() - before;
        _exit(write(fds[1], &m, sizeof m) == (ssize_t)sizeof m ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(fds[0], &m, sizeof m), (ssize_t)sizeof m);
    close(fds[0]);
    close(fds[1]);
    return m;
}

static void test_peak_is_planned(void **state) {
    measure m = measure_proofs();
    (void)state;
    print_message("planned %zu, peak %zu, after three more %zu\n", m.planned, m.first, m.later);
    assert_true(m.first <= m.planned + m.planned / 10);
    assert_true(m.first >= m.planned - m.planned / 10);
    assert_true(m.later <= m.first + m.first / 50);
}

static void test_too_little_is_an_error(void **state) {
    fixture f;
    pr_prover *p = NULL;
    pr_error err = {0};
    (void)state;
    open_case(&f);
    f.options.max_bytes = 1 << 20;
    assert_int_equal(pr_prover_create(&p, &f.layout, &f.options, &err), PR_ERR_MEMORY);
    assert_non_null(strstr(err.text, "MiB"));
    assert_null(p);
    close_case(&f);
}

static void test_plan_without_work(void **state) {
    fixture f;
    pr_plan plan = {0};
    (void)state;
    open_case(&f);
    assert_int_equal(pr_prover_plan(&plan, &f.layout, &f.options, NULL), PR_OK);
    assert_true(plan.arena_bytes >= (size_t)100 << 19); /* the extended trace alone: 100 columns of 2^17 words */
    for (int s = 0; s < PR_STAGE_COUNT; s++) assert_true(plan.phase_bytes[s] <= plan.arena_bytes);
    close_case(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_peak_is_planned),
                                       cmocka_unit_test(test_too_little_is_an_error),
                                       cmocka_unit_test(test_plan_without_work)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
