/* What a device says of its stages: bytes by its launches are those that the emulation counts access by access, and
 * every stage that launches kernels has a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "casefile/casefile.h"
#include "cuda/cuda_backend.h"
#include "prove/prove.h"

enum { MOST_TRIES = 1 << 14 }; /* of a proof of work: cases here have 10 bits at most */

typedef struct counted {
    pr_stage stage; /* that runs */
    pr_cuda_counts before;
    uint64_t bytes[PR_STAGE_COUNT], launches[PR_STAGE_COUNT], waits[PR_STAGE_COUNT];
} counted;

static void close_stage(counted *c) {
    const pr_cuda_counts now = pr_cuda_emu_counts();
    if (c->stage < PR_STAGE_COUNT) {
        c->bytes[c->stage] += now.read_bytes + now.written_bytes - c->before.read_bytes - c->before.written_bytes;
        c->launches[c->stage] += now.launches - c->before.launches;
        c->waits[c->stage] += now.synchronizations - c->before.synchronizations;
    }
    c->before = now;
}

static void begin_stage(void *context, pr_stage stage) {
    close_stage(context);
    ((counted *)context)->stage = stage;
}

static void compare(const char *name, const counted *c, const pr_device_times *t) {
    for (int s = 0; s < PR_STAGE_COUNT; s++) {
        const char *stage = pr_stage_name((pr_stage)s);
        if (c->launches[s] && !t->ns[s]) fail_msg("%s: %s has launches and no time", name, stage);
        if (s == PR_STAGE_FRI || s == PR_STAGE_GRIND) { /* how many nonces are tried is not known beforehand */
            assert_true(t->moved_bytes[s] <= c->bytes[s] + 1024 && c->bytes[s] < t->moved_bytes[s] + MOST_TRIES * 8);
            continue;
        }
        if (t->moved_bytes[s] != c->bytes[s])
            fail_msg("%s: %s moved %zu bytes by its launches, %zu by its accesses", name, stage,
                     (size_t)t->moved_bytes[s], (size_t)c->bytes[s]);
    }
}

/* part: of the memory that the proof would like; 0: all. */
static void measure(const char *name, size_t part) {
    char path[1024];
    pr_error err = {0};
    pr_case c;
    pr_layout layout;
    pr_plan plan;
    pr_prover *p = NULL;
    pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1};
    const pr_trace_source source = {.context = &c, .fill = pr_case_fill_trace};
    double rate = 0;
    snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, name);
    if (pr_case_load(&c, path, &err) != PR_OK || pr_layout_init(&layout, &c.statement, &err) != PR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(pr_prover_plan(&plan, &layout, &options, NULL), PR_OK);
    if (part) options.max_device_bytes = (plan.arena_bytes + plan.workspace_bytes) / part;
    if (pr_prover_create(&p, &layout, &options, &err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(pr_prover_measure_copies(p, &rate, NULL), PR_OK);
    assert_true(rate > 1e6);
    for (int again = 0; again < 2; again++) {
        counted counts = {.stage = PR_STAGE_COUNT};
        pr_device_times times;
        pr_proof proof = {0};
        close_stage(&counts);
        assert_true(pr_prover_measure_device(p, &times));
        pr_prover_set_stage_listener(p, begin_stage, &counts);
        if (pr_prover_run(p, &proof, &source, NULL, NULL, NULL, &err) != PR_OK) fail_msg("%s", err.text);
        close_stage(&counts);
        pr_proof_clear(&proof);
        compare(name, &counts, &times);
    }
    pr_prover_destroy(p);
    pr_layout_clear(&layout);
    pr_case_clear(&c);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
}

static void test_bytes(void **unused) {
    (void)unused;
    measure("plonk_l6", 0);
    measure("xor4_l9", 0);
    measure("mixed_sizes_4_6_8", 0);
    measure("wide_fibonacci_l7_c20_fold2", 0);
    measure("wide_fibonacci_l9_c100_lifted", 0);
    measure("wide_fibonacci_l9_c100_lifted", 2); /* streamed */
}

/* Components of one size share their launches of fractions, one, and prefix sums, three; the host waits once for all
 * claimed sums. Of constraints test_program has the like. */
static void check_groups(const char *name, uint64_t sizes) {
    char path[1024];
    pr_error err = {0};
    pr_case c;
    pr_layout layout;
    pr_prover *p = NULL;
    pr_proof proof = {0};
    counted counts = {.stage = PR_STAGE_COUNT};
    const pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1};
    const pr_trace_source source = {.context = &c, .fill = pr_case_fill_trace};
    snprintf(path, sizeof path, "%s/cases/random/%s.json", PR_TEST_VECTORS, name);
    if (pr_case_load(&c, path, &err) != PR_OK || pr_layout_init(&layout, &c.statement, &err) != PR_OK ||
        pr_prover_create(&p, &layout, &options, &err) != PR_OK)
        fail_msg("%s", err.text);
    close_stage(&counts);
    pr_prover_set_stage_listener(p, begin_stage, &counts);
    if (pr_prover_run(p, &proof, &source, NULL, NULL, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    if (counts.launches[PR_STAGE_LOOKUPS] != 4 * sizes)
        fail_msg("%s: %zu launches for lookups", name, (size_t)counts.launches[PR_STAGE_LOOKUPS]);
    assert_int_equal(counts.waits[PR_STAGE_LOOKUPS], sizes > 0);
    pr_proof_clear(&proof);
    pr_prover_destroy(p);
    pr_layout_clear(&layout);
    pr_case_clear(&c);
}

static void test_groups(void **unused) {
    (void)unused;
    check_groups("random_10", 1); /* two components of 2^5 rows */
    check_groups("random_14", 0); /* no lookups */
    check_groups("random_15", 1); /* 2^5, 2^4 (without lookups), 2^5 */
    check_groups("random_16", 2); /* 2^5, 2^5, 2^8 */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_groups)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
