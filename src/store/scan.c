/* Reading a journal, whatever became of it. Nothing is trusted but what a checksum covers, and of that only what fits.
 */
#include "store/frame.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW ((size_t)1 << 20)

typedef struct segment {
    int fd;
    uint32_t number;
    bool last;
    uint64_t size;
    uint8_t *window; /* bytes [at, at + have) of the file */
    uint64_t at;
    size_t have, room;
} segment;

typedef struct scanner {
    pr_scan *scan;
    const char *path;
    segment s;
    char id[128];
} scanner;

static pr_status io_error(const char *path, const char *what, pr_error *err) {
    return pr_fail(err, PR_ERR_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* ---- a window on the file ---- */

static pr_status fill(scanner *c, uint64_t offset, size_t n, pr_error *err) {
    segment *s = &c->s;
    size_t want = n > WINDOW ? n : WINDOW;
    if (want > s->size - offset) want = (size_t)(s->size - offset);
    if (want > s->room) {
        uint8_t *grown = realloc(s->window, want);
        if (!grown) return pr_fail(err, PR_ERR_MEMORY, "%s: no memory to read %zu bytes", c->path, want);
        s->window = grown;
        s->room = want;
    }
    s->at = offset;
    s->have = 0;
    while (s->have < want) {
        ssize_t got = pread(s->fd, s->window + s->have, want - s->have, (off_t)(offset + s->have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(c->path, "read", err);
        if (got == 0) break; /* cut short meanwhile */
        s->have += (size_t)got;
    }
    return PR_OK;
}

/* *out: n bytes from offset, or NULL when the file is shorter. Valid until the next call. */
static pr_status look_at(scanner *c, const uint8_t **out, uint64_t offset, uint64_t n, pr_error *err) {
    segment *s = &c->s;
    *out = NULL;
    if (offset > s->size || n > s->size - offset) return PR_OK;
    if (offset < s->at || offset + n > s->at + s->have) PR_TRY(fill(c, offset, (size_t)n, err));
    if (s->have && offset >= s->at && offset + n <= s->at + s->have) *out = s->window + (offset - s->at);
    return PR_OK;
}

/* ---- one frame ---- */

typedef enum frame_state { FRAME_GOOD, FRAME_BAD_PAYLOAD, FRAME_SHORT, FRAME_BAD } frame_state;

/* f: filled for FRAME_GOOD; its head alone for FRAME_BAD_PAYLOAD and FRAME_SHORT. */
static pr_status look(scanner *c, frame_state *state, pr_frame *f, uint64_t *bytes, uint64_t offset, pr_error *err) {
    const uint8_t *data;
    size_t id_size;
    uint64_t size;
    *state = FRAME_BAD;
    *bytes = 0;
    *f = (pr_frame){.rank = -1, .id = "", .segment = c->s.number, .offset = offset};
    PR_TRY(look_at(c, &data, offset, PR_FRAME_HEAD, err));
    if (!data || !pr_frame_head_sizes(&id_size, &size, data)) return PR_OK;
    PR_TRY(look_at(c, &data, offset, PR_FRAME_HEAD + id_size + PR_FRAME_SUM, err));
    if (!data || !pr_frame_head_decode(f, c->id, data, id_size)) return PR_OK;
    *bytes = pr_frame_bytes(id_size, size);
    *state = FRAME_SHORT;
    PR_TRY(look_at(c, &data, offset, *bytes, err));
    if (!data) return PR_OK;
    *state = pr_frame_sum_is_good(data, *bytes) ? FRAME_GOOD : FRAME_BAD_PAYLOAD;
    f->payload = data + PR_FRAME_HEAD + id_size + PR_FRAME_SUM;
    f->size = (size_t)size;
    return PR_OK;
}

/* The next whole frame from offset on that has not been seen; its place is the segment's size when there is none. */
static pr_status find_next(scanner *c, uint64_t *place, uint64_t *sequence, uint64_t offset, pr_error *err) {
    for (; offset + PR_FRAME_HEAD <= c->s.size; offset++) {
        const uint8_t *data, *hit = NULL;
        uint64_t n = c->s.size - offset < WINDOW ? c->s.size - offset : WINDOW;
        PR_TRY(look_at(c, &data, offset, n, err));
        if (data) hit = memmem(data, (size_t)n, "PJRM", 4);
        if (!hit && n < WINDOW) break;
        if (!hit) {
            offset += n - 4;
            continue;
        }
        offset += (uint64_t)(hit - data);
        pr_frame f;
        frame_state state;
        uint64_t bytes;
        PR_TRY(look(c, &state, &f, &bytes, offset, err));
        if (state != FRAME_GOOD || f.sequence < c->scan->next_sequence) continue;
        *place = offset;
        *sequence = f.sequence;
        return PR_OK;
    }
    *place = c->s.size;
    *sequence = 0;
    return PR_OK;
}

static pr_status tell(scanner *c, const pr_fault *fault, pr_error *err) {
    c->scan->n_faults[fault->kind]++;
    return c->scan->fault ? c->scan->fault(c->scan->context, fault, err) : PR_OK;
}

/* What is wrong at *offset, and where to go on. */
static pr_status skip_damage(scanner *c, uint64_t *offset, const pr_frame *head, uint64_t head_bytes, pr_error *err) {
    pr_fault fault = {.kind = PR_FAULT_CORRUPT, .segment = c->s.number, .offset = *offset, .type = head->type};
    uint64_t place, sequence;
    bool payload_only = head_bytes && head_bytes <= c->s.size - *offset && head->sequence == c->scan->next_sequence;
    snprintf(fault.id, sizeof fault.id, "%s", head->id);
    PR_TRY(find_next(c, &place, &sequence, *offset + (payload_only ? head_bytes : 1), err));
    bool found = place < c->s.size;
    if (c->s.last && !found) fault.kind = PR_FAULT_TORN;
    payload_only = payload_only && fault.kind == PR_FAULT_CORRUPT;
    if (payload_only) place = *offset + head_bytes;
    fault.bytes = place - *offset;
    fault.first = c->scan->next_sequence;
    fault.n = payload_only ? 1 : found ? sequence - fault.first : 0;
    c->scan->next_sequence += fault.n;
    *offset = place;
    return tell(c, &fault, err);
}

/* Frames that were there have gone without a trace. */
static pr_status tell_gap(scanner *c, const pr_frame *f, pr_error *err) {
    const pr_fault fault = {.kind = PR_FAULT_CORRUPT,
                            .segment = f->segment,
                            .offset = f->offset,
                            .first = c->scan->next_sequence,
                            .n = f->sequence - c->scan->next_sequence};
    c->scan->next_sequence = f->sequence;
    return tell(c, &fault, err);
}

static pr_status scan_frames(scanner *c, pr_error *err) {
    pr_scan *scan = c->scan;
    uint64_t offset = PR_SEGMENT_HEADER, bytes;
    scan->last_good = offset < c->s.size ? offset : c->s.size;
    while (offset < c->s.size) {
        pr_frame f;
        frame_state state;
        PR_TRY(look(c, &state, &f, &bytes, offset, err));
        if (state != FRAME_GOOD || f.sequence < scan->next_sequence) {
            PR_TRY(skip_damage(c, &offset, &f, state == FRAME_GOOD ? 0 : bytes, err));
            continue;
        }
        if (f.sequence > scan->next_sequence) PR_TRY(tell_gap(c, &f, err));
        if (scan->visit) PR_TRY(scan->visit(scan->context, &f, err));
        scan->next_sequence++;
        scan->n_frames++;
        offset += bytes;
        scan->last_good = offset;
    }
    return PR_OK;
}

/* ---- segments ---- */

static pr_status tell_header(scanner *c, pr_error *err) {
    const pr_fault fault = {.kind = PR_FAULT_CORRUPT,
                            .segment = c->s.number,
                            .bytes = c->s.size < PR_SEGMENT_HEADER ? c->s.size : PR_SEGMENT_HEADER,
                            .first = c->scan->next_sequence};
    return tell(c, &fault, err);
}

static pr_status read_header(scanner *c, pr_error *err) {
    pr_segment_header h;
    const uint8_t *data;
    uint64_t n = c->s.size < PR_SEGMENT_HEADER ? c->s.size : PR_SEGMENT_HEADER;
    PR_TRY(look_at(c, &data, 0, n, err));
    pr_header_state state = pr_segment_header_decode(&h, data, data ? (size_t)n : 0);
    if (state == PR_HEADER_OTHER_VERSION)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: a journal of version %u; this program reads version %u", c->path,
                       h.version, PR_JOURNAL_VERSION);
    if (state == PR_HEADER_NO_JOURNAL && c->s.number == 0)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: not a journal of proverun", c->path);
    if (state != PR_HEADER_GOOD || h.segment != c->s.number) return tell_header(c, err);
    if (!c->scan->run_id[0]) memcpy(c->scan->run_id, h.run_id, sizeof h.run_id);
    if (strcmp(c->scan->run_id, h.run_id) != 0)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: segment %u is of run %s, not %s", c->path, c->s.number, h.run_id,
                       c->scan->run_id);
    if (h.first_sequence <= c->scan->next_sequence) return PR_OK;
    const pr_frame first = {.segment = c->s.number, .offset = PR_SEGMENT_HEADER, .sequence = h.first_sequence};
    return tell_gap(c, &first, err);
}

static pr_status scan_open_segment(scanner *c, pr_error *err) {
    struct stat st;
    if (fstat(c->s.fd, &st) != 0) return io_error(c->path, "read", err);
    if (!S_ISREG(st.st_mode)) return pr_fail(err, PR_ERR_MALFORMED, "%s: not a file", c->path);
    c->s.size = (uint64_t)st.st_size;
    c->scan->bytes += c->s.size;
    PR_TRY(read_header(c, err));
    return scan_frames(c, err);
}

static pr_status scan_segment(scanner *c, uint32_t number, bool last, pr_error *err) {
    char name[4200];
    pr_journal_segment_path(name, sizeof name, c->path, number);
    c->s = (segment){.number = number, .last = last};
    c->s.fd = open(name, O_RDONLY | O_CLOEXEC);
    if (c->s.fd < 0 && errno == ENOENT && !last) {
        const pr_fault fault = {.kind = PR_FAULT_MISSING, .segment = number, .first = c->scan->next_sequence};
        return tell(c, &fault, err);
    }
    if (c->s.fd < 0) return io_error(name, "open the journal", err);
    pr_status status = scan_open_segment(c, err);
    close(c->s.fd);
    free(c->s.window);
    return status;
}

/* Highest segment whose file is there; segment 0 may be missing. */
static pr_status last_segment(uint32_t *out, const char *path, pr_error *err) {
    const char *base = pr_file_name(path);
    char folder[4096];
    int n = snprintf(folder, sizeof folder, "%.*s", base > path ? (int)(base - path) : 1, base > path ? path : ".");
    size_t base_size = strlen(base);
    *out = 0;
    if (n < 0 || (size_t)n >= sizeof folder) return pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
    DIR *d = opendir(folder);
    if (!d) return io_error(folder, "open the folder", err);
    for (struct dirent *e; (e = readdir(d));) {
        const char *name = e->d_name;
        char *end = NULL;
        if (strncmp(name, base, base_size) != 0 || name[base_size] != '.' || name[base_size + 1] < '1' ||
            name[base_size + 1] > '9')
            continue;
        unsigned long k = strtoul(name + base_size + 1, &end, 10);
        if (!*end && k <= PR_JOURNAL_MAX_SEGMENTS && k > *out) *out = (uint32_t)k;
    }
    closedir(d);
    return PR_OK;
}

pr_status pr_journal_scan(pr_scan *scan, const char *path, pr_error *err) {
    scanner c = {.scan = scan, .path = path};
    uint32_t last;
    PR_TRY(last_segment(&last, path, err));
    memset(scan->n_faults, 0, sizeof scan->n_faults);
    scan->run_id[0] = 0;
    scan->n_frames = scan->bytes = scan->next_sequence = scan->last_good = 0;
    scan->n_segments = last + 1;
    for (uint32_t k = 0; k <= last; k++) PR_TRY(scan_segment(&c, k, k == last, err));
    return PR_OK;
}
