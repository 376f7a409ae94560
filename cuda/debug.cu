#include "cuda/debug.cuh"
#include "cuda/window.cuh"

namespace PR_GPU {

static __host__ __device__ uint32_t flipped(uint32_t v) { return v ^ ((v ^ 1) == PR_P ? 2u : 1u); } /* an element */

__global__ void __launch_bounds__(32) flip_kernel(words col) {
    if (threadIdx.x != 0) return;
    st(col, 0, flipped(ld(col, 0)));
}

static pr_status flip_far(device *dev, pr_col col, pr_error *err) {
    PR_TRY(wait_for_work(dev->stream, "waiting for far columns", err));
    uint32_t *v = far_column(dev, col);
    *v = flipped(*v);
    return PR_OK;
}

static uint64_t wanted(const char *name) {
    const char *text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : 0;
}

void open_debug(device *dev) {
    dev->flip_in = wanted("PROVERUN_CUDA_FLIP");
    dev->lose_in = wanted("PROVERUN_CUDA_LOSE");
}

pr_status harm_if_due(device *dev, pr_col col, pr_error *err) {
    if (dev->lose_in && !--dev->lose_in)
        return pr_fail(err, PR_ERR_BACKEND, "the device is lost, as PROVERUN_CUDA_LOSE says");
    if (!dev->flip_in || --dev->flip_in) return PR_OK;
    if (is_far(dev, col)) return flip_far(dev, col, err);
    const words all = column(dev, col);
    PR_CUDA_TRY(PR_LAUNCH(flip_kernel, 1, 32, 0, dev->stream, all), "flipping a bit");
    return PR_OK;
}

} // namespace PR_GPU
