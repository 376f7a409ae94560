#include "cluster/host.h"
#include <hwloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

unsigned pr_host_share(unsigned cpus, unsigned provers) {
    unsigned share = provers ? cpus / provers : cpus;
    return share ? share : 1;
}

static size_t available_bytes(void) {
    char line[128];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) break;
    if (f) fclose(f);
    return (size_t)kib << 10;
}

typedef struct rank_mask {
    cpu_set_t cpus;
    int proves;
} rank_mask;

static void count_ranks(pr_host *h, const rank_mask *all, const rank_mask *mine, unsigned *same) {
    *same = 0;
    h->n_provers = 0;
    for (unsigned i = 0; i < h->n_local; i++) {
        h->n_provers += all[i].proves != 0;
        *same += all[i].proves && CPU_EQUAL(&all[i].cpus, &mine->cpus);
    }
}

static pr_status gather(pr_host *h, MPI_Comm local, int proves, unsigned *same, pr_error *err) {
    rank_mask mine;
    int size;
    memset(&mine, 0, sizeof mine);
    mine.proves = proves;
    if (sched_getaffinity(0, sizeof mine.cpus, &mine.cpus) != 0) CPU_SET(0, &mine.cpus);
    MPI_Comm_size(local, &size);
    h->n_local = (unsigned)size;
    h->cpus = (unsigned)CPU_COUNT(&mine.cpus);
    rank_mask *all = calloc(h->n_local, sizeof *all);
    if (!all) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u ranks", h->n_local);
    MPI_Allgather(&mine, (int)sizeof mine, MPI_BYTE, all, (int)sizeof mine, MPI_BYTE, local);
    count_ranks(h, all, &mine, same);
    free(all);
    return PR_OK;
}

pr_status pr_host_init(pr_host *h, MPI_Comm comm, unsigned threads, pr_error *err) {
    MPI_Comm local;
    int rank, size;
    unsigned same = 1;
    memset(h, 0, sizeof *h);
    if (gethostname(h->host, sizeof h->host - 1) != 0) snprintf(h->host, sizeof h->host, "unknown");
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    if (MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &local) != MPI_SUCCESS)
        return pr_fail(err, PR_ERR_MPI, "MPI_Comm_split_type failed");
    pr_status status = gather(h, local, size == 1 || rank > 0, &same, err);
    MPI_Comm_free(&local);
    if (status != PR_OK) return status;
    h->threads = threads ? threads : pr_host_share(h->cpus, same);
    h->max_bytes = available_bytes() / (h->n_provers ? h->n_provers : 1);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    h->bound_to_one_core = h->cpus == 1 && online >= 2 * (long)h->n_provers;
    return PR_OK;
}

static unsigned count(hwloc_topology_t topology, hwloc_obj_type_t type) {
    int n = hwloc_get_nbobjs_by_type(topology, type);
    return n > 0 ? (unsigned)n : 0;
}

void pr_host_describe(pr_writer *out) {
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) != 0) return;
    if (hwloc_topology_load(topology) == 0) {
        hwloc_obj_t root = hwloc_get_root_obj(topology);
        pr_write_format(out, "%u packages, %u NUMA nodes, %u cores, %u processors, %.1f GB",
                        count(topology, HWLOC_OBJ_PACKAGE), count(topology, HWLOC_OBJ_NUMANODE),
                        count(topology, HWLOC_OBJ_CORE), count(topology, HWLOC_OBJ_PU),
                        (double)root->total_memory / 1e9);
    }
    hwloc_topology_destroy(topology);
}
