/* What a run will be like, before it: who votes on a proof, what that costs, how long the ranks are at it. For
 * `proverun plan`; rank 0 of a run tells the same of the votes.
 *
 *   pr_forecast f = pr_forecast_begin(committee_size, n_ranks);
 *   pr_forecast_add(&f, &proof, public_bytes);          for each job
 *   PR_TRY(pr_forecast_makespan(&end, &f, manifest, jobs, threads, err)); */
#ifndef PR_CLUSTER_FORECAST_H
#define PR_CLUSTER_FORECAST_H
#include "job/proof_cost.h"
#include "manifest/manifest.h"
#include "schedule/schedule.h"

typedef struct pr_forecast {
    uint32_t n_ranks, committee; /* members; 0: nobody but the prover verifies */
    bool is_unvoted;             /* because the configuration says so, and not because there is nobody else */
    bool coordinator_only;       /* rank 0 does not prove, unless it is alone */
    uint64_t n_jobs;
    uint64_t proof_bytes; /* of all proofs together */
    uint64_t sent_bytes;  /* to voters: proofs and public data, to each member */
    double verify_ns;     /* by all voters together, on one thread each */
    double root_ns;       /* and by all ranks, for the preprocessed roots of AIRs that come for the first time */
    uint64_t least_verify_ns, most_verify_ns; /* of one proof by one voter */
} pr_forecast;

/* The prover never votes on its own proof, so a committee has one rank less than there are at most. */
pr_forecast pr_forecast_begin(uint32_t committee_size, uint32_t n_ranks);
void pr_forecast_add(pr_forecast *f, const pr_proof_cost *proof, uint64_t public_bytes);
/* A preprocessed root that each rank that votes computes once. */
void pr_forecast_add_root(pr_forecast *f, uint64_t root_ns);
/* What outcome proofs get that are right: "approved", "self_verified", "unvoted". */
const char *pr_forecast_outcome(const pr_forecast *f);
/* Members of a committee whose stakes are equal that have more than two thirds of it. */
uint32_t pr_forecast_quorum(const pr_forecast *f);
/* One sentence for people. */
void pr_forecast_describe(char *out, size_t size, const pr_forecast *f);

typedef struct pr_forecast_job {
    uint64_t expected_ns; /* of an attempt, without verification */
    uint64_t verify_ns;   /* by its prover */
    bool fails;           /* it cannot be proven: what comes after it is not tried either */
} pr_forecast_job;

typedef struct pr_forecast_end {
    uint64_t ns;          /* from the first job to the last verified proof */
    uint32_t n_never_run; /* that could be proven, but come after one that fails, or miss their deadline */
} pr_forecast_end;

/* What jobs come after, for a schedule: room for so many ranges is needed, which _list gives a job in the place that is
 * free; it returns the next one. */
size_t pr_forecast_count_after(const pr_manifest *m);
pr_schedule_range *pr_forecast_list_after(pr_schedule_job *out, pr_schedule_range *free_place,
                                          const pr_manifest_job *m);
/* How long n_ranks ranks of so many threads each take, by the very scheduler of a run, with priorities, `after` and
 * deadlines, as if it began now. Voters verify while their ranks have nothing to prove, or else beside it, which takes
 * as much time from it. Memory, the start of MPI, messages and disks are left out. jobs: [manifest->n_jobs].
 * PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_forecast_makespan(pr_forecast_end *out, const pr_forecast *f, const pr_manifest *manifest,
                                             const pr_forecast_job *jobs, unsigned n_threads, pr_error *err);
#endif
