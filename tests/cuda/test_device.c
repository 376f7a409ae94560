/* Whole proofs on a device: on the GPU where PROVERUN_TEST_BACKEND is "cuda", else under the emulation. What the golden
 * cases do not show (test_identity runs those): that kernels compute a trace, many proofs by one prover, provers side
 * by side, what the device tells of its stages, a wrong bit, a lost device, and that a thousand proofs leave nothing
 * behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "air/profile.h"
#include "casefile/casefile.h"
#include "job/job.h"
#include "poseidon2_merkle/job.h"
#include "prove/prove.h"
#include "verifies.h"
#include "../backends.h"

static const pr_backend *tested; /* by main */

static bool is_gpu(void) { return strcmp(tested->name, "cuda") == 0; }

/* Memory of the device that is held, but for a constant. */
static int64_t held_bytes(void) {
#ifdef PR_HAVE_CUDA
    if (is_gpu()) return -(int64_t)pr_cuda_free_bytes();
#endif
    return (int64_t)pr_cuda_emu_held_bytes();
}

typedef struct fixture {
    pr_case c;
    pr_layout layout;
    pr_trace_source source;
    pr_hash expected; /* of the proof's bytes, made on the processor */
} fixture;

static pr_hash hash_of(const pr_proof *proof, const pr_layout *layout) {
    pr_writer w;
    pr_writer_init(&w);
    assert_int_equal(pr_proof_encode(&w, proof, layout), PR_OK);
    const pr_hash h = pr_blake2s_hash(w.data, w.size);
    pr_writer_clear(&w);
    return h;
}

static pr_prover *open_prover(const pr_backend *backend, const pr_layout *layout) {
    const pr_prover_options options = {.backend = backend, .n_threads = 1};
    pr_prover *p = NULL;
    pr_error err = {0};
    if (pr_prover_create(&p, layout, &options, &err) != PR_OK) fail_msg("%s: %s", backend->name, err.text);
    return p;
}

static pr_hash prove(pr_prover *p, const pr_trace_source *source, const pr_layout *layout) {
    pr_proof proof = {0};
    pr_error err = {0};
    if (pr_prover_run(p, &proof, source, NULL, NULL, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    const pr_hash h = hash_of(&proof, layout);
    pr_proof_clear(&proof);
    return h;
}

static pr_hash prove_once(const pr_backend *backend, const pr_trace_source *source, const pr_layout *layout) {
    pr_prover *p = open_prover(backend, layout);
    const pr_hash h = prove(p, source, layout);
    pr_prover_destroy(p);
    return h;
}

static void expect_same(const pr_hash *got, const pr_hash *expected) {
    if (!pr_hash_equal(got, expected)) fail_msg("%s: a proof of other bytes", tested->name);
}

static void open_case(fixture *f, const char *name) {
    pr_error err = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, name);
    if (pr_case_load(&f->c, path, &err) != PR_OK || pr_layout_init(&f->layout, &f->c.statement, &err) != PR_OK)
        fail_msg("%s", err.text);
    f->source = (pr_trace_source){.context = &f->c, .fill = pr_case_fill_trace};
    f->expected = prove_once(&pr_backend_scalar, &f->source, &f->layout);
}
static void close_case(fixture *f) {
    pr_layout_clear(&f->layout);
    pr_case_clear(&f->c);
}

/* Lookups, several sizes, folds of several halvings; from the third on, launches of a graph. */
static void test_proofs_in_a_row(void **unused) {
    static const char *const names[] = {"xor4_l7", "mixed_sizes_4_6_8", "wide_fibonacci_l7_c20_fold2"};
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f;
        open_case(&f, names[i]);
        pr_prover *p = open_prover(tested, &f.layout);
        for (int k = 0; k < 6; k++) {
            const pr_hash got = prove(p, &f.source, &f.layout);
            expect_same(&got, &f.expected);
        }
        pr_prover_destroy(p);
        close_case(&f);
    }
}

/* Each has memory and a queue of its own. */
static void test_side_by_side(void **unused) {
    enum { N = 3 };
    pr_prover *provers[N];
    fixture f;
    (void)unused;
    open_case(&f, "wide_fibonacci_l6_c10");
    for (int k = 0; k < N; k++) provers[k] = open_prover(tested, &f.layout);
    for (int k = 0; k < 3 * N; k++) {
        const pr_hash got = prove(provers[k % N], &f.source, &f.layout);
        expect_same(&got, &f.expected);
    }
    for (int k = N; k-- > 0;) pr_prover_destroy(provers[k]); /* as the emulation wants it: last first */
    close_case(&f);
}

