/* What proofs cost on this machine: a few proofs of different shapes on one thread, and the constants of the estimates'
 * model fitted to them (manifest/calibration.h). */
#include "app/bench.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "cluster/run_file.h"
#include "cpu/cpu_backend.h"
#include "job/job.h"
#include "manifest/calibration.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Few and many columns, so that cells and rows can be told apart; few rows, for what every attempt costs; and one AIR
 * whose constraints are heavy. */
static const struct shape {
    const char *log_rows, *columns; /* of wide_fibonacci; NULL: poseidon2_merkle of 2^TREE_LOG_ROWS rows */
} shapes[] = {{"8", "8"}, {"14", "100"}, {"16", "8"}, {"16", "64"}, {"18", "8"}, {NULL, NULL}};
enum {
    N_SHAPES = sizeof shapes / sizeof *shapes,
    TREE_LOG_ROWS = 13,
    PARALLEL_SHAPE = 3,
    GRINDS = 32,
    GRIND_BITS = 16
};

enum { CELL, ROW, ATTEMPT, CONSTANTS };

const pr_config bench_config = {.log_blowup = 1, .n_queries = 70, .fold_step = 1, .lifting_log_size = -1};

/* From mapping to the compressed proof's input: what a prover child does behind reading. */
static pr_status time_once(double *ns, const pr_job *job, const bench_options *o, unsigned n_threads, pr_error *err) {
    pr_prover_options options = {.backend = o->backend, .n_threads = n_threads};
    pr_trace_source source = {(void *)job, pr_job_fills_storage(job), pr_job_fill_trace};
    pr_prover *prover = NULL;
    pr_proof proof = {0};
    uint64_t start = pr_clock_monotonic_ns();
    pr_status status = pr_prover_create(&prover, &job->layout, &options, err);
    if (status == PR_OK) status = pr_prover_run(prover, &proof, &source, NULL, NULL, NULL, err);
    *ns = (double)(pr_clock_monotonic_ns() - start);
    pr_proof_clear(&proof);
    pr_prover_destroy(prover);
    return status;
}

static pr_status time_job(double *least_ns, const pr_job *job, const bench_options *o, unsigned n_threads,
                          pr_error *err) {
    *least_ns = INFINITY;
    for (uint64_t k = 0; k < o->repeat; k++) {
        double ns;
        PR_TRY(time_once(&ns, job, o, n_threads, err));
        if (ns < *least_ns) *least_ns = ns;
    }
    return PR_OK;
}

static pr_status create_fibonacci(pr_job **job, const struct shape *s, pr_error *err) {
    const pr_param items[] = {{"log_rows", s->log_rows}, {"columns", s->columns}, {"seed", "7"}};
    const pr_params params = {".", 3, items};
    return pr_job_create(job, pr_app_job_type("wide_fibonacci"), &params, &bench_config, err);
}

/* many_ns: the same with all threads; NULL: not wanted. */
static pr_status measure_shape(bench_sample *out, double *many_ns, unsigned n_threads, const struct shape *s,
                               const bench_options *o, pr_error *err) {
    pr_job *job = NULL;
    PR_TRY(s->log_rows ? create_fibonacci(&job, s, err)
                       : bench_create_permutations(&job, TREE_LOG_ROWS, &bench_config, err));
    pr_job_size size = pr_job_size_of_layout(&job->layout);
    *out = (bench_sample){.x = {(double)size.cells, (double)(UINT64_C(1) << size.log_rows), 1}};
    pr_status status = time_job(&out->ns, job, o, 1, err);
    if (status == PR_OK && many_ns) status = time_job(many_ns, job, o, n_threads, err);
    if (status == PR_OK) {
        printf("{\"bench\":\"calibrate\",\"type\":\"%s\",\"cells\":%" PRIu64 ",\"log_rows\":%u,\"threads\":1,"
               "\"prove_ms\":%.3f}\n",
               job->type->name, size.cells, size.log_rows, out->ns / 1e6);
        fflush(stdout);
    }
    pr_job_destroy(job);
    return status;
}

static double time_by(double *const *constants, int n_constants, const bench_sample *s) {
    double ns = 0;
    for (int k = 0; k < n_constants; k++) ns += s->x[k] * *constants[k];
    return ns;
}

/* Each in turn takes its best value, until none moves. */
void bench_fit(double *const *constants, int n_constants, const bench_sample *samples, int n) {
    enum { ROUNDS = 20000 };
    for (int k = 0; k < n_constants; k++) *constants[k] = 0;
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < n_constants; k++) {
            double wanted = 0, squares = 0;
            *constants[k] = 0;
            for (int i = 0; i < n; i++) {
                double weight = samples[i].x[k] / samples[i].ns;
                wanted += weight * (1 - time_by(constants, n_constants, &samples[i]) / samples[i].ns);
                squares += weight * weight;
            }
            *constants[k] = squares > 0 ? fmax(wanted / squares, 0) : 0;
        }
}

static double worst_error(double *const *constants, const bench_sample *samples) {
    double worst = 0;
    for (int i = 0; i < N_SHAPES; i++)
        worst = fmax(worst, fabs(time_by(constants, CONSTANTS, &samples[i]) / samples[i].ns - 1));
    return worst;
}

