/* Proofs in a row: the trace of the next one is made and copied while one is proven. The bytes are those of proofs made
 * one by one; the copy is queued before the proof that runs ends; the plan knows both buffers and keeps a limit, doing
 * less ahead; and what fails for one proof fails for no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "casefile/casefile.h"
#include "circle/circle.h"
#include "cuda/cuda_backend.h"
#include "prove/prove.h"

enum { N_PROOFS = 3 };

typedef struct fixture {
    pr_case c;
    pr_layout layout;
    pr_prover_options options;
    pr_hash expected; /* of a proof made by itself */
} fixture;

/* A trace as a case has it, in either order; fails when it is told to. */
typedef struct source {
    fixture *f;
    bool storage_order, fails;
    atomic_bool filled;
} source;

static void to_storage(pr_m31 *column, uint32_t log_rows) {
    size_t n = (size_t)1 << log_rows;
    pr_m31 *rows = malloc(n * sizeof *rows);
    memcpy(rows, column, n * sizeof *rows);
    for (size_t r = 0; r < n; r++) column[pr_slot_of_row(log_rows, (uint32_t)r)] = rows[r];
    free(rows);
}

static pr_status fill(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads, pr_error *err) {
    source *s = context;
    const pr_air_component *c = &s->f->layout.statement->air->components[component];
    if (s->fails) return pr_fail(err, PR_ERR_INPUT, "a file that is not there");
    PR_TRY(pr_case_fill_trace(&s->f->c, component, columns, n_threads, err));
    for (uint32_t k = 0; s->storage_order && k < c->n_columns; k++) to_storage(columns[k], c->log_size);
    atomic_store(&s->filled, true);
    return PR_OK;
}

static pr_trace_source of(source *s) { return (pr_trace_source){s, s->storage_order, fill}; }

static pr_hash hash_of(const fixture *f, const pr_proof *proof) {
    pr_writer w;
    pr_writer_init(&w);
    assert_int_equal(pr_proof_encode(&w, proof, &f->layout), PR_OK);
    pr_hash h = pr_blake2s_hash(w.data, w.size);
    pr_writer_clear(&w);
    return h;
}

static pr_prover *open_prover(const fixture *f) {
    pr_prover *p = NULL;
    pr_error err = {0};
    if (pr_prover_create(&p, &f->layout, &f->options, &err) != PR_OK) fail_msg("%s", err.text);
    return p;
}

