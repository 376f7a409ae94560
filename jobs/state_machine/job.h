/* state_machine: a state of two coordinates takes so many steps along the first and then so many along the second. See
 * README.md for the statement, the columns and the constraints. */
#ifndef PR_JOBS_STATE_MACHINE_JOB_H
#define PR_JOBS_STATE_MACHINE_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_state_machine;
#endif
