/* Plans of proofs too large to make here, by the very function that decides what a proof may have: the yardstick's
 * device memory, and columns streamed where a limit asks for it. Nothing is proven. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "cuda/cuda_backend.h"
#include "prove/prove.h"
#include "wide_fibonacci/job.h"

#define GIB ((size_t)1 << 30)

typedef struct shape {
    uint32_t log_rows, columns, log_blowup;
} shape;

static pr_status plan(pr_plan *out, shape s, size_t limit, pr_error *err) {
    const pr_config config = {
        .pow_bits = 10, .log_blowup = s.log_blowup, .n_queries = 70, .fold_step = 1, .lifting_log_size = -1};
    const pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1, .max_device_bytes = limit};
    pr_air *air = NULL;
    pr_statement statement;
    pr_layout layout;
    assert_int_equal(pr_wide_fibonacci_air(&air, s.log_rows, s.columns, NULL), PR_OK);
    assert_int_equal(pr_statement_init(&statement, air, &config, NULL), PR_OK);
    assert_int_equal(pr_layout_init(&layout, &statement, NULL), PR_OK);
    pr_status status = pr_prover_plan(out, &layout, &options, err);
    pr_layout_clear(&layout);
    pr_statement_clear(&statement);
    pr_air_destroy(air);
    return status;
}

static size_t on_device(const pr_plan *p) { return p->arena_bytes - p->far_bytes + p->workspace_bytes; }
static size_t extended_bytes(shape s) { return (size_t)s.columns * 4 << (s.log_rows + s.log_blowup); }

static void test_yardstick(void **state) {
    const shape yardstick = {20, 100, 1};
    pr_plan p;
    (void)state;
    assert_int_equal(plan(&p, yardstick, 0, NULL), PR_OK);
    print_message("%zu bytes on the device for %zu of extended trace\n", on_device(&p), extended_bytes(yardstick));
    assert_int_equal(p.far_bytes, 0);
    assert_true(on_device(&p) >= extended_bytes(yardstick));
    assert_true(2 * on_device(&p) <= 5 * extended_bytes(yardstick));
}

/* 2^22 x 100 within 24 GiB: at a blow-up of 2 as it is, of 16 (26.8 GB of extended trace) with streamed columns. */
static void test_large_shapes(void **state) {
    (void)state;
    for (uint32_t log_blowup = 1; log_blowup <= 4; log_blowup++) {
        const shape s = {22, 100, log_blowup};
        pr_plan all, p;
        pr_error err = {0};
        assert_int_equal(plan(&all, s, 0, NULL), PR_OK);
        if (plan(&p, s, 24 * GIB, &err) != PR_OK) fail_msg("%s", err.text);
        print_message("blow-up %u: %.2f GiB, within 24 GiB: %.2f and %.2f streamed\n", 1u << log_blowup,
                      (double)on_device(&all) / (double)GIB, (double)on_device(&p) / (double)GIB,
                      (double)p.far_bytes / (double)GIB);
        assert_true(on_device(&p) <= 24 * GIB);
        assert_int_equal(p.far_bytes > 0, on_device(&all) > 24 * GIB);
        if (p.far_bytes) assert_true(p.far_bytes >= extended_bytes(s));
        if (p.far_bytes) assert_true(p.total_bytes >= p.far_bytes);
    }
}

/* 2^22 x 100 at a blow-up of 2 within less than a quarter of its extended trace; and where nothing helps. */
static void test_small_device(void **state) {
    const shape s = {22, 100, 1};
    pr_plan p;
    pr_error err = {0};
    (void)state;
    assert_int_equal(plan(&p, s, 3 * GIB / 4, &err), PR_OK);
    assert_true(on_device(&p) <= 3 * GIB / 4 && on_device(&p) * 4 < extended_bytes(s));
    assert_true(p.far_bytes >= extended_bytes(s));
    assert_int_equal(plan(&p, s, GIB / 8, &err), PR_ERR_MEMORY);
    assert_non_null(strstr(err.text, "with its columns on the host; the limit is 128.0 MiB"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_yardstick), cmocka_unit_test(test_large_shapes),
                                       cmocka_unit_test(test_small_device)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
