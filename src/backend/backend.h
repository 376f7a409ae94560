/* The contract between the prover and whatever computes: one const table of operations, each a whole protocol step over
 * a batch of columns. Device memory is one arena whose size the prover's plan gives; a buffer is a place in it, known
 * by its offset, never by a pointer. Host pointers enter and leave only through upload, download and map/unmap.
 * Operations of one queue run in order; those that return values to the host synchronise, no other does.
 *
 * Canonical layout: column-major, uint32_t in [0, p), storage (bit-reversed) order, a QM31 column as four base columns.
 * So every buffer compares bytewise across backends. A column named twice in one call may only be read. One thread
 * drives a device at a time; operations use the device's own threads. */
#ifndef PR_BACKEND_BACKEND_H
#define PR_BACKEND_BACKEND_H
#include "air/program.h"
#include "base/arena.h"
#include "circle/circle.h"
#include "hash/blake2s.h"

typedef struct pr_device pr_device; /* each backend defines its own */

/* A column: 1 << log_rows words at this word offset of the device arena. Offsets are multiples of 16 words; those of
 * columns of fewer words, of their length. */
typedef struct pr_col {
    size_t offset;
    uint32_t log_rows;
} pr_col;

/* What the plan needs to know of a backend's own memory (twiddles, per-thread scratch), and what sizes it will meet. */
typedef struct pr_device_needs {
    unsigned n_threads; /* 0: as many as the process may use */
    size_t arena_bytes; /* columns and trees: the plan's offsets */
    /* 0: the whole arena lies on the device. Else only its first arena_bytes - far_bytes do; columns behind them, far
     * columns, lie on the host, and operations bring them through a window of window_bytes on the device. */
    size_t far_bytes, window_bytes;
    size_t mapped_bytes;   /* of the columns of the largest map_write, each a multiple of 64 */
    uint32_t max_log_rows; /* largest domain of any transform (L or tree 0's) */
    uint32_t max_slots, max_inputs, max_constants, max_batches, max_lookup_values; /* over all programs */
    uint32_t max_lookup_log_rows; /* largest component with lookups; 0 with n_lookup_components 0 */
    uint32_t n_lookup_components;
    uint32_t max_columns;                 /* columns of the widest tree */
    uint32_t max_sample_log_rows;         /* largest column that is sampled, before blow-up */
    uint32_t n_columns, n_quotient_terms; /* of all trees together; of all quotient groups together, at most */
    /* Of a program: instructions and values of lookups together; constraints and batches together. */
    uint32_t max_insns, max_values;
    uint32_t n_relations;
    uint32_t n_constraints, n_sample_groups; /* powers that draw_powers draws; groups of draw_samples */
    uint32_t log_last_degree;                /* of FRI's last layer */
    /* Of the processor's backends: where memory comes from and goes to; it must outlive the device. NULL: fresh memory.
     * Plans do not depend on it. */
    pr_arena_keep *memory;
} pr_device_needs;

/* A Merkle tree in the arena. Levels 0 (root) .. height - log_skip are stored, level k at node offset 1 << k (node
 * index 1 is the root); the lowest log_skip levels are hashed again from the columns when opened. height = log2 of
 * leaves. */
typedef struct pr_merkle {
    size_t offset; /* words */
    uint32_t height, log_skip;
    bool packed; /* four rows of four columns a leaf */
} pr_merkle;
static inline uint32_t pr_merkle_log_skip(uint32_t height) { return height < 4 ? height : 4; }
static inline size_t pr_merkle_words(uint32_t height) {
    return (size_t)16 << (height - pr_merkle_log_skip(height));
} /* 8 words a node, 2 << levels nodes */

/* One component's share of the composition polynomial, protocol.md section 8, on the first 2 << log_rows rows of the
 * extension. */
typedef struct pr_compose {
    const pr_program *program; /* PR_PROGRAM_FULL */
    uint32_t log_rows, log_blowup;
    const pr_col *inputs;      /* [program->n_inputs]: the extended column (log_rows + log_blowup) each input reads; its
                                  offset is applied here */
    const pr_col *interaction; /* [4 * n_batches] extended columns */
    /* [n_constraints + n_batches]: what each value is multiplied by; NULL: those of draw_powers from first_power on */
    const pr_qm31 *powers;
    const pr_qm31 *z, *alpha; /* [n_relations] */
    pr_qm31 shift;            /* claimed sum / 2^log_rows */
    pr_col out[4];            /* log_rows + 1: sum of power * value / vanishing */
    bool accumulate;          /* add to what out holds */
    size_t first_power;       /* where powers is NULL */
} pr_compose;