/* source NULL: the one that was prepared. */
static void expect_proof(const fixture *f, pr_prover *p, const pr_trace_source *trace) {
    pr_proof proof = {0};
    pr_error err = {0};
    if (pr_prover_run(p, &proof, trace, NULL, NULL, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    pr_hash got = hash_of(f, &proof);
    pr_proof_clear(&proof);
    assert_true(pr_hash_equal(&got, &f->expected));
}

static void open_case(fixture *f, const char *name) {
    pr_error err = {0};
    char path[1024];
    source s = {.f = f};
    pr_trace_source trace = of(&s);
    pr_proof proof = {0};
    snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, name);
    *f = (fixture){.options = {.backend = &pr_backend_cuda_emu, .n_threads = 1}};
    if (pr_case_load(&f->c, path, &err) != PR_OK || pr_layout_init(&f->layout, &f->c.statement, &err) != PR_OK)
        fail_msg("%s", err.text);
    pr_cuda_emu_reset();
    pr_prover *p = open_prover(f);
    assert_int_equal(pr_prover_run(p, &proof, &trace, NULL, NULL, NULL, NULL), PR_OK);
    f->expected = hash_of(f, &proof);
    pr_proof_clear(&proof);
    pr_prover_destroy(p);
    f->options.ahead = true;
}

static void close_case(fixture *f) {
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    pr_layout_clear(&f->layout);
    pr_case_clear(&f->c);
}

/* The plan for proofs of which so much is done ahead, within so many bytes of the device. */
static pr_plan plan_of(const fixture *f, size_t limit) {
    pr_plan plan;
    pr_error err = {0};
    pr_prover_options options = f->options;
    options.max_device_bytes = limit;
    if (pr_prover_plan(&plan, &f->layout, &options, &err) != PR_OK) fail_msg("%s", err.text);
    return plan;
}
static size_t on_device(const pr_plan *p) { return p->arena_bytes - p->far_bytes + p->workspace_bytes; }

static void prove_in_a_row(fixture *f, bool storage_order) {
    source sources[N_PROOFS];
    pr_prover *p = open_prover(f);
    for (int k = 0; k < N_PROOFS; k++) sources[k] = (source){.f = f, .storage_order = storage_order};
    pr_trace_source trace = of(&sources[0]);
    pr_prover_prepare(p, &trace);
    for (int k = 0; k < N_PROOFS; k++) {
        if (k + 1 < N_PROOFS) trace = of(&sources[k + 1]), pr_prover_prepare(p, &trace);
        expect_proof(f, p, NULL);
    }
    trace = of(&sources[0]);
    expect_proof(f, p, &trace); /* one that was not prepared */
    pr_prover_destroy(p);
}

/* Every way: copied ahead, made ahead only, nothing ahead; within limits that ask for each. */
static void test_same_bytes(void **unused) {
    (void)unused;
    static const char *const names[] = {"wide_fibonacci_l6_c10", "plonk_l6", "mixed_sizes_4_6_8", "xor4_l9"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f;
        open_case(&f, names[i]);
        const pr_plan most = plan_of(&f, 0), less = plan_of(&f, on_device(&most) - 1);
        assert_int_equal(most.ahead, PR_AHEAD_COPY);
        assert_int_equal(less.ahead, PR_AHEAD_TRACE);
        for (int storage = 0; storage < 2; storage++) {
            f.options.max_device_bytes = 0;
            prove_in_a_row(&f, storage);
            f.options.max_device_bytes = on_device(&less);
            prove_in_a_row(&f, storage);
        }
        f.options.max_device_bytes = on_device(&less) - 1;
        if (pr_prover_plan(&(pr_plan){0}, &f.layout, &f.options, NULL) == PR_OK) prove_in_a_row(&f, false);
        close_case(&f);
    }
}

static void wait_for_trace(void *context, pr_stage stage) {
    source *next = context;
    while (stage == PR_STAGE_COMPOSITION && !atomic_load(&next->filled)) continue;
}

/* The queue of copies gets the next trace before the operations of this proof have all been queued. */
static void test_order(void **unused) {
    (void)unused;
    enum { MOST = 4096 };
    static pr_cuda_queued log[MOST];
    fixture f;
    open_case(&f, "wide_fibonacci_l6_c10");
    source first = {.f = &f}, next = {.f = &f};
    const pr_trace_source traces[2] = {of(&first), of(&next)};
    pr_prover *p = open_prover(&f);
    pr_prover_set_stage_listener(p, wait_for_trace, &next);
    pr_prover_prepare(p, &traces[0]);
    pr_prover_prepare(p, &traces[1]);
    pr_cuda_emu_log(true);
    expect_proof(&f, p, NULL);
    const size_t n = pr_cuda_emu_take_log(log, MOST);
    pr_cuda_emu_log(false);
    size_t first_kernel = n, copied = 0, n_copied = 0, kernels_after = 0;
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        if (log[i].kind == PR_CUDA_KERNEL && first_kernel == n) first_kernel = i;
        if (log[i].queue == 1 && log[i].kind == PR_CUDA_COPY_IN && i > first_kernel) copied = i, n_copied++;
    }
    for (size_t i = copied; copied && i < n; i++) kernels_after += log[i].kind == PR_CUDA_KERNEL;
    assert_int_equal(n_copied, f.layout.statement->air->n_components); /* columns of one size by one call */
    assert_true(kernels_after > 5);                                    /* at least folds */
    expect_proof(&f, p, NULL);
    pr_prover_destroy(p);
    close_case(&f);
}

static size_t alone_on_device(fixture *f) { /* with nothing ahead */
    f->options.ahead = false;
    const pr_plan plan = plan_of(f, 0);
    f->options.ahead = true;
    return on_device(&plan);
}

