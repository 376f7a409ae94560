#include "store/record.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *pr_job_state_name(uint32_t state) {
    static const char *const names[] = {"queued", "prepared", "proven", "self_verified", "verified"};
    return state < PR_STATE_COUNT ? names[state] : "unknown";
}

const char *pr_outcome_name(uint32_t outcome) {
    static const char *const names[] = {"none", "approved", "self_verified", "rejected", "failed"};
    return outcome < PR_OUTCOME_COUNT ? names[outcome] : "unknown";
}

static uint32_t get_u32(const void *row, const pr_field *f) {
    uint32_t v;
    memcpy(&v, (const char *)row + f->offset, sizeof v);
    return v;
}

static uint64_t get_u64(const void *row, const pr_field *f) {
    uint64_t v;
    memcpy(&v, (const char *)row + f->offset, sizeof v);
    return v;
}

void pr_row_encode(pr_writer *out, const pr_row_spec *spec, const void *row) {
    for (size_t i = 0; i < spec->n_fields; i++) {
        const pr_field *f = &spec->fields[i];
        if (f->kind == PR_FIELD_TEXT)
            pr_write_text(out, (const char *)row + f->offset);
        else if (f->size == 8)
            pr_write_u64(out, get_u64(row, f));
        else
            pr_write_u32(out, get_u32(row, f));
    }
}

static uint32_t limit_of(pr_field_kind kind) {
    switch (kind) {
    case PR_FIELD_FLAG:
        return 2;
    case PR_FIELD_STATE:
        return PR_STATE_COUNT;
    case PR_FIELD_OUTCOME:
        return PR_OUTCOME_COUNT;
    default:
        return 0; /* none */
    }
}

static bool is_control(char c) { return (unsigned char)c < ' ' || c == 0x7f; }

static void decode_text(pr_reader *r, const pr_field *f, char *out) {
    uint64_t n = pr_read_u64(r);
    const uint8_t *text = n < f->size ? pr_read_borrow(r, (size_t)n) : NULL;
    memset(out, 0, f->size);
    if (!text) {
        r->failed = true;
        return;
    }
    memcpy(out, text, (size_t)n);
    for (size_t i = 0; i < n; i++)
        if (is_control(out[i])) r->failed = true;
}

void pr_row_decode(pr_reader *r, const pr_row_spec *spec, void *row) {
    memset(row, 0, spec->row_bytes);
    for (size_t i = 0; i < spec->n_fields; i++) {
        const pr_field *f = &spec->fields[i];
        char *at = (char *)row + f->offset;
        if (f->kind == PR_FIELD_TEXT) {
            decode_text(r, f, at);
        } else if (f->size == 8) {
            uint64_t v = pr_read_u64(r);
            memcpy(at, &v, sizeof v);
        } else {
            uint32_t v = pr_read_u32(r), limit = limit_of(f->kind);
            if (limit && v >= limit) r->failed = true;
            memcpy(at, &v, sizeof v);
        }
    }
}

static bool sanitize_text(char *text, size_t size) {
    bool good = memchr(text, 0, size) != NULL;
    text[size - 1] = 0;
    for (; *text; text++) {
        if (!is_control(*text)) continue;
        *text = '?';
        good = false;
    }
    return good;
}

bool pr_row_sanitize(const pr_row_spec *spec, void *row) {
    bool good = true;
    for (size_t i = 0; i < spec->n_fields; i++) {
        const pr_field *f = &spec->fields[i];
        uint32_t limit = limit_of(f->kind);
        if (f->kind == PR_FIELD_TEXT) good &= sanitize_text((char *)row + f->offset, f->size);
        if (limit && get_u32(row, f) >= limit) {
            memset((char *)row + f->offset, 0, f->size);
            good = false;
        }
    }
    return good;
}

void pr_row_set_text(char *out, size_t size, const char *text) {
    size_t n = strnlen(text, size - 1);
    memset(out, 0, size);
    for (size_t i = 0; i < n; i++) out[i] = is_control(text[i]) ? ' ' : text[i];
    /* never half a UTF-8 character */
    if (text[n] && ((unsigned char)text[n] & 0xc0) == 0x80) {
        while (n > 0 && ((unsigned char)out[n - 1] & 0xc0) == 0x80) out[--n] = 0;
        if (n > 0) out[n - 1] = 0;
    }
}

