/* What nvcc's code for the host calls of CUDA's runtime: memory of the processor for that of a device, kernels by the
 * machine (machine.h), at once or, in a capture, whenever the graph is launched. Rules of the runtime that the backend
 * has to keep to end the program when they are broken. One thread. */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <cuda_runtime_api.h>
#include "machine.h"

namespace {

constexpr size_t most_shared = 99 << 10, usual_shared = 48 << 10, most_pitch = 0x7fffffff;

struct entry {
    std::string name;
    size_t allowed = usual_shared;
    bool was_launched = false; /* its code is loaded by then, and not in the middle of a capture */
};
typedef std::function<void()> work;

struct state {
    std::map<std::string, ptx::kernel> kernels;
    std::map<const void *, entry> entries;
    std::map<char *, size_t> device, pinned;
    std::vector<work> *capture = nullptr;
    unsigned n_streams = 0, n_graphs = 0;
    ~state();
};
/* Into the file that PTX_LOG names: every kernel that there is, and whether it was launched. */
state::~state() {
    const char *path = getenv("PTX_LOG");
    FILE *f = path ? fopen(path, "a") : nullptr;
    if (!f) return;
    for (const auto &e : entries)
        fprintf(f, "%s %s\n", e.second.was_launched ? "launched" : "there", e.second.name.c_str());
    fclose(f);
}
state &it() {
    static state s;
    return s;
}

/* The region that p lies in, or the end. */
std::map<char *, size_t>::iterator region_of(std::map<char *, size_t> &list, const void *p) {
    auto next = list.upper_bound(const_cast<char *>((const char *)p));
    if (next == list.begin()) return list.end();
    --next;
    return (const char *)p < next->first + next->second ? next : list.end();
}
bool lies_in(std::map<char *, size_t> &list, const void *p, size_t bytes) {
    const auto r = region_of(list, p);
    return r != list.end() && (const char *)p + bytes <= r->first + r->second;
}
void refuse_in_capture(const char *what) {
    if (it().capture) ptx::stop("%s while a stream is being captured", what);
}
cudaError_t submit(cudaStream_t s, work w) {
    if (!s) ptx::stop("work for the default stream");
    if (it().capture)
        it().capture->push_back(std::move(w));
    else
        w();
    return cudaSuccess;
}
cudaError_t allocate(std::map<char *, size_t> &list, void **out, size_t bytes, const char *what) {
    refuse_in_capture(what);
    if (!bytes) ptx::stop("%s of no bytes", what);
    char *p = (char *)aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (!p) return cudaErrorMemoryAllocation;
    memset(p, 0xd5, bytes);
    list[p] = bytes;
    *out = p;
    return cudaSuccess;
}
cudaError_t release(std::map<char *, size_t> &list, void *p, const char *what) {
    if (!p) return cudaSuccess;
    refuse_in_capture(what);
    if (!list.erase((char *)p)) ptx::stop("%s of what was not allocated", what);
    free(p);
    return cudaSuccess;
}

/* All modules lie as text in the data that nvcc registers, if they are not compressed: each begins with its version. */
void read_fat_binary(const char *data, size_t n) {
    static const char mark[] = ".version ";
    for (const char *at = data, *end = data + n; (at = std::search(at, end, mark, mark + sizeof mark - 1)) != end;) {
        const size_t bytes = strnlen(at, (size_t)(end - at));
        ptx::read_module(it().kernels, at, bytes);
        at += bytes;
    }
}

/* Where a copy reads and writes, when its turn comes. */
void copy(char *to, const char *from, size_t bytes, cudaMemcpyKind kind) {
    const bool to_device = kind != cudaMemcpyDeviceToHost, from_device = kind != cudaMemcpyHostToDevice;
    if (to_device != lies_in(it().device, to, bytes) || from_device != lies_in(it().device, from, bytes))
        ptx::stop("a copy of %zu bytes, kind %d, whose places are not what it says", bytes, (int)kind);
    memmove(to, from, bytes);
}
void check_captured(const void *host, size_t bytes) {
    if (it().capture && !lies_in(it().pinned, host, bytes)) ptx::stop("a copy of pageable memory in a capture");
    if (it().capture && !bytes) ptx::stop("a copy of nothing in a capture");
}

std::vector<char> pack(const ptx::kernel &k, void **args) {
    std::vector<char> out(k.parameter_bytes);
    for (size_t i = 0; i < k.parameters.size(); i++)
        memcpy(out.data() + k.parameters[i].offset, args[i], k.parameters[i].bytes);
    return out;
}

} // namespace

struct CUstream_st {};
struct CUevent_st {
    bool tells_time;
};
struct CUgraph_st {
    std::vector<work> nodes;
};
struct CUgraphExec_st {
    std::vector<work> nodes;
};

