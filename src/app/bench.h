/* Options of `proverun bench`, shared by its files. */
#ifndef PR_APP_BENCH_H
#define PR_APP_BENCH_H
#include "app/app.h"
#include "cuda/cuda_backend.h"
#include "job/job.h"
#include "job/proof_cost.h"

typedef struct bench_options {
    uint64_t log_rows, columns, repeat, threads, queries, pow_bits, fold_step, log_blowup;
    uint64_t steady;     /* proofs in a row; 0: none */
    uint64_t provers;    /* at a time, of these; 0: one, in no thread of its own */
    size_t device_bytes; /* limit; 0: none */
    const pr_backend *backend;
    const char *output;   /* of calibrate; NULL: where estimates look for it */
    const char *manifest; /* of jobs; NULL: none given */
} bench_options;

/* One statement proven again and again. */
typedef struct bench_subject {
    const char *name, *id; /* id: of a job; NULL: not shown */
    const pr_layout *layout;
    pr_trace_source source;                /* any thread may call it */
    double units;                          /* permutations a proof; 0: not shown */
    uint64_t create_ns, create_process_ns; /* what making the job took, and its processor time; 0: not shown */
} bench_subject;
/* o->steady proofs by o->provers at a time; prints a line. */
enum {
    BENCH_MOST_PROVERS = 8,
    BENCH_WARM_UP = 2 /* proofs of each: what is launched as a graph is captured in the second one */
};
pr_status bench_side_by_side(const bench_subject *s, const bench_options *o, pr_error *err);

/* What each stage of a proof took: processor time, the device's own figures, and with cuda-emu what its kernels did. */
typedef struct bench_counts {
    bool is_counted;       /* kernels are */
    const pr_meter *meter; /* NULL: the device tells nothing */
    double copy_rate;      /* of the device, bytes a second */
    pr_device_times device;
    pr_stage stage; /* that runs; PR_STAGE_COUNT: none yet */
    uint64_t cpu_before, cpu_ns[PR_STAGE_COUNT];
    pr_cuda_counts before, stages[PR_STAGE_COUNT];
} bench_counts;
/* Without a prover: whoever runs operations says which stage begins. The device's own figures are not read then. */
void bench_counts_open(bench_counts *counts, const pr_backend *backend);
void bench_counts_stage(bench_counts *counts, pr_stage stage);
/* Before each proof. copy_rate: what bench_copy_rate found. */
void bench_counts_begin(bench_counts *counts, pr_prover *prover, const pr_backend *backend, double copy_rate);
/* Before all of them; 0 where the backend cannot tell. */
pr_status bench_copy_rate(double *copy_rate, pr_prover *prover, const pr_backend *backend, pr_error *err);
void bench_counts_end(bench_counts *counts);         /* behind it */
void bench_counts_print(const bench_counts *counts); /* as fields of a JSON object */

pr_status bench_wide_fibonacci(const bench_options *o, pr_error *err);
pr_status bench_poseidon2(const bench_options *o, pr_error *err);
pr_status bench_jobs(const bench_options *o, pr_error *err);
pr_status bench_fft(const bench_options *o, pr_error *err);
pr_status bench_merkle(const bench_options *o, pr_error *err);
pr_status bench_commit(const bench_options *o, pr_error *err);
pr_status bench_grind(const bench_options *o, pr_error *err);
pr_status bench_field(const bench_options *o, pr_error *err);
pr_status bench_calibrate(const bench_options *o, pr_error *err);
/* A job of poseidon2_merkle that fills 2^log_rows rows, a permutation each. */
pr_status bench_create_permutations(pr_job **job, uint64_t log_rows, const pr_config *config, pr_error *err);
/* A device for columns and trees of so many words, in domains of up to 2^log_domain. */
pr_status bench_open_device(pr_device **dev, const bench_options *o, uint32_t log_domain, size_t words, pr_error *err);
/* Random values for columns of one size. */
pr_status bench_fill_random(const pr_backend *ops, pr_device *dev, const pr_col *cols, size_t n, pr_error *err);
/* 70 queries and no work, as a benchmark's proofs have. */
extern const pr_config bench_config;
/* A sum of products, x by constants, that was measured to be ns. */
typedef struct bench_sample {
    double x[5], ns;
} bench_sample;
/* Sets the n_constants (up to 5) constants: least squares of the relative errors, none below zero. */
void bench_fit(double *const *constants, int n_constants, const bench_sample *samples, int n);
/* Prints a line for each proof that it verifies. */
pr_status bench_measure_verification(pr_verify_costs *out, const bench_options *o, pr_error *err);
/* Print one line each. */
pr_status bench_felt252(pr_error *err);
pr_status bench_ecdsa(pr_error *err);
#endif
