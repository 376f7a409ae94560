#include "cluster/wire.h"
#include <string.h>

#define PR_WIRE_MAGIC 0x31575250u /* "PRW1" */
#define PR_WIRE_MAX_TEXT ((size_t)16 << 20)
#define PR_WIRE_MAX_PATH 4096

const char *pr_wire_type_name(uint32_t type) {
    static const char *const names[] = {"nothing", "hello",  "manifest", "ready", "prove",
                                        "proved",  "verify", "verified", "stop"};
    return type < PR_WIRE_TYPES ? names[type] : "unknown";
}

static void write_f64(pr_writer *out, double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    pr_write_u64(out, bits);
}

static double read_f64(pr_reader *r) {
    uint64_t bits = pr_read_u64(r);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* With its 0 byte, so that the reader can borrow it. */
static void write_text(pr_writer *out, const char *text, size_t n) {
    pr_write_u64(out, n + 1);
    pr_write_bytes(out, text, n);
    pr_write_u8(out, 0);
}

static const char *borrow_text(pr_reader *r, size_t *size, size_t max) {
    uint64_t n = pr_read_u64(r);
    const uint8_t *text = n > 0 && n - 1 <= max ? pr_read_borrow(r, (size_t)n) : NULL;
    if (!text || memchr(text, 0, (size_t)n) != text + n - 1) {
        r->failed = true;
        *size = 0;
        return "";
    }
    *size = (size_t)n - 1;
    return (const char *)text;
}

static void read_text(pr_reader *r, char *out, size_t room) {
    size_t n;
    const char *text = borrow_text(r, &n, room - 1);
    memset(out, 0, room);
    memcpy(out, text, n);
}

static void write_hash(pr_writer *out, const pr_hash *h) { pr_write_bytes(out, h->bytes, sizeof h->bytes); }

static void encode_proof(pr_writer *out, const pr_wire_proof *m) {
    pr_write_u32(out, m->job);
    pr_write_u32(out, m->attempt);
    pr_write_u32(out, m->status);
    pr_record_encode(out, &m->record);
}

static void encode_manifest(pr_writer *out, const pr_wire_manifest *m) {
    write_text(out, m->path, strlen(m->path));
    write_text(out, m->base_dir, strlen(m->base_dir));
    write_text(out, m->text, m->text_size);
    write_hash(out, &m->digest);
    write_hash(out, &m->run_digest);
}

static void encode_verified(pr_writer *out, const pr_wire_verified *m) {
    pr_write_u32(out, m->job);
    pr_write_u32(out, m->attempt);
    pr_write_u32(out, m->accepted);
    write_f64(out, m->verify_ms);
    write_text(out, m->reason, strlen(m->reason));
}

void pr_wire_encode(pr_writer *out, const pr_wire *m) {
    pr_write_u32(out, PR_WIRE_MAGIC);
    pr_write_u16(out, PR_WIRE_VERSION);
    pr_write_u16(out, (uint16_t)m->type);
    switch (m->type) {
    case PR_WIRE_HELLO:
        write_text(out, m->as.hello.host, strlen(m->as.hello.host));
        write_text(out, m->as.hello.version, strlen(m->as.hello.version));
        pr_write_u32(out, m->as.hello.threads);
        pr_write_u32(out, m->as.hello.bound_to_one_core);
        break;
    case PR_WIRE_MANIFEST:
        encode_manifest(out, &m->as.manifest);
        break;
    case PR_WIRE_READY:
        pr_write_u32(out, m->as.ready.n_jobs);
        pr_write_u32(out, m->as.ready.status);
        write_text(out, m->as.ready.reason, strlen(m->as.ready.reason));
        break;
    case PR_WIRE_PROVE:
        pr_write_u32(out, m->as.prove.job);
        pr_write_u32(out, m->as.prove.attempt);
        break;
    case PR_WIRE_PROVED:
    case PR_WIRE_VERIFY:
        encode_proof(out, &m->as.proof);
        break;
    case PR_WIRE_VERIFIED:
        encode_verified(out, &m->as.verified);
        break;
    case PR_WIRE_STOP:
        break;
    case PR_WIRE_TYPES:
        PR_ASSERT(m->type < PR_WIRE_TYPES);
    }
}

static uint32_t read_below(pr_reader *r, uint32_t limit) {
    uint32_t v = pr_read_u32(r);
    if (v >= limit) r->failed = true;
    return v;
}

static void decode_hello(pr_reader *r, pr_wire_hello *m) {
    read_text(r, m->host, sizeof m->host);
    read_text(r, m->version, sizeof m->version);
    m->threads = pr_read_u32(r);
    m->bound_to_one_core = read_below(r, 2);
}

static void decode_manifest(pr_reader *r, pr_wire_manifest *m) {
    size_t n;
    m->path = borrow_text(r, &n, PR_WIRE_MAX_PATH);
    m->base_dir = borrow_text(r, &n, PR_WIRE_MAX_PATH);
    m->text = borrow_text(r, &m->text_size, PR_WIRE_MAX_TEXT);
    pr_read_bytes(r, m->digest.bytes, sizeof m->digest.bytes);
    pr_read_bytes(r, m->run_digest.bytes, sizeof m->run_digest.bytes);
}

static void decode_ready(pr_reader *r, pr_wire_ready *m) {
    m->n_jobs = pr_read_u32(r);
    m->status = read_below(r, PR_ERR_INTERNAL + 1);
    read_text(r, m->reason, sizeof m->reason);
}

static void decode_proof(pr_reader *r, pr_wire_proof *m) {
    m->job = pr_read_u32(r);
    m->attempt = pr_read_u32(r);
    m->status = read_below(r, PR_ERR_INTERNAL + 1);
    size_t n = r->failed ? 0 : r->size - r->at;
    const uint8_t *rest = pr_read_borrow(r, n);
    if (!rest || pr_record_decode(&m->record, rest, n, NULL) != PR_OK) r->failed = true;
}

static void decode_verified(pr_reader *r, pr_wire_verified *m) {
    m->job = pr_read_u32(r);
    m->attempt = pr_read_u32(r);
    m->accepted = read_below(r, 2);
    m->verify_ms = read_f64(r);
    read_text(r, m->reason, sizeof m->reason);
}

static void decode_body(pr_reader *r, pr_wire *m) {
    switch (m->type) {
    case PR_WIRE_HELLO:
        decode_hello(r, &m->as.hello);
        break;
    case PR_WIRE_MANIFEST:
        decode_manifest(r, &m->as.manifest);
        break;
    case PR_WIRE_READY:
        decode_ready(r, &m->as.ready);
        break;
    case PR_WIRE_PROVE:
        m->as.prove.job = pr_read_u32(r);
        m->as.prove.attempt = pr_read_u32(r);
        break;
    case PR_WIRE_PROVED:
    case PR_WIRE_VERIFY:
        decode_proof(r, &m->as.proof);
        break;
    case PR_WIRE_VERIFIED:
        decode_verified(r, &m->as.verified);
        break;
    case PR_WIRE_STOP:
        break;
    case PR_WIRE_TYPES:
        r->failed = true;
    }
}

pr_status pr_wire_decode(pr_wire *out, const void *data, size_t size, pr_error *err) {
    pr_reader r;
    memset(out, 0, sizeof *out);
    pr_reader_init(&r, data, size);
    uint32_t magic = pr_read_u32(&r), version = pr_read_u16(&r), type = pr_read_u16(&r);
    if (r.failed || magic != PR_WIRE_MAGIC) return pr_fail(err, PR_ERR_MALFORMED, "not a message of proverun");
    if (version != PR_WIRE_VERSION)
        return pr_fail(err, PR_ERR_MALFORMED, "a message of version %u, not %u: the ranks run different programs",
                       version, PR_WIRE_VERSION);
    if (type == 0 || type >= PR_WIRE_TYPES) return pr_fail(err, PR_ERR_MALFORMED, "a message of unknown type %u", type);
    out->type = (pr_wire_type)type;
    decode_body(&r, out);
    if (pr_reader_done(&r)) return PR_OK;
    pr_wire_clear(out);
    return pr_fail(err, PR_ERR_MALFORMED, "a %s message that does not decode", pr_wire_type_name(type));
}

void pr_wire_clear(pr_wire *m) {
    if (m->type == PR_WIRE_PROVED || m->type == PR_WIRE_VERIFY) pr_record_clear(&m->as.proof.record);
}
