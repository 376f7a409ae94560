#include "child/frame.h"
#include "base/log.h"
#include "work/work.h"
#include <string.h>

#define MAGIC 0x32435250u /* "PRC2" */

const char *pr_child_frame_name(uint32_t type) {
    static const char *const names[] = {"nothing", "config", "manifest", "job", "stop", "ready", "answer"};
    return type < PR_CHILD_FRAME_TYPES ? names[type] : "unknown";
}

static void write_text(pr_writer *out, size_t room, const char *text) {
    char clean[4096];
    PR_ASSERT(room <= sizeof clean);
    pr_row_set_text(clean, room, text);
    pr_write_text(out, clean);
}

static void read_text(pr_reader *r, char *out, size_t room) {
    uint64_t n = pr_read_u64(r);
    const uint8_t *text = n < room ? pr_read_borrow(r, (size_t)n) : NULL;
    memset(out, 0, room);
    if (!text) r->failed = true;
    for (size_t i = 0; text && i < n; i++) {
        if (text[i] < ' ' || text[i] == 0x7f) r->failed = true;
        out[i] = (char)text[i];
    }
}

static uint32_t read_below(pr_reader *r, uint32_t limit) {
    uint32_t v = pr_read_u32(r);
    if (v >= limit) r->failed = true;
    return v;
}

static uint64_t read_size(pr_reader *r, uint64_t max) {
    uint64_t v = pr_read_u64(r);
    if (v > max) r->failed = true;
    return v;
}

static void encode_config(pr_writer *out, const pr_child_config *c) {
    write_text(out, sizeof c->backend, c->backend);
    write_text(out, sizeof c->host, c->host);
    pr_write_u32(out, c->threads);
    pr_write_u32(out, c->log);
    pr_write_u32(out, (uint32_t)c->rank);
    pr_write_u64(out, c->max_bytes);
    pr_write_u64(out, c->max_device_bytes);
    pr_write_u64(out, c->share_bytes);
    pr_write_u64(out, c->memory_limit_bytes);
}

static void decode_config(pr_reader *r, pr_child_config *c) {
    read_text(r, c->backend, sizeof c->backend);
    read_text(r, c->host, sizeof c->host);
    c->threads = pr_read_u32(r);
    c->log = read_below(r, PR_LOG_JSON + 1);
    c->rank = (int32_t)pr_read_u32(r);
    c->max_bytes = pr_read_u64(r);
    c->max_device_bytes = pr_read_u64(r);
    c->share_bytes = pr_read_u64(r);
    c->memory_limit_bytes = pr_read_u64(r);
}

static void encode_manifest(pr_writer *out, const pr_child_text *m) {
    write_text(out, sizeof m->path, m->path);
    write_text(out, sizeof m->base_dir, m->base_dir);
    pr_write_u32(out, m->generation);
    pr_write_u64(out, m->size);
    pr_write_bytes(out, m->digest.bytes, sizeof m->digest.bytes);
    pr_write_bytes(out, m->run_digest.bytes, sizeof m->run_digest.bytes);
}

static void decode_manifest(pr_reader *r, pr_child_text *m) {
    read_text(r, m->path, sizeof m->path);
    read_text(r, m->base_dir, sizeof m->base_dir);
    m->generation = pr_read_u32(r);
    m->size = read_size(r, PR_CHILD_MAX_TEXT);
    pr_read_bytes(r, m->digest.bytes, sizeof m->digest.bytes);
    pr_read_bytes(r, m->run_digest.bytes, sizeof m->run_digest.bytes);
}

static void encode_body(pr_writer *out, const pr_child_frame *f) {
    switch (f->type) {
    case PR_CHILD_FRAME_CONFIG:
        encode_config(out, &f->as.config);
        break;
    case PR_CHILD_FRAME_MANIFEST:
        encode_manifest(out, &f->as.manifest);
        break;
    case PR_CHILD_FRAME_JOB:
        pr_write_u32(out, f->as.job.job);
        pr_write_u32(out, f->as.job.attempt);
        pr_write_u32(out, f->as.job.cpu_only);
        pr_write_u32(out, f->as.job.n_next);
        for (uint32_t k = 0; k < f->as.job.n_next; k++) pr_write_u32(out, f->as.job.next[k]);
        pr_write_u32(out, f->as.job.failures);
        pr_write_u64(out, f->as.job.fault);
        break;
    case PR_CHILD_FRAME_STOP:
        break;
    case PR_CHILD_FRAME_READY:
        pr_write_u32(out, f->as.ready.generation);
        pr_write_u32(out, f->as.ready.n_jobs);
        pr_write_u32(out, f->as.ready.status);
        write_text(out, sizeof f->as.ready.text, f->as.ready.text);
        break;
    case PR_CHILD_FRAME_ANSWER:
        pr_write_u32(out, f->as.answer.job);
        pr_write_u32(out, f->as.answer.attempt);
        pr_write_u32(out, f->as.answer.status);
        pr_write_u32(out, f->as.answer.stage);
        pr_write_u32(out, f->as.answer.step);
        pr_write_u64(out, f->as.answer.size);
        write_text(out, sizeof f->as.answer.text, f->as.answer.text);
        break;
    case PR_CHILD_FRAME_TYPES:
        PR_ASSERT(f->type < PR_CHILD_FRAME_TYPES);
    }
}

