#include "consensus/view.h"

#define PR_VIEW_AT 34u /* behind version, kind and run */

void pr_view_certificate_write(pr_writer *w, const pr_hash *run, uint64_t view, const pr_registry *registry,
                               const pr_validator_set *signers, const uint8_t (*signatures)[PR_SIGNATURE_BYTES]) {
    pr_write_u8(w, PR_CONSENSUS_VERSION);
    pr_write_u8(w, PR_MESSAGE_VIEW_CERTIFICATE);
    pr_write_bytes(w, run->bytes, 32);
    pr_write_u64(w, view);
    pr_write_u32(w, registry->n);
    pr_signatures_write(w, registry, signers, signatures);
}

pr_status pr_view_certificate_check(uint64_t *view, const uint8_t *data, size_t size, const pr_hash *run,
                                    const pr_registry *registry, const pr_crypto *crypto, pr_error *err) {
    if (pr_message_peek(data, size) != PR_MESSAGE_VIEW_CERTIFICATE)
        return pr_fail(err, PR_ERR_MALFORMED, "view certificate: wrong version or kind");
    pr_message m = {.kind = PR_MESSAGE_VIEW_CHANGE};
    pr_reader r;
    pr_reader_init(&r, data + 2, size - 2);
    pr_read_bytes(&r, m.run.bytes, 32);
    m.view = pr_read_u64(&r);
    m.n_validators = pr_read_u32(&r);
    if (r.failed) return pr_fail(err, PR_ERR_MALFORMED, "view certificate: %zu bytes are too short", size);
    if (registry && !pr_hash_equal(&m.run, run))
        return pr_fail(err, PR_ERR_REFUSED, "view certificate: of another run");
    PR_TRY(pr_signatures_check(&r, &m, registry, crypto, err));
    *view = m.view;
    return PR_OK;
}

uint32_t pr_view_certificate_leader(const uint8_t *data, size_t size) {
    pr_validator_set left_out = {{0}};
    pr_reader r;
    pr_reader_init(&r, data + PR_VIEW_AT, size - PR_VIEW_AT);
    uint64_t view = pr_read_u64(&r);
    uint32_t n = pr_read_u32(&r), n_left_out = pr_read_u32(&r);
    for (uint32_t k = 0; k < n_left_out && !r.failed; k++) {
        uint32_t i = pr_read_u32(&r);
        if (i < PR_VALIDATORS_MAX) pr_set_add(&left_out, i);
    }
    return n <= PR_VALIDATORS_MAX ? pr_leader_of_view(view, n, &left_out) : PR_NO_VALIDATOR;
}
