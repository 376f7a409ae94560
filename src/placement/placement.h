/* Where the ranks of one node run: GPU, cores, memory.
 *
 * Each rank collects what it was given (affinity, cgroup, visible GPUs, free memory) into a pr_request, plain bytes
 * that the ranks of a node exchange. From the same requests every rank then computes the same plan and takes its own
 * line: planning is a pure function of topology, requests and options, and needs no MPI, clock or randomness.
 *
 *   pr_topology *t;
 *   PR_TRY(pr_topology_load(&t, PR_TOPOLOGY_LIVE, NULL, err));
 *   PR_TRY(pr_request_collect(&mine, t, rank, proves, err));
 *   MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, local);   (local: ranks that share memory)
 *   PR_TRY(pr_placement_plan(&plan, t, all, n_local, &options, err));
 *   plan.places[local_rank]: threads, host_bytes, and for the prover child the text of pr_place_format
 *   in the child, before anything else: pr_place_parse, pr_place_apply
 *
 * How the plan is made is told in docs/placement.md. In short: nobody gets a processor that was not given to it; one
 * rank a GPU, its cores and memory from the GPU's NUMA node; without GPUs packages, NUMA nodes, L3 groups and cores are
 * divided in this order, whole where possible; hyperthreads of a core stay together; a core is given twice only when
 * there are more ranks than cores.
 *
 * Threads: nothing here keeps global state; a pr_topology is read-only after loading. */
#ifndef PR_PLACEMENT_PLACEMENT_H
#define PR_PLACEMENT_PLACEMENT_H
#include "base/bytes.h"
#include "base/error.h"

enum { PR_MAX_CPUS = 4096, PR_MAX_GPUS = 64 };

/* A set of operating system indices, of processors or of NUMA nodes: bit i % 64 of word i / 64. */
typedef struct pr_mask {
    uint64_t word[PR_MAX_CPUS / 64];
} pr_mask;

void pr_mask_set(pr_mask *m, unsigned index);
bool pr_mask_has(const pr_mask *m, unsigned index);
bool pr_mask_equal(const pr_mask *a, const pr_mask *b);
unsigned pr_mask_count(const pr_mask *m);
/* "0-3,8", as taskset and Slurm write it; "" for the empty set. Cut short, with "..." at the end, when it does not fit.
 */
void pr_mask_format(char *out, size_t size, const pr_mask *m);
/* The reverse; false on anything else, or an index of PR_MAX_CPUS or more. "" is the empty set. */
bool pr_mask_parse(pr_mask *m, const char *text);

/* ---- the machine ---- */

typedef struct pr_topology pr_topology;
typedef enum pr_topology_source { PR_TOPOLOGY_LIVE, PR_TOPOLOGY_XML, PR_TOPOLOGY_SYNTHETIC } pr_topology_source;

/* text: NULL for the live machine, the path of an XML file as lstopo writes it, or hwloc's synthetic description.
 * The caller destroys *out. PR_ERR_USAGE, naming the file, for a missing, empty or foreign one (hwloc itself would
 * quietly take the live machine), for a version this hwloc cannot read, and for a live machine that HWLOC_* variables
 * replace. */
PR_MUST_CHECK pr_status pr_topology_load(pr_topology **out, pr_topology_source source, const char *text, pr_error *err);
void pr_topology_destroy(pr_topology *t);
/* "2 packages, 2 NUMA nodes, 16 cores, 16 processors, 8 GPUs, 137.4 GB" */
void pr_topology_describe(pr_writer *out, const pr_topology *t);

/* ---- what a rank was given ---- */

/* A GPU, or one slice of it (MIG), as one rank sees it. */
typedef struct pr_gpu {
    char bus_id[20]; /* "0000:10:00.0", lower case; "": place not known */
    char uuid[64];   /* "GPU-..." or "MIG-..."; "": not known (no NVML) */
    char token[64];  /* what CUDA_VISIBLE_DEVICES must hold in this rank for CUDA to see it as device 0 */
    char name[48];   /* "NVIDIA H100 80GB HBM3", or the PCI ids */
    uint64_t bytes;  /* device memory; 0: not known */
    uint32_t is_mig;
} pr_gpu;

