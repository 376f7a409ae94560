#include "store/frame.h"
#include "hash/blake2s.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "proverun journal "
#define LINE_BYTES 24

const char *pr_frame_type_name(uint32_t type) {
    static const char *const names[PR_FRAME_TYPES] = {"unknown",     "attribute", "record", "session_begin",
                                                      "session_end", "event",     "sample", "assignment",
                                                      "rank",        "consensus", "batch"};
    return names[type < PR_FRAME_TYPES ? type : 0];
}

const char *pr_fault_kind_name(uint32_t kind) {
    static const char *const names[PR_FAULT_KINDS] = {"torn", "corrupt", "missing"};
    return kind < PR_FAULT_KINDS ? names[kind] : "unknown";
}

void pr_journal_segment_path(char *out, size_t size, const char *path, uint32_t segment) {
    if (segment)
        snprintf(out, size, "%s.%u", path, segment);
    else
        snprintf(out, size, "%s", path);
}

static void put(uint8_t *out, uint64_t v, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) out[i] = (uint8_t)(v >> (8 * i));
}

void pr_segment_header_encode(uint8_t out[PR_SEGMENT_HEADER], const pr_segment_header *h) {
    memset(out, 0, PR_SEGMENT_HEADER);
    snprintf((char *)out, LINE_BYTES, PREFIX "%u\n", h->version);
    put(out + 24, h->segment, 4);
    put(out + 32, h->first_sequence, 8);
    put(out + 40, h->created_ns, 8);
    memcpy(out + 48, h->run_id, strnlen(h->run_id, 127));
    pr_hash sum = pr_blake2s_hash(out, PR_SEGMENT_HEADER - PR_FRAME_SUM);
    memcpy(out + PR_SEGMENT_HEADER - PR_FRAME_SUM, sum.bytes, PR_FRAME_SUM);
}

static bool is_plain(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) return false;
    return true;
}

pr_header_state pr_segment_header_decode(pr_segment_header *out, const uint8_t *data, size_t size) {
    const size_t prefix = sizeof PREFIX - 1;
    char line[LINE_BYTES + 1] = "";
    memset(out, 0, sizeof *out);
    if (size < prefix || memcmp(data, PREFIX, prefix) != 0) return PR_HEADER_NO_JOURNAL;
    memcpy(line, data, size < LINE_BYTES ? size : LINE_BYTES);
    out->version = (uint32_t)strtoul(line + prefix, NULL, 10);
    if (out->version != PR_JOURNAL_VERSION) return PR_HEADER_OTHER_VERSION;
    if (size < PR_SEGMENT_HEADER) return PR_HEADER_DAMAGED;
    pr_hash sum = pr_blake2s_hash(data, PR_SEGMENT_HEADER - PR_FRAME_SUM);
    if (memcmp(sum.bytes, data + PR_SEGMENT_HEADER - PR_FRAME_SUM, PR_FRAME_SUM) != 0) return PR_HEADER_DAMAGED;
    pr_reader r;
    pr_reader_init(&r, data + LINE_BYTES, PR_SEGMENT_HEADER - LINE_BYTES);
    out->segment = pr_read_u32(&r);
    (void)pr_read_u32(&r);
    out->first_sequence = pr_read_u64(&r);
    out->created_ns = pr_read_u64(&r);
    pr_read_bytes(&r, out->run_id, sizeof out->run_id);
    if (out->run_id[127] || !is_plain(out->run_id, strlen(out->run_id))) return PR_HEADER_DAMAGED;
    return PR_HEADER_GOOD;
}

