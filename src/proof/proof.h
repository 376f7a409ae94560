/* A proof in memory and its encodings: canonical binary, stwo's JSON text, zstd around the binary.
 *
 * All lengths come from a pr_layout; decoders check each against it before anything is allocated. One heap block
 * (pr_proof owns it). */
#ifndef PR_PROOF_PROOF_H
#define PR_PROOF_PROOF_H
#include "air/statement.h"
#include "base/bytes.h"

typedef struct pr_hash_list {
    size_t n;
    pr_hash *hashes;
} pr_hash_list;

typedef struct pr_fri_layer_proof {
    pr_hash commitment;
    size_t n_witness;
    pr_qm31 *witness;
    pr_hash_list decommitment;
} pr_fri_layer_proof;

typedef struct pr_proof {
    bool has_interaction_pow;
    uint64_t interaction_pow;
    uint32_t n_components;
    pr_qm31 *claimed_sums; /* [n_components] */
    uint32_t n_trees;
    pr_hash commitments[4];
    uint32_t n_samples[4];
    pr_qm31 *samples[4]; /* flat: columns in the AIR's order, offsets in order */
    pr_hash_list decommitments[4];
    uint32_t n_queries; /* distinct query positions; 0 columns: none */
    uint32_t n_columns[4];
    pr_m31 *queried_values[4]; /* [n_columns][n_queries] */
    uint64_t proof_of_work;
    uint32_t n_fri_layers;
    pr_fri_layer_proof fri[32];
    uint32_t n_last_layer; /* 1 << log_last */
    pr_qm31 *last_layer;   /* stored (bit-reversed) order */
    void *memory;          /* one block behind all pointers, freed by pr_proof_clear */
} pr_proof;

void pr_proof_clear(pr_proof *proof);

/* A proof of this layout, zeroed, all arrays in one block, for the prover to fill: claimed sums, samples, n_queries
 * queried values a column (distinct queries), tree_hashes[n_trees] hashes a decommitment, fri_witness[n_fri_layers]
 * values and fri_hashes[n_fri_layers] hashes a layer, the last layer's coefficients. out is overwritten.
 * PR_ERR_MEMORY; PR_ERR_INTERNAL for counts above what the layout allows. */
PR_MUST_CHECK pr_status pr_proof_alloc(pr_proof *out, const pr_layout *layout, uint32_t n_queries,
                                       const size_t *tree_hashes, const size_t *fri_witness, const size_t *fri_hashes,
                                       pr_error *err);

/* Shape as the layout says, witness counts within what it implies, all field elements < p. What the verifier and the
 * encoders ask of a proof before they touch its arrays. */
bool pr_proof_fits(const pr_proof *proof, const pr_layout *layout);

typedef enum pr_decode_code { /* every way to be malformed */
                              PR_DECODE_OK,
                              PR_DECODE_TRUNCATED,
                              PR_DECODE_TRAILING,
                              PR_DECODE_MAGIC,
                              PR_DECODE_VERSION,
                              PR_DECODE_SYNTAX,
                              PR_DECODE_KEY,
                              PR_DECODE_CONFIG,
                              PR_DECODE_TREE_COUNT,
                              PR_DECODE_COLUMN_COUNT,
                              PR_DECODE_SAMPLE_COUNT,
                              PR_DECODE_QUERY_COUNT,
                              PR_DECODE_LAYER_COUNT,
                              PR_DECODE_LAST_LAYER,
                              PR_DECODE_CLAIMED_SUM_COUNT,
                              PR_DECODE_WITNESS_TOO_LONG,
                              PR_DECODE_FELT_RANGE,
                              PR_DECODE_BYTE_RANGE,
                              PR_DECODE_NUMBER_RANGE,
                              PR_DECODE_INTERACTION_POW,
                              PR_DECODE_NOT_CANONICAL,
                              PR_DECODE_COMPRESSION,
                              PR_DECODE_MEMORY
} pr_decode_code;
const char *pr_decode_code_text(pr_decode_code code);

/* Canonical binary encoding (binary.c says its form). PR_ERR_INTERNAL: the proof does not fit the layout;
 * PR_ERR_MEMORY. Decoders leave *out empty when they fail. */
PR_MUST_CHECK pr_status pr_proof_encode(pr_writer *out, const pr_proof *proof, const pr_layout *layout);
pr_decode_code pr_proof_decode(pr_proof *out, const pr_layout *layout, const void *data, size_t size);
/* {"interaction_pow":..., "claimed_sums":..., "stark_proof":...}, no whitespace; stark_proof alone is stwo's JSON text.
 */
PR_MUST_CHECK pr_status pr_proof_write_envelope(pr_writer *out, const pr_proof *proof, const pr_layout *layout);
PR_MUST_CHECK pr_status pr_proof_write_json(pr_writer *out, const pr_proof *proof, const pr_layout *layout);
/* How many bytes that is, without writing them. */
PR_MUST_CHECK pr_status pr_proof_measure_json(size_t *bytes, const pr_proof *proof, const pr_layout *layout);
/* Reads an envelope; whitespace between tokens allowed, keys in stwo's order. place (may be NULL) gets the byte offset
 * of the defect. */
pr_decode_code pr_proof_read_envelope(pr_proof *out, const pr_layout *layout, const char *text, size_t size,
                                      size_t *place);
/* zstd around the canonical encoding. Decompression never yields more than the statement implies. */
PR_MUST_CHECK pr_status pr_proof_compress(pr_writer *out, const void *encoded, size_t size, pr_error *err);
pr_decode_code pr_proof_decompress(pr_writer *out, const pr_layout *layout, const void *data, size_t size);
/* Upper bound on the canonical encoding's size for this statement. */
size_t pr_proof_max_bytes(const pr_layout *layout);
#endif
