#include "casefile/read.h"
#include "base/bytes.h"
#include <stdlib.h>
#include <string.h>

static const char *const no_keys[] = {NULL};

static pr_status read_interaction_pow(char **out, const pr_case_cursor *at) {
    uint64_t v = 0;
    if (!pr_case_is(at, PR_CASE_NULL)) PR_TRY(pr_case_u64(at, UINT64_MAX, &v));
    return pr_case_compact(at, out);
}

static pr_status read_claimed_sums(char **out, uint32_t n_components, const pr_case_cursor *at) {
    pr_m31 coordinates[4];
    PR_TRY(pr_case_array_of(at, n_components));
    pr_case_cursor sum = pr_case_first(at);
    for (uint32_t i = 0; i < n_components; i++, pr_case_step(&sum)) {
        PR_TRY(pr_case_array_of(&sum, 4));
        PR_TRY(pr_case_fill_words(&sum, PR_P - 1, coordinates, 4));
    }
    return pr_case_compact(at, out);
}

static pr_status read_hash_text(char out[65], const pr_case_cursor *at) {
    uint8_t bytes[32];
    PR_TRY(pr_case_hex(at, bytes, sizeof bytes));
    pr_hex_encode(out, bytes, sizeof bytes);
    return PR_OK;
}

static pr_status read_step(pr_expected_step *out, const pr_case_cursor *at) {
    static const char *const required[] = {"op", "data", "digest", NULL};
    PR_TRY(pr_case_keys(at, required, no_keys));
    pr_case_cursor op = pr_case_member(at, "op"), data = pr_case_member(at, "data");
    pr_case_cursor digest = pr_case_member(at, "digest");
    PR_TRY(pr_case_text(&op, &out->op));
    PR_TRY(pr_case_compact(&data, &out->data_json));
    return read_hash_text(out->digest, &digest);
}

static pr_status read_steps(pr_case *c, const pr_case_cursor *at) {
    uint32_t n = 0;
    PR_TRY(pr_case_array(at, &n));
    c->expected_steps = pr_case_alloc(n, sizeof *c->expected_steps);
    if (!c->expected_steps) return pr_case_no_memory(at->doc);
    pr_case_cursor element = pr_case_first(at);
    for (uint32_t i = 0; i < n; i++, pr_case_step(&element)) {
        c->n_expected_steps = i + 1;
        PR_TRY(read_step(&c->expected_steps[i], &element));
    }
    return PR_OK;
}

static pr_status read_proof(pr_case *c, const pr_case_cursor *at) {
    char *proof = NULL;
    pr_writer w;
    if (!pr_case_is(at, PR_CASE_OBJECT)) return pr_case_refuse_kind(at, "an object");
    PR_TRY(pr_case_compact(at, &proof));
    pr_writer_init(&w);
    pr_write_format(&w, "{\"interaction_pow\":%s,\"claimed_sums\":", c->expected_interaction_pow_json);
    pr_write_bytes(&w, c->expected_claimed_sums_json, strlen(c->expected_claimed_sums_json));
    pr_write_format(&w, ",\"stark_proof\":");
    pr_write_bytes(&w, proof, strlen(proof));
    pr_write_bytes(&w, "}", 2); /* with its end */
    free(proof);
    if (w.failed) {
        pr_writer_clear(&w);
        return pr_case_no_memory(at->doc);
    }
    c->has_expected_proof = true;
    c->expected_envelope = (char *)w.data;
    c->expected_envelope_size = w.size - 1;
    return PR_OK;
}

pr_status pr_case_read_expected(pr_case *c, const pr_case_cursor *at) {
    static const char *const required[] = {"interaction_pow", "claimed_sums", "stark_proof_json_bytes",
                                           "stark_proof_json_blake2s", NULL};
    static const char *const optional[] = {"transcript", "stark_proof", NULL};
    PR_TRY(pr_case_keys(at, required, optional));
    pr_case_cursor pow = pr_case_member(at, "interaction_pow"), sums = pr_case_member(at, "claimed_sums");
    pr_case_cursor bytes = pr_case_member(at, "stark_proof_json_bytes");
    pr_case_cursor hash = pr_case_member(at, "stark_proof_json_blake2s");
    pr_case_cursor steps = pr_case_member(at, "transcript"), proof = pr_case_member(at, "stark_proof");
    c->has_expected = true;
    PR_TRY(read_interaction_pow(&c->expected_interaction_pow_json, &pow));
    PR_TRY(read_claimed_sums(&c->expected_claimed_sums_json, c->air->n_components, &sums));
    PR_TRY(pr_case_u64(&bytes, UINT64_MAX, &c->expected_json_bytes));
    PR_TRY(read_hash_text(c->expected_json_blake2s, &hash));
    if (pr_case_has(&steps)) PR_TRY(read_steps(c, &steps));
    return pr_case_has(&proof) ? read_proof(c, &proof) : PR_OK;
}
