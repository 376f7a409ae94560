#include "cluster/seat.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A tenth stays for supervisors, the kernel's caches and what else runs there. */
static uint64_t budget(uint64_t available) { return available - available / 10; }

static pr_status gather(pr_request **all, unsigned *n, pr_wire_hello *hello, int *leader_pid, const pr_request *mine,
                        MPI_Comm comm, pr_error *err) {
    MPI_Comm local;
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    if (MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &local) != MPI_SUCCESS)
        return pr_fail(err, PR_ERR_MPI, "MPI_Comm_split_type failed");
    MPI_Comm_size(local, &size);
    *n = (unsigned)size;
    *all = calloc((size_t)size, sizeof **all);
    int lowest = rank;
    MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, local);
    hello->node = (uint32_t)lowest;
    /* A rank without memory still takes part, so that the others do not wait for it. */
    int good = *all != NULL;
    MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, local);
    if (good) MPI_Allgather(mine, (int)sizeof *mine, MPI_BYTE, *all, (int)sizeof *mine, MPI_BYTE, local);
    MPI_Bcast(leader_pid, 1, MPI_INT, 0, local);
    MPI_Comm_free(&local);
    if (good) return PR_OK;
    free(*all);
    *all = NULL;
    return pr_fail(err, PR_ERR_MEMORY, "out of memory for the ranks of a node");
}

static void describe(pr_seat *s, const pr_topology *t) {
    pr_writer w;
    pr_writer_init(&w);
    pr_topology_describe(&w, t);
    pr_write_u8(&w, 0);
    if (!w.failed) snprintf(s->topology, sizeof s->topology, "%s", (const char *)w.data);
    pr_writer_clear(&w);
}

static void take_line(pr_seat *s, const pr_placement *p, int rank, bool uses_devices) {
    pr_wire_hello *h = &s->hello;
    for (unsigned i = 0; i < p->n_places; i++)
        if (p->places[i].rank == rank) s->place = p->places[i];
    s->place_text = pr_place_format(&s->place);
    h->threads = s->place.n_threads;
    h->node_bytes = budget(p->host_bytes);
    s->share_bytes = budget(s->place.host_bytes);
    h->bound_to_one_core = p->one_core_trap;
    snprintf(h->place, sizeof h->place, "%s", s->place.why);
    if (s->place.has_gpu && uses_devices) {
        pr_seat_name_device(h->device, &s->place.gpu);
        h->device_bytes = pr_seat_device_bytes(s->place.gpu.bytes, s->place.gpu_sharers);
    }
    if ((uint32_t)rank == h->node) snprintf(s->advice, sizeof s->advice, "%s", p->advice);
}

/* As it was started: when the topology cannot be read. */
static void stay(pr_seat *s, unsigned threads, const char *why) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    s->place.n_threads = threads ? threads : online > 0 ? (unsigned)online : 1;
    s->hello.threads = s->place.n_threads;
    snprintf(s->hello.place, sizeof s->hello.place, "not placed: %.200s", why);
}

static pr_status plan(pr_seat *s, const pr_topology *t, const pr_request *mine, const pr_seat_options *o, MPI_Comm comm,
                      int rank, pr_error *err) {
    pr_request *all = NULL;
    pr_placement placement;
    pr_error e = {0};
    unsigned n = 0;
    int leader_pid = (int)getpid();
    PR_TRY(gather(&all, &n, &s->hello, &leader_pid, mine, comm, err));
    s->leader_pid = s->hello.node == 0 && kill(leader_pid, 0) == 0 ? leader_pid : 0;
    pr_status status = t ? pr_placement_plan(&placement, t, all, n, &o->placement, &e) : PR_ERR_INTERNAL;
    free(all);
    if (status != PR_OK) {
        stay(s, o->placement.threads, e.text);
        return PR_OK;
    }
    take_line(s, &placement, rank, o->uses_devices);
    pr_placement_clear(&placement);
    return PR_OK;
}

pr_status pr_seat_take(pr_seat *s, MPI_Comm comm, const pr_seat_options *o, pr_error *err) {
    pr_topology *t = NULL;
    pr_request *mine = calloc(1, sizeof *mine);
    pr_error e = {0};
    int rank;
    memset(s, 0, sizeof *s);
    MPI_Comm_rank(comm, &rank);
    s->place.proves = o->proves;
    s->hello.proves = o->proves;
    s->hello.pid = (uint32_t)getpid();
    snprintf(s->hello.version, sizeof s->hello.version, "%s", PR_VERSION);
    if (gethostname(s->hello.host, sizeof s->hello.host - 1) != 0)
        snprintf(s->hello.host, sizeof s->hello.host, "unknown");
    if (mine) mine->rank = rank;
    bool known = mine && pr_topology_load(&t, PR_TOPOLOGY_LIVE, NULL, &e) == PR_OK &&
                 pr_request_collect(mine, t, rank, o->proves, &e) == PR_OK;
    if (t) describe(s, t);
    static pr_request none;
    pr_status status = plan(s, known ? t : NULL, mine ? mine : &none, o, comm, rank, err);
    pr_topology_destroy(t);
    free(mine);
    return status;
}

void pr_seat_clear(pr_seat *s) {
    free(s->place_text);
    s->place_text = NULL;
}

void pr_seat_name_device(char out[PR_SEAT_DEVICE], const pr_gpu *gpu) {
    if (gpu->is_mig)
        snprintf(out, PR_SEAT_DEVICE, "%.18s/%.12s", gpu->bus_id, gpu->uuid);
    else
        snprintf(out, PR_SEAT_DEVICE, "%.31s", gpu->bus_id[0] ? gpu->bus_id : gpu->token);
}

/* Not measured: contexts of large GPUs are said to take 300 to 500 MiB, and kernels with local memory have up to 544
 * bytes of it for each of the threads that the GPU runs at a time, 2^18 and more, 141 MiB. */
static const uint64_t context_bytes = (uint64_t)640 << 20;

uint64_t pr_seat_device_bytes(uint64_t bytes, unsigned n_processes) {
    uint64_t contexts = n_processes * context_bytes;
    return contexts < bytes / 2 ? bytes - contexts : bytes - bytes / 2;
}

uint64_t pr_seat_device_limit(uint64_t asked, uint64_t device_bytes) {
    uint64_t most = device_bytes - device_bytes / 16;
    return asked && (!most || asked < most) ? asked : most;
}
