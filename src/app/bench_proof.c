/* Whole proofs: the yardstick, Poseidon2 permutations by way of poseidon2_merkle, and the jobs of a manifest. */
#include "app/bench.h"
#include "base/clock.h"
#include "job/job.h"
#include "manifest/manifest.h"
#include "verify/verify.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void json_digest(char hex[65], size_t *bytes, const pr_proof *proof, const pr_layout *layout) {
    pr_writer w;
    pr_writer_init(&w);
    hex[0] = 0;
    if (pr_proof_write_json(&w, proof, layout) == PR_OK) {
        pr_hash h = pr_blake2s_hash(w.data, w.size);
        pr_hex_encode(hex, h.bytes, 32);
    }
    *bytes = w.size;
    pr_writer_clear(&w);
}

/* One repetition. */
typedef struct measured {
    pr_stage_times stages;
    uint64_t process_ns, verify_ns; /* processor time of proving; time of verifying */
    pr_verdict verdict;
} measured;

static pr_status print_result(const bench_subject *s, const bench_options *o, uint64_t k, const pr_prover *prover,
                              const measured *m, const bench_counts *counts, const pr_proof *proof, pr_error *err) {
    const pr_stage_times *t = &m->stages;
    const pr_config *config = &s->layout->statement->config;
    char hex[65];
    size_t bytes;
    json_digest(hex, &bytes, proof, s->layout);
    printf("{\"bench\":\"%s\"", s->name);
    if (s->id) printf(",\"id\":\"%s\"", s->id);
    if (s->create_ns)
        printf(",\"create_ms\":%.3f,\"create_processor_ms\":%.3f", (double)s->create_ns / 1e6,
               (double)s->create_process_ns / 1e6);
    printf(",\"repetition\":%" PRIu64 ",\"fresh_memory\":%s,\"log_rows\":%u"
           ",\"columns\":%u,\"queries\":%u,\"pow_bits\":%u,\"threads\":%u,\"backend\":\"%s\",\"instructions\":\"%s\","
           "\"prove_ms\":%.3f,"
           "\"processor_ms\":%.3f",
           k, k ? "false" : "true", s->layout->log_max_rows, s->layout->trees[1].n_columns, config->n_queries,
           config->pow_bits, o->threads ? (unsigned)o->threads : pr_cpu_count(), o->backend->name,
           pr_isa_name(pr_cpu_isa()), (double)t->total_ns / 1e6, (double)m->process_ns / 1e6);
    for (int i = 0; i < PR_STAGE_COUNT; i++)
        printf(",\"%s_ms\":%.3f", pr_stage_name((pr_stage)i), (double)t->ns[i] / 1e6);
    bench_counts_print(counts);
    if (s->units > 0) printf(",\"units_per_second\":%.0f", s->units * 1e9 / (double)t->total_ns);
    printf(",\"verify_ms\":%.3f,\"accepted\":%s,\"planned_bytes\":%zu,\"far_bytes\":%zu,\"peak_rss_bytes\":%" PRIu64
           ",\"proof_json_bytes\":%zu,\"proof_json_blake2s\":\"%s\",\"conjectured_bits\":%.0f,\"insecure_parameters\":%"
           "s}\n",
           (double)m->verify_ns / 1e6, m->verdict == PR_ACCEPTED ? "true" : "false",
           pr_prover_get_plan(prover)->total_bytes, pr_prover_get_plan(prover)->far_bytes, pr_peak_rss_bytes(), bytes,
           hex, s->layout->security.conjectured_bits, s->layout->security.insecure ? "true" : "false");
    fflush(stdout);
    return m->verdict == PR_ACCEPTED
               ? PR_OK
               : pr_fail(err, PR_ERR_INTERNAL, "the proof does not verify: %s", pr_verdict_text(m->verdict));
}

/* least_ns: of the repetitions. */
static pr_status repeat(const bench_subject *s, const bench_options *o, pr_prover *prover, const pr_verifier *verifier,
                        uint64_t *least_ns, pr_error *err) {
    *least_ns = UINT64_MAX;
    double copy_rate;
    PR_TRY(bench_copy_rate(&copy_rate, prover, o->backend, err));
    for (uint64_t k = 0; k < o->repeat; k++) {
        pr_proof proof = {0};
        measured m = {.verdict = PR_ACCEPTED};
        bench_counts counts;
        bench_counts_begin(&counts, prover, o->backend, copy_rate);
        uint64_t process = pr_clock_process_ns();
        PR_TRY(pr_prover_run(prover, &proof, &s->source, &m.stages, NULL, NULL, err));
        m.process_ns = pr_clock_process_ns() - process;
        bench_counts_end(&counts);
        if (m.stages.total_ns < *least_ns) *least_ns = m.stages.total_ns;
        uint64_t start = pr_clock_monotonic_ns();
        pr_status status = pr_verifier_run(verifier, &proof, &m.verdict, err);
        m.verify_ns = pr_clock_monotonic_ns() - start;
        if (status == PR_OK) status = print_result(s, o, k, prover, &m, &counts, &proof, err);
        pr_proof_clear(&proof);
        PR_TRY(status);
    }
    return PR_OK;
}