void pr_row_show(char *out, size_t size, const pr_field *f, const void *row) {
    double d;
    switch (f->kind) {
    case PR_FIELD_TEXT:
        snprintf(out, size, "%s", (const char *)row + f->offset);
        break;
    case PR_FIELD_U32:
        snprintf(out, size, "%" PRIu32, get_u32(row, f));
        break;
    case PR_FIELD_I32:
        snprintf(out, size, "%" PRId32, (int32_t)get_u32(row, f));
        break;
    case PR_FIELD_U64:
        snprintf(out, size, "%" PRIu64, get_u64(row, f));
        break;
    case PR_FIELD_F64:
        memcpy(&d, (const char *)row + f->offset, sizeof d);
        snprintf(out, size, "%.1f", d);
        break;
    case PR_FIELD_FLAG:
        snprintf(out, size, "%s", get_u32(row, f) ? "yes" : "no");
        break;
    case PR_FIELD_STATE:
        snprintf(out, size, "%s", pr_job_state_name(get_u32(row, f)));
        break;
    case PR_FIELD_OUTCOME:
        snprintf(out, size, "%s", pr_outcome_name(get_u32(row, f)));
        break;
    }
}

void pr_record_clear(pr_record *record) {
    free(record->params);
    free(record->outputs);
    free(record->public_data);
    free(record->proof);
    memset(record, 0, sizeof *record);
}

void pr_record_encode(pr_writer *out, const pr_record *record) {
    pr_row_encode(out, &pr_job_row_spec, &record->row);
    pr_write_u32(out, (uint32_t)record->n_params);
    for (size_t i = 0; i < record->n_params; i++) pr_row_encode(out, &pr_param_row_spec, &record->params[i]);
    pr_write_u32(out, (uint32_t)record->n_outputs);
    for (size_t i = 0; i < record->n_outputs; i++) pr_row_encode(out, &pr_output_row_spec, &record->outputs[i]);
    pr_write_var(out, record->public_data, (size_t)record->row.public_bytes);
    pr_write_var(out, record->proof, (size_t)record->row.proof_compressed_bytes);
}

static void *decode_rows(pr_reader *r, size_t *n, const pr_row_spec *spec, uint32_t max) {
    uint32_t count = pr_read_u32(r);
    *n = 0;
    if (count > max) r->failed = true;
    if (r->failed || count == 0) return NULL;
    char *rows = calloc(count, spec->row_bytes);
    if (!rows) {
        r->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) pr_row_decode(r, spec, rows + i * spec->row_bytes);
    *n = count;
    return rows;
}

static uint8_t *decode_bytes(pr_reader *r, uint64_t expected, size_t max) {
    uint64_t n = pr_read_u64(r);
    const uint8_t *data = n == expected && n <= max ? pr_read_borrow(r, (size_t)n) : NULL;
    uint8_t *copy = data ? malloc((size_t)n + 1) : NULL;
    if (!copy) {
        r->failed = true;
        return NULL;
    }
    memcpy(copy, data, (size_t)n);
    return copy;
}

pr_status pr_record_decode(pr_record *out, const void *data, size_t size, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, data, size);
    memset(out, 0, sizeof *out);
    pr_row_decode(&r, &pr_job_row_spec, &out->row);
    out->params = decode_rows(&r, &out->n_params, &pr_param_row_spec, PR_RECORD_MAX_PARAMS);
    out->outputs = decode_rows(&r, &out->n_outputs, &pr_output_row_spec, PR_RECORD_MAX_OUTPUTS);
    out->public_data = decode_bytes(&r, out->row.public_bytes, PR_RECORD_MAX_PUBLIC);
    out->proof = decode_bytes(&r, out->row.proof_compressed_bytes, PR_RECORD_MAX_PROOF);
    if (pr_reader_done(&r)) return PR_OK;
    pr_record_clear(out);
    return pr_fail(err, PR_ERR_MALFORMED, "a record of a job does not decode");
}
