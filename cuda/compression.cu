#include "cuda/compression.cuh"

namespace PR_GPU {

struct round_constants {
    const_words initial, partial, last; /* [4][16], [14], [4][16] */
    const_words factors;                /* [15]: of the internal matrix, elements 1 .. 15 */
};

/* The row of a thread, and where the next S-box's values go. */
struct row_writer {
    words arena;
    span<const pr_col> cols;
    size_t row;
    uint32_t next;
};

PR_DEVICE void write_next(row_writer &w, pr_m31 v) { st(column(w.arena, ld(w.cols, w.next++)), w.row, v); }

PR_DEVICE void external_matrix(pr_m31 (&state)[16]) {
#pragma unroll
    for (int group = 0; group < 16; group += 4) pr_poseidon2_m4(state + group);
#pragma unroll
    for (int k = 0; k < 4; k++) {
        const pr_m31 sum = pr_m31_add(pr_m31_add(state[k], state[k + 4]), pr_m31_add(state[k + 8], state[k + 12]));
#pragma unroll
        for (int i = k; i < 16; i += 4) state[i] = pr_m31_add(state[i], sum);
    }
}

PR_DEVICE void internal_matrix(pr_m31 (&state)[16], const_words factors) {
    uint64_t total = 0;
#pragma unroll
    for (int k = 0; k < 16; k++) total += state[k];
    const pr_m31 sum = pr_m31_reduce(total);
    state[0] = pr_m31_sub(sum, pr_m31_double(state[0]));
#pragma unroll
    for (int k = 1; k < 16; k++) state[k] = pr_m31_reduce(sum + (uint64_t)state[k] * ld(factors, (size_t)k - 1));
}

/* with_power: false in the last round, whose powers are no columns. */
PR_DEVICE pr_m31 sbox(row_writer &w, pr_m31 x, bool with_power) {
    const pr_m31 square = pr_m31_square(x), power = pr_m31_mul(pr_m31_square(square), x);
    write_next(w, square);
    if (with_power) write_next(w, power);
    return power;
}

PR_DEVICE void full_rounds(row_writer &w, pr_m31 (&state)[16], const_words constants, bool is_last) {
#pragma unroll 1
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++) {
        const bool with_power = !is_last || round + 1 < PR_POSEIDON2_FULL_ROUNDS;
#pragma unroll
        for (int k = 0; k < 16; k++)
            state[k] = sbox(w, pr_m31_add(state[k], ld(constants, (size_t)(16 * round + k))), with_power);
        external_matrix(state);
    }
}

/* A thread a row: threads side by side write words side by side, column after column. */
__global__ void __launch_bounds__(block_threads)
    compression_kernel(words arena, span<const pr_col> cols, round_constants constants, uint32_t n_rows) {
    for (size_t row = thread_number(); row < n_rows; row += thread_count()) {
        row_writer w = {arena, cols, row, PR_POSEIDON2_ROW_PAIRS_AT};
        pr_m31 state[16], first[PR_POSEIDON2_RATE];
#pragma unroll
        for (uint32_t k = 0; k < 16; k++) state[k] = ld(column(arena, ld(cols, PR_POSEIDON2_ROW_INPUT_AT + k)), row);
#pragma unroll
        for (uint32_t k = 0; k < PR_POSEIDON2_RATE; k++) first[k] = state[k];
        external_matrix(state);
        full_rounds(w, state, constants.initial, false);
#pragma unroll 1
        for (uint32_t round = 0; round < PR_POSEIDON2_PARTIAL_ROUNDS; round++) {
            state[0] = sbox(w, pr_m31_add(state[0], ld(constants.partial, round)), true);
            internal_matrix(state, constants.factors);
        }
        full_rounds(w, state, constants.last, true);
#pragma unroll
        for (uint32_t k = 0; k < PR_POSEIDON2_RATE; k++)
            st(column(arena, ld(cols, PR_POSEIDON2_ROW_DIGEST_AT + k)), row, pr_m31_add(state[k], first[k]));
    }
}

pr_status fill_compressions(device *dev, const pr_col *cols, pr_error *err) {
    const uint32_t n_rows = 1u << cols[0].log_rows, n_constants = PR_POSEIDON2_FULL_ROUNDS * PR_POSEIDON2_WIDTH;
    uint32_t factors[PR_POSEIDON2_WIDTH - 1];
    for (int k = 0; k < PR_POSEIDON2_WIDTH - 1; k++) factors[k] = 1u << pr_poseidon2_internal_shifts[k];
    table_writer w(dev);
    PR_TRY(w.begin(table_size<pr_col>(PR_POSEIDON2_ROW_COLUMNS) + 2 * table_size<uint32_t>(n_constants) +
                       table_size<uint32_t>(PR_POSEIDON2_PARTIAL_ROUNDS) + table_size<uint32_t>(PR_POSEIDON2_WIDTH - 1),
                   err));
    const span<const pr_col> columns = w.put(cols, PR_POSEIDON2_ROW_COLUMNS);
    round_constants constants;
    constants.initial = w.put(pr_poseidon2_external_initial[0], n_constants);
    constants.partial = w.put(pr_poseidon2_internal, PR_POSEIDON2_PARTIAL_ROUNDS);
    constants.last = w.put(pr_poseidon2_external_final[0], n_constants);
    constants.factors = w.put(factors, PR_POSEIDON2_WIDTH - 1);
    PR_TRY(w.send(err));
    count_moved(dev, (size_t)PR_POSEIDON2_ROW_COLUMNS * n_rows);
    PR_CUDA_TRY(PR_LAUNCH(compression_kernel, blocks_for(n_rows), block_threads, 0, dev->stream, arena(dev), columns,
                          constants, n_rows),
                "computing compressions");
    return PR_OK;
}

} // namespace PR_GPU
