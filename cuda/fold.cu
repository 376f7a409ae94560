#include "cuda/fold.cuh"

namespace PR_GPU {

struct fold_view {
    secure_column dst, src;
    const_words inverse;
    pr_qm31 alpha;
    uint32_t domain, is_circle; /* log size of the canonic domain whose pairs these are */
};

__global__ void __launch_bounds__(block_threads) fold_kernel(fold_view v, uint32_t n) {
    for (size_t h = thread_number(); h < n; h += thread_count()) {
        const pr_m31 t = layer_twiddle(v.inverse, v.domain, v.is_circle ? 0 : 1, h);
        const pr_qm31 a = ld_secure(v.src, 2 * h), b = ld_secure(v.src, 2 * h + 1);
        st_secure(v.dst, h, fold_pair(a, b, t, v.alpha));
    }
}

static pr_status launch_fold(device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, bool is_circle,
                             pr_error *err) {
    const uint32_t m = src[0].log_rows, domain = is_circle ? m : m + 1, n = 1u << (m - 1);
    PR_ASSERT(m >= 1 && dst[0].log_rows == m - 1 && domain <= dev->max_log_rows);
    const fold_view v = {secure(dev, dst), secure(dev, src), dev->twiddles.inverse, alpha, domain, is_circle};
    count_moved(dev, 12 * (size_t)n);
    PR_CUDA_TRY(PR_LAUNCH(fold_kernel, blocks_for(n), block_threads, 0, dev->stream, v, n), "folding");
    return PR_OK;
}
pr_status fold_circle(device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err) {
    return launch_fold(dev, dst, src, alpha, true, err);
}
pr_status fold_line(device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err) {
    return launch_fold(dev, dst, src, alpha, false, err);
}

__global__ void __launch_bounds__(block_threads)
    lift_kernel(const __grid_constant__ secure_column dst, const __grid_constant__ secure_column src, uint32_t log_dst,
                uint32_t log_src) {
    const words to = dst.c[blockIdx.y], from = src.c[blockIdx.y];
    for (size_t i = thread_number(); i < (size_t)1 << log_dst; i += thread_count())
        st(to, i, pr_m31_add(ld(to, i), ld(from, pr_slot_lift(log_src, log_dst, (uint32_t)i))));
}

pr_status lift_add(device *dev, const pr_col dst[4], const pr_col src[4], pr_error *err) {
    const uint32_t log_dst = dst[0].log_rows, log_src = src[0].log_rows;
    PR_ASSERT(log_src >= 1 && log_src <= log_dst);
    const dim3 grid(blocks_for((size_t)1 << log_dst), 4);
    const secure_column to = secure(dev, dst), from = secure(dev, src);
    count_moved(dev, (size_t)12 << log_dst);
    PR_CUDA_TRY(PR_LAUNCH(lift_kernel, grid, block_threads, 0, dev->stream, to, from, log_dst, log_src), "lifting");
    return PR_OK;
}

} // namespace PR_GPU
