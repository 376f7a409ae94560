#include "air/public.h"
#include <string.h>

enum { BY_TEXT, BY_DIGEST };

/* At least; so that a text that is surely too long is not made. */
static uint64_t least_text_size(const pr_air *air) {
    uint64_t n = 0;
    for (uint32_t k = 0; k < air->n_preprocessed; k++) n += UINT64_C(2) << air->preprocessed[k].log_size;
    for (uint32_t c = 0; c < air->n_components; c++) n += UINT64_C(9) * air->components[c].n_nodes;
    return n;
}

static bool write_text(pr_writer *out, const pr_case *c) {
    pr_writer text;
    if (least_text_size(c->air) > PR_AIR_PUBLIC_MAX_TEXT) return false;
    pr_writer_init(&text);
    bool fits = pr_case_write(&text, NULL, &c->statement, NULL, NULL) == PR_OK && text.size <= PR_AIR_PUBLIC_MAX_TEXT;
    if (text.failed) out->failed = true;
    if (fits) pr_write_var(out, text.data, text.size);
    pr_writer_clear(&text);
    return fits;
}

void pr_air_public_write(pr_writer *out, const pr_case *c, pr_air_binding binding) {
    size_t begin = out->size;
    pr_write_u8(out, BY_TEXT);
    pr_write_u8(out, (uint8_t)binding);
    if (write_text(out, c) || out->failed) return;
    pr_hash digest = pr_air_digest(c->air);
    out->data[begin] = BY_DIGEST;
    pr_write_bytes(out, digest.bytes, sizeof digest.bytes);
    pr_write_bytes(out, c->statement.digest, sizeof c->statement.digest);
}

pr_status pr_air_public_read(pr_air_public *out, const void *data, size_t size, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, data, size);
    *out = (pr_air_public){0};
    uint8_t form = pr_read_u8(&r), binding = pr_read_u8(&r);
    if (form == BY_TEXT) {
        uint64_t n = pr_read_u64(&r);
        out->text_size = n <= PR_AIR_PUBLIC_MAX_TEXT ? (size_t)n : SIZE_MAX;
        out->text = (const char *)pr_read_borrow(&r, out->text_size);
    } else {
        pr_read_bytes(&r, out->air.bytes, sizeof out->air.bytes);
        pr_read_bytes(&r, out->case_digest.bytes, sizeof out->case_digest.bytes);
    }
    out->binding = (pr_air_binding)binding;
    if (!pr_reader_done(&r) || form > BY_DIGEST || binding > PR_AIR_BINDING_CASE)
        return pr_fail(err, PR_ERR_MALFORMED, "public data of an air job do not decode");
    return PR_OK;
}
