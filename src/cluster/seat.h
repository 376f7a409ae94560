/* Where a rank works on its node: processors, device, memory, and how it looks from outside. */
#ifndef PR_CLUSTER_SEAT_H
#define PR_CLUSTER_SEAT_H
#include "cluster/wire.h"
#include "placement/placement.h"
#include <mpi.h>

typedef struct pr_seat {
    pr_wire_hello hello; /* what the rank says of itself */
    pr_place place;
    int leader_pid;       /* of rank 0, where it can be seen from here; else 0 */
    uint64_t share_bytes; /* of the node's memory, for all proofs of this rank; 0: not known */
    char *place_text;     /* for the prover child; NULL: as this process */
    char topology[256];   /* of this node */
    char advice[768];     /* what to change, told by the lowest rank of the node; "": nothing */
} pr_seat;

typedef struct pr_seat_options {
    bool proves;       /* rank 0 may be a coordinator only */
    bool uses_devices; /* the backend computes on a GPU: the place's one is the rank's device */
    pr_placement_options placement;
} pr_seat_options;

/* Collective over comm. When the topology cannot be read the rank works as it was started, and says so. */
PR_MUST_CHECK pr_status pr_seat_take(pr_seat *s, MPI_Comm comm, const pr_seat_options *options, pr_error *err);
void pr_seat_clear(pr_seat *s);
/* What ranks of a node call a device: those that say the same share it. Slices of one GPU are devices of their own. */
enum { PR_SEAT_DEVICE = 32 };
void pr_seat_name_device(char out[PR_SEAT_DEVICE], const pr_gpu *gpu);
/* What proofs may have of a device's memory: each process on it has a context of CUDA there, which takes some. Of small
 * ones, which have small contexts, half at least. 0 of 0: not known. */
uint64_t pr_seat_device_bytes(uint64_t bytes, unsigned n_processes);
/* What one proof may have of a device's memory (0: not known): what was asked for (0: nothing was), and never more than
 * 15/16, for the driver keeps some. 0: no limit is known. */
uint64_t pr_seat_device_limit(uint64_t asked, uint64_t device_bytes);
#endif