/* Points in time of proofs in a row. */
typedef struct steady_times {
    uint64_t first_ns, last_ns, longest_ns; /* ends; the longest from one end to the next */
} steady_times;

/* The last proof stays in proof. */
static pr_status prove_in_a_row(const bench_subject *s, uint64_t n, pr_prover *prover, pr_proof *proof, steady_times *t,
                                pr_error *err) {
    for (uint64_t k = 0; k < n; k++) {
        if (k) pr_proof_clear(proof);
        PR_TRY(pr_prover_run(prover, proof, &s->source, NULL, NULL, NULL, err));
        uint64_t now = pr_clock_monotonic_ns();
        if (k == 0) t->first_ns = t->last_ns = now;
        if (now - t->last_ns > t->longest_ns) t->longest_ns = now - t->last_ns;
        t->last_ns = now;
    }
    return PR_OK;
}

static void print_steady(const bench_subject *s, const bench_options *o, const pr_plan *plan, const steady_times *t,
                         uint64_t single_ns) {
    const double interval_ns = (double)(t->last_ns - t->first_ns) / (double)(o->steady - 1);
    printf("{\"bench\":\"%s\"", s->name);
    if (s->id) printf(",\"id\":\"%s\"", s->id);
    printf(",\"steady\":%" PRIu64 ",\"log_rows\":%u,\"columns\":%u,\"backend\":\"%s\","
           "\"proofs_per_second\":%.3f,\"interval_ms\":%.3f,\"longest_interval_ms\":%.3f,\"single_ms\":%.3f,"
           "\"accepted\":true,\"planned_bytes\":%zu,\"pinned_bytes\":%zu,\"device_bytes\":%zu}\n",
           o->steady, s->layout->log_max_rows, s->layout->trees[1].n_columns, o->backend->name, 1e9 / interval_ns,
           interval_ns / 1e6, (double)t->longest_ns / 1e6, (double)single_ns / 1e6, plan->total_bytes,
           plan->pinned_bytes, plan->device_bytes);
}

static pr_status prove_steadily(const bench_subject *s, const bench_options *o, pr_prover *prover,
                                const pr_verifier *verifier, uint64_t single_ns, pr_error *err) {
    pr_proof proof = {0};
    pr_verdict verdict = PR_ACCEPTED;
    steady_times t = {0};
    for (int k = 0; k < BENCH_WARM_UP; k++) {
        PR_TRY(pr_prover_run(prover, &proof, &s->source, NULL, NULL, NULL, err));
        pr_proof_clear(&proof);
    }
    PR_TRY(prove_in_a_row(s, o->steady, prover, &proof, &t, err));
    pr_status status = pr_verifier_run(verifier, &proof, &verdict, err);
    pr_proof_clear(&proof);
    PR_TRY(status);
    if (verdict != PR_ACCEPTED)
        return pr_fail(err, PR_ERR_INTERNAL, "the last proof does not verify: %s", pr_verdict_text(verdict));
    print_steady(s, o, pr_prover_get_plan(prover), &t, single_ns);
    return PR_OK;
}

/* A single proof has its preprocessed tree to make; those of one prover in a row have it but once. */
static pr_prover_options prover_options(const bench_options *o, const pr_hash *air_digest) {
    return (pr_prover_options){.backend = o->backend,
                               .n_threads = (unsigned)o->threads,
                               .max_device_bytes = o->device_bytes,
                               .air_digest = air_digest};
}

static pr_status bench_steady(const bench_subject *s, const bench_options *o, const pr_verifier *verifier,
                              uint64_t single_ns, pr_error *err) {
    const pr_hash digest = pr_air_digest(s->layout->statement->air);
    const pr_prover_options options = prover_options(o, &digest);
    pr_prover *prover = NULL;
    pr_status status = pr_prover_create(&prover, s->layout, &options, err);
    if (status == PR_OK) status = prove_steadily(s, o, prover, verifier, single_ns, err);
    pr_prover_destroy(prover);
    return status;
}

static pr_status prove_subject(const bench_subject *s, const bench_options *o, pr_error *err) {
    const pr_prover_options options = prover_options(o, NULL);
    uint64_t least_ns = 0;
    pr_prover *prover = NULL;
    pr_verifier *verifier = NULL;
    pr_status status = pr_prover_create(&prover, s->layout, &options, err);
    if (status == PR_OK) status = pr_verifier_create(&verifier, s->layout->statement, err);
    if (status == PR_OK) status = repeat(s, o, prover, verifier, &least_ns, err);
    pr_prover_destroy(prover);
    if (status == PR_OK && o->steady && !o->provers) status = bench_steady(s, o, verifier, least_ns, err);
    pr_verifier_destroy(verifier);
    return status == PR_OK && o->provers ? bench_side_by_side(s, o, err) : status;
}

