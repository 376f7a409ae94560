#include "cuda/device.cuh"

namespace PR_GPU {

pr_status check(cudaError_t error, const char *what, pr_error *err) {
    if (error == cudaSuccess) return PR_OK;
    (void)cudaGetLastError(); /* one that passes, as a lack of memory does, must not be found again behind a launch */
    return pr_fail(err, error == cudaErrorMemoryAllocation ? PR_ERR_MEMORY : PR_ERR_BACKEND, "%s: %s", what,
                   cudaGetErrorString(error));
}

pr_status create_mirror(mirror *m, size_t bytes, pr_error *err) {
    m->bytes = bytes;
    PR_CUDA_TRY(cudaMalloc((void **)&m->device, bytes), "device memory for tables and results");
    PR_CUDA_TRY(cudaMallocHost((void **)&m->host, bytes), "pinned memory for tables and results");
    return PR_OK;
}
void clear_mirror(mirror *m) {
    (void)cudaFree(m->device);
    (void)cudaFreeHost(m->host);
    std::free(m->known);
}

pr_status create_tables(device *dev, mirror *m, size_t bytes, pr_error *err) {
    m->known = (char *)std::calloc(1, bytes);
    if (!m->known) return pr_fail(err, PR_ERR_MEMORY, "no memory for %zu bytes of tables", bytes);
    PR_TRY(create_mirror(m, bytes, err));
    PR_CUDA_TRY(cudaMemsetAsync(m->device, 0, bytes, dev->stream.handle), "clearing tables");
#ifdef PR_CUDA_EMULATED
    const emu::guard hold;
    emu::region_of(emu::it().regions, m->device)->is_table = true;
#endif
    return PR_OK;
}

/* A larger ring: whatever reads the old one has to end first. */
static pr_status grow(device *dev, size_t bytes, pr_error *err) {
    mirror larger = {};
    PR_TRY(wait_for_work(dev->stream, "waiting for the device", err));
    const pr_status status = create_tables(dev, &larger, 2 * bytes, err);
    if (status == PR_OK) {
        clear_mirror(&dev->tables);
        dev->tables = larger;
    } else {
        clear_mirror(&larger);
    }
    return status;
}

/* One operation's tables lie together. Before the ring begins anew, whatever reads it has to end. */
pr_status table_writer::begin(size_t bytes, pr_error *err) {
    mirror *t = &dev_->tables;
    if (bytes > t->bytes) {
        PR_TRY(grow(dev_, bytes, err));
    } else if (t->used + bytes > t->bytes) {
        PR_TRY(wait_for_work(dev_->stream, "waiting for the device", err));
        t->used = 0;
    }
    first_ = t->used;
    end_ = first_ + bytes;
    return PR_OK;
}

/* The first piece of [first, end) that is not as it is known to be; end: there is none. A piece is a cache line. */
static size_t next_change(const mirror *t, size_t first, size_t end) {
    constexpr size_t piece = 64;
    while (first < end) {
        const size_t n = end - first < piece ? end - first : piece;
        if (std::memcmp(t->host + first, t->known + first, n) != 0) break;
        first += n;
    }
    return first;
}

/* What changed, from its first piece to its last. */
pr_status table_writer::send(pr_error *err) {
    mirror *t = &dev_->tables;
    size_t end = 0;
    const size_t from = next_change(t, first_, t->used);
    for (size_t at = from; at < t->used; at = next_change(t, end, t->used)) end = at + 64 < t->used ? at + 64 : t->used;
    if (from == t->used) return PR_OK;
    std::memcpy(t->known + from, t->host + from, end - from);
    return check(queue_early_copy(dev_->stream, t->device + from, t->host + from, end - from), "sending tables", err);
}

constexpr size_t most_pitch = 0x7fffffff; /* bytes: cudaDevAttrMaxPitch of all devices so far */

/* How many from the first on stand as the first two do, which may be too far apart for one call. */
static size_t count_even(const pr_col *cols, pr_m31 *const *host, size_t n) {
    size_t k = 1;
    while (k < n && cols[k].offset - cols[k - 1].offset <= most_pitch / sizeof(uint32_t) &&
           cols[k].log_rows == cols[0].log_rows && cols[k].offset > cols[k - 1].offset &&
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

pr_status send_columns(device *dev, const pr_col *cols, pr_m31 *const *host, size_t n, pr_error *err) {
    for (size_t first = 0, count; first < n; first += count) {
        const pr_col *c = cols + first;
        pr_m31 *const *h = host + first;
        const size_t bytes = bytes_of(*c);
        count = count_even(c, h, n - first);
        const size_t to_pitch = count > 1 ? (c[1].offset - c[0].offset) * sizeof(uint32_t) : bytes;
        const size_t from_pitch = count > 1 ? (size_t)(h[1] - h[0]) * sizeof(uint32_t) : bytes;
        PR_CUDA_TRY(queue_rows(dev->stream, dev->memory + c->offset, to_pitch, h[0], from_pitch, bytes, count),
                    "sending columns");
    }
    return PR_OK;
}

pr_status fetch_results(device *dev, size_t bytes, pr_error *err) {
    PR_ASSERT(bytes <= result_bytes);
    PR_CUDA_TRY(queue_copy(dev->stream, dev->results.host, dev->results.device, bytes, cudaMemcpyDeviceToHost),
                "fetching results");
    return wait_for_work(dev->stream, "running kernels", err);
}

pr_status result_list::take(uint32_t *first, void *out, size_t n_words, pr_error *err) {
    const size_t bytes = n_words * sizeof(uint32_t);
    PR_ASSERT(bytes <= result_bytes);
    if (n_ == sizeof items_ / sizeof *items_ || used_ + bytes > result_bytes) PR_TRY(fetch(err));
    *first = (uint32_t)(used_ / sizeof(uint32_t));
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
