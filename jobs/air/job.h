/* air: an AIR that somebody brings along as a case file, with its trace, holds. See README.md for the statement and for
 * what is checked before it is proven. */
#ifndef PR_JOBS_AIR_JOB_H
#define PR_JOBS_AIR_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_air;
#endif
