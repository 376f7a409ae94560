/* sha256: a file of a given length has a given SHA-256 digest. See README.md for the statement, the columns and
 * the constraints. */
#ifndef PR_JOBS_SHA256_JOB_H
#define PR_JOBS_SHA256_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_sha256;
#endif
