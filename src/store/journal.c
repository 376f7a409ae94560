#include "store/journal.h"
#include "hash/blake2s.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER "proverun journal 1\n"
#define HEADER_BYTES (sizeof HEADER - 1)
#define FRAME_MAGIC 0x4d524a50u
#define FRAME_HEAD 24 /* magic, type, sequence, length */
#define FRAME_TAIL 8
#define FRAME_MAX ((uint64_t)2 << 30)

struct pr_journal {
    int fd;
    char *path;
    uint64_t sequence;
};

static pr_status io_error(const pr_journal *j, const char *what, pr_error *err) {
    return pr_fail(err, PR_ERR_IO, "%s: %s: %s", j->path, what, strerror(errno));
}

void pr_journal_close(pr_journal *j) {
    if (!j) return;
    if (j->fd >= 0) close(j->fd);
    free(j->path);
    free(j);
}

static pr_status open_file(pr_journal **out, const char *path, int flags, pr_error *err) {
    pr_journal *j = calloc(1, sizeof *j);
    if (!j || !(j->path = strdup(path))) {
        free(j);
        return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    }
    j->fd = open(path, flags | O_CLOEXEC, 0666);
    pr_status status = PR_OK;
    if (j->fd < 0)
        status = io_error(j, "cannot open the journal", err);
    else if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        status = pr_fail(err, PR_ERR_IO, "%s: another process writes this run", path);
    if (status == PR_OK)
        *out = j;
    else
        pr_journal_close(j);
    return status;
}

