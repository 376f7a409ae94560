/* stwo's JSON text of a proof, without whitespace. protocol.md section 14. */
#include "proof/internal.h"

static void put(pr_writer *w, const char *text) {
    size_t n = 0;
    while (text[n]) n++;
    pr_write_bytes(w, text, n);
}

static void put_number(pr_writer *w, uint64_t v) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    pr_write_bytes(w, digits + at, sizeof digits - at);
}

/* Before element i of a list */
static void put_comma(pr_writer *w, size_t i) {
    if (i) put(w, ",");
}

static void put_hash(pr_writer *w, const pr_hash *hash) {
    for (int i = 0; i < 32; i++) {
        put(w, i ? "," : "[");
        put_number(w, hash->bytes[i]);
    }
    put(w, "]");
}

static void put_hashes(pr_writer *w, const pr_hash *hashes, size_t n) {
    put(w, "[");
    for (size_t i = 0; i < n; i++) {
        put_comma(w, i);
        put_hash(w, &hashes[i]);
    }
    put(w, "]");
}

static void put_felt(pr_writer *w, pr_qm31 v) {
    static const char *const before[4] = {"[[", ",", "],[", ","};
    for (int k = 0; k < 4; k++) {
        put(w, before[k]);
        put_number(w, v.c[k]);
    }
    put(w, "]]");
}

static void put_felts(pr_writer *w, const pr_qm31 *felts, size_t n) {
    put(w, "[");
    for (size_t i = 0; i < n; i++) {
        put_comma(w, i);
        put_felt(w, felts[i]);
    }
    put(w, "]");
}

static void put_config(pr_writer *w, const pr_config *config) {
    put(w, "{\"config\":{\"pow_bits\":");
    put_number(w, config->pow_bits);
    put(w, ",\"fri_config\":{\"log_blowup_factor\":");
    put_number(w, config->log_blowup);
    put(w, ",\"log_last_layer_degree_bound\":");
    put_number(w, config->log_last_layer_degree_bound);
    put(w, ",\"n_queries\":");
    put_number(w, config->n_queries);
    put(w, ",\"fold_step\":");
    put_number(w, config->fold_step);
    put(w, "},\"lifting_log_size\":");
    if (config->lifting_log_size < 0)
        put(w, "null");
    else
        put_number(w, (uint64_t)config->lifting_log_size);
    put(w, "}");
}

static void put_samples(pr_writer *w, const pr_proof *proof, const pr_layout *layout) {
    put(w, ",\"sampled_values\":[");
    for (uint32_t t = 0; t < proof->n_trees; t++) {
        const pr_qm31 *next = proof->samples[t];
        put(w, t ? ",[" : "[");
        for (uint32_t i = 0; i < proof->n_columns[t]; i++) {
            uint32_t n = layout->trees[t].columns[i].n_offsets;
            put_comma(w, i);
            put_felts(w, next, n);
            next += n;
        }
        put(w, "]");
    }
    put(w, "]");
}

static void put_queried_values(pr_writer *w, const pr_proof *proof) {
    put(w, ",\"queried_values\":[");
    for (uint32_t t = 0; t < proof->n_trees; t++) {
        const pr_m31 *next = proof->queried_values[t];
        put(w, t ? ",[" : "[");
        for (uint32_t i = 0; i < proof->n_columns[t]; i++) {
            put(w, i ? ",[" : "[");
            for (uint32_t k = 0; k < proof->n_queries; k++) {
                put_comma(w, k);
                put_number(w, *next++);
            }
            put(w, "]");
        }
        put(w, "]");
    }
    put(w, "]");
}

static void put_layer(pr_writer *w, const pr_fri_layer_proof *layer) {
    put(w, "{\"fri_witness\":");
    put_felts(w, layer->witness, layer->n_witness);
    put(w, ",\"decommitment\":{\"hash_witness\":");
    put_hashes(w, layer->decommitment.hashes, layer->decommitment.n);
    put(w, "},\"commitment\":");
    put_hash(w, &layer->commitment);
    put(w, "}");
}

static void put_fri(pr_writer *w, const pr_proof *proof, const pr_config *config) {
    put(w, ",\"fri_proof\":{\"first_layer\":");
    put_layer(w, &proof->fri[0]);
    put(w, ",\"inner_layers\":[");
    for (uint32_t k = 1; k < proof->n_fri_layers; k++) {
        put_comma(w, k - 1);
        put_layer(w, &proof->fri[k]);
    }
    put(w, "],\"last_layer_poly\":{\"coeffs\":");
    put_felts(w, proof->last_layer, proof->n_last_layer);
    put(w, ",\"log_size\":");
    put_number(w, config->log_last_layer_degree_bound);
    put(w, "}}");
}

static void put_proof(pr_writer *w, const pr_proof *proof, const pr_layout *layout) {
    put_config(w, &layout->statement->config);
    put(w, ",\"commitments\":");
    put_hashes(w, proof->commitments, proof->n_trees);
    put_samples(w, proof, layout);
    put(w, ",\"decommitments\":[");
    for (uint32_t t = 0; t < proof->n_trees; t++) {
        put(w, t ? ",{\"hash_witness\":" : "{\"hash_witness\":");
        put_hashes(w, proof->decommitments[t].hashes, proof->decommitments[t].n);
        put(w, "}");
    }
    put(w, "]");
    put_queried_values(w, proof);
    put(w, ",\"proof_of_work\":");
    put_number(w, proof->proof_of_work);
    put_fri(w, proof, &layout->statement->config);
    put(w, "}");
}

pr_status pr_proof_write_json(pr_writer *out, const pr_proof *proof, const pr_layout *layout) {
    if (!pr_proof_fits(proof, layout)) return PR_ERR_INTERNAL;
    put_proof(out, proof, layout);
    return out->failed ? PR_ERR_MEMORY : PR_OK;
}

pr_status pr_proof_write_envelope(pr_writer *out, const pr_proof *proof, const pr_layout *layout) {
    if (!pr_proof_fits(proof, layout)) return PR_ERR_INTERNAL;
    put(out, "{\"interaction_pow\":");
    if (proof->has_interaction_pow)
        put_number(out, proof->interaction_pow);
    else
        put(out, "null");
    put(out, ",\"claimed_sums\":[");
    for (uint32_t c = 0; c < proof->n_components; c++)
        for (int k = 0; k < 4; k++) {
            put(out, k ? "," : c ? ",[" : "[");
            put_number(out, proof->claimed_sums[c].c[k]);
            if (k == 3) put(out, "]");
        }
    put(out, "],\"stark_proof\":");
    put_proof(out, proof, layout);
    put(out, "}");
    return out->failed ? PR_ERR_MEMORY : PR_OK;
}