void ptx::check_global(uint64_t p, size_t bytes) {
    static char *begin, *end; /* of the region that was used last */
    char *at = (char *)p;
    if (at >= begin && at + bytes <= end) return;
    const auto r = region_of(it().device, at);
    if (r == it().device.end() || at + bytes > r->first + r->second)
        ptx::stop("%zu bytes at %p are no memory of the device", bytes, (void *)at);
    begin = r->first, end = r->first + r->second;
}

extern "C" {

/* ---- what nvcc's code registers at the start ---- */

struct fat_binary {
    int magic, version;
    const char *data;
};
void **__cudaRegisterFatBinary(void *p) {
    const fat_binary *f = (const fat_binary *)p;
    uint64_t bytes;
    memcpy(&bytes, f->data + 8, sizeof bytes);
    read_fat_binary(f->data, bytes + 16);
    return (void **)p;
}
void __cudaRegisterFatBinaryEnd(void **) {}
void __cudaUnregisterFatBinary(void **) {}
char __cudaInitModule(void **) { return 1; }
void __cudaRegisterFunction(void **, const char *host, char *, const char *name, int, uint3 *, uint3 *, dim3 *, dim3 *,
                            int *) {
    if (!it().kernels.count(name)) ptx::stop("no text of %s", name);
    it().entries[host].name = name;
}
unsigned __cudaPushCallConfiguration(dim3, dim3, size_t, struct CUstream_st *) { ptx::stop("a launch by brackets"); }
cudaError_t __cudaPopCallConfiguration(dim3 *, dim3 *, size_t *, void *) { ptx::stop("a launch by brackets"); }
cudaError_t __cudaGetKernel(cudaKernel_t *, const void *) { ptx::stop("a launch by brackets"); }
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void **, size_t, cudaStream_t) {
    ptx::stop("a launch by brackets");
}

/* ---- kernels ---- */

cudaError_t cudaLaunchKernel(const void *function, dim3 grid, dim3 block, void **args, size_t shared, cudaStream_t s) {
    if (!it().entries.count(function)) ptx::stop("a launch of what is no kernel");
    entry &e = it().entries[function];
    const ptx::kernel &k = it().kernels[e.name];
    const unsigned threads = block.x * block.y * block.z;
    if (!threads || threads > k.most_threads || grid.y > 65535 || grid.z != 1 || !grid.x || !grid.y ||
        grid.x > 0x7fffffff)
        ptx::stop("%s: %u x %u x %u blocks of %u threads", e.name.c_str(), grid.x, grid.y, grid.z, threads);
    if (shared > e.allowed || k.shared_bytes > usual_shared || k.shared_bytes + shared > most_shared)
        ptx::stop("%s: %zu bytes of shared memory and %zu dynamic ones", e.name.c_str(), k.shared_bytes, shared);
    if (k.parameter_bytes > 4096) ptx::stop("%s: %zu bytes of arguments", e.name.c_str(), k.parameter_bytes);
    if (it().capture && !e.was_launched) ptx::stop("%s: launched for the first time in a capture", e.name.c_str());
    e.was_launched = true;
    const std::vector<char> packed = pack(k, args);
    return submit(s, [=, &k]() {
        ptx::run_grid(k, ptx::shape{grid.x, grid.y, 1}, ptx::shape{block.x, block.y, block.z}, shared, packed);
    });
}
cudaError_t cudaFuncSetAttribute(const void *function, cudaFuncAttribute which, int value) {
    if (!it().entries.count(function) || which != cudaFuncAttributeMaxDynamicSharedMemorySize)
        ptx::stop("an attribute");
    entry &e = it().entries[function];
    if (value < 0 || it().kernels[e.name].shared_bytes + (size_t)value > most_shared) return cudaErrorInvalidValue;
    e.allowed = (size_t)value;
    return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *n, const void *function, int, size_t) {
    if (!it().entries.count(function)) ptx::stop("occupancy of what is no kernel");
    return *n = 1, cudaSuccess;
}

/* ---- memory ---- */

