/* Hand-written constraints of wide Fibonacci on `rows` rows of the evaluation domain: the sum over k of
 * powers[k] * (x_(k+2) - x_k^2 - x_(k+1)^2), times inverse[half]. */
#ifndef TESTS_CPU_BENCH_HAND_H
#define TESTS_CPU_BENCH_HAND_H
#include "field/qm31.h"

#define BENCH_HAND_DECLARE(isa)                                                                                        \
    void bench_hand_##isa(uint32_t *const out[4], const uint32_t *const *cols, size_t n_cols, const pr_qm31 *powers,   \
                          size_t rows, const pr_m31 inverse[2], int n_threads);
BENCH_HAND_DECLARE(scalar)
BENCH_HAND_DECLARE(avx2)
BENCH_HAND_DECLARE(avx512)
#endif
