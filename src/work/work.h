/* One attempt at one job, on one rank: read inputs, build the statement, prove, verify, encode, compress. No MPI. */
#ifndef PR_WORK_WORK_H
#define PR_WORK_WORK_H
#include "backend/backend.h"
#include "manifest/manifest.h"
#include "store/record.h"

typedef struct pr_work {
    const pr_backend *backend;
    unsigned threads;
    size_t max_bytes; /* of a proof's memory; 0: what the machine has */
    int rank;
    const char *host;
    const pr_hash *manifest_digest; /* of the run */
} pr_work;

/* record: initialised here, the caller clears it whatever comes; it says how far the attempt came. On failure err and
 * the record's reason say why. The record has no parameters yet (pr_work_add_params). */
PR_MUST_CHECK pr_status pr_work_prove(pr_record *record, const pr_work *work, const pr_manifest_job *job,
                                      pr_error *err);
/* Verifies a record from its bytes; ms: what it took. */
PR_MUST_CHECK pr_status pr_work_verify(const pr_work *work, const pr_manifest_job *job, const pr_record *record,
                                       bool *accepted, char *reason, size_t reason_size, double *ms, pr_error *err);
/* Sets what the manifest says of a job, so that no rank's word counts for it. */
void pr_work_set_identity(pr_job_row *row, const pr_manifest_job *job);
PR_MUST_CHECK pr_status pr_work_add_params(pr_record *record, const pr_manifest_job *job, pr_error *err);
/* Failures that another attempt may cure: not a missing input, not a refused statement. */
bool pr_work_may_retry(pr_status status);
#endif
