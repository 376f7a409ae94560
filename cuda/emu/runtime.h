/* The part of the CUDA runtime that the backend calls, on the emulated device. Streams are queues of work that runs
 * when somebody waits for it, and not before: what was not waited for is not there. Functions have the names, arguments
 * and errors of the toolkit's; each holds the lock (state.h). */
#ifndef PR_EMU_RUNTIME_H
#define PR_EMU_RUNTIME_H
#include <algorithm>
#include <deque>
#include <sys/mman.h>
#include "cuda/emu/block.h"
#include "cuda/emu/devices.h"

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorNotReady = 600,
    cudaErrorIllegalAddress = 700,
    cudaErrorMisalignedAddress = 716,
    cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
constexpr unsigned cudaStreamNonBlocking = 1;

namespace emu {

struct host_range {
    char *p = nullptr;
    size_t bytes = 0;
};
struct work {
    std::function<void()> run;
    host_range reads, writes;                                 /* memory of the host, when its turn comes */
    std::function<void(struct stream *)> is_queued = nullptr; /* once it is, with its number */
};
struct task {
    work what;
    clocks before;
    uint32_t at;
};
struct stream {
    unsigned index;
    int device = 0; /* that the thread had selected which made it */
    uint32_t n_queued = 0;
    clocks known; /* what comes before the next operation */
    std::deque<task> queue;
    std::vector<work> *capture = nullptr; /* where work goes instead (graph.h) */
};

/* Device memory is open only while an operation runs: the host cannot touch it. */
inline void set_access(int protection) {
    for (const auto &r : it().regions)
        if (r->live && mprotect(r->begin, r->mapped_bytes, protection) != 0) __builtin_trap();
}

/* What a thread of the host has waited for: comes before whatever it queues from now on. */
inline clocks &host_clocks() {
    static thread_local clocks c;
    return c;
}
inline void join(clocks &into, const clocks &other) {
    for (unsigned k = 0; k < max_streams; k++) into.seen[k] = std::max(into.seen[k], other.seen[k]);
}

/* Runs a stream's work up to its operation number at. */
inline void drain(stream *s, uint32_t at) {
    if (s->queue.empty() || s->queue.front().at > at) return;
    set_access(PROT_READ | PROT_WRITE);
    while (!s->queue.empty() && s->queue.front().at <= at) {
        task t = std::move(s->queue.front());
        s->queue.pop_front();
        if (it().found != defect::none) continue; /* sticky: nothing runs any more */
        it().stream = s->index;
        it().at = t.at;
        it().before = &t.before;
        t.what.run();
    }
    set_access(PROT_NONE);
}

/* Numbers of streams are used again; operations are counted on, so that whoever has waited for the stream that had the
 * number before has waited for nothing of this one. */
struct stream_place {
    stream *s = nullptr;
    uint32_t n_queued = 0; /* by those that were here */
};
inline stream_place (&places())[max_streams] {
    static stream_place list[max_streams];
    return list;
}
inline void drain_all() {
    for (const stream_place &p : places())
        if (p.s) drain(p.s, UINT32_MAX);
}
/* What a stream that ends has touched is no matter any more. */
inline void forget_accesses(unsigned stream) {
    for (const auto &r : it().regions)
        for (granule &g : r->granules) {
            g.read_at[stream] = 0;
            if (g.write_stream == stream) g.write_at = 0;
        }
}

inline cudaError_t sticky() {
    switch (it().found) {
    case defect::none:
        return cudaSuccess;
    case defect::misaligned:
        return cudaErrorMisalignedAddress;
    case defect::out_of_bounds:
    case defect::dead_memory:
        return cudaErrorIllegalAddress;
    case defect::misuse:
        return cudaErrorInvalidValue;
    case defect::bad_launch:
        return cudaErrorInvalidConfiguration;
    default:
        return cudaErrorLaunchFailure;
    }
}

/* A copy to the host follows: copies of this stream that still read the place come before it. */
inline void finish_reads(stream *s, host_range place) {
    uint32_t last = 0;
    for (const task &t : s->queue) {
        const host_range &r = t.what.reads;
        if (r.bytes && r.p < place.p + place.bytes && place.p < r.p + r.bytes) last = t.at;
    }
    drain(s, last);
}

/* Memory of the host that work will write is poisoned until then. */
inline cudaError_t queue(stream *s, work w) {
    if (!s) report(defect::misuse, "work needs a stream of its own");
    if (s && s->device != std::max(selected_device(), 0))
        report(defect::misuse, "a stream of device %d, and a thread that has selected %d", s->device,
               std::max(selected_device(), 0));
    if (it().found != defect::none) return sticky();
    if (s->capture) {
        s->capture->push_back(std::move(w));
        return cudaSuccess;
    }
    if (w.writes.bytes) {
        finish_reads(s, w.writes);
        std::memset(w.writes.p, poison, w.writes.bytes);
    }
    join(s->known, host_clocks());
    s->known.seen[s->index] = ++s->n_queued;
    if (w.is_queued) w.is_queued(s);
    s->queue.push_back(task{std::move(w), s->known, s->n_queued});
    return cudaSuccess;
}

/* What a device refuses while a stream is being captured. */
inline bool refuse_in_capture(const char *what) {
    const guard hold;
    if (is_capturing()) report(defect::misuse, "%s while a stream is being captured", what);
    return is_capturing();
}

/* Forgets a defect and all that it left behind, counters too: for tests. */
inline void reset() {
    const guard hold;
    it().found = defect::none;
    it().text[0] = 0;
    it().count = {};
    it().fail_allocation = it().fail_launch = 0;
    it().limit_bytes = SIZE_MAX;
    it().peak_bytes = it().used_bytes;
    it().peak_pinned_bytes = it().pinned_bytes;
    is_capturing() = false;
    the_order().is_watched = false;
}

inline bool counts_down(uint64_t &n) { return n && --n == 0; }

inline region *range_of(const void *p, size_t bytes, const char *what) {
    region *r = region_of(it().regions, p);
    if (!r)
        report(defect::dead_memory, "%s: no memory of the device", what);
    else if (!r->live)
        report(defect::dead_memory, "%s: memory that was freed", what);
    else if ((const char *)p + bytes > r->begin + r->bytes)
        report(defect::out_of_bounds, "%s: too long", what);
    return it().found == defect::none ? r : nullptr;
}
inline bool use_range(const void *p, size_t bytes, bool writes, const char *what) {
    region *r = range_of(p, bytes, what);
    if (r) check_order(*r, (size_t)((const char *)p - r->begin), bytes, writes);
    return it().found == defect::none;
}

inline void run_grid(dim3 grid, dim3 shape, size_t shared_bytes, const std::function<void()> &body) {
    it().count.launches++;
    begin_ordered_launch();
    gridDim = grid;
    blockDim = shape;
    const size_t n = (size_t)grid.x * grid.y * grid.z;
    const bool backwards = it().count.launches & 1; /* blocks have no order either */
    for (size_t k = 0; k < n && it().found == defect::none; k++) {
        const size_t i = backwards ? n - 1 - k : k;
        blockIdx = dim3((unsigned)(i % grid.x), (unsigned)(i / grid.x % grid.y), (unsigned)(i / grid.x / grid.y));
        the_block().run(body, shared_bytes);
    }
}

constexpr size_t max_pitch = 0x7fffffff; /* cudaDevAttrMaxPitch of all devices so far */

/* Dynamic shared memory that functions may be launched with: what they were allowed last, which may also be less than
 * before; a launch that was queued earlier has been checked. */
struct function_limit {
    const void *function;
    size_t bytes;
};
inline std::vector<function_limit> &function_limits() {
    static std::vector<function_limit> list;
    return list;
}
inline size_t dynamic_limit(const void *function) {
    for (const function_limit &f : function_limits())
        if (f.function == function) return f.bytes;
    return max_static_bytes;
}

template <class... P, class... A>
cudaError_t launch(const char *name, void (*kernel)(P...), dim3 grid, dim3 shape, size_t shared_bytes, stream *s,
                   A... args) {
    const guard hold;
    const size_t threads = (size_t)shape.x * shape.y * shape.z;
    if (!threads || threads > max_threads || !grid.x || !grid.y || !grid.z || grid.x > INT32_MAX || grid.y > 65535 ||
        grid.z > 65535)
        report(defect::bad_launch, "%s: %u x %u x %u blocks of %zu threads", name, grid.x, grid.y, grid.z, threads);
    const size_t most = dynamic_limit(reinterpret_cast<const void *>(kernel));
    if (shared_bytes > most)
        report(defect::bad_launch, "%s: %zu bytes of dynamic shared memory; it is allowed %zu", name, shared_bytes,
               most);
    static_assert((sizeof(P) + ... + 0) <= 4096, "arguments of a kernel: 4096 bytes");
    if (counts_down(it().fail_launch)) report(defect::injected, "%s: a launch that a test made fail", name);
    return queue(s, {[=]() { run_grid(grid, shape, shared_bytes, [&]() { kernel(P(args)...); }); }, {}, {}});
}

} // namespace emu