static void decode_body(pr_reader *r, pr_child_frame *f) {
    switch (f->type) {
    case PR_CHILD_FRAME_CONFIG:
        decode_config(r, &f->as.config);
        break;
    case PR_CHILD_FRAME_MANIFEST:
        decode_manifest(r, &f->as.manifest);
        break;
    case PR_CHILD_FRAME_JOB:
        f->as.job.job = pr_read_u32(r);
        f->as.job.attempt = pr_read_u32(r);
        f->as.job.cpu_only = read_below(r, 2);
        f->as.job.n_next = read_below(r, PR_WORK_MOST_NEXT + 1);
        for (uint32_t k = 0; k < f->as.job.n_next && !r->failed; k++) f->as.job.next[k] = pr_read_u32(r);
        f->as.job.failures = pr_read_u32(r);
        f->as.job.fault = pr_read_u64(r);
        break;
    case PR_CHILD_FRAME_STOP:
        break;
    case PR_CHILD_FRAME_READY:
        f->as.ready.generation = pr_read_u32(r);
        f->as.ready.n_jobs = pr_read_u32(r);
        f->as.ready.status = read_below(r, PR_ERR_INTERNAL + 1);
        read_text(r, f->as.ready.text, sizeof f->as.ready.text);
        break;
    case PR_CHILD_FRAME_ANSWER:
        f->as.answer.job = pr_read_u32(r);
        f->as.answer.attempt = pr_read_u32(r);
        f->as.answer.status = read_below(r, PR_ERR_INTERNAL + 1);
        f->as.answer.stage = read_below(r, PR_WORK_STAGE_COUNT);
        f->as.answer.step = pr_read_u32(r);
        f->as.answer.size = read_size(r, PR_CHILD_MAX_RECORD);
        read_text(r, f->as.answer.text, sizeof f->as.answer.text);
        break;
    case PR_CHILD_FRAME_TYPES:
        r->failed = true;
    }
}

void pr_child_frame_encode(pr_writer *out, const pr_child_frame *frame) {
    pr_writer body;
    pr_writer_init(&body);
    encode_body(&body, frame);
    if (body.failed) out->failed = true;
    pr_write_u32(out, MAGIC);
    pr_write_u16(out, PR_CHILD_FRAME_VERSION);
    pr_write_u16(out, (uint16_t)frame->type);
    pr_write_u32(out, (uint32_t)body.size);
    pr_write_bytes(out, body.data, body.size);
    pr_writer_clear(&body);
}

pr_status pr_child_frame_decode(pr_child_frame *out, const void *data, size_t size, pr_error *err) {
    pr_reader r;
    memset(out, 0, sizeof *out);
    pr_reader_init(&r, data, size);
    uint32_t magic = pr_read_u32(&r), version = pr_read_u16(&r), type = pr_read_u16(&r), length = pr_read_u32(&r);
    if (r.failed || magic != MAGIC) return pr_fail(err, PR_ERR_MALFORMED, "no frame of a prover child");
    if (version != PR_CHILD_FRAME_VERSION)
        return pr_fail(err, PR_ERR_MALFORMED, "a frame of version %u, not %u", version, PR_CHILD_FRAME_VERSION);
    if (type == 0 || type >= PR_CHILD_FRAME_TYPES)
        return pr_fail(err, PR_ERR_MALFORMED, "a frame of unknown type %u", type);
    if (size > PR_CHILD_FRAME_MAX || length != size - PR_CHILD_FRAME_HEADER)
        return pr_fail(err, PR_ERR_MALFORMED, "a %s frame of %zu bytes says that %u follow its header",
                       pr_child_frame_name(type), size, length);
    out->type = (pr_child_frame_type)type;
    decode_body(&r, out);
    if (pr_reader_done(&r)) return PR_OK;
    return pr_fail(err, PR_ERR_MALFORMED, "a %s frame that does not decode", pr_child_frame_name(type));
}
