/* What a failing device does to a proof: no memory, a launch that fails and stays failed, a wrong bit. Each is an error
 * or a rejected proof, nothing stays allocated, and a device made anew proves again. Also the prediction of its memory.
 */
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
#include "verifies.h"

typedef struct fixture {
    pr_case c;
    pr_layout layout;
} fixture;

static void open_case(fixture *f, const char *name) {
    pr_error err = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, name);
    if (pr_case_load(&f->c, path, &err) != PR_OK || pr_layout_init(&f->layout, &f->c.statement, &err) != PR_OK)
        fail_msg("%s", err.text);
    pr_cuda_emu_reset();
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
}
static void close_case(fixture *f) {
    pr_layout_clear(&f->layout);
    pr_case_clear(&f->c);
}

/* One proof from beginning to end; whatever comes of it, nothing stays behind. */
static pr_status prove_with(fixture *f, const pr_prover_options *options, bool *accepted, pr_error *err) {
    const pr_trace_source source = {.context = &f->c, .fill = pr_case_fill_trace};
    pr_prover *prover = NULL;
    pr_proof proof = {0};
    *accepted = false;
    pr_status status = pr_prover_create(&prover, &f->layout, options, err);
    if (status == PR_OK) status = pr_prover_run(prover, &proof, &source, NULL, NULL, NULL, err);
    if (status == PR_OK) {
        *accepted = verifies(&f->c, &proof);
        pr_proof_clear(&proof);
    }
    pr_prover_destroy(prover);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    return status;
}

static pr_status prove_within(fixture *f, size_t device_bytes, bool *accepted, pr_error *err) {
    const pr_prover_options options = {
        .backend = &pr_backend_cuda_emu, .n_threads = 1, .max_device_bytes = device_bytes};
    return prove_with(f, &options, accepted, err);
}

static pr_status prove(fixture *f, bool *accepted, pr_error *err) { return prove_within(f, 0, accepted, err); }

static void expect_good(fixture *f) {
    bool accepted;
    pr_error err = {0};
    pr_cuda_emu_reset();
    if (prove(f, &accepted, &err) != PR_OK) fail_msg("%s", err.text);
    assert_true(accepted);
}

static void test_out_of_memory(void **unused) {
    (void)unused;
    fixture f;
    bool accepted;
    open_case(&f, "wide_fibonacci_l6_c10");
    for (uint64_t k = 1;; k++) {
        pr_error err = {0};
        pr_cuda_emu_reset();
        pr_cuda_emu_inject(&(pr_cuda_faults){.fail_allocation = k});
        pr_status status = prove(&f, &accepted, &err);
        if (status == PR_OK) {
            assert_true(k > 5); /* an arena, two tables of each kind */
            break;
        }
        assert_int_equal(status, PR_ERR_MEMORY);
        assert_non_null(strstr(err.text, "memory"));
    }
    pr_error err = {0};
    pr_cuda_emu_inject(&(pr_cuda_faults){.limit_bytes = 4096});
    assert_int_equal(prove(&f, &accepted, &err), PR_ERR_MEMORY);
    assert_non_null(strstr(err.text, "MiB of device memory"));
    expect_good(&f);
    close_case(&f);
}

/* Every launch of a proof in turn fails, and so does whatever comes behind it. */
static void test_sticky_errors(void **unused) {
    (void)unused;
    fixture f;
    bool accepted;
    open_case(&f, "plonk_l6");
    for (uint64_t k = 1;; k++) {
        pr_error err = {0};
        pr_cuda_emu_reset();
        pr_cuda_emu_inject(&(pr_cuda_faults){.fail_launch = k});
        if (prove(&f, &accepted, &err) == PR_OK) {
            assert_true(k > 20);
            break;
        }
        assert_int_equal(err.status, PR_ERR_BACKEND);
        assert_non_null(strstr(err.text, "a launch that a test made fail"));
        assert_int_equal(prove(&f, &accepted, &err), PR_ERR_BACKEND); /* the process needs a new device */
    }
    expect_good(&f);
    close_case(&f);
}

static pr_status fill_nothing(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                              pr_error *err) {
    (void)context, (void)component, (void)columns, (void)n_threads;
    return pr_fail(err, PR_ERR_INPUT, "a file that is not there");
}

