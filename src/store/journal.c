/* Writing the journal: frames gather in a buffer; a sync is one write and one fsync. */
#include "store/journal.h"
#include "base/clock.h"
#include "store/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PR_JOURNAL_BUFFER ((size_t)4 << 20)

struct pr_journal {
    int lock; /* segment 0: locked as long as this is open */
    int fd;   /* the segment that is written; may be lock */
    char *path, run_id[128];
    uint32_t segment;
    uint64_t segment_bytes, in_segment, in_others, sequence, dropped;
    pr_writer buffer;
    bool unsynced, failed;
};

static pr_status io_error(pr_journal *j, const char *what, pr_error *err) {
    int number = errno;
    j->failed = true;
    return pr_fail(err, PR_ERR_IO, "%s: %s: %s", j->path, what, strerror(number));
}

static pr_status refuse_failed(const pr_journal *j, pr_error *err) {
    return pr_fail(err, PR_ERR_IO, "%s: the journal could not be written before: the run must end, and can be resumed",
                   j->path);
}

void pr_journal_close(pr_journal *j) {
    if (!j) return;
    if (j->fd >= 0 && j->fd != j->lock) close(j->fd);
    if (j->lock >= 0) close(j->lock);
    pr_writer_clear(&j->buffer);
    free(j->path);
    free(j);
}

static pr_status allocate(pr_journal **out, const char *path, pr_error *err) {
    pr_journal *j = calloc(1, sizeof *j);
    if (!j || !(j->path = strdup(path))) {
        free(j);
        return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    }
    j->lock = j->fd = -1;
    j->segment_bytes = PR_JOURNAL_SEGMENT_BYTES;
    pr_writer_init(&j->buffer);
    *out = j;
    return PR_OK;
}

/* Process that holds the lock, where /proc/locks shows it; 0: not known (it may be on another host). */
static long lock_holder(int fd) {
    char line[256];
    struct stat st;
    long pid, found = 0;
    unsigned upper, lower;
    unsigned long inode;
    FILE *f = fopen("/proc/locks", "re");
    if (!f) return 0;
    while (fstat(fd, &st) == 0 && !found && fgets(line, sizeof line, f))
        if (sscanf(line, "%*d: FLOCK %*s %*s %ld %x:%x:%lu", &pid, &upper, &lower, &inode) == 4 && inode == st.st_ino &&
            upper == major(st.st_dev) && lower == minor(st.st_dev))
            found = pid;
    fclose(f);
    return found;
}

static pr_status refuse_second(int fd, const char *path, pr_error *err) {
    long pid = lock_holder(fd);
    if (pid <= 0)
        return pr_fail(err, PR_ERR_IO, "%s: another process writes this run, perhaps on another host: wait for its end",
                       path);
    return pr_fail(
        err, PR_ERR_IO,
        "%s: another process writes this run: process %ld of this host; wait for its end, or ask it to stop: "
        "kill -USR1 %ld",
        path, pid, pid);
}

static pr_status check_name(int fd, const char *path, pr_error *err) {
    struct stat locked, named;
    bool same = fstat(fd, &locked) == 0 && stat(path, &named) == 0 && locked.st_ino == named.st_ino &&
                locked.st_dev == named.st_dev;
    return same ? PR_OK
                : pr_fail(err, PR_ERR_IO, "%s: replaced by another process while it was opened: try again", path);
}

/* File systems without locks (some parallel ones are mounted so) are taken as they are. */
pr_status pr_journal_lock(int fd, const char *path, pr_error *err) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return check_name(fd, path, err);
    if (errno == EWOULDBLOCK) return refuse_second(fd, path, err);
    if (errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOLCK || errno == EINVAL) return PR_OK;
    return pr_fail(err, PR_ERR_IO, "%s: cannot lock the journal: %s", path, strerror(errno));
}

static pr_status write_all(pr_journal *j, int fd, const uint8_t *data, size_t size, pr_error *err) {
    return pr_file_write_all(fd, data, size) ? PR_OK : io_error(j, "cannot write the journal", err);
}

static pr_status sync_file(pr_journal *j, int fd, pr_error *err) {
    int rc;
    do rc = fdatasync(fd);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? PR_OK : io_error(j, "cannot sync the journal", err);
}

