/* blake2s: a file of a given length has a given Blake2s-256 digest. See README.md for the statement, the columns and
 * the constraints. */
#ifndef PR_JOBS_BLAKE2S_JOB_H
#define PR_JOBS_BLAKE2S_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_blake2s;
#endif
