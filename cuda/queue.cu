#include "cuda/queue.cuh"
#include "cuda/device.cuh"

namespace PR_GPU {

/* A copy between two that go ahead costs more than the bytes between them. */
constexpr size_t early_gap = 16 << 10;

static void forget_graph(stretch *s) {
    if (s->graph) (void)cudaGraphExecDestroy(s->graph);
    s->graph = nullptr;
    s->is_refused = false;
}

#ifdef PR_CUDA_EMULATED
static thread_local queue *open_in_thread;
static void note_open(queue *q) { open_in_thread = q; }
void send_open_queue() {
    if (open_in_thread) (void)send_work(*open_in_thread, nullptr);
}
#else
static void note_open(queue *) {}
#endif

pr_status open_queue(queue &q, pr_error *err) {
    q.list = (char *)std::calloc(2, list_bytes);
    if (!q.list) return pr_fail(err, PR_ERR_MEMORY, "no memory for a list of %zu bytes", 2 * list_bytes);
    q.before = q.list + list_bytes;
    return check(cudaStreamCreateWithFlags(&q.handle, cudaStreamNonBlocking), "a stream", err);
}

void close_queue(queue &q) {
    for (stretch &s : q.stretches) forget_graph(&s);
    if (q.handle) (void)cudaStreamDestroy(q.handle);
    std::free(q.list < q.before ? q.list : q.before);
}

/* ---- sending ---- */

static const work *entry_at(const queue &q, size_t at) { return reinterpret_cast<const work *>(q.list + at); }

static cudaError_t run_list(const queue &q, const stretch &s, bool is_captured) {
    cudaError_t error = cudaSuccess;
    for (size_t at = s.from; error == cudaSuccess && at < s.to; at += entry_at(q, at)->bytes)
        error = entry_at(q, at)->run(entry_at(q, at), q.handle, is_captured);
    return error;
}

/* A graph that cannot be made, for lack of memory, is done without. */
static cudaError_t capture(queue &q, stretch *s) {
    cudaGraph_t graph = nullptr;
    cudaError_t error = cudaStreamBeginCapture(q.handle, cudaStreamCaptureModeThreadLocal);
    if (error != cudaSuccess) return error;
    error = run_list(q, *s, true);
    const cudaError_t end = cudaStreamEndCapture(q.handle, &graph);
    if (error == cudaSuccess) error = end;
    if (error == cudaSuccess && cudaGraphInstantiate(&s->graph, graph, 0) != cudaSuccess) {
        (void)cudaGetLastError();
        s->graph = nullptr;
        s->is_refused = true;
    }
    if (graph) (void)cudaGraphDestroy(graph);
    return error;
}

static bool is_same(const queue &q, const stretch &s) {
    return s.from == q.sent && s.to == q.used && s.to <= q.used_before &&
           std::memcmp(q.list + s.from, q.before + s.from, s.to - s.from) == 0;
}

static cudaError_t send_stretch(queue &q) {
    stretch other = {}, *s = q.n_sent < most_stretches ? &q.stretches[q.n_sent++] : &other;
    const bool same = s != &other && is_same(q, *s);
    if (!same) forget_graph(s);
    s->from = q.sent, s->to = q.used;
    q.sent = q.used;
    if (same && !s->graph && !s->is_refused) {
        const cudaError_t error = capture(q, s);
        if (error != cudaSuccess) return error;
    }
    return s->graph ? cudaGraphLaunch(s->graph, q.handle) : run_list(q, *s, false);
}

static cudaError_t copy_at_once(const queue &q, const early_copy &c) {
    return cudaMemcpyAsync(c.to, c.from, c.bytes, cudaMemcpyHostToDevice, q.handle);
}

static cudaError_t send_early(queue &q) {
    cudaError_t error = cudaSuccess;
    for (unsigned k = 0; error == cudaSuccess && k < q.n_early; k++) error = copy_at_once(q, q.early[k]);
    q.n_early = 0;
    return error;
}

static cudaError_t send_all(queue &q) {
    const cudaError_t error = send_early(q);
    return error == cudaSuccess && q.sent < q.used ? send_stretch(q) : error;
}

pr_status send_work(queue &q, pr_error *err) { return check(send_all(q), "sending work to the device", err); }

pr_status wait_for_work(queue &q, const char *what, pr_error *err) {
    PR_TRY(send_work(q, err));
    PR_CUDA_TRY(cudaStreamSynchronize(q.handle), what);
    q.is_idle = true;
    return PR_OK;
}

/* ---- a proof ---- */

pr_status begin_work(queue &q, pr_error *err) {
    char *list = q.before;
    if (!q.is_idle) PR_TRY(wait_for_work(q, "running kernels", err));
    q.before = q.list, q.list = list;
    q.used_before = q.used;
    q.used = q.sent = 0;
    q.n_sent = 0;
    q.is_listing = true;
    note_open(&q);
    return PR_OK;
}

pr_status stop_listing(queue &q, pr_error *err) {
    PR_TRY(send_work(q, err));
    q.is_listing = false;
    return PR_OK;
}

/* Tables are known to be on the device. */
void end_work(queue &q) {
    (void)send_early(q);
    q.used = q.sent;
    q.is_listing = false;
    note_open(nullptr);
}

/* ---- entries ---- */

cudaError_t add_work(queue &q, const work *w) {
    q.is_idle = false;
    if (q.is_listing && q.used + w->bytes > list_bytes) {
        const cudaError_t error = send_all(q);
        if (error != cudaSuccess) return error;
        q.is_listing = false;
    }
    if (!q.is_listing) return w->run(w, q.handle, false);
    std::memcpy(q.list + q.used, w, w->bytes);
    q.used += w->bytes;
    return cudaSuccess;
}

/* Of memory; what one kind has no use for is 0. */
struct alignas(16) memory_work {
    work head;
    void *to;
    const void *from;
    size_t to_pitch, from_pitch, bytes, n;
    cudaEvent_t event;
    int64_t value;
    uint64_t kind;
};
static_assert(std::has_unique_object_representations_v<memory_work>, "its bytes say whether it is the same");

static const memory_work *of_memory(const work *w) { return reinterpret_cast<const memory_work *>(w); }
static cudaError_t run_copy(const work *w, cudaStream_t stream, bool) {
    const memory_work *m = of_memory(w);
    return cudaMemcpyAsync(m->to, m->from, m->bytes, (cudaMemcpyKind)m->kind, stream);
}
static cudaError_t run_rows(const work *w, cudaStream_t stream, bool) {
    const memory_work *m = of_memory(w);
    return cudaMemcpy2DAsync(m->to, m->to_pitch, m->from, m->from_pitch, m->bytes, m->n, cudaMemcpyHostToDevice,
                             stream);
}
static cudaError_t run_set(const work *w, cudaStream_t stream, bool) {
    const memory_work *m = of_memory(w);
    return cudaMemsetAsync(m->to, (int)m->value, m->bytes, stream);
}
/* Without the flag a capture would take the event for its own. */
static cudaError_t run_mark(const work *w, cudaStream_t stream, bool is_captured) {
    return is_captured ? cudaEventRecordWithFlags(of_memory(w)->event, stream, cudaEventRecordExternal)
                       : cudaEventRecord(of_memory(w)->event, stream);
}

static cudaError_t add_memory_work(queue &q, memory_work m, cudaError_t (*run)(const work *, cudaStream_t, bool),
                                   const char *name) {
    m.head = work{run, name, sizeof m};
    return add_work(q, &m.head);
}

cudaError_t queue_copy(queue &q, void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
    memory_work m = {};
    m.to = to, m.from = from, m.bytes = bytes, m.kind = (uint64_t)kind;
    return add_memory_work(q, m, run_copy, "a copy");
}
cudaError_t queue_rows(queue &q, void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t bytes,
                       size_t n) {
    memory_work m = {};
    m.to = to, m.from = from, m.to_pitch = to_pitch, m.from_pitch = from_pitch, m.bytes = bytes, m.n = n;
    return add_memory_work(q, m, run_rows, "a copy of rows");
}
cudaError_t queue_set(queue &q, void *to, int value, size_t bytes) {
    memory_work m = {};
    m.to = to, m.value = value, m.bytes = bytes;
    return add_memory_work(q, m, run_set, "setting memory");
}
cudaError_t queue_mark(queue &q, cudaEvent_t event) {
    memory_work m = {};
    m.event = event;
    return add_memory_work(q, m, run_mark, "a mark");
}

cudaError_t queue_early_copy(queue &q, char *to, const char *from, size_t bytes) {
    q.is_idle = false;
    if (!q.is_listing) return copy_at_once(q, early_copy{to, from, bytes});
    early_copy *last = q.n_early ? &q.early[q.n_early - 1] : nullptr;
    if (last && (q.n_early == most_early_copies || to <= last->to + last->bytes + early_gap)) {
        PR_ASSERT(to >= last->to + last->bytes && to - last->to == from - last->from);
        last->bytes = (size_t)(to - last->to) + bytes;
        return cudaSuccess;
    }
    q.early[q.n_early++] = early_copy{to, from, bytes};
    return cudaSuccess;
}

} // namespace PR_GPU