cudaError_t cudaMalloc(void **p, size_t bytes) { return allocate(it().device, p, bytes, "cudaMalloc"); }
cudaError_t cudaFree(void *p) { return release(it().device, p, "cudaFree"); }
cudaError_t cudaMallocHost(void **p, size_t bytes) { return allocate(it().pinned, p, bytes, "cudaMallocHost"); }
cudaError_t cudaFreeHost(void *p) { return release(it().pinned, p, "cudaFreeHost"); }
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t s) {
    if (kind != cudaMemcpyDeviceToDevice) check_captured(kind == cudaMemcpyHostToDevice ? from : to, bytes);
    return submit(s, [=]() { copy((char *)to, (const char *)from, bytes, kind); });
}
cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t s) {
    if (to_pitch > most_pitch || from_pitch > most_pitch || to_pitch < width || from_pitch < width)
        ptx::stop("rows apart by %zu and %zu", to_pitch, from_pitch);
    check_captured(from, width);
    return submit(s, [=]() {
        for (size_t k = 0; k < height; k++)
            copy((char *)to + k * to_pitch, (const char *)from + k * from_pitch, width, kind);
    });
}
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t s) {
    return submit(s, [=]() {
        if (!bytes || !lies_in(it().device, to, bytes)) ptx::stop("cudaMemsetAsync of %zu bytes", bytes);
        memset(to, value, bytes);
    });
}
cudaError_t cudaMemGetInfo(size_t *n, size_t *all) { return *n = *all = 1 << 30, cudaSuccess; }

/* ---- streams, events, graphs ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags) {
    if (flags != cudaStreamNonBlocking) ptx::stop("a stream that waits for the default one");
    it().n_streams++;
    return *s = new CUstream_st, cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
    it().n_streams--;
    delete s;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return refuse_in_capture("cudaStreamSynchronize"), cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags) {
    return *e = new CUevent_st{!(flags & cudaEventDisableTiming)}, cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) { return delete e, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return refuse_in_capture("cudaEventRecord"), cudaSuccess; }
cudaError_t cudaEventRecordWithFlags(cudaEvent_t, cudaStream_t, unsigned flags) {
    if (flags != cudaEventRecordExternal || !it().capture) ptx::stop("an event of a graph outside of a capture");
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return refuse_in_capture("cudaEventSynchronize"), cudaSuccess; }
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to) {
    return *ms = 1, from->tells_time && to->tells_time ? cudaSuccess : cudaErrorInvalidValue;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode) {
    if (!s || it().capture || mode != cudaStreamCaptureModeThreadLocal) ptx::stop("a capture that others would feel");
    it().capture = new std::vector<work>;
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t *g) {
    if (!it().capture) ptx::stop("the end of no capture");
    *g = new CUgraph_st{std::move(*it().capture)};
    it().n_graphs++;
    delete it().capture;
    it().capture = nullptr;
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *e, cudaGraph_t g, unsigned long long) {
    refuse_in_capture("cudaGraphInstantiate");
    it().n_graphs++;
    return *e = new CUgraphExec_st{g->nodes}, cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t) {
    refuse_in_capture("cudaGraphLaunch");
    for (const work &w : e->nodes) w();
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t g) { return it().n_graphs--, delete g, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e) { return it().n_graphs--, delete e, cudaSuccess; }

/* ---- the device ---- */

cudaError_t cudaGetLastError(void) { return cudaSuccess; }
const char *cudaGetErrorString(cudaError_t) { return "an error of the stand-in for CUDA"; }
cudaError_t cudaGetDeviceCount(int *n) { return *n = 1, cudaSuccess; }
cudaError_t cudaGetDevice(int *n) { return *n = 0, cudaSuccess; }
cudaError_t cudaSetDeviceFlags(unsigned) { return cudaSuccess; }
cudaError_t cudaSetDevice(int n) { return n ? cudaErrorInvalidDevice : cudaSuccess; }
cudaError_t cudaDeviceGetByPCIBusId(int *n, const char *) { return *n = 0, cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int *v, cudaDeviceAttr, int) { return *v = 1, cudaSuccess; }
cudaError_t cudaDriverGetVersion(int *v) { return *v = CUDART_VERSION, cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int) { return memset(p, 0, sizeof *p), cudaSuccess; }

/* ---- the driver, and a device file, as the backend looks for them ---- */

static int driver_version(int *v) { return *v = CUDART_VERSION, 0; }
void *dlopen(const char *name, int) noexcept { return name && !strcmp(name, "libcuda.so.1") ? &it() : nullptr; }
void *dlsym(void *, const char *name) noexcept {
    return !strcmp(name, "cuDriverGetVersion") ? reinterpret_cast<void *>(driver_version) : nullptr;
}
int dlclose(void *) noexcept { return 0; }
int access(const char *path, int) noexcept { return strcmp(path, "/dev/nvidia0") ? -1 : 0; }

/* What the backend holds: 0 when all of its devices are gone. */
size_t ptx_held(void) { return it().device.size() + it().pinned.size() + it().n_streams + it().n_graphs; }
void ptx_counts(unsigned long *instructions, unsigned long *launches) {
    *instructions = ptx::count.instructions, *launches = ptx::count.launches;
}
}
