/* The verifier's parts, in the order in which a proof passes through them: script, constraints out of the domain, FRI
 * commitments and queries, openings, quotients at the queries, folds. What depends on the statement alone is computed
 * once (pr_verifier); what depends on the proof lies in a pr_verify_run, whose workspace the layout bounds. */
#ifndef PR_VERIFY_INTERNAL_H
#define PR_VERIFY_INTERNAL_H
#include "air/program.h"
#include "circle/transform.h"
#include "verify/verify.h"

/* Samples are numbered over all trees, columns, offsets: the order in which they are mixed. */
typedef struct pr_verify_component {
    pr_program program;
    uint32_t *inputs;           /* [program.n_inputs] the sample each input is */
    uint32_t interaction_first; /* first sample of its interaction columns */
} pr_verify_component;

/* One term of the quotients, protocol.md section 11: a sample, or a periodicity sample. */
typedef struct pr_verify_term {
    uint32_t tree, column, sample, group;
} pr_verify_term;

#define PR_VERIFY_WINDOW 8

struct pr_verifier {
    const pr_statement *statement;
    pr_layout layout;
    pr_hash preprocessed_root;
    uint32_t n_columns, n_samples;             /* over all trees */
    uint32_t first_column[4], first_sample[4]; /* of each tree */
    uint32_t *column_samples;                  /* [n_columns + 1] first sample of each column */
    pr_verify_component *components;
    uint32_t n_terms, n_groups;
    pr_verify_term *terms;  /* in the order of their powers */
    uint32_t *group_shifts; /* index of what is added to the point out of the domain */
    uint32_t max_slots;
    pr_point windows[4][1 << PR_VERIFY_WINDOW]; /* [w][d]: d << (8 * w) times the generator */
};

typedef struct pr_verify_run {
    const pr_verifier *v;
    const pr_layout *layout;
    const pr_proof *proof;
    pr_error *detail;
    pr_channel channel;
    pr_qm31 composition_coefficient, quotient_coefficient, fri_alphas[32];
    pr_secure_point point; /* out of the domain */
    /* the workspace; rows: of the FRI layer with the most opened rows */
    pr_qm31 *relation_z, *relation_alpha; /* [n_relations] */
    pr_qm31 *samples;                     /* all, in order */
    pr_qm31 *powers;                      /* of constraints, then of quotient terms */
    pr_qm31 *slots;                       /* of the program that runs */
    uint32_t n_known;
    uint32_t *queries, *known_positions;          /* [n_queries] */
    pr_qm31 *known;                               /* [n_queries] values of the polynomial that FRI is about */
    uint32_t *positions, *nodes;                  /* [rows] */
    pr_qm31 *values;                              /* [rows] */
    pr_m31 *twiddles, *inverses;                  /* [rows] */
    pr_hash *hashes;                              /* [rows] */
    unsigned char *messages;                      /* [rows] of 64 bytes, or [n_queries] leaves of the widest tree */
    uint64_t *sums;                               /* [4][n_queries] */
    pr_point *points;                             /* [n_queries] */
    pr_cm31 *denominators, *inverse_denominators; /* [n_queries] */
} pr_verify_run;

/* A verdict, with its place in the run's detail. */
#define PR_REJECT(run, verdict, ...) ((void)pr_fail((run)->detail, PR_OK, __VA_ARGS__), (verdict))
#define PR_VERIFY_TRY(e)                                                                                               \
    do {                                                                                                               \
        pr_verdict pr_verdict_ = (e);                                                                                  \
        if (pr_verdict_ != PR_ACCEPTED) return pr_verdict_;                                                            \
    } while (0)

pr_verdict pr_verify_script(pr_verify_run *r);      /* up to the interaction commitment; lookups cancel */
pr_verdict pr_verify_composition(pr_verify_run *r); /* the out-of-domain check */
pr_verdict pr_verify_openings(pr_verify_run *r);    /* the trees at the queries */
pr_verdict pr_verify_quotients(pr_verify_run *r);   /* known := quotient values at the queries */
pr_verdict pr_verify_fri(pr_verify_run *r);         /* folds known down to the last layer */

/* Sum of power * value over all constraints at the run's samples. */
pr_qm31 pr_verify_constraints(const pr_verify_run *r);

/* From n leaf hashes (in r->hashes) at ascending, distinct positions (in r->nodes) up to the root, siblings from the
 * decommitment, which must be used up. Overwrites both. */
pr_verdict pr_verify_root(pr_verify_run *r, size_t n, uint32_t height, const pr_hash_list *witness, const pr_hash *root,
                          pr_verdict bad_witness, pr_verdict bad_root, const char *what, size_t index);

pr_point pr_verify_point(const pr_verifier *v, uint32_t index);
pr_status pr_verify_plan_terms(pr_verifier *v, pr_error *err);
pr_status pr_verify_preprocessed_root(pr_hash *root, const pr_layout *layout, pr_error *err);

/* out[i] = H of the i-th of n messages of this many bytes (a multiple of 4), back to back. */
void pr_verify_hash_many(pr_hash *out, const void *messages, size_t bytes, size_t n);
void pr_verify_hash_many_scalar(pr_hash *out, const void *messages, size_t bytes, size_t n);
void pr_verify_hash_many_avx2(pr_hash *out, const void *messages, size_t bytes, size_t n);
void pr_verify_hash_many_avx512(pr_hash *out, const void *messages, size_t bytes, size_t n);
#endif