/* Plain bytes: the ranks of a node exchange it. */
typedef struct pr_request {
    int32_t rank;             /* in the whole run; for texts */
    uint32_t proves;          /* 0: coordinates only, and leaves its cores to the others */
    pr_mask cpus;             /* the affinity mask it was started with */
    pr_mask allowed;          /* what its cgroup allows: cpus lies within */
    pr_mask nodes;            /* NUMA nodes that its cgroup allows */
    uint64_t available_bytes; /* the least of MemAvailable and the cgroup's limits, less what they use; 0: not known */
    uint32_t n_gpus;          /* visible to it, in the order of its list */
    uint32_t limited;         /* 1: available_bytes comes from a cgroup */
    pr_gpu gpus[PR_MAX_GPUS];
    char host[64];
    char note[192]; /* what was strange: an entry that names no GPU, NVML that fails, ...; "": nothing */
} pr_request;

/* The variables that decide which GPUs a rank sees; NULL: not set. */
typedef struct pr_gpu_env {
    const char *cuda_visible_devices; /* list of indices, GPU-UUIDs, MIG-UUIDs; cut at the first entry that is none */
    const char *slurm_step_gpus;      /* indices on the node: tell where renumbered devices really are */
    const char *slurm_job_gpus;
} pr_gpu_env;
pr_gpu_env pr_gpu_env_get(void); /* borrows from the environment */
/* One GPU's load, looked at again and again through NVML, which stays open from open to close. One thread at a time. */
typedef struct pr_gpu_watch pr_gpu_watch;
/* Of the GPU of this bus id, "": the only one. library: "libnvidia-ml.so.1". NULL: nothing can be known of it. */
pr_gpu_watch *pr_gpu_watch_open(const char *library, const char *bus_id);
/* For how many per cent of the driver's last sample period (a sixth of a second to a second) at least one kernel ran on
 * it, whoever's kernel it was. False: not known. */
bool pr_gpu_watch_read(const pr_gpu_watch *w, unsigned *percent);
void pr_gpu_watch_close(pr_gpu_watch *w); /* NULL allowed */

/* Of the calling process, on the live topology. NVML is loaded when it is there, else GPUs come from PCI. Fails when
 * the affinity cannot be read (PR_ERR_INTERNAL); strange GPUs or unreadable limits are notes. */
PR_MUST_CHECK pr_status pr_request_collect(pr_request *r, const pr_topology *t, int rank, bool proves, pr_error *err);
/* The same of an imagined rank on any topology: given all processors and memory, GPUs from PCI as env shows them. */
void pr_request_imagine(pr_request *r, const pr_topology *t, int rank, bool proves, const pr_gpu_env *env);

/* ---- the plan ---- */

typedef enum pr_gpu_use {
    PR_GPU_SHARE,  /* more ranks than GPUs: they share, memory and cores divided evenly */
    PR_GPU_SINGLE, /* one rank a GPU; the ranks beyond prove on processors */
    PR_GPU_IGNORE  /* as if there were none: the backend runs on processors */
} pr_gpu_use;

/* For machines whose PCI tree does not tell which cores are near a GPU (Grace: the link is not PCI). */
typedef struct pr_gpu_cpus {
    char bus_id[20];
    pr_mask cpus;
} pr_gpu_cpus;
/* "0000:01:00.0=0-71"; also "01:00.0=...", and "00000000:01:00.0=..." as nvidia-smi writes it. PR_ERR_USAGE */
PR_MUST_CHECK pr_status pr_gpu_cpus_parse(pr_gpu_cpus *out, const char *text, pr_error *err);

typedef struct pr_placement_options {
    pr_gpu_use gpu_use;
    bool widen;       /* leave the launcher's binding: take all that the cgroup allows */
    bool smt;         /* a thread for every hyperthread instead of one a core */
    unsigned threads; /* of every prover; 0: as many as its cores */
    const pr_gpu_cpus *gpu_cpus;
    size_t n_gpu_cpus;
} pr_placement_options;

