#include "cluster/frame.h"
#include <stdlib.h>
#include <string.h>

#define PR_FRAME_MAGIC 0x32465250u /* "PRF2" */
#define PR_FRAME_PAYLOAD (PR_FRAME_BYTES - PR_FRAME_HEADER_BYTES)

void pr_frame_next(pr_writer *out, const uint8_t *message, size_t size, uint32_t id, size_t *offset) {
    size_t n = size - *offset < PR_FRAME_PAYLOAD ? size - *offset : PR_FRAME_PAYLOAD;
    PR_ASSERT(size > 0 && size <= PR_FRAME_MAX_MESSAGE && *offset < size);
    pr_write_u32(out, PR_FRAME_MAGIC);
    pr_write_u16(out, PR_FRAME_VERSION);
    pr_write_u16(out, 0);
    pr_write_u32(out, id);
    pr_write_u32(out, 0);
    pr_write_u64(out, size);
    pr_write_u64(out, *offset);
    pr_write_bytes(out, message + *offset, n);
    *offset += n;
}

typedef struct header {
    uint32_t id;
    size_t total, offset, n; /* n bytes follow */
    const uint8_t *bytes;
} header;

static pr_status read_header(header *h, const uint8_t *frame, size_t frame_size, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, frame, frame_size);
    uint32_t magic = pr_read_u32(&r), version = pr_read_u16(&r), zero = pr_read_u16(&r);
    if (r.failed || magic != PR_FRAME_MAGIC) return pr_fail(err, PR_ERR_MALFORMED, "not a frame of proverun");
    if (version != PR_FRAME_VERSION)
        return pr_fail(err, PR_ERR_MALFORMED, "a frame of version %u, not %u: the ranks run different programs",
                       version, PR_FRAME_VERSION);
    h->id = pr_read_u32(&r);
    zero |= pr_read_u32(&r);
    uint64_t total = pr_read_u64(&r), offset = pr_read_u64(&r);
    h->n = r.failed ? 0 : r.size - r.at;
    h->bytes = pr_read_borrow(&r, h->n);
    if (r.failed || zero || h->n == 0 || frame_size > PR_FRAME_BYTES || total > PR_FRAME_MAX_MESSAGE ||
        offset > total || h->n > total - offset)
        return pr_fail(err, PR_ERR_MALFORMED, "a frame that says %llu bytes at %llu of %llu", (unsigned long long)h->n,
                       (unsigned long long)offset, (unsigned long long)total);
    h->total = (size_t)total;
    h->offset = (size_t)offset;
    return PR_OK;
}

static void drop(struct pr_joining *m) {
    free(m->data);
    memset(m, 0, sizeof *m);
}

void pr_joiner_clear(pr_joiner *j) {
    for (size_t i = 0; i < PR_FRAME_MAX_OPEN; i++) drop(&j->open[i]);
}

static struct pr_joining *find(pr_joiner *j, uint32_t id) {
    for (size_t i = 0; i < PR_FRAME_MAX_OPEN; i++)
        if (j->open[i].data && j->open[i].id == id) return &j->open[i];
    return NULL;
}

static struct pr_joining *find_free(pr_joiner *j) {
    for (size_t i = 0; i < PR_FRAME_MAX_OPEN; i++)
        if (!j->open[i].data) return &j->open[i];
    return NULL;
}

static pr_status begin(struct pr_joining **out, pr_joiner *j, const header *h, pr_error *err) {
    struct pr_joining *m = find(j, h->id);
    if (m) {
        drop(m);
        return pr_fail(err, PR_ERR_MALFORMED, "message %u begins again", h->id);
    }
    m = find_free(j);
    if (!m) return pr_fail(err, PR_ERR_MALFORMED, "more than %u messages at a time", PR_FRAME_MAX_OPEN);
    m->room = h->n + 1;
    m->data = malloc(m->room);
    if (!m->data) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a message");
    m->total = h->total;
    m->id = h->id;
    *out = m;
    return PR_OK;
}

static pr_status go_on(struct pr_joining **out, pr_joiner *j, const header *h, pr_error *err) {
    struct pr_joining *m = find(j, h->id);
    if (!m) return pr_fail(err, PR_ERR_MALFORMED, "message %u has no beginning", h->id);
    if (m->total == h->total && m->at == h->offset) {
        *out = m;
        return PR_OK;
    }
    size_t at = m->at;
    drop(m);
    return pr_fail(err, PR_ERR_MALFORMED, "message %u goes on at %zu, not at %zu", h->id, h->offset, at);
}

/* Doubling, but never more than the message. */
static bool make_room(struct pr_joining *m, size_t n) {
    size_t room = m->room;
    while (room < m->at + n + 1) room = 2 * room < m->total + 1 ? 2 * room : m->total + 1;
    if (room == m->room) return true;
    uint8_t *grown = realloc(m->data, room);
    if (!grown) return false;
    m->data = grown;
    m->room = room;
    return true;
}

pr_status pr_joiner_add(pr_joiner *j, const uint8_t *frame, size_t frame_size, uint8_t **message, size_t *size,
                        pr_error *err) {
    header h = {0};
    struct pr_joining *m = NULL;
    *message = NULL;
    *size = 0;
    PR_TRY(read_header(&h, frame, frame_size, err));
    PR_TRY(h.offset == 0 ? begin(&m, j, &h, err) : go_on(&m, j, &h, err));
    if (!make_room(m, h.n)) {
        drop(m);
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for a message of %zu bytes", h.total);
    }
    memcpy(m->data + m->at, h.bytes, h.n);
    m->at += h.n;
    if (m->at < m->total) return PR_OK;
    m->data[m->at] = 0;
    *message = m->data;
    *size = m->total;
    memset(m, 0, sizeof *m);
    return PR_OK;
}
