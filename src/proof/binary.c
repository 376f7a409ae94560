/* Canonical binary encoding:
 *   u32 magic "PRPF", u32 version, u32 distinct queries,
 *   u32 hashes in each tree's decommitment, (u32 witness values, u32 hashes) of each FRI layer,
 *   then the runs of pr_proof_list_runs, back to back.
 * The header fixes the size of all that follows, so a proof has exactly one encoding. */
#include "proof/internal.h"

#define MAGIC 0x46505250u
#define VERSION 1u

pr_status pr_proof_encode(pr_writer *out, const pr_proof *proof, const pr_layout *layout) {
    if (!pr_proof_fits(proof, layout)) return PR_ERR_INTERNAL;
    pr_write_u32(out, MAGIC);
    pr_write_u32(out, VERSION);
    pr_write_u32(out, proof->n_queries);
    for (uint32_t t = 0; t < proof->n_trees; t++) pr_write_u32(out, (uint32_t)proof->decommitments[t].n);
    for (uint32_t k = 0; k < proof->n_fri_layers; k++) {
        pr_write_u32(out, (uint32_t)proof->fri[k].n_witness);
        pr_write_u32(out, (uint32_t)proof->fri[k].decommitment.n);
    }
    pr_proof_run runs[PR_PROOF_MAX_RUNS];
    size_t n = pr_proof_list_runs(runs, proof);
    for (size_t i = 0; i < n; i++)
        if (runs[i].bytes) pr_write_bytes(out, runs[i].data, runs[i].bytes);
    return out->failed ? PR_ERR_MEMORY : PR_OK;
}

static pr_decode_code read_header(pr_proof *out, pr_reader *in, const pr_layout *layout) {
    uint32_t magic = pr_read_u32(in), version = pr_read_u32(in);
    if (in->at >= 4 && magic != MAGIC) return PR_DECODE_MAGIC;
    if (in->at >= 8 && version != VERSION) return PR_DECODE_VERSION;
    out->n_queries = pr_read_u32(in);
    for (uint32_t t = 0; t < layout->n_trees; t++) out->decommitments[t].n = pr_read_u32(in);
    for (uint32_t k = 0; k < layout->n_fri_layers; k++) {
        out->fri[k].n_witness = pr_read_u32(in);
        out->fri[k].decommitment.n = pr_read_u32(in);
    }
    return in->failed ? PR_DECODE_TRUNCATED : pr_proof_check_lengths(out, layout);
}

size_t pr_proof_max_bytes(const pr_layout *layout) {
    pr_proof largest;
    pr_proof_init_largest(&largest, layout, pr_proof_max_queries(layout));
    return 4 * (3 + (size_t)layout->n_trees + 2 * (size_t)layout->n_fri_layers) + pr_proof_content_bytes(&largest);
}

static pr_decode_code read_proof(pr_proof *out, pr_reader *in, const pr_layout *layout) {
    pr_proof_run runs[PR_PROOF_MAX_RUNS];
    pr_decode_code code = read_header(out, in, layout);
    if (code != PR_DECODE_OK) return code;
    size_t bytes = pr_proof_content_bytes(out), left = in->size - in->at;
    if (left != bytes) return left < bytes ? PR_DECODE_TRUNCATED : PR_DECODE_TRAILING;
    if (!pr_proof_allocate(out)) return PR_DECODE_MEMORY;
    size_t n = pr_proof_list_runs(runs, out);
    for (size_t i = 0; i < n; i++) pr_read_bytes(in, runs[i].data, runs[i].bytes);
    return pr_proof_runs_in_range(runs, n) ? PR_DECODE_OK : PR_DECODE_FELT_RANGE;
}

pr_decode_code pr_proof_decode(pr_proof *out, const pr_layout *layout, const void *data, size_t size) {
    pr_reader in;
    pr_reader_init(&in, data, size);
    pr_proof_init(out, layout);
    pr_decode_code code = read_proof(out, &in, layout);
    if (code != PR_DECODE_OK) pr_proof_clear(out);
    return code;
}
