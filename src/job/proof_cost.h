/* What a proof weighs and what verifying it costs, from shapes alone: for plans, and for the committee that verifies.
 *
 * Bytes are those of the canonical encoding, as a mean over the queries, which the transcript draws: k positions out
 * of n hit n (1 - (1 - 1/n)^k) nodes of a level, and n ((1 - 1/n)^k - (1 - 2/n)^k) nodes of it are siblings of a node
 * that is hit but are not hit themselves: the hashes that an opening takes from the level, shared by all its paths.
 * Real proofs of 76 queries are within a few hundredths of it, of 8 queries within a tenth; the bound that nothing
 * exceeds is pr_proof_max_bytes. zstd makes them smaller where columns are empty, which is not foreseen.
 *
 * Verification is what a member of the committee does (work/check.h): it makes the statement again from its public
 * data (nodes of the AIR; a digest of the preprocessed values), decodes and hashes the proof, and runs the verifier,
 * whose openings, quotients and folds follow the bytes. The root of the preprocessed columns is kept for the AIRs seen
 * last, so it is apart: it costs when an AIR comes for the first time. */
#ifndef PR_JOB_PROOF_COST_H
#define PR_JOB_PROOF_COST_H
#include "air/job_type.h"
#include "air/statement.h"

/* On one thread. */
typedef struct pr_verify_costs {
    double byte_ns;    /* of the proof's encoding */
    double node_ns;    /* of the AIR's expressions; a column counts as one */
    double value_ns;   /* a preprocessed value, before the blow-up */
    double root_ns;    /* hashing one block, or extending one value, for the preprocessed root */
    double attempt_ns; /* whatever the proof is of */
} pr_verify_costs;

typedef struct pr_proof_shape {
    uint32_t log_lifted, n_queries;
    uint32_t n_trees, heights[4];
    uint32_t n_fri_layers;
    pr_layout_fri fri[32];
    uint64_t unopened_bytes; /* of the encoding: all that has nothing to do with the queries */
    uint64_t n_columns;      /* of all trees */
    uint64_t n_nodes;        /* of all components */
    uint64_t n_values;       /* preprocessed, before the blow-up */
    uint64_t root_steps;     /* blocks to hash and values to extend for their root */
} pr_proof_shape;

pr_proof_shape pr_proof_shape_of_layout(const pr_layout *layout);
/* As near as a size tells it: trees of equal height, a sample or a bit more of each column. */
pr_proof_shape pr_proof_shape_of_size(const pr_job_size *size, const pr_config *config);

typedef struct pr_proof_cost {
    uint64_t bytes;     /* mean of the encoding */
    uint64_t verify_ns; /* with the preprocessed root at hand */
    uint64_t root_ns;   /* for that; 0: nothing is preprocessed */
} pr_proof_cost;

pr_proof_cost pr_proof_cost_of(const pr_proof_shape *shape, const pr_verify_costs *costs);
#endif
