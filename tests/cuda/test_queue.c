/* Whole proofs one after another: how often the host waits, what is copied, and that from a prover's second proof on
 * what lies between two waits is launched as a graph. Bytes are the golden cases' (tests/prove). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "proofs.h"

static pr_cuda_counts counts_of_proof(fixture *f, pr_writer *out) {
    const pr_cuda_counts a = pr_cuda_emu_counts();
    prove(f, out);
    const pr_cuda_counts b = pr_cuda_emu_counts();
    return (pr_cuda_counts){.launches = b.launches - a.launches,
                            .graph_launches = b.graph_launches - a.graph_launches,
                            .synchronizations = b.synchronizations - a.synchronizations,
                            .to_device_bytes = b.to_device_bytes - a.to_device_bytes,
                            .peak_bytes = b.peak_bytes};
}

/* The first proof is queued as it is listed, the second captured, and all from then on are graphs: the same launches,
 * waits and bytes. Waits: roots; claimed sums; samples; FRI and, where it is short, the proof of work; openings. The
 * tree of preprocessed columns is the first proof's alone. */
typedef struct expected {
    const char *name;
    uint64_t launches, waits, graphs; /* of a proof but the first; launches: at most */
    uint64_t preprocessed_launches, preprocessed_waits;
} expected;

static void check_proofs(const expected *e) {
    fixture f;
    pr_writer first;
    pr_cuda_counts want = {0};
    open_case(&f, e->name);
    pr_writer_init(&first);
    for (int k = 0; k < 5; k++) {
        pr_writer again;
        pr_writer_init(&again);
        const pr_cuda_counts c = counts_of_proof(&f, k ? &again : &first);
        const bool is_first = k == 0;
        if (is_first) want = c;
        print_message("%s, proof %d: %d launches, %d graphs, %d waits, %d bytes to the device\n", e->name, k + 1,
                      (int)c.launches, (int)c.graph_launches, (int)c.synchronizations, (int)c.to_device_bytes);
        assert_int_equal(c.launches + (is_first ? 0 : e->preprocessed_launches), want.launches);
        assert_true(is_first || c.launches <= e->launches);
        assert_int_equal(c.synchronizations, e->waits + (is_first ? e->preprocessed_waits : 0));
        assert_int_equal(c.graph_launches, k ? e->graphs : 0);
        assert_int_equal(c.peak_bytes, want.peak_bytes);
        assert_true(k == 0 || c.to_device_bytes < want.to_device_bytes); /* tables that are there */
        //        assert_int_equal(pr_cuda_emu_held_graphs(), k ? e->graphs : 0);
        if (k) assert_int_equal(again.size, first.size);
        if (k) assert_memory_equal(again.data, first.data, first.size);
        pr_writer_clear(&again);
    }
    pr_writer_clear(&first);
    close_case(&f);
    assert_int_equal(pr_cuda_emu_held_graphs(), 0);
}

static void test_proofs(void **unused) {
    (void)unused;
    static const expected list[] = {{"wide_fibonacci_l6_c10", 20, 3, 2, 0, 0},
                                    {"wide_fibonacci_l7_c20_fold2", 18, 3, 2, 0, 0},
                                    {"plonk_l6", 27, 5, 4, 9, 1},
                                    {"xor4_l7", 41, 7, 5, 8, 1},
                                    {"mixed_sizes_4_6_8", 34, 5, 4, 0, 0}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) check_proofs(&list[i]);
}

/* What blocks of a launch read and write of device memory is in order, as if they ran side by side. */
static void test_order(void **unused) {
    (void)unused;
    static const char *const names[] = {"wide_fibonacci_l9_c100_lifted", "wide_fibonacci_l7_c20_fold2", "plonk_l6",
                                        "xor4_l7", "mixed_sizes_4_6_8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f;
        open_case(&f, names[i]);
        pr_cuda_emu_watch(true);
        prove(&f, NULL);
        close_case(&f);
        pr_cuda_emu_reset();
    }
}

/* A proof that fails leaves nothing in the list, and the next ones are as if it had not been; what the device was to be
 * told in it is told again. */
static pr_status fail_to_fill(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                              pr_error *err) {
    fixture *f = context;
    if (component > 0) return pr_fail(err, PR_ERR_INPUT, "a file that is not there");
    return pr_case_fill_trace(&f->c, component, columns, n_threads, err);
}
static void test_failing_proofs(void **unused) {
    (void)unused;
    fixture f;
    pr_writer want;
    pr_proof proof = {0};
    const pr_trace_source bad = {.context = &f, .fill = fail_to_fill};
    pr_writer_init(&want);
    open_case(&f, "mixed_sizes_4_6_8");
    prove(&f, &want);
    for (int k = 0; k < 3; k++) { /* before there are graphs, and behind them */
        pr_writer again;
        pr_writer_init(&again);
        assert_int_equal(pr_prover_run(f.prover, &proof, &bad, NULL, NULL, NULL, NULL), PR_ERR_INPUT);
        for (int n = 0; n < k; n++) prove(&f, NULL);
        prove(&f, &again);
        assert_int_equal(again.size, want.size);
        assert_memory_equal(again.data, want.data, want.size);
        pr_writer_clear(&again);
    }
    pr_writer_clear(&want);
    close_case(&f);
}

static void test_failing_graphs(void **unused) {
    (void)unused;
    fixture f;
    pr_error err = {0};
    open_case(&f, "wide_fibonacci_l4_c4");
    prove(&f, NULL);
    const uint64_t graphs = counts_of_proof(&f, NULL).graph_launches;
    close_case(&f);
    open_case(&f, "wide_fibonacci_l4_c4");
    prove(&f, NULL);
    pr_cuda_emu_inject(&(pr_cuda_faults){.fail_allocation = 1}); /* nothing else is allocated in a run */
    for (int k = 0; k < 2; k++)
        assert_int_equal(counts_of_proof(&f, NULL).graph_launches, graphs - 1); /* one without */
    close_case(&f);
    open_case(&f, "wide_fibonacci_l4_c4");
    prove(&f, NULL);
    prove(&f, NULL);
    for (uint64_t k = 1; err.status == PR_OK; k++) {
        pr_cuda_emu_inject(&(pr_cuda_faults){.fail_launch = k});
        if (try_prove(&f, NULL, &err) != PR_OK && strstr(err.text, "a graph: ")) break;
        if (err.status == PR_OK) fail_msg("no graph among %llu launches", (unsigned long long)k);
        assert_non_null(strstr(err.text, "a launch that a test made fail"));
        pr_cuda_emu_reset();
        err = (pr_error){0};
    }
    assert_int_equal(err.status, PR_ERR_BACKEND);
    assert_int_equal(try_prove(&f, NULL, &err), PR_ERR_BACKEND); /* it stays */
    close_case(&f);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    assert_int_equal(pr_cuda_emu_held_graphs(), 0);
    pr_cuda_emu_reset();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_proofs), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_failing_proofs), cmocka_unit_test(test_failing_graphs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
