/* Proofs of golden cases by a prover of cuda-emu. */
#ifndef PR_TESTS_CUDA_PROOFS_H
#define PR_TESTS_CUDA_PROOFS_H
#include <stdio.h>
#include "casefile/casefile.h"
#include "cuda/cuda_backend.h"
#include "prove/prove.h"

typedef struct fixture {
    pr_case c;
    pr_layout layout;
    pr_prover *prover;
    pr_cuda_counts at[PR_STAGE_COUNT]; /* count_stages: when a stage began last */
} fixture;

static void open_case(fixture *f, const char *name) {
    pr_error err = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, name);
    pr_cuda_emu_reset();
    if (pr_case_load(&f->c, path, &err) != PR_OK || pr_layout_init(&f->layout, &f->c.statement, &err) != PR_OK)
        fail_msg("%s", err.text);
    const pr_hash air_digest = pr_air_digest(f->c.air);
    const pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1, .air_digest = &air_digest};
    if (pr_prover_create(&f->prover, &f->layout, &options, &err) != PR_OK) fail_msg("%s", err.text);
}
static void close_case(fixture *f) {
    pr_prover_destroy(f->prover);
    pr_layout_clear(&f->layout);
    pr_case_clear(&f->c);
}

/* out: NULL, or initialised. */
static pr_status try_prove(fixture *f, pr_writer *out, pr_error *err) {
    const pr_trace_source source = {.context = &f->c, .fill = pr_case_fill_trace};
    pr_proof proof = {0};
    pr_status status = pr_prover_run(f->prover, &proof, &source, NULL, NULL, NULL, err);
    if (status == PR_OK && out) assert_int_equal(pr_proof_encode(out, &proof, &f->layout), PR_OK);
    pr_proof_clear(&proof);
    return status;
}
static void prove(fixture *f, pr_writer *out) {
    pr_error err = {0};
    if (try_prove(f, out, &err) != PR_OK) fail_msg("%s", err.text);
}
#endif