/* A trace that cannot be made fails its own proof; the prover goes on, also where a graph has been made. */
static void test_no_trace(void **unused) {
    (void)unused;
    fixture f;
    pr_prover *p = NULL;
    const pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1};
    const pr_trace_source good = {.context = &f.c, .fill = pr_case_fill_trace}, bad = {.fill = fill_nothing};
    open_case(&f, "plonk_l6");
    assert_int_equal(pr_prover_create(&p, &f.layout, &options, NULL), PR_OK);
    for (int k = 0; k < 8; k++) {
        pr_proof proof = {0};
        pr_error err = {0};
        pr_status status = pr_prover_run(p, &proof, k % 3 == 2 ? &bad : &good, NULL, NULL, NULL, &err);
        assert_int_equal(status, k % 3 == 2 ? PR_ERR_INPUT : PR_OK);
        if (k % 3 == 2)
            assert_string_equal(err.text, "a file that is not there");
        else
            assert_true(verifies(&f.c, &proof));
        pr_proof_clear(&proof);
    }
    pr_prover_destroy(p);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    close_case(&f);
}

/* A wrong bit in the result of any operation: no proof, or one that does not verify. */
static void flip_everywhere(const char *name, uint64_t least) {
    fixture f;
    bool accepted = false;
    char text[24];
    uint64_t n = 0;
    open_case(&f, name);
    while (!accepted) {
        pr_error err = {0};
        snprintf(text, sizeof text, "%llu", (unsigned long long)++n);
        setenv("PROVERUN_CUDA_FLIP", text, 1);
        pr_status status = prove(&f, &accepted, &err);
        if (status != PR_OK) assert_int_equal(status, PR_ERR_BACKEND);
    }
    unsetenv("PROVERUN_CUDA_FLIP");
    assert_true(n > least); /* beyond the last operation there is nothing wrong */
    expect_good(&f);
    close_case(&f);
}
static void test_wrong_bits(void **unused) {
    (void)unused;
    flip_everywhere("plonk_l6", 12);
    flip_everywhere("mixed_sizes_4_6_8", 12);
    flip_everywhere("wide_fibonacci_l7_c20_fold2", 7);
}

static pr_status fri_elsewhere(pr_device *device, pr_fri_result *result, const pr_fri *args, pr_error *err) {
    PR_TRY(pr_backend_cuda_emu.fri(device, result, args, err));
    result->digest.bytes[31] ^= 1;
    return PR_OK;
}
static pr_status samples_elsewhere(pr_device *device, pr_drawn *drawn, const pr_merkle *tree, uint32_t log_blowup,
                                   const pr_sampling *groups, size_t n, pr_error *err) {
    PR_TRY(pr_backend_cuda_emu.draw_samples(device, drawn, tree, log_blowup, groups, n, err));
    drawn->digest.bytes[0] ^= 1;
    return PR_OK;
}

/* A channel that ends elsewhere than the host's, which followed the same roots. */
static void test_other_channel(void **unused) {
    (void)unused;
    pr_backend in_fri = pr_backend_cuda_emu, in_samples = pr_backend_cuda_emu;
    const pr_backend *const backends[] = {&in_fri, &in_samples};
    in_fri.fri = fri_elsewhere;
    in_samples.draw_samples = samples_elsewhere;
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        fixture f;
        bool accepted;
        pr_error err = {0};
        const pr_prover_options options = {.backend = backends[i], .n_threads = 1};
        open_case(&f, "plonk_l6");
        assert_int_equal(prove_with(&f, &options, &accepted, &err), PR_ERR_BACKEND);
        assert_string_equal(err.text, "the backend's channel went another way than the roots that it returned");
        close_case(&f);
    }
}

static void test_prediction(void **unused) {
    (void)unused;
    static const char *const names[] = {"wide_fibonacci_l10_c100_96bits", "xor4_l9", "wide_fibonacci_l9_c100_lifted"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f;
        pr_plan plan;
        const pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1};
        open_case(&f, names[i]);
        assert_int_equal(pr_prover_plan(&plan, &f.layout, &options, NULL), PR_OK);
        expect_good(&f);
        const double predicted = (double)(plan.arena_bytes + plan.workspace_bytes);
        const double peak = (double)pr_cuda_emu_counts().peak_bytes;
        if (peak > 1.01 * predicted || peak < 0.9 * predicted)
            fail_msg("%s: %.0f bytes were predicted, %.0f were needed", names[i], predicted, peak);
        const uint64_t pinned = pr_cuda_emu_counts().peak_pinned_bytes;
        if (pinned > plan.pinned_bytes || pinned < plan.pinned_bytes - plan.pinned_bytes / 10)
            fail_msg("%s: %zu pinned bytes were predicted, %zu were needed", names[i], plan.pinned_bytes,
                     (size_t)pinned);
        close_case(&f);
    }
}