typedef struct pr_place {
    int rank;
    bool proves;
    bool has_gpu;
    pr_gpu gpu;
    unsigned gpu_sharers; /* ranks on this GPU, this one included; 0 without */
    pr_mask cpus;         /* to bind to; never empty */
    pr_mask nodes;        /* NUMA nodes whose memory is preferred; empty: leave the memory alone */
    unsigned n_cores;
    unsigned n_threads;    /* at least 1 */
    bool shares_cores;     /* more ranks than cores */
    uint64_t host_bytes;   /* its share of the node's available memory; 0: not known, or proves nothing */
    uint64_t device_bytes; /* its share of the GPU's memory; 0: not known */
    char why[256];         /* one sentence, for people */
} pr_place;

typedef struct pr_placement {
    pr_place *places; /* [n_places], owned, in the order of the requests */
    unsigned n_places, n_provers;
    char host[64];
    unsigned n_cores, n_idle_cores; /* allowed on this node; of these given to no prover */
    unsigned n_gpus, n_idle_gpus;   /* distinct ones that the ranks see; used by none */
    uint64_t host_bytes;            /* available to all provers of the node; 0: not known */
    uint64_t device_bytes;          /* of the GPUs in use; 0: not known */
    bool one_core_trap;             /* every prover is bound to one core while others idle (mpirun's default) */
    char advice[768];               /* what to change, lines divided by '\n'; "": nothing */
} pr_placement;

/* Memory that can still be had: the least of MemAvailable and what the cgroups of the process leave, under root ("" for
 * the machine, a folder in tests). *limited: a cgroup decides. 0: not known. */
uint64_t pr_memory_available(const char *root, bool *limited);

/* Plans one node. requests [n], in the order of the local ranks. The caller clears *out.
 * PR_ERR_USAGE: an override that names no visible GPU or no processor; a rank without processors of this topology. */
PR_MUST_CHECK pr_status pr_placement_plan(pr_placement *out, const pr_topology *t, const pr_request *requests,
                                          unsigned n, const pr_placement_options *options, pr_error *err);
void pr_placement_clear(pr_placement *p);

/* The plan as a drawing, NUMA node by NUMA node, or as one JSON object. */
void pr_placement_draw(pr_writer *out, const pr_placement *p, const pr_topology *t);
void pr_placement_json(pr_writer *out, const pr_placement *p, const pr_topology *t);

/* ---- the prover child ---- */

/* What a child needs of its place as one word without blanks, for its command line:
 * "cpus=0-7;nodes=0;threads=8;bytes=68719476736;gpu=GPU-6f...;bus=0000:10:00.0" (bus empty for a slice). The caller
 * frees it; NULL: out of memory. */
char *pr_place_format(const pr_place *p);
/* The reverse; only cpus, nodes, n_threads, host_bytes, gpu.token and gpu.bus_id are set. PR_ERR_MALFORMED on anything
 * else. */
PR_MUST_CHECK pr_status pr_place_parse(pr_place *p, const char *text, pr_error *err);
/* Binds the calling process (threads started from now on too): processors, then memory. Sets CUDA_VISIBLE_DEVICES (to
 * the empty list for a place without a GPU), CUDA_DEVICE_ORDER=PCI_BUS_ID and PROVERUN_GPU, the bus id by which the
 * backend looks its device up (empty: it takes the one that is visible): call it before any thread and before
 * CUDA. The number of threads is n_threads, for the caller to pass on: OpenMP has read its environment long before.
 * Memory is preferred, not bound strictly: see docs/placement.md.
 * PR_ERR_INTERNAL: the processors cannot be bound; nothing else was changed then. Memory that cannot be bound
 * (containers often forbid it) is told in note [n_note], "" otherwise, and is no error. */
PR_MUST_CHECK pr_status pr_place_apply(const pr_place *p, char *note, size_t n_note, pr_error *err);
#endif
