/* The table of operations of one instruction set. */
#include "cpu/cpu_backend.h"
#include "cpu/ops.h"
#include "field/lane.h"

#if defined(PR_LANE_ISA_AVX512)
#define ISA PR_ISA_AVX512
#define NAME "avx512"
#elif defined(PR_LANE_ISA_AVX2)
#define ISA PR_ISA_AVX2
#define NAME "avx2"
#else
#define ISA PR_ISA_SCALAR
#define NAME "scalar"
#endif

static bool is_available(void) { return pr_cpu_has(ISA); }

const pr_backend PR_LANE_NAME(pr_backend) = {
    .name = NAME,
    .available = is_available,
    .workspace_bytes = pr_cpu_workspace_bytes,
    .device_create = pr_cpu_device_create,
    .device_destroy = pr_cpu_device_destroy,
    .synchronize = pr_cpu_synchronize,
    .upload = pr_cpu_upload,
    .download = pr_cpu_download,
    .zero = pr_cpu_zero,
    .map_write = pr_cpu_map_write,
    .unmap_write = pr_cpu_unmap_write,
    .rows_to_storage = pr_cpu_rows_to_storage,
    .extend = PR_LANE_NAME(pr_cpu_extend),
    .interpolate = PR_LANE_NAME(pr_cpu_interpolate),
    .evaluate = PR_LANE_NAME(pr_cpu_evaluate),
    .halve = PR_LANE_NAME(pr_cpu_halve),
    .merkle_commit = PR_LANE_NAME(pr_cpu_merkle_commit),
    .merkle_open = PR_LANE_NAME(pr_cpu_merkle_open),
    .logup = PR_LANE_NAME(pr_cpu_logup),
    .compose = PR_LANE_NAME(pr_cpu_compose),
    .lift_add = PR_LANE_NAME(pr_cpu_lift_add),
    .sample = PR_LANE_NAME(pr_cpu_sample),
    .quotients = PR_LANE_NAME(pr_cpu_quotients),
    .fold_circle = PR_LANE_NAME(pr_cpu_fold_circle),
    .fold_line = PR_LANE_NAME(pr_cpu_fold_line),
    .gather = pr_cpu_gather,
    .grind = PR_LANE_NAME(pr_cpu_grind),
};