/* Interaction columns of a component, protocol.md section 9, on the trace domain. */
typedef struct pr_logup {
    const pr_program *program; /* PR_PROGRAM_LOOKUPS */
    uint32_t log_rows;
    const pr_col *inputs;     /* [program->n_inputs], log_rows each: trace values before extension */
    const pr_qm31 *z, *alpha; /* [n_relations] */
    const pr_col *out;        /* [4 * n_batches], log_rows each */
    pr_qm31 *claimed_sum;     /* written: the sum over all rows */
} pr_logup;

/* Derived columns of a component (air/air.h, n_derived), on the trace domain. */
typedef struct pr_derive {
    const pr_program *program; /* PR_PROGRAM_DERIVE */
    uint32_t log_rows;
    const pr_col *inputs; /* [program->n_inputs], log_rows each */
    const pr_col *out;    /* [program->n_constraints], log_rows each */
} pr_derive;

/* Columns that share a sample point, protocol.md section 11: numerator = sum coeffs[i] * f_i - (a * y + b). */
typedef struct pr_quotient_group {
    pr_secure_point point;
    size_t n;
    const pr_col *cols; /* extended columns of log size <= L, any order of sizes */
    const pr_qm31 *coeffs;
    pr_qm31 a, b;
} pr_quotient_group;

/* Columns of one size that are sampled at one point: the out-of-domain point plus that of an index, doubled so often.
 */
typedef struct pr_sampling {
    uint32_t shift, n_doublings;
    size_t n;
    const pr_col *cols;
    pr_qm31 *out; /* [n] */
} pr_sampling;

/* What the device drew by itself: the roots that it mixed into its channel, and where that ended. */
typedef struct pr_drawn {
    pr_hash roots[2], digest;
} pr_drawn;

/* What is opened of a tree, section 13: values of its columns at some rows, and the hashes that a decommitment lists.
 */
typedef struct pr_opening {
    const pr_merkle *tree;
    size_t n;
    const pr_col *cols, *sorted; /* [n] in the order of the values; of the leaves */
    uint32_t log_lifted;         /* of positions */
    size_t n_positions, n_leaves;
    const uint32_t *positions, *leaves; /* as gather takes them; as merkle_open does */
    pr_m31 *values;                     /* [n][n_positions] */
    pr_hash *hashes;                    /* [n_hashes], of which at most max_hashes */
    size_t n_hashes, max_hashes;
} pr_opening;

/* Layer of FRI, protocol.md section 12: four columns, their tree, and how often it folds. */
typedef struct pr_fri_layer {
    pr_col cols[4];
    pr_merkle merkle;
    uint32_t fold_step; /* >= 1: the next layer, or the last values, have so much less log */
} pr_fri_layer;

/* The commit phase of FRI. Layer 0 is on the circle; its columns hold values, all others are written, and all trees. */
typedef struct pr_fri {
    uint32_t n_layers;          /* 1 .. 32 */
    const pr_fri_layer *layers; /* [n_layers] */
    pr_col last[4];             /* working memory: the last values */
    uint32_t log_last_degree;   /* log2 of the coefficients that the last layer may have */
    uint32_t pow_bits;          /* of the proof of work that comes next */
    pr_hash digest;             /* of the channel, before the first root is mixed in */
} pr_fri;

typedef struct pr_fri_result {
    pr_hash *roots;      /* [n_layers] */
    pr_qm31 *last_layer; /* [1 << log_last_degree] in the proof's order, bit-reversed */
    bool exceeds_degree; /* a coefficient above is not zero */
    pr_hash digest;      /* of the channel, behind the last layer */
} pr_fri_result;