static pr_status write_all(pr_journal *j, const uint8_t *data, size_t size, pr_error *err) {
    while (size) {
        ssize_t n = write(j->fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return io_error(j, "cannot write the journal", err);
        data += n;
        size -= (size_t)n;
    }
    return PR_OK;
}

pr_status pr_journal_sync(pr_journal *j, pr_error *err) {
    return fdatasync(j->fd) == 0 ? PR_OK : io_error(j, "cannot sync the journal", err);
}

/* The folder must remember that the file is there. */
static pr_status sync_folder(const pr_journal *j, pr_error *err) {
    char folder[4096];
    const char *slash = strrchr(j->path, '/');
    size_t n = slash ? (size_t)(slash - j->path) : 1;
    if (n >= sizeof folder) return pr_fail(err, PR_ERR_IO, "%s: the path is too long", j->path);
    memcpy(folder, slash ? j->path : ".", n);
    folder[n] = 0;
    int fd = open(n ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0) close(fd);
    return synced ? PR_OK : io_error(j, "cannot sync the folder", err);
}

pr_status pr_journal_create(pr_journal **out, const char *path, pr_error *err) {
    pr_journal *j = NULL;
    PR_TRY(open_file(&j, path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, err));
    pr_status status = write_all(j, (const uint8_t *)HEADER, HEADER_BYTES, err);
    if (status == PR_OK) status = pr_journal_sync(j, err);
    if (status == PR_OK) status = sync_folder(j, err);
    if (status == PR_OK)
        *out = j;
    else
        pr_journal_close(j);
    return status;
}

pr_status pr_journal_append(pr_journal *j, pr_frame_type type, const void *payload, size_t size, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u32(&w, FRAME_MAGIC);
    pr_write_u32(&w, type);
    pr_write_u64(&w, j->sequence);
    pr_write_u64(&w, size);
    pr_write_bytes(&w, payload, size);
    pr_hash sum = pr_blake2s_hash(w.data, w.size);
    pr_write_bytes(&w, sum.bytes, FRAME_TAIL);
    pr_status status =
        w.failed ? pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", j->path) : write_all(j, w.data, w.size, err);
    pr_writer_clear(&w);
    if (status == PR_OK) j->sequence++;
    return status;
}

/* ---- reading ---- */

typedef enum frame_state { FRAME_GOOD, FRAME_TORN, FRAME_CORRUPT } frame_state;

/* A frame that reaches beyond the end, or zeros up to the end, was being written; anything else is damage. */
static frame_state look(const uint8_t *data, size_t left, uint64_t sequence, uint32_t *type, size_t *length) {
    pr_reader r;
    pr_reader_init(&r, data, left);
    uint32_t magic = pr_read_u32(&r);
    *type = pr_read_u32(&r);
    uint64_t number = pr_read_u64(&r), size = pr_read_u64(&r);
    if (left < FRAME_HEAD) return FRAME_TORN;
    if (magic != FRAME_MAGIC) {
        for (size_t i = 0; i < left; i++)
            if (data[i]) return FRAME_CORRUPT;
        return FRAME_TORN;
    }
    if (size > FRAME_MAX || number != sequence) return FRAME_CORRUPT;
    if (size > left - FRAME_HEAD || left - FRAME_HEAD - (size_t)size < FRAME_TAIL) return FRAME_TORN;
    pr_hash sum = pr_blake2s_hash(data, FRAME_HEAD + (size_t)size);
    *length = (size_t)size;
    if (!memcmp(sum.bytes, data + FRAME_HEAD + size, FRAME_TAIL)) return FRAME_GOOD;
    return FRAME_HEAD + size + FRAME_TAIL == left ? FRAME_TORN : FRAME_CORRUPT;
}

/* Whether a whole frame with a later number lies anywhere in what is left: then this one is damaged, not torn. */
static bool has_later_frame(const uint8_t *data, size_t left, uint64_t sequence) {
    for (size_t at = 1; at + FRAME_HEAD + FRAME_TAIL <= left; at++) {
        pr_reader r;
        uint32_t type;
        size_t length;
        if (data[at] != (FRAME_MAGIC & 255)) continue;
        pr_reader_init(&r, data + at, left - at);
        bool magic = pr_read_u32(&r) == FRAME_MAGIC;
        (void)pr_read_u32(&r);
        uint64_t number = pr_read_u64(&r);
        if (magic && number > sequence && look(data + at, left - at, number, &type, &length) == FRAME_GOOD) return true;
    }
    return false;
}

static pr_status read_frames(pr_journal *j, const uint8_t *data, size_t size, size_t *end, pr_journal_visitor visit,
                             void *context, pr_error *err) {
    size_t at = HEADER_BYTES, length = 0;
    uint32_t type;
    while (at < size) {
        frame_state state = look(data + at, size - at, j->sequence, &type, &length);
        if (state == FRAME_TORN && !has_later_frame(data + at, size - at, j->sequence)) break;
        if (state != FRAME_GOOD)
            return pr_fail(err, PR_ERR_MALFORMED,
                           "%s: corrupt at byte %zu of %zu: frame %llu and what follows cannot be read", j->path, at,
                           size, (unsigned long long)j->sequence);
        if (visit) PR_TRY(visit(context, type, data + at + FRAME_HEAD, length, err));
        at += FRAME_HEAD + length + FRAME_TAIL;
        j->sequence++;
    }
    *end = at < size ? at : size;
    return PR_OK;
}

static pr_status read_journal(pr_journal *j, pr_journal_visitor visit, void *context, pr_error *err) {
    uint8_t *data = NULL;
    size_t size = 0, end = 0;
    PR_TRY(pr_file_read(&data, &size, j->path, (size_t)1 << 40, err));
    pr_status status = PR_OK;
    if (size < HEADER_BYTES || memcmp(data, HEADER, HEADER_BYTES))
        status = pr_fail(err, PR_ERR_MALFORMED, "%s: not a journal of this version", j->path);
    if (status == PR_OK) status = read_frames(j, data, size, &end, visit, context, err);
    free(data);
    if (status != PR_OK) return status;
    if (end < size && (ftruncate(j->fd, (off_t)end) != 0 || fsync(j->fd) != 0))
        return io_error(j, "cannot drop its torn end", err);
    return PR_OK;
}

pr_status pr_journal_open(pr_journal **out, const char *path, pr_journal_visitor visit, void *context, pr_error *err) {
    pr_journal *j = NULL;
    PR_TRY(open_file(&j, path, O_RDWR | O_APPEND, err));
    pr_status status = read_journal(j, visit, context, err);
    if (status == PR_OK)
        *out = j;
    else
        pr_journal_close(j);
    return status;
}
