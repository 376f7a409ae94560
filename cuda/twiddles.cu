#include "cuda/twiddles.cuh"

namespace PR_GPU {

PR_DEVICE pr_point add_points(pr_point p, pr_point q) {
    return pr_point{pr_m31_sub(pr_m31_mul(p.x, q.x), pr_m31_mul(p.y, q.y)),
                    pr_m31_add(pr_m31_mul(p.x, q.y), pr_m31_mul(p.y, q.x))};
}
PR_DEVICE pr_point point_from_index(uint32_t index) {
    pr_point sum = {1, 0}, power = PR_CIRCLE_GENERATOR;
    for (; index; index >>= 1, power = add_points(power, power))
        if (index & 1) sum = add_points(sum, power);
    return sum;
}

/* Word 2^(m-2) + h: slot 4h of the domain of log size m has natural index h reversed, in the first half. */
__global__ void __launch_bounds__(block_threads) twiddles_kernel(words line, words inverse, uint32_t n) {
    for (size_t i = thread_number(); i < n; i += thread_count()) {
        const uint32_t word = (uint32_t)i;
        if (word == 0) {
            st(line, 0, double_twiddle(1));
            st(inverse, 0, double_twiddle(1));
            continue;
        }
        unsigned bits = 0;
        while (word >> (bits + 1)) bits++;
        const uint32_t natural = reverse_bits(word - (1u << bits), bits), m = bits + 2;
        const pr_m31 x = point_from_index((1u << (30 - m)) + (natural << (32 - m))).x;
        st(line, i, double_twiddle(x));
        st(inverse, i, double_twiddle(pr_m31_inverse(x)));
    }
}

pr_status twiddles_fill(device *dev, uint32_t *line, uint32_t *inverse, pr_error *err) {
    const size_t n = twiddle_words(dev->max_log_rows);
    const words to = view_of(line, n), inverse_to = view_of(inverse, n);
    PR_CUDA_TRY(PR_LAUNCH(twiddles_kernel, blocks_for(n), block_threads, 0, dev->stream, to, inverse_to, (uint32_t)n),
                "twiddles");
    return PR_OK;
}

} // namespace PR_GPU
