/* The commit phase of FRI on the device: how many launches, and that the host waits once. Its bytes are the golden
 * cases' (tests/prove). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "casefile/casefile.h"
#include "cuda/cuda_backend.h"
#include "prove/prove.h"

typedef struct fixture {
    pr_case c;
    pr_layout layout;
    pr_prover *prover;
    pr_cuda_counts at[PR_STAGE_COUNT]; /* when a stage began last */
} fixture;

static void count(void *context, pr_stage stage) { ((fixture *)context)->at[stage] = pr_cuda_emu_counts(); }

static void open_case(fixture *f, const char *name) {
    const pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1};
    pr_error err = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, name);
    pr_cuda_emu_reset();
    if (pr_case_load(&f->c, path, &err) != PR_OK || pr_layout_init(&f->layout, &f->c.statement, &err) != PR_OK ||
        pr_prover_create(&f->prover, &f->layout, &options, &err) != PR_OK)
        fail_msg("%s", err.text);
    pr_prover_set_stage_listener(f->prover, count, f);
}
static void close_case(fixture *f) {
    pr_prover_destroy(f->prover);
    pr_layout_clear(&f->layout);
    pr_case_clear(&f->c);
}
static void prove(fixture *f) {
    const pr_trace_source source = {.context = &f->c, .fill = pr_case_fill_trace};
    pr_proof proof = {0};
    pr_error err = {0};
    if (pr_prover_run(f->prover, &proof, &source, NULL, NULL, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    pr_proof_clear(&proof);
}

/* Blocks of 2^4 leaves here. A layer is a launch while it has more leaves than a block, and two while its blocks' roots
 * are more than a block climbs from, 2^5; the rest is one launch. */
static uint64_t expected_launches(const pr_layout *l) {
    uint64_t n = 1;
    for (uint32_t k = 0; k < l->n_fri_layers; k++) {
        uint32_t height = l->fri[k].log_size - (l->fri[k].packed ? 2 : 0);
        n += height > 9 ? 2 : height > 4;
    }
    return n;
}

static void check_launches(const char *name, uint64_t want) {
    fixture f;
    open_case(&f, name);
    prove(&f);
    const pr_cuda_counts *from = &f.at[PR_STAGE_FRI], *to = &f.at[PR_STAGE_GRIND];
    assert_int_equal(expected_launches(&f.layout), want);
    assert_int_equal(to->launches - from->launches, want);
    assert_int_equal(to->synchronizations - from->synchronizations, 1);
    assert_in_range(to->to_host_bytes - from->to_host_bytes, 1, 4096);
    assert_int_equal(to->to_device_bytes - from->to_device_bytes, 64);
    close_case(&f);
}
static void test_launches(void **unused) {
    (void)unused;
    check_launches("wide_fibonacci_l9_c100_lifted", 12); /* 12 layers from 2^12 rows on */
    check_launches("wide_fibonacci_l10_c100_96bits", 3); /* four rows a leaf, three folds a layer */
    check_launches("wide_fibonacci_l4_c4", 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_launches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
