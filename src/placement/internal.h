/* Shared within the module: what is kept of a topology, and the steps of a plan. */
#ifndef PR_PLACEMENT_INTERNAL_H
#define PR_PLACEMENT_INTERNAL_H
#include "placement/placement.h"

/* Units in which cores are divided, coarsest first. */
enum { PR_LEVEL_PACKAGE, PR_LEVEL_NUMA, PR_LEVEL_L3, PR_LEVELS };

/* A core, or a processor where the machine tells no cores. */
typedef struct pr_core {
    unsigned unit[PR_LEVELS]; /* which package, NUMA node, L3 group; UINT_MAX: in none */
    pr_mask cpus;             /* its hyperthreads */
} pr_core;

typedef struct pr_numa {
    unsigned index; /* the operating system's */
    pr_mask cpus;   /* never empty: nodes without processors (a GPU's memory, CXL) are left out */
    uint64_t bytes; /* 0: not known */
} pr_numa;

/* An NVIDIA GPU on the PCI bus. */
typedef struct pr_pci_gpu {
    char bus_id[20];
    char name[48];
    pr_mask cpus; /* the processors near it */
} pr_pci_gpu;

/* Plain data: hwloc is gone once a topology is loaded. */
struct pr_topology {
    bool live;
    unsigned n_packages, n_cpus;
    pr_mask cpus;           /* every processor */
    pr_mask allowed, nodes; /* by the cgroup */
    pr_core *cores;         /* [n_cores], units of a level side by side */
    size_t n_cores;
    pr_numa *numa; /* [n_numa] */
    size_t n_numa;
    pr_pci_gpu gpus[PR_MAX_GPUS]; /* by bus id: CUDA's order under CUDA_DEVICE_ORDER=PCI_BUS_ID */
    size_t n_gpus;
};

/* out may be a or b. */
void pr_mask_and(pr_mask *out, const pr_mask *a, const pr_mask *b);
void pr_mask_or(pr_mask *out, const pr_mask *a, const pr_mask *b);
bool pr_mask_meets(const pr_mask *a, const pr_mask *b);
bool pr_mask_empty(const pr_mask *m);

/* "0000:10:00.0" of any way to write a bus id; false when it is none. */
bool pr_bus_id_normalise(char out[20], const char *text);

/* ---- GPUs ---- */

/* The GPUs of a machine in CUDA's order by bus id, before any choice by the environment. */
typedef struct pr_gpu_list {
    pr_gpu gpus[PR_MAX_GPUS];
    uint32_t physical[PR_MAX_GPUS]; /* index of the whole GPU that each is or is a slice of */
    uint32_t n, n_physical;
    bool by_nvml; /* else by PCI: no UUIDs, no memory, no slices */
} pr_gpu_list;

/* Through NVML in library ("libnvidia-ml.so.1"). False when there is none or it fails; *note (may stay "") says why if
 * it was there. GPUs that are cut into slices are listed slice by slice. */
bool pr_gpu_list_nvml(pr_gpu_list *list, const char *library, char *note, size_t n_note);
void pr_gpu_list_pci(pr_gpu_list *list, const pr_topology *t);
/* Those that env shows, into r->gpus and r->note. */
void pr_gpus_choose(pr_request *r, const pr_gpu_list *list, const pr_gpu_env *env);
/* Both the same device or slice. */
bool pr_gpu_same(const pr_gpu *a, const pr_gpu *b);

/* ---- division of cores ---- */

/* One rank's part of a list of cores. */
typedef struct pr_range {
    size_t begin, end;
} pr_range;
/* Divides cores [n] (indices into t->cores, rising) between k ranks, 1 <= k <= n: out [k], disjoint, in order, together
 * everything. */
void pr_cores_divide(pr_range *out, unsigned k, const pr_topology *t, const uint32_t *cores, size_t n);

/* ---- the plan ---- */

/* What each rank may use at most; then what it gets. */
typedef struct pr_draft {
    pr_mask given;    /* by launcher and cgroup */
    pr_mask near;     /* of these, near its GPU; given without one */
    pr_mask cores;    /* indices into t->cores: what it gets */
    unsigned n_group; /* ranks with the same near, this one included */
    bool far;         /* no given processor is near its GPU */
} pr_draft;

/* The steps, in this order. False: out of memory. */

/* Gives each prover its GPU; n_gpus, n_idle_gpus and device_bytes of the plan too. */
bool pr_plan_gpus(pr_placement *out, const pr_topology *t, const pr_request *requests, const pr_placement_options *o);
/* Cores of all provers, from near. */
bool pr_plan_cores(pr_placement *out, pr_draft *drafts, const pr_topology *t);
bool pr_plan_memory(pr_placement *out, const pr_topology *t, const pr_request *requests);
/* Sentences: why of every place, one_core_trap, advice. */
void pr_plan_explain(pr_placement *out, const pr_draft *drafts, const pr_topology *t, const pr_request *requests,
                     const pr_placement_options *o);
/* Processors near a GPU by override, else by its place on the bus, else all. */
const pr_mask *pr_gpu_near(const pr_gpu *gpu, const pr_topology *t, const pr_placement_options *o);
#endif
