#include "store/record.h"
#include "consensus/evidence.h"
#include "consensus/outcome.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function from values to names. */
#define PR_NAMES(function_, count_, ...)                                                                               \
    const char *function_(uint32_t v) {                                                                                \
        static const char *const names[] = {__VA_ARGS__};                                                              \
        _Static_assert(sizeof names / sizeof names[0] == (count_), "one name a value");                                \
        return v < (count_) ? names[v] : "unknown";                                                                    \
    }
PR_NAMES(pr_job_state_name, PR_STATE_COUNT, "queued", "prepared", "proven", "self_verified", "verified")
PR_NAMES(pr_outcome_name, PR_OUTCOME_COUNT, "none", "approved", "self_verified", "rejected", "failed", "refused",
         "skipped", "timeout", "unvoted", "merged")
PR_NAMES(pr_attempt_end_name, PR_ATTEMPT_COUNT, "proved", "failed", "crashed", "killed", "hung", "timeout", "wrong",
         "rank_lost", "stopped")
PR_NAMES(pr_event_kind_name, PR_EVENT_COUNT, "note", "drain", "stop", "rank_lost", "rank_silent", "rank_back",
         "rank_drained", "child_died", "child_hung", "backend_failed", "backend_drained", "requeued", "speculative",
         "late_answer", "contradiction", "bad_message", "clock", "deadline", "journal", "merge", "removed", "view")
PR_NAMES(pr_rank_activity_name, PR_ACTIVITY_COUNT, "idle", "proving", "verifying", "silent", "drained", "lost", "ended")
PR_NAMES(pr_assigned_name, PR_ASSIGNED_COUNT, "prove", "verify")
/* h5py reads an enumeration of just these as bool. */
static PR_NAMES(flag_name, 2, "FALSE", "TRUE")

    /* The consensus has names of its own; values that are none there have one here. */
    static PR_NAMES(verdict_name, PR_VOTE_REJECT + 1, "none", "approve", "reject")

        static const char *removal_name(uint32_t v) {
    return pr_removal_name((pr_removal)v);
}
static const char *vote_reason_name(uint32_t v) { return pr_vote_reason_name((pr_vote_reason)v); }
static const char *attestation_name(uint32_t v) { return pr_attestation_kind_name((pr_attestation_kind)v); }
static const char *evidence_name(uint32_t v) { return v ? pr_evidence_kind_name((pr_evidence_kind)v) : "none"; }
static const char *round_outcome_name(uint32_t v) { return pr_round_outcome_name((pr_round_outcome)v); }

pr_enumeration pr_field_enumeration(pr_field_kind kind) {
    static const pr_enumeration all[PR_FIELD_KINDS] = {
        [PR_FIELD_FLAG] = {2, flag_name},
        [PR_FIELD_STATE] = {PR_STATE_COUNT, pr_job_state_name},
        [PR_FIELD_OUTCOME] = {PR_OUTCOME_COUNT, pr_outcome_name},
        [PR_FIELD_ATTEMPT_END] = {PR_ATTEMPT_COUNT, pr_attempt_end_name},
        [PR_FIELD_EVENT] = {PR_EVENT_COUNT, pr_event_kind_name},
        [PR_FIELD_RANK_STATE] = {PR_ACTIVITY_COUNT, pr_rank_activity_name},
        [PR_FIELD_ASSIGNED] = {PR_ASSIGNED_COUNT, pr_assigned_name},
        [PR_FIELD_REMOVAL] = {PR_REMOVALS, removal_name},
        [PR_FIELD_VERDICT] = {PR_VOTE_REJECT + 1, verdict_name},
        [PR_FIELD_VOTE_REASON] = {PR_VOTE_REASONS, vote_reason_name},
        [PR_FIELD_ATTESTATION] = {PR_ATTESTATION_KINDS, attestation_name},
        [PR_FIELD_EVIDENCE] = {PR_EVIDENCE_KINDS, evidence_name},
        [PR_FIELD_ROUND_OUTCOME] = {PR_ROUND_OUTCOMES, round_outcome_name},
    };
    return all[kind];
}

const char *pr_field_unit(const pr_field *f) {
    static const char *const suffixes[][2] = {{"_ms", "ms"}, {"_ns", "ns"}, {"_bytes", "bytes"}, {"_bits", "bits"}};
    size_t n = strlen(f->name);
    if (!strcmp(f->name, "offset") || !strcmp(f->name, "length")) return "bytes";
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t m = strlen(suffixes[i][0]);
        if (n > m && !strcmp(f->name + n - m, suffixes[i][0])) return suffixes[i][1];
    }
    return "1";
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
            uint32_t v = pr_read_u32(r), limit = pr_field_enumeration(f->kind).count;
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
        uint32_t limit = pr_field_enumeration(f->kind).count;
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
    default:
        snprintf(out, size, "%s", pr_field_enumeration(f->kind).name(get_u32(row, f)));
        break;
    }
}

void pr_record_clear(pr_record *record) {
    free(record->params);
    free(record->outputs);
    free(record->history);
    free(record->public_data);
    free(record->proof);
    memset(record, 0, sizeof *record);
}

pr_status pr_record_add_attempt(pr_record *record, const pr_attempt_row *row, pr_error *err) {
    if (record->n_history >= PR_RECORD_MAX_HISTORY) return PR_OK;
    pr_attempt_row *grown = realloc(record->history, (record->n_history + 1) * sizeof *grown);
    if (!grown) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job's history");
    record->history = grown;
    grown[record->n_history] = *row;
    pr_row_set_text(grown[record->n_history++].id, sizeof row->id, record->row.id);
    return PR_OK;
}

static void encode_rows(pr_writer *out, const pr_row_spec *spec, const void *rows, size_t n) {
    pr_write_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) pr_row_encode(out, spec, (const char *)rows + i * spec->row_bytes);
}

void pr_record_encode(pr_writer *out, const pr_record *record) {
    pr_row_encode(out, &pr_job_row_spec, &record->row);
    encode_rows(out, &pr_param_row_spec, record->params, record->n_params);
    encode_rows(out, &pr_output_row_spec, record->outputs, record->n_outputs);
    encode_rows(out, &pr_attempt_row_spec, record->history, record->n_history);
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
    out->history = decode_rows(&r, &out->n_history, &pr_attempt_row_spec, PR_RECORD_MAX_HISTORY);
    out->public_data = decode_bytes(&r, out->row.public_bytes, PR_RECORD_MAX_PUBLIC);
    out->proof = decode_bytes(&r, out->row.proof_compressed_bytes, PR_RECORD_MAX_PROOF);
    if (pr_reader_done(&r)) return PR_OK;
    pr_record_clear(out);
    return pr_fail(err, PR_ERR_MALFORMED, "a record of a job does not decode");
}