/* A quarter, or half, of the memory that a proof would like: columns are streamed, and no byte is above the limit. */
static void test_limit(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        size_t part;
    } cases[] = {{"wide_fibonacci_l10_c100_96bits", 4}, {"wide_fibonacci_l9_c100_lifted", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        pr_plan plan;
        bool accepted;
        pr_error err = {0};
        pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1};
        open_case(&f, cases[i].name);
        assert_int_equal(pr_prover_plan(&plan, &f.layout, &options, NULL), PR_OK);
        const size_t all = plan.arena_bytes + plan.workspace_bytes, limit = all / cases[i].part;
        options.max_device_bytes = limit;
        if (pr_prover_plan(&plan, &f.layout, &options, &err) != PR_OK) fail_msg("%s", err.text);
        const size_t predicted = plan.arena_bytes - plan.far_bytes + plan.workspace_bytes;
        assert_true(plan.far_bytes > 0 && predicted <= limit);
        if (prove_within(&f, limit, &accepted, &err) != PR_OK) fail_msg("%s: %s", cases[i].name, err.text);
        const size_t peak = pr_cuda_emu_counts().peak_bytes;
        print_message("%s: %zu bytes, limit %zu, predicted %zu, peak %zu\n", cases[i].name, all, limit, predicted,
                      peak);
        const size_t pinned = pr_cuda_emu_counts().peak_pinned_bytes, planned = plan.pinned_bytes + plan.far_bytes;
        assert_true(accepted);
        assert_true(pinned <= planned && pinned >= planned - planned / 10);
        assert_true(peak <= limit && peak >= predicted - predicted / 10 && peak <= predicted + predicted / 10);
        assert_int_equal(prove_within(&f, 65536, &accepted, &err), PR_ERR_MEMORY);
        assert_non_null(strstr(err.text, "with its columns on the host; the limit is 0.1 MiB"));
        close_case(&f);
    }
}

/* Several small proofs on one device, as the plans allow: each prover has its own stream and memory, their proofs are
 * begun in turn while all are there, and one more than fits is refused. */
static void test_side_by_side(void **unused) {
    (void)unused;
    enum { N = 4 };
    fixture f;
    pr_plan plan;
    pr_prover *provers[N] = {NULL}, *more = NULL;
    const pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1};
    const pr_trace_source source = {.context = &f.c, .fill = pr_case_fill_trace};
    open_case(&f, "wide_fibonacci_l6_c10");
    assert_int_equal(pr_prover_plan(&plan, &f.layout, &options, NULL), PR_OK);
    pr_cuda_emu_inject(&(pr_cuda_faults){.limit_bytes = N * (plan.arena_bytes + plan.workspace_bytes)});
    for (int k = 0; k < N; k++) assert_int_equal(pr_prover_create(&provers[k], &f.layout, &options, NULL), PR_OK);
    assert_int_equal(pr_prover_create(&more, &f.layout, &options, NULL), PR_ERR_MEMORY);
    for (int k = 0; k < 2 * N; k++) {
        pr_proof proof = {0};
        pr_error err = {0};
        if (pr_prover_run(provers[k % N], &proof, &source, NULL, NULL, NULL, &err) != PR_OK) fail_msg("%s", err.text);
        assert_true(verifies(&f.c, &proof));
        pr_proof_clear(&proof);
    }
    for (int k = N; k-- > 0;) pr_prover_destroy(provers[k]);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    close_case(&f);
}

/* A thousand proofs: memory does not grow. */
static void test_leaks(void **unused) {
    (void)unused;
    fixture f;
    open_case(&f, "wide_fibonacci_l4_c4");
    expect_good(&f);
    const uint64_t peak = pr_cuda_emu_counts().peak_bytes;
    for (int i = 0; i < 1000; i++) {
        expect_good(&f);
        assert_int_equal(pr_cuda_emu_counts().peak_bytes, peak);
    }
    close_case(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_sticky_errors), cmocka_unit_test(test_no_trace),
        cmocka_unit_test(test_wrong_bits),    cmocka_unit_test(test_other_channel), cmocka_unit_test(test_prediction),
        cmocka_unit_test(test_limit),         cmocka_unit_test(test_side_by_side),  cmocka_unit_test(test_leaks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
