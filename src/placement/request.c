#include "placement/internal.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pr_status read_affinity(pr_mask *out, pr_error *err) {
    cpu_set_t *set = CPU_ALLOC(PR_MAX_CPUS);
    size_t size = CPU_ALLOC_SIZE(PR_MAX_CPUS);
    if (!set) return pr_fail(err, PR_ERR_MEMORY, "out of memory");
    CPU_ZERO_S(size, set);
    int failed = sched_getaffinity(0, size, set);
    for (unsigned i = 0; !failed && i < PR_MAX_CPUS; i++)
        if (CPU_ISSET_S(i, size, set)) pr_mask_set(out, i);
    CPU_FREE(set);
    if (failed) return pr_fail(err, PR_ERR_INTERNAL, "sched_getaffinity: %s", strerror(errno));
    return PR_OK;
}

static void begin(pr_request *r, const pr_topology *t, int rank, bool proves) {
    memset(r, 0, sizeof *r);
    r->rank = rank;
    r->proves = proves;
    r->allowed = t->allowed;
    r->nodes = t->nodes;
    if (gethostname(r->host, sizeof r->host - 1) != 0) snprintf(r->host, sizeof r->host, "unknown");
}

pr_status pr_request_collect(pr_request *r, const pr_topology *t, int rank, bool proves, pr_error *err) {
    pr_gpu_list list;
    pr_gpu_env env = pr_gpu_env_get();
    bool limited;
    PR_ASSERT(t->live);
    begin(r, t, rank, proves);
    PR_TRY(read_affinity(&r->cpus, err));
    if (!pr_gpu_list_nvml(&list, "libnvidia-ml.so.1", r->note, sizeof r->note)) pr_gpu_list_pci(&list, t);
    pr_gpus_choose(r, &list, &env);
    r->available_bytes = pr_memory_available("", &limited);
    r->limited = limited;
    return PR_OK;
}

void pr_request_imagine(pr_request *r, const pr_topology *t, int rank, bool proves, const pr_gpu_env *env) {
    pr_gpu_list list;
    begin(r, t, rank, proves);
    snprintf(r->host, sizeof r->host, "node");
    r->cpus = t->allowed;
    pr_gpu_list_pci(&list, t);
    pr_gpus_choose(r, &list, env);
}
