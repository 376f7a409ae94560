/* Whether the verifier takes a proof of a case. */
#ifndef PR_TESTS_CUDA_VERIFIES_H
#define PR_TESTS_CUDA_VERIFIES_H
#include "casefile/casefile.h"
#include "verify/verify.h"

static bool verifies(const pr_case *c, const pr_proof *proof) {
    pr_verifier *v = NULL;
    pr_verdict verdict = PR_REJECTED_SHAPE;
    assert_int_equal(pr_verifier_create(&v, &c->statement, NULL), PR_OK);
    assert_int_equal(pr_verifier_run(v, proof, &verdict, NULL), PR_OK);
    pr_verifier_destroy(v);
    return verdict == PR_ACCEPTED;
}
#endif