typedef struct fibonacci {
    const pr_job_type *type;
    pr_job_instance *instance;
} fibonacci;

static pr_config config_of(const bench_options *o) {
    return (pr_config){.pow_bits = (uint32_t)o->pow_bits,
                       .log_blowup = (uint32_t)o->log_blowup,
                       .n_queries = (uint32_t)o->queries,
                       .fold_step = (uint32_t)o->fold_step,
                       .lifting_log_size = -1};
}

/* Row i of the formula goes to storage slot i, not to row i: so stand the values in the reference's benchmark, and a
 * constraint that reads one row holds in any order. */
static pr_status fill_fibonacci(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                                pr_error *err) {
    const fibonacci *f = context;
    return f->type->trace(f->instance, component, columns, PR_JOB_ROW_ORDER, n_threads, err);
}

static pr_status prove_fibonacci(const fibonacci *f, const bench_options *o, pr_error *err) {
    const pr_config config = config_of(o);
    pr_statement st;
    pr_layout layout;
    PR_TRY(pr_statement_init(&st, f->type->air(f->instance), &config, err)); /* the digest stays zero */
    pr_status status = pr_layout_init(&layout, &st, err);
    if (status == PR_OK) {
        bench_subject s = {.name = "wide-fibonacci", .layout = &layout, .source = {(void *)f, true, fill_fibonacci}};
        status = prove_subject(&s, o, err);
        pr_layout_clear(&layout);
    }
    pr_statement_clear(&st);
    return status;
}

pr_status bench_wide_fibonacci(const bench_options *o, pr_error *err) {
    char log_rows[24], columns[24];
    snprintf(log_rows, sizeof log_rows, "%" PRIu64, o->log_rows);
    snprintf(columns, sizeof columns, "%" PRIu64, o->columns);
    const pr_param items[] = {{"log_rows", log_rows}, {"columns", columns}, {"seed", "7"}};
    pr_params params = {".", 3, items};
    fibonacci f = {pr_app_job_type("wide_fibonacci"), NULL};
    PR_TRY(pr_params_check(f.type, &params, NULL, err));
    PR_TRY(pr_instance_create(&f.instance, f.type, &params, err));
    pr_status status = prove_fibonacci(&f, o, err);
    pr_instance_destroy(f.type, f.instance);
    return status;
}

/* Numbers of one digit between blanks; what the values are costs nothing. */
static char *write_values(size_t n) {
    char *text = malloc(2 * n + 1);
    for (size_t k = 0; text && k < n; k++)
        text[2 * k] = (char)('0' + (k * 2654435761u >> 13) % 10), text[2 * k + 1] = ' ';
    if (text) text[2 * n] = 0;
    return text;
}

pr_status bench_create_permutations(pr_job **job, uint64_t log_rows, const pr_config *config, pr_error *err) {
    enum { VALUES_A_ROW = 8 };
    char *values = write_values((size_t)VALUES_A_ROW << log_rows);
    if (!values) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the input of the benchmark");
    const pr_param items[] = {{"input", values}};
    const pr_params params = {".", 1, items};
    pr_status status = pr_job_create(job, pr_app_job_type("poseidon2_merkle"), &params, config, err);
    free(values);
    return status;
}

pr_status bench_poseidon2(const bench_options *o, pr_error *err) {
    const pr_config config = config_of(o);
    pr_job *job = NULL;
    PR_TRY(bench_create_permutations(&job, o->log_rows, &config, err));
    bench_subject s = {.name = "poseidon2",
                       .layout = &job->layout,
                       .source = {job, pr_job_fills_storage(job), pr_job_fill_trace},
                       .units = (double)(UINT64_C(1) << o->log_rows)};
    pr_status status = prove_subject(&s, o, err);
    pr_job_destroy(job);
    return status;
}

static pr_status bench_job(const pr_manifest_job *m, const bench_options *o, pr_error *err) {
    pr_job *job = NULL;
    uint64_t start = pr_clock_monotonic_ns(), process = pr_clock_process_ns();
    PR_TRY(pr_job_create(&job, m->type, &m->params, &m->config, err));
    bench_subject s = {.create_ns = pr_clock_monotonic_ns() - start,
                       .create_process_ns = pr_clock_process_ns() - process,
                       .name = m->type->name,
                       .id = m->id,
                       .layout = &job->layout,
                       .source = {job, pr_job_fills_storage(job), pr_job_fill_trace}};
    pr_status status = prove_subject(&s, o, err);
    pr_job_destroy(job);
    return status;
}

pr_status bench_jobs(const bench_options *o, pr_error *err) {
    pr_manifest m;
    if (!o->manifest) return pr_fail(err, PR_ERR_USAGE, "bench jobs needs a manifest; see proverun bench --help");
    PR_TRY(pr_manifest_load(&m, o->manifest, pr_job_types, NULL, err));
    pr_status status = PR_OK;
    for (size_t k = 0; status == PR_OK && k < m.n_jobs; k++) status = bench_job(&m.jobs[k], o, err);
    pr_manifest_clear(&m);
    return status;
}
