/* mlp_inference: a quantised network gives these logits for these images. See README.md for the statement, the columns
 * and the constraints. */
#ifndef PR_JOBS_MLP_INFERENCE_JOB_H
#define PR_JOBS_MLP_INFERENCE_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_mlp_inference;
#endif
