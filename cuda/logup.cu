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
    for (uint32_t c = 0; c < 4; c++) {
        const pr_col col = ld(v.out, 4 * batch + c);
        st(column(v.program.arena, col), slot & ((1u << col.log_rows) - 1), total.c[c]);
    }
}

struct row_totals {
    pr_qm31 v[rows_each];
};

/* One inversion for a thread's rows, by running products: denominators are not zero but with the probability that a
 * random element is. */
PR_DEVICE void invert_denominators(pr_qm31 out[rows_each], const program_rows &rows) {
    out[0] = rows.den[0];
#pragma unroll
    for (unsigned r = 1; r < rows_each; r++) out[r] = pr_qm31_mul(out[r - 1], rows.den[r]);
    pr_qm31 inverse = pr_qm31_inverse(out[rows_each - 1]);
#pragma unroll
    for (unsigned r = rows_each - 1; r > 0; r--) {
        out[r] = pr_qm31_mul(inverse, out[r - 1]);
        inverse = pr_qm31_mul(inverse, rows.den[r]);
    }
    out[0] = inverse;
}

PR_DEVICE row_totals total_rows(const logup_view &v, const words &slots) {
    program_rows rows = begin_rows(v.program);
    row_totals totals = {};
    pr_insn insn = {};
    for (uint32_t pc = 0; (pc = run_program(v.program, slots, &rows, pc, &insn)) < v.program.n_insns; pc++) {
        if (insn.op != PR_OP_BATCH_END) continue;
        pr_qm31 inverse[rows_each];
        invert_denominators(inverse, rows);
        PR_EACH_ROW {
            totals.v[r] = pr_qm31_add(totals.v[r], pr_qm31_mul(rows.num[r], inverse[r]));
            if (row_number(r) < v.program.n_rows) st_total(v, insn.a, rows.slot[r], totals.v[r]);
        }
        rows.n_fractions = 0;
    }
    return totals;
}

/* Whole warps: threads without a row add nothing. */
template <bool SPILLS> __global__ void __launch_bounds__(128) logup_kernel(logup_view v) {
    const words slots = program_slots<SPILLS>(v.program);
    const row_totals totals = total_rows(v, slots);
#pragma unroll
    for (int c = 0; c < 4; c++) {
        uint64_t sum = 0;
        PR_EACH_ROW sum += row_number(r) < v.program.n_rows ? totals.v[r].c[c] : 0;
        for (int bit = 16; bit; bit >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, bit);
        if (threadIdx.x % 32 == 0) atomic_add(v.sums, (size_t)c, sum); /* at most 2^24 values of 31 bits */
    }
}

static pr_status launch_logup(device *dev, logup_view v, const program_shape &shape, size_t n_loads, size_t n_out,
                              pr_error *err) {
    const size_t end = v.program.first + (size_t)v.program.n_rows;
    while (v.program.first < end) {
        const size_t left = end - v.program.first;
        v.program.n_rows = (uint32_t)(left < shape.most_rows ? left : shape.most_rows);
        const unsigned blocks = program_blocks(v.program.n_rows, shape.threads);
        const size_t threads = (size_t)blocks * shape.threads; /* those without a row read, too */
        count_moved(dev, threads * rows_each * n_loads + v.program.n_rows * n_out + threads / 32 * 8);
        PR_CUDA_TRY(shape.spills
                        ? PR_LAUNCH(logup_kernel<true>, blocks, shape.threads, 0, dev->stream, v)
                        : PR_LAUNCH(logup_kernel<false>, blocks, shape.threads, shape.shared_bytes, dev->stream, v),
                    "fractions");
        v.program.first += v.program.n_rows;
    }
    return PR_OK;
}

/* Far columns are written in the window, and sent back. */
static void place_out(pr_col *places, const device *dev, window *in, const pr_logup *args, uint32_t log_rows) {
    for (uint32_t k = 0; k < 4 * args->program->n_batches; k++)
        places[k] = is_far(dev, args->out[k]) ? in->take(log_rows) : args->out[k];
}
static pr_status send_out(const pr_col *places, const device *dev, window *in, const pr_logup *args, size_t first,
                          pr_error *err) {
    for (uint32_t k = 0; k < 4 * args->program->n_batches; k++)
        if (is_far(dev, args->out[k])) PR_TRY(in->send_back(far_column(dev, args->out[k]) + first, places[k], err));
    return PR_OK;
}

static pr_status logup_rows(device *dev, const program_tables &t, const pr_logup *args, size_t first, uint32_t log_rows,
                            pr_error *err) {
    const size_t n_out = 4 * (size_t)args->program->n_batches;
    pr_col *places;
    logup_view v = {};
    window in(dev);
    table_writer w(dev);
    PR_TRY(w.begin(program_table_bytes(t) + table_size<pr_col>(n_out), err));
    PR_TRY(put_program(&v.program, dev, &w, &in, t, first, log_rows, err));
    v.out = w.take(&places, n_out);
    place_out(places, dev, &in, args, log_rows);
    v.sums = result_sums(dev, 4);
    PR_TRY(w.send(err));
    PR_TRY(launch_logup(dev, v, program_shape_of(dev, args->program), program_loads(args->program), n_out, err));
    return send_out(places, dev, &in, args, first, err);
}

/* The last batch's totals become prefix sums, whole columns in the window if they are far. */
static pr_status prefix_last(device *dev, const pr_col last[4], pr_error *err) {
    window in(dev);
    pr_col cols[4];
    if (!are_far(dev, last, 4)) return prefix_rows(dev, last, result_sums(dev, 4), err);
    for (int c = 0; c < 4; c++) {
        cols[c] = in.take(last[c].log_rows);
        PR_TRY(in.bring(cols[c], far_column(dev, last[c]), err));
    }
    PR_TRY(prefix_rows(dev, cols, result_sums(dev, 4), err));
    for (int c = 0; c < 4; c++) PR_TRY(in.send_back(far_column(dev, last[c]), cols[c], err));
    return PR_OK;
}

pr_status logup(device *dev, pr_qm31 *claimed_sum, const pr_logup *args, pr_error *err) {
    uint64_t sums[4];
    const pr_program *p = args->program;
    const program_tables t = program_tables_of(p, args->inputs, args->z, args->alpha, args->log_rows, 0);
    const size_t n_out = 4 * (size_t)p->n_batches;
    const bool far = are_far(dev, args->out, n_out) || are_far(dev, args->inputs, p->n_inputs);
    const uint32_t log_rows = block_log_rows(dev, far, program_pieces(p) + n_out, args->log_rows);
    PR_ASSERT(args->log_rows >= 1 && p->n_batches >= 1);
    count_moved(dev, 8);
    PR_CUDA_TRY(queue_set(dev->stream, result_sums(dev, 4).p, 0, sizeof sums), "clearing sums");
    PR_CUDA_TRY(PR_ALLOW_SHARED(logup_kernel<false>, program_shape_of(dev, p).shared_bytes),
                "shared memory for a program's slots");
    for (size_t first = 0; first < (size_t)1 << args->log_rows; first += (size_t)1 << log_rows)
        PR_TRY(logup_rows(dev, t, args, first, log_rows, err));
    PR_TRY(prefix_last(dev, &args->out[n_out - 4], err));
    PR_TRY(fetch_results(dev, sizeof sums, err));
    std::memcpy(sums, dev->results.host, sizeof sums);
    for (int c = 0; c < 4; c++) claimed_sum->c[c] = pr_m31_reduce(sums[c]);
    return PR_OK;
}

} // namespace PR_GPU
