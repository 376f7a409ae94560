/* A record of the consensus, or a batch certificate, as rows of the results file; within this module. */
#ifndef PR_STORE_BALLOT_H
#define PR_STORE_BALLOT_H
#include "store/product.h"

/* Whether it is a whole record (consensus/consensus.h: pr_consensus_record) in shape. Signatures are not looked at. */
bool pr_ballot_is_record(const uint8_t *record, size_t size);
bool pr_ballot_is_batch(const uint8_t *certificate, size_t size);
/* Adds its rows. bytes have passed the test above. */
PR_MUST_CHECK pr_status pr_ballot_put(pr_product *p, uint64_t time_ns, const uint8_t *record, size_t size,
                                      pr_error *err);
PR_MUST_CHECK pr_status pr_ballot_put_batch(pr_product *p, uint64_t time_ns, const uint8_t *certificate, size_t size,
                                            pr_error *err);

/* Names of jobs, so that rows can say which job a message is about. */
typedef struct pr_named_job {
    pr_hash name;
    char id[128]; /* "": a free place */
    uint32_t announced_attempt;
    uint32_t last_assigned; /* the highest attempt that was handed out; 0: none */
    uint64_t announced_ns;
} pr_named_job;
#endif
