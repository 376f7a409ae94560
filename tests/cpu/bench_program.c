/* The interpreter against constraints written by hand: wide Fibonacci, the two alternating, the best of several runs.
 * A JSON object a line and instruction set.      bench_cpu_program [LOG_ROWS [COLUMNS [THREADS]]] */
#include "base/clock.h"
#include "bench_hand.h"
#include "cpu/device.h"
#include "fixture.h"

#define REPEATS 9
#define MAX_COLUMNS 512

typedef void hand_kernel(uint32_t *const out[4], const uint32_t *const *cols, size_t n_cols, const pr_qm31 *powers,
                         size_t rows, const pr_m31 inverse[2], int n_threads);

static pr_program wide_fibonacci(uint32_t n_cols) {
    static pr_air_column columns[MAX_COLUMNS];
    static pr_node nodes[4 * MAX_COLUMNS];
    static pr_air_constraint constraints[MAX_COLUMNS];
    pr_air_component c = {
        .name = "wide_fibonacci", .n_columns = n_cols, .columns = columns, .nodes = nodes, .constraints = constraints};
    pr_program program;
    for (uint32_t k = 0; k < n_cols; k++) {
        columns[k].n_offsets = 1;
        nodes[k] = (pr_node){PR_NODE_COL, k, 0};
        nodes[n_cols + k] = (pr_node){PR_NODE_MUL, k, k};
    }
    c.n_nodes = 2 * n_cols;
    for (uint32_t k = 2; k < n_cols; k++) {
        nodes[c.n_nodes++] = (pr_node){PR_NODE_ADD, n_cols + k - 2, n_cols + k - 1};
        nodes[c.n_nodes] = (pr_node){PR_NODE_SUB, k, c.n_nodes - 1};
        constraints[c.n_constraints++].node = c.n_nodes++;
    }
    if (pr_program_lower(&program, &c, PR_PROGRAM_FULL, NULL) != PR_OK) abort();
    return program;
}

static double seconds_since(uint64_t start) { return (double)(pr_clock_monotonic_ns() - start) * 1e-9; }

static void bench(const pr_backend *ops, hand_kernel *hand, uint32_t n, uint32_t n_cols, unsigned n_threads) {
    pr_program program = wide_fibonacci(n_cols);
    uint64_t state = 1, start;
    fixture f;
    pr_col cols[MAX_COLUMNS], inputs[MAX_COLUMNS];
    const uint32_t *hosts[MAX_COLUMNS];
    pr_qm31 powers[MAX_COLUMNS];
    uint32_t *out[2][4];
    double best[2] = {1e9, 1e9};
    pr_device_needs needs = {.n_threads = n_threads,
                             .max_log_rows = n + 1,
                             .max_slots = program.n_slots,
                             .max_inputs = program.n_inputs,
                             .max_constants = program.n_constants,
                             .arena_bytes = ((size_t)n_cols + 8) * (((size_t)8 << n) + 128)};
    fixture_open_needs(&f, ops, needs);
    for (uint32_t k = 0; k < n_cols; k++) {
        pr_m31 *values = fixture_values(&state, (size_t)2 << n);
        fixture_upload(&f, cols[k] = fixture_col(&f, n + 1), values);
        free(values);
        hosts[k] = pr_cpu_col(f.dev, cols[k]);
        powers[k] = fixture_qm31(&state);
    }
    for (uint32_t k = 0; k < program.n_inputs; k++) inputs[k] = cols[program.inputs[k].column];
    pr_compose args = {.program = &program, .log_rows = n, .log_blowup = 1, .inputs = inputs, .powers = powers};
    for (int k = 0; k < 4; k++) out[0][k] = pr_cpu_col(f.dev, args.out[k] = fixture_col(&f, n + 1));
    for (int k = 0; k < 4; k++) out[1][k] = pr_cpu_col(f.dev, fixture_col(&f, n + 1));
    pr_m31 inverse[2];
    for (uint32_t k = 0; k < 2; k++) inverse[k] = pr_m31_inverse(pr_vanishing(pr_domain_point(n + 1, k << n).x, n));
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        start = pr_clock_monotonic_ns();
        if (ops->compose(f.dev, &args, 1, NULL) != PR_OK) abort();
        double t = seconds_since(start);
        best[0] = t < best[0] ? t : best[0];
        start = pr_clock_monotonic_ns();
        hand(out[1], hosts, n_cols, powers, (size_t)2 << n, inverse, (int)n_threads);
        t = seconds_since(start);
        best[1] = t < best[1] ? t : best[1];
    }
    for (int k = 0; k < 4; k++)
        if (memcmp(out[0][k], out[1][k], (size_t)8 << n)) abort();
    printf(
        "{\"bench\": \"compose wide_fibonacci\", \"isa\": \"%s\", \"log_rows\": %u, \"columns\": %u, \"threads\": %u, "
        "\"interpreter_s\": %.6f, \"hand_s\": %.6f, \"ratio\": %.3f}\n",
        ops->name, n, n_cols, n_threads, best[0], best[1], best[0] / best[1]);
    pr_program_clear(&program);
    fixture_close(&f);
}

int main(int argc, char **argv) {
    uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : 16, n_cols = argc > 2 ? (uint32_t)atoi(argv[2]) : 100;
    unsigned n_threads = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
    if (n < 4 || n > 24 || n_cols < 3 || n_cols > MAX_COLUMNS || n_threads < 1) return 2;
    bench(&pr_backend_scalar, bench_hand_scalar, n, n_cols, n_threads);
#ifndef PR_CPU_NO_AVX2
    if (pr_backend_avx2.available()) bench(&pr_backend_avx2, bench_hand_avx2, n, n_cols, n_threads);
#endif
#ifndef PR_CPU_NO_AVX512
    if (pr_backend_avx512.available()) bench(&pr_backend_avx512, bench_hand_avx512, n, n_cols, n_threads);
#endif
    return 0;
}
