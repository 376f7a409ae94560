/* One attempt at one job, on one rank: read inputs, build the statement, prove, verify, encode, compress. No MPI. */
#ifndef PR_WORK_WORK_H
#define PR_WORK_WORK_H
#include "backend/backend.h"
#include "manifest/manifest.h"
#include "prove/prove.h"
#include "store/record.h"
#include "work/check.h"

typedef struct pr_work {
    const pr_backend *backend;
    unsigned threads;
    size_t max_bytes; /* of a proof's memory; 0: what the machine has */
    int rank;
    const char *host;
    const pr_hash *manifest_digest; /* of the run */
    size_t max_device_bytes; /* of a proof's memory on a device, and of all that are made at a time; 0: no limit */
    pr_arena_keep *memory;   /* of proofs on the processor, from one to the next; NULL: fresh for each */
    size_t share_bytes;      /* of the memory on the host of all proofs that are made at a time; 0: max_bytes */
} pr_work;

/* Stages of an attempt: those of the prover between its preparation and what follows. */
enum {
    PR_WORK_STAGE_INPUTS, /* read, statement built */
    PR_WORK_STAGE_PLAN,   /* memory planned and mapped */
    PR_WORK_STAGE_PROVER, /* + pr_stage */
    PR_WORK_STAGE_SELF_VERIFY = PR_WORK_STAGE_PROVER + PR_STAGE_COUNT,
    PR_WORK_STAGE_ENCODE,
    PR_WORK_STAGE_COUNT
};
const char *pr_work_stage_name(uint32_t stage); /* "inputs", "plan", "trace", ...; "unknown" */

/* Told when a stage begins; a stage begins more than once. From the thread that called. */
typedef struct pr_work_watch {
    void (*stage)(void *context, uint32_t stage);
    void *context;
} pr_work_watch;

/* record: initialised here, the caller clears it whatever comes; it says how far the attempt came. On failure err and
 * the record's reason say why. The record has no parameters yet (pr_work_add_params). */
PR_MUST_CHECK pr_status pr_work_prove(pr_record *record, const pr_work *work, const pr_manifest_job *job,
                                      pr_error *err);
/* The same with somebody who is told of its stages (NULL: nobody). */
PR_MUST_CHECK pr_status pr_work_prove_watched(pr_record *record, const pr_work *work, const pr_manifest_job *job,
                                              const pr_work_watch *watch, pr_error *err);
/* Checks a record from its bytes (work/check.h); ms: what it took. */
PR_MUST_CHECK pr_status pr_work_check(const pr_work *work, const pr_manifest_job *job, const pr_record *record,
                                      pr_check_depth depth, pr_check_verdict *verdict, char *reason, size_t reason_size,
                                      double *ms, pr_error *err);
/* Sets what the manifest says of a job, so that no rank's word counts for it. */
void pr_work_set_identity(pr_job_row *row, const pr_manifest_job *job);
PR_MUST_CHECK pr_status pr_work_add_params(pr_record *record, const pr_manifest_job *job, pr_error *err);
/* Failures that another attempt may cure: not a missing input, not a refused statement. */
bool pr_work_may_retry(pr_status status);
#endif
