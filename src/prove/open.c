/* Queries and openings, protocol.md section 13, and the proof itself. */
#include "prove/internal.h"
#include <string.h>

/* Openings wait in the prover's scratch until their sizes are known; then the proof is allocated once. */
typedef struct openings {
    pr_opening trees[4 + 32];                  /* the layers of FRI behind the trees */
    size_t n, n_positions, n_opened, n_hashes; /* used of trees and of the prover's scratch */
} openings;

static uint32_t *take_positions(pr_prover *p, openings *o, size_t n) {
    uint32_t *list = p->positions + o->n_positions;
    o->n_positions += n;
    PR_ASSERT(o->n_positions <= p->position_capacity);
    return list;
}
/* Where the answers to an opening go. */
static void take_room(pr_prover *p, openings *o, pr_opening *one, size_t max_hashes) {
    one->values = p->opened + o->n_opened;
    one->hashes = p->hashes + o->n_hashes;
    one->max_hashes = max_hashes;
    o->n_opened += one->n * one->n_positions;
    o->n_hashes += max_hashes;
    PR_ASSERT(o->n_opened <= p->opened_capacity && o->n_hashes <= p->hash_capacity);
}

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

static void list_tree(pr_prover *p, openings *o, uint32_t t) {
    const pr_tree_state *tree = &p->trees[t];
    pr_opening *one = &o->trees[o->n++];
    uint32_t height = p->layout->trees[t].height, lifted = p->layout->log_lifted;
    *one = (pr_opening){
        .tree = &tree->merkle, .n = tree->n, .cols = tree->cols, .sorted = tree->sorted, .log_lifted = height};
    if (!tree->n) return;
    uint32_t *positions = take_positions(p, o, p->n_queries), *leaves = take_positions(p, o, p->n_queries);
    for (size_t i = 0; i < p->n_queries; i++) positions[i] = leaves[i] = pr_slot_in_tree(height, lifted, p->queries[i]);
    one->positions = positions, one->n_positions = p->n_queries;
    one->leaves = leaves, one->n_leaves = sort_distinct(leaves, p->n_queries);
    take_room(p, o, one, p->n_queries * height + 1);
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

static void list_layer(pr_prover *p, openings *o, uint32_t k, uint32_t *positions, size_t *n_positions) {
    const pr_layout_fri *layer = &p->layout->fri[k];
    const pr_fri_layer *s = &p->fri[k];
    pr_opening *one = &o->trees[o->n++];
    size_t most = *n_positions << layer->fold_step, all = (size_t)1 << layer->log_size;
    if (most > all) most = all;
    uint32_t *witness = take_positions(p, o, most), *leaves = take_positions(p, o, most);
    layer_rows rows = list_layer_rows(witness, leaves, positions, *n_positions, layer);
    *one = (pr_opening){.tree = &s->merkle,
                        .n = 4,
                        .cols = s->cols,
                        .sorted = s->cols,
                        .log_lifted = layer->log_size,
                        .positions = witness,
                        .n_positions = rows.n_witness,
                        .leaves = leaves,
                        .n_leaves = rows.n_leaves};
    take_room(p, o, one, rows.n_leaves * layer->log_size + 1);
    *n_positions = rows.n_groups;
}

static void list_all(pr_prover *p, openings *o) {
    size_t n_positions = p->n_queries;
    uint32_t *positions = take_positions(p, o, n_positions); /* that a layer is asked for */
    for (uint32_t t = 0; t < p->layout->n_trees; t++) list_tree(p, o, t);
    memcpy(positions, p->queries, n_positions * sizeof *positions);
    for (uint32_t k = 0; k < p->layout->n_fri_layers; k++) list_layer(p, o, k, positions, &n_positions);
}

static pr_status open_all(pr_prover *p, openings *o, pr_error *err) {
    if (p->ops->open) return p->ops->open(p->device, o->trees, o->n, err);
    for (pr_opening *one = o->trees; one < o->trees + o->n; one++) {
        if (!one->n) continue;
        PR_TRY(p->ops->gather(p->device, one->values, one->cols, one->n, one->positions, one->n_positions,
                              one->log_lifted, err));
        PR_TRY(p->ops->merkle_open(p->device, one->hashes, &one->n_hashes, one->max_hashes, one->tree, one->sorted,
                                   one->n, one->leaves, one->n_leaves, err));
    }
    return PR_OK;
}

static void write_trees(const pr_prover *p, pr_proof *proof, const openings *o) {
    for (uint32_t t = 0; t < p->layout->n_trees; t++) {
        const pr_layout_tree *tree = &p->layout->trees[t];
        const pr_opening *one = &o->trees[t];
        proof->commitments[t] = p->trees[t].root;
        if (!one->n) continue; /* an empty tree has no arrays either */
        memcpy(proof->samples[t], p->samples + p->first_sample[t], tree->n_samples * sizeof(pr_qm31));
        memcpy(proof->decommitments[t].hashes, one->hashes, one->n_hashes * sizeof(pr_hash));
        memcpy(proof->queried_values[t], one->values, tree->n_columns * p->n_queries * sizeof(pr_m31));
    }
}

static void write_fri(const pr_prover *p, pr_proof *proof, const openings *o) {
    for (uint32_t k = 0; k < p->layout->n_fri_layers; k++) {
        pr_fri_layer_proof *layer = &proof->fri[k];
        const pr_opening *one = &o->trees[p->layout->n_trees + k];
        size_t n = one->n_positions;
        layer->commitment = p->fri_roots[k];
        memcpy(layer->decommitment.hashes, one->hashes, one->n_hashes * sizeof(pr_hash));
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < 4; c++) layer->witness[i].c[c] = one->values[c * n + i];
    }
    memcpy(proof->last_layer, p->last_layer, proof->n_last_layer * sizeof(pr_qm31));
}

static void write_scalars(const pr_prover *p, pr_proof *proof) {
    proof->has_interaction_pow = p->has_interaction_pow;
    proof->interaction_pow = p->interaction_pow;
    proof->proof_of_work = p->proof_of_work;
    memcpy(proof->claimed_sums, p->claimed_sums, p->air->n_components * sizeof(pr_qm31));
}

static pr_status alloc_proof(const pr_prover *p, pr_proof *proof, const openings *o, pr_error *err) {
    size_t tree_hashes[4], fri_witness[32], fri_hashes[32];
    const pr_opening *layers = o->trees + p->layout->n_trees;
    for (uint32_t t = 0; t < p->layout->n_trees; t++) tree_hashes[t] = o->trees[t].n_hashes;
    for (uint32_t k = 0; k < p->layout->n_fri_layers; k++) {
        fri_witness[k] = layers[k].n_positions;
        fri_hashes[k] = layers[k].n_hashes;
    }
    return pr_proof_alloc(proof, p->layout, (uint32_t)p->n_queries, tree_hashes, fri_witness, fri_hashes, err);
}

pr_status pr_prover_open(pr_prover *p, pr_proof *proof, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_OPEN);
    openings o = {0};
    list_all(p, &o);
    PR_TRY(open_all(p, &o, err));
    PR_TRY(alloc_proof(p, proof, &o, err));
    write_scalars(p, proof);
    write_trees(p, proof, &o);
    write_fri(p, proof, &o);
    pr_prover_clock(p, PR_STAGE_OPEN, &start);
    return PR_OK;
}