/* The device's own figures, for backends whose operations are not done when they return. */
typedef struct pr_meter {
    bool is_emulated; /* times are the host's */
    /* Notes the place that the queue has reached as mark k: one that was there before, or the next number. */
    pr_status (*mark)(pr_device *dev, size_t k, pr_error *err);
    /* Waits for marks 0 .. n - 1. ns[k], k < n - 1: from mark k to the next. */
    pr_status (*read_marks)(pr_device *dev, uint64_t *ns, size_t n, pr_error *err);
    /* Bytes that kernels were told to read and write so far, each as often as it is asked for; twiddles and other
     * tables, which caches serve, are not counted. */
    uint64_t (*moved_bytes)(const pr_device *dev);
    /* Bytes a second that a copy within the device's memory reads and writes: the best of a few, in memory beside the
     * device's own. */
    pr_status (*copy_rate)(pr_device *dev, double *bytes_a_second, pr_error *err);
} pr_meter;

typedef struct pr_backend {
    const char *name; /* "scalar", "avx2", "avx512", "poison", "cuda", ... */
    bool (*available)(void);
    const pr_meter *meter; /* NULL: the host's clock tells */
    bool is_device;        /* arena and workspace lie in a device's own memory: plans and admission count them apart */
    /* Far columns: NULL where there are none, for the backend's memory is the host's. Else the smallest window that
     * these needs allow. Columns of trees, trace values and interaction columns may be far, all of a call or none;
     * accumulators, FRI's columns and trees may not. */
    size_t (*min_window_bytes)(const pr_device_needs *needs);
    /* Bytes of its own that a device with these needs maps beside the arena (the window counts): part of the plan's
     * prediction. */
    size_t (*workspace_bytes)(const pr_device_needs *needs);
    /* Bytes of pinned memory of the host beside those and far columns: what goes to the device and comes from it passes
     * through. NULL: none. */
    size_t (*pinned_bytes)(const pr_device_needs *needs);
    pr_status (*device_create)(pr_device **out, const pr_device_needs *needs, pr_error *err);
    void (*device_destroy)(pr_device *dev);
    /* A proof begins, and ends, however it does. What operations between them are told is likely to be what they were
     * told in the proof before, but for values; those that return nothing to the host may do what they do later, up to
     * the next one that does. NULL: nobody need tell. */
    pr_status (*begin)(pr_device *dev, pr_error *err);
    void (*end)(pr_device *dev);
    pr_status (*synchronize)(pr_device *dev, pr_error *err);

    /* 1 << dst.log_rows words, which stay as they are until the next operation that returns values. */
    pr_status (*upload)(pr_device *dev, pr_col dst, const pr_m31 *src, pr_error *err);
    pr_status (*download)(pr_device *dev, pr_m31 *dst, pr_col src, pr_error *err);
    pr_status (*zero)(pr_device *dev, const pr_col *cols, size_t n, pr_error *err);
    /* Host-writable views of columns, contents undefined; unmap makes what was written the columns' contents. On host
     * backends the column itself. */
    pr_status (*map_write)(pr_device *dev, pr_m31 **host, const pr_col *cols, size_t n, pr_error *err);
    pr_status (*unmap_write)(pr_device *dev, pr_m31 *const *host, const pr_col *cols, size_t n, pr_error *err);
    /* dst[slot_of_row(r)] = src[r]; columns disjoint, equal sizes. */
    pr_status (*rows_to_storage)(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err);

    /* Derived columns from given ones, on the trace domain; all near. NULL: the caller has them all. */
    pr_status (*derive)(pr_device *dev, const pr_derive *args, pr_error *err);

    /* Transforms, protocol.md section 3. dst[i] may begin where src[i] begins. */
    pr_status (*extend)(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n,
                        pr_error *err); /* values on 2^m -> values on the canonic domain of dst.log_rows */
    /* In place, values -> coefficients. The domain: the first 1 << log_rows rows of the canonic domain of log_rows +
     * log_parts. */
    pr_status (*interpolate)(pr_device *dev, const pr_col *cols, size_t n, uint32_t log_parts, pr_error *err);
    pr_status (*evaluate)(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n,
                          pr_error *err); /* coefficients (zeros appended) -> values */

    /* Section 8: interpolates the values of each src on the first 1 << log_rows rows of dst's domain, and evaluates the
     * lower half of the coefficients to dst[k], the upper half to dst[4 + k]. NULL: the caller does so by the
     * operations above. src is left as it was. */
    pr_status (*halve)(pr_device *dev, const pr_col dst[8], const pr_col src[4], pr_error *err);

    /* Section 5. cols in the leaf's order (sorted by size). packed: exactly four columns. n = 0: root = H of nothing,
     * tree untouched. root NULL, where there is draw_powers: the host does not ask, and does not wait. */
    pr_status (*merkle_commit)(pr_device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols, size_t n,
                               pr_error *err);
    /* positions: of leaves, sorted, distinct. Writes the hashes a decommitment lists to out, their number to n_out (<=
     * capacity, asserted). */
    pr_status (*merkle_open)(pr_device *dev, pr_hash *out, size_t *n_out, size_t capacity, const pr_merkle *tree,
                             const pr_col *cols, size_t n, const uint32_t *positions, size_t n_positions,
                             pr_error *err);

    /* Each of the list as if one after another. Those of one size that stand together, and of compose add up in the
     * same out, may be computed together. */
    pr_status (*logup)(pr_device *dev, const pr_logup *list, size_t n, pr_error *err);
    pr_status (*compose)(pr_device *dev, const pr_compose *list, size_t n, pr_error *err);
    pr_status (*lift_add)(pr_device *dev, const pr_col dst[4], const pr_col src[4],
                          pr_error *err); /* dst += lift(src), dst at least as large */

    /* Section 10. Values at n_points points of n columns of one extended log size; point already doubled L - e times.
     * The polynomial is known from the first 1 << (log_rows - log_blowup) rows. out[n][n_points]. */
    pr_status (*sample)(pr_device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,
                        const pr_secure_point *points, size_t n_points, pr_error *err);
    /* Two challenges with the channel on the device, so that the host does not wait for the roots before them; it
     * follows with a channel of its own, which must end alike. NULL, and where columns are far: the host draws. near
     * columns. draw_powers   takes a channel with this digest, mixes the tree's root in, draws c: powers c^(n - 1) ..
     * c, 1 for compose() draw_samples  mixes the next tree's root in, draws t, and samples each group as sample() does;
     * then both roots, the digest and all samples are there */
    pr_status (*draw_powers)(pr_device *dev, const pr_hash *digest, const pr_merkle *tree, size_t n, pr_error *err);
    pr_status (*draw_samples)(pr_device *dev, pr_drawn *drawn, const pr_merkle *tree, uint32_t log_blowup,
                              const pr_sampling *groups, size_t n, pr_error *err);
    /* Section 11: sum over groups of numerator / D on the first 1 << (L - log_blowup) rows, interpolated, evaluated on
     * all of dst (log L). */
    pr_status (*quotients)(pr_device *dev, const pr_col dst[4], uint32_t log_blowup, const pr_quotient_group *groups,
                           size_t n, pr_error *err);

    /* Section 12. dst has one log less. fold_line: src on the line domain that log_rows names, i.e. x of the canonic
     * domain's pairs. */
    pr_status (*fold_circle)(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err);
    pr_status (*fold_line)(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err);

    /* The whole commit phase, the channel (section 4) included: what the host would do of merkle_commit, fold_circle
     * and fold_line, layer by layer, waiting for each root. NULL: the caller does. */
    pr_status (*fri)(pr_device *dev, pr_fri_result *result, const pr_fri *args, pr_error *err);

    /* out[i * n_positions + k] = cols[i] at its lift of positions[k], a slot of log size log_lifted (>= every
     * column's). Any order, repeats allowed. */
    pr_status (*gather)(pr_device *dev, pr_m31 *out, const pr_col *cols, size_t n, const uint32_t *positions,
                        size_t n_positions, uint32_t log_lifted, pr_error *err);
    /* gather and merkle_open of each, values, hashes and n_hashes filled in, with one wait of the host where there is
     * room. NULL: the caller calls those. */
    pr_status (*open)(pr_device *dev, pr_opening *list, size_t n, pr_error *err);
    /* Smallest nonce of the form hi << 32 | lo, lo < 2^20, in that order (section 4). */
    pr_status (*grind)(pr_device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err);
} pr_backend;
#endif
