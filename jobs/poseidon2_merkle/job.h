/* poseidon2_merkle: so many values have a given Merkle root under Poseidon2. See README.md for the statement, the
 * columns and the constraints. */
#ifndef PR_JOBS_POSEIDON2_MERKLE_JOB_H
#define PR_JOBS_POSEIDON2_MERKLE_JOB_H
#include "air/job_type.h"

extern const pr_job_type pr_job_poseidon2_merkle;
#endif
