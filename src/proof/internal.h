/* What the codecs share: the lengths a statement leaves open, and a proof as a fixed sequence of byte runs. */
#ifndef PR_PROOF_INTERNAL_H
#define PR_PROOF_INTERNAL_H
#include "proof/proof.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words in memory are the words of the encoding");

#define PR_PROOF_MAX_TREES 4
#define PR_PROOF_MAX_FRI_LAYERS 32

/* The lengths a statement leaves open are those of queries, hash witnesses and FRI witnesses; out gets all others, and
 * zero for these. No memory yet. */
void pr_proof_init(pr_proof *out, const pr_layout *layout);
/* The same with the most that n_queries distinct positions can need. */
void pr_proof_init_largest(pr_proof *out, const pr_layout *layout, uint32_t n_queries);
uint32_t pr_proof_max_queries(const pr_layout *layout);
/* The open lengths against the layout: PR_DECODE_OK, QUERY_COUNT or WITNESS_TOO_LONG. */
pr_decode_code pr_proof_check_lengths(const pr_proof *proof, const pr_layout *layout);
/* Arrays for the lengths that the proof has, which must have passed the check. false: out of memory. */
bool pr_proof_allocate(pr_proof *proof);
/* Bytes of all runs for the lengths that the proof has. */
size_t pr_proof_content_bytes(const pr_proof *proof);

/* A run of bytes of the proof; in memory and encoded the same. */
typedef struct pr_proof_run {
    void *data;
    void *pointer; /* where the proof keeps data, if in its block; else NULL */
    size_t bytes;
    bool is_felts; /* words that must be < p */
} pr_proof_run;

#define PR_PROOF_MAX_RUNS (4 + 4 * PR_PROOF_MAX_TREES + 3 * PR_PROOF_MAX_FRI_LAYERS)
/* All content of the proof in its canonical order, lengths by the proof's own counts. Returns their number. */
size_t pr_proof_list_runs(pr_proof_run runs[PR_PROOF_MAX_RUNS], const pr_proof *proof);
bool pr_proof_runs_in_range(const pr_proof_run *runs, size_t n);
#endif
