/* plonk: the wires of an arithmetic circuit have values with these inputs and outputs. See README.md for the statement,
 * the columns and the constraints. */
#ifndef PR_JOBS_PLONK_JOB_H
#define PR_JOBS_PLONK_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_plonk;
#endif