/* A job whose trace kernels complete. */
static void test_derived_columns(void **unused) {
    const pr_param items[] = {{"input", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"}};
    const pr_params params = {".", 1, items};
    pr_job *job = NULL;
    pr_config config;
    pr_error err = {0};
    (void)unused;
    assert_int_equal(pr_profile_config(&config, "fast", NULL), PR_OK);
    config.pow_bits = 0;
    if (pr_job_create(&job, &pr_job_poseidon2_merkle, &params, &config, &err) != PR_OK) fail_msg("%s", err.text);
    const pr_trace_source source = {job, true, pr_job_fill_trace};
    const pr_hash expected = prove_once(&pr_backend_scalar, &source, &job->layout);
    const pr_hash got = prove_once(tested, &source, &job->layout);
    expect_same(&got, &expected);
    pr_job_destroy(job);
}

/* Every stage that has launches has a time and bytes; a device copies faster than a megabyte a second. */
static void test_meter(void **unused) {
    static const pr_stage busy[] = {PR_STAGE_EXTEND,  PR_STAGE_MERKLE,    PR_STAGE_COMPOSITION,
                                    PR_STAGE_SAMPLES, PR_STAGE_QUOTIENTS, PR_STAGE_FRI};
    fixture f;
    pr_device_times times;
    double rate = 0;
    (void)unused;
    open_case(&f, "wide_fibonacci_l6_c10");
    pr_prover *p = open_prover(tested, &f.layout);
    assert_int_equal(pr_prover_measure_copies(p, &rate, NULL), PR_OK);
    assert_true(rate > 1e6);
    assert_true(pr_prover_measure_device(p, &times));
    const pr_hash got = prove(p, &f.source, &f.layout);
    expect_same(&got, &f.expected);
    for (size_t k = 0; k < sizeof busy / sizeof *busy; k++)
        if (!times.ns[busy[k]] || !times.moved_bytes[busy[k]]) fail_msg("%s: nothing", pr_stage_name(busy[k]));
    pr_prover_destroy(p);
    close_case(&f);
}

/* What a proof comes to whose operation k does harm. */
static pr_status harm(const fixture *f, const char *variable, unsigned k, bool *accepted, pr_error *err) {
    char text[16];
    pr_proof proof = {0};
    snprintf(text, sizeof text, "%u", k);
    setenv(variable, text, 1);
    pr_prover *p = open_prover(tested, &f->layout);
    unsetenv(variable);
    const pr_status status = pr_prover_run(p, &proof, &f->source, NULL, NULL, NULL, err);
    *accepted = status == PR_OK && verifies(&f->c, &proof);
    pr_proof_clear(&proof);
    pr_prover_destroy(p);
    return status;
}

/* A wrong bit of any operation is found, a lost device is an error, and the next proof is good. */
static void test_harm(void **unused) {
    fixture f;
    bool accepted = false;
    unsigned k = 0;
    pr_error err = {0};
    (void)unused;
    open_case(&f, "plonk_l6");
    while (!accepted && ++k < 1000) (void)harm(&f, "PROVERUN_CUDA_FLIP", k, &accepted, &err);
    assert_in_range(k, 8, 999); /* beyond the last operation nothing is wrong */
    assert_int_equal(harm(&f, "PROVERUN_CUDA_LOSE", 3, &accepted, &err), PR_ERR_BACKEND);
    assert_non_null(strstr(err.text, "the device is lost"));
    const pr_hash got = prove_once(tested, &f.source, &f.layout);
    expect_same(&got, &f.expected);
    close_case(&f);
}

/* Provers made and destroyed: PROVERUN_TEST_PROOFS, else on a GPU 1,000, elsewhere fewer (test_faults has the 1,000).
 */
static void test_leaks(void **unused) {
    const char *wanted = getenv("PROVERUN_TEST_PROOFS");
    const int n = wanted ? atoi(wanted) : is_gpu() ? 1000 : 10;
    fixture f;
    (void)unused;
    open_case(&f, "wide_fibonacci_l4_c4");
    pr_hash got = prove_once(tested, &f.source, &f.layout); /* the runtime keeps what its first use took */
    const int64_t before = held_bytes();
    for (int k = 0; k < n; k++) {
        got = prove_once(tested, &f.source, &f.layout);
        expect_same(&got, &f.expected);
    }
    const int64_t grown = held_bytes() - before;
    print_message("%d proofs: %lld bytes of device memory more\n", n, (long long)grown);
    assert_true(grown <= (is_gpu() ? 4 << 20 : 0)); /* less than a page of the driver's for each */
    close_case(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_proofs_in_a_row),
                                       cmocka_unit_test(test_side_by_side),
                                       cmocka_unit_test(test_derived_columns),
                                       cmocka_unit_test(test_meter),
                                       cmocka_unit_test(test_harm),
                                       cmocka_unit_test(test_leaks)};
    const pr_backend *const all[] = {PR_TEST_CUDA_BACKENDS};
    const char *name = getenv("PROVERUN_TEST_BACKEND");
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (!strcmp(all[k]->name, name ? name : "cuda-emu") && all[k]->available()) tested = all[k];
    if (!tested) return fprintf(stderr, "no backend '%s' here\n", name), 1;
    printf("backend: %s\n", tested->name);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
