/* How long the run may take: --max-time and the end of the Slurm allocation, whichever comes first. */
#ifndef PR_CLUSTER_ALLOTMENT_H
#define PR_CLUSTER_ALLOTMENT_H
#include "base/error.h"

typedef struct pr_allotment {
    uint64_t end_ns;  /* monotonic; 0: no end is known */
    const char *what; /* "--max-time", "the end of the Slurm allocation" */
} pr_allotment;

/* max_time_ns: 0 none. Slurm's end comes from SLURM_JOB_END_TIME, else from squeue, which gets twenty seconds; when it
 * cannot be found inside an allocation, that is a warning in err's text and PR_OK. */
PR_MUST_CHECK pr_status pr_allotment_find(pr_allotment *a, uint64_t max_time_ns, pr_error *err);
/* "2026-11-25T23:00:00" in local time, as squeue -o %e writes it. False: no time ("NONE", "N/A"). */
bool pr_allotment_parse(uint64_t *seconds_since_1970, const char *text);
#endif
