/* Work of the stream that is the same time after time, but for what it finds in memory: queued piece by piece the first
 * time, captured the second, and from then on launched as a graph. Other work in its place begins anew. */
#ifndef PR_CUDA_GRAPH_CUH
#define PR_CUDA_GRAPH_CUH
#include <type_traits>
#include "cuda/device.cuh"

namespace PR_GPU {

inline void forget_work(repeated_work *w) {
    if (w->graph) (void)cudaGraphExecDestroy(w->graph);
    *w = repeated_work{};
}

/* Nothing that queue() calls may wait, allocate, or copy memory of the host that is not pinned. A graph that cannot be
 * made, for lack of memory, is done without. */
template <class QUEUE> pr_status capture_work(device *dev, repeated_work *w, QUEUE queue, pr_error *err) {
    cudaGraph_t graph = nullptr;
    PR_CUDA_TRY(cudaStreamBeginCapture(dev->stream, cudaStreamCaptureModeThreadLocal), "capturing work");
    pr_status status = queue();
    const cudaError_t error = cudaStreamEndCapture(dev->stream, &graph);
    if (status == PR_OK) status = check(error, "capturing work", err);
    if (status == PR_OK && cudaGraphInstantiate(&w->graph, graph, 0) != cudaSuccess) {
        (void)cudaGetLastError();
        w->graph = nullptr;
        w->is_refused = true;
    }
    if (graph) (void)cudaGraphDestroy(graph);
    return status;
}

/* view: all that the launches of queue() are given. Where harm is to be done (debug.cuh) nothing is the same twice. */
template <class VIEW, class QUEUE>
pr_status run_repeated(device *dev, repeated_work *w, const VIEW &view, QUEUE queue, pr_error *err) {
    static_assert(std::has_unique_object_representations_v<VIEW>, "its bytes say whether it is the same");
    const pr_hash name = pr_blake2s_hash(&view, sizeof view);
    if (dev->flip_in || dev->lose_in) return queue();
    if (!w->is_known || std::memcmp(&w->name, &name, sizeof name) != 0) {
        forget_work(w);
        w->name = name;
        w->is_known = true;
        return queue();
    }
    const uint64_t before = dev->moved_bytes;
    if (!w->graph && !w->is_refused) {
        PR_TRY(capture_work(dev, w, queue, err));
        w->moved_bytes = dev->moved_bytes - before;
        dev->moved_bytes = before; /* nothing has been moved yet */
    }
    if (!w->graph) return queue();
    dev->moved_bytes += w->moved_bytes;
    return check(cudaGraphLaunch(w->graph, dev->stream), "launching a graph", err);
}

} // namespace PR_GPU
#endif
