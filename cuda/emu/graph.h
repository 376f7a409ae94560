/* Graphs: the work of one stream, captured instead of queued, and queued as a whole any number of times. Work that is
 * captured keeps its arguments, memory of the host that it copies is read and written when it runs. What a capture must
 * not do is reported: wait, allocate or free, use events but external ones, copy pageable memory; and graphs that are
 * no more. */
#ifndef PR_EMU_GRAPH_H
#define PR_EMU_GRAPH_H
#include "cuda/emu/event.h"

enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal };

namespace emu {

struct graph {
    std::vector<work> nodes;
};
inline std::vector<std::unique_ptr<graph>> &graphs() { /* captured and executable ones that were not destroyed */
    static std::vector<std::unique_ptr<graph>> list;
    return list;
}
inline graph *add_graph(std::vector<work> nodes) {
    graphs().push_back(std::make_unique<graph>(graph{std::move(nodes)}));
    return graphs().back().get();
}
inline bool is_graph(const graph *g) {
    for (const auto &known : graphs())
        if (known.get() == g) return true;
    report(defect::misuse, "a graph that is not, or no more");
    return false;
}
inline void remove_graph(const graph *g) {
    auto &list = graphs();
    if (is_graph(g)) list.erase(std::find_if(list.begin(), list.end(), [=](const auto &x) { return x.get() == g; }));
}

} // namespace emu

typedef emu::graph *cudaGraph_t;
typedef struct emu_executable *cudaGraphExec_t; /* a graph too */

inline cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode) {
    const emu::guard hold;
    if (emu::is_capturing()) emu::report(emu::defect::misuse, "a capture within a capture");
    if (emu::it().found != emu::defect::none) return emu::sticky();
    s->capture = new std::vector<emu::work>;
    emu::is_capturing() = true;
    return cudaSuccess;
}
/* Whatever was captured is let go when something went wrong. */
inline cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *out) {
    const emu::guard hold;
    if (!s->capture) emu::report(emu::defect::misuse, "the end of a capture that did not begin");
    const std::unique_ptr<std::vector<emu::work>> nodes(s->capture);
    s->capture = nullptr;
    emu::is_capturing() = false;
    *out = nullptr;
    if (emu::it().found != emu::defect::none) return emu::sticky();
    *out = emu::add_graph(std::move(*nodes));
    return cudaSuccess;
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t g, unsigned long long) {
    const emu::guard hold;
    if (emu::refuse_in_capture("cudaGraphInstantiate") || !emu::is_graph(g)) return emu::sticky();
    if (emu::counts_down(emu::it().fail_allocation)) return cudaErrorMemoryAllocation;
    *out = (cudaGraphExec_t)(void *)emu::add_graph(g->nodes);
    return cudaSuccess;
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t s) {
    const emu::guard hold;
    const emu::graph *g = (const emu::graph *)(const void *)executable;
    if (emu::refuse_in_capture("cudaGraphLaunch") || !emu::is_graph(g)) return emu::sticky();
    if (emu::counts_down(emu::it().fail_launch))
        emu::report(emu::defect::injected, "a graph: a launch that a test made fail");
    for (const emu::work &node : g->nodes) {
        const cudaError_t error = emu::queue(s, node);
        if (error != cudaSuccess) return error;
    }
    emu::it().count.graph_launches++;
    return cudaSuccess;
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t g) {
    const emu::guard hold;
    emu::remove_graph(g);
    return emu::sticky();
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t g) { return cudaGraphDestroy((cudaGraph_t)(void *)g); }
#endif
