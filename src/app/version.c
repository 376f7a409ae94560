#include "app/app.h"
#include "base/cpu.h"
#include "cuda/cuda_backend.h"
#include <hdf5.h>
#include <hwloc.h>
#include <jansson.h>
#include <mpi.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include <zstd.h>

static void print_libraries(void) {
    unsigned major, minor, release;
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    H5get_libversion(&major, &minor, &release);
    MPI_Get_library_version(mpi, &length); /* may be called before MPI_Init */
    mpi[strcspn(mpi, ",\n")] = 0;
    unsigned hwloc = hwloc_get_api_version();
    printf("libraries: %s; HDF5 %u.%u.%u; libyaml %s; hwloc API %u.%u.%u; zstd %s; libsodium %s; jansson %s\n", mpi,
           major, minor, release, yaml_get_version_string(), hwloc >> 16, hwloc >> 8 & 0xff, hwloc & 0xff,
           ZSTD_versionString(), sodium_version_string(), JANSSON_VERSION);
}

static void print_backends(void) {
    printf("backends:");
    for (size_t i = 0; pr_backends[i]; i++)
        printf(" %s%s", pr_backends[i]->name, pr_backends[i]->available() ? "" : " (not on this machine)");
    printf("\nauto: %s\n", pr_app_auto_backend()->name);
}

static void print_gpu(void) {
#ifdef PR_HAVE_CUDA
    char gpu[512];
    printf(pr_cuda_describe(gpu, sizeof gpu) ? "gpu: %s\n" : "gpu: none (%s)\n", gpu);
#else
    puts("gpu: none (this build has no CUDA backend)");
#endif
}

int pr_app_version(int argc, char **argv) {
    char cpu[512];
    pr_error err = {0};
    if (argc > 1) return pr_fail(&err, PR_ERR_USAGE, "'%s': version takes no arguments", argv[1]), pr_app_fail(&err);
    pr_cpu_describe(cpu, sizeof cpu);
    printf("proverun %s\nproofs: stwo 2.3.0, Blake2s channel\n", PR_VERSION);
    print_libraries();
    print_backends();
    printf("processor: %s; %u in the affinity mask\n", cpu, pr_cpu_count());
    print_gpu();
    return 0;
}
