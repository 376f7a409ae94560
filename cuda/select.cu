#include "cuda/select.cuh"
#include "cuda/cuda_backend.h" /* behind those that make C headers fit for C++ */
#ifndef PR_CUDA_EMULATED
#include <dlfcn.h>
#include <unistd.h>
#endif

namespace PR_GPU {

#ifdef PR_CUDA_EMULATED
const char *why_no_device() { return nullptr; }
#else
static bool has_node() {
    char path[32];
    for (int k = 0; k < 64; k++) {
        std::snprintf(path, sizeof path, "/dev/nvidia%d", k);
        if (access(path, F_OK) == 0) return true;
    }
    return access("/dev/dxg", F_OK) == 0;
}

static bool has_driver() {
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL); /* loaded, not initialised */
    if (driver) dlclose(driver);
    return driver != nullptr;
}

const char *why_no_device() {
    const char *visible = std::getenv("CUDA_VISIBLE_DEVICES");
    if (visible && (!visible[0] || visible[0] == '-')) return "CUDA_VISIBLE_DEVICES hides every GPU";
    const bool driver = has_driver();
    if (!has_node())
        return driver ? "the NVIDIA driver's library is here, but no GPU: there is no /dev/nvidia0"
                      : "no NVIDIA driver and no GPU: neither libcuda.so.1 nor /dev/nvidia0 is here";
    return driver ? nullptr : "a GPU is here (/dev/nvidia*), but no NVIDIA driver: libcuda.so.1 cannot be loaded";
}
#endif

pr_status select_device(pr_error *err) {
    const char *bus_id = std::getenv("PROVERUN_GPU");
    int n = 0;
    if (bus_id && bus_id[0]) {
        const cudaError_t error = cudaDeviceGetByPCIBusId(&n, bus_id);
        if (error != cudaSuccess) {
            (void)cudaGetLastError();
            return pr_fail(err, PR_ERR_BACKEND, "GPU %s, this prover's place, is not among those that CUDA sees: %s",
                           bus_id, cudaGetErrorString(error));
        }
    }
    const cudaError_t error = cudaSetDevice(n);
    if (error == cudaSuccess) return PR_OK;
    (void)cudaGetLastError();
    return pr_fail(err, PR_ERR_BACKEND, "no GPU to prove on: %s", cudaGetErrorString(error));
}

pr_status find_resident_blocks(unsigned *out, pr_error *err) {
    int n = 0, processors = 0, threads = 0;
    cudaError_t error = cudaGetDevice(&n);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, n);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&threads, cudaDevAttrMaxThreadsPerMultiProcessor, n);
    *out = (unsigned)processors * ((unsigned)threads / block_threads);
    if (error == cudaSuccess) return PR_OK;
    (void)cudaGetLastError();
    return pr_fail(err, PR_ERR_BACKEND, "the GPU's size: %s", cudaGetErrorString(error));
}

} // namespace PR_GPU

#ifndef PR_CUDA_EMULATED
/* What cudaGetDeviceCount said, in words; driver: 1000 * major + 10 * minor of the CUDA that it is for, 0 unknown. */
static void explain(char *out, size_t size, cudaError_t error, int driver) {
    if (error == cudaErrorInsufficientDriver && driver)
        std::snprintf(out, size, "the NVIDIA driver is for CUDA %d.%d; this program needs one for CUDA %d.0 or newer",
                      driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000);
    else
        std::snprintf(out, size, "%s", error == cudaSuccess ? "no GPU is visible" : cudaGetErrorString(error));
}

bool pr_cuda_describe(char *out, size_t size) {
    int n = 0, driver = 0;
    cudaDeviceProp p;
    const char *why = PR_GPU::why_no_device();
    if (why) {
        std::snprintf(out, size, "%s", why);
        return false;
    }
    cudaError_t error = cudaGetDeviceCount(&n);
    if (error == cudaSuccess && n > 0) error = cudaGetDeviceProperties(&p, 0);
    (void)cudaDriverGetVersion(&driver);
    if (error != cudaSuccess || n == 0) {
        (void)cudaGetLastError();
        explain(out, size, error, driver);
        return false;
    }
    std::snprintf(out, size, "%s at %04x:%02x:%02x.0, compute capability %d.%d, %.1f GiB; driver for CUDA %d.%d",
                  p.name, (unsigned)p.pciDomainID, (unsigned)p.pciBusID, (unsigned)p.pciDeviceID, p.major, p.minor,
                  (double)p.totalGlobalMem / 1073741824, driver / 1000, driver % 1000 / 10);
    return true;
}

size_t pr_cuda_free_bytes(void) {
    size_t n = 0, all = 0;
    if (PR_GPU::why_no_device() || PR_GPU::select_device(nullptr) != PR_OK) return 0;
    return cudaMemGetInfo(&n, &all) == cudaSuccess ? n : 0;
}
#endif