typedef emu::stream *cudaStream_t;

inline cudaError_t cudaGetLastError() {
    const emu::guard hold;
    return emu::sticky();
}
inline const char *cudaGetErrorString(cudaError_t e) {
    if (e == cudaErrorMemoryAllocation) return "out of memory";
    if (e == cudaSuccess) return "no error";
    if (e == cudaErrorNoDevice) return "no device is visible";
    return emu::it().text[0] ? emu::it().text : "invalid use of the emulated device";
}

inline cudaError_t cudaMalloc(void **out, size_t bytes) {
    const emu::guard hold;
    if (emu::refuse_in_capture("cudaMalloc")) return emu::sticky();
    emu::state &s = emu::it();
    if (s.found != emu::defect::none) return emu::sticky();
    if (emu::counts_down(s.fail_allocation) || s.used_bytes + bytes > s.limit_bytes) return cudaErrorMemoryAllocation;
    auto r = std::make_unique<emu::region>();
    r->bytes = bytes;
    r->mapped_bytes = (bytes / 4096 + 1) * 4096;
    void *p = mmap(nullptr, r->mapped_bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED) return cudaErrorMemoryAllocation;
    std::memset(p, emu::poison, r->mapped_bytes);
    if (mprotect(p, r->mapped_bytes + 4096, PROT_NONE) != 0) __builtin_trap();
    r->begin = (char *)p;
    r->live = true;
    s.used_bytes += bytes;
    s.peak_bytes = std::max(s.peak_bytes, s.used_bytes);
    s.regions.push_back(std::move(r));
    *out = p;
    return cudaSuccess;
}
/* The place is never given out again, so that late users are found. */
inline cudaError_t cudaFree(void *p) {
    const emu::guard hold;
    if (!p) return cudaSuccess;
    if (emu::refuse_in_capture("cudaFree")) return emu::sticky();
    emu::region *r = emu::region_of(emu::it().regions, p);
    if (!r || r->begin != p || !r->live) {
        emu::report(emu::defect::misuse, "cudaFree of what cudaMalloc did not give");
        return emu::sticky();
    }
    r->live = false;
    emu::it().used_bytes -= r->bytes;
    r->granules = std::vector<emu::granule>();
    madvise(r->begin, r->mapped_bytes, MADV_DONTNEED);
    return emu::sticky();
}
inline cudaError_t cudaMallocHost(void **out, size_t bytes) {
    const emu::guard hold;
    if (emu::refuse_in_capture("cudaMallocHost")) return emu::sticky();
    if (emu::counts_down(emu::it().fail_allocation)) return cudaErrorMemoryAllocation;
    auto r = std::make_unique<emu::region>();
    r->begin = (char *)std::malloc(bytes ? bytes : 1);
    if (!r->begin) return cudaErrorMemoryAllocation;
    std::memset(r->begin, emu::poison, bytes);
    r->bytes = bytes;
    *out = r->begin;
    emu::it().pinned.push_back(std::move(r));
    emu::it().pinned_bytes += bytes;
    emu::it().peak_pinned_bytes = std::max(emu::it().peak_pinned_bytes, emu::it().pinned_bytes);
    return cudaSuccess;
}
inline cudaError_t cudaFreeHost(void *p) {
    const emu::guard hold;
    if (emu::refuse_in_capture("cudaFreeHost")) return emu::sticky();
    auto &list = emu::it().pinned;
    for (auto i = list.begin(); i != list.end(); ++i)
        if ((*i)->begin == p) {
            emu::it().pinned_bytes -= (*i)->bytes;
            std::free(p);
            list.erase(i);
            return cudaSuccess;
        }
    return p ? cudaErrorInvalidValue : cudaSuccess;
}

