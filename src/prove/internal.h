/* What the files of prove/ share: the design of one proof (which column lies where, which columns are sampled together,
 * which buffers live when) and the state of a run. */
#ifndef PR_PROVE_INTERNAL_H
#define PR_PROVE_INTERNAL_H
#include "circle/transform.h"
#include "prove/prove.h"
#include <stdatomic.h>

#define PR_NO_COLUMN SIZE_MAX

/* Steps of a proof, for the lifetimes of buffers. */
typedef enum pr_phase {
    PR_PHASE_PREPROCESSED,
    PR_PHASE_TRACE,
    PR_PHASE_INTERACTION,
    PR_PHASE_COMPOSITION,
    PR_PHASE_SAMPLES,
    PR_PHASE_QUOTIENTS,
    PR_PHASE_FRI,
    PR_PHASE_OPEN,
    PR_PHASE_COUNT
} pr_phase;

/* A buffer of the arena that lives from one phase to another, both included. */
typedef struct pr_region {
    size_t words, offset;
    pr_phase first, last;
    bool may_be_far, is_far; /* columns that are streamed where the device's memory does not suffice (backend.h) */
} pr_region;

typedef struct pr_region_list {
    pr_region *items;
    size_t n, capacity;
    bool failed; /* out of memory while adding: pr_region_place says so */
} pr_region_list;

/* Adds a region; returns its index (0 and failed set when out of memory). */
size_t pr_region_add(pr_region_list *list, size_t words, pr_phase first, pr_phase last);
/* Gives every region an offset so that regions alive in one phase are disjoint, far ones behind all others; returns the
 * words of the whole arena, SIZE_MAX when out of memory. */
size_t pr_region_place(pr_region_list *list);
/* Words that the near ones take, after pr_region_place. */
size_t pr_region_near_words(const pr_region_list *list);
size_t pr_region_live_words(const pr_region_list *list, pr_phase phase); /* far ones too */

/* A committed tree. cols in the AIR's order, sorted in the leaf's order. */
typedef struct pr_tree_state {
    size_t n;
    pr_col *cols, *sorted;
    pr_merkle merkle;
    pr_hash root;
} pr_tree_state;

/* Columns of one extended size that are sampled at one offset: one call of the backend. */
typedef struct pr_sample_group {
    uint32_t log_ext;
    int32_t offset;
    size_t n;
    pr_col *cols;
    uint32_t *slots; /* [n] place in the flat list of all samples */
} pr_sample_group;

/* One column's share of a quotient group; a periodicity sample that coincides with a sample is merged into it. */
typedef struct pr_quotient_entry {
    uint32_t sample;   /* place in the flat list */
    uint32_t power[2]; /* of the quotient coefficient; UINT32_MAX: none */
} pr_quotient_entry;

typedef struct pr_quotient_set {
    uint32_t index; /* the point is z + index * generator */
    size_t n;
    pr_col *cols;
    pr_quotient_entry *entries;
    pr_qm31 *coeffs; /* filled in each run */
} pr_quotient_set;

typedef struct pr_component_state {
    pr_program full, lookups;
    pr_program derive; /* where the backend derives columns; else empty */
    pr_col *base;      /* [n_columns] trace values before extension; PR_NO_COLUMN where the lookups do not read it */
    pr_col *full_inputs, *lookup_inputs, *interaction, *interaction_base;
    pr_col *derive_inputs, *derived; /* [n_derived] */
    pr_col accumulator[4];           /* shared by the components of one size */
    bool first_of_size;
} pr_component_state;

/* A stage that begins, as the device will tell. */
typedef struct pr_device_mark {
    pr_stage stage; /* PR_STAGE_COUNT: the end of the run */
    uint64_t moved_bytes;
} pr_device_mark;

struct pr_prover {
    const pr_layout *layout;
    const pr_air *air;
    const pr_backend *ops;
    pr_device *device;
    pr_device_needs needs;
    pr_plan plan;
    pr_region_list regions;
    void *host_blocks; /* chain of host allocations, freed together */
    size_t host_bytes;

    /* Of tree 0: whether it stays from run to run, whether it is there, and of which AIR. */
    bool keeps_preprocessed, has_preprocessed;
    pr_hash air_digest;

    uint32_t composition_tree;
    pr_tree_state trees[4];
    pr_col *preprocessed_base; /* [n_preprocessed], PR_NO_COLUMN where unused */
    pr_component_state *components;
    pr_col composition_halves[8]; /* coefficients: left, right */
    size_t n_sample_groups, n_quotient_sets, n_powers;
    pr_sample_group *sample_groups;
    pr_quotient_set *quotient_sets;
    pr_quotient_group *quotient_groups;
    uint32_t first_sample[4]; /* of each tree in the flat list */
    pr_fri_layer fri[32];
    pr_hash fri_roots[32];
    pr_col fold_temporary[2][4];
    pr_col fold_source[4], last_values[4];
    pr_twiddles last_twiddles; /* of the last line domain, on the host */

    bool draws; /* the device does, from the root of the script's last tree to the samples (backend.h, draw_powers) */
    uint32_t drawn_tree;

