#include "cuda/meter.cuh"

namespace PR_GPU {

static pr_status make_mark(device *dev, pr_error *err) {
    cudaEvent_t *larger = (cudaEvent_t *)std::realloc(dev->marks, (dev->n_marks + 1) * sizeof *larger);
    if (!larger) return pr_fail(err, PR_ERR_MEMORY, "no memory for %zu events", dev->n_marks + 1);
    dev->marks = larger;
    PR_CUDA_TRY(cudaEventCreateWithFlags(&dev->marks[dev->n_marks], 0), "an event");
    dev->n_marks++;
    return PR_OK;
}

static pr_status mark(pr_device *handle, size_t k, pr_error *err) {
    device *dev = of(handle);
    PR_ASSERT(k <= dev->n_marks);
    if (k == dev->n_marks) PR_TRY(make_mark(dev, err));
    return check(queue_mark(dev->stream, dev->marks[k]), "recording an event", err);
}

static pr_status read_marks(pr_device *handle, uint64_t *ns, size_t n, pr_error *err) {
    device *dev = of(handle);
    PR_ASSERT(n <= dev->n_marks);
    PR_TRY(wait_for_work(dev->stream, "running kernels", err)); /* not for events, which graphs record */
    for (size_t k = 0; k + 1 < n; k++) {
        float ms = 0;
        PR_CUDA_TRY(cudaEventElapsedTime(&ms, dev->marks[k], dev->marks[k + 1]), "time between events");
        ns[k] = (uint64_t)((double)ms * 1e6);
    }
    return PR_OK;
}

static uint64_t moved_bytes(const pr_device *dev) { return reinterpret_cast<const device *>(dev)->moved_bytes; }

#ifdef PR_CUDA_EMULATED
constexpr size_t copied_bytes = (size_t)4 << 20;
#else
constexpr size_t copied_bytes = (size_t)512 << 20;
#endif
constexpr int n_copies = 8;

struct copy_test {
    char *memory;
    cudaEvent_t from, to;
};

static pr_status time_copies(device *dev, copy_test *t, double *best, pr_error *err) {
    PR_CUDA_TRY(cudaMalloc((void **)&t->memory, 2 * copied_bytes), "device memory for copies");
    PR_CUDA_TRY(cudaEventCreateWithFlags(&t->from, 0), "an event");
    PR_CUDA_TRY(cudaEventCreateWithFlags(&t->to, 0), "an event");
    PR_CUDA_TRY(cudaMemsetAsync(t->memory, 0, 2 * copied_bytes, dev->stream.handle), "zeros");
    for (int k = 0; k < n_copies; k++) {
        float ms = 0;
        PR_CUDA_TRY(cudaEventRecord(t->from, dev->stream.handle), "recording an event");
        PR_CUDA_TRY(cudaMemcpyAsync(t->memory + copied_bytes, t->memory, copied_bytes, cudaMemcpyDeviceToDevice,
                                    dev->stream.handle),
                    "copying");
        PR_CUDA_TRY(cudaEventRecord(t->to, dev->stream.handle), "recording an event");
        PR_CUDA_TRY(cudaEventSynchronize(t->to), "copying");
        PR_CUDA_TRY(cudaEventElapsedTime(&ms, t->from, t->to), "time between events");
        const double rate = 2.0 * copied_bytes / (ms > 1e-6f ? (double)ms : 1e-6) * 1e3;
        if (rate > *best) *best = rate;
    }
    return PR_OK;
}

static pr_status copy_rate(pr_device *dev, double *bytes_a_second, pr_error *err) {
    copy_test t = {};
    *bytes_a_second = 0;
    const pr_status status = time_copies(of(dev), &t, bytes_a_second, err);
    if (t.to) (void)cudaEventDestroy(t.to);
    if (t.from) (void)cudaEventDestroy(t.from);
    (void)cudaFree(t.memory);
    return status;
}

void close_meter(device *dev) {
    for (size_t k = 0; k < dev->n_marks; k++) (void)cudaEventDestroy(dev->marks[k]);
    std::free(dev->marks);
}

#ifdef PR_CUDA_EMULATED
extern const pr_meter meter = {true, mark, read_marks, moved_bytes, copy_rate};
#else
extern const pr_meter meter = {false, mark, read_marks, moved_bytes, copy_rate};
#endif

} // namespace PR_GPU
