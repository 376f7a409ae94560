/* Sampling, quotients and interaction columns, the best of several runs, a JSON object a line.
 *      bench_cpu_sample [LOG_ROWS [COLUMNS [THREADS]]] */
#include "base/clock.h"
#include "circle/circle.h"
#include "fixture.h"

#define REPEATS 5
#define MAX_COLUMNS 512

typedef struct bench_case {
    const pr_backend *ops;
    uint32_t n, n_cols;
    unsigned n_threads;
    fixture f;
    pr_col cols[MAX_COLUMNS], dst[4];
    uint64_t state;
} bench_case;

static pr_secure_point random_point(uint64_t *state) {
    pr_secure_point p;
    if (!pr_secure_point_from_t(&p, fixture_qm31(state))) abort();
    return p;
}

static void run_sample(bench_case *b) {
    static pr_qm31 out[MAX_COLUMNS];
    pr_secure_point point = random_point(&b->state);
    if (b->ops->sample(b->f.dev, out, b->cols, b->n_cols, 1, &point, 1, NULL) != PR_OK) abort();
}

static void run_quotients(bench_case *b) {
    pr_qm31 coeffs[MAX_COLUMNS];
    for (uint32_t k = 0; k < b->n_cols; k++) coeffs[k] = fixture_qm31(&b->state);
    pr_quotient_group group = {random_point(&b->state), b->n_cols, b->cols, coeffs, coeffs[0], coeffs[1]};
    if (b->ops->quotients(b->f.dev, b->dst, 1, &group, 1, NULL) != PR_OK) abort();
}

/* One lookup of three values over the trace domain, one batch. */
static void run_logup(bench_case *b) {
    pr_insn insns[] = {{PR_OP_LOOKUP, 3, 0, 0}, {PR_OP_ARG, 1, 2, 3}, {PR_OP_BATCH_END, 0, 0, 0}};
    pr_input inputs[4] = {{0}};
    pr_program program = {.n_inputs = 4, .n_insns = 3, .n_batches = 1, .inputs = inputs, .insns = insns};
    pr_qm31 z = fixture_qm31(&b->state), alpha = fixture_qm31(&b->state), claimed;
    pr_col small[8];
    for (uint32_t k = 0; k < 8; k++) small[k] = (pr_col){k < 4 ? b->cols[k].offset : b->dst[k - 4].offset, b->n};
    pr_logup args = {&program, b->n, small, &z, &alpha, small + 4, &claimed};
    if (b->ops->logup(b->f.dev, &args, 1, NULL) != PR_OK) abort();
}

static void bench(bench_case *b, const char *name, void (*run)(bench_case *)) {
    double best = 1e9;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        uint64_t start = pr_clock_monotonic_ns();
        run(b);
        double t = (double)(pr_clock_monotonic_ns() - start) * 1e-9;
        best = t < best ? t : best;
    }
    printf("{\"bench\": \"%s\", \"isa\": \"%s\", \"log_rows\": %u, \"columns\": %u, \"threads\": %u, \"s\": %.6f}\n",
           name, b->ops->name, b->n, b->n_cols, b->n_threads, best);
}

int main(int argc, char **argv) {
    static bench_case b;
    b.n = argc > 1 ? (uint32_t)atoi(argv[1]) : 18;
    b.n_cols = argc > 2 ? (uint32_t)atoi(argv[2]) : 100;
    b.n_threads = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
    if (b.n < 4 || b.n > 24 || b.n_cols < 4 || b.n_cols > MAX_COLUMNS || b.n_threads < 1) return 2;
    for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) {
        b.ops = *ops;
        fixture_open_needs(&b.f, b.ops,
                           (pr_device_needs){.n_threads = b.n_threads,
                                             .arena_bytes = ((size_t)b.n_cols + 4) * (((size_t)8 << b.n) + 128),
                                             .max_log_rows = b.n + 1,
                                             .max_inputs = 4,
                                             .max_lookup_values = 3,
                                             .max_lookup_log_rows = b.n,
                                             .n_lookup_components = 1});
        for (uint32_t k = 0; k < b.n_cols; k++) {
            pr_m31 *values = fixture_values(&b.state, (size_t)2 << b.n);
            fixture_upload(&b.f, b.cols[k] = fixture_col(&b.f, b.n + 1), values);
            free(values);
        }
        for (int k = 0; k < 4; k++) b.dst[k] = fixture_col(&b.f, b.n + 1);
        bench(&b, "sample", run_sample);
        bench(&b, "quotients", run_quotients);
        bench(&b, "logup", run_logup);
        fixture_close(&b.f);
    }
    return 0;
}
