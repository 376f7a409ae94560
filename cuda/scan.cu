/* Rows 2j and 2j + 1 lie in slots 2q and 2^n - 1 - 2q, q the n - 1 bits of j reversed. Split q into run bits (high: the
 * low bits of j) and part bits (low). A thread has a part: walking the run bits in reversed order it walks 2^run_bits
 * consecutive pairs of rows, and neighbouring threads read neighbouring slots.
 *   totals   the sum of each part's run
 *   starts   where each run begins: the parts' sums in the order of rows, by one block
 *   walk     the runs again, storing running totals */
#include "cuda/scan.cuh"

namespace PR_GPU {

struct scan_view {
    span<const words> columns; /* [n][4] */
    words starts;              /* [n][4][1 << part_bits] */
    span<uint64_t> totals;
    uint32_t run_bits, part_bits;
};
PR_DEVICE uint32_t log_rows_of(const scan_view &v) { return v.run_bits + v.part_bits + 1; }
constexpr unsigned starts_threads = 256;

size_t scan_words() { return (size_t)4 << scan_part_bits; }

static uint32_t run_bits_of(uint32_t log_rows) {
    const uint32_t bits = log_rows - 1;
    return bits > scan_part_bits + 3 ? bits - scan_part_bits : bits < 3 ? bits : 3;
}
size_t prefix_capacity(const device *dev, uint32_t log_rows) {
    return dev->scratch_words / ((size_t)4 << (log_rows - 1 - run_bits_of(log_rows)));
}

/* total / rows */
PR_DEVICE pr_m31 shift_of(const scan_view &v, unsigned c) {
    return pr_m31_mul(pr_m31_reduce(ld(v.totals, c)), 1u << (PR_P_BITS - log_rows_of(v)));
}
PR_DEVICE size_t even_slot(const scan_view &v, uint32_t part, uint32_t k) {
    return 2 * (((size_t)reverse_bits(k, v.run_bits) << v.part_bits) + part);
}

__global__ void __launch_bounds__(block_threads) scan_totals(const __grid_constant__ scan_view v) {
    const size_t last = ((size_t)1 << log_rows_of(v)) - 1;
    const words col = ld(v.columns, blockIdx.y);
    const pr_m31 shifts = pr_m31_mul(shift_of(v, blockIdx.y), 2u << v.run_bits);
    for (size_t part = thread_number(); part < 1u << v.part_bits; part += thread_count()) {
        uint64_t sum = 0;
        for (uint32_t k = 0; k < 1u << v.run_bits; k++) {
            const size_t even = even_slot(v, (uint32_t)part, k);
            sum += (uint64_t)ld(col, even) + ld(col, last - even);
        }
        st(v.starts, ((size_t)blockIdx.y << v.part_bits) + part, pr_m31_sub(pr_m31_reduce(sum), shifts));
    }
}

/* One block a coordinate; a thread has some consecutive runs. */
__global__ void __launch_bounds__(starts_threads) scan_starts(scan_view v) {
    PR_SHARED(uint32_t, sums, starts_threads);
    const words starts = sub(v.starts, (size_t)blockIdx.x << v.part_bits, (size_t)1 << v.part_bits);
    const uint32_t each = ((1u << v.part_bits) + starts_threads - 1) / starts_threads, first = threadIdx.x * each;
    const uint32_t n = 1u << v.part_bits, end = first + each < n ? first + each : n;
    pr_m31 sum = 0;
    for (uint32_t j = first; j < end; j++) sum = pr_m31_add(sum, ld(starts, reverse_bits(j, v.part_bits)));
    st(sums, threadIdx.x, sum);
    for (uint32_t by = 1; by < starts_threads; by *= 2) {
        __syncthreads();
        const pr_m31 before = threadIdx.x >= by ? ld(sums, threadIdx.x - by) : 0, mine = ld(sums, threadIdx.x);
        __syncthreads();
        st(sums, threadIdx.x, pr_m31_add(mine, before));
    }
    __syncthreads();
    sum = threadIdx.x ? ld(sums, threadIdx.x - 1) : 0;
    for (uint32_t j = first; j < end; j++) {
        const uint32_t part = reverse_bits(j, v.part_bits);
        const pr_m31 total = ld(starts, part);
        st(starts, part, sum);
        sum = pr_m31_add(sum, total);
    }
}

__global__ void __launch_bounds__(block_threads) scan_walk(const __grid_constant__ scan_view v) {
    const size_t last = ((size_t)1 << log_rows_of(v)) - 1;
    const words col = ld(v.columns, blockIdx.y);
    const pr_m31 shift = shift_of(v, blockIdx.y);
    for (size_t part = thread_number(); part < 1u << v.part_bits; part += thread_count()) {
        pr_m31 sum = ld(v.starts, ((size_t)blockIdx.y << v.part_bits) + part);
        for (uint32_t k = 0; k < 1u << v.run_bits; k++) {
            const size_t even = even_slot(v, (uint32_t)part, k), odd = last - even;
            sum = pr_m31_add(sum, pr_m31_sub(ld(col, even), shift));
            st(col, even, sum);
            sum = pr_m31_add(sum, pr_m31_sub(ld(col, odd), shift));
            st(col, odd, sum);
        }
    }
}

pr_status prefix_rows(device *dev, span<const words> columns, size_t n, uint32_t log_rows, span<uint64_t> totals,
                      pr_error *err) {
    scan_view v = {};
    v.columns = columns;
    v.totals = totals;
    v.run_bits = run_bits_of(log_rows);
    v.part_bits = log_rows - 1 - v.run_bits;
    v.starts = view_of(dev->scratch, (4 * n) << v.part_bits);
    PR_ASSERT(n <= prefix_capacity(dev, log_rows));
    const unsigned rows = (unsigned)(4 * n);
    const dim3 grid(blocks_for((size_t)1 << v.part_bits), rows);
    const size_t threads = (size_t)grid.x * block_threads; /* each reads the total, twice */
    count_moved(dev, rows * (((size_t)3 << log_rows) + ((size_t)5 << v.part_bits) + 4 * threads));
    PR_CUDA_TRY(PR_LAUNCH(scan_totals, grid, block_threads, 0, dev->stream, v), "prefix sums");
    PR_CUDA_TRY(PR_LAUNCH(scan_starts, rows, starts_threads, 0, dev->stream, v), "prefix sums");
    PR_CUDA_TRY(PR_LAUNCH(scan_walk, grid, block_threads, 0, dev->stream, v), "prefix sums");
    return PR_OK;
}

} // namespace PR_GPU
