/* Events: places in a stream's work, for which the host and other streams wait, and which may tell a time. */
#ifndef PR_EMU_EVENT_H
#define PR_EMU_EVENT_H
#include <chrono>
#include "cuda/emu/runtime.h"

constexpr unsigned cudaEventDisableTiming = 2;

namespace emu {

struct event {
    stream *where = nullptr;
    uint32_t at = 0; /* operations of that stream before it */
    clocks known;
    std::shared_ptr<uint64_t> ns; /* of the host's clock, when its turn came; none: it tells no time */
};
inline uint64_t host_ns() {
    return (uint64_t)std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace emu

typedef emu::event *cudaEvent_t;

inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags) {
    *out = new emu::event;
    if (!(flags & cudaEventDisableTiming)) (*out)->ns = std::make_shared<uint64_t>(0);
    return cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t e) {
    const emu::guard hold;
    delete e;
    return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
    const emu::guard hold;
    if (emu::refuse_in_capture("cudaEventRecord")) return emu::sticky();
    if (e->ns) {
        const std::shared_ptr<uint64_t> ns = e->ns = std::make_shared<uint64_t>(0);
        const cudaError_t error = emu::queue(s, {[=]() { *ns = emu::host_ns(); }, {}, {}});
        if (error != cudaSuccess) return error;
    }
    *e = emu::event{s, s->n_queued, s->known, e->ns};
    return emu::sticky();
}
/* In a capture, an event that is recorded whenever the graph comes there. */
constexpr unsigned cudaEventRecordExternal = 1;
inline cudaError_t cudaEventRecordWithFlags(cudaEvent_t e, cudaStream_t s, unsigned flags) {
    const emu::guard hold;
    if (flags != cudaEventRecordExternal || !s->capture) {
        emu::report(emu::defect::misuse, "an event of a graph outside of a capture");
        return emu::sticky();
    }
    const std::shared_ptr<uint64_t> ns = e->ns;
    const auto run = [=]() {
        if (ns) *ns = emu::host_ns();
    };
    const auto is_queued = [=](emu::stream *where) {
        if (ns) *ns = 0;
        *e = emu::event{where, where->n_queued, where->known, ns};
    };
    return emu::queue(s, {run, {}, {}, is_queued});
}
inline cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to) {
    const emu::guard hold;
    if (emu::it().found != emu::defect::none) return emu::sticky();
    if (!from->ns || !to->ns) return cudaErrorInvalidValue;
    if (!*from->ns || !*to->ns) return cudaErrorNotReady;
    *ms = (float)((double)(int64_t)(*to->ns - *from->ns) / 1e6);
    return cudaSuccess;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t e) {
    const emu::guard hold;
    emu::it().count.synchronizations++;
    if (emu::refuse_in_capture("cudaEventSynchronize")) return emu::sticky();
    if (e->where) emu::drain(e->where, e->at);
    emu::join(emu::host_clocks(), e->known);
    return emu::sticky();
}
inline cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
    const emu::guard hold;
    if (emu::refuse_in_capture("a wait for an event")) return emu::sticky();
    if (!e->where) return cudaSuccess;
    const emu::event copy = *e;
    emu::join(s->known, copy.known);
    const auto run = [=]() { /* the other stream's work first */
                             const emu::state &now = emu::it();
                             const unsigned stream = now.stream;
                             const uint32_t at = now.at;
                             const emu::clocks *before = now.before;
                             emu::drain(copy.where, copy.at);
                             emu::set_access(PROT_READ | PROT_WRITE);
                             emu::it().stream = stream, emu::it().at = at, emu::it().before = before;
    };
    return emu::queue(s, {run, {}, {}});
}
#endif
