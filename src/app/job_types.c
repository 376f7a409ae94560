/* The job types of this program. */
#include "app/app.h"
#include "air/job.h"
#include "blake2s/job.h"
#include "data_pipeline/job.h"
#include "file_hash/job.h"
#include "generic_compute/job.h"
#include "mlp_inference/job.h"
#include "plonk/job.h"
#include "poseidon2_merkle/job.h"
#include "sha256/job.h"
#include "state_machine/job.h"
#include "vm/job.h"
#include "wide_fibonacci/job.h"

const pr_job_type *const pr_job_types[] = {&pr_job_air,
                                           &pr_job_blake2s,
                                           &pr_job_data_pipeline,
                                           &pr_job_file_hash,
                                           &pr_job_generic_compute,
                                           &pr_job_mlp_inference,
                                           &pr_job_plonk,
                                           &pr_job_poseidon2_merkle,
                                           &pr_job_sha256,
                                           &pr_job_state_machine,
                                           &pr_job_vm,
                                           &pr_job_wide_fibonacci,
                                           NULL};
