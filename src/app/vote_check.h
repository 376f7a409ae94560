/* Checks what a results file says of the consensus, offline: signatures of votes, certificates, evidence, views and the
 * batch, against the validators and the terms that the file itself names, and these against a list where there is one.
 * Each thing that does not hold is a line on standard output; an `approved` job without a certificate that holds is
 * one, whatever the file lacks. One thread; within the guard of verify_results.c. */
#ifndef PR_APP_VOTE_CHECK_H
#define PR_APP_VOTE_CHECK_H
#include "cluster/ballot_keys.h"
#include "consensus/batch.h"
#include "consensus/certificate.h"
#include "consensus/evidence.h"
#include "store/store.h"

typedef enum pr_vote_record {
    PR_VOTES_ABSENT,   /* a run without votes, or of a version without them */
    PR_VOTES_MERGED,   /* they are in the files that were merged */
    PR_VOTES_ON_RECORD /* to be checked */
} pr_vote_record;

typedef struct pr_vote_tally { /* of one validator */
    size_t n_votes, n_wrong, n_double;
    pr_removal removal;  /* by evidence that holds, or may hold */
    bool removal_proven; /* false: the proof that it is about is not in the file */
} pr_vote_tally;

typedef struct pr_vote_job pr_vote_job;
typedef struct pr_vote_check {
    const pr_results *results;
    /* The verifier's word on the stored proof of row i of /jobs. */
    pr_proof_verdict (*judge)(void *context, size_t i);
    void *context;
    const pr_registry *given; /* who the validators are by the auditor's own list; NULL: by the file's word */
    /* ---- filled ---- */
    pr_vote_record record;
    pr_consensus_terms terms;
    pr_registry registry;
    pr_vote_tally *tallies; /* [registry.n] */
    pr_vote_job *jobs;      /* by name */
    size_t n_jobs;
    pr_ballot_keys *keys;
    pr_crypto crypto;
    size_t n_bad, n_certificates, n_votes, n_evidence, n_unproven, n_views, n_batches;
} pr_vote_check;

/* PR_OK however bad the file is; an error for memory alone. Clear it in any case. */
PR_MUST_CHECK pr_status pr_vote_check_run(pr_vote_check *c, pr_error *err);
void pr_vote_check_clear(pr_vote_check *c);

/* ---- pieces, for inclusion proofs ---- */

/* Terms and validators, those removed marked. PR_ERR_MALFORMED, and what is wrong. */
PR_MUST_CHECK pr_status pr_vote_check_open(pr_vote_check *c, pr_error *err);
/* Outcomes as they were signed, sorted, up to time_ns; heap memory of the caller's. */
PR_MUST_CHECK pr_status pr_vote_check_leaves(const pr_vote_check *c, uint64_t time_ns, pr_batch_leaf **out, size_t *n,
                                             pr_error *err);
#endif