void pr_frame_encode(pr_writer *out, const pr_frame *f) {
    size_t begin = out->size, id_size = f->id ? strlen(f->id) : 0;
    PR_ASSERT(id_size <= PR_FRAME_MAX_ID && f->size <= PR_JOURNAL_MAX_PAYLOAD);
    pr_write_u32(out, PR_FRAME_MAGIC);
    pr_write_u32(out, f->type);
    pr_write_u64(out, f->sequence);
    pr_write_u64(out, f->time_ns);
    pr_write_u32(out, (uint32_t)f->rank);
    pr_write_u32(out, (uint32_t)id_size);
    pr_write_u64(out, f->size);
    pr_write_bytes(out, f->id, id_size);
    for (int part = 0; part < 2; part++) {
        if (part) pr_write_bytes(out, f->payload, f->size);
        if (out->failed) return;
        pr_hash sum = pr_blake2s_hash(out->data + begin, out->size - begin);
        pr_write_bytes(out, sum.bytes, PR_FRAME_SUM);
    }
}

bool pr_frame_head_sizes(size_t *id_size, uint64_t *size, const uint8_t *data) {
    pr_reader r;
    pr_reader_init(&r, data, PR_FRAME_HEAD);
    uint32_t magic = pr_read_u32(&r);
    (void)pr_read_borrow(&r, 24);
    *id_size = pr_read_u32(&r);
    *size = pr_read_u64(&r);
    return magic == PR_FRAME_MAGIC && *id_size <= PR_FRAME_MAX_ID && *size <= PR_JOURNAL_MAX_PAYLOAD;
}

bool pr_frame_head_decode(pr_frame *f, char id[128], const uint8_t *data, size_t id_size) {
    pr_hash sum = pr_blake2s_hash(data, PR_FRAME_HEAD + id_size);
    if (memcmp(sum.bytes, data + PR_FRAME_HEAD + id_size, PR_FRAME_SUM) != 0) return false;
    pr_reader r;
    pr_reader_init(&r, data, PR_FRAME_HEAD);
    (void)pr_read_u32(&r);
    f->type = pr_read_u32(&r);
    f->sequence = pr_read_u64(&r);
    f->time_ns = pr_read_u64(&r);
    f->rank = (int32_t)pr_read_u32(&r);
    memset(id, 0, 128);
    memcpy(id, data + PR_FRAME_HEAD, id_size);
    f->id = id;
    return is_plain(id, id_size) && f->sequence < UINT64_MAX;
}

bool pr_frame_sum_is_good(const uint8_t *data, uint64_t bytes) {
    size_t covered = (size_t)bytes - PR_FRAME_SUM;
    pr_hash sum = pr_blake2s_hash(data, covered);
    return memcmp(sum.bytes, data + covered, PR_FRAME_SUM) == 0;
}

static size_t describe_frames(char *out, size_t size, const pr_fault *f) {
    unsigned long long first = f->first, last = f->first + f->n - 1;
    int n = 0;
    if (f->n == 1)
        n = snprintf(out, size, "; frame %llu", first);
    else if (f->n > 1)
        n = snprintf(out, size, "; frames %llu to %llu", first, last);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

void pr_fault_describe(char *out, size_t size, const char *path, const pr_fault *f) {
    char name[4200];
    unsigned long long from = f->offset, to = f->offset + f->bytes;
    int n;
    pr_journal_segment_path(name, sizeof name, path, f->segment);
    if (f->kind == PR_FAULT_MISSING)
        n = snprintf(out, size, "%s: this segment is missing", name);
    else if (f->kind == PR_FAULT_TORN)
        n = snprintf(out, size, "%s: torn end, bytes %llu to %llu, never acknowledged", name, from, to);
    else if (f->bytes == 0)
        n = snprintf(out, size, "%s: frames are missing before byte %llu", name, from);
    else
        n = snprintf(out, size, "%s: corrupt bytes %llu to %llu", name, from, to);
    if (n < 0 || (size_t)n >= size) return;
    size_t at = (size_t)n;
    if (f->kind != PR_FAULT_TORN) at += describe_frames(out + at, size - at, f);
    if (f->type) {
        n = snprintf(out + at, size - at, ", a %s", pr_frame_type_name(f->type));
        at += n > 0 && (size_t)n < size - at ? (size_t)n : 0;
    }
    if (f->id[0]) snprintf(out + at, size - at, " of job %s", f->id);
}
