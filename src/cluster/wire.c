#include "cluster/wire.h"
#include <string.h>

#define PR_WIRE_MAGIC 0x34575250u /* "PRW4" */
#define PR_WIRE_MAX_TEXT ((size_t)16 << 20)
#define PR_WIRE_MAX_PATH 4096
#define PR_WIRE_MAX_THREADS 1024u
#define PR_WIRE_MAX_VALIDATORS 4096u
#define PR_WIRE_MAX_VOTE ((size_t)64 << 20) /* a certificate of the largest committee with the largest attestations */

const char *pr_wire_type_name(uint32_t type) {
    static const char *const names[] = {"nothing", "hello",  "manifest", "ready", "roster", "prove",
                                        "answer",  "cancel", "vote",     "fetch", "proof",  "verdict",
                                        "note",    "ping",   "close",    "stop",  "bye"};
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

/* What comes from a rank may end on a terminal: control characters become spaces. */
static void read_text(pr_reader *r, char *out, size_t room) {
    size_t n;
    const char *text = borrow_text(r, &n, room - 1);
    memset(out, 0, room);
    for (size_t i = 0; i < n; i++) out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
}

static void write_hash(pr_writer *out, const pr_hash *h) { pr_write_bytes(out, h->bytes, sizeof h->bytes); }

static void put_text(pr_writer *out, const char *text) { write_text(out, text, strlen(text)); }

/* ---- encoding ---- */

static void encode_hello(pr_writer *out, const pr_wire_hello *m) {
    put_text(out, m->host);
    put_text(out, m->version);
    pr_write_u32(out, m->pid);
    pr_write_u32(out, m->threads);
    pr_write_u32(out, m->proves);
    pr_write_u32(out, m->bound_to_one_core);
    pr_write_u32(out, m->node);
    pr_write_u64(out, m->node_bytes);
    put_text(out, m->device);
    pr_write_u64(out, m->device_bytes);
    put_text(out, m->place);
    write_hash(out, &m->sealed_lot);
}

void pr_wire_validator_put(pr_writer *out, const pr_wire_validator *v) {
    pr_write_bytes(out, v->public_key, sizeof v->public_key);
    pr_write_u64(out, v->stake);
    pr_write_u32(out, (uint32_t)v->rank);
    pr_write_u64(out, v->away);
}

void pr_wire_validator_get(pr_wire_validator *out, const pr_wire_roster *m, uint32_t index) {
    pr_reader r;
    PR_ASSERT(index < m->n_validators);
    pr_reader_init(&r, m->validators + (size_t)index * PR_WIRE_VALIDATOR_BYTES, PR_WIRE_VALIDATOR_BYTES);
    pr_read_bytes(&r, out->public_key, sizeof out->public_key);
    out->stake = pr_read_u64(&r);
    out->rank = (int32_t)pr_read_u32(&r);
    out->away = pr_read_u64(&r);
}

static void encode_votes(pr_writer *out, const pr_wire_votes *v) {
    pr_write_u32(out, v->committee_size);
    pr_write_u32(out, v->round_timeout_ms);
    pr_write_u32(out, v->view_timeout_ms);
    pr_write_u32(out, v->retries);
    pr_write_u32(out, v->threads);
}

static void encode_manifest(pr_writer *out, const pr_wire_manifest *m) {
    pr_write_u32(out, m->run);
    put_text(out, m->path);
    put_text(out, m->base_dir);
    write_text(out, m->text, m->text_size);
    write_hash(out, &m->digest);
    write_hash(out, &m->run_digest);
    put_text(out, m->run_id);
    put_text(out, m->key_folder);
    write_hash(out, &m->sealed_lots);
}

static void encode_roster(pr_writer *out, const pr_wire_roster *m) {
    pr_write_u32(out, m->run);
    put_text(out, m->folder);
    pr_write_u32(out, m->resumed);
    write_hash(out, &m->seed);
    encode_votes(out, &m->votes);
    pr_write_u32(out, m->n_lots);
    pr_write_bytes(out, m->seals, (size_t)m->n_lots * sizeof(pr_hash));
    pr_write_bytes(out, m->lots, (size_t)m->n_lots * sizeof(pr_hash));
    pr_write_u32(out, m->n_validators);
    pr_write_bytes(out, m->validators, (size_t)m->n_validators * PR_WIRE_VALIDATOR_BYTES);
}

static void encode_ready(pr_writer *out, const pr_wire_ready *m) {
    pr_write_u32(out, m->run);
    pr_write_u32(out, m->n_jobs);
    pr_write_u32(out, m->status);
    pr_write_bytes(out, m->public_key, sizeof m->public_key);
    write_hash(out, &m->lot);
    write_hash(out, &m->next_sealed_lot);
    put_text(out, m->reason);
}

static void encode_task(pr_writer *out, const pr_wire_task *m) {
    pr_write_u32(out, m->run);
    pr_write_u32(out, m->job);
    pr_write_u32(out, m->attempt);
}

static void encode_prove(pr_writer *out, const pr_wire_prove *m) {
    encode_task(out, &m->task);
    pr_write_u32(out, m->cpu_only | m->begins_ahead << 1);
    pr_write_u32(out, m->n_next);
    for (uint32_t k = 0; k < m->n_next; k++) pr_write_u32(out, m->next[k]);
    pr_write_u64(out, m->time_limit_ms);
    pr_write_u64(out, m->quiet_ms);
}

static void encode_answer(pr_writer *out, const pr_wire_answer *m) {
    encode_task(out, &m->task);
    pr_write_u32(out, m->failure);
    pr_write_u32(out, m->end);
    pr_write_u32(out, m->cpu_only);
    pr_write_u32(out, m->child_restarts);
    pr_write_u64(out, m->started_ns);
    pr_write_u64(out, m->finished_ns);
    put_text(out, m->stage);
    put_text(out, m->reason);
    pr_record_encode(out, &m->record);
}

static void encode_vote(pr_writer *out, const pr_wire_vote *m) {
    pr_write_u32(out, m->run);
    pr_write_var(out, m->data, m->size);
}

static void encode_fetch(pr_writer *out, const pr_wire_fetch *m) {
    encode_task(out, &m->task);
    write_hash(out, &m->proof_hash);
}

static void encode_proof(pr_writer *out, const pr_wire_proof *m) {
    encode_task(out, &m->task);
    pr_record_encode(out, &m->record);
}

static void encode_verdict(pr_writer *out, const pr_wire_verdict *m) {
    encode_task(out, &m->task);
    pr_write_u32(out, m->verdict);
    write_f64(out, m->verify_ms);
    put_text(out, m->reason);
}

static void encode_note(pr_writer *out, const pr_wire_note *m) {
    pr_write_u32(out, m->kind);
    pr_write_u32(out, m->has_job);
    encode_task(out, &m->task);
    put_text(out, m->text);
}

static void encode_ping(pr_writer *out, const pr_wire_ping *m) {
    pr_write_u32(out, m->has_job);
    encode_task(out, &m->task);
    pr_write_u32(out, m->step);
    pr_write_u32(out, m->verifying);
    put_text(out, m->stage);
}

static void encode_stop(pr_writer *out, const pr_wire_stop *m) {
    pr_write_u32(out, m->how);
    pr_write_u32(out, m->exit_code);
}

static void encode_body(pr_writer *out, const pr_wire *m) {
    switch (m->type) {
    case PR_WIRE_HELLO:
        encode_hello(out, &m->as.hello);
        break;
    case PR_WIRE_MANIFEST:
        encode_manifest(out, &m->as.manifest);
        break;
    case PR_WIRE_READY:
        encode_ready(out, &m->as.ready);
        break;
    case PR_WIRE_ROSTER:
        encode_roster(out, &m->as.roster);
        break;
    case PR_WIRE_PROVE:
        encode_prove(out, &m->as.prove);
        break;
    case PR_WIRE_ANSWER:
        encode_answer(out, &m->as.answer);
        break;
    case PR_WIRE_CANCEL:
        encode_task(out, &m->as.cancel);
        break;
    case PR_WIRE_VOTE:
        encode_vote(out, &m->as.vote);
        break;
    case PR_WIRE_FETCH:
        encode_fetch(out, &m->as.fetch);
        break;
    case PR_WIRE_PROOF:
        encode_proof(out, &m->as.proof);
        break;
    case PR_WIRE_VERDICT:
        encode_verdict(out, &m->as.verdict);
        break;
    case PR_WIRE_NOTE:
        encode_note(out, &m->as.note);
        break;
    case PR_WIRE_PING:
        encode_ping(out, &m->as.ping);
        break;
    case PR_WIRE_CLOSE:
        pr_write_u32(out, m->as.close);
        break;
    case PR_WIRE_STOP:
        encode_stop(out, &m->as.stop);
        break;
    case PR_WIRE_BYE:
        break;
    case PR_WIRE_TYPES:
        PR_ASSERT(m->type < PR_WIRE_TYPES);
    }
}

void pr_wire_encode(pr_writer *out, const pr_wire *m) {
    pr_write_u32(out, PR_WIRE_MAGIC);
    pr_write_u16(out, PR_WIRE_VERSION);
    pr_write_u16(out, (uint16_t)m->type);
    encode_body(out, m);
}

/* ---- decoding ---- */

static uint32_t read_below(pr_reader *r, uint32_t limit) {
    uint32_t v = pr_read_u32(r);
    if (v >= limit) r->failed = true;
    return v;
}

static void read_hash(pr_reader *r, pr_hash *h) { pr_read_bytes(r, h->bytes, sizeof h->bytes); }

static void decode_hello(pr_reader *r, pr_wire_hello *m) {
    read_text(r, m->host, sizeof m->host);
    read_text(r, m->version, sizeof m->version);
    m->pid = pr_read_u32(r);
    m->threads = pr_read_u32(r);
    m->proves = read_below(r, 2);
    m->bound_to_one_core = read_below(r, 2);
    m->node = pr_read_u32(r);
    m->node_bytes = pr_read_u64(r);
    read_text(r, m->device, sizeof m->device);
    m->device_bytes = pr_read_u64(r);
    read_text(r, m->place, sizeof m->place);
    read_hash(r, &m->sealed_lot);
}

static void decode_votes(pr_reader *r, pr_wire_votes *v) {
    v->committee_size = pr_read_u32(r);
    v->round_timeout_ms = pr_read_u32(r);
    v->view_timeout_ms = pr_read_u32(r);
    v->retries = pr_read_u32(r);
    v->threads = read_below(r, PR_WIRE_MAX_THREADS + 1);
}

static const uint8_t *borrow_entries(pr_reader *r, uint32_t n, size_t entry_bytes) {
    return pr_read_borrow(r, r->failed ? 0 : n * entry_bytes);
}

static void decode_roster(pr_reader *r, pr_wire_roster *m) {
    size_t n;
    m->run = pr_read_u32(r);
    m->folder = borrow_text(r, &n, PR_WIRE_MAX_PATH);
    m->resumed = read_below(r, 2);
    read_hash(r, &m->seed);
    decode_votes(r, &m->votes);
    m->n_lots = read_below(r, PR_WIRE_MAX_VALIDATORS + 1);
    m->seals = borrow_entries(r, m->n_lots, sizeof(pr_hash));
    m->lots = borrow_entries(r, m->n_lots, sizeof(pr_hash));
    m->n_validators = read_below(r, PR_WIRE_MAX_VALIDATORS + 1);
    m->validators = borrow_entries(r, m->n_validators, PR_WIRE_VALIDATOR_BYTES);
}

static void decode_manifest(pr_reader *r, pr_wire_manifest *m) {
    size_t n;
    m->run = pr_read_u32(r);
    m->path = borrow_text(r, &n, PR_WIRE_MAX_PATH);
    m->base_dir = borrow_text(r, &n, PR_WIRE_MAX_PATH);
    m->text = borrow_text(r, &m->text_size, PR_WIRE_MAX_TEXT);
    read_hash(r, &m->digest);
    read_hash(r, &m->run_digest);
    m->run_id = borrow_text(r, &n, PR_WIRE_MAX_PATH);
    m->key_folder = borrow_text(r, &n, PR_WIRE_MAX_PATH);
    read_hash(r, &m->sealed_lots);
}

static void decode_ready(pr_reader *r, pr_wire_ready *m) {
    m->run = pr_read_u32(r);
    m->n_jobs = pr_read_u32(r);
    m->status = read_below(r, PR_ERR_INTERNAL + 1);
    pr_read_bytes(r, m->public_key, sizeof m->public_key);
    read_hash(r, &m->lot);
    read_hash(r, &m->next_sealed_lot);
    read_text(r, m->reason, sizeof m->reason);
}

static void decode_task(pr_reader *r, pr_wire_task *m) {
    m->run = pr_read_u32(r);
    m->job = pr_read_u32(r);
    m->attempt = pr_read_u32(r);
}

static void decode_prove(pr_reader *r, pr_wire_prove *m) {
    decode_task(r, &m->task);
    uint32_t how = read_below(r, 4);
    m->cpu_only = how & 1, m->begins_ahead = how >> 1;
    m->n_next = read_below(r, PR_WORK_MOST_NEXT + 1);
    for (uint32_t k = 0; k < m->n_next && !r->failed; k++) m->next[k] = pr_read_u32(r);
    m->time_limit_ms = pr_read_u64(r);
    m->quiet_ms = pr_read_u64(r);
}

static void decode_record(pr_reader *r, pr_record *m) { /* the rest of the message */
    size_t n = r->failed ? 0 : r->size - r->at;
    const uint8_t *rest = pr_read_borrow(r, n);
    if (!rest || pr_record_decode(m, rest, n, NULL) != PR_OK) r->failed = true;
}

static void decode_answer(pr_reader *r, pr_wire_answer *m) {
    decode_task(r, &m->task);
    m->failure = pr_read_u32(r);
    if (m->failure != PR_WIRE_PROVED && m->failure > PR_FAILURE_UNBEGUN) r->failed = true;
    m->end = read_below(r, PR_ATTEMPT_COUNT);
    m->cpu_only = read_below(r, 2);
    m->child_restarts = pr_read_u32(r);
    m->started_ns = pr_read_u64(r);
    m->finished_ns = pr_read_u64(r);
    read_text(r, m->stage, sizeof m->stage);
    read_text(r, m->reason, sizeof m->reason);
    decode_record(r, &m->record);
}

static void decode_vote(pr_reader *r, pr_wire_vote *m) {
    m->run = pr_read_u32(r);
    uint64_t size = pr_read_u64(r);
    m->size = size <= PR_WIRE_MAX_VOTE ? (size_t)size : 0;
    m->data = pr_read_borrow(r, m->size);
    if (size > PR_WIRE_MAX_VOTE) r->failed = true;
}

static void decode_fetch(pr_reader *r, pr_wire_fetch *m) {
    decode_task(r, &m->task);
    read_hash(r, &m->proof_hash);
}

static void decode_proof(pr_reader *r, pr_wire_proof *m) {
    decode_task(r, &m->task);
    decode_record(r, &m->record);
}

static void decode_verdict(pr_reader *r, pr_wire_verdict *m) {
    decode_task(r, &m->task);
    m->verdict = read_below(r, PR_VERDICT_UNABLE + 1);
    m->verify_ms = read_f64(r);
    read_text(r, m->reason, sizeof m->reason);
}

static void decode_note(pr_reader *r, pr_wire_note *m) {
    m->kind = read_below(r, PR_EVENT_COUNT);
    m->has_job = read_below(r, 2);
    decode_task(r, &m->task);
    read_text(r, m->text, sizeof m->text);
}

static void decode_ping(pr_reader *r, pr_wire_ping *m) {
    m->has_job = read_below(r, 2);
    decode_task(r, &m->task);
    m->step = pr_read_u32(r);
    m->verifying = read_below(r, 2);
    read_text(r, m->stage, sizeof m->stage);
}

static void decode_stop(pr_reader *r, pr_wire_stop *m) {
    m->how = read_below(r, PR_STOP_HOWS);
    m->exit_code = read_below(r, 256);
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
    case PR_WIRE_ROSTER:
        decode_roster(r, &m->as.roster);
        break;
    case PR_WIRE_PROVE:
        decode_prove(r, &m->as.prove);
        break;
    case PR_WIRE_ANSWER:
        decode_answer(r, &m->as.answer);
        break;
    case PR_WIRE_CANCEL:
        decode_task(r, &m->as.cancel);
        break;
    case PR_WIRE_VOTE:
        decode_vote(r, &m->as.vote);
        break;
    case PR_WIRE_FETCH:
        decode_fetch(r, &m->as.fetch);
        break;
    case PR_WIRE_PROOF:
        decode_proof(r, &m->as.proof);
        break;
    case PR_WIRE_VERDICT:
        decode_verdict(r, &m->as.verdict);
        break;
    case PR_WIRE_NOTE:
        decode_note(r, &m->as.note);
        break;
    case PR_WIRE_PING:
        decode_ping(r, &m->as.ping);
        break;
    case PR_WIRE_CLOSE:
        m->as.close = pr_read_u32(r);
        break;
    case PR_WIRE_STOP:
        decode_stop(r, &m->as.stop);
        break;
    case PR_WIRE_BYE:
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
    if (m->type == PR_WIRE_ANSWER) pr_record_clear(&m->as.answer.record);
    if (m->type == PR_WIRE_PROOF) pr_record_clear(&m->as.proof.record);
}
