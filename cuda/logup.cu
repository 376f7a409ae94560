/* Fractions and running totals over batches, row by row; their sum over all rows; then the last column's prefix sum
 * in row order (scan.cu), without a word of it passing through the host. */
#include "cuda/logup.cuh"
#include "cuda/program.cuh"
#include "cuda/scan.cuh"

namespace PR_GPU {

struct logup_view {
    program_view program;
    span<const pr_col> out; /* [4 * n_batches] */
    span<uint64_t> sums;    /* [4] */
};

PR_DEVICE void st_total(const logup_view &v, uint32_t batch, uint32_t slot, const pr_qm31 &total) {
#pragma unroll
    for (uint32_t c = 0; c < 4; c++) st(column(v.program.arena, ld(v.out, 4 * batch + c)), slot, total.c[c]);
}

struct row_totals {
    pr_qm31 v[rows_each];
};

PR_DEVICE row_totals total_rows(const logup_view &v, const words &slots, size_t n_rows) {
    program_rows rows = begin_rows(n_rows);
    row_totals totals = {};
    pr_insn insn = {};
    for (uint32_t pc = 0; (pc = run_program(v.program, slots, &rows, pc, &insn)) < v.program.n_insns; pc++) {
        if (insn.op != PR_OP_BATCH_END) continue;
        PR_EACH_ROW {
            totals.v[r] = pr_qm31_add(totals.v[r], pr_qm31_mul(rows.num[r], pr_qm31_inverse(rows.den[r])));
            if (row_number(r) < n_rows) st_total(v, insn.a, rows.slot[r], totals.v[r]);
        }
        rows.n_fractions = 0;
    }
    return totals;
}

/* Whole warps: threads without a row add nothing. */
__global__ void __launch_bounds__(128) logup_kernel(logup_view v) {
    PR_SHARED_DYNAMIC(uint32_t, slots, v.program.n_slots * rows_each * blockDim.x);
    const size_t n_rows = (size_t)1 << v.program.log_rows;
    const row_totals totals = total_rows(v, slots, n_rows);
#pragma unroll
    for (int c = 0; c < 4; c++) {
        uint64_t sum = 0;
        PR_EACH_ROW sum += row_number(r) < n_rows ? totals.v[r].c[c] : 0;
        for (int bit = 16; bit; bit >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, bit);
        if (threadIdx.x % 32 == 0) atomic_add(v.sums, (size_t)c, sum); /* at most 2^24 values of 31 bits */
    }
}

static pr_status launch_rows(device *dev, const pr_logup *args, pr_error *err) {
    const pr_program *p = args->program;
    const program_tables tables = program_tables_of(p, args->inputs, args->z, args->alpha);
    const size_t n_out = 4 * (size_t)p->n_batches, rows = (size_t)1 << args->log_rows;
    const unsigned threads = program_threads(p);
    table_writer w(dev);
    if (!threads)
        return pr_fail(err, PR_ERR_BACKEND, "a component's lookups need %u slots: too many for this backend",
                       p->n_slots);
    PR_TRY(w.begin(program_table_bytes(tables) + table_size<pr_col>(n_out), err));
    logup_view v = {};
    v.program = put_program(dev, &w, tables, args->log_rows, 0);
    v.out = w.put(args->out, n_out);
    v.sums = result_sums(dev, 4);
    PR_TRY(w.send(err));
    PR_CUDA_TRY(cudaMemsetAsync(v.sums.p, 0, 4 * sizeof(uint64_t), dev->stream), "clearing sums");
    const size_t shared = program_shared_bytes(p, threads);
    PR_CUDA_TRY(PR_ALLOW_SHARED(logup_kernel, shared), "shared memory for a program's slots");
    PR_CUDA_TRY(PR_LAUNCH(logup_kernel, program_blocks(rows, threads), threads, shared, dev->stream, v), "fractions");
    return PR_OK;
}

pr_status logup(device *dev, pr_qm31 *claimed_sum, const pr_logup *args, pr_error *err) {
    uint64_t sums[4];
    PR_ASSERT(args->log_rows >= 1 && args->program->n_batches >= 1);
    PR_TRY(launch_rows(dev, args, err));
    PR_TRY(prefix_rows(dev, &args->out[4 * (args->program->n_batches - 1)], result_sums(dev, 4), err));
    PR_TRY(fetch_results(dev, sizeof sums, err));
    std::memcpy(sums, dev->results.host, sizeof sums);
    for (int c = 0; c < 4; c++) claimed_sum->c[c] = pr_m31_reduce(sums[c]);
    return PR_OK;
}

} // namespace PR_GPU
