/* Who votes on a job. The validators are put into one order for the job, by drawing all of them, each time with a
 * chance proportional to stake, without replacement; the committee is the first `size` of them that are neither the
 * prover nor excluded (removed, or absent from this round). So a prover chooses nothing, and two attempts at a job, or
 * a removal in between, change no more of the committee than the ones concerned.
 *
 * The draw, for an auditor (Blake2s-256; D(domain, bytes) hashes u64 length of domain, domain, bytes; little-endian):
 *   job   = D("proverun job 1", u64 length of the id, id)
 *   seed  = D("proverun committee 1", run seed, job)
 *   x_i   = first 8 bytes of D("proverun committee draw 1", seed, u64 i), i = 0, 1, 2, ...
 *   left  = validators 0 .. n-1 in registration order, S their stake; while members are wanted and any is left:
 *     x = next x_i; once more while x >= 2^64 - (2^64 mod S);  r = x mod S
 *     take the first validator of left whose cumulative stake exceeds r out of left;
 *     it is a member unless it is the prover or excluded.
 * tests/consensus/committee.py does the same in Python. */
#ifndef PR_CONSENSUS_COMMITTEE_H
#define PR_CONSENSUS_COMMITTEE_H
#include "consensus/registry.h"

#define PR_COMMITTEE_MAX 256u

typedef struct pr_committee {
    uint32_t n;
    uint32_t members[PR_COMMITTEE_MAX]; /* [n] in the order drawn */
    uint64_t stake;                     /* of all members */
} pr_committee;

/* A run's name in every message: D("proverun run 1", u64 length of the id, id). */
pr_hash pr_run_name(const char *id);
/* A job's name in every message: a digest of its id of the manifest. */
pr_hash pr_job_name(const char *id);

typedef struct pr_draw {
    const pr_hash *run_seed, *job;
    uint32_t n;      /* the first n validators take part; n <= registry->n */
    uint32_t prover; /* never a member */
    uint32_t size;   /* at most PR_COMMITTEE_MAX */
} pr_draw;

void pr_committee_draw(pr_committee *out, const pr_registry *registry, const pr_draw *draw,
                       const pr_validator_set *excluded);
bool pr_committee_has(const pr_committee *committee, uint32_t validator);
#endif
