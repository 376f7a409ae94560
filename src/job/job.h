/* From a job type, its parameters and a security profile to the statement that is proven: one place, so that `run`,
 * `air`, the worker that proves and the auditor who verifies offline all build the same statement.
 *
 *   pr_job *job = NULL;
 *   PR_TRY(pr_job_create(&job, type, &params, &config, &err));          // reads inputs
 *   ... pr_prover_create(&prover, &job->layout, ...), pr_job_trace_source(job) ...
 *   pr_job_destroy(job);
 *
 * Read-only after creation: any thread may read. */
#ifndef PR_JOB_JOB_H
#define PR_JOB_JOB_H
#include "air/job_type.h"
#include "air/statement.h"

typedef struct pr_job {
    const pr_job_type *type;
    pr_job_instance *instance; /* owned */
    pr_writer public_data;     /* what the type wrote; bound by the digest */
    pr_statement statement;    /* borrows the instance's AIR */
    pr_layout layout;          /* borrows statement */
    pr_hash digest, air_digest;
} pr_job;

/* A NULL-terminated list of types is how the list is passed about. NULL when there is none of this name. */
const pr_job_type *pr_job_type_find(const pr_job_type *const *types, const char *name);

/* Checks the parameters, reads the inputs (PR_ERR_INPUT), builds the AIR, fits the configuration to it
 * (pr_profile_fit), computes the digest and the layout (PR_ERR_REFUSED). */
PR_MUST_CHECK pr_status pr_job_create(pr_job **out, const pr_job_type *type, const pr_params *params,
                                      const pr_config *config, pr_error *err);
/* The same from recorded public data alone, no input file: for verification. */
PR_MUST_CHECK pr_status pr_job_restore(pr_job **out, const pr_job_type *type, const pr_params *params,
                                       const pr_config *config, const void *public_data, size_t size, pr_error *err);
void pr_job_destroy(pr_job *job); /* NULL allowed */

/* What pr_trace_source (prove/prove.h) asks for, context being the pr_job: columns of a component, in storage order
 * when pr_job_fills_storage says so. */
bool pr_job_fills_storage(const pr_job *job);
pr_status pr_job_fill_trace(void *job, uint32_t component, pr_m31 *const *columns, unsigned n_threads, pr_error *err);

/* Digest of what a job is: type, version, configuration and every parameter with its default filled in. Two jobs with
 * one content hash prove the same thing about the same named inputs; resume compares it. */
pr_hash pr_job_content_hash(const pr_job_type *type, const pr_params *params, const pr_config *config);

/* What ties a proof to its place in a run: proof hash, job id, statement digest, manifest digest. */
pr_hash pr_job_commitment(const pr_hash *proof_hash, const char *id, const pr_hash *statement_digest,
                          const pr_hash *manifest_digest);
#endif
