/* Job type vm: a program of the Obelysk VM ends in a certain way after a number of steps, on these inputs, with these
 * outputs. */
#ifndef PR_JOBS_VM_JOB_H
#define PR_JOBS_VM_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_vm;
#endif
