/* The verifier: independent of the prover and of every backend. protocol.md, all of it. */
#ifndef PR_VERIFY_VERIFY_H
#define PR_VERIFY_VERIFY_H
#include "proof/proof.h"
#include "transcript/channel.h"

typedef enum pr_verdict {
    PR_ACCEPTED = 0,
    PR_REJECTED_SHAPE, /* proof in memory does not fit the layout */
    PR_REJECTED_PREPROCESSED_ROOT,
    PR_REJECTED_EMPTY_ROOT,
    PR_REJECTED_INTERACTION_POW,
    PR_REJECTED_CLAIMED_SUM,
    PR_REJECTED_PUBLIC_TERM,
    PR_REJECTED_LOOKUP_SUM,
    PR_REJECTED_OOD_POINT,
    PR_REJECTED_OOD_CHECK,
    PR_REJECTED_POW,
    PR_REJECTED_QUERY_COUNT,
    PR_REJECTED_TREE_WITNESS,
    PR_REJECTED_TREE_ROOT,
    PR_REJECTED_POSITION_VALUES,
    PR_REJECTED_QUOTIENT_DENOMINATOR,
    PR_REJECTED_FRI_WITNESS,
    PR_REJECTED_FRI_ROOT,
    PR_REJECTED_LAST_LAYER
} pr_verdict;
const char *pr_verdict_text(pr_verdict v);

typedef struct pr_verifier pr_verifier;
/* Holds lowered programs, layout and the preprocessed root (computed from the statement's values; the cache by AIR
 * digest and parameters is shared by the process and thread safe). The statement must outlive it. */
PR_MUST_CHECK pr_status pr_verifier_create(pr_verifier **out, const pr_statement *st, pr_error *err);
void pr_verifier_destroy(pr_verifier *v);
const pr_layout *pr_verifier_layout(const pr_verifier *v);
const pr_hash *pr_verifier_preprocessed_root(const pr_verifier *v);
/* PR_OK with a verdict; an error only for memory. detail (may be NULL) says where: tree, layer, position. Thread safe.
 */
PR_MUST_CHECK pr_status pr_verifier_run(const pr_verifier *v, const pr_proof *proof, pr_verdict *verdict,
                                        pr_error *detail);
#endif
