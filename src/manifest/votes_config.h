/* How the ranks of a run vote on proofs (consensus/consensus.h): what an operator may set, in the YAML file of
 * `proverun run --config`. configs/run.yaml lists every key with unit, default and bounds. */
#ifndef PR_MANIFEST_VOTES_CONFIG_H
#define PR_MANIFEST_VOTES_CONFIG_H
#include "base/error.h"

/* What a run does when evidence shows that a rank has lied. Its validator is removed in any case, and its proofs cannot
 * be announced any more. */
typedef enum pr_evidence_policy {
    PR_EVIDENCE_DRAIN, /* it gets no more work, the others go on */
    PR_EVIDENCE_ABORT  /* the run ends, resumable, for somebody to look at */
} pr_evidence_policy;

#define PR_CONFIG_PATH_SIZE 1024u

typedef struct pr_votes_config {
    uint32_t committee_size;   /* ranks that verify each proof; 0: nobody, outcomes are unvoted */
    uint32_t round_timeout_ms; /* without a quorum for so long, a round is said again and the silent are named */
    uint32_t retries;          /* of a round, before it ends as a timeout */
    uint32_t view_timeout_ms;  /* without a proposal for so long, another leader is asked for */
    uint32_t threads;          /* that verify, on each rank */
    pr_evidence_policy evidence;
    char key_folder[PR_CONFIG_PATH_SIZE];          /* "": `keys` in the results folder */
    char key_passphrase_file[PR_CONFIG_PATH_SIZE]; /* its first line seals and opens the key files; "": not sealed */
    char stake_file[PR_CONFIG_PATH_SIZE];          /* stakes.h; "": every validator has stake 1 */
} pr_votes_config;

pr_votes_config pr_votes_config_defaults(void);
/* What the file leaves out keeps its default; a relative path begins at the file's folder. The file of stakes is read
 * and checked, too. PR_ERR_USAGE with file:line:column, what was found and what is allowed; PR_ERR_IO. */
PR_MUST_CHECK pr_status pr_votes_config_load(pr_votes_config *out, const char *path, pr_error *err);
/* The same from text; file is only for messages and for relative folders. */
PR_MUST_CHECK pr_status pr_votes_config_parse(pr_votes_config *out, const char *text, size_t size, const char *file,
                                              pr_error *err);
#endif
