#include "cuda/ahead.cuh"

namespace PR_GPU {

pr_status open_ahead(device *dev, const pr_device_needs *needs, pr_error *err) {
    if (!needs->ahead_bytes) return PR_OK;
    PR_CUDA_TRY(cudaMallocHost((void **)&dev->ahead, needs->ahead_bytes), "pinned memory for the next trace");
    dev->ahead_bytes = needs->ahead_bytes;
    if (!needs->copies_ahead) return PR_OK;
    PR_CUDA_TRY(cudaStreamCreateWithFlags(&dev->copies.handle, cudaStreamNonBlocking), "a stream for copies");
    PR_CUDA_TRY(cudaEventCreateWithFlags(&dev->read, cudaEventDisableTiming), "an event");
    PR_CUDA_TRY(cudaEventCreateWithFlags(&dev->copied, cudaEventDisableTiming), "an event");
    return PR_OK;
}

void close_ahead(device *dev) {
    if (dev->copies.handle) (void)cudaStreamSynchronize(dev->copies.handle);
    if (dev->copied) (void)cudaEventDestroy(dev->copied);
    if (dev->read) (void)cudaEventDestroy(dev->read);
    if (dev->copies.handle) (void)cudaStreamDestroy(dev->copies.handle);
    (void)cudaFreeHost(dev->ahead);
}

pr_status map_ahead(device *dev, pr_m31 **host, const pr_col *cols, size_t n, pr_error *err) {
    PR_ASSERT(views_bytes(cols, n) <= dev->ahead_bytes);
    place_views(host, dev->ahead, cols, n);
    if (!dev->copies.handle) return PR_OK;
    PR_TRY(send_work(dev->stream, err)); /* a copy may be queued before anybody waits */
    return check(cudaEventRecord(dev->read, dev->stream.handle), "recording an event", err);
}

pr_status copy_ahead(device *dev, const pr_col *cols, pr_m31 *const *host, size_t n, pr_error *err) {
    PR_CUDA_TRY(cudaStreamWaitEvent(dev->copies.handle, dev->read, 0), "waiting for kernels");
    PR_TRY(send_columns(dev, dev->copies, cols, host, n, err));
    PR_CUDA_TRY(cudaEventRecord(dev->copied, dev->copies.handle), "recording an event");
    return PR_OK;
}

pr_status join_ahead(device *dev, pr_error *err) {
    return check(cudaEventSynchronize(dev->copied), "copying the next trace", err);
}

pr_status copy_columns(device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    for (size_t i = 0; i < n; i++) count_moved(dev, (size_t)2 << src[i].log_rows);
    for (size_t i = 0; i < n; i++)
        PR_CUDA_TRY(queue_copy(dev->stream, dev->memory + dst[i].offset, dev->memory + src[i].offset, bytes_of(src[i]),
                               cudaMemcpyDeviceToDevice),
                    "copying columns");
    return PR_OK;
}

} // namespace PR_GPU