/* Nanoseconds a nonce. Nonces are tried from 0 on, and below 2^20 in the order of the integers. */
static pr_status measure_grind(double *ns, const bench_options *o, pr_error *err) {
    pr_device_needs needs = {
        .n_threads = 1, .arena_bytes = 4096, .max_log_rows = 5, .max_columns = 1, .max_sample_log_rows = 4};
    pr_device *dev = NULL;
    PR_TRY(o->backend->device_create(&dev, &needs, err));
    double tries = 0;
    pr_status status = PR_OK;
    uint64_t start = pr_clock_monotonic_ns();
    for (uint32_t k = 0; status == PR_OK && k < GRINDS; k++) {
        uint64_t nonce = 0;
        pr_hash prefix = pr_blake2s_hash(&k, sizeof k);
        status = o->backend->grind(dev, &nonce, &prefix, GRIND_BITS, err);
        tries += (double)nonce + 1;
    }
    *ns = (double)(pr_clock_monotonic_ns() - start) / tries;
    o->backend->device_destroy(dev);
    return status;
}

static pr_status measure(pr_calibration *c, const bench_options *o, pr_error *err) {
    bench_sample samples[N_SHAPES];
    double many_ns = 0;
    unsigned n_threads = o->threads ? (unsigned)o->threads : pr_cpu_count();
    for (int i = 0; i < N_SHAPES; i++)
        PR_TRY(measure_shape(&samples[i], i == PARALLEL_SHAPE ? &many_ns : NULL, n_threads, &shapes[i], o, err));
    double *const constants[CONSTANTS] = {
        [CELL] = &c->costs.cell_ns, [ROW] = &c->costs.row_ns, [ATTEMPT] = &c->costs.attempt_ns};
    bench_fit(constants, CONSTANTS, samples, N_SHAPES);
    c->worst_error = worst_error(constants, samples);
    double alone = samples[PARALLEL_SHAPE].ns - c->costs.attempt_ns, shared = many_ns - c->costs.attempt_ns;
    c->costs.parallel = n_threads < 2 ? 1 : fmin(fmax((alone / fmax(shared, 1) - 1) / (n_threads - 1), 0), 1);
    PR_TRY(measure_grind(&c->costs.grind_ns, o, err));
    return bench_measure_verification(&c->costs.verify, o, err);
}

/* out has room for PR_CALIBRATION_PATH_BYTES. */
static pr_status output_path(char *out, const bench_options *o, pr_error *err) {
    if (o->output && strlen(o->output) < PR_CALIBRATION_PATH_BYTES) return strcpy(out, o->output), PR_OK;
    if (!o->output && pr_calibration_path(out)) return PR_OK;
    return pr_fail(err, PR_ERR_USAGE,
                   "no place for the file; allowed: --output FILE, or PROVERUN_CALIBRATION or HOME "
                   "in the environment");
}

static pr_status save(const pr_calibration *c, const char *path, pr_error *err) {
    pr_writer w;
    PR_TRY(pr_file_make_folders_above(path, err));
    pr_writer_init(&w);
    pr_calibration_write(&w, c);
    pr_status status = w.failed ? pr_fail(err, PR_ERR_MEMORY, "no memory for the calibration")
                                : pr_file_write_atomic(path, w.data, w.size, 0644, err);
    pr_writer_clear(&w);
    return status;
}

pr_status bench_calibrate(const bench_options *o, pr_error *err) {
    char path[PR_CALIBRATION_PATH_BYTES];
    pr_calibration c = {0};
    if (o->backend != pr_cpu_best())
        return pr_fail(err, PR_ERR_USAGE, "backend %s; allowed: %s, for estimates are made for the processor's best",
                       o->backend->name, pr_cpu_best()->name);
    PR_TRY(output_path(path, o, err));
    pr_cpu_model(c.processor, sizeof c.processor);
    snprintf(c.instructions, sizeof c.instructions, "%s", pr_isa_name(pr_cpu_isa()));
    pr_clock_iso8601(c.measured, pr_clock_wall_ns());
    PR_TRY(measure(&c, o, err));
    PR_TRY(save(&c, path, err));
    printf("{\"bench\":\"calibrate\",\"file\":");
    pr_app_print_json_text(path);
    printf(",\"cell_ns\":%.4g,\"row_ns\":%.4g,\"grind_ns\":%.4g,\"attempt_ns\":"
           "%.4g,\"parallel\":%.3f,\"worst_error\":%.3f",
           c.costs.cell_ns, c.costs.row_ns, c.costs.grind_ns, c.costs.attempt_ns, c.costs.parallel, c.worst_error);
    printf(",\"verify_byte_ns\":%.4g,\"verify_node_ns\":%.4g,\"verify_value_ns\":%.4g,\"verify_root_ns\":%.4g,\"verify_"
           "attempt_ns\":%.4g}\n",
           c.costs.verify.byte_ns, c.costs.verify.node_ns, c.costs.verify.value_ns, c.costs.verify.root_ns,
           c.costs.verify.attempt_ns);
    return PR_OK;
}
