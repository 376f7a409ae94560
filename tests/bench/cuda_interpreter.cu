/* What instructions of an interpreted program come to on a GPU, one kind a kernel; nothing runs:
 *   tests/bench/cuda_kernels.sh NVCC sm_90 tests/bench/cuda_interpreter.cu
 * round<ROWS,KIND> is the interpreter's loop with one kind of instruction, without the decisions which kind it is: 0
 * none; 1 the square of a column, kept; 2 a column minus two slots, kept; 3 the same as the value of a constraint; 4
 * and the sums are folded before. The differences are what each kind adds for ROWS rows. */
#include "cuda/program.cuh"

namespace PR_GPU {

template <unsigned ROWS, int KIND>
__global__ void __launch_bounds__(128)
    round(program_range range, program_code code, span<const pr_qm31> powers, words out) {
    const words slots = program_slots<false>(range);
    const program_rows<ROWS> rows = begin_rows<ROWS>(range);
    product_sum sums[ROWS] = {};
    wide_insn next = ld16(code.insns, 0);
    for (uint32_t pc = 1; (next.op & insn_op) != PR_OP_COUNT; pc++) {
        const wide_insn insn = next;
        next = ld16(code.insns, pc);
        if (KIND == 0) continue;
        const input_column in = ld_even(code.inputs, insn.a - code.n_slots);
        const row_values<ROWS> a = ld_column(in.column, in.mask, rows);
        row_values<ROWS> b = a, c = a;
        if (KIND > 1) b = ld_slot<ROWS>(slots, insn.b), c = ld_slot<ROWS>(slots, insn.c);
        const row_values<ROWS> value = compute(KIND == 1 ? PR_OP_SQUARE : PR_OP_SUB_SUB, a, b, c);
        if (KIND < 3) st_slot(slots, insn.dst, value);
        if (KIND >= 3) add_products(sums, KIND == 4, value, ld16(powers, insn.constraint));
    }
    uint64_t all = 0;
    PR_EACH_ROW for (unsigned c = 0; c < 4; c++) all ^= sums[r].c[c];
    st(out, thread_number(), (uint32_t)(all ^ all >> 32));
}

#define ROUND(rows, kind)                                                                                              \
    template __global__ void round<rows, kind>(program_range, program_code, span<const pr_qm31>, words);
#define ROUNDS(rows) ROUND(rows, 0) ROUND(rows, 1) ROUND(rows, 2) ROUND(rows, 3) ROUND(rows, 4)
ROUNDS(4)
ROUNDS(2)

} // namespace PR_GPU
