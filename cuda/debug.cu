#include "cuda/debug.cuh"

namespace PR_GPU {

__global__ void __launch_bounds__(32) flip_kernel(words col) {
    if (threadIdx.x != 0) return;
    const uint32_t v = ld(col, 0);
    st(col, 0, v ^ ((v ^ 1) == PR_P ? 2u : 1u)); /* still an element */
}

uint64_t flip_wanted() {
    const char *text = std::getenv("PROVERUN_CUDA_FLIP");
    return text ? std::strtoull(text, nullptr, 10) : 0;
}

pr_status flip_if_due(device *dev, pr_col col, pr_error *err) {
    if (!dev->flip_in || --dev->flip_in) return PR_OK;
    const words all = column(dev, col);
    PR_CUDA_TRY(PR_LAUNCH(flip_kernel, 1, 32, 0, dev->stream, all), "flipping a bit");
    return PR_OK;
}

} // namespace PR_GPU