/* Pageable memory may be read at once or, on machines whose devices see all memory of the host, when the copy's turn
 * comes, as pinned memory is: it must be the same. A copy to the host poisons its target
 * until then; copies of its stream that read the target before it have their turn first. */
inline cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t s) {
    const emu::guard hold;
    if (!bytes) return emu::sticky();
    const void *host = kind == cudaMemcpyHostToDevice ? from : to;
    const bool pageable = kind != cudaMemcpyDeviceToDevice && !emu::region_of(emu::it().pinned, host);
    if (pageable && s && s->capture && emu::refuse_in_capture("a copy of pageable memory")) return emu::sticky();
    if (kind == cudaMemcpyHostToDevice) {
        std::shared_ptr<std::vector<char>> staged;
        if (pageable) staged = std::make_shared<std::vector<char>>((const char *)from, (const char *)from + bytes);
        const auto run = [=]() {
            if (!emu::use_range(to, bytes, true, "copy to the device")) return;
            if (staged && std::memcmp(staged->data(), from, bytes) != 0)
                emu::report(emu::defect::misuse, "pageable memory that was changed before its copy was waited for");
            std::memcpy(to, from, bytes);
            emu::it().count.copied_to_device_bytes += bytes;
        };
        return emu::queue(s, {run, {(char *)from, pageable ? 0 : bytes}, {}});
    }
    if (kind == cudaMemcpyDeviceToHost) {
        const auto run = [=]() {
            if (!emu::use_range(from, bytes, false, "copy to the host")) return;
            std::memcpy(to, from, bytes);
            emu::it().count.copied_to_host_bytes += bytes;
        };
        return emu::queue(s, {run, {}, {(char *)to, bytes}});
    }
    const auto run = [=]() {
        if (!emu::use_range(from, bytes, false, "copy on the device")) return;
        if (!emu::use_range(to, bytes, true, "copy on the device")) return;
        std::memmove(to, from, bytes);
        emu::it().count.read_bytes += bytes;
        emu::it().count.written_bytes += bytes;
    };
    return emu::queue(s, {run, {}, {}});
}
/* Rows of width bytes, from pinned memory. */
inline cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                                     size_t height, cudaMemcpyKind kind, cudaStream_t s) {
    const emu::guard hold;
    const size_t spread = height ? (height - 1) * from_pitch + width : 0;
    const emu::region *r = emu::region_of(emu::it().pinned, from);
    if (kind != cudaMemcpyHostToDevice || !r || (const char *)from + spread > r->begin + r->bytes || to_pitch < width ||
        from_pitch < width)
        emu::report(emu::defect::misuse, "cudaMemcpy2DAsync takes rows of pinned memory that do not overlap");
    if (to_pitch > emu::max_pitch || from_pitch > emu::max_pitch)
        emu::report(emu::defect::misuse, "rows %zu and %zu bytes apart; the most is %zu", to_pitch, from_pitch,
                    emu::max_pitch);
    const auto run = [=]() {
        for (size_t k = 0; k < height; k++) {
            if (!emu::use_range((char *)to + k * to_pitch, width, true, "copy to the device")) return;
            std::memcpy((char *)to + k * to_pitch, (const char *)from + k * from_pitch, width);
            emu::it().count.copied_to_device_bytes += width;
        }
    };
    return emu::queue(s, {run, {(char *)from, spread}, {}});
}
inline cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t s) {
    const emu::guard hold;
    const auto run = [=]() {
        if (!emu::use_range(to, bytes, true, "cudaMemsetAsync")) return;
        std::memset(to, value, bytes);
        emu::it().count.written_bytes += bytes;
    };
    return emu::queue(s, {run, {}, {}});
}

enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
inline cudaError_t cudaFuncSetAttribute(const void *function, cudaFuncAttribute, int value) {
    const emu::guard hold;
    if (value < 0 || (size_t)value > emu::max_shared_bytes) return cudaErrorInvalidValue;
    for (emu::function_limit &f : emu::function_limits())
        if (f.function == function) return f.bytes = (size_t)value, cudaSuccess;
    emu::function_limits().push_back(emu::function_limit{function, (size_t)value});
    return cudaSuccess;
}

inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned) {
    const emu::guard hold;
    for (unsigned k = 0; k < emu::max_streams; k++) {
        emu::stream_place &place = emu::places()[k];
        if (place.s) continue;
        *out = place.s = new emu::stream{k, std::max(emu::selected_device(), 0), place.n_queued, {}, {}, nullptr};
        emu::it().n_streams++;
        return cudaSuccess;
    }
    emu::report(emu::defect::misuse, "more than %u streams at a time", emu::max_streams);
    return emu::sticky();
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t s) {
    const emu::guard hold;
    if (s->capture && emu::refuse_in_capture("cudaStreamSynchronize")) return emu::sticky();
    emu::it().count.synchronizations++;
    emu::drain(s, UINT32_MAX);
    emu::join(emu::host_clocks(), s->known);
    return emu::sticky();
}
inline cudaError_t cudaStreamDestroy(cudaStream_t s) {
    const emu::guard hold;
    emu::drain(s, UINT32_MAX);
    emu::places()[s->index] = {nullptr, s->n_queued};
    emu::it().n_streams--;
    emu::forget_accesses(s->index);
    delete s;
    return cudaSuccess;
}

