/* Verification of one record from its bytes alone: what another rank does before a proof counts, and what an auditor
 * does offline. The statement is rebuilt from parameters, configuration and recorded public data. */
#ifndef PR_WORK_CHECK_H
#define PR_WORK_CHECK_H
#include "job/job.h"
#include "store/record.h"

/* What is found of a record. Only the last two say something of the proof, and say the same whoever looks: they are a
 * function of the statement and of the bytes whose hash the record names. */
typedef enum pr_check_verdict {
    PR_CHECK_ACCEPTED,
    PR_CHECK_RECORD,    /* what stands around the proof is wrong: the proof itself was not judged */
    PR_CHECK_MALFORMED, /* the proof does not decode */
    PR_CHECK_INVALID    /* the verifier refuses it */
} pr_check_verdict;

typedef enum pr_check_depth {
    PR_CHECK_ALL,
    PR_CHECK_AROUND /* all but the verifier's run: what nobody but the keeper of this record can check */
} pr_check_depth;

typedef struct pr_check {
    const pr_job_type *type;
    const pr_params *params;
    const pr_config *config;
    const pr_hash *manifest_digest; /* of the run */
    const pr_record *record;        /* proof, public data, hashes and facts that are claimed */
    pr_check_depth depth;
} pr_check;

/* PR_OK with the verdict; reason says what is wrong when not accepted. An error only for memory. Thread safe. */
PR_MUST_CHECK pr_status pr_check_run(const pr_check *check, pr_check_verdict *verdict, char *reason, size_t reason_size,
                                     pr_error *err);

/* Fills what follows from the statement: digests, sizes, security, configuration. */
void pr_check_describe(pr_job_row *row, const pr_job *job);
/* The commitment of a row that has its id, proof hash and statement digest. False: a hash is not one. */
bool pr_check_commitment(char out[65], const pr_job_row *row, const pr_hash *manifest_digest);
#endif
