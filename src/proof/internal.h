/* What the codecs share: the lengths a statement leaves open, and a proof as a fixed sequence of byte runs. */
#ifndef PR_PROOF_INTERNAL_H
#define PR_PROOF_INTERNAL_H
#include "proof/proof.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words in memory are the words of the encoding");

#define PR_PROOF_MAX_TREES 4
#define PR_PROOF_MAX_FRI_LAYERS 32

typedef struct pr_proof_counts {
    uint32_t n_queries;
    size_t tree_hashes[PR_PROOF_MAX_TREES];
    size_t fri_witness[PR_PROOF_MAX_FRI_LAYERS], fri_hashes[PR_PROOF_MAX_FRI_LAYERS];
} pr_proof_counts;

/* The most that n_queries distinct positions can need. n_queries itself is taken over. */
void pr_proof_counts_max(pr_proof_counts *max, const pr_layout *layout, uint32_t n_queries);
uint32_t pr_proof_max_queries(const pr_layout *layout);
/* PR_DECODE_OK, QUERY_COUNT or WITNESS_TOO_LONG */
pr_decode_code pr_proof_counts_check(const pr_proof_counts *counts, const pr_layout *layout);
/* Bytes of all runs of a proof with these counts. */
size_t pr_proof_content_bytes(const pr_layout *layout, const pr_proof_counts *counts);
/* counts must have passed pr_proof_counts_check. false: out of memory; *out is then empty. */
bool pr_proof_allocate(pr_proof *out, const pr_layout *layout, const pr_proof_counts *counts);
void pr_proof_get_counts(pr_proof_counts *counts, const pr_proof *proof);

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