inline cudaError_t cudaGetDeviceCount(int *n) {
    const emu::guard hold;
    emu::devices().n_calls++;
    *n = emu::devices().all.empty() ? 1 : (int)emu::visible_devices().size();
    return *n ? cudaSuccess : cudaErrorNoDevice;
}
constexpr unsigned cudaDeviceScheduleYield = 2;
inline cudaError_t cudaSetDeviceFlags(unsigned) { return cudaSuccess; }
inline cudaError_t cudaSetDevice(int n) {
    const emu::guard hold;
    emu::devices().n_calls++;
    if (emu::devices().all.empty()) return n == 0 ? cudaSuccess : cudaErrorInvalidDevice;
    const std::vector<int> visible = emu::visible_devices();
    if (visible.empty()) return cudaErrorNoDevice;
    if (n < 0 || (size_t)n >= visible.size()) return cudaErrorInvalidDevice;
    emu::selected_device() = visible[(size_t)n];
    return cudaSuccess;
}
/* Of threads more than any launch has: items are taken in order. */
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount };
inline cudaError_t cudaDeviceGetAttribute(int *out, cudaDeviceAttr, int) { return *out = 1 << 14, cudaSuccess; }
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *out, const void *, int, size_t) {
    return *out = 1 << 14, cudaSuccess;
}
inline cudaError_t cudaGetDevice(int *n) { return *n = std::max(emu::selected_device(), 0), cudaSuccess; }
inline cudaError_t cudaDeviceGetByPCIBusId(int *n, const char *bus_id) {
    const emu::guard hold;
    emu::devices().n_calls++;
    if (emu::devices().all.empty()) return *n = 0, cudaSuccess;
    const std::vector<int> visible = emu::visible_devices();
    for (*n = 0; (size_t)*n < visible.size(); ++*n)
        if (emu::devices().all[(size_t)visible[(size_t)*n]].bus_id == bus_id) return cudaSuccess;
    return cudaErrorInvalidValue;
}
#endif
