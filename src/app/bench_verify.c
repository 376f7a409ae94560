/* What verifying costs on this machine, for `bench calibrate`: what a member of a committee does with proofs of four
 * AIRs, of which one has large tables, one many expressions, one next to nothing (job/proof_cost.h). */
#include "app/bench.h"
#include "base/clock.h"
#include "verify/verify.h"
#include <math.h>
#include <stdio.h>

enum { BYTE, NODE, VALUE, ROOT, ATTEMPT, CONSTANTS, SUBJECTS = 4, REPEAT = 5 };

typedef struct sample_list {
    int n;
    bench_sample items[2 * SUBJECTS];
} sample_list;

typedef struct timing {
    double first_ns, again_ns; /* the preprocessed root is not known, known */
} timing;

static pr_status check(const pr_verifier *verifier, const pr_writer *encoded, pr_error *err) {
    pr_hash hash = pr_blake2s_hash(encoded->data, encoded->size);
    pr_proof proof;
    pr_verdict verdict;
    (void)hash; /* a voter compares it with the one that was announced */
    if (pr_proof_decode(&proof, pr_verifier_layout(verifier), encoded->data, encoded->size) != PR_DECODE_OK)
        return pr_fail(err, PR_ERR_INTERNAL, "a proof does not decode");
    pr_status status = pr_verifier_run(verifier, &proof, &verdict, err);
    pr_proof_clear(&proof);
    if (status != PR_OK || verdict == PR_ACCEPTED) return status;
    return pr_fail(err, PR_ERR_INTERNAL, "a proof does not verify: %s", pr_verdict_text(verdict));
}

static pr_status verify_once(double *ns, const pr_job *job, const pr_params *params, const pr_writer *encoded,
                             pr_error *err) {
    pr_job *again = NULL;
    pr_verifier *verifier = NULL;
    uint64_t start = pr_clock_monotonic_ns();
    PR_TRY(pr_job_restore(&again, job->type, params, &bench_config, job->public_data.data, job->public_data.size, err));
    pr_status status = pr_verifier_create(&verifier, &again->statement, err);
    if (status == PR_OK) status = check(verifier, encoded, err);
    pr_verifier_destroy(verifier);
    pr_job_destroy(again);
    *ns = (double)(pr_clock_monotonic_ns() - start);
    return status;
}

static pr_status verify_often(timing *t, const pr_job *job, const pr_params *params, const pr_writer *encoded,
                              pr_error *err) {
    t->again_ns = INFINITY;
    PR_TRY(verify_once(&t->first_ns, job, params, encoded, err));
    for (int k = 0; k < REPEAT; k++) {
        double ns;
        PR_TRY(verify_once(&ns, job, params, encoded, err));
        t->again_ns = fmin(t->again_ns, ns);
    }
    return PR_OK;
}

static pr_status prove(pr_writer *encoded, const pr_job *job, const bench_options *o, pr_error *err) {
    const pr_prover_options options = {.backend = o->backend, .n_threads = 1};
    const pr_trace_source source = {(void *)(uintptr_t)job, pr_job_fills_storage(job), pr_job_fill_trace};
    pr_prover *prover = NULL;
    pr_proof proof = {0};
    PR_TRY(pr_prover_create(&prover, &job->layout, &options, err));
    pr_status status = pr_prover_run(prover, &proof, &source, NULL, NULL, NULL, err);
    if (status == PR_OK) status = pr_proof_encode(encoded, &proof, &job->layout);
    pr_proof_clear(&proof);
    pr_prover_destroy(prover);
    return status;
}

static void add_samples(sample_list *l, const timing *t, const pr_job *job, size_t bytes) {
    pr_proof_shape s = pr_proof_shape_of_layout(&job->layout);
    double root_ns = t->first_ns - t->again_ns;
    l->items[l->n++] = (bench_sample){.x = {[BYTE] = (double)bytes,
                                            [NODE] = (double)(s.n_nodes + s.n_columns),
                                            [VALUE] = (double)s.n_values,
                                            [ATTEMPT] = 1},
                                      .ns = t->again_ns};
    if (s.root_steps && root_ns > 0) l->items[l->n++] = (bench_sample){.x[ROOT] = (double)s.root_steps, .ns = root_ns};
    printf(
        "{\"bench\":\"calibrate\",\"type\":\"%s\",\"proof_bytes\":%zu,\"first_verify_ms\":%.3f,\"verify_ms\":%.3f}\n",
        job->type->name, bytes, t->first_ns / 1e6, t->again_ns / 1e6);
    fflush(stdout);
}

static pr_status measure_job(sample_list *samples, const pr_job *job, const pr_params *params, const bench_options *o,
                             pr_error *err) {
    pr_writer encoded;
    timing t = {0};
    pr_writer_init(&encoded);
    pr_status status = prove(&encoded, job, o, err);
    if (status == PR_OK) status = verify_often(&t, job, params, &encoded, err);
    if (status == PR_OK) add_samples(samples, &t, job, encoded.size);
    pr_writer_clear(&encoded);
    return status;
}

static pr_status measure_subject(sample_list *samples, const char *type, const pr_params *params,
                                 const bench_options *o, pr_error *err) {
    pr_job *job = NULL;
    PR_TRY(pr_job_create(&job, pr_app_job_type(type), params, &bench_config, err));
    pr_status status = measure_job(samples, job, params, o, err);
    pr_job_destroy(job);
    return status;
}

pr_status bench_measure_verification(pr_verify_costs *out, const bench_options *o, pr_error *err) {
    static const pr_param many[] = {{"log_rows", "14"}, {"columns", "100"}},
                          few[] = {{"log_rows", "4"}, {"columns", "8"}};
    const pr_job_type *vm = pr_app_job_type("vm"), *tree = pr_app_job_type("poseidon2_merkle");
    const struct subject {
        const char *type;
        pr_params params;
    } subjects[SUBJECTS] = {{"wide_fibonacci", {".", 2, few}},
                            {"wide_fibonacci", {".", 2, many}},
                            {"vm", {".", vm->n_example, vm->example}},
                            {"poseidon2_merkle", {".", tree->n_example, tree->example}}};
    sample_list samples = {.n = 0};
    for (int k = 0; k < SUBJECTS; k++) PR_TRY(measure_subject(&samples, subjects[k].type, &subjects[k].params, o, err));
    double *const constants[CONSTANTS] = {[BYTE] = &out->byte_ns,
                                          [NODE] = &out->node_ns,
                                          [VALUE] = &out->value_ns,
                                          [ROOT] = &out->root_ns,
                                          [ATTEMPT] = &out->attempt_ns};
    bench_fit(constants, CONSTANTS, samples.items, samples.n);
    return PR_OK;
}
