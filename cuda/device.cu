#include "cuda/device.cuh"

namespace PR_GPU {

pr_status check(cudaError_t error, const char *what, pr_error *err) {
    if (error == cudaSuccess) return PR_OK;
    (void)cudaGetLastError(); /* one that passes, as a lack of memory does, must not be found again behind a launch */
    return pr_fail(err, error == cudaErrorMemoryAllocation ? PR_ERR_MEMORY : PR_ERR_BACKEND, "%s: %s", what,
                   cudaGetErrorString(error));
}

/* A larger ring: whatever reads the old one has to end first. */
static pr_status grow(device *dev, size_t bytes, pr_error *err) {
    mirror larger = {};
    larger.bytes = 2 * bytes;
    PR_CUDA_TRY(cudaStreamSynchronize(dev->stream), "waiting for the device");
    PR_CUDA_TRY(cudaMalloc((void **)&larger.device, larger.bytes), "device memory for tables");
    const cudaError_t error = cudaMallocHost((void **)&larger.host, larger.bytes);
    if (error != cudaSuccess) {
        (void)cudaFree(larger.device);
        return check(error, "pinned memory for tables", err);
    }
    (void)cudaFree(dev->tables.device);
    (void)cudaFreeHost(dev->tables.host);
    dev->tables = larger;
    return PR_OK;
}

/* One operation's tables lie together. Before the ring begins anew, whatever reads it has to end. */
pr_status table_writer::begin(size_t bytes, pr_error *err) {
    mirror *t = &dev_->tables;
    if (bytes > t->bytes) {
        PR_TRY(grow(dev_, bytes, err));
    } else if (t->used + bytes > t->bytes) {
        PR_CUDA_TRY(cudaStreamSynchronize(dev_->stream), "waiting for the device");
        t->used = 0;
    }
    first_ = t->used;
    end_ = first_ + bytes;
    return PR_OK;
}

pr_status table_writer::send(pr_error *err) {
    const mirror *t = &dev_->tables;
    const size_t bytes = t->used - first_;
    if (bytes)
        PR_CUDA_TRY(cudaMemcpyAsync(t->device + first_, t->host + first_, bytes, cudaMemcpyHostToDevice, dev_->stream),
                    "sending tables");
    return PR_OK;
}

/* How many from the first on stand as the first two do. */
static size_t count_even(const pr_col *cols, pr_m31 *const *host, size_t n) {
    size_t k = 1;
    while (k < n && cols[k].log_rows == cols[0].log_rows && cols[k].offset > cols[k - 1].offset &&
           cols[k].offset - cols[k - 1].offset == cols[1].offset - cols[0].offset &&
           host[k] - host[k - 1] == host[1] - host[0])
        k++;
    return k;
}

static size_t view_bytes(pr_col col) { return bytes_of(col) < 64 ? 64 : bytes_of(col); }

size_t views_bytes(const pr_col *cols, size_t n) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += view_bytes(cols[i]);
    return bytes;
}

void place_views(pr_m31 **host, char *at, const pr_col *cols, size_t n) {
    for (size_t i = 0; i < n; at += view_bytes(cols[i++])) host[i] = (pr_m31 *)(void *)at;
}

pr_status send_columns(device *dev, cudaStream_t stream, const pr_col *cols, pr_m31 *const *host, size_t n,
                       pr_error *err) {
    for (size_t first = 0, count; first < n; first += count) {
        const pr_col *c = cols + first;
        pr_m31 *const *h = host + first;
        const size_t bytes = bytes_of(*c);
        count = count_even(c, h, n - first);
        const size_t to_pitch = count > 1 ? (c[1].offset - c[0].offset) * sizeof(uint32_t) : bytes;
        const size_t from_pitch = count > 1 ? (size_t)(h[1] - h[0]) * sizeof(uint32_t) : bytes;
        PR_CUDA_TRY(cudaMemcpy2DAsync(dev->memory + c->offset, to_pitch, h[0], from_pitch, bytes, count,
                                      cudaMemcpyHostToDevice, stream),
                    "sending columns");
    }
    return PR_OK;
}

pr_status fetch_results(device *dev, size_t bytes, pr_error *err) {
    PR_ASSERT(bytes <= result_bytes);
    PR_CUDA_TRY(cudaMemcpyAsync(dev->results.host, dev->results.device, bytes, cudaMemcpyDeviceToHost, dev->stream),
                "fetching results");
    return check(cudaStreamSynchronize(dev->stream), "running kernels", err);
}

pr_status result_list::take(words *place, void *out, size_t n_words, pr_error *err) {
    const size_t bytes = n_words * sizeof(uint32_t);
    PR_ASSERT(bytes <= result_bytes);
    if (n_ == sizeof items_ / sizeof *items_ || used_ + bytes > result_bytes) PR_TRY(fetch(err));
    *place = view_of((uint32_t *)(void *)(dev_->results.device + used_), n_words);
    items_[n_++] = {out, used_, bytes};
    used_ += table_size<char>(bytes);
    return PR_OK;
}

pr_status result_list::reserve(bool *has_room, size_t n, size_t n_words, pr_error *err) {
    const size_t most = sizeof items_ / sizeof *items_, bytes = table_size<uint32_t>(n_words) + n * 16; /* rounded up */
    *has_room = n <= most && bytes <= result_bytes;
    return *has_room && (n_ + n > most || used_ + bytes > result_bytes) ? fetch(err) : PR_OK;
}

pr_status result_list::fetch(pr_error *err) {
    if (n_) PR_TRY(fetch_results(dev_, used_, err));
    for (size_t i = 0; i < n_; i++) std::memcpy(items_[i].out, dev_->results.host + items_[i].first, items_[i].bytes);
    used_ = n_ = 0;
    return PR_OK;
}

} // namespace PR_GPU
