/* What is proven: an AIR, the proof parameters, public terms, the digest that binds them, and the transcript's script;
 * and pr_layout, all shapes that follow from it. Prover, verifier and codecs take every length from the layout. */
#ifndef PR_AIR_STATEMENT_H
#define PR_AIR_STATEMENT_H
#include "air/air.h"

typedef struct pr_config {
    uint32_t pow_bits, log_blowup, n_queries, log_last_layer_degree_bound, fold_step;
    int32_t lifting_log_size; /* -1: none */
    uint32_t interaction_pow_bits;
} pr_config;

typedef struct pr_public_term {
    uint32_t relation;
    pr_m31 multiplicity;
    uint32_t n_values;
    pr_m31 *values;
} pr_public_term;

typedef enum pr_step_kind {
    PR_STEP_MIX_FELTS,
    PR_STEP_MIX_U32S,
    PR_STEP_MIX_U64,
    PR_STEP_MIX_ROOT, /* data from the script */
    PR_STEP_STATEMENT_DIGEST,
    PR_STEP_CONFIG,
    PR_STEP_COMMIT_PREPROCESSED,
    PR_STEP_COMMIT_TRACE,
    PR_STEP_COMMIT_INTERACTION,
    PR_STEP_GRIND,
    PR_STEP_DRAW_RELATIONS,
    PR_STEP_CLAIMED_SUMS
} pr_step_kind;

typedef struct pr_step {
    pr_step_kind kind;
    uint32_t bits; /* GRIND */
    uint32_t *
        words; /* MIX_*: u32s; felts as 4 words each; u64 as low, high; root as 8 words (its 32 bytes, little-endian) */
    size_t n_words;
} pr_step;

typedef struct pr_statement {
    const pr_air *air; /* borrowed */
    pr_config config;
    uint8_t digest[32];
    uint32_t n_public_terms;
    pr_public_term *public_terms;
    uint32_t n_steps; /* never 0 after pr_statement_init: the default script is filled in */
    pr_step *steps;
    bool has_foreign_transcript;
} pr_statement;

/* A statement of the AIR with these parameters, no public terms, zero digest, default script. */
PR_MUST_CHECK pr_status pr_statement_init(pr_statement *st, const pr_air *air, const pr_config *config, pr_error *err);
/* Copies. A foreign script replaces the default one; the rules of air-format.md are checked by pr_layout_init. */
PR_MUST_CHECK pr_status pr_statement_add_public_term(pr_statement *st, uint32_t relation, pr_m31 multiplicity,
                                                     const pr_m31 *values, uint32_t n_values, pr_error *err);
PR_MUST_CHECK pr_status pr_statement_set_transcript(pr_statement *st, const pr_step *steps, uint32_t n_steps,
                                                    pr_error *err);
void pr_statement_clear(pr_statement *st);

/* Rule of protocol.md section 15 for our own statements: -1 or the log size; PR_ERR_REFUSED when a preprocessed column
 * is missing. */
PR_MUST_CHECK pr_status pr_statement_choose_lifting(int32_t *lifting, const pr_air *air, uint32_t log_blowup,
                                                    pr_error *err);

/* Our own digest of everything public about a job (protocol.md section 6, docs/statement.md). */
pr_hash pr_statement_digest(const char *job_type, uint32_t job_version, const pr_statement *st, const void *public_data,
                            size_t public_data_size);

/* Bits of security; every formula with its source is in docs/security.md. */
typedef struct pr_security {
    double conjectured_bits; /* b * n_queries + pow_bits, under the up-to-capacity conjecture */
    double proven_bits;      /* unique decoding: the least of its query term, the commit phase and the field terms */
    double field_bits;       /* the least of the field terms, see air/security.h */
    bool insecure;           /* reported_bits < 96 */
    double reported_bits;    /* the lesser of conjectured_bits and field_bits: what a result is shown with */
    double commit_bits;      /* commit phase (folding and quotient batching) in unique decoding */
    double list_bits;        /* list decoding up to the Johnson radius, proven; 0 where the bound says nothing */
} pr_security;

/* ---- layout: shapes that follow from a statement ---- */

typedef struct pr_layout_column {
    uint32_t log_ext;   /* log2 of rows after blow-up */
    uint32_t n_offsets; /* samples; 0: not sampled */
    int32_t offsets[PR_AIR_MAX_OFFSETS];
} pr_layout_column;

typedef enum pr_tree_kind {
    PR_TREE_PREPROCESSED,
    PR_TREE_TRACE,
    PR_TREE_INTERACTION,
    PR_TREE_COMPOSITION
} pr_tree_kind;

typedef struct pr_layout_tree {
    pr_tree_kind kind;
    uint32_t n_columns, height; /* height 0 when empty */
    pr_layout_column *columns;  /* the AIR's order */
    uint32_t *sorted;           /* [n_columns] column indices by size, ascending, stable: the leaf's order */
    uint32_t *component_first;  /* [n_components + 1], trace and interaction trees: first column of each component; else
                                   NULL */
    uint32_t n_samples;         /* over all columns */
} pr_layout_tree;

typedef struct pr_layout_fri {
    uint32_t log_size, fold_step;
    bool packed;
} pr_layout_fri; /* layer 0 is the circle layer */

typedef struct pr_layout {
    const pr_statement *statement; /* borrowed */
    uint32_t n_trees;              /* 3, or 4 with relations; the composition tree is the last */
    pr_layout_tree trees[4];
    uint32_t log_max_rows;      /* largest component's n */
    uint32_t log_lifted;        /* L */
    uint32_t log_base;          /* M = L - b */
    uint32_t n_constraints;     /* N of section 8, lookups' included */
    uint32_t *constraint_first; /* [n_components + 1] number of each component's first constraint */
    uint32_t n_fri_layers;
    pr_layout_fri fri[32];
    uint32_t log_last_domain; /* log_last + b */
    bool grinds_interaction;
    uint32_t interaction_pow_bits; /* from the script's grind step */
    pr_security security;
} pr_layout;

/* FRI's layers from the lifted domain down to the last one's: as fold_step (0: 1) says, the last fold by what is left.
 * Returns how many. */
uint32_t pr_layout_schedule_fri(pr_layout_fri layers[32], uint32_t log_lifted, const pr_config *config);
/* Every refusal that needs the parameters (sections 12, 15, air-format.md's rules on scripts) happens here. */
PR_MUST_CHECK pr_status pr_layout_init(pr_layout *layout, const pr_statement *st, pr_error *err);
void pr_layout_clear(pr_layout *layout);
#endif
