/* Job type data_pipeline: one of five reductions of a column of numbers, by a program of the VM. */
#ifndef PR_JOBS_DATA_PIPELINE_JOB_H
#define PR_JOBS_DATA_PIPELINE_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_data_pipeline;
#endif
