/* Queries and openings, protocol.md section 13, and the proof itself. */
#include "prove/internal.h"
#include <string.h>

/* Openings wait in the prover's scratch until their sizes are known; then the proof is allocated once. */
typedef struct openings {
    size_t n_hashes, n_opened; /* used of p->hashes and p->opened */
    pr_m31 *values[4];         /* [n_columns][n_queries] of each tree */
    pr_hash *tree_hashes[4], *fri_hashes[32];
    pr_m31 *fri_values[32]; /* [4][n_fri_witness] */
    size_t n_tree_hashes[4], n_fri_hashes[32], n_fri_witness[32];
} openings;

/* By insertion, in place: positions of ascending queries rise but for their lowest bit. */
static size_t sort_distinct(uint32_t *list, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t v = list[i];
        size_t at = kept;
        while (at && list[at - 1] > v) at--;
        if (at && list[at - 1] == v) continue;
        memmove(list + at + 1, list + at, (kept - at) * sizeof *list);
        list[at] = v;
        kept++;
    }
    return kept;
}

static pr_status open_tree(pr_prover *p, openings *o, uint32_t t, pr_error *err) {
    const pr_tree_state *tree = &p->trees[t];
    uint32_t *positions = p->positions, *sorted = p->positions + p->position_capacity;
    uint32_t height = p->layout->trees[t].height, lifted = p->layout->log_lifted;
    o->values[t] = p->opened + o->n_opened;
    o->tree_hashes[t] = p->hashes + o->n_hashes;
    if (!tree->n) return PR_OK;
    for (size_t i = 0; i < p->n_queries; i++) positions[i] = sorted[i] = pr_slot_in_tree(height, lifted, p->queries[i]);
    PR_TRY(p->ops->gather(p->device, o->values[t], tree->cols, tree->n, positions, p->n_queries, height, err));
    o->n_opened += tree->n * p->n_queries;
    size_t n = sort_distinct(sorted, p->n_queries);
    PR_TRY(p->ops->merkle_open(p->device, o->tree_hashes[t], &o->n_tree_hashes[t], p->hash_capacity - o->n_hashes,
                               &tree->merkle, tree->sorted, tree->n, sorted, n, err));
    o->n_hashes += o->n_tree_hashes[t];
    return PR_OK;
}

/* From the positions a layer is asked for: the rows of whole groups beside them (witness), the leaves, and the groups.
 */
typedef struct layer_rows {
    size_t n_witness, n_leaves, n_groups;
} layer_rows;

static layer_rows list_layer_rows(uint32_t *witness, uint32_t *leaves, uint32_t *positions, size_t n,
                                  const pr_layout_fri *layer) {
    layer_rows rows = {0};
    size_t at = 0;
    while (at < n) {
        uint32_t group = positions[at] >> layer->fold_step, first = group << layer->fold_step;
        for (uint32_t row = first; row < first + (1u << layer->fold_step); row++) {
            uint32_t leaf = layer->packed ? row >> 2 : row;
            if (at < n && positions[at] == row)
                at++;
            else
                witness[rows.n_witness++] = row;
            if (!rows.n_leaves || leaves[rows.n_leaves - 1] != leaf) leaves[rows.n_leaves++] = leaf;
        }
        positions[rows.n_groups++] = group; /* behind at: every group holds a position */
    }
    return rows;
}

static pr_status open_layer(pr_prover *p, openings *o, uint32_t k, size_t *n_positions, pr_error *err) {
    const pr_layout_fri *layer = &p->layout->fri[k];
    const pr_fri_layer *s = &p->fri[k];
    uint32_t *positions = p->positions, *witness = positions + p->position_capacity,
             *leaves = witness + p->position_capacity;
    layer_rows rows = list_layer_rows(witness, leaves, positions, *n_positions, layer);
    o->n_fri_witness[k] = rows.n_witness;
    o->fri_values[k] = p->opened + o->n_opened;
    o->fri_hashes[k] = p->hashes + o->n_hashes;
    PR_TRY(p->ops->gather(p->device, o->fri_values[k], s->cols, 4, witness, rows.n_witness, layer->log_size, err));
    PR_TRY(p->ops->merkle_open(p->device, o->fri_hashes[k], &o->n_fri_hashes[k], p->hash_capacity - o->n_hashes,
                               &s->merkle, s->cols, 4, leaves, rows.n_leaves, err));
    o->n_opened += 4 * rows.n_witness;
    o->n_hashes += o->n_fri_hashes[k];
    *n_positions = rows.n_groups;
    return PR_OK;
}

static void write_trees(const pr_prover *p, pr_proof *proof, const openings *o) {
    for (uint32_t t = 0; t < p->layout->n_trees; t++) {
        const pr_layout_tree *tree = &p->layout->trees[t];
        proof->commitments[t] = p->trees[t].root;
        memcpy(proof->samples[t], p->samples + p->first_sample[t], tree->n_samples * sizeof(pr_qm31));
        memcpy(proof->decommitments[t].hashes, o->tree_hashes[t], o->n_tree_hashes[t] * sizeof(pr_hash));
        memcpy(proof->queried_values[t], o->values[t], tree->n_columns * p->n_queries * sizeof(pr_m31));
    }
}

static void write_fri(const pr_prover *p, pr_proof *proof, const openings *o) {
    for (uint32_t k = 0; k < p->layout->n_fri_layers; k++) {
        pr_fri_layer_proof *layer = &proof->fri[k];
        size_t n = o->n_fri_witness[k];
        layer->commitment = p->fri_roots[k];
        memcpy(layer->decommitment.hashes, o->fri_hashes[k], o->n_fri_hashes[k] * sizeof(pr_hash));
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < 4; c++) layer->witness[i].c[c] = o->fri_values[k][c * n + i];
    }
    memcpy(proof->last_layer, p->last_layer, proof->n_last_layer * sizeof(pr_qm31));
}

static void write_scalars(const pr_prover *p, pr_proof *proof) {
    proof->has_interaction_pow = p->has_interaction_pow;
    proof->interaction_pow = p->interaction_pow;
    proof->proof_of_work = p->proof_of_work;
    memcpy(proof->claimed_sums, p->claimed_sums, p->air->n_components * sizeof(pr_qm31));
}

pr_status pr_prover_open(pr_prover *p, pr_proof *proof, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_OPEN);
    openings o = {0};
    size_t n_positions = p->n_queries;
    for (uint32_t t = 0; t < p->layout->n_trees; t++) PR_TRY(open_tree(p, &o, t, err));
    memcpy(p->positions, p->queries, p->n_queries * sizeof *p->queries);
    for (uint32_t k = 0; k < p->layout->n_fri_layers; k++) PR_TRY(open_layer(p, &o, k, &n_positions, err));
    PR_TRY(pr_proof_alloc(proof, p->layout, (uint32_t)p->n_queries, o.n_tree_hashes, o.n_fri_witness, o.n_fri_hashes,
                          err));
    write_scalars(p, proof);
    write_trees(p, proof, &o);
    write_fri(p, proof, &o);
    pr_prover_clock(p, PR_STAGE_OPEN, &start);
    return PR_OK;
}