/* Each plan has what it says, within a tenth, and no byte above it; without room for a second trace, none is kept. */
static void test_plan(void **unused) {
    (void)unused;
    fixture f;
    open_case(&f, "wide_fibonacci_l9_c100_lifted");
    const size_t alone = alone_on_device(&f), trace_bytes = (size_t)100 * 4 << 9;
    const pr_plan both = plan_of(&f, 0);
    assert_true(on_device(&both) >= alone + trace_bytes);
    const struct {
        size_t limit;
        pr_ahead ahead;
    } cases[] = {{0, PR_AHEAD_COPY}, {alone, PR_AHEAD_TRACE}, {alone / 2, PR_AHEAD_NONE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f.options.max_device_bytes = cases[i].limit;
        const pr_plan plan = plan_of(&f, cases[i].limit);
        pr_cuda_emu_reset();
        prove_in_a_row(&f, false);
        const pr_cuda_counts peak = pr_cuda_emu_counts();
        const size_t pinned = plan.pinned_bytes + plan.far_bytes, device = on_device(&plan);
        print_message("%s ahead: %zu bytes on the device planned, %zu used; pinned %zu, %zu\n",
                      pr_ahead_name(plan.ahead), device, (size_t)peak.peak_bytes, pinned,
                      (size_t)peak.peak_pinned_bytes);
        assert_int_equal(plan.ahead, cases[i].ahead);
        assert_true(!cases[i].limit || device <= cases[i].limit);
        assert_true(peak.peak_bytes <= device && peak.peak_bytes >= device - device / 10);
        assert_true(peak.peak_pinned_bytes <= pinned && peak.peak_pinned_bytes >= pinned - pinned / 10);
    }
    close_case(&f);
}

static void expect_error(pr_prover *p, pr_status status, const char *text) {
    pr_proof proof = {0};
    pr_error err = {0};
    assert_int_equal(pr_prover_run(p, &proof, NULL, NULL, NULL, NULL, &err), status);
    if (!strstr(err.text, text)) fail_msg("'%s' says nothing of '%s'", err.text, text);
}

/* A trace that cannot be made fails its own proof, whichever way it is prepared. */
static void fail_one_trace(fixture *f) {
    source good = {.f = f}, bad = {.f = f, .fails = true};
    const pr_trace_source traces[2] = {of(&good), of(&bad)};
    pr_prover *p = open_prover(f);
    pr_prover_prepare(p, &traces[0]);
    pr_prover_prepare(p, &traces[1]);
    expect_proof(f, p, NULL);
    pr_prover_prepare(p, &traces[0]);
    expect_error(p, PR_ERR_INPUT, "a file that is not there");
    expect_proof(f, p, NULL);
    pr_prover_prepare(p, &traces[0]);
    pr_prover_forget(p);
    expect_proof(f, p, &traces[0]);
    pr_prover_destroy(p);
}

static void test_faults_of_a_trace(void **unused) {
    (void)unused;
    fixture f;
    open_case(&f, "plonk_l6");
    const pr_plan most = plan_of(&f, 0);
    fail_one_trace(&f);
    f.options.max_device_bytes = on_device(&most) - 1;
    fail_one_trace(&f);
    close_case(&f);
}

/* A device that fails takes the proof that runs with it; what was prepared is let go of, and nothing stays held. */
static void test_faults_of_a_device(void **unused) {
    (void)unused;
    fixture f;
    open_case(&f, "wide_fibonacci_l6_c10");
    for (uint64_t k = 1; k < 20; k += 2) { /* a proof has more launches */
        source s = {.f = &f};
        const pr_trace_source trace = of(&s);
        pr_cuda_emu_reset();
        pr_prover *p = open_prover(&f);
        pr_cuda_emu_inject(&(pr_cuda_faults){.fail_launch = k});
        pr_prover_prepare(p, &trace);
        pr_prover_prepare(p, &trace);
        expect_error(p, PR_ERR_BACKEND, "a launch that a test made fail");
        pr_prover_destroy(p);
        assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    }
    pr_cuda_emu_reset();
    prove_in_a_row(&f, false);
    close_case(&f);
}

/* A device that has not the memory for two traces proves with one. */
static void test_no_memory_ahead(void **unused) {
    (void)unused;
    fixture f;
    open_case(&f, "wide_fibonacci_l9_c100_lifted");
    pr_cuda_emu_inject(&(pr_cuda_faults){.limit_bytes = alone_on_device(&f) + 4096});
    pr_prover *p = open_prover(&f);
    assert_string_equal(pr_ahead_name(pr_prover_get_plan(p)->ahead), "none");
    pr_prover_destroy(p);
    prove_in_a_row(&f, true);
    close_case(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bytes),
                                       cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_plan),
                                       cmocka_unit_test(test_faults_of_a_trace),
                                       cmocka_unit_test(test_faults_of_a_device),
                                       cmocka_unit_test(test_no_memory_ahead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
