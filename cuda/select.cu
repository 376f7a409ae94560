#include "cuda/select.cuh"
#ifndef PR_CUDA_EMULATED
#include <dlfcn.h>
#include <unistd.h>
#endif

namespace PR_GPU {

#ifdef PR_CUDA_EMULATED
bool may_have_device() { return true; }
#else
static bool has_node() {
    char path[32];
    for (int k = 0; k < 64; k++) {
        std::snprintf(path, sizeof path, "/dev/nvidia%d", k);
        if (access(path, F_OK) == 0) return true;
    }
    return access("/dev/dxg", F_OK) == 0;
}

bool may_have_device() {
    const char *visible = std::getenv("CUDA_VISIBLE_DEVICES");
    if ((visible && (!visible[0] || visible[0] == '-')) || !has_node()) return false;
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL); /* loaded, not initialised */
    if (driver) dlclose(driver);
    return driver != nullptr;
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
