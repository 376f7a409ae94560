/* Options of `proverun bench`, shared by its files. */
#ifndef PR_APP_BENCH_H
#define PR_APP_BENCH_H
#include "app/app.h"

typedef struct bench_options {
    uint64_t log_rows, columns, repeat, threads, queries, pow_bits, fold_step, log_blowup;
    const pr_backend *backend;
} bench_options;

pr_status bench_wide_fibonacci(const bench_options *o, pr_error *err);
pr_status bench_poseidon2(const bench_options *o, pr_error *err);
pr_status bench_fft(const bench_options *o, pr_error *err);
pr_status bench_merkle(const bench_options *o, pr_error *err);
pr_status bench_field(const bench_options *o, pr_error *err);
/* Print one line each. */
pr_status bench_felt252(pr_error *err);
pr_status bench_ecdsa(pr_error *err);
#endif
