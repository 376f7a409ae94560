#include "proof/internal.h"

#include <stdlib.h>
#include <string.h>

static size_t at_most(size_t v, size_t bound) { return v < bound ? v : bound; }

uint32_t pr_proof_max_queries(const pr_layout *layout) {
    return (uint32_t)at_most(layout->statement->config.n_queries, (size_t)1 << layout->log_lifted);
}

void pr_proof_init(pr_proof *out, const pr_layout *layout) {
    *out = (pr_proof){.has_interaction_pow = layout->grinds_interaction,
                      .n_components = layout->statement->air->n_components,
                      .n_trees = layout->n_trees,
                      .n_fri_layers = layout->n_fri_layers,
                      .n_last_layer = 1u << layout->statement->config.log_last_layer_degree_bound};
    for (uint32_t t = 0; t < layout->n_trees; t++) {
        out->n_samples[t] = layout->trees[t].n_samples;
        out->n_columns[t] = layout->trees[t].n_columns;
    }
}

void pr_proof_init_largest(pr_proof *out, const pr_layout *layout, uint32_t n_queries) {
    pr_proof_init(out, layout);
    out->n_queries = n_queries;
    for (uint32_t t = 0; t < layout->n_trees; t++)
        out->decommitments[t].n = (size_t)n_queries * layout->trees[t].height;
    for (uint32_t k = 0; k < layout->n_fri_layers; k++) {
        const pr_layout_fri *fri = &layout->fri[k];
        size_t group = (size_t)1 << fri->fold_step;
        /* One value of each opened group is known. A group is a whole subtree: siblings lie above it only. */
        out->fri[k].n_witness = at_most(n_queries * (group - 1), (size_t)1 << fri->log_size);
        out->fri[k].decommitment.n = (size_t)n_queries * (fri->log_size - fri->fold_step);
    }
}

pr_decode_code pr_proof_check_lengths(const pr_proof *proof, const pr_layout *layout) {
    pr_proof max;
    if (proof->n_queries == 0 || proof->n_queries > pr_proof_max_queries(layout)) return PR_DECODE_QUERY_COUNT;
    pr_proof_init_largest(&max, layout, proof->n_queries);
    bool too_long = false;
    for (uint32_t t = 0; t < layout->n_trees; t++) too_long |= proof->decommitments[t].n > max.decommitments[t].n;
    for (uint32_t k = 0; k < layout->n_fri_layers; k++)
        too_long |=
            proof->fri[k].n_witness > max.fri[k].n_witness || proof->fri[k].decommitment.n > max.fri[k].decommitment.n;
    return too_long ? PR_DECODE_WITNESS_TOO_LONG : PR_DECODE_OK;
}

static void add_run(pr_proof_run *runs, size_t *n, const void *data, size_t bytes) {
    runs[(*n)++] = (pr_proof_run){.data = (void *)(uintptr_t)data, .bytes = bytes};
}

/* pointer: the address of the proof's pointer to the array */
static void add_array(pr_proof_run *runs, size_t *n, const void *pointer, size_t bytes, bool is_felts) {
    pr_proof_run *run = &runs[(*n)++];
    *run = (pr_proof_run){.pointer = (void *)(uintptr_t)pointer, .bytes = bytes, .is_felts = is_felts};
    memcpy(&run->data, pointer, sizeof run->data);
}

size_t pr_proof_list_runs(pr_proof_run runs[PR_PROOF_MAX_RUNS], const pr_proof *proof) {
    size_t n = 0;
    if (proof->has_interaction_pow) add_run(runs, &n, &proof->interaction_pow, sizeof proof->interaction_pow);
    add_array(runs, &n, &proof->claimed_sums, proof->n_components * sizeof(pr_qm31), true);
    for (uint32_t t = 0; t < proof->n_trees; t++) {
        const pr_hash_list *hashes = &proof->decommitments[t];
        size_t n_values = (size_t)proof->n_columns[t] * proof->n_queries;
        add_run(runs, &n, &proof->commitments[t], sizeof(pr_hash));
        add_array(runs, &n, &proof->samples[t], proof->n_samples[t] * sizeof(pr_qm31), true);
        add_array(runs, &n, &hashes->hashes, hashes->n * sizeof(pr_hash), false);
        add_array(runs, &n, &proof->queried_values[t], n_values * sizeof(pr_m31), true);
    }
    add_run(runs, &n, &proof->proof_of_work, sizeof proof->proof_of_work);
    for (uint32_t k = 0; k < proof->n_fri_layers; k++) {
        const pr_fri_layer_proof *layer = &proof->fri[k];
        add_run(runs, &n, &layer->commitment, sizeof(pr_hash));
        add_array(runs, &n, &layer->witness, layer->n_witness * sizeof(pr_qm31), true);
        add_array(runs, &n, &layer->decommitment.hashes, layer->decommitment.n * sizeof(pr_hash), false);
    }
    add_array(runs, &n, &proof->last_layer, proof->n_last_layer * sizeof(pr_qm31), true);
    return n;
}

