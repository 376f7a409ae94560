/* The queue of a device: a stream, and, between begin_work and end_work, a list of what is to go there. It goes when
 * somebody waits or asks for it to be sent (a stretch); a stretch that is the same as in the proof before becomes a
 * graph, and is launched as one from then on. "The same" is byte for byte: kernels, shapes and arguments, places and
 * lengths of copies. So what differs from proof to proof belongs in memory, not in arguments.
 *
 *   PR_CUDA_TRY(PR_LAUNCH(kernel, grid, block, shared_bytes, dev->stream, args...), "what it does");
 *   PR_CUDA_TRY(queue_copy(dev->stream, to, from, bytes, cudaMemcpyDeviceToHost), "fetching it");
 *   PR_TRY(wait_for_work(dev->stream, "what was to be done", err));
 *
 * Memory of the host that is copied must be pinned, and stay as it is until somebody has waited. Errors of what is
 * listed come when it is sent. */
#ifndef PR_CUDA_QUEUE_CUH
#define PR_CUDA_QUEUE_CUH
#include <tuple>
#include <type_traits>
#include "cuda/common.cuh"

namespace PR_GPU {

constexpr size_t list_bytes = 128 << 10; /* of a proof; what is longer is queued as it comes */
constexpr unsigned most_stretches = 24, most_early_copies = 16;

/* Of a device's memory, that graphs are allowed for. CUDA does not say what it takes, and it has not been measured: 64
 * KiB a graph, and the arguments of all kernels, which the list has room for, four times. */
#ifdef PR_CUDA_EMULATED
constexpr size_t graph_bytes = 0; /* they lie with the host */
#else
constexpr size_t graph_bytes = most_stretches * ((size_t)64 << 10) + 4 * list_bytes;
#endif

/* An entry of the list; what it runs with lies behind it. */
struct work {
    cudaError_t (*run)(const work *w, cudaStream_t stream, bool is_captured);
    const char *name;
    size_t bytes; /* a multiple of 16 */
};

struct stretch {
    size_t from, to; /* in the list */
    cudaGraphExec_t graph;
    bool is_refused; /* no graph could be made of it */
};

/* Of tables: they go before the stretch whose kernels read them. */
struct early_copy {
    char *to;
    const char *from;
    size_t bytes;
};

struct queue {
    cudaStream_t handle;
    char *list, *before; /* [list_bytes], of this proof and the one before */
    size_t used, used_before, sent;
    stretch stretches[most_stretches];
    unsigned n_sent;
    early_copy early[most_early_copies];
    unsigned n_early;
    bool is_listing;
    bool is_idle; /* the host has waited for all that was queued */
};

pr_status open_queue(queue &q, pr_error *err);
void close_queue(queue &q);

/* A proof begins: the last one's work has ended, or is waited for. */
pr_status begin_work(queue &q, pr_error *err);
/* What is listed is sent; what comes is queued at once, for it will not be the same again. */
pr_status stop_listing(queue &q, pr_error *err);
/* A proof ends; kernels that were not sent are dropped. */
void end_work(queue &q);

pr_status send_work(queue &q, pr_error *err);
pr_status wait_for_work(queue &q, const char *what, pr_error *err);

cudaError_t queue_copy(queue &q, void *to, const void *from, size_t bytes, cudaMemcpyKind kind);
/* n rows of so many bytes from the host. */
cudaError_t queue_rows(queue &q, void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t bytes,
                       size_t n);
cudaError_t queue_set(queue &q, void *to, int value, size_t bytes);
cudaError_t queue_mark(queue &q, cudaEvent_t event);
/* A copy from the host that may go ahead of what is listed but not sent. Those of one list come by rising places. */
cudaError_t queue_early_copy(queue &q, char *to, const char *from, size_t bytes);

#ifdef PR_CUDA_EMULATED
void send_open_queue(); /* of this thread, if it is in a proof: so that what was done can be counted */
#endif

/* ---- kernels ---- */

/* Lists an entry, or runs it. */
cudaError_t add_work(queue &q, const work *w);

constexpr size_t whole_places(size_t bytes) { return (bytes + 15) / 16 * 16; }

template <class... P> struct kernel_work {
    work head;
    void (*kernel)(P...);
    size_t shared_bytes;
    unsigned grid[3], block[3];
    alignas(16) char args[(whole_places(sizeof(P)) + ... + 0)];
};

template <class T> T take_argument(const char **at) {
    T value;
    std::memcpy(static_cast<void *>(&value), *at, sizeof value);
    *at += whole_places(sizeof value);
    return value;
}
template <class T> void put_argument(char **at, const T &value) {
    std::memcpy(*at, &value, sizeof value);
    *at += whole_places(sizeof value);
}

template <class... P>
cudaError_t launch_at_once(const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes,
                           cudaStream_t stream, const P &...p) {
#ifdef PR_CUDA_EMULATED
    return emu::launch(name, kernel, grid, block, shared_bytes, stream, p...);
#else
    void *args[] = {const_cast<void *>(static_cast<const void *>(&p))...};
    return (void)name,
           cudaLaunchKernel(reinterpret_cast<const void *>(kernel), grid, block, args, shared_bytes, stream);
#endif
}

template <class... P> cudaError_t run_kernel(const work *w, cudaStream_t stream, bool) {
    const kernel_work<P...> *k = reinterpret_cast<const kernel_work<P...> *>(w);
    const dim3 grid(k->grid[0], k->grid[1], k->grid[2]), block(k->block[0], k->block[1], k->block[2]);
    const char *at = k->args;
    const std::tuple<P...> args{take_argument<P>(&at)...};
    return std::apply(
        [&](const P &...p) { return launch_at_once(w->name, k->kernel, grid, block, k->shared_bytes, stream, p...); },
        args);
}

template <class... P, class... A>
cudaError_t queue_kernel(queue &q, const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes,
                         const A &...args) {
    static_assert((std::has_unique_object_representations_v<P> && ...),
                  "the bytes of arguments say whether they are the same");
    kernel_work<P...> k;
    char *at = k.args;
    std::memset(static_cast<void *>(&k), 0, sizeof k);
    k.head = work{run_kernel<P...>, name, sizeof k};
    k.kernel = kernel;
    k.shared_bytes = shared_bytes;
    k.grid[0] = grid.x, k.grid[1] = grid.y, k.grid[2] = grid.z;
    k.block[0] = block.x, k.block[1] = block.y, k.block[2] = block.z;
    (put_argument<P>(&at, args), ...);
    return add_work(q, &k.head);
}

#define PR_LAUNCH(kernel, grid, block, shared_bytes, queue, ...)                                                       \
    queue_kernel(queue, #kernel, kernel, grid, block, shared_bytes, __VA_ARGS__)

} // namespace PR_GPU
#endif
