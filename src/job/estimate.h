/* What an attempt at a job will cost, before anything is read: memory and time on the processor, from the job type's
 * size and the configuration.
 *
 * Memory follows the prover's plan region by region, roughly: tests hold it between the plan's figure and a quarter
 * more, both for the job types there are. Time is a model of two constants, nanoseconds for each cell and for each row,
 * measured for each instruction set (docs/scaling.md); it is right within a factor of two on the machine where it was
 * measured, and the scheduler corrects it by what finished jobs took. */
#ifndef PR_JOB_ESTIMATE_H
#define PR_JOB_ESTIMATE_H
#include "air/job_type.h"
#include "air/statement.h"
#include "base/cpu.h"

typedef struct pr_estimate {
    bool known;     /* false: the type has no size, or its input is missing; the rest is then that of a tiny proof */
    uint64_t cells; /* before the blow-up */
    uint64_t host_bytes; /* predicted peak of an attempt on the processor, with what the instance holds */
    uint64_t device_bytes, device_host_bytes; /* of one on a device: there, and beside it on the host */
    uint64_t expected_ns;
} pr_estimate;

/* A job whose input is missing is estimated as tiny: it fails at once when it is tried, with its reason. n_threads: of
 * one attempt, at least 1. PR_ERR_USAGE: parameters that pr_params_check refuses. */
PR_MUST_CHECK pr_status pr_estimate_job(pr_estimate *out, const pr_job_type *type, const pr_params *params,
                                        const pr_config *config, pr_isa isa, unsigned n_threads, pr_error *err);
/* The same from a size. */
pr_estimate pr_estimate_size(const pr_job_size *size, const pr_config *config, pr_isa isa, unsigned n_threads);
#endif