bool pr_proof_runs_in_range(const pr_proof_run *runs, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const pr_m31 *words = runs[i].data;
        uint32_t above = 0;
        if (!runs[i].is_felts) continue;
        for (size_t k = 0; k < runs[i].bytes / sizeof(pr_m31); k++) above |= words[k] >= PR_P;
        if (above) return false;
    }
    return true;
}

size_t pr_proof_content_bytes(const pr_proof *proof) {
    pr_proof_run runs[PR_PROOF_MAX_RUNS];
    size_t bytes = 0, n = pr_proof_list_runs(runs, proof);
    for (size_t i = 0; i < n; i++) bytes += runs[i].bytes;
    return bytes;
}

bool pr_proof_allocate(pr_proof *proof) {
    pr_proof_run runs[PR_PROOF_MAX_RUNS];
    unsigned char *at = proof->memory = calloc(1, pr_proof_content_bytes(proof));
    if (!at) return false;
    for (size_t i = 0, n = pr_proof_list_runs(runs, proof); i < n; at += runs[i++].bytes)
        if (runs[i].pointer) memcpy(runs[i].pointer, &at, sizeof at);
    return true;
}

pr_status pr_proof_alloc(pr_proof *out, const pr_layout *layout, uint32_t n_queries, const size_t *tree_hashes,
                         const size_t *fri_witness, const size_t *fri_hashes, pr_error *err) {
    pr_proof_init(out, layout);
    out->n_queries = n_queries;
    for (uint32_t t = 0; t < layout->n_trees; t++) out->decommitments[t].n = tree_hashes[t];
    for (uint32_t k = 0; k < layout->n_fri_layers; k++) {
        out->fri[k].n_witness = fri_witness[k];
        out->fri[k].decommitment.n = fri_hashes[k];
    }
    bool fits = pr_proof_check_lengths(out, layout) == PR_DECODE_OK;
    if (fits && pr_proof_allocate(out)) return PR_OK;
    pr_proof_clear(out);
    return fits ? pr_fail(err, PR_ERR_MEMORY, "proof: out of memory")
                : pr_fail(err, PR_ERR_INTERNAL, "proof: more queries or witnesses than the statement allows");
}

void pr_proof_clear(pr_proof *proof) {
    free(proof->memory);
    memset(proof, 0, sizeof *proof);
}

bool pr_proof_fits(const pr_proof *proof, const pr_layout *layout) {
    pr_proof expected;
    pr_proof_init(&expected, layout);
    if (proof->has_interaction_pow != expected.has_interaction_pow || proof->n_components != expected.n_components ||
        proof->n_trees != expected.n_trees || proof->n_fri_layers != expected.n_fri_layers ||
        proof->n_last_layer != expected.n_last_layer || pr_proof_check_lengths(proof, layout) != PR_DECODE_OK)
        return false;
    for (uint32_t t = 0; t < layout->n_trees; t++)
        if (proof->n_samples[t] != expected.n_samples[t] || proof->n_columns[t] != expected.n_columns[t]) return false;
    pr_proof_run runs[PR_PROOF_MAX_RUNS];
    size_t n = pr_proof_list_runs(runs, proof);
    for (size_t i = 0; i < n; i++)
        if (runs[i].bytes && !runs[i].data) return false;
    return pr_proof_runs_in_range(runs, n);
}

const char *pr_decode_code_text(pr_decode_code code) {
    static const char *const text[] = {
        [PR_DECODE_OK] = "well-formed",
        [PR_DECODE_TRUNCATED] = "ends too early",
        [PR_DECODE_TRAILING] = "bytes behind the end",
        [PR_DECODE_MAGIC] = "not a proof: wrong first bytes",
        [PR_DECODE_VERSION] = "unknown version of the encoding",
        [PR_DECODE_SYNTAX] = "not the JSON text of a proof",
        [PR_DECODE_KEY] = "another key is expected here",
        [PR_DECODE_CONFIG] = "parameters differ from the statement's",
        [PR_DECODE_TREE_COUNT] = "wrong number of trees",
        [PR_DECODE_COLUMN_COUNT] = "wrong number of columns",
        [PR_DECODE_SAMPLE_COUNT] = "wrong number of samples of a column",
        [PR_DECODE_QUERY_COUNT] = "wrong number of queried values",
        [PR_DECODE_LAYER_COUNT] = "wrong number of FRI layers",
        [PR_DECODE_LAST_LAYER] = "wrong size of the last FRI layer",
        [PR_DECODE_CLAIMED_SUM_COUNT] = "wrong number of claimed sums",
        [PR_DECODE_WITNESS_TOO_LONG] = "witness longer than any opening needs",
        [PR_DECODE_FELT_RANGE] = "field element not below p",
        [PR_DECODE_BYTE_RANGE] = "byte of a hash above 255",
        [PR_DECODE_NUMBER_RANGE] = "number above 64 bits",
        [PR_DECODE_INTERACTION_POW] = "interaction nonce given or missing against the statement",
        [PR_DECODE_NOT_CANONICAL] = "number with leading zeros",
        [PR_DECODE_COMPRESSION] = "compressed frame damaged, of unknown size or too large",
        [PR_DECODE_MEMORY] = "out of memory",
    };
    return (size_t)code < sizeof text / sizeof *text ? text[code] : "unknown code";
}
