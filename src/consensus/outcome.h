/* How a round ends. */
#ifndef PR_CONSENSUS_OUTCOME_H
#define PR_CONSENSUS_OUTCOME_H

typedef enum pr_round_outcome {
    PR_ROUND_OPEN,
    PR_ROUND_APPROVED,      /* there is a certificate */
    PR_ROUND_REJECTED,      /* the proof is invalid; the job may be tried again with a higher attempt */
    PR_ROUND_TIMEOUT,       /* no quorum in time; as REJECTED. A certificate that comes later still counts */
    PR_ROUND_SELF_VERIFIED, /* nobody but the prover is there to vote */
    PR_ROUND_UNVOTED,       /* the configuration asks for no votes (committee size 0) */
    PR_ROUND_OUTCOMES
} pr_round_outcome;
const char *pr_round_outcome_name(pr_round_outcome outcome); /* "open", "approved", ... "self_verified", "unvoted" */
#endif
