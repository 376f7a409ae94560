#include "cuda/select.cuh"
#include "cuda/cuda_backend.h" /* behind those that make C headers fit for C++ */
#ifndef PR_CUDA_EMULATED
#include <dlfcn.h>
#include <unistd.h>
#endif

namespace PR_GPU {

/* CUDA reads the list up to the first entry that is neither a number nor the name of a GPU or of a slice: Slurm writes
 * "NoDevFiles", people "none". */
static bool hides_all() {
    const char *list = std::getenv("CUDA_VISIBLE_DEVICES");
    if (!list) return false;
    while (*list == ' ') list++;
    const bool is_number = *list >= '0' && *list <= '9';
    return !is_number && std::strncmp(list, "GPU-", 4) != 0 && std::strncmp(list, "MIG-", 4) != 0;
}
static const char *const hidden = "CUDA_VISIBLE_DEVICES hides every GPU";

#ifdef PR_CUDA_EMULATED
const char *why_no_device() { return !emu::devices().all.empty() && hides_all() ? hidden : nullptr; }
#else
static bool has_node() {
    char path[32];
    for (int k = 0; k < 64; k++) {
        std::snprintf(path, sizeof path, "/dev/nvidia%d", k);
        if (access(path, F_OK) == 0) return true;
    }
    return access("/dev/dxg", F_OK) == 0;
}

/* The CUDA that the driver is for, 1000 * major + 10 * minor; 0: there is no driver, below: it does not say. It is
 * loaded, not initialised: this is the one function of it that needs no cuInit. */
static int driver_version() {
    int version = -1;
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (!driver) return 0;
    int (*ask)(int *) = nullptr;
    void *found = dlsym(driver, "cuDriverGetVersion");
    std::memcpy(&ask, &found, sizeof ask);
    if (ask && ask(&version) != 0) version = -1;
    dlclose(driver);
    return version;
}

/* A driver serves programs of its own major version and older ones. */
static bool is_too_old(int driver) { return driver > 0 && driver / 1000 < CUDART_VERSION / 1000; }
static const char *too_old(int driver) {
    static thread_local char text[96];
    std::snprintf(text, sizeof text,
                  "the NVIDIA driver is for CUDA %d.%d; this program needs one for CUDA %d.0 or newer", driver / 1000,
                  driver % 1000 / 10, CUDART_VERSION / 1000);
    return text;
}

const char *why_no_device() {
    if (hides_all()) return hidden;
    const int driver = driver_version();
    if (is_too_old(driver)) return too_old(driver);
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
    /* Who waits for the device lets others work meanwhile, and does not spin: provers side by side, and verification,
     * have few cores. It is for the context that is made next; where there is one already it is as it was. */
    (void)cudaSetDeviceFlags(cudaDeviceScheduleYield);
    (void)cudaGetLastError();
    const cudaError_t error = cudaSetDevice(n);
    if (error == cudaSuccess) return PR_OK;
    (void)cudaGetLastError();
    return pr_fail(err, PR_ERR_BACKEND, "no GPU to prove on: %s", cudaGetErrorString(error));
}

pr_status find_resident_blocks(unsigned *out, const void *kernel, pr_error *err) {
    int n = 0, processors = 0, blocks = 0;
    cudaError_t error = cudaGetDevice(&n);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, n);
    if (error == cudaSuccess)
        error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, (int)block_threads, 0);
    *out = (unsigned)processors * (unsigned)blocks;
    if (error == cudaSuccess) return PR_OK;
    (void)cudaGetLastError();
    return pr_fail(err, PR_ERR_BACKEND, "the GPU's size: %s", cudaGetErrorString(error));
}

} // namespace PR_GPU

#ifndef PR_CUDA_EMULATED
/* What cudaGetDeviceCount said, in words; driver: as of driver_version(), 0 unknown. */
static const char *explain(cudaError_t error, int driver) {
    if (error == cudaErrorInsufficientDriver && driver) return PR_GPU::too_old(driver);
    return error == cudaSuccess ? "no GPU is visible" : cudaGetErrorString(error);
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
        std::snprintf(out, size, "%s", explain(error, driver));
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