/* The folder must remember that the file is there. */
static pr_status sync_folder(pr_journal *j, pr_error *err) {
    pr_status status = pr_file_sync_folder(j->path, err);
    j->failed |= status != PR_OK;
    return status;
}

/* ---- segments ---- */

static pr_status write_header(pr_journal *j, int fd, uint32_t segment, pr_error *err) {
    uint8_t bytes[PR_SEGMENT_HEADER];
    pr_segment_header h = {PR_JOURNAL_VERSION, segment, j->sequence, pr_clock_wall_ns(), ""};
    memcpy(h.run_id, j->run_id, sizeof h.run_id);
    pr_segment_header_encode(bytes, &h);
    PR_TRY(write_all(j, fd, bytes, sizeof bytes, err));
    return sync_file(j, fd, err);
}

/* Under its name a segment has its whole header: written beside, synced, renamed, and the folder synced. */
static pr_status begin_segment(pr_journal *j, uint32_t segment, pr_error *err) {
    char name[4200], fresh[4220];
    pr_journal_segment_path(name, sizeof name, j->path, segment);
    snprintf(fresh, sizeof fresh, "%s.new", name);
    int fd = open(fresh, O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return io_error(j, "cannot make a segment of the journal", err);
    pr_status status = write_header(j, fd, segment, err);
    if (status == PR_OK && rename(fresh, name) != 0) status = io_error(j, "cannot name a segment", err);
    if (status == PR_OK) status = sync_folder(j, err);
    if (status != PR_OK) {
        unlink(fresh);
        close(fd);
        return status;
    }
    j->fd = fd;
    j->segment = segment;
    j->in_segment = PR_SEGMENT_HEADER;
    return PR_OK;
}

static pr_status rotate(pr_journal *j, pr_error *err) {
    int old = j->fd;
    j->in_others += j->in_segment;
    PR_TRY(begin_segment(j, j->segment + 1, err));
    if (old != j->lock) close(old);
    return PR_OK;
}

pr_status pr_journal_create(pr_journal **out, const char *path, const char *run_id, pr_error *err) {
    pr_journal *j = NULL;
    if (strlen(path) > 4000) return pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
    PR_TRY(allocate(&j, path, err));
    snprintf(j->run_id, sizeof j->run_id, "%s", run_id);
    pr_status status = PR_OK;
    if (access(path, F_OK) == 0)
        status = pr_fail(err, PR_ERR_IO, "%s: there is a journal of that name", path);
    else
        status = begin_segment(j, 0, err);
    j->lock = j->fd;
    if (status == PR_OK) status = pr_journal_lock(j->lock, path, err);
    if (status == PR_OK)
        *out = j;
    else
        pr_journal_close(j);
    return status;
}

/* ---- opening ---- */

typedef struct opening {
    pr_journal *journal;
    pr_journal_visitor visit;
    void *context;
} opening;

static pr_status show(void *context, const pr_frame *f, pr_error *err) {
    const opening *o = context;
    return o->visit ? o->visit(o->context, f, err) : PR_OK;
}

static pr_status judge(void *context, const pr_fault *f, pr_error *err) {
    opening *o = context;
    char name[4200];
    if (f->kind == PR_FAULT_TORN) {
        o->journal->dropped = f->bytes;
        return PR_OK;
    }
    pr_journal_segment_path(name, sizeof name, o->journal->path, f->segment);
    if (f->kind == PR_FAULT_MISSING)
        return pr_fail(err, PR_ERR_MALFORMED,
                       "%s: this segment of the journal is missing; `proverun repair` saves the rest", name);
    return pr_fail(
        err, PR_ERR_MALFORMED,
        "%s: corrupt at byte %llu: frame %llu%s%s cannot be read; `proverun journal check` tells what is lost, "
        "`proverun repair` saves the rest",
        name, (unsigned long long)f->offset, (unsigned long long)f->first, f->id[0] ? ", of job " : "", f->id);
}

static pr_status drop_torn_end(pr_journal *j, uint64_t end, pr_error *err) {
    if (j->dropped && ftruncate(j->fd, (off_t)end) != 0) return io_error(j, "cannot drop its torn end", err);
    j->in_segment = end;
    return PR_OK;
}

/* Whoever opens it acts on the frames that are there; its last writer may have been killed before it had synced them,
 * or the name of their segment. */
static pr_status sync_what_was_left(pr_journal *j, pr_error *err) {
    PR_TRY(sync_file(j, j->fd, err));
    return sync_folder(j, err);
}

static pr_status read_and_stand(pr_journal *j, pr_journal_visitor visit, void *context, pr_error *err) {
    char name[4200];
    opening o = {j, visit, context};
    pr_scan scan = {.visit = show, .fault = judge, .context = &o};
    PR_TRY(pr_journal_lock(j->lock, j->path, err));
    PR_TRY(pr_journal_scan(&scan, j->path, err));
    memcpy(j->run_id, scan.run_id, sizeof j->run_id);
    j->sequence = scan.next_sequence;
    j->segment = scan.n_segments - 1;
    pr_journal_segment_path(name, sizeof name, j->path, j->segment);
    j->fd = j->segment ? open(name, O_RDWR | O_APPEND | O_CLOEXEC) : j->lock;
    if (j->fd < 0) return io_error(j, "cannot open its last segment", err);
    PR_TRY(drop_torn_end(j, scan.last_good, err));
    PR_TRY(sync_what_was_left(j, err));
    j->in_others = scan.bytes - j->dropped - scan.last_good;
    return PR_OK;
}

pr_status pr_journal_open(pr_journal **out, const char *path, pr_journal_visitor visit, void *context, pr_error *err) {
    pr_journal *j = NULL;
    if (strlen(path) > 4000) return pr_fail(err, PR_ERR_USAGE, "%s: the path is too long", path);
    PR_TRY(allocate(&j, path, err));
    j->lock = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    pr_status status =
        j->lock < 0 ? io_error(j, "cannot open the journal", err) : read_and_stand(j, visit, context, err);
    if (status == PR_OK)
        *out = j;
    else
        pr_journal_close(j);
    return status;
}

/* ---- appending ---- */

static pr_status write_buffer(pr_journal *j, pr_error *err) {
    if (j->buffer.size == 0) return PR_OK;
    PR_TRY(write_all(j, j->fd, j->buffer.data, j->buffer.size, err));
    j->in_segment += j->buffer.size;
    j->unsynced = true;
    if (j->buffer.capacity > 4 * PR_JOURNAL_BUFFER) { /* a large proof went through */
        pr_writer_clear(&j->buffer);
        pr_writer_init(&j->buffer);
    }
    j->buffer.size = 0;
    return PR_OK;
}

pr_status pr_journal_append(pr_journal *j, const pr_frame *frame, pr_error *err) {
    if (j->failed) return refuse_failed(j, err);
    if (frame->size > PR_JOURNAL_MAX_PAYLOAD)
        return pr_fail(err, PR_ERR_REFUSED, "%s: %zu bytes are more than a frame may have", j->path, frame->size);
    pr_frame numbered = *frame;
    size_t before = j->buffer.size;
    numbered.sequence = j->sequence;
    if (!numbered.time_ns) numbered.time_ns = pr_clock_wall_ns();
    pr_frame_encode(&j->buffer, &numbered);
    if (j->buffer.failed) {
        j->buffer.size = before;
        j->buffer.failed = false;
        return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory for a frame", j->path);
    }
    j->sequence++;
    return j->buffer.size >= PR_JOURNAL_BUFFER ? write_buffer(j, err) : PR_OK;
}

/* A segment ends only at a sync: all but the last are whole. */
pr_status pr_journal_sync(pr_journal *j, pr_error *err) {
    if (j->failed) return refuse_failed(j, err);
    PR_TRY(write_buffer(j, err));
    if (!j->unsynced) return PR_OK;
    PR_TRY(sync_file(j, j->fd, err));
    j->unsynced = false;
    return j->in_segment >= j->segment_bytes ? rotate(j, err) : PR_OK;
}

void pr_journal_set_segment_bytes(pr_journal *j, uint64_t bytes) { j->segment_bytes = bytes; }
uint64_t pr_journal_bytes(const pr_journal *j) { return j->in_others + j->in_segment + j->buffer.size; }
uint64_t pr_journal_dropped(const pr_journal *j) { return j->dropped; }
