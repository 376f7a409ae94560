/* What an attempt at a job will cost, before anything is read: memory and time on the processor, from the job type's
 * size and the configuration.
 *
 * Memory follows the prover's plan region by region, roughly: tests hold it between the plan's figure and a quarter
 * more, both for the job types there are. Time is a model of a few constants (docs/scaling.md): those built in are
 * right within a factor of two on the machine where they were measured; `proverun bench calibrate` measures them where
 * it runs. The scheduler corrects either by what finished jobs took. */
#ifndef PR_JOB_ESTIMATE_H
#define PR_JOB_ESTIMATE_H
#include "base/cpu.h"
#include "job/proof_cost.h"

/* What takes how long, on one thread. A cell is extended, hashed, and read by constraints and quotients; a row of the
 * largest component stands for the composition, quotients and FRI; both for a blow-up of 2. An attempt has mapping and
 * compressing. n threads are as fast as 1 + (n - 1) * parallel. */
typedef struct pr_costs {
    double cell_ns, row_ns, grind_ns /* a nonce */, attempt_ns, parallel;
    pr_verify_costs verify;
} pr_costs;

pr_costs pr_costs_built_in(pr_isa isa);
/* Of one proof. */
double pr_costs_time_ns(const pr_costs *costs, const pr_job_size *size, const pr_config *config, unsigned n_threads);

typedef struct pr_estimate {
    bool known;     /* false: the type has no size, or its input is missing; the rest is then that of a tiny proof */
    uint64_t cells; /* before the blow-up */
    uint64_t host_bytes; /* predicted peak of an attempt on the processor, with what the instance holds */
    uint64_t device_bytes, device_host_bytes; /* of one on a device: there, and beside it on the host */
    uint64_t expected_ns;
    pr_proof_cost proof; /* for those who verify it */
} pr_estimate;

/* A job whose input is missing is estimated as tiny: it fails at once when it is tried, with its reason. n_threads: of
 * one attempt, at least 1. effort: what may be spent on finding the size as it is (try_size in air/job_type.h); NULL:
 * nothing. PR_ERR_USAGE: parameters that pr_params_check refuses. */
PR_MUST_CHECK pr_status pr_estimate_job(pr_estimate *out, const pr_job_type *type, const pr_params *params,
                                        const pr_config *config, const pr_costs *costs, unsigned n_threads,
                                        uint64_t *effort, pr_error *err);
/* The same from a size. */
pr_estimate pr_estimate_size(const pr_job_size *size, const pr_config *config, const pr_costs *costs,
                             unsigned n_threads);
/* The size of a proof whose AIR is at hand. */
pr_job_size pr_job_size_of_layout(const pr_layout *layout);
/* What an instance whose layout is at hand holds beside its proof's plan: inputs, preprocessed values, what a program's
 * run has left. As its type reckons for its size, which may be more or less than the job has turned out to be (a
 * program that stops early), so as many as its cells are of those. 0: the type does not say. */
uint64_t pr_job_instance_bytes(const pr_job_type *type, const pr_params *params, const pr_layout *layout);
#endif
