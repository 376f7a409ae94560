/* What this rank may use of its node, shared fairly with the other ranks there. */
#ifndef PR_CLUSTER_HOST_H
#define PR_CLUSTER_HOST_H
#include "base/bytes.h"
#include "base/error.h"
#include <mpi.h>

typedef struct pr_host {
    char host[64];
    unsigned n_local;       /* ranks on this node */
    unsigned n_provers;     /* those of them that prove (rank 0 only coordinates when there are others) */
    unsigned cpus;          /* in this rank's affinity mask */
    unsigned threads;       /* for proving and verifying: at least 1 */
    size_t max_bytes;       /* this prover's share of the memory available now; 0: not known */
    bool bound_to_one_core; /* mpirun's default binding, while the node has cores for more threads */
} pr_host;

/* Collective over comm. threads 0: the processors of the affinity mask divided by the provers that have the same mask.
 */
PR_MUST_CHECK pr_status pr_host_init(pr_host *h, MPI_Comm comm, unsigned threads, pr_error *err);
/* "1 package, 2 cores, 2 processors, 16.8 GB" */
void pr_host_describe(pr_writer *out);
/* The share of a mask: for tests. */
unsigned pr_host_share(unsigned cpus, unsigned provers_with_same_mask);
#endif
