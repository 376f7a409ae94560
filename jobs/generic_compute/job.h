/* Job type generic_compute: a program of the VM over the numbers of a dataset. */
#ifndef PR_JOBS_GENERIC_COMPUTE_JOB_H
#define PR_JOBS_GENERIC_COMPUTE_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_generic_compute;
#endif