    /* of a run */
    pr_channel channel;
    pr_stage_times times;
    pr_trace_source source;
    pr_stage_listener stage_listener; /* NULL: none */
    void *stage_context;
    const atomic_bool *stop;       /* NULL: none */
    pr_device_times *device_times; /* NULL: not measured */
    pr_device_mark *marks;         /* [mark_capacity], owned */
    size_t n_marks, mark_capacity;
    pr_status mark_status; /* of those so far */
    bool has_interaction_pow;
    uint64_t interaction_pow, proof_of_work;
    pr_qm31 *z, *alpha;    /* [n_relations] */
    pr_qm31 *claimed_sums; /* [n_components] */
    pr_qm31 *powers;       /* [n_constraints] */
    uint32_t *by_size; /* [n_components] components: smaller ones first; of a size, those without lookups; in order */
    pr_compose *compositions; /* [n_components] in this order */
    pr_logup *lookups;        /* [n_components], those that have some */
    pr_qm31 *samples;         /* flat */
    pr_qm31 *sample_out;      /* of one group, or of all, one behind another */
    pr_sampling *samplings;   /* [n_sample_groups] */
    pr_qm31 *quotient_powers; /* [n_powers] */
    pr_secure_point ood_point;
    pr_qm31 *last_layer;
    pr_m31 *last_column; /* one coordinate of the last values */
    uint32_t *queries;
    size_t n_queries;
    pr_m31 **map;    /* host views of a component's columns */
    pr_col *values;  /* where those columns go from row order */
    pr_hash *hashes; /* openings, tree after tree */
    size_t hash_capacity;
    pr_m31 *opened; /* queried values and FRI witnesses */
    size_t opened_capacity;
    uint32_t *positions; /* of all openings */
    size_t position_capacity;
};

/* Host memory of the prover's own, zeroed, freed by pr_prover_destroy. NULL when there is none. */
void *pr_prover_host_alloc(pr_prover *p, size_t n, size_t size);
#define HOST(p, target, n)                                                                                             \
    do {                                                                                                               \
        (target) = pr_prover_host_alloc((p), (n), sizeof *(target));                                                   \
        if (!(target)) return pr_fail(err, PR_ERR_MEMORY, "no memory for the plan of a proof");                        \
    } while (0)

/* design_samples.c: groups of samples are counted first, and get their columns when these have their places. */
pr_status pr_prover_design_samples(pr_prover *p, pr_error *err);
pr_status pr_prover_place_samples(pr_prover *p, pr_error *err);
pr_status pr_prover_design_quotients(pr_prover *p, pr_error *err);
void pr_prover_find_drawn_tree(pr_prover *p);

/* design.c: everything but the device. */
pr_status pr_prover_design(pr_prover *p, const pr_layout *layout, const pr_prover_options *options, pr_error *err);

/* needs.c: what the device's plan follows from; then the regions' places, columns far where the limit asks for it; then
 * the figures that users see. */
void pr_prover_find_needs(pr_prover *p, const pr_prover_options *options);
/* Columns of a component's trace, its first ones, that a source has to fill: all, or those that are not derived. */
uint32_t pr_prover_given_columns(const pr_prover *p, uint32_t component);
/* Where the trace values of a column lie before extension. */
pr_col pr_prover_trace_values(const pr_prover *p, uint32_t component, uint32_t column);
pr_status pr_prover_place(pr_prover *p, const pr_prover_options *options, pr_error *err);
void pr_prover_fill_plan(pr_prover *p);

/* Tree 0, unless it is there: before the device is told that a proof begins, so that what is listed of one is the same
 * with it and without. */
pr_status pr_prover_make_preprocessed(pr_prover *p, pr_error *err);

/* The steps, in order. Each adds its time to its stages. */
pr_status pr_prover_commit_trace(pr_prover *p, pr_error *err);
pr_status pr_prover_compute_lookups(pr_prover *p, pr_error *err);
pr_status pr_prover_commit_interaction(pr_prover *p, pr_error *err);
pr_status pr_prover_commit_composition(pr_prover *p, pr_error *err);
pr_status pr_prover_sample(pr_prover *p, pr_error *err);
pr_status pr_prover_quotients(pr_prover *p, pr_error *err);
pr_status pr_prover_fri(pr_prover *p, pr_error *err);
pr_status pr_prover_open(pr_prover *p, pr_proof *proof, pr_error *err);
pr_status pr_prover_commit_tree(pr_prover *p, uint32_t tree, pr_error *err);

/* Refuses a device that drew by a channel of its own and ended elsewhere than this prover's, which followed it. */
pr_status pr_prover_compare_channel(const pr_prover *p, const pr_hash *digest, pr_error *err);

/* measure.c: notes where a stage begins on the device; reads all at the end of a run. Nothing where nobody measures. */
void pr_prover_mark(pr_prover *p, pr_stage stage);
pr_status pr_prover_read_marks(pr_prover *p, pr_error *err);

/* Tells the listener that a stage begins; returns the time. */
uint64_t pr_prover_begin(pr_prover *p, pr_stage stage);
/* Adds the time since *start to a stage and moves *start to now. */
void pr_prover_clock(pr_prover *p, pr_stage stage, uint64_t *start);

/* Words a column takes in the arena: at least 32, so that both halves begin at a multiple of 16. Columns of a page or
 * more stand two cache lines further apart than their length: the same row of many columns, which is what hashing, the
 * interpreter and the sums over columns read, would otherwise fall on one set of each cache. */
static inline size_t pr_column_words(uint32_t log_rows) {
    if (log_rows < 5) return 32;
    return ((size_t)1 << log_rows) + (log_rows < 10 ? 0 : 32);
}

#endif
